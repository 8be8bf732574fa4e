/* Series named by tenants: the caps, and the way out of the family into "_other". */
#include "metrics/registry.h"

#include "base/arena.h"

#include <stdlib.h>

enum {
	IDLE_EVICT_SECONDS = 24 * 3600,
	SWEEP_SECONDS = 60,
	TENANT_KEY_BYTES = METRIC_LABELS_MAX * (METRICS_LABEL_BYTES + 4)
};

/* One label set of the tenant labels, over all values of the closed ones. */
struct tenant {
	size_t series;
	int64_t active_s; /* of the newest series, after tenants_date */
};

static bool is_tenant_label(const struct family *family, size_t label)
{
	return family->row->labels[label].list->kind > KIND_OPEN;
}

static struct span tenant_key(const struct family *family, const char *const values[METRIC_LABELS_MAX],
			      char ret[TENANT_KEY_BYTES])
{
	size_t used = 0;
	for (size_t i = 0; i < family->labels; i++) {
		if (!is_tenant_label(family, i))
			continue;
		size_t len = strlen(values[i]) + 1;
		memcpy(ret + used, values[i], len);
		used += len;
	}
	return (struct span){ret, used};
}

static void series_values(const struct series *series, const char *ret[METRIC_LABELS_MAX])
{
	for (size_t i = 0; i < series->family->labels; i++)
		ret[i] = series_label(series, i);
}

static bool is_folded(const struct series *series)
{
	for (size_t i = 0; i < series->family->labels; i++)
		if (is_tenant_label(series->family, i) && strcmp(series_label(series, i), LABEL_OTHER) != 0)
			return false;
	return true;
}

static struct tenant *tenant_of(struct family *family, const struct series *series, bool make)
{
	char bytes[TENANT_KEY_BYTES];
	const char *values[METRIC_LABELS_MAX] = LABELS_UNSET;
	series_values(series, values);
	struct span key = tenant_key(family, values, bytes);
	struct tenant *tenant = map_get(&family->tenants, key);
	if (!tenant && make) {
		tenant = mem_alloc(sizeof(*tenant));
		(void)map_put(&family->tenants, key, tenant);
	}
	return tenant;
}

void tenant_joined(struct family *family, struct series *series)
{
	if (!is_folded(series))
		tenant_of(family, series, true)->series++;
}

static void tenant_left(struct family *family, struct series *series)
{
	char bytes[TENANT_KEY_BYTES];
	const char *values[METRIC_LABELS_MAX] = LABELS_UNSET;
	series_values(series, values);
	struct tenant *tenant = tenant_of(family, series, false);
	if (tenant && --tenant->series == 0)
		free(map_remove(&family->tenants, tenant_key(family, values, bytes)));
}

static struct series *other_of(struct family *family, const struct series *series)
{
	const char *values[METRIC_LABELS_MAX] = LABELS_UNSET;
	for (size_t i = 0; i < family->labels; i++)
		values[i] = is_tenant_label(family, i) ? LABEL_OTHER : series_label(series, i);
	return family_series(family, values);
}

static void fold_plain(struct series *series, struct series *other)
{
	for (size_t shard = 0; shard < cells_shards; shard++) {
		cell *from = &series->cells[shard * COUNTER_STRIDE];
		uint64_t n = atomic_exchange_explicit(from, 0, memory_order_relaxed);
		if (n)
			atomic_fetch_add_explicit(&other->cells[shard * COUNTER_STRIDE], n, memory_order_relaxed);
	}
}

void tenant_fold(struct family *family, struct series *series)
{
	struct series *other = atomic_load(&series->moved);
	if (family->row->type != TYPE_HISTOGRAM) {
		fold_plain(series, other);
		return;
	}
	uint64_t octaves = atomic_load(&series->octaves);
	atomic_fetch_or(&other->octaves, octaves);
	histogram_move(series->cells, other->cells, octaves);
}

/* Out of the family; holders go on with "_other". */
static void tenant_remove(struct family *family, struct series *series)
{
	atomic_store_explicit(&series->moved, other_of(family, series), memory_order_release);
	tenant_left(family, series);
	family_remove(family, series);
	tenant_fold(family, series);
	metric_inc(family->folded);
	series->next_dead = family->dead;
	family->dead = series;
}

void tenant_sweep(struct family *family)
{
	int64_t now = registry_seconds();
	family->swept_s = now;
	for (size_t i = 0; i < family->count; i++) {
		struct series *series = family->sorted[i];
		uint64_t total = series_total(series);
		/* An open connection is no idle series, however quiet. */
		bool moved_up = family->row->type == TYPE_GAUGE && series_value(series) != 0 &&
				atomic_load(&series->fixed) == 0;
		if (total == series->seen_total && !moved_up)
			continue;
		series->seen_total = total;
		series->active_s = now;
	}
}

/* A tenant is as idle as its newest series. */
static void tenants_date(struct family *family)
{
	for (size_t i = 0; i < family->count; i++) {
		struct series *series = family->sorted[i];
		struct tenant *tenant = is_folded(series) ? NULL : tenant_of(family, series, false);
		if (tenant && tenant->active_s < series->active_s)
			tenant->active_s = series->active_s;
	}
}

/* Removes the series that `gone` says yes to. */
static void remove_where(struct family *family, bool (*gone)(const struct series *series, const void *ctx),
			 const void *ctx)
{
	for (size_t i = family->count; i-- > 0;) {
		struct series *series = family->sorted[i];
		size_t before = family->count;
		if (is_folded(series) || !gone(series, ctx))
			continue;
		tenant_remove(family, series);
		/* "_other" was added: what stood before this place may stand on it now. */
		if (family->count == before)
			i++;
	}
	family_settle(family);
}

static bool is_idle(const struct series *series, const void *ctx)
{
	const struct tenant *tenant = tenant_of(series->family, series, false);
	return !tenant || *(const int64_t *)ctx - tenant->active_s >= IDLE_EVICT_SECONDS;
}

static void evict_idle(struct family *family)
{
	int64_t now = registry_seconds();
	if (now - family->swept_s < SWEEP_SECONDS)
		return;
	tenant_sweep(family);
	tenants_date(family);
	remove_where(family, is_idle, &now);
}

bool tenant_admit(struct family *family, const char *const values[METRIC_LABELS_MAX])
{
	size_t max = atomic_load(&registry_get()->tenant_max[family->kind]);
	char bytes[TENANT_KEY_BYTES];
	if (map_get(&family->tenants, tenant_key(family, values, bytes)))
		return true;
	if (family->tenants.count >= max && max > 0)
		evict_idle(family);
	return family->tenants.count < max;
}

/* ---- forgetting ---- */

static bool is_wanted(const struct series *series, const void *ctx)
{
	const char *const *wanted = ctx;
	size_t at = 0;
	for (size_t i = 0; i < series->family->labels; i++) {
		if (!is_tenant_label(series->family, i))
			continue;
		if (at < 3 && wanted[at] && strcmp(wanted[at], series_label(series, i)) != 0)
			return false;
		at++;
	}
	return true;
}

static void family_forget(struct family *family, const char *const wanted[3])
{
	pthread_mutex_lock(&family->lock);
	remove_where(family, is_wanted, wanted);
	pthread_mutex_unlock(&family->lock);
}

void metric_tenant_forget(enum metric_tenant tenant, const char *first, const char *second, const char *third)
{
	static const enum label_kind kinds[] = {[TENANT_PROJECT] = KIND_PROJECT,
						[TENANT_TABLE] = KIND_TABLE,
						[TENANT_WORKSPACE] = KIND_WORKSPACE,
						[TENANT_BRANCH] = KIND_BRANCH};
	const char *const wanted[3] = {first, second, third};
	struct registry *registry = registry_get();
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		enum label_kind kind = registry->families[i].kind;
		/* Tables and branches are named by their project first. */
		if (kind == kinds[tenant] || (tenant == TENANT_PROJECT && (kind == KIND_TABLE || kind == KIND_BRANCH)))
			family_forget(&registry->families[i], wanted);
	}
}
