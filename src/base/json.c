#include "base/json.h"

#include "base/clock.h"

#include <assert.h>
#include <math.h>

static void quote_char(struct buf *out, unsigned char c)
{
	static const char escapes[32] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
	if (c == '"' || c == '\\') {
		char pair[2] = {'\\', (char)c};
		buf_bytes(out, pair, 2);
	} else if (escapes[c & 31] && c < 32) {
		char pair[2] = {'\\', escapes[c]};
		buf_bytes(out, pair, 2);
	} else {
		buf_printf(out, "\\u%04x", c);
	}
}

static void quote_part(struct buf *out, struct span text)
{
	size_t from = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c >= 32 && c != '"' && c != '\\')
			continue;
		buf_bytes(out, text.ptr + from, i - from);
		quote_char(out, c);
		from = i + 1;
	}
	buf_bytes(out, text.ptr + from, text.len - from);
}

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define HIGH_BITS UINT64_C(0x8080808080808080)

/* Whether one of eight bytes is 0; may be wrong about those behind the first one found. */
static uint64_t zero_in(uint64_t eight)
{
	return (eight - EACH_BYTE) & ~eight & HIGH_BITS;
}

/* Whether one of eight bytes is no ASCII, a control character, or one that needs an escape. */
static uint64_t odd_in(uint64_t eight)
{
	uint64_t control = (eight - ' ' * EACH_BYTE) & ~eight;
	return ((eight | control) & HIGH_BITS) | zero_in(eight ^ '"' * EACH_BYTE) | zero_in(eight ^ '\\' * EACH_BYTE);
}

static uint64_t load(const char *from, size_t n)
{
	uint64_t eight = ' ' * EACH_BYTE;
	memcpy(&eight, from, n);
	return eight;
}

/* ASCII of which nothing needs an escape, as nearly all texts are. What is left of eight bytes is read with some of those before. */
static bool is_plain(struct span text)
{
	enum { STEP = sizeof(uint64_t), HALF = STEP / 2 };
	const char *at = text.ptr, *end = text.ptr + text.len;
	if (text.len < HALF) {
		uint64_t few = ' ' * EACH_BYTE;
		for (; at < end; at++)
			few = few << 8 | (unsigned char)*at;
		return !odd_in(few);
	}
	if (text.len < STEP)
		return !(odd_in(load(at, HALF)) | odd_in(load(end - HALF, HALF)));
	uint64_t odd = odd_in(load(end - STEP, STEP));
	for (; end - at > STEP && !odd; at += STEP)
		odd = odd_in(load(at, STEP));
	return !odd;
}

void json_quote(struct buf *out, struct span text)
{
	if (is_plain(text)) {
		char *to = buf_reserve(out, text.len + 2);
		if (!to)
			return;
		to[0] = '"';
		if (text.len)
			memcpy(to + 1, text.ptr, text.len);
		to[text.len + 1] = '"';
		buf_commit(out, text.len + 2);
		return;
	}
	buf_byte(out, '"');
	if (span_is_utf8(text)) {
		quote_part(out, text);
	} else {
		for (size_t i = 0; i < text.len;) {
			size_t n = 1;
			while (n < 4 && i + n < text.len && ((unsigned char)text.ptr[i + n] & 0xc0) == 0x80)
				n++;
			struct span one = {text.ptr + i, n};
			while (one.len > 1 && !span_is_utf8(one))
				one.len--;
			if (span_is_utf8(one))
				quote_part(out, one);
			else
				buf_str(out, "\xef\xbf\xbd");
			i += one.len;
		}
	}
	buf_byte(out, '"');
}

static void begin(struct json *j, const char *key)
{
	uint64_t bit = (uint64_t)1 << j->depth;
	bool follows = j->has_items & bit;
	struct span name = span_of(key);
	j->has_items |= bit;
	if (key && is_plain(name)) {
		const size_t size = follows + name.len + strlen("\"\":");
		char *to = buf_reserve(j->out, size);
		if (!to)
			return;
		*to = ',';
		to += follows;
		*to++ = '"';
		memcpy(to, name.ptr, name.len);
		memcpy(to + name.len, "\":", 2);
		buf_commit(j->out, size);
		return;
	}
	if (follows)
		buf_byte(j->out, ',');
	if (key) {
		json_quote(j->out, name);
		buf_byte(j->out, ':');
	}
}

static void nest(struct json *j, const char *key, char c)
{
	begin(j, key);
	assert(j->depth + 1 < JSON_DEPTH_MAX);
	j->depth++;
	j->has_items &= ~((uint64_t)1 << j->depth);
	buf_byte(j->out, c);
}

static void unnest(struct json *j, char c)
{
	assert(j->depth > 0);
	j->depth--;
	buf_byte(j->out, c);
}

void json_object(struct json *j, const char *key)
{
	nest(j, key, '{');
}

void json_object_end(struct json *j)
{
	unnest(j, '}');
}

void json_array(struct json *j, const char *key)
{
	nest(j, key, '[');
}

void json_array_end(struct json *j)
{
	unnest(j, ']');
}

void json_str(struct json *j, const char *key, const char *value)
{
	if (value)
		json_span(j, key, span_of(value));
	else
		json_null(j, key);
}

void json_span(struct json *j, const char *key, struct span value)
{
	begin(j, key);
	json_quote(j->out, value);
}

void json_int(struct json *j, const char *key, int64_t value)
{
	begin(j, key);
	buf_i64(j->out, value);
}

void json_uint(struct json *j, const char *key, uint64_t value)
{
	begin(j, key);
	buf_u64(j->out, value);
}

void json_double(struct json *j, const char *key, double value)
{
	begin(j, key);
	if (isfinite(value))
		buf_double(j->out, value);
	else
		buf_str(j->out, "null");
}

void json_float(struct json *j, const char *key, double value)
{
	json_double(j, key, value);
	const double magnitude = fabs(value);
	/* Beyond that it has an exponent. */
	if (magnitude < 1e15 && value == trunc(value))
		buf_str(j->out, ".0");
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin(j, key);
	buf_str(j->out, value ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	begin(j, key);
	buf_str(j->out, "null");
}

void json_raw(struct json *j, const char *key, const char *value)
{
	begin(j, key);
	buf_str(j->out, value ? value : "null");
}

void json_time(struct json *j, const char *key, int64_t unix_us)
{
	char text[CLOCK_ISO_SIZE];
	if (unix_us == 0) {
		json_null(j, key);
		return;
	}
	clock_iso(unix_us, text);
	json_str(j, key, text);
}

void json_us(struct json *j, const char *key, int64_t us)
{
	char text[] = ".000000";
	begin(j, key);
	buf_i64(j->out, us / US_PER_S);
	int64_t rest = us % US_PER_S;
	for (size_t at = sizeof(text) - 2; at > 0; at--, rest /= 10)
		text[at] = (char)('0' + rest % 10);
	buf_bytes(j->out, text, sizeof(text) - 1);
}

void json_strings(struct json *j, const char *key, const char *const *values, size_t n)
{
	json_array(j, key);
	for (size_t i = 0; i < n; i++)
		json_str(j, NULL, values[i]);
	json_array_end(j);
}
