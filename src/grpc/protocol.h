/*
 * Short words for the long names that the protocol's compiler makes: TABLE_MSG(CreateTableCommand) is the struct of a
 * message, TABLE_DESC(create_table_command) its descriptor.
 */
#ifndef GRPC_PROTOCOL_H
#define GRPC_PROTOCOL_H

#include <google/protobuf/any.pb-c.h>
#include <google/protobuf/struct.pb-c.h>
#include <proto/backend.pb-c.h>
#include <proto/bucket.pb-c.h>
#include <proto/common.pb-c.h>
#include <proto/credentials.pb-c.h>
#include <proto/executeQuery.pb-c.h>
#include <proto/info.pb-c.h>
#include <proto/project.pb-c.h>
#include <proto/table.pb-c.h>
#include <proto/workspace.pb-c.h>

#define BACKEND_MSG(name)    Keboola__StorageDriver__Command__Backend__##name
#define BUCKET_MSG(name)     Keboola__StorageDriver__Command__Bucket__##name
#define COMMON_MSG(name)     Keboola__StorageDriver__Command__Common__##name
#define CREDENTIAL_MSG(name) Keboola__StorageDriver__Credentials__##name
#define INFO_MSG(name)	     Keboola__StorageDriver__Command__Info__##name
#define PROJECT_MSG(name)    Keboola__StorageDriver__Command__Project__##name
#define QUERY_MSG(name)	     Keboola__StorageDriver__Command__ExecuteQuery__##name
#define TABLE_MSG(name)	     Keboola__StorageDriver__Command__Table__##name
#define WORKSPACE_MSG(name)  Keboola__StorageDriver__Command__Workspace__##name

#define BACKEND_DESC(name)    keboola__storage_driver__command__backend__##name##__descriptor
#define BUCKET_DESC(name)     keboola__storage_driver__command__bucket__##name##__descriptor
#define COMMON_DESC(name)     keboola__storage_driver__command__common__##name##__descriptor
#define CREDENTIAL_DESC(name) keboola__storage_driver__credentials__##name##__descriptor
#define INFO_DESC(name)	      keboola__storage_driver__command__info__##name##__descriptor
#define PROJECT_DESC(name)    keboola__storage_driver__command__project__##name##__descriptor
#define QUERY_DESC(name)      keboola__storage_driver__command__execute_query__##name##__descriptor
#define TABLE_DESC(name)      keboola__storage_driver__command__table__##name##__descriptor
#define WORKSPACE_DESC(name)  keboola__storage_driver__command__workspace__##name##__descriptor

#define TABLE_ENUM(name) KEBOOLA__STORAGE_DRIVER__COMMAND__TABLE__##name
#define INFO_ENUM(name)	 KEBOOLA__STORAGE_DRIVER__COMMAND__INFO__##name

typedef Google__Protobuf__Any any_msg;
typedef Google__Protobuf__Value value_msg;

#endif
