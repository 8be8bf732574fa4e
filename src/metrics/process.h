/*
 * The process and kernel collectors: what /proc and the control group say of this process, read for each scrape.
 * Files that do not exist (no control group, no pressure information, no right to read io) leave their families
 * without series. Formats: proc(5), Documentation/admin-guide/cgroup-v2.rst, Documentation/accounting/psi.rst.
 */
#ifndef METRICS_PROCESS_H
#define METRICS_PROCESS_H

#include "base/err.h"

/* Collectors; ctx is not used. */
MUST_CHECK bool process_collect(void *ctx, struct err *err);
MUST_CHECK bool kernel_collect(void *ctx, struct err *err);

#endif
