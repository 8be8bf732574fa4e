#include "storage/checksum.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <zlib.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Reflected polynomials: ISO-HDLC, Castagnoli (RFC 3720), NVM Express. */
static const struct row {
	const char *name;
	size_t size;
	uint64_t polynomial; /* 0: not a CRC */
} rows[CHECKSUMS] = {
	[CHECKSUM_CRC32] = {"crc32", 4, UINT64_C(0xEDB88320)},
	[CHECKSUM_CRC32C] = {"crc32c", 4, UINT64_C(0x82F63B78)},
	[CHECKSUM_CRC64NVME] = {"crc64nvme", 8, UINT64_C(0x9A6C9329AC4BC9B5)},
	[CHECKSUM_SHA1] = {"sha1", 20, 0},
	[CHECKSUM_SHA256] = {"sha256", 32, 0},
	[CHECKSUM_MD5] = {"md5", 16, 0},
};

/* Slicing by eight: one table for each byte of a 64-bit word. Filled once. */
static uint64_t tables[CHECKSUM_CRCS][8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void fill_tables(void)
{
	for (unsigned c = 0; c < CHECKSUM_CRCS; c++) {
		for (unsigned i = 0; i < 256; i++) {
			uint64_t crc = i;
			for (unsigned bit = 0; bit < 8; bit++)
				crc = crc >> 1 ^ (crc & 1 ? rows[c].polynomial : 0);
			tables[c][0][i] = crc;
		}
		for (unsigned k = 1; k < 8; k++)
			for (unsigned i = 0; i < 256; i++) {
				uint64_t before = tables[c][k - 1][i];
				tables[c][k][i] = before >> 8 ^ tables[c][0][before & 255];
			}
	}
}

static uint64_t load_le64(const unsigned char *p)
{
	uint64_t word;
	memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

static uint64_t crc_slices(const uint64_t (*table)[256], uint64_t crc, const unsigned char *p, size_t n)
{
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t word = crc ^ load_le64(p);
		crc = table[7][word & 255] ^ table[6][word >> 8 & 255] ^ table[5][word >> 16 & 255] ^
		      table[4][word >> 24 & 255] ^ table[3][word >> 32 & 255] ^ table[2][word >> 40 & 255] ^
		      table[1][word >> 48 & 255] ^ table[0][word >> 56];
	}
	for (; n > 0; n--, p++)
		crc = crc >> 8 ^ table[0][(crc ^ *p) & 255];
	return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint64_t crc32c_instruction(uint64_t crc, const unsigned char *p, size_t n)
{
	for (; n >= 8; n -= 8, p += 8)
		crc = _mm_crc32_u64(crc, load_le64(p));
	for (; n > 0; n--, p++)
		crc = _mm_crc32_u8((uint32_t)crc, *p);
	return crc;
}
#endif

static uint64_t crc_all_ones(enum checksum checksum)
{
	return rows[checksum].size == 8 ? UINT64_MAX : UINT32_MAX;
}

static uint64_t crc_update(enum checksum checksum, uint64_t crc, const void *bytes, size_t n)
{
	if (checksum == CHECKSUM_CRC32)
		return crc32_z((unsigned long)crc, bytes, n);
	crc ^= crc_all_ones(checksum);
#if defined(__x86_64__)
	if (checksum == CHECKSUM_CRC32C && __builtin_cpu_supports("sse4.2"))
		return crc32c_instruction(crc, bytes, n) ^ crc_all_ones(checksum);
#endif
	return crc_slices(tables[checksum], crc, bytes, n) ^ crc_all_ones(checksum);
}

static const EVP_MD *md_of(enum checksum checksum)
{
	return checksum == CHECKSUM_MD5 ? EVP_md5() : checksum == CHECKSUM_SHA1 ? EVP_sha1() : EVP_sha256();
}

void digests_begin(struct digests *d, unsigned wanted)
{
	(void)pthread_once(&tables_once, fill_tables);
	*d = (struct digests){.wanted = wanted};
	for (unsigned c = CHECKSUM_CRCS; c < CHECKSUMS; c++) {
		if (!(wanted & CHECKSUM_BIT(c)))
			continue;
		d->md[c] = EVP_MD_CTX_new();
		(void)EVP_DigestInit_ex(d->md[c], md_of((enum checksum)c), NULL);
	}
}

void digests_update(struct digests *d, const void *bytes, size_t n)
{
	const char *at = bytes;
	/* Each piece is read by all of them while it is in the processor's cache. */
	enum { PIECE = 16 * 1024 };
	while (n > 0) {
		size_t piece = n < PIECE ? n : PIECE;
		for (unsigned c = 0; c < CHECKSUMS; c++) {
			if (!(d->wanted & CHECKSUM_BIT(c)))
				continue;
			if (c < CHECKSUM_CRCS)
				d->crc[c] = crc_update((enum checksum)c, d->crc[c], at, piece);
			else
				(void)EVP_DigestUpdate(d->md[c], at, piece);
		}
		at += piece;
		n -= piece;
	}
}

static void store_be(uint64_t value, size_t size, unsigned char *ret)
{
	for (size_t i = 0; i < size; i++)
		ret[i] = (unsigned char)(value >> 8 * (size - 1 - i));
}

static uint64_t load_be(const unsigned char *p, size_t size)
{
	uint64_t value = 0;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | p[i];
	return value;
}

void digests_finish(struct digests *d, struct digest_values *ret)
{
	*ret = (struct digest_values){.have = d->wanted};
	for (unsigned c = 0; c < CHECKSUMS; c++) {
		if (!(d->wanted & CHECKSUM_BIT(c)))
			continue;
		if (c < CHECKSUM_CRCS)
			store_be(d->crc[c], rows[c].size, ret->of[c]);
		else
			(void)EVP_DigestFinal_ex(d->md[c], ret->of[c], NULL);
	}
	digests_done(d);
}

void digests_done(struct digests *d)
{
	for (unsigned c = CHECKSUM_CRCS; c < CHECKSUMS; c++) {
		EVP_MD_CTX_free(d->md[c]);
		d->md[c] = NULL;
	}
	d->wanted = 0;
}

size_t checksum_size(enum checksum checksum)
{
	return rows[checksum].size;
}

const char *checksum_name(enum checksum checksum)
{
	return rows[checksum].name;
}

bool checksum_find(struct span name, enum checksum *ret)
{
	for (unsigned c = 0; c < CHECKSUMS; c++)
		if (span_eq_nocase(name, span_of(rows[c].name))) {
			*ret = (enum checksum)c;
			return true;
		}
	return false;
}

/* A 64 x 64 matrix over GF(2) applied to a vector; column i is what bit i turns into. */
static uint64_t matrix_apply(const uint64_t matrix[64], uint64_t vector)
{
	uint64_t sum = 0;
	for (unsigned i = 0; vector; i++, vector >>= 1)
		if (vector & 1)
			sum ^= matrix[i];
	return sum;
}

void checksum_combine(enum checksum checksum, const unsigned char *a, const unsigned char *b, uint64_t len_b,
		      unsigned char *ret)
{
	size_t size = rows[checksum].size;
	unsigned bits = (unsigned)size * 8;
	uint64_t crc = load_be(a, size);
	uint64_t step[64]; /* appends one zero bit; squared: two, four, ... */
	step[0] = rows[checksum].polynomial;
	for (unsigned i = 1; i < bits; i++)
		step[i] = UINT64_C(1) << (i - 1);
	for (unsigned i = 0; i < 67 && (i < 3 || len_b >> (i - 3)); i++) {
		if (i >= 3 && (len_b >> (i - 3) & 1))
			crc = matrix_apply(step, crc);
		uint64_t square[64];
		for (unsigned k = 0; k < bits; k++)
			square[k] = matrix_apply(step, step[k]);
		memcpy(step, square, bits * sizeof(step[0]));
	}
	store_be(crc ^ load_be(b, size), size, ret);
}
