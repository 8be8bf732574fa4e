/*
 * A disk that misbehaves on command, for tests: preloaded into the program, it looks into the folder FAULT_DIR at each
 * call. A file there, holding one line, switches a fault on:
 *
 *	slow	"<milliseconds> <part of a path>"	making such files durable takes that long
 *	hold	"<part of a path>"			making such files durable waits for the fault's end; "held" tells the path
 *	full	"<part of a path>"			writes to such files fail with ENOSPC
 *	broken	"<part of a path>"			the same with EIO
 *	space	anything				every file system is nearly full, says statvfs
 *	deaf	"<port>"				nobody can connect to that port: accept4 fails with EMFILE
 *	die	"<number> <part of a path>"		before so many such files or folders have been made durable, named,
 *							renamed or removed the process is killed; "steps" tells the number
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX = 256, PATH_BYTES = 4096 };

/* The line of the file; false: the fault is off. */
static bool fault(const char *name, char ret[LINE_MAX])
{
	char path[PATH_BYTES];
	const char *folder = getenv("FAULT_DIR");
	if (!folder)
		return false;
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, ret, LINE_MAX - 1);
	(void)close(fd);
	ret[n > 0 ? n : 0] = '\0';
	return true;
}

static bool path_of(int fd, char ret[PATH_BYTES])
{
	char entry[64];
	(void)snprintf(entry, sizeof(entry), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(entry, ret, PATH_BYTES - 1);
	ret[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Whether the open file's path holds the text. */
static bool concerns(int fd, const char *text)
{
	char path[PATH_BYTES];
	return path_of(fd, path) && strstr(path, text) != NULL;
}

/* Counts from 1 again whenever it was switched off in between. */
static void maybe_die(const char *path)
{
	static atomic_long steps;
	char line[LINE_MAX];
	char report[PATH_BYTES];
	char *rest;
	if (!fault("die", line)) {
		atomic_store(&steps, 0);
		return;
	}
	long last = strtol(line, &rest, 10);
	if (*rest != ' ' || !strstr(path, rest + 1))
		return;
	long step = atomic_fetch_add(&steps, 1) + 1;
	(void)snprintf(report, sizeof(report), "%s/steps", getenv("FAULT_DIR"));
	int fd = open(report, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0) {
		/* Over the former line, in one go: the process may be killed here too. */
		int len = snprintf(report, sizeof(report), "%ld %-512s\n", step, path);
		(void)!write(fd, report, (size_t)len);
		(void)close(fd);
	}
	if (step >= last)
		(void)kill(getpid(), SIGKILL);
}

static void maybe_die_at(int fd)
{
	char path[PATH_BYTES];
	if (path_of(fd, path))
		maybe_die(path);
}

static void maybe_slow(int fd)
{
	char line[LINE_MAX];
	char *rest;
	if (!fault("slow", line))
		return;
	long ms = strtol(line, &rest, 10);
	if (ms <= 0 || *rest != ' ' || !concerns(fd, rest + 1))
		return;
	struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	(void)nanosleep(&pause, NULL);
}

static void maybe_hold(int fd)
{
	char line[LINE_MAX];
	char path[PATH_BYTES];
	char report[PATH_BYTES];
	bool told = false;
	while (fault("hold", line) && path_of(fd, path) && strstr(path, line)) {
		(void)snprintf(report, sizeof(report), "%s/held", getenv("FAULT_DIR"));
		int to = told ? -1 : open(report, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (to >= 0) {
			(void)!write(to, path, strlen(path));
			(void)close(to);
		}
		told = true;
		const struct timespec pause = {.tv_nsec = 10 * 1000000};
		(void)nanosleep(&pause, NULL);
	}
}

/* Whether writes to the file fail, with errno. */
static bool fails(int fd)
{
	char line[LINE_MAX];
	if (fault("full", line) && concerns(fd, line))
		errno = ENOSPC;
	else if (fault("broken", line) && concerns(fd, line))
		errno = EIO;
	else
		return false;
	return true;
}

/* The next definition of the function: the C library's. */
#define REAL(name, type)                               \
	static type real;                              \
	if (!real) {                                   \
		void *symbol = dlsym(RTLD_NEXT, name); \
		memcpy(&real, &symbol, sizeof(real));  \
	}

typedef int sync_function(int fd);
typedef ssize_t pwrite_function(int fd, const void *data, size_t n, off_t at);
typedef ssize_t write_function(int fd, const void *data, size_t n);
typedef int space_function(const char *path, struct statvfs *ret);
typedef int path_function(const char *path);
typedef int paths_function(const char *from, const char *to);
typedef int mkdir_function(const char *path, mode_t mode);

int fsync(int fd)
{
	REAL("fsync", sync_function *)
	maybe_slow(fd);
	maybe_hold(fd);
	maybe_die_at(fd);
	return real(fd);
}

int fdatasync(int fd)
{
	REAL("fdatasync", sync_function *)
	maybe_slow(fd);
	maybe_hold(fd);
	maybe_die_at(fd);
	return real(fd);
}

ssize_t write(int fd, const void *data, size_t n)
{
	REAL("write", write_function *)
	if (fails(fd))
		return -1;
	return real(fd, data, n);
}

/* With 64-bit offsets this is pwrite64, and statvfs is statvfs64. */
ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
	REAL("pwrite64", pwrite_function *)
	if (fails(fd))
		return -1;
	return real(fd, data, n, at);
}

int statvfs(const char *path, struct statvfs *ret)
{
	char line[LINE_MAX];
	REAL("statvfs64", space_function *)
	if (real(path, ret) != 0)
		return -1;
	if (fault("space", line))
		ret->f_bavail = ret->f_bfree = ret->f_blocks / 100;
	return 0;
}

int unlink(const char *path)
{
	REAL("unlink", path_function *)
	maybe_die(path);
	return real(path);
}

int rmdir(const char *path)
{
	REAL("rmdir", path_function *)
	maybe_die(path);
	return real(path);
}

int remove(const char *path)
{
	REAL("remove", path_function *)
	maybe_die(path);
	return real(path);
}

int rename(const char *from, const char *to)
{
	REAL("rename", paths_function *)
	maybe_die(to);
	return real(from, to);
}

int link(const char *from, const char *to)
{
	REAL("link", paths_function *)
	maybe_die(to);
	return real(from, to);
}

int mkdir(const char *path, mode_t mode)
{
	REAL("mkdir", mkdir_function *)
	maybe_die(path);
	return real(path, mode);
}

static int port_of(int fd)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	return getsockname(fd, (struct sockaddr *)&at, &len) == 0 &&
			       (at.sin_family == AF_INET || at.sin_family == AF_INET6)
		       ? ntohs(at.sin_port)
		       : 0;
}

typedef int accept_function(int fd, struct sockaddr *address, socklen_t *len, int flags);

int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	REAL("accept4", accept_function *)
	char line[LINE_MAX];
	if (fault("deaf", line) && strtol(line, NULL, 10) == port_of(fd)) {
		errno = EMFILE;
		return -1;
	}
	return real(fd, address, len, flags);
}
