/* First byte: options; the rest is a CSV file (perhaps packed). What the sniffer finds can be made a scan. */
#include "base/limits.h"
#include "engine/import.h"

#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[40];
	struct err err = ERR_INIT;
	struct import_file file;
	if (size == 0)
		return 0;
	const int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)size - 1) {
		if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	const struct import_options options = {.format = IMPORT_CSV,
					       .header = data[0] & 1,
					       .detect_header = data[0] & 2,
					       .delimiter = data[0] & 4 ? "ž" : NULL,
					       .quote = data[0] & 8 ? "'" : NULL,
					       .escape = data[0] & 16 ? "\\" : NULL};
	struct arena *arena = arena_new();
	if (import_sniff(NULL, path, &options, arena, &file, &err) && file.column_count > 0) {
		struct buf sql = BUF(LIMIT_SQL_BYTES);
		assert(import_scan_sql(path, &options, &file, NULL, &sql, &err) && !sql.failed);
		buf_done(&sql);
	}
	arena_free(arena);
	(void)close(fd);
	return 0;
}
