#include "s3/chunked.h"

static const unsigned sha256_only = CHECKSUM_BIT(CHECKSUM_SHA256);

void chunked_begin(struct chunked *c, const struct chunked_config *config)
{
	*c = (struct chunked){.config = *config, .lines = BUF(CHUNKED_TRAILERS_MAX * CHUNKED_LINE_MAX)};
	if (config->seed.len == SIGV4_SIGNATURE_LEN)
		memcpy(c->previous, config->seed.ptr, SIGV4_SIGNATURE_LEN);
}

void chunked_done(struct chunked *c)
{
	digests_done(&c->hash);
	buf_done(&c->lines);
}

static bool framing(struct err *err, const char *what)
{
	return err_set(err, ERR_SIZE_MISMATCH, "The aws-chunked body is broken: %s", what);
}

/* Collects up to LF; true when a line is complete (without its CR). An over-long line fails. */
static bool take_line(struct chunked *c, struct span *input, bool *ret_complete, struct err *err)
{
	*ret_complete = false;
	while (input->len > 0) {
		char byte = input->ptr[0];
		*input = span_skip(*input, 1);
		if (byte == '\n') {
			if (c->line_len > 0 && c->line[c->line_len - 1] == '\r')
				c->line_len--;
			*ret_complete = true;
			return true;
		}
		if (c->line_len == sizeof(c->line))
			return framing(err, "a line is too long");
		c->line[c->line_len++] = byte;
	}
	return true;
}

static bool hex_length(struct span text, uint64_t *ret)
{
	uint64_t value = 0;
	if (text.len == 0 || text.len > 15)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char d = text.ptr[i];
		int digit = d >= '0' && d <= '9'		 ? d - '0'
			    : (d | 32) >= 'a' && (d | 32) <= 'f' ? (d | 32) - 'a' + 10
								 : -1;
		if (digit < 0)
			return false;
		value = value << 4 | (uint64_t)digit;
	}
	*ret = value;
	return true;
}

static bool verify_chunk(struct chunked *c, struct err *err)
{
	struct digest_values values;
	char expected[SIGV4_SIGNATURE_LEN + 1];
	if (!c->config.is_signed)
		return true;
	digests_finish(&c->hash, &values);
	sigv4_sign_chunk(c->config.timestamp, c->config.scope, c->config.key, c->previous, values.of[CHECKSUM_SHA256],
			 expected);
	if (!span_eq_secret(span_of(expected), span_of(c->claimed)))
		return err_set(err, ERR_SIGNATURE_MISMATCH, "The signature of a chunk does not match");
	memcpy(c->previous, expected, sizeof(expected));
	return true;
}

static bool read_head(struct chunked *c, struct span line, struct err *err)
{
	struct span extension = line;
	struct span length = span_trim(span_cut(&extension, ';'));
	if (!hex_length(length, &c->left))
		return framing(err, "a chunk's length is not hexadecimal");
	if (c->config.is_signed) {
		struct span name = span_cut(&extension, '=');
		if (!span_is(span_trim(name), "chunk-signature") || extension.len != SIGV4_SIGNATURE_LEN)
			return err_set(err, ERR_SIGNATURE_MISMATCH, "A chunk has no signature");
		memcpy(c->claimed, extension.ptr, SIGV4_SIGNATURE_LEN);
		digests_begin(&c->hash, sha256_only);
	}
	if (c->config.length >= 0 && c->left > (uint64_t)(c->config.length - c->total))
		return framing(err, "it holds more than x-amz-decoded-content-length announced");
	c->state = c->left > 0 ? CHUNKED_DATA : CHUNKED_TRAILER;
	return c->left > 0 || verify_chunk(c, err);
}

static bool verify_trailer(struct chunked *c, struct span signature, struct err *err)
{
	char expected[SIGV4_SIGNATURE_LEN + 1];
	if (!c->config.is_signed)
		return true;
	sigv4_sign_trailer(c->config.timestamp, c->config.scope, c->config.key, c->previous, buf_view(&c->lines),
			   expected);
	if (!span_eq_secret(span_of(expected), signature))
		return err_set(err, ERR_SIGNATURE_MISMATCH, "The signature of the trailer does not match");
	c->trailer_verified = true;
	return true;
}

static bool read_trailer(struct chunked *c, struct span line, struct err *err)
{
	struct span value = line;
	if (line.len == 0)
		return true;
	if (!c->config.trailer)
		return framing(err, "bytes follow the last chunk");
	if (span_find(line, ':') == line.len)
		return err_set(err, ERR_MALFORMED_TRAILER, "A trailer line has no colon");
	struct span name = span_trim(span_cut(&value, ':'));
	value = span_trim(value);
	if (span_eq_nocase(name, SPAN("x-amz-trailer-signature")))
		return verify_trailer(c, value, err);
	if (c->trailer_verified || c->trailer_count == CHUNKED_TRAILERS_MAX)
		return err_set(err, ERR_MALFORMED_TRAILER, "There are too many trailers");
	struct chunked_trailer *t = &c->trailers[c->trailer_count++];
	*t = (struct chunked_trailer){.name = c->lines.len, .name_len = name.len};
	for (size_t i = 0; i < name.len; i++)
		buf_byte(&c->lines, (char)(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? name.ptr[i] + 32 : name.ptr[i]));
	buf_byte(&c->lines, ':');
	t->value = c->lines.len;
	t->value_len = value.len;
	buf_span(&c->lines, value);
	buf_byte(&c->lines, '\n');
	return true;
}

/* A line of framing is complete. */
static bool read_line(struct chunked *c, struct err *err)
{
	struct span line = {c->line, c->line_len};
	c->line_len = 0;
	switch (c->state) {
	case CHUNKED_HEAD:
		return read_head(c, line, err);
	case CHUNKED_DATA_END:
		c->state = CHUNKED_HEAD;
		return line.len == 0 || framing(err, "a chunk is longer than its length says");
	case CHUNKED_TRAILER:
	case CHUNKED_DATA:
		break;
	}
	return read_trailer(c, line, err);
}

bool chunked_feed(struct chunked *c, struct span *input, struct span *ret_data, struct err *err)
{
	*ret_data = SPAN_NONE;
	while (input->len > 0) {
		if (c->state == CHUNKED_DATA) {
			struct span data = span_first(*input, c->left < input->len ? (size_t)c->left : input->len);
			*input = span_skip(*input, data.len);
			*ret_data = data;
			c->left -= data.len;
			c->total += (int64_t)data.len;
			if (c->config.is_signed)
				digests_update(&c->hash, data.ptr, data.len);
			if (c->left == 0)
				c->state = CHUNKED_DATA_END;
			return c->left > 0 || verify_chunk(c, err);
		}
		bool complete;
		if (!take_line(c, input, &complete, err))
			return false;
		if (complete && !read_line(c, err))
			return false;
	}
	return true;
}

static bool all_announced_came(const struct chunked *c, struct err *err)
{
	struct span rest = c->config.announced;
	while (rest.len > 0) {
		struct span name = span_trim(span_cut(&rest, ','));
		if (name.len > 0 && !chunked_trailer(c, name).ptr)
			return err_set(err, ERR_MALFORMED_TRAILER, "The announced trailer %.*s did not come",
				       (int)(name.len < 100 ? name.len : 100), name.ptr);
	}
	return true;
}

bool chunked_end(struct chunked *c, struct err *err)
{
	/* A last line without its end counts as one. */
	if (c->state == CHUNKED_TRAILER && c->line_len > 0 && !read_line(c, err))
		return false;
	if (c->state != CHUNKED_TRAILER)
		return framing(err, "it ends before its last chunk");
	if (c->config.length >= 0 && c->total != c->config.length)
		return framing(err, "it holds less than x-amz-decoded-content-length announced");
	if (!c->config.trailer)
		return true;
	if (c->config.is_signed && !c->trailer_verified)
		return err_set(err, ERR_SIGNATURE_MISMATCH, "The trailer is not signed");
	return all_announced_came(c, err);
}

struct span chunked_trailer(const struct chunked *c, struct span name)
{
	for (size_t i = 0; i < c->trailer_count; i++) {
		const struct chunked_trailer *t = &c->trailers[i];
		if (span_eq_nocase((struct span){c->lines.ptr + t->name, t->name_len}, name))
			return (struct span){c->lines.ptr + t->value, t->value_len};
	}
	return SPAN_NONE;
}
