#include "engine/core.h"

#include <errno.h>
#include <jansson.h>

/* What the engine says of one error, before it is judged. */
struct report {
	const char *class; /* "Binder", "Catalog", ... */
	const char *message;
	const char *subtype; /* "COLUMN_NOT_FOUND", ... or "" */
	const char *object;  /* "Table", "Scalar Function", ... or "" */
	size_t position;     /* bytes + 1, 0: unknown */
	int number;	     /* errno or 0 */
};

struct verdict {
	const char *class;
	const char *subtype; /* NULL: any */
	const char *object;  /* NULL: any; prefix, case ignored */
	const char *text;    /* NULL: any; part of the message */
	enum fault_kind kind;
	const char *sqlstate;
};

/* First row that fits wins. Classes are the engine's names of its exceptions; SQLSTATEs are PostgreSQL's Appendix A. */
static const struct verdict verdicts[] = {
	{"Parser", NULL, NULL, "nesting", FAULT_KIND_SYNTAX, "54001"},
	{"Parser", NULL, NULL, "expression depth", FAULT_KIND_SYNTAX, "54001"},
	{"Parser", NULL, NULL, NULL, FAULT_KIND_SYNTAX, "42601"},
	{"Syntax", NULL, NULL, NULL, FAULT_KIND_SYNTAX, "42601"},
	{"Catalog", "ENTRY_ALREADY_EXISTS", "Schema", NULL, FAULT_KIND_CATALOG, "42P06"},
	{"Catalog", "ENTRY_ALREADY_EXISTS", "Type", NULL, FAULT_KIND_CATALOG, "42710"},
	{"Catalog", "ENTRY_ALREADY_EXISTS", "Scalar", NULL, FAULT_KIND_CATALOG, "42723"},
	{"Catalog", "ENTRY_ALREADY_EXISTS", "Macro", NULL, FAULT_KIND_CATALOG, "42723"},
	{"Catalog", "ENTRY_ALREADY_EXISTS", NULL, NULL, FAULT_KIND_CATALOG, "42P07"},
	{"Catalog", "MISSING_ENTRY", "Table Function", NULL, FAULT_KIND_CATALOG, "42883"},
	{"Catalog", "MISSING_ENTRY", "Table", NULL, FAULT_KIND_CATALOG, "42P01"},
	{"Catalog", "MISSING_ENTRY", "View", NULL, FAULT_KIND_CATALOG, "42P01"},
	{"Catalog", "MISSING_ENTRY", "Schema", NULL, FAULT_KIND_CATALOG, "3F000"},
	{"Catalog", "MISSING_ENTRY", "Scalar", NULL, FAULT_KIND_CATALOG, "42883"},
	{"Catalog", "MISSING_ENTRY", "Aggregate", NULL, FAULT_KIND_CATALOG, "42883"},
	{"Catalog", "MISSING_ENTRY", "Macro", NULL, FAULT_KIND_CATALOG, "42883"},
	{"Catalog", "MISSING_ENTRY", NULL, NULL, FAULT_KIND_CATALOG, "42704"},
	{"Catalog", NULL, NULL, "already exists", FAULT_KIND_CATALOG, "42P07"},
	{"Catalog", NULL, NULL, "Schema with name", FAULT_KIND_CATALOG, "3F000"},
	{"Catalog", NULL, NULL, "Function", FAULT_KIND_CATALOG, "42883"},
	{"Catalog", NULL, NULL, "does not exist", FAULT_KIND_CATALOG, "42P01"},
	{"Catalog", NULL, NULL, NULL, FAULT_KIND_CATALOG, "42704"},
	{"Binder", "COLUMN_NOT_FOUND", NULL, NULL, FAULT_KIND_BINDER, "42703"},
	{"Binder", "NO_MATCHING_FUNCTION", NULL, NULL, FAULT_KIND_BINDER, "42883"},
	{"Binder", NULL, NULL, "Ambiguous reference", FAULT_KIND_BINDER, "42702"},
	{"Binder", NULL, NULL, "Referenced table", FAULT_KIND_BINDER, "42P01"},
	{"Binder", NULL, NULL, "does not have a column", FAULT_KIND_BINDER, "42703"},
	{"Binder", NULL, NULL, "GROUP BY", FAULT_KIND_BINDER, "42803"},
	{"Binder", NULL, NULL, "aggregate", FAULT_KIND_BINDER, "42803"},
	{"Binder", NULL, NULL, "read-only", FAULT_KIND_PERMISSION, "25006"},
	{"Binder", NULL, NULL, "Cannot compare", FAULT_KIND_BINDER, "42804"},
	{"Binder", NULL, NULL, "Catalog \"", FAULT_KIND_BINDER, "3F000"},
	{"Binder", NULL, NULL, "No function matches", FAULT_KIND_BINDER, "42883"},
	{"Binder", NULL, NULL, NULL, FAULT_KIND_BINDER, "42601"},
	{"Planner", NULL, NULL, NULL, FAULT_KIND_BINDER, "42601"},
	{"Mismatch Type", NULL, NULL, NULL, FAULT_KIND_BINDER, "42804"},
	{"Unknown Type", NULL, NULL, NULL, FAULT_KIND_BINDER, "42804"},
	{"Invalid type", NULL, NULL, NULL, FAULT_KIND_BINDER, "42804"},
	{"Expression", NULL, NULL, NULL, FAULT_KIND_BINDER, "42601"},
	{"Conversion", NULL, NULL, "date field value out of range", FAULT_KIND_CONVERSION, "22008"},
	{"Conversion", NULL, NULL, "timestamp field value out of range", FAULT_KIND_CONVERSION, "22008"},
	{"Conversion", NULL, NULL, "time field value out of range", FAULT_KIND_CONVERSION, "22008"},
	{"Conversion", NULL, NULL, "invalid date", FAULT_KIND_CONVERSION, "22007"},
	{"Conversion", NULL, NULL, "invalid timestamp", FAULT_KIND_CONVERSION, "22007"},
	{"Conversion", NULL, NULL, "out of range", FAULT_KIND_CONVERSION, "22003"},
	{"Conversion", NULL, NULL, "Unimplemented type for cast", FAULT_KIND_CONVERSION, "42846"},
	{"Conversion", NULL, NULL, NULL, FAULT_KIND_CONVERSION, "22P02"},
	{"Decimal", NULL, NULL, NULL, FAULT_KIND_CONVERSION, "22003"},
	{"Out of Range", NULL, NULL, NULL, FAULT_KIND_OUT_OF_RANGE, "22003"},
	{"Divide by Zero", NULL, NULL, NULL, FAULT_KIND_DIVIDE_BY_ZERO, "22012"},
	{"Object Size", NULL, NULL, NULL, FAULT_KIND_OUT_OF_RANGE, "22001"},
	{"Constraint", NULL, NULL, "Duplicate key", FAULT_KIND_CONSTRAINT, "23505"},
	{"Constraint", NULL, NULL, "PRIMARY KEY or UNIQUE", FAULT_KIND_CONSTRAINT, "23505"},
	{"Constraint", NULL, NULL, "NOT NULL", FAULT_KIND_CONSTRAINT, "23502"},
	{"Constraint", NULL, NULL, "foreign key", FAULT_KIND_CONSTRAINT, "23503"},
	{"Constraint", NULL, NULL, "CHECK", FAULT_KIND_CONSTRAINT, "23514"},
	{"Constraint", NULL, NULL, NULL, FAULT_KIND_CONSTRAINT, "23000"},
	{"TransactionContext", NULL, NULL, "No space left", FAULT_KIND_DISK, "53100"},
	{"TransactionContext", NULL, NULL, "Could not write file", FAULT_KIND_IO, "58030"},
	{"TransactionContext", NULL, NULL, "aborted", FAULT_KIND_TRANSACTION, "25P02"},
	{"TransactionContext", NULL, NULL, "Conflict", FAULT_KIND_TRANSACTION, "40001"},
	{"TransactionContext", NULL, NULL, "conflict", FAULT_KIND_TRANSACTION, "40001"},
	{"TransactionContext", NULL, NULL, "Failed to commit", FAULT_KIND_TRANSACTION, "40001"},
	{"TransactionContext", NULL, NULL, "altered", FAULT_KIND_TRANSACTION, "40001"},
	{"TransactionContext", NULL, NULL, "read-only", FAULT_KIND_TRANSACTION, "25006"},
	{"TransactionContext", NULL, NULL, "within a transaction", FAULT_KIND_TRANSACTION, "25001"},
	{"TransactionContext", NULL, NULL, "no transaction", FAULT_KIND_TRANSACTION, "25P01"},
	{"TransactionContext", NULL, NULL, NULL, FAULT_KIND_TRANSACTION, "25000"},
	{"Dependency", NULL, NULL, NULL, FAULT_KIND_DEPENDENCY, "2BP01"},
	{"Invalid Input", NULL, NULL, "read-only", FAULT_KIND_PERMISSION, "25006"},
	{"Invalid Input", NULL, NULL, "configuration has been locked", FAULT_KIND_PERMISSION, "42501"},
	{"Invalid Input", NULL, NULL, "parameter", FAULT_KIND_INVALID_INPUT, "08P01"},
	{"Invalid Input", NULL, NULL, NULL, FAULT_KIND_INVALID_INPUT, "22023"},
	{"Invalid", NULL, NULL, NULL, FAULT_KIND_INVALID_INPUT, "22023"},
	{"Parameter Not Resolved", NULL, NULL, NULL, FAULT_KIND_INVALID_INPUT, "42P18"},
	{"Parameter Not Allowed", NULL, NULL, NULL, FAULT_KIND_INVALID_INPUT, "42P02"},
	{"Sequence", NULL, NULL, NULL, FAULT_KIND_SEQUENCE, "2200H"},
	{"Settings", NULL, NULL, NULL, FAULT_KIND_SETTINGS, "22023"},
	{"Invalid Configuration", NULL, NULL, "locked", FAULT_KIND_PERMISSION, "42501"},
	{"Invalid Configuration", NULL, NULL, NULL, FAULT_KIND_SETTINGS, "22023"},
	{"Permission", NULL, NULL, NULL, FAULT_KIND_PERMISSION, "42501"},
	{"Not implemented", NULL, NULL, NULL, FAULT_KIND_NOT_IMPLEMENTED, "0A000"},
	{"Missing Extension", NULL, NULL, NULL, FAULT_KIND_MISSING_EXTENSION, "0A000"},
	{"Extension Autoloading", NULL, NULL, NULL, FAULT_KIND_MISSING_EXTENSION, "0A000"},
	{"INTERRUPT", NULL, NULL, NULL, FAULT_KIND_INTERRUPT, "57014"},
	{"Out of Memory", NULL, NULL, "max_temp_directory_size", FAULT_KIND_DISK, "53100"},
	{"Out of Memory", NULL, NULL, NULL, FAULT_KIND_OUT_OF_MEMORY, "53200"},
	{"IO", NULL, NULL, "No space left", FAULT_KIND_DISK, "53100"},
	{"IO", NULL, NULL, NULL, FAULT_KIND_IO, "58030"},
	{"Network", NULL, NULL, NULL, FAULT_KIND_PERMISSION, "42501"},
	{"HTTP", NULL, NULL, NULL, FAULT_KIND_PERMISSION, "42501"},
	{"Serialization", NULL, NULL, NULL, FAULT_KIND_IO, "58030"},
	{"FATAL", NULL, NULL, "No space left", FAULT_KIND_DISK, "53100"},
};

static bool verdict_fits(const struct verdict *v, const struct report *r)
{
	return strcmp(v->class, r->class) == 0 && (!v->subtype || strcmp(v->subtype, r->subtype) == 0) &&
	       (!v->object || strncasecmp(v->object, r->object, strlen(v->object)) == 0) &&
	       (!v->text || strstr(r->message, v->text));
}

static void judge(const struct report *r, struct fault *fault)
{
	fault->kind = FAULT_KIND_INTERNAL;
	/* Of an attached file that the engine gave up it says so in text alone. */
	fault->fatal = strcmp(r->class, "FATAL") == 0 || strcmp(r->class, "INTERNAL") == 0 ||
		       strstr(r->message, "\" has been invalidated because") ||
		       strstr(r->message, "The database has been invalidated.");
	(void)snprintf(fault->sqlstate, sizeof(fault->sqlstate), "XX000");
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
		if (verdict_fits(&verdicts[i], r)) {
			fault->kind = verdicts[i].kind;
			(void)snprintf(fault->sqlstate, sizeof(fault->sqlstate), "%s", verdicts[i].sqlstate);
			break;
		}
	if (r->number == ENOSPC || r->number == EDQUOT) {
		fault->kind = FAULT_KIND_DISK;
		(void)snprintf(fault->sqlstate, sizeof(fault->sqlstate), "53100");
	}
}

/* The system's words; the engine passes its number on for some calls only. */
static bool says_unwritable(const char *message)
{
	return strstr(message, "Read-only file system") || strstr(message, "Permission denied") ||
	       strstr(message, "Operation not permitted");
}

static enum err_code code_of(const struct fault *fault)
{
	switch (fault->kind) {
	case FAULT_KIND_NONE:
	case FAULT_KIND_INTERNAL:
		return ERR_ENGINE;
	case FAULT_KIND_INTERRUPT:
		return ERR_CANCELLED;
	case FAULT_KIND_OUT_OF_MEMORY:
		return ERR_OUT_OF_MEMORY;
	case FAULT_KIND_DISK:
		return ERR_DISK_FULL;
	case FAULT_KIND_IO:
		return says_unwritable(fault->message) ? ERR_STORAGE_UNWRITABLE : ERR_IO;
	default:
		return ERR_ENGINE_REFUSED;
	}
}

/* "/srv/data/_private/t1.duckdb" -> "t1.duckdb": of a path below the folder only the last name stays. */
static void hide_paths(char *text, const char *dir)
{
	const size_t len = dir ? strlen(dir) : 0;
	if (len < 2)
		return;
	for (char *at = text; (at = strstr(at, dir));) {
		const size_t path = len + strcspn(at + len, "\"' \n");
		size_t name = path;
		while (name > 0 && at[name - 1] != '/')
			name--;
		memmove(at, at + name, strlen(at + name) + 1);
	}
}

/* The CSV reader adds paragraphs of advice and its settings; the line and what is wrong with it stand before them. */
static void cut_advice(char *text)
{
	static const char *const ends[] = {"\nPossible", "\n\nColumn ", "\n\n  file ", "\n  file "};
	if (strncmp(text, "CSV Error", 9) != 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char *at = strstr(text, ends[i]);
		if (at)
			*at = '\0';
	}
}

/* Cut at a whole character. */
static void copy_text(char *ret, size_t size, const char *text)
{
	size_t len = strnlen(text, size - 1);
	if (text[len])
		while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
			len--;
	memcpy(ret, text, len);
	ret[len] = '\0';
}

/* The CSV reader shows the faulty line before it says what is wrong; of a long one the beginning will do. */
static void copy_message(char *ret, size_t size, const char *text)
{
	enum { LINE_SHOWN = 240 };
	const char *line = strncmp(text, "CSV Error", 9) == 0 ? strstr(text, "\nOriginal Line: ") : NULL;
	const char *reason = line ? strchr(line + 1, '\n') : NULL;
	if (!reason || reason - line <= LINE_SHOWN || (size_t)(line - text) + LINE_SHOWN + 8 > size) {
		copy_text(ret, size, text);
		return;
	}
	copy_text(ret, (size_t)(line - text) + LINE_SHOWN, text);
	size_t len = strlen(ret);
	memcpy(ret + len, "...", 3);
	copy_text(ret + len + 3, size - len - 3, reason);
}

static const char *json_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

/* "Binder Error: text" of messages that did not come as JSON. */
static void report_plain(const char *message, struct report *r, char class[64])
{
	const char *end = strstr(message, " Error: ");
	class[0] = '\0';
	if (end && (size_t)(end - message) < 64) {
		memcpy(class, message, (size_t)(end - message));
		class[end - message] = '\0';
		message = end + strlen(" Error: ");
	}
	*r = (struct report){.class = class, .message = message, .subtype = "", .object = ""};
}

static void fault_of_report(const struct report *r, const char *hide_dir, struct fault *fault)
{
	judge(r, fault);
	fault->position = r->position;
	copy_message(fault->message, sizeof(fault->message), r->message);
	cut_advice(fault->message);
	hide_paths(fault->message, hide_dir);
}

/* The engine names some databases of its own in bytes that are no UTF-8, which JSON and clients refuse. */
static void mend_utf8(char *text)
{
	for (size_t left = strlen(text), n; left > 0; text += n, left -= n) {
		const size_t max = left < 4 ? left : 4;
		for (n = 1; n <= max && !span_is_utf8((struct span){text, n});)
			n++;
		if (n > max) {
			*text = '?';
			n = 1;
		}
	}
}

static bool fault_of_message(const char *message, const char *hide_dir, struct fault *fault, struct err *err)
{
	const char *open = message ? strchr(message, '{') : NULL;
	json_t *json = open && open - message < 64 ? json_loads(open, JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (json_is_object(json) && json_object_get(json, "exception_message")) {
		const char *position = json_text(json, "position"), *number = json_text(json, "errno");
		uint64_t at = 0, no = 0;
		const bool known = span_u64(span_of(position), &at);
		(void)!span_u64(span_of(number), &no);
		fault_of_report(&(struct report){.class = json_text(json, "exception_type"),
						 .message = json_text(json, "exception_message"),
						 .subtype = json_text(json, "error_subtype"),
						 .object = json_text(json, "type"),
						 .position = known ? at + 1 : 0,
						 .number = (int)no},
				hide_dir, fault);
	} else {
		char class[64];
		struct report r;
		report_plain(message ? message : "The engine failed without a message", &r, class);
		fault_of_report(&r, hide_dir, fault);
	}
	json_decref(json);
	return err_set(err, code_of(fault), "%s", fault->message);
}

bool fault_err(const char *message, const char *hide_dir, struct fault *fault, struct err *err)
{
	if (!message || span_is_utf8(span_of(message)))
		return fault_of_message(message, hide_dir, fault, err);
	char *mended = mem_strdup(message);
	mend_utf8(mended);
	(void)fault_of_message(mended, hide_dir, fault, err);
	free(mended);
	return false;
}

/* The engine counts bytes from 0, PostgreSQL's clients characters from 1. */
static size_t characters(const char *sql, size_t position)
{
	size_t n = 1;
	for (size_t i = 0; i + 1 < position && sql[i]; i++)
		n += ((unsigned char)sql[i] & 0xC0) != 0x80;
	return n;
}

bool fault_set(struct session *session, const char *message, const char *sql, struct err *err)
{
	(void)fault_err(message, session->instance->config.hide_dir, &session->fault, err);
	/* The parser counts characters itself. */
	if (session->fault.position && session->fault.kind != FAULT_KIND_SYNTAX)
		session->fault.position = sql ? characters(sql, session->fault.position) : 0;
	if (session->in_transaction)
		session->aborted = true;
	/* A plan that was to be given up got no memory. */
	if (session->fault.kind == FAULT_KIND_OUT_OF_MEMORY && atomic_load(&session->interrupted)) {
		session->fault.kind = FAULT_KIND_INTERRUPT;
		(void)snprintf(session->fault.sqlstate, sizeof(session->fault.sqlstate), "57014");
	}
	if (session->fault.kind == FAULT_KIND_INTERRUPT) {
		if (atomic_load(&session->timed_out))
			return err_set(err, ERR_TIMEOUT, "The statement took longer than allowed");
		return err_set(err, ERR_CANCELLED, "The statement was cancelled");
	}
	if (session->fault.fatal || session->fault.kind == FAULT_KIND_INTERNAL)
		core_check(session->core);
	return false;
}
