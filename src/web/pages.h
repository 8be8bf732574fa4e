/*
 * The pages that the program carries in itself: the two dashboards, the API docs and the icon. Each is one file without
 * references to other files or hosts, made at build time by tools/web-pages from the sources in this folder.
 *
 * Everything returned is constant, lives as long as the process and may be read by any thread. Bodies are bytes, not
 * strings: they end at their length. A page is served without credentials; what it shows it fetches itself from
 * /metrics, /metrics/history or /openapi.json.
 *
 * Serve `csp` as Content-Security-Policy with the page: it allows exactly the scripts and styles of the page, by digest,
 * and connections to its own origin only. `etag` is a strong one, quoted, of the plain body (RFC 9110, 8.8.3); a gzipped
 * answer needs `Vary: Accept-Encoding`.
 */
#ifndef WEB_PAGES_H
#define WEB_PAGES_H

#include "base/span.h"

struct web_page {
	const char *path;
	const char *content_type;
	const unsigned char *body;
	size_t body_len;
	const unsigned char *gzip;
	size_t gzip_len;
	const char *etag;
	const char *csp;
};

/* Every path that answers a page, several of them perhaps with the same one. For route tables and tests. */
extern const struct web_page web_pages[];
extern const size_t web_page_count;

/* The page of a request path (without query; a slash at its end is ignored), or NULL. */
const struct web_page *web_page_find(struct span path);

#endif
