/* How large a workspace is, and whether it may grow. */
#include "base/fs.h"
#include "engine/sql.h"
#include "storage/workspace_core.h"

/* What one transaction may keep in memory until it commits; workspaces with less room than that are measured. */
static const int64_t TIGHT_BYTES = 2 * GIB;

int64_t workspace_size(const struct workspace_instance *wi)
{
	return workspace_file_size(wi->path);
}

int64_t workspace_size_limit(const struct workspace_instance *wi)
{
	return wi->size_limit;
}

void workspace_checkpoint(struct workspace_instance *wi, struct session *session)
{
	struct err ignored = ERR_INIT;
	struct buf sql = BUF(4000);
	const char *text;
	sql_printf(&sql, "CHECKPOINT %I", wi->id);
	(void)!(sql_finish(&sql, &text, &ignored) && session_run(session, text, &ignored));
	buf_done(&sql);
}

/* Bytes of the file without those of blocks that are free; a checkpoint frees what was dropped. */
static bool used_bytes(struct workspace_instance *wi, int64_t *ret, struct err *err)
{
	struct session *session = NULL;
	struct buf sql = BUF(4000);
	const char *text;
	bool fine = workspace_session(wi, &session, err);
	if (fine) {
		workspace_checkpoint(wi, session);
		sql_printf(&sql,
			   "SELECT coalesce(max(used_blocks * block_size), 0)::BIGINT FROM pragma_database_size() "
			   "WHERE database_name = %L",
			   wi->id);
		fine = sql_finish(&sql, &text, err) && session_int(session, text, ret, err);
	}
	session_close(session);
	buf_done(&sql);
	return fine;
}

int64_t workspace_unwritten(struct workspace_instance *wi)
{
	struct err ignored = ERR_INIT;
	struct session *session = NULL;
	int64_t bytes = 0;
	if (!workspace_session(wi, &session, &ignored) ||
	    !session_int(session,
			 "SELECT coalesce(sum(memory_usage_bytes + temporary_storage_bytes), 0)::BIGINT FROM "
			 "duckdb_memory() WHERE tag IN ('IN_MEMORY_TABLE', 'OVERFLOW_STRINGS')",
			 &bytes, &ignored))
		bytes = 0;
	session_close(session);
	return bytes;
}

static bool full(const struct workspace_instance *wi, struct err *err)
{
	(void)err_set(err, ERR_WORKSPACE_FULL, "The workspace has reached its size limit of %lld GB",
		      (long long)(wi->size_limit / (int64_t)GIB));
	err_detail(err, "workspace_id", wi->id);
	err_detail_int(err, "size_limit_gb", wi->size_limit / (int64_t)GIB);
	return false;
}

bool workspace_room(struct workspace_instance *wi, struct err *err)
{
	return workspace_fits(wi, 0, err);
}

bool workspace_fits(struct workspace_instance *wi, int64_t more, struct err *err)
{
	int64_t used;
	if (workspace_size(wi) + more < wi->size_limit)
		return true;
	if (!used_bytes(wi, &used, err))
		return false;
	if (used + workspace_size(wi) - fs_size(wi->path) + more < wi->size_limit)
		return true;
	return full(wi, err);
}

/* ---- statements of the service ---- */

static bool has_outgrown(void *ctx)
{
	struct workspace_growth *growth = ctx;
	const int64_t size = workspace_size(growth->wi);
	if (size > growth->size_before && size > growth->wi->size_limit)
		atomic_store(&growth->outgrown, true);
	return atomic_load(&growth->outgrown);
}

void workspace_growth_watch(struct workspace_growth *growth, struct workspace_instance *wi, struct session *session)
{
	growth->wi = wi;
	growth->session = session;
	growth->size_before = workspace_size(wi);
	growth->unwritten_before = growth->size_before + TIGHT_BYTES >= wi->size_limit ? workspace_unwritten(wi) : -1;
	atomic_init(&growth->outgrown, false);
	session_set_brake(session, has_outgrown, growth);
}

bool workspace_growth_fits(struct workspace_growth *growth, struct err *err)
{
	const int64_t before = growth->unwritten_before;
	const int64_t more = before < 0 ? 0 : workspace_unwritten(growth->wi) - before;
	return workspace_fits(growth->wi, more > 0 ? more : 0, err);
}

bool workspace_growth_done(struct workspace_growth *growth, bool fine, struct err *err)
{
	session_set_brake(growth->session, NULL, NULL);
	return fine || (err->code == ERR_CANCELLED && atomic_load(&growth->outgrown) ? full(growth->wi, err) : false);
}
