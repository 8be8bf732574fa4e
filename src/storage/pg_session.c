#include "base/clock.h"
#include "base/id.h"
#include "storage/workspace_core.h"

#include <stdlib.h>

static bool session_missing(const char *id, struct err *err)
{
	(void)err_set(err, ERR_PG_SESSION_NOT_FOUND, "Session %s not found", id);
	err_detail(err, "session_id", id);
	return false;
}

/* ---- counting ---- */

int64_t pg_sessions_active(struct storage *storage, const char *workspace_id)
{
	struct catalog *c = storage->catalog;
	return (int64_t)(workspace_id ? catalog_count_pg_sessions_of_workspace(c, KEY(workspace_id, "active"))
				      : catalog_count_pg_sessions_by_activity(c, KEY("active")));
}

/* Run by the catalog's writer, so that two logins cannot both take the last place. */
struct limit_check {
	const struct storage *storage;
	const char *workspace_id;
};

static bool limit_refuse(const char *workspace_id, int64_t active, int64_t limit, struct err *err)
{
	(void)err_set(err, ERR_CONNECTION_LIMIT_REACHED, "Too many connections");
	err_detail(err, "workspace_id", workspace_id);
	err_detail_int(err, "active_sessions", active);
	err_detail_int(err, "limit", limit);
	return false;
}

static bool under_limit(void *ctx, struct catalog *catalog, struct err *err)
{
	const struct limit_check *check = ctx;
	const struct settings *s = check->storage->settings;
	int64_t own = (int64_t)catalog_count_pg_sessions_of_workspace(catalog, KEY(check->workspace_id, "active"));
	int64_t all = (int64_t)catalog_count_pg_sessions_by_activity(catalog, KEY("active"));
	if (own >= s->pgwire_workspace_connections_max)
		return limit_refuse(check->workspace_id, own, s->pgwire_workspace_connections_max, err);
	if (all >= s->pgwire_connections_max)
		return limit_refuse(check->workspace_id, all, s->pgwire_connections_max, err);
	return true;
}

const char *workspace_status(const struct workspace *row)
{
	return row->expires_at && row->expires_at <= clock_unix_us() ? "expired" : row->status;
}

bool workspace_login_check(struct storage *storage, const struct workspace *row, struct err *err)
{
	struct limit_check check = {storage, row->id};
	if (strcmp(workspace_status(row), "expired") == 0) {
		char at[CLOCK_ISO_SIZE];
		clock_iso(row->expires_at, at);
		(void)err_set(err, ERR_WORKSPACE_EXPIRED, "Workspace expired");
		err_detail(err, "workspace_id", row->id);
		err_detail(err, "expired_at", at);
		return false;
	}
	if (strcmp(row->status, "active") != 0) {
		(void)err_set(err, ERR_WORKSPACE_NOT_ACTIVE, "Workspace not active");
		err_detail(err, "workspace_id", row->id);
		err_detail(err, "status", row->status);
		return false;
	}
	return under_limit(&check, storage->catalog, err);
}

/* ---- own sessions ---- */

static bool row_insert(struct storage *storage, struct arena *arena, const struct pg_session *row, bool limited,
		       struct err *err)
{
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	struct limit_check check = {storage, row->workspace_id};
	catalog_expect_workspace(t, KEY(row->workspace_id), ERR_WORKSPACE_NOT_FOUND);
	if (limited)
		catalog_check(t, under_limit, &check);
	catalog_insert_pg_session(t, row, ERR_PG_SESSION_EXISTS);
	if (catalog_commit(t, err))
		return true;
	if (err->code == ERR_WORKSPACE_NOT_FOUND) {
		(void)err_set(err, ERR_WORKSPACE_NOT_FOUND, "Workspace %s not found", row->workspace_id);
		err_detail(err, "workspace_id", row->workspace_id);
	} else if (err->code == ERR_PG_SESSION_EXISTS) {
		(void)err_set(err, ERR_PG_SESSION_EXISTS, "There is a session %s already", row->id);
		err_detail(err, "session_id", row->id);
	}
	return false;
}

bool pg_session_open(struct storage *storage, const struct workspace *workspace, const char *client_ip,
		     void (*end)(void *ctx, enum pg_session_end why), void *ctx, struct pg_own_session **ret,
		     struct err *err)
{
	struct workspaces *all = storage->workspaces;
	struct pg_own_session *session = mem_alloc(sizeof(*session));
	struct arena *arena = arena_new();
	const int64_t now = clock_unix_us();
	*session = (struct pg_own_session){.storage = storage, .end = end, .ctx = ctx, .written = now};
	memcpy(session->id, "pgw_", 4);
	id_hex(8, session->id + 4);
	session->workspace_id = mem_strdup(workspace->id);
	atomic_store(&session->last_activity, now);
	/* Known before it is on record: whoever deletes the workspace in between finds it. */
	(void)pthread_mutex_lock(&all->session_lock);
	session->next = all->sessions;
	all->sessions = session;
	(void)pthread_mutex_unlock(&all->session_lock);
	struct pg_session row = {.id = session->id,
				 .workspace_id = workspace->id,
				 .project_id = workspace->project_id,
				 .client_ip = client_ip,
				 .status = "active",
				 .own = true,
				 .connected_at = now,
				 .last_activity_at = now};
	bool fine = row_insert(storage, arena, &row, true, err);
	arena_free(arena);
	if (fine) {
		*ret = session;
	} else {
		session->written = 0;
		pg_session_close(session);
	}
	return fine;
}

const char *pg_session_id(const struct pg_own_session *session)
{
	return session->id;
}

void pg_session_touch(struct pg_own_session *session, int64_t now_us, bool is_query)
{
	atomic_store_explicit(&session->last_activity, now_us, memory_order_relaxed);
	if (is_query)
		atomic_fetch_add_explicit(&session->queries, 1, memory_order_relaxed);
}

struct activity {
	int64_t queries;
	int64_t at;
	const char *status; /* NULL: stays */
};

static bool row_activity(void *ctx, struct pg_session *row, struct arena *arena)
{
	const struct activity *a = ctx;
	row->query_count += a->queries;
	if (a->at > row->last_activity_at)
		row->last_activity_at = a->at;
	if (a->status && strcmp(row->status, "active") == 0) {
		row->status = arena_strdup(arena, a->status);
		row->ended_at = clock_unix_us();
	}
	return true;
}

static void unlist(struct workspaces *all, struct pg_own_session *session)
{
	(void)pthread_mutex_lock(&all->session_lock);
	struct pg_own_session **at = &all->sessions;
	while (*at != session)
		at = &(*at)->next;
	*at = session->next;
	(void)pthread_mutex_unlock(&all->session_lock);
}

void pg_session_close(struct pg_own_session *session)
{
	if (!session)
		return;
	struct storage *storage = session->storage;
	struct err ignored = ERR_INIT;
	unlist(storage->workspaces, session);
	if (session->written) {
		struct arena *arena = arena_new();
		struct catalog_txn *t = catalog_txn(storage->catalog, arena);
		struct activity a = {atomic_load(&session->queries), atomic_load(&session->last_activity),
				     "disconnected"};
		catalog_change_pg_session(t, KEY(session->id), row_activity, &a, ERR_NONE);
		(void)!catalog_commit(t, &ignored);
		arena_free(arena);
	}
	free(session->workspace_id);
	free(session);
}

void pg_sessions_end_own(struct storage *storage, const char *workspace_id, const char *id, enum pg_session_end why)
{
	struct workspaces *all = storage->workspaces;
	(void)pthread_mutex_lock(&all->session_lock);
	for (struct pg_own_session *s = all->sessions; s; s = s->next) {
		if (s->ended || (workspace_id && strcmp(s->workspace_id, workspace_id) != 0) ||
		    (id && strcmp(s->id, id) != 0))
			continue;
		s->ended = true;
		s->end(s->ctx, why);
	}
	(void)pthread_mutex_unlock(&all->session_lock);
}

/* What an own session knows and its row does not yet. */
static void row_refresh(struct storage *storage, struct pg_session *row)
{
	struct workspaces *all = storage->workspaces;
	if (!row->own)
		return;
	(void)pthread_mutex_lock(&all->session_lock);
	for (const struct pg_own_session *s = all->sessions; s; s = s->next)
		if (strcmp(s->id, row->id) == 0) {
			row->query_count += atomic_load(&s->queries);
			row->last_activity_at = atomic_load(&s->last_activity);
		}
	(void)pthread_mutex_unlock(&all->session_lock);
}

/* ---- any session ---- */

bool pg_session_register(struct storage *storage, const struct call *call, const char *id, const char *workspace_id,
			 const char *client_ip, struct pg_session *ret, struct err *err)
{
	const int64_t now = clock_unix_us();
	struct workspace workspace;
	*ret = (struct pg_session){.id = id,
				   .workspace_id = workspace_id,
				   .client_ip = client_ip,
				   .status = "active",
				   .connected_at = now,
				   .last_activity_at = now};
	if (catalog_get_workspace(storage->catalog, call->arena, KEY(workspace_id), &workspace))
		ret->project_id = workspace.project_id;
	return row_insert(storage, call->arena, ret, false, err);
}

void pg_session_list(struct storage *storage, struct arena *arena, const char *workspace_id, const char *status,
		     struct pg_session **ret, size_t *ret_count)
{
	struct pg_session *rows;
	size_t n;
	size_t kept = 0;
	catalog_list_pg_sessions_newest(storage->catalog, arena, KEY_ALL, NULL, &rows, &n);
	for (size_t i = 0; i < n; i++) {
		if ((workspace_id && strcmp(rows[i].workspace_id, workspace_id) != 0) ||
		    (status && strcmp(rows[i].status, status) != 0))
			continue;
		rows[kept] = rows[i];
		row_refresh(storage, &rows[kept++]);
	}
	*ret = rows;
	*ret_count = kept;
}

bool pg_session_get(struct storage *storage, struct arena *arena, const char *id, struct pg_session *ret,
		    struct err *err)
{
	if (!catalog_get_pg_session(storage->catalog, arena, KEY(id), ret))
		return session_missing(id, err);
	row_refresh(storage, ret);
	return true;
}

static bool row_change(struct storage *storage, struct arena *arena, const char *id, struct activity *a,
		       struct err *err)
{
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_change_pg_session(t, KEY(id), row_activity, a, ERR_PG_SESSION_NOT_FOUND);
	return catalog_commit(t, err) || (err->code == ERR_PG_SESSION_NOT_FOUND ? session_missing(id, err) : false);
}

bool pg_session_activity(struct storage *storage, const struct call *call, const char *id, bool count_query,
			 struct pg_session *ret, struct err *err)
{
	struct activity a = {count_query ? 1 : 0, clock_unix_us(), NULL};
	return row_change(storage, call->arena, id, &a, err) && pg_session_get(storage, call->arena, id, ret, err);
}

bool pg_session_end(struct storage *storage, const struct call *call, const char *id, const char *reason,
		    struct err *err)
{
	struct activity a = {0, 0, reason};
	if (!row_change(storage, call->arena, id, &a, err))
		return false;
	pg_sessions_end_own(storage, NULL, id, PG_SESSION_TERMINATED);
	return true;
}

bool pg_session_end_of_workspace(struct storage *storage, const struct call *call, const char *project_id,
				 const char *workspace_id, const char *id, size_t *ret_count, struct err *err)
{
	struct workspace workspace;
	struct pg_session *rows;
	struct pg_session one;
	size_t n;
	*ret_count = 0;
	if (!workspace_find(storage, call->arena, project_id, NULL, workspace_id, true, &workspace, err))
		return false;
	if (id && (!catalog_get_pg_session(storage->catalog, call->arena, KEY(id), &one) ||
		   strcmp(one.workspace_id, workspace_id) != 0))
		return session_missing(id, err);
	pg_session_list(storage, call->arena, workspace_id, "active", &rows, &n);
	for (size_t i = 0; i < n; i++) {
		if (id && strcmp(rows[i].id, id) != 0)
			continue;
		if (pg_session_end(storage, call, rows[i].id, "terminated", err))
			(*ret_count)++;
		else if (err->code != ERR_PG_SESSION_NOT_FOUND)
			return false;
	}
	return true;
}

void pg_sessions_expire(struct storage *storage, const char *workspace_id)
{
	struct err ignored = ERR_INIT;
	struct activity a = {0, 0, "expired"};
	struct arena *arena = arena_new();
	struct pg_session *rows;
	size_t n;
	catalog_list_pg_sessions_of_workspace(storage->catalog, arena, KEY(workspace_id, "active"), NULL, &rows, &n);
	for (size_t i = 0; i < n; i++)
		if (!rows[i].own)
			(void)!row_change(storage, arena, rows[i].id, &a, &ignored);
	arena_free(arena);
}

bool pg_session_cleanup(struct storage *storage, int64_t idle_s, size_t *ret_count, struct err *err)
{
	struct arena *arena = arena_new();
	struct pg_session *rows;
	size_t n;
	const int64_t before = clock_unix_us() - idle_s * 1000000;
	bool fine = true;
	*ret_count = 0;
	pg_session_list(storage, arena, NULL, "active", &rows, &n);
	for (size_t i = 0; fine && i < n; i++) {
		struct activity a = {0, 0, "timeout"};
		if (rows[i].last_activity_at > before)
			continue;
		fine = row_change(storage, arena, rows[i].id, &a, err) || err->code == ERR_PG_SESSION_NOT_FOUND;
		pg_sessions_end_own(storage, NULL, rows[i].id, PG_SESSION_TIMEOUT);
		(*ret_count)++;
	}
	arena_free(arena);
	return fine;
}

/* ---- background ---- */

/* Takes over what own sessions did into their rows, a batch at a time. */
static bool flush(struct storage *storage, struct err *err)
{
	struct workspaces *all = storage->workspaces;
	struct arena *arena = arena_new();
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	(void)pthread_mutex_lock(&all->session_lock);
	for (struct pg_own_session *s = all->sessions; s; s = s->next) {
		int64_t at = atomic_load(&s->last_activity);
		if (!s->written || at == s->written)
			continue;
		struct activity *a = arena_alloc(arena, sizeof(*a));
		*a = (struct activity){atomic_exchange(&s->queries, 0), at, NULL};
		s->written = at;
		catalog_change_pg_session(t, KEY(arena_strdup(arena, s->id)), row_activity, a, ERR_NONE);
	}
	(void)pthread_mutex_unlock(&all->session_lock);
	bool fine = catalog_commit(t, err);
	arena_free(arena);
	return fine;
}

/* Records of sessions that are over would pile up as long as the workspace lives. */
static bool forget_oldest(struct storage *storage, struct err *err)
{
	struct arena *arena = arena_new();
	struct pg_session *rows;
	size_t n, over = 0;
	bool fine = true;
	catalog_list_pg_sessions_newest(storage->catalog, arena, KEY_ALL, NULL, &rows, &n);
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].status, "active") != 0 && ++over > LIMIT_PG_SESSIONS_KEPT)
			catalog_remove_pg_session(t, KEY(rows[i].id));
	if (over > LIMIT_PG_SESSIONS_KEPT)
		fine = catalog_commit(t, err);
	arena_free(arena);
	return fine;
}

bool pg_sessions_sweep(struct storage *storage, struct err *err)
{
	const int64_t idle_s = storage->settings->pgwire_idle_timeout;
	size_t count;
	return flush(storage, err) && (idle_s == 0 || pg_session_cleanup(storage, idle_s, &count, err)) &&
	       forget_oldest(storage, err);
}

bool pg_sessions_recover(struct storage *storage, struct err *err)
{
	struct arena *arena = arena_new();
	struct pg_session *rows;
	size_t n;
	struct activity over = {0, 0, "disconnected"};
	struct catalog_txn *t = catalog_txn(storage->catalog, arena);
	catalog_list_pg_sessions_by_activity(storage->catalog, arena, KEY("active"), NULL, &rows, &n);
	for (size_t i = 0; i < n; i++)
		if (rows[i].own)
			catalog_change_pg_session(t, KEY(rows[i].id), row_activity, &over, ERR_NONE);
	bool fine = catalog_commit(t, err);
	arena_free(arena);
	return fine;
}
