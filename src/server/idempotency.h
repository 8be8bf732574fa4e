/* Kept answers of X-Idempotency-Key in the catalog. */
#ifndef SERVER_IDEMPOTENCY_H
#define SERVER_IDEMPOTENCY_H

#include "http/http.h"

struct catalog;

struct http_idempotency idempotency_of(struct catalog *catalog);

#endif
