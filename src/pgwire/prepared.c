/*
 * Prepared statements. The engine prepares them with parameters of its own, `$1::INTEGER` where the type is known, and the
 * plan is kept for later executions: the engine plans anew by itself when what the plan stands on has changed, the session
 * when a setting did that plans depend on. Statements about the catalog are the exception: their rewriting must see the
 * values, so these get them as literals.
 */
#include "base/limits.h"
#include "pgwire/backend.h"
#include "pgwire/catalog_columns.h"
#include "pgwire/infer.h"
#include "pgwire/types.h"

#include <stdlib.h>

/* Of decimals: digits behind the point that the plan's cast keeps. */
enum { SCALE_DEFAULT = 10, SCALE_DOUBLE = 255 };

struct prepared *prepared_find(struct backend *b, struct span name)
{
	return map_get(&b->prepared, name);
}

void prepared_free(struct prepared *q)
{
	statement_free(q->plan);
	arena_free(q->arena);
}

void prepared_unuse(struct prepared *q)
{
	if (q && --q->uses == 0 && q->closed)
		prepared_free(q);
}

void prepared_close(struct backend *b, struct prepared *q)
{
	(void)map_remove(&b->prepared, span_of(q->name));
	q->closed = true;
	if (!q->uses)
		prepared_free(q);
}

void prepared_close_all(struct backend *b)
{
	struct map_entry *entry;
	for (size_t i = 0; (entry = map_next(&b->prepared, &i));)
		prepared_close(b, entry->value);
}

static bool is_text(uint32_t oid)
{
	const struct pg_type *type = pg_type_find(oid);
	/* The workspace's own types are those of ENUMs. */
	return !type ? oid == 0 || oid >= OID_FIRST_USER : type->kind == PG_KIND_TEXT;
}

/* Whether the engine may have the parameters as values. */
static bool takes_values(const struct stmt *s)
{
	bool kind = s->kind == STMT_SELECT || s->class == STMT_DML;
	return kind && !(s->mentions & (MENTIONS_CATALOG | MENTIONS_SETTING));
}

bool prepared_new(struct span name, struct span sql, const uint32_t *oids, size_t n, struct prepared **ret,
		  struct pg_error *e)
{
	struct arena *arena = arena_new();
	struct prepared *q = arena_new_of(arena, struct prepared);
	q->sql = lexer_plain_blanks(arena_span(arena, sql), arena);
	struct span rest = q->sql;
	q->arena = arena;
	q->name = arena_copy(arena, name);
	bool fine = stmt_next(&rest, &q->stmt, e);
	if (fine && stmt_more(rest))
		fine = pg_error_set(e, "42601", "cannot insert multiple commands into a prepared statement");
	if (!fine) {
		arena_free(arena);
		return false;
	}
	q->takes_values = takes_values(&q->stmt);
	/* Those of PREPARE are the other statement's. */
	const size_t own = q->stmt.kind == STMT_PREPARE ? 0 : q->stmt.parameters;
	q->parameters = own > n ? own : n;
	q->oids = arena_array(arena, uint32_t, q->parameters + 1);
	q->types = arena_array(arena, uint32_t, q->parameters + 1);
	q->used = arena_array(arena, bool, q->parameters + 1);
	q->scales = arena_array(arena, uint8_t, q->parameters + 1);
	memset(q->scales, SCALE_DEFAULT, q->parameters);
	q->given = arena_array(arena, uint32_t, n + 1);
	q->given_count = n;
	for (size_t i = 0; i < n; i++) {
		q->given[i] = oids[i];
		q->oids[i] = oids[i] == OID_UNKNOWN ? 0 : oids[i];
		/* Text stands for an untyped literal: it takes the type its place asks for. */
		q->types[i] = is_text(q->oids[i]) ? 0 : q->oids[i];
	}
	*ret = q;
	return true;
}

bool prepared_make(struct backend *b, struct span name, struct span sql, const uint32_t *oids, size_t n,
		   struct prepared **ret, struct pg_error *e)
{
	struct prepared *old = prepared_find(b, name);
	if (!old && b->prepared.count >= BACKEND_PREPARED_MAX)
		return pg_error_set(e, "54000", "too many prepared statements");
	if (!prepared_new(name, sql, oids, n, ret, e))
		return false;
	if (old)
		prepared_close(b, old);
	(void)map_put(&b->prepared, name, *ret);
	return true;
}

bool prepared_is(const struct prepared *q, struct span sql, const uint32_t *oids, size_t n)
{
	return span_eq(q->sql, sql) && q->given_count == n &&
	       (n == 0 || memcmp(q->given, oids, n * sizeof(*oids)) == 0);
}

/* The statement with each $n replaced by a text; an empty text leaves it. SPAN_NONE: too long. */
static struct span replace_parameters(struct prepared *q, const struct span *texts, size_t n, struct arena *arena)
{
	struct lexer lx = {q->stmt.text};
	struct buf out = BUF(GIB);
	const char *from = q->stmt.text.ptr;
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END; t = lexer_next(&lx)) {
		uint64_t i;
		if (t.kind != TOKEN_PARAM || !span_u64(span_skip(t.text, 1), &i) || i < 1 || i > n)
			continue;
		q->used[i - 1] = true;
		if (!texts[i - 1].len)
			continue;
		buf_bytes(&out, from, (size_t)(t.text.ptr - from));
		buf_byte(&out, ' ');
		buf_span(&out, texts[i - 1]);
		buf_byte(&out, ' ');
		from = t.text.ptr + t.text.len;
	}
	buf_bytes(&out, from, (size_t)(q->stmt.text.ptr + q->stmt.text.len - from));
	struct span whole = out.failed ? SPAN_NONE : arena_span(arena, buf_view(&out));
	buf_done(&out);
	return whole;
}

bool prepared_fill(struct prepared *q, const struct span *literals, size_t n, struct portal *p, struct pg_error *e)
{
	p->of = q;
	q->uses++;
	p->stmt = q->stmt;
	if (n == 0 || q->stmt.kind == STMT_NONE)
		return true;
	struct span rest = replace_parameters(q, literals, n, p->arena);
	if (!rest.ptr)
		return pg_error_set(e, "54000", "the statement with its values is too long");
	return stmt_next(&rest, &p->stmt, e);
}

/* A position in the text with casts is one in the client's without them. */
static void place_error(const struct prepared *q, const struct span *texts, struct pg_error *e)
{
	struct lexer lx = {q->stmt.text};
	uint32_t longer = 0;
	if (!e->position)
		return;
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END; t = lexer_next(&lx)) {
		uint64_t i;
		uint32_t at = sqlstate_position(q->stmt.text, (size_t)(t.text.ptr - q->stmt.text.ptr));
		if (at + longer >= e->position)
			break;
		if (t.kind == TOKEN_PARAM && span_u64(span_skip(t.text, 1), &i) && i >= 1 && i <= q->parameters &&
		    texts[i - 1].len)
			longer += (uint32_t)(texts[i - 1].len + 2 - t.text.len);
	}
	e->position -= longer;
}

/* Types from the engine for parameters that have none yet. */
static void learn_types(struct prepared *q, struct statement *statement)
{
	for (size_t i = 0; i < q->parameters; i++) {
		if (q->types[i] || !q->used[i])
			continue;
		const struct type *type = statement_parameter_type(statement, i + 1);
		if (!type || type->id == TYPE_NULL)
			continue;
		q->types[i] = q->stmt.mentions & MENTIONS_CATALOG ? catalog_type(type) : type_pg_oid(type);
	}
}

/*
 * "= ANY ($1)" is asked of the engine as "IN ($1)", so that it tells the item's type: the parameter is an array of it. True
 * when there was one.
 */
static bool any_is_array(struct prepared *q, const bool *known)
{
	struct lexer lx = {q->stmt.text};
	struct token last[3] = {0};
	bool found = false;
	uint64_t i;
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END; t = lexer_next(&lx)) {
		bool is_any = token_is(last[0], "any") || token_is(last[0], "all");
		if (is_any && token_is_punct(last[1], '(') && last[2].kind == TOKEN_PARAM && token_is_punct(t, ')') &&
		    span_u64(span_skip(last[2].text, 1), &i) && i >= 1 && i <= q->parameters && !known[i - 1]) {
			const struct pg_type *item = pg_type_find(q->types[i - 1]);
			q->types[i - 1] = item && item->array ? item->array : q->types[i - 1];
			found = found || (item && item->array);
		}
		last[0] = last[1];
		last[1] = last[2];
		last[2] = t;
	}
	return found;
}

/* Decimals have the scale of the values; those that are none are doubles. */
static const char *cast_type(const struct prepared *q, size_t i, struct arena *arena)
{
	const struct pg_type *type = pg_type_find(q->types[i]), *item = pg_type_element(q->types[i]);
	if (q->types[i] == OID_TEXT)
		return "VARCHAR";
	bool decimal = (type ? type : item) && (type ? type : item)->kind == PG_KIND_NUMERIC;
	if (!decimal)
		return literal_type(q->types[i], arena);
	if (q->scales[i] == SCALE_DOUBLE)
		return type ? "DOUBLE" : "DOUBLE[]";
	return arena_printf(arena, "DECIMAL(38,%u)%s", q->scales[i], type ? "" : "[]");
}

/* Prepares in the engine with the types known so far. NULL in *ret: a statement the engine has nothing to do for. */
static bool prepare_typed(struct backend *b, struct prepared *q, struct statement **ret, struct pg_error *e)
{
	struct span *texts = arena_array(b->work, struct span, q->parameters + 1);
	struct stmt s = q->stmt;
	*ret = NULL;
	for (size_t i = 0; i < q->parameters; i++) {
		const char *type = cast_type(q, i, b->work);
		if (type)
			texts[i] = span_of(arena_printf(b->work, "($%zu::%s)", i + 1, type));
	}
	if (q->parameters) {
		struct span rest = replace_parameters(q, texts, q->parameters, b->work);
		if (!stmt_next(&rest, &s, e))
			return false;
	}
	if (run_prepare(b, &s, b->work, ret, e))
		return true;
	place_error(q, texts, e);
	return false;
}

static bool *untyped(const struct prepared *q, struct arena *arena, bool *ret_any)
{
	bool *known = arena_array(arena, bool, q->parameters + 1);
	*ret_any = false;
	for (size_t i = 0; i < q->parameters; i++) {
		known[i] = q->types[i] != 0;
		*ret_any = *ret_any || !known[i];
	}
	return known;
}

/* In the order in which they are tried; 0 is what infer_beside() finds. */
static const uint32_t GUESSES[] = {OID_TEXT, 0, OID_INT8, OID_FLOAT8, OID_INTERVAL, OID_TIMESTAMP};

/* One after another, while those behind it have no type. */
static bool guess_each(struct backend *b, struct prepared *q, struct statement **ret)
{
	*ret = NULL;
	for (size_t k = 0; k < q->parameters; k++) {
		uint32_t beside = 0;
		bool fits = q->types[k] != 0;
		for (size_t i = 0; i < ARRAY_LEN(GUESSES) && !fits; i++) {
			struct pg_error e = PG_ERROR_INIT;
			q->types[k] = GUESSES[i] ? GUESSES[i] : beside;
			if (!q->types[k])
				continue;
			statement_free(*ret);
			*ret = NULL;
			fits = prepare_typed(b, q, ret, &e);
			beside = i == 0 ? infer_beside(&e) : beside;
			if (!fits)
				(void)session_recover(b->engine);
			else if (*ret)
				learn_types(q, *ret);
		}
		if (!fits)
			return false;
	}
	return *ret != NULL;
}

/* Where the engine cannot tell a parameter's type, it is text unless the statement makes no sense with a text there. */
static bool guess_types(struct backend *b, struct prepared *q, const bool *known, struct statement **ret,
			struct pg_error *e)
{
	for (size_t i = 0; i < ARRAY_LEN(GUESSES); i++) {
		struct pg_error other = PG_ERROR_INIT;
		for (size_t k = 0; k < q->parameters; k++)
			q->types[k] = known[k] ? q->types[k] : GUESSES[i];
		if (GUESSES[i] ? prepare_typed(b, q, ret, i ? &other : e) : guess_each(b, q, ret))
			return true;
		/* What was refused is a guess: a block goes on. */
		(void)session_recover(b->engine);
	}
	for (size_t k = 0; k < q->parameters; k++)
		q->types[k] = known[k] ? q->types[k] : 0;
	statement_free(*ret);
	*ret = NULL;
	return false;
}

/* In rows that are compared with others, a parameter is of the type that stands there. */
static void learn_rows(struct backend *b, struct prepared *q)
{
	struct prepared probe = *q;
	if (!infer_rows(q->stmt.text, b->work, &probe.stmt.text))
		return;
	for (size_t k = 0; k < q->parameters; k++) {
		struct statement *statement = NULL;
		struct pg_error e = PG_ERROR_INIT;
		if (q->types[k])
			continue;
		q->types[k] = OID_VARBIT;
		if (!prepare_typed(b, &probe, &statement, &e))
			(void)session_recover(b->engine);
		statement_free(statement);
		q->types[k] = infer_in_row(&e);
	}
}

/* Until all types are known: only then are the columns' types right. */
static bool make_plan(struct backend *b, struct prepared *q, struct statement **ret, struct pg_error *e)
{
	bool unknown, still, done = false;
	const bool *known = untyped(q, b->work, &unknown);
	if (unknown) {
		if (!prepare_typed(b, q, ret, e))
			return false;
		if (*ret)
			learn_types(q, *ret);
		statement_free(*ret);
		(void)any_is_array(q, known);
		learn_rows(b, q);
		const bool *learnt = untyped(q, b->work, &still);
		if (still && !guess_types(b, q, learnt, ret, e))
			return false;
		bool arrays = still && any_is_array(q, learnt);
		if (arrays)
			statement_free(*ret);
		done = still && !arrays;
	}
	for (size_t i = 0; i < q->parameters; i++)
		q->oids[i] = q->oids[i] ? q->oids[i] : q->types[i];
	return done || prepare_typed(b, q, ret, e);
}

static bool tells_all_types(struct statement *statement)
{
	for (size_t i = 0; i < statement_column_count(statement); i++)
		if (statement_columns(statement)[i].type->id == TYPE_NULL)
			return false;
	return true;
}

/* The statement with NULLs of their types in place of the parameters; NULL: the engine does not take it. */
static struct statement *prepare_with_nulls(struct backend *b, struct prepared *q)
{
	struct span *texts = arena_array(b->work, struct span, q->parameters + 1);
	struct pg_error ignored = PG_ERROR_INIT;
	struct statement *statement = NULL;
	struct stmt s;
	for (size_t i = 0; i < q->parameters; i++) {
		const char *type = cast_type(q, i, b->work);
		texts[i] = span_of(arena_printf(b->work, type ? "(NULL::%s)" : "NULL", type));
	}
	struct span rest = replace_parameters(q, texts, q->parameters, b->work);
	if (!rest.ptr || !stmt_next(&rest, &s, &ignored) || run_prepare(b, &s, b->work, &statement, &ignored))
		return statement;
	(void)session_recover(b->engine);
	return NULL;
}

/* Of functions of lists the engine tells no type while a parameter is among their arguments. */
static void learn_columns(struct backend *b, struct prepared *q, struct statement *statement, struct arena *arena,
			  struct message_column **ret, size_t *ret_count)
{
	struct statement *told = q->parameters && !tells_all_types(statement) ? prepare_with_nulls(b, q) : NULL;
	run_columns(b, told ? told : statement, &q->stmt, arena, ret, ret_count);
	statement_free(told);
}

/* Names of expressions hold the casts of the plan at hand: the client keeps those it was told. */
static bool same_columns(const struct message_column *a, size_t n, const struct message_column *b, size_t m)
{
	bool same = n == m;
	for (size_t i = 0; same && i < n; i++)
		same = a[i].type_oid == b[i].type_oid;
	return same;
}

static bool take_columns(struct backend *b, struct prepared *q, struct statement *statement, struct arena *work,
			 struct pg_error *e)
{
	struct message_column *columns;
	size_t n;
	if (!q->stmt.returns_rows)
		return true;
	learn_columns(b, q, statement, q->described ? work : q->arena, &columns, &n);
	if (q->described) {
		if (!same_columns(q->columns, q->column_count, columns, n))
			return pg_error_plan_changed(e);
		for (size_t i = 0; i < n; i++)
			q->columns[i].type_mod = columns[i].type_mod;
		return true;
	}
	q->columns = columns;
	q->column_count = n;
	return true;
}

/*
 * What the engine knows of the values in a column (their range, whether one is NULL) goes into its plan. Those of statements
 * with parameters it makes anew at each execution; all others that read tables would leave out rows that came since then, or
 * read them wrongly. A function may be a macro that reads some.
 */
static bool plans_once(const struct prepared *q)
{
	return !q->parameters &&
	       ((q->stmt.mentions & MENTIONS_TABLES) || span_find(q->stmt.text, '(') < q->stmt.text.len);
}

/* Whether the kept plan may be used: tables attached as it knows them, settings as they were. */
static bool check_plan(struct backend *b, struct prepared *q, bool *ret_usable, struct pg_error *e)
{
	*ret_usable = q->plan && q->plan_settings == b->plan_settings && !q->plan_busy && !plans_once(q);
	if (!*ret_usable)
		return true;
	if (!run_spool(b, e))
		return false;
	if (q->no_tables && !b->path_count)
		return true;
	if (!tables_attach(b, &q->stmt, e))
		return false;
	*ret_usable = q->plan_attached == workspace_attached(b->wi);
	return true;
}

bool prepared_is_fresh(struct backend *b, const struct prepared *q)
{
	struct pg_error ignored = PG_ERROR_INIT;
	if (q->plan_changes != workspace_changes(b->wi) || q->plan_settings != b->plan_settings)
		return false;
	if (q->no_tables && !b->path_count)
		return true;
	return tables_attach(b, &q->stmt, &ignored) && q->plan_attached == workspace_attached(b->wi);
}

bool prepared_plan(struct backend *b, struct prepared *q, struct statement **ret, bool *ret_own, struct pg_error *e)
{
	bool usable;
	*ret_own = false;
	*ret = NULL;
	if (!check_plan(b, q, &usable, e))
		return false;
	if (usable) {
		*ret = q->plan;
		return true;
	}
	if (!make_plan(b, q, ret, e))
		return false;
	if (*ret && !take_columns(b, q, *ret, b->work, e)) {
		statement_free(*ret);
		*ret = NULL;
		return false;
	}
	q->described = true;
	*ret_own = !*ret || q->plan_busy;
	if (*ret_own)
		return true;
	statement_free(q->plan);
	q->plan = *ret;
	q->plan_settings = b->plan_settings;
	q->plan_attached = workspace_attached(b->wi);
	q->plan_changes = workspace_changes(b->wi);
	q->no_tables = span_find(q->stmt.text, '.') == q->stmt.text.len;
	return true;
}

/* The scale of a decimal or the largest of a list's; false: there is none. */
static bool scale_of(const struct bind_value *v, uint8_t *ret)
{
	const struct bind_value *items = v->kind == BIND_LIST ? v->list.items : v;
	size_t n = v->kind == BIND_LIST ? v->list.count : 1;
	bool any = false;
	for (size_t i = 0; i < n; i++) {
		bool decimal = items[i].kind == BIND_DECIMAL;
		uint8_t scale = decimal ? (uint8_t)items[i].decimal.scale : SCALE_DOUBLE;
		if (!decimal && items[i].kind != BIND_DOUBLE)
			continue;
		*ret = !any || scale > *ret ? scale : *ret;
		any = true;
	}
	return any;
}

void prepared_scales(struct prepared *q, const struct bind_value *values)
{
	for (size_t i = 0; i < q->parameters; i++) {
		const struct pg_type *type = pg_type_find(q->types[i]), *item = pg_type_element(q->types[i]);
		uint8_t scale;
		type = type ? type : item;
		if (!type || type->kind != PG_KIND_NUMERIC || !scale_of(&values[i], &scale) || scale == q->scales[i])
			continue;
		/* What is stored takes the scale of its column: the plan need not be made anew for fewer digits. */
		if (q->stmt.class == STMT_DML && q->scales[i] > scale && q->scales[i] <= SCALE_DEFAULT)
			continue;
		q->scales[i] = scale;
		q->plan_settings = 0;
	}
}

/* With the parameters as the engine's, only to learn what there is to tell. */
static bool describe_once(struct backend *b, struct prepared *q, struct pg_error *e)
{
	struct statement *statement;
	if (!make_plan(b, q, &statement, e))
		return false;
	if (statement && q->stmt.returns_rows)
		learn_columns(b, q, statement, q->arena, &q->columns, &q->column_count);
	statement_free(statement);
	return true;
}

bool prepared_describe(struct backend *b, struct prepared *q, struct pg_error *e)
{
	struct statement *plan;
	bool own = false;
	const bool names_another = q->stmt.kind == STMT_FETCH || q->stmt.kind == STMT_EXECUTE;
	if ((q->described && !names_another) || q->stmt.kind == STMT_NONE)
		return true;
	bool changes = q->stmt.class == STMT_DDL;
	if (q->takes_values)
		return prepared_plan(b, q, &plan, &own, e);
	if (q->stmt.class == STMT_SESSION) {
		if (!commands_describe(b, &q->stmt, q->arena, &q->columns, &q->column_count, e))
			return false;
	} else if (q->stmt.class != STMT_NOTHING && !changes && !describe_once(b, q, e)) {
		return false;
	}
	for (size_t i = 0; i < q->parameters; i++) {
		q->oids[i] = q->oids[i] ? q->oids[i] : OID_TEXT;
		q->types[i] = q->types[i] ? q->types[i] : q->oids[i];
	}
	q->described = true;
	return true;
}

bool prepared_bind(const struct prepared *q, const struct bind_value *values, struct backend *b,
		   struct statement *statement, struct pg_error *e)
{
	struct err err = ERR_INIT;
	for (size_t i = 0; i < q->parameters; i++)
		if (q->used[i] && !statement_bind(statement, i + 1, &values[i], &err))
			return backend_engine_error(b, &err, NULL, NULL, e);
	return true;
}
