/*
 * The catalog's database as a file: made by the first workspace that needs it,
 * because the engine takes half a second of processor to look through all its
 * views and macros, and copied for each other one, which then only reads it. No
 * copy has a name for longer than the engine takes to open it. Thread-safe.
 */
#ifndef PGWIRE_CATALOG_FILE_H
#define PGWIRE_CATALOG_FILE_H

#include "engine/session.h"

#include <pthread.h>

struct catalog_file {
	pthread_mutex_t lock;
	int fd; /* -1: not made yet */
};

void catalog_file_init(struct catalog_file *f);
void catalog_file_done(struct catalog_file *f);
/* Attaches it as _pg. _pg_own must be there; `path` is where the engine may open a file, and none is. */
MUST_CHECK bool catalog_file_attach(struct catalog_file *f, struct session *session, const char *path, struct err *err);

#endif
