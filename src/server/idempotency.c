#include "server/idempotency.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/seal.h"
#include "catalog/catalog.h"

#include <stdlib.h>

enum { KEY_NAME_BYTES = 8 };

struct answers {
	struct catalog *catalog;
	/* Of this process alone: what it seals, no later one can open, nor who reads the disk. */
	unsigned char key[SEAL_KEY_BYTES];
	char key_name[2 * KEY_NAME_BYTES + 1]; /* in the row, to tell an answer of an earlier process */
};

static bool kept_get(void *ctx, struct arena *arena, const char *key, struct http_kept *ret)
{
	struct answers *answers = ctx;
	struct idempotency_entry row;
	if (!catalog_get_idempotency_entry(answers->catalog, arena, KEY(key), &row))
		return false;
	*ret = (struct http_kept){
		.method = row.method,
		.target = row.path,
		.status = (int)row.status,
		.type = row.content_type,
		.body = row.body,
		.secret = row.seal != NULL,
		.expires_us = row.expires_at,
	};
	if (row.seal)
		ret->lost = strcmp(row.seal, answers->key_name) != 0 ||
			    !seal_open(arena, answers->key, span_of(key), row.body, &ret->body);
	return hash_unhex(span_of(row.body_hash), ret->body_sha256, sizeof(ret->body_sha256)) &&
	       hash_unhex(span_of(row.credential_hash), ret->credential_sha256, sizeof(ret->credential_sha256));
}

static bool kept_put(void *ctx, const char *key, const struct http_kept *kept, struct err *err)
{
	struct answers *answers = ctx;
	char body_hash[SHA256_HEX_SIZE];
	char credential_hash[SHA256_HEX_SIZE];
	hash_hex(kept->body_sha256, sizeof(kept->body_sha256), body_hash);
	hash_hex(kept->credential_sha256, sizeof(kept->credential_sha256), credential_hash);
	struct arena *arena = arena_new();
	struct idempotency_entry row = {
		.key = key,
		.method = kept->method,
		.path = kept->target,
		.body_hash = body_hash,
		.credential_hash = credential_hash,
		.content_type = kept->type,
		.seal = kept->secret ? answers->key_name : NULL,
		.body = kept->secret ? seal_close(arena, answers->key, span_of(key), kept->body) : kept->body,
		.status = kept->status,
		.created_at = clock_unix_us(),
		.expires_at = kept->expires_us,
	};
	struct catalog_txn *t = catalog_txn(answers->catalog, arena);
	catalog_put_idempotency_entry(t, &row);
	bool fine = catalog_commit(t, err);
	arena_free(arena);
	return fine;
}

static void kept_sweep(void *ctx)
{
	struct answers *answers = ctx;
	struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	struct idempotency_entry *rows;
	size_t n;
	int64_t now = clock_unix_us();
	struct catalog_txn *t = catalog_txn(answers->catalog, arena);
	catalog_list_idempotency_entries_by_expiry(answers->catalog, arena, KEY_ALL,
						   &(struct catalog_page){.limit = 10000}, &rows, &n);
	for (size_t i = 0; i < n && rows[i].expires_at <= now; i++)
		catalog_remove_idempotency_entry(t, KEY(rows[i].key));
	/* What stays is expired all the same, and is tried again with the next sweep. */
	(void)!catalog_commit(t, &err);
	arena_free(arena);
}

struct http_idempotency idempotency_open(struct catalog *catalog)
{
	struct answers *answers = mem_alloc(sizeof(*answers));
	answers->catalog = catalog;
	id_random(answers->key, sizeof(answers->key));
	id_hex(KEY_NAME_BYTES, answers->key_name);
	return (struct http_idempotency){.ctx = answers, .get = kept_get, .put = kept_put, .sweep = kept_sweep};
}

void idempotency_close(struct http_idempotency *store)
{
	free(store->ctx);
	store->ctx = NULL;
}
