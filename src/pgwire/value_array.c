/* Arrays, in text and binary form. */
#include "pgwire/value_inner.h"

/* Reads the lengths of the dimensions; false when the items behind them cannot be that many. */
static bool binary_shape(struct span *bytes, uint64_t dimensions, struct pg_value *ret)
{
	uint64_t count = dimensions ? 1 : 0;
	if (dimensions > VALUE_ARRAY_DIMENSIONS_MAX || bytes->len < dimensions * 8)
		return false;
	ret->array.dimensions = (uint32_t)dimensions;
	for (size_t i = 0; i < dimensions; i++, *bytes = span_skip(*bytes, 8)) {
		uint64_t length = value_load(span_first(*bytes, 4));
		if (length > VALUE_ARRAY_ITEMS_MAX)
			return false;
		ret->array.lengths[i] = (uint32_t)length;
		count *= length;
		if (count > VALUE_ARRAY_ITEMS_MAX)
			return false;
	}
	ret->array.count = (uint32_t)count;
	/* Each item has at least its length: checked before memory is taken for a count that was only claimed. */
	return count * 4 <= bytes->len;
}

bool value_array_binary(const struct pg_type *element, struct span bytes, struct arena *arena, struct pg_value *ret,
			struct pg_error *e)
{
	if (bytes.len < 12)
		return value_bad_binary(e, element->oid);
	uint64_t dimensions = value_load(span_first(bytes, 4));
	const struct pg_type *sent = pg_type_find((uint32_t)value_load(span_first(span_skip(bytes, 8), 4)));
	bytes = span_skip(bytes, 12);
	if (sent && sent->kind != element->kind)
		return pg_error_set(e, "42804", "binary data has array element type %s instead of expected %s",
				    sent->sql_name, element->sql_name);
	if (!binary_shape(&bytes, dimensions, ret))
		return value_bad_binary(e, element->oid);
	ret->array.items = arena_array(arena, struct pg_value, ret->array.count + 1U);
	for (size_t i = 0; i < ret->array.count; i++) {
		struct pg_value *item = &ret->array.items[i];
		if (bytes.len < 4)
			return value_bad_binary(e, element->oid);
		uint64_t length = value_load(span_first(bytes, 4));
		bytes = span_skip(bytes, 4);
		item->is_null = length == UINT32_MAX;
		if (item->is_null)
			continue;
		if (length > bytes.len)
			return value_bad_binary(e, element->oid);
		if (!value_scalar_binary(element->oid, element->kind, span_first(bytes, length), arena, item, e))
			return false;
		bytes = span_skip(bytes, length);
	}
	return bytes.len == 0 || value_bad_binary(e, element->oid);
}

struct array_text {
	const struct pg_type *element;
	struct span rest, all;
	struct arena *arena;
	struct pg_value *ret;
	size_t cap;
	char *words;	     /* where the next one is written; all of them together are no longer than the text */
	uint32_t leaf_depth; /* of the first item; all stand equally deep */
	struct pg_error *e;
};

static bool bad_array(struct array_text *a)
{
	return pg_error_set(a->e, "22P02", "malformed array literal: \"%.*s\"", SPAN_ARG(span_first(a->all, 200)));
}

static void skip_blanks(struct array_text *a)
{
	while (a->rest.len && strchr(" \t\n\r\f\v", *a->rest.ptr))
		a->rest = span_skip(a->rest, 1);
}

static struct pg_value *add_item(struct array_text *a)
{
	if (a->ret->array.count == a->cap) {
		size_t cap = a->cap ? a->cap * 2 : 8;
		struct pg_value *items = arena_array(a->arena, struct pg_value, cap);
		if (a->cap)
			memcpy(items, a->ret->array.items, a->cap * sizeof(*items));
		a->ret->array.items = items;
		a->cap = cap;
	}
	return &a->ret->array.items[a->ret->array.count++];
}

struct array_word {
	struct span text;
	bool quoted, unclosed;
};

static bool is_blank(char c)
{
	return strchr(" \t\n\r\f\v", c) != NULL && c != '\0';
}

/* One element, quoted or bare, up to the next ',', '{' or '}', without its escapes and outer blanks. */
static struct array_word take_word(struct array_text *a)
{
	struct array_word word = {0};
	char *text = a->words;
	size_t len = 0, keep = 0;
	for (; a->rest.len; a->rest = span_skip(a->rest, 1)) {
		char c = *a->rest.ptr;
		if (c == '"') {
			word.unclosed = !word.unclosed;
			word.quoted = true;
			keep = len;
			continue;
		}
		if (!word.unclosed && strchr(",{}", c))
			break;
		bool escaped = c == '\\' && a->rest.len > 1;
		if (escaped)
			a->rest = span_skip(a->rest, 1);
		text[len++] = *a->rest.ptr;
		if (escaped || word.unclosed || !is_blank(c))
			keep = len;
	}
	word.text = (struct span){text, keep};
	a->words += keep;
	return word;
}

static bool array_item(struct array_text *a, uint32_t depth)
{
	struct array_word word = take_word(a);
	if (a->ret->array.count == 0)
		a->leaf_depth = depth;
	if (word.unclosed || (!word.quoted && word.text.len == 0) || a->leaf_depth != depth ||
	    a->ret->array.count >= VALUE_ARRAY_ITEMS_MAX)
		return bad_array(a);
	struct pg_value *item = add_item(a);
	item->is_null = !word.quoted && span_eq_nocase(word.text, SPAN("null"));
	return item->is_null || value_scalar_text(a->element->oid, a->element->kind, word.text, a->arena, item, a->e);
}

static bool array_level(struct array_text *a, uint32_t depth);

/* The elements of one level up to its '}', counted. */
static bool array_items(struct array_text *a, uint32_t depth, uint32_t *ret_count)
{
	for (*ret_count = 0;; a->rest = span_skip(a->rest, 1)) {
		skip_blanks(a);
		if (a->rest.len == 0)
			return bad_array(a);
		if (!(*a->rest.ptr == '{' ? array_level(a, depth + 1) : array_item(a, depth)))
			return false;
		++*ret_count;
		skip_blanks(a);
		if (a->rest.len && *a->rest.ptr == '}')
			return true;
		if (a->rest.len == 0 || *a->rest.ptr != ',')
			return bad_array(a);
	}
}

static bool array_level(struct array_text *a, uint32_t depth)
{
	uint32_t count = 0;
	if (depth == VALUE_ARRAY_DIMENSIONS_MAX)
		return pg_error_set(a->e, "54000", "number of array dimensions exceeds the maximum allowed (%d)",
				    VALUE_ARRAY_DIMENSIONS_MAX);
	a->rest = span_skip(a->rest, 1);
	skip_blanks(a);
	bool is_empty = a->rest.len && *a->rest.ptr == '}';
	if (!is_empty && !array_items(a, depth, &count))
		return false;
	a->rest = span_skip(a->rest, 1);
	uint32_t *length = &a->ret->array.lengths[depth];
	if (depth >= a->ret->array.dimensions && count)
		a->ret->array.dimensions = depth + 1;
	if (*length && *length != count)
		return bad_array(a);
	*length = count;
	return true;
}

/* int2vector and oidvector: numbers with blanks between them, no braces. */
static bool vector_text(struct array_text *a)
{
	while (a->rest.len) {
		size_t n = 0;
		while (n < a->rest.len && a->rest.ptr[n] != ' ')
			n++;
		struct span word = span_first(a->rest, n);
		a->rest = value_trim(span_skip(a->rest, n));
		if (!value_scalar_text(a->element->oid, a->element->kind, word, a->arena, add_item(a), a->e))
			return false;
	}
	a->ret->array.dimensions = a->ret->array.count > 0;
	a->ret->array.lengths[0] = a->ret->array.count;
	return true;
}

bool value_array_text(const struct pg_type *element, bool is_vector, struct span bytes, struct arena *arena,
		      struct pg_value *ret, struct pg_error *e)
{
	struct array_text a = {.element = element,
			       .rest = value_trim(bytes),
			       .all = bytes,
			       .arena = arena,
			       .ret = ret,
			       .words = arena_alloc(arena, bytes.len + 1),
			       .e = e};
	/* Lower bounds ("[2:3]={..}") are accepted and forgotten: lists start at 1 here. */
	if (a.rest.len && *a.rest.ptr == '[')
		a.rest = span_skip(a.rest, span_find(a.rest, '=') + 1);
	if (a.rest.len == 0 || *a.rest.ptr != '{')
		return is_vector ? vector_text(&a) : bad_array(&a);
	if (!array_level(&a, 0))
		return false;
	if (a.rest.len)
		return bad_array(&a);
	uint64_t cells = ret->array.dimensions ? 1 : 0;
	for (uint32_t i = 0; i < ret->array.dimensions && cells <= ret->array.count; i++)
		cells *= ret->array.lengths[i];
	return cells == ret->array.count || bad_array(&a);
}
