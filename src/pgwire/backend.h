/*
 * Private to the live half of the door: one session of a client, and what its
 * files share. A backend belongs to its thread; others touch only what is atomic
 * and, under `guard`, the engine session they interrupt.
 *
 * Three memories: `arena` of the session, `work` of the current message, and an
 * arena in each prepared statement and portal.
 */
#ifndef PGWIRE_BACKEND_H
#define PGWIRE_BACKEND_H

#include "base/map.h"
#include "engine/bind.h"
#include "engine/encode_pg.h"
#include "engine/session.h"
#include "pgwire/catalog_file.h"
#include "pgwire/command.h"
#include "pgwire/conn.h"
#include "pgwire/door.h"
#include "pgwire/fingerprint.h"
#include "pgwire/guc.h"
#include "pgwire/message.h"
#include "pgwire/origins.h"
#include "pgwire/rewrite.h"
#include "pgwire/spool.h"
#include "pgwire/stmt.h"
#include "pgwire/types.h"
#include "storage/activity.h"
#include "storage/pg_session.h"
#include "storage/workspace_instance.h"

#include <pthread.h>
#include <stdio.h>

struct command_fetch;
struct series;
struct storage;

enum {
	BACKEND_PREPARED_MAX = 10000,
	BACKEND_PORTALS_MAX = 1000,
	BACKEND_SAVEPOINTS_MAX = 1000,
	BACKEND_RECENT = 16,
	BACKEND_TICK_MS = 200,
	HANDSHAKE_SECONDS = 60
};

/* How far a connection is with its login: who said least makes way first. */
enum backend_login { LOGIN_SILENT, LOGIN_NAMED, LOGIN_PROVEN };

/* Why a session ends from outside; BACKEND_RUNS: it does not. */
enum backend_end { BACKEND_RUNS, BACKEND_TERMINATED, BACKEND_IDLE, BACKEND_SHUTDOWN, BACKEND_FAILED };

struct pg_door {
	struct storage *storage;
	int listener;
	bool deaf; /* nobody can connect */
	int port;
	int wake[2];
	unsigned long thread;
	struct ssl_ctx_st *tls;
	unsigned char binding[64];
	size_t binding_len;
	unsigned char mock_secret[32];
	char started[40];
	struct catalog_file catalog;
	struct activity_source source;
	atomic_bool draining;
	pthread_mutex_t lock; /* the list, its counts, the throttle */
	pthread_cond_t gone;
	struct backend *backends;
	size_t count;	  /* connections of any kind */
	size_t newcomers; /* of these: without a proven login */
	uint32_t next_pid;
	struct {
		uint64_t key; /* hash of peer and user */
		unsigned failures;
		int64_t last_ns;
	} throttle[1024];
};

/* A prepared statement, of the protocol or of SQL. */
struct prepared {
	struct arena *arena;
	const char *name;
	struct span sql;  /* as the client sent it */
	struct stmt stmt; /* its text lives in the arena */
	uint32_t *given;  /* types as Parse told them */
	size_t given_count;
	uint32_t *oids;	 /* by parameter, as the client is told; 0: not known yet */
	uint32_t *types; /* as values are decoded: for texts what their place asks for */
	uint8_t *scales; /* of decimal ones, for the plan */
	bool *used;	 /* the text has $n */
	size_t parameters;
	bool takes_values;	/* the engine gets the parameters as values, not as literals */
	struct statement *plan; /* the engine's, kept */
	uint64_t plan_settings; /* of the session, when it was made */
	uint64_t plan_attached; /* likewise, workspace_attached() */
	uint64_t plan_changes;	/* likewise, workspace_changes(), when its columns were told */
	bool plan_busy;		/* a portal reads from it */
	bool is_recent, is_stale;
	bool no_tables; /* none of the project's can be named */
	bool described; /* columns and all oids are known */
	struct message_column *columns;
	size_t column_count;
	int64_t created_us;
	bool from_sql;
	unsigned uses; /* portals made of it that are open */
	bool closed;   /* its name is gone; freed with the last use */
};

/*
 * A result on its way to the client, made by Bind or by DECLARE CURSOR. Its rows are numbered from 1. They come from the
 * engine's stream, one chunk at hand at a time, and from a spool: of what may scroll back, all rows that came; of others
 * those that were left when the engine had to run something else.
 */
struct portal {
	struct arena *arena;
	const char *name;
	const char *query; /* the text of DECLARE; NULL: made by Bind */
	struct prepared *of;
	struct stmt stmt;	     /* with its parameters filled in */
	struct bind_value *values;   /* of the parameters, when `of` takes values */
	struct statement *statement; /* the engine's, until it ran */
	bool borrowed;		     /* statement is the plan of `of` */
	bool loose;		     /* statement was planned outside of the transaction that will run it */
	struct message_column *columns;
	int16_t *formats;
	size_t column_count;
	uint64_t pin;
	bool pinned;
	bool ready; /* columns and formats are known */
	bool started;
	int16_t *bound; /* result formats as Bind gave them */
	size_t bound_formats;
	uint64_t sent;
	uint64_t changed;
	int64_t created_us;
	size_t level;	    /* savepoints there were when it was made */
	bool hold;	    /* to outlive its transaction */
	bool held;	    /* does */
	bool tells_columns; /* before its rows */
	bool binary;	    /* FETCH of a simple query gets its rows in binary */

	/* Rows */
	struct cursor *cursor;	      /* the engine's; NULL: not started, spooled, or over */
	const struct vector *vectors; /* of the rows at hand: the last chunk_rows of those taken */
	size_t vector_count;
	uint64_t chunk_rows;
	uint64_t taken; /* rows that came from the stream; all there are, once it is over */
	uint64_t at;	/* the row it stands on; 0: before the first, taken + 1 when over: behind the last */
	struct spool *spool;
	uint64_t base; /* rows before the spool's first */
	bool scroll;   /* keeps its rows however many they are */
	bool keeps;    /* all rows that came are at hand or in the spool: it may go back */
	bool over;     /* no more rows will come */
	bool cut;      /* rows were lost with an error: it is of no use any more */

	/* FETCH */
	struct command_fetch *fetch;
	struct portal *from; /* only while it runs */
	bool filled;	     /* its rows stand in its own spool */
};

/* One row, where it lies; without vectors: there is none. */
struct row {
	const struct vector *vectors;
	size_t at;
};

struct savepoint {
	char *name;
	uint64_t changes;
	size_t settings; /* gucs_mark() */
	bool read_only;
};

struct backend {
	struct pg_door *door;
	struct backend *next, **link;
	struct conn conn;
	struct arena *arena, *work;
	struct arena *spare; /* of the portal that ended last, for the next; may be NULL */
	uint32_t pid, key;
	atomic_int end;	  /* enum backend_end */
	atomic_int login; /* enum backend_login */
	atomic_bool running;
	atomic_bool planning; /* for Parse, Bind or Describe */

	/* Who */
	char user[256];
	char database[300];
	struct workspace workspace;
	struct workspace_instance *wi;
	struct pg_own_session *registered;
	struct series *active, *duration, *slow;
	struct series *succeeded; /* of pgwire_queries_total; NULL before the first */
	int64_t connected_us;
	int64_t heard_us; /* when the client last sent something */

	/* The engine */
	pthread_mutex_t guard; /* engine */
	struct session *engine;
	atomic_bool cancelled; /* a cancel hit the running statement, which was not told yet */
	bool catalog_ready;
	bool epoch_known;
	uint64_t epoch;		  /* of the project's tables as the catalog lists them */
	struct arena *path_arena; /* of what is kept of the search path */
	const char *path_applied; /* the search path the engine has */
	const char *path_engine;  /* as the engine spells it; NULL: it was never set */
	bool engine_first;	  /* with the engine's own functions in front of it */
	bool path_had_catalog;
	bool path_was_set; /* else the engine has its own, which is main */
	bool catalog_hidden;
	bool has_temp;	     /* temporary objects may exist */
	bool acts_on_commit; /* there may be temporary tables that the end of a transaction drops or empties */
	char zone_applied[128];
	const char **path; /* its schemas when buckets are among them, "" for others */
	size_t path_count;
	uint64_t plan_settings; /* counts changes that plans depend on */
	struct origins origins;
	struct gucs gucs;
	struct pg_style style;

	/* Transaction */
	char block;    /* I, T, E */
	bool implicit; /* an engine transaction that ends with Sync or the query string */
	bool read_only;
	bool has_queried; /* the block's modes are settled */
	uint64_t changes; /* statements that modified, since BEGIN */
	bool objects_changed;
	uint64_t pin;
	bool pinned;
	struct savepoint *savepoints;
	size_t savepoint_count;
	struct map attached; /* tables named since BEGIN */
	/* The workspace's size limit */
	_Atomic int64_t size_before; /* bytes of the file when the statement that writes began; -1: none does */
	atomic_bool full;	     /* its file grew over the limit: interrupted for that */
	int64_t unwritten_before; /* workspace_unwritten() at the transaction's first change; -1: far from the limit */
	bool was_full;		  /* something was refused: free its blocks */

	/* Extended protocol */
	bool skipping;		 /* until Sync */
	struct prepared *parsed; /* its ParseComplete waits for what Bind or Describe, which follow, find */
	struct map prepared, portals;
	struct portal *current;			 /* the one that runs */
	struct prepared *recent[BACKEND_RECENT]; /* plans of simple queries, by hash of their text */
	uint64_t spooled;			 /* bytes of all spools */
	int64_t until_ns;			 /* the running statement's timeout; 0: none */
	struct portal *streaming;		 /* whose rows the engine session is busy with */

	/* For pg_stat_activity, under guard */
	char query[1024];
	char application_name[64];
	int64_t query_us, state_us;
	_Atomic int64_t block_us;
	_Atomic uint64_t statements_run, rows_sent; /* only the session's own thread writes */
	atomic_char shown_block;		    /* `block` as of the last ReadyForQuery */
	atomic_bool serving;			    /* logged in, not yet ending; changes under the door's lock */
	uint64_t statement_rows;		    /* of the statement that runs */
	uint64_t statement_spooled;		    /* bytes it wrote to spools */
	struct {
		struct arena *arena;
		struct span text;
		struct fingerprint is;
	} known; /* the last statement: clients repeat themselves */
};

/* Where the text of a statement stands in what the client sent, for error positions. */
struct origin {
	struct span whole;
	struct span text;
};

/* ---- startup.c ---- */
/* The handshake up to ReadyForQuery. False: the connection is over. */
bool startup_run(struct backend *b);

/* ---- session.c ---- */
void backend_serve(struct backend *b);
/* Sends *e; in a block the block fails. FATAL also ends. */
void backend_error(struct backend *b, struct pg_error *e);
void backend_notice(struct backend *b, enum pg_severity severity, const char *sqlstate, const char *text);
void backend_fatal(struct backend *b, const char *sqlstate, const char *text);
void backend_ready(struct backend *b);
/* Reads until a whole message is there; false: the session is over. */
bool backend_message(struct backend *b, struct message_frame *ret);
/* The same inside a statement: *ret_quiet when none came within BACKEND_TICK_MS. */
bool backend_message_or_tick(struct backend *b, struct message_frame *ret, bool *ret_quiet);
/* The engine's failure as a pg_error, with position. */
bool backend_engine_error(struct backend *b, const struct err *err, const struct rewritten *rewritten,
			  const struct stmt *stmt, struct pg_error *e);
bool backend_interrupt(struct backend *b);
/* Takes note of a cancel, once: true with *e filled. */
bool backend_cancelled(struct backend *b, struct pg_error *e);
/* The same, and whether the statement took too long: for work without the engine. */
bool backend_stopped(struct backend *b, struct pg_error *e);

/* ---- transaction.c ---- */
MUST_CHECK bool transaction_command(struct backend *b, const struct stmt *s, char tag[STMT_TAG_SIZE + 24],
				    struct pg_error *e);
/* An engine transaction for a pipeline or a query string of many; nothing when one is open. */
MUST_CHECK bool transaction_begin_implicit(struct backend *b, struct pg_error *e);
/* Whether it may read tables, be it through a macro. */
bool transaction_reads(const struct stmt *s);
/*
 * The same for a statement that reads tables and has no parameters. The engine plans it, knowing the rows as they are, before
 * it runs: what others commit between the two must not be seen.
 */
MUST_CHECK bool transaction_begin_read(struct backend *b, const struct stmt *s, struct pg_error *e);
/* Ends the implicit transaction: commits, or rolls back after a failure. */
MUST_CHECK bool transaction_end_implicit(struct backend *b, bool commit, struct pg_error *e);
void transaction_failed(struct backend *b);
/* A block that failed takes only what ends it. */
MUST_CHECK bool transaction_allows(const struct backend *b, const struct stmt *s, struct pg_error *e);
/* Whether the workspace may keep what the transaction wrote so far. */
MUST_CHECK bool transaction_fits(struct backend *b, struct pg_error *e);
/* So near to the limit that a statement alone must be undone when it went beyond. */
bool transaction_is_tight(struct backend *b, const struct stmt *s);
/* Gives back what a statement took that was refused for the limit. */
void transaction_tidy(struct backend *b);
/* Before a statement that changes something: read-only mode, size limit. */
MUST_CHECK bool transaction_may_write(struct backend *b, const struct stmt *s, struct pg_error *e);
void transaction_drop(struct backend *b);

/* ---- filter.c ---- */
/* Refuses what tenants may not run, by the statement's tokens. */
MUST_CHECK bool filter_statement(struct backend *b, const struct stmt *s, struct pg_error *e);
/* Names the engine itself gives to files and to the door's own tables. */
bool filter_is_hidden(struct span name);
/* Once more where the text was rewritten: what was taken out of it may have stood in front of a file's name. */
MUST_CHECK bool filter_rewritten(struct backend *b, struct span sql, struct pg_error *e);
/* The second net: the type the engine's parser found. */
MUST_CHECK bool filter_type(const struct stmt *s, enum statement_type type, struct pg_error *e);

/* ---- tables.c ---- */
/* Attaches the project's tables the statement names; refuses to write to them. */
MUST_CHECK bool tables_attach(struct backend *b, const struct stmt *s, struct pg_error *e);
/* Puts the catalog's SQL and the list of the project's tables in place. */
MUST_CHECK bool tables_catalog(struct backend *b, struct pg_error *e);
/* listing.c: the rows that list them, as of this epoch; nothing when they already are. */
MUST_CHECK bool listing_update(struct backend *b, uint64_t epoch, struct err *err);
/* The id they give a table, but where two names meet. */
uint32_t listing_table_oid(const char *bucket, const char *table);
const struct rewrite_hooks *tables_hooks(struct backend *b, struct rewrite_hooks *ret);

/* ---- serial.c ---- */
/* The statements that drop the sequences of the tables which the statement drops; NULL: none. */
const char *serial_sequences(struct backend *b, const struct stmt *s);
/* Those of the tables that it empties, as nextval() takes their names. */
MUST_CHECK bool serial_names(struct backend *b, const struct stmt *s, const char ***ret, size_t *ret_count,
			     struct err *err);
/*
 * A DROP for each row of a query: kind, database, schema, name; NULL: it has none. Put together here, because functions that a
 * query calls may be macros of the tenant.
 */
MUST_CHECK bool serial_drops(struct backend *b, const char *query, const char **ret, struct err *err);

/* ---- state.c: the session's own state as SQL ---- */
void state_put_text(struct buf *out, const char *text);
/* 0: NULL */
void state_put_time(struct buf *out, int64_t us);
void activity_sql(struct backend *b, struct buf *out);
/* Lets SQL cancel and terminate sessions of the workspace. */
MUST_CHECK bool activity_signals(struct backend *b, struct session *session, struct err *err);
void statements_sql(struct backend *b, struct buf *out);
void statements_info_sql(struct backend *b, struct buf *out);
bool session_relation(struct backend *b, struct span name, struct buf *out);
bool session_call(struct backend *b, struct span name, const struct span *arguments, size_t n, struct buf *out);

/* ---- run.c ---- */
/* From text to a statement of the engine: filter, rewrite, attach, prepare. *ret NULL: nothing is left to run. */
MUST_CHECK bool run_prepare(struct backend *b, const struct stmt *s, struct arena *arena, struct statement **ret,
			    struct pg_error *e);
/* Columns as a client sees them; `s` is the statement's text, NULL when it is none of the client's. */
void run_columns(struct backend *b, struct statement *statement, const struct stmt *s, struct arena *arena,
		 struct message_column **ret, size_t *ret_count);
void run_cursor_columns(struct backend *b, const struct cursor *cursor, struct arena *arena,
			struct message_column **ret, size_t *ret_count);
/* Starts the portal's statement. */
MUST_CHECK bool run_start(struct backend *b, struct portal *p, struct pg_error *e);
/* Sends up to max rows (0: all) as DataRow. *ret_more: stopped at max. */
MUST_CHECK bool run_rows(struct backend *b, struct portal *p, uint64_t max, bool *ret_more, struct pg_error *e);
/* One statement without rows wanted. */
MUST_CHECK bool run_sql(struct backend *b, const char *sql, struct pg_error *e);
/* Brackets what counts as one statement of metrics, timeouts and activity. */
int64_t run_begin(struct backend *b, struct span text);
void run_end(struct backend *b, int64_t start_ns, const struct pg_error *failed, struct span text);

/* ---- rows.c: the rows of portals ---- */
/* The next row, or the one before; none at either end. Going back is 55000 when the rows are not kept. */
MUST_CHECK bool rows_next(struct backend *b, struct portal *p, struct row *ret, struct pg_error *e);
MUST_CHECK bool rows_prior(struct backend *b, struct portal *p, struct row *ret, struct pg_error *e);
/* Over at most n rows, without looking at them: *ret_n. */
MUST_CHECK bool rows_skip(struct backend *b, struct portal *p, uint64_t n, uint64_t *ret_n, struct pg_error *e);
MUST_CHECK bool rows_skip_back(struct portal *p, uint64_t n, uint64_t *ret_n, struct pg_error *e);
/* Before the first row. */
MUST_CHECK bool rows_rewind(struct portal *p, struct pg_error *e);
/* Rows this door made itself, as text; spans with ptr NULL are NULL. */
void rows_give(struct portal *p, const struct span *texts, size_t columns, size_t count);
/* A row of another portal, behind those it has. */
MUST_CHECK bool rows_add(struct backend *b, struct portal *p, const struct row *row, size_t columns,
			 struct pg_error *e);
/* Moves what the engine streams into a spool, so that it can run something else. */
MUST_CHECK bool run_spool(struct backend *b, struct pg_error *e);
/* The same where no error can be told: a portal whose rows could not be kept tells it when they are asked for. */
void run_spool_quietly(struct backend *b);
/* Frees the engine's side of a portal. */
void run_drop(struct backend *b, struct portal *p);

/* ---- commands.c ---- */
/* A statement this door carries out itself, inside a portal. */
MUST_CHECK bool commands_run(struct backend *b, struct portal *p, char tag[STMT_TAG_SIZE + 24], struct pg_error *e);
/* EXECUTE: the portal becomes that of the prepared statement. */
MUST_CHECK bool commands_execute(struct backend *b, struct portal *p, struct pg_error *e);
/* Columns of such a statement's rows: SHOW, FETCH, EXECUTE, EXPLAIN. */
MUST_CHECK bool commands_describe(struct backend *b, const struct stmt *s, struct arena *arena,
				  struct message_column **ret, size_t *ret_count, struct pg_error *e);

/* ---- explaining.c ---- */
/* EXPLAIN: the portal gets the rows of the plan. */
MUST_CHECK bool explaining_run(struct backend *b, struct portal *p, struct pg_error *e);
MUST_CHECK bool explaining_describe(const struct stmt *s, struct arena *arena, struct message_column **ret,
				    size_t *ret_count, struct pg_error *e);

/* ---- cursors.c ---- */
/* DECLARE, MOVE, CLOSE; of FETCH what comes before its rows. */
MUST_CHECK bool cursors_run(struct backend *b, struct portal *p, char tag[STMT_TAG_SIZE + 24], struct pg_error *e);
/* Columns of the portal a FETCH names; none when there is no such portal (yet). */
MUST_CHECK bool cursors_describe(struct backend *b, const struct stmt *s, struct arena *arena,
				 struct message_column **ret, size_t *ret_count, struct pg_error *e);
/* The rows of a FETCH that has begun: to the client, or (keep) into its own spool. *ret_n: how many. */
MUST_CHECK bool cursors_fetch(struct backend *b, struct portal *p, bool keep, uint64_t *ret_n, struct pg_error *e);

/* ---- identity.c ---- */
/* Refuses to give a column GENERATED ALWAYS AS IDENTITY a value (428C9), and finds texts that arrays are given. */
MUST_CHECK bool identity_check(struct backend *b, const struct stmt *s, struct rewrite_hooks *hooks,
			       struct pg_error *e);

/* ---- refused.c ---- */
/* Whether there is another form of a statement that the engine refused: *hooks ask for it. */
bool refused_note(struct backend *b, const struct stmt *s, const struct pg_error *e, struct rewrite_hooks *hooks);

/* ---- on_commit.c: ON COMMIT DROP and DELETE ROWS of temporary tables ---- */
/* A statement that makes such a table, or may write to one, is a transaction. */
MUST_CHECK bool on_commit_begin(struct backend *b, const struct stmt *s, struct pg_error *e);
/* Behind the statement that made a table. */
MUST_CHECK bool on_commit_note(struct backend *b, const struct stmt *s, struct pg_error *e);
/* Before the engine commits. */
MUST_CHECK bool on_commit_run(struct backend *b, struct pg_error *e);

/* ---- like.c ---- */
/* The statement with LIKE of a table's definition written out; *ret is the same one when there is none. */
MUST_CHECK bool like_expand(struct backend *b, const struct stmt *s, struct stmt *ret, struct pg_error *e);

/* ---- discard.c ---- */
MUST_CHECK bool discard_run(struct backend *b, const struct stmt *s, char tag[STMT_TAG_SIZE + 24], struct pg_error *e);

/* ---- guc_session.c ---- */
MUST_CHECK bool gucs_run(struct backend *b, const struct stmt *s, struct pg_error *e);
/* What SET and set_config() set; NULL: back to what RESET gives. The end of the transaction, be it that of one statement, settles it. */
MUST_CHECK bool gucs_assign(struct backend *b, struct span name, const struct span *value, enum guc_scope scope,
			    struct pg_error *e);
/* The modes of BEGIN and SET TRANSACTION, or those that the session's transactions begin with. */
MUST_CHECK bool gucs_modes(struct backend *b, const struct command_transaction *modes, bool for_session,
			   struct pg_error *e);
/* What SHOW tells. */
const char *gucs_shown(struct backend *b, enum guc_id id);
MUST_CHECK bool gucs_run_show(struct backend *b, const struct stmt *s, struct portal *p, struct pg_error *e);
/* Lets what has an effect have it: time zone, styles, search path, timeouts. */
void gucs_apply(struct backend *b);
/* Settings that are the engine's alone: those a user may change, and those nobody may. */
bool gucs_is_engine(struct span name);
bool gucs_is_denied(struct span name);
/* While a statement drops or alters by an unqualified name, the catalog is none of what it may find. */
void gucs_hide_catalog(struct backend *b, bool hide);
/*
 * While the statement that comes asks the catalog (stmt_asks_catalog), the engine's own functions and operators stand in front
 * of macros of their names. Call it before the engine plans or runs one; it stays until one of the other kind comes.
 */
void gucs_engine_first(struct backend *b, const struct stmt *s);
/* Where the engine's lists (duckdb_tables() and others) have what a name means: by its schema, or by the search path. */
void gucs_put_place(const struct backend *b, struct span schema, struct buf *out);
/* A schema came or went: the search path may find it. */
void gucs_schemas_changed(struct backend *b);
bool gucs_zone_known(struct span name, char *ret, size_t size);
int64_t gucs_timeout_ns(const struct backend *b);

/* ---- portals.c ---- */
struct portal *portal_new(struct backend *b, struct span name);
void portal_free(struct backend *b, struct portal *p);
/* All but the one that runs. */
void portals_close_all(struct backend *b);
/* Those of the transaction: all but what outlived one. */
void portals_close_own(struct backend *b);
/* Those made of a prepared statement. */
void portals_close_of(struct backend *b, const struct prepared *q);
/* Before something changes: what was declared or bound shows the rows of that moment. */
MUST_CHECK bool portals_settle(struct backend *b, struct pg_error *e);
/* Before the engine commits: WITH HOLD is carried out, and the others go. */
MUST_CHECK bool portals_hold(struct backend *b, struct pg_error *e);
/* Behind it: what is to be held is, or is gone. */
void portals_end(struct backend *b, bool committed);
/* RELEASE and ROLLBACK TO: portals younger than so many savepoints belong to the last of them, or go. */
void portals_release(struct backend *b, size_t level);
void portals_rollback(struct backend *b, size_t level);
struct portal *portal_find(struct backend *b, struct span name);
void portal_add(struct backend *b, struct portal *p);
void portal_close(struct backend *b, struct portal *p);

/* ---- extended.c, portal.c, prepared.c, copying.c ---- */
void simple_query(struct backend *b, struct span body);
void extended_message(struct backend *b, const struct message_frame *m);
void extended_done(struct backend *b);
/* Runs its statement, when that did not happen yet. */
MUST_CHECK bool portal_start(struct backend *b, struct portal *p, struct pg_error *e);
void portal_formats(struct portal *p);
/* RowDescription, when one is due. */
void portal_tell(struct backend *b, struct portal *p);
/* One DataRow, in the formats of `to`. */
MUST_CHECK bool portal_send(struct backend *b, struct portal *to, const struct row *row, size_t columns,
			    struct pg_error *e);
/* Columns and formats; prepares what returns rows. */
MUST_CHECK bool portal_prepare(struct backend *b, struct portal *p, struct pg_error *e);
struct prepared *prepared_find(struct backend *b, struct span name);
MUST_CHECK bool prepared_make(struct backend *b, struct span name, struct span sql, const uint32_t *oids, size_t n,
			      struct prepared **ret, struct pg_error *e);
MUST_CHECK bool prepared_describe(struct backend *b, struct prepared *q, struct pg_error *e);
/* One that no name leads to. */
MUST_CHECK bool prepared_new(struct span name, struct span sql, const uint32_t *oids, size_t n, struct prepared **ret,
			     struct pg_error *e);
/* Was made of this text and these types. */
bool prepared_is(const struct prepared *q, struct span sql, const uint32_t *oids, size_t n);
/* What it tells of its columns is still so: no table it names has another version, no object of the workspace changed. */
bool prepared_is_fresh(struct backend *b, const struct prepared *q);
/* The engine's statement for one that takes values; *ret_own: the caller frees it, else `q` keeps it. */
MUST_CHECK bool prepared_plan(struct backend *b, struct prepared *q, struct statement **ret, bool *ret_own,
			      struct pg_error *e);
/* Lets the plan keep all digits of the decimals among the values. */
void prepared_scales(struct prepared *q, const struct bind_value *values);
MUST_CHECK bool prepared_bind(const struct prepared *q, const struct bind_value *values, struct backend *b,
			      struct statement *statement, struct pg_error *e);
void prepared_free(struct prepared *q);
/* A portal of it is gone, or takes another; NULL: it had none. */
void prepared_unuse(struct prepared *q);
void prepared_close(struct backend *b, struct prepared *q);
void prepared_close_all(struct backend *b);
/* The statement's text with its parameters as literals. */
MUST_CHECK bool prepared_fill(struct prepared *q, const struct span *literals, size_t n, struct portal *p,
			      struct pg_error *e);
/* Runs a portal up to its tag. *ret_suspended: more rows wait. The tag is not sent. */
MUST_CHECK bool portal_run(struct backend *b, struct portal *p, uint64_t max, bool with_columns, bool *ret_suspended,
			   char tag[STMT_TAG_SIZE + 24], struct pg_error *e);
MUST_CHECK bool copying_run(struct backend *b, const struct stmt *s, char tag[STMT_TAG_SIZE + 24], struct pg_error *e);
/* parameter.c: one for the engine. What it points to lives where `bytes` does, or in the arena. */
MUST_CHECK bool parameter_decode(uint32_t oid, unsigned format, struct span bytes, struct arena *arena,
				 struct bind_value *ret, struct pg_error *e);
/* copy_plain.c: a field of COPY in text as a value, when it has the usual form of its type. */
bool copy_plain(enum pg_kind kind, struct span s, struct bind_value *ret);
/* literal.c: a decoded parameter as SQL of its type. */
MUST_CHECK bool literal_write(uint32_t oid, unsigned format, struct span bytes, struct arena *arena, struct buf *out,
			      struct pg_error *e);
/* The engine's name for a type; NULL: text or unknown. */
const char *literal_type(uint32_t oid, struct arena *arena);

#endif
