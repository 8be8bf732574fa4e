/*
 * Operations on buckets, own and linked. Sharing and linking are in sharing.h.
 */
#ifndef STORAGE_BUCKET_H
#define STORAGE_BUCKET_H

#include "catalog/catalog.h"
#include "storage/lock.h"
#include "storage/storage.h"

struct place;
struct removal;

struct bucket_info {
	const char *name;
	int64_t table_count;
	const char *description; /* may be NULL */
	bool is_linked;
	const char *source_project_id; /* of a link, else NULL */
	const char *source_bucket_name;
};

struct bucket_request {
	const char *project_id;
	const char *branch_id;
	const char *name;
	const char *description; /* may be NULL */
};

MUST_CHECK bool bucket_create(struct storage *storage, const struct call *call, const struct bucket_request *request,
			      struct bucket_info *ret, struct err *err);
/*
 * The same without waiting for the disk: many at once need no threads. `done` is called once, on the caller's thread
 * before this returns or on the catalog's, with NULL and the error when it failed; it must be short and not commit.
 * Texts of the request and the call live until then.
 */
typedef void (*bucket_made)(void *ctx, const struct bucket_info *bucket, const struct err *err);
void bucket_create_then(struct storage *storage, const struct call *call, const struct bucket_request *request,
			bucket_made done, void *ctx);
MUST_CHECK bool bucket_get(struct storage *storage, const struct call *call, const char *project_id,
			   const char *branch_id, const char *name, struct bucket_info *ret, struct err *err);
/* Own ones by name, then linked ones by name. */
MUST_CHECK bool bucket_list(struct storage *storage, const struct call *call, const char *project_id,
			    const char *branch_id, struct bucket_info **ret, size_t *ret_count, struct err *err);
/* On a linked bucket: unlinks. Takes an automatic snapshot of each table where the settings say so. */
MUST_CHECK bool bucket_delete(struct storage *storage, const struct call *call, const char *project_id,
			      const char *branch_id, const char *name, bool cascade, struct err *err);

/* Tables that go when a bucket goes: of all branches, and of the buckets linked to it those that are local to the links. */
struct bucket_tables {
	struct table_row *rows;
	struct lock_name *names; /* of the same tables */
	size_t count;
	size_t own_count; /* the first ones: not those of links */
	const char *project_id;
	const char *bucket;
	struct bucket_link *links; /* linked to it */
	size_t link_count;
};
/*
 * What is held while they go: the locks of the tables, and the names of the bucket (or of the whole project) and of the
 * links, until the folders are out of the way: else the removal could take the tables of a new bucket of the same name
 * with it. No link to the bucket comes or goes meanwhile.
 */
struct bucket_hold {
	struct admission admission;
	struct span *names;
	size_t name_count;
};
/* bucket NULL: of all buckets of the project. Pair with bucket_tables_let_go, also on failure. */
MUST_CHECK bool bucket_tables_hold(struct op *op, const char *project_id, const char *bucket, struct bucket_tables *ret,
				   struct bucket_hold *hold, struct err *err);
void bucket_tables_let_go(struct storage *storage, struct bucket_hold *hold);
/* Adds the removal of their records, versions included, of the links and of the folders to the transaction. */
void bucket_tables_forget(struct catalog_txn *t, const struct bucket_tables *tables, struct removal *gone);
/* After the commit: folders and version pins. */
void bucket_tables_remove(struct storage *storage, const struct bucket_tables *tables, struct removal *gone);

/* Names of buckets, for who makes a bucket or link. `bucket` NULL: the project, for links to its buckets. */
struct span bucket_name_key(struct arena *arena, const char *project_id, const char *bucket);
/* Waits until all are the caller's; orders them, repeated ones left out. Their number. After the locks of tables, if any. */
size_t bucket_names_lock(struct storage *storage, struct span *names, size_t n);
void bucket_names_unlock(struct storage *storage, const struct span *names, size_t n);

/*
 * Who failed to write a table because its bucket or branch is gone may have made their folders again: those go, when they
 * are empty and nobody has made a bucket of that name since. The caller may hold locks of tables, but no names.
 */
void bucket_folder_tidy(const struct place *place);

/* How a link shows. */
void bucket_info_linked(struct storage *storage, struct arena *arena, const struct bucket_link *link,
			struct bucket_info *ret);

#endif
