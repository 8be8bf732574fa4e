/*
 * The one error value. A function that can fail returns bool, takes a
 * `struct err *` as its last parameter and fills it where it fails:
 *
 *	return err_set(err, ERR_TABLE_NOT_FOUND, "Table %s not found", name);
 *
 * `message` is a sentence for the user who made the request. `details` are JSON
 * members for programs, added after err_set with the err_detail_* functions; a
 * value that does not fit is cut at a whole item or left out.
 *
 * err.def is the one table of errors: each row maps a code to its answer on
 * every door (HTTP status and REST code, S3 code, SQLSTATE, gRPC status) and to
 * the class of server fault it counts as. No handler picks a status by hand.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/span.h"

enum err_code {
#define ERR(id, rest, http, s3, sqlstate, grpc, fault) ERR_##id,
#include "base/err.def"
#undef ERR
	ERR_COUNT
};

/* Classes of duckdb_api_errors_total{type}; FAULT_NONE: not the server's fault. */
enum err_fault {
	FAULT_NONE,
	FAULT_INTERNAL,
	FAULT_ENGINE,
	FAULT_METADATA,
	FAULT_IO,
	FAULT_DISK_FULL,
	FAULT_OUT_OF_MEMORY,
	FAULT_TIMEOUT,
	FAULT_UPSTREAM,
	FAULT_COUNT
};

/* Canonical gRPC status codes (grpc/doc/statuscodes). */
enum err_grpc {
	GRPC_OK = 0,
	GRPC_CANCELLED = 1,
	GRPC_UNKNOWN = 2,
	GRPC_INVALID_ARGUMENT = 3,
	GRPC_DEADLINE_EXCEEDED = 4,
	GRPC_NOT_FOUND = 5,
	GRPC_ALREADY_EXISTS = 6,
	GRPC_PERMISSION_DENIED = 7,
	GRPC_RESOURCE_EXHAUSTED = 8,
	GRPC_FAILED_PRECONDITION = 9,
	GRPC_UNIMPLEMENTED = 12,
	GRPC_INTERNAL = 13,
	GRPC_UNAVAILABLE = 14,
	GRPC_UNAUTHENTICATED = 16
};

struct err_row {
	const char *id;
	const char *rest;
	int http;
	const char *s3;
	const char *sqlstate;
	enum err_grpc grpc;
	enum err_fault fault;
};

struct err {
	enum err_code code;
	bool has_details; /* false: the envelope carries no details member */
	size_t details_len;
	char message[1024];
	char details[3072]; /* JSON members without the braces */
};

/* Only what is read is cleared: every step of every statement begins with one of these. */
static inline struct err err_none(void)
{
	struct err none;
	none.code = ERR_NONE;
	none.has_details = false;
	none.details_len = 0;
	none.message[0] = none.details[0] = '\0';
	return none;
}

#define ERR_INIT (err_none())

/* Fills *err and returns false. A former content is replaced. */
COLD bool err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* ERR_IO, ERR_DISK_FULL, ERR_STORAGE_UNWRITABLE or ERR_OUT_OF_MEMORY by the given errno; the message ends with its text. Returns false. */
COLD bool err_errno(struct err *err, int number, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same failure under another code, the message kept: an operation's catch-all. A server fault keeps its own code. */
bool err_recode(struct err *err, enum err_code code);
void err_clear(struct err *err);

void err_detail(struct err *err, const char *key, const char *value); /* NULL value: null */
void err_detail_span(struct err *err, const char *key, struct span value);
void err_detail_int(struct err *err, const char *key, int64_t value);
void err_detail_list(struct err *err, const char *key, const char *const *values, size_t n);
/* `json` is one JSON value, taken as it is. */
void err_detail_json(struct err *err, const char *key, const char *json);
/* An empty details object, for errors that promise one. */
void err_details_empty(struct err *err);

const struct err_row *err_row(enum err_code code);
const char *err_fault_name(enum err_fault fault);

#endif
