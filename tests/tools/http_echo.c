/*
 * A small server on the HTTP transport, for tests that attack it over sockets and for comparison with a bare one.
 * Prints its port, serves until its standard input ends; a line "drain" there begins the shutdown.
 *
 *	http_echo [--port N] [--threads N] [--connections N] [--head-timeout S] [--cert F --key F] [--quiet]
 */
#include "http/http.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"
#include "base/pool.h"
#include "metrics/expose.h"
#include "metrics/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static _Atomic int executions;
static _Atomic int abandoned_seen;
static _Atomic int slow_running;
/* The last answer that was sent to its end or given up, as of one moment. */
static pthread_mutex_t last_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t last_sent;
static int last_complete = -1;
static int finished;
static char file_path[] = "/tmp/http-echo-XXXXXX";
static uint64_t file_size;

static bool project_get(struct http_request *req, struct http_response *res, struct err *err)
{
	(void)err;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_str(j, "id", http_param(req, "project_id"));
	json_str(j, "name", "Harbour");
	json_str(j, "db_path", "project_p7");
	json_time(j, "created_at", INT64_C(1741064767123456));
	json_time(j, "updated_at", INT64_C(1741064767200000));
	json_int(j, "size_bytes", 0);
	json_int(j, "table_count", 0);
	json_int(j, "bucket_count", 0);
	json_str(j, "status", "active");
	json_raw(j, "settings", "{\"tier\":2}");
	json_object_end(j);
	return true;
}

/* What the transport understood of the request. */
static bool echo(struct http_request *req, struct http_response *res, struct err *err)
{
	(void)err;
	const char *name;
	const char *value;
	struct span key;
	struct span text;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_str(j, "method", req->method_text);
	json_span(j, "path", req->path);
	json_span(j, "query", req->query);
	json_str(j, "rest", http_param(req, "rest"));
	json_str(j, "request_id", req->call.request_id);
	json_str(j, "trace_id", req->call.trace.trace_id);
	json_str(j, "client", req->call.client);
	json_int(j, "who", req->call.who.kind);
	json_value(j, "body", req->body);
	json_array(j, "params");
	for (size_t i = 0; http_query_at(req, i, &key, &text); i++) {
		json_span(j, NULL, key);
		json_span(j, NULL, text);
	}
	json_array_end(j);
	json_object(j, "headers");
	for (size_t i = 0; http_header_at(req, i, &name, &value); i++)
		json_str(j, name, value);
	json_object_end(j);
	json_object_end(j);
	return true;
}

static void wait_ms(int64_t ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS};
	(void)nanosleep(&time, NULL);
}

static bool work(struct http_request *req, struct http_response *res, struct err *err)
{
	int64_t until = clock_ns() + http_query_int(req, "ms") * NS_PER_MS;
	while (clock_ns() < until) {
		if (atomic_load(req->call.abandoned)) {
			atomic_fetch_add(&abandoned_seen, 1);
			return err_set(err, ERR_CANCELLED, "The client left");
		}
		wait_ms(5);
	}
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_bool(j, "done", true);
	json_object_end(j);
	return true;
}

/* Works for query `ms`, or until the client left. */
static bool slow(struct http_request *req, struct http_response *res, struct err *err)
{
	atomic_fetch_add(&slow_running, 1);
	const bool fine = work(req, res, err);
	atomic_fetch_sub(&slow_running, 1);
	return fine;
}

/* Counts its executions; query `status` chooses the outcome. */
static bool count(struct http_request *req, struct http_response *res, struct err *err)
{
	static const struct {
		int status;
		enum err_code code;
	} rows[] = {{404, ERR_TABLE_NOT_FOUND}, {409, ERR_TABLE_EXISTS}, {500, ERR_INTERNAL}, {503, ERR_TABLE_LOCKED}};
	int n = atomic_fetch_add(&executions, 1) + 1;
	int64_t status = http_query_int(req, "status");
	wait_ms(http_query_int(req, "ms"));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].status == status) {
			(void)err_set(err, rows[i].code, "Execution %d failed with /secret/path", n);
			err_detail_int(err, "n", n);
			return false;
		}
	}
	if (status == 204) {
		http_empty(res, 204);
		return true;
	}
	struct json *j = http_json(res, 201);
	json_object(j, NULL);
	json_int(j, "n", n);
	json_value(j, "body", req->body);
	json_object_end(j);
	return true;
}

static bool state(struct http_request *req, struct http_response *res, struct err *err)
{
	(void)req;
	(void)err;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_int(j, "executions", atomic_load(&executions));
	json_int(j, "abandoned", atomic_load(&abandoned_seen));
	json_int(j, "slow", atomic_load(&slow_running));
	(void)pthread_mutex_lock(&last_lock);
	json_uint(j, "last_sent", last_sent);
	json_int(j, "last_complete", last_complete);
	json_int(j, "finished", finished);
	(void)pthread_mutex_unlock(&last_lock);
	json_object_end(j);
	return true;
}

/* Digest of a streamed body; `stop` answers after so many bytes, `refuse` without reading. */
static bool upload(struct http_request *req, struct http_response *res, struct err *err)
{
	char bytes[65536];
	unsigned char digest[SHA256_BYTES];
	char hex[SHA256_HEX_SIZE];
	size_t n = 1;
	int64_t total = 0;
	int64_t stop = http_query_int(req, "stop");
	int64_t pause = http_query_int(req, "pause_ms");
	if (http_query_bool(req, "refuse"))
		return err_set(err, ERR_FILE_TOO_LARGE, "The file is too large");
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	(void)EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	bool fine = true;
	while (fine && n && (stop == 0 || total < stop)) {
		fine = http_body_read(req, bytes, sizeof(bytes), &n, err);
		(void)EVP_DigestUpdate(md, bytes, fine ? n : 0);
		total += (int64_t)n;
		wait_ms(pause);
	}
	(void)EVP_DigestFinal_ex(md, digest, NULL);
	EVP_MD_CTX_free(md);
	if (!fine && err->code == ERR_CANCELLED)
		atomic_fetch_add(&abandoned_seen, 1);
	if (!fine)
		return false;
	if (stop && total >= stop)
		return err_set(err, ERR_FILE_TOO_LARGE, "The file is too large");
	hash_hex(digest, sizeof(digest), hex);
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_int(j, "size", total);
	json_str(j, "sha256", hex);
	json_int(j, "announced", http_body_length(req));
	json_object_end(j);
	return true;
}

static void sent(void *ctx, uint64_t bytes, bool complete)
{
	(void)ctx;
	(void)pthread_mutex_lock(&last_lock);
	last_sent = bytes;
	last_complete = complete;
	finished++;
	(void)pthread_mutex_unlock(&last_lock);
}

static bool download(struct http_request *req, struct http_response *res, struct err *err)
{
	http_on_sent(res, sent, NULL);
	const struct http_file file = {.fd = req->method == HTTP_HEAD ? -1 : open(file_path, O_RDONLY | O_CLOEXEC),
				       .size = file_size,
				       .type = "text/csv",
				       .etag = "\"echo-1\"",
				       .mtime_us = INT64_C(784111777000000),
				       .filename = http_query(req, "name")};
	return http_file(req, res, &file, err);
}

struct numbers {
	int64_t left;
	int64_t pause_ms;
};

static bool numbers_make(void *ctx, char *bytes, size_t size, size_t *ret_n)
{
	struct numbers *numbers = ctx;
	wait_ms(numbers->pause_ms);
	*ret_n = 0;
	if (numbers->left == -1)
		return false;
	while (numbers->left > 0 && size - *ret_n >= 16) {
		char line[32];
		(void)snprintf(line, sizeof(line), "%015d\n", (int)numbers->left--);
		memcpy(bytes + *ret_n, line, 16);
		*ret_n += 16;
	}
	if (numbers->left == 0 && *ret_n == 0)
		return true;
	return true;
}

static bool numbers_get(struct http_request *req, struct http_response *res, struct err *err)
{
	(void)err;
	struct numbers *numbers = arena_new_of(req->arena, struct numbers);
	numbers->left = http_query_int(req, "n");
	numbers->pause_ms = http_query_int(req, "pause_ms");
	http_on_sent(res, sent, NULL);
	http_stream(res, 200, "text/plain", http_query_bool(req, "sized") ? numbers->left * 16 : -1, numbers_make,
		    numbers);
	return true;
}

static bool page_get(struct http_request *req, struct http_response *res, struct err *err)
{
	static const struct http_page page = {.type = "text/html; charset=utf-8", .bytes = {"<p>hello</p>", 12}};
	(void)err;
	http_page(req, res, &page);
	return true;
}

static void buf_free(void *object)
{
	buf_done(object);
}

static bool metrics_get(struct http_request *req, struct http_response *res, struct err *err)
{
	struct metrics_query *query = arena_new_of(req->arena, struct metrics_query);
	struct metrics_answer answer;
	if (!metrics_query_parse(query, req->path, req->query))
		return err_set(err, ERR_NOT_FOUND, "There is no such group of metrics");
	struct buf *out = arena_new_of(req->arena, struct buf);
	*out = BUF(METRICS_EXPOSE_BYTES);
	arena_on_free(req->arena, buf_free, out);
	metrics_expose(query, out, &answer);
	http_bytes(res, answer.status, answer.content_type, buf_view(out));
	return true;
}

static const char *const colours[] = {"red", "green", NULL};
static const struct field body_fields[] = {{.name = "name", .type = FIELD_STRING, .required = true},
					   {.name = "colour", .type = FIELD_STRING, .values = colours},
					   {.name = "age", .type = FIELD_INT, RANGE(0, 150), .nullable = true},
					   {0}};
static const struct schema body_schema = {"Person", body_fields, NULL};
static const struct field slow_query[] = {{.name = "ms", .type = FIELD_INT, .fallback = "0", RANGE(0, 60000)}, {0}};
static const struct field count_query[] = {{.name = "ms", .type = FIELD_INT, .fallback = "0", RANGE(0, 60000)},
					   {.name = "status", .type = FIELD_INT},
					   {0}};
static const struct field upload_query[] = {{.name = "stop", .type = FIELD_INT},
					    {.name = "pause_ms", .type = FIELD_INT},
					    {.name = "refuse", .type = FIELD_BOOL},
					    {0}};
static const struct field download_query[] = {{.name = "name", .type = FIELD_STRING}, {0}};
static const struct field numbers_query[] = {{.name = "n", .type = FIELD_INT, .fallback = "10"},
					     {.name = "pause_ms", .type = FIELD_INT},
					     {.name = "sized", .type = FIELD_BOOL},
					     {0}};

static const struct http_route rows[] = {
	{.method = HTTP_GET, .path = "/projects/{project_id}", .guard = GUARD_PROJECT, .handler = project_get},
	{.method = HTTP_GET, .path = "/pooled/{project_id}", .run = HTTP_READ, .handler = project_get},
	{.method = HTTP_GET, .path = "/echo", .handler = echo, .with_head = true},
	{.method = HTTP_POST, .path = "/echo", .body = HTTP_BODY_JSON, .request = &body_schema, .handler = echo},
	{.method = HTTP_PUT,
	 .path = "/echo",
	 .body = HTTP_BODY_JSON_OPTIONAL,
	 .run = HTTP_WRITE,
	 .request = &body_schema,
	 .handler = echo},
	{.method = HTTP_DELETE, .path = "/echo", .run = HTTP_WRITE, .handler = echo},
	{.method = HTTP_ANY, .path = "/any/{rest}", .rest = true, .handler = echo},
	{.method = HTTP_GET, .path = "/admin", .guard = GUARD_ADMIN, .handler = echo},
	{.method = HTTP_POST,
	 .path = "/admin",
	 .guard = GUARD_ADMIN,
	 .run = HTTP_WRITE,
	 .body = HTTP_BODY_JSON,
	 .request = &body_schema,
	 .handler = echo},
	{.method = HTTP_GET, .path = "/slow", .run = HTTP_READ, .query = slow_query, .handler = slow},
	{.method = HTTP_GET, .path = "/state", .handler = state, .uncounted = true},
	{.method = HTTP_GET, .path = "/metrics", .handler = metrics_get, .run = HTTP_READ, .uncounted = true},
	{.method = HTTP_POST, .path = "/count", .run = HTTP_WRITE, .query = count_query, .handler = count},
	{.method = HTTP_PUT, .path = "/count", .run = HTTP_WRITE, .query = count_query, .handler = count},
	{.method = HTTP_DELETE, .path = "/count", .run = HTTP_WRITE, .query = count_query, .handler = count},
	{.method = HTTP_PATCH, .path = "/count", .run = HTTP_WRITE, .query = count_query, .handler = count},
	{.method = HTTP_POST, .path = "/count/other", .run = HTTP_WRITE, .query = count_query, .handler = count},
	{.method = HTTP_POST,
	 .path = "/count/json",
	 .run = HTTP_INLINE,
	 .body = HTTP_BODY_JSON,
	 .guard = GUARD_ADMIN,
	 .request = &body_schema,
	 .query = count_query,
	 .handler = count},
	{.method = HTTP_PUT,
	 .path = "/upload",
	 .run = HTTP_STREAM,
	 .body = HTTP_BODY_STREAM,
	 .query = upload_query,
	 .handler = upload},
	{.method = HTTP_POST,
	 .path = "/upload",
	 .run = HTTP_STREAM,
	 .body = HTTP_BODY_FILE,
	 .query = upload_query,
	 .handler = upload},
	{.method = HTTP_GET,
	 .path = "/file",
	 .run = HTTP_READ,
	 .with_head = true,
	 .query = download_query,
	 .handler = download},
	{.method = HTTP_GET, .path = "/numbers", .run = HTTP_READ, .query = numbers_query, .handler = numbers_get},
	{.method = HTTP_GET, .path = "/page", .handler = page_get, .uncounted = true},
};
static const struct http_routes table = {.rows = rows, .count = ARRAY_LEN(rows), .door = DOOR_REST};
static const struct http_routes *const tables[] = {&table};

/* "admin" is the admin, "p-<id>" a project's key, "old" an expired one. */
static bool key_find(void *ctx, struct span key, struct principal *ret, const char **ret_why)
{
	(void)ctx;
	*ret = (struct principal){.kind = WHO_ADMIN};
	if (span_is(key, "admin"))
		return true;
	if (span_starts(key, SPAN("p-")) && key.len < sizeof(ret->project_id)) {
		ret->kind = WHO_PROJECT;
		memcpy(ret->project_id, key.ptr + 2, key.len - 2);
		return true;
	}
	*ret_why = span_is(key, "old") ? "expired" : "unknown";
	return false;
}

static bool allow(const struct principal *who, enum guard guard, const char *project_id, const char *branch_id,
		  bool reading, struct err *err)
{
	(void)branch_id;
	(void)reading;
	if (who->kind == WHO_ADMIN)
		return true;
	if (guard == GUARD_ADMIN)
		return err_set(err, ERR_UNAUTHORIZED, "The admin key is needed");
	if (who->kind == WHO_PROJECT && strcmp(who->project_id, project_id) == 0)
		return true;
	return err_set(err, ERR_FORBIDDEN, "The key does not admit to project %s", project_id);
}

/* Kept answers in memory. */
static pthread_mutex_t store_lock = PTHREAD_MUTEX_INITIALIZER;
static struct map store;

static bool store_get(void *ctx, struct arena *arena, const char *key, struct http_kept *ret)
{
	(void)ctx;
	(void)pthread_mutex_lock(&store_lock);
	const struct http_kept *kept = map_get(&store, span_of(key));
	if (kept) {
		*ret = *kept;
		ret->method = arena_strdup(arena, kept->method);
		ret->target = arena_strdup(arena, kept->target);
		ret->type = kept->type ? arena_strdup(arena, kept->type) : NULL;
		ret->body = arena_span(arena, kept->body);
	}
	(void)pthread_mutex_unlock(&store_lock);
	return kept != NULL;
}

static bool store_put(void *ctx, const char *key, const struct http_kept *kept, struct err *err)
{
	(void)ctx;
	if (strncmp(key, "unkeepable", 10) == 0)
		return err_set(err, ERR_METADATA, "The store is out of order");
	struct http_kept *copy = mem_alloc(sizeof(*copy));
	*copy = *kept;
	copy->method = mem_strdup(kept->method);
	copy->target = mem_strdup(kept->target);
	copy->type = kept->type ? mem_strdup(kept->type) : NULL;
	copy->body = (struct span){mem_copy(kept->body), kept->body.len};
	(void)pthread_mutex_lock(&store_lock);
	(void)map_put(&store, span_of(key), copy);
	(void)pthread_mutex_unlock(&store_lock);
	return true;
}

static void store_sweep(void *ctx)
{
	(void)ctx;
}

static bool file_make(void)
{
	int fd = mkostemp(file_path, O_CLOEXEC);
	char line[65];
	if (fd < 0)
		return false;
	for (unsigned i = 0; i < 1024 * 1024; i++) {
		(void)snprintf(line, sizeof(line), "%08u,0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR\n", i);
		file_size += 64;
		if (write(fd, line, 64) != 64)
			return false;
	}
	return close(fd) == 0;
}

static const char *flag(int argc, char **argv, const char *name, const char *fallback)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], name) == 0)
			return i + 1 < argc ? argv[i + 1] : "";
	}
	return fallback;
}

static unsigned number(int argc, char **argv, const char *name, const char *fallback)
{
	uint64_t value = 0;
	return span_u64(span_of(flag(argc, argv, name, fallback)), &value) ? (unsigned)value : 0;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct http_server *server = NULL;
	struct pool *pool[HTTP_RUNS] = {0};
	char line[64];
	struct http_config config = {.listener = "http",
				     .host = "127.0.0.1",
				     .port = (int)number(argc, argv, "--port", "0"),
				     .tls_cert = flag(argc, argv, "--cert", NULL),
				     .tls_key = flag(argc, argv, "--key", NULL),
				     .threads = number(argc, argv, "--threads", "0"),
				     .connections_max = number(argc, argv, "--connections", "20000"),
				     .idle_timeout_s = number(argc, argv, "--idle-timeout", "75"),
				     .head_timeout_s = number(argc, argv, "--head-timeout", "10"),
				     .quiet = flag(argc, argv, "--quiet", NULL) != NULL,
				     .title = "Echo",
				     .version = "1",
				     .tables = tables,
				     .table_count = 1,
				     .auth = key_find,
				     .allow = allow,
				     .idempotency = {&store, store_get, store_put, store_sweep}};
	for (int run = HTTP_READ; run < HTTP_RUNS; run++) {
		const struct pool_config of = {
			.name = "work", .threads = run == HTTP_STREAM ? 16 : 8, .queue_max = 1000};
		pool[run] = pool_start(&of);
		config.pools[run] = pool[run];
	}
	log_setup(LOG_FORMAT_JSON, LOG_INFO);
	metrics_start(&METRICS_CONFIG_DEFAULT);
	if (!file_make() || !http_server_start(&config, &server, &err)) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	printf("%d\n", http_server_port(server));
	(void)fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (strncmp(line, "drain", 5) == 0) {
			printf("%s\n", http_server_drain(server, 10) ? "drained" : "busy");
			(void)fflush(stdout);
		}
	}
	http_server_stop(server);
	for (int run = HTTP_READ; run < HTTP_RUNS; run++)
		pool_stop(pool[run]);
	metrics_stop();
	(void)unlink(file_path);
	return 0;
}
