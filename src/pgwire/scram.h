/*
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the server's side, as a state machine
 * without I/O (RFC 5802, RFC 7677; channel binding tls-server-end-point of RFC
 * 5929). scram_begin, scram_first, scram_final, in this order; the texts that
 * go out are appended to a struct buf.
 *
 * A verifier is all that is stored of a password. Its text form is that of
 * PostgreSQL: SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>, in
 * base64. An unknown user is run against scram_verifier_mock(), which gives the
 * same salt each time, and fails only at the proof; timing and messages do not
 * tell it from a wrong password.
 *
 * The user name inside the exchange is ignored: that of the startup packet
 * counts. Passwords are prepared as by SASLprep (RFC 4013) except that no
 * normalisation form is applied; ASCII passwords, the only ones this server
 * hands out, are not changed by either.
 */
#ifndef PGWIRE_SCRAM_H
#define PGWIRE_SCRAM_H

#include "base/buf.h"
#include "base/hash.h"
#include "pgwire/sqlstate.h"

enum {
	SCRAM_ITERATIONS = 4096,
	SCRAM_ITERATIONS_MAX = 100000, /* node-postgres refuses more */
	SCRAM_SALT = 16,
	SCRAM_SALT_MAX = 64,
	SCRAM_NONCE_MAX = 512,
	SCRAM_PASSWORD_MAX = 1024,
	SCRAM_VERIFIER_SIZE = 256,
	SCRAM_BINDING_MAX = 64 /* SHA-512 */
};

struct scram_verifier {
	uint32_t iterations;
	size_t salt_len;
	unsigned char salt[SCRAM_SALT_MAX];
	unsigned char stored_key[SHA256_BYTES];
	unsigned char server_key[SHA256_BYTES];
};

/* Random salt. False when the password is empty, too long or not UTF-8. */
MUST_CHECK bool scram_verifier_make(struct span password, struct scram_verifier *ret);
MUST_CHECK bool scram_verifier_derive(struct span password, struct span salt, uint32_t iterations,
				      struct scram_verifier *ret);
void scram_verifier_mock(struct span user, struct span secret, struct scram_verifier *ret);
void scram_verifier_format(const struct scram_verifier *v, char ret[SCRAM_VERIFIER_SIZE]);
MUST_CHECK bool scram_verifier_parse(struct span text, struct scram_verifier *ret);
/* For logins that carry the password itself. Constant time in the comparison. */
bool scram_password_matches(const struct scram_verifier *v, struct span password);

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
