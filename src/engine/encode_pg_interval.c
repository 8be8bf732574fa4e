/* Intervals as text in the four styles of PostgreSQL (EncodeInterval() there). */
#include "engine/encode.h"
#include "engine/encode_pg.h"

/* A field of an interval as PostgreSQL prints it: a positive one behind a negative one shows its sign. */
static void interval_field(int64_t value, const char *unit, bool *first, bool *negative, struct buf *out)
{
	if (value == 0)
		return;
	if (!*first)
		buf_byte(out, ' ');
	if (*negative && value > 0)
		buf_byte(out, '+');
	buf_i64(out, value);
	buf_byte(out, ' ');
	buf_str(out, unit);
	if (value != 1)
		buf_byte(out, 's');
	*first = false;
	*negative = value < 0;
}

static void put_two(uint64_t value, struct buf *out)
{
	if (value < 10)
		buf_byte(out, '0');
	buf_u64(out, value);
}

static void put_fraction(uint64_t micros, struct buf *out)
{
	unsigned digits = 6;
	char text[6];
	if (micros == 0)
		return;
	for (; micros % 10 == 0; micros /= 10)
		digits--;
	number_padded(micros, digits, text);
	buf_byte(out, '.');
	buf_bytes(out, text, digits);
}

static void interval_postgres(const struct vector_interval *i, struct buf *out)
{
	bool first = true, negative = false;
	interval_field(i->months / 12, "year", &first, &negative, out);
	interval_field(i->months % 12, "mon", &first, &negative, out);
	interval_field(i->days, "day", &first, &negative, out);
	if (i->micros == 0 && !first)
		return;
	const uint64_t micros = i->micros < 0 ? 0 - (uint64_t)i->micros : (uint64_t)i->micros;
	const uint64_t seconds = micros / 1000000;
	if (!first)
		buf_byte(out, ' ');
	if (i->micros < 0)
		buf_byte(out, '-');
	else if (negative)
		buf_byte(out, '+');
	put_two(seconds / 3600, out);
	buf_byte(out, ':');
	put_two(seconds / 60 % 60, out);
	buf_byte(out, ':');
	put_two(seconds % 60, out);
	put_fraction(micros % 1000000, out);
}

static void iso_field(int64_t value, char unit, struct buf *out)
{
	if (value == 0)
		return;
	buf_i64(out, value);
	buf_byte(out, unit);
}

static void interval_iso(const struct vector_interval *i, struct buf *out)
{
	if (i->months == 0 && i->days == 0 && i->micros == 0) {
		buf_str(out, "PT0S");
		return;
	}
	buf_byte(out, 'P');
	iso_field(i->months / 12, 'Y', out);
	iso_field(i->months % 12, 'M', out);
	iso_field(i->days, 'D', out);
	if (i->micros == 0)
		return;
	buf_byte(out, 'T');
	const int64_t seconds = i->micros / 1000000;
	iso_field(seconds / 3600, 'H', out);
	iso_field(seconds / 60 % 60, 'M', out);
	const int64_t rest = i->micros % 60000000;
	if (rest == 0)
		return;
	const uint64_t micros = rest < 0 ? 0 - (uint64_t)rest : (uint64_t)rest;
	if (rest < 0)
		buf_byte(out, '-');
	buf_u64(out, micros / 1000000);
	put_fraction(micros % 1000000, out);
	buf_byte(out, 'S');
}

static uint64_t size_of(int64_t value)
{
	return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

/* H:MM:SS.ffffff of a size. */
static void put_clock(uint64_t micros, struct buf *out)
{
	const uint64_t seconds = micros / 1000000;
	buf_u64(out, seconds / 3600);
	buf_byte(out, ':');
	put_two(seconds / 60 % 60, out);
	buf_byte(out, ':');
	put_two(seconds % 60, out);
	put_fraction(micros % 1000000, out);
}

static void put_signed(int64_t value, struct buf *out)
{
	buf_byte(out, value < 0 ? '-' : '+');
	buf_u64(out, size_of(value));
}

static void put_years(uint64_t months, struct buf *out)
{
	buf_u64(out, months / 12);
	buf_byte(out, '-');
	buf_u64(out, months % 12);
}

/* A sign in each part. */
static void interval_sql_mixed(const struct vector_interval *i, struct buf *out)
{
	buf_byte(out, i->months < 0 ? '-' : '+');
	put_years(size_of(i->months), out);
	buf_byte(out, ' ');
	put_signed(i->days, out);
	buf_str(out, i->micros < 0 ? " -" : " +");
	put_clock(size_of(i->micros), out);
}

static bool sql_is_mixed(const struct vector_interval *i)
{
	const bool negative = i->months < 0 || i->days < 0 || i->micros < 0;
	const bool positive = i->months > 0 || i->days > 0 || i->micros > 0;
	return (negative && positive) || (i->months && (i->days || i->micros));
}

/* Intervals of SQL have one sign, and are of years and months or of days and time. */
static void interval_sql(const struct vector_interval *i, struct buf *out)
{
	if (sql_is_mixed(i)) {
		interval_sql_mixed(i, out);
		return;
	}
	buf_str(out, i->months < 0 || i->days < 0 || i->micros < 0 ? "-" : "");
	if (i->months) {
		put_years(size_of(i->months), out);
		return;
	}
	if (i->days) {
		buf_u64(out, size_of(i->days));
		buf_byte(out, ' ');
	}
	if (i->days || i->micros)
		put_clock(size_of(i->micros), out);
	else
		buf_byte(out, '0');
}

/* "1 day", "2 hours"; what is ago counts backwards. */
static void verbose_field(int64_t value, const char *unit, bool *first, bool *ago, struct buf *out)
{
	if (value == 0)
		return;
	if (*first) {
		*ago = value < 0;
		value = *ago ? -value : value;
	} else if (*ago) {
		value = -value;
	}
	*first = false;
	buf_byte(out, ' ');
	buf_i64(out, value);
	buf_byte(out, ' ');
	buf_str(out, unit);
	buf_str(out, value == 1 ? "" : "s");
}

static void interval_verbose(const struct vector_interval *i, struct buf *out)
{
	bool first = true, ago = false;
	const int64_t seconds = i->micros / 1000000, rest = i->micros % 60000000;
	buf_byte(out, '@');
	verbose_field(i->months / 12, "year", &first, &ago, out);
	verbose_field(i->months % 12, "mon", &first, &ago, out);
	verbose_field(i->days, "day", &first, &ago, out);
	verbose_field(seconds / 3600, "hour", &first, &ago, out);
	verbose_field(seconds / 60 % 60, "min", &first, &ago, out);
	if (rest) {
		const uint64_t size = size_of(rest);
		ago = first ? rest < 0 : ago;
		buf_str(out, (rest < 0) != ago ? " -" : " ");
		buf_u64(out, size / 1000000);
		put_fraction(size % 1000000, out);
		buf_str(out, size == 1000000 ? " sec" : " secs");
	} else if (first) {
		buf_str(out, " 0");
	}
	buf_str(out, ago ? " ago" : "");
}

void encode_pg_interval(const struct vector_interval *i, enum pg_interval_style style, struct buf *out)
{
	switch (style) {
	case PG_INTERVAL_ISO_8601:
		interval_iso(i, out);
		break;
	case PG_INTERVAL_SQL_STANDARD:
		interval_sql(i, out);
		break;
	case PG_INTERVAL_POSTGRES_VERBOSE:
		interval_verbose(i, out);
		break;
	default:
		interval_postgres(i, out);
	}
}
