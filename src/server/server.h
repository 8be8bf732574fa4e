/*
 * The composition root: builds every part from the settings, starts the
 * listeners, and takes them down again in order.
 *
 * Stopping: the listeners refuse new work (duckdb_api_up is 0), running requests
 * get DRAIN_TIMEOUT_SECONDS, what still runs then is interrupted, and everything
 * is closed; nothing that was acknowledged is lost either way.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "base/settings.h"

struct server;

MUST_CHECK bool server_start(const struct settings *settings, struct server **ret, struct err *err);
/* Port of the REST listener. */
int server_port(const struct server *server);
/* Port of the gRPC listener; -1 when it is off. */
int server_grpc_port(const struct server *server);
/* Port of the PostgreSQL listener; -1: it is off. */
int server_pg_port(const struct server *server);
void server_stop(struct server *server);

#endif
