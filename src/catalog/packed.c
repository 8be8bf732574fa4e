#include "catalog/packed.h"

#include "base/limits.h"

#include <assert.h>
#include <stdlib.h>

enum { NUMBER_BYTES = 8 };

static size_t length_size(uint64_t value)
{
	size_t n = 1;
	while (value >>= 7)
		n++;
	return n;
}

static unsigned char *length_put(unsigned char *at, uint64_t value)
{
	for (; value > 0x7f; value >>= 7)
		*at++ = (unsigned char)(value | 0x80);
	*at++ = (unsigned char)value;
	return at;
}

static inline const unsigned char *length_get(const unsigned char *at, uint64_t *ret)
{
	if (*at < 0x80) {
		*ret = *at;
		return at + 1;
	}
	uint64_t value = 0;
	for (unsigned shift = 0;; shift += 7) {
		value |= (uint64_t)(*at & 0x7f) << shift;
		if (!(*at++ & 0x80))
			break;
	}
	*ret = value;
	return at;
}

static bool row_check(const struct entity_def *e, const void *row, size_t *ret_size, struct err *err)
{
	size_t size = e->number_count * (size_t)NUMBER_BYTES;
	for (unsigned i = 0; i < e->column_count; i++) {
		const struct column_def *c = &e->columns[i];
		if (!column_is_text(c->kind))
			continue;
		struct span text = column_text(c, row);
		if (c->kind == COLUMN_TEXT && !span_is_utf8(text))
			return err_set(err, ERR_INVALID_REQUEST, "The text of %s is not valid UTF-8", c->name);
		size += text.ptr ? length_size(text.len + 1) + text.len + 1 : 1;
	}
	if (size > LIMIT_CATALOG_ROW_BYTES)
		return err_set(err, ERR_PAYLOAD_TOO_LARGE, "A record of %s would have %zu bytes, more than %d",
			       e->table, size, LIMIT_CATALOG_ROW_BYTES);
	const struct index_def *key = schema_index(e->indexes[0]);
	for (unsigned i = 0; i < key->count; i++) {
		const struct column_def *c = &e->columns[key->columns[i]];
		if (column_is_text(c->kind) && !column_text(c, row).ptr)
			return err_set(err, ERR_INTERNAL, "A record of %s has no %s", e->table, c->name);
	}
	*ret_size = size;
	return true;
}

bool packed_new(const struct entity_def *e, const void *row, struct packed **ret, struct err *err)
{
	size_t size = 0;
	if (!row_check(e, row, &size, err))
		return false;
	struct packed *p = mem_alloc(sizeof(*p) + size);
	p->size = (uint32_t)size;
	unsigned char *number = p->bytes;
	unsigned char *text = p->bytes + e->number_count * (size_t)NUMBER_BYTES;
	for (unsigned i = 0; i < e->column_count; i++) {
		const struct column_def *c = &e->columns[i];
		if (column_is_text(c->kind)) {
			struct span s = column_text(c, row);
			text = length_put(text, s.ptr ? s.len + 1 : 0);
			if (!s.ptr)
				continue;
			memcpy(text, s.ptr, s.len);
			text[s.len] = '\0';
			text += s.len + 1;
		} else {
			int64_t n = column_number(c, row);
			memcpy(number, &n, NUMBER_BYTES);
			number += NUMBER_BYTES;
		}
	}
	*ret = p;
	return true;
}

/* The next text at *at; *at moves behind it. */
static inline struct span text_next(const unsigned char **at)
{
	uint64_t length;
	*at = length_get(*at, &length);
	if (length == 0)
		return SPAN_NONE;
	struct span s = {(const char *)*at, (size_t)length - 1};
	*at += length;
	return s;
}

static void bytes_read(const struct entity_def *e, const unsigned char *bytes, void *ret_row)
{
	const unsigned char *number = bytes;
	const unsigned char *text = bytes + e->number_count * (size_t)NUMBER_BYTES;
	for (unsigned i = 0; i < e->column_count; i++) {
		void *at = (char *)ret_row + e->columns[i].offset;
		if (e->columns[i].kind == COLUMN_TEXT) {
			*(const char **)at = text_next(&text).ptr;
		} else if (e->columns[i].kind == COLUMN_BLOB) {
			*(struct span *)at = text_next(&text);
		} else {
			int64_t n;
			memcpy(&n, number, NUMBER_BYTES);
			number += NUMBER_BYTES;
			if (e->columns[i].kind == COLUMN_BOOL)
				*(bool *)at = n != 0;
			else
				*(int64_t *)at = n;
		}
	}
}

void packed_read(const struct entity_def *e, const struct packed *packed, void *ret_row)
{
	bytes_read(e, packed->bytes, ret_row);
}

void packed_copy(const struct entity_def *e, const struct packed *packed, struct arena *arena, void *ret_row)
{
	unsigned char *bytes = arena_alloc(arena, packed->size);
	memcpy(bytes, packed->bytes, packed->size);
	bytes_read(e, bytes, ret_row);
}

/* ---- Columns of an index, left to right ---- */

/* Texts are found by walking over those before them; an index mostly asks for them in their order. */
struct walk {
	const struct packed *row;
	const unsigned char *texts;
	const unsigned char *at;
	unsigned slot;
};

static inline struct walk walk_begin(const struct entity_def *e, const struct packed *row)
{
	const unsigned char *texts = row->bytes + e->number_count * (size_t)NUMBER_BYTES;
	return (struct walk){row, texts, texts, 0};
}

static inline struct span walk_text(struct walk *w, unsigned slot)
{
	if (slot < w->slot) {
		w->at = w->texts;
		w->slot = 0;
	}
	for (; w->slot < slot; w->slot++) {
		uint64_t length;
		w->at = length_get(w->at, &length);
		w->at += length;
	}
	w->slot++;
	return text_next(&w->at);
}

static inline int64_t walk_number(const struct walk *w, unsigned slot)
{
	int64_t n;
	memcpy(&n, w->row->bytes + slot * (size_t)NUMBER_BYTES, NUMBER_BYTES);
	return n;
}

void packed_key_check(const struct index_def *x, const struct catalog_key *key, bool whole)
{
	assert(key->count <= x->count && (!whole || key->count == x->count));
	for (unsigned i = 0; i < key->count; i++)
		assert(key->values[i].is_text == x->text[i]);
}

/* NULL comes first. */
static inline int text_compare(struct span a, struct span b)
{
	if (!a.ptr || !b.ptr)
		return (a.ptr != NULL) - (b.ptr != NULL);
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.ptr, b.ptr, n) : 0;
	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int number_compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

int packed_compare(const struct index_def *x, const struct packed *a, const struct packed *b)
{
	struct walk v = walk_begin(x->of, a);
	struct walk w = walk_begin(x->of, b);
	for (unsigned i = 0; i < x->count; i++) {
		unsigned slot = x->slots[i];
		int order = x->text[i] ? text_compare(walk_text(&v, slot), walk_text(&w, slot))
				       : number_compare(walk_number(&v, slot), walk_number(&w, slot));
		if (order)
			return x->desc[i] ? -order : order;
	}
	return number_compare(a->seq, b->seq);
}

void packed_probe(const struct index_def *x, const struct catalog_key *key, struct packed_probe *ret)
{
	ret->index = x;
	ret->count = key->count;
	for (unsigned i = 0; i < key->count; i++) {
		ret->texts[i] = span_of(key->values[i].text);
		ret->numbers[i] = key->values[i].number;
	}
}

int packed_compare_probe(const struct packed_probe *probe, const struct packed *p)
{
	const struct index_def *x = probe->index;
	struct walk w = walk_begin(x->of, p);
	for (unsigned i = 0; i < probe->count; i++) {
		unsigned slot = x->slots[i];
		int order = x->text[i] ? text_compare(walk_text(&w, slot), probe->texts[i])
				       : number_compare(walk_number(&w, slot), probe->numbers[i]);
		if (order)
			return x->desc[i] ? -order : order;
	}
	return 0;
}

bool packed_key(const struct index_def *x, const struct packed *p, struct catalog_key *ret)
{
	struct walk w = walk_begin(x->of, p);
	bool whole = true;
	ret->count = x->count;
	for (unsigned i = 0; i < x->count; i++) {
		if (x->text[i]) {
			ret->values[i] = catalog_text(walk_text(&w, x->slots[i]).ptr);
			whole = whole && ret->values[i].text;
		} else {
			ret->values[i] = catalog_number(walk_number(&w, x->slots[i]));
		}
	}
	return whole;
}
