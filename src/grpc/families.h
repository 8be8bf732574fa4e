/*
 * The handlers of the commands, by family: one file each. A handler gets the
 * message of its command (see command_table.c) and follows grpc/command.h.
 */
#ifndef GRPC_FAMILIES_H
#define GRPC_FAMILIES_H

#include "grpc/command.h"

#define HANDLER(name) bool driver_##name(struct driver_call *c, const void *message, struct err *err)

/* backend.c */
HANDLER(init_backend);
HANDLER(remove_backend);
/* project.c */
HANDLER(create_project);
HANDLER(drop_project);
/* bucket.c */
HANDLER(create_bucket);
HANDLER(drop_bucket);
/* sharing.c */
HANDLER(share_bucket);
HANDLER(unshare_bucket);
HANDLER(link_bucket);
HANDLER(unlink_bucket);
HANDLER(grant_bucket_access);
HANDLER(revoke_bucket_access);
/* table.c */
HANDLER(create_table);
HANDLER(drop_table);
/* column.c */
HANDLER(add_column);
HANDLER(drop_column);
HANDLER(alter_column);
HANDLER(add_primary_key);
HANDLER(drop_primary_key);
/* import_export.c */
HANDLER(import_from_file);
HANDLER(export_to_file);
/* table_source.c */
HANDLER(import_from_table);
/* time_travel.c */
HANDLER(time_travel);
/* profile.c */
HANDLER(create_profile);
/* branch.c */
HANDLER(create_dev_branch);
HANDLER(drop_dev_branch);
/* workspace.c */
HANDLER(create_workspace);
HANDLER(drop_workspace);
HANDLER(clear_workspace);
HANDLER(drop_workspace_object);
HANDLER(reset_workspace_password);
HANDLER(grant_workspace);
HANDLER(revoke_workspace);
HANDLER(load_table);
HANDLER(create_workspace_user);
HANDLER(drop_workspace_user);
/* query.c */
HANDLER(execute_query);
/* rows.c */
HANDLER(delete_rows);
HANDLER(preview_table);
/* info.c */
HANDLER(object_info);
HANDLER(list_schemas);

#endif
