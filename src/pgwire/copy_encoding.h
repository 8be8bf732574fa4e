/*
 * Encodings of COPY data other than UTF-8, by PostgreSQL's names and spellings
 * ("latin1", "ISO-8859-1", "WIN1252"): iconv(3) converts.
 *
 * A recoder takes pieces cut anywhere; what is left of a character waits for the
 * next piece. After a failure `out` holds what stands before the fault.
 *
 * Errors: 22021 no text of its encoding, 22P05 a character the other encoding
 * does not have, 0A000 an encoding the system's iconv does not know.
 */
#ifndef PGWIRE_COPY_ENCODING_H
#define PGWIRE_COPY_ENCODING_H

#include "base/buf.h"
#include "pgwire/sqlstate.h"

struct copy_encoding;

/* *ret is NULL for UTF-8 and SQL_ASCII. False: there is none of that name. */
bool copy_encoding_find(struct span name, const struct copy_encoding **ret);

struct copy_recoder {
	const struct copy_encoding *encoding; /* NULL: closed */
	void *iconv;
	bool to_utf8;
	char rest[8]; /* of a character that is cut */
	size_t rest_len;
};

MUST_CHECK bool copy_recoder_open(struct copy_recoder *r, const struct copy_encoding *encoding, bool to_utf8,
				  struct pg_error *e);
/* `last`: nothing follows. */
MUST_CHECK bool copy_recoder_put(struct copy_recoder *r, struct span in, bool last, struct buf *out,
				 struct pg_error *e);
/* A closed one, all zero, is fine. */
void copy_recoder_close(struct copy_recoder *r);

#endif
