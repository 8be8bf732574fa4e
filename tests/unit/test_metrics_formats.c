#include "base/arena.h"
#include "metrics/compress.h"
#include "metrics/expose.h"
#include "metrics/histogram.h"
#include "metrics/metrics.h"
#include "metrics/percent.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#define OPEN_1	 "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define OPEN_0	 "application/openmetrics-text; version=0.0.1; charset=utf-8"
#define TEXT_0	 "text/plain; version=0.0.4; charset=utf-8"
#define TEXT_1	 "text/plain; version=1.0.0; charset=utf-8"
#define PROTO	 "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
#define PROTO_IN "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"

/* ---- negotiation ---- */

static void formats_follow_accept(void **state)
{
	(void)state;
	static const struct {
		const char *accept;
		const char *type;
	} cases[] = {
		{"", TEXT_0},
		{"*/*", TEXT_0},
		{"text/*", TEXT_0},
		{"text/plain", TEXT_0},
		{"image/png", TEXT_0},
		{"text/plain;version=0.0.4", TEXT_0},
		{"text/plain;version=1.0.0;escaping=allow-utf-8", TEXT_1 "; escaping=allow-utf-8"},
		{"text/plain; version=\"1.0.0\"; escaping=\"dots\"", TEXT_1 "; escaping=dots"},
		{"text/plain;version=1.0.0;escaping=evil\"x", TEXT_1},
		{"text/plain;version=9", TEXT_0},
		{"application/openmetrics-text", OPEN_1},
		{"application/openmetrics-text;version=1.0.0", OPEN_1},
		{"APPLICATION/OpenMetrics-Text;Version=0.0.1", OPEN_0},
		{"application/openmetrics-text;version=2.0.0", TEXT_0},
		{PROTO_IN, PROTO},
		{"application/vnd.google.protobuf;proto=other;encoding=delimited", TEXT_0},
		{"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text", TEXT_0},
		/* What Prometheus 2 and 3 send. */
		{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
		 "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		 OPEN_1},
		{PROTO_IN ";q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
			  "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;q=0.3,"
			  "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
		 PROTO},
		/* Quality beats order; 0 and nonsense are no offers. */
		{"text/plain;q=0.1, application/openmetrics-text;q=0.2", OPEN_1},
		{"application/openmetrics-text;q=0, */*;q=0.1", TEXT_0},
		{"application/openmetrics-text;q=7, text/plain;version=1.0.0;q=0.001", TEXT_1},
		{"application/openmetrics-text;q=, ;;;,,=,text/plain;version=1.0.0", TEXT_1},
		{"application/openmetrics-text;q=1.001,text/plain;version=1.0.0;q=1.000", TEXT_1},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *type = NULL;
		(void)negotiate_format(span_of(cases[i].accept), &type);
		assert_string_equal(type, cases[i].type);
	}
}

static void encodings_follow_accept_encoding(void **state)
{
	(void)state;
	static const struct {
		const char *accept;
		enum metrics_encoding encoding;
	} cases[] = {
		{"", ENCODING_IDENTITY},
		{"gzip", ENCODING_GZIP},
		{"GZIP;q=1.0", ENCODING_GZIP},
		{"x-gzip", ENCODING_GZIP},
		{"br, deflate", ENCODING_IDENTITY},
		{"gzip, deflate, br, zstd", ENCODING_ZSTD},
		{"gzip;q=1, zstd;q=0.5", ENCODING_GZIP},
		{"gzip;q=0", ENCODING_IDENTITY},
		{"*", ENCODING_GZIP},
		{"*;q=0, zstd", ENCODING_ZSTD},
		{"identity, gzip;q=0.5", ENCODING_IDENTITY},
		{"gzip;q=nonsense", ENCODING_IDENTITY},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(negotiate_encoding(span_of(cases[i].accept)), cases[i].encoding);
}

static void query_strings_are_decoded_strictly(void **state)
{
	(void)state;
	char out[8];
	assert_true(percent_decode(SPAN("a%5b%5D+"), true, out, sizeof(out)));
	assert_string_equal(out, "a[] ");
	assert_true(percent_decode(SPAN("a+"), false, out, sizeof(out)));
	assert_string_equal(out, "a+");
	assert_false(percent_decode(SPAN("%"), true, out, sizeof(out)));
	assert_false(percent_decode(SPAN("%4"), true, out, sizeof(out)));
	assert_false(percent_decode(SPAN("%zz"), true, out, sizeof(out)));
	assert_false(percent_decode(SPAN("%00"), true, out, sizeof(out)));
	assert_false(percent_decode(SPAN("12345678"), true, out, sizeof(out)));
	assert_true(percent_decode(SPAN("1234567"), true, out, sizeof(out)));
}

static void pages_are_found(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		bool found;
	} cases[] = {
		{"/metrics", true},
		{"/metrics/", true},
		{"/metrics/light", true},
		{"/metrics/http", true},
		{"/metrics/process/", true},
		{"/metrics/tenant", true},
		{"/metrics/tenant/p", true},
		{"/metricsx", false},
		{"/metrics/nope", false},
		{"/metrics/tenantx", false},
		{"/metrics/tenant/%", false},
		{"/metrics//", false},
		{"/", false},
	};
	static struct metrics_query query;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(metrics_query_parse(&query, span_of(cases[i].path), SPAN("")), cases[i].found);
	assert_true(metrics_query_parse(&query, SPAN("/metrics"), SPAN("name%5B%5D=a&x=%&&name[]=b&list&name[]=%")));
	assert_int_equal(query.names_count, 3);
	assert_string_equal(query.names[1], "b");
	assert_string_equal(query.names[2], "");
	assert_true(query.list);
}

/* ---- whole answers ---- */

static char *expose(const char *path, const char *query_string, const char *accept, size_t *ret_len)
{
	static struct metrics_query query;
	assert_true(metrics_query_parse(&query, span_of(path), span_of(query_string)));
	query.accept = span_of(accept);
	struct buf out = BUF((size_t)METRICS_EXPOSE_BYTES);
	struct metrics_answer answer;
	metrics_expose(&query, &out, &answer);
	assert_int_equal(answer.status, 200);
	return buf_take(&out, ret_len);
}

/* Times differ from run to run: digits behind _created and behind an exemplar become T. */
static char *without_times(char *text)
{
	for (char *line = text; *line;) {
		char *end = strchr(line, '\n');
		char *name_end = strpbrk(line, "{ ");
		bool created = name_end - line > 8 && strncmp(name_end - 8, "_created", 8) == 0;
		bool exemplar = memmem(line, (size_t)(end - line), " # {", 4) != NULL;
		if (created || exemplar) {
			char *at = memrchr(line, ' ', (size_t)(end - line));
			at[1] = 'T';
			memmove(at + 2, end, strlen(end) + 1);
			end = at + 2;
		}
		line = end + 1;
	}
	return text;
}

static const char small_query[] = "name[]=duckdb_files_uploads_total&name[]=duckdb_snapshot_create_duration_seconds&"
				  "name[]=duckdb_metadata_queries_total&name[]=duckdb_api_service_info&"
				  "name[]=duckdb_s3_multipart_uploads_active&name[]=duckdb_errors_of_nobody";

static void fill_small(void)
{
	static bool done;
	if (done)
		return;
	done = true;
	metric_gauge_set(metric_series(METRIC_API_SERVICE_INFO, "0.1.0", "1.5.6", NULL), 1);
	metric_add(metric_series(METRIC_FILES_UPLOADS_TOTAL, "success", NULL), UINT64_C(9007199254740993));
	metric_gauge_set(metric_series(METRIC_S3_MULTIPART_UPLOADS_ACTIVE, NULL), 0.1);
	struct series *create = metric_series(METRIC_SNAPSHOT_CREATE_DURATION_SECONDS, NULL);
	metric_observe(create, 0.01);
	metric_observe(create, 2.000000001);
	metrics_exemplar_set("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "unused");
	metric_inc(metric_series(METRIC_METADATA_QUERIES_TOTAL, "read", NULL));
	metrics_exemplar_clear();
}

static void text_is_as_promised(void **state)
{
	(void)state;
	fill_small();
	char *text = expose("/metrics", small_query, "", NULL);
	assert_string_equal(text, "# HELP duckdb_api_service_info Build facts; value is always 1\n"
				  "# TYPE duckdb_api_service_info gauge\n"
				  "duckdb_api_service_info{duckdb_version=\"1.5.6\",version=\"0.1.0\"} 1\n"
				  "# HELP duckdb_metadata_queries_total Calls to the metadata store\n"
				  "# TYPE duckdb_metadata_queries_total counter\n"
				  "duckdb_metadata_queries_total{operation=\"read\"} 1\n"
				  "duckdb_metadata_queries_total{operation=\"write\"} 0\n"
				  "# HELP duckdb_files_uploads_total Upload requests finished\n"
				  "# TYPE duckdb_files_uploads_total counter\n"
				  "duckdb_files_uploads_total{status=\"error\"} 0\n"
				  "duckdb_files_uploads_total{status=\"success\"} 9007199254740993\n"
				  "# HELP duckdb_snapshot_create_duration_seconds Time to create one\n"
				  "# TYPE duckdb_snapshot_create_duration_seconds histogram\n"
				  "duckdb_snapshot_create_duration_seconds_bucket{le=\"0.01\"} 1\n"
				  "duckdb_snapshot_create_duration_seconds_bucket{le=\"0.1\"} 1\n"
				  "duckdb_snapshot_create_duration_seconds_bucket{le=\"0.5\"} 1\n"
				  "duckdb_snapshot_create_duration_seconds_bucket{le=\"1.0\"} 1\n"
				  "duckdb_snapshot_create_duration_seconds_bucket{le=\"5.0\"} 2\n"
				  "duckdb_snapshot_create_duration_seconds_bucket{le=\"30.0\"} 2\n"
				  "duckdb_snapshot_create_duration_seconds_bucket{le=\"+Inf\"} 2\n"
				  "duckdb_snapshot_create_duration_seconds_sum 2.010000001\n"
				  "duckdb_snapshot_create_duration_seconds_count 2\n"
				  "# HELP duckdb_s3_multipart_uploads_active Multipart uploads begun, not finished\n"
				  "# TYPE duckdb_s3_multipart_uploads_active gauge\n"
				  "duckdb_s3_multipart_uploads_active 0.1\n");
	char *again = expose("/metrics", small_query, "text/plain;version=1.0.0", NULL);
	assert_string_equal(again, text);
	free(again);
	free(text);
}

static void openmetrics_is_as_promised(void **state)
{
	(void)state;
	fill_small();
	char *text = without_times(expose("/metrics", small_query, "application/openmetrics-text;version=1.0.0", NULL));
	assert_string_equal(text, "# TYPE duckdb_api_service info\n"
				  "# HELP duckdb_api_service Build facts; value is always 1\n"
				  "duckdb_api_service_info{duckdb_version=\"1.5.6\",version=\"0.1.0\"} 1\n"
				  "# TYPE duckdb_metadata_queries counter\n"
				  "# HELP duckdb_metadata_queries Calls to the metadata store\n"
				  "duckdb_metadata_queries_total{operation=\"read\"} 1 # "
				  "{trace_id=\"0af7651916cd43dd8448eb211c80319c\",span_id=\"b7ad6b7169203331\"} 1 T\n"
				  "duckdb_metadata_queries_created{operation=\"read\"} T\n"
				  "duckdb_metadata_queries_total{operation=\"write\"} 0\n"
				  "duckdb_metadata_queries_created{operation=\"write\"} T\n"
				  "# TYPE duckdb_files_uploads counter\n"
				  "# HELP duckdb_files_uploads Upload requests finished\n"
				  "duckdb_files_uploads_total{status=\"error\"} 0\n"
				  "duckdb_files_uploads_created{status=\"error\"} T\n"
				  "duckdb_files_uploads_total{status=\"success\"} 9007199254740993\n"
				  "duckdb_files_uploads_created{status=\"success\"} T\n"
				  "# TYPE duckdb_snapshot_create_duration_seconds histogram\n"
				  "# UNIT duckdb_snapshot_create_duration_seconds seconds\n"
				  "# HELP duckdb_snapshot_create_duration_seconds Time to create one\n"
				  "duckdb_snapshot_create_duration_seconds_bucket{le=\"0.01\"} 1\n"
				  "duckdb_snapshot_create_duration_seconds_bucket{le=\"0.1\"} 1\n"
				  "duckdb_snapshot_create_duration_seconds_bucket{le=\"0.5\"} 1\n"
				  "duckdb_snapshot_create_duration_seconds_bucket{le=\"1.0\"} 1\n"
				  "duckdb_snapshot_create_duration_seconds_bucket{le=\"5.0\"} 2\n"
				  "duckdb_snapshot_create_duration_seconds_bucket{le=\"30.0\"} 2\n"
				  "duckdb_snapshot_create_duration_seconds_bucket{le=\"+Inf\"} 2\n"
				  "duckdb_snapshot_create_duration_seconds_sum 2.010000001\n"
				  "duckdb_snapshot_create_duration_seconds_count 2\n"
				  "duckdb_snapshot_create_duration_seconds_created T\n"
				  "# TYPE duckdb_s3_multipart_uploads_active gauge\n"
				  "# HELP duckdb_s3_multipart_uploads_active Multipart uploads begun, not finished\n"
				  "duckdb_s3_multipart_uploads_active 0.1\n"
				  "# EOF\n");
	free(text);
}

/* One gauge without labels, byte by byte as the protobuf wire format has it. */
static void protobuf_is_as_promised(void **state)
{
	(void)state;
	fill_small();
	size_t len;
	char *bytes = expose("/metrics", "name[]=duckdb_s3_multipart_uploads_active", PROTO_IN, &len);
	assert_int_equal((unsigned char)bytes[0], len - 1);
	assert_memory_equal(bytes + 1,
			    "\x0a\x22"
			    "duckdb_s3_multipart_uploads_active\x12",
			    37);
	assert_memory_equal(bytes + len - 15, "\x18\x01\x22\x0b\x12\x09\x09\x9a\x99\x99\x99\x99\x99\xb9\x3f", 15);
	free(bytes);
}

static void light_is_light(void **state)
{
	(void)state;
	char *text = expose("/metrics/light", "", "", NULL);
	size_t samples = 0;
	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		samples += *line != '#';
	assert_in_range(samples, 20, 50);
	assert_non_null(strstr(text, "\nduckdb_api_up "));
	free(text);
}

static void tenant_pages_show_one_tenant(void **state)
{
	(void)state;
	metric_add(metric_series(METRIC_IMPORT_ROWS_TOTAL, "acme", NULL), 1);
	metric_add(metric_series(METRIC_IMPORT_ROWS_TOTAL, "other", NULL), 1);
	metric_add(metric_series(METRIC_PGWIRE_SLOW_QUERIES_TOTAL, "ws", NULL), 1);
	char *text = expose("/metrics/tenant/acme", "", "", NULL);
	assert_non_null(strstr(text, "duckdb_import_rows_total{project_id=\"acme\"} 1\n"));
	assert_null(strstr(text, "other"));
	assert_null(strstr(text, "pgwire"));
	assert_null(strstr(text, "duckdb_api_up"));
	free(text);
	text = expose("/metrics/tenant", "", "", NULL);
	assert_non_null(strstr(text, "workspace_id=\"ws\""));
	assert_null(strstr(text, "duckdb_api_up"));
	free(text);
}

static void the_list_is_json_of_the_group(void **state)
{
	(void)state;
	char *text = expose("/metrics/idempotency", "list", "", NULL);
	assert_non_null(strstr(text,
			       "{\"name\":\"duckdb_idempotency_cache_hits_total\",\"type\":\"counter\",\"unit\":\"\","
			       "\"group\":\"idempotency\",\"help\":\"Requests answered from the cache\","
			       "\"labels\":[],\"buckets\":[]}"));
	assert_null(strstr(text, "duckdb_api_up"));
	free(text);
	text = expose("/metrics", "list&name[]=duckdb_schema_operation_duration_seconds", "", NULL);
	assert_non_null(strstr(text,
			       "\"labels\":[{\"name\":\"operation\",\"kind\":\"closed\",\"values\":[\"add_column\","
			       "\"drop_column\",\"alter_column\",\"add_pk\",\"drop_pk\"]}],"
			       "\"buckets\":[0.01,0.05,0.1,0.5,1.0,5.0,30.0]}"));
	free(text);
}

static void codings_give_the_same_bytes(void **state)
{
	(void)state;
	char *plain = mem_alloc(100000);
	for (size_t i = 0; i + 1 < 100000; i++)
		plain[i] = (char)('a' + i * i % 7);
	struct span bytes = span_of(plain);
	struct buf coded = BUF((size_t)1 << 20);
	char *back = mem_alloc(bytes.len);
	assert_true(compress_bytes(ENCODING_ZSTD, bytes, &coded));
	assert_true(coded.len < bytes.len / 4);
	assert_int_equal(ZSTD_decompress(back, bytes.len, coded.ptr, coded.len), bytes.len);
	assert_memory_equal(back, plain, bytes.len);
	buf_reset(&coded);
	memset(back, 0, bytes.len);
	assert_true(compress_bytes(ENCODING_GZIP, bytes, &coded));
	z_stream z = {.next_in = (Bytef *)coded.ptr,
		      .avail_in = (uInt)coded.len,
		      .next_out = (Bytef *)back,
		      .avail_out = (uInt)bytes.len};
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(inflateEnd(&z), Z_OK);
	assert_memory_equal(back, plain, bytes.len);
	buf_done(&coded);
	struct buf small = BUF(10);
	assert_false(compress_bytes(ENCODING_GZIP, bytes, &small));
	buf_done(&small);
	free(back);
	free(plain);
}

/* ---- native histograms ---- */

static void native_buckets_hold_their_values(void **state)
{
	(void)state;
	struct histogram_layout layout;
	histogram_layout(metric_rows[METRIC_API_REQUEST_DURATION_SECONDS].buckets, &layout);
	for (int i = -239; i <= 136; i++) {
		/* The upper bound is inclusive, the lower is not. */
		double upper = exp2(i / 8.0);
		const double values[] = {upper, nextafter(upper, 0), nextafter(exp2((i - 1) / 8.0), INFINITY)};
		for (size_t v = 0; v < ARRAY_LEN(values); v++) {
			struct histogram_reading reading = {.octaves = (UINT64_C(1) << OCTAVES) - 1};
			struct histogram_native native;
			struct histogram_place place = histogram_place(&layout, values[v]);
			reading.cells[place.octave][place.cell] = 1;
			histogram_native(&layout, &reading, &native);
			assert_int_equal(native.count, 1);
			assert_int_equal(native.index[0], i);
		}
	}
}

static void too_many_buckets_are_halved(void **state)
{
	(void)state;
	struct histogram_layout layout;
	histogram_layout(metric_rows[METRIC_API_REQUEST_DURATION_SECONDS].buckets, &layout);
	struct histogram_reading reading = {.octaves = (UINT64_C(1) << OCTAVES) - 1};
	for (size_t octave = 0; octave < OCTAVES; octave++)
		for (size_t sub = 0; sub < 8; sub++)
			reading.cells[octave][sub] = octave * 8 + sub + 1;
	struct histogram_native native;
	histogram_native(&layout, &reading, &native);
	assert_int_equal(native.schema, 1);
	assert_int_equal(native.count, OCTAVES * 2);
	uint64_t sum = 0;
	for (size_t i = 0; i < native.count; i++)
		sum += native.counts[i];
	assert_int_equal(sum, (uint64_t)NATIVE_CELLS * (NATIVE_CELLS + 1) / 2);
	/* Four of schema 3 in each of schema 1: (2^-30, 2^-29.5] are the first four. */
	assert_int_equal(native.index[0], -59);
	assert_int_equal(native.counts[0], 1 + 2 + 3 + 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_follow_accept),
		cmocka_unit_test(encodings_follow_accept_encoding),
		cmocka_unit_test(query_strings_are_decoded_strictly),
		cmocka_unit_test(pages_are_found),
		cmocka_unit_test(text_is_as_promised),
		cmocka_unit_test(openmetrics_is_as_promised),
		cmocka_unit_test(protobuf_is_as_promised),
		cmocka_unit_test(light_is_light),
		cmocka_unit_test(tenant_pages_show_one_tenant),
		cmocka_unit_test(the_list_is_json_of_the_group),
		cmocka_unit_test(codings_give_the_same_bytes),
		cmocka_unit_test(native_buckets_hold_their_values),
		cmocka_unit_test(too_many_buckets_are_halved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
