#include "grpc/families.h"
#include "grpc/protocol.h"

/* Name without "Command", request, response, handler, access, then what is said about it. */
#define COMMAND(text, in, out, handler, who) \
	.name = text "Command", .label = (text), .request = &(in), .response = (out), .run = (handler), .access = (who)

const struct driver_command driver_commands[] = {
	{COMMAND("InitBackend", BACKEND_DESC(init_backend_command), &BACKEND_DESC(init_backend_response),
		 driver_init_backend, DRIVER_ADMIN),
	 .description = "Create or verify the storage folders", .example = ""},
	{COMMAND("RemoveBackend", BACKEND_DESC(remove_backend_command), NULL, driver_remove_backend, DRIVER_ADMIN),
	 .description = "Say good-bye to the backend; removes nothing, all data stay", .example = ""},
	{COMMAND("CreateProject", PROJECT_DESC(create_project_command), &PROJECT_DESC(create_project_response),
		 driver_create_project, DRIVER_ADMIN),
	 .description = "Create a project with an admin key of its own", .example = "\"projectId\":\"p7\""},
	{COMMAND("DropProject", PROJECT_DESC(drop_project_command), NULL, driver_drop_project, DRIVER_ADMIN),
	 .description = "Drop a project with everything in it; its id stays taken",
	 .example = "\"projectDatabaseName\":\"p7\""},
	{COMMAND("CreateBucket", BUCKET_DESC(create_bucket_command), &BUCKET_DESC(create_bucket_response),
		 driver_create_bucket, DRIVER_PROJECT),
	 .description = "Create an empty bucket", .example = "\"projectId\":\"p7\",\"bucketId\":\"in.c-port\""},
	{COMMAND("DropBucket", BUCKET_DESC(drop_bucket_command), NULL, driver_drop_bucket, DRIVER_PROJECT),
	 .description = "Drop a bucket of the credentials project; isCascade drops its tables too",
	 .example = "\"bucketObjectName\":\"in_c_port\",\"isCascade\":true"},
	{COMMAND("ShareBucket", BUCKET_DESC(share_bucket_command), &BUCKET_DESC(share_bucket_response),
		 driver_share_bucket, DRIVER_PROJECT),
	 .description = "Share a bucket with whoever presents the share role",
	 .example = "\"sourceProjectId\":\"p7\",\"sourceBucketId\":\"in.c-port\""},
	{COMMAND("UnshareBucket", BUCKET_DESC(unshare_bucket_command), NULL, driver_unshare_bucket, DRIVER_PROJECT),
	 .description = "End the sharing of a bucket; existing links stay",
	 .example = "\"bucketObjectName\":\"in_c_port\""},
	{COMMAND("LinkBucket", BUCKET_DESC(link_bucket_command), &BUCKET_DESC(linked_bucket_response),
		 driver_link_bucket, DRIVER_PROJECT),
	 .description = "Show a shared bucket in another project",
	 .example = "\"targetProjectId\":\"p8\",\"targetBucketId\":\"in.c-port\","
		    "\"sourceShareRoleName\":\"share_p7_in_c_port\""},
	{COMMAND("UnlinkBucket", BUCKET_DESC(unlink_bucket_command), NULL, driver_unlink_bucket, DRIVER_PROJECT),
	 .description = "Remove a link; the source stays as it is", .example = "\"bucketObjectName\":\"in_c_port\""},
	{COMMAND("GrantBucketAccessToReadOnlyRole", BUCKET_DESC(grant_bucket_access_to_read_only_role_command),
		 &BUCKET_DESC(grant_bucket_access_to_read_only_role_response), driver_grant_bucket_access, DRIVER_ANY),
	 .description = "Grant read access to a bucket; without effect, linked data is always readable",
	 .example = "\"path\":[\"in_c_port\"]"},
	{COMMAND("RevokeBucketAccessFromReadOnlyRole", BUCKET_DESC(revoke_bucket_access_from_read_only_role_command),
		 NULL, driver_revoke_bucket_access, DRIVER_ANY),
	 .description = "Revoke read access to a bucket; without effect",
	 .example = "\"bucketObjectName\":\"in_c_port\""},
	{COMMAND("CreateTable", TABLE_DESC(create_table_command), NULL, driver_create_table, DRIVER_PROJECT),
	 .description = "Create an empty table",
	 .example = "\"path\":[\"p7\",\"in_c_port\"],\"tableName\":\"ships\",\"columns\":[{\"name\":\"id\",\"type\":"
		    "\"INTEGER\"},{\"name\":\"note\",\"type\":\"VARCHAR\",\"nullable\":true}],"
		    "\"primaryKeysNames\":[\"id\"]"},
	{COMMAND("DropTable", TABLE_DESC(drop_table_command), NULL, driver_drop_table, DRIVER_PROJECT),
	 .description = "Drop a table", .example = "\"path\":[\"p7\",\"in_c_port\"],\"tableName\":\"ships\""},
	{COMMAND("AddColumn", TABLE_DESC(add_column_command), NULL, driver_add_column, DRIVER_PROJECT),
	 .description = "Add a column",
	 .example = "\"path\":[\"p7\",\"in_c_port\"],\"tableName\":\"ships\",\"columnDefinition\":{\"name\":\"flag\","
		    "\"type\":\"VARCHAR\",\"nullable\":true}"},
	{COMMAND("DropColumn", TABLE_DESC(drop_column_command), NULL, driver_drop_column, DRIVER_PROJECT),
	 .description = "Drop a column",
	 .example = "\"path\":[\"p7\",\"in_c_port\"],\"tableName\":\"ships\",\"columnName\":\"flag\""},
	{COMMAND("AlterColumn", TABLE_DESC(alter_column_command), NULL, driver_alter_column, DRIVER_PROJECT),
	 .description = "Change type, length, nullability or default of a column",
	 .example = "\"path\":[\"p7\",\"in_c_port\"],\"tableName\":\"ships\",\"desiredDefiniton\":{\"name\":\"flag\","
		    "\"type\":\"INTEGER\",\"nullable\":true},\"attributesToUpdate\":[\"type\"]"},
	{COMMAND("AddPrimaryKey", TABLE_DESC(add_primary_key_command), NULL, driver_add_primary_key, DRIVER_PROJECT),
	 .description = "Add a primary key",
	 .example = "\"path\":[\"p7\",\"in_c_port\"],\"tableName\":\"ships\",\"primaryKeysNames\":[\"id\"]"},
	{COMMAND("DropPrimaryKey", TABLE_DESC(drop_primary_key_command), NULL, driver_drop_primary_key, DRIVER_PROJECT),
	 .description = "Drop the primary key", .example = "\"path\":[\"p7\",\"in_c_port\"],\"tableName\":\"ships\""},
	{COMMAND("DeleteTableRows", TABLE_DESC(delete_table_rows_command), &TABLE_DESC(delete_table_rows_response),
		 driver_delete_rows, DRIVER_PROJECT),
	 .description = "Delete the rows that all filters choose; without a filter all rows",
	 .example = "\"path\":[\"p7\",\"in_c_port\"],\"tableName\":\"ships\",\"whereFilters\":[{\"columnsName\":\"id\","
		    "\"operator\":\"eq\",\"values\":[\"1\"]}]"},
	{COMMAND("PreviewTable", TABLE_DESC(preview_table_command), &TABLE_DESC(preview_table_response),
		 driver_preview_table, DRIVER_PROJECT),
	 .description = "First rows of a table",
	 .example = "\"path\":[\"p7\",\"in_c_port\"],\"tableName\":\"ships\",\"filters\":{\"limit\":10}"},
	{COMMAND("ObjectInfo", INFO_DESC(object_info_command), &INFO_DESC(object_info_response), driver_object_info,
		 DRIVER_PROJECT),
	 .quick = true, .description = "Describe a project, bucket or table",
	 .example = "\"path\":[\"p7\",\"in_c_port\",\"ships\"],\"expectedObjectType\":\"TABLE\""},
	{COMMAND("ListSchemas", INFO_DESC(list_schemas_command), &INFO_DESC(list_schemas_response), driver_list_schemas,
		 DRIVER_PROJECT),
	 .additional = true, .description = "Names of the buckets of the credentials project", .example = ""},
};

const size_t driver_command_count = ARRAY_LEN(driver_commands);
