#include "engine/writeback.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/pool.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_MS = 20, PIECE_BYTES = 8 * 1024 * 1024 };

struct writeback {
	char *path;
	pthread_mutex_t mutex;
	pthread_cond_t ended;
	bool end;
	bool runs;
	unsigned long thread;
	int fd; /* -1: not there yet */
	off_t done;
};

/* Whole pieces only: the last one is still being filled. */
static void write_out(struct writeback *w)
{
	struct stat st;
	if (w->fd < 0)
		w->fd = open(w->path, O_RDONLY | O_CLOEXEC);
	if (w->fd < 0 || fstat(w->fd, &st) != 0)
		return;
	const off_t ready = st.st_size / PIECE_BYTES * PIECE_BYTES;
	if (ready <= w->done)
		return;
	(void)sync_file_range(w->fd, w->done, ready - w->done, SYNC_FILE_RANGE_WRITE);
	w->done = ready;
}

static void *look(void *ctx)
{
	struct writeback *w = ctx;
	(void)pthread_mutex_lock(&w->mutex);
	while (!w->end) {
		const int64_t at = clock_ns() + LOOK_MS * NS_PER_MS;
		const struct timespec until = {at / NS_PER_S, at % NS_PER_S};
		(void)pthread_cond_clockwait(&w->ended, &w->mutex, CLOCK_MONOTONIC, &until);
		(void)pthread_mutex_unlock(&w->mutex);
		write_out(w);
		(void)pthread_mutex_lock(&w->mutex);
	}
	(void)pthread_mutex_unlock(&w->mutex);
	return NULL;
}

struct writeback *writeback_begin(const char *path)
{
	struct writeback *w = mem_alloc(sizeof(*w));
	*w = (struct writeback){.path = mem_strdup(path), .fd = -1};
	(void)pthread_mutex_init(&w->mutex, NULL);
	(void)pthread_cond_init(&w->ended, NULL);
	w->runs = thread_try_start("export-disk", look, w, &w->thread);
	return w;
}

void writeback_end(struct writeback *w)
{
	(void)pthread_mutex_lock(&w->mutex);
	w->end = true;
	(void)pthread_cond_signal(&w->ended);
	(void)pthread_mutex_unlock(&w->mutex);
	if (w->runs)
		thread_join(w->thread);
	if (w->fd >= 0)
		(void)close(w->fd);
	(void)pthread_cond_destroy(&w->ended);
	(void)pthread_mutex_destroy(&w->mutex);
	free(w->path);
	free(w);
}
