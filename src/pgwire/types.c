#include "pgwire/types.h"

static const struct pg_type TYPES[] = {
#define TYPE(oid_, name_, sql_, len_, byval_, type_, category_, preferred_, elem_, array_, storage_, align_, \
	     collation_, in_, out_, recv_, send_, kind_, engine_)                                            \
	{.oid = (oid_),                                                                                      \
	 .name = (name_),                                                                                    \
	 .sql_name = (sql_),                                                                                 \
	 .len = (len_),                                                                                      \
	 .by_value = (byval_),                                                                               \
	 .type = (type_),                                                                                    \
	 .category = (category_),                                                                            \
	 .preferred = (preferred_),                                                                          \
	 .element = (elem_),                                                                                 \
	 .array = (array_),                                                                                  \
	 .storage = (storage_),                                                                              \
	 .align = (align_),                                                                                  \
	 .collation = (collation_),                                                                          \
	 .io_oids = {(in_), (out_), (recv_), (send_)},                                                       \
	 .kind = PG_KIND_##kind_,                                                                            \
	 .engine = (engine_)},
#include "pgwire/types.def"
#undef TYPE
};

/* Spellings that are neither typname nor SQL name. */
static const struct {
	const char *name;
	uint32_t oid;
} SPELLINGS[] = {
	{"int", OID_INT4},
	{"integer", OID_INT4},
	{"float", OID_FLOAT8},
	{"double", OID_FLOAT8},
	{"decimal", OID_NUMERIC},
	{"dec", OID_NUMERIC},
	{"string", OID_TEXT},
	{"blob", OID_BYTEA},
	{"timestamp with time zone", OID_TIMESTAMPTZ},
	{"time with time zone", OID_TIMETZ},
	{"hugeint", OID_NUMERIC},
	{"ubigint", OID_NUMERIC},
	{"uinteger", OID_INT8},
	{"usmallint", OID_INT4},
	{"utinyint", OID_INT2},
	{"tinyint", OID_INT2},
	{"bpchar", 1042},
	{"character", 1042},
	{"serial", OID_INT4},
	{"bigserial", OID_INT8},
};

const struct pg_type *pg_types(size_t *ret_count)
{
	*ret_count = ARRAY_LEN(TYPES);
	return TYPES;
}

const struct pg_type *pg_type_find(uint32_t oid)
{
	size_t low = 0, high = ARRAY_LEN(TYPES);
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (TYPES[middle].oid < oid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ARRAY_LEN(TYPES) && TYPES[low].oid == oid ? &TYPES[low] : NULL;
}

const struct pg_type *pg_type_element(uint32_t oid)
{
	const struct pg_type *vector = pg_type_find(oid);
	if (vector)
		return vector->kind == PG_KIND_VECTOR ? pg_type_find(vector->element) : NULL;
	for (size_t i = 0; oid && i < ARRAY_LEN(TYPES); i++)
		if (TYPES[i].array == oid)
			return &TYPES[i];
	return NULL;
}

static const struct pg_type *by_name(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(SPELLINGS); i++)
		if (span_eq_nocase(name, span_of(SPELLINGS[i].name)))
			return pg_type_find(SPELLINGS[i].oid);
	for (size_t i = 0; i < ARRAY_LEN(TYPES); i++)
		if (span_eq_nocase(name, span_of(TYPES[i].name)) || span_eq_nocase(name, span_of(TYPES[i].sql_name)))
			return &TYPES[i];
	return NULL;
}

uint32_t pg_type_oid(struct span name)
{
	bool is_array = false;
	char plain[64];
	size_t len = 0;
	name = span_trim(name);
	while (span_ends(name, SPAN("]"))) {
		const size_t bracket = span_find(name, '[');
		if (bracket == name.len)
			return 0;
		is_array = true;
		name = span_trim(span_first(name, bracket));
	}
	/* "timestamp(3) with time zone" -> "timestamp with time zone" */
	for (size_t i = 0; i < name.len && len < sizeof(plain); i++) {
		if (name.ptr[i] == '(') {
			while (i < name.len && name.ptr[i] != ')')
				i++;
			continue;
		}
		plain[len++] = name.ptr[i];
	}
	struct span text = span_trim((struct span){plain, len});
	if (span_starts(text, SPAN("pg_catalog.")))
		text = span_skip(text, strlen("pg_catalog."));
	const struct pg_type *type = by_name(text);
	if (!type && span_starts(text, SPAN("_"))) {
		is_array = true;
		type = by_name(span_skip(text, 1));
	}
	if (!type)
		return 0;
	return is_array ? type->array : type->oid;
}

int16_t pg_type_len(uint32_t oid)
{
	const struct pg_type *type = pg_type_find(oid);
	return type ? type->len : -1;
}
