#include "metrics/registry.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

#include <stdarg.h>
#include <stdlib.h>

enum { IDLE_HIDDEN_SECONDS = 600, KEY_BYTES = METRIC_LABELS_MAX * (METRICS_LABEL_BYTES + 4) };

static struct registry registry;
static pthread_once_t made = PTHREAD_ONCE_INIT;

static int64_t monotonic_seconds(void)
{
	return clock_ns() / NS_PER_S;
}

int64_t (*registry_seconds)(void) = monotonic_seconds;

/* ---- texts ---- */

/* Well-formed UTF-8 of at most METRICS_LABEL_BYTES: bad bytes become U+FFFD, the rest is cut at a whole character. */
static void clean_value(const char *value, char ret[METRICS_LABEL_BYTES + 4])
{
	size_t used = 0;
	for (struct span rest = span_of(value); rest.len > 0;) {
		size_t n = 1;
		while (n < 4 && n < rest.len && !span_is_utf8(span_first(rest, n)))
			n++;
		struct span piece = span_first(rest, n);
		rest = span_skip(rest, span_is_utf8(piece) ? n : 1);
		if (!span_is_utf8(piece))
			piece = SPAN("\xef\xbf\xbd");
		if (used + piece.len > METRICS_LABEL_BYTES)
			break;
		memcpy(ret + used, piece.ptr, piece.len);
		used += piece.len;
	}
	ret[used] = '\0';
}

static void escape(struct buf *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '\n') {
			buf_str(out, "\\n");
			continue;
		}
		if (*value == '"' || *value == '\\')
			buf_byte(out, '\\');
		buf_byte(out, *value);
	}
}

static void series_texts(struct series *series, const char *const values[METRIC_LABELS_MAX], struct span key)
{
	const struct family *f = series->family;
	struct buf text = BUF((size_t)16 * 1024);
	for (size_t i = 0; i < f->labels; i++) {
		const char *name = f->row->labels[f->order[i]].name;
		buf_printf(&text, "%s%s=\"", i ? "," : "", name);
		escape(&text, values[f->order[i]]);
		buf_byte(&text, '"');
		if (strcmp(name, "le") < 0)
			series->le_at = text.len;
	}
	series->text = buf_take(&text, NULL);
	series->key = mem_copy(key);
	series->key_len = key.len;
}

const char *series_label(const struct series *series, size_t label)
{
	const char *at = series->key;
	while (label-- > 0)
		at += strlen(at) + 1;
	return at;
}

/* ---- series of a family ---- */

static struct series *series_new(struct family *family)
{
	struct series *s = mem_alloc(sizeof(*s));
	*s = (struct series){.type = family->row->type,
			     .owned = family->kind <= KIND_OPEN && cells_owners > 0,
			     .exemplified = family->exemplars,
			     .family = family,
			     .cells = cells_take(family->row->type == TYPE_HISTOGRAM),
			     .created_us = clock_unix_us(),
			     .active_s = registry_seconds()};
	if (s->owned && s->type == TYPE_COUNTER && !s->exemplified)
		s->head.counter = (uint64_t *)s->cells;
	if (s->owned && s->type == TYPE_GAUGE)
		s->head.gauge = (uint64_t *)s->cells;
	return s;
}

void series_free(struct series *series)
{
	cells_give(series->family->row->type == TYPE_HISTOGRAM, series->cells);
	exemplar_free(&series->exemplars);
	free(series->key);
	free(series->text);
	free(series);
}

static size_t sorted_place(const struct family *family, const char *text)
{
	size_t low = 0, high = family->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (strcmp(family->sorted[middle]->text, text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void family_insert(struct family *family, struct series *series)
{
	if (family->count == family->cap) {
		family->cap = family->cap ? family->cap * 2 : 4;
		family->sorted = mem_grow(family->sorted, family->cap * sizeof(struct series *));
	}
	size_t at = sorted_place(family, series->text);
	memmove(&family->sorted[at + 1], &family->sorted[at], (family->count - at) * sizeof(struct series *));
	family->sorted[at] = series;
	family->count++;
	(void)map_put(&family->by_key, (struct span){series->key, series->key_len}, series);
}

/* All labels that are not closed hold "_other"; so also when there is none. */
static bool holds_others(const struct family *family, const char *const values[METRIC_LABELS_MAX])
{
	for (size_t i = 0; i < family->labels; i++)
		if (family->row->labels[i].list->kind != KIND_CLOSED && strcmp(values[i], LABEL_OTHER) != 0)
			return false;
	return true;
}

static bool is_listed(const struct label_list *list, const char *value)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->values[i], value) == 0)
			return true;
	return false;
}

/* Their room was kept free from the start (family_make). */
static bool is_reserved(const struct family *family, const char *const values[METRIC_LABELS_MAX])
{
	for (size_t i = 0; i < family->labels; i++)
		if (family->row->labels[i].list->kind == KIND_CLOSED &&
		    !is_listed(family->row->labels[i].list, values[i]))
			return false;
	return family->kind != KIND_CLOSED && holds_others(family, values);
}

static bool samples_take(size_t cost)
{
	if (atomic_fetch_add(&registry.samples, cost) + cost <= METRICS_SERIES_MAX)
		return true;
	atomic_fetch_sub(&registry.samples, cost);
	return false;
}

void family_remove(struct family *family, struct series *series)
{
	size_t at = sorted_place(family, series->text);
	memmove(&family->sorted[at], &family->sorted[at + 1], (family->count - at - 1) * sizeof(struct series *));
	family->count--;
	(void)map_remove(&family->by_key, (struct span){series->key, series->key_len});
	atomic_fetch_sub(&registry.samples, family->cost);
}

static struct span values_key(const struct family *family, const char *const values[METRIC_LABELS_MAX],
			      char ret[KEY_BYTES])
{
	size_t used = 0;
	for (size_t i = 0; i < family->labels; i++) {
		size_t len = strlen(values[i]) + 1;
		memcpy(ret + used, values[i], len);
		used += len;
	}
	return (struct span){ret, used};
}

/* The label set that takes what has no place of its own: "_other" for all labels that are not closed. */
static struct series *family_other(struct family *family, const char *const values[METRIC_LABELS_MAX])
{
	const char *others[METRIC_LABELS_MAX] = LABELS_UNSET;
	for (size_t i = 0; i < family->labels; i++)
		others[i] = family->row->labels[i].list->kind == KIND_CLOSED ? values[i] : LABEL_OTHER;
	metric_inc(family->folded);
	return family_series(family, others);
}

static bool may_join(struct family *family, const char *const values[METRIC_LABELS_MAX])
{
	if (family->kind > KIND_OPEN)
		return tenant_admit(family, values);
	return family->count < METRICS_OPEN_MAX;
}

struct series *family_series(struct family *family, const char *const values[METRIC_LABELS_MAX])
{
	char bytes[KEY_BYTES];
	struct span key = values_key(family, values, bytes);
	struct series *series = map_get(&family->by_key, key);
	if (series)
		return series;
	if (metric_row_has(family->row, 'P') && !atomic_load(&registry.per_project))
		return family->sink;
	bool others = holds_others(family, values);
	if (!others && !may_join(family, values))
		return family_other(family, values);
	if (!is_reserved(family, values) && !samples_take(family->cost))
		return others ? family->sink : family_other(family, values);
	series = series_new(family);
	series_texts(series, values, key);
	family_insert(family, series);
	if (family->kind > KIND_OPEN)
		tenant_joined(family, series);
	return series;
}

void family_settle(struct family *family)
{
	for (struct series **at = &family->dead; *at;) {
		struct series *series = *at;
		bool held = atomic_load(&series->refs) > 0;
		tenant_fold(family, series);
		if (held) {
			at = &series->next_dead;
			continue;
		}
		*at = series->next_dead;
		series_free(series);
	}
}

bool series_shown(struct series *series, int64_t now_s)
{
	if (series->family->row->type != TYPE_GAUGE || series->family->kind <= KIND_OPEN)
		return true;
	uint64_t total = series_total(series);
	if (total != series->seen_total || total != 0) {
		series->seen_total = total;
		series->active_s = now_s;
		return true;
	}
	const char *values[METRIC_LABELS_MAX] = LABELS_UNSET;
	for (size_t i = 0; i < series->family->labels; i++)
		values[i] = series_label(series, i);
	if (holds_others(series->family, values))
		return false;
	return !metric_row_has(series->family->row, 'I') || now_s - series->active_s < IDLE_HIDDEN_SECONDS;
}

/* ---- making the registry ---- */

/* All combinations of the labels' listed values; none when an open or tenant label lists nothing. */
static void family_fill(struct family *family)
{
	size_t combinations = 1;
	for (size_t i = 0; i < family->labels; i++)
		combinations *= family->row->labels[i].list->count;
	for (size_t n = 0; n < combinations; n++) {
		const char *values[METRIC_LABELS_MAX] = LABELS_UNSET;
		size_t rest = n;
		for (size_t i = 0; i < family->labels; i++) {
			const struct label_list *list = family->row->labels[i].list;
			values[i] = list->values[rest % list->count];
			rest /= list->count;
		}
		(void)family_series(family, values);
	}
}

static void family_make(struct family *family, const struct metric_row *row)
{
	family->row = row;
	family->kind = metric_row_kind(row);
	family->exemplars = metric_row_has(row, 'E');
	family->labels = metric_row_labels(row);
	metric_row_sorted(row, family->order);
	pthread_mutex_init(&family->lock, NULL);
	family->cost = 1;
	if (row->type == TYPE_HISTOGRAM) {
		histogram_layout(row->buckets, &family->layout);
		family->cost = row->buckets->count + 3; /* +Inf, sum, count */
	}
	size_t others = family->kind == KIND_CLOSED ? 0 : 1;
	for (size_t i = 0; i < family->labels; i++)
		if (row->labels[i].list->kind == KIND_CLOSED)
			others *= row->labels[i].list->count;
	atomic_fetch_add(&registry.samples, others * family->cost);
	family->sink = series_new(family);
	family->sink->permanent = true;
}

static void registry_make(void)
{
	const struct metrics_config defaults = METRICS_CONFIG_DEFAULT;
	cells_setup();
	atomic_store(&registry.tenant_max[KIND_PROJECT], defaults.max_projects);
	atomic_store(&registry.tenant_max[KIND_TABLE], defaults.max_tables);
	atomic_store(&registry.tenant_max[KIND_WORKSPACE], defaults.max_workspaces);
	atomic_store(&registry.tenant_max[KIND_BRANCH], defaults.max_branches);
	for (size_t i = 0; i < METRIC_COUNT; i++)
		family_make(&registry.families[i], &metric_rows[i]);
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		struct family *f = &registry.families[i];
		if (!metric_row_has(f->row, 'Z'))
			family_fill(f);
		const char *values[METRIC_LABELS_MAX] = {f->row->name, "", "", ""};
		f->counted = family_series(&registry.families[METRIC_METRICS_SERIES], values);
		if (f->kind != KIND_CLOSED)
			f->folded = family_series(&registry.families[METRIC_METRICS_SERIES_FOLDED_TOTAL], values);
	}
	for (size_t i = 0; i < metric_seed_count; i++)
		(void)family_series(&registry.families[metric_seeds[i].metric], metric_seeds[i].values);
}

struct registry *registry_get(void)
{
	(void)pthread_once(&made, registry_make);
	return &registry;
}

/* ---- finding series ---- */

static struct series *series_of(enum metric metric, va_list args)
{
	struct family *family = &registry_get()->families[metric];
	char clean[METRIC_LABELS_MAX][METRICS_LABEL_BYTES + 4];
	const char *values[METRIC_LABELS_MAX] = LABELS_UNSET;
	bool more = true;
	for (size_t i = 0; i < family->labels; i++) {
		const char *value = more ? va_arg(args, const char *) : NULL;
		more = value != NULL;
		const struct label_list *list = family->row->labels[i].list;
		bool fits = value && (list->kind != KIND_CLOSED || is_listed(list, value));
		if (!fits)
			metric_inc(family->folded);
		clean_value(fits ? value : LABEL_OTHER, clean[i]);
		values[i] = clean[i];
	}
	pthread_mutex_lock(&family->lock);
	struct series *series = family_series(family, values);
	atomic_fetch_add(&series->refs, 1);
	series->active_s = registry_seconds();
	pthread_mutex_unlock(&family->lock);
	return series;
}

struct series *metric_series(enum metric metric, ...)
{
	va_list args;
	va_start(args, metric);
	struct series *series = series_of(metric, args);
	va_end(args);
	return series;
}

struct series *metric_tenant_series(enum metric metric, ...)
{
	va_list args;
	va_start(args, metric);
	struct series *series = series_of(metric, args);
	va_end(args);
	return series;
}

void metric_tenant_release(struct series *series)
{
	if (!series)
		return;
	struct family *family = series->family;
	/* Under the lock, so that a forgotten series is freed by exactly one. */
	pthread_mutex_lock(&family->lock);
	bool last = atomic_fetch_sub(&series->refs, 1) == 1;
	if (last && atomic_load(&series->moved))
		family_settle(family);
	pthread_mutex_unlock(&family->lock);
}
