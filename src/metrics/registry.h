/*
 * The families and their series: made once from metrics.def, filled as label sets appear.
 *
 * Each family has a lock for its structure (which series exist); numbers are updated without it. `moved` points a
 * forgotten series at the family's "_other" one: an update that lost the race against forgetting lands in the old
 * cells and is folded over later (family_settle), so nothing is lost. Internal to the metrics room.
 */
#ifndef METRICS_REGISTRY_H
#define METRICS_REGISTRY_H

#include "base/map.h"
#include "metrics/exemplar.h"
#include "metrics/histogram.h"

#include <pthread.h>

#define LABEL_OTHER "_other"
/* Values before they are known. */
#define LABELS_UNSET           \
	{                      \
		"", "", "", "" \
	}

struct series {
	/* Read by every update */
	struct series_head head;
	enum metric_type type;
	bool owned; /* never folded: its cells are added to in the quicker way */
	bool exemplified;
	struct family *family;
	struct series *_Atomic moved;
	cell *cells;
	_Atomic uint64_t octaves; /* histogram: those ever used */
	_Atomic uint64_t fixed;	  /* bits of a double: a gauge that is set, a mirrored counter */
	struct exemplar_store exemplars;
	/* Structure */
	atomic_uint refs;
	bool permanent;
	char *key;  /* values in the order of metrics.def, a NUL behind each */
	char *text; /* as printed: name="value",... sorted by name */
	size_t key_len;
	size_t le_at; /* where `le` goes in text */
	int64_t created_us;
	struct series *next_dead;
	uint64_t seen_total; /* for idleness */
	int64_t active_s;
};

struct family {
	const struct metric_row *row;
	enum label_kind kind;
	bool exemplars;
	size_t labels;
	size_t order[METRIC_LABELS_MAX];
	size_t cost; /* samples of one series */
	struct histogram_layout layout;
	pthread_mutex_t lock;
	struct map by_key;
	struct map tenants;	/* label sets of their own: tenant values -> struct tenant */
	struct series **sorted; /* by text */
	size_t count;
	size_t cap;
	struct series *dead;	/* moved and still held */
	struct series *sink;	/* takes what may not be shown */
	struct series *counted; /* duckdb_metrics_series of this family */
	struct series *folded;	/* duckdb_metrics_series_folded_total of this family */
	int64_t swept_s;
};

struct registry {
	struct family families[METRIC_COUNT];
	atomic_size_t samples; /* of all families, with those kept free for "_other" */
	atomic_size_t tenant_max[KIND_COUNT];
	atomic_bool per_project;
};

/* Makes the registry on first use. */
struct registry *registry_get(void);
/* Seconds on the monotonic clock; a variable so that tests can pass a day. */
extern int64_t (*registry_seconds)(void);

/* All below: with the family's lock held. */

/* Finds or makes; never NULL. `values` are clean. */
struct series *family_series(struct family *family, const char *const values[METRIC_LABELS_MAX]);
void family_remove(struct family *family, struct series *series);
/* Folds what arrived late in forgotten series. */
void family_settle(struct family *family);
/* The series as read: counters and gauges. */
double series_value(const struct series *series);
/* Exact value of a counter that is no time and no mirror; false: use series_value. */
bool series_whole(const struct series *series, uint64_t *ret);
/* Changes whenever the series is updated. */
uint64_t series_total(const struct series *series);
/* False for what is not to be printed now: idle queues, an unused "_other" gauge. */
bool series_shown(struct series *series, int64_t now_s);
/* The value behind the given label of metrics.def, unescaped. */
const char *series_label(const struct series *series, size_t label);
void series_free(struct series *series);

/* tenant.c */

/* True when the tenant of `values` has series of its own or may have. */
bool tenant_admit(struct family *family, const char *const values[METRIC_LABELS_MAX]);
void tenant_joined(struct family *family, struct series *series);
/* Notes which series were used since the last sweep. */
void tenant_sweep(struct family *family);
/* Adds a forgotten series' cells to those of "_other". */
void tenant_fold(struct family *family, struct series *series);

#endif
