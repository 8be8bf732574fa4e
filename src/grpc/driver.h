/*
 * The storage-driver door: one set of commands (grpc/command.h) behind two ways
 * in, POST /driver/execute of the HTTP server and a gRPC server of its own.
 *
 * The gRPC server runs on the C core of gRPC: a few threads poll its completion
 * queue and answer what needs no engine; commands run on a pool of GRPC_WORKERS
 * threads. A deadline that passes and a client that leaves interrupt the work of
 * their call. Served besides the driver service: health (grpc.health.v1) and
 * server reflection (v1 and v1alpha), both without authentication.
 */
#ifndef GRPC_DRIVER_H
#define GRPC_DRIVER_H

#include "http/http.h"
#include "storage/storage.h"

/* /driver/execute and /driver/commands; the table lives for ever. */
const struct http_routes *driver_routes(struct storage *storage);

struct driver_server;

/* Listens on GRPC_HOST:GRPC_PORT. *ret is NULL when the port is -1: switched off, and nothing of gRPC is started. */
MUST_CHECK bool driver_server_start(struct storage *storage, struct driver_server **ret, struct err *err);
/* The port it listens on; NULL: -1. */
int driver_server_port(const struct driver_server *server);
/* Begins to stop: no new calls, health says NOT_SERVING, streams end. Returns at once. NULL is fine. */
void driver_server_drain(struct driver_server *server);
/* Ends it: running calls get 5 s from the drain's begin, then they are cancelled and waited for. NULL is fine. */
void driver_server_stop(struct driver_server *server);

#endif
