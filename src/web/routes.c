#include "web/routes.h"

#include "base/hash.h"
#include "metrics/alerts.h"
#include "metrics/expose.h"
#include "metrics/history.h"
#include "web/pages.h"

/* ---- metrics ---- */

static struct span header(struct http_request *req, const char *name)
{
	return span_of(http_header(req, name));
}

/* 401 unless the token is sent, or none is set. Digests are compared, so neither length nor content can be timed. */
static bool admitted(struct http_request *req, struct err *err)
{
	const struct web_context *web = req->ctx;
	unsigned char want[SHA256_BYTES];
	unsigned char got[SHA256_BYTES];
	if (!web->metrics_token)
		return true;
	struct span sent = header(req, "Authorization");
	struct span scheme = span_cut(&sent, ' ');
	hash_sha256(span_of(web->metrics_token), want);
	hash_sha256(span_trim(sent), got);
	if (span_eq_nocase(scheme, SPAN("Bearer")) &&
	    span_eq_secret((struct span){(char *)want, sizeof(want)}, (struct span){(char *)got, sizeof(got)}))
		return true;
	metrics_scrape_refused(401);
	(void)err_set(err, ERR_UNAUTHORIZED, "The metrics need the bearer token that METRICS_TOKEN holds");
	err->has_details = false;
	return false;
}

static void headers_add(struct http_request *req, struct http_response *res)
{
	/* Dashboards opened from disk read the metrics of any origin; with an Origin the transport adds the header itself. */
	if (!http_header(req, "Origin"))
		http_add(res, "Access-Control-Allow-Origin", "*");
	http_add(res, "Cache-Control", "no-store");
	http_add(res, "Vary", "Accept, Accept-Encoding");
}

static void buf_free(void *buf)
{
	buf_done(buf);
}

static bool metrics_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct metrics_query *query = arena_new_of(req->arena, struct metrics_query);
	struct metrics_answer answer;
	if (!admitted(req, err))
		return false;
	query->accept = header(req, "Accept");
	query->accept_encoding = header(req, "Accept-Encoding");
	query->scrape_timeout = header(req, "X-Prometheus-Scrape-Timeout-Seconds");
	if (!metrics_query_parse(query, req->path, req->query)) {
		metrics_scrape_refused(404);
		return err_set(err, ERR_PAGE_NOT_FOUND, "There is no such group of metrics");
	}
	struct buf *out = arena_new_of(req->arena, struct buf);
	*out = BUF(METRICS_EXPOSE_BYTES);
	arena_on_free(req->arena, buf_free, out);
	metrics_expose(query, out, &answer);
	http_bytes(res, answer.status, answer.content_type, buf_view(out));
	headers_add(req, res);
	if (answer.encoding)
		http_add(res, "Content-Encoding", answer.encoding);
	return true;
}

static bool history_get(struct http_request *req, struct http_response *res, struct err *err)
{
	if (!admitted(req, err))
		return false;
	if (!history_expose(req->query, http_text(res, 200, "application/json"), err))
		return false;
	headers_add(req, res);
	return true;
}

static bool alerts_get(struct http_request *req, struct http_response *res, struct err *err)
{
	if (!admitted(req, err))
		return false;
	alerts_expose(http_text(res, 200, "application/json"));
	headers_add(req, res);
	return true;
}

/* ---- pages ---- */

static bool accepts_gzip(struct http_request *req)
{
	struct span rest = header(req, "Accept-Encoding");
	while (rest.len) {
		struct span item = span_cut(&rest, ',');
		struct span name = span_trim(span_cut(&item, ';'));
		if (span_eq_nocase(name, SPAN("gzip")) && !span_is(span_trim(item), "q=0"))
			return true;
	}
	return false;
}

static bool page_get(struct http_request *req, struct http_response *res, struct err *err)
{
	const struct web_page *page = web_page_find(req->path);
	if (!page)
		return err_set(err, ERR_PAGE_NOT_FOUND, "Not Found");
	const char *known = http_header(req, "If-None-Match");
	if (known && strstr(known, page->etag)) {
		http_empty(res, 304);
	} else if (accepts_gzip(req)) {
		http_bytes(res, 200, page->content_type, (struct span){(const char *)page->gzip, page->gzip_len});
		http_add(res, "Content-Encoding", "gzip");
	} else {
		http_bytes(res, 200, page->content_type, (struct span){(const char *)page->body, page->body_len});
	}
	http_add(res, "ETag", page->etag);
	http_add(res, "Vary", "Accept-Encoding");
	http_add(res, "Cache-Control", "no-cache");
	http_add(res, "Content-Security-Policy", page->csp);
	http_add(res, "X-Content-Type-Options", "nosniff");
	http_add(res, "Referrer-Policy", "no-referrer");
	return true;
}

/* Where others have a second form of the documentation. */
static bool redoc_get(struct http_request *req, struct http_response *res, struct err *err)
{
	(void)req;
	(void)err;
	http_empty(res, 307);
	http_add(res, "Location", "/docs");
	return true;
}

static bool openapi_get(struct http_request *req, struct http_response *res, struct err *err)
{
	const struct web_context *web = req->ctx;
	(void)err;
	http_bytes(res, 200, "application/json", (struct span){web->openapi, web->openapi_len});
	if (!http_header(req, "Origin"))
		http_add(res, "Access-Control-Allow-Origin", "*");
	return true;
}

#define METRICS_ROUTE(template, take)                                                                           \
	{                                                                                                       \
		.method = HTTP_GET, .path = (template), .run = HTTP_READ, .handler = (take), .with_head = true, \
		.uncounted = true, .produces = "text/plain", .tag = "Metrics"                                   \
	}
#define PAGE_ROUTE(template, take)                                                                                \
	{                                                                                                         \
		.method = HTTP_GET, .path = (template), .run = HTTP_INLINE, .handler = (take), .with_head = true, \
		.uncounted = true, .produces = "text/html", .tag = "Pages"                                        \
	}
#define METRICS_ROUTES                                                                                  \
	METRICS_ROUTE("/metrics", metrics_get), METRICS_ROUTE("/metrics/history", history_get),         \
		METRICS_ROUTE("/metrics/alerts", alerts_get),                                           \
	{                                                                                               \
		.method = HTTP_GET, .path = "/metrics/{group}", .rest = true, .run = HTTP_READ,         \
		.handler = metrics_get, .with_head = true, .uncounted = true, .produces = "text/plain", \
		.tag = "Metrics"                                                                        \
	}

static const struct http_route metrics_rows[] = {METRICS_ROUTES};
static const struct http_route rows[] = {
	METRICS_ROUTES,
	PAGE_ROUTE("/dashboard.html", page_get),
	PAGE_ROUTE("/dashboard2.html", page_get),
	PAGE_ROUTE("/docs", page_get),
	PAGE_ROUTE("/redoc", redoc_get),
	PAGE_ROUTE("/favicon.ico", page_get),
	PAGE_ROUTE("/favicon.svg", page_get),
	{.method = HTTP_GET,
	 .path = "/openapi.json",
	 .run = HTTP_INLINE,
	 .handler = openapi_get,
	 .with_head = true,
	 .uncounted = true,
	 .produces = "application/json",
	 .tag = "Pages"},
};

static struct http_routes all = {.rows = rows, .count = ARRAY_LEN(rows), .door = DOOR_REST, .hidden = true};
static struct http_routes metrics_only = {
	.rows = metrics_rows, .count = ARRAY_LEN(metrics_rows), .door = DOOR_REST, .hidden = true};

const struct http_routes *web_routes(struct web_context *context)
{
	all.ctx = context;
	return &all;
}

const struct http_routes *web_metrics_routes(struct web_context *context)
{
	metrics_only.ctx = context;
	return &metrics_only;
}
