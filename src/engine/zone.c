#include "engine/zone.h"

#include "base/arena.h"
#include "base/map.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Sizes of RFC 8536: what a real file never exceeds. */
enum { FILE_MAX = 256 * 1024, NAME_MAX_BYTES = 64, ZONES_MAX = 2000, HEADER = 44 };

/* A rule of the footer's POSIX TZ string: when in a year the offset changes. */
struct rule {
	char kind; /* 'M': month.week.day, 'J': Julian day without leap day, 'D': zero-based day */
	int month, week, day;
	int32_t second; /* local time of the change */
};

struct zone {
	int32_t fixed; /* the offset when there are no transitions */
	size_t count;
	int64_t *times;	  /* of the transitions, ascending */
	int32_t *offsets; /* from then on */
	/* Behind the last transition */
	bool has_rules;
	int32_t standard, summer;
	struct rule start, end;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct map zones;

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const unsigned char *p)
{
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* POSIX TZ strings (IEEE Std 1003.1, "Environment variables"): std offset [dst [offset] , start [/time] , end [/time]] */

static void skip_name(const char **at)
{
	if (**at == '<') {
		while (**at && **at != '>')
			(*at)++;
		*at += **at == '>';
		return;
	}
	while ((**at >= 'a' && **at <= 'z') || (**at >= 'A' && **at <= 'Z'))
		(*at)++;
}

static int read_int(const char **at)
{
	int value = 0;
	while (**at >= '0' && **at <= '9' && value < 100000)
		value = value * 10 + *(*at)++ - '0';
	return value;
}

static int32_t read_clock(const char **at)
{
	int sign = 1;
	if (**at == '-' || **at == '+')
		sign = *(*at)++ == '-' ? -1 : 1;
	int32_t seconds = read_int(at) * 3600;
	if (**at == ':' && (*at)++)
		seconds += read_int(at) * 60;
	if (**at == ':' && (*at)++)
		seconds += read_int(at);
	return sign * seconds;
}

static bool read_rule(const char **at, struct rule *ret)
{
	if (**at != ',')
		return false;
	(*at)++;
	ret->second = 7200;
	if (**at == 'M') {
		(*at)++;
		ret->kind = 'M';
		ret->month = read_int(at);
		*at += **at == '.';
		ret->week = read_int(at);
		*at += **at == '.';
		ret->day = read_int(at);
	} else {
		ret->kind = **at == 'J' ? 'J' : 'D';
		*at += **at == 'J';
		ret->day = read_int(at);
	}
	if (**at == '/') {
		(*at)++;
		ret->second = read_clock(at);
	}
	return true;
}

static void read_footer(struct zone *z, const char *text)
{
	const char *at = text;
	skip_name(&at);
	if (at == text)
		return;
	z->standard = -read_clock(&at);
	z->summer = z->standard;
	if (z->count == 0)
		z->fixed = z->standard;
	const char *name = at;
	skip_name(&at);
	if (at == name)
		return;
	z->summer = *at && *at != ',' ? -read_clock(&at) : z->standard + 3600;
	z->has_rules = read_rule(&at, &z->start) && read_rule(&at, &z->end);
}

/* Days from 1970-01-01 to January 1st. */
static int64_t year_start(int64_t year)
{
	const int64_t y = year - 1;
	const int64_t leaps = (y >= 0 ? y / 4 : (y - 3) / 4) - (y >= 0 ? y / 100 : (y - 99) / 100) +
			      (y >= 0 ? y / 400 : (y - 399) / 400);
	return y * 365 + leaps - 719162;
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Local second of the rule in that year. */
static int64_t rule_time(const struct rule *r, int64_t year)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
	int64_t day = year_start(year);
	if (r->kind == 'M' && r->month >= 1 && r->month <= 12) {
		const bool leap = is_leap(year);
		day += before[r->month - 1] + (leap && r->month > 2);
		const int length = before[r->month] - before[r->month - 1] + (leap && r->month == 2);
		const int weekday = (int)(((day + 4) % 7 + 7) % 7);
		int of_month = (r->day - weekday + 7) % 7 + 7 * (r->week - 1);
		while (of_month >= length)
			of_month -= 7;
		day += of_month;
	} else if (r->kind == 'J') {
		day += r->day - 1 + (is_leap(year) && r->day > 59);
	} else {
		day += r->day;
	}
	return day * 86400 + r->second;
}

static int32_t rules_offset(const struct zone *z, int64_t unix_s)
{
	const int64_t local = unix_s + z->standard;
	const int64_t day = local >= 0 ? local / 86400 : (local - 86399) / 86400;
	/* Not later than the true year; the loop goes the rest. */
	int64_t year = day >= 0 ? 1970 + day / 366 : 1969 + day / 365;
	while (year_start(year + 1) <= day)
		year++;
	const int64_t start = rule_time(&z->start, year) - z->standard;
	const int64_t end = rule_time(&z->end, year) - z->summer;
	const bool summer = start < end ? unix_s >= start && unix_s < end : unix_s >= start || unix_s < end;
	return summer ? z->summer : z->standard;
}

int32_t zone_offset(const struct zone *z, int64_t unix_s)
{
	if (!z)
		return 0;
	if (z->count == 0)
		return z->has_rules ? rules_offset(z, unix_s) : z->fixed;
	if (unix_s < z->times[0])
		return z->fixed;
	if (unix_s >= z->times[z->count - 1] && z->has_rules)
		return rules_offset(z, unix_s);
	size_t low = 0, high = z->count;
	while (high - low > 1) {
		const size_t middle = low + (high - low) / 2;
		*(z->times[middle] <= unix_s ? &low : &high) = middle;
	}
	return z->offsets[low];
}

/* Bytes of a data block behind its header, with times of `width` bytes. */
static size_t block_size(const unsigned char *h, size_t width)
{
	return be32(h + 32) * (width + 1) + be32(h + 36) * 6 + be32(h + 40) + be32(h + 28) * (width + 4) +
	       be32(h + 24) + be32(h + 20);
}

static bool header_ok(const unsigned char *h, size_t len)
{
	if (len < HEADER || memcmp(h, "TZif", 4) != 0)
		return false;
	for (size_t i = 20; i < HEADER; i += 4)
		if (be32(h + i) > FILE_MAX)
			return false;
	return be32(h + 36) > 0;
}

/* The version 2 block: transitions with 64 bits, and the footer. */
static struct zone *parse(const unsigned char *bytes, size_t len)
{
	if (!header_ok(bytes, len) || bytes[4] < '2')
		return NULL;
	const size_t skip = HEADER + block_size(bytes, 4);
	if (skip > len || !header_ok(bytes + skip, len - skip))
		return NULL;
	const unsigned char *h = bytes + skip;
	const size_t count = be32(h + 32), kinds = be32(h + 36), size = HEADER + block_size(h, 8);
	if (size > len - skip)
		return NULL;
	const unsigned char *times = h + HEADER, *indexes = times + 8 * count, *offsets = indexes + count;
	struct zone *z = mem_alloc(sizeof(*z));
	z->times = mem_alloc_array(sizeof(*z->times), count);
	z->offsets = mem_alloc_array(sizeof(*z->offsets), count);
	z->fixed = (int32_t)be32(offsets);
	for (size_t i = 0; i < count; i++) {
		z->times[i] = be64(times + 8 * i);
		z->offsets[i] = (int32_t)be32(offsets + 6 * (indexes[i] < kinds ? indexes[i] : 0));
	}
	z->count = count;
	char footer[128] = "";
	const size_t rest = len - skip - size;
	if (rest > 2 && h[size] == '\n') {
		const size_t n = rest - 1 < sizeof(footer) - 1 ? rest - 1 : sizeof(footer) - 1;
		memcpy(footer, h + size + 1, n);
		footer[strcspn(footer, "\n")] = '\0';
		read_footer(z, footer);
	}
	return z;
}

static struct zone *load(const char *name)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	unsigned char *bytes = mem_alloc(FILE_MAX);
	size_t len = 0;
	ssize_t n;
	while (len < FILE_MAX && ((n = read(fd, bytes + len, FILE_MAX - len)) > 0 || (n < 0 && errno == EINTR)))
		len += n > 0 ? (size_t)n : 0;
	(void)close(fd);
	struct zone *z = parse(bytes, len);
	free(bytes);
	return z;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
	       c == '-';
}

/* Letters, digits, '_', '+', '-', and '/' between such words: nothing that leaves the folder. */
static bool name_ok(struct span name)
{
	if (name.len == 0 || name.len > NAME_MAX_BYTES || name.ptr[0] == '/' || name.ptr[name.len - 1] == '/')
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!is_word(name.ptr[i]) && (name.ptr[i] != '/' || name.ptr[i - 1] == '/'))
			return false;
	return true;
}

/* "+02:00", "-0530", "+2": hours and minutes west of UTC, as POSIX counts. */
static struct zone *fixed_zone(const char *text)
{
	const char *at = text + 1;
	int hours = read_int(&at), minutes = 0;
	const size_t digits = (size_t)(at - text) - 1;
	if (digits == 4) {
		minutes = hours % 100;
		hours /= 100;
	} else if (*at == ':') {
		at++;
		minutes = read_int(&at);
	}
	if (*at || digits == 0 || hours > 18 || minutes > 59)
		return NULL;
	struct zone *z = mem_alloc(sizeof(*z));
	z->fixed = (hours * 3600 + minutes * 60) * (*text == '-' ? 1 : -1);
	return z;
}

/* "GMT-03", "UTC+5:30", "<+03>-03": a name without meaning, and hours west of UTC. */
static struct zone *posix_zone(const char *text)
{
	const char *at = text;
	if (*at == '<') {
		at += strcspn(at, ">");
		at += *at == '>';
	} else {
		while ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z'))
			at++;
	}
	const size_t letters = (size_t)(at - text);
	const char first = *at == '+' || *at == '-' ? at[1] : *at;
	if (letters < 3 || first < '0' || first > '9')
		return NULL;
	const int32_t west = read_clock(&at);
	if (*at || west > 24 * 3600 || west < -24 * 3600)
		return NULL;
	struct zone *z = mem_alloc(sizeof(*z));
	z->fixed = -west;
	return z;
}

/* A name of the database, or what tells its offset itself. */
static struct zone *make(const char *text, struct span name)
{
	if (*text == '+' || *text == '-')
		return fixed_zone(text);
	struct zone *z = name_ok(name) ? load(text) : NULL;
	return z ? z : posix_zone(text);
}

const struct zone *zone_find(struct span name)
{
	char text[NAME_MAX_BYTES + 2];
	if (name.len == 0 || name.len > NAME_MAX_BYTES || memchr(name.ptr, '\0', name.len))
		return NULL;
	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	pthread_mutex_lock(&lock);
	struct zone *z = map_get(&zones, name);
	if (!z && zones.count < ZONES_MAX) {
		z = make(text, name);
		if (z)
			(void)map_put(&zones, name, z);
	}
	pthread_mutex_unlock(&lock);
	return z;
}

/* The entry of a folder that is called so, capitals aside. */
static bool find_entry(const char *folder, struct span name, char *ret, size_t size)
{
	DIR *entries = opendir(folder);
	bool found = false;
	for (struct dirent *e; entries && !found && (e = readdir(entries)) != NULL;) {
		found = span_eq_nocase(name, span_of(e->d_name)) && name.len < size;
		if (found)
			memcpy(ret, e->d_name, name.len + 1);
	}
	if (entries)
		(void)closedir(entries);
	return found;
}

bool zone_spelling(struct span name, char *ret, size_t size)
{
	char path[256] = "/usr/share/zoneinfo";
	const size_t root = strlen(path);
	if (!name_ok(name))
		return false;
	while (name.len) {
		char entry[NAME_MAX_BYTES + 1];
		const size_t at = strlen(path);
		if (!find_entry(path, span_cut(&name, '/'), entry, sizeof(entry)))
			return false;
		(void)snprintf(path + at, sizeof(path) - at, "/%s", entry);
	}
	return (size_t)snprintf(ret, size, "%s", path + root + 1) < size;
}
