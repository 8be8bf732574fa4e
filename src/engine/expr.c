#include "engine/expr.h"

#include "base/clock.h"
#include "base/limits.h"
#include "engine/sql.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXPR_COUNT_MAX = 10000, GUARD_MEMORY = 256 * 1024 * 1024, CHECK_SECONDS_MAX = 5 };

struct expr_guard {
	struct instance *instance;
};

struct allowed_function {
	const char *name;
	unsigned count_argument;
};

static const struct allowed_function functions[] = {
#define FUNCTION(function, argument) {function, argument},
#include "engine/expr_functions.def"
#undef FUNCTION
};

/* Node classes of the engine's tree; `why` NULL: allowed. A class not listed is refused. */
static const struct node_class {
	const char *name;
	const char *why;
} classes[] = {
	{"BETWEEN", NULL},
	{"CASE", NULL},
	{"CAST", NULL},
	{"COLLATE", NULL},
	{"COLUMN_REF", NULL},
	{"COMPARISON", NULL},
	{"CONJUNCTION", NULL},
	{"CONSTANT", NULL},
	{"FUNCTION", NULL},
	{"LAMBDA", NULL}, /* also what json -> 'path' looks like; its names must be columns all the same */
	{"OPERATOR", NULL},
	{"DEFAULT", "DEFAULT is not an expression here"},
	{"PARAMETER", "parameters are not allowed"},
	{"POSITIONAL_REFERENCE", "positional references are not allowed"},
	{"STAR", "* is not allowed"},
	{"SUBQUERY", "sub-queries are not allowed"},
	{"WINDOW", "window functions are not allowed"},
};

/* One check of one text. */
struct check {
	struct session *session;
	const struct table_schema *schema; /* NULL: no columns */
	struct err *err;
	enum err_code code; /* of a refusal */
};

static bool refuse(const struct check *c, const char *why)
{
	return err_set(c->err, c->code, "Not a valid expression: %s", why);
}

static bool refuse_name(const struct check *c, const char *what, const char *name)
{
	return err_set(c->err, c->code, "Not a valid expression: %s %.200s is not allowed", what, name);
}

/* What the engine said about the text. Only a fault of the server is not the text's fault. */
static bool adopt(const struct check *c, const struct err *said)
{
	switch (said->code) {
	case ERR_ENGINE_REFUSED:
	case ERR_INVALID_REQUEST:
	case ERR_OUT_OF_MEMORY:
		return refuse(c, said->message);
	case ERR_TIMEOUT:
		return refuse(c, "it takes too long");
	default:
		*c->err = *said;
		return false;
	}
}

static const char *member_text(const json_t *node, const char *key)
{
	const char *text = json_string_value(json_object_get(node, key));
	return text ? text : "";
}

static int function_cmp(const void *key, const void *row)
{
	return strcmp(key, ((const struct allowed_function *)row)->name);
}

static const struct allowed_function *find_function(const char *name)
{
	const struct allowed_function *row =
		bsearch(name, functions, ARRAY_LEN(functions), sizeof(*functions), function_cmp);
	char lower[64];
	if (row || strlen(name) >= sizeof(lower))
		return row;
	for (size_t i = 0; i <= strlen(name); i++)
		lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
	return bsearch(lower, functions, ARRAY_LEN(functions), sizeof(*functions), function_cmp);
}

static bool check_count(const struct check *c, const json_t *node, unsigned argument, const char *name)
{
	const json_t *child = json_array_get(json_object_get(node, "children"), argument - 1);
	const json_t *value = json_object_get(json_object_get(child, "value"), "value");
	if (json_is_real(value) && json_real_value(value) >= 0 && json_real_value(value) <= EXPR_COUNT_MAX)
		return true;
	return err_set(c->err, c->code, "Not a valid expression: %s needs a number up to %d written out", name,
		       EXPR_COUNT_MAX);
}

static bool check_function(const struct check *c, const json_t *node)
{
	const char *name = member_text(node, "function_name");
	const char *schema = member_text(node, "schema"), *catalog = member_text(node, "catalog");
	const bool builtin = (!*schema || strcmp(schema, "main") == 0 || strcmp(schema, "pg_catalog") == 0) &&
			     (!*catalog || strcmp(catalog, "system") == 0);
	const struct allowed_function *row = builtin ? find_function(name) : NULL;
	if (!row)
		return refuse_name(c, "the function", name);
	const json_t *filter = json_object_get(node, "filter");
	const json_t *orders = json_object_get(json_object_get(node, "order_bys"), "orders");
	if ((filter && !json_is_null(filter)) || json_array_size(orders) > 0 ||
	    json_is_true(json_object_get(node, "distinct")))
		return refuse(c, "aggregates are not allowed");
	return row->count_argument == 0 || check_count(c, node, row->count_argument, name);
}

/* Functions without parentheses reach the tree as columns. */
static bool is_clock(const json_t *names)
{
	static const char *const clocks[] = {"current_date", "current_time", "current_timestamp", "localtime",
					     "localtimestamp"};
	const char *name = json_string_value(json_array_get(names, 0));
	if (!name || json_array_size(names) != 1)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(clocks); i++)
		if (strcasecmp(name, clocks[i]) == 0)
			return true;
	return false;
}

static bool check_column(const struct check *c, const json_t *node)
{
	const json_t *names = json_object_get(node, "column_names");
	const char *name = json_string_value(json_array_get(names, 0));
	if (is_clock(names))
		return true;
	if (!c->schema)
		return refuse_name(c, "the column", name ? name : "");
	if (!name || !table_column_find(c->schema, name))
		return err_set(c->err, c->code, "Not a valid expression: there is no column %.200s", name ? name : "");
	return true;
}

static bool check_node(const struct check *c, const json_t *node, const char *class)
{
	const struct node_class *row = NULL;
	for (size_t i = 0; i < ARRAY_LEN(classes) && !row; i++)
		if (strcmp(classes[i].name, class) == 0)
			row = &classes[i];
	if (!row)
		return refuse_name(c, "a node of class", class);
	if (row->why)
		return refuse(c, row->why);
	if (strcmp(class, "FUNCTION") == 0)
		return check_function(c, node);
	if (strcmp(class, "COLUMN_REF") == 0)
		return check_column(c, node);
	if (strcmp(member_text(node, "type"), "GROUPING_FUNCTION") == 0)
		return refuse(c, "aggregates are not allowed");
	return true;
}

/* Every object of the tree is visited, known or not, so that nothing hides in a field this program has not heard of. */
static bool check_tree(const struct check *c, const json_t *value, unsigned depth)
{
	const char *key;
	json_t *child;
	size_t i;
	if (json_is_array(value)) {
		json_array_foreach(value, i, child)
		{
			if (!check_tree(c, child, depth))
				return false;
		}
		return true;
	}
	if (!json_is_object(value))
		return true;
	const char *class = json_string_value(json_object_get(value, "class"));
	if (class && depth >= LIMIT_EXPRESSION_DEPTH)
		return err_set(c->err, c->code, "Not a valid expression: nested deeper than %d levels",
			       LIMIT_EXPRESSION_DEPTH);
	if (class && !check_node(c, value, class))
		return false;
	if (json_object_get(value, "node") || json_object_get(value, "from_table"))
		return refuse(c, "sub-queries are not allowed");
	json_object_foreach((json_t *)(uintptr_t)value, key, child)
	{
		if (!check_tree(c, child, depth + (class != NULL)))
			return false;
	}
	return true;
}

static bool is_empty(const json_t *value)
{
	return !value || json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0);
}

/* The one expression of a statement that is nothing but SELECT <expression>; NULL when it is anything else. */
static const json_t *only_expression(const json_t *root)
{
	static const char *const clauses[] = {"where_clause", "group_expressions", "group_sets", "having",
					      "sample",	      "qualify",	   "modifiers"};
	const json_t *statements = json_object_get(root, "statements");
	const json_t *statement = json_array_get(statements, 0);
	const json_t *node = json_object_get(statement, "node");
	const json_t *list = json_object_get(node, "select_list");
	if (json_array_size(statements) != 1 || json_array_size(list) != 1 ||
	    strcmp(member_text(node, "type"), "SELECT_NODE") != 0 ||
	    strcmp(member_text(json_object_get(node, "from_table"), "type"), "EMPTY") != 0 ||
	    strcmp(member_text(node, "aggregate_handling"), "STANDARD_HANDLING") != 0 ||
	    !is_empty(json_object_get(json_object_get(node, "cte_map"), "map")) ||
	    !is_empty(json_object_get(statement, "named_param_map")))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(clauses); i++)
		if (!is_empty(json_object_get(node, clauses[i])))
			return NULL;
	const json_t *expression = json_array_get(list, 0);
	return *member_text(expression, "alias") ? NULL : expression;
}

/* Runs one of the engine's text functions on a text given as a parameter: it is parsed, never executed. */
static bool call_engine(struct session *session, const char *sql, struct span text, struct buf *ret, struct err *err)
{
	struct statement *s;
	struct cursor *c;
	size_t rows;
	if (!statement_prepare(session, sql, &s, err))
		return false;
	bool ok = statement_bind_text(s, 1, text, err) && statement_query(s, &c, err);
	if (ok) {
		ok = cursor_next(c, &rows, err);
		if (ok && rows == 1)
			buf_span(ret, cursor_text(c, 0, 0));
		cursor_close(c);
	}
	statement_free(s);
	if (ok && (ret->failed || ret->len == 0))
		ok = err_set(err, ERR_ENGINE_REFUSED, "The text cannot be parsed");
	return ok;
}

/* Of text that is several statements, or another one, the engine only says that it prints no such thing. */
static const char *parse_complaint(const json_t *root)
{
	const char *said = member_text(root, "error_message");
	return strstr(said, "serialized to json") ? "it must be one expression and nothing else" : said;
}

/* Parses prefix + text + suffix as SQL; *ret is to be released with json_decref. */
static bool parse(const struct check *c, const char *prefix, struct span text, const char *suffix, json_t **ret)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES), tree = BUF(LIMIT_RESPONSE_BYTES);
	buf_str(&sql, prefix);
	buf_span(&sql, text);
	buf_str(&sql, suffix);
	*ret = NULL;
	struct err err = ERR_INIT;
	bool ok =
		call_engine(c->session, "SELECT json_serialize_sql($1::VARCHAR)::VARCHAR", buf_view(&sql), &tree, &err);
	/* Unknown positions are 2^64 - 1, too big for the reader's integers. */
	json_t *root = ok ? json_loadb(tree.ptr, tree.len, JSON_DECODE_INT_AS_REAL, NULL) : NULL;
	if (!ok)
		(void)adopt(c, &err);
	else if (!root)
		ok = refuse(c, "it is nested too deeply");
	else if (!json_is_false(json_object_get(root, "error")))
		ok = refuse(c, parse_complaint(root));
	if (ok)
		*ret = root;
	else
		json_decref(root);
	buf_done(&sql);
	buf_done(&tree);
	return ok;
}

/*
 * The text must be one whole expression on its own and within parentheses. Each form alone could be tricked: "a) OR (b"
 * fits only into the parentheses, "a FROM t" or "a -- b" only outside of them.
 */
static bool check_text(const struct check *c, struct span text)
{
	static const char *const forms[][2] = {{"SELECT ", ""}, {"SELECT (", ")"}};
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		json_t *root;
		if (!parse(c, forms[i][0], text, forms[i][1], &root))
			return false;
		const json_t *expression = only_expression(root);
		const bool ok = expression ? check_tree(c, expression, 0)
					   : refuse(c, "it must be one expression and nothing else");
		json_decref(root);
		if (!ok)
			return false;
	}
	return true;
}

/* The engine's print of the tree, without the SELECT. */
static bool print(const struct check *c, struct span text, struct buf *ret)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES), printed = BUF(LIMIT_SQL_BYTES);
	struct err err = ERR_INIT;
	static const char select[] = "SELECT ";
	buf_str(&sql, select);
	buf_span(&sql, text);
	bool ok = call_engine(c->session, "SELECT json_deserialize_sql(json_serialize_sql($1::VARCHAR))",
			      buf_view(&sql), &printed, &err) ||
		  adopt(c, &err);
	if (ok && !span_starts(buf_view(&printed), SPAN(select)))
		ok = refuse(c, "it cannot be printed");
	if (ok)
		buf_span(ret, span_skip(buf_view(&printed), sizeof(select) - 1));
	buf_done(&sql);
	buf_done(&printed);
	return ok;
}

static bool check_bytes(const struct check *c, struct span text)
{
	if (text.len > LIMIT_EXPRESSION_BYTES)
		return err_set(c->err, c->code, "The expression is longer than %d bytes", LIMIT_EXPRESSION_BYTES);
	if (span_trim(text).len == 0)
		return err_set(c->err, c->code, "The expression is empty");
	if (memchr(text.ptr, '\0', text.len) || !span_is_utf8(text))
		return err_set(c->err, c->code, "The expression is not valid UTF-8 text");
	return true;
}

/* Checked text in, canonical text out: printed from the tree, and itself checked again. */
static bool canonical(const struct check *c, struct span text, struct buf *ret)
{
	return check_bytes(c, text) && check_text(c, text) && print(c, text, ret) && check_text(c, buf_view(ret));
}

/* Words and signs that have no business in a filter, whatever they stand in: clients rely on their refusal. */
static bool check_filter_words(const struct check *c, struct span text)
{
	static const char *const banned[] = {";", "--", "/*", "*/", "drop ", "truncate ", "alter "};
	for (size_t i = 0; i < ARRAY_LEN(banned); i++) {
		const struct span word = span_of(banned[i]);
		for (size_t at = 0; at + word.len <= text.len; at++)
			if (strncasecmp(text.ptr + at, word.ptr, word.len) == 0)
				return err_set(c->err, c->code, "A filter must not contain \"%s\"", banned[i]);
	}
	return true;
}

/* The engine's own opinion: do the names exist, do the types fit? Nothing is executed. */
static bool bind_filter(const struct check *c, const char *expression)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	struct statement *s;
	const char *text;
	struct err err = ERR_INIT;
	sql_printf(&sql, "SELECT %s FROM (SELECT ", expression);
	for (size_t i = 0; i < c->schema->column_count; i++)
		sql_printf(&sql, "%sCAST(NULL AS %s) AS %I", i > 0 ? ", " : "", c->schema->columns[i].type,
			   c->schema->columns[i].name);
	buf_str(&sql, ") AS data");
	bool ok = sql_finish(&sql, &text, &err) && statement_prepare(c->session, text, &s, &err);
	buf_done(&sql);
	if (!ok)
		return adopt(c, &err);
	const struct cursor_column *columns = statement_columns(s);
	const enum type_id id = statement_column_count(s) == 1 ? columns[0].type->id : TYPE_OTHER;
	/* A written number may stand for true or false, a number column not. */
	const bool number = type_is_integer(id) && expression[strspn(expression, "()0123456789")] == '\0';
	if (id != TYPE_BOOLEAN && id != TYPE_NULL && !number)
		ok = refuse(c, "it is not true or false");
	statement_free(s);
	return ok;
}

static bool check_open(struct expr_guard *guard, struct check *c)
{
	if (!session_open(guard->instance, &c->session, c->err))
		return false;
	session_set_timeout(c->session, CHECK_SECONDS_MAX * NS_PER_S);
	return true;
}

bool expr_filter(struct expr_guard *guard, struct span text, const struct table_schema *schema, struct arena *arena,
		 const char **ret_sql, struct err *err)
{
	struct check c = {.schema = schema, .err = err, .code = ERR_INVALID_WHERE_CLAUSE};
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	if (!check_open(guard, &c))
		return false;
	bool ok = check_bytes(&c, text) && check_filter_words(&c, text) && canonical(&c, text, &sql);
	if (ok) {
		*ret_sql = arena_printf(arena, "(%s)", buf_view(&sql).ptr);
		ok = bind_filter(&c, *ret_sql);
	}
	buf_done(&sql);
	session_close(c.session);
	return ok;
}

/* A default is also evaluated once: what can never be computed is better refused now than at every insert. */
static bool try_default(const struct check *c, const char *expression, const char *type)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	const char *text;
	struct err err = ERR_INIT;
	sql_printf(&sql, "SELECT CAST(%s AS %s)", expression, type);
	const bool ok = sql_finish(&sql, &text, &err) && session_run(c->session, text, &err);
	buf_done(&sql);
	return ok || adopt(c, &err);
}

bool expr_default(struct expr_guard *guard, struct span text, const char *type, struct arena *arena,
		  const char **ret_sql, struct err *err)
{
	struct check c = {.err = err, .code = ERR_INVALID_REQUEST};
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	if (!check_open(guard, &c))
		return false;
	bool ok = canonical(&c, text, &sql);
	if (ok) {
		*ret_sql = arena_printf(arena, "(%s)", buf_view(&sql).ptr);
		ok = try_default(&c, *ret_sql, type);
	}
	buf_done(&sql);
	session_close(c.session);
	return ok;
}

/* Both ways to write a cast must give just that: a cast of NULL. */
static bool check_type_text(const struct check *c, struct span text)
{
	static const char *const forms[][2] = {{"SELECT NULL::", ""}, {"SELECT CAST(NULL AS ", ")"}};
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		json_t *root;
		if (!parse(c, forms[i][0], text, forms[i][1], &root))
			return false;
		const json_t *cast = only_expression(root);
		const json_t *child = json_object_get(cast, "child");
		const json_t *type = json_object_get(cast, "cast_type");
		const char *name = member_text(json_object_get(type, "type_info"), "name");
		bool ok = cast && strcmp(member_text(cast, "class"), "CAST") == 0 &&
			  strcmp(member_text(type, "id"), "NULL") != 0 && strcasecmp(name, "NULL") != 0 &&
			  strcmp(member_text(child, "class"), "CONSTANT") == 0 &&
			  json_is_true(json_object_get(json_object_get(child, "value"), "is_null"));
		ok = ok ? check_tree(c, cast, 0) : refuse(c, "it must be one type and nothing else");
		json_decref(root);
		if (!ok)
			return false;
	}
	return true;
}

static bool bind_type(const struct check *c, struct span text, struct arena *arena, const char **ret)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	const char *select, *type = NULL;
	struct err err = ERR_INIT;
	buf_str(&sql, "SELECT typeof(CAST(NULL AS ");
	buf_span(&sql, text);
	buf_str(&sql, "))");
	const bool ok = sql_finish(&sql, &select, &err) && session_text(c->session, select, arena, &type, &err);
	buf_done(&sql);
	if (!ok)
		return adopt(c, &err);
	if (!type || strcmp(type, "\"NULL\"") == 0)
		return err_set(c->err, c->code, "Not a valid type for a column");
	*ret = type;
	return true;
}

bool expr_type(struct expr_guard *guard, struct span text, struct arena *arena, const char **ret_type, struct err *err)
{
	struct check c = {.err = err, .code = ERR_INVALID_REQUEST};
	if (!check_open(guard, &c))
		return false;
	const bool ok = check_bytes(&c, text) && check_type_text(&c, text) && bind_type(&c, text, arena, ret_type);
	session_close(c.session);
	return ok;
}

bool expr_guard_open(struct expr_guard **ret, struct err *err)
{
	struct expr_guard *guard = mem_alloc(sizeof(*guard));
	const struct instance_config config = {.threads = 1, .memory_limit = GUARD_MEMORY, .lockdown_dir = ""};
	if (!instance_open(&config, &guard->instance, err)) {
		free(guard);
		return false;
	}
	*ret = guard;
	return true;
}

void expr_guard_close(struct expr_guard *guard)
{
	if (!guard)
		return;
	instance_close(guard->instance);
	free(guard);
}
