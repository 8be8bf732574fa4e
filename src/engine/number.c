#include "engine/number.h"

#include <math.h>

static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
			    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
			    "8081828384858687888990919293949596979899";

void number_padded(uint64_t value, unsigned digits, char *out)
{
	while (digits >= 2) {
		digits -= 2;
		memcpy(out + digits, pairs + 2 * (value % 100), 2);
		value /= 100;
	}
	if (digits)
		out[0] = (char)('0' + value % 10);
}

static unsigned count_digits(uint64_t value)
{
	unsigned n = 1;
	for (; value >= 10000; value /= 10000)
		n += 4;
	return n + (value >= 10) + (value >= 100) + (value >= 1000);
}

size_t number_u64(uint64_t value, char *out)
{
	const unsigned n = count_digits(value);
	number_padded(value, n, out);
	return n;
}

size_t number_i64(int64_t value, char *out)
{
	if (value >= 0)
		return number_u64((uint64_t)value, out);
	*out = '-';
	return 1 + number_u64(0 - (uint64_t)value, out + 1);
}

size_t number_u128_text(number_u128 value, char *out)
{
	const uint64_t chunk = UINT64_C(10000000000000000000); /* 10^19 */
	if (value < chunk)
		return number_u64((uint64_t)value, out);
	const size_t n = number_u128_text(value / chunk, out);
	number_padded((uint64_t)(value % chunk), 19, out + n);
	return n + 19;
}

size_t number_i128_text(number_i128 value, char *out)
{
	if (value >= 0)
		return number_u128_text((number_u128)value, out);
	*out = '-';
	return 1 + number_u128_text(0 - (number_u128)value, out + 1);
}

size_t number_decimal(number_i128 value, unsigned scale, char *out)
{
	char digits[NUMBER_I128_MAX];
	const bool negative = value < 0;
	const number_u128 magnitude = negative ? 0 - (number_u128)value : (number_u128)value;
	const size_t n = number_u128_text(magnitude, digits);
	const size_t whole = n > scale ? n - scale : 0;
	char *at = out;
	if (negative)
		*at++ = '-';
	if (whole == 0)
		*at++ = '0';
	memcpy(at, digits, whole);
	at += whole;
	if (scale > 0) {
		*at++ = '.';
		for (size_t i = n; i < scale; i++)
			*at++ = '0';
		memcpy(at, digits + whole, n - whole);
		at += n - whole;
	}
	return (size_t)(at - out);
}

/* Shortest doubles */

struct power {
	uint64_t high;
	uint64_t low;
};

enum { POWER_MIN = -292 };

static const struct power powers[] = {
#define POWER(high, low) {high, low},
#include "engine/number_powers.def"
#undef POWER
};

/* floor(e * log10(2)), floor(log10(3/4 * 2^e)), floor(e * log2(10)): exact over the exponents of a double. */
static int floor_log10_pow2(int e)
{
	return (e * 1262611) >> 22;
}

static int floor_log10_three_quarters_pow2(int e)
{
	return (e * 1262611 - 524031) >> 22;
}

static int floor_log2_pow10(int e)
{
	return (e * 1741647) >> 19;
}

/* The upper 64 bits of g * cp, the lowest one set when anything below was lost. */
static uint64_t round_to_odd(struct power g, uint64_t cp)
{
	const number_u128 low = (number_u128)g.low * cp;
	const number_u128 high = (number_u128)g.high * cp + (uint64_t)(low >> 64);
	return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/*
 * c * 2^q, with the gap below it half as wide when c is a power of two that is not the smallest. Following the paper:
 * of the interval that rounds to the value, take the shortest decimal, and of those the nearest.
 */
static struct number_shortest shortest(uint64_t c, int q, bool closer_below)
{
	const bool even = c % 2 == 0;
	const uint64_t left = 4 * c - 2 + closer_below, middle = 4 * c, right = 4 * c + 2;
	const int k = closer_below ? floor_log10_three_quarters_pow2(q) : floor_log10_pow2(q);
	const int h = q + floor_log2_pow10(-k) + 1;
	const struct power g = powers[-k - POWER_MIN];
	const uint64_t lower = round_to_odd(g, left << h) + !even;
	const uint64_t value = round_to_odd(g, middle << h);
	const uint64_t upper = round_to_odd(g, right << h) - !even;
	const uint64_t s = value / 4;
	struct number_shortest r;
	if (s >= 10) {
		const uint64_t tens = s / 10;
		const bool down = lower <= 40 * tens, up = 40 * tens + 40 <= upper;
		if (down != up) {
			r = (struct number_shortest){tens + up, k + 1};
			goto trim;
		}
	}
	const bool down = lower <= 4 * s, up = 4 * s + 4 <= upper;
	if (down != up) {
		r = (struct number_shortest){s + up, k};
	} else {
		const uint64_t half = 4 * s + 2;
		r = (struct number_shortest){s + (value > half || (value == half && s % 2 == 1)), k};
	}
trim:
	while (r.digits % 10 == 0) {
		r.digits /= 10;
		r.exponent++;
	}
	return r;
}

struct number_shortest number_shortest_double(double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	const uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
	const int exponent = (int)(bits >> 52 & 0x7FF);
	if (exponent == 0)
		return shortest(fraction, -1074, false);
	return shortest(fraction | UINT64_C(1) << 52, exponent - 1075, fraction == 0 && exponent > 1);
}

struct number_shortest number_shortest_float(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	const uint32_t fraction = bits & ((UINT32_C(1) << 23) - 1);
	const int exponent = (int)(bits >> 23 & 0xFF);
	if (exponent == 0)
		return shortest(fraction, -149, false);
	return shortest(fraction | UINT32_C(1) << 23, exponent - 150, fraction == 0 && exponent > 1);
}

/* How a finite number is laid out; the exponents are those of its first digit. */
struct layout {
	int exponent_min; /* below: exponent form */
	int exponent_max; /* from here on: exponent form */
	bool point;	  /* whole numbers get ".0" */
};

static size_t exponent_form(const char *digits, size_t n, int exponent, char *out)
{
	char *at = out;
	*at++ = digits[0];
	if (n > 1) {
		*at++ = '.';
		memcpy(at, digits + 1, n - 1);
		at += n - 1;
	}
	*at++ = 'e';
	*at++ = exponent < 0 ? '-' : '+';
	const unsigned magnitude = (unsigned)(exponent < 0 ? -exponent : exponent);
	const unsigned width = magnitude < 100 ? 2 : 3;
	number_padded(magnitude, width, at);
	return (size_t)(at - out) + width;
}

static size_t plain_form(const char *digits, size_t n, int exponent, bool point, char *out)
{
	char *at = out;
	if (exponent < 0) {
		*at++ = '0';
		*at++ = '.';
		for (int i = -1; i > exponent; i--)
			*at++ = '0';
		memcpy(at, digits, n);
		return (size_t)(at - out) + n;
	}
	const size_t whole = (size_t)exponent + 1;
	for (size_t i = 0; i < whole; i++)
		*at++ = i < n ? digits[i] : '0';
	if (n > whole) {
		*at++ = '.';
		memcpy(at, digits + whole, n - whole);
		at += n - whole;
	} else if (point) {
		*at++ = '.';
		*at++ = '0';
	}
	return (size_t)(at - out);
}

static size_t print_shortest(struct number_shortest s, bool negative, const struct layout *layout, char *out)
{
	char digits[NUMBER_U64_MAX] = {0};
	const size_t n = number_u64(s.digits, digits);
	const int exponent = s.exponent + (int)n - 1;
	if (negative)
		*out = '-';
	const size_t sign = negative;
	if (exponent < layout->exponent_min || exponent >= layout->exponent_max)
		return sign + exponent_form(digits, n, exponent, out + sign);
	return sign + plain_form(digits, n, exponent, layout->point, out + sign);
}

static size_t print_word(struct span word, char *out)
{
	memcpy(out, word.ptr, word.len);
	return word.len;
}

static size_t print_zero(bool negative, const struct layout *layout, char *out)
{
	const char *text = layout->point ? "-0.0" : "-0";
	return print_word(span_of(text + !negative), out);
}

static size_t print_double(double value, const struct layout *layout, char *out)
{
	if (value == 0)
		return print_zero(signbit(value), layout, out);
	return print_shortest(number_shortest_double(value), value < 0, layout, out);
}

static size_t print_float(float value, const struct layout *layout, char *out)
{
	if (value == 0)
		return print_zero(signbit(value), layout, out);
	return print_shortest(number_shortest_float(value), value < 0, layout, out);
}

/* nan, inf, -inf under the names of `names`; 0 for a finite value. */
static size_t print_special(double value, const char *const names[3], char *out)
{
	if (isfinite(value))
		return 0;
	const char *name = isnan(value) ? names[0] : value > 0 ? names[1] : names[2];
	return print_word(span_of(name), out);
}

static const struct layout json_layout = {-7, 16, true}, engine_layout = {-4, 16, true},
			   pg_double_layout = {-4, 15, false}, pg_float_layout = {-4, 6, false};
static const char *const pg_names[] = {"NaN", "Infinity", "-Infinity"};
static const char *const engine_names[] = {"nan", "inf", "-inf"};

size_t number_json_double(double value, char *out)
{
	return print_double(value, &json_layout, out);
}

size_t number_json_float(float value, char *out)
{
	return print_float(value, &json_layout, out);
}

size_t number_pg_double(double value, char *out)
{
	const size_t n = print_special(value, pg_names, out);
	return n ? n : print_double(value, &pg_double_layout, out);
}

size_t number_pg_float(float value, char *out)
{
	const size_t n = print_special((double)value, pg_names, out);
	return n ? n : print_float(value, &pg_float_layout, out);
}

size_t number_engine_double(double value, char *out)
{
	const size_t n = print_special(value, engine_names, out);
	return n ? n : print_double(value, &engine_layout, out);
}

size_t number_engine_float(float value, char *out)
{
	const size_t n = print_special((double)value, engine_names, out);
	return n ? n : print_float(value, &engine_layout, out);
}
