/*
 * A session's settings (PostgreSQL calls them GUCs): the table guc.def, the
 * session's values, SET, RESET and SHOW with the rules of transactions.
 *
 * A value set inside a transaction block goes back when the block rolls back; a
 * LOCAL one goes back at the end of the block in any case. Values are kept as
 * the text SHOW shows. Settings called `prefix.name` may be made up by clients.
 *
 * One session, one thread. Settings that are reported to the client appear in
 * guc_next_report() until told. Errors: 42704 unknown, 55P02 not changeable,
 * 22023 bad value.
 */
#ifndef PGWIRE_GUC_H
#define PGWIRE_GUC_H

#include "base/buf.h"
#include "pgwire/sqlstate.h"

enum guc_id {
#define GUC(name, type, value, unit, least, most, words, rule, reported) GUC_##name,
#include "pgwire/guc.def"
#undef GUC
	GUC_COUNT
};

enum { GUC_CUSTOM_MAX = 64, GUC_NAME_MAX = 128, GUC_VALUE_MAX = 4096, GUC_UNDO_MAX = 10000 };

/* LIST: several values, with commas between; NAMES: such as are quoted like identifiers. */
enum guc_type { GUC_BOOL, GUC_INTEGER, GUC_REAL, GUC_ENUM, GUC_STRING, GUC_LIST, GUC_NAMES };
enum guc_rule { GUC_USER, GUC_FIXED, GUC_SERVER, GUC_SPECIAL };

struct guc_row {
	const char *name;
	enum guc_type type;
	const char *value; /* default */
	const char *unit;
	double least, most;
	const char *words;
	enum guc_rule rule;
	bool reported;
};

struct guc_value {
	char *now;
	char *reset; /* what RESET gives: the default or the startup packet's */
	char *saved; /* at the start of the block, when touched in it */
	char *base;  /* under a LOCAL value */
	bool unreported;
};

struct guc_custom {
	char *name;
	struct guc_value value;
};

/* A value as it was before its first change behind a savepoint. */
struct guc_undo {
	struct guc_value *value;
	char *now, *base;
};

struct gucs {
	struct guc_value values[GUC_COUNT];
	struct guc_custom custom[GUC_CUSTOM_MAX];
	size_t custom_count;
	bool any_touched, any_unreported;
	struct guc_undo *undo;
	size_t undo_count, undo_mark;
	bool has_mark; /* there is a savepoint */
	/* Checks a time zone and gives its proper spelling; NULL: all are fine. */
	bool (*zone_known)(struct span name, char *ret, size_t size);
};

enum guc_scope { GUC_STARTUP, GUC_SESSION, GUC_LOCAL };

const struct guc_row *guc_row(enum guc_id id);
void gucs_init(struct gucs *g);
void gucs_done(struct gucs *g);
/* Sets what only the server sets: server_version, session_authorization, is_superuser; no checks. */
void guc_assign(struct gucs *g, enum guc_id id, const char *value);
MUST_CHECK bool guc_set(struct gucs *g, struct span name, struct span value, enum guc_scope scope, bool in_block,
			struct pg_error *e);
/* To the value of session start. */
MUST_CHECK bool guc_reset(struct gucs *g, struct span name, enum guc_scope scope, bool in_block, struct pg_error *e);
void guc_reset_all(struct gucs *g, bool in_block);
/* NULL and no error are impossible: unknown names are 42704. */
MUST_CHECK bool guc_show(const struct gucs *g, struct span name, const char **ret, struct pg_error *e);
/* At a savepoint: what gucs_back() takes. */
size_t gucs_mark(struct gucs *g);
/* Takes back what was set behind the mark, which stays. */
void gucs_back(struct gucs *g, size_t mark);
/* End of a transaction. */
void gucs_commit(struct gucs *g);
void gucs_rollback(struct gucs *g);

/* What RESET would give. */
const char *guc_reset_text(const struct gucs *g, enum guc_id id);
const char *guc_text(const struct gucs *g, enum guc_id id);
bool guc_bool(const struct gucs *g, enum guc_id id);
/* In the base unit: milliseconds for times. */
int64_t guc_int(const struct gucs *g, enum guc_id id);

/* The next reported setting whose change the client has not been told; false: none. */
bool guc_next_report(struct gucs *g, const char **ret_name, const char **ret_value);
/* All reported settings, at session start: for (i = 0; i < GUC_COUNT; i++) */
bool guc_is_reported(enum guc_id id);
/* guc_check.c: the text to be stored (GUC_VALUE_MAX bytes). `name` as the client wrote it. */
MUST_CHECK bool guc_check(struct gucs *g, enum guc_id id, struct span name, struct span value, char *ret,
			  struct pg_error *e);
/* 55P02 for what nobody may set. */
MUST_CHECK bool guc_check_fixed(const struct guc_row *row, struct span name, struct pg_error *e);
/* Of a text as it is stored, in the base unit. */
double guc_number(const struct guc_row *row, const char *text);
/* The default as SHOW shows it: 4096 kB is 4MB. */
char *guc_first_value(const struct guc_row *row);
/* Finds by name, case ignored; GUC_COUNT: none. */
enum guc_id guc_find(struct span name);

#endif
