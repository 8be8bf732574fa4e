/*
 * The error value of the PostgreSQL door: what ErrorResponse and NoticeResponse
 * carry. It stands beside `struct err` because clients branch on SQLSTATEs and
 * fields that no other door has. Functions of this room that fail by the rules
 * of the protocol or of SQL take a `struct pg_error *` as last parameter; a
 * `struct err` from below becomes one with pg_error_from().
 *
 * sqlstate_of_engine() refines the engine's class of error by its message,
 * since the engine's classes are coarser than SQLSTATEs; the table of message
 * patterns stands in sqlstate.c and knows the texts of the pinned engine.
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
	char schema[128];
	char table[128];
	char column[128];
	char constraint[128];
};

#define PG_ERROR_INIT ((struct pg_error){.severity = PG_ERROR})

/* Fill *e as an ERROR or a FATAL and return false. */
bool pg_error_set(struct pg_error *e, const char *sqlstate, const char *fmt, ...) PRINTF_LIKE(3, 4);
bool pg_fatal_set(struct pg_error *e, const char *sqlstate, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* A warning or a notice. */
void pg_notice_set(struct pg_error *e, enum pg_severity severity, const char *sqlstate, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
void pg_error_detail(struct pg_error *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
void pg_error_hint(struct pg_error *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
void pg_error_where(struct pg_error *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The failure of another room, with the SQLSTATE of its row in err.def. Returns false. */
bool pg_error_from(struct pg_error *e, const struct err *err);
const char *pg_severity_name(enum pg_severity severity);

/* What the engine said, as far as it matters here. Classes are those of duckdb_result_error_type(). */
enum engine_class {
	ENGINE_CLASS_OTHER,
	ENGINE_CLASS_OUT_OF_RANGE,
	ENGINE_CLASS_CONVERSION,
	ENGINE_CLASS_MISMATCH,
	ENGINE_CLASS_DIVIDE_BY_ZERO,
	ENGINE_CLASS_INVALID_TYPE,
	ENGINE_CLASS_NOT_IMPLEMENTED,
	ENGINE_CLASS_TRANSACTION,
	ENGINE_CLASS_CATALOG,
	ENGINE_CLASS_PARSER,
	ENGINE_CLASS_SYNTAX,
	ENGINE_CLASS_CONSTRAINT,
	ENGINE_CLASS_IO,
	ENGINE_CLASS_INTERRUPT,
	ENGINE_CLASS_FATAL,
	ENGINE_CLASS_INTERNAL,
	ENGINE_CLASS_INVALID_INPUT,
	ENGINE_CLASS_OUT_OF_MEMORY,
	ENGINE_CLASS_PERMISSION,
	ENGINE_CLASS_PARAMETER,
	ENGINE_CLASS_BINDER,
	ENGINE_CLASS_DEPENDENCY,
	ENGINE_CLASS_COUNT
};

/* The class named by the prefix of an engine message ("Catalog Error: ..."). */
enum engine_class engine_class_of(struct span message);
/*
 * Turns an engine message into *e: SQLSTATE, the sentence without the class prefix and without the quoted source line,
 * table and constraint where the message names them, and in *ret_offset the byte offset in the statement that the
 * engine marked (SIZE_MAX: none). Paths are cut out of the text. Returns false.
 */
bool sqlstate_of_engine(struct pg_error *e, struct span message, struct span statement, size_t *ret_offset);
/* 1-based character position of byte `offset` of UTF-8 text. */
uint32_t sqlstate_position(struct span text, size_t offset);

#endif
