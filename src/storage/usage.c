#include "storage/usage.h"

#include "base/arena.h"
#include "base/map.h"

#include <pthread.h>
#include <stdlib.h>

struct counts {
	int64_t files;
	int64_t bytes;
};

struct usage {
	struct usage_limits limits;
	pthread_mutex_t mutex;
	struct map projects; /* of struct counts */
	struct counts total;
};

struct usage *usage_new(struct usage_limits limits)
{
	struct usage *usage = mem_alloc(sizeof(*usage));
	usage->limits = limits;
	(void)pthread_mutex_init(&usage->mutex, NULL);
	return usage;
}

void usage_free(struct usage *usage)
{
	if (!usage)
		return;
	struct map_entry *entry;
	for (size_t at = 0; (entry = map_next(&usage->projects, &at));)
		free(entry->value);
	map_done(&usage->projects);
	(void)pthread_mutex_destroy(&usage->mutex);
	free(usage);
}

static struct counts *counts_of(struct usage *usage, const char *project_id)
{
	struct counts *counts = map_get(&usage->projects, span_of(project_id));
	if (!counts) {
		counts = mem_alloc(sizeof(*counts));
		(void)map_put(&usage->projects, span_of(project_id), counts);
	}
	return counts;
}

static void move(struct usage *usage, struct counts *counts, int64_t files, int64_t bytes)
{
	counts->files += files;
	counts->bytes += bytes;
	usage->total.files += files;
	usage->total.bytes += bytes;
}

static bool exceeded(struct err *err, const char *what, int64_t limit, int64_t current)
{
	(void)err_set(err, ERR_QUOTA_EXCEEDED, "The project may have at most %lld %s", (long long)limit, what);
	err_detail_int(err, "limit", limit);
	err_detail_int(err, "current", current);
	return false;
}

bool usage_reserve(struct usage *usage, const char *project_id, int64_t files, int64_t bytes, struct err *err)
{
	bool fine = true;
	(void)pthread_mutex_lock(&usage->mutex);
	struct counts *counts = counts_of(usage, project_id);
	if (files > 0 && counts->files + files > usage->limits.files)
		fine = exceeded(err, "files", usage->limits.files, counts->files);
	else if (bytes > 0 && bytes > usage->limits.bytes - counts->bytes)
		fine = exceeded(err, "bytes of files", usage->limits.bytes, counts->bytes);
	if (fine)
		move(usage, counts, files, bytes);
	(void)pthread_mutex_unlock(&usage->mutex);
	return fine;
}

void usage_move(struct usage *usage, const char *project_id, int64_t files, int64_t bytes)
{
	(void)pthread_mutex_lock(&usage->mutex);
	/* What is given back to a project that was forgotten meanwhile went with it. */
	if (files > 0 || bytes > 0 || map_get(&usage->projects, span_of(project_id)))
		move(usage, counts_of(usage, project_id), files, bytes);
	(void)pthread_mutex_unlock(&usage->mutex);
}

void usage_get(struct usage *usage, const char *project_id, int64_t *ret_files, int64_t *ret_bytes)
{
	(void)pthread_mutex_lock(&usage->mutex);
	const struct counts *counts = project_id ? map_get(&usage->projects, span_of(project_id)) : &usage->total;
	*ret_files = counts ? counts->files : 0;
	*ret_bytes = counts ? counts->bytes : 0;
	(void)pthread_mutex_unlock(&usage->mutex);
}

void usage_forget(struct usage *usage, const char *project_id)
{
	(void)pthread_mutex_lock(&usage->mutex);
	struct counts *counts = map_remove(&usage->projects, span_of(project_id));
	if (counts)
		move(usage, &(struct counts){0}, -counts->files, -counts->bytes);
	free(counts);
	(void)pthread_mutex_unlock(&usage->mutex);
}
