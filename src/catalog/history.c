#include "catalog/history.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/pool.h"
#include "catalog/history_core.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

enum {
	SUCCESS_DAYS = 7,
	ERROR_DAYS = 30,
	LINGER_MS = 50, /* so that a quiet server does not sync the disk for each row */
	RETRY_MS = 1000,
	BATCH_MAX = 8192,
	TEXT_MAX = 4096,
	DETAILS_MAX = 64 * 1024
};

#define DAY_US (24 * 3600 * US_PER_S)

/* ---- Records ---- */

static struct span text_bounded(const struct column_def *column, const char *text)
{
	struct span s = span_of(text);
	bool details = column->offset == offsetof(struct operation, details_json);
	if (s.len <= (details ? DETAILS_MAX : TEXT_MAX))
		return s;
	return details ? SPAN("{\"truncated\":true}") : span_first_utf8(s, TEXT_MAX);
}

/* Texts are cut to their limits; bytes that are no UTF-8 become question marks. */
static struct record *record_new(const struct operation *op, bool begins)
{
	struct span texts[HISTORY_COLUMNS_MAX];
	size_t size = 0;
	size_t count = history_column_count();
	for (size_t i = 0; i < count; i++) {
		if (history_columns[i].kind != COLUMN_TEXT)
			continue;
		texts[i] = text_bounded(&history_columns[i], column_text(&history_columns[i], op).ptr);
		size += texts[i].len + 1;
	}
	struct record *r = mem_alloc(sizeof(*r) + size);
	r->begins = begins;
	r->op = *op;
	char *at = r->texts;
	for (size_t i = 0; i < count; i++) {
		if (history_columns[i].kind != COLUMN_TEXT || !texts[i].ptr)
			continue;
		memcpy(at, texts[i].ptr, texts[i].len);
		if (!span_is_utf8(texts[i]))
			for (size_t b = 0; b < texts[i].len; b++)
				at[b] = (unsigned char)at[b] < 0x80 ? at[b] : '?';
		*(const char **)(void *)((char *)&r->op + history_columns[i].offset) = at;
		at += texts[i].len + 1;
	}
	return r;
}

static void records_free(struct record *r)
{
	while (r) {
		struct record *next = r->next;
		free(r);
		r = next;
	}
}

/* ---- The thread ---- */

static void wait_ms(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t ms)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	int64_t ns = until.tv_nsec + ms * NS_PER_MS;
	until.tv_sec += (time_t)(ns / NS_PER_S);
	until.tv_nsec = (long)(ns % NS_PER_S);
	(void)pthread_cond_timedwait(cond, mutex, &until);
}

/* With the mutex held. Waits for records, lingers unless somebody waits, and takes a batch. */
static struct record *batch_take(struct history *h, uint64_t *ret_count)
{
	while (!h->first && !h->closing)
		(void)pthread_cond_wait(&h->wake, &h->mutex);
	if (h->first && !h->closing && h->waiters == 0 && h->depth < BATCH_MAX / 2)
		wait_ms(&h->wake, &h->mutex, LINGER_MS);
	struct record *batch = h->first;
	struct record **end = &h->first;
	for (*ret_count = 0; *end && *ret_count < BATCH_MAX; ++*ret_count)
		end = &(*end)->next;
	h->first = *end;
	*end = NULL;
	if (!h->first)
		h->last = &h->first;
	return *ret_count ? batch : NULL;
}

/* With the mutex held. The batch goes back to the head of the queue when the file may work again later. */
static void batch_settle(struct history *h, struct record *batch, uint64_t count, const struct err *failure)
{
	bool again = failure && !h->closing;
	if (failure) {
		h->failures++;
		h->error = *failure;
	}
	if (again) {
		struct record **end = &batch;
		while (*end)
			end = &(*end)->next;
		*end = h->first;
		if (!h->first)
			h->last = end;
		h->first = batch;
	} else {
		h->dropped += failure ? count : 0;
		h->depth -= count;
		h->settled += count;
		records_free(batch);
	}
	(void)pthread_cond_broadcast(&h->written);
}

static void *history_run(void *ctx)
{
	struct history *h = ctx;
	(void)pthread_mutex_lock(&h->mutex);
	for (;;) {
		uint64_t count;
		struct record *batch = batch_take(h, &count);
		if (!batch && h->closing)
			break;
		if (!batch)
			continue;
		(void)pthread_mutex_unlock(&h->mutex);
		struct err err = ERR_INIT;
		bool ok = history_file_write(&h->file, batch, &err);
		(void)pthread_mutex_lock(&h->mutex);
		batch_settle(h, batch, count, ok ? NULL : &err);
		if (!ok && !h->closing)
			wait_ms(&h->wake, &h->mutex, RETRY_MS);
	}
	(void)pthread_mutex_unlock(&h->mutex);
	return NULL;
}

/* ---- Life ---- */

bool history_open(const struct history_config *config, struct history **ret, struct err *err)
{
	struct history *h = mem_alloc(sizeof(*h));
	h->success_us = (config->success_days ? config->success_days : SUCCESS_DAYS) * DAY_US;
	h->error_us = (config->error_days ? config->error_days : ERROR_DAYS) * DAY_US;
	h->last = &h->first;
	if (!history_file_open(&h->file, config->path, err)) {
		history_file_close(&h->file);
		free(h);
		return false;
	}
	pthread_condattr_t attr;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&h->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	(void)pthread_cond_init(&h->written, NULL);
	(void)pthread_mutex_init(&h->mutex, NULL);
	thread_start("history-writer", history_run, h, &h->thread);
	*ret = h;
	return true;
}

void history_close(struct history *h)
{
	if (!h)
		return;
	(void)pthread_mutex_lock(&h->mutex);
	h->closing = true;
	(void)pthread_cond_broadcast(&h->wake);
	(void)pthread_mutex_unlock(&h->mutex);
	thread_join(h->thread);
	records_free(h->first);
	history_file_close(&h->file);
	(void)pthread_cond_destroy(&h->wake);
	(void)pthread_cond_destroy(&h->written);
	(void)pthread_mutex_destroy(&h->mutex);
	free(h);
}

/* ---- Adding ---- */

/* Returns the record's number, 0 when the queue was full. */
static uint64_t record_add(struct history *h, const struct operation *op, bool begins)
{
	assert(op->id);
	struct record *r = record_new(op, begins);
	uint64_t number = 0;
	(void)pthread_mutex_lock(&h->mutex);
	if (h->depth < LIMIT_HISTORY_QUEUE && !h->closing) {
		*h->last = r;
		h->last = &r->next;
		h->added += !begins;
		number = ++h->enqueued;
		if (h->depth++ == 0 || h->depth == BATCH_MAX / 2)
			(void)pthread_cond_signal(&h->wake);
		r = NULL;
	} else {
		h->dropped++;
	}
	(void)pthread_mutex_unlock(&h->mutex);
	free(r);
	return number;
}

/* Waits until the records up to `number` are settled. */
static bool settled_wait(struct history *h, uint64_t number, struct err *err)
{
	bool ok = true;
	(void)pthread_mutex_lock(&h->mutex);
	uint64_t failures = h->failures;
	uint64_t dropped = h->dropped;
	h->waiters++;
	(void)pthread_cond_signal(&h->wake);
	while (h->settled < number && h->failures == failures)
		(void)pthread_cond_wait(&h->written, &h->mutex);
	h->waiters--;
	if (h->settled < number || (h->failures != failures && h->dropped != dropped)) {
		*err = h->error;
		ok = false;
	}
	(void)pthread_mutex_unlock(&h->mutex);
	return ok;
}

bool history_begin(struct history *h, const struct operation *op, bool durable, struct err *err)
{
	struct operation start = *op;
	start.status = "running";
	uint64_t number = record_add(h, &start, true);
	if (!durable)
		return true;
	if (number == 0)
		return err_set(err, ERR_OVERLOADED, "The operation history is full");
	return settled_wait(h, number, err);
}

void history_add(struct history *h, const struct operation *op)
{
	(void)record_add(h, op, false);
}

bool history_flush(struct history *h, struct err *err)
{
	(void)pthread_mutex_lock(&h->mutex);
	uint64_t number = h->enqueued;
	(void)pthread_mutex_unlock(&h->mutex);
	return settled_wait(h, number, err);
}

void history_totals(struct history *h, struct history_totals *ret)
{
	(void)pthread_mutex_lock(&h->mutex);
	*ret = (struct history_totals){.added = h->added, .dropped = h->dropped, .queue_depth = h->depth};
	(void)pthread_mutex_unlock(&h->mutex);
	int64_t file = fs_size(h->file.path);
	int64_t wal = fs_size(h->file.wal_path);
	ret->file_bytes = file > 0 ? file : 0;
	ret->wal_bytes = wal > 0 ? wal : 0;
}
