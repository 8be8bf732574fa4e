#include "base/seal.h"

#include "base/id.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* A sealed text is nonce, tag, cipher text. */
enum { NONCE_BYTES = 12, TAG_BYTES = 16, HEAD_BYTES = NONCE_BYTES + TAG_BYTES, SEALED_MAX = 1 << 30 };

static bool begin(EVP_CIPHER_CTX *ctx, const unsigned char *key, const unsigned char *nonce, struct span name,
		  int encrypt)
{
	int n;
	return ctx && EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, encrypt) == 1 &&
	       EVP_CipherUpdate(ctx, NULL, &n, (const unsigned char *)name.ptr, (int)name.len) == 1;
}

struct span seal_close(struct arena *arena, const unsigned char key[SEAL_KEY_BYTES], struct span name,
		       struct span plain)
{
	unsigned char *to = arena_alloc(arena, HEAD_BYTES + plain.len);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;
	id_random(to, NONCE_BYTES);
	if (plain.len > SEALED_MAX || !begin(ctx, key, to, name, 1) ||
	    EVP_CipherUpdate(ctx, to + HEAD_BYTES, &n, (const unsigned char *)plain.ptr, (int)plain.len) != 1 ||
	    EVP_CipherFinal_ex(ctx, to + HEAD_BYTES + n, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, to + NONCE_BYTES) != 1)
		abort();
	EVP_CIPHER_CTX_free(ctx);
	return (struct span){(const char *)to, HEAD_BYTES + plain.len};
}

bool seal_open(struct arena *arena, const unsigned char key[SEAL_KEY_BYTES], struct span name, struct span sealed,
	       struct span *ret)
{
	const unsigned char *from = (const unsigned char *)sealed.ptr;
	if (sealed.len < HEAD_BYTES || sealed.len > SEALED_MAX)
		return false;
	size_t len = sealed.len - HEAD_BYTES;
	unsigned char *to = arena_alloc(arena, len + 1);
	unsigned char tag[TAG_BYTES];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;
	memcpy(tag, from + NONCE_BYTES, TAG_BYTES);
	bool fine = begin(ctx, key, from, name, 0) && EVP_CipherUpdate(ctx, to, &n, from + HEAD_BYTES, (int)len) == 1 &&
		    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) == 1 &&
		    EVP_CipherFinal_ex(ctx, to + n, &n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	*ret = (struct span){(const char *)to, len};
	return fine;
}
