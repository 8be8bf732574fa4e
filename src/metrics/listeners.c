#include "metrics/listeners.h"

#include "base/clock.h"
#include "metrics/metrics.h"

#include <dirent.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { LISTENERS_MAX = 8, STUCK_S = 5, NO_FD = -1 };

struct listener {
	const char *name; /* NULL: free */
	int port;
	int fd;
	unsigned waiting;     /* connections in the queue when it was last looked at */
	int64_t waiting_from; /* since then the queue has not become shorter; 0: it was empty */
};

static struct listener listeners[LISTENERS_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int port_of(int fd)
{
	struct sockaddr_storage at;
	socklen_t size = sizeof(at);
	if (getsockname(fd, (struct sockaddr *)&at, &size) != 0)
		return 0;
	if (at.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)(const void *)&at)->sin_port);
	return at.ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)(const void *)&at)->sin6_port) : 0;
}

static bool listens(int fd, int port)
{
	int accepts = 0;
	socklen_t size = sizeof(accepts);
	return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) == 0 && accepts &&
	       port_of(fd) == port;
}

/* Libraries keep their sockets to themselves: looks through all files of the process. */
static int fd_find(int port)
{
	int found = NO_FD;
	DIR *dir = opendir("/proc/self/fd");
	for (struct dirent *entry; dir && found == NO_FD && (entry = readdir(dir));) {
		int fd = entry->d_name[0] == '.' ? NO_FD : (int)strtol(entry->d_name, NULL, 10);
		if (listens(fd, port))
			found = fd;
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

/* Of a listening socket the kernel tells the length of its queue where others tell of unacknowledged segments. */
static unsigned queue_of(int fd)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_unacked : 0;
}

static bool accepts(struct listener *l, int64_t now_s)
{
	if (!listens(l->fd, l->port))
		l->fd = fd_find(l->port);
	if (l->fd == NO_FD)
		return false;
	unsigned waiting = queue_of(l->fd);
	if (waiting == 0)
		l->waiting_from = 0;
	else if (l->waiting_from == 0 || waiting < l->waiting)
		l->waiting_from = now_s;
	l->waiting = waiting;
	return waiting == 0 || now_s - l->waiting_from < STUCK_S;
}

static struct listener *listener_of(const char *name)
{
	for (size_t i = 0; i < LISTENERS_MAX; i++) {
		if (listeners[i].name == name || (name && listeners[i].name && strcmp(listeners[i].name, name) == 0))
			return &listeners[i];
	}
	return NULL;
}

void listener_opened(const char *name, int port)
{
	(void)pthread_mutex_lock(&lock);
	struct listener *l = listener_of(name);
	l = l ? l : listener_of(NULL);
	if (l)
		*l = (struct listener){.name = name, .port = port, .fd = NO_FD};
	(void)pthread_mutex_unlock(&lock);
	metric_gauge_set(metric_series(METRIC_LISTENER_UP, name, NULL), 1);
}

void listener_closed(const char *name)
{
	(void)pthread_mutex_lock(&lock);
	struct listener *l = listener_of(name);
	if (l)
		*l = (struct listener){0};
	metric_gauge_set(metric_series(METRIC_LISTENER_UP, name, NULL), 0);
	(void)pthread_mutex_unlock(&lock);
}

bool listeners_collect(void *ctx, struct err *err)
{
	(void)ctx;
	(void)err;
	int64_t now_s = clock_ns() / NS_PER_S + 1;
	(void)pthread_mutex_lock(&lock);
	for (size_t i = 0; i < LISTENERS_MAX; i++) {
		struct listener *l = &listeners[i];
		if (l->name)
			metric_gauge_set(metric_series(METRIC_LISTENER_UP, l->name, NULL), accepts(l, now_s));
	}
	(void)pthread_mutex_unlock(&lock);
	return true;
}
