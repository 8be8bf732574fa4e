/*
 * Structured log: one line per event, JSON when standard error is no terminal
 * (or LOG_FORMAT says so), text otherwise. Only edges log (doors, background
 * jobs, start-up); what lies below returns errors.
 *
 *	log_event(LOG_WARN, "sweep failed", "job", LOG_S("staging"), "removed", LOG_I(3), NULL);
 *
 * Thread-safe. Lines are cut at LIMIT_LOG_LINE. Between log_writer_start and
 * log_writer_stop, lines below LOG_WARN are gathered and written together, at
 * most LOG_LINGER_MS later; a warning or an error is written at once with what
 * waits before it. Otherwise each line is written at once. The hook counts
 * messages by level (metrics).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/span.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVELS };
enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_JSON, LOG_FORMAT_TEXT };

enum { LOG_LINGER_MS = 10 };

enum log_kind { LOG_KIND_STR, LOG_KIND_INT, LOG_KIND_NUM, LOG_KIND_SECONDS, LOG_KIND_BOOL };

struct log_value {
	enum log_kind kind;
	const char *str; /* NULL: the field is left out */
	int64_t num;
	double real;
};

#define LOG_S(text)   ((struct log_value){.kind = LOG_KIND_STR, .str = (text)})
#define LOG_I(number) ((struct log_value){.kind = LOG_KIND_INT, .num = (int64_t)(number)})
#define LOG_F(number) ((struct log_value){.kind = LOG_KIND_NUM, .real = (number)})
/* To the microsecond; cheaper than LOG_F. */
#define LOG_SECONDS(number) ((struct log_value){.kind = LOG_KIND_SECONDS, .real = (number)})
#define LOG_B(truth)	    ((struct log_value){.kind = LOG_KIND_BOOL, .num = (truth)})

void log_setup(enum log_format format, enum log_level least);
void log_on_message(void (*hook)(enum log_level level));
void log_writer_start(void);
/* Writes what waits. */
void log_writer_stop(void);
bool log_enabled(enum log_level level);
/* Pairs of const char *key, struct log_value; ended by NULL. */
void log_event(enum log_level level, const char *message, ...);
const char *log_level_name(enum log_level level);

#endif
