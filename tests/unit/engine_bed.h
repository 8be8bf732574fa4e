/* An engine of its own for a test program: one instance, one session, and the queries that must work. */
#ifndef ENGINE_BED_H
#define ENGINE_BED_H

#include "engine/cursor.h"
#include "engine/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct instance *instance;
static struct session *session;

/* What a group's set-up answers: 0, or -1 after telling why. */
static int bed_open(const struct instance_config *config, const char *sql)
{
	struct err err = ERR_INIT;
	if (instance_open(config, &instance, &err) && session_open(instance, &session, &err) &&
	    session_run(session, sql, &err))
		return 0;
	(void)fprintf(stderr, "%s\n", err.message);
	return -1;
}

static void bed_close(void)
{
	session_close(session);
	instance_close(instance);
}

/* A cursor that stands on its first rows. */
static inline struct cursor *bed_query(const char *sql)
{
	struct err err = ERR_INIT;
	struct cursor *c;
	size_t rows;
	if (!session_query(session, sql, &c, &err) || !cursor_next(c, &rows, &err))
		fail_msg("%s: %s", sql, err.message);
	assert_true(rows >= 1);
	return c;
}

#endif
