/*
 * Sharing a bucket with another project, and linking to one that is shared. A
 * share or link is a record; no data moves, and linked data is read-only.
 */
#ifndef STORAGE_SHARING_H
#define STORAGE_SHARING_H

#include "catalog/catalog.h"
#include "storage/bucket.h"
#include "storage/op.h"

/* All projects the bucket is shared with afterwards, by id. ERR_ALREADY_SHARED. */
MUST_CHECK bool sharing_share(struct storage *storage, const struct call *call, const char *project_id,
			      const char *branch_id, const char *bucket, const char *target_project_id,
			      const char ***ret_targets, size_t *ret_count, struct err *err);
/* Fine when there is no such share or bucket. */
MUST_CHECK bool sharing_unshare(struct storage *storage, const struct call *call, const char *project_id,
				const char *branch_id, const char *bucket, const char *target_project_id,
				struct err *err);
/* ERR_BUCKET_NOT_SHARED unless the caller is the admin (or REFERENCE_COMPAT is on). */
MUST_CHECK bool sharing_link(struct storage *storage, const struct call *call, const char *project_id,
			     const char *branch_id, const char *bucket, const char *source_project_id,
			     const char *source_bucket, struct bucket_info *ret, struct err *err);
MUST_CHECK bool sharing_unlink(struct storage *storage, const struct call *call, const char *project_id,
			       const char *branch_id, const char *bucket, struct err *err);
/* Linked data is always readable and never writable: both record nothing but the operation. */
MUST_CHECK bool sharing_grant(struct storage *storage, const struct call *call, const char *project_id,
			      const char *branch_id, const char *bucket, struct err *err);
MUST_CHECK bool sharing_revoke(struct storage *storage, const struct call *call, const char *project_id,
			       const char *branch_id, const char *bucket, struct err *err);

/* target_project_id of a share with whoever presents its role name (the driver's way of sharing); no project has this id. */
#define SHARED_WITH_ANYBODY "*"

/* Shares a bucket with whoever names it through the driver; fine when it is so already. */
MUST_CHECK bool sharing_offer(struct storage *storage, const struct call *call, const char *project_id,
			      const char *bucket, struct err *err);
/* Ends that; fine when there is no such share or bucket. */
MUST_CHECK bool sharing_withdraw(struct storage *storage, const struct call *call, const char *project_id,
				 const char *bucket, struct err *err);
/* A grant or revocation by name alone: records nothing but the operation, the bucket need not exist. */
MUST_CHECK bool sharing_noted(struct storage *storage, const struct call *call, bool granted, const char *bucket,
			      struct err *err);

/* The common part of unlinking and of deleting a linked bucket: the link and its local tables go. */
MUST_CHECK bool sharing_unlink_rows(struct op *op, const struct bucket_link *link, struct err *err);

#endif
