#include "base/log.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"

#include <stdatomic.h>
#include <unistd.h>

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

static void field_json(struct json *j, const char *key, struct log_value v)
{
	switch (v.kind) {
	case LOG_KIND_STR:
		if (v.str)
			json_str(j, key, v.str);
		break;
	case LOG_KIND_INT:
		json_int(j, key, v.num);
		break;
	case LOG_KIND_NUM:
		json_double(j, key, v.real);
		break;
	case LOG_KIND_BOOL:
		json_bool(j, key, v.num != 0);
		break;
	}
}

static void line_json(struct buf *line, enum log_level level, const char *message, va_list args)
{
	struct json j = JSON(line);
	json_object(&j, NULL);
	json_time(&j, "time", clock_unix_us());
	json_str(&j, "level", log_level_name(level));
	json_str(&j, "message", message);
	for (const char *key; (key = va_arg(args, const char *));)
		field_json(&j, key, va_arg(args, struct log_value));
	json_object_end(&j);
}

static void line_text(struct buf *line, enum log_level level, const char *message, va_list args)
{
	char when[CLOCK_ISO_SIZE];
	clock_iso(clock_unix_us(), when);
	buf_printf(line, "%.19sZ %-5s %s", when, log_level_name(level), message);
	for (const char *key; (key = va_arg(args, const char *));) {
		struct log_value v = va_arg(args, struct log_value);
		if (v.kind == LOG_KIND_STR && !v.str)
			continue;
		/* The JSON form of a value is also the safe one for a terminal: control characters are escaped. */
		struct json j = JSON(line);
		buf_printf(line, " %s=", key);
		field_json(&j, NULL, v);
	}
}

void log_event(enum log_level level, const char *message, ...)
{
	void (*hook)(enum log_level) = message_hook;
	if (hook)
		hook(level);
	if (!log_enabled(level))
		return;
	struct buf line = BUF(LIMIT_LOG_LINE);
	va_list args;
	va_start(args, message);
	if (as_text)
		line_text(&line, level, message, args);
	else
		line_json(&line, level, message, args);
	va_end(args);
	if (line.failed) {
		buf_reset(&line);
		struct json j = JSON(&line);
		json_object(&j, NULL);
		json_str(&j, "level", log_level_name(level));
		json_str(&j, "message", message);
		json_bool(&j, "fields_too_long", true);
		json_object_end(&j);
	}
	buf_byte(&line, '\n');
	/* A log that cannot be written must not stop the work it tells of. */
	ssize_t ignored = write(STDERR_FILENO, line.ptr, line.len);
	(void)ignored;
	buf_done(&line);
}
