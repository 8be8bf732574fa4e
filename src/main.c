/* Command line of duckdb-api. */
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "version") == 0) {
		puts("duckdb-api " PROJECT_VERSION);
		return 0;
	}
	fputs("usage: duckdb-api version\n", stderr);
	return 2;
}
