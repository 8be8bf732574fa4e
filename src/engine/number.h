/*
 * Numbers to decimal text, fast: no printf, no locale. Each function writes at
 * `out` without a terminator and returns the number of bytes.
 */
#ifndef ENGINE_NUMBER_H
#define ENGINE_NUMBER_H

#include "base/span.h"

enum {
	NUMBER_U64_MAX = 20,
	NUMBER_I128_MAX = 40,
	NUMBER_DECIMAL_MAX = 43, /* sign, 38 digits, point, "0." */
	NUMBER_DOUBLE_MAX = 32
};

typedef __int128 number_i128;
typedef unsigned __int128 number_u128;

size_t number_u64(uint64_t value, char *out);
size_t number_i64(int64_t value, char *out);
size_t number_u128_text(number_u128 value, char *out);
size_t number_i128_text(number_i128 value, char *out);
/* `digits` digits with leading zeros. */
void number_padded(uint64_t value, unsigned digits, char *out);
/* value / 10^scale with exactly `scale` fraction digits. */
size_t number_decimal(number_i128 value, unsigned scale, char *out);

/*
 * The shortest decimal that reads back to the same binary value, nearest to it among equals (R. Giulietti, "The Schubfach
 * way to render doubles"): value = digits * 10^exponent. `value` is finite and not zero; its sign is ignored.
 */
struct number_shortest {
	uint64_t digits; /* no trailing zeros */
	int exponent;
};

struct number_shortest number_shortest_double(double value);
struct number_shortest number_shortest_float(float value);

/* JSON number; the value is finite. 1.0 is "1.0", exponent form outside 1e-7 .. 1e16. */
size_t number_json_double(double value, char *out);
size_t number_json_float(float value, char *out);
/* As PostgreSQL prints: exponent form below 1e-4 and from 1e15 (float 1e6), NaN, Infinity, -Infinity. */
size_t number_pg_double(double value, char *out);
size_t number_pg_float(float value, char *out);
/* As the engine casts to text: 1.0, 1e+20, nan, inf. */
size_t number_engine_double(double value, char *out);
size_t number_engine_float(float value, char *out);

#endif
