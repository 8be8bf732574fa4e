/*
 * Functions of SQL that the program carries out, called from any thread that
 * works on the statement, with the engine busy: they must not use a session.
 * They are known to the whole engine behind the session and live as long.
 *
 * name(INTEGER, BOOLEAN) gives BOOLEAN; NULL gives NULL. It is called once for
 * each row that is asked for, never while a statement is planned.
 *
 * name(VARCHAR, ..) gives VARCHAR, the same for the same texts: it may be called
 * while a statement is planned.
 */
#ifndef ENGINE_FUNCTION_H
#define ENGINE_FUNCTION_H

#include "base/buf.h"
#include "base/err.h"

struct session;

struct function {
	bool (*call)(void *ctx, int32_t number, bool flag);
	void *ctx;
	void (*destroy)(void *ctx); /* NULL: nothing to do */
};

/* Takes ctx over, also when it fails (ERR_ENGINE). */
MUST_CHECK bool function_register(struct session *session, const char *name, const struct function *function,
				  struct err *err);

struct text_function {
	size_t arguments;
	/* NULLs have no ptr. False: NULL, or the statement fails with what *ret_error says. */
	bool (*call)(const struct span *arguments, struct buf *out, const char **ret_error);
};

/* `function` lives as long as the engine. */
MUST_CHECK bool function_register_text(struct session *session, const char *name, const struct text_function *function,
				       struct err *err);

#endif
