/*
 * An answer while it is being made. Filled by the functions of http/http.h, sent
 * by the connection. Owned by its exchange; belongs to one thread at a time.
 */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include "http/http.h"

enum response_kind {
	RESPONSE_UNSET,
	RESPONSE_EMPTY,
	RESPONSE_BYTES,
	RESPONSE_LENGTH, /* HEAD: only the length of a body */
	RESPONSE_FILE,
	RESPONSE_STREAM
};

struct response_header {
	const char *name;
	const char *value;
};

enum { RESPONSE_HEADERS_MAX = 128 };

struct http_response {
	struct arena *arena;
	enum response_kind kind;
	int status;
	const char *type;
	bool secret;	   /* see http_secret */
	struct span bytes; /* RESPONSE_BYTES; when `made` the content of `body` */
	bool made;
	struct buf body;
	struct json json;
	int fd;
	uint64_t offset;
	uint64_t length; /* of the body; UINT64_MAX: not known */
	http_producer produce;
	void *produce_ctx;
	struct response_header headers[RESPONSE_HEADERS_MAX];
	size_t header_count;
	uint64_t unsatisfied_size; /* of the content whose range was refused */
	bool unsatisfied;
	void (*on_sent)(void *ctx, uint64_t bytes, bool complete);
	void *on_sent_ctx;
	/* What the error was, for metrics and log */
	enum err_code code;
	const char *message;
};

/* Ready for a request whose memory is the arena. */
void response_init(struct http_response *res, struct arena *arena);
/* Forgets what was filled in, but not the callback of http_on_sent. */
void response_reset(struct http_response *res);
void response_done(struct http_response *res);
/* After the handler: fixes the body's bytes; an overlong or missing body becomes an error (false). */
MUST_CHECK bool response_finish(struct http_response *res, struct err *err);
/* The same for bodies that are small for sure. */
void response_seal(struct http_response *res);
/* As a header value: CR, LF and other control characters become spaces. */
char *response_value(struct arena *arena, const char *text);

#endif
