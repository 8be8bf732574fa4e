#include "pgwire/scram.h"

#include "base/id.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>

enum {
	BASE64_BYTES_MAX = 1024,
	GS2_MAX = 63,
	PROOF_BASE64 = 44 /* 32 bytes */
};

static void put_base64(struct buf *out, const void *bytes, size_t n)
{
	unsigned char text[(BASE64_BYTES_MAX + 2) / 3 * 4 + 1];
	int len = EVP_EncodeBlock(text, bytes, (int)(n < BASE64_BYTES_MAX ? n : BASE64_BYTES_MAX));
	buf_bytes(out, text, (size_t)len);
}

/* Only the canonical form: what does not encode to itself again is refused. */
static bool from_base64(struct span text, unsigned char *ret, size_t max, size_t *ret_len)
{
	unsigned char bytes[BASE64_BYTES_MAX], again[BASE64_BYTES_MAX * 4 / 3 + 8];
	if (text.len == 0 || text.len % 4 || text.len > BASE64_BYTES_MAX)
		return false;
	int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)text.ptr, (int)text.len);
	if (decoded < 0)
		return false;
	size_t len = (size_t)decoded;
	len -= text.ptr[text.len - 1] == '=';
	len -= text.ptr[text.len - 2] == '=';
	int encoded = EVP_EncodeBlock(again, bytes, (int)len);
	if (len > max || (size_t)encoded != text.len || memcmp(again, text.ptr, text.len) != 0)
		return false;
	memcpy(ret, bytes, len);
	*ret_len = len;
	return true;
}

/* --- the exchange --- */

void scram_begin(struct scram *s, const struct scram_verifier *verifier, bool is_mock, struct span binding)
{
	unsigned char random[18];
	*s = (struct scram){.verifier = *verifier, .is_mock = is_mock, .first_bare = BUF(4096)};
	id_random(random, sizeof(random));
	(void)EVP_EncodeBlock((unsigned char *)s->nonce, random, sizeof(random));
	s->binding_len = binding.len < SCRAM_BINDING_MAX ? binding.len : SCRAM_BINDING_MAX;
	if (s->binding_len)
		memcpy(s->binding, binding.ptr, s->binding_len);
}

void scram_done(struct scram *s)
{
	buf_done(&s->first_bare);
	OPENSSL_cleanse(&s->verifier, sizeof(s->verifier));
}

static enum scram_result malformed(struct scram *s, struct pg_error *e, const char *sqlstate, const char *what)
{
	s->state = SCRAM_OVER;
	(void)pg_fatal_set(e, sqlstate, "malformed SCRAM message");
	pg_error_detail(e, "%s", what);
	return SCRAM_MALFORMED;
}

/* Takes "x=value" off the front; false when another attribute stands there. */
static bool take_attribute(struct span *rest, char name, struct span *ret)
{
	if (rest->len < 2 || rest->ptr[0] != name || rest->ptr[1] != '=')
		return false;
	*ret = span_skip(span_cut(rest, ','), 2);
	return true;
}

static bool nonce_is_printable(struct span nonce)
{
	for (size_t i = 0; i < nonce.len; i++)
		if (nonce.ptr[i] < 0x21 || nonce.ptr[i] > 0x7e)
			return false;
	return nonce.len > 0 && nonce.len <= SCRAM_NONCE_MAX;
}

/* The header says whether the client binds to the TLS channel; NULL: fine. */
static const char *check_header(struct scram *s, struct span flag)
{
	if (s->with_binding)
		return span_is(flag, "p=tls-server-end-point") ? NULL : "The channel binding type is not supported.";
	if (span_is(flag, "n"))
		return NULL;
	if (!span_is(flag, "y"))
		return "The header is not that of the chosen mechanism.";
	/* "I could bind, but you do not offer it": somebody removed the offer. */
	return s->binding_len ? "The offer of channel binding was removed on the way." : NULL;
}

enum scram_result scram_first(struct scram *s, struct span mechanism, struct span message, struct buf *out,
			      struct pg_error *e)
{
	if (s->state != SCRAM_WAITS_FIRST)
		return malformed(s, e, "08P01", "A message out of order.");
	s->with_binding = span_is(mechanism, "SCRAM-SHA-256-PLUS") && s->binding_len > 0;
	if (!s->with_binding && !span_is(mechanism, "SCRAM-SHA-256"))
		return malformed(s, e, "08P01", "The mechanism was not offered.");
	struct span rest = message, user, nonce;
	struct span flag = span_cut(&rest, ',');
	const char *fault = check_header(s, flag);
	if (fault)
		return malformed(s, e, "28000", fault);
	if (rest.len == 0 || *rest.ptr != ',')
		return malformed(s, e, "08P01", "An authorization identity is not supported.");
	rest = span_skip(rest, 1);
	struct span header = span_first(message, (size_t)(rest.ptr - message.ptr));
	struct span bare = rest;
	if (!take_attribute(&rest, 'n', &user) || !take_attribute(&rest, 'r', &nonce) || !nonce_is_printable(nonce))
		return malformed(s, e, "08P01", "User name or nonce is missing, or an extension is demanded.");
	if (bare.len > 2048 || header.len > GS2_MAX)
		return malformed(s, e, "08P01", "The message is too long.");
	(void)snprintf(s->gs2, sizeof(s->gs2), "%.*s", SPAN_ARG(header));
	(void)snprintf(s->full_nonce, sizeof(s->full_nonce), "%.*s%s", SPAN_ARG(nonce), s->nonce);

	buf_span(&s->first_bare, bare);
	buf_byte(&s->first_bare, ',');
	size_t reply = s->first_bare.len;
	buf_printf(&s->first_bare, "r=%s,s=", s->full_nonce);
	put_base64(&s->first_bare, s->verifier.salt, s->verifier.salt_len);
	buf_printf(&s->first_bare, ",i=%u", s->verifier.iterations);
	buf_span(out, span_skip(buf_view(&s->first_bare), reply));
	s->state = SCRAM_WAITS_FINAL;
	return SCRAM_FINE;
}

/* "c=" must be the header of the first message, with the certificate's hash behind it when bound. */
static bool binding_matches(const struct scram *s, struct span given)
{
	struct buf want = BUF(512);
	unsigned char raw[GS2_MAX + SCRAM_BINDING_MAX + 1];
	size_t len = strlen(s->gs2);
	memcpy(raw, s->gs2, len);
	if (s->with_binding) {
		memcpy(raw + len, s->binding, s->binding_len);
		len += s->binding_len;
	}
	put_base64(&want, raw, len);
	bool same = span_eq_secret(buf_view(&want), given);
	buf_done(&want);
	return same;
}

/* ClientKey = ClientProof XOR HMAC(StoredKey, AuthMessage); right when its hash is StoredKey. */
static bool proof_is_right(const struct scram *s, struct span auth_message, const unsigned char proof[SHA256_BYTES])
{
	unsigned char client_key[SHA256_BYTES], digest[SHA256_BYTES];
	hash_hmac_sha256((struct span){(const char *)s->verifier.stored_key, SHA256_BYTES}, auth_message, client_key);
	for (size_t i = 0; i < SHA256_BYTES; i++)
		client_key[i] ^= proof[i];
	hash_sha256((struct span){(const char *)client_key, SHA256_BYTES}, digest);
	bool right = CRYPTO_memcmp(digest, s->verifier.stored_key, SHA256_BYTES) == 0;
	OPENSSL_cleanse(client_key, sizeof(client_key));
	return right && !s->is_mock;
}

struct final_message {
	struct span binding, nonce, without_proof;
	unsigned char proof[SHA256_BYTES];
};

/* NULL: well-formed; else what is wrong. */
static const char *parse_final(struct span message, struct final_message *ret)
{
	struct span rest = message, proof_text;
	size_t proof_len;
	if (!take_attribute(&rest, 'c', &ret->binding) || !take_attribute(&rest, 'r', &ret->nonce))
		return "Channel binding or nonce is missing.";
	/* Optional extensions may stand before the proof, which is always last. */
	while (rest.len && *rest.ptr != 'p')
		(void)span_cut(&rest, ',');
	if (rest.len == 0)
		return "The proof is missing.";
	ret->without_proof = span_first(message, (size_t)(rest.ptr - message.ptr) - 1);
	if (!take_attribute(&rest, 'p', &proof_text) || rest.len || proof_text.len != PROOF_BASE64 ||
	    !from_base64(proof_text, ret->proof, sizeof(ret->proof), &proof_len) || proof_len != SHA256_BYTES)
		return "The proof is malformed.";
	return NULL;
}

enum scram_result scram_final(struct scram *s, struct span message, struct buf *out, struct pg_error *e)
{
	struct final_message m;
	if (s->state != SCRAM_WAITS_FINAL)
		return malformed(s, e, "08P01", "A message out of order.");
	s->state = SCRAM_OVER;
	const char *fault = parse_final(message, &m);
	if (fault)
		return malformed(s, e, "08P01", fault);
	if (!span_eq_secret(m.nonce, span_of(s->full_nonce)))
		return malformed(s, e, "08P01", "Nonce does not match.");
	if (!binding_matches(s, m.binding))
		return malformed(s, e, "28000", "Channel binding check failed.");

	buf_byte(&s->first_bare, ',');
	buf_span(&s->first_bare, m.without_proof);
	struct span auth_message = buf_view(&s->first_bare);
	if (s->first_bare.failed || !proof_is_right(s, auth_message, m.proof))
		return SCRAM_REFUSED;
	unsigned char signature[SHA256_BYTES];
	hash_hmac_sha256((struct span){(const char *)s->verifier.server_key, SHA256_BYTES}, auth_message, signature);
	buf_str(out, "v=");
	put_base64(out, signature, sizeof(signature));
	return SCRAM_FINE;
}
