#include "engine/core.h"

#include "base/fs.h"
#include "engine/sql.h"

#include <stdlib.h>
#include <unistd.h>

const char *engine_version(void)
{
	return duckdb_library_version();
}

static size_t threads_of(const struct instance_config *config)
{
	if (config->threads)
		return config->threads;
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	return cores > 0 ? (size_t)cores : 1;
}

/*
 * external_threads = threads: the engine starts no thread of its own. The compatibility version keeps files readable by
 * DuckDB 1.4. Checkpoints by WAL entries keep recovery short: replay costs 0.1 ms a commit.
 */
static bool engine_config(const struct instance_config *config, duckdb_config *ret, struct err *err)
{
	char threads[24], memory[32], temp_max[32];
	(void)snprintf(threads, sizeof(threads), "%zu", threads_of(config));
	(void)snprintf(memory, sizeof(memory), "%lldB", (long long)config->memory_limit);
	(void)snprintf(temp_max, sizeof(temp_max), "%lldB", (long long)config->temp_max);
	const struct {
		const char *name, *value;
	} rows[] = {
		{"errors_as_json", "true"},
		{"autoinstall_known_extensions", "false"},
		{"autoload_known_extensions", "false"},
		{"allow_community_extensions", "false"},
		{"threads", threads},
		{"external_threads", threads},
		{"allocator_background_threads", "true"},
		{"wal_autocheckpoint_entries", "1000"},
		{"storage_compatibility_version", "v1.4.0"},
		{"temp_directory", config->temp_dir ? config->temp_dir : ""},
		{"memory_limit", config->memory_limit > 0 ? memory : NULL},
		{"max_temp_directory_size", config->temp_dir && config->temp_max > 0 ? temp_max : NULL},
		{"access_mode", config->read_only ? "READ_ONLY" : NULL},
	};
	if (duckdb_create_config(ret) != DuckDBSuccess)
		return err_set(err, ERR_ENGINE, "The engine cannot create a configuration");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].value && duckdb_set_config(*ret, rows[i].name, rows[i].value) != DuckDBSuccess) {
			duckdb_destroy_config(ret);
			return err_set(err, ERR_ENGINE, "The engine does not take the setting %s", rows[i].name);
		}
	return true;
}

/*
 * The order matters: each step takes away what the next one may not need any more. A list is made by a function, which the
 * file's own macros must not answer for.
 */
static bool lockdown_sql(const char *dir, struct buf *sql)
{
	buf_str(sql, "SET search_path='system.main';");
	sql_printf(sql, "SET allowed_configs=['TimeZone','enable_progress_bar','enable_progress_bar_print',"
			"'progress_bar_time','search_path','schema','custom_profiling_settings',"
			"'preserve_insertion_order','default_order','default_null_order','integer_division',"
			"'ieee_floating_point_ops','explain_output','scalar_subquery_error_on_multiple_rows',"
			"'order_by_non_integer_literal','old_implicit_casting'];");
	const size_t len = strlen(dir);
	if (len > 0)
		sql_printf(sql, "SET allowed_directories=[%L || %L];", dir, dir[len - 1] == '/' ? "" : "/");
	sql_printf(sql, "SET enable_external_access=false;SET lock_configuration=true;");
	return !sql->failed;
}

static bool core_sql(struct core *core, const struct instance_config *config, const char *sql, struct err *err)
{
	duckdb_connection connection;
	if (duckdb_connect(core->db, &connection) != DuckDBSuccess)
		return err_set(err, ERR_ENGINE, "The engine refuses a connection");
	duckdb_result result;
	struct fault fault;
	const bool ok = duckdb_query(connection, sql, &result) == DuckDBSuccess ||
			fault_err(duckdb_result_error(&result), config->hide_dir, &fault, err);
	duckdb_destroy_result(&result);
	duckdb_disconnect(&connection);
	return ok;
}

static void core_free(struct core *core)
{
	if (!core)
		return;
	core_watch_stop(core);
	if (core->stats_connection)
		duckdb_disconnect(&core->stats_connection);
	if (core->db)
		duckdb_close(&core->db);
	allowance_free(core->allowance);
	pthread_mutex_destroy(&core->lock);
	pthread_mutex_destroy(&core->stats_lock);
	pthread_cond_destroy(&core->wake);
	free(core);
}

/* The size of row groups is an option of ATTACH alone: the file that the engine was opened with is
 * attached anew, by the name it had. Without a checkpoint, for which a full disk may have no room. */
static bool group_rows(struct core *core, const struct instance_config *config, struct err *err)
{
	struct buf sql = BUF(64 * KIB);
	const char *text;
	const char *slash = strrchr(config->path, '/');
	char *name = mem_strdup(slash ? slash + 1 : config->path);
	name[strcspn(name, ".")] = '\0';
	sql_printf(&sql, "PRAGMA disable_checkpoint_on_shutdown;ATTACH ':memory:' AS _opening;USE _opening;DETACH %I;",
		   name);
	sql_printf(&sql, "ATTACH %L AS %I (ROW_GROUP_SIZE %d);", config->path, name, (int64_t)config->row_group);
	sql_printf(&sql, "USE %I;DETACH _opening;PRAGMA enable_checkpoint_on_shutdown", name);
	const bool ok = sql_finish(&sql, &text, err) && core_sql(core, config, text, err);
	free(name);
	buf_done(&sql);
	return ok;
}

static bool core_setup(struct core *core, const struct instance_config *config, struct err *err)
{
	if (config->path && config->row_group && !group_rows(core, config, err))
		return false;
	if (config->init_sql && !core_sql(core, config, config->init_sql, err))
		return false;
	if (!config->lockdown_dir)
		return true;
	struct buf sql = BUF(64 * KIB);
	const char *text;
	const bool ok = lockdown_sql(config->lockdown_dir, &sql) && sql_finish(&sql, &text, err) &&
			core_sql(core, config, text, err);
	buf_done(&sql);
	return ok;
}

static bool open_path(struct core *core, const struct instance_config *config, const char *path, duckdb_config settings,
		      struct err *err)
{
	char *message = NULL;
	struct fault fault;
	const bool ok = duckdb_open_ext(path, &core->db, settings, &message) == DuckDBSuccess ||
			fault_err(message, config->hide_dir, &fault, err);
	duckdb_free(message);
	return ok;
}

/*
 * An engine that is only being opened has no database by default, without which it cannot bind the functions of defaults: its
 * log is then refused for an ALTER TABLE or COMMENT of a table that has some. One that is open carries the same log out when
 * it attaches the file, and DETACH leaves none.
 */
static bool replay(struct core *core, const struct instance_config *config, duckdb_config settings, struct err *err)
{
	struct err why = ERR_INIT;
	struct buf sql = BUF(64 * KIB);
	const char *text;
	sql_printf(&sql, "ATTACH %L AS _replayed; DETACH _replayed", config->path);
	const bool ok = open_path(core, config, NULL, settings, &why) && sql_finish(&sql, &text, &why) &&
			core_sql(core, config, text, &why);
	buf_done(&sql);
	if (core->db)
		duckdb_close(&core->db);
	return ok && open_path(core, config, config->path, settings, err);
}

static bool is_log_refused(const struct instance_config *config, const struct err *err)
{
	return config->path && !config->read_only && strstr(err->message, "replaying WAL");
}

static bool core_open(const struct instance_config *config, struct core **ret, struct err *err)
{
	if (strcmp(duckdb_library_version(), ENGINE_VERSION) != 0)
		return err_set(err, ERR_ENGINE, "The engine library is DuckDB %s, this program needs %s",
			       duckdb_library_version(), ENGINE_VERSION);
	duckdb_config settings;
	if (!engine_config(config, &settings, err))
		return false;
	struct core *core = mem_alloc(sizeof(*core));
	pthread_mutex_init(&core->lock, NULL);
	pthread_mutex_init(&core->stats_lock, NULL);
	pthread_cond_init(&core->wake, NULL);
	core->allowance = allowance_new(config->memory_limit);
	bool ok = open_path(core, config, config->path, settings, err) ||
		  (is_log_refused(config, err) && replay(core, config, settings, err));
	duckdb_destroy_config(&settings);
	ok = ok && core_setup(core, config, err);
	if (ok && duckdb_connect(core->db, &core->stats_connection) != DuckDBSuccess)
		ok = err_set(err, ERR_ENGINE, "The engine refuses a connection");
	if (!ok) {
		core_free(core);
		return false;
	}
	core_watch_start(core, threads_of(config) - 1);
	*ret = core;
	return true;
}

bool instance_open(const struct instance_config *config, struct instance **ret, struct err *err)
{
	struct instance *instance = mem_alloc(sizeof(*instance));
	pthread_mutex_init(&instance->lock, NULL);
	const char *const texts[] = {config->path, config->temp_dir, config->lockdown_dir, config->hide_dir,
				     config->init_sql};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		instance->owned[i] = texts[i] ? mem_strdup(texts[i]) : NULL;
	instance->config = *config;
	instance->config.path = instance->owned[0];
	instance->config.temp_dir = instance->owned[1];
	instance->config.lockdown_dir = instance->owned[2];
	instance->config.hide_dir = instance->owned[3];
	instance->config.init_sql = instance->owned[4];
	atomic_store(&instance->generation, 1);
	if (!core_open(&instance->config, &instance->core, err)) {
		instance_close(instance);
		return false;
	}
	*ret = instance;
	return true;
}

void instance_close(struct instance *instance)
{
	if (!instance)
		return;
	core_free(instance->core);
	pthread_mutex_destroy(&instance->lock);
	for (size_t i = 0; i < ARRAY_LEN(instance->owned); i++)
		free(instance->owned[i]);
	free(instance);
}

/*
 * An engine that failed fatally refuses even this; one that lost a single attached database does not, unless that is its own
 * file: a function is looked for there first. It is not run, and may be a macro of the tenant that is none of this call.
 */
void core_check(struct core *core)
{
	duckdb_connection probe;
	bool alive = duckdb_connect(core->db, &probe) == DuckDBSuccess;
	if (alive) {
		duckdb_result result;
		alive = duckdb_query(probe, "EXPLAIN SELECT pi()", &result) == DuckDBSuccess ||
			duckdb_result_error_type(&result) == DUCKDB_ERROR_BINDER;
		duckdb_destroy_result(&result);
		duckdb_disconnect(&probe);
	}
	if (!alive)
		atomic_store(&core->dead, true);
}

/* Called with instance->lock held. */
static bool instance_rebuild(struct instance *instance, struct err *err)
{
	struct core *old = instance->core;
	pthread_mutex_lock(&old->lock);
	const bool unused = old->session_count == 0;
	pthread_mutex_unlock(&old->lock);
	/* A second engine on a file that is still open elsewhere in the process would damage it. */
	if (instance->config.path && !unused)
		return err_set(err, ERR_STORAGE_UNAVAILABLE, "The database is being reopened after a fault");
	struct core *fresh = NULL;
	if (instance->config.path) {
		core_free(old);
		instance->core = NULL;
		if (!core_open(&instance->config, &fresh, err))
			return false;
	} else {
		if (!core_open(&instance->config, &fresh, err))
			return false;
		pthread_mutex_lock(&old->lock);
		old->disowned = true;
		const bool last = old->session_count == 0;
		pthread_mutex_unlock(&old->lock);
		if (last)
			core_free(old);
	}
	instance->core = fresh;
	atomic_fetch_add(&instance->generation, 1);
	return true;
}

static bool session_connect(struct session *session, struct core *core, struct err *err)
{
	assert(core);
	if (duckdb_connect(core->db, &session->connection) != DuckDBSuccess)
		return err_set(err, ERR_ENGINE, "The engine refuses a connection");
	session->core = core;
	pthread_mutex_lock(&core->lock);
	session->next = core->sessions;
	session->link = &core->sessions;
	if (session->next)
		session->next->link = &session->next;
	core->sessions = session;
	core->session_count++;
	pthread_mutex_unlock(&core->lock);
	return true;
}

bool session_open(struct instance *instance, struct session **ret, struct err *err)
{
	struct session *session = mem_alloc(sizeof(*session));
	session->instance = instance;
	(void)pthread_mutex_init(&session->gate, NULL);
	pthread_mutex_lock(&instance->lock);
	bool ok = true;
	if (!instance->core) /* an earlier attempt to reopen failed */
		ok = core_open(&instance->config, &instance->core, err);
	else if (atomic_load(&instance->core->dead))
		ok = instance_rebuild(instance, err);
	ok = ok && session_connect(session, instance->core, err);
	pthread_mutex_unlock(&instance->lock);
	if (!ok) {
		(void)pthread_mutex_destroy(&session->gate);
		free(session);
		return false;
	}
	*ret = session;
	return true;
}

void session_close(struct session *session)
{
	if (!session)
		return;
	struct core *core = session->core;
	if (session->progress)
		progress_detach(session->progress, session);
	pthread_mutex_lock(&core->lock);
	*session->link = session->next;
	if (session->next)
		session->next->link = session->link;
	pthread_mutex_unlock(&core->lock);
	/* Only now: the watch cannot reach the connection any more. The count drops last, it keeps the core alive. */
	duckdb_disconnect(&session->connection);
	(void)pthread_mutex_destroy(&session->gate);
	free(session);
	core_unref_session(core);
}

void core_unref_session(struct core *core)
{
	pthread_mutex_lock(&core->lock);
	core->session_count--;
	const bool last = core->disowned && core->session_count == 0;
	pthread_mutex_unlock(&core->lock);
	if (last)
		core_free(core);
}

void session_close_cleanup(void *session)
{
	session_close(session);
}

bool instance_is_dead(struct instance *instance)
{
	pthread_mutex_lock(&instance->lock);
	const bool dead = !instance->core || atomic_load(&instance->core->dead);
	pthread_mutex_unlock(&instance->lock);
	return dead;
}

uint64_t instance_generation(const struct instance *instance)
{
	return atomic_load(&instance->generation);
}

void instance_interrupt_all(struct instance *instance)
{
	pthread_mutex_lock(&instance->lock);
	struct core *core = instance->core;
	if (core) {
		pthread_mutex_lock(&core->lock);
		for (struct session *s = core->sessions; s; s = s->next)
			session_interrupt(s);
		pthread_mutex_unlock(&core->lock);
	}
	pthread_mutex_unlock(&instance->lock);
}

/* Sums and rows of duckdb_memory(), read through a connection of its own. */
static size_t read_memory(struct core *core, struct instance_memory *rows, size_t max)
{
	size_t n = 0;
	duckdb_result result;
	pthread_mutex_lock(&core->stats_lock);
	if (duckdb_query(core->stats_connection,
			 "SELECT tag, memory_usage_bytes, temporary_storage_bytes FROM system.main.duckdb_memory()",
			 &result) == DuckDBSuccess) {
		duckdb_data_chunk chunk;
		while ((chunk = duckdb_fetch_chunk(result))) {
			duckdb_string_t *tags = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
			const int64_t *memory = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 1));
			const int64_t *temp = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 2));
			const size_t count = duckdb_data_chunk_get_size(chunk);
			for (size_t i = 0; i < count && n < max; i++, n++) {
				(void)snprintf(rows[n].tag, sizeof(rows[n].tag), "%.*s",
					       (int)duckdb_string_t_length(tags[i]), duckdb_string_t_data(&tags[i]));
				rows[n].memory_bytes = memory[i];
				rows[n].temp_bytes = temp[i];
			}
			duckdb_destroy_data_chunk(&chunk);
		}
	}
	duckdb_destroy_result(&result);
	pthread_mutex_unlock(&core->stats_lock);
	return n;
}

void core_memory(struct core *core, int64_t *ret_memory, int64_t *ret_temp)
{
	struct instance_memory rows[INSTANCE_MEMORY_TAGS_MAX];
	const size_t n = read_memory(core, rows, INSTANCE_MEMORY_TAGS_MAX);
	*ret_memory = *ret_temp = 0;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(rows[i].tag, "BASE_TABLE") != 0)
			*ret_memory += rows[i].memory_bytes;
		*ret_temp += rows[i].temp_bytes;
	}
}

size_t instance_memory(struct instance *instance, struct instance_memory *ret)
{
	pthread_mutex_lock(&instance->lock);
	const size_t n = instance->core ? read_memory(instance->core, ret, INSTANCE_MEMORY_TAGS_MAX) : 0;
	pthread_mutex_unlock(&instance->lock);
	return n;
}

void instance_stats(struct instance *instance, struct instance_stats *ret)
{
	*ret = (struct instance_stats){.memory_limit = instance->config.memory_limit};
	struct instance_memory rows[INSTANCE_MEMORY_TAGS_MAX];
	const size_t n = instance_memory(instance, rows);
	for (size_t i = 0; i < n; i++) {
		ret->memory_bytes += rows[i].memory_bytes;
		ret->temp_bytes += rows[i].temp_bytes;
	}
	ret->statements = atomic_load(&instance->statements);
	pthread_mutex_lock(&instance->lock);
	struct core *core = instance->core;
	if (core) {
		pthread_mutex_lock(&core->lock);
		ret->sessions = core->session_count;
		for (const struct session *s = core->sessions; s; s = s->next)
			ret->running += atomic_load(&s->started_ns) != 0;
		pthread_mutex_unlock(&core->lock);
	}
	pthread_mutex_unlock(&instance->lock);
}
