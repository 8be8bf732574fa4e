#include "engine/core.h"

#include "engine/sql.h"

/* By the engine's number; 0 where the header has none. */
static const uint8_t ids[] = {
	[DUCKDB_TYPE_INVALID] = TYPE_NULL,
	[DUCKDB_TYPE_BOOLEAN] = TYPE_BOOLEAN,
	[DUCKDB_TYPE_TINYINT] = TYPE_TINYINT,
	[DUCKDB_TYPE_SMALLINT] = TYPE_SMALLINT,
	[DUCKDB_TYPE_INTEGER] = TYPE_INTEGER,
	[DUCKDB_TYPE_BIGINT] = TYPE_BIGINT,
	[DUCKDB_TYPE_UTINYINT] = TYPE_UTINYINT,
	[DUCKDB_TYPE_USMALLINT] = TYPE_USMALLINT,
	[DUCKDB_TYPE_UINTEGER] = TYPE_UINTEGER,
	[DUCKDB_TYPE_UBIGINT] = TYPE_UBIGINT,
	[DUCKDB_TYPE_FLOAT] = TYPE_FLOAT,
	[DUCKDB_TYPE_DOUBLE] = TYPE_DOUBLE,
	[DUCKDB_TYPE_TIMESTAMP] = TYPE_TIMESTAMP,
	[DUCKDB_TYPE_DATE] = TYPE_DATE,
	[DUCKDB_TYPE_TIME] = TYPE_TIME,
	[DUCKDB_TYPE_INTERVAL] = TYPE_INTERVAL,
	[DUCKDB_TYPE_HUGEINT] = TYPE_HUGEINT,
	[DUCKDB_TYPE_UHUGEINT] = TYPE_UHUGEINT,
	[DUCKDB_TYPE_VARCHAR] = TYPE_VARCHAR,
	[DUCKDB_TYPE_BLOB] = TYPE_BLOB,
	[DUCKDB_TYPE_DECIMAL] = TYPE_DECIMAL,
	[DUCKDB_TYPE_TIMESTAMP_S] = TYPE_TIMESTAMP_S,
	[DUCKDB_TYPE_TIMESTAMP_MS] = TYPE_TIMESTAMP_MS,
	[DUCKDB_TYPE_TIMESTAMP_NS] = TYPE_TIMESTAMP_NS,
	[DUCKDB_TYPE_ENUM] = TYPE_ENUM,
	[DUCKDB_TYPE_LIST] = TYPE_LIST,
	[DUCKDB_TYPE_STRUCT] = TYPE_STRUCT,
	[DUCKDB_TYPE_MAP] = TYPE_MAP,
	[DUCKDB_TYPE_ARRAY] = TYPE_ARRAY,
	[DUCKDB_TYPE_UUID] = TYPE_UUID,
	[DUCKDB_TYPE_UNION] = TYPE_UNION,
	[DUCKDB_TYPE_BIT] = TYPE_BIT,
	[DUCKDB_TYPE_TIME_TZ] = TYPE_TIME_TZ,
	[DUCKDB_TYPE_TIMESTAMP_TZ] = TYPE_TIMESTAMP_TZ,
	[DUCKDB_TYPE_ANY] = TYPE_NULL,
	[DUCKDB_TYPE_BIGNUM] = TYPE_BIGNUM,
	[DUCKDB_TYPE_SQLNULL] = TYPE_NULL,
	[DUCKDB_TYPE_STRING_LITERAL] = TYPE_VARCHAR,
	[DUCKDB_TYPE_INTEGER_LITERAL] = TYPE_INTEGER,
	[DUCKDB_TYPE_TIME_NS] = TYPE_TIME_NS,
	[ENGINE_TYPE_GEOMETRY] = TYPE_GEOMETRY,
	[ENGINE_TYPE_VARIANT] = TYPE_VARIANT,
};

/* Takes the ownership of `child` and of `name`. */
static void add_member(struct arena *arena, struct type *type, size_t i, char *name, duckdb_logical_type child)
{
	struct type_member *members = (struct type_member *)(uintptr_t)type->members;
	members[i] = (struct type_member){name ? arena_strdup(arena, name) : NULL, logical_type(arena, child)};
	duckdb_free(name);
	duckdb_destroy_logical_type(&child);
}

static void read_members(struct arena *arena, duckdb_logical_type logical, struct type *type)
{
	const size_t n = type->id == TYPE_STRUCT  ? duckdb_struct_type_child_count(logical)
			 : type->id == TYPE_UNION ? duckdb_union_type_member_count(logical)
			 : type->id == TYPE_MAP	  ? 2
						  : 1;
	type->member_count = n;
	type->members = arena_array(arena, struct type_member, n);
	switch (type->id) {
	case TYPE_LIST:
		add_member(arena, type, 0, NULL, duckdb_list_type_child_type(logical));
		break;
	case TYPE_ARRAY:
		type->length = duckdb_array_type_array_size(logical);
		add_member(arena, type, 0, NULL, duckdb_array_type_child_type(logical));
		break;
	case TYPE_MAP:
		add_member(arena, type, 0, NULL, duckdb_map_type_key_type(logical));
		add_member(arena, type, 1, NULL, duckdb_map_type_value_type(logical));
		break;
	case TYPE_UNION:
		for (size_t i = 0; i < n; i++)
			add_member(arena, type, i, duckdb_union_type_member_name(logical, i),
				   duckdb_union_type_member_type(logical, i));
		break;
	default:
		for (size_t i = 0; i < n; i++)
			add_member(arena, type, i, duckdb_struct_type_child_name(logical, i),
				   duckdb_struct_type_child_type(logical, i));
	}
}

static void read_labels(struct arena *arena, duckdb_logical_type logical, struct type *type)
{
	type->label_count = duckdb_enum_dictionary_size(logical);
	const char **labels = arena_array(arena, const char *, type->label_count);
	for (size_t i = 0; i < type->label_count; i++) {
		char *label = duckdb_enum_dictionary_value(logical, i);
		labels[i] = arena_strdup(arena, label);
		duckdb_free(label);
	}
	type->labels = labels;
}

const struct type *logical_type(struct arena *arena, duckdb_logical_type logical)
{
	struct type *type = arena_new_of(arena, struct type);
	const size_t number = logical ? (size_t)duckdb_get_type_id(logical) : 0;
	type->id = number < ARRAY_LEN(ids) ? (enum type_id)ids[number] : TYPE_OTHER;
	char *alias = logical ? duckdb_logical_type_get_alias(logical) : NULL;
	if (alias && type->id == TYPE_VARCHAR && strcmp(alias, "JSON") == 0)
		type->id = TYPE_JSON;
	else if (alias)
		type->alias = arena_strdup(arena, alias);
	duckdb_free(alias);
	if (type->id == TYPE_DECIMAL) {
		type->width = duckdb_decimal_width(logical);
		type->scale = duckdb_decimal_scale(logical);
	} else if (type->id == TYPE_ENUM) {
		read_labels(arena, logical, type);
	} else if (type->id == TYPE_LIST || type->id == TYPE_ARRAY || type->id == TYPE_STRUCT || type->id == TYPE_MAP ||
		   type->id == TYPE_UNION) {
		read_members(arena, logical, type);
	}
	type->text = type_text(type, arena);
	return type;
}

static uint8_t stored_bytes(duckdb_type stored)
{
	switch (stored) {
	case DUCKDB_TYPE_UTINYINT:
		return 1;
	case DUCKDB_TYPE_SMALLINT:
	case DUCKDB_TYPE_USMALLINT:
		return 2;
	case DUCKDB_TYPE_INTEGER:
	case DUCKDB_TYPE_UINTEGER:
		return 4;
	case DUCKDB_TYPE_BIGINT:
		return 8;
	default:
		return 16;
	}
}

static duckdb_logical_type member_logical(const struct type *type, duckdb_logical_type logical, size_t i)
{
	switch (type->id) {
	case TYPE_LIST:
		return duckdb_list_type_child_type(logical);
	case TYPE_ARRAY:
		return duckdb_array_type_child_type(logical);
	case TYPE_MAP:
		return i == 0 ? duckdb_map_type_key_type(logical) : duckdb_map_type_value_type(logical);
	case TYPE_UNION:
		return duckdb_union_type_member_type(logical, i);
	default:
		return duckdb_struct_type_child_type(logical, i);
	}
}

void vector_shape(struct arena *arena, const struct type *type, duckdb_logical_type logical, struct vector *ret)
{
	static const struct type tag = {.id = TYPE_UTINYINT, .text = "UTINYINT"};
	*ret = (struct vector){.type = type};
	if (type->id == TYPE_DECIMAL)
		ret->decimal_bytes = stored_bytes(duckdb_decimal_internal_type(logical));
	if (type->id == TYPE_ENUM)
		ret->enum_bytes = stored_bytes(duckdb_enum_internal_type(logical));
	if (type->member_count == 0)
		return;
	const size_t tags = type->id == TYPE_UNION;
	ret->member_count = type->member_count + tags;
	ret->members = arena_array(arena, struct vector, ret->member_count);
	if (tags)
		ret->members[0].type = &tag;
	for (size_t i = 0; i < type->member_count; i++) {
		duckdb_logical_type member = member_logical(type, logical, i);
		vector_shape(arena, type->members[i].type, member, &ret->members[tags + i]);
		duckdb_destroy_logical_type(&member);
	}
}

void vector_load(struct vector *v, duckdb_vector source)
{
	v->data = duckdb_vector_get_data(source);
	v->valid = duckdb_vector_get_validity(source);
	switch (v->type->id) {
	case TYPE_LIST:
		vector_load(&v->members[0], duckdb_list_vector_get_child(source));
		break;
	case TYPE_ARRAY:
		vector_load(&v->members[0], duckdb_array_vector_get_child(source));
		break;
	case TYPE_MAP: {
		duckdb_vector entries = duckdb_list_vector_get_child(source);
		vector_load(&v->members[0], duckdb_struct_vector_get_child(entries, 0));
		vector_load(&v->members[1], duckdb_struct_vector_get_child(entries, 1));
		break;
	}
	case TYPE_STRUCT:
	case TYPE_UNION:
		for (size_t i = 0; i < v->member_count; i++)
			vector_load(&v->members[i], duckdb_struct_vector_get_child(source, i));
		break;
	default:
		break;
	}
}

static_assert(sizeof(struct vector_text) == sizeof(duckdb_string_t), "text layout");
static_assert(sizeof(struct vector_list) == sizeof(duckdb_list_entry), "list layout");
static_assert(sizeof(struct vector_huge) == sizeof(duckdb_hugeint), "hugeint layout");
static_assert(sizeof(struct vector_interval) == sizeof(duckdb_interval), "interval layout");
