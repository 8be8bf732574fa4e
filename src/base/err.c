#include "base/err.h"

#include "base/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static const struct err_row rows[] = {
#define ERR(id, rest, http, s3, sqlstate, grpc, fault) {#id, rest, http, s3, sqlstate, grpc, fault},
#include "base/err.def"
#undef ERR
};
_Static_assert(ARRAY_LEN(rows) == ERR_COUNT, "one row for each code");

const struct err_row *err_row(enum err_code code)
{
	return &rows[code < ERR_COUNT ? code : ERR_INTERNAL];
}

const char *err_fault_name(enum err_fault fault)
{
	static const char *const names[] = {"",		 "internal",	  "engine",  "metadata", "io",
					    "disk_full", "out_of_memory", "timeout", "upstream"};
	_Static_assert(ARRAY_LEN(names) == FAULT_COUNT, "one name for each class");
	return names[fault];
}

static void message_set(struct err *err, enum err_code code, const char *fmt, va_list args)
{
	err->code = code;
	err->details_len = 0;
	err->details[0] = '\0';
	err->has_details = true;
	(void)vsnprintf(err->message, sizeof(err->message), fmt, args);
}

bool err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	message_set(err, code, fmt, args);
	va_end(args);
	return false;
}

bool err_errno(struct err *err, int number, const char *fmt, ...)
{
	enum err_code code = number == ENOSPC || number == EDQUOT		      ? ERR_DISK_FULL
			     : number == EROFS || number == EACCES || number == EPERM ? ERR_STORAGE_UNWRITABLE
			     : number == ENOMEM					      ? ERR_OUT_OF_MEMORY
										      : ERR_IO;
	va_list args;
	va_start(args, fmt);
	message_set(err, code, fmt, args);
	va_end(args);
	size_t len = strlen(err->message);
	char text[128];
	(void)snprintf(err->message + len, sizeof(err->message) - len, ": %s", strerror_r(number, text, sizeof(text)));
	return false;
}

bool err_recode(struct err *err, enum err_code code)
{
	if (err_row(err->code)->fault == FAULT_NONE || err_row(code)->fault != FAULT_NONE)
		err->code = code;
	return false;
}

void err_clear(struct err *err)
{
	err->code = ERR_NONE;
	err->has_details = false;
	err->details_len = 0;
	err->message[0] = err->details[0] = '\0';
}

/* Adds ["key":value] when it fits whole. */
static void member_add(struct err *err, const char *key, struct span value)
{
	struct buf text = BUF(sizeof(err->details));
	json_quote(&text, span_of(key));
	buf_byte(&text, ':');
	buf_span(&text, value);
	size_t comma = err->details_len ? 1 : 0;
	if (!text.failed && err->details_len + comma + text.len < sizeof(err->details)) {
		if (comma)
			err->details[err->details_len++] = ',';
		memcpy(err->details + err->details_len, text.ptr, text.len + 1);
		err->details_len += text.len;
	}
	buf_done(&text);
}

void err_detail_span(struct err *err, const char *key, struct span value)
{
	struct buf text = BUF(8 * sizeof(err->details));
	json_quote(&text, span_first(value, sizeof(err->details) / 8));
	member_add(err, key, buf_view(&text));
	buf_done(&text);
}

void err_detail(struct err *err, const char *key, const char *value)
{
	if (value)
		err_detail_span(err, key, span_of(value));
	else
		member_add(err, key, SPAN("null"));
}

void err_detail_int(struct err *err, const char *key, int64_t value)
{
	char text[24];
	(void)snprintf(text, sizeof(text), "%lld", (long long)value);
	member_add(err, key, span_of(text));
}

void err_detail_list(struct err *err, const char *key, const char *const *values, size_t n)
{
	struct buf text = BUF(sizeof(err->details));
	size_t room = sizeof(err->details) - err->details_len - strlen(key) - 16;
	buf_byte(&text, '[');
	for (size_t i = 0; i < n; i++) {
		struct buf item = BUF(8 * sizeof(err->details));
		json_quote(&item, span_of(values[i]));
		bool fits = text.len + item.len + 2 < room;
		if (fits) {
			if (i)
				buf_byte(&text, ',');
			buf_span(&text, buf_view(&item));
		}
		buf_done(&item);
		if (!fits)
			break;
	}
	buf_byte(&text, ']');
	member_add(err, key, buf_view(&text));
	buf_done(&text);
}

void err_detail_json(struct err *err, const char *key, const char *json)
{
	member_add(err, key, span_of(json));
}

void err_details_empty(struct err *err)
{
	err->has_details = true;
}
