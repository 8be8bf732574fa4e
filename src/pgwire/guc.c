#include "pgwire/guc.h"

#include "base/arena.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct guc_row ROWS[] = {
#define GUC(name_, type_, value_, unit_, least_, most_, words_, rule_, reported_) \
	{.name = #name_,                                                          \
	 .type = GUC_##type_,                                                     \
	 .value = (value_),                                                       \
	 .unit = (unit_),                                                         \
	 .least = (double)(least_),                                               \
	 .most = (double)(most_),                                                 \
	 .words = (words_),                                                       \
	 .rule = GUC_##rule_,                                                     \
	 .reported = (reported_)},
#include "pgwire/guc.def"
#undef GUC
};

/* Units a value may be written in, in their base; and those a value is shown in, largest first. */
static const struct {
	const char *base, *unit;
	double factor;
} UNITS[] = {
	{"ms", "d", 86400000},	  {"ms", "h", 3600000},	 {"ms", "min", 60000}, {"ms", "s", 1000},
	{"ms", "ms", 1},	  {"ms", "us", 0.001},	 {"s", "d", 86400},    {"s", "h", 3600},
	{"s", "min", 60},	  {"s", "s", 1},	 {"s", "ms", 0.001},   {"kB", "TB", 1073741824},
	{"kB", "GB", 1048576},	  {"kB", "MB", 1024},	 {"kB", "kB", 1},      {"kB", "B", 1.0 / 1024},
	{"8kB", "TB", 134217728}, {"8kB", "GB", 131072}, {"8kB", "MB", 128},   {"8kB", "kB", 0.125},
	{"B", "MB", 1048576},	  {"B", "kB", 1024},	 {"B", "B", 1},
};

const struct guc_row *guc_row(enum guc_id id)
{
	return &ROWS[id];
}

enum guc_id guc_find(struct span name)
{
	for (size_t i = 0; i < GUC_COUNT; i++)
		if (span_eq_nocase(name, span_of(ROWS[i].name)))
			return (enum guc_id)i;
	return GUC_COUNT;
}

static void undo_drop(struct gucs *g)
{
	while (g->undo_count > 0) {
		free(g->undo[--g->undo_count].now);
		free(g->undo[g->undo_count].base);
	}
	g->undo_mark = 0;
	g->has_mark = false;
}

static void value_done(struct guc_value *v)
{
	free(v->now);
	free(v->reset);
	free(v->saved);
	free(v->base);
}

void gucs_done(struct gucs *g)
{
	for (size_t i = 0; i < GUC_COUNT; i++)
		value_done(&g->values[i]);
	for (size_t i = 0; i < g->custom_count; i++) {
		free(g->custom[i].name);
		value_done(&g->custom[i].value);
	}
	undo_drop(g);
	free(g->undo);
	*g = (struct gucs){0};
}

static bool bad_value(struct pg_error *e, const struct guc_row *row, struct span value)
{
	return pg_error_set(e, "22023", "invalid value for parameter \"%s\": \"%.*s\"", row->name,
			    SPAN_ARG(span_first(value, 200)));
}

static bool fixed(struct pg_error *e, const struct guc_row *row)
{
	return pg_error_set(e, "55P02", "parameter \"%s\" cannot be changed%s", row->name,
			    row->rule == GUC_SERVER ? " without restarting the server" : "");
}

/* --- checks: the text to be stored --- */

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

static bool check_enum(const struct guc_row *row, struct span value, char *ret)
{
	struct span words = span_of(row->words);
	/* Booleans are taken for the enums that have on and off. */
	char as_bool[GUC_VALUE_MAX];
	struct span other = check_bool(value, as_bool) ? span_of(as_bool) : value;
	while (words.len) {
		struct span word = span_cut(&words, ',');
		if (span_eq_nocase(word, value) || span_eq_nocase(word, other)) {
			(void)snprintf(ret, GUC_VALUE_MAX, "%.*s", SPAN_ARG(word));
			return true;
		}
	}
	return false;
}

static bool unit_factor(const struct guc_row *row, struct span unit, double *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(UNITS); i++)
		if (strcmp(UNITS[i].base, row->unit) == 0 && span_is(unit, UNITS[i].unit)) {
			*ret = UNITS[i].factor;
			return true;
		}
	return false;
}

/* A number with an optional unit, in the base unit. */
static bool parse_number(const struct guc_row *row, struct span value, double *ret)
{
	char copy[100], *end;
	double factor = 1;
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
	errno = 0;
	double number = strtod(copy, &end);
	struct span unit = span_trim(span_of(end));
	if (end == copy || errno || !isfinite(number) || (unit.len && !unit_factor(row, unit, &factor)))
		return false;
	*ret = number * factor;
	return true;
}

static void print_number(const struct guc_row *row, double number, char *ret)
{
	if (row->type == GUC_REAL) {
		(void)snprintf(ret, GUC_VALUE_MAX, "%g%s", number, row->unit);
		return;
	}
	int64_t whole = llrint(number);
	for (size_t i = 0; i < ARRAY_LEN(UNITS) && whole > 0; i++) {
		if (strcmp(UNITS[i].base, row->unit) != 0 || UNITS[i].factor < 1)
			continue;
		int64_t factor = (int64_t)UNITS[i].factor;
		if (whole % factor == 0) {
			(void)snprintf(ret, GUC_VALUE_MAX, "%lld%s", (long long)(whole / factor), UNITS[i].unit);
			return;
		}
	}
	(void)snprintf(ret, GUC_VALUE_MAX, "%lld", (long long)whole);
}

static bool check_number(const struct guc_row *row, struct span value, char *ret, struct pg_error *e)
{
	double number;
	if (!parse_number(row, value, &number))
		return bad_value(e, row, value);
	if (number < row->least || number > row->most) {
		const int digits = row->type == GUC_INTEGER ? 10 : 6;
		return pg_error_set(
			e, "22023", "%.*g%s%s is outside the valid range for parameter \"%s\" (%.*g .. %.*g)", digits,
			number, *row->unit ? " " : "", row->unit, row->name, digits, row->least, digits, row->most);
	}
	print_number(row, number, ret);
	return true;
}

/* The default as SHOW shows it: 4096 kB is 4MB. */
static char *first_value(const struct guc_row *row)
{
	char text[GUC_VALUE_MAX];
	double number;
	if (row->type != GUC_INTEGER || !*row->unit || !parse_number(row, span_of(row->value), &number))
		return mem_strdup(row->value);
	print_number(row, number, text);
	return mem_strdup(text);
}

void gucs_init(struct gucs *g)
{
	*g = (struct gucs){0};
	for (size_t i = 0; i < GUC_COUNT; i++) {
		g->values[i].now = first_value(&ROWS[i]);
		g->values[i].reset = mem_strdup(g->values[i].now);
	}
}

static bool check_encoding(struct span value, char *ret)
{
	static const char *const utf8[] = {"utf8", "utf-8", "unicode", "utf_8"};
	static const char *const raw[] = {"sql_ascii", "sqlascii"};
	/* asyncpg sends the value with its quotes. */
	if (value.len > 2 && *value.ptr == '\'' && value.ptr[value.len - 1] == '\'')
		value = span_skip(span_first(value, value.len - 1), 1);
	for (size_t i = 0; i < ARRAY_LEN(utf8); i++)
		if (span_eq_nocase(value, span_of(utf8[i]))) {
			(void)snprintf(ret, GUC_VALUE_MAX, "UTF8");
			return true;
		}
	for (size_t i = 0; i < ARRAY_LEN(raw); i++)
		if (span_eq_nocase(value, span_of(raw[i]))) {
			(void)snprintf(ret, GUC_VALUE_MAX, "SQL_ASCII");
			return true;
		}
	return false;
}

/* A style and an order, either may be left out; only ISO is shown. */
static bool check_datestyle(const char *before, struct span value, char *ret)
{
	const char *order = strstr(before, "DMY") ? "DMY" : strstr(before, "YMD") ? "YMD" : "MDY";
	while (value.len) {
		struct span word = span_trim(span_cut(&value, ','));
		if (span_eq_nocase(word, SPAN("mdy")) || span_eq_nocase(word, SPAN("us")) ||
		    span_eq_nocase(word, SPAN("noneuropean")))
			order = "MDY";
		else if (span_eq_nocase(word, SPAN("dmy")) || span_eq_nocase(word, SPAN("euro")) ||
			 span_eq_nocase(word, SPAN("european")))
			order = "DMY";
		else if (span_eq_nocase(word, SPAN("ymd")))
			order = "YMD";
		else if (!span_eq_nocase(word, SPAN("iso")))
			return false;
	}
	(void)snprintf(ret, GUC_VALUE_MAX, "ISO, %s", order);
	return true;
}

static bool check_special(struct gucs *g, enum guc_id id, struct span value, char *ret, struct pg_error *e)
{
	const struct guc_row *row = &ROWS[id];
	bool fine = true;
	(void)snprintf(ret, GUC_VALUE_MAX, "%.*s", SPAN_ARG(span_first(value, GUC_VALUE_MAX - 1)));
	switch (id) {
	case GUC_client_encoding:
		fine = check_encoding(value, ret);
		break;
	case GUC_DateStyle:
		fine = check_datestyle(g->values[id].now, value, ret);
		break;
	case GUC_TimeZone:
		fine = !g->zone_known || g->zone_known(value, ret, GUC_VALUE_MAX);
		break;
	case GUC_standard_conforming_strings:
		if (!check_bool(value, ret) || strcmp(ret, "on") != 0)
			return pg_error_set(e, "0A000", "standard_conforming_strings = off is not supported");
		break;
	case GUC_role:
		if (!span_eq_nocase(value, SPAN("none")) && !span_is(value, guc_text(g, GUC_session_authorization)))
			return pg_error_set(e, "42501", "permission denied to set role \"%.*s\"",
					    SPAN_ARG(span_first(value, 100)));
		break;
	case GUC_session_authorization:
		if (!span_is(value, guc_text(g, id)))
			return pg_error_set(e, "42501", "permission denied to set session authorization");
		break;
	case GUC_application_name:
		for (char *c = ret; *c; c++)
			*c = (unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e ? '?' : *c;
		if (strlen(ret) > 63)
			ret[63] = '\0';
		break;
	default:
		fine = row->type == GUC_ENUM ? check_enum(row, value, ret) : check_bool(value, ret);
	}
	return fine || bad_value(e, row, value);
}

static bool check(struct gucs *g, enum guc_id id, struct span value, char *ret, struct pg_error *e)
{
	const struct guc_row *row = &ROWS[id];
	if (value.len >= GUC_VALUE_MAX)
		return pg_error_set(e, "22023", "value of parameter \"%s\" is too long", row->name);
	if (row->rule == GUC_FIXED || row->rule == GUC_SERVER)
		return fixed(e, row);
	if (row->rule == GUC_SPECIAL)
		return check_special(g, id, value, ret, e);
	switch (row->type) {
	case GUC_BOOL:
		return check_bool(value, ret) ||
		       pg_error_set(e, "22023", "parameter \"%s\" requires a Boolean value", row->name);
	case GUC_ENUM:
		return check_enum(row, value, ret) || bad_value(e, row, value);
	case GUC_INTEGER:
	case GUC_REAL:
		return check_number(row, value, ret, e);
	default:
		(void)snprintf(ret, GUC_VALUE_MAX, "%.*s", SPAN_ARG(value));
		return true;
	}
}

/* --- values and transactions --- */

static void put(struct gucs *g, struct guc_value *v, const char *text)
{
	if (strcmp(v->now, text) != 0) {
		v->unreported = true;
		g->any_unreported = true;
	}
	char *copy = mem_strdup(text);
	free(v->now);
	v->now = copy;
}

static bool is_noted(const struct gucs *g, const struct guc_value *v)
{
	for (size_t i = g->undo_count; i > g->undo_mark; i--)
		if (g->undo[i - 1].value == v)
			return true;
	return false;
}

/* What ROLLBACK TO a savepoint brings back; behind very many changes, no more. */
static void note_undo(struct gucs *g, struct guc_value *v)
{
	if (!g->has_mark || is_noted(g, v) || g->undo_count == GUC_UNDO_MAX)
		return;
	g->undo = mem_grow(g->undo, (g->undo_count + 1) * sizeof(*g->undo));
	g->undo[g->undo_count++] =
		(struct guc_undo){.value = v, .now = mem_strdup(v->now), .base = v->base ? mem_strdup(v->base) : NULL};
}

size_t gucs_mark(struct gucs *g)
{
	g->has_mark = true;
	g->undo_mark = g->undo_count;
	return g->undo_mark;
}

void gucs_back(struct gucs *g, size_t mark)
{
	while (g->undo_count > mark) {
		struct guc_undo *u = &g->undo[--g->undo_count];
		put(g, u->value, u->now);
		free(u->value->base);
		u->value->base = u->base;
		free(u->now);
	}
	g->undo_mark = mark;
}

static void change(struct gucs *g, struct guc_value *v, const char *text, enum guc_scope scope, bool in_block)
{
	if (in_block)
		note_undo(g, v);
	if (in_block && !v->saved)
		v->saved = mem_strdup(v->now);
	if (in_block && scope == GUC_LOCAL && !v->base)
		v->base = mem_strdup(v->now);
	if (scope != GUC_LOCAL) {
		free(v->base);
		v->base = NULL;
	}
	g->any_touched = g->any_touched || in_block;
	put(g, v, text);
	if (scope == GUC_STARTUP) {
		free(v->reset);
		v->reset = mem_strdup(text);
	}
}

void guc_assign(struct gucs *g, enum guc_id id, const char *value)
{
	change(g, &g->values[id], value, GUC_STARTUP, false);
}

static struct guc_value *find_custom(const struct gucs *g, struct span name)
{
	for (size_t i = 0; i < g->custom_count; i++)
		if (span_eq_nocase(name, span_of(g->custom[i].name)))
			return (struct guc_value *)&g->custom[i].value;
	return NULL;
}

static bool is_custom_name(struct span name)
{
	size_t dot = span_find(name, '.');
	return dot > 0 && dot + 1 < name.len && name.len < 128;
}

static bool unknown(struct pg_error *e, struct span name)
{
	return pg_error_set(e, "42704", "unrecognized configuration parameter \"%.*s\"",
			    SPAN_ARG(span_first(name, 100)));
}

static bool set_custom(struct gucs *g, struct span name, struct span value, enum guc_scope scope, bool in_block,
		       struct pg_error *e)
{
	char text[GUC_VALUE_MAX];
	struct guc_value *v = find_custom(g, name);
	if (value.len >= sizeof(text))
		return pg_error_set(e, "22023", "value of parameter \"%.*s\" is too long", SPAN_ARG(name));
	if (!v) {
		if (g->custom_count == GUC_CUSTOM_MAX)
			return pg_error_set(e, "53400", "more than %d custom parameters", GUC_CUSTOM_MAX);
		struct guc_custom *c = &g->custom[g->custom_count++];
		c->name = mem_copy(name);
		c->value = (struct guc_value){.now = mem_strdup(""), .reset = mem_strdup("")};
		v = &c->value;
	}
	(void)snprintf(text, sizeof(text), "%.*s", SPAN_ARG(value));
	change(g, v, text, scope, in_block);
	return true;
}

bool guc_set(struct gucs *g, struct span name, struct span value, enum guc_scope scope, bool in_block,
	     struct pg_error *e)
{
	char text[GUC_VALUE_MAX];
	enum guc_id id = guc_find(name);
	if (id == GUC_COUNT)
		return is_custom_name(name) ? set_custom(g, name, value, scope, in_block, e) : unknown(e, name);
	if (!check(g, id, value, text, e))
		return false;
	change(g, &g->values[id], text, scope, in_block);
	return true;
}

static void reset(struct gucs *g, struct guc_value *v, bool in_block)
{
	change(g, v, v->reset, GUC_SESSION, in_block);
}

bool guc_reset(struct gucs *g, struct span name, bool in_block, struct pg_error *e)
{
	enum guc_id id = guc_find(name);
	struct guc_value *v = id == GUC_COUNT ? find_custom(g, name) : &g->values[id];
	if (!v)
		return unknown(e, name);
	if (id != GUC_COUNT && (ROWS[id].rule == GUC_FIXED || ROWS[id].rule == GUC_SERVER))
		return fixed(e, &ROWS[id]);
	reset(g, v, in_block);
	return true;
}

void guc_reset_all(struct gucs *g, bool in_block)
{
	struct pg_error ignored;
	for (size_t i = 0; i < GUC_COUNT; i++)
		if (strcmp(g->values[i].now, g->values[i].reset) != 0)
			(void)!guc_reset(g, span_of(ROWS[i].name), in_block, &ignored);
	for (size_t i = 0; i < g->custom_count; i++)
		reset(g, &g->custom[i].value, in_block);
}

bool guc_show(const struct gucs *g, struct span name, const char **ret, struct pg_error *e)
{
	enum guc_id id = guc_find(name);
	const struct guc_value *v = id == GUC_COUNT ? find_custom(g, name) : &g->values[id];
	if (!v)
		return unknown(e, name);
	*ret = v->now;
	return true;
}

static void end_value(struct gucs *g, struct guc_value *v, bool commit)
{
	const char *back = commit ? v->base : v->saved;
	if (back)
		put(g, v, back);
	free(v->base);
	free(v->saved);
	v->base = v->saved = NULL;
}

static void end_all(struct gucs *g, bool commit)
{
	undo_drop(g);
	if (!g->any_touched)
		return;
	for (size_t i = 0; i < GUC_COUNT; i++)
		end_value(g, &g->values[i], commit);
	for (size_t i = 0; i < g->custom_count; i++)
		end_value(g, &g->custom[i].value, commit);
	g->any_touched = false;
}

void gucs_commit(struct gucs *g)
{
	end_all(g, true);
}

void gucs_rollback(struct gucs *g)
{
	end_all(g, false);
}

const char *guc_text(const struct gucs *g, enum guc_id id)
{
	return g->values[id].now;
}

bool guc_bool(const struct gucs *g, enum guc_id id)
{
	return strcmp(g->values[id].now, "on") == 0;
}

int64_t guc_int(const struct gucs *g, enum guc_id id)
{
	double number = 0;
	(void)!parse_number(&ROWS[id], span_of(g->values[id].now), &number);
	return llrint(number);
}

bool guc_is_reported(enum guc_id id)
{
	return ROWS[id].reported;
}

bool guc_next_report(struct gucs *g, const char **ret_name, const char **ret_value)
{
	if (!g->any_unreported)
		return false;
	for (size_t i = 0; i < GUC_COUNT; i++) {
		bool pending = g->values[i].unreported;
		g->values[i].unreported = false;
		if (pending && ROWS[i].reported) {
			*ret_name = ROWS[i].name;
			*ret_value = g->values[i].now;
			return true;
		}
	}
	g->any_unreported = false;
	return false;
}
