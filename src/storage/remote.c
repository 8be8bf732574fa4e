#include "storage/remote.h"

#include "base/clock.h"
#include "engine/session.h"
#include "storage/file.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONNECT_SECONDS = 15, SILENT_SECONDS = 60, REDIRECTS_MAX = 5 };

struct transfer {
	const struct call *call;
	const struct remote *remote;
	FILE *file;
	int64_t bytes;
	int64_t bytes_max;
	bool too_large;
	char reason[CURL_ERROR_SIZE];
	struct curl_slist *headers;
};

static pthread_once_t library = PTHREAD_ONCE_INIT;

static void library_begin(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- whom may be asked ---- */

static bool host_allowed(const struct settings *s, const char *host)
{
	struct span rest = span_of(s->import_hosts);
	struct span name = span_of(host);
	if (!rest.len)
		return true;
	while (rest.len) {
		struct span one = span_trim(span_cut(&rest, ','));
		bool below = one.len > 1 && *one.ptr == '.' && name.len > one.len &&
			     span_eq_nocase(span_skip(name, name.len - one.len), one);
		if (below || span_eq_nocase(one, name))
			return true;
	}
	return false;
}

static bool url_check(const struct settings *s, const char *url, struct err *err)
{
	CURLU *parts = curl_url();
	char *host = NULL;
	bool fine = curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
		    curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK;
	if (!fine)
		(void)err_set(err, ERR_INVALID_ARGUMENT, "The location is no valid URL");
	else if (!host_allowed(s, host))
		fine = err_set(err, ERR_INVALID_ARGUMENT, "The host %s may not be asked (IMPORT_HOSTS)", host);
	curl_free(host);
	curl_url_cleanup(parts);
	return fine;
}

bool remote_is_own(const struct storage *storage, const struct call *call, const char *method, const char *url,
		   bool *ret_own, struct own_object *ret, struct err *err)
{
	*ret_own = false;
	return !storage->own_url || storage->own_url(storage->own_url_ctx, call, method, url, ret_own, ret, err);
}

/* ---- the transfer ---- */

static size_t take(char *bytes, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	t->bytes += (int64_t)(size * n);
	t->too_large = t->bytes > t->bytes_max;
	return t->too_large ? 0 : fwrite(bytes, size, n, t->file);
}

static size_t give(char *bytes, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	return fread(bytes, size, n, t->file);
}

static int watch(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct transfer *t = ctx;
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return t->call->progress && progress_cancelled(t->call->progress);
}

static CURL *transfer_begin(struct transfer *t)
{
	const struct remote *r = t->remote;
	CURL *curl = curl_easy_init();
	if (!curl)
		return NULL;
	curl_easy_setopt(curl, CURLOPT_URL, r->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SILENT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, t->reason);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
	if (r->access_key) {
		char text[300];
		(void)snprintf(text, sizeof(text), "aws:amz:%s:s3", r->region);
		curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, text);
		curl_easy_setopt(curl, CURLOPT_USERNAME, r->access_key);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, r->secret_key);
		t->headers = curl_slist_append(t->headers, "x-amz-content-sha256: UNSIGNED-PAYLOAD");
		if (r->token && *r->token) {
			struct buf token = BUF(8192);
			buf_printf(&token, "x-amz-security-token: %s", r->token);
			t->headers = token.failed ? t->headers : curl_slist_append(t->headers, token.ptr);
			buf_done(&token);
		}
	}
	if (*t->call->trace.trace_id && !r->access_key) {
		char header[sizeof("traceparent: ") + TRACE_TEXT_SIZE] = "traceparent: ";
		(void)trace_text(&t->call->trace, header + strlen("traceparent: "));
		t->headers = curl_slist_append(t->headers, header);
	}
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, t->headers);
	return curl;
}

static bool transfer_run(struct transfer *t, CURL *curl, struct err *err)
{
	CURLcode code = curl_easy_perform(curl);
	curl_easy_cleanup(curl);
	curl_slist_free_all(t->headers);
	if (code == CURLE_OK)
		return true;
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return err_set(err, ERR_CANCELLED, "The transfer was cancelled");
	if (t->too_large)
		return err_set(err, ERR_INVALID_ARGUMENT, "The file is larger than %lld bytes",
			       (long long)t->bytes_max);
	return err_set(err, ERR_INVALID_ARGUMENT, "%s", *t->reason ? t->reason : curl_easy_strerror(code));
}

static void file_remove(void *path)
{
	(void)unlink(path);
}

/* Those who read by name learn about compression from the ending. */
static const char *ending_of(const char *url)
{
	size_t path = strcspn(url, "?#");
	struct span name = {url, path};
	return span_ends(name, SPAN(".gz")) ? ".gz" : span_ends(name, SPAN(".zst")) ? ".zst" : "";
}

bool remote_fetch(struct storage *storage, const struct call *call, const struct remote *remote, const char **ret_path,
		  struct err *err)
{
	struct transfer t = {.call = call, .remote = remote, .bytes_max = storage->settings->file_max_bytes};
	const char *path;
	(void)pthread_once(&library, library_begin);
	if (!url_check(storage->settings, remote->url, err) || !file_temporary(storage, call->arena, &path, err))
		return false;
	char *named = arena_printf(call->arena, "%s%s", path, ending_of(remote->url));
	t.file = fopen(named, "wbe");
	if (!t.file)
		return err_errno(err, errno, "Cannot create %s", named);
	arena_on_free(call->arena, file_remove, named);
	CURL *curl = transfer_begin(&t);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, storage->settings->import_hosts ? 0L : 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &t);
	bool fine = transfer_run(&t, curl, err);
	if (fclose(t.file) != 0 && fine)
		fine = err_errno(err, errno, "Cannot write %s", named);
	*ret_path = named;
	return fine;
}

bool remote_put(struct storage *storage, const struct call *call, const struct remote *remote, const char *path,
		struct err *err)
{
	struct transfer t = {.call = call, .remote = remote};
	struct stat st;
	(void)pthread_once(&library, library_begin);
	if (!url_check(storage->settings, remote->url, err))
		return false;
	t.file = fopen(path, "rbe");
	if (!t.file || fstat(fileno(t.file), &st) != 0) {
		(void)err_errno(err, errno, "Cannot read %s", path);
		if (t.file)
			(void)fclose(t.file);
		return false;
	}
	CURL *curl = transfer_begin(&t);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)st.st_size);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(curl, CURLOPT_READDATA, &t);
	bool fine = transfer_run(&t, curl, err);
	(void)fclose(t.file);
	return fine;
}
