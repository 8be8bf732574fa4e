/* Columns of a SELECT: the names by which GROUP BY means them, and (row).*, which is all of one's own. */
#include "base/map.h"
#include "pgwire/rewrite_inner.h"

static bool is_name(const struct rewriter *r, size_t i)
{
	return piece_kind(r, i, TOKEN_WORD) || piece_kind(r, i, TOKEN_QUOTED);
}

/* --- GROUP BY name --- */

/* Names of columns with their numbers, from the SELECT at `select` to its FROM; false: a * hides the numbers. */
static bool name_columns(struct rewriter *r, size_t select, size_t from, struct map *ret)
{
	uintptr_t number = 1;
	for (size_t i = select + 1; i < from; i++) {
		if (r->p[i].enclosing != r->p[select].enclosing)
			continue;
		if (piece_operator(r, i, "*") &&
		    (piece_punct(r, i - 1, '.') || i == select + 1 || piece_punct(r, i - 1, ',')))
			return false;
		if (piece_punct(r, i, ','))
			number++;
		else if (piece_is(r, i - 1, "as") && is_name(r, i))
			(void)map_put(ret, token_name(r->p[i].t, r->arena), (void *)number);
	}
	return true;
}

/* Aliases of tables, from the FROM at `from`: a name behind a name, a parenthesis or AS. */
static void name_tables(struct rewriter *r, size_t from, size_t group, struct map *ret)
{
	for (size_t i = from + 2; i < group; i++) {
		const bool behind = is_name(r, i - 1) || piece_punct(r, i - 1, ')');
		if (r->p[i].enclosing == r->p[from].enclosing && behind && is_name(r, i) && !piece_punct(r, i + 1, '.'))
			(void)map_put(ret, token_name(r->p[i].t, r->arena), r);
	}
}

static bool ends_item(const struct rewriter *r, size_t i)
{
	static const char *const words[] = {"having", "window", "qualify", "order", "limit",	"offset",
					    "fetch",  "union",	"except",  "for",   "intersect"};
	for (size_t k = 0; k < ARRAY_LEN(words); k++)
		if (piece_is(r, i, words[k]))
			return true;
	return i >= r->n || piece_punct(r, i, ',') || piece_punct(r, i, ')');
}

static void number_items(struct rewriter *r, size_t by, const struct map *columns, const struct map *tables)
{
	for (size_t i = by + 1; is_name(r, i) && ends_item(r, i + 1); i += 2) {
		const struct span name = token_name(r->p[i].t, r->arena);
		const uintptr_t number = (uintptr_t)map_get(columns, name);
		if (number && map_get(tables, name) && piece_edit(r))
			r->p[i].text = arena_printf(r->arena, "%zu", (size_t)number);
		if (!piece_punct(r, i + 1, ','))
			return;
	}
}

/*
 * A column's name that is a table's, too: to PostgreSQL it is the column, to the engine the table's row. `select` and
 * `from` are those before GROUP at the same depth.
 */
static void group_by_names(struct rewriter *r, size_t group, size_t select, size_t from)
{
	struct map columns = MAP_INIT, tables = MAP_INIT;
	name_tables(r, from, group, &tables);
	if (name_columns(r, select, from, &columns))
		number_items(r, group + 1, &columns, &tables);
	map_done(&columns);
	map_done(&tables);
}

/* --- (row).* --- */

/* Functions of the catalog that return rows of several columns, as lists. */
static const char *list_of(const struct rewriter *r, size_t i)
{
	static const struct {
		const char *name, *list;
	} sets[] = {{"aclexplode", "_pg.main._acl_list"},
		    {"_pg_expandarray", "_pg.main._expanded_list"},
		    {"pg_options_to_table", "_pg.main._option_list"}};
	for (size_t k = 0; k < ARRAY_LEN(sets); k++)
		if (piece_named(r, i, sets[k].name))
			return sets[k].list;
	return NULL;
}

static bool begins_item(const struct rewriter *r, size_t i)
{
	return i > 0 && r->p[r->p[i].match].in_select_list &&
	       (piece_is(r, i - 1, "select") || piece_punct(r, i - 1, ',') || piece_is(r, i - 1, "distinct"));
}

/* (row).*, the parenthesis that closes it being at i. */
static void all_of_row(struct rewriter *r, size_t i)
{
	const size_t open = r->p[i].match;
	if (!piece_punct(r, i + 1, '.') || !piece_operator(r, i + 2, "*") || open >= i || !begins_item(r, open) ||
	    !piece_edit(r))
		return;
	size_t name = open + 1;
	if (piece_punct(r, name + 1, '.'))
		name += 2;
	const char *list = piece_punct(r, name + 1, '(') && piece_close(r, name + 1) + 1 == i ? list_of(r, name) : NULL;
	if (list)
		r->p[name].text = list;
	piece_drop(r, i + 1, i + 3);
	/* One row is a list of one: of a row by itself the engine makes a copy for each column. */
	r->p[open].text = list ? "unnest(" : "unnest([";
	r->p[i].before = list ? ", max_depth := 2" : "], max_depth := 2";
}

void rewrite_columns(struct rewriter *r)
{
	/* The last SELECT and FROM of each depth; deeper ones end with the parenthesis. */
	struct {
		size_t select, from;
	} seen[3 * STMT_DEPTH_MAX + 1];
	size_t depth = 0;
	seen[0].select = r->n;
	seen[0].from = r->n;
	for (size_t i = 0; i < r->n; i++) {
		if (piece_punct(r, i, '(') && depth + 1 < ARRAY_LEN(seen)) {
			seen[++depth].select = r->n;
			seen[depth].from = r->n;
		} else if (piece_punct(r, i, ')')) {
			depth -= depth > 0;
			all_of_row(r, i);
		} else if (piece_is(r, i, "select")) {
			seen[depth].select = i;
			seen[depth].from = r->n;
		} else if (piece_is(r, i, "from") && seen[depth].from == r->n) {
			seen[depth].from = i;
		} else if (piece_is(r, i, "group") && piece_is(r, i + 1, "by") && seen[depth].from < i &&
			   (r->stmt->mentions & MENTIONS_CATALOG)) {
			group_by_names(r, i, seen[depth].select, seen[depth].from);
		}
	}
}
