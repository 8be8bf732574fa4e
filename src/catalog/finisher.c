#include "base/pool.h"
#include "catalog/core.h"

static void tell(struct catalog_txn *t)
{
	while (t) {
		/* Its arena may go with the call. */
		struct catalog_txn *next = t->next;
		t->done(t->done_ctx, t->ok ? NULL : &t->error);
		t = next;
	}
}

static void *finisher_run(void *ctx)
{
	struct finisher *f = ctx;
	(void)pthread_mutex_lock(&f->mutex);
	while (f->first || !f->closing) {
		struct catalog_txn *first = f->first;
		if (!first) {
			(void)pthread_cond_wait(&f->wake, &f->mutex);
			continue;
		}
		f->first = NULL;
		f->last = &f->first;
		(void)pthread_mutex_unlock(&f->mutex);
		tell(first);
		(void)pthread_mutex_lock(&f->mutex);
	}
	(void)pthread_mutex_unlock(&f->mutex);
	return NULL;
}

void finisher_start(struct finisher *f)
{
	(void)pthread_mutex_init(&f->mutex, NULL);
	(void)pthread_cond_init(&f->wake, NULL);
	f->last = &f->first;
	thread_start("catalog-finish", finisher_run, f, &f->thread);
}

void finisher_give(struct finisher *f, struct catalog_txn *first)
{
	(void)pthread_mutex_lock(&f->mutex);
	bool idle = !f->first;
	*f->last = first;
	while (*f->last)
		f->last = &(*f->last)->next;
	if (idle)
		(void)pthread_cond_signal(&f->wake);
	(void)pthread_mutex_unlock(&f->mutex);
}

void finisher_stop(struct finisher *f)
{
	(void)pthread_mutex_lock(&f->mutex);
	f->closing = true;
	(void)pthread_cond_signal(&f->wake);
	(void)pthread_mutex_unlock(&f->mutex);
	thread_join(f->thread);
	(void)pthread_cond_destroy(&f->wake);
	(void)pthread_mutex_destroy(&f->mutex);
}
