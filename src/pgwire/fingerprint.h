/*
 * Statements that differ in constants, blanks, comments and the case of words
 * only are one: their fingerprint is the same, and their text has $n where
 * constants stand. Lists of constants count as one, whatever their length, and so
 * do further rows of a VALUES. Pure; linear in the text.
 */
#ifndef PGWIRE_FINGERPRINT_H
#define PGWIRE_FINGERPRINT_H

#include "base/arena.h"

struct fingerprint {
	uint64_t id;	   /* fits a positive bigint; never 0 */
	struct span query; /* in the arena; cut at FINGERPRINT_TEXT_MAX */
};

enum { FINGERPRINT_TEXT_MAX = 4096 };

struct fingerprint fingerprint_of(struct span sql, struct arena *arena);

#endif
