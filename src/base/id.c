#include "base/id.h"

#include "base/hash.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void id_random(void *ret, size_t n)
{
	unsigned char *to = ret;
	while (n) {
		/* Requests of at most 256 bytes are never cut short by a signal (getrandom(2)). */
		size_t part = n < 256 ? n : 256;
		if (getrandom(to, part, 0) != (ssize_t)part) {
			fputs("the kernel gives no random bytes\n", stderr);
			abort();
		}
		to += part;
		n -= part;
	}
}

void id_uuid(char ret[ID_UUID_SIZE])
{
	unsigned char b[16];
	char hex[33];
	id_random(b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	hash_hex(b, sizeof(b), hex);
	(void)snprintf(ret, ID_UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

void id_hex(size_t n, char *ret)
{
	unsigned char b[ID_HEX_MAX / 2];
	assert(n <= sizeof(b));
	id_random(b, n);
	hash_hex(b, n, ret);
}
