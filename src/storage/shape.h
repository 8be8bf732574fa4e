/*
 * A table's schema as JSON text, the form in which the catalog remembers it:
 * {"columns":[{"name","type","nullable","default"}],"primary_key":[...]}.
 */
#ifndef STORAGE_SHAPE_H
#define STORAGE_SHAPE_H

#include "engine/table.h"

char *shape_encode(const struct table_schema *schema, struct arena *arena);
/* ERR_METADATA when the text is not of that form. */
MUST_CHECK bool shape_decode(const char *json, struct arena *arena, struct table_schema *ret, struct err *err);

#endif
