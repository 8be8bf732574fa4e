/*
 * The list of metrics as documents, from metrics.def.
 *
 *	metrics_doc golden FILE       FILE is the list that tests compare an exposition with
 *	metrics_doc reference FILE    the part of FILE between the two marks is the reference for people
 *
 * Without a third argument it writes; with "check" it changes nothing and fails when the file is not current.
 */
#include "base/buf.h"
#include "base/fs.h"
#include "metrics/rows.h"

#include <stdio.h>
#include <stdlib.h>

enum { FILE_MAX = 1024 * 1024 };

#define MARK_BEGIN "<!-- reference: written by metrics_doc -->\n"
#define MARK_END   "<!-- end of reference -->\n"

static void put_values(struct buf *out, const struct label_list *list, const char *between)
{
	for (size_t i = 0; i < list->count; i++) {
		buf_str(out, i ? between : "");
		buf_str(out, list->values[i]);
	}
}

static const char *or_dash(const char *text)
{
	return *text ? text : "-";
}

/* name type unit group le=... label=values... */
static void golden(struct buf *out)
{
	for (size_t m = 0; m < METRIC_COUNT; m++) {
		const struct metric_row *row = &metric_rows[m];
		size_t order[METRIC_LABELS_MAX];
		metric_row_sorted(row, order);
		buf_printf(out, "%s %s %s %s %s", row->name, metric_type_name(row->type),
			   or_dash(metric_unit_name(row->unit)), metric_group_name(row->group), or_dash(row->flags));
		for (size_t i = 0; row->buckets && i < row->buckets->count; i++)
			buf_printf(out, "%s%s", i ? "," : " le=", row->buckets->texts[i]);
		for (size_t i = 0; i < metric_row_labels(row); i++) {
			const struct metric_label *label = &row->labels[order[i]];
			buf_printf(out, " %s=", label->name);
			if (label->list->kind == KIND_CLOSED)
				put_values(out, label->list, ",");
			else
				buf_printf(out, "<%s>", label_kind_name(label->list->kind));
		}
		buf_byte(out, '\n');
	}
}

static void reference_labels(struct buf *out, const struct metric_row *row)
{
	enum { MANY = 20 };
	if (metric_row_labels(row) == 0)
		buf_byte(out, '-');
	for (size_t i = 0; i < metric_row_labels(row); i++) {
		const struct metric_label *label = &row->labels[i];
		buf_printf(out, "%s`%s`", i ? "<br>" : "", label->name);
		if (label->list->kind != KIND_CLOSED) {
			buf_printf(out, " (%s)", label_kind_name(label->list->kind));
			continue;
		}
		if (label->list->count > MANY) {
			buf_printf(out, ": %zu values, see `?list`", label->list->count);
			continue;
		}
		buf_str(out, ": ");
		put_values(out, label->list, " ");
	}
}

static void reference_group(struct buf *out, enum metric_group group)
{
	buf_printf(out, "\n### %s\n\n| Name | Type | Labels | Meaning |\n|---|---|---|---|\n",
		   metric_group_name(group));
	for (size_t m = 0; m < METRIC_COUNT; m++) {
		const struct metric_row *row = &metric_rows[m];
		if (row->group != group)
			continue;
		buf_printf(out, "| `%s` | %s | ", row->name, metric_type_name(row->type));
		reference_labels(out, row);
		buf_printf(out, " | %s", row->help);
		for (size_t i = 0; row->buckets && i < row->buckets->count; i++)
			buf_printf(out, "%s%s", i ? " " : ".<br>Buckets: ", row->buckets->texts[i]);
		buf_str(out, " |\n");
	}
}

static void reference(struct buf *out)
{
	for (int group = 0; group < GROUP_COUNT; group++)
		reference_group(out, (enum metric_group)group);
	buf_byte(out, '\n');
}

/* The whole file as it should be, from what it is; false when the marks are missing. */
static bool document(const char *kind, const char *now, struct buf *out)
{
	if (strcmp(kind, "golden") == 0) {
		golden(out);
		return true;
	}
	const char *begin = strstr(now, MARK_BEGIN);
	const char *end = begin ? strstr(begin, MARK_END) : NULL;
	if (!end)
		return false;
	buf_bytes(out, now, (size_t)(begin - now));
	buf_str(out, MARK_BEGIN);
	reference(out);
	buf_str(out, end);
	return true;
}

int main(int argc, char **argv)
{
	if (argc < 3 || (strcmp(argv[1], "golden") != 0 && strcmp(argv[1], "reference") != 0)) {
		fputs("usage: metrics_doc golden|reference FILE [check]\n", stderr);
		return 2;
	}
	struct err err = ERR_INIT;
	char *now = NULL;
	size_t len = 0;
	bool exists = fs_read(argv[2], FILE_MAX, &now, &len, &err);
	struct buf wanted = BUF((size_t)FILE_MAX);
	int status = 1;
	if (!document(argv[1], exists ? now : "", &wanted)) {
		fprintf(stderr, "%s has no place for the reference\n", argv[2]);
		goto done;
	}
	if (exists && span_eq((struct span){now, len}, buf_view(&wanted))) {
		status = 0;
		goto done;
	}
	if (argc > 3) {
		fprintf(stderr, "%s is not current: run metrics_doc %s %s\n", argv[2], argv[1], argv[2]);
		goto done;
	}
	if (fs_write(argv[2], buf_view(&wanted), 0644, &err))
		status = 0;
	else
		fprintf(stderr, "%s\n", err.message);
done:
	buf_done(&wanted);
	free(now);
	return status;
}
