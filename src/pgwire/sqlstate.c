#include "pgwire/sqlstate.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

/* What is no UTF-8, such as a character that was cut, would make the whole message none. */
static void mend_text(char *text)
{
	struct span rest = span_of(text);
	while (rest.len && !span_is_utf8(rest)) {
		size_t n = 1;
		while (n < 4 && n < rest.len && !span_is_utf8(span_first(rest, n)))
			n++;
		const bool is_character = span_is_utf8(span_first(rest, n));
		if (!is_character) {
			n = 1;
			text[rest.ptr - text] = '?';
		}
		rest = span_skip(rest, n);
	}
}

static void set_text(char *to, size_t size, const char *fmt, va_list args)
{
	int n = vsnprintf(to, size, fmt, args);
	if (n < 0)
		*to = '\0';
	size_t len = strlen(to);
	/* A character that the end cut goes altogether. */
	for (size_t i = 0; (size_t)n >= size && i < 3 && len && !span_is_utf8((struct span){to, len}); i++)
		to[--len] = '\0';
	if (!span_is_utf8((struct span){to, len}))
		mend_text(to);
}

#define FILL(e, field)                                               \
	do {                                                         \
		va_list args;                                        \
		va_start(args, fmt);                                 \
		set_text((e)->field, sizeof((e)->field), fmt, args); \
		va_end(args);                                        \
	} while (0)

static void start(struct pg_error *e, enum pg_severity severity, const char *sqlstate)
{
	*e = pg_error_none(severity);
	(void)snprintf(e->sqlstate, sizeof(e->sqlstate), "%s", sqlstate);
}

bool pg_error_set(struct pg_error *e, const char *sqlstate, const char *fmt, ...)
{
	start(e, PG_ERROR, sqlstate);
	FILL(e, message);
	return false;
}

bool pg_error_plan_changed(struct pg_error *e)
{
	(void)pg_error_set(e, "0A000", "cached plan must not change result type");
	(void)snprintf(e->routine, sizeof(e->routine), "RevalidateCachedQuery");
	return false;
}

bool pg_fatal_set(struct pg_error *e, const char *sqlstate, const char *fmt, ...)
{
	start(e, PG_FATAL, sqlstate);
	FILL(e, message);
	return false;
}

void pg_notice_set(struct pg_error *e, enum pg_severity severity, const char *sqlstate, const char *fmt, ...)
{
	start(e, severity, sqlstate);
	FILL(e, message);
}

void pg_error_text(char *to, size_t size, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	set_text(to, size, fmt, args);
	va_end(args);
}

void pg_error_detail(struct pg_error *e, const char *fmt, ...)
{
	FILL(e, detail);
}

void pg_error_hint(struct pg_error *e, const char *fmt, ...)
{
	FILL(e, hint);
}

void pg_error_where(struct pg_error *e, const char *fmt, ...)
{
	FILL(e, where);
}

bool pg_error_from(struct pg_error *e, const struct err *err)
{
	return pg_error_set(e, err_row(err->code)->sqlstate, "%s", err->message);
}

const char *pg_severity_name(enum pg_severity severity)
{
	static const char *const names[] = {
		[PG_ERROR] = "ERROR",	[PG_FATAL] = "FATAL", [PG_PANIC] = "PANIC", [PG_WARNING] = "WARNING",
		[PG_NOTICE] = "NOTICE", [PG_INFO] = "INFO",   [PG_DEBUG] = "DEBUG", [PG_LOG] = "LOG"};
	static_assert(ARRAY_LEN(names) == PG_SEVERITY_COUNT, "a name for each severity");
	return names[severity];
}

/* --- what the engine says --- */

/* Where the engine's class is coarser than a SQLSTATE. First match wins. */
static const struct {
	const char *sqlstate;
	const char *text;
	const char *refined;
} REFINED[] = {
	{"22003", "division by zero", "22012"},
	{"22003", "maximum supported string size", "22001"},
	{"22023", "division by zero", "22012"},
	{"22023", "path element is not an integer", "22P02"},
	{"22023", "number of elements to trim", "2202E"},
	{"22003", "square root of a negative", "2201F"},
	{"22003", "cannot take logarithm", "2201E"},
	{"22P02", "Could not cast value", "22003"},
	{"22P02", "to interval", "22007"},
	{"22023", "More than one row returned by a subquery", "21000"},
	{"22023", "Malformed JSON", "22P02"},
	{"22023", "according to format specifier", "22007"},
	{"22023", "no prepared statement", "26000"},
	{"08P01", "unrecognized configuration parameter", "42704"},
	{"08P01", "invalid value for parameter", "22023"},
	{"08P01", "permission denied to set parameter", "42501"},
	{"08P01", "cannot be changed", "55P02"},
	{"08P01", "invalid configuration parameter name", "42602"},
	{"08P01", "SET requires parameter name", "22004"},
	{"08P01", "must be set before any query", "25001"},
	{"08P01", "must be called before any query", "25001"},
	{"22023", "type \"", "42704"},
	{"22023", "relation \"", "42P01"},
	{"22023", "function \"", "42883"},
	{"22023", "schema \"", "3F000"},
	{"42601", "Referenced update column", "42703"},
	{"42601", "Cannot extract field", "42703"},
	{"42601", "Prepared statement", "26000"},
	{"42601", "Could not choose a best candidate", "42725"},
	{"42601", "Duplicate alias", "42712"},
	{"42702", "duplicate alias", "42712"},
	{"42601", "more than one primary key", "42P16"},
	{"42601", "Invalid escape string", "22025"},
	{"22023", "missing ): ", "2201B"},
	{"22023", "unexpected ): ", "2201B"},
	{"22023", "missing ]: ", "2201B"},
	{"22023", "no argument for repetition operator: ", "2201B"},
	{"22023", "invalid escape sequence: ", "2201B"},
	{"22023", "bad repetition operator: ", "2201B"},
	{"22023", "invalid character class range: ", "2201B"},
	{"22023", "invalid perl operator: ", "2201B"},
	{"22023", "invalid repetition size: ", "2201B"},
	{"42601", "can *only* use the", "42P16"},
	{"42601", "LIMIT/OFFSET cannot be negative", "2201W"},
	{"42804", "Cannot compare values of type", "42883"},
	{"25006", "attached in read-only mode", "42501"},
	{"42P01", "main key table", "2BP01"},
	{"42704", "main key table", "2BP01"},
	{"42P01", "because schema", "3F000"},
	{"42P07", "Column with name", "42701"},
	{"42P01", "Column with name", "42703"},
	{"42P01", "Type with name", "42704"},
	{"42P01", "Index with name", "42704"},
	{"0A000", "TimeZone", "22023"},
};

/* What a violated constraint names: "NOT NULL constraint failed: t.b", "CHECK constraint failed on table t with ..". */
static void name_constraint(struct pg_error *e, struct span text)
{
	static const char not_null[] = "NOT NULL constraint failed: ";
	static const char check[] = "CHECK constraint failed on table ";
	const bool is_check = span_starts(text, span_of(check));
	if (!is_check && !span_starts(text, span_of(not_null)))
		return;
	struct span rest = span_skip(text, is_check ? sizeof(check) - 1 : sizeof(not_null) - 1);
	const struct span table = span_cut(&rest, is_check ? ' ' : '.');
	pg_error_text(e->table, sizeof(e->table), "%.*s", SPAN_ARG(table));
	if (!is_check)
		pg_error_text(e->column, sizeof(e->column), "%.*s", SPAN_ARG(rest));
}

/* _t12.data: a table's file as the service attached it. */
static bool names_version(struct span hint)
{
	for (size_t i = 0; i + 2 < hint.len; i++)
		if (hint.ptr[i] == '_' && hint.ptr[i + 1] == 't' && hint.ptr[i + 2] >= '0' && hint.ptr[i + 2] <= '9' &&
		    (i == 0 || !isalnum((unsigned char)hint.ptr[i - 1])))
			return true;
	return false;
}

/* Of relations the engine names its own as soon as nothing else is alike. */
static bool helps(struct span hint)
{
	static const char *const own[] = {"_pg.",    "_pg_own.",	   "pg_", "sqlite_", "duckdb_",
					  "pragma_", "information_schema."};
	bool found = false;
	for (size_t i = 0; hint.len && i < ARRAY_LEN(own); i++)
		found = found || memmem(hint.ptr, hint.len, own[i], strlen(own[i]));
	return hint.len && !found && !names_version(hint);
}

bool pg_error_engine(struct pg_error *e, const char *sqlstate, struct span message)
{
	for (size_t i = 0; i < ARRAY_LEN(REFINED); i++)
		if (strcmp(sqlstate, REFINED[i].sqlstate) == 0 && message.len &&
		    memmem(message.ptr, message.len, REFINED[i].text, strlen(REFINED[i].text))) {
			sqlstate = REFINED[i].refined;
			break;
		}
	struct span hint = message;
	struct span sentence = span_cut(&hint, '\n');
	(void)pg_error_set(e, sqlstate, "%.*s", SPAN_ARG(sentence));
	while (hint.len && *hint.ptr == '\n')
		hint = span_skip(hint, 1);
	if (helps(hint))
		pg_error_hint(e, "%.*s", SPAN_ARG(hint));
	if (strncmp(sqlstate, "23", 2) == 0)
		name_constraint(e, sentence);
	return false;
}

uint32_t sqlstate_position(struct span text, size_t offset)
{
	uint32_t characters = 1;
	for (size_t i = 0; i < offset && i < text.len; i++)
		characters += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
	return characters;
}
