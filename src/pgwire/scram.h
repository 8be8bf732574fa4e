/*
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the server's side, as a state machine
 * without I/O (RFC 5802, RFC 7677; channel binding tls-server-end-point of RFC
 * 5929). scram_begin, scram_first, scram_final, in this order; the texts that
 * go out are appended to a struct buf.
 *
 * An unknown user is run against scram_verifier_mock(), which gives the same salt
 * each time, and fails only at the proof; timing and messages do not tell it from
 * a wrong password.
 *
 * The user name inside the exchange is ignored: that of the startup packet
 * counts.
 */
#ifndef PGWIRE_SCRAM_H
#define PGWIRE_SCRAM_H

#include "base/buf.h"
#include "base/scram_verifier.h"
#include "pgwire/sqlstate.h"

enum {
	SCRAM_NONCE_MAX = 512,
	SCRAM_BINDING_MAX = 64 /* SHA-512 */
};

enum scram_state { SCRAM_WAITS_FIRST, SCRAM_WAITS_FINAL, SCRAM_OVER };

struct scram {
	enum scram_state state;
	struct scram_verifier verifier;
	bool is_mock;
	char nonce[25]; /* ours: 18 random bytes in base64 */
	size_t binding_len;
	unsigned char binding[SCRAM_BINDING_MAX]; /* hash of our certificate; none: no TLS */
	bool with_binding;			  /* the client chose -PLUS */
	char gs2[64];				  /* the header "c=" must repeat */
	struct buf first_bare;			  /* client-first-message-bare "," server-first-message */
	char full_nonce[SCRAM_NONCE_MAX + 32];
};

/* `binding` is the hash of the server's certificate on TLS, empty without. */
void scram_begin(struct scram *s, const struct scram_verifier *verifier, bool is_mock, struct span binding);
void scram_done(struct scram *s);

enum scram_result {
	SCRAM_FINE,
	SCRAM_REFUSED,	/* wrong proof: answer as for any wrong password */
	SCRAM_MALFORMED /* *e says what; the connection ends */
};

enum scram_result scram_first(struct scram *s, struct span mechanism, struct span message, struct buf *out,
			      struct pg_error *e);
enum scram_result scram_final(struct scram *s, struct span message, struct buf *out, struct pg_error *e);

#endif
