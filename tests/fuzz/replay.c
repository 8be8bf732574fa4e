/* Feeds every file of a folder to a fuzzer's entry point, so that recorded inputs are replayed without libFuzzer. */
#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay(const char *path)
{
	struct stat st;
	uint8_t *data = NULL;
	bool ok = false;
	FILE *file = fopen(path, "rb");

	if (!file || fstat(fileno(file), &st) != 0)
		goto out;
	/* Exactly as large as the input, so that reading past the end is seen. */
	data = malloc((size_t)st.st_size + (st.st_size == 0));
	if (!data || fread(data, 1, (size_t)st.st_size, file) != (size_t)st.st_size)
		goto out;
	(void)LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
	ok = true;
out:
	if (!ok)
		fprintf(stderr, "%s: cannot read: %m\n", path);
	free(data);
	if (file)
		(void)fclose(file);
	return ok;
}

int main(int argc, char **argv)
{
	const struct dirent *entry;
	unsigned count = 0;
	bool ok = true;
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;

	if (!dir) {
		fputs("usage: fuzzer FOLDER-OF-INPUTS\n", stderr);
		return 2;
	}
	while (ok && (entry = readdir(dir))) {
		char path[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		ok = replay(path);
		count++;
	}
	closedir(dir);
	printf("%u inputs replayed\n", count);
	return ok && count > 0 ? 0 : 1;
}
