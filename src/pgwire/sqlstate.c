#include "pgwire/sqlstate.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static void set_text(char *to, size_t size, const char *fmt, va_list args)
{
	int n = vsnprintf(to, size, fmt, args);
	if (n < 0)
		*to = '\0';
	/* A cut in the middle of a character would be invalid UTF-8. */
	size_t len = strlen(to);
	if ((size_t)n >= size)
		while (len && !span_is_utf8((struct span){to, len}))
			to[--len] = '\0';
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
	*e = (struct pg_error){.severity = severity};
	(void)snprintf(e->sqlstate, sizeof(e->sqlstate), "%s", sqlstate);
}

bool pg_error_set(struct pg_error *e, const char *sqlstate, const char *fmt, ...)
{
	start(e, PG_ERROR, sqlstate);
	FILL(e, message);
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

static const struct {
	const char *prefix;
	enum engine_class class;
	const char *sqlstate; /* when no rule below refines it */
} CLASSES[] = {
	{"Out of Range Error", ENGINE_CLASS_OUT_OF_RANGE, "22003"},
	{"Conversion Error", ENGINE_CLASS_CONVERSION, "22P02"},
	{"Mismatch Type Error", ENGINE_CLASS_MISMATCH, "42804"},
	{"Divide by Zero Error", ENGINE_CLASS_DIVIDE_BY_ZERO, "22012"},
	{"Invalid type Error", ENGINE_CLASS_INVALID_TYPE, "42804"},
	{"Not implemented Error", ENGINE_CLASS_NOT_IMPLEMENTED, "0A000"},
	{"TransactionContext Error", ENGINE_CLASS_TRANSACTION, "40001"},
	{"Catalog Error", ENGINE_CLASS_CATALOG, "42704"},
	{"Parser Error", ENGINE_CLASS_PARSER, "42601"},
	{"Syntax Error", ENGINE_CLASS_SYNTAX, "42601"},
	{"Constraint Error", ENGINE_CLASS_CONSTRAINT, "23000"},
	{"IO Error", ENGINE_CLASS_IO, "58030"},
	{"HTTP Error", ENGINE_CLASS_PERMISSION, "42501"},
	{"INTERRUPT Error", ENGINE_CLASS_INTERRUPT, "57014"},
	{"FATAL Error", ENGINE_CLASS_FATAL, "XX000"},
	{"INTERNAL Error", ENGINE_CLASS_INTERNAL, "XX000"},
	{"Invalid Input Error", ENGINE_CLASS_INVALID_INPUT, "22023"},
	{"Out of Memory Error", ENGINE_CLASS_OUT_OF_MEMORY, "53200"},
	{"Permission Error", ENGINE_CLASS_PERMISSION, "42501"},
	{"Missing Extension Error", ENGINE_CLASS_PERMISSION, "42501"},
	{"Autoload Error", ENGINE_CLASS_PERMISSION, "42501"},
	{"Parameter Not Resolved Error", ENGINE_CLASS_PARAMETER, "42P18"},
	{"Parameter Not Allowed Error", ENGINE_CLASS_PARAMETER, "42P02"},
	{"Binder Error", ENGINE_CLASS_BINDER, "42601"},
	{"Dependency Error", ENGINE_CLASS_DEPENDENCY, "2BP01"},
	{"Sequence Error", ENGINE_CLASS_OUT_OF_RANGE, "2200H"},
	{"Invalid Configuration Error", ENGINE_CLASS_PERMISSION, "42501"},
};

/* First match wins. Texts of the engine this program is pinned to. */
static const struct {
	enum engine_class class;
	const char *text;
	const char *sqlstate;
} RULES[] = {
	{ENGINE_CLASS_OUT_OF_RANGE, "division by zero", "22012"},
	{ENGINE_CLASS_OUT_OF_RANGE, "maximum supported string size", "22001"},
	{ENGINE_CLASS_OUT_OF_RANGE, "square root of a negative", "2201F"},
	{ENGINE_CLASS_OUT_OF_RANGE, "logarithm of", "2201E"},
	{ENGINE_CLASS_OUT_OF_RANGE, "imestamp", "22008"},
	{ENGINE_CLASS_CONVERSION, "Unimplemented type for cast", "42846"},
	{ENGINE_CLASS_CONVERSION, "field value out of range", "22008"},
	{ENGINE_CLASS_CONVERSION, "invalid date field format", "22007"},
	{ENGINE_CLASS_CONVERSION, "invalid timestamp field format", "22007"},
	{ENGINE_CLASS_CONVERSION, "invalid time field format", "22007"},
	{ENGINE_CLASS_CONVERSION, "to interval", "22007"},
	{ENGINE_CLASS_CONVERSION, "out of range", "22003"},
	{ENGINE_CLASS_CONVERSION, "Could not cast value", "22003"},
	{ENGINE_CLASS_CONVERSION, "to DECIMAL(", "22P02"},
	{ENGINE_CLASS_TRANSACTION, "read-only", "25006"},
	{ENGINE_CLASS_TRANSACTION, "within a transaction", "25001"},
	{ENGINE_CLASS_TRANSACTION, "no transaction is active", "25P01"},
	{ENGINE_CLASS_TRANSACTION, "Current transaction is aborted", "25P02"},
	{ENGINE_CLASS_CATALOG, "write-write conflict", "40001"},
	{ENGINE_CLASS_CATALOG, "Function with name", "42883"},
	{ENGINE_CLASS_CATALOG, "is not an table", "42809"},
	{ENGINE_CLASS_CATALOG, "because schema", "3F000"},
	{ENGINE_CLASS_CATALOG, "main key table", "2BP01"},
	{ENGINE_CLASS_CATALOG, "Cannot drop entry", "2BP01"},
	{ENGINE_CLASS_CATALOG, "unrecognized configuration parameter", "42704"},
	{ENGINE_CLASS_BINDER, "Referenced table", "42P01"},
	{ENGINE_CLASS_BINDER, "Referenced column", "42703"},
	{ENGINE_CLASS_BINDER, "Referenced update column", "42703"},
	{ENGINE_CLASS_BINDER, "does not have a column", "42703"},
	{ENGINE_CLASS_BINDER, "Cannot extract field", "42703"},
	{ENGINE_CLASS_BINDER, "Ambiguous reference", "42702"},
	{ENGINE_CLASS_BINDER, "Duplicate alias", "42712"},
	{ENGINE_CLASS_BINDER, "No function matches", "42883"},
	{ENGINE_CLASS_BINDER, "Could not choose a best candidate", "42725"},
	{ENGINE_CLASS_BINDER, "GROUP BY clause", "42803"},
	{ENGINE_CLASS_BINDER, "aggregate function calls", "42803"},
	{ENGINE_CLASS_BINDER, "cannot contain aggregates", "42803"},
	{ENGINE_CLASS_BINDER, "read-only", "42501"},
	{ENGINE_CLASS_BINDER, "Prepared statement", "26000"},
	{ENGINE_CLASS_BINDER, "Cannot compare values of type", "42883"},
	{ENGINE_CLASS_BINDER, "Cannot mix values of type", "42804"},
	{ENGINE_CLASS_BINDER, "not implemented", "0A000"},
	{ENGINE_CLASS_BINDER, "LIMIT/OFFSET cannot be negative", "2201W"},
	{ENGINE_CLASS_BINDER, "Catalog \"", "3D000"},
	{ENGINE_CLASS_PARSER, "nesting", "54001"},
	{ENGINE_CLASS_PARSER, "expression depth", "54001"},
	{ENGINE_CLASS_BINDER, "expression depth", "54001"},
	{ENGINE_CLASS_CONSTRAINT, "PRIMARY KEY or UNIQUE", "23505"},
	{ENGINE_CLASS_CONSTRAINT, "uplicate key", "23505"},
	{ENGINE_CLASS_CONSTRAINT, "NOT NULL constraint", "23502"},
	{ENGINE_CLASS_CONSTRAINT, "foreign key constraint", "23503"},
	{ENGINE_CLASS_CONSTRAINT, "CHECK constraint", "23514"},
	{ENGINE_CLASS_INVALID_INPUT, "More than one row returned by a subquery", "21000"},
	{ENGINE_CLASS_INVALID_INPUT, "prepared statement parameters", "08P01"},
	{ENGINE_CLASS_INVALID_INPUT, "Parameter argument/count mismatch", "08P01"},
	{ENGINE_CLASS_INVALID_INPUT, "Malformed JSON", "22P02"},
	{ENGINE_CLASS_INVALID_INPUT, "according to format specifier", "22007"},
	{ENGINE_CLASS_INVALID_INPUT, "read-only", "42501"},
	{ENGINE_CLASS_INVALID_INPUT, "Attempting to execute an unsuccessful", "26000"},
	{ENGINE_CLASS_IO, "No space left", "53100"},
	{ENGINE_CLASS_IO, "max_temp_directory_size", "53100"},
	{ENGINE_CLASS_OUT_OF_MEMORY, "max_temp_directory_size", "53100"},
	{ENGINE_CLASS_NOT_IMPLEMENTED, "TimeZone", "22023"},
};

/* "X with name y already exists!" by X; the longest list first where one contains the other. */
static const struct {
	const char *kind;
	const char *exists, *missing;
} KINDS[] = {
	{"Table", "42P07", "42P01"},	 {"View", "42P07", "42P01"},   {"Index", "42P07", "42704"},
	{"Sequence", "42P07", "42P01"},	 {"Schema", "42P06", "3F000"}, {"Function", "42723", "42883"},
	{"Macro", "42723", "42883"},	 {"Type", "42710", "42704"},   {"Column", "42701", "42703"},
	{"Collation", "42710", "42704"},
};

static bool span_has(struct span text, const char *needle)
{
	return text.len && memmem(text.ptr, text.len, needle, strlen(needle));
}

static size_t class_row(struct span message)
{
	for (size_t i = 0; i < ARRAY_LEN(CLASSES); i++) {
		struct span prefix = span_of(CLASSES[i].prefix);
		if (span_starts(message, prefix) && span_starts(span_skip(message, prefix.len), SPAN(": ")))
			return i;
	}
	return ARRAY_LEN(CLASSES);
}

enum engine_class engine_class_of(struct span message)
{
	size_t row = class_row(message);
	return row < ARRAY_LEN(CLASSES) ? CLASSES[row].class : ENGINE_CLASS_OTHER;
}

static const char *catalog_state(struct span text)
{
	bool exists = span_has(text, "already exists");
	for (size_t i = 0; i < ARRAY_LEN(KINDS); i++)
		if (span_starts(text, span_of(KINDS[i].kind)))
			return exists ? KINDS[i].exists : KINDS[i].missing;
	return exists ? "42710" : "42704";
}

static const char *refine(enum engine_class class, struct span text, const char *otherwise)
{
	for (size_t i = 0; i < ARRAY_LEN(RULES); i++)
		if (RULES[i].class == class && span_has(text, RULES[i].text) &&
		    !(class == ENGINE_CLASS_CATALOG && span_has(text, "already exists")))
			return RULES[i].sqlstate;
	return class == ENGINE_CLASS_CATALOG ? catalog_state(text) : otherwise;
}

/* Copies `text` with every absolute path replaced: messages must not show where files are. */
static void copy_without_paths(char *to, size_t size, struct span text)
{
	size_t used = 0;
	for (size_t i = 0; i < text.len && used + 1 < size; i++) {
		bool starts_word = i == 0 || strchr(" \"'(=:", text.ptr[i - 1]);
		bool is_path = text.ptr[i] == '/' && starts_word && i + 1 < text.len && text.ptr[i + 1] > ' ' &&
			       !strchr("\"'/)", text.ptr[i + 1]);
		if (!is_path) {
			to[used++] = text.ptr[i];
			continue;
		}
		while (i + 1 < text.len && !strchr(" \"'\n", text.ptr[i + 1]))
			i++;
		struct span mark = span_first(SPAN("(file)"), size - 1 - used);
		memcpy(to + used, mark.ptr, mark.len);
		used += mark.len;
	}
	to[used] = '\0';
	while (used && !span_is_utf8((struct span){to, used}))
		to[--used] = '\0';
}

/* The n-th line (from 1) of `text`. */
static struct span line_of(struct span text, uint64_t n)
{
	struct span line = span_cut(&text, '\n');
	while (--n && text.len)
		line = span_cut(&text, '\n');
	return line;
}

/*
 * The engine marks a place like this, with "..." where it cut a long line:
 *	LINE 2: ...from nope where
 *	                ^
 */
static size_t marked_offset(struct span message, struct span statement)
{
	const char *mark = memmem(message.ptr, message.len, "\nLINE ", 6);
	if (!mark)
		return SIZE_MAX;
	struct span rest = span_skip(message, (size_t)(mark - message.ptr) + 1);
	struct span shown = span_cut(&rest, '\n');
	struct span caret = span_cut(&rest, '\n');
	size_t number_end = span_find(shown, ':');
	uint64_t number;
	if (!span_u64(span_skip(span_first(shown, number_end), 5), &number) || number == 0)
		return SIZE_MAX;
	size_t column = span_find(caret, '^');
	size_t lead = number_end + 2;
	if (column < lead || column == caret.len)
		return SIZE_MAX;
	struct span text = span_skip(shown, lead);
	column -= lead;
	bool cut_front = span_starts(text, SPAN("...")) && column >= 3;
	text = span_skip(text, cut_front ? 3 : 0);
	column -= cut_front ? 3 : 0;
	if (span_ends(text, SPAN("...")))
		text.len -= 3;
	struct span line = line_of(statement, number);
	const char *at = line.len && text.len ? memmem(line.ptr, line.len, text.ptr, text.len) : NULL;
	if (!at)
		return SIZE_MAX;
	size_t offset = (size_t)(at - statement.ptr) + column;
	return offset <= statement.len ? offset : SIZE_MAX;
}

static void copy_name(char to[128], struct span name)
{
	name = span_first(name, 127);
	memcpy(to, name.ptr, name.len);
	to[name.len] = '\0';
}

/* What a violated constraint names: "NOT NULL constraint failed: t.b", "CHECK constraint failed on table t with ..". */
static void name_constraint(struct pg_error *e, struct span text)
{
	static const char not_null[] = "NOT NULL constraint failed: ";
	static const char check[] = "CHECK constraint failed on table ";
	struct span rest;
	if (span_starts(text, span_of(not_null))) {
		rest = span_skip(text, sizeof(not_null) - 1);
		copy_name(e->table, span_cut(&rest, '.'));
		copy_name(e->column, rest);
	} else if (span_starts(text, span_of(check))) {
		rest = span_skip(text, sizeof(check) - 1);
		copy_name(e->table, span_cut(&rest, ' '));
	}
}

bool sqlstate_of_engine(struct pg_error *e, struct span message, struct span statement, size_t *ret_offset)
{
	size_t row = class_row(message);
	enum engine_class class = row < ARRAY_LEN(CLASSES) ? CLASSES[row].class : ENGINE_CLASS_OTHER;
	struct span text = message;
	if (row < ARRAY_LEN(CLASSES))
		text = span_skip(message, strlen(CLASSES[row].prefix) + 2);
	*ret_offset = marked_offset(message, statement);
	const char *mark = text.len ? memmem(text.ptr, text.len, "\n\nLINE ", 7) : NULL;
	if (mark)
		text.len = (size_t)(mark - text.ptr);
	start(e, PG_ERROR, refine(class, text, row < ARRAY_LEN(CLASSES) ? CLASSES[row].sqlstate : "XX000"));
	struct span head = text;
	struct span sentence = span_cut(&head, '\n');
	copy_without_paths(e->message, sizeof(e->message), sentence);
	if (head.len)
		copy_without_paths(e->hint, sizeof(e->hint), head);
	if (class == ENGINE_CLASS_CONSTRAINT)
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
