/*
 * A session: one connection to an instance. Cheap (25 us); open one per
 * operation or keep it. One statement or cursor at a time, one thread at a time;
 * only session_interrupt and the progress functions may be called from others
 * (while the session is open: the owner takes care of that).
 *
 * Errors: what the user did wrong is ERR_ENGINE_REFUSED, and session_fault()
 * tells precisely what (class, SQLSTATE, position); an interrupt is
 * ERR_CANCELLED, a passed deadline ERR_TIMEOUT; the rest is ERR_IO,
 * ERR_DISK_FULL, ERR_OUT_OF_MEMORY, ERR_ENGINE.
 *
 * The engine reports success for a COMMIT of an aborted transaction (it rolls
 * back): whoever lets users write BEGIN tracks session_in_transaction() and
 * session_aborted(), which answer for what happened on this session.
 *
 * SQL texts with a NUL byte are refused.
 */
#ifndef ENGINE_SESSION_H
#define ENGINE_SESSION_H

#include "engine/cursor.h"
#include "engine/instance.h"

struct session;
struct statement;
struct statements;

enum statement_type {
	STATEMENT_INVALID,
	STATEMENT_SELECT,
	STATEMENT_INSERT,
	STATEMENT_UPDATE,
	STATEMENT_DELETE,
	STATEMENT_MERGE,
	STATEMENT_EXPLAIN,
	STATEMENT_PREPARE,
	STATEMENT_EXECUTE,
	STATEMENT_CREATE,
	STATEMENT_CREATE_FUNCTION,
	STATEMENT_ALTER,
	STATEMENT_DROP,
	STATEMENT_TRANSACTION,
	STATEMENT_COPY,
	STATEMENT_COPY_DATABASE,
	STATEMENT_EXPORT,
	STATEMENT_ANALYZE,
	STATEMENT_VACUUM, /* also CHECKPOINT on some versions */
	STATEMENT_SET,
	STATEMENT_PRAGMA,
	STATEMENT_CALL,
	STATEMENT_LOAD,
	STATEMENT_ATTACH,
	STATEMENT_DETACH,
	STATEMENT_EXTENSION,
	STATEMENT_UPDATE_EXTENSIONS,
	STATEMENT_RELATION,
	STATEMENT_LOGICAL_PLAN,
	STATEMENT_MULTI,
	STATEMENT_OTHER, /* a newer engine's */
	STATEMENT_TYPE_COUNT
};

const char *statement_type_name(enum statement_type type);

/* What a refused statement was about. */
enum fault_kind {
	FAULT_KIND_NONE,
	FAULT_KIND_SYNTAX,
	FAULT_KIND_BINDER,
	FAULT_KIND_CATALOG,
	FAULT_KIND_CONVERSION,
	FAULT_KIND_OUT_OF_RANGE,
	FAULT_KIND_DIVIDE_BY_ZERO,
	FAULT_KIND_CONSTRAINT,
	FAULT_KIND_TRANSACTION,
	FAULT_KIND_DEPENDENCY,
	FAULT_KIND_INVALID_INPUT,
	FAULT_KIND_PERMISSION,
	FAULT_KIND_NOT_IMPLEMENTED,
	FAULT_KIND_SETTINGS,
	FAULT_KIND_SEQUENCE,
	FAULT_KIND_MISSING_EXTENSION,
	FAULT_KIND_INTERRUPT,
	FAULT_KIND_OUT_OF_MEMORY,
	FAULT_KIND_DISK,
	FAULT_KIND_IO,
	FAULT_KIND_INTERNAL
};

struct fault {
	enum fault_kind kind;
	bool fatal;	   /* after it the engine may be of no use any more: instance_is_dead() tells */
	char sqlstate[6];  /* PostgreSQL Appendix A */
	size_t position;   /* of the error in the SQL text: 1-based, in characters; 0: unknown */
	char message[896]; /* the engine's sentence, without its class prefix and without the quoted source lines */
};

MUST_CHECK bool session_open(struct instance *instance, struct session **ret, struct err *err);
/*
 * For sessions of many short statements: the engine prepares to measure each operator of each statement, which is a quarter
 * of its work for a short one, and only EXPLAIN ANALYZE shows it. That brings the figures back, until the session ends.
 */
MUST_CHECK bool session_skip_figures(struct session *session, struct err *err);
/* Rolls back what is open; NULL is fine. */
void session_close(struct session *session);
/* For arena_on_free. */
void session_close_cleanup(void *session);

/* The last failure on this session; kind NONE before the first. */
const struct fault *session_fault(const struct session *session);
bool session_in_transaction(const struct session *session);
/* A statement failed inside the open transaction: only ROLLBACK helps. */
bool session_aborted(const struct session *session);
/*
 * After a failure inside a transaction: asks the engine whether the transaction can go on, as it can when the statement
 * was refused before it ran. True: it is not aborted (any more).
 */
bool session_recover(struct session *session);

/*
 * From here on the engine's memory is looked at while statements of this session run: first after 50 ms, then every 100 ms.
 * What others run on the same instance at that time cannot be told apart.
 */
void session_watch_peaks(struct session *session);
/* The most bytes that were seen since the last call, in memory and spilled to disk; 0 for what was too short to be seen. */
struct session_peaks {
	int64_t memory_bytes, temp_bytes;
};
struct session_peaks session_take_peaks(struct session *session);

/* Runs one or several statements, their rows thrown away. */
MUST_CHECK bool session_run(struct session *session, const char *sql, struct err *err);
/* As above; *ret_changed gets the rows changed by the last one. */
MUST_CHECK bool session_run_count(struct session *session, const char *sql, uint64_t *ret_changed, struct err *err);
/* Starts exactly one statement. */
MUST_CHECK bool session_query(struct session *session, const char *sql, struct cursor **ret, struct err *err);
/* First column of the first row; ERR_ENGINE when there is no row. NULL gives 0. */
MUST_CHECK bool session_int(struct session *session, const char *sql, int64_t *ret, struct err *err);
/* As above, as text in the arena; *ret is NULL for NULL. The column must be VARCHAR. */
MUST_CHECK bool session_text(struct session *session, const char *sql, struct arena *arena, const char **ret,
			     struct err *err);

/* From any thread: ends the running statement with ERR_CANCELLED within moments; nothing if the session is idle. */
void session_interrupt(struct session *session);
/*
 * Asked every few milliseconds while statements run, by another thread that holds a lock of the engine: true ends the
 * statement as session_interrupt does. It may not use the engine. NULL: nobody is asked.
 */
void session_set_brake(struct session *session, bool (*brake)(void *ctx), void *ctx);
/* Statements started from now on, and a stream that is open, get this many nanoseconds each; 0: no limit. */
void session_set_timeout(struct session *session, int64_t timeout_ns);

/*
 * Statements. statement_prepare takes exactly one; its parameters are $1, $2, ... or ?, in 1-based order, and stay bound
 * until the next binding. A parameter whose type the engine cannot tell is TYPE_NULL.
 */
MUST_CHECK bool statement_prepare(struct session *session, const char *sql, struct statement **ret, struct err *err);
void statement_free(struct statement *statement);
enum statement_type statement_type(const struct statement *statement);
size_t statement_parameter_count(const struct statement *statement);
const struct type *statement_parameter_type(struct statement *statement, size_t index);
/* Known before execution; a statement without result has no columns. */
size_t statement_column_count(struct statement *statement);
const struct cursor_column *statement_columns(struct statement *statement);
/* Columns of nothing but NULL, which the engine calls INTEGER, become TYPE_NULL. Prepares a second statement for it. */
void statement_find_untyped(struct statement *statement);
MUST_CHECK bool statement_bind_null(struct statement *statement, size_t index, struct err *err);
MUST_CHECK bool statement_bind_bool(struct statement *statement, size_t index, bool value, struct err *err);
MUST_CHECK bool statement_bind_int(struct statement *statement, size_t index, int64_t value, struct err *err);
MUST_CHECK bool statement_bind_double(struct statement *statement, size_t index, double value, struct err *err);
/* UTF-8; the engine casts it to what the parameter needs. */
MUST_CHECK bool statement_bind_text(struct statement *statement, size_t index, struct span value, struct err *err);
MUST_CHECK bool statement_bind_blob(struct statement *statement, size_t index, struct span value, struct err *err);
/* Unix microseconds UTC, as TIMESTAMP. */
MUST_CHECK bool statement_bind_timestamp(struct statement *statement, size_t index, int64_t unix_us, struct err *err);
MUST_CHECK bool statement_bind_timestamp_tz(struct statement *statement, size_t index, int64_t unix_us,
					    struct err *err);
/* Days and microseconds since 1970-01-01 / midnight. */
MUST_CHECK bool statement_bind_date(struct statement *statement, size_t index, int32_t days, struct err *err);
MUST_CHECK bool statement_bind_time(struct statement *statement, size_t index, int64_t micros, struct err *err);
MUST_CHECK bool statement_bind_interval(struct statement *statement, size_t index, int32_t months, int32_t days,
					int64_t micros, struct err *err);
/* Runs to the end, rows thrown away. */
MUST_CHECK bool statement_run(struct statement *statement, uint64_t *ret_changed, struct err *err);
/* The statement must outlive the cursor. */
MUST_CHECK bool statement_query(struct statement *statement, struct cursor **ret, struct err *err);

/* Several statements of one text, parsed at once, prepared one by one. *ret is to be freed even when count is 0. */
MUST_CHECK bool statements_parse(struct session *session, const char *sql, struct statements **ret, size_t *ret_count,
				 struct err *err);
MUST_CHECK bool statements_prepare(struct statements *statements, size_t i, struct statement **ret, struct err *err);
void statements_free(struct statements *statements);

/*
 * Progress of long work, watched and cancelled from other threads. A session follows at most one; cancelling is sticky:
 * the running statement is interrupted and every later one on a following session fails with ERR_CANCELLED. The struct
 * lives with the job and must outlive the session's following.
 */
struct progress;

/* counted: for progress_percent; otherwise only to cancel. */
struct progress *progress_new(bool counted);
void progress_free(struct progress *progress);
void progress_cancel(struct progress *progress);
bool progress_cancelled(const struct progress *progress);
/* 0 to 100 for the running statement; -1 when nothing is known. */
double progress_percent(struct progress *progress);
/* Rows done, as the work itself reports with progress_add_rows. */
uint64_t progress_rows(const struct progress *progress);
void progress_add_rows(struct progress *progress, uint64_t rows);
/* NULL: follow nothing. */
MUST_CHECK bool session_follow(struct session *session, struct progress *progress, struct err *err);

#endif
