/*
 * Driver commands: what both ways in, the gRPC port and the HTTP bridge, do with
 * a command once they know who asks for what.
 *
 * The table of commands is in command_table.c; a handler decodes its message,
 * calls one operation of storage/, encodes the response. Before it touches a
 * project it clears it (driver_clear, or a function that resolves a place and
 * does so itself): a command that succeeds without having cleared anything is a
 * fault of the program and answers INTERNAL.
 *
 * A call belongs to one thread and lives as long as its request.
 */
#ifndef GRPC_COMMAND_H
#define GRPC_COMMAND_H

#include "grpc/message.h"
#include "storage/op.h"
#include "storage/storage.h"

struct driver_command;

/* Severities of the user's log messages, as in LogMessage.Level. */
enum driver_level { DRIVER_ERROR = 3, DRIVER_WARNING = 4, DRIVER_INFO = 6 };

struct driver_message {
	enum driver_level level;
	const char *text;
};

enum { DRIVER_MESSAGES_MAX = 64 };

struct driver_call {
	struct storage *storage;
	const struct call *call;
	struct arena *arena;
	const struct driver_command *command;
	const char *project; /* of the credentials; NULL: none */
	/* Filled by the handler */
	const ProtobufCMessage *response;
	struct driver_message messages[DRIVER_MESSAGES_MAX];
	size_t message_count;
	bool cleared; /* a project, or the command as a whole */
	bool refused; /* the key does not reach what the command names */
	bool failed;  /* an OK answer that tells of a failure (ExecuteQuery) */
};

typedef bool (*driver_handler)(struct driver_call *c, const void *message, struct err *err);

enum driver_access {
	DRIVER_ADMIN,	/* the admin key only */
	DRIVER_PROJECT, /* admin, or a project_admin key of every project that the command names */
	DRIVER_ANY	/* any of these keys */
};

struct driver_command {
	const char *name;  /* of the message */
	const char *label; /* of metrics: the name without "Command" */
	const ProtobufCMessageDescriptor *request;
	const ProtobufCMessageDescriptor *response; /* NULL: none */
	driver_handler run;
	enum driver_access access;
	bool secret;	 /* the response shows a password or a key */
	bool quick;	 /* answers from memory: needs no worker */
	bool additional; /* beyond the 35 that every client of the protocol may count on */
	const char *description;
	const char *example; /* members of the JSON form */
};

extern const struct driver_command driver_commands[];
extern const size_t driver_command_count;

/* The row of a message name; NULL when there is none. */
const struct driver_command *driver_command_named(struct span last_name);
/* Of a type URL: ERR_UNIMPLEMENTED (unknown), ERR_INVALID_ARGUMENT (known name of another package). */
MUST_CHECK bool driver_command_of_url(const char *type_url, const struct driver_command **ret, struct err *err);

/* Whether the key may run the command at all. ERR_FORBIDDEN. */
MUST_CHECK bool driver_admit(struct driver_call *c, struct err *err);
/* Runs an admitted, decoded command. Counts nothing. */
MUST_CHECK bool driver_run(struct driver_call *c, const ProtobufCMessage *message, struct err *err);

/* The DriverResponse of a command that succeeded, in the call's arena. ERR_PAYLOAD_TOO_LARGE beyond `max` bytes. */
MUST_CHECK bool driver_envelope(const struct driver_call *c, size_t max, struct span *ret, struct err *err);

/* ---- for handlers ---- */

void driver_log(struct driver_call *c, enum driver_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The response, ready to be filled in. */
void *driver_answer(struct driver_call *c);
/* ERR_INVALID_ARGUMENT "<name> is required" for an empty text. */
MUST_CHECK bool driver_need(const char *value, const char *name, struct err *err);
/* May the caller act on this project? ERR_FORBIDDEN. Also checks that the id could be one. */
MUST_CHECK bool driver_clear(struct driver_call *c, const char *project_id, struct err *err);
/* The credentials project, cleared. `command` for the sentence that asks for it. */
MUST_CHECK bool driver_clear_own(struct driver_call *c, const char **ret_project, struct err *err);
/*
 * From here on these failures of the call's operations are no failures of the command: it answers them with a warning
 * that there was nothing to do. `codes` is static.
 */
void driver_forgive(struct driver_call *c, const enum err_code *codes, size_t n);
/* ERR_INVALID_ARGUMENT for a text that cannot be a name. */
MUST_CHECK bool driver_name_check(const char *what, const char *name, struct err *err);

/* A bucket or table named by a container path. */
struct driver_place {
	const char *project_id;
	const char *branch_id; /* "default" or a dev branch */
	const char *bucket;    /* as it is called in the catalog */
	const char *table;     /* NULL for a bucket */
};

/* The project of a container path is cleared. `table` NULL: a bucket path. */
MUST_CHECK bool driver_path(struct driver_call *c, char *const *path, size_t n, const char *table,
			    struct driver_place *ret, struct err *err);
/* For op_decided: an operation on that place which the command decides itself. */
struct op_target driver_op_target(const struct driver_place *place);
/* "" and "default" are the default branch. */
const char *driver_branch(const char *branch_id);
/* bucketId as a bucket's object name: '.' and '-' become '_'. */
const char *driver_object_name(struct arena *arena, const char *bucket_id);
/* The name under which a bucket is in the catalog: as given, else as object name. */
const char *driver_bucket_name(struct driver_call *c, const char *project_id, const char *name);

/* The same failure under another code, for what this protocol calls differently; server faults keep theirs. */
struct driver_recode {
	enum err_code from;
	enum err_code to;
};
bool driver_recode(struct err *err, const struct driver_recode *rows, size_t n);
/* "Table not found: p/b/t" and "Bucket not found: p/b"; `named`: "Table t not found in bucket b". Returns false. */
bool driver_missing(struct err *err, const struct driver_place *place, bool named);

/* ---- statuses ---- */

/* One row for each gRPC status that can leave the program. */
struct driver_status {
	enum err_grpc grpc;
	const char *code_name; /* label grpc_code */
	const char *label;     /* label error_type */
	int http;	       /* of the bridge */
};

const struct driver_status *driver_status_of(enum err_code code);
const struct driver_status *driver_status(enum err_grpc grpc);

/* ---- counting ---- */

enum driver_transport { DRIVER_OVER_GRPC, DRIVER_OVER_HTTP };
/* The outcome of one command; NULL: an unknown one. `code` ERR_NONE: success. */
void driver_count(const struct driver_command *command, enum driver_transport transport, enum err_code code,
		  int64_t start_ns);

#endif
