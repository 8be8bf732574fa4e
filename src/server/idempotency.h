/*
 * Kept answers of X-Idempotency-Key in the catalog. Those that show a secret are
 * encrypted with a key of the process: a repeat after a restart is told that the
 * request ran, but not what it answered. Closed after the last request.
 */
#ifndef SERVER_IDEMPOTENCY_H
#define SERVER_IDEMPOTENCY_H

#include "http/http.h"

struct catalog;

struct http_idempotency idempotency_open(struct catalog *catalog);
void idempotency_close(struct http_idempotency *store);

#endif
