/*
 * Access key pairs of projects for the S3 door, so that the server-wide pair,
 * which opens every bucket, can stay with the operator.
 *
 * Signature V4 needs the secret itself on the server, not a hash of it. It is
 * derived, never stored: HMAC-SHA256 of the access key id with the server's key
 * (40 characters of it in base64). The server's key is 32 random bytes in
 * DATA_DIR/server.key, mode 0600, made at the first start: the catalog and its
 * backups hold no secret, and to lose or replace the file revokes every pair.
 * From the same key comes the one that signs the service's own URLs, unless
 * PRESIGN_SECRET_KEY is set.
 *
 * Scopes: read_write, read_only. Thread-safe.
 */
#ifndef STORAGE_S3_CREDENTIAL_H
#define STORAGE_S3_CREDENTIAL_H

#include "catalog/catalog.h"
#include "storage/storage.h"

enum { SERVER_KEY_BYTES = 32, S3_SECRET_SIZE = 41 };

/* Reads DATA_DIR/server.key, making it when there is none. */
MUST_CHECK bool server_key_load(const struct settings *settings, unsigned char ret[SERVER_KEY_BYTES], struct err *err);
/* A key of its own for each purpose. */
void server_key_derive(const unsigned char key[SERVER_KEY_BYTES], const char *purpose, const char *name,
		       unsigned char ret[SERVER_KEY_BYTES]);

void s3_credential_secret(const unsigned char key[SERVER_KEY_BYTES], const char *access_key, char ret[S3_SECRET_SIZE]);

struct s3_credential_create {
	const char *description;
	const char *scope;
	int64_t expires_in_days; /* 0: never */
};

/* ERR_PROJECT_NOT_FOUND. The secret is shown by the caller once. */
MUST_CHECK bool s3_credential_create(struct storage *storage, const struct call *call, const char *project_id,
				     const struct s3_credential_create *request, struct s3_credential *ret,
				     struct err *err);
/* Those that are not revoked, newest first. */
MUST_CHECK bool s3_credential_list(struct storage *storage, const struct call *call, const char *project_id,
				   struct s3_credential **ret, size_t *ret_count, struct err *err);
/* ERR_API_KEY_NOT_FOUND */
MUST_CHECK bool s3_credential_revoke(struct storage *storage, const struct call *call, const char *project_id,
				     const char *access_key, struct err *err);
/* The pair behind an access key id, if it is live; else *ret_why is "unknown", "revoked" or "expired". */
bool s3_credential_find(struct storage *storage, struct arena *arena, const char *access_key, struct s3_credential *ret,
			const char **ret_why);

#endif
