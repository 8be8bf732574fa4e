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

/* --- verifiers --- */

/* RFC 4013 2.1: characters mapped to a blank (C.1.2 of RFC 3454) and to nothing (B.1). */
static bool maps_to_blank(uint32_t c)
{
	return c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x205f || c == 0x3000;
}

static bool maps_to_nothing(uint32_t c)
{
	return c == 0xad || c == 0x34f || c == 0x1806 || (c >= 0x180b && c <= 0x180d) || (c >= 0x200b && c <= 0x200d) ||
	       c == 0x2060 || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff;
}

/* The next character of well-formed UTF-8. */
static uint32_t next_character(struct span *text, size_t *ret_size)
{
	const unsigned char *p = (const unsigned char *)text->ptr;
	size_t size = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
	uint32_t c = size == 1 ? *p : *p & (0xffU >> (size + 1));
	for (size_t i = 1; i < size; i++)
		c = c << 6 | (p[i] & 0x3f);
	*text = span_skip(*text, size);
	*ret_size = size;
	return c;
}

static bool prepare_password(struct span password, char ret[SCRAM_PASSWORD_MAX], size_t *ret_len)
{
	if (password.len == 0 || password.len > SCRAM_PASSWORD_MAX || !span_is_utf8(password))
		return false;
	size_t len = 0;
	while (password.len) {
		const char *at = password.ptr;
		size_t size;
		uint32_t c = next_character(&password, &size);
		if (maps_to_nothing(c))
			continue;
		if (maps_to_blank(c)) {
			ret[len++] = ' ';
			continue;
		}
		memcpy(ret + len, at, size);
		len += size;
	}
	*ret_len = len;
	return len > 0;
}

bool scram_verifier_derive(struct span password, struct span salt, uint32_t iterations, struct scram_verifier *ret)
{
	char prepared[SCRAM_PASSWORD_MAX];
	unsigned char salted[SHA256_BYTES], client_key[SHA256_BYTES];
	size_t len;
	if (salt.len == 0 || salt.len > SCRAM_SALT_MAX || iterations == 0 || iterations > SCRAM_ITERATIONS_MAX ||
	    !prepare_password(password, prepared, &len))
		return false;
	if (PKCS5_PBKDF2_HMAC(prepared, (int)len, (const unsigned char *)salt.ptr, (int)salt.len, (int)iterations,
			      EVP_sha256(), SHA256_BYTES, salted) != 1)
		return false;
	struct span key = {(const char *)salted, SHA256_BYTES};
	ret->iterations = iterations;
	ret->salt_len = salt.len;
	memmove(ret->salt, salt.ptr, salt.len);
	hash_hmac_sha256(key, SPAN("Client Key"), client_key);
	hash_sha256((struct span){(const char *)client_key, SHA256_BYTES}, ret->stored_key);
	hash_hmac_sha256(key, SPAN("Server Key"), ret->server_key);
	OPENSSL_cleanse(prepared, sizeof(prepared));
	OPENSSL_cleanse(salted, sizeof(salted));
	OPENSSL_cleanse(client_key, sizeof(client_key));
	return true;
}

bool scram_verifier_make(struct span password, struct scram_verifier *ret)
{
	char salt[SCRAM_SALT];
	id_random(salt, sizeof(salt));
	return scram_verifier_derive(password, (struct span){salt, sizeof(salt)}, SCRAM_ITERATIONS, ret);
}

void scram_verifier_mock(struct span user, struct span secret, struct scram_verifier *ret)
{
	unsigned char digest[SHA256_BYTES];
	hash_hmac_sha256(secret, user, digest);
	*ret = (struct scram_verifier){.iterations = SCRAM_ITERATIONS, .salt_len = SCRAM_SALT};
	memcpy(ret->salt, digest, SCRAM_SALT);
	id_random(ret->stored_key, sizeof(ret->stored_key));
	id_random(ret->server_key, sizeof(ret->server_key));
}

void scram_verifier_format(const struct scram_verifier *v, char ret[SCRAM_VERIFIER_SIZE])
{
	struct buf text = BUF(SCRAM_VERIFIER_SIZE);
	buf_printf(&text, "SCRAM-SHA-256$%u:", v->iterations);
	put_base64(&text, v->salt, v->salt_len);
	buf_byte(&text, '$');
	put_base64(&text, v->stored_key, sizeof(v->stored_key));
	buf_byte(&text, ':');
	put_base64(&text, v->server_key, sizeof(v->server_key));
	(void)snprintf(ret, SCRAM_VERIFIER_SIZE, "%s", buf_view(&text).ptr);
	buf_done(&text);
}

bool scram_verifier_parse(struct span text, struct scram_verifier *ret)
{
	uint64_t iterations;
	size_t stored_len, server_len;
	struct scram_verifier v = {0};
	if (!span_is(span_cut(&text, '$'), "SCRAM-SHA-256") || !span_u64(span_cut(&text, ':'), &iterations) ||
	    iterations == 0 || iterations > SCRAM_ITERATIONS_MAX)
		return false;
	v.iterations = (uint32_t)iterations;
	if (!from_base64(span_cut(&text, '$'), v.salt, sizeof(v.salt), &v.salt_len) ||
	    !from_base64(span_cut(&text, ':'), v.stored_key, SHA256_BYTES, &stored_len) ||
	    !from_base64(text, v.server_key, SHA256_BYTES, &server_len) || stored_len != SHA256_BYTES ||
	    server_len != SHA256_BYTES)
		return false;
	*ret = v;
	return true;
}

bool scram_password_matches(const struct scram_verifier *v, struct span password)
{
	struct scram_verifier given;
	struct span salt = {(const char *)v->salt, v->salt_len};
	return scram_verifier_derive(password, salt, v->iterations, &given) &&
	       CRYPTO_memcmp(given.stored_key, v->stored_key, SHA256_BYTES) == 0;
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
