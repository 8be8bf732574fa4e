/* Data files in and out: broken and odd ones first. */
#include "base/clock.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/pool.h"
#include "engine/export.h"
#include "engine/import.h"
#include "engine/sql.h"
#include "engine_bed.h"

#include <sys/mount.h>
#include <unistd.h>
#include <zlib.h>

static char root[] = "/tmp/engine_files_XXXXXX";
static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	if (!mkdtemp(root))
		return -1;
	return bed_open(
		&(struct instance_config){.threads = 2, .memory_limit = 1 << 30},
		"CREATE TABLE src AS SELECT i AS id, 'name, ' || i AS \"a name\", CASE WHEN i % 3 = 0 THEN NULL ELSE i / 4 END AS x, "
		"i % 2 = 0 AS even, TIMESTAMP '2025-01-01' + to_seconds(i) AS t FROM range(300000) r(i)");
}

static int teardown(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	bed_close();
	arena_free(arena);
	return fs_remove_tree(root, &err) ? 0 : -1;
}

static const char *path_of(const char *name)
{
	return arena_printf(arena, "%s/%s", root, name);
}

static const char *put(const char *name, struct span content)
{
	struct err err = ERR_INIT;
	const char *path = path_of(name);
	if (!fs_write(path, content, 0644, &err))
		fail_msg("%s", err.message);
	return path;
}

static const struct import_options plain = {.format = IMPORT_CSV, .header = true};

static void test_unreadable(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct import_file file;
	enum import_compression compression;
	assert_false(import_compression_of(path_of("none"), &compression, &err));
	assert_false(import_sniff(session, path_of("none"), &plain, arena, &file, &err));
	assert_false(import_sniff(session, put("star*.csv", SPAN("a\n1\n")), &plain, arena, &file, &err));
	assert_int_equal(err.code, ERR_IMPORT_FAILED);
	static const struct {
		const char *name;
		struct span content;
		enum import_format format;
	} rows[] = {
		{"bad.csv.gz", {"plain text, not packed", 22}, IMPORT_CSV},
		{"bad.csv.zst", {"plain text, not packed", 22}, IMPORT_CSV},
		{"cut.csv.gz", {"\x1f\x8b\x08\0\0\0\0\0\0\xff\xff\xff\xff", 13}, IMPORT_CSV},
		{"bytes.csv", {"a,\xff\xfe\n1,2\n", 9}, IMPORT_CSV},
		{"nul.csv", {"a,b\0c\n1,2\n", 10}, IMPORT_CSV},
		{"open.csv", {"\"a,b\n1,2\n", 9}, IMPORT_CSV},
		{"bad.parquet", {"PAR1 and nothing else PAR1", 26}, IMPORT_PARQUET},
		{"text.parquet", {"a,b\n1,2\n", 8}, IMPORT_PARQUET},
		{"empty.parquet", {"", 0}, IMPORT_PARQUET},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct import_options options = {.format = rows[i].format, .header = true};
		if (import_sniff(session, put(rows[i].name, rows[i].content), &options, arena, &file, &err))
			fail_msg("%s was read", rows[i].name);
		if (err.code != ERR_IMPORT_FAILED)
			fail_msg("%s: %s", rows[i].name, err.message);
	}
	char *many = mem_alloc(LIMIT_COLUMNS + 10);
	memset(many, ',', LIMIT_COLUMNS + 5);
	assert_false(import_sniff(session, put("many.csv", span_of(many)), &plain, arena, &file, &err));
	assert_int_equal(err.code, ERR_IMPORT_FAILED);
	free(many);
}

static void test_dialects(void **state)
{
	(void)state;
	static const struct {
		const char *content;
		const char *delimiter, *quote, *escape;
		const char *names; /* joined by '~' */
		const char *rows;  /* of the scan, joined by '~' and '/'; NULL values as <> */
	} rows[] = {
		{"a,b\n1,2\n", ",", "\"", "\"", "a~b", "1~2"},
		{"a;b\n1,5;2\n", ";", "\"", "\"", "a~b", "1,5~2"},
		{"a\tb\r\n1\t2\r\n", "\t", "\"", "\"", "a~b", "1~2"},
		{"a|b\n1|2", "|", "\"", "\"", "a~b", "1~2"},
		{"a,b\n\"x, \"\"y\"\"\",\"\"\n", ",", "\"", "\"", "a~b", "x, \"y\"~<>"},
		{"a,b\n\"x\ny\",z\n", ",", "\"", "\"", "a~b", "x\ny~z"},
		{"a,b\n\"x\\\"y\",z\n", ",", "\"", "\\", "a~b", "x\"y~z"},
		{"a,b\n'x, y','z'\n", ",", "'", "'", "a~b", "x, y~z"},
		{"id,note\n1,it's\n2,'tis\n", ",", "\"", "\"", "id~note", "1~it's/2~'tis"},
		{"\xef\xbb\xbfid,n\n1,2\n", ",", "\"", "\"", "id~n", "1~2"},
		{"select,\"a\"\"b\",,A,a\n1,2,3,4,5\n", ",", "\"", "\"", "select~a\"b~~A~a", "1~2~3~4~5"},
		{"only\n1\n\n3\n", ",", "\"", "\"", "only", NULL},
		{"only\n1\n2\n", ",", "\"", "\"", "only", "1/2"},
		{"a,b\n", ",", "\"", "\"", "a~b", ""},
		{"a,b", ",", "\"", "\"", "a~b", ""},
		{"#x,y\n#1,2\n", ",", "\"", "\"", "#x~y", "#1~2"},
		{"{\"a\": 1};b\n{\"a\": 2};c\n", ";", "\"", "\"", "{\"a\": 1}~b", "{\"a\": 2}~c"},
		{"ž,ů\n1,😀\n", ",", "\"", "\"", "ž~ů", "1~😀"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		struct import_file file;
		const char *path = put("d.csv", span_of(rows[i].content));
		if (!import_sniff(session, path, &plain, arena, &file, &err))
			fail_msg("%zu: %s", i, err.message);
		if (strcmp(file.delimiter, rows[i].delimiter) != 0 || strcmp(file.quote, rows[i].quote) != 0 ||
		    strcmp(file.escape, rows[i].escape) != 0)
			fail_msg("%zu: delimiter %s quote %s escape %s", i, file.delimiter, file.quote, file.escape);
		struct buf names = BUF(MIB), got = BUF(MIB), sql = BUF(MIB);
		for (size_t k = 0; k < file.column_count; k++)
			buf_printf(&names, "%s%s", k ? "~" : "", file.columns[k].name);
		assert_string_equal(buf_view(&names).ptr, rows[i].names);
		if (rows[i].rows) {
			const char *text;
			struct cursor *c;
			size_t n;
			buf_str(&sql, "SELECT * FROM ");
			assert_true(import_scan_sql(path, &plain, &file, NULL, &sql, &err) &&
				    sql_finish(&sql, &text, &err));
			if (!session_query(session, text, &c, &err) || !cursor_next(c, &n, &err))
				fail_msg("%s: %s", text, err.message);
			for (size_t row = 0; row < n; row++)
				for (size_t k = 0; k < file.column_count; k++) {
					buf_str(&got, k ? "~" : row ? "/" : "");
					if (cursor_is_null(c, k, row))
						buf_str(&got, "<>");
					else
						buf_span(&got, cursor_text(c, k, row));
				}
			cursor_close(c);
			assert_string_equal(buf_view(&got).ptr, rows[i].rows);
		}
		buf_done(&names);
		buf_done(&got);
		buf_done(&sql);
	}
	/* Given options win; an empty file has no columns. */
	struct err err = ERR_INIT;
	struct import_file file;
	const struct import_options given = {.format = IMPORT_CSV, .delimiter = ";", .quote = "'", .null_text = "-"};
	assert_true(import_sniff(session, put("o.csv", SPAN("a,b\n1,2\n")), &given, arena, &file, &err));
	assert_int_equal(file.column_count, 1);
	assert_false(file.has_header);
	assert_string_equal(file.columns[0].name, "column0");
	assert_true(import_sniff(session, put("empty.csv", SPAN("")), &plain, arena, &file, &err));
	assert_int_equal(file.column_count, 0);
	const struct import_options guess = {.format = IMPORT_CSV, .detect_header = true};
	assert_true(import_sniff(session, put("g.csv", SPAN("1,2\n3,4\n")), &guess, arena, &file, &err));
	assert_false(file.has_header);
	assert_true(import_sniff(session, put("g.csv", SPAN("id,n\n3,4\n")), &guess, arena, &file, &err));
	assert_true(file.has_header);
}

static int64_t count_file(const char *path, const struct import_options *options, const char *what)
{
	struct err err = ERR_INIT;
	struct import_file file;
	struct buf sql = BUF(MIB);
	const char *text;
	int64_t n = -1;
	if (!import_sniff(session, path, options, arena, &file, &err))
		fail_msg("%s", err.message);
	sql_printf(&sql, "SELECT %s FROM ", what);
	assert_true(import_scan_sql(path, options, &file, NULL, &sql, &err) && sql_finish(&sql, &text, &err));
	if (!session_int(session, text, &n, &err))
		fail_msg("%s: %s", text, err.message);
	buf_done(&sql);
	return n;
}

static void test_bad_rows(void **state)
{
	(void)state;
	static const char *const contents[] = {"a,b\n1,2\n1,2,3\n", "a,b\n1,2\n1\n", "a,b\n1,\"x\"y\n",
					       "a,b\n1,\"open\n", "a,b\n1,\xff\n"};
	for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
		struct err err = ERR_INIT;
		struct import_file file;
		struct buf sql = BUF(MIB);
		const char *text;
		const char *path = put("rows.csv", span_of(contents[i]));
		assert_true(import_sniff(session, path, &plain, arena, &file, &err));
		buf_str(&sql, "SELECT * FROM ");
		assert_true(import_scan_sql(path, &plain, &file, NULL, &sql, &err) && sql_finish(&sql, &text, &err));
		if (session_run(session, text, &err))
			fail_msg("%s was read", contents[i]);
		assert_int_equal(err.code, ERR_ENGINE_REFUSED);
		/* One short paragraph, without our options and paths. */
		if (strstr(err.message, "Possible") || strstr(err.message, "auto_detect") || strstr(err.message, root))
			fail_msg("%s", err.message);
		buf_done(&sql);
	}
	/* A cast that fails names the file's own column. */
	struct err err = ERR_INIT;
	struct import_file file;
	struct buf sql = BUF(MIB);
	const char *text, *const types[] = {"INTEGER", "DATE"};
	const char *path = put("cast.csv", SPAN("id,my day\n1,2024-01-01\n2,never\n"));
	assert_true(import_sniff(session, path, &plain, arena, &file, &err));
	buf_str(&sql, "SELECT * FROM ");
	assert_true(import_scan_sql(path, &plain, &file, types, &sql, &err) && sql_finish(&sql, &text, &err));
	assert_false(session_run(session, text, &err));
	assert_non_null(strstr(err.message, "my day"));
	assert_non_null(strstr(err.message, "never"));
	buf_done(&sql);
}

static void test_export(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum export_format format;
		enum export_codec codec;
	} rows[] = {
		{"x.csv", EXPORT_CSV, EXPORT_CODEC_NONE},
		{"x.csv.gz", EXPORT_CSV, EXPORT_CODEC_GZIP},
		{"x.csv.zst", EXPORT_CSV, EXPORT_CODEC_ZSTD},
		{"x.parquet", EXPORT_PARQUET, EXPORT_CODEC_NONE},
		{"x2.parquet", EXPORT_PARQUET, EXPORT_CODEC_GZIP},
		{"x3.parquet", EXPORT_PARQUET, EXPORT_CODEC_ZSTD},
		{"x4.parquet", EXPORT_PARQUET, EXPORT_CODEC_SNAPPY},
	};
	int64_t want;
	struct err err = ERR_INIT;
	assert_true(session_int(session, "SELECT sum(id) + count(x) + sum(length(\"a name\")) FROM src", &want, &err));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct export_result result;
		const struct export_request request = {.query = "SELECT * FROM src",
						       .path = path_of(rows[i].name),
						       .format = rows[i].format,
						       .codec = rows[i].codec};
		if (!export_run(session, &request, root, &result, &err))
			fail_msg("%s: %s", rows[i].name, err.message);
		assert_int_equal(result.rows, 300000);
		assert_int_equal(result.size_bytes, fs_size(request.path));
		const struct import_options options = {
			.format = rows[i].format == EXPORT_CSV ? IMPORT_CSV : IMPORT_PARQUET, .header = true};
		assert_int_equal(count_file(request.path, &options, "count(*)"), 300000);
		assert_int_equal(count_file(request.path, &options,
					    "(sum(id::BIGINT) + count(x) + sum(length(\"a name\")))::BIGINT"),
				 want);
		assert_false(export_run(session, &request, root, &result, &err)); /* exists */
	}
	/* Text form, and no rows at all. */
	struct export_result result;
	char *text;
	size_t len;
	struct export_request request = {
		.query =
			"SELECT 1 AS id, 'a,\"b' AS \"q x\", NULL AS n, true AS b, TIMESTAMP '2025-01-02 03:04:05.5' AS t, '' AS e",
		.path = path_of("small.csv")};
	assert_true(export_run(session, &request, root, &result, &err));
	assert_true(fs_read(request.path, MIB, &text, &len, &err));
	assert_string_equal(text, "id,q x,n,b,t,e\n1,\"a,\"\"b\",,true,2025-01-02 03:04:05.5,\"\"\n");
	free(text);
	request = (struct export_request){
		.query = "SELECT * FROM src WHERE false", .path = path_of("none.csv.gz"), .codec = EXPORT_CODEC_GZIP};
	assert_true(export_run(session, &request, root, &result, &err));
	assert_int_equal(result.rows, 0);
	gzFile gz = gzopen(request.path, "rb");
	char line[100];
	assert_non_null(gzgets(gz, line, sizeof(line)));
	assert_string_equal(line, "id,a name,x,even,t\n");
	assert_null(gzgets(gz, line, sizeof(line)));
	(void)gzclose(gz);
}

static size_t entries(void)
{
	int n = -1;
	FILE *pipe = popen(arena_printf(arena, "ls -A %s | grep -c fifo", root), "r");
	assert_non_null(pipe);
	assert_int_equal(fscanf(pipe, "%d", &n), 1);
	(void)pclose(pipe);
	return (size_t)n;
}

static void test_export_fails(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct export_result result;
	static const enum export_codec codecs[] = {EXPORT_CODEC_NONE, EXPORT_CODEC_GZIP};
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
		/* At once, and in the middle. */
		static const char *const queries[] = {
			"SELECT nosuch FROM src",
			"SELECT CASE WHEN id = 250000 THEN 'x' ELSE '1' END::INTEGER FROM src"};
		for (size_t q = 0; q < ARRAY_LEN(queries); q++) {
			const struct export_request request = {
				.query = queries[q], .path = path_of("fails"), .codec = codecs[i]};
			assert_false(export_run(session, &request, root, &result, &err));
			assert_int_equal(err.code, ERR_ENGINE_REFUSED);
			assert_false(fs_exists(request.path));
		}
		const struct export_request request = {
			.query = "SELECT 1", .path = path_of("no/such/folder"), .codec = codecs[i]};
		assert_false(export_run(session, &request, root, &result, &err));
		assert_int_equal(err.code, ERR_IO);
	}
	assert_int_equal(entries(), 0);
	/* A full disk under the compressor. */
	const char *small = path_of("small");
	assert_true(fs_mkdir(small, &err));
	if (mount("tmpfs", small, "tmpfs", 0, "size=256k") == 0) {
		for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
			const struct export_request request = {.query = "SELECT md5(id::varchar) FROM src",
							       .path = path_of("small/x"),
							       .codec = codecs[i]};
			const bool ok = export_run(session, &request, root, &result, &err);
			assert_false(ok);
			if (err.code != ERR_DISK_FULL)
				fail_msg("%s", err.message);
			assert_false(fs_exists(request.path));
		}
		assert_int_equal(umount(small), 0);
	}
	assert_true(session_run(session, "SELECT 1", &err));
}

static void *cancel_soon(void *ctx)
{
	struct progress *p = ctx;
	struct instance_stats stats;
	do {
		instance_stats(instance, &stats);
		(void)usleep(5000);
	} while (stats.running == 0);
	(void)usleep(50000);
	progress_cancel(p);
	return NULL;
}

static void test_export_cancel(void **state)
{
	(void)state;
	static const enum export_codec codecs[] = {EXPORT_CODEC_NONE, EXPORT_CODEC_GZIP};
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
		struct err err = ERR_INIT;
		struct export_result result;
		unsigned long thread;
		struct progress *p = progress_new(true);
		const struct export_request request = {.query = "SELECT *, md5(a.id::varchar) FROM src a, range(1000)",
						       .path = path_of("endless"),
						       .codec = codecs[i]};
		assert_true(session_follow(session, p, &err));
		thread_start("cancel", cancel_soon, p, &thread);
		assert_false(export_run(session, &request, root, &result, &err));
		assert_int_equal(err.code, ERR_CANCELLED);
		thread_join(thread);
		assert_false(fs_exists(request.path));
		assert_true(session_follow(session, NULL, &err));
		progress_free(p);
	}
	assert_int_equal(entries(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unreadable),   cmocka_unit_test(test_dialects),
		cmocka_unit_test(test_bad_rows),     cmocka_unit_test(test_export),
		cmocka_unit_test(test_export_fails), cmocka_unit_test(test_export_cancel),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
