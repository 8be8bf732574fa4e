/*
 * The writers of one family in each format. The caller holds the family's lock. Internal to the metrics room.
 *
 * Text 0.0.4 and 1.0.0 are the same for names like ours. OpenMetrics differs as its specification says. Protobuf is
 * one length-prefixed io.prometheus.client.MetricFamily; a histogram carries its classic buckets and, of the same
 * counts, a native histogram.
 */
#ifndef METRICS_WRITERS_H
#define METRICS_WRITERS_H

#include "base/buf.h"
#include "metrics/negotiate.h"
#include "metrics/registry.h"

struct writer {
	struct buf *out;
	enum metrics_format format;
	const char *project; /* NULL: all series; else only those with this project_id */
	int64_t now_s;
	/* Scratch of one series at a time */
	struct histogram_reading reading;
	struct histogram_native native;
};

void text_family(struct writer *w, struct family *family);
void text_end(struct writer *w);
void protobuf_family(struct writer *w, struct family *family);
/* The rows of the chosen metrics as a JSON array. */
void list_json(struct buf *out, const bool chosen[METRIC_COUNT]);

/* Whether the writer prints it. */
bool writer_takes(const struct writer *w, struct series *series);

#endif
