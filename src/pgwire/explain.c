#include "pgwire/explain.h"

#include "base/json.h"
#include "base/limits.h"

#include <ctype.h>
#include <stdlib.h>

/* Deeper plans are cut: no client draws them. */
enum { PLAN_DEPTH_MAX = 200, INDENT = 2 };

static const struct {
	const char *name;
	enum explain_format format;
	const char *plan, *analyzed;
} FORMATS[] = {
	{"text", EXPLAIN_TEXT, "EXPLAIN (FORMAT TEXT) ", "EXPLAIN (ANALYZE, FORMAT TEXT) "},
	{"json", EXPLAIN_JSON, "EXPLAIN (FORMAT JSON) ", "EXPLAIN (ANALYZE, FORMAT JSON) "},
	{"yaml", EXPLAIN_YAML, "EXPLAIN (FORMAT YAML) ", "EXPLAIN (ANALYZE, FORMAT YAML) "},
	{"html", EXPLAIN_HTML, "EXPLAIN (FORMAT HTML) ", "EXPLAIN (ANALYZE, FORMAT HTML) "},
	{"graphviz", EXPLAIN_GRAPHVIZ, "EXPLAIN (FORMAT GRAPHVIZ) ", "EXPLAIN (ANALYZE, FORMAT GRAPHVIZ) "},
	{"mermaid", EXPLAIN_MERMAID, "EXPLAIN (FORMAT MERMAID) ", "EXPLAIN (ANALYZE, FORMAT MERMAID) "},
};

enum option { OPTION_ANALYZE, OPTION_FORMAT, OPTION_PLAIN, OPTION_TIMING, OPTION_WAL };

static const struct {
	const char *name;
	enum option option;
} OPTIONS[] = {{"analyze", OPTION_ANALYZE}, {"analyse", OPTION_ANALYZE}, {"format", OPTION_FORMAT},
	       {"verbose", OPTION_PLAIN},   {"costs", OPTION_PLAIN},	 {"settings", OPTION_PLAIN},
	       {"buffers", OPTION_PLAIN},   {"summary", OPTION_PLAIN},	 {"timing", OPTION_TIMING},
	       {"wal", OPTION_WAL}};

/* Where the options stand, and what was read of them. */
struct reader {
	struct lexer lx;
	const struct stmt *s;
	struct explain *x;
	bool measured; /* an option that asks for ANALYZE */
	bool wal;
};

static bool fail_at(const struct reader *r, struct token t, struct pg_error *e)
{
	e->position = sqlstate_position(r->s->text, (size_t)(t.text.ptr - r->s->text.ptr));
	return false;
}

static struct span word_of(struct token t)
{
	const bool quoted = t.kind == TOKEN_STRING || t.kind == TOKEN_QUOTED;
	return quoted && t.text.len >= 2 ? (struct span){t.text.ptr + 1, t.text.len - 2} : t.text;
}

static bool read_format(struct token t, struct explain *x, struct pg_error *e)
{
	for (size_t i = 0; i < ARRAY_LEN(FORMATS); i++)
		if (span_eq_nocase(word_of(t), span_of(FORMATS[i].name))) {
			x->format = FORMATS[i].format;
			return true;
		}
	if (span_eq_nocase(word_of(t), SPAN("xml")))
		return pg_error_set(e, "0A000", "EXPLAIN (FORMAT XML) is not supported: take TEXT, JSON or YAML");
	return pg_error_set(e, "22023", "unrecognized value for EXPLAIN option \"format\": \"%.*s\"",
			    SPAN_ARG(word_of(t)));
}

static bool read_boolean(struct token t, const char *option, bool *ret, struct pg_error *e)
{
	static const char *const words[] = {"true", "on", "1", "false", "off", "0"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (span_eq_nocase(word_of(t), span_of(words[i]))) {
			*ret = i < ARRAY_LEN(words) / 2;
			return true;
		}
	return pg_error_set(e, "42601", "%s requires a Boolean value", option);
}

static void lower_case(struct span word, char *ret, size_t size)
{
	size_t n = 0;
	for (; n < word.len && n < size - 1; n++)
		ret[n] = (char)tolower((unsigned char)word.ptr[n]);
	ret[n] = '\0';
}

static bool read_option(struct reader *r, struct token name, struct pg_error *e)
{
	char lower[64];
	size_t i = 0;
	bool on = true;
	lower_case(word_of(name), lower, sizeof(lower));
	while (i < ARRAY_LEN(OPTIONS) && strcmp(lower, OPTIONS[i].name) != 0)
		i++;
	if (i == ARRAY_LEN(OPTIONS)) {
		(void)pg_error_set(e, "42601", "unrecognized EXPLAIN option \"%s\"", lower);
		return fail_at(r, name, e);
	}
	const struct token next = lexer_peek(&r->lx);
	const bool has_value = !token_is_punct(next, ',') && !token_is_punct(next, ')');
	if (OPTIONS[i].option == OPTION_FORMAT)
		return read_format(lexer_next(&r->lx), r->x, e) || fail_at(r, name, e);
	if (has_value && !read_boolean(lexer_next(&r->lx), lower, &on, e))
		return false;
	if (OPTIONS[i].option == OPTION_ANALYZE)
		r->x->analyze = on;
	r->measured = r->measured || (OPTIONS[i].option >= OPTION_TIMING && on);
	r->wal = r->wal || (OPTIONS[i].option == OPTION_WAL && on);
	return true;
}

static bool bad_syntax(const struct reader *r, struct token t, struct pg_error *e)
{
	if (t.kind == TOKEN_END)
		return pg_error_set(e, "42601", "syntax error at end of input");
	(void)pg_error_set(e, "42601", "syntax error at or near \"%.*s\"", SPAN_ARG(t.text));
	return fail_at(r, t, e);
}

static bool read_options(struct reader *r, struct pg_error *e)
{
	struct token t;
	do {
		t = lexer_next(&r->lx);
		if (!token_is_name(t))
			return bad_syntax(r, t, e);
		if (!read_option(r, t, e))
			return false;
		t = lexer_next(&r->lx);
	} while (token_is_punct(t, ','));
	if (!token_is_punct(t, ')'))
		return bad_syntax(r, t, e);
	return !r->measured || r->x->analyze ||
	       pg_error_set(e, "22023", "EXPLAIN option %s requires ANALYZE", r->wal ? "WAL" : "TIMING");
}

bool explain_parse(const struct stmt *s, struct explain *ret, struct pg_error *e)
{
	struct reader r = {.lx = {s->text}, .s = s, .x = ret};
	*ret = (struct explain){0};
	if (!stmt_explained(s, &ret->inner, e))
		return false;
	(void)lexer_next(&r.lx);
	const char *end = ret->inner.text.ptr ? ret->inner.text.ptr : s->text.ptr + s->text.len;
	if (token_is_punct(lexer_peek(&r.lx), '(') && lexer_peek(&r.lx).text.ptr < end) {
		(void)lexer_next(&r.lx);
		return read_options(&r, e);
	}
	while (lexer_peek(&r.lx).kind == TOKEN_WORD && lexer_peek(&r.lx).text.ptr < end)
		if (!token_is(lexer_next(&r.lx), "verbose"))
			ret->analyze = true;
	return true;
}

const char *explain_prefix(const struct explain *x)
{
	return x->analyze ? FORMATS[x->format].analyzed : FORMATS[x->format].plan;
}

/* --- the plan as JSON --- */

static void new_line(struct buf *out, unsigned depth)
{
	buf_byte(out, '\n');
	for (unsigned i = 0; i < depth * INDENT; i++)
		buf_byte(out, ' ');
}

static void put_key(struct buf *out, unsigned depth, const char *key)
{
	if (out->len && out->ptr[out->len - 1] != '{')
		buf_byte(out, ',');
	new_line(out, depth);
	json_quote(out, span_of(key));
	buf_str(out, ": ");
}

static void put_value(struct buf *out, unsigned depth, const char *key, const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	if (!text)
		return;
	put_key(out, depth, key);
	buf_str(out, text);
	free(text);
}

/* What the engine tells of a node, and what of it PostgreSQL has a name for. */
static void put_details(struct buf *out, unsigned depth, json_t *details)
{
	const char *key;
	json_t *value;
	json_object_foreach(details, key, value)
	{
		if (strcmp(key, "Estimated Cardinality") == 0 && json_is_string(value)) {
			put_key(out, depth, "Plan Rows");
			buf_i64(out, strtoll(json_string_value(value), NULL, 10));
			continue;
		}
		if (strcmp(key, "Table") == 0 && json_is_string(value)) {
			const char *name = json_string_value(value), *dot = strrchr(name, '.');
			put_key(out, depth, "Relation Name");
			json_quote(out, span_of(dot ? dot + 1 : name));
		}
		put_value(out, depth, key, value);
	}
}

static void put_measured(struct buf *out, unsigned depth, const json_t *node)
{
	const json_t *rows = json_object_get(node, "operator_cardinality");
	if (!json_is_number(rows))
		return;
	put_key(out, depth, "Actual Rows");
	buf_i64(out, (int64_t)json_number_value(rows));
	put_key(out, depth, "Actual Total Time");
	buf_printf(out, "%.3f", json_number_value(json_object_get(node, "operator_timing")) * 1e3);
	put_key(out, depth, "Actual Loops");
	buf_str(out, "1");
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by PLAN_DEPTH_MAX. */
static void put_node(struct buf *out, unsigned depth, const json_t *node)
{
	const json_t *name = json_object_get(node, "name"), *children = json_object_get(node, "children");
	json_t *child;
	size_t i;
	if (!name)
		name = json_object_get(node, "operator_name");
	buf_byte(out, '{');
	put_key(out, depth + 1, "Node Type");
	json_quote(out, span_of(json_is_string(name) ? json_string_value(name) : "Unknown"));
	put_details(out, depth + 1, json_object_get(node, "extra_info"));
	put_measured(out, depth + 1, node);
	if (json_array_size(children) && depth < PLAN_DEPTH_MAX) {
		put_key(out, depth + 1, "Plans");
		buf_byte(out, '[');
		json_array_foreach(children, i, child)
		{
			buf_str(out, i ? "," : "");
			new_line(out, depth + 2);
			put_node(out, depth + 2, child);
		}
		new_line(out, depth + 1);
		buf_byte(out, ']');
	}
	new_line(out, depth);
	buf_byte(out, '}');
}

/* With ANALYZE the plan stands below two nodes that are about the run as a whole. */
static const json_t *top_node(const json_t *root)
{
	const json_t *node = json_array_get(json_is_array(root) ? root : json_object_get(root, "children"), 0);
	const json_t *type = json_object_get(node, "operator_type");
	const json_t *below = json_array_get(json_object_get(node, "children"), 0);
	return json_is_string(type) && strcmp(json_string_value(type), "EXPLAIN_ANALYZE") == 0 && below ? below : node;
}

bool explain_nodes(struct span plan, struct buf *out)
{
	json_t *root = json_loadb(plan.ptr, plan.len, 0, NULL);
	const json_t *node = top_node(root), *latency = json_object_get(root, "latency");
	if (json_is_object(node)) {
		buf_str(out, "[\n  {\n    \"Plan\": ");
		put_node(out, 2, node);
		if (json_is_number(latency))
			buf_printf(out, ",\n    \"Execution Time\": %.3f", json_number_value(latency) * 1e3);
		buf_str(out, "\n  }\n]");
	}
	const bool fine = json_is_object(node) && !out->failed;
	json_decref(root);
	return fine;
}
