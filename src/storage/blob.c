#include "storage/blob.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/id.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes after which the kernel is asked to begin writing, so that the last fsync has little left to do. */
static const int64_t write_back_step = 16 * 1024 * 1024;

static bool name_it(struct blob *b, const char *files_dir, struct err *err)
{
	*b = (struct blob){.fd = -1};
	id_hex((BLOB_CONTENT_SIZE - 1) / 2, b->content);
	return fs_path(b->path, sizeof(b->path), err, "%s/_incoming/%s", files_dir, b->content);
}

static bool make_folder(const char *files_dir, struct err *err)
{
	char folder[LIMIT_PATH_BYTES];
	return fs_path(folder, sizeof(folder), err, "%s/_incoming", files_dir) && fs_mkdir(folder, err);
}

bool blob_begin(struct blob *b, const char *files_dir, unsigned digests, struct err *err)
{
	enum { FLAGS = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC };
	if (!name_it(b, files_dir, err))
		return false;
	b->fd = open(b->path, FLAGS, 0640);
	if (b->fd < 0 && errno == ENOENT) {
		if (!make_folder(files_dir, err))
			return false;
		b->fd = open(b->path, FLAGS, 0640);
	}
	if (b->fd < 0)
		return err_errno(err, errno, "Cannot create a file in %s/_incoming", files_dir);
	digests_begin(&b->digests, digests);
	return true;
}

static void write_back(struct blob *b)
{
	if (b->size - b->written_back < write_back_step)
		return;
	(void)sync_file_range(b->fd, b->written_back, b->size - b->written_back, SYNC_FILE_RANGE_WRITE);
	b->written_back = b->size;
}

bool blob_write(struct blob *b, const void *bytes, size_t n, struct err *err)
{
	const char *at = bytes;
	size_t left = n;
	digests_update(&b->digests, bytes, n);
	while (left > 0) {
		ssize_t done = write(b->fd, at, left);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_errno(err, errno, "Cannot write a file");
		at += done;
		left -= (size_t)done;
	}
	b->size += (int64_t)n;
	write_back(b);
	return true;
}

bool blob_append(struct blob *b, int fd, int64_t offset, int64_t n, struct err *err)
{
	/* A step is bounded so that write-back starts while the copy goes on. */
	while (n > 0) {
		size_t step = (size_t)(n < write_back_step ? n : write_back_step);
		ssize_t done = copy_file_range(fd, &offset, b->fd, NULL, step, 0);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_errno(err, errno, "Cannot copy a file");
		if (done == 0)
			return err_errno(err, EIO, "A file became shorter while it was copied");
		n -= done;
		b->size += done;
		write_back(b);
	}
	return true;
}

/* The name must be as durable as the bytes: the record that is committed next relies on both. */
static bool sync_folder_of(const struct blob *b, struct err *err)
{
	char folder[LIMIT_PATH_BYTES];
	int len = (int)(strrchr(b->path, '/') - b->path);
	return fs_path(folder, sizeof(folder), err, "%.*s", len, b->path) && fs_sync_dir(folder, err);
}

/*
 * Readers tell contents of one path apart by size and modification time. The kernel's clock for the latter stands still
 * for milliseconds, so each content gets a time of its own.
 */
static struct timespec unique_time(void)
{
	static _Atomic int64_t last;
	int64_t now = clock_unix_us() * 1000;
	int64_t before = atomic_load(&last);
	int64_t next;
	do {
		next = now > before ? now : before + 1;
	} while (!atomic_compare_exchange_weak(&last, &before, next));
	return (struct timespec){next / NS_PER_S, next % NS_PER_S};
}

/* The last step of a finished file: its time, its bytes and its name on the disk. */
static bool make_durable(struct blob *b, struct err *err)
{
	struct stat st;
	struct timespec time = unique_time();
	if (futimens(b->fd, (const struct timespec[]){time, time}) != 0 || fsync(b->fd) != 0 || fstat(b->fd, &st) != 0)
		return err_errno(err, errno, "Cannot make a file durable");
	b->size = st.st_size;
	b->mtime_ns = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
	return sync_folder_of(b, err);
}

void blob_digests(struct blob *b)
{
	if (b->digests.wanted)
		digests_finish(&b->digests, &b->values);
}

bool blob_finish(struct blob *b, struct err *err)
{
	blob_digests(b);
	return make_durable(b, err);
}

void blob_end(struct blob *b, bool keep)
{
	digests_done(&b->digests);
	if (b->fd < 0)
		return;
	(void)close(b->fd);
	b->fd = -1;
	if (!keep)
		(void)unlink(b->path);
}

const char *blob_path(struct arena *arena, const char *files_dir, const char *content)
{
	return arena_printf(arena, "%s/_incoming/%s", files_dir, content);
}

void blob_remove(const char *files_dir, const char *content)
{
	struct err ignored = ERR_INIT;
	char path[LIMIT_PATH_BYTES];
	if (fs_path(path, sizeof(path), &ignored, "%s/_incoming/%s", files_dir, content))
		(void)unlink(path);
}

bool blob_digest(int fd, unsigned wanted, struct digest_values *ret, struct err *err)
{
	enum { PIECE = 256 * 1024 };
	struct digests digests;
	int64_t offset = 0;
	ssize_t n;
	char *bytes = mem_alloc(PIECE);
	digests_begin(&digests, wanted);
	while ((n = pread(fd, bytes, PIECE, offset)) > 0 || (n < 0 && errno == EINTR)) {
		digests_update(&digests, bytes, n > 0 ? (size_t)n : 0);
		offset += n > 0 ? n : 0;
	}
	int number = errno;
	free(bytes);
	if (n < 0) {
		digests_done(&digests);
		return err_errno(err, number, "Cannot read a file");
	}
	digests_finish(&digests, ret);
	return true;
}

bool blob_adopt(struct blob *b, const char *files_dir, const char *from, unsigned digests, struct err *err)
{
	if (!name_it(b, files_dir, err) || !make_folder(files_dir, err))
		return false;
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "Cannot open %s", from);
	if (rename(from, b->path) != 0) {
		(void)err_errno(err, errno, "Cannot rename %s", from);
		(void)close(fd);
		return false;
	}
	b->fd = fd;
	return (digests == 0 || blob_digest(fd, digests, &b->values, err)) && make_durable(b, err);
}

void blob_hex(const struct digest_values *values, enum checksum checksum, char *ret)
{
	hash_hex(values->of[checksum], checksum_size(checksum), ret);
}
