#include "pgwire/spool.h"

#include "base/limits.h"
#include "engine/chunk.h"
#include "metrics/metrics.h"
#include "pgwire/backend.h"
#include "storage/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* A block of more bytes than that is cut in two, as long as it has two rows. */
enum { BLOCK_BYTES = 8 * MIB };

/* In front of each block in the file. */
struct head {
	uint64_t bytes;
	uint64_t rows;
	uint64_t before; /* bytes of the block before, with its head; 0: this is the first */
};

struct spool {
	int fd;
	uint64_t rows;
	uint64_t size; /* of the file */
	uint64_t last; /* size of the last block, with its head */
	struct arena *arena;
	size_t columns;
	struct vector *vectors; /* of the block in memory */
	char *bytes;
	size_t room;
	struct head head;
	uint64_t at;	/* where it begins in the file */
	uint64_t first; /* its first row */
	bool loaded;
};

static bool disk_error(struct pg_error *e)
{
	return pg_error_set(e, errno == ENOSPC || errno == EDQUOT ? "53100" : "58030",
			    "the rows of a cursor or portal cannot be kept: %m");
}

static bool unreadable(struct pg_error *e)
{
	return pg_error_set(e, "58030", "the rows of a cursor or portal cannot be read back");
}

static int open_file(const char *folder)
{
	const int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	/* Not every file system knows files without a name. The folder is emptied at start-up, if the process dies here. */
	char path[4096];
	if (snprintf(path, sizeof(path), "%s/_spool_XXXXXX", folder) >= (int)sizeof(path))
		return -1;
	const int named = mkostemp(path, O_CLOEXEC);
	if (named >= 0)
		(void)unlink(path);
	return named;
}

bool spool_new(struct backend *b, const struct vector *vectors, size_t columns, struct spool **ret, struct pg_error *e)
{
	const int fd = open_file(b->door->storage->settings->staging_dir);
	if (fd < 0)
		return disk_error(e);
	struct arena *arena = arena_new();
	struct spool *s = arena_new_of(arena, struct spool);
	*s = (struct spool){
		.fd = fd, .arena = arena, .columns = columns, .vectors = chunk_shape(arena, vectors, columns)};
	*ret = s;
	return true;
}

static void count(struct backend *b, int64_t bytes)
{
	b->spooled += (uint64_t)bytes;
	metric_gauge_add(metric_series(METRIC_PGWIRE_SPOOL_BYTES, NULL), bytes);
}

void spool_free(struct backend *b, struct spool *s)
{
	if (!s)
		return;
	count(b, -(int64_t)s->size);
	(void)close(s->fd);
	free(s->bytes);
	arena_free(s->arena);
}

uint64_t spool_rows(const struct spool *s)
{
	return s->rows;
}

uint64_t spool_bytes(const struct spool *s)
{
	return s->size;
}

static bool write_all(int fd, const char *bytes, size_t n, uint64_t at, struct pg_error *e)
{
	while (n > 0) {
		const ssize_t done = pwrite(fd, bytes, n, (off_t)at);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return disk_error(e);
		bytes += done;
		at += (uint64_t)done;
		n -= (size_t)done;
	}
	return true;
}

static bool read_all(int fd, void *bytes, size_t n, uint64_t at, struct pg_error *e)
{
	char *to = bytes;
	while (n > 0) {
		const ssize_t done = pread(fd, to, n, (off_t)at);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return unreadable(e);
		to += done;
		at += (uint64_t)done;
		n -= (size_t)done;
	}
	return true;
}

static bool add_block(struct backend *b, struct spool *s, struct span bytes, size_t rows, struct pg_error *e)
{
	const int64_t most = b->door->storage->settings->pgwire_spool_max;
	const struct head head = {bytes.len, rows, s->last};
	const uint64_t size = sizeof(head) + bytes.len;
	if (b->spooled + size > (uint64_t)most) {
		(void)pg_error_set(e, "53400", "the rows kept of cursors and suspended portals exceed %lld bytes",
				   (long long)most);
		pg_error_hint(
			e,
			"Fetch all rows of a cursor or portal before other statements run on its connection, use another "
			"connection for them, or raise PGWIRE_SPOOL_MAX_BYTES.");
		return false;
	}
	if (!write_all(s->fd, (const char *)&head, sizeof(head), s->size, e) ||
	    !write_all(s->fd, bytes.ptr, bytes.len, s->size + sizeof(head), e))
		return false;
	s->size += size;
	s->last = size;
	s->rows += rows;
	b->statement_spooled += size;
	count(b, (int64_t)size);
	return true;
}

bool spool_add(struct backend *b, struct spool *s, const struct vector *vectors, size_t from, size_t rows,
	       struct pg_error *e)
{
	struct buf bytes = BUF(rows > 1 ? BLOCK_BYTES : GIB);
	chunk_write(vectors, s->columns, from, rows, &bytes);
	if (bytes.failed && rows > 1) {
		buf_done(&bytes);
		return spool_add(b, s, vectors, from, rows / 2, e) &&
		       spool_add(b, s, vectors, from + rows / 2, rows - rows / 2, e);
	}
	const bool fine = bytes.failed ? pg_error_set(e, "54000", "a row is too long")
				       : add_block(b, s, buf_view(&bytes), rows, e);
	buf_done(&bytes);
	return fine;
}

/* Steps from block to block, as near as that is from where it stands, to the one with the row. */
static bool find_block(struct spool *s, uint64_t row, struct pg_error *e)
{
	if (!s->loaded || row < s->first / 2) {
		s->at = s->first = 0;
		if (!read_all(s->fd, &s->head, sizeof(s->head), 0, e))
			return false;
	}
	if (row > s->first && s->rows - row < row - s->first) {
		s->at = s->size - s->last;
		if (!read_all(s->fd, &s->head, sizeof(s->head), s->at, e))
			return false;
		s->first = s->rows - s->head.rows;
	}
	while (row < s->first || row - s->first >= s->head.rows) {
		const bool back = row < s->first;
		s->at = back ? s->at - s->head.before : s->at + sizeof(s->head) + s->head.bytes;
		s->first += back ? 0 : s->head.rows;
		if (!read_all(s->fd, &s->head, sizeof(s->head), s->at, e))
			return false;
		s->first -= back ? s->head.rows : 0;
	}
	return true;
}

static bool load(struct spool *s, uint64_t row, struct pg_error *e)
{
	const bool found = find_block(s, row, e);
	s->loaded = false;
	if (!found)
		return false;
	if (s->head.bytes > s->room) {
		free(s->bytes);
		s->bytes = mem_alloc(s->head.bytes);
		s->room = s->head.bytes;
	}
	if (!read_all(s->fd, s->bytes, s->head.bytes, s->at + sizeof(s->head), e))
		return false;
	s->loaded = chunk_read(s->vectors, s->columns, s->head.rows, s->bytes, s->head.bytes);
	return s->loaded || unreadable(e);
}

bool spool_look(struct spool *s, uint64_t row, const struct vector **ret, size_t *ret_at, struct pg_error *e)
{
	if ((!s->loaded || row < s->first || row - s->first >= s->head.rows) && !load(s, row, e))
		return false;
	*ret = s->vectors;
	*ret_at = row - s->first;
	return true;
}
