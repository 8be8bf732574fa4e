/*
 * A function of SQL that the program carries out: name(INTEGER, BOOLEAN) gives
 * BOOLEAN; NULL gives NULL. It is called once for each row that is asked for,
 * never while a statement is planned, from any thread that works on the
 * statement, with the engine busy: it must not use a session. It is known to the
 * whole engine behind the session and lives as long.
 */
#ifndef ENGINE_FUNCTION_H
#define ENGINE_FUNCTION_H

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

#endif
