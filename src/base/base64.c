#include "base/base64.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t write_with(const char *alphabet, bool pad, const void *bytes, size_t n, char *ret)
{
	const unsigned char *from = bytes;
	char *to = ret;
	for (size_t i = 0; i < n; i += 3) {
		size_t have = n - i < 3 ? n - i : 3;
		unsigned group = (unsigned)from[i] << 16;
		group |= have > 1 ? (unsigned)from[i + 1] << 8 : 0;
		group |= have > 2 ? from[i + 2] : 0;
		for (size_t k = 0; k < 4; k++) {
			if (k <= have)
				*to++ = alphabet[group >> (18 - 6 * k) & 63];
			else if (pad)
				*to++ = '=';
		}
	}
	*to = '\0';
	return (size_t)(to - ret);
}

size_t base64_write(const void *bytes, size_t n, char *ret)
{
	return write_with(standard, true, bytes, n, ret);
}

size_t base64_write_url(const void *bytes, size_t n, char *ret)
{
	return write_with(url, false, bytes, n, ret);
}

static int value_of(const char *alphabet, char c)
{
	return c >= 'A' && c <= 'Z'   ? c - 'A'
	       : c >= 'a' && c <= 'z' ? c - 'a' + 26
	       : c >= '0' && c <= '9' ? c - '0' + 52
	       : c == alphabet[62]    ? 62
	       : c == alphabet[63]    ? 63
				      : -1;
}

/* `text` without its padding. */
static bool read_with(const char *alphabet, struct span text, unsigned char *to, size_t size, size_t *ret_n)
{
	size_t n = 0;
	for (size_t i = 0; i < text.len; i += 4) {
		size_t digits = text.len - i < 4 ? text.len - i : 4;
		unsigned group = 0;
		for (size_t k = 0; k < 4; k++) {
			int value = k < digits ? value_of(alphabet, text.ptr[i + k]) : 0;
			if (value < 0)
				return false;
			group = group << 6 | (unsigned)value;
		}
		/* Bits behind the last byte are zero in the one right form. */
		if (digits == 1 || (digits == 3 && (group & 0xff)) || (digits == 2 && (group & 0xffff)))
			return false;
		for (size_t k = 0; k + 1 < digits; k++) {
			if (n == size)
				return false;
			to[n++] = (unsigned char)(group >> (16 - 8 * k));
		}
	}
	*ret_n = n;
	return true;
}

bool base64_read(struct span text, void *ret, size_t size, size_t *ret_n)
{
	if (text.len % 4 != 0)
		return false;
	size_t pad = span_ends(text, SPAN("==")) ? 2 : span_ends(text, SPAN("=")) ? 1 : 0;
	return read_with(standard, span_first(text, text.len - pad), ret, size, ret_n);
}

bool base64_read_url(struct span text, void *ret, size_t size, size_t *ret_n)
{
	return read_with(url, text, ret, size, ret_n);
}
