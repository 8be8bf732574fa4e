/* Random identifiers from the kernel's generator. Thread-safe; never fails (no entropy ends the process). */
#ifndef BASE_ID_H
#define BASE_ID_H

#include "base/span.h"

enum { ID_UUID_SIZE = 37, ID_HEX_MAX = 64 };

void id_random(void *ret, size_t n);
/* Version 4, lower case with dashes (RFC 9562, section 5.4). */
void id_uuid(char ret[ID_UUID_SIZE]);
/* 2 * n lower-case hex characters and a NUL; n <= ID_HEX_MAX / 2. */
void id_hex(size_t n, char *ret);

#endif
