#include "rest/rest.h"

#include "rest/resources.h"

#define RESOURCE(name) &name##_routes,
static struct http_routes *const tables[] = {
#include "rest/resources.def"
};

void rest_setup(struct storage *storage, const struct http_routes **ret_tables)
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		tables[i]->ctx = storage;
		ret_tables[i] = tables[i];
	}
}
