#include "storage/op.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "catalog/history.h"
#include "metrics/metrics.h"
#include "storage/op_live.h"
#include "storage/storage.h"
#include "storage/trace.h"

#include <pthread.h>
#include <stdio.h>

enum op_family { FAMILY_NONE, FAMILY_IMPORT, FAMILY_EXPORT, FAMILY_SCHEMA, FAMILY_SHARING };

struct op_row {
	const char *name;
	const char *resource_type;
	enum op_family family;
	struct series *outcome[2]; /* error, success */
	struct series *duration;
	struct series *family_outcome[2]; /* schema and sharing operations */
	struct series *family_duration;
};

static struct op_row rows[] = {
#define OP(id, resource, kind, group) {.name = #id, .resource_type = (resource), .family = FAMILY_##group},
#include "storage/ops.def"
#undef OP
};
_Static_assert(ARRAY_LEN(rows) == OP_COUNT, "one row for each operation");

static const char *const statuses[2] = {"error", "success"};

/* The families' label for an operation: the short words of their metrics. */
static const char *family_label(const struct op_row *row)
{
	static const char *const pairs[][2] = {
		{"add_primary_key", "add_pk"}, {"drop_primary_key", "drop_pk"}, {"share_bucket", "share"},
		{"unshare_bucket", "unshare"}, {"link_bucket", "link"},		{"unlink_bucket", "unlink"},
	};
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		if (strcmp(row->name, pairs[i][0]) == 0)
			return pairs[i][1];
	}
	return row->name;
}

static void rows_resolve(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct op_row *row = &rows[i];
		row->duration = metric_series(METRIC_OPERATION_DURATION_SECONDS, row->name, NULL);
		for (int s = 0; s < 2; s++) {
			row->outcome[s] = metric_series(METRIC_OPERATIONS_TOTAL, row->name, statuses[s], NULL);
			if (row->family == FAMILY_SCHEMA)
				row->family_outcome[s] = metric_series(METRIC_SCHEMA_OPERATIONS_TOTAL,
								       family_label(row), statuses[s], NULL);
			else if (row->family == FAMILY_SHARING)
				row->family_outcome[s] = metric_series(METRIC_BUCKET_SHARING_OPERATIONS_TOTAL,
								       family_label(row), statuses[s], NULL);
		}
		if (row->family == FAMILY_SCHEMA)
			row->family_duration =
				metric_series(METRIC_SCHEMA_OPERATION_DURATION_SECONDS, family_label(row), NULL);
	}
}

static pthread_once_t resolved = PTHREAD_ONCE_INIT;

const char *op_name(enum op_kind kind)
{
	return rows[kind].name;
}

static void metrics_exemplar_of(const struct call *call)
{
	if (call->trace.sampled)
		metrics_exemplar_set(call->trace.trace_id, call->trace.span_id, NULL);
	else
		metrics_exemplar_set(NULL, NULL, call->request_id);
}

void op_begin(struct op *op, struct storage *storage, const struct call *call, enum op_kind kind,
	      struct op_target target)
{
	(void)pthread_once(&resolved, rows_resolve);
	*op = (struct op){
		.storage = storage,
		.call = call,
		.kind = kind,
		.target = target,
		.start_ns = clock_ns(),
		.start_us = clock_unix_us(),
	};
	id_uuid(op->id);
	if (OBSERVABILITY) {
		metrics_exemplar_of(call);
		op_live_add(op);
	}
}

void op_moved(struct op *op)
{
	if (OBSERVABILITY)
		metrics_exemplar_of(op->call);
}

static const char *first_of(const char *a, const char *b, const char *c, const char *d)
{
	return a ? a : b ? b : c ? c : d;
}

static struct operation record_of(const struct op *op)
{
	const struct op_target *t = &op->target;
	return (struct operation){
		.id = op->id,
		.project_id = t->project_id,
		.branch_id = t->branch_id    ? t->branch_id
			     : t->project_id ? "default"
					     : NULL,
		.bucket = t->bucket,
		.table_name = t->table,
		.command = rows[op->kind].name,
		.door = door_name(op->call->door),
		.resource_type = rows[op->kind].resource_type,
		.resource_id = first_of(t->resource_id, t->table, t->bucket, t->project_id),
		.request_id = op->call->request_id,
		.connection_job_id = op->call->job_id,
		.connection_run_id = op->call->run_id,
		.started_at = op->start_us,
	};
}

void op_began(struct op *op, bool durable)
{
	struct operation record = record_of(op);
	struct err err = ERR_INIT;
	if (!OBSERVABILITY || op->start_recorded)
		return;
	op->start_recorded = true;
	if (!history_begin(op->storage->history, &record, durable, &err))
		log_event(LOG_WARN, "the start of an operation could not be recorded", "operation",
			  LOG_S(rows[op->kind].name), "error", LOG_S(err.message), NULL);
}

void op_began_on(struct op *op, int64_t table_bytes)
{
	if (table_bytes > LIMIT_SHORT_TABLE_BYTES)
		op_began(op, true);
}

static void count_import(const struct op *op, bool fine, const struct err *err, double seconds)
{
	const char *mode = op->incremental ? "incremental" : "full";
	if (!op->format)
		return;
	metric_inc(metric_series(METRIC_IMPORT_OPERATIONS_TOTAL, op->format, mode, statuses[fine], NULL));
	if (!fine) {
		enum err_fault fault = err_row(err->code)->fault;
		const char *reason =
			err->code == ERR_DUPLICATE_KEY						     ? "duplicate"
			: err->code == ERR_FILE_NOT_FOUND || err->code == ERR_FILE_CONTENT_NOT_FOUND ? "source"
			: fault == FAULT_DISK_FULL || fault == FAULT_OUT_OF_MEMORY || err->code == ERR_TABLE_LOCKED
				? "capacity"
			: fault != FAULT_NONE ? "internal"
					      : "client";
		metric_inc(metric_series(METRIC_IMPORT_FAILURES_TOTAL, op->format, reason, NULL));
		return;
	}
	metric_observe(metric_series(METRIC_IMPORT_DURATION_SECONDS, op->format, NULL), seconds);
	metric_add(metric_series(METRIC_IMPORT_BYTES_TOTAL, op->format, NULL), (uint64_t)op->bytes_in);
	struct series *imported = metric_tenant_series(METRIC_IMPORT_ROWS_TOTAL, op->target.project_id, NULL);
	metric_add(imported, (uint64_t)(op->rows > 0 ? op->rows : 0));
	metric_tenant_release(imported);
	struct series *last = metric_tenant_series(METRIC_LAST_IMPORT_TIMESTAMP_SECONDS, op->target.project_id, NULL);
	metric_gauge_set(last, (double)clock_unix_us() / 1e6);
	metric_tenant_release(last);
}

static void count_export(const struct op *op, bool fine, double seconds)
{
	if (!op->format)
		return;
	metric_inc(metric_series(METRIC_EXPORT_OPERATIONS_TOTAL, op->format, statuses[fine], NULL));
	if (!fine)
		return;
	metric_observe(metric_series(METRIC_EXPORT_DURATION_SECONDS, op->format, NULL), seconds);
	metric_add(metric_series(METRIC_EXPORT_ROWS_TOTAL, NULL), (uint64_t)op->rows);
	metric_add(metric_series(METRIC_EXPORT_BYTES_TOTAL, NULL), (uint64_t)op->bytes_out);
}

static void count(const struct op *op, bool fine, const struct err *err, double seconds)
{
	struct op_row *row = &rows[op->kind];
	metric_inc(row->outcome[fine]);
	metric_inc(row->family_outcome[fine]);
	if (fine) {
		metric_observe(row->duration, seconds);
		metric_observe(row->family_duration, seconds);
	}
	if (!fine && err->code == ERR_OUT_OF_MEMORY)
		metric_inc(metric_series(METRIC_ENGINE_OOM_TOTAL, NULL));
	/* A deleted project's series are gone already; this would bring one back. */
	bool gone = fine && op->kind == OP_delete_project;
	if (op->storage->settings->metrics_per_project && op->target.project_id && !gone) {
		struct series *requests =
			metric_tenant_series(METRIC_PROJECT_REQUESTS_TOTAL, op->target.project_id, NULL);
		metric_inc(requests);
		metric_tenant_release(requests);
	}
	if (row->family == FAMILY_IMPORT)
		count_import(op, fine, err, seconds);
	else if (row->family == FAMILY_EXPORT)
		count_export(op, fine, seconds);
}

static void record(const struct op *op, bool fine, const struct err *err, double seconds)
{
	struct operation o = record_of(op);
	o.status = fine ? "success" : err->code == ERR_TIMEOUT || err->code == ERR_TABLE_LOCKED ? "timeout" : "error";
	o.error_code = fine ? NULL : err_row(err->code)->rest;
	o.error_message = fine ? NULL : err->message;
	o.details_json = op->details_json;
	o.duration_us = (int64_t)(seconds * 1e6);
	o.queue_wait_us = op->queue_wait_ns / 1000;
	o.rows = op->rows;
	o.bytes_in = op->bytes_in;
	o.bytes_out = op->bytes_out;
	history_add(op->storage->history, &o);
	enum log_level level = !fine && err_row(err->code)->fault != FAULT_NONE ? LOG_ERROR : LOG_DEBUG;
	if (log_enabled(level))
		log_event(level, "operation", "operation", LOG_S(o.command), "status", LOG_S(o.status), "door",
			  LOG_S(o.door), "request_id", LOG_S(o.request_id), "trace_id",
			  LOG_S(op->call->trace.sampled ? op->call->trace.trace_id : NULL), "operation_id", LOG_S(o.id),
			  "project", LOG_S(o.project_id), "resource", LOG_S(o.resource_id), "duration_ms",
			  LOG_F(seconds * 1e3), "error", LOG_S(o.error_code), "cause", LOG_S(o.error_message), NULL);
}

bool op_end(struct op *op, bool fine, const struct err *err)
{
	if (!OBSERVABILITY)
		return fine;
	double seconds = clock_seconds_since(op->start_ns);
	bool nothing_to_do = !fine && call_forgives(op->call, err->code);
	bool success = fine || nothing_to_do;
	if (nothing_to_do)
		op_detail_bool(op, "nothing_to_do", true);
	op_live_remove(op);
	count(op, success, err, seconds);
	if (op->storage->traces)
		trace_operation(op->storage->traces, op, success, err, clock_ns());
	if (op->storage->history)
		record(op, success, err, seconds);
	metrics_exemplar_clear();
	return fine;
}

bool op_void(struct op *op)
{
	if (OBSERVABILITY) {
		op_live_remove(op);
		metrics_exemplar_clear();
	}
	return false;
}

bool op_failed(struct storage *storage, const struct call *call, enum op_kind kind, struct op_target target,
	       const char *format, bool incremental, const struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, kind, target);
	op.format = format;
	op.incremental = incremental;
	return op_end(&op, false, err);
}

bool op_decided(struct storage *storage, const struct call *call, enum op_kind kind, struct op_target target, bool fine,
		const struct err *err)
{
	struct op op;
	op_begin(&op, storage, call, kind, target);
	return op_end(&op, fine, err);
}

/* `value` is JSON. */
static void detail_add(struct op *op, const char *key, struct span value)
{
	struct buf out = BUF(LIMIT_HTTP_JSON_BYTES);
	const char *former = op->details_json;
	/* All but the closing brace; a new member goes behind it. */
	buf_span(&out, former ? span_first(span_of(former), strlen(former) - 1) : SPAN("{"));
	if (former)
		buf_byte(&out, ',');
	json_quote(&out, span_of(key));
	buf_byte(&out, ':');
	buf_span(&out, value);
	buf_byte(&out, '}');
	if (!out.failed)
		op->details_json = arena_copy(op->call->arena, buf_view(&out));
	buf_done(&out);
}

void op_detail(struct op *op, const char *key, const char *value)
{
	struct buf quoted = BUF(LIMIT_HTTP_JSON_BYTES);
	json_quote(&quoted, span_of(value ? value : ""));
	detail_add(op, key, buf_view(&quoted));
	buf_done(&quoted);
}

void op_detail_bool(struct op *op, const char *key, bool value)
{
	detail_add(op, key, value ? SPAN("true") : SPAN("false"));
}

void op_detail_int(struct op *op, const char *key, int64_t value)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%lld", (long long)value);
	detail_add(op, key, (struct span){text, (size_t)len});
}

void op_span(struct op *op, const char *name, int64_t start_ns, int64_t end_ns)
{
	if (op->span_count < OP_SPANS_MAX)
		op->spans[op->span_count++] = (struct op_span){.name = name, .start_ns = start_ns, .end_ns = end_ns};
}
