#include "s3/presign.h"

#include "base/base64.h"
#include "base/hash.h"
#include "base/limits.h"
#include "http/target.h"

void presign_sign(const struct presign *what, struct span secret, char ret[PRESIGN_SIGNATURE_SIZE])
{
	unsigned char digest[SHA256_BYTES];
	struct buf text = BUF(4 * LIMIT_HTTP_PATH_BYTES);
	buf_span(&text, what->method);
	buf_byte(&text, '\n');
	buf_span(&text, what->bucket);
	buf_byte(&text, '\n');
	buf_span(&text, what->key);
	buf_byte(&text, '\n');
	buf_i64(&text, what->expires_s);
	if (what->content_type.ptr) {
		buf_byte(&text, '\n');
		buf_span(&text, what->content_type);
	}
	hash_hmac_sha256(secret, buf_view(&text), digest);
	base64_write_url(digest, sizeof(digest), ret);
	buf_done(&text);
}

bool presign_verify(const struct presign *what, struct span secret, struct span signature, int64_t now_s,
		    struct err *err)
{
	char expected[PRESIGN_SIGNATURE_SIZE];
	presign_sign(what, secret, expected);
	if (!span_eq_secret(span_of(expected), signature))
		return err_set(err, ERR_SIGNATURE_MISMATCH, "The signed URL was altered, or is for another method");
	if (now_s > what->expires_s)
		return err_set(err, ERR_SIGNATURE_MISMATCH, "The signed URL has expired");
	return true;
}

void presign_url(struct buf *out, struct span base_url, const struct presign *what, struct span secret)
{
	char signature[PRESIGN_SIGNATURE_SIZE];
	presign_sign(what, secret, signature);
	while (span_ends(base_url, SPAN("/")))
		base_url.len--;
	buf_span(out, base_url);
	buf_str(out, "/s3/");
	percent_encode(out, what->bucket, "");
	buf_byte(out, '/');
	percent_encode(out, what->key, "/");
	buf_printf(out, "?signature=%s&expires=%lld", signature, (long long)what->expires_s);
	if (what->content_type.ptr) {
		buf_str(out, "&content_type=");
		percent_encode(out, what->content_type, "");
	}
}

bool presign_expires(struct span text, int64_t *ret)
{
	struct span fraction = text;
	struct span whole = span_cut(&fraction, '.');
	uint64_t ignored;
	if (fraction.len > 0 && !span_u64(span_first(fraction, 18), &ignored))
		return false;
	return span_i64(whole, ret);
}
