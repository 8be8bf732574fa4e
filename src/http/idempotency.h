/*
 * X-Idempotency-Key: one execution for each key, its answer replayed to repeats.
 *
 * A request with a key makes a claim. The first claim of a key runs; claims of
 * the same request that come meanwhile wait, and are woken when the first is
 * over: they begin again and usually find the kept answer. Claims of another
 * request conflict. What is over is looked up in the store.
 *
 * Of a streamed body nobody knows the digest before it was read: such a claim is
 * compared without it, and who got IDEM_REPLAY reads the body, fills in the
 * digest and asks idem_same_body.
 *
 * Thread-safe. A claim lives from idem_begin until idem_finish returned; a
 * waiting one is woken exactly once.
 */
#ifndef HTTP_IDEMPOTENCY_H
#define HTTP_IDEMPOTENCY_H

#include "http/http.h"

#include "base/map.h"

#include <pthread.h>

enum idem_verdict {
	IDEM_RUN,      /* execute, then call idem_finish */
	IDEM_REPLAY,   /* the kept answer is in *ret_kept */
	IDEM_CONFLICT, /* *err says why */
	IDEM_WAIT,     /* wake() will be called */
	IDEM_REFUSE    /* not admitted, and no answer was kept for this credential */
};

struct idem_claim {
	char *key;	       /* in the request's arena */
	struct http_kept self; /* method, target, digests: what a repeat must equal */
	bool admitted;	       /* the caller passed the route's guard */
	bool streamed;	       /* self.body_sha256 is not known yet */
	void (*wake)(struct idem_claim *claim);
	/* Private */
	struct idem_claim *next;
	struct idem_claim *waiters;
};

struct idem {
	pthread_mutex_t lock;
	struct map running; /* key -> the claim that runs */
	const struct http_idempotency *store;
};

void idem_init(struct idem *idem, const struct http_idempotency *store);
void idem_done(struct idem *idem);
enum idem_verdict idem_begin(struct idem *idem, struct idem_claim *claim, struct arena *arena,
			     struct http_kept *ret_kept, struct err *err);
/* False: conflict. */
bool idem_same_body(const struct http_kept *kept, const struct idem_claim *claim, struct err *err);
/* Ends a claim that got IDEM_RUN: keeps the answer unless NULL, wakes those that wait. False: the store failed. */
bool idem_finish(struct idem *idem, struct idem_claim *claim, struct http_kept *kept, struct err *err);
/* Is an answer of this status kept? */
bool idem_keeps(int status);
/* The name in the store: the key itself, or its digest when it is long. */
char *idem_key(struct arena *arena, const char *key);

#endif
