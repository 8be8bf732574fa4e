#include "base/clock.h"
#include "metrics/writers.h"

#include <math.h>

/* Name of a family: OpenMetrics leaves the sample's ending away. */
static struct span family_name(const struct writer *w, const struct metric_row *row)
{
	struct span name = span_of(row->name);
	if (w->format != FORMAT_OPENMETRICS)
		return name;
	if (row->type == TYPE_COUNTER)
		return span_first(name, name.len - strlen("_total"));
	return metric_row_has(row, 'O') ? span_first(name, name.len - strlen("_info")) : name;
}

static void head(struct buf *out, const char *keyword, struct span name, const char *text)
{
	buf_str(out, keyword);
	buf_span(out, name);
	buf_byte(out, ' ');
	buf_str(out, text);
	buf_byte(out, '\n');
}

/* Help texts of metrics.def hold no character that would need escaping; a unit test sees to it. */
static void heads(const struct writer *w, const struct metric_row *row)
{
	struct span name = family_name(w, row);
	bool open = w->format == FORMAT_OPENMETRICS;
	if (!open)
		head(w->out, "# HELP ", name, row->help);
	bool info = open && metric_row_has(row, 'O');
	head(w->out, "# TYPE ", name, info ? "info" : metric_type_name(row->type));
	if (open && row->unit != UNIT_NONE)
		head(w->out, "# UNIT ", name, metric_unit_name(row->unit));
	if (open)
		head(w->out, "# HELP ", name, row->help);
}

static void number(struct buf *out, double value)
{
	if (isnan(value))
		buf_str(out, "NaN");
	else if (isinf(value))
		buf_str(out, value > 0 ? "+Inf" : "-Inf");
	else
		buf_double(out, value);
}

/* units of 1/scale, scale a power of ten: 1500000000 at 1e9 is "1.5". */
static void fixed_point(struct buf *out, uint64_t value, uint64_t scale)
{
	buf_u64(out, value / scale);
	uint64_t rest = value % scale;
	if (rest == 0)
		return;
	buf_byte(out, '.');
	while (rest > 0) {
		scale /= 10;
		buf_byte(out, (char)('0' + rest / scale));
		rest %= scale;
	}
}

static void sample_name(const struct writer *w, const struct series *series, const char *ending)
{
	buf_span(w->out, family_name(w, series->family->row));
	buf_str(w->out, ending);
	if (series->text[0]) {
		buf_byte(w->out, '{');
		buf_str(w->out, series->text);
		buf_byte(w->out, '}');
	}
	buf_byte(w->out, ' ');
}

static void created(const struct writer *w, const struct series *series)
{
	sample_name(w, series, "_created");
	fixed_point(w->out, (uint64_t)series->created_us, (uint64_t)US_PER_S);
	buf_byte(w->out, '\n');
}

static void exemplar(const struct writer *w, struct series *series, size_t slot)
{
	struct exemplar e;
	if (w->format != FORMAT_OPENMETRICS || !series->family->exemplars ||
	    !exemplar_read(&series->exemplars, slot, &e))
		return;
	buf_str(w->out, " # {");
	for (size_t i = 0; i < e.labels; i++) {
		buf_printf(w->out, "%s%s=\"", i ? "," : "", e.names[i]);
		for (const char *c = e.values[i]; *c; c++) {
			if (*c == '"' || *c == '\\' || *c == '\n')
				buf_byte(w->out, '\\');
			buf_byte(w->out, (char)(*c == '\n' ? 'n' : *c));
		}
		buf_byte(w->out, '"');
	}
	buf_str(w->out, "} ");
	number(w->out, e.value);
	buf_byte(w->out, ' ');
	fixed_point(w->out, (uint64_t)e.unix_us, (uint64_t)US_PER_S);
}

static void plain(const struct writer *w, struct series *series)
{
	const struct metric_row *row = series->family->row;
	bool open = w->format == FORMAT_OPENMETRICS;
	bool counter = row->type == TYPE_COUNTER;
	sample_name(w, series, open && counter ? "_total" : open && metric_row_has(row, 'O') ? "_info" : "");
	uint64_t whole;
	if (series_whole(series, &whole))
		buf_u64(w->out, whole);
	else
		number(w->out, series_value(series));
	if (counter)
		exemplar(w, series, 0);
	buf_byte(w->out, '\n');
	if (open && counter)
		created(w, series);
}

static void bucket(const struct writer *w, struct series *series, size_t i)
{
	const struct bucket_set *buckets = series->family->row->buckets;
	struct buf *out = w->out;
	buf_str(out, series->family->row->name);
	buf_str(out, "_bucket{");
	buf_bytes(out, series->text, series->le_at);
	if (series->le_at > 0)
		buf_byte(out, ',');
	buf_str(out, "le=\"");
	buf_str(out, i < buckets->count ? buckets->texts[i] : "+Inf");
	buf_byte(out, '"');
	/* Behind le_at the text goes on with a comma, unless it begins there. */
	if (series->le_at == 0 && series->text[0])
		buf_byte(out, ',');
	buf_str(out, series->text + series->le_at);
	buf_str(out, "} ");
	buf_u64(out, w->reading.cumulative[i]);
	exemplar(w, series, i);
	buf_byte(out, '\n');
}

static void histogram(struct writer *w, struct series *series)
{
	uint64_t octaves = atomic_load_explicit(&series->octaves, memory_order_relaxed);
	histogram_read(&series->family->layout, series->cells, octaves, &w->reading);
	for (size_t i = 0; i <= series->family->row->buckets->count; i++)
		bucket(w, series, i);
	sample_name(w, series, "_sum");
	fixed_point(w->out, w->reading.sum_ns, (uint64_t)NS_PER_S);
	buf_byte(w->out, '\n');
	sample_name(w, series, "_count");
	buf_u64(w->out, w->reading.count);
	buf_byte(w->out, '\n');
	if (w->format == FORMAT_OPENMETRICS)
		created(w, series);
}

void text_family(struct writer *w, struct family *family)
{
	heads(w, family->row);
	for (size_t i = 0; i < family->count; i++) {
		struct series *series = family->sorted[i];
		if (!writer_takes(w, series))
			continue;
		if (family->row->type == TYPE_HISTOGRAM)
			histogram(w, series);
		else
			plain(w, series);
	}
}

void text_end(struct writer *w)
{
	if (w->format == FORMAT_OPENMETRICS)
		buf_str(w->out, "# EOF\n");
}
