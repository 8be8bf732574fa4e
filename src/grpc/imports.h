/*
 * What imports from files and from tables share: options in, answer and errors out.
 */
#ifndef GRPC_IMPORTS_H
#define GRPC_IMPORTS_H

#include "grpc/place.h"
#include "storage/import.h"

typedef TABLE_MSG(ImportExportShared__ImportOptions) options_msg;

/* FULL or INCREMENTAL with keys, timestamps and empty texts. ERR_INVALID_ARGUMENT. */
MUST_CHECK bool driver_import_options(const options_msg *o, struct table_import *ret, struct err *err);
void driver_import_answer(struct driver_call *c, const struct table_import *request,
			  const struct table_import_result *result, int64_t start_ns);
/* The failure as this protocol calls it; `what` for its sentence: "import file". Returns false. */
bool driver_import_refuse(struct driver_call *c, const struct driver_place *place, const char *what, struct err *err);

#endif
