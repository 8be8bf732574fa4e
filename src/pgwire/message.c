#include "pgwire/message.h"

#include <assert.h>
#include <endian.h>

enum {
	CODE_CANCEL = 80877102,
	CODE_SSL = 80877103,
	CODE_GSS = 80877104,
	CANCEL_KEY_MAX = 256, /* protocol 3.2 */
	/* "p" is checked against MESSAGE_AUTH_MAX by its own rule below. */
	FRAME_LENGTH = 4
};

/* Every byte a client may start a message with. */
static const char FRONTEND_TYPES[] = "BCDEFHPQSXcdfp";

struct reader {
	struct span rest;
	bool failed;
	bool bad_text;
};

static uint16_t load16(const char *at)
{
	uint16_t v;
	memcpy(&v, at, sizeof(v));
	return be16toh(v);
}

static uint32_t load32(const char *at)
{
	uint32_t v;
	memcpy(&v, at, sizeof(v));
	return be32toh(v);
}

static struct span read_bytes(struct reader *r, size_t n)
{
	if (r->failed || r->rest.len < n) {
		r->failed = true;
		return SPAN_NONE;
	}
	struct span bytes = span_first(r->rest, n);
	r->rest = span_skip(r->rest, n);
	return bytes;
}

static uint8_t read_8(struct reader *r)
{
	struct span s = read_bytes(r, 1);
	return r->failed ? 0 : (uint8_t)*s.ptr;
}

static uint16_t read_16(struct reader *r)
{
	struct span s = read_bytes(r, 2);
	return r->failed ? 0 : load16(s.ptr);
}

static uint32_t read_32(struct reader *r)
{
	struct span s = read_bytes(r, 4);
	return r->failed ? 0 : load32(s.ptr);
}

static struct span read_cstr(struct reader *r)
{
	size_t at = r->failed ? 0 : span_find(r->rest, '\0');
	if (r->failed || at == r->rest.len) {
		r->failed = true;
		return SPAN_NONE;
	}
	struct span text = span_first(r->rest, at);
	r->rest = span_skip(r->rest, at + 1);
	return text;
}

static struct span read_text(struct reader *r)
{
	struct span text = read_cstr(r);
	if (!span_is_utf8(text))
		r->bad_text = true;
	return text;
}

/* A body is right when nothing failed and nothing is left. */
static bool read_end(const struct reader *r, const char *what, struct pg_error *e)
{
	if (r->failed || r->rest.len)
		return pg_fatal_set(e, "08P01", "invalid message format: %s", what);
	if (r->bad_text)
		return pg_error_set(e, "22021", "invalid byte sequence for encoding \"UTF8\"");
	return true;
}

static enum message_state bad_length(struct pg_error *e, const char *what)
{
	(void)pg_fatal_set(e, "08P01", "invalid length of %s", what);
	return MESSAGE_BAD;
}

enum message_state message_startup_frame(struct span in, struct message_frame *ret, struct pg_error *e)
{
	if (in.len < FRAME_LENGTH)
		return MESSAGE_MORE;
	uint32_t length = load32(in.ptr);
	if (length < MESSAGE_STARTUP_MIN || length > MESSAGE_STARTUP_MAX)
		return bad_length(e, "startup packet");
	if (in.len < length)
		return MESSAGE_MORE;
	*ret = (struct message_frame){.body = span_skip(span_first(in, length), FRAME_LENGTH), .size = length};
	return MESSAGE_READY;
}

enum message_state message_frame(struct span in, size_t body_max, struct message_frame *ret, struct pg_error *e)
{
	if (in.len == 0)
		return MESSAGE_MORE;
	if (*in.ptr == '\0' || !strchr(FRONTEND_TYPES, *in.ptr)) {
		(void)pg_fatal_set(e, "08P01", "invalid frontend message type %u", (unsigned char)*in.ptr);
		return MESSAGE_BAD;
	}
	if (in.len < MESSAGE_HEADER)
		return MESSAGE_MORE;
	uint32_t length = load32(in.ptr + 1);
	if (length < FRAME_LENGTH || length - FRAME_LENGTH > body_max)
		return bad_length(e, "message");
	size_t size = (size_t)length + 1;
	if (in.len < size)
		return MESSAGE_MORE;
	*ret = (struct message_frame){
		.type = *in.ptr, .body = span_skip(span_first(in, size), MESSAGE_HEADER), .size = size};
	return MESSAGE_READY;
}

/* --- startup --- */

static bool decode_cancel(struct reader *r, struct startup *ret, struct pg_error *e)
{
	ret->kind = STARTUP_CANCEL;
	ret->pid = read_32(r);
	ret->key = r->rest;
	if (r->failed || ret->key.len < 4 || ret->key.len > CANCEL_KEY_MAX)
		return pg_fatal_set(e, "08P01", "invalid length of cancel request");
	return true;
}

static bool keep_parameter(struct startup *s, struct span name, struct span value, struct pg_error *e)
{
	const struct {
		const char *name;
		struct span *value;
		bool *has;
	} known[] = {{"user", &s->user, NULL},
		     {"database", &s->database, &s->has_database},
		     {"options", &s->options, NULL},
		     {"replication", &s->replication, &s->has_replication}};
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (span_is(name, known[i].name)) {
			*known[i].value = value;
			if (known[i].has)
				*known[i].has = true;
			return true;
		}
	if (s->parameter_count + s->unknown_count == MESSAGE_STARTUP_PARAMETERS)
		return pg_fatal_set(e, "08P01", "too many startup parameters");
	if (span_starts(name, SPAN("_pq_.")))
		s->unknown[s->unknown_count++] = name;
	else
		s->parameters[s->parameter_count++] = (struct startup_parameter){name, value};
	return true;
}

static bool decode_login(struct reader *r, struct startup *ret, struct pg_error *e)
{
	while (!r->failed && r->rest.len && *r->rest.ptr) {
		struct span name = read_text(r);
		struct span value = read_text(r);
		if (!r->failed && !keep_parameter(ret, name, value, e))
			return false;
	}
	(void)read_8(r);
	if (r->failed || r->rest.len)
		return pg_fatal_set(e, "08P01", "invalid startup packet layout: expected terminator as last byte");
	if (r->bad_text)
		return pg_fatal_set(e, "22021", "invalid byte sequence for encoding \"UTF8\" in startup packet");
	if (ret->user.len == 0)
		return pg_fatal_set(e, "28000", "no PostgreSQL user name specified in startup packet");
	return true;
}

bool startup_decode(struct span body, struct startup *ret, struct pg_error *e)
{
	struct reader r = {.rest = body};
	*ret = (struct startup){0};
	uint32_t code = read_32(&r);
	switch (code) {
	case CODE_SSL:
		ret->kind = STARTUP_SSL;
		return read_end(&r, "SSLRequest", e);
	case CODE_GSS:
		ret->kind = STARTUP_GSS;
		return read_end(&r, "GSSENCRequest", e);
	case CODE_CANCEL:
		return decode_cancel(&r, ret, e);
	default:
		break;
	}
	ret->kind = STARTUP_LOGIN;
	ret->major = (uint16_t)(code >> 16);
	ret->minor = (uint16_t)code;
	if (ret->major != 3)
		return pg_fatal_set(e, "0A000", "unsupported frontend protocol %u.%u: server supports 3.0 to 3.0",
				    ret->major, ret->minor);
	return decode_login(&r, ret, e);
}

bool startup_needs_negotiation(const struct startup *s)
{
	return s->minor > 0 || s->unknown_count > 0;
}

/* Copies one blank-separated word of `options` without its escapes. */
static struct span take_word(struct span *options, char *to)
{
	struct span rest = *options;
	struct span word = {to, 0};
	while (rest.len && *rest.ptr == ' ')
		rest = span_skip(rest, 1);
	while (rest.len && *rest.ptr != ' ') {
		if (*rest.ptr == '\\' && rest.len > 1)
			rest = span_skip(rest, 1);
		to[word.len++] = *rest.ptr;
		rest = span_skip(rest, 1);
	}
	*options = rest;
	return word;
}

bool startup_next_option(struct span *options, char *scratch, struct startup_parameter *ret, struct pg_error *e)
{
	struct span word = take_word(options, scratch);
	if (word.len == 0)
		return false;
	struct span setting = SPAN_NONE;
	if (span_is(word, "-c"))
		setting = take_word(options, scratch);
	else if (span_starts(word, SPAN("-c")) || span_starts(word, SPAN("--")))
		setting = span_skip(word, 2);
	size_t equals = span_find(setting, '=');
	if (equals == 0 || equals == setting.len)
		return pg_fatal_set(e, "42601", "invalid command-line argument for server process: %.*s",
				    SPAN_ARG(span_first(word, 200)));
	ret->name = span_first(setting, equals);
	ret->value = span_skip(setting, equals + 1);
	/* "--statement-timeout" means statement_timeout. */
	for (char *c = scratch + (setting.ptr - scratch), *end = c + equals; c < end; c++)
		if (*c == '-')
			*c = '_';
	return true;
}

/* --- what a client says later --- */

bool message_query(struct span body, struct span *ret_sql, struct pg_error *e)
{
	struct reader r = {.rest = body};
	*ret_sql = read_text(&r);
	return read_end(&r, "Query", e);
}

bool message_parse(struct span body, struct message_parse *ret, struct pg_error *e)
{
	struct reader r = {.rest = body};
	ret->name = read_text(&r);
	ret->sql = read_text(&r);
	ret->oid_count = read_16(&r);
	ret->oids = read_bytes(&r, (size_t)ret->oid_count * 4);
	return read_end(&r, "Parse", e);
}

static bool formats_known(struct span formats)
{
	for (size_t at = 0; at + 2 <= formats.len; at += 2)
		if (load16(formats.ptr + at) > 1)
			return false;
	return true;
}

static bool check_formats(const struct message_bind *b, struct pg_error *e)
{
	if (b->format_count > 1 && b->format_count != b->value_count)
		return pg_error_set(e, "08P01", "bind message has %u parameter formats but %u parameters",
				    b->format_count, b->value_count);
	if (!formats_known(b->formats) || !formats_known(b->result_formats))
		return pg_error_set(e, "22023", "unsupported format code in bind message");
	return true;
}

bool message_bind(struct span body, struct message_bind *ret, struct pg_error *e)
{
	struct reader r = {.rest = body};
	ret->portal = read_text(&r);
	ret->statement = read_text(&r);
	ret->format_count = read_16(&r);
	ret->formats = read_bytes(&r, (size_t)ret->format_count * 2);
	ret->value_count = read_16(&r);
	ret->values = r.rest;
	for (unsigned i = 0; i < ret->value_count && !r.failed; i++) {
		uint32_t length = read_32(&r);
		if (length != UINT32_MAX)
			(void)read_bytes(&r, length);
	}
	ret->values.len -= r.failed ? ret->values.len : r.rest.len;
	ret->result_format_count = read_16(&r);
	ret->result_formats = read_bytes(&r, (size_t)ret->result_format_count * 2);
	return read_end(&r, "Bind", e) && check_formats(ret, e);
}

bool message_target(struct span body, struct message_target *ret, struct pg_error *e)
{
	struct reader r = {.rest = body};
	ret->kind = (char)read_8(&r);
	ret->name = read_text(&r);
	if (!r.failed && ret->kind != 'S' && ret->kind != 'P')
		r.failed = true;
	return read_end(&r, "Describe or Close", e);
}

bool message_execute(struct span body, struct message_execute *ret, struct pg_error *e)
{
	struct reader r = {.rest = body};
	ret->portal = read_text(&r);
	ret->max_rows = read_32(&r);
	/* A negative maximum means none. */
	if (ret->max_rows > INT32_MAX)
		ret->max_rows = 0;
	return read_end(&r, "Execute", e);
}

bool message_empty(struct span body, struct pg_error *e)
{
	struct reader r = {.rest = body};
	return read_end(&r, "a message without content has some", e);
}

bool message_string(struct span body, struct span *ret, struct pg_error *e)
{
	struct reader r = {.rest = body};
	*ret = read_text(&r);
	return read_end(&r, "string", e);
}

bool message_sasl_initial(struct span body, struct message_sasl_initial *ret, struct pg_error *e)
{
	struct reader r = {.rest = body};
	ret->mechanism = read_cstr(&r);
	uint32_t length = read_32(&r);
	ret->has_data = length != UINT32_MAX;
	ret->data = ret->has_data ? read_bytes(&r, length) : SPAN_NONE;
	return read_end(&r, "SASLInitialResponse", e);
}

uint32_t message_parse_oid(const struct message_parse *p, size_t i)
{
	return i < p->oid_count ? load32(p->oids.ptr + i * 4) : 0;
}

static uint16_t format_at(struct span formats, uint16_t count, size_t i)
{
	if (count == 0)
		return 0;
	i = count == 1 ? 0 : i;
	return i < count ? load16(formats.ptr + i * 2) : 0;
}

uint16_t message_bind_format(const struct message_bind *b, size_t i)
{
	return format_at(b->formats, b->format_count, i);
}

uint16_t message_result_format(const struct message_bind *b, size_t i)
{
	return format_at(b->result_formats, b->result_format_count, i);
}

struct message_value message_next_value(struct message_bind *b)
{
	assert(b->values.len >= 4);
	uint32_t length = load32(b->values.ptr);
	b->values = span_skip(b->values, 4);
	if (length == UINT32_MAX)
		return (struct message_value){.is_null = true};
	struct message_value value = {.bytes = span_first(b->values, length)};
	b->values = span_skip(b->values, length);
	return value;
}
