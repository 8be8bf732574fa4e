#include "engine/export.h"

#include "base/fs.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/pool.h"
#include "engine/gzip.h"
#include "engine/sql.h"
#include "engine/writeback.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The engine's writer on one end of a FIFO, the compressor on the other. */
struct pipe_job {
	struct session *session;
	const char *sql;
	int writer; /* keeps the pipe open until the COPY is over, whether the engine opened it or not */
	uint64_t rows;
	bool ok;
	struct err err;
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
	(void)close(job->writer);
	return NULL;
}

/* The compressor gave up. The writer may be blocked on a full pipe, where no interrupt reaches it: empty it. */
static void discard(struct session *session, int from)
{
	char waste[16 * 1024];
	do
		session_interrupt(session);
	while (read(from, waste, sizeof(waste)) > 0);
}

/* Both ends of the FIFO, so that nobody ever waits for the other one to open it. */
static bool open_pipe(const char *fifo, int *ret_from, int *ret_writer, struct err *err)
{
	const int from = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	const int writer = from >= 0 ? open(fifo, O_WRONLY | O_CLOEXEC) : -1;
	if (writer >= 0 && fcntl(from, F_SETFL, 0) == 0) {
		*ret_from = from;
		*ret_writer = writer;
		return true;
	}
	const int number = errno;
	if (from >= 0)
		(void)close(from);
	if (writer >= 0)
		(void)close(writer);
	return err_errno(err, number, "The export cannot open its pipe");
}

static bool run_pipe(struct pipe_job *job, const struct export_request *r, int from, int to, struct err *err)
{
	unsigned long thread;
	struct err gzip_err = ERR_INIT;
	thread_start("export-copy", run_copy, job, &thread);
	const struct gzip_request request = {
		.from = from, .to = to, .threads = r->gzip_threads, .level = r->gzip_level};
	const bool ok = gzip_run(&request, &gzip_err);
	if (!ok)
		discard(job->session, from);
	thread_join(thread);
	if (ok && job->ok)
		return true;
	*err = ok ? job->err : gzip_err;
	return false;
}

static bool copy_through_gzip(struct session *session, const struct export_request *r, const char *fifo, int to,
			      uint64_t *ret_rows, struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct pipe_job job = {.session = session, .err = ERR_INIT};
	int from = -1;
	copy_sql(r, fifo, &sql);
	bool ok = sql_finish(&sql, &job.sql, err) && open_pipe(fifo, &from, &job.writer, err);
	if (ok) {
		ok = run_pipe(&job, r, from, to, err);
		*ret_rows = job.rows;
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
	struct writeback *writeback = writeback_begin(r->path);
	const bool ok = sql_finish(&sql, &text, err) && session_run_count(session, text, ret_rows, err);
	writeback_end(writeback);
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
