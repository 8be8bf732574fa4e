/* The XML reader: whatever comes, the reports are within the limits, and a success ends with the root. */
#include "s3/xml.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool visit(void *ctx, const struct xml_element *element, struct err *err)
{
	(void)err;
	if (element->depth < 1 || element->depth > XML_DEPTH_MAX || element->text.len > XML_TEXT_MAX ||
	    !span_is_utf8(element->text))
		abort();
	*(unsigned *)ctx = element->depth;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	unsigned last = 0;
	if (xml_read((struct span){(const char *)data, size}, "Delete", visit, &last, &err)
		    ? last != 1
		    : err.code != ERR_MALFORMED_XML)
		abort();
	return 0;
}
