/* Syntax of PostgreSQL's definitions that the engine refuses. */
#include "pgwire/definition.h"
#include "pgwire/rewrite_inner.h"

/* DROP TABLE a, b -> DROP TABLE a; DROP TABLE b. The names stand from `from` to `to`. */
static void split_list(struct rewriter *r, size_t from, size_t to)
{
	size_t depth = 0;
	struct buf head = BUF(1000);
	for (size_t i = 0; i < from; i++) {
		if (r->p[i].dropped)
			continue;
		buf_span(&head, r->p[i].text ? span_of(r->p[i].text) : r->p[i].t.text);
		buf_byte(&head, ' ');
	}
	struct buf tail = BUF(1000);
	for (size_t i = to; i < r->n && !r->p[i].dropped; i++) {
		buf_byte(&tail, ' ');
		buf_span(&tail, r->p[i].t.text);
	}
	for (size_t i = from; i < to; i++) {
		depth += token_is_punct(r->p[i].t, '(');
		depth -= token_is_punct(r->p[i].t, ')');
		if (depth || !token_is_punct(r->p[i].t, ','))
			continue;
		r->p[i].text =
			arena_printf(r->arena, "%.*s; %.*s", SPAN_ARG(buf_view(&tail)), SPAN_ARG(buf_view(&head)));
	}
	r->too_complex = r->too_complex || head.failed || tail.failed;
	buf_done(&head);
	buf_done(&tail);
}

/* One behind the names of a DROP or TRUNCATE: CASCADE and its like follow. */
static size_t list_end(const struct rewriter *r, size_t i)
{
	static const char *const words[] = {"cascade", "restrict", "restart", "continue"};
	for (; i < r->n; i++)
		for (size_t k = 0; k < ARRAY_LEN(words); k++)
			if (piece_is(r, i, words[k]))
				return i;
	return r->n;
}

static void rewrite_drop(struct rewriter *r)
{
	size_t i = 2;
	if (piece_is(r, i, "concurrently")) {
		piece_drop(r, i, i + 1);
		r->p[i].t.kind = TOKEN_PUNCT;
		return;
	}
	if (piece_is(r, i, "if") && piece_is(r, i + 1, "exists"))
		i += 2;
	split_list(r, i, list_end(r, i));
}

static void rewrite_truncate(struct rewriter *r)
{
	size_t i = 1;
	if (piece_is(r, i, "table"))
		i++;
	if (piece_is(r, i, "only")) {
		piece_drop(r, i, i + 1);
		i++;
	}
	size_t end = list_end(r, i);
	piece_drop(r, end, r->n);
	split_list(r, i, end);
}

/* --- CREATE --- */

/* UNLOGGED, LOCAL and GLOBAL before TABLE. */
static size_t create_modifiers(struct rewriter *r)
{
	size_t i = 1;
	for (; i < r->n && !piece_is(r, i, "table") && !piece_is(r, i, "index") && !piece_is(r, i, "schema"); i++)
		if (piece_is(r, i, "unlogged") || piece_is(r, i, "local") || piece_is(r, i, "global"))
			piece_drop(r, i, i + 1);
	return i;
}

static bool is_temporary(const struct rewriter *r)
{
	if (r->makes_temp)
		return true;
	for (size_t i = 1; i < r->n && !piece_is(r, i, "table"); i++)
		if (piece_is(r, i, "temp") || piece_is(r, i, "temporary"))
			return true;
	return false;
}

/* WITH (fillfactor = 100), TABLESPACE x, ON COMMIT PRESERVE ROWS behind a definition. */
static bool drop_storage(struct rewriter *r, size_t from)
{
	for (size_t i = from; i < r->n; i++) {
		if (piece_punct(r, i, '(')) {
			i = piece_close(r, i);
		} else if (piece_is(r, i, "with") && piece_punct(r, i + 1, '(')) {
			piece_drop(r, i, piece_close(r, i + 1) + 1);
		} else if (piece_is(r, i, "tablespace")) {
			piece_drop(r, i, i + 2);
		} else if (piece_is(r, i, "on") && piece_is(r, i + 1, "commit")) {
			if (!is_temporary(r))
				return pg_error_set(r->e, "42P16", "ON COMMIT can only be used on temporary tables");
			/* What else it may say on_commit.c sees to. */
			piece_drop(r, i, i + (piece_is(r, i + 2, "drop") ? 3 : 4));
		} else if (piece_is(r, i, "as")) {
			break;
		}
	}
	return true;
}

/* The sequence behind a serial or identity column: made in front of the table. */
static const char *add_sequence(struct rewriter *r, size_t table_first, size_t table_last, size_t column,
				bool if_not_exists, const char *options, bool always)
{
	struct span column_name = token_name(r->p[column].t, r->arena);
	struct span table = token_name(r->p[table_last].t, r->arena);
	struct buf name = BUF(1000), quoted = BUF(2000);
	const bool temporary = is_temporary(r);
	/* A temporary sequence must not stand in front of the one of a permanent table of the name. */
	buf_printf(&name, "%s%.*s_%.*s_seq", temporary ? SERIAL_TEMP_PREFIX : "", SPAN_ARG(table),
		   SPAN_ARG(column_name));
	if (table_first != table_last && !r->makes_temp) {
		lexer_quote_name(&quoted, token_name(r->p[table_first].t, r->arena));
		struct span schema = buf_view(&quoted);
		if (span_is(schema, "public")) {
			buf_reset(&quoted);
			buf_str(&quoted, "main");
		}
		buf_byte(&quoted, '.');
	}
	lexer_quote_name(&quoted, buf_view(&name));
	struct buf literal = BUF(4000);
	lexer_quote_string(&literal, buf_view(&quoted));
	buf_printf(&r->prologue, "CREATE %s%sSEQUENCE%s %.*s%s; ", if_not_exists ? "" : "OR REPLACE ",
		   temporary ? "TEMP " : "", if_not_exists ? " IF NOT EXISTS" : "", SPAN_ARG(buf_view(&quoted)),
		   options);
	if (always)
		buf_printf(&r->prologue, "COMMENT ON SEQUENCE %.*s IS '" IDENTITY_COMMENT "'; ",
			   SPAN_ARG(buf_view(&quoted)));
	r->too_complex = r->too_complex || name.failed || quoted.failed || literal.failed;
	const char *text = arena_printf(r->arena, "DEFAULT nextval(%.*s)", SPAN_ARG(buf_view(&literal)));
	buf_done(&name);
	buf_done(&quoted);
	buf_done(&literal);
	return text;
}

static const char *serial_type(const struct rewriter *r, size_t i)
{
	if (piece_is(r, i, "serial") || piece_is(r, i, "serial4"))
		return "INTEGER";
	if (piece_is(r, i, "bigserial") || piece_is(r, i, "serial8"))
		return "BIGINT";
	return piece_is(r, i, "smallserial") || piece_is(r, i, "serial2") ? "SMALLINT" : NULL;
}

/* GENERATED {ALWAYS | BY DEFAULT} AS IDENTITY [(..)] from i; one behind it, or i when it is something else. */
static size_t identity_end(const struct rewriter *r, size_t i)
{
	size_t at = i + 1;
	if (piece_is(r, at, "by") && piece_is(r, at + 1, "default"))
		at += 2;
	else if (piece_is(r, at, "always"))
		at++;
	if (!piece_is(r, at, "as") || !piece_is(r, at + 1, "identity"))
		return i;
	at += 2;
	return piece_punct(r, at, '(') ? piece_close(r, at) + 1 : at;
}

/* (START WITH 5 INCREMENT BY 2 CACHE 10) as the engine takes them, which caches nothing and names the sequence itself. */
static const char *identity_options(struct rewriter *r, size_t from, size_t end)
{
	static const char *const words[] = {"start", "with", "increment", "by", "minvalue", "maxvalue", "no", "cycle"};
	struct buf options = BUF(1000);
	for (size_t i = from; i < end; i++) {
		const bool number = r->p[i].t.kind == TOKEN_NUMBER || piece_operator(r, i, "-");
		bool known = number && !piece_is(r, i - 1, "cache");
		for (size_t k = 0; k < ARRAY_LEN(words); k++)
			known = known || (r->p[i].enclosing != r->p[from].enclosing && piece_is(r, i, words[k]));
		if (known)
			buf_printf(&options, "%s%.*s", piece_operator(r, i - 1, "-") ? "" : " ",
				   SPAN_ARG(r->p[i].t.text));
	}
	const char *text = arena_copy(r->arena, buf_view(&options));
	r->too_complex = r->too_complex || options.failed;
	buf_done(&options);
	return text;
}

/* Types of columns the engine knows under another name. */
static void column_type(struct rewriter *r, size_t i)
{
	if (piece_is(r, i, "jsonb"))
		r->p[i].text = "JSON";
	else if (piece_is(r, i, "oid"))
		r->p[i].text = "UINTEGER";
}

/* The columns between the parentheses at `open`. */
static void create_columns(struct rewriter *r, size_t first, size_t last, size_t open, bool if_not_exists)
{
	size_t close = piece_close(r, open), depth = 0, column = open + 1;
	for (size_t i = open + 1; i < close; i++) {
		depth += token_is_punct(r->p[i].t, '(');
		depth -= token_is_punct(r->p[i].t, ')');
		if (depth)
			continue;
		if (token_is_punct(r->p[i].t, ',')) {
			column = i + 1;
			continue;
		}
		const char *type = i == column + 1 ? serial_type(r, i) : NULL;
		size_t end = piece_is(r, i, "generated") ? identity_end(r, i) : i;
		if (i == column + 1)
			column_type(r, i);
		if (type) {
			r->p[i].text = arena_printf(r->arena, "%s %s", type,
						    add_sequence(r, first, last, column, if_not_exists, "", false));
		} else if (end > i) {
			const char *options = identity_options(r, i, end);
			const bool always = piece_is(r, i + 1, "always");
			piece_drop(r, i, end);
			r->p[i].text = add_sequence(r, first, last, column, if_not_exists, options, always);
			i = end - 1;
		} else if (piece_is(r, i, "stored") && piece_punct(r, i - 1, ')')) {
			/* The engine's generated columns take no room. */
			r->p[i].text = "VIRTUAL";
		} else if (piece_is(r, i, "with") && piece_punct(r, i + 1, '(')) {
			/* PRIMARY KEY (a) WITH (fillfactor = 100) */
			piece_drop(r, i, piece_close(r, i + 1) + 1);
			i = piece_close(r, i + 1);
		}
	}
}

/* One behind a reference's MATCH, ON DELETE and their like. */
static size_t reference_end(const struct rewriter *r, size_t i)
{
	for (i += 1; piece_punct(r, i, '.'); i += 2)
		;
	if (piece_punct(r, i, '('))
		i = piece_close(r, i) + 1;
	while (piece_is(r, i, "match") || piece_is(r, i, "on"))
		i += piece_is(r, i, "match") ? 2 : piece_is(r, i + 2, "no") || piece_is(r, i + 2, "set") ? 4 : 3;
	return i;
}

/* The last token of the constraint whose kind stands at i; 0: none whose name is kept. */
static size_t constraint_last(const struct rewriter *r, size_t i)
{
	size_t end = 0;
	if (piece_is(r, i, "check") && piece_punct(r, i + 1, '('))
		end = piece_close(r, i + 1);
	else if (piece_is(r, i, "references"))
		end = reference_end(r, i + 1) - 1;
	else if (piece_is(r, i, "unique"))
		end = piece_punct(r, i + 1, '(') ? piece_close(r, i + 1) : i;
	else if (piece_is(r, i, "primary"))
		end = piece_punct(r, i + 2, '(') ? piece_close(r, i + 2) : i + 1;
	else if (piece_is(r, i, "foreign") && piece_punct(r, i + 2, '(') &&
		 piece_is(r, piece_close(r, i + 2) + 1, "references"))
		end = reference_end(r, piece_close(r, i + 2) + 2) - 1;
	return end < r->n ? end : 0;
}

/* CONSTRAINT name ..: the engine forgets the name, definition.h tells where it is kept. */
static void keep_names(struct rewriter *r, size_t open)
{
	for (size_t i = open + 1; i < piece_close(r, open); i++) {
		if (!piece_is(r, i, "constraint") || r->p[i].enclosing != open || !piece_is_name(r, i + 1))
			continue;
		const bool of_table = i == open + 1 || piece_punct(r, i - 1, ',');
		const size_t last = constraint_last(r, i + 2);
		if (!last)
			continue;
		struct buf mark = BUF(8000);
		buf_str(&mark, of_table ? ", " : " ");
		definition_put_mark(token_name(r->p[i + 1].t, r->arena), &mark);
		r->too_complex = r->too_complex || mark.failed;
		r->p[last].after = arena_copy(r->arena, buf_view(&mark));
		buf_done(&mark);
	}
}

/* Behind the columns' names, t_a_b_idx; of an expression nothing. */
static const char *index_name(struct rewriter *r, size_t table, size_t open)
{
	struct buf name = BUF(1000), quoted = BUF(2000);
	buf_span(&name, token_name(r->p[table].t, r->arena));
	for (size_t i = open + 1; i < piece_close(r, open); i++)
		if ((piece_punct(r, i - 1, '(') || piece_punct(r, i - 1, ',')) && r->p[i].enclosing == open &&
		    !piece_punct(r, i, '(')) {
			buf_byte(&name, '_');
			buf_span(&name, token_name(r->p[i].t, r->arena));
		}
	buf_str(&name, "_idx");
	lexer_quote_name(&quoted, buf_view(&name));
	r->too_complex = r->too_complex || name.failed || quoted.failed;
	const char *text = arena_printf(r->arena, "%.*s ", SPAN_ARG(buf_view(&quoted)));
	buf_done(&name);
	buf_done(&quoted);
	return text;
}

/* (name varchar_pattern_ops DESC): how the engine's index compares and sorts is not told. */
static void plain_keys(struct rewriter *r, size_t open)
{
	for (size_t i = open + 2; i < piece_close(r, open); i++) {
		const struct span text = r->p[i].t.text;
		const bool is_class = piece_is_name(r, i) && !piece_punct(r, i - 1, ',') && text.len > 4 &&
				      span_is(span_skip(text, text.len - 4), "_ops");
		if (r->p[i].enclosing == open && is_class)
			piece_drop(r, i, i + 1);
	}
}

/* [name] ON [ONLY] t [USING btree] (..): the engine wants a name, and has one kind of index. */
static void rewrite_index(struct rewriter *r, size_t i)
{
	size_t on = i, table;
	while (on < r->n && !piece_is(r, on, "on"))
		on++;
	table = on + 1;
	if (piece_is(r, table, "only")) {
		piece_drop(r, table, table + 1);
		table++;
	}
	while (piece_punct(r, table + 1, '.'))
		table += 2;
	size_t open = table + 1;
	if (piece_is(r, open, "using")) {
		if (piece_is(r, open + 1, "btree") || piece_is(r, open + 1, "hash"))
			piece_drop(r, open, open + 2);
		open += 2;
	}
	if (piece_punct(r, open, '('))
		plain_keys(r, open);
	if (on == i && piece_punct(r, open, '('))
		r->p[on].before = index_name(r, table, open);
}

static bool rewrite_create(struct rewriter *r)
{
	size_t i = create_modifiers(r);
	if (piece_is(r, i, "schema")) {
		/* public exists already, under the name main. */
		bool exists = piece_is(r, i + 1, "if");
		size_t name = exists ? i + 4 : i + 1;
		if (piece_named(r, name, "public"))
			r->p[name].text = "main";
		return true;
	}
	bool is_table = piece_is(r, i, "table");
	if (!is_table && !piece_is(r, i, "index"))
		return true;
	i++;
	if (piece_is(r, i, "concurrently"))
		piece_drop(r, i, i + 1);
	bool if_not_exists = piece_is(r, i, "if");
	i += if_not_exists ? 3 : 0;
	if (!is_table)
		rewrite_index(r, i);
	size_t first = i;
	while (piece_punct(r, i + 1, '.'))
		i += 2;
	if (is_table && piece_punct(r, i + 1, '(')) {
		create_columns(r, first, i, i + 1, if_not_exists);
		keep_names(r, i + 1);
	}
	return drop_storage(r, i + 1);
}

static const char *const INTO_WORDS[] = {"temp", "temporary", "local", "global", "unlogged", "table"};

static bool is_one_of(const struct rewriter *r, size_t i, const char *const words[], size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (piece_is(r, i, words[k]))
			return true;
	return false;
}

/* One behind the words between INTO and the name. */
static size_t into_words(const struct rewriter *r, size_t i, bool *ret_temp)
{
	*ret_temp = false;
	for (; is_one_of(r, i, INTO_WORDS, ARRAY_LEN(INTO_WORDS)); i++)
		*ret_temp = *ret_temp || piece_is(r, i, "temp") || piece_is(r, i, "temporary");
	if (!piece_punct(r, i + 1, '.') || !stmt_is_temp_schema(token_name(r->p[i].t, r->arena)))
		return i;
	*ret_temp = true;
	return i + 2;
}

/* SELECT .. INTO [TEMP] t FROM .. -> CREATE [TEMP] TABLE t AS SELECT .. FROM .. */
static void rewrite_select_into(struct rewriter *r)
{
	size_t into = 1;
	while (into < r->n && !(piece_is(r, into, "into") && r->p[into].enclosing == SIZE_MAX))
		into++;
	bool is_temp;
	size_t i = into_words(r, into + 1, &is_temp);
	struct buf head = BUF(4000);
	buf_str(&head, is_temp ? "CREATE TEMP TABLE " : "CREATE TABLE ");
	for (size_t first = i; i == first || piece_punct(r, i, '.') || piece_punct(r, i - 1, '.'); i++)
		buf_span(&head, r->p[i].text ? span_of(r->p[i].text) : r->p[i].t.text);
	buf_str(&head, " AS ");
	piece_drop(r, into, i);
	for (size_t k = into; k < i; k++)
		r->p[k].text = NULL;
	r->too_complex = r->too_complex || head.failed;
	r->p[0].before = arena_copy(r->arena, buf_view(&head));
	buf_done(&head);
}

/* ALTER TABLE ONLY t; several actions become as many statements. ADD COLUMN c serial is left to the engine. */
static void rewrite_alter(struct rewriter *r)
{
	size_t i = 2;
	if (!piece_is(r, 1, "table"))
		return;
	if (piece_is(r, i, "if") && piece_is(r, i + 1, "exists"))
		i += 2;
	if (piece_is(r, i, "only")) {
		piece_drop(r, i, i + 1);
		i++;
	}
	while (piece_punct(r, i + 1, '.'))
		i += 2;
	split_list(r, i + 1, r->n);
}

/* FOR UPDATE, FOR NO KEY UPDATE, FOR SHARE, FOR KEY SHARE [OF ..] [NOWAIT | SKIP LOCKED] at the end of a query. */
static void drop_row_locks(struct rewriter *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (!piece_is(r, i, "for"))
			continue;
		size_t at = i + 1;
		if (piece_is(r, at, "no") && piece_is(r, at + 1, "key"))
			at += 2;
		else if (piece_is(r, at, "key"))
			at++;
		if (!piece_is(r, at, "update") && !piece_is(r, at, "share"))
			continue;
		at++;
		while (at < r->n && !piece_punct(r, at, ')') && !piece_is(r, at, "for") && !piece_is(r, at, "limit"))
			at++;
		piece_drop(r, i, at);
	}
}

/* INSERT .. OVERRIDING SYSTEM VALUE */
static void drop_overriding(struct rewriter *r)
{
	for (size_t i = 0; i + 2 < r->n; i++)
		if (piece_is(r, i, "overriding") && piece_is(r, i + 2, "value"))
			piece_drop(r, i, i + 3);
}

/* CREATE SEQUENCE .. CACHE 20: the engine keeps no numbers ahead. */
static void drop_cache(struct rewriter *r)
{
	const size_t at =
		r->stmt->mentions & MENTIONS_SYNTAX && strcmp(r->stmt->tag, "CREATE SEQUENCE") == 0 ? 2 : r->n;
	for (size_t i = at; i + 1 < r->n; i++)
		if (piece_is(r, i, "cache") && piece_kind(r, i + 1, TOKEN_NUMBER))
			piece_drop(r, i, i + 2);
}

bool rewrite_ddl(struct rewriter *r)
{
	switch (r->stmt->kind) {
	case STMT_DROP:
		rewrite_drop(r);
		return true;
	case STMT_TRUNCATE:
		rewrite_truncate(r);
		return true;
	case STMT_CREATE_TABLE_AS:
		drop_row_locks(r);
		if (piece_is(r, 0, "select")) {
			rewrite_select_into(r);
			return true;
		}
		return rewrite_create(r);
	case STMT_CREATE:
		drop_cache(r);
		return rewrite_create(r);
	case STMT_ALTER:
		rewrite_alter(r);
		return true;
	case STMT_INSERT:
		drop_overriding(r);
		return true;
	case STMT_SELECT:
		if (r->stmt->mentions & MENTIONS_SYNTAX)
			drop_row_locks(r);
		return true;
	default:
		return true;
	}
}
