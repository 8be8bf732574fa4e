#include "base/fs.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "base/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { DIR_MODE = 0750 };

bool fs_name_ok(struct span name, size_t max)
{
	if (name.len == 0 || name.len > max || span_is(name, ".") || span_is(name, ".."))
		return false;
	return span_find(name, '/') == name.len && span_find(name, '\0') == name.len;
}

bool fs_path(char *ret, size_t size, struct err *err, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	int len = vsnprintf(ret, size, fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= size)
		return err_set(err, ERR_INTERNAL, "A path is longer than %zu bytes", size - 1);
	return true;
}

bool fs_exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

bool fs_is_dir(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int64_t fs_size(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : -1;
}

static bool parents_make(const char *path, struct err *err)
{
	char part[LIMIT_PATH_BYTES];
	if (!fs_path(part, sizeof(part), err, "%s", path))
		return false;
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, DIR_MODE) != 0 && errno != EEXIST)
			return err_errno(err, errno, "Cannot create folder %s", part);
		*slash = '/';
	}
	return true;
}

bool fs_mkdir_new(const char *path, bool *ret_new, struct err *err)
{
	*ret_new = mkdir(path, DIR_MODE) == 0;
	if (!*ret_new && errno == ENOENT) {
		if (!parents_make(path, err))
			return false;
		*ret_new = mkdir(path, DIR_MODE) == 0;
	}
	if (*ret_new)
		return true;
	int number = errno;
	if (fs_is_dir(path))
		return true;
	return err_errno(err, number == EEXIST ? ENOTDIR : number, "Cannot create folder %s", path);
}

bool fs_mkdir(const char *path, struct err *err)
{
	bool ignored;
	return fs_mkdir_new(path, &ignored, err);
}

static bool sync_path(const char *path, int flags, struct err *err)
{
	int fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "Cannot open %s", path);
	bool fine = fsync(fd) == 0;
	int number = errno;
	(void)close(fd);
	return fine || err_errno(err, number, "Cannot make %s durable", path);
}

bool fs_sync_dir(const char *path, struct err *err)
{
	return sync_path(path, O_RDONLY | O_DIRECTORY, err);
}

bool fs_sync_file(const char *path, struct err *err)
{
	return sync_path(path, O_RDONLY, err);
}

static bool sync_parent(const char *path, struct err *err)
{
	char parent[LIMIT_PATH_BYTES];
	const char *slash = strrchr(path, '/');
	if (!slash)
		return fs_sync_dir(".", err);
	if (!fs_path(parent, sizeof(parent), err, "%.*s", (int)(slash == path ? 1 : slash - path), path))
		return false;
	return fs_sync_dir(parent, err);
}

bool fs_publish(const char *from, const char *to, bool sync, struct err *err)
{
	if (sync && !fs_sync_file(from, err))
		return false;
	if (rename(from, to) != 0)
		return err_errno(err, errno, "Cannot rename %s to %s", from, to);
	return sync_parent(to, err);
}

/* One step of a copy where the kernel does not do it, e.g. between file systems. */
static ssize_t copy_piece(int in, int out)
{
	char piece[64 * 1024];
	const ssize_t n = read(in, piece, sizeof(piece));
	for (ssize_t done = 0, m; done < n; done += m) {
		m = write(out, piece + done, (size_t)(n - done));
		if (m < 0)
			return -1;
	}
	return n;
}

static bool copy_bytes(int in, int out, int64_t size, struct err *err)
{
	if (ioctl(out, FICLONE, in) == 0)
		return true;
	while (size > 0) {
		ssize_t n = copy_file_range(in, NULL, out, NULL, (size_t)size, 0);
		if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS))
			n = copy_piece(in, out);
		if (n < 0)
			return err_errno(err, errno, "Cannot copy a file");
		if (n == 0)
			return err_errno(err, EIO, "A file became shorter while it was copied");
		size -= n;
	}
	return true;
}

bool fs_copy(const char *from, const char *to, struct err *err)
{
	bool fine = false;
	struct stat st;
	int in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return err_errno(err, errno, "Cannot open %s", from);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (out < 0 || fstat(in, &st) != 0)
		(void)err_errno(err, errno, "Cannot create %s", to);
	else
		fine = copy_bytes(in, out, st.st_size, err);
	(void)close(in);
	if (out >= 0 && close(out) != 0 && fine)
		fine = err_errno(err, errno, "Cannot write %s", to);
	if (!fine && out >= 0)
		(void)unlink(to);
	return fine;
}

/* While another file is renamed over `from`, the kernel may find the old one and see that it has no name any more. */
static bool link_present(const char *from, const char *to)
{
	enum { TRIES = 16 };
	for (int i = 0; i < TRIES; i++) {
		if (link(from, to) == 0)
			return true;
		if (errno != ENOENT || !fs_exists(from))
			return false;
	}
	errno = ENOENT;
	return false;
}

bool fs_link(const char *from, const char *to, bool *ret_copied, struct err *err)
{
	*ret_copied = false;
	if (link_present(from, to))
		return true;
	if (errno != EXDEV && errno != EPERM && errno != EMLINK && errno != EOPNOTSUPP)
		return err_errno(err, errno, "Cannot link %s to %s", from, to);
	*ret_copied = true;
	return fs_copy(from, to, err) && fs_sync_file(to, err);
}

bool fs_read(const char *path, size_t max, char **ret, size_t *ret_len, struct err *err)
{
	struct buf content = BUF(max);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_FILE_CONTENT_NOT_FOUND, "There is no file %s", path);
	if (fd < 0)
		return err_errno(err, errno, "Cannot open %s", path);
	ssize_t n;
	char part[16384];
	while ((n = read(fd, part, sizeof(part))) > 0)
		buf_bytes(&content, part, (size_t)n);
	int number = errno;
	(void)close(fd);
	if (n < 0 || content.failed) {
		buf_done(&content);
		return n < 0 ? err_errno(err, number, "Cannot read %s", path)
			     : err_set(err, ERR_PAYLOAD_TOO_LARGE, "%s is larger than %zu bytes", path, max);
	}
	*ret = buf_take(&content, ret_len);
	return true;
}

bool fs_write(const char *path, struct span content, unsigned mode, struct err *err)
{
	char temporary[LIMIT_PATH_BYTES];
	char mark[17];
	id_hex(8, mark);
	if (!fs_path(temporary, sizeof(temporary), err, "%s.%s.tmp", path, mark))
		return false;
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return err_errno(err, errno, "Cannot create %s", temporary);
	bool fine = true;
	while (fine && content.len) {
		ssize_t n = write(fd, content.ptr, content.len);
		fine = n > 0;
		content = span_skip(content, n > 0 ? (size_t)n : 0);
	}
	fine = fine && fsync(fd) == 0;
	if (!fine)
		(void)err_errno(err, errno, "Cannot write %s", temporary);
	(void)close(fd);
	if (fine && fs_publish(temporary, path, false, err))
		return true;
	(void)unlink(temporary);
	return false;
}

bool fs_unlink(const char *path, struct err *err)
{
	return unlink(path) == 0 || errno == ENOENT || err_errno(err, errno, "Cannot remove %s", path);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path) != 0 && errno != ENOENT ? -1 : 0;
}

bool fs_remove_tree(const char *path, struct err *err)
{
	if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
		return true;
	return err_errno(err, errno, "Cannot remove %s", path);
}

bool fs_list(const char *path, bool (*visit)(void *ctx, const char *name, bool is_dir, struct err *err), void *ctx,
	     struct err *err)
{
	DIR *dir = opendir(path);
	if (!dir)
		return err_errno(err, errno, "Cannot read folder %s", path);
	bool fine = true;
	struct dirent *e;
	while (fine && (e = readdir(dir))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		bool is_dir = e->d_type == DT_DIR;
		struct stat st;
		if (e->d_type == DT_UNKNOWN)
			is_dir = fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
		fine = visit(ctx, e->d_name, is_dir, err);
	}
	(void)closedir(dir);
	return fine;
}

/* nftw has no context argument; a walk stays on the thread that began it. */
static __thread int64_t walk_bytes;

static int add_size(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)path;
	(void)at;
	if (kind == FTW_F)
		walk_bytes += st->st_size;
	return 0;
}

int64_t fs_tree_size(const char *path)
{
	walk_bytes = 0;
	(void)nftw(path, add_size, 16, FTW_PHYS);
	return walk_bytes;
}

bool fs_space(const char *path, int64_t *ret_free, int64_t *ret_size, struct err *err)
{
	struct statvfs st;
	if (statvfs(path, &st) != 0)
		return err_errno(err, errno, "Cannot read the free space of %s", path);
	*ret_free = (int64_t)(st.f_bavail * st.f_frsize);
	*ret_size = (int64_t)(st.f_blocks * st.f_frsize);
	return true;
}
