#include "http/multipart.h"

#include "base/arena.h"
#include "base/limits.h"

#include <stdlib.h>

enum state {
	PREAMBLE, /* before the first boundary */
	HEADERS,
	SKIPPING, /* content of a part nobody wants */
	WANTED,
	ENDED
};

enum { PARTS_MAX = 100, HEADER_LINES_MAX = 32 };

struct multipart {
	enum state state;
	bool found;
	bool input_ended;
	unsigned parts;
	size_t skipped;
	multipart_source source;
	void *ctx;
	const char *part;
	char delimiter[MULTIPART_BOUNDARY_MAX + 5]; /* CR LF "--" boundary */
	size_t delimiter_len;
	size_t at;
	size_t len;
	char bytes[MULTIPART_BUFFER];
};

/* Cuts the next `;`-separated item, minding quotes. */
static struct span item_cut(struct span *rest)
{
	bool quoted = false;
	size_t i = 0;
	for (; i < rest->len && (quoted || rest->ptr[i] != ';'); i++) {
		if (rest->ptr[i] == '\\' && quoted && i + 1 < rest->len)
			i++;
		else if (rest->ptr[i] == '"')
			quoted = !quoted;
	}
	struct span item = span_first(*rest, i);
	*rest = span_skip(*rest, i + 1);
	return span_trim(item);
}

bool header_param(struct span value, const char *name, char *ret, size_t size)
{
	(void)item_cut(&value);
	while (value.len) {
		struct span text = item_cut(&value);
		struct span key = span_trim(span_cut(&text, '='));
		text = span_trim(text);
		if (!span_eq_nocase(key, span_of(name)))
			continue;
		bool quoted = text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"';
		if (quoted)
			text = (struct span){text.ptr + 1, text.len - 2};
		size_t n = 0;
		for (size_t i = 0; i < text.len; i++) {
			if (quoted && text.ptr[i] == '\\' && i + 1 < text.len)
				i++;
			if (n + 1 >= size || text.ptr[i] == '\0')
				return false;
			ret[n++] = text.ptr[i];
		}
		ret[n] = '\0';
		return true;
	}
	return false;
}

bool multipart_new(const char *content_type, const char *part, multipart_source source, void *ctx,
		   struct multipart **ret)
{
	static const char kind[] = "multipart/form-data";
	char boundary[MULTIPART_BOUNDARY_MAX + 1];
	struct span type = span_of(content_type);
	struct span rest = type;
	if (!span_eq_nocase(item_cut(&rest), SPAN("multipart/form-data")) || type.len < sizeof(kind))
		return false;
	if (!header_param(type, "boundary", boundary, sizeof(boundary)) || boundary[0] == '\0' ||
	    strpbrk(boundary, "\r\n"))
		return false;
	struct multipart *m = mem_alloc(sizeof(*m));
	m->source = source;
	m->ctx = ctx;
	m->part = part;
	m->delimiter_len = 4 + strlen(boundary);
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary, m->delimiter_len - 4);
	/* The first boundary needs no line before it. */
	memcpy(m->bytes, "\r\n", 2);
	m->len = 2;
	*ret = m;
	return true;
}

void multipart_free(struct multipart *m)
{
	free(m);
}

bool multipart_found(const struct multipart *m)
{
	return m->found;
}

static struct span held(const struct multipart *m)
{
	return (struct span){m->bytes + m->at, m->len - m->at};
}

/* Takes more input; false with an error when it ended or failed. */
static bool fill(struct multipart *m, struct err *err)
{
	size_t n = 0;
	if (m->at) {
		memmove(m->bytes, m->bytes + m->at, m->len - m->at);
		m->len -= m->at;
		m->at = 0;
	}
	if (m->input_ended)
		return err_set(err, ERR_INVALID_REQUEST, "The multipart body ends before its closing boundary");
	if (!m->source(m->ctx, m->bytes + m->len, sizeof(m->bytes) - m->len, &n, err))
		return false;
	m->len += n;
	m->input_ended = n == 0;
	return true;
}

/* Bytes that are content for sure; *ret_end when the delimiter follows them. */
static size_t content_len(const struct multipart *m, bool *ret_end)
{
	struct span have = held(m);
	const char *end = memmem(have.ptr, have.len, m->delimiter, m->delimiter_len);
	*ret_end = end != NULL;
	if (end)
		return (size_t)(end - have.ptr);
	return have.len >= m->delimiter_len ? have.len - m->delimiter_len + 1 : 0;
}

static bool skip_count(struct multipart *m, size_t n, struct err *err)
{
	m->skipped += n;
	if (m->skipped > LIMIT_MULTIPART_SKIP)
		return err_set(err, ERR_PAYLOAD_TOO_LARGE,
			       "The multipart body has more than %d bytes outside of the part %s", LIMIT_MULTIPART_SKIP,
			       m->part);
	return true;
}

/* Stands at a delimiter: what follows it is the end ("--") or a new part. */
static bool delimiter_pass(struct multipart *m, struct err *err)
{
	m->at += m->delimiter_len;
	size_t blanks = 0;
	for (;;) {
		struct span have = held(m);
		if (have.len >= 2 && memcmp(have.ptr, "--", 2) == 0 && blanks == 0) {
			m->state = ENDED;
			return true;
		}
		if (have.len >= 2 && memcmp(have.ptr, "\r\n", 2) == 0) {
			m->at += 2;
			break;
		}
		if (have.len >= 2 && (have.ptr[0] == ' ' || have.ptr[0] == '\t') && blanks++ < 64) {
			m->at++;
			continue;
		}
		if (have.len >= 2)
			return err_set(err, ERR_INVALID_REQUEST, "A multipart boundary is not followed by a new line");
		if (!fill(m, err))
			return false;
	}
	if (++m->parts > PARTS_MAX)
		return err_set(err, ERR_PAYLOAD_TOO_LARGE, "The multipart body has more than %d parts", PARTS_MAX);
	m->state = HEADERS;
	return true;
}

static void header_take(struct multipart *m, struct span line)
{
	char name[256];
	struct span key = span_trim(span_cut(&line, ':'));
	if (!m->found && span_eq_nocase(key, SPAN("content-disposition")) &&
	    header_param(line, "name", name, sizeof(name)) && strcmp(name, m->part) == 0)
		m->state = WANTED;
}

static bool headers_read(struct multipart *m, struct err *err)
{
	size_t used = 0;
	unsigned lines = 0;
	for (;;) {
		struct span have = held(m);
		const char *end = memmem(have.ptr, have.len, "\r\n", 2);
		if (!end) {
			if (used + have.len > MULTIPART_HEADER_BYTES)
				break;
			if (!fill(m, err))
				return false;
			continue;
		}
		size_t n = (size_t)(end - have.ptr);
		m->at += n + 2;
		used += n + 2;
		if (n == 0) {
			if (m->state == HEADERS)
				m->state = SKIPPING;
			m->found |= m->state == WANTED;
			return true;
		}
		if (used > MULTIPART_HEADER_BYTES || ++lines > HEADER_LINES_MAX)
			break;
		header_take(m, span_first(have, n));
	}
	return err_set(err, ERR_PAYLOAD_TOO_LARGE, "The headers of a multipart part are too large");
}

/* Skips what nobody wants: up to the next delimiter. A body without any delimiter has no parts. */
static bool skip(struct multipart *m, struct err *err)
{
	bool end;
	size_t n = content_len(m, &end);
	m->at += n;
	if (!skip_count(m, n, err))
		return false;
	if (!end && m->input_ended && m->state == PREAMBLE) {
		m->state = ENDED;
		return true;
	}
	return end ? delimiter_pass(m, err) : fill(m, err);
}

bool multipart_read(struct multipart *m, char *bytes, size_t size, size_t *ret_n, struct err *err)
{
	*ret_n = 0;
	for (;;) {
		bool end = false;
		size_t n;
		switch (m->state) {
		case PREAMBLE:
		case SKIPPING:
			if (!skip(m, err))
				return false;
			break;
		case HEADERS:
			if (!headers_read(m, err))
				return false;
			break;
		case WANTED:
			n = content_len(m, &end);
			if (n) {
				n = n < size ? n : size;
				memcpy(bytes, m->bytes + m->at, n);
				m->at += n;
				*ret_n = n;
				return true;
			}
			if (!end && !fill(m, err))
				return false;
			if (!end)
				break;
			if (!delimiter_pass(m, err))
				return false;
			m->state = ENDED;
			break;
		case ENDED:
			return true;
		}
	}
}
