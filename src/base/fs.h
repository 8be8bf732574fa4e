/*
 * Files of the data directory. All paths are whole paths; nothing here trusts
 * a name: use fs_name_ok before a client's text becomes a path component.
 *
 * Publishing is write to a temporary name, fsync, rename, fsync of the folder:
 * after fs_publish returned true the new file survives a crash, before that the
 * old one does. Functions are thread-safe; errors are ERR_IO, ERR_DISK_FULL, ERR_STORAGE_UNWRITABLE.
 */
#ifndef BASE_FS_H
#define BASE_FS_H

#include "base/err.h"

/* One plain path component: not empty, no '/', no NUL, not "." or "..", at most `max` bytes. */
bool fs_name_ok(struct span name, size_t max);
/* "a/b" into a malloc-free fixed buffer; false (ERR_INTERNAL) when it is too long. */
MUST_CHECK bool fs_path(char *ret, size_t size, struct err *err, const char *fmt, ...) PRINTF_LIKE(4, 5);

bool fs_exists(const char *path);
bool fs_is_dir(const char *path);
/* Size of a regular file, -1 when there is none. */
int64_t fs_size(const char *path);

/* Like mkdir -p; fine when it exists. */
MUST_CHECK bool fs_mkdir(const char *path, struct err *err);
/* The same; *ret_new tells whether this call made the last folder. */
MUST_CHECK bool fs_mkdir_new(const char *path, bool *ret_new, struct err *err);
MUST_CHECK bool fs_sync_dir(const char *path, struct err *err);
MUST_CHECK bool fs_sync_file(const char *path, struct err *err);
/* Renames a finished file over `to` and makes both durable (file must be synced by the caller unless `sync`). */
MUST_CHECK bool fs_publish(const char *from, const char *to, bool sync, struct err *err);
/* Hard link; where that cannot be: reflink; else a durable copy. *ret_copied tells which. `to` must not exist. */
MUST_CHECK bool fs_link(const char *from, const char *to, bool *ret_copied, struct err *err);
/* A private copy: reflink where the file system can, else copy_file_range. Not synced. */
MUST_CHECK bool fs_copy(const char *from, const char *to, struct err *err);
/* Whole small file; ERR_FILE_CONTENT_NOT_FOUND when absent. Release with free(). */
MUST_CHECK bool fs_read(const char *path, size_t max, char **ret, size_t *ret_len, struct err *err);
/* Writes and publishes `content` as `path` with the mode. */
MUST_CHECK bool fs_write(const char *path, struct span content, unsigned mode, struct err *err);
/* Missing is fine. */
MUST_CHECK bool fs_unlink(const char *path, struct err *err);
/* A folder with all below it, or a file; symbolic links are not followed. Missing is fine. */
MUST_CHECK bool fs_remove_tree(const char *path, struct err *err);
/* Calls visit for each entry but "." and ".."; visit returning false ends the walk (and fs_list returns false). */
MUST_CHECK bool fs_list(const char *path, bool (*visit)(void *ctx, const char *name, bool is_dir, struct err *err),
			void *ctx, struct err *err);
/* Sum of the sizes of the regular files below; 0 when missing. */
int64_t fs_tree_size(const char *path);
/* Free and whole bytes of the file system. */
MUST_CHECK bool fs_space(const char *path, int64_t *ret_free, int64_t *ret_size, struct err *err);

#endif
