/*
 * What is stored of a password (RFC 5802), in PostgreSQL's text form:
 * SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>, in base64.
 *
 * Passwords are prepared as by SASLprep (RFC 4013) except that no normalisation
 * form is applied; ASCII passwords, the only ones this server hands out, are not
 * changed by either. Thread-safe. Deriving takes some 2 ms.
 */
#ifndef BASE_SCRAM_VERIFIER_H
#define BASE_SCRAM_VERIFIER_H

#include "base/hash.h"

enum {
	SCRAM_ITERATIONS = 4096,
	SCRAM_ITERATIONS_MAX = 100000, /* node-postgres refuses more */
	SCRAM_SALT = 16,
	SCRAM_SALT_MAX = 64,
	SCRAM_PASSWORD_MAX = 1024,
	SCRAM_VERIFIER_SIZE = 256
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
/* For an unknown user: the same salt each time, and keys that no password has. */
void scram_verifier_mock(struct span user, struct span secret, struct scram_verifier *ret);
void scram_verifier_format(const struct scram_verifier *v, char ret[SCRAM_VERIFIER_SIZE]);
MUST_CHECK bool scram_verifier_parse(struct span text, struct scram_verifier *ret);
/* For logins that carry the password itself. Constant time in the comparison. */
bool scram_password_matches(const struct scram_verifier *v, struct span password);

#endif
