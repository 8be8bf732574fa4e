/*
 * The HTTP/1.1 transport: connections, routing, access, request bodies,
 * validation, idempotency, answers, counting. Doors write tables of routes and
 * handlers, and see neither sockets nor the library below.
 *
 * A handler
 *
 *	static bool project_get(struct http_request *req, struct http_response *res, struct err *err)
 *	{
 *		struct project project;
 *		if (!project_find(req->ctx, &req->call, http_param(req, "project_id"), &project, err))
 *			return false;
 *		struct json *j = http_json(res, 200);
 *		project_write(j, NULL, &project);
 *		return true;
 *	}
 *
 * When it is called the caller is admitted (route's guard), the query and the
 * body are validated (route's schemas). It either fills the response and
 * returns true, or fills *err and returns false: then the transport renders the
 * error (status and code from err.def), whatever the response held before.
 *
 * Threads. HTTP_INLINE handlers run on an event loop: they answer from memory
 * and never block. The others run on a worker of their pool, the connection
 * waits suspended. One request is handled by one thread at a time.
 *
 * Memory. A request owns an arena; it and everything in it lives until the last
 * byte of the answer is sent (or the client left) and http_on_sent ran.
 *
 * A client that leaves sets req->call.abandoned; nobody reads the answer then.
 *
 * Order of checks: malformed head (400, 413, 414, 431, 501) - preflight - route
 * (404, 405, 307) - idempotent replay for the same credential - access (401,
 * 403) - idempotency (409) - query and body (413, 422) - handler.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "http/schema.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/pool.h"
#include "storage/auth.h"
#include "storage/call.h"

struct settings;

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_OTHER, /* any other token; http_request.method_text has it */
	HTTP_METHODS,
	HTTP_ANY = HTTP_METHODS /* routes only: the handler looks at the method itself; no 405 from the router */
};

/* Where a handler runs. */
enum http_run {
	HTTP_INLINE, /* on the event loop: memory only, never blocks */
	HTTP_READ,   /* pool of reading operations */
	HTTP_WRITE,  /* pool of changing operations */
	HTTP_STREAM, /* pool of uploads; for the bodies that are streams */
	HTTP_RUNS
};

enum http_body {
	HTTP_BODY_NONE,		 /* a body sent anyway is read and dropped */
	HTTP_BODY_JSON,		 /* required; in req->body, validated by the route's schema */
	HTTP_BODY_JSON_OPTIONAL, /* req->body is NULL when there was none */
	HTTP_BODY_STREAM,	 /* raw bytes by http_body_read; run must be HTTP_STREAM */
	HTTP_BODY_FILE		 /* multipart/form-data: http_body_read gives the bytes of the part `file` */
};

struct http_request;
struct http_response;

typedef bool (*http_handler)(struct http_request *req, struct http_response *res, struct err *err);

/*
 * One route. `path` is the template and the `endpoint` label: "/projects/{project_id}/stats". A parameter takes exactly
 * one segment, percent-decoded after splitting; segments that are not UTF-8 or hold a NUL match no route. Literal
 * segments win over parameters. Guards read the parameters project_id and branch_id.
 */
struct http_route {
	enum http_method method;
	const char *path;
	enum guard guard;
	enum http_run run;
	enum http_body body;
	http_handler handler;
	bool reading;	    /* POST that changes nothing: open to branch_read keys. GET and HEAD always are */
	bool with_head;	    /* GET that answers HEAD too (the body is computed and not sent) */
	bool rest;	    /* the last parameter takes the rest of the path, slashes included; it may be empty */
	bool uncounted;	    /* moves no metric and leaves no access log line: /metrics, documents, dashboards */
	bool local_keyless; /* with config.local_keyless a loopback peer needs no key */
	bool unkeyed;	    /* X-Idempotency-Key has no meaning here. It has none at the S3 door either */
	/* For the API document and, query and request, for validation */
	int status;		   /* of success; 0: 200 */
	const struct field *query; /* ended by a field without name; may be NULL */
	const struct schema *request;
	const struct schema *response; /* JSON answer; NULL: none, or `produces` */
	const struct schema *later;    /* of 202 to `Prefer: respond-async`; NULL: the header has no meaning */
	const char *produces;	       /* media type of an answer that is not JSON */
	const enum err_code *errors;   /* ended by ERR_NONE; may be NULL */
	const char *tag;
	const char *summary;
};

/* Routes of one door. */
struct http_routes {
	const struct http_route *rows;
	size_t count;
	enum door door;
	void *ctx;   /* req->ctx of their handlers */
	bool hidden; /* not in the API document */
	/* Turns an error into an answer; NULL: http_error_render. Also used for errors met before the handler. */
	void (*error_render)(struct http_request *req, struct http_response *res, const struct err *err);
};

#define HTTP_PARAMS_MAX 8

struct http_request {
	struct arena *arena;
	void *ctx; /* of the route table */
	enum http_method method;
	const char *method_text; /* as sent */
	const struct http_route *route;
	struct span path;	/* raw, as on the request line: not decoded, nothing folded */
	struct span query;	/* raw, without '?' */
	json_t *body;		/* validated JSON body with fallbacks filled in, or NULL; borrowed */
	struct span body_bytes; /* the JSON body as sent */
	struct call call;
	struct faults faults; /* non-empty: the answer to ERR_VALIDATION lists them */
};

/* ---- the request ---------------------------------------------------------------------------------------------- */

/* Decoded path parameter; NULL when the route has none of that name, or was chosen by `preroute`. */
const char *http_param(const struct http_request *req, const char *name);
/* Query parameters that the route declares: decoded text, the last one if repeated; NULL when absent without fallback. */
const char *http_query(const struct http_request *req, const char *name);
/* The same, parsed; validation has run, so these cannot fail. Absent without fallback: 0 and false. */
int64_t http_query_int(const struct http_request *req, const char *name);
bool http_query_bool(const struct http_request *req, const char *name);
/* All parameters of the query in order, decoded ('+' is a space), declared or not; false when `at` is past the last. */
bool http_query_at(const struct http_request *req, size_t at, struct span *ret_name, struct span *ret_value);

/* First value of a header, name in any case; NULL when absent. */
const char *http_header(const struct http_request *req, const char *name);
/* All headers in the order received, names as sent; false when `at` is past the last. */
bool http_header_at(const struct http_request *req, size_t at, const char **ret_name, const char **ret_value);

/* Announced body length; -1: chunked or none announced. */
int64_t http_body_length(const struct http_request *req);
bool http_body_chunked(const struct http_request *req);
/*
 * Stream bodies: blocks for the next bytes; *ret_n is 0 at the end. The first call sends "100 Continue" to clients that
 * wait for it, so check everything you can before. ERR_CANCELLED: the client left or was too slow. HTTP_BODY_FILE adds
 * ERR_VALIDATION (no part `file`, not multipart) and ERR_INVALID_REQUEST (broken multipart). An error is final.
 */
MUST_CHECK bool http_body_read(struct http_request *req, void *bytes, size_t size, size_t *ret_n, struct err *err);

/*
 * For HTTP_INLINE handlers of routes without query and body that find out that they would block: `return
 * http_defer(req)`, and the handler is called again on the read pool. True there: nothing to defer any more.
 */
bool http_defer(struct http_request *req);

/*
 * For handlers on a worker whose answer comes on another thread, so that waiting for the disk needs none:
 *
 *	if (http_later(req)) {
 *		begin(..., done, req);
 *		return true;
 *	}
 *
 * `done` fills http_answer(req) and calls http_answer_send, or calls that with the error; once, on any thread, also
 * before the handler returns. It must not block. The handler touches nothing of the request once it has begun. False:
 * the answer is needed before the handler returns.
 */
bool http_later(struct http_request *req);
struct http_response *http_answer(struct http_request *req);
void http_answer_send(struct http_request *req, bool fine, const struct err *err);

/* A 422 of the handler's own: one fault at ["query", name] or ["body", name]. Return false. */
bool http_query_fault(struct http_request *req, struct err *err, const char *name, const char *type, const char *msg);
bool http_fault(struct http_request *req, struct err *err, const char *name, const char *type, const char *msg,
		const json_t *input);

/* ---- the response --------------------------------------------------------------------------------------------- */

/* JSON body: write one value into the returned writer. At most LIMIT_RESPONSE_BYTES. */
struct json *http_json(struct http_response *res, int status);
/* No body and no Content-Type. */
void http_empty(struct http_response *res, int status);
/* Any other body, written into the returned buffer. `type` is static text, or of the request's arena. */
struct buf *http_text(struct http_response *res, int status, const char *type);
/* The same without a copy: bytes that live as long as the request. */
void http_bytes(struct http_response *res, int status, const char *type, struct span bytes);
/* After http_empty, for HEAD: the Content-Length a GET would have. */
void http_length(struct http_response *res, uint64_t length);

/* Adds a header; the value is copied. CR, LF and NUL in it become spaces. Repeating a name repeats the header. */
void http_add(struct http_response *res, const char *name, const char *value);

/* The answer shows a secret that is told once: what is kept of it for repeats is unreadable on disk. */
void http_secret(struct http_response *res);

/* Static document with ETag: 304 when the client has it. HTML gets a content security policy that allows itself only. */
struct http_page {
	const char *type;
	struct span bytes;
	const char *etag; /* with quotes; NULL: hash of the bytes */
};
void http_page(struct http_request *req, struct http_response *res, const struct http_page *page);

/*
 * Content of an open file, by sendfile. The response takes over `fd` (also on failure). Range (one range; others are
 * ignored), If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since and If-Range are honoured: 200, 206, 304;
 * ERR_PRECONDITION_FAILED (412) and ERR_RANGE_NOT_SATISFIABLE (416, with Content-Range) are errors.
 * Adds Content-Length, Content-Type, ETag, Last-Modified, Accept-Ranges. Same for HEAD.
 */
struct http_file {
	int fd; /* -1: HEAD without content */
	uint64_t size;
	const char *type;     /* NULL: application/octet-stream */
	bool type_as_is;      /* else a text type without charset is sent as UTF-8 */
	const char *etag;     /* with quotes; may be NULL */
	int64_t mtime_us;     /* 0: none */
	const char *filename; /* NULL, or the name for Content-Disposition: attachment */
	bool partly;	      /* these bytes are asked for, whatever Range says; answered as a range */
	uint64_t part_first;
	uint64_t part_length;
};
MUST_CHECK bool http_file(struct http_request *req, struct http_response *res, const struct http_file *file,
			  struct err *err);

/*
 * Body made while it is sent. `produce` is called on a worker of the route's pool, may block, fills at most `size` bytes
 * and sets *ret_n, 0 at the end; false ends the connection abruptly, so that the client sees a broken answer.
 * `length` -1: not known (chunked).
 */
typedef bool (*http_producer)(void *ctx, char *bytes, size_t size, size_t *ret_n);
void http_stream(struct http_response *res, int status, const char *type, int64_t length, http_producer produce,
		 void *ctx);

/*
 * Called once when the answer is over: body bytes that went out (of a client that left: those its machine took), and
 * whether that was all of it. Runs on an event loop: must not block. The request and its arena still live.
 */
void http_on_sent(struct http_response *res, void (*done)(void *ctx, uint64_t bytes, bool complete), void *ctx);

/*
 * The envelope of errors: {"detail":{"error","message","details"}}, the flat shape for idempotency conflicts and
 * unhandled faults, the list for ERR_VALIDATION; with WWW-Authenticate, Retry-After where they belong.
 */
void http_error_render(struct http_request *req, struct http_response *res, const struct err *err);

/* ---- idempotency ---------------------------------------------------------------------------------------------- */

/* What a kept answer belongs to and says. All spans; get returns copies in the arena. */
struct http_kept {
	const char *method;
	const char *target; /* path and query as sent */
	unsigned char body_sha256[32];
	unsigned char credential_sha256[32];
	int status;
	const char *type; /* NULL: no body */
	struct span body;
	bool secret;	    /* the body must not be readable in the store */
	bool lost;	    /* by get: the body was secret, and went with the process that made it */
	int64_t expires_us; /* Unix time */
};

/*
 * Where kept answers live; survives a restart. Calls come from workers and may block. A failure of the store is logged
 * and never fails the request. Answers past expires_us count as absent.
 */
struct http_idempotency {
	void *ctx; /* NULL: X-Idempotency-Key is ignored */
	bool (*get)(void *ctx, struct arena *arena, const char *key, struct http_kept *ret);
	bool (*put)(void *ctx, const char *key, const struct http_kept *kept, struct err *err);
	void (*sweep)(void *ctx); /* removes what has expired; called every 300 s */
};

enum { HTTP_KEPT_SECONDS = 600, HTTP_SWEEP_SECONDS = 300 };

/* ---- the server ----------------------------------------------------------------------------------------------- */

struct http_server;

struct http_config {
	const char *listener; /* label of its metrics: "http" */
	const char *host;
	int port;	      /* 0: any free one */
	const char *tls_cert; /* files; both or none */
	const char *tls_key;
	unsigned threads; /* 0: one for each core */
	unsigned connections_max;
	unsigned idle_timeout_s;
	unsigned head_timeout_s; /* from its first byte until the head is complete */
	bool debug;		 /* show causes of internal errors */
	bool quiet;		 /* no access log */
	bool local_keyless;	 /* REFERENCE_COMPAT: routes marked so admit loopback peers without a key, as admin */
	const char *title;	 /* of the API document */
	const char *version;
	struct pool *pools[HTTP_RUNS]; /* borrowed; HTTP_INLINE stays NULL; kinds that no route uses too */
	const struct http_routes *const *tables;
	size_t table_count;
	/* Who holds a key; see auth_key. NULL: every guarded route refuses. */
	bool (*auth)(void *ctx, struct span key, struct principal *ret, const char **ret_why);
	void *auth_ctx;
	/* Decides a guard: auth_check. */
	bool (*allow)(const struct principal *who, enum guard guard, const char *project_id, const char *branch_id,
		      bool reading, struct err *err);
	/* Asked before the router with path, query and headers; a route of a registered table, or NULL for the usual way. */
	const struct http_route *(*preroute)(void *ctx, struct http_request *req);
	void *preroute_ctx;
	struct http_idempotency idempotency;
};

/* Listener, limits and titles from the settings; pools, tables and callbacks are the caller's. */
struct http_config http_config_of(const struct settings *settings);

/* Listens and serves. Tables and whatever they point to must outlive the server. */
MUST_CHECK bool http_server_start(const struct http_config *config, struct http_server **ret, struct err *err);
/* The port it listens on. */
int http_server_port(const struct http_server *server);
/* Stops accepting and waits up to the given time for running requests; true when none is left. */
bool http_server_drain(struct http_server *server, unsigned timeout_s);
/* Marks what still runs as abandoned, waits for its handlers, closes everything. NULL is fine. */
void http_server_stop(struct http_server *server);
size_t http_server_connections(const struct http_server *server);
/* The OpenAPI 3.1 document of the tables; the caller frees. Used by GET /openapi.json. */
char *http_openapi(const struct http_config *config, size_t *ret_len);

#endif
