/* Both forms of Signature V4. Input: four lines (path, query, Authorization, x-amz-date). */
#include "s3/presign.h"
#include "s3/sigv4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool header_at(const void *ctx, size_t at, struct span *ret_name, struct span *ret_value)
{
	static const char *const names[] = {"host", "authorization", "x-amz-date"};
	const struct span *lines = ctx;
	if (at >= ARRAY_LEN(names))
		return false;
	*ret_name = span_of(names[at]);
	*ret_value = lines[at];
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = {(const char *)data, size};
	struct span path = span_cut(&rest, '\n');
	struct span query = span_cut(&rest, '\n');
	struct span lines[3] = {SPAN("h"), span_cut(&rest, '\n'), rest};
	const struct sigv4_request req = {SPAN("GET"), path, query, header_at, lines};
	static const unsigned char key[SIGV4_KEY_BYTES];
	struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	struct sigv4 auth;
	int64_t expires;
	if (sigv4_parse_header(arena, &req, &auth, &err) && sigv4_verify(arena, &auth, &req, key, auth.time_s, 1, &err))
		__builtin_trap(); /* nobody finds the signature of an unknown key */
	if (sigv4_parse_query(arena, &req, &auth, &err) && sigv4_verify(arena, &auth, &req, key, auth.time_s, 1, &err))
		__builtin_trap();
	if (presign_expires(query, &expires) &&
	    presign_verify(&(struct presign){.expires_s = expires}, path, path, 0, &err))
		__builtin_trap();
	arena_free(arena);
	return 0;
}
