#include "base/log.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { FLUSH_BYTES = 32 * KIB, PENDING_MAX = FLUSH_BYTES + 16 * LIMIT_LOG_LINE };

/* What is to be written. `order` is taken first: who holds it writes; lines are put together under `lock` alone. */
static struct {
	pthread_mutex_t order;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct buf pending;
	struct buf writing;
	bool gathers;
	bool stopping;
	unsigned long thread;
} out = {.order = PTHREAD_MUTEX_INITIALIZER,
	 .lock = PTHREAD_MUTEX_INITIALIZER,
	 .wake = PTHREAD_COND_INITIALIZER,
	 .pending = BUF(PENDING_MAX),
	 .writing = BUF(PENDING_MAX)};

static _Atomic int least_level = LOG_INFO;
static _Atomic bool as_text;
static void (*_Atomic message_hook)(enum log_level);

const char *log_level_name(enum log_level level)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	_Static_assert(ARRAY_LEN(names) == LOG_LEVELS, "one name for each level");
	return names[level];
}

void log_setup(enum log_format format, enum log_level least)
{
	least_level = (int)least;
	as_text = format == LOG_FORMAT_TEXT || (format == LOG_FORMAT_AUTO && isatty(STDERR_FILENO));
}

void log_on_message(void (*hook)(enum log_level level))
{
	message_hook = hook;
}

bool log_enabled(enum log_level level)
{
	return (int)level >= least_level;
}

static bool absent(struct log_value v)
{
	return v.kind == LOG_KIND_STR && !v.str;
}

/* The JSON form of a value is also the safe one for a terminal: control characters are escaped. */
static void value_write(struct buf *line, struct log_value v)
{
	struct json j = JSON(line);
	switch (v.kind) {
	case LOG_KIND_STR:
		json_quote(line, span_of(v.str));
		break;
	case LOG_KIND_INT:
		buf_i64(line, v.num);
		break;
	case LOG_KIND_NUM:
		json_double(&j, NULL, v.real);
		break;
	case LOG_KIND_SECONDS:
		json_us(&j, NULL, v.real > 0 ? (int64_t)(v.real * 1e6 + 0.5) : 0);
		break;
	case LOG_KIND_BOOL:
		buf_str(line, v.num ? "true" : "false");
		break;
	}
}

/* Keys are words of the program: nothing in them needs an escape. */
static void key_write(struct buf *line, const char *key)
{
	size_t len = strlen(key);
	char *to = buf_reserve(line, len + strlen(",\"\":"));
	if (!to)
		return;
	memcpy(to, ",\"", 2);
	memcpy(to + 2, key, len);
	memcpy(to + 2 + len, "\":", 2);
	buf_commit(line, len + strlen(",\"\":"));
}

/* What any request writes, so by hand and not with base/json.h. */
static void line_json(struct buf *line, enum log_level level, const char *message, va_list args)
{
	static const char first[] = "{\"time\":\"";
	char head[sizeof(first) + CLOCK_ISO_SIZE];
	memcpy(head, first, sizeof(first) - 1);
	clock_iso(clock_unix_us(), head + sizeof(first) - 1);
	buf_bytes(line, head, sizeof(first) - 1 + CLOCK_ISO_SIZE - 1);
	buf_bytes(line, "\",\"level\":\"", strlen("\",\"level\":\""));
	buf_str(line, log_level_name(level));
	buf_bytes(line, "\",\"message\":", strlen("\",\"message\":"));
	json_quote(line, span_of(message));
	for (const char *key; (key = va_arg(args, const char *));) {
		struct log_value v = va_arg(args, struct log_value);
		if (absent(v))
			continue;
		key_write(line, key);
		value_write(line, v);
	}
	buf_byte(line, '}');
}

static void line_text(struct buf *line, enum log_level level, const char *message, va_list args)
{
	char when[CLOCK_ISO_SIZE];
	clock_iso(clock_unix_us(), when);
	buf_printf(line, "%.19sZ %-5s %s", when, log_level_name(level), message);
	for (const char *key; (key = va_arg(args, const char *));) {
		struct log_value v = va_arg(args, struct log_value);
		if (absent(v))
			continue;
		buf_printf(line, " %s=", key);
		value_write(line, v);
	}
}

/* Behind what waits already. */
static void line_add(struct buf *lines, enum log_level level, const char *message, va_list args)
{
	size_t from = lines->len;
	if (as_text)
		line_text(lines, level, message, args);
	else
		line_json(lines, level, message, args);
	if (lines->failed)
		buf_reset(lines); /* more than is ever gathered: only this line and what waited is lost */
	else if (lines->len - from > LIMIT_LOG_LINE)
		lines->len = from;
	if (lines->len == from || lines->len == 0) {
		struct json j = JSON(lines);
		json_object(&j, NULL);
		json_str(&j, "level", log_level_name(level));
		json_str(&j, "message", message);
		json_bool(&j, "fields_too_long", true);
		json_object_end(&j);
	}
	buf_byte(lines, '\n');
}

static void flush(void)
{
	(void)pthread_mutex_lock(&out.order);
	(void)pthread_mutex_lock(&out.lock);
	struct buf full = out.pending;
	out.pending = out.writing;
	(void)pthread_mutex_unlock(&out.lock);
	/* A log that cannot be written must not stop the work it tells of. */
	for (size_t done = 0; done < full.len;) {
		ssize_t n = write(STDERR_FILENO, full.ptr + done, full.len - done);
		if (n <= 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	buf_reset(&full);
	out.writing = full;
	(void)pthread_mutex_unlock(&out.order);
}

void log_event(enum log_level level, const char *message, ...)
{
	void (*hook)(enum log_level) = message_hook;
	if (hook)
		hook(level);
	if (!log_enabled(level))
		return;
	va_list args;
	va_start(args, message);
	(void)pthread_mutex_lock(&out.lock);
	size_t waiting = out.pending.len;
	line_add(&out.pending, level, message, args);
	bool now = !out.gathers || level >= LOG_WARN || out.pending.len >= FLUSH_BYTES;
	if (!now && waiting == 0)
		(void)pthread_cond_signal(&out.wake);
	(void)pthread_mutex_unlock(&out.lock);
	va_end(args);
	if (now)
		flush();
}

/* ---- writing later ---- */

static void *writer(void *ctx)
{
	const struct timespec linger = {.tv_nsec = LOG_LINGER_MS * NS_PER_MS};
	(void)ctx;
	(void)pthread_mutex_lock(&out.lock);
	while (!out.stopping) {
		if (out.pending.len == 0) {
			(void)pthread_cond_wait(&out.wake, &out.lock);
			continue;
		}
		(void)pthread_mutex_unlock(&out.lock);
		(void)nanosleep(&linger, NULL);
		flush();
		(void)pthread_mutex_lock(&out.lock);
	}
	(void)pthread_mutex_unlock(&out.lock);
	return NULL;
}

static bool gather(bool on)
{
	(void)pthread_mutex_lock(&out.lock);
	bool former = out.gathers;
	out.gathers = on;
	out.stopping = !on;
	(void)pthread_cond_signal(&out.wake);
	(void)pthread_mutex_unlock(&out.lock);
	return former;
}

void log_writer_start(void)
{
	if (!gather(true))
		thread_start("log", writer, NULL, &out.thread);
}

void log_writer_stop(void)
{
	if (gather(false))
		thread_join(out.thread);
	flush();
}
