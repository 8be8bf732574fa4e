#include "metrics/process.h"

#include "base/fs.h"
#include "metrics/metrics.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PROC_FILE_BYTES = 64 * 1024, STAT_FIELDS = 52 };

static void set_gauge(enum metric metric, double value)
{
	metric_gauge_set(metric_series(metric, NULL), value);
}

static void set_total(enum metric metric, double value)
{
	metric_mirror(metric_series(metric, NULL), value);
}

/* The decimal number that the text begins with, after blanks. */
static bool read_number(const char *text, double *ret)
{
	text += strspn(text, " \t");
	uint64_t number;
	if (!span_u64((struct span){text, strspn(text, "0123456789")}, &number))
		return false;
	*ret = (double)number;
	return true;
}

/* "key: 123" or "key 123" on a line of its own. */
static bool read_field(const char *text, const char *key, double *ret)
{
	size_t len = strlen(key);
	for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		if (strncmp(line, key, len) == 0 && (line[len] == ':' || line[len] == ' '))
			return read_number(line + len + 1, ret);
	return false;
}

/* Seconds since the epoch at which the machine started; 0 when unknown. */
static double boot_time(void)
{
	struct err err = ERR_INIT;
	char *text;
	size_t len;
	double seconds = 0;
	if (!fs_read("/proc/stat", 16 * (size_t)PROC_FILE_BYTES, &text, &len, &err))
		return 0;
	(void)read_field(text, "btime", &seconds);
	free(text);
	return seconds;
}

/* Fields of /proc/self/stat from the third on: the second is a name that may hold anything. */
static size_t stat_fields(char *text, uint64_t fields[STAT_FIELDS])
{
	char *at = strrchr(text, ')');
	if (!at || at[1] == '\0')
		return 0;
	struct span rest = span_trim(span_of(at + 2));
	size_t n = 3;
	/* The state letter and negative numbers read as 0; none of those is used. */
	for (; rest.len > 0 && n < STAT_FIELDS; n++)
		if (!span_u64(span_cut(&rest, ' '), &fields[n]))
			fields[n] = 0;
	return n;
}

static bool collect_stat(struct err *err)
{
	char *text;
	size_t len;
	if (!fs_read("/proc/self/stat", PROC_FILE_BYTES, &text, &len, err))
		return false;
	uint64_t f[STAT_FIELDS] = {0};
	size_t fields = stat_fields(text, f);
	free(text);
	if (fields < 25)
		return err_set(err, ERR_IO, "/proc/self/stat has %zu fields", fields);
	double tick = (double)sysconf(_SC_CLK_TCK);
	set_total(METRIC_PROCESS_CPU_SECONDS_TOTAL, (double)(f[14] + f[15]) / tick);
	metric_mirror(metric_series(METRIC_PROCESS_PAGE_FAULTS_TOTAL, "minor", NULL), (double)f[10]);
	metric_mirror(metric_series(METRIC_PROCESS_PAGE_FAULTS_TOTAL, "major", NULL), (double)f[12]);
	set_gauge(METRIC_PROCESS_THREADS, (double)f[20]);
	set_gauge(METRIC_PROCESS_VIRTUAL_MEMORY_BYTES, (double)f[23]);
	set_gauge(METRIC_PROCESS_RESIDENT_MEMORY_BYTES, (double)f[24] * (double)sysconf(_SC_PAGESIZE));
	double boot = boot_time();
	if (boot > 0)
		set_gauge(METRIC_PROCESS_START_TIME_SECONDS, boot + (double)f[22] / tick);
	return true;
}

static bool count_entry(void *ctx, const char *name, bool is_dir, struct err *err)
{
	(void)name;
	(void)is_dir;
	(void)err;
	++*(size_t *)ctx;
	return true;
}

static bool collect_fds(struct err *err)
{
	size_t count = 0;
	if (!fs_list("/proc/self/fd", count_entry, &count, err))
		return false;
	/* One of them is the listing's own. */
	set_gauge(METRIC_PROCESS_OPEN_FDS, (double)(count > 0 ? count - 1 : 0));
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		set_gauge(METRIC_PROCESS_MAX_FDS,
			  limit.rlim_cur == RLIM_INFINITY ? (double)INFINITY : (double)limit.rlim_cur);
	return true;
}

static char *read_optional(const char *path)
{
	struct err err = ERR_INIT;
	char *text;
	size_t len;
	return fs_read(path, PROC_FILE_BYTES, &text, &len, &err) ? text : NULL;
}

static void collect_io(void)
{
	char *text = read_optional("/proc/self/io");
	double value;
	if (text && read_field(text, "read_bytes", &value))
		set_total(METRIC_PROCESS_IO_READ_BYTES_TOTAL, value);
	if (text && read_field(text, "write_bytes", &value))
		set_total(METRIC_PROCESS_IO_WRITE_BYTES_TOTAL, value);
	free(text);
	struct rusage usage;
	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return;
	metric_mirror(metric_series(METRIC_PROCESS_CONTEXT_SWITCHES_TOTAL, "voluntary", NULL), (double)usage.ru_nvcsw);
	metric_mirror(metric_series(METRIC_PROCESS_CONTEXT_SWITCHES_TOTAL, "involuntary", NULL),
		      (double)usage.ru_nivcsw);
}

bool process_collect(void *ctx, struct err *err)
{
	(void)ctx;
	collect_io();
	return collect_stat(err) && collect_fds(err);
}

/* ---- control group and pressure ---- */

/* Folder of the process's version 2 control group; false: none. */
static bool cgroup_folder(char *ret, size_t size)
{
	char *text = read_optional("/proc/self/cgroup");
	char *line = text ? strstr(text, "0::/") : NULL;
	bool found = false;
	if (line && (line == text || line[-1] == '\n')) {
		line[strcspn(line, "\n")] = '\0';
		struct err err = ERR_INIT;
		found = fs_path(ret, size, &err, "/sys/fs/cgroup%s", line + strlen("0::"));
	}
	free(text);
	return found;
}

static char *read_cgroup(const char *folder, const char *name)
{
	char path[512];
	struct err err = ERR_INIT;
	return fs_path(path, sizeof(path), &err, "%s/%s", folder, name) ? read_optional(path) : NULL;
}

static void collect_cgroup(void)
{
	char folder[400];
	double value;
	if (!cgroup_folder(folder, sizeof(folder)))
		return;
	char *text = read_cgroup(folder, "memory.current");
	if (text && read_number(text, &value))
		set_gauge(METRIC_CGROUP_MEMORY_BYTES, value);
	free(text);
	text = read_cgroup(folder, "memory.max");
	if (text && strncmp(text, "max", 3) == 0)
		set_gauge(METRIC_CGROUP_MEMORY_LIMIT_BYTES, (double)INFINITY);
	else if (text && read_number(text, &value))
		set_gauge(METRIC_CGROUP_MEMORY_LIMIT_BYTES, value);
	free(text);
	text = read_cgroup(folder, "cpu.stat");
	if (text && read_field(text, "throttled_usec", &value))
		set_total(METRIC_CGROUP_CPU_THROTTLED_SECONDS_TOTAL, value / 1e6);
	if (text && read_field(text, "nr_throttled", &value))
		set_total(METRIC_CGROUP_CPU_THROTTLED_PERIODS_TOTAL, value);
	free(text);
}

/* Lines "some avg10=0.00 avg60=0.00 avg300=0.00 total=12345", the total in microseconds. */
static void collect_pressure(const char *resource)
{
	static const char *const kinds[] = {"some", "full"};
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/pressure/%s", resource);
	char *text = read_optional(path);
	for (size_t i = 0; text && i < ARRAY_LEN(kinds); i++) {
		const char *line = strstr(text, kinds[i]);
		const char *total = line ? strstr(line, "total=") : NULL;
		double us;
		if (total && read_number(total + strlen("total="), &us))
			metric_mirror(metric_series(METRIC_PRESSURE_SECONDS_TOTAL, resource, kinds[i], NULL), us / 1e6);
	}
	free(text);
}

bool kernel_collect(void *ctx, struct err *err)
{
	(void)ctx;
	(void)err;
	collect_cgroup();
	collect_pressure("cpu");
	collect_pressure("memory");
	collect_pressure("io");
	return true;
}
