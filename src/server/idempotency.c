#include "server/idempotency.h"

#include "base/clock.h"
#include "base/hash.h"
#include "catalog/catalog.h"

static bool kept_get(void *ctx, struct arena *arena, const char *key, struct http_kept *ret)
{
	struct idempotency_entry row;
	if (!catalog_get_idempotency_entry(ctx, arena, KEY(key), &row))
		return false;
	*ret = (struct http_kept){
		.method = row.method,
		.target = row.path,
		.status = (int)row.status,
		.type = row.content_type,
		.body = row.body,
		.expires_us = row.expires_at,
	};
	return hash_unhex(span_of(row.body_hash), ret->body_sha256, sizeof(ret->body_sha256)) &&
	       hash_unhex(span_of(row.credential_hash), ret->credential_sha256, sizeof(ret->credential_sha256));
}

static bool kept_put(void *ctx, const char *key, const struct http_kept *kept, struct err *err)
{
	char body_hash[SHA256_HEX_SIZE];
	char credential_hash[SHA256_HEX_SIZE];
	hash_hex(kept->body_sha256, sizeof(kept->body_sha256), body_hash);
	hash_hex(kept->credential_sha256, sizeof(kept->credential_sha256), credential_hash);
	struct idempotency_entry row = {
		.key = key,
		.method = kept->method,
		.path = kept->target,
		.body_hash = body_hash,
		.credential_hash = credential_hash,
		.content_type = kept->type,
		.body = kept->body,
		.status = kept->status,
		.created_at = clock_unix_us(),
		.expires_at = kept->expires_us,
	};
	struct arena *arena = arena_new();
	struct catalog_txn *t = catalog_txn(ctx, arena);
	catalog_put_idempotency_entry(t, &row);
	bool fine = catalog_commit(t, err);
	arena_free(arena);
	return fine;
}

static void kept_sweep(void *ctx)
{
	struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	struct idempotency_entry *rows;
	size_t n;
	int64_t now = clock_unix_us();
	struct catalog_txn *t = catalog_txn(ctx, arena);
	catalog_list_idempotency_entries_by_expiry(ctx, arena, KEY_ALL, &(struct catalog_page){.limit = 10000}, &rows,
						   &n);
	for (size_t i = 0; i < n && rows[i].expires_at <= now; i++)
		catalog_remove_idempotency_entry(t, KEY(rows[i].key));
	/* What stays is expired all the same, and is tried again with the next sweep. */
	(void)!catalog_commit(t, &err);
	arena_free(arena);
}

struct http_idempotency idempotency_of(struct catalog *catalog)
{
	return (struct http_idempotency){.ctx = catalog, .get = kept_get, .put = kept_put, .sweep = kept_sweep};
}
