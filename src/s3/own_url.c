/* URLs that name an object of this very server, given to a command instead of a client that would fetch them. */
#include "base/clock.h"
#include "http/target.h"
#include "s3/door.h"
#include "s3/presign.h"
#include "storage/remote.h"

#include <unistd.h>

struct own_url {
	struct span authority;
	struct span path;
	struct span query;
};

/* http(s)://authority/path?query; false: something else. */
static bool url_split(const char *url, struct own_url *ret, bool *ret_tls)
{
	struct span rest = span_of(url);
	*ret_tls = rest.len > 8 && strncasecmp(url, "https://", 8) == 0;
	if (!*ret_tls && (rest.len <= 7 || strncasecmp(url, "http://", 7) != 0))
		return false;
	struct span behind = span_skip(rest, *ret_tls ? 8 : 7);
	ret->authority = span_first(behind, strcspn(behind.ptr, "/?#"));
	target_split(span_skip(behind, ret->authority.len), &ret->path, &ret->query);
	return ret->authority.len > 0;
}

/* Names under which a machine reaches itself, when no BASE_URL says how clients do. */
static bool is_this_machine(const struct settings *s, struct span host)
{
	char name[256];
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (span_eq_nocase(host, span_of(names[i])))
			return true;
	}
	if (span_eq_nocase(host, span_of(s->host)))
		return true;
	return gethostname(name, sizeof(name)) == 0 && span_eq_nocase(host, span_of(name));
}

static bool is_own(const struct s3_door *door, const struct own_url *url, bool tls)
{
	const struct settings *s = door->settings;
	/* As clients outside reach the server, and as its neighbours do. */
	const char *const named[] = {s->base_url, s->service_url};
	for (size_t i = 0; i < ARRAY_LEN(named); i++) {
		struct own_url own;
		bool own_tls;
		if (named[i] && url_split(named[i], &own, &own_tls) && own_tls == tls &&
		    span_eq_nocase(own.authority, url->authority))
			return true;
	}
	struct span host = url->authority;
	uint64_t port = tls ? 443 : 80;
	for (size_t i = host.len; i > 0 && host.ptr[i - 1] != ']'; i--) {
		if (host.ptr[i - 1] != ':')
			continue;
		if (!span_u64(span_skip(host, i), &port))
			return false;
		host = span_first(host, i - 1);
		break;
	}
	return (int)port == door->port && tls == (s->tls_cert != NULL) && is_this_machine(s, host);
}

/* ---- what the URL carries ---- */

static bool header_host(const void *ctx, size_t at, struct span *ret_name, struct span *ret_value)
{
	const struct own_url *url = ctx;
	*ret_name = SPAN("host");
	*ret_value = url->authority;
	return at == 0;
}

static bool by_sigv4(struct s3_call *call, const struct own_url *url, const char *method, struct err *err)
{
	const struct sigv4_request request = {
		.method = span_of(method), .path = url->path, .query = url->query, .header = header_host, .ctx = url};
	struct s3_caller *caller = &call->caller;
	char secret[S3_SECRET_MAX + 1];
	const char *why;
	if (!sigv4_parse_query(call->arena, &request, &caller->sigv4, err))
		return false;
	if (!s3_find_secret(call, caller->sigv4.access_key, secret, &why))
		return err_set(err, ERR_ACCESS_KEY_UNKNOWN, "The access key id is not known here");
	sigv4_key(span_of(secret), caller->sigv4.date, caller->sigv4.region, caller->key);
	explicit_bzero(secret, sizeof(secret));
	return sigv4_verify(call->arena, &caller->sigv4, &request, caller->key, clock_unix_us() / US_PER_S,
			    call->door->settings->s3_sig_max_age, err);
}

static bool by_own_signature(struct s3_call *call, const char *method, const char *signature, const char *expires,
			     struct err *err)
{
	const char *type = s3_query(call, "content_type");
	struct presign what = {.method = span_of(method),
			       .bucket = span_of(call->address.bucket),
			       .key = span_of(call->address.key),
			       .content_type = type ? span_of(type) : SPAN_NONE};
	if (!presign_expires(span_of(expires), &what.expires_s))
		return err_set(err, ERR_INVALID_EXPIRES, "expires must be a time in Unix seconds");
	call->caller.who.kind = WHO_ADMIN;
	return presign_verify(&what, call->door->presign_key, span_of(signature), clock_unix_us() / US_PER_S, err);
}

static void query_take(struct s3_call *call, struct span query)
{
	struct span name, value;
	size_t n = 1;
	for (size_t i = 0; i < query.len; i++)
		n += query.ptr[i] == '&';
	call->query = arena_array(call->arena, struct s3_pair, n);
	while (query_next(&query, &name, &value))
		call->query[call->query_count++] = (struct s3_pair){percent_decoded(call->arena, name, true),
								    percent_decoded(call->arena, value, true)};
}

static bool own_url(void *ctx, const struct call *caller, const char *method, const char *url, bool *ret_own,
		    struct own_object *ret, struct err *err)
{
	struct s3_door *door = ctx;
	struct own_url parts;
	bool tls;
	bool writes = strcmp(method, "PUT") == 0;
	*ret_own = url_split(url, &parts, &tls) && is_own(door, &parts, tls);
	if (!*ret_own)
		return true;
	struct s3_call *call = arena_new_of(caller->arena, struct s3_call);
	*call = (struct s3_call){
		.door = door, .storage = door->storage, .arena = caller->arena, .caller.who = caller->who};
	query_take(call, parts.query);
	if (!s3_address_read(call->arena, parts.path, &call->address, err))
		return false;
	if (call->address.level != S3_OBJECT)
		return err_set(err, ERR_INVALID_ARGUMENT, "The URL names no file of this server");
	const char *signature = s3_query(call, "signature");
	const char *expires = s3_query(call, "expires");
	if (s3_query(call, "X-Amz-Algorithm") ? !by_sigv4(call, &parts, method, err)
	    : signature && expires	      ? !by_own_signature(call, method, signature, expires, err)
					      : false)
		return false;
	ret->key = call->address.key;
	return s3_authorize(call, call->address.bucket, writes ? S3_WRITES : S3_READS, &ret->project_id, err);
}

void s3_door_listens(struct s3_door *door, int port)
{
	door->port = port;
	door->storage->own_url_ctx = door;
	door->storage->own_url = own_url;
}
