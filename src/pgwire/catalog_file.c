#include "pgwire/catalog_file.h"

#include "base/fs.h"
#include "base/limits.h"
#include "engine/sql.h"
#include "pgwire/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

void catalog_file_init(struct catalog_file *f)
{
	(void)pthread_mutex_init(&f->lock, NULL);
	f->fd = -1;
}

void catalog_file_done(struct catalog_file *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	(void)pthread_mutex_destroy(&f->lock);
}

static bool run(struct session *session, const char *fmt, const char *path, struct err *err)
{
	struct buf sql = BUF(64 * KIB);
	const char *text;
	sql_printf(&sql, fmt, path);
	const bool fine = sql_finish(&sql, &text, err) && session_run(session, text, err);
	buf_done(&sql);
	return fine;
}

/* One transaction, so that the engine writes the file once. */
static bool fill(struct session *session, struct err *err)
{
	struct err ignored = ERR_INIT;
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	buf_str(&sql, "BEGIN;\n");
	catalog_sql(&sql);
	buf_str(&sql, "COMMIT;\nDETACH _pg");
	const bool fine = sql.failed ? err_set(err, ERR_ENGINE, "The catalog's SQL is too long")
				     : session_run(session, sql.ptr, err);
	if (!fine)
		(void)!session_run(session, "ROLLBACK", &ignored);
	buf_done(&sql);
	return fine;
}

static bool make(struct catalog_file *f, struct session *session, const char *path, struct err *err)
{
	if (!run(session, "ATTACH %L AS _pg (BLOCK_SIZE 16384)", path, err) || !fill(session, err))
		return false;
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	return f->fd >= 0 || err_errno(err, errno, "Cannot open %s", path);
}

static bool copy(const struct catalog_file *f, const char *path, struct err *err)
{
	char from[40];
	(void)snprintf(from, sizeof(from), "/proc/self/fd/%d", f->fd);
	return fs_copy(from, path, err);
}

bool catalog_file_attach(struct catalog_file *f, struct session *session, const char *path, struct err *err)
{
	struct err ignored = ERR_INIT;
	bool fine = session_run(session, "DETACH DATABASE IF EXISTS _pg", err) && fs_unlink(path, err);
	(void)pthread_mutex_lock(&f->lock);
	if (fine)
		fine = f->fd < 0 ? make(f, session, path, err) : copy(f, path, err);
	(void)pthread_mutex_unlock(&f->lock);
	fine = fine && run(session, "ATTACH %L AS _pg (READ_ONLY)", path, err);
	return fs_unlink(path, fine ? err : &ignored) && fine;
}
