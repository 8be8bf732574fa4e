/* A JSON body against a schema: what is accepted can be written, and its writing is accepted again. */
#include "http/schema.h"

#include "base/limits.h"

#include <assert.h>

static const char *const colours[] = {"red", "green", NULL};
static const struct field item_fields[] = {{.name = "t", .type = FIELD_STRING, .required = true}, {0}};
static const struct schema item = {"Item", item_fields, NULL};
static const struct field fields[] = {{.name = "id", .type = FIELD_STRING, .required = true},
				      {.name = "c", .type = FIELD_STRING, .values = colours, .fallback = "\"red\""},
				      {.name = "n", .type = FIELD_INT, .nullable = true, RANGE(-5, 5)},
				      {.name = "l", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &item},
				      {.name = "m", .type = FIELD_MAP},
				      {0}};
static const struct schema schema = {"Thing", fields, NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct faults faults;
	struct buf text = BUF(16 * MIB);
	faults_init(&faults);
	json_t *value = schema_read(&schema, (struct span){(const char *)data, size}, true, &faults);
	assert((value == NULL) == (faults.count > 0));
	if (value) {
		json_value_write(&text, value);
		json_t *again = schema_read(&schema, buf_view(&text), true, &faults);
		assert(again);
		json_decref(again);
	}
	json_decref(value);
	buf_done(&text);
	faults_done(&faults);
	return 0;
}
