/*
 * The pages and the metrics as routes: /metrics with its sub-paths, the
 * dashboards, /docs and /openapi.json. None of them is counted.
 */
#ifndef WEB_ROUTES_H
#define WEB_ROUTES_H

#include "http/http.h"

struct web_context {
	const char *metrics_token; /* NULL: open to all */
	const char *openapi;	   /* set once the tables are known; lives as long as the server */
	size_t openapi_len;
};

/* Everything. `context` must outlive the server. */
const struct http_routes *web_routes(struct web_context *context);
/* /metrics alone, for the second listener. */
const struct http_routes *web_metrics_routes(struct web_context *context);

#endif
