/*
 * The operation scope: every operation of the product begins and ends here, and
 * nowhere else is counted, timed, written to the history, logged or traced.
 *
 *	struct op op;
 *	op_begin(&op, storage, call, OP_create_bucket, (struct op_target){.project_id = p, .bucket = b});
 *	bool fine = bucket_create_inner(...);
 *	return op_end(&op, fine, err);
 *
 * An operation exists once the caller is admitted and its request decodes: what
 * is refused before op_begin moves no operation metric. op_end is called on
 * every path, exactly once. Histograms observe successes only, over the whole
 * operation with its waits; counters get one of success and error.
 *
 * A scope belongs to one thread at a time (op_moved). Texts given to it live until op_end.
 */
#ifndef STORAGE_OP_H
#define STORAGE_OP_H

#include "base/err.h"
#include "storage/call.h"

struct storage;

enum op_kind {
#define OP(id, resource, kind, family) OP_##id,
#include "storage/ops.def"
#undef OP
	OP_COUNT
};

struct op_target {
	const char *project_id;
	const char *branch_id; /* NULL: default */
	const char *bucket;
	const char *table;
	const char *resource_id; /* what the audit names; NULL: the most exact of the above */
};

enum { OP_SPANS_MAX = 16 };

/* A stretch of an operation's time: lock wait, engine, disk, catalog. The name is static text. */
struct op_span {
	const char *name;
	int64_t start_ns;
	int64_t end_ns;
};

struct op {
	struct storage *storage;
	const struct call *call;
	enum op_kind kind;
	struct op_target target;
	char id[37];
	int64_t start_ns;
	int64_t start_us;
	/* Filled by the operation as it learns them */
	int64_t queue_wait_ns;
	int64_t lock_wait_ns;
	int64_t rows;
	int64_t bytes_in;
	int64_t bytes_out;
	const char *format;	  /* import, export: csv or parquet */
	bool incremental;	  /* import */
	const char *details_json; /* for the history; may be NULL */
	struct op_span spans[OP_SPANS_MAX];
	size_t span_count;
	bool start_recorded;
	/* Private to op_live.c */
	struct op *live_next;
	struct op **live_at;
	const char *_Atomic waiting_for;
};

void op_begin(struct op *op, struct storage *storage, const struct call *call, enum op_kind kind,
	      struct op_target target);
/*
 * Records the start in the history: for work that may outlive the patience of a user or of the process. Durable: when
 * this returns; otherwise a moment later, which short work need not wait for.
 */
void op_began(struct op *op, bool durable);
/* Durable, if the operation is about to read or write a whole table of that size and the size makes it long. */
void op_began_on(struct op *op, int64_t table_bytes);
/* The operation goes on on this thread; the former one is through with it. */
void op_moved(struct op *op);
/* Counts the outcome and returns `fine`. A failure that the caller forgives (call.h) counts as success. */
bool op_end(struct op *op, bool fine, const struct err *err);
/* Instead of op_end: it proved to be no operation, as a transfer of a format that no label fits. Returns false. */
bool op_void(struct op *op);
/* An accepted transfer that ended before its operation could begin: the door could not find the file. Returns false. */
bool op_failed(struct storage *storage, const struct call *call, enum op_kind kind, struct op_target target,
	       const char *format, bool incremental, const struct err *err);
/* The same for any other operation that was decided, well or not, before its scope could begin. Returns `fine`. */
bool op_decided(struct storage *storage, const struct call *call, enum op_kind kind, struct op_target target, bool fine,
		const struct err *err);
const char *op_name(enum op_kind kind);

/* Adds a member to the details that the history keeps. */
void op_detail(struct op *op, const char *key, const char *value);
void op_detail_bool(struct op *op, const char *key, bool value);
void op_detail_int(struct op *op, const char *key, int64_t value);

/* Adds a stretch; what exceeds OP_SPANS_MAX is left out. Times are clock_ns(). */
void op_span(struct op *op, const char *name, int64_t start_ns, int64_t end_ns);

#endif
