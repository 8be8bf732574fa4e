/*
 * PostgreSQL's to_char(): a time, an interval or a number in a pattern of its
 * own. Pure. What patterns mean is told in its manual (Data Type Formatting
 * Functions); of numbers RN, V and EEEE are refused.
 */
#ifndef PGWIRE_TO_CHAR_H
#define PGWIRE_TO_CHAR_H

#include "base/buf.h"

enum { TO_CHAR_ARGUMENTS = 3, TO_CHAR_DIGITS_MAX = 200 };

/* The engine's name of the type, the value as the engine writes it, the pattern. False: NULL, or what *ret_error says. */
bool to_char_call(const struct span *arguments, struct buf *out, const char **ret_error);
/* to_char_number.c: digits with a sign, a point and an exponent. */
bool to_char_number(struct span value, struct span pattern, struct buf *out, const char **ret_error);

#endif
