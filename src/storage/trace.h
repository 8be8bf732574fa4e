/*
 * Spans of operations, exported by OTLP/HTTP with JSON bodies (OpenTelemetry
 * protocol 1.x: POST <endpoint>/v1/traces) to the collector that
 * OTEL_EXPORTER_OTLP_ENDPOINT names.
 *
 * An operation of a sampled W3C trace continues it; one without a trace begins
 * its own. trace_operation copies what it needs into a bounded queue and never
 * blocks; a background thread sends batches, tries each a few times, and counts
 * what it sent and what it had to drop.
 */
#ifndef STORAGE_TRACE_H
#define STORAGE_TRACE_H

#include "base/err.h"
#include "storage/op.h"

struct traces;

MUST_CHECK bool traces_start(const char *endpoint, const char *service_version, struct traces **ret, struct err *err);
/* Sends what waits, within a few seconds. NULL is fine. */
void traces_stop(struct traces *traces);

/* A finished operation with its stretches. */
void trace_operation(struct traces *traces, const struct op *op, bool fine, const struct err *err, int64_t end_ns);

#endif
