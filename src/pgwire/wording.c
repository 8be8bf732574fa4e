#include "pgwire/wording.h"

#include "pgwire/constraints.h"
#include "pgwire/unsupported.h"

#include <stdio.h>

enum { PARTS = 2 };

/* Which part of a sentence stands in the statement's text. */
enum place { NOWHERE, NAME, SECOND_NAME, LITERAL };

/* `*` in the engine's sentence is a part, `%` the first, `&` the second of them in PostgreSQL's. First match wins. */
static const struct {
	const char *engine, *sqlstate /* NULL: as it is */, *postgres;
	enum place place;
} SENTENCES[] = {
	{"Table with name \"*\" already exists!", NULL, "relation \"%\" already exists", NOWHERE},
	{"View with name \"*\" already exists!", NULL, "relation \"%\" already exists", NOWHERE},
	{"Index with name \"*\" already exists!", NULL, "relation \"%\" already exists", NOWHERE},
	{"Sequence with name \"*\" already exists!", NULL, "relation \"%\" already exists", NOWHERE},
	{"Schema with name \"*\" already exists!", NULL, "schema \"%\" already exists", NOWHERE},
	{"Type with name \"*\" already exists!", NULL, "type \"%\" already exists", NOWHERE},
	{"Table with name \"*\" does not exist because schema \"*\" does not exist.", NULL,
	 "relation \"%\" does not exist", NAME},
	{"Table with name * does not exist!", NULL, "relation \"%\" does not exist", NAME},
	{"View with name * does not exist!", NULL, "view \"%\" does not exist", NAME},
	{"Sequence with name * does not exist!", "42P01", "relation \"%\" does not exist", NOWHERE},
	{"Schema with name * does not exist!", NULL, "schema \"%\" does not exist", NAME},
	{"Index with name * does not exist!", NULL, "index \"%\" does not exist", NOWHERE},
	{"Type with name * does not exist!", NULL, "type \"%\" does not exist", NAME},
	{"Existing object * is of type *, trying to drop type Table", "42809", "\"%\" is not a table", NOWHERE},
	{"Existing object * is of type *, trying to drop type View", "42809", "\"%\" is not a view", NOWHERE},
	{"Existing object * is of type *, trying to replace with type View", "42809", "\"%\" is not a view", NOWHERE},
	{"* Function with name * does not exist!", NULL, "function & does not exist", NOWHERE},
	{"Referenced column \"*\" not found in FROM clause!", NULL, "column \"%\" does not exist", NAME},
	{"Referenced column \"*\" was not found because the FROM clause is missing", NULL,
	 "column \"%\" does not exist", NAME},
	{"Referenced update column * not found in table!", NULL, "column \"%\" does not exist", NAME},
	{"Referenced table \"*\" not found!", NULL, "missing FROM-clause entry for table \"%\"", NAME},
	{"Table \"*\" does not have a column with name \"*\"", "42703", "column \"&\" of relation \"%\" does not exist",
	 SECOND_NAME},
	{"Values list \"*\" does not have a column named \"*\"", "42703", "column %.& does not exist", NOWHERE},
	{"Table \"*\" does not have a column named \"*\"", "42703", "column %.& does not exist", NOWHERE},
	{"Duplicate column name \"*\" in INSERT", "42701", "column \"%\" specified more than once", NOWHERE},
	{"Ambiguous reference to column name \"*\" (*", NULL, "column reference \"%\" is ambiguous", NOWHERE},
	{"The specified columns as conflict target are not referenced by *", "42P10",
	 "there is no unique or exclusion constraint matching the ON CONFLICT specification", NOWHERE},
	{"ORDER term out of range*", "42P10", "ORDER BY position is not in select list", NOWHERE},
	{"GROUP BY term out of range*", "42P10", "GROUP BY position is not in select list", NOWHERE},
	{"Could not drop the table because this table is main key table of the table \"*\"", NULL,
	 "cannot drop the table because table \"%\" refers to it", NOWHERE},
	{"Failed to create foreign key: *", "42830",
	 "there is no unique constraint matching given keys for referenced table", NOWHERE},
	{"Table does not contain column * referenced in check constraint!", "42703", "column \"%\" does not exist",
	 NOWHERE},
	{"Cannot insert into a generated column", "428C9", "cannot insert a non-DEFAULT value into a generated column",
	 NOWHERE},
	{"Cant update column \"*\" because it is a generated column!", "428C9",
	 "column \"%\" can only be updated to DEFAULT", NOWHERE},
	{"currval: sequence is not yet defined in this session", "55000",
	 "currval of the sequence is not yet defined in this session", NOWHERE},
	{"Could not convert string '*' to BOOL", NULL, "invalid input syntax for type boolean: \"%\"", LITERAL},
	{"Could not convert string '*' to INT16", NULL, "invalid input syntax for type smallint: \"%\"", LITERAL},
	{"Could not convert string '*' to INT32", NULL, "invalid input syntax for type integer: \"%\"", LITERAL},
	{"Could not convert string '*' to INT64", NULL, "invalid input syntax for type bigint: \"%\"", LITERAL},
	{"Could not convert string '*' to FLOAT", NULL, "invalid input syntax for type real: \"%\"", LITERAL},
	{"Could not convert string '*' to DOUBLE", NULL, "invalid input syntax for type double precision: \"%\"",
	 LITERAL},
	{"Could not convert string \"*\" to DECIMAL(*", NULL, "invalid input syntax for type numeric: \"%\"", LITERAL},
	{"Could not convert string '*' to INTERVAL", "22007", "invalid input syntax for type interval: \"%\"", LITERAL},
	{"invalid date field format: \"*\", expected format is *", NULL, "invalid input syntax for type date: \"%\"",
	 LITERAL},
	{"invalid timestamp field format: \"*\", expected format is *", NULL,
	 "invalid input syntax for type timestamp: \"%\"", LITERAL},
	{"timestamp field value out of range: \"*\"*", NULL, "date/time field value out of range: \"%\"", LITERAL},
	{"date field value out of range: \"*\"*", NULL, "date/time field value out of range: \"%\"", LITERAL},
	{"time field value out of range: \"*\"*", NULL, "date/time field value out of range: \"%\"", LITERAL},
	{"Values were not provided for the following prepared statement parameters: *", "42P02",
	 "there is no parameter $%", NOWHERE},
	{"Overflow in * of INT16 (*", NULL, "smallint out of range", NOWHERE},
	{"Overflow in * of INT32 (*", NULL, "integer out of range", NOWHERE},
	{"Overflow in * of INT64 (*", NULL, "bigint out of range", NOWHERE},
	{"NOT NULL constraint failed: *.*", NULL,
	 "null value in column \"&\" of relation \"%\" violates not-null constraint", NOWHERE},
};

/* The parts of a sentence that fits the pattern. The last part takes what is left, others as little as possible. */
static bool matches(const char *pattern, struct span text, struct span parts[PARTS])
{
	size_t n = 0;
	parts[0] = parts[1] = SPAN_NONE;
	for (;;) {
		const char *star = strchr(pattern, '*');
		const struct span fixed = {pattern, star ? (size_t)(star - pattern) : strlen(pattern)};
		if (!span_starts(text, fixed))
			return false;
		text = span_skip(text, fixed.len);
		if (!star)
			return text.len == 0;
		pattern = star + 1;
		const char *next = strchr(pattern, '*');
		const size_t follows = next ? (size_t)(next - pattern) : strlen(pattern);
		const char *found = follows ? memmem(text.ptr, text.len, pattern, follows) : text.ptr + text.len;
		if (!found)
			return false;
		if (n < PARTS)
			parts[n++] = (struct span){text.ptr, (size_t)(found - text.ptr)};
		text = span_skip(text, (size_t)(found - text.ptr));
	}
}

static void put_parts(char *to, size_t size, const char *template, const struct span parts[PARTS])
{
	size_t len = 0;
	for (const char *c = template; *c && len + 1 < size; c++) {
		const struct span piece = *c == '%' ? parts[0] : *c == '&' ? parts[1] : (struct span){c, 1};
		const struct span fits = span_first_utf8(piece, size - 1 - len);
		if (fits.len)
			memcpy(to + len, fits.ptr, fits.len);
		len += fits.len;
	}
	to[len] = '\0';
}

struct token wording_target(const struct stmt *s)
{
	struct lexer lx = {s->text};
	struct token t = lexer_next(&lx), last;
	const bool creates = strcmp(s->tag, "CREATE TABLE") == 0;
	if (!creates && !token_is(t, "insert") && !token_is(t, "update") && !token_is(t, "delete"))
		return (struct token){0};
	while (creates && t.kind != TOKEN_END && !token_is(t, "table"))
		t = lexer_next(&lx);
	for (t = lexer_next(&lx); token_is(t, "into") || token_is(t, "from") || token_is(t, "only");)
		t = lexer_next(&lx);
	for (last = t; token_is_punct(lexer_peek(&lx), '.'); last = lexer_next(&lx))
		(void)lexer_next(&lx);
	return token_is_name(last) ? last : (struct token){0};
}

/* Where the name stands first; of a name with its schema, where that stands. */
static void place(struct pg_error *e, const struct stmt *s, struct span name, struct arena *arena)
{
	struct lexer lx = {s->text};
	const struct span first = span_cut(&name, '.');
	if (e->position || (s->class != STMT_QUERY && s->class != STMT_DML && s->kind != STMT_EXPLAIN))
		return;
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END && t.kind != TOKEN_BAD; t = lexer_next(&lx))
		if (token_is_name(t) && span_eq_nocase(token_name(t, arena), first)) {
			e->position = sqlstate_position(s->text, (size_t)(t.text.ptr - s->text.ptr));
			return;
		}
}

/* Where the value stands, if once only: it may be one of a row's instead. */
static void place_literal(struct pg_error *e, const struct stmt *s, struct span value, struct arena *arena)
{
	struct lexer lx = {s->text};
	uint32_t found = 0;
	if (e->position)
		return;
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END && t.kind != TOKEN_BAD; t = lexer_next(&lx))
		if (t.kind == TOKEN_STRING && span_eq(token_string(t, arena), value)) {
			if (found)
				return;
			found = sqlstate_position(s->text, (size_t)(t.text.ptr - s->text.ptr));
		}
	e->position = found;
}

static void place_part(struct pg_error *e, const struct stmt *s, enum place what, const struct span parts[PARTS],
		       struct arena *arena)
{
	if (what == LITERAL)
		place_literal(e, s, parts[0], arena);
	else if (what != NOWHERE)
		place(e, s, parts[what == SECOND_NAME], arena);
}

static bool is_number(struct span text)
{
	text = span_skip(text, text.len && strchr("+-", *text.ptr));
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
	return text.len > 0;
}

/* Digits that are too many are no error of syntax. */
static void tell_range(struct pg_error *e, const struct span value)
{
	const char *type = strstr(e->message, "for type ");
	if (strcmp(e->sqlstate, "22P02") != 0 || !type || !is_number(value))
		return;
	const struct span name = span_first(span_of(type + 9), strcspn(type + 9, ":"));
	char text[512];
	(void)snprintf(text, sizeof(text), "value \"%.*s\" is out of range for type %.*s",
		       SPAN_ARG(span_first_utf8(value, 200)), SPAN_ARG(name));
	pg_error_text(e->message, sizeof(e->message), "%s", text);
	(void)snprintf(e->sqlstate, sizeof(e->sqlstate), "22003");
}

/* DROP of another kind of thing than it is. */
static void tell_kind(struct pg_error *e, struct span kind)
{
	const bool vowel = kind.len && strchr("AEIOU", *kind.ptr);
	char lower[32], upper[32];
	kind = span_first(kind, sizeof(lower) - 1);
	for (size_t i = 0; i <= kind.len; i++) {
		lower[i] = i < kind.len ? (char)(kind.ptr[i] | 0x20) : '\0';
		upper[i] = i < kind.len ? (char)(kind.ptr[i] & ~0x20) : '\0';
	}
	pg_error_hint(e, "Use DROP %s to remove %s %s.", upper, vowel ? "an" : "a", lower);
}

/* "a: 1, b: x" -> "(a, b)=(1, x)" and the constraint's name t_a_b_key. What holds such marks itself is cut in another place. */
static void name_key(struct pg_error *e, struct span table, struct span pairs, bool primary)
{
	char columns[256] = "", values[256] = "", name[256] = "";
	while (pairs.len) {
		const char *end = memmem(pairs.ptr, pairs.len, ", ", 2);
		struct span value = span_first(pairs, end ? (size_t)(end - pairs.ptr) : pairs.len);
		pairs = span_skip(pairs, value.len + 2);
		const struct span column = span_cut(&value, ':');
		const char *comma = *columns ? ", " : "";
		const size_t c = strlen(columns), v = strlen(values), n = strlen(name);
		pg_error_text(columns + c, sizeof(columns) - c, "%s%.*s", comma, SPAN_ARG(column));
		pg_error_text(values + v, sizeof(values) - v, "%s%.*s", comma, SPAN_ARG(span_trim(value)));
		pg_error_text(name + n, sizeof(name) - n, "_%.*s", SPAN_ARG(column));
	}
	pg_error_detail(e, "Key (%s)=(%s) already exists.", columns, values);
	pg_error_text(e->table, sizeof(e->table), "%.*s", SPAN_ARG(table));
	pg_error_text(e->constraint, sizeof(e->constraint), "%.*s%s%s", SPAN_ARG(table), primary ? "" : name,
		      primary ? "_pkey" : "_key");
	pg_error_text(e->message, sizeof(e->message), "duplicate key value violates unique constraint \"%s\"",
		      e->constraint);
}

/* CHECK((x > 0)) */
static void tell_check(struct pg_error *e)
{
	struct span parts[PARTS];
	char said[sizeof(e->message)];
	memcpy(said, e->message, sizeof(said));
	if (!matches("CHECK constraint failed on table * with expression CHECK*", span_of(said), parts))
		return;
	pg_error_text(e->table, sizeof(e->table), "%.*s", SPAN_ARG(parts[0]));
	constraints_name_check(e, parts[1]);
	pg_error_text(e->message, sizeof(e->message), "new row for relation \"%s\" violates check constraint \"%s\"",
		      e->table, e->constraint);
}

static void tell_target(struct pg_error *e, struct span table)
{
	struct span parts[PARTS];
	char said[sizeof(e->message)];
	memcpy(said, e->message, sizeof(said));
	if (matches("Duplicate key \"*\" violates * constraint*", span_of(said), parts)) {
		name_key(e, table, parts[0], span_is(parts[1], "primary key"));
	} else if (matches("Violates foreign key constraint because key \"*\" *", span_of(said), parts)) {
		const bool child = span_starts(parts[1], SPAN("does not exist"));
		pg_error_detail(e,
				child ? "Key \"%.*s\" is not present in the referenced table."
				      : "Key \"%.*s\" is still referenced from another table.",
				SPAN_ARG(parts[0]));
		pg_error_text(e->table, sizeof(e->table), "%.*s", SPAN_ARG(table));
		pg_error_text(e->message, sizeof(e->message), "%s on table \"%s\" violates foreign key constraint",
			      child ? "insert or update" : "update or delete", e->table);
	} else if (matches("Cannot drop entry \"*_seq\" because *", span_of(said), parts)) {
		/* CREATE TABLE makes the sequences of its columns first. */
		(void)pg_error_set(e, "42P07", "relation \"%.*s\" already exists", SPAN_ARG(table));
	}
}

void wording_apply(struct pg_error *e, const struct stmt *s, struct arena *arena)
{
	struct span parts[PARTS];
	const struct token target = s ? wording_target(s) : (struct token){0};
	if (s && !unsupported_apply(s, e))
		return;
	if (target.kind != TOKEN_END)
		tell_target(e, token_name(target, arena));
	tell_check(e);
	char said[sizeof(e->message)];
	memcpy(said, e->message, sizeof(said));
	for (size_t i = 0; i < ARRAY_LEN(SENTENCES); i++) {
		if (!matches(SENTENCES[i].engine, span_of(said), parts))
			continue;
		put_parts(e->message, sizeof(e->message), SENTENCES[i].postgres, parts);
		if (SENTENCES[i].sqlstate)
			(void)snprintf(e->sqlstate, sizeof(e->sqlstate), "%s", SENTENCES[i].sqlstate);
		if (s)
			place_part(e, s, SENTENCES[i].place, parts, arena);
		tell_range(e, parts[0]);
		if (s && s->kind == STMT_DROP && strcmp(e->sqlstate, "42809") == 0)
			tell_kind(e, parts[1]);
		return;
	}
}
