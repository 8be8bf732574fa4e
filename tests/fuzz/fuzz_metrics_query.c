/* What a scraper may send, one line each: path, query string, Accept, Accept-Encoding, a label value. */
#include "metrics/expose.h"
#include "metrics/history.h"
#include "metrics/metrics.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct metrics_query query;
	struct span rest = {(const char *)data, size};
	struct span path = span_cut(&rest, '\n'), query_string = span_cut(&rest, '\n');
	query.accept = span_cut(&rest, '\n');
	query.accept_encoding = span_cut(&rest, '\n');
	query.scrape_timeout = SPAN("0.1");
	char value[2 * METRICS_LABEL_BYTES] = {0};
	memcpy(value, rest.ptr, rest.len < sizeof(value) ? rest.len : sizeof(value) - 1);
	struct series *series = metric_tenant_series(METRIC_IMPORT_ROWS_TOTAL, value, NULL);
	metric_inc(series);
	struct buf out = BUF((size_t)METRICS_EXPOSE_BYTES);
	struct metrics_answer answer;
	if (metrics_query_parse(&query, path, query_string)) {
		metrics_expose(&query, &out, &answer);
		bool plain = !answer.encoding && answer.content_type[0] == 't';
		if (answer.status != 200 || (plain && !span_is_utf8(buf_view(&out))))
			abort();
	}
	metric_tenant_release(series);
	metric_tenant_forget(TENANT_PROJECT, value, NULL, NULL);
	struct err err = ERR_INIT;
	buf_reset(&out);
	if (history_expose(query_string, &out, &err) && (out.len == 0 || out.ptr[0] != '{'))
		abort();
	buf_done(&out);
	return 0;
}
