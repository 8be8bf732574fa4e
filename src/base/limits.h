/*
 * Every maximum of the program that is not a setting. Units are in the name or
 * bytes. A setting's default and range stand in the settings table instead.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

enum {
	LIMIT_LOG_LINE = 16 * 1024,
	/* Names */
	LIMIT_NAME_BYTES = 128,
	LIMIT_COLUMN_NAME_BYTES = 255,
	LIMIT_FILENAME_BYTES = 255,
	LIMIT_ID_BYTES = 128,
	LIMIT_OBJECT_KEY_BYTES = 1024,
	/* A table */
	LIMIT_COLUMNS = 4096,
	LIMIT_RESULT_COLUMNS = 2 * LIMIT_COLUMNS, /* the engine's time for them grows with their square */
	LIMIT_EXPRESSION_BYTES = 64 * 1024,
	LIMIT_EXPRESSION_DEPTH = 100,
	/* The catalog and the operation history */
	LIMIT_CATALOG_ROW_BYTES = 32 * 1024 * 1024,
	LIMIT_CATALOG_ASYNC = 8192,
	LIMIT_REMOVALS = 65536, /* files that are gone and not yet forgotten */
	LIMIT_HISTORY_QUEUE = 65536,
	LIMIT_SHORT_SOURCE_BYTES = 2 * 1024 * 1024, /* an import of more is long: its start is durable before */
	LIMIT_SHORT_TABLE_BYTES = 64 * 1024 * 1024, /* and so is work on a larger table */
	LIMIT_HISTORY_PAGE = 1000,
	/* HTTP */
	LIMIT_HTTP_HEADER_BYTES = 16 * 1024,
	LIMIT_HTTP_HEADER_COUNT = 200,
	LIMIT_HTTP_QUERY_PARAMS = 200,
	LIMIT_HTTP_PATH_BYTES = 8 * 1024,
	LIMIT_HTTP_JSON_BYTES = 16 * 1024 * 1024,
	LIMIT_HTTP_DRAIN_BYTES = 1024 * 1024, /* rest of a refused body that is read, so that the answer arrives */
	LIMIT_HTTP_KEPT_BYTES = 16 * 1024,    /* of a buffer that a connection keeps for its next request */
	LIMIT_HTTP_RING_BYTES = 512 * 1024,   /* of a streamed body, between the connection and its reader */
	LIMIT_HTTP_GATHER_BYTES = 64 * 1024,  /* of a streamed body that is taken whole before its worker is called */
	LIMIT_HTTP_STREAM_BYTES = 256 * 1024, /* of an answer made while it is sent */
	LIMIT_MULTIPART_SKIP = 16 * 1024 * 1024, /* bytes outside of the wanted part */
	LIMIT_JSON_DEPTH = 64,
	LIMIT_FAULT_BYTES = 64 * 1024,	       /* one entry of a 422 answer */
	LIMIT_FAULTS_BYTES = 256 * 1024,       /* all of them */
	LIMIT_REQUEST_ID_BYTES = 256,	       /* recorded of it; the answer echoes all */
	LIMIT_GRPC_METADATA_BYTES = 16 * 1024, /* names, values, and 32 bytes for each pair */
	LIMIT_IDEMPOTENCY_KEY_BYTES = 1024,
	/* Driver messages: decoded, and the structures of one decoded message */
	LIMIT_MESSAGE_MEMORY = 64 * 1024 * 1024,
	LIMIT_MESSAGE_BYTES = 64 * 1024 * 1024, /* of an answer, unless the setting is lower */
	/* Replies kept whole in memory */
	LIMIT_RESPONSE_BYTES = 256 * 1024 * 1024,
	/* SQL text the program builds itself */
	LIMIT_SQL_BYTES = 16 * 1024 * 1024,
	LIMIT_PG_SESSIONS_KEPT = 1000, /* records of SQL sessions that are over; the newest stay */
	/* Files of a path below the data directory */
	LIMIT_PATH_BYTES = 4096
};

#endif
