#include "metrics/rows.h"

enum label_list_id {
#define LIST(id, kind, ...) LIST_##id,
#define METRIC(...)
#define SEED(...)
#include "metrics/metrics.def"
#undef LIST
	LIST_COUNT
};

/* The leading NULL lets an open list be empty. */
#define LIST(id, kind, ...) static const char *const list_##id[] = {NULL, ##__VA_ARGS__};
#include "metrics/metrics.def"
#undef LIST

static const struct label_list lists[LIST_COUNT] = {
#define LIST(id, label_kind, ...) [LIST_##id] = {KIND_##label_kind, ARRAY_LEN(list_##id) - 1, list_##id + 1},
#include "metrics/metrics.def"
#undef LIST
#undef METRIC
};

enum bucket_set_id {
	BUCKETS_NONE,
	BUCKETS_H,
	BUCKETS_O,
	BUCKETS_Q,
	BUCKETS_L,
	BUCKETS_W,
	BUCKETS_A,
	BUCKETS_C,
	BUCKETS_G,
	BUCKETS_I,
	BUCKETS_E,
	BUCKETS_S,
	BUCKETS_N,
	BUCKETS_R,
	BUCKETS_M,
	BUCKETS_COUNT
};

static const struct bucket_set bucket_sets[BUCKETS_COUNT] = {
	[BUCKETS_H] = {"H",
		       11,
		       {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		       {"0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0"}},
	[BUCKETS_O] = {"O",
		       11,
		       {.001, .005, .01, .05, .1, .5, 1, 5, 30, 60, 300},
		       {"0.001", "0.005", "0.01", "0.05", "0.1", "0.5", "1.0", "5.0", "30.0", "60.0", "300.0"}},
	[BUCKETS_Q] = {"Q",
		       8,
		       {.01, .1, .5, 1, 5, 10, 30, 60},
		       {"0.01", "0.1", "0.5", "1.0", "5.0", "10.0", "30.0", "60.0"}},
	[BUCKETS_L] = {"L", 7, {.001, .01, .05, .1, .5, 1, 5}, {"0.001", "0.01", "0.05", "0.1", "0.5", "1.0", "5.0"}},
	[BUCKETS_W] = {"W",
		       10,
		       {.01, .05, .1, .5, 1, 5, 10, 30, 60, 300},
		       {"0.01", "0.05", "0.1", "0.5", "1.0", "5.0", "10.0", "30.0", "60.0", "300.0"}},
	[BUCKETS_A] = {"A",
		       7,
		       {.001, .005, .01, .05, .1, .5, 1},
		       {"0.001", "0.005", "0.01", "0.05", "0.1", "0.5", "1.0"}},
	[BUCKETS_C] = {"C",
		       8,
		       {.01, .05, .1, .5, 1, 5, 10, 30},
		       {"0.01", "0.05", "0.1", "0.5", "1.0", "5.0", "10.0", "30.0"}},
	[BUCKETS_G] = {"G",
		       8,
		       {.01, .05, .1, .25, .5, 1, 5, 30},
		       {"0.01", "0.05", "0.1", "0.25", "0.5", "1.0", "5.0", "30.0"}},
	[BUCKETS_I] = {"I",
		       8,
		       {.1, .5, 1, 5, 30, 60, 300, 600},
		       {"0.1", "0.5", "1.0", "5.0", "30.0", "60.0", "300.0", "600.0"}},
	[BUCKETS_E] = {"E", 7, {.1, .5, 1, 5, 30, 60, 300}, {"0.1", "0.5", "1.0", "5.0", "30.0", "60.0", "300.0"}},
	[BUCKETS_S] = {"S", 7, {.01, .05, .1, .5, 1, 5, 30}, {"0.01", "0.05", "0.1", "0.5", "1.0", "5.0", "30.0"}},
	[BUCKETS_N] = {"N", 6, {.01, .1, .5, 1, 5, 30}, {"0.01", "0.1", "0.5", "1.0", "5.0", "30.0"}},
	[BUCKETS_R] = {"R", 6, {.1, .5, 1, 5, 30, 60}, {"0.1", "0.5", "1.0", "5.0", "30.0", "60.0"}},
	[BUCKETS_M] = {"M",
		       8,
		       {.001, .005, .01, .025, .05, .1, .25, .5},
		       {"0.001", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5"}},
};

#define LIST(...)
#define NO_LABELS                  \
	{                          \
		{                  \
			NULL, NULL \
		}                  \
	}
#define LABELS(...)         \
	{                   \
		__VA_ARGS__ \
	}
#define LABEL(name, list)                   \
	{                                   \
		(name), &lists[LIST_##list] \
	}

const struct metric_row metric_rows[METRIC_COUNT] = {
#define METRIC(id_, name_, type_, unit_, group_, buckets_, flags_, labels_, help_)                 \
	[METRIC_##id_] = {.id = #id_,                                                              \
			  .name = (name_),                                                         \
			  .help = (help_),                                                         \
			  .type = TYPE_##type_,                                                    \
			  .unit = UNIT_##unit_,                                                    \
			  .group = GROUP_##group_,                                                 \
			  .buckets = BUCKETS_##buckets_ ? &bucket_sets[BUCKETS_##buckets_] : NULL, \
			  .flags = (flags_),                                                       \
			  .labels = labels_},
#include "metrics/metrics.def"
#undef METRIC
};
#undef SEED

const struct metric_seed metric_seeds[] = {
#define METRIC(...)
#define SEED(id, ...) {METRIC_##id, {__VA_ARGS__}},
#include "metrics/metrics.def"
};
const size_t metric_seed_count = ARRAY_LEN(metric_seeds);

bool metric_row_has(const struct metric_row *row, char flag)
{
	return strchr(row->flags, flag) != NULL;
}

size_t metric_row_labels(const struct metric_row *row)
{
	size_t n = 0;
	while (n < METRIC_LABELS_MAX && row->labels[n].name)
		n++;
	return n;
}

enum label_kind metric_row_kind(const struct metric_row *row)
{
	enum label_kind kind = KIND_CLOSED;
	for (size_t i = 0; i < metric_row_labels(row); i++)
		if (row->labels[i].list->kind > kind)
			kind = row->labels[i].list->kind;
	return kind;
}

void metric_row_sorted(const struct metric_row *row, size_t ret[METRIC_LABELS_MAX])
{
	size_t n = metric_row_labels(row);
	for (size_t i = 0; i < n; i++) {
		size_t at = i;
		for (; at > 0 && strcmp(row->labels[ret[at - 1]].name, row->labels[i].name) > 0; at--)
			ret[at] = ret[at - 1];
		ret[at] = i;
	}
}

const char *metric_type_name(enum metric_type type)
{
	static const char *const names[] = {
		[TYPE_COUNTER] = "counter", [TYPE_GAUGE] = "gauge", [TYPE_HISTOGRAM] = "histogram"};
	return names[type];
}

const char *metric_unit_name(enum metric_unit unit)
{
	static const char *const names[] = {[UNIT_NONE] = "", [UNIT_SECONDS] = "seconds", [UNIT_BYTES] = "bytes"};
	return names[unit];
}

static const char *const group_names[GROUP_COUNT] = {
#define X(id, name) [GROUP_##id] = (name),
	METRIC_GROUPS(X)
#undef X
};

const char *metric_group_name(enum metric_group group)
{
	return group_names[group];
}

int metric_group_find(struct span name)
{
	for (int i = 0; i < GROUP_COUNT; i++)
		if (span_is(name, group_names[i]))
			return i;
	return -1;
}

const char *label_kind_name(enum label_kind kind)
{
	static const char *const names[KIND_COUNT] = {
		[KIND_CLOSED] = "closed", [KIND_OPEN] = "open",		  [KIND_PROJECT] = "project",
		[KIND_TABLE] = "table",	  [KIND_WORKSPACE] = "workspace", [KIND_BRANCH] = "branch"};
	return names[kind];
}
