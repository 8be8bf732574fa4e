#include "base/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <pthread.h>

/* Looked up once: by name for each digest it would cost as much as the digest of a key. Lives as long as the program. */
static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void sha256_fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

void hash_sha256(struct span data, unsigned char ret[SHA256_BYTES])
{
	(void)pthread_once(&sha256_once, sha256_fetch);
	(void)EVP_Digest(data.len ? data.ptr : "", data.len, ret, NULL, sha256, NULL);
}

void hash_sha256_hex(struct span data, char ret[SHA256_HEX_SIZE])
{
	unsigned char digest[SHA256_BYTES];
	hash_sha256(data, digest);
	hash_hex(digest, sizeof(digest), ret);
}

void hash_hmac_sha256(struct span key, struct span data, unsigned char ret[SHA256_BYTES])
{
	unsigned int len = SHA256_BYTES;
	(void)HMAC(EVP_sha256(), key.len ? key.ptr : "", (int)key.len, (const unsigned char *)data.ptr, data.len, ret,
		   &len);
}

void hash_hex(const void *bytes, size_t n, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *from = bytes;
	for (size_t i = 0; i < n; i++) {
		*ret++ = digits[from[i] >> 4];
		*ret++ = digits[from[i] & 15];
	}
	*ret = '\0';
}

static int nibble(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

bool hash_unhex(struct span hex, void *ret, size_t n)
{
	unsigned char *to = ret;
	if (hex.len != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = nibble(hex.ptr[2 * i]);
		int low = nibble(hex.ptr[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		to[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}
