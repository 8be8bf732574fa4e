/* Digests (OpenSSL) in one call; streaming users take EVP_MD_CTX themselves. Thread-safe. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/span.h"

enum { SHA256_BYTES = 32, SHA256_HEX_SIZE = 65 };

void hash_sha256(struct span data, unsigned char ret[SHA256_BYTES]);
void hash_sha256_hex(struct span data, char ret[SHA256_HEX_SIZE]);
void hash_hmac_sha256(struct span key, struct span data, unsigned char ret[SHA256_BYTES]);
/* Lower-case hex of n bytes; ret has room for 2n + 1. */
void hash_hex(const void *bytes, size_t n, char *ret);
/* Exactly 2n hex digits of either case. */
MUST_CHECK bool hash_unhex(struct span hex, void *ret, size_t n);

#endif
