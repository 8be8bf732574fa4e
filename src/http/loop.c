#include "http/loop.h"

#include "base/arena.h"
#include "base/pool.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct loop {
	struct http_server *server;
	struct MHD_Daemon *daemon;
	int epoll; /* the daemon's */
	int wake;
	int listen_fd; /* once it refuses; ours to close then */
	unsigned long thread;
	bool busy;
	_Atomic bool woken; /* `wake` was written and not read yet */
	_Atomic bool refusing;
	_Atomic bool stopping;
};

static int timeout_ms(struct MHD_Daemon *daemon)
{
	MHD_UNSIGNED_LONG_LONG ms;
	if (MHD_get_timeout(daemon, &ms) != MHD_YES)
		return -1;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void wait_for_work(struct loop *loop)
{
	uint64_t count;
	struct pollfd fds[] = {{.fd = loop->epoll, .events = POLLIN}, {.fd = loop->wake, .events = POLLIN}};
	int timeout = timeout_ms(loop->daemon);
	if (timeout == 0 || poll(fds, 2, timeout) <= 0 || !fds[1].revents)
		return;
	(void)!read(loop->wake, &count, sizeof(count));
	/* Before the daemon looks: what is told from here on is told again. */
	atomic_store(&loop->woken, false);
}

static void *run(void *object)
{
	struct loop *loop = object;
	sigset_t mask;
	/* A client that left is an error of the write, not the end of the process. */
	(void)sigemptyset(&mask);
	(void)sigaddset(&mask, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &mask, NULL);
	while (!atomic_load(&loop->stopping)) {
		if (atomic_load(&loop->refusing) && loop->listen_fd < 0)
			loop->listen_fd = MHD_quiesce_daemon(loop->daemon);
		loop->busy = false;
		(void)MHD_run(loop->daemon);
		if (!loop->busy)
			wait_for_work(loop);
	}
	return NULL;
}

struct loop *loop_new(struct http_server *server)
{
	struct loop *loop = mem_alloc(sizeof(*loop));
	loop->server = server;
	loop->listen_fd = -1;
	loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return loop;
}

struct http_server *loop_server(const struct loop *loop)
{
	return loop->server;
}

void loop_start(struct loop *loop, struct MHD_Daemon *daemon)
{
	loop->daemon = daemon;
	loop->epoll = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	thread_start("http-loop", run, loop, &loop->thread);
}

void loop_busy(struct loop *loop)
{
	loop->busy = true;
}

void loop_wake(struct loop *loop)
{
	uint64_t one = 1;
	if (!atomic_exchange(&loop->woken, true))
		(void)!write(loop->wake, &one, sizeof(one));
}

void loop_refuse(struct loop *loop)
{
	atomic_store(&loop->refusing, true);
	loop_wake(loop);
}

void loop_stop(struct loop *loop)
{
	if (loop->daemon) {
		atomic_store(&loop->stopping, true);
		loop_wake(loop);
		thread_join(loop->thread);
		MHD_stop_daemon(loop->daemon);
	}
	if (loop->listen_fd >= 0)
		(void)close(loop->listen_fd);
	(void)close(loop->wake);
	free(loop);
}
