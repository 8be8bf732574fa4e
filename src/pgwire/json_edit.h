/*
 * What PostgreSQL does with jsonb and the engine not with its JSON: changes at a
 * path, and whether one value contains another. On texts that are valid JSON;
 * what is not touched stays as it is written, digits and blanks included.
 *
 * Pure. A path is an array's text, {a,"b c",0} or ["a","b c","0"].
 */
#ifndef PGWIRE_JSON_EDIT_H
#define PGWIRE_JSON_EDIT_H

#include "base/buf.h"

enum { JSON_EDIT_ARGUMENTS = 5, JSON_EDIT_PATH_MAX = 100, JSON_EDIT_DEPTH_MAX = 200, JSON_EDIT_STEPS_MAX = 20000000 };

/*
 * What, the value, a path or the other value, the new value, a flag; NULL of any is NULL. "set" (flag t: also where nothing is),
 * "insert" (t: behind), "remove" at a path, "without" a list of keys or an index, "strip" nulls, and "contains", which writes t or f.
 * False: NULL, or what *ret_error says.
 */
bool json_edit_call(const struct span *arguments, struct buf *out, const char **ret_error);

#endif
