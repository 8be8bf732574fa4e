/*
 * Operations on buckets, own and linked. Sharing and linking are in sharing.h.
 */
#ifndef STORAGE_BUCKET_H
#define STORAGE_BUCKET_H

#include "catalog/catalog.h"
#include "storage/lock.h"
#include "storage/storage.h"

struct removal;

struct bucket_info {
	const char *name;
	int64_t table_count;
	const char *description; /* may be NULL */
	bool is_linked;
	const char *source_project_id; /* of a link, else NULL */
	const char *source_bucket_name;
};

MUST_CHECK bool bucket_create(struct storage *storage, const struct call *call, const char *project_id,
			      const char *branch_id, const char *name, const char *description, struct bucket_info *ret,
			      struct err *err);
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
/* bucket NULL: of all buckets of the project. */
void bucket_tables_of(struct storage *storage, struct arena *arena, const char *project_id, const char *bucket,
		      struct bucket_tables *ret);
/* Adds the removal of their records, versions included, of the links and of the folders to the transaction. */
void bucket_tables_forget(struct catalog_txn *t, const struct bucket_tables *tables, struct removal *gone);
/* After the commit: folders and version pins. */
void bucket_tables_remove(struct storage *storage, const struct bucket_tables *tables, struct removal *gone);

/*
 * Who makes or removes a bucket or link holds its name, until the folder of a removed one is out of the way: else the
 * removal could take the tables of a new bucket of the same name with it. After the locks of tables, if any.
 */
struct span bucket_name_lock(struct storage *storage, struct arena *arena, const char *project_id, const char *name);
void bucket_name_unlock(struct storage *storage, struct span key);

/* How a link shows. */
void bucket_info_linked(struct storage *storage, struct arena *arena, const struct bucket_link *link,
			struct bucket_info *ret);

#endif
