#include "engine/export.h"

#include "base/fs.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/pool.h"
#include "engine/gzip.h"
#include "engine/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The engine's writer on one end of a FIFO, the compressor on the other. */
struct pipe_job {
	struct session *session;
	const char *sql;
	uint64_t rows;
	bool ok;
	struct err err;
	atomic_bool done;
};

static void copy_sql(const struct export_request *r, const char *path, struct buf *out)
{
	static const char *const codecs[] = {
		[EXPORT_CODEC_NONE] = "uncompressed",
		[EXPORT_CODEC_GZIP] = "gzip",
		[EXPORT_CODEC_ZSTD] = "zstd",
		[EXPORT_CODEC_SNAPPY] = "snappy",
	};
	sql_printf(out, "COPY (%s) TO %L ", r->query, path);
	if (r->format == EXPORT_PARQUET)
		sql_printf(out, "(FORMAT parquet, COMPRESSION %s)", codecs[r->codec]);
	else
		sql_printf(
			out,
			"(FORMAT csv, HEADER true, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NULLSTR '', COMPRESSION %s, "
			"USE_TMP_FILE false)",
			r->codec == EXPORT_CODEC_ZSTD ? "zstd" : "none");
}

static void *run_copy(void *ctx)
{
	struct pipe_job *job = ctx;
	job->ok = session_run_count(job->session, job->sql, &job->rows, &job->err);
	atomic_store(&job->done, true);
	return NULL;
}

/* The compressor gave up. The writer may be blocked on a full pipe, where no interrupt reaches it: empty it. */
static void discard(struct pipe_job *job, int from)
{
	char waste[16 * 1024];
	while (!atomic_load(&job->done)) {
		session_interrupt(job->session);
		if (read(from, waste, sizeof(waste)) <= 0)
			(void)usleep(1000);
	}
}

static bool copy_through_gzip(struct session *session, const struct export_request *r, const char *fifo, int to,
			      uint64_t *ret_rows, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	unsigned long thread;
	struct pipe_job job = {.session = session, .err = ERR_INIT};
	copy_sql(r, fifo, &sql);
	/* Both ends in one: opening the FIFO never blocks, and the engine's open finds a reader. */
	const int from = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (from < 0) {
		buf_done(&sql);
		return err_errno(err, errno, "The export cannot open its pipe");
	}
	bool ok = sql_finish(&sql, &job.sql, err);
	if (ok) {
		struct err gzip_err = ERR_INIT;
		thread_start("export-copy", run_copy, &job, &thread);
		const struct gzip_request request = {
			.from = from, .to = to, .threads = r->gzip_threads, .level = r->gzip_level, .done = &job.done};
		ok = gzip_run(&request, &gzip_err);
		if (!ok)
			discard(&job, from);
		thread_join(thread);
		(void)close(from);
		*ret_rows = job.rows;
		if (!ok)
			*err = gzip_err;
		else if (!job.ok)
			*err = job.err;
		ok = ok && job.ok;
	} else {
		(void)close(from);
	}
	buf_done(&sql);
	return ok;
}

static bool export_gzip(struct session *session, const struct export_request *r, const char *scratch_dir,
			uint64_t *ret_rows, struct err *err)
{
	char fifo[LIMIT_PATH_BYTES], random[17];
	id_hex(8, random);
	if (!fs_path(fifo, sizeof(fifo), err, "%s/export-%s.fifo", scratch_dir, random))
		return false;
	if (mkfifo(fifo, 0600) != 0)
		return err_errno(err, errno, "The export cannot create its pipe");
	const int to = open(r->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	bool ok = to >= 0 || err_errno(err, errno, "The export cannot create its file");
	if (ok) {
		ok = copy_through_gzip(session, r, fifo, to, ret_rows, err);
		if (close(to) != 0 && ok)
			ok = err_errno(err, errno, "The export cannot finish its file");
	}
	(void)unlink(fifo);
	return ok;
}

static bool export_plain(struct session *session, const struct export_request *r, uint64_t *ret_rows, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	const char *text;
	copy_sql(r, r->path, &sql);
	const bool ok = sql_finish(&sql, &text, err) && session_run_count(session, text, ret_rows, err);
	buf_done(&sql);
	return ok;
}

bool export_run(struct session *session, const struct export_request *r, const char *scratch_dir,
		struct export_result *ret, struct err *err)
{
	uint64_t rows = 0;
	if (fs_exists(r->path))
		return err_set(err, ERR_IO, "The export's file exists already");
	const bool gzip = r->format == EXPORT_CSV && r->codec == EXPORT_CODEC_GZIP;
	bool ok = gzip ? export_gzip(session, r, scratch_dir, &rows, err) : export_plain(session, r, &rows, err);
	ok = ok && fs_sync_file(r->path, err);
	if (!ok) {
		struct err ignored = ERR_INIT;
		(void)!fs_unlink(r->path, &ignored);
		return false;
	}
	*ret = (struct export_result){(int64_t)rows, fs_size(r->path)};
	return true;
}
