/*
 * Bytes under a key: AES-256-GCM (OpenSSL) with a random nonce, bound to a name.
 * A sealed text opens only with the same key and the same name, unchanged.
 * Thread-safe; results live in the arena.
 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include "base/arena.h"
#include "base/span.h"

enum { SEAL_KEY_BYTES = 32 };

/* Ends the process when the library refuses (no memory), as every allocation does. */
struct span seal_close(struct arena *arena, const unsigned char key[SEAL_KEY_BYTES], struct span name,
		       struct span plain);
/* False: another key or name, or not what seal_close made. */
MUST_CHECK bool seal_open(struct arena *arena, const unsigned char key[SEAL_KEY_BYTES], struct span name,
			  struct span sealed, struct span *ret);

#endif
