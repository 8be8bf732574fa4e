#include "storage/statement_stats.h"

#include "base/clock.h"
#include "base/map.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Each time room is made, what was used long ago counts less. */
static const double USAGE_DECAY = 0.99;
enum { EVICT_PART = 20, NAME_BYTES = 256, KEY_BYTES = 8 + 2 * NAME_BYTES };

struct entry {
	char *key; /* the map's: fingerprint, workspace and user */
	size_t key_len;
	char *workspace_id, *user, *query;
	uint64_t query_id, calls, errors, rows, memory_peak, temp_bytes;
	double total_ms, min_ms, max_ms;
	double mean, squares; /* running, after Welford */
	double usage;
	int64_t first_us, last_us;
};

struct statement_stats {
	pthread_mutex_t lock;
	struct map entries;
	struct statement_info info;
};

struct statement_stats *statement_stats_new(void)
{
	struct statement_stats *s = mem_alloc(sizeof(*s));
	*s = (struct statement_stats){.entries = MAP_INIT};
	s->info.reset_us = clock_unix_us();
	(void)pthread_mutex_init(&s->lock, NULL);
	return s;
}

static void entry_free(struct entry *e)
{
	free(e->key);
	free(e->workspace_id);
	free(e->user);
	free(e->query);
	free(e);
}

static void entry_remove(struct statement_stats *s, struct entry *e)
{
	(void)map_remove(&s->entries, (struct span){e->key, e->key_len});
	entry_free(e);
}

static void remove_all(struct statement_stats *s, const char *workspace_id)
{
	struct map_entry *at;
	for (size_t i = 0; (at = map_next(&s->entries, &i));) {
		struct entry *e = at->value;
		if (!workspace_id || strcmp(e->workspace_id, workspace_id) == 0)
			entry_remove(s, e);
	}
}

void statement_stats_free(struct statement_stats *s)
{
	if (!s)
		return;
	remove_all(s, NULL);
	map_done(&s->entries);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

static int by_usage(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;
	return (x->usage > y->usage) - (x->usage < y->usage);
}

static void make_room(struct statement_stats *s)
{
	struct entry **all = mem_alloc_array(sizeof(*all), s->entries.count);
	struct map_entry *at;
	size_t n = 0;
	for (size_t i = 0; (at = map_next(&s->entries, &i));) {
		all[n] = at->value;
		all[n++]->usage *= USAGE_DECAY;
	}
	qsort(all, n, sizeof(*all), by_usage);
	for (size_t i = 0; i < n / EVICT_PART; i++)
		entry_remove(s, all[i]);
	free(all);
	s->info.dealloc++;
}

static struct entry *entry_of(struct statement_stats *s, const struct statement_call *c, struct span name)
{
	struct entry *e = map_get(&s->entries, name);
	if (e)
		return e;
	if (s->entries.count >= STATEMENT_STATS_MAX)
		make_room(s);
	e = mem_alloc(sizeof(*e));
	*e = (struct entry){.key = mem_copy(name),
			    .key_len = name.len,
			    .workspace_id = mem_strdup(c->workspace_id),
			    .user = mem_strdup(c->user),
			    .query = mem_copy(span_first(c->query, STATEMENT_TEXT_MAX)),
			    .query_id = c->query_id,
			    .min_ms = INFINITY,
			    .first_us = clock_unix_us()};
	(void)map_put(&s->entries, name, e);
	return e;
}

/* The fingerprint, the workspace, the user. */
static struct span key_of(const struct statement_call *c, char key[KEY_BYTES])
{
	const char *const names[] = {c->workspace_id, c->user};
	size_t at = sizeof(c->query_id);
	memcpy(key, &c->query_id, sizeof(c->query_id));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const size_t len = strnlen(names[i], NAME_BYTES - 1);
		memcpy(key + at, names[i], len);
		at += len;
		key[at++] = '\0';
	}
	return (struct span){key, at};
}

void statement_stats_note(struct statement_stats *s, const struct statement_call *c)
{
	const double ms = (double)c->took_ns / 1e6;
	char key[KEY_BYTES];
	const struct span name = key_of(c, key);
	(void)pthread_mutex_lock(&s->lock);
	struct entry *e = entry_of(s, c, name);
	e->calls++;
	e->errors += c->failed;
	e->rows += c->rows;
	e->temp_bytes += (uint64_t)c->temp_bytes;
	if ((uint64_t)c->memory_bytes > e->memory_peak)
		e->memory_peak = (uint64_t)c->memory_bytes;
	e->total_ms += ms;
	e->min_ms = ms < e->min_ms ? ms : e->min_ms;
	e->max_ms = ms > e->max_ms ? ms : e->max_ms;
	const double off = ms - e->mean;
	e->mean += off / (double)e->calls;
	e->squares += off * (ms - e->mean);
	e->usage += 1;
	e->last_us = c->ended_us;
	(void)pthread_mutex_unlock(&s->lock);
}

static double sort_value(const struct statement_row *r, enum statement_sort sort)
{
	switch (sort) {
	case STATEMENT_SORT_MEAN:
		return r->mean_ms;
	case STATEMENT_SORT_MAX:
		return r->max_ms;
	case STATEMENT_SORT_CALLS:
		return (double)r->calls;
	case STATEMENT_SORT_ROWS:
		return (double)r->rows;
	case STATEMENT_SORT_ERRORS:
		return (double)r->errors;
	case STATEMENT_SORT_LAST:
		return (double)r->last_us;
	default:
		return r->total_ms;
	}
}

static int compare(const void *a, const void *b, void *sort)
{
	const struct statement_row *x = a, *y = b;
	const double l = sort_value(x, *(enum statement_sort *)sort), r = sort_value(y, *(enum statement_sort *)sort);
	if (l != r)
		return l < r ? 1 : -1;
	return (x->query_id > y->query_id) - (x->query_id < y->query_id);
}

static struct statement_row row_of(const struct entry *e, struct arena *arena)
{
	return (struct statement_row){
		.workspace_id = arena_strdup(arena, e->workspace_id),
		.user = arena_strdup(arena, e->user),
		.query = arena_strdup(arena, e->query),
		.query_id = e->query_id,
		.calls = e->calls,
		.errors = e->errors,
		.rows = e->rows,
		.memory_peak = e->memory_peak,
		.temp_bytes = e->temp_bytes,
		.total_ms = e->total_ms,
		.min_ms = e->min_ms,
		.max_ms = e->max_ms,
		.mean_ms = e->mean,
		.stddev_ms = sqrt(e->squares / (double)e->calls),
		.first_us = e->first_us,
		.last_us = e->last_us,
	};
}

void statement_stats_list(struct statement_stats *s, struct arena *arena, const char *workspace_id,
			  enum statement_sort sort, size_t limit, struct statement_row **ret, size_t *ret_count)
{
	struct map_entry *at;
	size_t n = 0;
	(void)pthread_mutex_lock(&s->lock);
	struct statement_row *rows = arena_array(arena, struct statement_row, s->entries.count + 1);
	for (size_t i = 0; (at = map_next(&s->entries, &i));) {
		const struct entry *e = at->value;
		if (!workspace_id || strcmp(e->workspace_id, workspace_id) == 0)
			rows[n++] = row_of(e, arena);
	}
	(void)pthread_mutex_unlock(&s->lock);
	qsort_r(rows, n, sizeof(*rows), compare, &sort);
	*ret = rows;
	*ret_count = limit && limit < n ? limit : n;
}

bool statement_sort_by_name(struct span name, enum statement_sort *ret)
{
	static const char *const names[] = {
		[STATEMENT_SORT_TOTAL] = "total_time", [STATEMENT_SORT_MEAN] = "mean_time",
		[STATEMENT_SORT_MAX] = "max_time",     [STATEMENT_SORT_CALLS] = "calls",
		[STATEMENT_SORT_ROWS] = "rows",	       [STATEMENT_SORT_ERRORS] = "errors",
		[STATEMENT_SORT_LAST] = "last_seen",
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (span_is(name, names[i])) {
			*ret = (enum statement_sort)i;
			return true;
		}
	return false;
}

struct statement_info statement_stats_info(struct statement_stats *s)
{
	(void)pthread_mutex_lock(&s->lock);
	struct statement_info info = s->info;
	info.count = s->entries.count;
	(void)pthread_mutex_unlock(&s->lock);
	return info;
}

void statement_stats_reset(struct statement_stats *s, const char *workspace_id)
{
	(void)pthread_mutex_lock(&s->lock);
	remove_all(s, workspace_id);
	if (!workspace_id)
		s->info = (struct statement_info){.reset_us = clock_unix_us()};
	(void)pthread_mutex_unlock(&s->lock);
}
