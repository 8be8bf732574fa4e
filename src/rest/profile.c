#include "rest/rest.h"

#include "storage/profile.h"

static const char *const modes[] = {
	[PROFILE_BASIC] = "basic",
	[PROFILE_DISTRIBUTION] = "distribution",
	[PROFILE_QUALITY] = "quality",
	[PROFILE_FULL] = "full",
	NULL,
};

/* Counts that do not apply are negative. */
static void count_write(struct json *j, const char *key, int64_t count)
{
	if (count < 0)
		json_null(j, key);
	else
		json_int(j, key, count);
}

static void histogram_write(struct json *j, const struct profile_column *c)
{
	if (!c->histogram) {
		json_null(j, "histogram");
		return;
	}
	json_object(j, "histogram");
	for (size_t i = 0; i < c->histogram_count; i++)
		json_int(j, c->histogram[i].value, c->histogram[i].count);
	json_object_end(j);
}

static void patterns_write(struct json *j, const struct profile_column *c)
{
	if (!c->has_patterns) {
		json_null(j, "detected_patterns");
		return;
	}
	json_array(j, "detected_patterns");
	for (size_t i = 0; i < c->pattern_count; i++) {
		json_object(j, NULL);
		json_str(j, "pattern", c->patterns[i].name);
		json_int(j, "match_count", c->patterns[i].count);
		json_float(j, "match_percentage", c->patterns[i].percentage);
		json_object_end(j);
	}
	json_array_end(j);
}

static void column_write(struct json *j, const struct profile_column *c)
{
	json_object(j, NULL);
	json_str(j, "column_name", c->name);
	json_str(j, "column_type", c->type);
	json_str(j, "min", c->min);
	json_str(j, "max", c->max);
	json_int(j, "approx_unique", c->distinct);
	json_float(j, "cardinality_ratio", c->cardinality_ratio);
	json_str(j, "cardinality_class", profile_class_name(c->cardinality));
	json_int(j, "count", c->count);
	json_float(j, "null_percentage", c->null_percentage);
	json_float(j, "avg", c->avg);
	json_float(j, "std", c->std);
	json_float(j, "skewness", c->skewness);
	json_float(j, "kurtosis", c->kurtosis);
	for (int i = 0; i < PROFILE_QUANTILES; i++)
		json_float(j, profile_quantile_name((enum profile_quantile)i), c->quantiles[i]);
	count_write(j, "outlier_count", c->outlier_count);
	json_float(j, "outlier_lower_bound", c->outlier_lower);
	json_float(j, "outlier_upper_bound", c->outlier_upper);
	histogram_write(j, c);
	json_float(j, "avg_length", c->avg_length);
	count_write(j, "min_length", c->min_length);
	count_write(j, "max_length", c->max_length);
	count_write(j, "empty_count", c->empty_count);
	count_write(j, "whitespace_only_count", c->whitespace_count);
	patterns_write(j, c);
	json_object_end(j);
}

static void correlations_write(struct json *j, const struct profile *p)
{
	if (!p->has_correlations) {
		json_null(j, "correlations");
		return;
	}
	json_array(j, "correlations");
	for (size_t i = 0; i < p->correlation_count; i++) {
		const struct profile_correlation *c = &p->correlations[i];
		json_object(j, NULL);
		json_str(j, "column1", c->column1);
		json_str(j, "column2", c->column2);
		json_float(j, "correlation", c->r);
		json_str(j, "strength", c->strong ? "strong" : "moderate");
		json_object_end(j);
	}
	json_array_end(j);
}

static bool profile_post(struct http_request *req, struct http_response *res, struct err *err)
{
	struct profile p;
	enum profile_mode mode = PROFILE_BASIC;
	while (strcmp(modes[mode], http_query(req, "mode")) != 0)
		mode++;
	if (!profile_table(rest_storage(req), &req->call, http_param(req, "project_id"), http_param(req, "branch_id"),
			   http_param(req, "bucket_name"), http_param(req, "table_name"), mode, &p, err))
		return false;
	struct json *j = http_json(res, 200);
	json_object(j, NULL);
	json_str(j, "table_name", p.table);
	json_str(j, "bucket_name", p.bucket);
	json_int(j, "row_count", p.row_count);
	json_uint(j, "column_count", p.column_count);
	json_array(j, "statistics");
	for (size_t i = 0; i < p.column_count; i++)
		column_write(j, &p.columns[i]);
	json_array_end(j);
	json_float(j, "quality_score", p.score);
	json_array(j, "quality_issues");
	for (size_t i = 0; i < p.issue_count; i++) {
		json_object(j, NULL);
		json_str(j, "column", p.issues[i].column);
		json_str(j, "type", p.issues[i].type);
		json_str(j, "severity", p.issues[i].severity);
		json_str(j, "message", p.issues[i].message);
		json_object_end(j);
	}
	json_array_end(j);
	correlations_write(j, &p);
	json_object_end(j);
	return true;
}

static const struct field pattern_fields[] = {{.name = "pattern", .type = FIELD_STRING},
					      {.name = "match_count", .type = FIELD_INT},
					      {.name = "match_percentage", .type = FIELD_NUMBER},
					      {0}};
static const struct schema pattern_schema = {"ProfilePattern", pattern_fields, NULL};

#define NUMBER_OR_NULL(label, text)                                                     \
	{                                                                               \
		.name = (label), .type = FIELD_NUMBER, .nullable = true, .help = (text) \
	}
#define COUNT_OR_NULL(label, text)                                                   \
	{                                                                            \
		.name = (label), .type = FIELD_INT, .nullable = true, .help = (text) \
	}

static const char *const classes[] = {"unique", "constant", "high", "medium", "low", "very_low", NULL};
static const struct field column_fields[] = {
	{.name = "column_name", .type = FIELD_STRING},
	{.name = "column_type", .type = FIELD_STRING},
	{.name = "min", .type = FIELD_STRING, .nullable = true, .help = "As text, whatever the type"},
	{.name = "max", .type = FIELD_STRING, .nullable = true},
	{.name = "approx_unique", .type = FIELD_INT, .help = "Distinct values; exact"},
	{.name = "cardinality_ratio", .type = FIELD_NUMBER, .help = "Distinct values by values"},
	{.name = "cardinality_class", .type = FIELD_STRING, .values = classes},
	{.name = "count", .type = FIELD_INT, .help = "Values that are not null"},
	{.name = "null_percentage", .type = FIELD_NUMBER},
	NUMBER_OR_NULL("avg", "Numbers only, like all down to histogram"),
	NUMBER_OR_NULL("std", "Of the sample"),
	NUMBER_OR_NULL("skewness", NULL),
	NUMBER_OR_NULL("kurtosis", NULL),
	NUMBER_OR_NULL("q01", NULL),
	NUMBER_OR_NULL("q05", NULL),
	NUMBER_OR_NULL("q25", NULL),
	NUMBER_OR_NULL("q50", NULL),
	NUMBER_OR_NULL("q75", NULL),
	NUMBER_OR_NULL("q95", NULL),
	NUMBER_OR_NULL("q99", NULL),
	COUNT_OR_NULL("outlier_count", "Values beyond 1.5 times the distance of the quartiles"),
	NUMBER_OR_NULL("outlier_lower_bound", NULL),
	NUMBER_OR_NULL("outlier_upper_bound", NULL),
	{.name = "histogram",
	 .type = FIELD_OBJECT,
	 .nullable = true,
	 .help = "Value to count; 50 equal ranges when there are more than 1000 values"},
	NUMBER_OR_NULL("avg_length", "Text only, like all that follow"),
	COUNT_OR_NULL("min_length", "In characters"),
	COUNT_OR_NULL("max_length", NULL),
	COUNT_OR_NULL("empty_count", NULL),
	COUNT_OR_NULL("whitespace_only_count", NULL),
	{.name = "detected_patterns",
	 .type = FIELD_LIST,
	 .items = FIELD_OBJECT,
	 .object = &pattern_schema,
	 .nullable = true},
	{0}};
static const struct schema column_schema = {"ProfileColumn", column_fields, NULL};
static const struct field issue_fields[] = {{.name = "column", .type = FIELD_STRING},
					    {.name = "type", .type = FIELD_STRING},
					    {.name = "severity", .type = FIELD_STRING, .help = "warning or info"},
					    {.name = "message", .type = FIELD_STRING},
					    {0}};
static const struct schema issue_schema = {"ProfileIssue", issue_fields, NULL};
static const struct field correlation_fields[] = {
	{.name = "column1", .type = FIELD_STRING},
	{.name = "column2", .type = FIELD_STRING},
	{.name = "correlation", .type = FIELD_NUMBER, .help = "Pearson"},
	{.name = "strength", .type = FIELD_STRING, .help = "strong or moderate"},
	{0}};
static const struct schema correlation_schema = {"ProfileCorrelation", correlation_fields, NULL};
static const struct field profile_fields[] = {
	{.name = "table_name", .type = FIELD_STRING},
	{.name = "bucket_name", .type = FIELD_STRING},
	{.name = "row_count", .type = FIELD_INT},
	{.name = "column_count", .type = FIELD_INT},
	{.name = "statistics", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &column_schema},
	{.name = "quality_score", .type = FIELD_NUMBER, .help = "0 to 100; 90 excellent, 75 good, 50 fair"},
	{.name = "quality_issues", .type = FIELD_LIST, .items = FIELD_OBJECT, .object = &issue_schema},
	{.name = "correlations",
	 .type = FIELD_LIST,
	 .items = FIELD_OBJECT,
	 .object = &correlation_schema,
	 .nullable = true},
	{0}};
static const struct schema profile_schema = {"TableProfile", profile_fields, NULL};
static const struct field mode_query[] = {{.name = "mode",
					   .type = FIELD_STRING,
					   .fallback = "\"basic\"",
					   .values = modes,
					   .help = "distribution adds histograms, quality patterns and correlations"},
					  {0}};
static const enum err_code profile_errors[] = {ERR_PROJECT_NOT_FOUND,
					       ERR_BRANCH_NOT_FOUND,
					       ERR_PROJECT_DB_NOT_FOUND,
					       ERR_BUCKET_NOT_FOUND,
					       ERR_TABLE_NOT_FOUND,
					       ERR_PROFILE_TABLE_FAILED,
					       ERR_NONE};

static const struct http_route routes[] = {
	{.method = HTTP_POST,
	 .path = REST_TABLE "/profile",
	 .guard = GUARD_BRANCH,
	 .run = HTTP_READ,
	 .handler = profile_post,
	 .reading = true,
	 .query = mode_query,
	 .response = &profile_schema,
	 .errors = profile_errors,
	 .tag = "Tables",
	 .summary = "Statistics of a table's columns"},
};

REST_RESOURCE(profile, routes);
