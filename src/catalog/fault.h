/*
 * Failures of this room's own files, said in its own terms: whatever the engine
 * calls them, the caller learns ERR_DISK_FULL, ERR_OUT_OF_MEMORY or ERR_METADATA.
 */
#ifndef CATALOG_FAULT_H
#define CATALOG_FAULT_H

#include "base/err.h"

/* `what` begins the message: "The metadata store". Returns false. */
bool fault_translate(struct err *err, const char *what);

#endif
