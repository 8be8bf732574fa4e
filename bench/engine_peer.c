/*
 * The engine library alone, as the peer of imports and exports: runs SQL statements in one fresh instance and prints
 * how long they took together and the most memory the process held.
 *
 *	engine_peer MEMORY_LIMIT STATEMENT...		prints "SECONDS MIB"
 *
 * A statement "copy FROM TO" copies a file as the server does, without a sync.
 */
#include <duckdb.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "engine_peer: %.200s: %s\n", what, why);
	exit(1);
}

static void copy_file(const char *from, const char *to)
{
	struct stat st;
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (in < 0 || out < 0 || fstat(in, &st) != 0)
		fail(from, "cannot be copied");
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = copy_file_range(in, NULL, out, NULL, (size_t)left, 0);
		if (n <= 0)
			fail(to, "cannot be written");
		left -= n;
	}
	(void)close(in);
	(void)close(out);
}

static void run(duckdb_connection connection, const char *sql)
{
	char from[4096];
	char to[4096];
	duckdb_result result;
	if (sscanf(sql, "copy %4095s %4095s", from, to) == 2 && from[0] == '/') {
		copy_file(from, to);
		return;
	}
	if (duckdb_query(connection, sql, &result) != DuckDBSuccess)
		fail(sql, duckdb_result_error(&result));
	duckdb_destroy_result(&result);
}

int main(int argc, char **argv)
{
	duckdb_config config;
	duckdb_database db;
	duckdb_connection connection;
	char *why;
	struct rusage usage;
	if (argc < 3)
		fail("usage", "engine_peer MEMORY_LIMIT STATEMENT...");
	if (duckdb_create_config(&config) != DuckDBSuccess ||
	    duckdb_set_config(config, "memory_limit", argv[1]) != DuckDBSuccess ||
	    duckdb_open_ext(NULL, &db, config, &why) != DuckDBSuccess ||
	    duckdb_connect(db, &connection) != DuckDBSuccess)
		fail("open", "the engine does not start");
	double start = now();
	for (int i = 2; i < argc; i++)
		run(connection, argv[i]);
	double seconds = now() - start;
	(void)getrusage(RUSAGE_SELF, &usage);
	printf("%.4f %.1f\n", seconds, (double)usage.ru_maxrss / 1024);
	duckdb_disconnect(&connection);
	duckdb_close(&db);
	duckdb_destroy_config(&config);
	return 0;
}
