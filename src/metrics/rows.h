/*
 * metrics.def as constant tables: what the registry, the writers, ?list and the docs read. Immutable, thread-safe.
 */
#ifndef METRICS_ROWS_H
#define METRICS_ROWS_H

#include "metrics/metrics.h"

enum { METRIC_LABELS_MAX = 4, BUCKETS_MAX = 11 };

enum metric_type { TYPE_COUNTER, TYPE_GAUGE, TYPE_HISTOGRAM };
enum metric_unit { UNIT_NONE, UNIT_SECONDS, UNIT_BYTES };

/* The pages /metrics/{group}. */
#define METRIC_GROUPS(X)              \
	X(HEALTH, "health")           \
	X(HTTP, "http")               \
	X(ERRORS, "errors")           \
	X(OPERATIONS, "operations")   \
	X(STORAGE, "storage")         \
	X(LOCKS, "locks")             \
	X(IDEMPOTENCY, "idempotency") \
	X(QUEUE, "queue")             \
	X(PGWIRE, "pgwire")           \
	X(BRANCHES, "branches")       \
	X(METADATA, "metadata")       \
	X(IO, "io")                   \
	X(FILES, "files")             \
	X(SNAPSHOTS, "snapshots")     \
	X(SCHEMA, "schema")           \
	X(GRPC, "grpc")               \
	X(S3, "s3")                   \
	X(SHARING, "sharing")         \
	X(SELF, "self")               \
	X(DOORS, "doors")             \
	X(POOLS, "pools")             \
	X(ENGINE, "engine")           \
	X(DISK, "disk")               \
	X(JOBS, "jobs")               \
	X(PROJECTS, "projects")       \
	X(KERNEL, "kernel")           \
	X(PROCESS, "process")

enum metric_group {
#define X(id, name) GROUP_##id,
	METRIC_GROUPS(X)
#undef X
		GROUP_COUNT
};

enum label_kind { KIND_CLOSED, KIND_OPEN, KIND_PROJECT, KIND_TABLE, KIND_WORKSPACE, KIND_BRANCH, KIND_COUNT };

struct label_list {
	enum label_kind kind;
	size_t count;
	const char *const *values;
};

struct metric_label {
	const char *name;
	const struct label_list *list;
};

struct bucket_set {
	const char *name;
	size_t count;
	double bounds[BUCKETS_MAX];
	const char *texts[BUCKETS_MAX]; /* as `le` is printed */
};

struct metric_row {
	const char *id;
	const char *name;
	const char *help;
	enum metric_type type;
	enum metric_unit unit;
	enum metric_group group;
	const struct bucket_set *buckets; /* NULL for counters and gauges */
	const char *flags;
	struct metric_label labels[METRIC_LABELS_MAX];
};

struct metric_seed {
	enum metric metric;
	const char *values[METRIC_LABELS_MAX];
};

extern const struct metric_row metric_rows[METRIC_COUNT];
extern const struct metric_seed metric_seeds[];
extern const size_t metric_seed_count;

bool metric_row_has(const struct metric_row *row, char flag);
size_t metric_row_labels(const struct metric_row *row);
/* KIND_PROJECT... when the row has a tenant label, KIND_OPEN when it has an open one, else KIND_CLOSED. */
enum label_kind metric_row_kind(const struct metric_row *row);
/* Position in the labels of each, in the order of their names. */
void metric_row_sorted(const struct metric_row *row, size_t ret[METRIC_LABELS_MAX]);
const char *metric_type_name(enum metric_type type);
const char *metric_unit_name(enum metric_unit unit); /* "" for none */
const char *metric_group_name(enum metric_group group);
/* -1: no such group. */
int metric_group_find(struct span name);
const char *label_kind_name(enum label_kind kind);

#endif
