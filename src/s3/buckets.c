/* Buckets are projects: they are shown here, and made and removed through REST. */
#include "s3/door.h"
#include "storage/object.h"

bool s3_list_buckets(struct s3_call *call, struct err *err)
{
	const struct principal *who = &call->caller.who;
	struct project *projects;
	size_t n;
	if (who->kind != WHO_ADMIN && who->kind != WHO_PROJECT)
		return err_set(err, ERR_FORBIDDEN, "Access denied: the key opens no bucket");
	struct catalog_key which = who->kind == WHO_ADMIN ? KEY_ALL : KEY(who->project_id);
	catalog_list_projects(call->storage->catalog, call->arena, which, NULL, &projects, &n);
	struct buf *out = s3_xml(call, "ListAllMyBucketsResult" XML_NAMESPACE);
	buf_str(out, "<Owner><ID>duckdb</ID><DisplayName>duckdb</DisplayName></Owner>");
	xml_open(out, "Buckets");
	for (size_t i = 0; i < n; i++) {
		if (projects[i].status && strcmp(projects[i].status, "deleted") == 0)
			continue;
		xml_open(out, "Bucket");
		xml_str(out, "Name", arena_printf(call->arena, "project_%s", projects[i].id));
		xml_time(out, "CreationDate", projects[i].created_at);
		xml_close(out, "Bucket");
	}
	xml_close(out, "Buckets");
	xml_close(out, "ListAllMyBucketsResult");
	return true;
}

bool s3_head_bucket(struct s3_call *call, struct err *err)
{
	(void)err;
	http_empty(call->res, 200);
	http_add(call->res, "x-amz-bucket-region", call->door->settings->s3_region);
	return true;
}

bool s3_bucket_location(struct s3_call *call, struct err *err)
{
	struct buf *out = s3_xml(call, "LocationConstraint" XML_NAMESPACE);
	(void)err;
	xml_escape(out, span_of(call->door->settings->s3_region));
	xml_close(out, "LocationConstraint");
	return true;
}

bool s3_create_bucket(struct s3_call *call, struct err *err)
{
	(void)call;
	return err_set(err, ERR_BUCKET_OWNED, "The bucket exists and is yours");
}

bool s3_delete_bucket(struct s3_call *call, struct err *err)
{
	(void)call;
	return err_set(err, ERR_FORBIDDEN, "Access denied: a bucket is a project, which is deleted through REST");
}

bool s3_unimplemented(struct s3_call *call, struct err *err)
{
	(void)call;
	return err_set(err, ERR_UNIMPLEMENTED, "This operation is not implemented");
}

/* Sub-resources that clients ask for and that have one answer here. */
static const struct {
	const char *query;
	const char *code; /* 404 with this code, else 200 with `xml` */
	const char *xml;
	bool of_object; /* not of a bucket */
} canned[] = {
	/* An object without tags has an empty set of them: the AWS command line copies that before a large object. */
	{"tagging", NULL, "<Tagging" XML_NAMESPACE "><TagSet></TagSet></Tagging>", true},
	{"versioning", NULL, "<VersioningConfiguration" XML_NAMESPACE "></VersioningConfiguration>", false},
	{"acl", NULL,
	 "<AccessControlPolicy" XML_NAMESPACE "><Owner><ID>duckdb</ID><DisplayName>duckdb</DisplayName></Owner>"
	 "<AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
	 "xsi:type=\"CanonicalUser\"><ID>duckdb</ID><DisplayName>duckdb</DisplayName></Grantee>"
	 "<Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>",
	 false},
	{"requestPayment", NULL,
	 "<RequestPaymentConfiguration" XML_NAMESPACE "><Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
	 false},
	{"policy", "NoSuchBucketPolicy", NULL, false},
	{"cors", "NoSuchCORSConfiguration", NULL, false},
	{"lifecycle", "NoSuchLifecycleConfiguration", NULL, false},
	{"tagging", "NoSuchTagSet", NULL, false},
	{"encryption", "ServerSideEncryptionConfigurationNotFoundError", NULL, false},
	{"object-lock", "ObjectLockConfigurationNotFoundError", NULL, false},
	{"replication", "ReplicationConfigurationNotFoundError", NULL, false},
	{"website", "NoSuchWebsiteConfiguration", NULL, false},
	{"publicAccessBlock", "NoSuchPublicAccessBlockConfiguration", NULL, false},
	{"ownershipControls", "OwnershipControlsNotFoundError", NULL, false},
};

bool s3_canned(struct s3_call *call, struct err *err)
{
	struct file_row row;
	if (call->address.key && !object_find(call->storage, call->arena, call->project_id, call->address.key, &row))
		return err_set(err, ERR_FILE_NOT_FOUND, "The specified key does not exist");
	for (size_t i = 0; i < ARRAY_LEN(canned); i++) {
		if (!s3_query(call, canned[i].query) || (canned[i].of_object && !call->address.key))
			continue;
		if (canned[i].code)
			return s3_plain_error(call, 404, canned[i].code, "The configuration does not exist");
		struct buf *out = http_text(call->res, 200, S3_XML);
		buf_str(out, XML_DECLARATION);
		buf_str(out, canned[i].xml);
		return true;
	}
	return s3_unimplemented(call, err);
}
