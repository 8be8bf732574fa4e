/* Score and issues. */
#include "storage/profile_core.h"

#include <math.h>

struct judge {
	struct profile *profile;
	struct arena *arena;
	double score;
};

static void issue(struct judge *j, const struct profile_column *c, const char *type, const char *severity, double cost,
		  const char *message)
{
	j->profile->issues[j->profile->issue_count++] = (struct profile_issue){c->name, type, severity, message};
	j->score -= cost;
}

static void column_judge(struct judge *j, const struct profile_column *c)
{
	struct arena *arena = j->arena;
	int64_t rows = j->profile->row_count;
	double nulls = rows ? (double)(rows - c->count) / (double)rows * 100 : 0;
	double outliers = rows && c->outlier_count > 0 ? (double)c->outlier_count / (double)rows * 100 : 0;
	if (nulls > 50)
		issue(j, c, "high_nulls", "warning", 5, arena_printf(arena, "%.1f%% of the values are null", nulls));
	if (c->cardinality == CLASS_CONSTANT)
		issue(j, c, "constant", "info", 0, "All values are identical");
	if (outliers > 5)
		issue(j, c, "outliers", "warning", 2,
		      arena_printf(arena, "%lld outliers (%.1f%% of the rows)", (long long)c->outlier_count, outliers));
	if (fabs(c->skewness) > 2)
		issue(j, c, "skewed", "info", 0,
		      arena_printf(arena, "The distribution is skewed to the %s (skewness %.2f)",
				   c->skewness > 0 ? "right" : "left", c->skewness));
	if (c->cardinality == CLASS_UNIQUE && c->count == rows)
		issue(j, c, "pk_candidate", "info", 0,
		      "All values are unique and none is null: it could be a primary key");
	bool few = c->cardinality == CLASS_LOW || c->cardinality == CLASS_VERY_LOW;
	if (few && c->count > 0 && profile_kind_of(c->type) == PROFILE_TEXT)
		issue(j, c, "enum_candidate", "info", 0,
		      arena_printf(arena, "Only %lld distinct values: it could be an enumeration",
				   (long long)c->distinct));
}

void profile_judge(struct profile *profile, struct arena *arena)
{
	enum { ISSUES_PER_COLUMN = 6 };
	struct judge judge = {.profile = profile, .arena = arena, .score = 100};
	profile->issues = arena_array(arena, struct profile_issue, profile->column_count * ISSUES_PER_COLUMN);
	for (size_t i = 0; i < profile->column_count; i++)
		column_judge(&judge, &profile->columns[i]);
	profile->score = profile_round(judge.score > 0 ? judge.score : 0, 1);
}
