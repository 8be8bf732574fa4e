/*
 * The error value of the PostgreSQL door: what ErrorResponse and NoticeResponse
 * carry. It stands beside `struct err` because clients branch on SQLSTATEs and
 * fields that no other door has. Functions of this room that fail by the rules
 * of the protocol or of SQL take a `struct pg_error *` as last parameter; a
 * `struct err` from below becomes one with pg_error_from().
 *
 * The engine's own errors come with a SQLSTATE (engine/session.h, struct fault);
 * pg_error_engine() makes the other fields of its text.
 *
 * SQLSTATEs are from PostgreSQL's Appendix A, fields from its chapter on the
 * message formats ("Error and Notice Message Fields").
 */
#ifndef PGWIRE_SQLSTATE_H
#define PGWIRE_SQLSTATE_H

#include "base/err.h"

enum pg_severity { PG_ERROR, PG_FATAL, PG_PANIC, PG_WARNING, PG_NOTICE, PG_INFO, PG_DEBUG, PG_LOG, PG_SEVERITY_COUNT };

struct pg_error {
	enum pg_severity severity;
	char sqlstate[6];
	uint32_t position; /* 1-based characters in the query text; 0: unknown */
	char message[1024];
	char detail[512];
	char hint[256];
	char where[512];
	char schema[256];
	char table[256];
	char column[256];
	char constraint[256];
	char routine[32];
};

/* Only what is read is cleared: every step of every message begins with one of these. */
static inline struct pg_error pg_error_none(enum pg_severity severity)
{
	struct pg_error none;
	none.severity = severity;
	none.position = 0;
	none.sqlstate[0] = none.message[0] = none.detail[0] = none.hint[0] = none.where[0] = '\0';
	none.schema[0] = none.table[0] = none.column[0] = none.constraint[0] = none.routine[0] = '\0';
	return none;
}

#define PG_ERROR_INIT (pg_error_none(PG_ERROR))

/* Fill *e as an ERROR or a FATAL and return false. */
COLD bool pg_error_set(struct pg_error *e, const char *sqlstate, const char *fmt, ...) PRINTF_LIKE(3, 4);
COLD bool pg_fatal_set(struct pg_error *e, const char *sqlstate, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* A prepared statement returns other columns by now: drivers that know PostgreSQL's routine prepare it again. */
COLD bool pg_error_plan_changed(struct pg_error *e);
/* A warning or a notice. */
COLD void pg_notice_set(struct pg_error *e, enum pg_severity severity, const char *sqlstate, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
void pg_error_detail(struct pg_error *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
void pg_error_hint(struct pg_error *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
void pg_error_where(struct pg_error *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A text of `size` bytes, such as a field of an error: cut, if it must be, between characters. */
void pg_error_text(char *to, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The failure of another room, with the SQLSTATE of its row in err.def. Returns false. */
COLD bool pg_error_from(struct pg_error *e, const struct err *err);
const char *pg_severity_name(enum pg_severity severity);

/*
 * A statement the engine refused: its SQLSTATE refined where the text tells more, the first line as message, the rest as
 * hint, and the table, column and constraint that the text names. Returns false.
 */
COLD bool pg_error_engine(struct pg_error *e, const char *sqlstate, struct span message);
/* 1-based character position of byte `offset` of UTF-8 text. */
uint32_t sqlstate_position(struct span text, size_t offset);

#endif
