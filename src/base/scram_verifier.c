#include "base/scram_verifier.h"

#include "base/base64.h"
#include "base/id.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>

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
	char salt[BASE64_SIZE(SCRAM_SALT_MAX)], stored[BASE64_SIZE(SHA256_BYTES)], server[BASE64_SIZE(SHA256_BYTES)];
	(void)base64_write(v->salt, v->salt_len, salt);
	(void)base64_write(v->stored_key, sizeof(v->stored_key), stored);
	(void)base64_write(v->server_key, sizeof(v->server_key), server);
	(void)snprintf(ret, SCRAM_VERIFIER_SIZE, "SCRAM-SHA-256$%u:%s$%s:%s", v->iterations, salt, stored, server);
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
	if (!base64_read(span_cut(&text, '$'), v.salt, sizeof(v.salt), &v.salt_len) || v.salt_len == 0 ||
	    !base64_read(span_cut(&text, ':'), v.stored_key, SHA256_BYTES, &stored_len) ||
	    !base64_read(text, v.server_key, SHA256_BYTES, &server_len) || stored_len != SHA256_BYTES ||
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
