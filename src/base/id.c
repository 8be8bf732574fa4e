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

/* Every request takes one, so the kernel is asked for several at a time. They are names, not secrets. */
static void uuid_bytes(unsigned char ret[16])
{
	static _Thread_local unsigned char held[256];
	static _Thread_local size_t left;
	if (left == 0) {
		id_random(held, sizeof(held));
		left = sizeof(held);
	}
	left -= 16;
	memcpy(ret, held + left, 16);
}

void id_uuid(char ret[ID_UUID_SIZE])
{
	unsigned char b[16];
	char hex[33];
	size_t to = 0;
	uuid_bytes(b);
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	hash_hex(b, sizeof(b), hex);
	for (size_t i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			ret[to++] = '-';
		ret[to++] = hex[i];
	}
	ret[to] = '\0';
}

void id_hex(size_t n, char *ret)
{
	unsigned char b[ID_HEX_MAX / 2];
	assert(n <= sizeof(b));
	id_random(b, n);
	hash_hex(b, n, ret);
}
