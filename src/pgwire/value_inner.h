/* Shared by the files of value.h; nobody else includes it. */
#ifndef PGWIRE_VALUE_INNER_H
#define PGWIRE_VALUE_INNER_H

#include "pgwire/value.h"

static inline struct span value_trim(struct span s)
{
	while (s.len && strchr(" \t\n\r\f\v", *s.ptr))
		s = span_skip(s, 1);
	while (s.len && strchr(" \t\n\r\f\v", s.ptr[s.len - 1]))
		s.len--;
	return s;
}

/* Big-endian, at most 8 bytes. */
static inline uint64_t value_load(struct span bytes)
{
	uint64_t value = 0;
	for (size_t i = 0; i < bytes.len; i++)
		value = value << 8 | (unsigned char)bytes.ptr[i];
	return value;
}

static inline const char *value_type_name(uint32_t oid)
{
	const struct pg_type *type = pg_type_find(oid);
	return type ? type->sql_name : "text";
}

static inline bool value_bad_binary(struct pg_error *e, uint32_t oid)
{
	return pg_error_set(e, "22P03", "incorrect binary data format for type %s", value_type_name(oid));
}

bool value_scalar_text(uint32_t oid, enum pg_kind kind, struct span bytes, struct arena *arena, struct pg_value *ret,
		       struct pg_error *e);
bool value_scalar_binary(uint32_t oid, enum pg_kind kind, struct span bytes, struct arena *arena, struct pg_value *ret,
			 struct pg_error *e);
bool value_array_text(const struct pg_type *element, bool is_vector, struct span bytes, struct arena *arena,
		      struct pg_value *ret, struct pg_error *e);
bool value_array_binary(const struct pg_type *element, struct span bytes, struct arena *arena, struct pg_value *ret,
			struct pg_error *e);

/* Days since 1970-01-01 of a day that exists; the year is astronomical. */
bool value_civil(int64_t year, int64_t month, int64_t day, int64_t *ret_days);
bool value_date_text(struct span text, struct pg_value *ret);
bool value_time_text(struct span text, bool with_zone, struct pg_value *ret);
bool value_timestamp_text(struct span text, bool with_zone, struct pg_value *ret);
bool value_interval_text(struct span text, struct pg_value *ret);

#endif
