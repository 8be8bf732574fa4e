/*
 * The rest of a portal's rows, as messages in a file without a name: the engine session had to run something else before the
 * client took them. The files of a session hold PGWIRE_SPOOL_MAX_BYTES together, and go with their portals.
 */
#include "base/limits.h"
#include "pgwire/backend.h"
#include "storage/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool disk_error(struct pg_error *e)
{
	return pg_error_set(e, errno == ENOSPC || errno == EDQUOT ? "53100" : "58030",
			    "the rows of a suspended portal cannot be kept: %m");
}

bool spool_open(struct backend *b, struct portal *p, struct pg_error *e)
{
	const int fd = open(b->door->storage->settings->duckdb_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	/* Not every file system knows files without a name. */
	p->spool = fd >= 0 ? fdopen(fd, "w+") : tmpfile();
	if (p->spool)
		return true;
	(void)disk_error(e);
	if (fd >= 0)
		(void)close(fd);
	return false;
}

bool spool_put(struct backend *b, struct portal *p, struct span row, struct pg_error *e)
{
	const int64_t most = b->door->storage->settings->pgwire_spool_max;
	const uint32_t size = (uint32_t)row.len;
	p->spooled += sizeof(size) + row.len;
	b->spooled += sizeof(size) + row.len;
	if (b->spooled > (uint64_t)most) {
		(void)pg_error_set(e, "53400", "the rows of suspended portals exceed %lld bytes", (long long)most);
		pg_error_hint(e,
			      "Fetch all rows of a portal before other statements run on its connection, use another "
			      "connection for them, or raise PGWIRE_SPOOL_MAX_BYTES.");
		return false;
	}
	return (fwrite(&size, sizeof(size), 1, p->spool) == 1 && fwrite(row.ptr, 1, row.len, p->spool) == row.len) ||
	       disk_error(e);
}

bool spool_rewind(struct portal *p, struct pg_error *e)
{
	return (fflush(p->spool) == 0 && fseek(p->spool, 0, SEEK_SET) == 0) || disk_error(e);
}

bool spool_take(struct backend *b, struct portal *p, bool *ret_end, struct pg_error *e)
{
	uint32_t size;
	*ret_end = fread(&size, sizeof(size), 1, p->spool) != 1;
	if (*ret_end) {
		const bool fine = !ferror(p->spool) || disk_error(e);
		spool_close(b, p);
		return fine;
	}
	char *to = buf_reserve(&b->conn.out, size);
	if (!to || fread(to, 1, size, p->spool) != size)
		return pg_error_set(e, "58030", "the rows of a suspended portal cannot be read back");
	buf_commit(&b->conn.out, size);
	return true;
}

void spool_close(struct backend *b, struct portal *p)
{
	if (p->spool)
		(void)fclose(p->spool);
	p->spool = NULL;
	b->spooled -= p->spooled;
	p->spooled = 0;
}
