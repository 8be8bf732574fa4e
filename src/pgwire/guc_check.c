/* What a setting takes: PostgreSQL's notations of values, units and lists, and how a value is shown. */
#include "pgwire/guc.h"

#include "base/arena.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PRINTABLE_LEAST = 0x20, PRINTABLE_MOST = 0x7e, NAME_LEN = 63 };

/* Units a value may be written in, in their base; and those a value is shown in: of one base, largest first. */
static const struct {
	const char *base, *unit;
	double factor;
} UNITS[] = {
	{"ms", "d", 86400000},
	{"ms", "h", 3600000},
	{"ms", "min", 60000},
	{"ms", "s", 1000},
	{"ms", "ms", 1},
	{"ms", "us", 0.001},
	{"s", "d", 86400},
	{"s", "h", 3600},
	{"s", "min", 60},
	{"s", "s", 1},
	{"s", "ms", 0.001},
	{"s", "us", 0.000001},
	{"kB", "TB", 1073741824},
	{"kB", "GB", 1048576},
	{"kB", "MB", 1024},
	{"kB", "kB", 1},
	{"kB", "B", 1.0 / 1024},
	{"8kB", "TB", 134217728},
	{"8kB", "GB", 131072},
	{"8kB", "MB", 128},
	{"8kB", "kB", 0.125},
	{"8kB", "B", 1.0 / 8192},
	{"B", "TB", 1099511627776},
	{"B", "GB", 1073741824},
	{"B", "MB", 1048576},
	{"B", "kB", 1024},
	{"B", "B", 1},
};

static bool has_base(size_t i, const struct guc_row *row)
{
	return i < ARRAY_LEN(UNITS) && strcmp(UNITS[i].base, row->unit) == 0;
}

static bool bad_value(struct pg_error *e, struct span name, struct span value)
{
	return pg_error_set(e, "22023", "invalid value for parameter \"%.*s\": \"%.*s\"", SPAN_ARG(name),
			    SPAN_ARG(span_first_utf8(value, 200)));
}

static bool fixed(struct pg_error *e, const struct guc_row *row, struct span name)
{
	return pg_error_set(e, "55P02", "parameter \"%.*s\" cannot be changed%s", SPAN_ARG(name),
			    row->rule == GUC_SERVER ? " without restarting the server" : "");
}

/* --- words --- */

static bool check_bool(struct span value, char *ret)
{
	static const struct {
		const char *word;
		size_t least;
		bool value;
	} words[] = {{"true", 1, true}, {"false", 1, false}, {"yes", 1, true}, {"no", 1, false},
		     {"on", 2, true},	{"off", 2, false},   {"1", 1, true},   {"0", 1, false}};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (value.len >= words[i].least &&
		    span_eq_nocase(value, span_first(span_of(words[i].word), value.len))) {
			(void)snprintf(ret, GUC_VALUE_MAX, "%s", words[i].value ? "on" : "off");
			return true;
		}
	return false;
}

/* "a,b;c,d=b": behind the semicolon stand words that are taken and not told, and what they stand for. */
static bool check_enum(const struct guc_row *row, struct span name, struct span value, char *ret, struct pg_error *e)
{
	struct span hidden = span_of(row->words), words = hidden;
	const struct span told = span_cut(&hidden, ';');
	/* Booleans are taken for the enums that have on and off. */
	char as_bool[GUC_VALUE_MAX];
	const struct span other = check_bool(value, as_bool) ? span_of(as_bool) : value;
	while (words.len) {
		const size_t n = strcspn(words.ptr, ",;");
		struct span word = span_first(words, n);
		words = span_skip(words, n + 1);
		const struct span spelling = span_cut(&word, '=');
		if (span_eq_nocase(spelling, value) || span_eq_nocase(spelling, other)) {
			(void)snprintf(ret, GUC_VALUE_MAX, "%.*s", SPAN_ARG(word.len ? word : spelling));
			return true;
		}
	}
	struct buf list = BUF(1024);
	for (words = told; words.len;) {
		buf_span(&list, span_cut(&words, ','));
		buf_str(&list, words.len ? ", " : "");
	}
	(void)bad_value(e, name, value);
	pg_error_hint(e, "Available values: %.*s.", SPAN_ARG(buf_view(&list)));
	buf_done(&list);
	return false;
}

/* --- numbers --- */

/* In the base unit; to what the next smaller unit can tell. */
static bool convert(const struct guc_row *row, struct span unit, double *number)
{
	for (size_t i = 0; i < ARRAY_LEN(UNITS); i++) {
		if (!has_base(i, row) || !span_is(unit, UNITS[i].unit))
			continue;
		*number *= UNITS[i].factor;
		if (has_base(i + 1, row))
			*number = rint(*number / UNITS[i + 1].factor) * UNITS[i + 1].factor;
		return true;
	}
	return false;
}

static const char *units_of(const struct guc_row *row)
{
	return strchr(row->unit, 'B') ? "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\"."
				      : "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and "
					"\"d\".";
}

/* Decimal, hexadecimal or octal, as C writes them; or with a point or an exponent. */
static double read_number(const struct guc_row *row, const char *text, char **ret_end)
{
	errno = 0;
	const long whole = strtol(text, ret_end, 0);
	if (row->type == GUC_INTEGER && !errno && !strchr(".eE", **ret_end ? **ret_end : ' '))
		return (double)whole;
	errno = 0;
	return strtod(text, ret_end);
}

/* A number with an optional unit, in the base unit. *ret_hint: what would be right, or NULL. */
static bool parse_number(const struct guc_row *row, struct span value, double *ret, const char **ret_hint)
{
	char copy[100], *end;
	*ret_hint = NULL;
	value = span_trim(value);
	/* Timeouts are asked for at each statement, and most are 0. */
	if (value.len == 1 && *value.ptr >= '0' && *value.ptr <= '9') {
		*ret = *value.ptr - '0';
		return true;
	}
	if (value.len == 0 || value.len >= sizeof(copy))
		return false;
	memcpy(copy, value.ptr, value.len);
	copy[value.len] = '\0';
	double number = read_number(row, copy, &end);
	const struct span unit = span_trim(span_of(end));
	if (end == copy || errno || isnan(number))
		return false;
	if (unit.len && !convert(row, unit, &number)) {
		*ret_hint = *row->unit ? units_of(row) : NULL;
		return false;
	}
	if (row->type == GUC_INTEGER)
		number = rint(number);
	if (row->type == GUC_INTEGER && fabs(number) > INT32_MAX) {
		*ret_hint = "Value exceeds integer range.";
		return false;
	}
	*ret = number;
	return true;
}

/* The largest unit in which it is a whole number. */
static void print_number(const struct guc_row *row, double number, char *ret)
{
	const char *unit = "";
	double shown = number;
	for (size_t i = 0; i < ARRAY_LEN(UNITS) && number > 0; i++) {
		if (!has_base(i, row))
			continue;
		shown = number / UNITS[i].factor;
		unit = UNITS[i].unit;
		const double slack = row->type == GUC_REAL ? shown * 1e-8 : 0;
		if (rint(shown) > 0 && fabs(rint(shown) - shown) <= slack)
			break;
	}
	if (row->type == GUC_REAL)
		(void)snprintf(ret, GUC_VALUE_MAX, "%g%s", shown, unit);
	else
		(void)snprintf(ret, GUC_VALUE_MAX, "%lld%s", llrint(shown), unit);
}

static bool check_number(const struct guc_row *row, struct span name, struct span value, char *ret, struct pg_error *e)
{
	double number;
	const char *hint;
	if (!parse_number(row, value, &number, &hint)) {
		(void)bad_value(e, name, value);
		if (hint)
			pg_error_hint(e, "%s", hint);
		return false;
	}
	if (number < row->least || number > row->most) {
		const int digits = row->type == GUC_INTEGER ? 10 : 6;
		return pg_error_set(e, "22023",
				    "%.*g%s%s is outside the valid range for parameter \"%.*s\" (%.*g .. %.*g)", digits,
				    number, *row->unit ? " " : "", row->unit, SPAN_ARG(name), digits, row->least,
				    digits, row->most);
	}
	print_number(row, number, ret);
	return true;
}

double guc_number(const struct guc_row *row, const char *text)
{
	double number = 0;
	const char *hint;
	(void)!parse_number(row, span_of(text), &number, &hint);
	return number;
}

char *guc_first_value(const struct guc_row *row)
{
	char text[GUC_VALUE_MAX];
	double number;
	const char *hint;
	if (row->type != GUC_INTEGER || !*row->unit || !parse_number(row, span_of(row->value), &number, &hint))
		return mem_strdup(row->value);
	print_number(row, number, text);
	return mem_strdup(text);
}

/* --- lists --- */

/* The next item of a list of identifiers, quoted ones without their quotes; false: it is none. */
static bool list_item(struct span *rest, struct span *ret)
{
	*rest = span_trim(*rest);
	const bool quoted = rest->len && *rest->ptr == '"';
	size_t n = 0;
	if (quoted) {
		for (n = 1; n < rest->len && (rest->ptr[n] != '"' || (n + 1 < rest->len && rest->ptr[n + 1] == '"'));)
			n += rest->ptr[n] == '"' ? 2 : 1;
		n++;
	} else {
		while (n < rest->len && !memchr(", \t\n\r\f\v", rest->ptr[n], 7))
			n++;
	}
	if (!n || n > rest->len)
		return false;
	*ret = quoted ? span_skip(span_first(*rest, n - 1), 1) : span_first(*rest, n);
	*rest = span_trim(span_skip(*rest, n));
	if (!rest->len)
		return true;
	const bool goes_on = *rest->ptr == ',' && rest->len > 1;
	*rest = span_skip(*rest, 1);
	return goes_on;
}

static bool check_list(struct span value)
{
	struct span item;
	value = span_trim(value);
	while (value.len)
		if (!list_item(&value, &item))
			return false;
	return true;
}

/* --- those with rules of their own --- */

static bool check_encoding(struct span value, char *ret)
{
	static const struct {
		const char *spelling, *name;
	} known[] = {{"utf8", "UTF8"}, {"unicode", "UTF8"}, {"sqlascii", "SQL_ASCII"}};
	char bare[32];
	size_t n = 0;
	/* Only letters and digits count: utf-8, SQL_ASCII; asyncpg sends the value with its quotes. */
	for (size_t i = 0; i < value.len && n < sizeof(bare); i++)
		if (strchr("-_ '.", value.ptr[i]) == NULL)
			bare[n++] = value.ptr[i];
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (span_eq_nocase((struct span){bare, n}, span_of(known[i].spelling))) {
			(void)snprintf(ret, GUC_VALUE_MAX, "%s", known[i].name);
			return true;
		}
	return false;
}

static bool is_order(struct span word, const char **ret)
{
	static const struct {
		const char *spelling, *order;
		bool may_go_on;
	} orders[] = {{"ymd", "YMD", false}, {"dmy", "DMY", false}, {"euro", "DMY", true},
		      {"mdy", "MDY", false}, {"us", "MDY", false},  {"noneuro", "MDY", true}};
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		const struct span spelling = span_of(orders[i].spelling);
		if (span_eq_nocase(orders[i].may_go_on ? span_first(word, spelling.len) : word, spelling)) {
			*ret = orders[i].order;
			return true;
		}
	}
	return false;
}

static bool bad_datestyle(struct span whole, struct pg_error *e)
{
	(void)bad_value(e, SPAN("DateStyle"), whole);
	pg_error_hint(e, "Dates are shown in the ISO style; the order may be MDY, DMY or YMD.");
	return false;
}

/* A style and an order, either may be left out; only ISO is shown. */
static bool check_datestyle(const char *before, struct span value, char *ret, struct pg_error *e)
{
	const struct span whole = value;
	const char *given = NULL, *next = NULL;
	struct span word;
	while (span_trim(value).len) {
		if (!list_item(&value, &word)) {
			(void)bad_datestyle(whole, e);
			pg_error_detail(e, "List syntax is invalid.");
			return false;
		}
		if (span_eq_nocase(word, SPAN("iso")) || span_eq_nocase(word, SPAN("default")))
			continue;
		if (!is_order(word, &next)) {
			(void)bad_datestyle(whole, e);
			pg_error_detail(e, "Unrecognized key word: \"%.*s\".", SPAN_ARG(span_first_utf8(word, 200)));
			return false;
		}
		if (given && strcmp(given, next) != 0) {
			(void)bad_datestyle(whole, e);
			pg_error_detail(e, "Conflicting \"datestyle\" specifications.");
			return false;
		}
		given = next;
	}
	if (!given)
		given = strstr(before, "DMY") ? "DMY" : strstr(before, "YMD") ? "YMD" : "MDY";
	(void)snprintf(ret, GUC_VALUE_MAX, "ISO, %s", given);
	return true;
}

/* There is one login, which is who it is. */
static bool check_identity(const struct gucs *g, enum guc_id id, struct span value, struct pg_error *e)
{
	const bool is_role = id == GUC_role;
	if (span_is(value, guc_text(g, GUC_session_authorization)) || (is_role && span_eq_nocase(value, SPAN("none"))))
		return true;
	if (!is_role)
		return pg_error_set(e, "42501", "permission denied to set session authorization");
	return pg_error_set(e, "42501", "permission denied to set role \"%.*s\"",
			    SPAN_ARG(span_first_utf8(value, 100)));
}

static bool check_special(struct gucs *g, enum guc_id id, struct span value, char *ret, struct pg_error *e)
{
	const struct guc_row *row = guc_row(id);
	bool fine = true;
	(void)snprintf(ret, GUC_VALUE_MAX, "%.*s", SPAN_ARG(value));
	switch (id) {
	case GUC_client_encoding:
		if (check_encoding(value, ret))
			return true;
		(void)bad_value(e, span_of(row->name), value);
		pg_error_hint(e, "Available values: UTF8, SQL_ASCII.");
		return false;
	case GUC_DateStyle:
		return check_datestyle(g->values[id].now, value, ret, e);
	case GUC_TimeZone:
		fine = !g->zone_known || g->zone_known(value, ret, GUC_VALUE_MAX);
		break;
	case GUC_standard_conforming_strings:
		if (!check_bool(value, ret) || strcmp(ret, "on") != 0)
			return pg_error_set(e, "0A000", "standard_conforming_strings = off is not supported");
		break;
	case GUC_role:
	case GUC_session_authorization:
		return check_identity(g, id, value, e);
	case GUC_application_name:
		for (char *c = ret; *c; c++)
			*c = (unsigned char)*c < PRINTABLE_LEAST || (unsigned char)*c > PRINTABLE_MOST ? '?' : *c;
		ret[value.len < NAME_LEN ? value.len : NAME_LEN] = '\0';
		break;
	default:
		if (row->type == GUC_ENUM)
			return check_enum(row, span_of(row->name), value, ret, e);
		return check_bool(value, ret) ||
		       pg_error_set(e, "22023", "parameter \"%s\" requires a Boolean value", row->name);
	}
	return fine || bad_value(e, span_of(row->name), value);
}

bool guc_check_fixed(const struct guc_row *row, struct span name, struct pg_error *e)
{
	return (row->rule != GUC_FIXED && row->rule != GUC_SERVER) || fixed(e, row, name);
}

bool guc_check(struct gucs *g, enum guc_id id, struct span name, struct span value, char *ret, struct pg_error *e)
{
	const struct guc_row *row = guc_row(id);
	if (value.len >= GUC_VALUE_MAX)
		return pg_error_set(e, "22023", "value of parameter \"%.*s\" is too long", SPAN_ARG(name));
	if (!guc_check_fixed(row, name, e))
		return false;
	if (row->rule == GUC_SPECIAL)
		return check_special(g, id, value, ret, e);
	(void)snprintf(ret, GUC_VALUE_MAX, "%.*s", SPAN_ARG(value));
	switch (row->type) {
	case GUC_BOOL:
		return check_bool(value, ret) ||
		       pg_error_set(e, "22023", "parameter \"%.*s\" requires a Boolean value", SPAN_ARG(name));
	case GUC_ENUM:
		return check_enum(row, name, value, ret, e);
	case GUC_INTEGER:
	case GUC_REAL:
		return check_number(row, name, value, ret, e);
	case GUC_LIST:
	case GUC_NAMES:
		if (check_list(value))
			return true;
		(void)bad_value(e, span_of(row->name), value);
		pg_error_detail(e, "List syntax is invalid.");
		return false;
	case GUC_STRING:
		break;
	}
	return true;
}
