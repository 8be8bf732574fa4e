/* The rows of metrics.def as JSON: what ?list answers. */
#include "base/json.h"
#include "metrics/writers.h"

static void put_row(struct json *j, const struct metric_row *row)
{
	json_object(j, NULL);
	json_str(j, "name", row->name);
	json_str(j, "type", metric_type_name(row->type));
	json_str(j, "unit", metric_unit_name(row->unit));
	json_str(j, "group", metric_group_name(row->group));
	json_str(j, "help", row->help);
	json_array(j, "labels");
	for (size_t i = 0; i < metric_row_labels(row); i++) {
		const struct label_list *list = row->labels[i].list;
		json_object(j, NULL);
		json_str(j, "name", row->labels[i].name);
		json_str(j, "kind", label_kind_name(list->kind));
		json_strings(j, "values", list->values, list->count);
		json_object_end(j);
	}
	json_array_end(j);
	json_array(j, "buckets");
	for (size_t i = 0; row->buckets && i < row->buckets->count; i++)
		json_raw(j, NULL, row->buckets->texts[i]);
	json_array_end(j);
	json_object_end(j);
}

void list_json(struct buf *out, const bool chosen[METRIC_COUNT])
{
	struct json j = JSON(out);
	json_array(&j, NULL);
	for (size_t i = 0; i < METRIC_COUNT; i++)
		if (chosen[i])
			put_row(&j, &metric_rows[i]);
	json_array_end(&j);
	buf_byte(out, '\n');
}
