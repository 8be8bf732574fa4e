/*
 * The project's tables as rows of the catalog, one listing for all sessions of a workspace. It is made again when a commit of
 * the server's catalog changed what the workspace sees; other commits only cost a look at the rows in memory.
 */
#include "base/map.h"
#include "engine/bulk.h"
#include "pgwire/backend.h"
#include "storage/storage.h"

/* Where the catalog's SQL (_row_oid) expects them. */
enum {
	TABLE_OID = 0x20000000, /* and as many behind it; an index of the key has its table's plus 0x20000000 */
	TABLE_OIDS = 0x20000000,
	BUCKET_OID = 0x60000000,
	BUCKET_OIDS = 0x10000000
};

struct listing {
	struct backend *b;
	struct session *session;
	struct workspace_table *tables;
	size_t table_count;
	const char **buckets;
	size_t bucket_count;
	uint64_t fingerprint;
	struct map oids; /* taken */
	struct bulk *table_rows, *column_rows;
};

static void mix(uint64_t *hash, uint64_t value)
{
	*hash = (*hash ^ value) * UINT64_C(0x100000001b3) + (*hash >> 29);
}

static bool look(struct listing *l, struct err *err)
{
	struct backend *b = l->b;
	if (!workspace_tables(b->door->storage, b->work, b->workspace.project_id, b->workspace.branch_id, true,
			      &l->tables, &l->table_count, err) ||
	    !workspace_buckets(b->door->storage, b->work, b->workspace.project_id, &l->buckets, &l->bucket_count, err))
		return false;
	for (size_t i = 0; i < l->bucket_count; i++)
		mix(&l->fingerprint, span_hash(span_of(l->buckets[i])));
	for (size_t i = 0; i < l->table_count; i++) {
		const struct workspace_table *t = &l->tables[i];
		mix(&l->fingerprint, span_hash(span_of(t->bucket)));
		mix(&l->fingerprint, span_hash(span_of(t->name)));
		mix(&l->fingerprint, span_hash(span_of(t->row.schema_json)));
		mix(&l->fingerprint, (uint64_t)t->row.row_count);
		mix(&l->fingerprint, (uint64_t)t->row.size_bytes);
	}
	l->fingerprint >>= 1; /* a BIGINT */
	return true;
}

static uint64_t name_hash(const char *bucket, const char *table)
{
	uint64_t hash = span_hash(span_of(bucket));
	if (table)
		mix(&hash, span_hash(span_of(table)));
	return hash;
}

uint32_t listing_table_oid(const char *bucket, const char *table)
{
	return TABLE_OID + (uint32_t)(name_hash(bucket, table) % TABLE_OIDS);
}

/* An id that stays while the name does, except where two names meet. */
static uint32_t oid_of(struct listing *l, uint32_t base, uint32_t room, const char *bucket, const char *table)
{
	const uint64_t hash = name_hash(bucket, table);
	for (uint32_t step = 0;; step++) {
		uint32_t oid = base + (uint32_t)((hash + step) % room);
		struct span key = {(const char *)&oid, sizeof(oid)};
		if (!map_get(&l->oids, key)) {
			(void)map_put(&l->oids, key, l);
			return oid;
		}
	}
}

/* Names separated by a byte no name holds; nothing for a table without key. */
static void put_key(struct listing *l, const struct table_schema *schema)
{
	struct buf text = BUF(MIB);
	for (size_t i = 0; i < schema->key_count; i++) {
		if (i)
			buf_byte(&text, '\x1f');
		buf_str(&text, schema->key[i]);
	}
	if (schema->key_count)
		(void)bulk_bytes(l->table_rows, 6, buf_view(&text));
	buf_done(&text);
}

static bool put_columns(struct listing *l, const struct table_schema *schema, uint32_t oid, struct err *err)
{
	for (size_t i = 0; i < schema->column_count; i++) {
		const struct table_column *c = &schema->columns[i];
		(void)bulk_int(l->column_rows, 0, oid);
		(void)bulk_int(l->column_rows, 1, (int64_t)i + 1);
		(void)bulk_bytes(l->column_rows, 2, span_of(c->name));
		(void)bulk_bytes(l->column_rows, 3, span_of(c->type));
		(void)bulk_bool(l->column_rows, 4, c->nullable);
		if (c->default_sql)
			(void)bulk_bytes(l->column_rows, 5, span_of(c->default_sql));
		if (!bulk_end_row(l->column_rows, err))
			return false;
	}
	return true;
}

static bool put_table(struct listing *l, const struct workspace_table *t, uint32_t schema_oid, struct err *err)
{
	struct table_schema schema;
	if (!workspace_table_schema(t, l->b->work, &schema, err))
		return false;
	const uint32_t oid = oid_of(l, TABLE_OID, TABLE_OIDS, t->bucket, t->name);
	(void)bulk_int(l->table_rows, 0, oid);
	(void)bulk_int(l->table_rows, 1, schema_oid);
	(void)bulk_bytes(l->table_rows, 2, span_of(t->bucket));
	(void)bulk_bytes(l->table_rows, 3, span_of(t->name));
	(void)bulk_real(l->table_rows, 4, (double)t->row.row_count);
	(void)bulk_int(l->table_rows, 5, t->row.size_bytes);
	put_key(l, &schema);
	return bulk_end_row(l->table_rows, err) && put_columns(l, &schema, oid, err);
}

/* Buckets and tables are both ordered by the bucket's name. */
static bool put_rows(struct listing *l, struct bulk *schemas, struct err *err)
{
	size_t at = 0;
	for (size_t i = 0; i < l->bucket_count; i++) {
		const uint32_t oid = oid_of(l, BUCKET_OID, BUCKET_OIDS, l->buckets[i], NULL);
		(void)bulk_int(schemas, 0, oid);
		(void)bulk_bytes(schemas, 1, span_of(l->buckets[i]));
		if (!bulk_end_row(schemas, err))
			return false;
		while (at < l->table_count && strcmp(l->tables[at].bucket, l->buckets[i]) < 0)
			at++;
		for (; at < l->table_count && strcmp(l->tables[at].bucket, l->buckets[i]) == 0; at++)
			if (!put_table(l, &l->tables[at], oid, err))
				return false;
	}
	return bulk_flush(schemas, err) && bulk_flush(l->table_rows, err) && bulk_flush(l->column_rows, err);
}

static bool write_rows(struct listing *l, struct err *err)
{
	struct bulk *schemas = NULL;
	bool fine = bulk_open(l->session, "_pg_own", "main", "_project_schemas", NULL, 0, &schemas, err) &&
		    bulk_open(l->session, "_pg_own", "main", "_project_tables", NULL, 0, &l->table_rows, err) &&
		    bulk_open(l->session, "_pg_own", "main", "_project_columns", NULL, 0, &l->column_rows, err) &&
		    put_rows(l, schemas, err);
	bulk_close(schemas);
	bulk_close(l->table_rows);
	bulk_close(l->column_rows);
	return fine;
}

static bool rewrite_listing(struct listing *l, uint64_t epoch, struct err *err)
{
	struct err ignored = ERR_INIT;
	const char *done = arena_printf(l->b->work, "INSERT INTO _pg_own.main._listing VALUES (%llu, %llu);\nCOMMIT;",
					(unsigned long long)epoch, (unsigned long long)l->fingerprint);
	if (!session_run(
		    l->session,
		    "BEGIN;\nDELETE FROM _pg_own.main._project_schemas;\nDELETE FROM _pg_own.main._project_tables;\n"
		    "DELETE FROM _pg_own.main._project_columns;\nDELETE FROM _pg_own.main._listing;",
		    err))
		return false;
	if (write_rows(l, err) && session_run(l->session, done, err))
		return true;
	(void)!session_run(l->session, "ROLLBACK", &ignored);
	return false;
}

static bool update(struct listing *l, uint64_t epoch, struct err *err)
{
	int64_t known, fingerprint;
	if (!session_int(l->session, "SELECT coalesce(max(epoch), -1)::BIGINT FROM _pg_own.main._listing", &known, err))
		return false;
	if (known == (int64_t)epoch)
		return true;
	if (!look(l, err) ||
	    !session_int(l->session, "SELECT coalesce(max(fingerprint), -1)::BIGINT FROM _pg_own.main._listing",
			 &fingerprint, err))
		return false;
	if (fingerprint != (int64_t)l->fingerprint)
		return rewrite_listing(l, epoch, err);
	return session_run(
		l->session,
		arena_printf(l->b->work, "UPDATE _pg_own.main._listing SET epoch = %llu", (unsigned long long)epoch),
		err);
}

bool listing_update(struct backend *b, uint64_t epoch, struct err *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct listing l = {.b = b, .oids = MAP_INIT};
	(void)pthread_mutex_lock(&lock);
	bool fine = workspace_session(b->wi, &l.session, err) && update(&l, epoch, err);
	session_close(l.session);
	map_done(&l.oids);
	(void)pthread_mutex_unlock(&lock);
	return fine;
}
