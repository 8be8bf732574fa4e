#include "storage/lock.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"
#include "engine/session.h"
#include "metrics/metrics.h"
#include "storage/op_live.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	/* How often a waiting writer looks whether its call was cancelled. */
	WAIT_SLICE_MS = 50,
	TABLE_KEY_MAX = 4 * (LIMIT_ID_BYTES + 1)
};

/* One who waits; granted by whoever releases. */
struct waiter {
	struct waiter *next;
	pthread_cond_t turn;
	bool granted;
};

struct line {
	struct waiter *first;
	struct waiter **last;
};

/* One table that is locked or waited for; it exists only while that is so. */
struct table_lock {
	char *key;
	int64_t since_ns; /* held by the present holder */
	struct line line;
};

struct held_lock {
	struct held_lock *next;
	struct table_lock *lock;
	int64_t since_ns;
};

/* The writers of one project that wait for a slot; on the ring while there are any. */
struct slot_lane {
	struct slot_lane *next;
	char *project_id;
	struct line line;
};

struct locks {
	pthread_mutex_t mutex;
	struct map tables; /* key -> struct table_lock */
	struct map lanes;  /* project -> struct slot_lane */
	struct slot_lane *ring_first;
	struct slot_lane **ring_last;
	size_t slots_free;
	int64_t timeout_ns;
	size_t waiting;
	struct series *active_gauge;
	struct series *wait_seconds;
	struct series *hold_seconds;
	struct series *timeouts;
};

struct locks *locks_new(int64_t timeout_s, size_t slots)
{
	struct locks *locks = mem_alloc(sizeof(*locks));
	(void)pthread_mutex_init(&locks->mutex, NULL);
	locks->slots_free = slots;
	locks->timeout_ns = timeout_s * NS_PER_S;
	locks->ring_last = &locks->ring_first;
	locks->active_gauge = metric_series(METRIC_TABLE_LOCKS_ACTIVE, NULL);
	locks->wait_seconds = metric_series(METRIC_TABLE_LOCK_WAIT_SECONDS, NULL);
	locks->hold_seconds = metric_series(METRIC_TABLE_LOCK_HOLD_SECONDS, NULL);
	locks->timeouts = metric_series(METRIC_TABLE_LOCK_TIMEOUTS_TOTAL, NULL);
	return locks;
}

void locks_free(struct locks *locks)
{
	if (!locks)
		return;
	map_done(&locks->tables);
	map_done(&locks->lanes);
	(void)pthread_mutex_destroy(&locks->mutex);
	free(locks);
}

size_t locks_waiting(struct locks *locks)
{
	(void)pthread_mutex_lock(&locks->mutex);
	size_t n = locks->waiting;
	(void)pthread_mutex_unlock(&locks->mutex);
	return n;
}

void locks_list(struct locks *locks, struct arena *arena, size_t max, struct lock_row **ret, size_t *ret_count)
{
	struct map_entry *entry;
	size_t at = 0;
	size_t n = 0;
	(void)pthread_mutex_lock(&locks->mutex);
	*ret = arena_array(arena, struct lock_row, locks->tables.count < max ? locks->tables.count : max);
	while (n < max && (entry = map_next(&locks->tables, &at))) {
		const struct table_lock *lock = entry->value;
		struct lock_row *row = &(*ret)[n++];
		struct span rest = span_of(lock->key);
		row->project_id = arena_copy(arena, span_cut(&rest, '/'));
		row->branch_id = arena_copy(arena, span_cut(&rest, '/'));
		row->bucket = arena_copy(arena, span_cut(&rest, '/'));
		row->table = arena_copy(arena, rest);
		row->waiting = 0;
		row->held_ns = clock_ns() - lock->since_ns;
		for (const struct waiter *w = lock->line.first; w; w = w->next)
			row->waiting++;
	}
	*ret_count = n;
	(void)pthread_mutex_unlock(&locks->mutex);
}

static void line_grant(struct line *line)
{
	struct waiter *w = line->first;
	line->first = w->next;
	if (!line->first)
		line->last = &line->first;
	w->granted = true;
	(void)pthread_cond_signal(&w->turn);
}

static void line_leave(struct line *line, struct waiter *w)
{
	for (struct waiter **at = &line->first; *at; at = &(*at)->next) {
		if (*at != w)
			continue;
		*at = w->next;
		if (!w->next)
			line->last = at;
		return;
	}
}

static bool call_cancelled(const struct call *call)
{
	return call->progress && progress_cancelled(call->progress);
}

/* Waits in line with the mutex held until granted; false when cancelled or past the deadline. */
static bool line_wait(struct locks *locks, struct line *line, const struct call *call, int64_t deadline_ns)
{
	struct waiter w = {.next = NULL};
	pthread_condattr_t attr;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&w.turn, &attr);
	(void)pthread_condattr_destroy(&attr);
	*line->last = &w;
	line->last = &w.next;
	locks->waiting++;
	while (!w.granted && clock_ns() < deadline_ns && !call_cancelled(call)) {
		int64_t until = clock_ns() + WAIT_SLICE_MS * NS_PER_MS;
		until = until < deadline_ns ? until : deadline_ns;
		struct timespec at = {.tv_sec = until / NS_PER_S, .tv_nsec = until % NS_PER_S};
		(void)pthread_cond_timedwait(&w.turn, &locks->mutex, &at);
	}
	if (!w.granted)
		line_leave(line, &w);
	locks->waiting--;
	(void)pthread_cond_destroy(&w.turn);
	return w.granted;
}

static bool wait_failed(struct locks *locks, const struct call *call, const char *what, struct err *err)
{
	if (call_cancelled(call))
		return err_set(err, ERR_CANCELLED, "The operation was cancelled while it waited for %s", what);
	metric_inc(locks->timeouts);
	return err_set(err, ERR_TABLE_LOCKED, "Other changes kept %s busy for too long; try again", what);
}

/* ---- tables ---- */

static struct span table_key(char *ret, size_t size, const struct lock_name *n)
{
	int len = snprintf(ret, size, "%s/%s/%s/%s", n->project_id, n->branch_id, n->bucket, n->table);
	return (struct span){ret, (size_t)len < size ? (size_t)len : size - 1};
}

static bool table_take(struct locks *locks, const struct lock_name *name, const struct call *call, int64_t deadline_ns,
		       struct held_lock **ret, struct err *err)
{
	char text[TABLE_KEY_MAX];
	struct span key = table_key(text, sizeof(text), name);
	struct table_lock *lock = map_get(&locks->tables, key);
	int64_t start = clock_ns();
	bool granted = true;
	if (!lock) {
		lock = mem_alloc(sizeof(*lock));
		lock->key = mem_copy(key);
		lock->line.last = &lock->line.first;
		(void)map_put(&locks->tables, key, lock);
	} else {
		granted = line_wait(locks, &lock->line, call, deadline_ns);
	}
	metric_observe_since(locks->wait_seconds, start);
	if (!granted) {
		(void)wait_failed(locks, call, "the table", err);
		err_detail(err, "project_id", name->project_id);
		err_detail(err, "bucket_name", name->bucket);
		err_detail(err, "table_name", name->table);
		return false;
	}
	struct held_lock *held = mem_alloc(sizeof(*held));
	*held = (struct held_lock){.next = *ret, .lock = lock, .since_ns = clock_ns()};
	lock->since_ns = held->since_ns;
	*ret = held;
	metric_gauge_add(locks->active_gauge, 1);
	return true;
}

static void table_give(struct locks *locks, struct held_lock *held)
{
	struct table_lock *lock = held->lock;
	metric_gauge_add(locks->active_gauge, -1);
	metric_observe_since(locks->hold_seconds, held->since_ns);
	if (lock->line.first) {
		line_grant(&lock->line);
	} else {
		(void)map_remove(&locks->tables, span_of(lock->key));
		free(lock->key);
		free(lock);
	}
	free(held);
}

/* ---- slots ---- */

static struct slot_lane *lane_of(struct locks *locks, const char *project_id)
{
	struct slot_lane *lane = map_get(&locks->lanes, span_of(project_id));
	if (lane)
		return lane;
	lane = mem_alloc(sizeof(*lane));
	lane->project_id = mem_strdup(project_id);
	lane->line.last = &lane->line.first;
	(void)map_put(&locks->lanes, span_of(project_id), lane);
	*locks->ring_last = lane;
	locks->ring_last = &lane->next;
	return lane;
}

static void lane_free(struct locks *locks, struct slot_lane *lane)
{
	for (struct slot_lane **at = &locks->ring_first; *at; at = &(*at)->next) {
		if (*at != lane)
			continue;
		*at = lane->next;
		if (!lane->next)
			locks->ring_last = at;
		break;
	}
	(void)map_remove(&locks->lanes, span_of(lane->project_id));
	free(lane->project_id);
	free(lane);
}

static bool slot_take(struct locks *locks, const char *project_id, const struct call *call, int64_t deadline_ns,
		      struct err *err)
{
	if (locks->slots_free) {
		locks->slots_free--;
		return true;
	}
	struct slot_lane *lane = lane_of(locks, project_id);
	bool granted = line_wait(locks, &lane->line, call, deadline_ns);
	/* Whoever grants the last waiter of a lane leaves the lane to that waiter, who looks it up again: it may be gone. */
	lane = map_get(&locks->lanes, span_of(project_id));
	if (lane && !lane->line.first)
		lane_free(locks, lane);
	return granted || wait_failed(locks, call, "the server", err);
}

/* The slot goes to the first lane of the ring, which then moves to its end. */
static void slot_give(struct locks *locks)
{
	struct slot_lane *lane = locks->ring_first;
	while (lane && !lane->line.first)
		lane = lane->next;
	if (!lane) {
		locks->slots_free++;
		return;
	}
	line_grant(&lane->line);
	for (struct slot_lane **at = &locks->ring_first; *at; at = &(*at)->next) {
		if (*at != lane)
			continue;
		*at = lane->next;
		if (!*at)
			locks->ring_last = at;
		break;
	}
	lane->next = NULL;
	*locks->ring_last = lane;
	locks->ring_last = &lane->next;
}

/* ---- admission ---- */

static int name_order(const void *a, const void *b)
{
	char left[TABLE_KEY_MAX];
	char right[TABLE_KEY_MAX];
	return span_cmp(table_key(left, sizeof(left), a), table_key(right, sizeof(right), b));
}

static bool same_name(const struct lock_name *a, const struct lock_name *b)
{
	return name_order(a, b) == 0;
}

static void count_acquisition(const struct lock_name *n)
{
	struct series *taken =
		metric_tenant_series(METRIC_TABLE_LOCK_ACQUISITIONS_TOTAL, n->project_id, n->bucket, n->table, NULL);
	metric_inc(taken);
	metric_tenant_release(taken);
}

bool lock_tables(struct locks *locks, struct op *op, const struct lock_name *names, size_t n, struct admission *ret,
		 struct err *err)
{
	const char *project_id = op->target.project_id ? op->target.project_id : "";
	const struct call *call = op->call;
	int64_t start = call->admitted_ns ? call->admitted_ns : clock_ns();
	int64_t deadline = clock_ns() + locks->timeout_ns;
	if (call->deadline_ns && call->deadline_ns < deadline)
		deadline = call->deadline_ns;
	*ret = (struct admission){.locks = locks};
	struct lock_name *sorted = mem_alloc_array(sizeof(*sorted), n);
	if (n)
		memcpy(sorted, names, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), name_order);
	struct series *depth = metric_tenant_series(METRIC_WRITE_QUEUE_DEPTH, project_id, NULL);
	metric_gauge_add(depth, 1);
	int64_t lock_start = clock_ns();
	bool fine = true;
	op_live_waits(op, "table lock");
	(void)pthread_mutex_lock(&locks->mutex);
	for (size_t i = 0; i < n && fine; i++) {
		if (i == 0 || !same_name(&sorted[i - 1], &sorted[i]))
			fine = table_take(locks, &sorted[i], call, deadline, &ret->held, err);
	}
	int64_t slot_start = clock_ns();
	op_live_waits(op, "execution slot");
	fine = fine && slot_take(locks, project_id, call, deadline, err);
	ret->slot = fine;
	(void)pthread_mutex_unlock(&locks->mutex);
	op_live_waits(op, NULL);
	metric_gauge_add(depth, -1);
	metric_tenant_release(depth);
	op->lock_wait_ns += slot_start - lock_start;
	op->queue_wait_ns += clock_ns() - start;
	op_span(op, "lock wait", lock_start, slot_start);
	if (fine) {
		for (size_t i = 0; i < n; i++)
			count_acquisition(&sorted[i]);
		struct series *wait = metric_tenant_series(METRIC_WRITE_QUEUE_WAIT_SECONDS, project_id, NULL);
		metric_observe(wait, (double)(clock_ns() - start) / 1e9);
		metric_tenant_release(wait);
	} else {
		lock_release(ret);
	}
	free(sorted);
	return fine;
}

bool lock_table(struct locks *locks, struct op *op, const char *project_id, const char *branch_id, const char *bucket,
		const char *table, struct admission *ret, struct err *err)
{
	struct lock_name name = {project_id, branch_id, bucket, table};
	return lock_tables(locks, op, &name, 1, ret, err);
}

void lock_release(struct admission *admission)
{
	struct locks *locks = admission->locks;
	if (!locks)
		return;
	(void)pthread_mutex_lock(&locks->mutex);
	while (admission->held) {
		struct held_lock *held = admission->held;
		admission->held = held->next;
		table_give(locks, held);
	}
	if (admission->slot)
		slot_give(locks);
	(void)pthread_mutex_unlock(&locks->mutex);
	*admission = (struct admission){0};
}
