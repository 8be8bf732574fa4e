#include "storage/activity.h"

#include <pthread.h>
#include <stdlib.h>

struct activity {
	pthread_rwlock_t lock;
	const struct activity_source *source;
};

struct activity *activity_new(void)
{
	struct activity *a = mem_alloc(sizeof(*a));
	a->source = NULL;
	(void)pthread_rwlock_init(&a->lock, NULL);
	return a;
}

void activity_free(struct activity *a)
{
	if (!a)
		return;
	(void)pthread_rwlock_destroy(&a->lock);
	free(a);
}

void activity_provide(struct activity *a, const struct activity_source *source)
{
	(void)pthread_rwlock_wrlock(&a->lock);
	a->source = source;
	(void)pthread_rwlock_unlock(&a->lock);
}

static int busiest_first(const void *a, const void *b)
{
	const struct activity_row *x = a, *y = b;
	bool active[2] = {strcmp(x->state, "active") == 0, strcmp(y->state, "active") == 0};
	if (active[0] != active[1])
		return active[0] ? -1 : 1;
	return (x->state_us > y->state_us) - (x->state_us < y->state_us);
}

void activity_list(struct activity *a, struct arena *arena, const char *workspace_id, struct activity_row **ret,
		   size_t *ret_count)
{
	struct activity_row *rows = NULL;
	size_t n = 0, kept = 0;
	(void)pthread_rwlock_rdlock(&a->lock);
	if (a->source)
		a->source->list(a->source->ctx, arena, &rows, &n);
	(void)pthread_rwlock_unlock(&a->lock);
	for (size_t i = 0; i < n; i++)
		if (!workspace_id || strcmp(rows[i].workspace_id, workspace_id) == 0)
			rows[kept++] = rows[i];
	if (kept)
		qsort(rows, kept, sizeof(*rows), busiest_first);
	*ret = rows;
	*ret_count = kept;
}

bool activity_end(struct activity *a, const char *session_id, bool terminate)
{
	(void)pthread_rwlock_rdlock(&a->lock);
	bool found = a->source && a->source->end(a->source->ctx, session_id, terminate);
	(void)pthread_rwlock_unlock(&a->lock);
	return found;
}
