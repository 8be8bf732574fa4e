#include "pgwire/infer.h"

#include "pgwire/lexer.h"
#include "pgwire/types.h"

#include <ctype.h>

static uint32_t type_named(struct span name)
{
	static const struct {
		const char *name;
		uint32_t oid;
	} types[] = {{"INTEGER_LITERAL", OID_INT4},
		     {"BOOLEAN", OID_BOOL},
		     {"TINYINT", OID_INT2},
		     {"SMALLINT", OID_INT2},
		     {"INTEGER", OID_INT4},
		     {"BIGINT", OID_INT8},
		     {"HUGEINT", OID_NUMERIC},
		     {"DECIMAL", OID_NUMERIC},
		     {"FLOAT", OID_FLOAT4},
		     {"DOUBLE", OID_FLOAT8},
		     {"DATE", OID_DATE},
		     {"TIME", OID_TIME},
		     {"TIMESTAMP", OID_TIMESTAMP},
		     {"TIMESTAMP WITH TIME ZONE", OID_TIMESTAMPTZ},
		     {"UUID", OID_UUID}};
	const struct span plain = span_first(name, span_find(name, '('));
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (span_is(plain, types[i].name))
			return types[i].oid;
	return 0;
}

/* The next type of a list, up to the parenthesis that closes it; an empty one at the end. */
static struct span next_type(struct span *list)
{
	size_t n = 0;
	unsigned depth = 0;
	while (list->len && (*list->ptr == ',' || *list->ptr == ' '))
		*list = span_skip(*list, 1);
	for (; n < list->len && (depth || (list->ptr[n] != ',' && list->ptr[n] != ')')); n++) {
		depth += list->ptr[n] == '(';
		depth -= list->ptr[n] == ')';
	}
	const struct span type = span_first(*list, n);
	*list = span_skip(*list, n);
	return type;
}

uint32_t infer_beside(const struct pg_error *e)
{
	static const char mark[] = "argument types '";
	const char *found = strstr(e->message, mark);
	if (!found)
		return 0;
	struct span arguments = span_of(found + sizeof(mark) - 1);
	const struct span name = span_cut(&arguments, '(');
	const bool is_sign = name.len && !isalpha((unsigned char)*name.ptr) && *name.ptr != '_';
	for (struct span type; (type = next_type(&arguments)).len;) {
		/* A number among the arguments of a function tells nothing of the others. */
		const bool tells = is_sign || span_is(name, "mod") || !span_is(type, "INTEGER_LITERAL");
		const uint32_t oid = tells ? type_named(type) : 0;
		if (oid)
			return oid;
	}
	return is_sign ? 0 : span_is(name, "round") ? OID_NUMERIC : OID_FLOAT8;
}

static bool is_comparison(struct token t)
{
	static const char *const operators[] = {"=", "<>", "!=", "<", "<=", ">", ">=", "in"};
	for (size_t i = 0; i < ARRAY_LEN(operators); i++)
		if (span_eq_nocase(t.text, span_of(operators[i])))
			return true;
	return false;
}

bool infer_rows(struct span sql, struct arena *arena, struct span *ret)
{
	struct lexer lx = {sql};
	struct token before[2] = {0};
	char *copy = NULL;
	for (struct token t = lexer_next(&lx); t.kind != TOKEN_END && t.kind != TOKEN_BAD; t = lexer_next(&lx)) {
		const bool opens = token_is_punct(t, '(') || token_is(t, "row");
		if (opens && is_comparison(before[1]) && token_is_punct(before[0], ')')) {
			copy = copy ? copy : arena_copy(arena, sql);
			char *sign = copy + (before[1].text.ptr - sql.ptr);
			memset(sign, ' ', before[1].text.len);
			*sign = '<';
		}
		before[0] = before[1];
		before[1] = t;
	}
	*ret = (struct span){copy, sql.len};
	return copy != NULL;
}

static uint32_t beside_bit(struct span left, struct span right)
{
	for (;;) {
		const struct span a = next_type(&left), b = next_type(&right);
		if (!a.len || !b.len)
			return 0;
		const bool is_right = span_is(b, "BIT");
		if (is_right != span_is(a, "BIT"))
			return type_named(is_right ? a : b);
	}
}

uint32_t infer_in_row(const struct pg_error *e)
{
	const struct span mark = SPAN("STRUCT(");
	const char *first = strstr(e->message, mark.ptr);
	const char *second = first ? strstr(first, " and type STRUCT(") : NULL;
	if (!second)
		return 0;
	const struct span left = span_skip(span_of(first), mark.len);
	struct span right = span_skip(span_of(strstr(second, mark.ptr)), mark.len);
	uint32_t found = span_starts(right, mark) ? 0 : beside_bit(left, right);
	/* A list of rows */
	while (!found && span_starts(right, mark)) {
		found = beside_bit(left, span_skip(next_type(&right), mark.len));
		right = span_skip(right, strspn(right.ptr, ", "));
	}
	return found;
}
