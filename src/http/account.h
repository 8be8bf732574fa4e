/*
 * Counting of requests: the series of each endpoint, resolved once, and the
 * access log. What a client sends never becomes a label. Thread-safe.
 */
#ifndef HTTP_ACCOUNT_H
#define HTTP_ACCOUNT_H

#include "http/idempotency.h"

struct exchange;
struct stats;
struct http_server;

enum reject { REJECT_BAD_REQUEST, REJECT_TOO_LARGE, REJECT_SLOW_CLIENT, REJECT_OVERLOAD, REJECT_DRAINING, REJECT_TLS };

/* The series of one endpoint; memory is the arena's. */
struct stats *stats_new(struct arena *arena, const char *endpoint);
void account_head(struct exchange *ex);
/* The exchange is over, with this status (499: the client left first). */
void account_end(struct exchange *ex, int status);
void account_reject(enum reject reason);
void account_auth_failure(const char *reason);
void account_idempotency(enum idem_verdict verdict);
void account_connection(const struct http_server *server, int by);

#endif
