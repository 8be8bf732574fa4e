#include "base/settings.h"

#include "base/arena.h"
#include "base/limits.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

extern char **environ;

enum kind { KIND_GROUP, KIND_TEXT, KIND_SECRET, KIND_INT, KIND_SIZE, KIND_BOOL, KIND_CHOICE };

struct row {
	enum kind kind;
	const char *name; /* a group's title */
	size_t offset;
	const char *text;
	int64_t number, min, max;
	const char *help;
	const char *choices; /* separated by spaces */
};

static const struct row rows[] = {
#define GROUP(title) {.kind = KIND_GROUP, .name = (title)},
#define ROW(kind, field, env, text, number, low, high, about, choices) \
	{kind, #env, offsetof(struct settings, field), text, number, low, high, about, choices},
#define TEXT(field, env, value, about)		  ROW(KIND_TEXT, field, env, value, 0, 0, 0, about, NULL)
#define SECRET(field, env, value, about)	  ROW(KIND_SECRET, field, env, value, 0, 0, 0, about, NULL)
#define INT(field, env, value, low, high, about)  ROW(KIND_INT, field, env, NULL, value, low, high, about, NULL)
#define SIZE(field, env, value, low, high, about) ROW(KIND_SIZE, field, env, NULL, value, low, high, about, NULL)
#define BOOL(field, env, value, about)		  ROW(KIND_BOOL, field, env, NULL, value, 0, 1, about, NULL)
#define CHOICE(field, env, value, of, about)	  ROW(KIND_CHOICE, field, env, value, 0, 0, 0, about, of)
#include "base/settings.def"
};
_Static_assert(ARRAY_LEN(rows) < 256, "settings.owned holds two texts for each row");

/* Environment names are case-insensitive; flags are the same names in lower case with dashes. */
static const struct row *row_find(struct span name)
{
	char plain[80];
	if (name.len >= sizeof(plain))
		return NULL;
	for (size_t i = 0; i < name.len; i++)
		plain[i] = name.ptr[i] == '-' ? '_' : name.ptr[i];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].kind != KIND_GROUP && span_eq_nocase((struct span){plain, name.len}, span_of(rows[i].name)))
			return &rows[i];
	}
	return NULL;
}

static char *own(struct settings *s, char *text)
{
	s->owned[s->owned_count++ % ARRAY_LEN(s->owned)] = text;
	return text;
}

/* A byte count: digits and a unit. KB, MB, GB are taken as 1024 steps, as operators mean them. */
static bool parse_size(struct span text, int64_t *ret)
{
	static const struct {
		const char *unit;
		int shift;
	} units[] = {{"", 0},	{"b", 0},   {"kb", 10},	 {"kib", 10}, {"k", 10},  {"mb", 20},  {"mib", 20},
		     {"m", 20}, {"gb", 30}, {"gib", 30}, {"g", 30},   {"tb", 40}, {"tib", 40}, {"t", 40}};
	size_t digits = 0;
	uint64_t n;
	while (digits < text.len && isdigit((unsigned char)text.ptr[digits]))
		digits++;
	if (!span_u64(span_first(text, digits), &n))
		return false;
	struct span unit = span_trim(span_skip(text, digits));
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (!span_eq_nocase(unit, span_of(units[i].unit)))
			continue;
		if (n > (uint64_t)INT64_MAX >> units[i].shift)
			return false;
		*ret = (int64_t)(n << units[i].shift);
		return true;
	}
	return false;
}

static bool parse_bool(struct span text, bool *ret)
{
	static const char *const yes[] = {"true", "1", "yes", "on", "t", "y"};
	static const char *const no[] = {"false", "0", "no", "off", "f", "n"};
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (span_eq_nocase(text, span_of(yes[i])))
			return *ret = true;
	}
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		if (span_eq_nocase(text, span_of(no[i])))
			return !(*ret = false);
	}
	return false;
}

static void row_reset(struct settings *s, const struct row *row)
{
	char *at = (char *)s + row->offset;
	if (row->kind == KIND_BOOL)
		*(bool *)at = row->number != 0;
	else if (row->kind == KIND_INT || row->kind == KIND_SIZE)
		*(int64_t *)(void *)at = row->number;
	else if (row->kind != KIND_GROUP)
		*(const char **)(void *)at = row->text;
}

static bool is_choice(const struct row *row, struct span value)
{
	struct span rest = span_of(row->choices);
	while (rest.len) {
		if (span_eq_nocase(value, span_cut(&rest, ' ')))
			return true;
	}
	return false;
}

static bool choice_set(struct settings *s, const struct row *row, struct span value, struct err *err)
{
	if (!is_choice(row, value))
		return err_set(err, ERR_INVALID_CONFIG, "%s must be one of '%s', not '%.*s'", row->name, row->choices,
			       SPAN_ARG(value));
	char *text = own(s, mem_copy(value));
	for (char *c = text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	*(const char **)(void *)((char *)s + row->offset) = text;
	return true;
}

static bool row_set(struct settings *s, const struct row *row, struct span value, struct err *err)
{
	char *at = (char *)s + row->offset;
	value = span_trim(value);
	if (!value.len) {
		row_reset(s, row);
		return true;
	}
	switch (row->kind) {
	case KIND_TEXT:
	case KIND_SECRET:
		*(const char **)(void *)at = own(s, mem_copy(value));
		return true;
	case KIND_CHOICE:
		return choice_set(s, row, value, err);
	case KIND_BOOL:
		return parse_bool(value, (bool *)at) ||
		       err_set(err, ERR_INVALID_CONFIG, "%s must be true or false, not '%.*s'", row->name,
			       SPAN_ARG(value));
	case KIND_INT:
	case KIND_SIZE: {
		int64_t n;
		bool read = row->kind == KIND_INT ? span_i64(value, &n) : parse_size(value, &n);
		if (!read || n < row->min || n > row->max)
			return err_set(err, ERR_INVALID_CONFIG, "%s must be a %s from %lld to %lld, not '%.*s'",
				       row->name,
				       row->kind == KIND_INT ? "number" : "size such as 64MiB or 4GB, in bytes",
				       (long long)row->min, (long long)row->max, SPAN_ARG(value));
		*(int64_t *)(void *)at = n;
		return true;
	}
	case KIND_GROUP:
		break;
	}
	return true;
}

static void load_defaults(struct settings *s)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		row_reset(s, &rows[i]);
}

/* What stands in the quotes; without them what stands before a " #". */
static struct span unquote(struct span value)
{
	value = span_trim(value);
	if (value.len && (*value.ptr == '"' || *value.ptr == '\'')) {
		struct span inner = span_skip(value, 1);
		size_t end = span_find(inner, *value.ptr);
		struct span after = span_trim(span_skip(inner, end + 1));
		if (end < inner.len && (!after.len || *after.ptr == '#'))
			return span_first(inner, end);
	}
	for (size_t i = 0; i < value.len; i++) {
		if (i && value.ptr[i] == '#' && (value.ptr[i - 1] == ' ' || value.ptr[i - 1] == '\t'))
			return span_trim(span_first(value, i));
	}
	return value;
}

static bool load_env_file(struct settings *s, const char *path, struct err *err)
{
	char line[8192];
	bool fine = true;
	FILE *file = path ? fopen(path, "re") : NULL;
	/* None is fine, and so is a folder of that name; one that was meant and is not read is not. */
	if (!file && path && errno == EACCES)
		return err_set(err, ERR_INVALID_CONFIG, "%s cannot be read: let the service's user read it", path);
	if (!file)
		return true;
	while (fine && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\r\n")] = '\0';
		struct span rest = span_trim(span_of(line));
		if (span_starts(rest, SPAN("export ")))
			rest = span_trim(span_skip(rest, 7));
		if (!rest.len || *rest.ptr == '#')
			continue;
		const struct row *row = row_find(span_trim(span_cut(&rest, '=')));
		if (row)
			fine = row_set(s, row, unquote(rest), err);
	}
	(void)fclose(file);
	return fine;
}

static bool load_environment(struct settings *s, struct err *err)
{
	for (char **e = environ; *e; e++) {
		struct span rest = span_of(*e);
		const struct row *row = row_find(span_cut(&rest, '='));
		if (row && !row_set(s, row, rest, err))
			return false;
	}
	return true;
}

static bool load_flags(struct settings *s, int argc, const char *const *argv, struct err *err)
{
	for (int i = 0; i < argc; i++) {
		struct span rest = span_of(argv[i]);
		if (!span_starts(rest, SPAN("--")))
			return err_set(err, ERR_INVALID_CONFIG, "Unexpected argument '%s'; see --help", argv[i]);
		bool joined = span_find(rest, '=') < rest.len;
		struct span name = span_skip(span_cut(&rest, '='), 2);
		if (span_is(name, "rest-host") || span_is(name, "rest-port"))
			name = span_skip(name, 5);
		const struct row *row = row_find(name);
		if (!row)
			return err_set(err, ERR_INVALID_CONFIG, "There is no option --%.*s; see --help",
				       SPAN_ARG(name));
		if (!joined && row->kind == KIND_BOOL &&
		    (i + 1 == argc || span_starts(span_of(argv[i + 1]), SPAN("--"))))
			rest = SPAN("true");
		else if (!joined && i + 1 == argc)
			return err_set(err, ERR_INVALID_CONFIG, "--%.*s needs a value; see --help", SPAN_ARG(name));
		else if (!joined)
			rest = span_of(argv[++i]);
		if (!row_set(s, row, rest, err))
			return false;
	}
	return true;
}

static void path_default(struct settings *s, const char **field, const char *below)
{
	struct buf path = BUF(LIMIT_PATH_BYTES);
	if (*field)
		return;
	buf_printf(&path, "%s/%s", s->data_dir, below);
	*field = own(s, buf_take(&path, NULL));
}

/* "dir" and "dir/" are one place; links and renames compare path texts. */
static void slash_drop(struct settings *s, const char **field)
{
	struct span path = span_of(*field);
	while (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--;
	*field = own(s, mem_copy(path));
}

bool settings_load(struct settings *s, const char *env_file, int argc, const char *const *argv, struct err *err)
{
	*s = (struct settings){0};
	load_defaults(s);
	if (!load_env_file(s, env_file, err) || !load_environment(s, err) || !load_flags(s, argc, argv, err))
		return false;
	slash_drop(s, &s->data_dir);
	path_default(s, &s->duckdb_dir, "duckdb");
	path_default(s, &s->files_dir, "files");
	path_default(s, &s->snapshots_dir, "snapshots");
	path_default(s, &s->metadata_db_path, "metadata.duckdb");
	slash_drop(s, &s->duckdb_dir);
	slash_drop(s, &s->files_dir);
	slash_drop(s, &s->snapshots_dir);
	struct buf path = BUF(LIMIT_PATH_BYTES);
	buf_printf(&path, "%s/_staging", s->duckdb_dir);
	s->staging_dir = own(s, buf_take(&path, NULL));
	if (!s->staging_dir)
		return err_set(err, ERR_INVALID_CONFIG, "DUCKDB_DIR is too long");
	if (!s->tls_cert != !s->tls_key)
		return err_set(err, ERR_INVALID_CONFIG, "TLS_CERT_FILE and TLS_KEY_FILE go together");
	if (!s->s3_secret_access_key)
		s->s3_secret_access_key = s->admin_api_key;
	return true;
}

void settings_done(struct settings *s)
{
	for (size_t i = 0; i < s->owned_count && i < ARRAY_LEN(s->owned); i++)
		free(s->owned[i]);
	*s = (struct settings){0};
}

static void default_text(struct buf *out, const struct row *row)
{
	if (row->kind == KIND_BOOL)
		buf_str(out, row->number ? "true" : "false");
	else if (row->kind == KIND_TEXT || row->kind == KIND_SECRET || row->kind == KIND_CHOICE)
		buf_str(out, row->text ? row->text : "unset");
	else if (row->kind == KIND_SIZE && row->number >= (int64_t)MIB && row->number % (int64_t)MIB == 0)
		buf_printf(out, "%lld MiB", (long long)(row->number >> 20));
	else
		buf_i64(out, row->number);
}

void settings_help(struct buf *out, bool markdown)
{
	if (markdown)
		buf_str(out, "| variable | default | meaning |\n|---|---|---|\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		if (row->kind == KIND_GROUP) {
			buf_printf(out, markdown ? "| **%s** | | |\n" : "\n%s:\n", row->name);
			continue;
		}
		if (markdown) {
			buf_printf(out, "| `%s` | ", row->name);
			default_text(out, row);
			buf_printf(out, " | %s |\n", row->help);
			continue;
		}
		buf_str(out, "  --");
		for (const char *c = row->name; *c; c++)
			buf_byte(out, *c == '_' ? '-' : (char)tolower((unsigned char)*c));
		buf_printf(out, "\n      %s [", row->help);
		default_text(out, row);
		buf_str(out, "]\n");
	}
}

void settings_show(const struct settings *s, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		const char *at = (const char *)s + row->offset;
		if (row->kind == KIND_GROUP)
			continue;
		buf_printf(out, "%s=", row->name);
		if (row->kind == KIND_BOOL)
			buf_str(out, *(const bool *)at ? "true" : "false");
		else if (row->kind == KIND_INT || row->kind == KIND_SIZE)
			buf_i64(out, *(const int64_t *)(const void *)at);
		else if (*(const char *const *)(const void *)at)
			buf_str(out, row->kind == KIND_SECRET ? "***" : *(const char *const *)(const void *)at);
		buf_byte(out, '\n');
	}
}
