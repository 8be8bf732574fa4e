/*
 * Digests and checksums over a stream of bytes, several at once in one pass:
 * what entity tags, the file records and the x-amz-checksum-* headers need.
 *
 *	struct digests d;
 *	struct digest_values v;
 *	digests_begin(&d, CHECKSUM_BIT(CHECKSUM_MD5) | CHECKSUM_BIT(CHECKSUM_CRC32C));
 *	digests_update(&d, bytes, n);
 *	digests_finish(&d, &v);
 *
 * Values are big-endian bytes, as the headers carry them in base64. A digest
 * belongs to one thread at a time. CRC-32 is zlib's, CRC-32C uses the
 * processor's instruction where there is one, CRC-64/NVME slices by eight.
 */
#ifndef STORAGE_CHECKSUM_H
#define STORAGE_CHECKSUM_H

#include "base/span.h"

enum checksum {
	CHECKSUM_CRC32,
	CHECKSUM_CRC32C,
	CHECKSUM_CRC64NVME,
	CHECKSUM_SHA1,
	CHECKSUM_SHA256,
	CHECKSUM_MD5,
	CHECKSUMS,
	CHECKSUM_CRCS = CHECKSUM_SHA1
};

#define CHECKSUM_BIT(checksum) (1U << (checksum))

enum { CHECKSUM_BYTES_MAX = 32 };

struct digest_values {
	unsigned have; /* CHECKSUM_BITs */
	unsigned char of[CHECKSUMS][CHECKSUM_BYTES_MAX];
};

struct digests {
	unsigned wanted;
	uint64_t crc[CHECKSUM_CRCS];
	void *md[CHECKSUMS]; /* EVP_MD_CTX */
};

void digests_begin(struct digests *d, unsigned wanted);
void digests_update(struct digests *d, const void *bytes, size_t n);
/* The values; the digest is released. */
void digests_finish(struct digests *d, struct digest_values *ret);
/* Releases an unfinished digest. Fine after finish, and for a zeroed one. */
void digests_done(struct digests *d);

size_t checksum_size(enum checksum checksum);
/* Lower case, as in x-amz-checksum-<name>: "crc32", "crc64nvme", "md5". */
const char *checksum_name(enum checksum checksum);
/* By that name in any case; false for an algorithm that is not known. */
MUST_CHECK bool checksum_find(struct span name, enum checksum *ret);
/* CRCs only: the checksum of A followed by B, from both and the length of B. */
void checksum_combine(enum checksum checksum, const unsigned char *a, const unsigned char *b, uint64_t len_b,
		      unsigned char *ret);

#endif
