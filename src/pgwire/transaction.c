/* Transaction blocks, implicit transactions and savepoints. */
#include "base/clock.h"
#include "pgwire/backend.h"
#include "pgwire/command.h"

#include <stdlib.h>

/* Within so many bytes of the limit what is still in memory counts. */
static const int64_t TIGHT_BYTES = 2 * GIB;

static bool engine_command(struct backend *b, const char *sql, struct pg_error *e)
{
	struct err err = ERR_INIT;
	return session_run(b->engine, sql, &err) || backend_engine_error(b, &err, NULL, NULL, e);
}

static void unpin(struct backend *b)
{
	if (b->pinned)
		workspace_unpin(b->wi, b->pin);
	b->pinned = false;
	b->unwritten_before = -1;
	map_done(&b->attached);
	b->attached = MAP_INIT;
}

static void savepoints_drop(struct backend *b, size_t from)
{
	while (b->savepoint_count > from)
		free(b->savepoints[--b->savepoint_count].name);
}

static bool open_engine(struct backend *b, struct pg_error *e)
{
	b->pin = workspace_pin(b->wi);
	b->pinned = true;
	b->changes = 0;
	if (engine_command(b, "BEGIN", e))
		return true;
	unpin(b);
	return false;
}

static bool close_engine(struct backend *b, bool commit, struct pg_error *e)
{
	bool fine = true;
	if (commit && b->changes > 0 && !transaction_fits(b, e))
		fine = commit = false;
	if (session_in_transaction(b->engine)) {
		if (commit && session_aborted(b->engine))
			commit = false;
		if (!engine_command(b, commit ? "COMMIT" : "ROLLBACK", e))
			fine = false;
		if (!fine && session_in_transaction(b->engine)) {
			struct pg_error ignored = PG_ERROR_INIT;
			engine_command(b, "ROLLBACK", &ignored);
		}
	}
	if (b->objects_changed)
		workspace_changed(b->wi);
	b->objects_changed = false;
	unpin(b);
	return fine;
}

/* Ends the engine's transaction; a cursor that is to outlive it may fail, and then nothing is committed. */
static bool finish(struct backend *b, bool commit, struct pg_error *e)
{
	struct pg_error ignored = PG_ERROR_INIT;
	if (!commit)
		portals_close_own(b);
	const bool held = !commit || (portals_hold(b, e) && on_commit_run(b, e));
	return close_engine(b, commit && held, held ? e : &ignored) && held;
}

static void settle_settings(struct backend *b, bool committed)
{
	if (committed)
		gucs_commit(&b->gucs);
	else
		gucs_rollback(&b->gucs);
	gucs_apply(b);
}

/* Everything that lasts until the end of a block. */
static void end_of_block(struct backend *b, bool committed)
{
	savepoints_drop(b, 0);
	settle_settings(b, committed);
	b->block = 'I';
	b->block_us = 0;
	b->implicit = false;
	b->read_only = guc_bool(&b->gucs, GUC_default_transaction_read_only);
	portals_end(b, committed);
}

void transaction_drop(struct backend *b)
{
	savepoints_drop(b, 0);
	if (b->wi)
		unpin(b);
}

bool transaction_begin_implicit(struct backend *b, struct pg_error *e)
{
	if (b->block != 'I' || b->implicit)
		return true;
	if (!run_spool(b, e) || !open_engine(b, e))
		return false;
	b->implicit = true;
	return true;
}

bool transaction_reads(const struct stmt *s)
{
	return (s->mentions & (MENTIONS_TABLES | MENTIONS_CALL)) &&
	       (s->class == STMT_QUERY || s->class == STMT_DML || s->kind == STMT_EXPLAIN);
}

bool transaction_begin_read(struct backend *b, const struct stmt *s, struct pg_error *e)
{
	if (s->parameters || !transaction_reads(s) || b->block != 'I' || b->implicit)
		return true;
	/* The list of the project's tables is brought up to date by another session: the transaction must begin behind that. */
	if ((s->mentions & (MENTIONS_CATALOG | MENTIONS_FUNCTION)) && (!run_spool(b, e) || !tables_catalog(b, e)))
		return false;
	return transaction_begin_implicit(b, e);
}

bool transaction_end_implicit(struct backend *b, bool commit, struct pg_error *e)
{
	if (!b->implicit) {
		/* Those of a statement that needed no transaction of the engine. */
		if (b->block == 'I' && b->gucs.any_touched)
			settle_settings(b, commit);
		return true;
	}
	const bool fine = finish(b, commit, e);
	end_of_block(b, commit && fine);
	return fine;
}

void transaction_failed(struct backend *b)
{
	if (b->block == 'T')
		b->block = 'E';
}

bool transaction_allows(const struct backend *b, const struct stmt *s, struct pg_error *e)
{
	bool ends = s->kind == STMT_COMMIT || s->kind == STMT_ROLLBACK || s->kind == STMT_ROLLBACK_TO ||
		    s->kind == STMT_NONE;
	if (b->block != 'E' || ends)
		return true;
	return pg_error_set(e, "25P02",
			    "current transaction is aborted, commands ignored until end of transaction block");
}

static bool start_block(struct backend *b, struct pg_error *e)
{
	static const enum guc_id modes[][2] = {{GUC_default_transaction_isolation, GUC_transaction_isolation},
					       {GUC_default_transaction_deferrable, GUC_transaction_deferrable}};
	b->block = 'T';
	b->block_us = clock_unix_us();
	b->read_only = guc_bool(&b->gucs, GUC_default_transaction_read_only);
	b->has_queried = false;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		const char *value = guc_text(&b->gucs, modes[i][0]);
		if (strcmp(value, guc_text(&b->gucs, modes[i][1])) != 0 &&
		    !guc_set(&b->gucs, span_of(guc_row(modes[i][1])->name), span_of(value), GUC_LOCAL, true, e))
			return false;
	}
	return true;
}

static bool begin(struct backend *b, const struct command_transaction *modes, struct pg_error *e)
{
	if (b->block != 'I') {
		backend_notice(b, PG_WARNING, "25001", "there is already a transaction in progress");
	} else {
		/* An implicit transaction becomes the block. */
		if (!b->implicit && !open_engine(b, e))
			return false;
		b->implicit = false;
		if (!start_block(b, e))
			return false;
	}
	return gucs_modes(b, modes, false, e);
}

/* Those of the block, for one that follows by AND CHAIN. */
static struct command_transaction modes_now(const struct backend *b)
{
	return (struct command_transaction){
		.has_access = true,
		.read_only = b->read_only,
		.has_isolation = true,
		.isolation = span_of(arena_strdup(b->work, guc_text(&b->gucs, GUC_transaction_isolation))),
		.has_deferrable = true,
		.deferrable = guc_bool(&b->gucs, GUC_transaction_deferrable)};
}

static bool end(struct backend *b, bool commit, const struct command_transaction *modes, char tag[STMT_TAG_SIZE + 24],
		struct pg_error *e)
{
	bool was_block = b->block != 'I';
	bool failed = b->block == 'E';
	if (!was_block && modes->chain)
		return pg_error_set(e, "25P01", "%s AND CHAIN can only be used in transaction blocks",
				    commit ? "COMMIT" : "ROLLBACK");
	if (!was_block) {
		backend_notice(b, PG_WARNING, "25P01", "there is no transaction in progress");
		if (!b->implicit) {
			settle_settings(b, commit);
			return true;
		}
	}
	if (commit && (failed || session_aborted(b->engine))) {
		commit = false;
		(void)snprintf(tag, STMT_TAG_SIZE + 24, "ROLLBACK");
	}
	const struct command_transaction next = modes_now(b);
	bool fine = finish(b, commit, e);
	end_of_block(b, commit && fine);
	if (!fine || !modes->chain)
		return fine;
	return open_engine(b, e) && start_block(b, e) && gucs_modes(b, &next, false, e);
}

static size_t savepoint_find(const struct backend *b, struct span name)
{
	for (size_t i = b->savepoint_count; i > 0; i--)
		if (span_is(name, b->savepoints[i - 1].name))
			return i - 1;
	return SIZE_MAX;
}

static bool savepoint_set(struct backend *b, struct span name, struct pg_error *e)
{
	if (b->savepoint_count == BACKEND_SAVEPOINTS_MAX)
		return pg_error_set(e, "54000", "too many savepoints");
	b->savepoints = mem_grow(b->savepoints, (b->savepoint_count + 1) * sizeof(*b->savepoints));
	b->savepoints[b->savepoint_count++] = (struct savepoint){.name = mem_copy(name),
								 .changes = b->changes,
								 .settings = gucs_mark(&b->gucs),
								 .read_only = b->read_only};
	return true;
}

/* The engine cannot go back to a point inside a transaction: only where there is nothing to take back. */
static bool savepoint_back(struct backend *b, size_t i, struct pg_error *e)
{
	bool unchanged = b->changes == b->savepoints[i].changes;
	portals_rollback(b, i);
	if (unchanged && session_aborted(b->engine) && b->changes == 0) {
		struct pg_error ignored = PG_ERROR_INIT;
		engine_command(b, "ROLLBACK", &ignored);
		if (!engine_command(b, "BEGIN", e))
			return false;
	}
	if (!unchanged || !session_recover(b->engine)) {
		b->block = 'E';
		return pg_error_set(e, "0A000",
				    "ROLLBACK TO SAVEPOINT is not supported after changes in the transaction");
	}
	savepoints_drop(b, i + 1);
	b->block = 'T';
	b->read_only = b->savepoints[i].read_only;
	gucs_back(&b->gucs, b->savepoints[i].settings);
	gucs_apply(b);
	return true;
}

static bool savepoint(struct backend *b, const struct stmt *s, struct pg_error *e)
{
	struct span name;
	if (!command_name(s, b->work, &name, e))
		return false;
	if (b->block == 'I')
		return pg_error_set(e, "25P01", "%s%s can only be used in transaction blocks", s->tag,
				    s->kind == STMT_RELEASE	  ? " SAVEPOINT"
				    : s->kind == STMT_ROLLBACK_TO ? " TO SAVEPOINT"
								  : "");
	if (s->kind == STMT_SAVEPOINT)
		return savepoint_set(b, name, e);
	size_t i = savepoint_find(b, name);
	if (i == SIZE_MAX)
		return pg_error_set(e, "3B001", "savepoint \"%.*s\" does not exist", SPAN_ARG(name));
	if (s->kind == STMT_ROLLBACK_TO)
		return savepoint_back(b, i, e);
	savepoints_drop(b, i);
	portals_release(b, i);
	return true;
}

bool transaction_command(struct backend *b, const struct stmt *s, char tag[STMT_TAG_SIZE + 24], struct pg_error *e)
{
	struct command_transaction modes;
	if (s->kind == STMT_SAVEPOINT || s->kind == STMT_RELEASE || s->kind == STMT_ROLLBACK_TO)
		return savepoint(b, s, e);
	if (!command_transaction(s, b->work, &modes, e))
		return false;
	if (s->kind == STMT_BEGIN || s->kind == STMT_START)
		return begin(b, &modes, e);
	return end(b, s->kind == STMT_COMMIT, &modes, tag, e);
}

bool transaction_fits(struct backend *b, struct pg_error *e)
{
	struct err err = ERR_INIT;
	/* Temporary tables are in memory as well, and none of the workspace's. */
	const bool counts = b->unwritten_before >= 0 && !b->has_temp;
	const int64_t more = counts ? workspace_unwritten(b->wi) - b->unwritten_before : 0;
	if (workspace_fits(b->wi, more > 0 ? more : 0, &err))
		return true;
	b->was_full = true;
	return pg_error_from(e, &err);
}

bool transaction_is_tight(struct backend *b, const struct stmt *s)
{
	const bool grows = s->class == STMT_DML || s->kind == STMT_CREATE_TABLE_AS || s->kind == STMT_EXECUTE;
	return grows && s->kind != STMT_DELETE && b->block == 'I' && !b->implicit &&
	       workspace_size(b->wi) + TIGHT_BYTES >= workspace_size_limit(b->wi);
}

void transaction_tidy(struct backend *b)
{
	struct err ignored = ERR_INIT;
	if (!b->was_full || b->block != 'I')
		return;
	b->was_full = false;
	(void)!workspace_fits(b->wi, workspace_size_limit(b->wi), &ignored);
}

/* The blocks of what goes can be used again after a checkpoint only. */
static void note_freed(struct backend *b, const struct stmt *s)
{
	if ((s->kind == STMT_DROP || s->kind == STMT_TRUNCATE) &&
	    workspace_size(b->wi) >= workspace_size_limit(b->wi) / 2)
		b->was_full = true;
}

bool transaction_may_write(struct backend *b, const struct stmt *s, struct pg_error *e)
{
	struct err err = ERR_INIT;
	bool read_only = b->block == 'I' ? guc_bool(&b->gucs, GUC_default_transaction_read_only) : b->read_only;
	bool frees = s->kind == STMT_DROP || s->kind == STMT_TRUNCATE || s->kind == STMT_DELETE ||
		     s->kind == STMT_CHECKPOINT;
	if (read_only)
		return pg_error_set(e, "25006", "cannot execute %s in a read-only transaction",
				    s->kind == STMT_INSERT ? "INSERT" : s->tag);
	if (!frees) {
		const int64_t size = workspace_size(b->wi), limit = workspace_size_limit(b->wi);
		if (size >= limit && !workspace_room(b->wi, &err))
			return pg_error_from(e, &err);
		if (size + TIGHT_BYTES >= limit && b->unwritten_before < 0)
			b->unwritten_before = workspace_unwritten(b->wi);
		atomic_store(&b->size_before, size);
	}
	note_freed(b, s);
	if (!portals_settle(b, e))
		return false;
	b->changes++;
	return true;
}
