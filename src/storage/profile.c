#include "storage/profile_core.h"

#include "engine/sql.h"
#include "storage/place.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *profile_class_name(enum profile_class class)
{
	static const char *const names[] = {"unique", "constant", "high", "medium", "low", "very_low"};
	return names[class];
}

const char *profile_quantile_name(enum profile_quantile quantile)
{
	static const char *const names[] = {"q01", "q05", "q25", "q50", "q75", "q95", "q99"};
	return names[quantile];
}

double profile_round(double value, int decimals)
{
	/* The longest double has 309 digits before the point. */
	char text[400];
	if (!isfinite(value))
		return NAN;
	(void)snprintf(text, sizeof(text), "%.*f", decimals, value);
	double rounded = strtod(text, NULL);
	return rounded == 0 ? 0 : rounded;
}

bool profile_query(struct profiler *p, struct buf *sql, struct cursor **ret, size_t *ret_rows, struct err *err)
{
	const char *text;
	*ret = NULL;
	*ret_rows = 0;
	return sql_finish(sql, &text, err) && session_query(p->session, text, ret, err) &&
	       cursor_next(*ret, ret_rows, err);
}

static bool columns_read(struct profiler *p, const struct table_schema *schema, struct err *err)
{
	struct profile *profile = p->result;
	profile->column_count = schema->column_count;
	profile->columns = arena_array(p->arena, struct profile_column, schema->column_count);
	for (size_t i = 0; i < schema->column_count; i++) {
		struct profile_column *out = &profile->columns[i];
		out->name = schema->columns[i].name;
		out->type = schema->columns[i].type;
		struct profiled column = {.profiler = p, .out = out, .kind = profile_kind_of(out->type)};
		bool number = column.kind == PROFILE_NUMBER || column.kind == PROFILE_FLOAT;
		column.sorted = number && p->sorts;
		bool fine = profile_column_read(&column, err) &&
			    (!number || out->count == 0 || profile_spread_read(&column, err));
		profile_values_free(&column.values);
		if (!fine)
			return false;
	}
	return true;
}

static bool profile(struct op *op, enum profile_mode mode, struct profile *ret, struct err *err)
{
	struct storage *storage = op->storage;
	struct arena *arena = op->call->arena;
	const struct op_target *t = &op->target;
	struct place place;
	struct table_ref *ref;
	struct table_info info;
	*ret = (struct profile){0};
	if (!place_table(storage, arena, t->project_id, t->branch_id, t->bucket, t->table, &place, err) ||
	    !place_attach(&place, &ref, &info, err))
		return false;
	ret->table = place.table.name;
	ret->bucket = place.bucket_name;
	ret->row_count = info.row_count;
	op->rows = info.row_count;
	op_began_on(op, info.size_bytes);
	struct profiler p = {
		.arena = arena,
		.table = arena_printf(arena, "%s.main.data", table_ref_alias(ref)),
		.histograms = mode == PROFILE_DISTRIBUTION || mode == PROFILE_FULL,
		.quality = mode == PROFILE_QUALITY || mode == PROFILE_FULL,
		/* Keys and as much room to sort them. */
		.sorts = info.row_count <= storage->settings->profile_memory / (int64_t)(2 * sizeof(uint64_t)),
		.result = ret,
	};
	bool fine = session_open(storage->data, &p.session, err) &&
		    (!op->call->progress || session_follow(p.session, op->call->progress, err)) &&
		    columns_read(&p, &info.schema, err) && (!p.quality || profile_correlate(&p, err));
	session_close(p.session);
	if (fine)
		profile_judge(ret, arena);
	else if (err->code == ERR_ENGINE || err->code == ERR_ENGINE_REFUSED || err->code == ERR_IO)
		return err_recode(err, ERR_PROFILE_TABLE_FAILED);
	return fine;
}

bool profile_table(struct storage *storage, const struct call *call, const char *project_id, const char *branch_id,
		   const char *bucket, const char *table, enum profile_mode mode, struct profile *ret, struct err *err)
{
	struct op op;
	op_begin(
		&op, storage, call, OP_profile_table,
		(struct op_target){.project_id = project_id, .branch_id = branch_id, .bucket = bucket, .table = table});
	return op_end(&op, profile(&op, mode, ret, err), err);
}
