/* The answers of GET /metrics/history. */
#include "base/arena.h"
#include "base/json.h"
#include "metrics/percent.h"
#include "metrics/tracks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME_BYTES = 96, RANGE_MAX = HISTORY_LONG_STEP * HISTORY_LONG_POINTS };

struct request {
	size_t names_count;
	char names[HISTORY_NAMES_MAX][NAME_BYTES];
	int64_t range;
	int64_t step;
	size_t ring;
};

/* ---- the parameters ---- */

/* "900", "15m", "24h", "30s" */
static bool parse_seconds(const char *text, int64_t *ret)
{
	struct span s = span_of(text);
	int64_t unit = 1;
	if (s.len > 1 && strchr("smh", s.ptr[s.len - 1])) {
		char last = s.ptr[s.len - 1];
		unit = last == 'h' ? 3600 : last == 'm' ? 60 : 1;
		s.len--;
	}
	uint64_t n;
	if (!span_u64(s, &n) || n == 0 || n > RANGE_MAX || (int64_t)n * unit > RANGE_MAX)
		return false;
	*ret = (int64_t)n * unit;
	return true;
}

static bool parse_parameter(struct request *r, const char *name, const char *value, struct err *err)
{
	if (strcmp(name, "range") == 0 && !parse_seconds(value, &r->range))
		return err_set(err, ERR_INVALID_REQUEST, "range is 1 to %d seconds, or like 15m or 24h", RANGE_MAX);
	if (strcmp(name, "step") == 0 && !parse_seconds(value, &r->step))
		return err_set(err, ERR_INVALID_REQUEST, "step is 1 to %d seconds", RANGE_MAX);
	if (strcmp(name, "name") != 0 && strcmp(name, "name[]") != 0)
		return true;
	if (r->names_count == HISTORY_NAMES_MAX)
		return err_set(err, ERR_INVALID_REQUEST, "At most %d names in one request", HISTORY_NAMES_MAX);
	(void)snprintf(r->names[r->names_count++], NAME_BYTES, "%s", value);
	return true;
}

static bool parse_request(struct span query_string, struct request *r, struct err *err)
{
	*r = (struct request){.range = (int64_t)HISTORY_STEP * HISTORY_POINTS};
	struct span raw_name, raw_value;
	while (percent_next(&query_string, &raw_name, &raw_value)) {
		char name[NAME_BYTES], value[NAME_BYTES];
		if (!percent_decode(raw_name, true, name, sizeof(name)) ||
		    !percent_decode(raw_value, true, value, sizeof(value)))
			return err_set(err, ERR_INVALID_REQUEST, "A query parameter is malformed or too long");
		if (!parse_parameter(r, name, value, err))
			return false;
	}
	r->ring = r->range > (int64_t)HISTORY_STEP * HISTORY_POINTS ? RING_LONG : RING_SHORT;
	int64_t least = tracks_ring(r->ring)->step;
	if (r->step == 0)
		r->step = least;
	if (r->step % least != 0 || r->step > r->range)
		return err_set(err, ERR_INVALID_REQUEST, "step is a multiple of %d seconds and at most the range",
			       (int)least);
	return true;
}

static bool is_wanted(const struct request *r, const char *family, const char *sample)
{
	for (size_t i = 0; i < r->names_count; i++)
		if (strcmp(r->names[i], family) == 0 || strcmp(r->names[i], sample) == 0)
			return true;
	return r->names_count == 0;
}

/* ---- the answer ---- */

static void put_labels(struct json *j, const struct track *t, const char *le)
{
	json_object(j, "labels");
	for (size_t i = 0; i < metric_row_labels(t->row); i++)
		if (t->labels[i])
			json_str(j, t->row->labels[i].name, t->labels[i]);
	if (le)
		json_str(j, "le", le);
	json_object_end(j);
}

/* Totals were put together from floats: counts are whole again, times have microseconds. */
static double tidy(const struct track *t, size_t value, double x)
{
	bool seconds = t->row->type == TYPE_HISTOGRAM ? value + 1 == t->values : t->row->unit == UNIT_SECONDS;
	if (t->row->type == TYPE_GAUGE)
		return x;
	x = seconds ? round(x * 1e6) / 1e6 : round(x);
	return x > 0 ? x : 0;
}

/* One for each slot from `from` to the newest: running totals, or gauge values; NaN where there is none. */
static void unroll(size_t ring, const struct track *t, size_t value, int64_t from, double *ret)
{
	int64_t last = tracks_ring(ring)->last;
	double total = ring == RING_SHORT ? t->total[value] : t->long_total[value];
	for (int64_t slot = last; slot >= from; slot--) {
		bool has = tracks_has(ring, t, slot);
		float point = has ? tracks_point(ring, t, value, slot) : 0;
		bool gauge = t->row->type == TYPE_GAUGE;
		ret[slot - from] = !has ? (double)NAN : gauge ? (double)point : tidy(t, value, total);
		if (!gauge)
			total -= (double)point;
	}
}

static void put_values(struct json *j, const struct request *r, const struct track *t, size_t value)
{
	const struct ring *ring = tracks_ring(r->ring);
	int64_t stride = r->step / ring->step;
	int64_t count = r->range / r->step;
	int64_t from = ring->last - (count - 1) * stride;
	double *all = mem_alloc_array(sizeof(double), (size_t)((count - 1) * stride + 1));
	unroll(r->ring, t, value, from, all);
	json_array(j, "values");
	for (int64_t i = 0; i < count; i++)
		json_double(j, NULL, all[i * stride]);
	json_array_end(j);
	free(all);
}

static void put_value(struct json *j, const struct request *r, const struct track *t, size_t value)
{
	const struct metric_row *row = t->row;
	char name[NAME_BYTES + 8];
	const char *le = NULL;
	const char *ending = "";
	if (row->type == TYPE_HISTOGRAM) {
		bool bucket = value <= row->buckets->count;
		ending = bucket ? "_bucket" : "_sum";
		if (bucket)
			le = value < row->buckets->count ? row->buckets->texts[value] : "+Inf";
	}
	(void)snprintf(name, sizeof(name), "%s%s", row->name, ending);
	if (!is_wanted(r, row->name, name))
		return;
	json_object(j, NULL);
	json_str(j, "name", name);
	put_labels(j, t, le);
	put_values(j, r, t, value);
	json_object_end(j);
}

bool history_expose(struct span query_string, struct buf *out, struct err *err)
{
	struct request r;
	if (!parse_request(query_string, &r, err))
		return false;
	struct json j = JSON(out);
	pthread_mutex_lock(&tracks_lock);
	const struct ring *ring = tracks_ring(r.ring);
	bool any = ring->last >= 0 && r.step > 0;
	int64_t last = any ? ring->last * ring->step : 0;
	json_object(&j, NULL);
	json_int(&j, "step", r.step);
	json_int(&j, "start", any ? last - (r.range / r.step - 1) * r.step : 0);
	json_array(&j, "series");
	for (int m = 0; any && m < METRIC_COUNT; m++)
		for (const struct track *t = tracks_first((enum metric)m); t; t = t->next)
			for (size_t value = 0; value < t->values; value++)
				put_value(&j, &r, t, value);
	pthread_mutex_unlock(&tracks_lock);
	json_array_end(&j);
	json_object_end(&j);
	return true;
}
