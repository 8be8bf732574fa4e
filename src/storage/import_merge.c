#include "storage/import_merge.h"

#include "base/limits.h"
#include "engine/sql.h"

enum { KEY_SHOWN_BYTES = 200 };

/*
 * "<table> t JOIN|, <newest row number of each new key> n ... t is older": the rows that a new one takes the place of.
 * When all rows are new, only keys that occur twice can do that, which keeps the join small.
 */
static void newest_sql(struct buf *sql, const struct import_merge *m)
{
	buf_str(sql, "(SELECT ");
	sql_idents(sql, m->key, m->key_count);
	sql_printf(sql, ", max(rowid) AS newest_row FROM %s.main.data", m->alias);
	if (m->first_new > 0)
		sql_printf(sql, " WHERE rowid >= %d", m->first_new);
	buf_str(sql, " GROUP BY ");
	sql_idents(sql, m->key, m->key_count);
	if (m->first_new == 0)
		buf_str(sql, " HAVING count(*) > 1");
	buf_str(sql, ") AS n");
}

static void older_sql(struct buf *sql, const struct import_merge *m)
{
	buf_str(sql, " t.rowid < n.newest_row");
	for (size_t i = 0; i < m->key_count; i++)
		sql_printf(sql, " AND t.%I = n.%I", m->key[i], m->key[i]);
}

bool import_merge_replace(struct session *session, const struct import_merge *merge, uint64_t *ret_removed,
			  struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	const char *text;
	sql_printf(&sql, "DELETE FROM %s.main.data AS t USING ", merge->alias);
	newest_sql(&sql, merge);
	buf_str(&sql, " WHERE");
	older_sql(&sql, merge);
	bool fine = sql_finish(&sql, &text, err) && session_run_count(session, text, ret_removed, err);
	buf_done(&sql);
	return fine;
}

bool import_merge_refuse(struct session *session, const struct import_merge *merge, struct arena *arena,
			 struct err *err)
{
	struct buf sql = BUF(LIMIT_SQL_BYTES);
	const char *text;
	const char *key = NULL;
	buf_str(&sql, "SELECT (SELECT concat_ws(', '");
	for (size_t i = 0; i < merge->key_count; i++)
		sql_printf(&sql, ", n.%I::VARCHAR", merge->key[i]);
	sql_printf(&sql, ") FROM %s.main.data AS t JOIN ", merge->alias);
	newest_sql(&sql, merge);
	buf_str(&sql, " ON");
	older_sql(&sql, merge);
	buf_str(&sql, " LIMIT 1)");
	bool fine = sql_finish(&sql, &text, err) && session_text(session, text, arena, &key, err);
	buf_done(&sql);
	if (!fine || !key)
		return fine;
	struct span shown = span_first(span_of(key), KEY_SHOWN_BYTES);
	while (!span_is_utf8(shown))
		shown.len--;
	return err_set(err, ERR_DUPLICATE_KEY, "More than one row has the key (%.*s)", SPAN_ARG(shown));
}
