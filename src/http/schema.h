/*
 * Declared shapes of JSON bodies, query parameters and answers. One declaration
 * validates requests and describes them in the OpenAPI document.
 *
 *	static const struct field new_key[] = {
 *		{.name = "description", .type = FIELD_STRING, .required = true},
 *		{.name = "scope", .type = FIELD_STRING, .values = scopes, .fallback = "\"project_admin\""},
 *		{.name = "expires_in_days", .type = FIELD_INT, .nullable = true, RANGE(1, 365)},
 *		{0}};
 *	static const struct schema new_key_schema = {"ApiKeyCreate", new_key};
 *
 * Validation finds every fault, not only the first, and never coerces: 5 is no
 * string and "5" no integer in JSON; query text is parsed. Unknown members are
 * ignored. Absent members with a fallback are added to the body, so handlers
 * read complete objects with the body_* functions below.
 *
 * Everything here is const data with static life; functions are thread-safe.
 */
#ifndef HTTP_SCHEMA_H
#define HTTP_SCHEMA_H

/* Before base/json.h, which takes over three of its names. */
#include <jansson.h>

#include "base/arena.h"
#include "base/json.h"

enum field_type {
	FIELD_STRING,
	FIELD_INT, /* 64 bits */
	FIELD_NUMBER,
	FIELD_BOOL,
	FIELD_OBJECT, /* .object: its members; NULL: any object */
	FIELD_LIST,   /* of .items; lists of objects name the shape in .object */
	FIELD_MAP,    /* object of strings; with .object: object of such objects */
	FIELD_ANY,
	FIELD_TIME /* answers only: string, date-time */
};

struct schema;

struct field {
	const char *name; /* NULL ends a list of fields */
	enum field_type type;
	bool required;
	bool nullable;	      /* null is as good as a value; absent then reads as null */
	const char *fallback; /* JSON text taken when the member is absent */
	bool ranged;	      /* FIELD_INT: min and max count; see RANGE */
	int64_t min;
	int64_t max;
	const char *const *values; /* FIELD_STRING: the allowed ones, NULL-ended */
	enum field_type items;	   /* FIELD_LIST */
	size_t items_min;	   /* FIELD_LIST */
	const struct schema *object;
	const char *help; /* one line for the API document */
};

#define RANGE(least, most) .ranged = true, .min = (least), .max = (most)
#define AT_LEAST(least)	   RANGE((least), INT64_MAX)

struct schema {
	const char *name; /* unique, CamelCase: its name in the API document */
	const struct field *fields;
	const char *help;
};

/* The faults found in one request: the items of the 422 answer's `detail` list. */
struct faults {
	struct buf json;
	size_t count;
};

/* Faults beyond this many are not reported. */
enum { FAULTS_MAX = 100 };

/* One element of a fault's `loc`: a name, or an index when name is NULL. */
struct fault_loc {
	const struct fault_loc *parent;
	const char *name;
	size_t index;
};

void faults_init(struct faults *faults);
void faults_done(struct faults *faults);
/* Adds one entry. `input` NULL: null. `ctx` is a JSON object as text, or NULL for none. */
void faults_add(struct faults *faults, const char *type, const struct fault_loc *loc, const char *msg,
		const json_t *input, const char *ctx);

/*
 * Parses and validates a JSON body. Returns the body with fallbacks filled in, to be released with json_decref; NULL
 * when there are faults, or when the body is empty and `required` is false. An empty body that is required, bytes that
 * are no JSON and values of the wrong shape each are faults. Depth is limited to LIMIT_JSON_DEPTH; of duplicate
 * members the last one counts.
 */
json_t *schema_read(const struct schema *schema, struct span bytes, bool required, struct faults *faults);
/* The same for a value that is parsed already; false when faults were added. */
bool schema_check(const struct schema *schema, json_t *value, struct faults *faults);

/* Members of a validated object. Absent and null read as NULL, or as `fallback`. */
const char *body_str(const json_t *object, const char *name);
int64_t body_int(const json_t *object, const char *name, int64_t fallback);
bool body_bool(const json_t *object, const char *name, bool fallback);
/* Objects and lists; NULL when absent or null. Borrowed. */
json_t *body_get(const json_t *object, const char *name);
/* A list of strings as a NULL-ended array; *ret_n may be NULL. NULL when absent or null. */
const char *const *body_strings(struct arena *arena, const json_t *object, const char *name, size_t *ret_n);
/* Any parsed value as compact JSON: shortest numbers, members in their order. NULL: null. */
void json_value_write(struct buf *out, const json_t *value);
/* The same as a member (key NULL: an item) of a writer. */
void json_value(struct json *j, const char *key, const json_t *value);
char *json_value_text(struct arena *arena, const json_t *value);

#endif
