/*
 * Wire tests are data: tests/wire/<protocol>/<noun>.txt holds cases of the form
 *
 *	# comment
 *	NAME OF THE CASE
 *	  key: value
 *	  key: value
 *
 * with a blank line between cases. Bytes are written as blank-separated items: hex pairs (0a ff), "text" with the escapes
 * \n \r \t \0 \\ \" \xHH, i8:N i16:N i32:N i64:N (network order), and *N behind an item repeats it.
 */
#ifndef TESTS_WIRE_FILE_H
#define TESTS_WIRE_FILE_H

#include "base/buf.h"

struct wire_case {
	char name[200];
	int line;
	size_t count;
	struct {
		char key[32];
		char value[4096];
	} fields[48];
};

/* Calls `run` for each case; the number of cases. The path is relative to tests/wire. */
size_t wire_file_run(const char *path, void (*run)(const struct wire_case *c));
/* The value of the first field named key, NULL when there is none. */
const char *wire_get(const struct wire_case *c, const char *key);
/* Fails the test when the notation is wrong. */
void wire_bytes(const char *notation, struct buf *out);

#endif
