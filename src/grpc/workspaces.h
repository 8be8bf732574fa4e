/*
 * Workspaces as commands name them: by object name, with the rights that other projects were granted on them.
 */
#ifndef GRPC_WORKSPACES_H
#define GRPC_WORKSPACES_H

#include "grpc/command.h"
#include "storage/workspace.h"

/* False without an error: no such workspace. Clears nothing. */
bool driver_workspace_find(struct driver_call *c, const char *id, struct workspace *ret);
/* The caller's project owns it, or was granted access to it. ERR_FORBIDDEN. */
MUST_CHECK bool driver_workspace_clear(struct driver_call *c, const struct workspace *row, struct err *err);

#endif
