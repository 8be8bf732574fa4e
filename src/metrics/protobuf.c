/* io.prometheus.client.MetricFamily, field numbers of prometheus/client_model metrics.proto. */
#include "base/clock.h"
#include "metrics/writers.h"

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2 };

#define ZERO_THRESHOLD 0x1p-128

static void varint(struct buf *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		buf_byte(out, (char)(value | 0x80));
	buf_byte(out, (char)value);
}

static void tag(struct buf *out, unsigned field, enum wire wire)
{
	varint(out, field << 3 | wire);
}

static void put_uint(struct buf *out, unsigned field, uint64_t value)
{
	tag(out, field, WIRE_VARINT);
	varint(out, value);
}

/* sint32, sint64: zigzag */
static void put_sint(struct buf *out, unsigned field, int64_t value)
{
	put_uint(out, field, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

static void put_double(struct buf *out, unsigned field, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	tag(out, field, WIRE_FIXED64);
	for (int i = 0; i < 8; i++)
		buf_byte(out, (char)(bits >> (8 * i)));
}

static void put_text(struct buf *out, unsigned field, const char *text)
{
	size_t len = strlen(text);
	tag(out, field, WIRE_BYTES);
	varint(out, len);
	buf_bytes(out, text, len);
}

/* A message inside: room for a one-byte length, widened at the end when that is not enough. */
static size_t message_begin(struct buf *out, unsigned field)
{
	if (field)
		tag(out, field, WIRE_BYTES);
	buf_byte(out, 0);
	return out->len;
}

static void message_end(struct buf *out, size_t begin)
{
	if (out->failed)
		return;
	size_t len = out->len - begin;
	size_t more = 0;
	for (size_t rest = len >> 7; rest; rest >>= 7)
		more++;
	char *room = buf_reserve(out, more);
	if (!room)
		return;
	buf_commit(out, more);
	char *at = out->ptr + begin - 1;
	memmove(at + 1 + more, at + 1, len);
	for (; len >= 0x80; len >>= 7)
		*at++ = (char)(len | 0x80);
	*at = (char)len;
}

static void put_time(struct buf *out, unsigned field, int64_t unix_us)
{
	size_t at = message_begin(out, field);
	put_uint(out, 1, (uint64_t)(unix_us / US_PER_S));
	put_uint(out, 2, (uint64_t)(unix_us % US_PER_S * 1000));
	message_end(out, at);
}

static void put_label(struct buf *out, const char *name, const char *value)
{
	size_t at = message_begin(out, 1);
	put_text(out, 1, name);
	put_text(out, 2, value);
	message_end(out, at);
}

static void put_exemplar(struct buf *out, unsigned field, struct series *series, size_t slot)
{
	struct exemplar e;
	if (!series->family->exemplars || !exemplar_read(&series->exemplars, slot, &e))
		return;
	size_t at = message_begin(out, field);
	for (size_t i = 0; i < e.labels; i++)
		put_label(out, e.names[i], e.values[i]);
	put_double(out, 2, e.value);
	put_time(out, 3, e.unix_us);
	message_end(out, at);
}

static void put_plain(struct buf *out, struct series *series)
{
	bool counter = series->family->row->type == TYPE_COUNTER;
	size_t at = message_begin(out, counter ? 3 : 2);
	put_double(out, 1, series_value(series));
	if (counter) {
		put_exemplar(out, 2, series, 0);
		put_time(out, 3, series->created_us);
	}
	message_end(out, at);
}

static void put_span(struct buf *out, int32_t offset, size_t length)
{
	size_t at = message_begin(out, 12);
	put_sint(out, 1, offset);
	put_uint(out, 2, length);
	message_end(out, at);
}

/* Runs of neighbours as spans, counts as differences to the bucket before. */
static void put_native(struct buf *out, const struct histogram_native *n)
{
	if (n->count == 0)
		/* Tells an empty native histogram from a classic one. */
		put_span(out, 0, 0);
	int32_t next = 0;
	for (size_t i = 0; i < n->count;) {
		size_t length = 1;
		while (i + length < n->count && n->index[i + length] == n->index[i] + (int32_t)length)
			length++;
		put_span(out, n->index[i] - next, length);
		next = n->index[i] + (int32_t)length;
		i += length;
	}
	int64_t former = 0;
	for (size_t i = 0; i < n->count; i++) {
		put_sint(out, 13, (int64_t)n->counts[i] - former);
		former = (int64_t)n->counts[i];
	}
}

static void put_histogram(struct writer *w, struct series *series)
{
	struct buf *out = w->out;
	const struct bucket_set *buckets = series->family->row->buckets;
	uint64_t octaves = atomic_load_explicit(&series->octaves, memory_order_relaxed);
	histogram_read(&series->family->layout, series->cells, octaves, &w->reading);
	histogram_native(&series->family->layout, &w->reading, &w->native);
	size_t at = message_begin(out, 7);
	put_uint(out, 1, w->reading.count);
	put_double(out, 2, (double)w->reading.sum_ns / 1e9);
	for (size_t i = 0; i <= buckets->count; i++) {
		size_t bucket = message_begin(out, 3);
		put_uint(out, 1, w->reading.cumulative[i]);
		put_double(out, 2, i < buckets->count ? buckets->bounds[i] : __builtin_inf());
		put_exemplar(out, 3, series, i);
		message_end(out, bucket);
	}
	put_sint(out, 5, w->native.schema);
	put_double(out, 6, ZERO_THRESHOLD);
	put_uint(out, 7, w->reading.zeros);
	put_native(out, &w->native);
	put_time(out, 15, series->created_us);
	for (size_t i = 0; i <= buckets->count; i++)
		put_exemplar(out, 16, series, i);
	message_end(out, at);
}

static void put_series(struct writer *w, struct series *series)
{
	const struct family *f = series->family;
	size_t at = message_begin(w->out, 4);
	for (size_t i = 0; i < f->labels; i++)
		put_label(w->out, f->row->labels[f->order[i]].name, series_label(series, f->order[i]));
	if (f->row->type == TYPE_HISTOGRAM)
		put_histogram(w, series);
	else
		put_plain(w->out, series);
	message_end(w->out, at);
}

void protobuf_family(struct writer *w, struct family *family)
{
	static const unsigned types[] = {[TYPE_COUNTER] = 0, [TYPE_GAUGE] = 1, [TYPE_HISTOGRAM] = 4};
	size_t at = message_begin(w->out, 0);
	put_text(w->out, 1, family->row->name);
	put_text(w->out, 2, family->row->help);
	put_uint(w->out, 3, types[family->row->type]);
	size_t shown = 0;
	for (size_t i = 0; i < family->count; i++) {
		if (!writer_takes(w, family->sorted[i]))
			continue;
		put_series(w, family->sorted[i]);
		shown++;
	}
	if (family->row->unit != UNIT_NONE)
		put_text(w->out, 5, metric_unit_name(family->row->unit));
	message_end(w->out, at);
	/* Some readers of this format take a family without series for an error. */
	if (shown == 0 && !w->out->failed) {
		w->out->len = at - 1;
		w->out->ptr[w->out->len] = '\0';
	}
}
