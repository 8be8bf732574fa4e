#include "web/pages.h"

const struct web_page *web_page_find(struct span path)
{
	if (path.len > 1 && span_ends(path, SPAN("/"))) {
		path = span_first(path, path.len - 1);
	}
	for (size_t i = 0; i < web_page_count; i++) {
		if (span_is(path, web_pages[i].path)) {
			return &web_pages[i];
		}
	}
	return NULL;
}
