#include "http/idempotency.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"

void idem_init(struct idem *idem, const struct http_idempotency *store)
{
	*idem = (struct idem){.running = MAP_INIT, .store = store};
	(void)pthread_mutex_init(&idem->lock, NULL);
}

void idem_done(struct idem *idem)
{
	map_done(&idem->running);
	(void)pthread_mutex_destroy(&idem->lock);
}

char *idem_key(struct arena *arena, const char *key)
{
	char hex[SHA256_HEX_SIZE];
	if (strlen(key) <= LIMIT_IDEMPOTENCY_KEY_BYTES)
		return arena_strdup(arena, key);
	hash_sha256_hex(span_of(key), hex);
	return arena_printf(arena, "sha256:%s", hex);
}

bool idem_keeps(int status)
{
	return status >= 200 && status < 500 && status != 401 && status != 403 && status != 408 && status != 499;
}

static bool same_credential(const struct http_kept *a, const struct http_kept *b)
{
	return span_eq_secret((struct span){(const char *)a->credential_sha256, sizeof(a->credential_sha256)},
			      (struct span){(const char *)b->credential_sha256, sizeof(b->credential_sha256)});
}

static const char used[] = "This idempotency key was already used";

bool idem_same_body(const struct http_kept *kept, const struct idem_claim *claim, struct err *err)
{
	return memcmp(kept->body_sha256, claim->self.body_sha256, sizeof(kept->body_sha256)) == 0 ||
	       err_set(err, ERR_IDEMPOTENCY_CONFLICT, "%s with a different request body", used);
}

/* True when both are the same request; else *err names the first difference, in the promised order. */
static bool same_request(const struct http_kept *first, const struct idem_claim *claim, struct err *err)
{
	const struct http_kept *now = &claim->self;
	if (strcmp(first->method, now->method) != 0)
		return err_set(err, ERR_IDEMPOTENCY_CONFLICT, "%s with method %s, not %s", used, first->method,
			       now->method);
	if (strcmp(first->target, now->target) != 0)
		return err_set(err, ERR_IDEMPOTENCY_CONFLICT, "%s for a different endpoint", used);
	if (!claim->streamed && !idem_same_body(first, claim, err))
		return false;
	if (!same_credential(first, now))
		return err_set(err, ERR_IDEMPOTENCY_CONFLICT, "%s with a different credential", used);
	return true;
}

static bool readable(const struct http_kept *kept, struct err *err)
{
	return !kept->lost ||
	       err_set(err, ERR_IDEMPOTENCY_CONFLICT,
		       "This request was executed before the server was restarted. Its answer showed a secret and was "
		       "therefore not kept; look at what was made, or repeat with another idempotency key");
}

/* A caller that is not admitted learns only about its own credential's requests. */
static bool may_know(const struct idem_claim *claim, const struct http_kept *other)
{
	return claim->admitted || same_credential(other, &claim->self);
}

/* With the lock held: joins the running claim of the key, or becomes it. */
static enum idem_verdict claim_enter(struct idem *idem, struct idem_claim *claim, struct err *err)
{
	struct idem_claim *first = map_get(&idem->running, span_of(claim->key));
	if (!first) {
		if (claim->admitted)
			(void)map_put(&idem->running, span_of(claim->key), claim);
		return IDEM_RUN;
	}
	if (!may_know(claim, &first->self))
		return IDEM_REFUSE;
	if (!same_request(&first->self, claim, err))
		return IDEM_CONFLICT;
	claim->next = first->waiters;
	first->waiters = claim;
	return IDEM_WAIT;
}

static void claim_leave(struct idem *idem, struct idem_claim *claim)
{
	(void)pthread_mutex_lock(&idem->lock);
	(void)map_remove(&idem->running, span_of(claim->key));
	struct idem_claim *waiter = claim->waiters;
	claim->waiters = NULL;
	(void)pthread_mutex_unlock(&idem->lock);
	while (waiter) {
		struct idem_claim *next = waiter->next;
		waiter->wake(waiter);
		waiter = next;
	}
}

enum idem_verdict idem_begin(struct idem *idem, struct idem_claim *claim, struct arena *arena,
			     struct http_kept *ret_kept, struct err *err)
{
	claim->waiters = NULL;
	(void)pthread_mutex_lock(&idem->lock);
	enum idem_verdict verdict = claim_enter(idem, claim, err);
	(void)pthread_mutex_unlock(&idem->lock);
	if (verdict != IDEM_RUN)
		return verdict;
	/* Claimed first and looked up then, so that no other runs it between the two. */
	if (idem->store->get(idem->store->ctx, arena, claim->key, ret_kept) && ret_kept->expires_us > clock_unix_us()) {
		if (!may_know(claim, ret_kept))
			verdict = IDEM_REFUSE;
		else
			verdict = same_request(ret_kept, claim, err) && readable(ret_kept, err) ? IDEM_REPLAY
												: IDEM_CONFLICT;
	} else if (!claim->admitted) {
		verdict = IDEM_REFUSE;
	}
	if (verdict != IDEM_RUN && claim->admitted)
		claim_leave(idem, claim);
	return verdict;
}

bool idem_finish(struct idem *idem, struct idem_claim *claim, struct http_kept *kept, struct err *err)
{
	bool fine = true;
	if (kept) {
		kept->method = claim->self.method;
		kept->target = claim->self.target;
		memcpy(kept->body_sha256, claim->self.body_sha256, sizeof(kept->body_sha256));
		memcpy(kept->credential_sha256, claim->self.credential_sha256, sizeof(kept->credential_sha256));
		kept->expires_us = clock_unix_us() + HTTP_KEPT_SECONDS * US_PER_S;
		fine = idem->store->put(idem->store->ctx, claim->key, kept, err);
	}
	claim_leave(idem, claim);
	return fine;
}
