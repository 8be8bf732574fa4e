/*
 * Codec of the PostgreSQL protocol, version 3, as pure functions (PostgreSQL
 * documentation, "Frontend/Backend Protocol"; version 3.2 is negotiated down to
 * 3.0). It does no I/O.
 *
 * In: message_startup_frame() and message_frame() find whole packets at the
 * head of what has arrived; the decoders turn a body into a struct whose spans
 * point into it. Everything is strict: a string without terminator, a count
 * that does not match, bytes left over are errors 08P01; text that is not UTF-8
 * is 22021. The first fault in a body sticks, so decoders check once.
 *
 * Out: writers append whole messages to a struct buf, which fails sticky at its
 * maximum. Rows are written in place: message_begin(), fields, message_end().
 */
#ifndef PGWIRE_MESSAGE_H
#define PGWIRE_MESSAGE_H

#include "base/buf.h"
#include "pgwire/sqlstate.h"

enum {
	MESSAGE_STARTUP_MIN = 8,
	MESSAGE_STARTUP_MAX = 10000,
	MESSAGE_AUTH_MAX = 64 * 1024,
	MESSAGE_BODY_MAX = 0x3fffffff, /* 1 GiB - 1, PostgreSQL's own maximum */
	MESSAGE_STARTUP_PARAMETERS = 128,
	MESSAGE_HEADER = 5
};

enum message_state { MESSAGE_MORE, MESSAGE_READY, MESSAGE_BAD };

struct message_frame {
	char type;	  /* 0 for a first packet */
	struct span body; /* without type and length */
	size_t size;	  /* bytes of the whole packet */
};

/* The first packet of a connection. `in` holds what has arrived; MESSAGE_MORE: read on. */
enum message_state message_startup_frame(struct span in, struct message_frame *ret, struct pg_error *e);
/* A later packet, with at most body_max bytes behind the length. The length is judged before the body has arrived. */
enum message_state message_frame(struct span in, size_t body_max, struct message_frame *ret, struct pg_error *e);

enum startup_kind { STARTUP_LOGIN, STARTUP_SSL, STARTUP_GSS, STARTUP_CANCEL };

struct startup_parameter {
	struct span name;
	struct span value;
};

struct startup {
	enum startup_kind kind;
	uint16_t major, minor;
	/* CancelRequest */
	uint32_t pid;
	struct span key;
	/* Login: all parameters but those named below and _pq_ options */
	struct span user, database, options, replication;
	bool has_database, has_replication;
	struct startup_parameter parameters[MESSAGE_STARTUP_PARAMETERS];
	size_t parameter_count;
	/* Protocol options nobody here knows; NegotiateProtocolVersion names them */
	struct span unknown[MESSAGE_STARTUP_PARAMETERS];
	size_t unknown_count;
};

MUST_CHECK bool startup_decode(struct span body, struct startup *ret, struct pg_error *e);
/* True when the client must be told that 3.0 is spoken and which options are unknown. */
bool startup_needs_negotiation(const struct startup *s);
/*
 * Takes the next setting off `options` ("-c name=value", "--name=value", blanks escaped by a backslash). Name and value
 * are written to `scratch`, which must have room for options->len + 1 bytes. False without error: at the end.
 */
MUST_CHECK bool startup_next_option(struct span *options, char *scratch, struct startup_parameter *ret,
				    struct pg_error *e);

struct message_parse {
	struct span name, sql;
	struct span oids; /* big-endian, 4 bytes each */
	uint16_t oid_count;
};

struct message_bind {
	struct span portal, statement;
	struct span formats; /* big-endian, 2 bytes each */
	uint16_t format_count;
	struct span values; /* the cursor of message_next_value */
	uint16_t value_count;
	struct span result_formats;
	uint16_t result_format_count;
};

struct message_value {
	bool is_null;
	struct span bytes;
};

struct message_execute {
	struct span portal;
	uint32_t max_rows; /* 0: all */
};

/* Describe and Close: `kind` is 'S' (statement) or 'P' (portal). */
struct message_target {
	char kind;
	struct span name;
};

struct message_sasl_initial {
	struct span mechanism;
	bool has_data;
	struct span data;
};

MUST_CHECK bool message_query(struct span body, struct span *ret_sql, struct pg_error *e);
MUST_CHECK bool message_parse(struct span body, struct message_parse *ret, struct pg_error *e);
MUST_CHECK bool message_bind(struct span body, struct message_bind *ret, struct pg_error *e);
MUST_CHECK bool message_target(struct span body, struct message_target *ret, struct pg_error *e);
MUST_CHECK bool message_execute(struct span body, struct message_execute *ret, struct pg_error *e);
/* Sync, Flush, Terminate, CopyDone: nothing may follow. */
MUST_CHECK bool message_empty(struct span body, struct pg_error *e);
/* CopyFail and PasswordMessage: one string. */
MUST_CHECK bool message_string(struct span body, struct span *ret, struct pg_error *e);
MUST_CHECK bool message_sasl_initial(struct span body, struct message_sasl_initial *ret, struct pg_error *e);

uint32_t message_parse_oid(const struct message_parse *p, size_t i);
/* 0 text, 1 binary; by the rule "none: all text, one: for all, else one each". */
uint16_t message_bind_format(const struct message_bind *b, size_t i);
uint16_t message_result_format(const struct message_bind *b, size_t i);
/* Call value_count times; the values were checked by message_bind. */
struct message_value message_next_value(struct message_bind *b);

/* --- out --- */

/* Returns where the message starts, for message_end, which writes the length. */
size_t message_begin(struct buf *out, char type);
void message_end(struct buf *out, size_t start);
/* A NUL-terminated string; an embedded NUL cuts it. */
void message_cstr(struct buf *out, struct span text);

enum message_auth { AUTH_OK = 0, AUTH_CLEARTEXT = 3, AUTH_SASL = 10, AUTH_SASL_CONTINUE = 11, AUTH_SASL_FINAL = 12 };
/* `data` follows the code: mechanism list, SCRAM message, or nothing. */
void message_auth(struct buf *out, enum message_auth code, struct span data);
void message_auth_mechanisms(struct buf *out, bool with_channel_binding);
void message_negotiate(struct buf *out, const struct startup *s);
void message_parameter_status(struct buf *out, struct span name, struct span value);
void message_key_data(struct buf *out, uint32_t pid, uint32_t key);
/* `status`: 'I' idle, 'T' in a block, 'E' in a failed block. */
void message_ready(struct buf *out, char status);
void message_error(struct buf *out, const struct pg_error *e);
void message_complete(struct buf *out, const char *tag);

/* Messages without a body. */
enum message_bare {
	MESSAGE_PARSE_COMPLETE = '1',
	MESSAGE_BIND_COMPLETE = '2',
	MESSAGE_CLOSE_COMPLETE = '3',
	MESSAGE_COPY_DONE = 'c',
	MESSAGE_EMPTY_QUERY = 'I',
	MESSAGE_NO_DATA = 'n',
	MESSAGE_SUSPENDED = 's'
};
void message_bare(struct buf *out, enum message_bare type);
void message_parameter_description(struct buf *out, const uint32_t *oids, size_t n);

struct message_column {
	struct span name;
	uint32_t table_oid;
	uint16_t attnum;
	uint32_t type_oid;
	int16_t type_len;
	int32_t type_mod;
	uint16_t format;
	bool renamed; /* the engine calls it otherwise */
};
void message_row_description(struct buf *out, const struct message_column *columns, size_t n);
/* DataRow: begin, then each field, then message_end. */
size_t message_row_begin(struct buf *out, size_t columns);
void message_field_null(struct buf *out);
void message_field(struct buf *out, struct span value);
/* A field whose length is known when it is written. */
size_t message_field_begin(struct buf *out);
void message_field_end(struct buf *out, size_t start);
/* CopyInResponse ('G') or CopyOutResponse ('H'). */
void message_copy_response(struct buf *out, char type, bool binary, size_t columns);
void message_copy_data(struct buf *out, struct span data);

#endif
