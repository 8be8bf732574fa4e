#include "storage/intent.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/id.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NOTE_BYTES_MAX = 64 * 1024 };

static const struct span note_suffix = {".intent", 7};

void intent_begin(struct intent *intent, const struct storage *storage, const char *path)
{
	struct buf text = BUF(NOTE_BYTES_MAX);
	char mark[17];
	if (path)
		buf_printf(&text, "%s\n", path);
	id_hex(8, mark);
	int len = snprintf(intent->path, sizeof(intent->path), "%s/%s.intent", storage->settings->staging_dir, mark);
	bool fits = len > 0 && (size_t)len < sizeof(intent->path) && text.len && !text.failed;
	int fd = fits ? open(intent->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	bool fine = fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len;
	if (fd >= 0)
		(void)close(fd);
	if (fd >= 0 && !fine)
		(void)unlink(intent->path);
	if (!fine)
		intent->path[0] = '\0';
	buf_done(&text);
}

void intent_end(struct intent *intent)
{
	if (intent->path[0])
		(void)unlink(intent->path);
	intent->path[0] = '\0';
}

struct collector {
	const char *dir;
	struct map *paths;
};

static bool note_read(void *ctx, const char *name, bool is_dir, struct err *err)
{
	struct collector *c = ctx;
	struct err ignored = ERR_INIT;
	char path[LIMIT_PATH_BYTES];
	char *text;
	size_t len;
	if (is_dir || !span_ends(span_of(name), note_suffix) ||
	    !fs_path(path, sizeof(path), err, "%s/%s", c->dir, name))
		return true;
	if (!fs_read(path, NOTE_BYTES_MAX, &text, &len, &ignored))
		return true;
	struct span rest = {text, len};
	while (rest.len) {
		struct span line = span_cut(&rest, '\n');
		if (line.len)
			(void)map_put(c->paths, line, c);
	}
	free(text);
	return true;
}

void intent_collect(const struct storage *storage, struct map *ret)
{
	struct collector c = {.dir = storage->settings->staging_dir, .paths = ret};
	struct err ignored = ERR_INIT;
	*ret = MAP_INIT;
	if (fs_is_dir(c.dir))
		(void)!fs_list(c.dir, note_read, &c, &ignored);
}
