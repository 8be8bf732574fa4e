#include "http/watch.h"

#include "http/account.h"

#include "base/id.h"
#include "base/pool.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	LOCKS = 64,
	FDS_MAX = 1 << 20,
	LINGER_MAX = 256,
	LINGER_SECONDS = 2,
	SWEEP_MS = 1000,
	BODY_BYTES_PER_S = 500, /* least progress of a body, over three head timeouts */
	EVENTS = 64
};

#define LINGER_BIT (UINT64_C(1) << 63)

struct lingering {
	int fd;
	int64_t until_ns;
};

struct watch {
	struct http_server *server;
	int epoll;
	int wake;
	unsigned long thread;
	pthread_mutex_t locks[LOCKS];
	_Atomic(struct conn *) *conns; /* by fd */
	size_t conn_max;
	_Atomic int fd_top; /* highest fd seen */
	_Atomic uint32_t generation;
	pthread_mutex_t linger_lock;
	struct lingering linger[LINGER_MAX];
	size_t linger_count;
	int64_t store_swept_ns;
	_Atomic bool store_sweeping;
	_Atomic bool stopping;
};

static pthread_mutex_t *lock_of(struct watch *watch, int fd)
{
	return &watch->locks[(size_t)fd % LOCKS];
}

static void lock(struct watch *watch, int fd)
{
	(void)pthread_mutex_lock(lock_of(watch, fd));
}

static void unlock(struct watch *watch, int fd)
{
	(void)pthread_mutex_unlock(lock_of(watch, fd));
}

static void epoll_tell(struct watch *watch, int what, int fd, uint32_t generation, uint32_t events)
{
	struct epoll_event event = {.events = events | EPOLLET, .data.u64 = (uint64_t)fd << 32 | generation};
	(void)epoll_ctl(watch->epoll, what, fd, &event);
}

/* ---- the event loops' side ---- */

void watch_open(struct watch *watch, struct conn *conn)
{
	conn->generation = atomic_fetch_add(&watch->generation, 1);
	conn->idle_since_ns = clock_ns();
	conn->in_head = true;
	if ((size_t)conn->fd >= watch->conn_max)
		return; /* cannot be: the table is as large as the limit of open files */
	lock(watch, conn->fd);
	watch->conns[conn->fd] = conn;
	unlock(watch, conn->fd);
	int top = atomic_load(&watch->fd_top);
	while (conn->fd > top && !atomic_compare_exchange_weak(&watch->fd_top, &top, conn->fd))
		;
	epoll_tell(watch, EPOLL_CTL_ADD, conn->fd, conn->generation, EPOLLRDHUP);
}

void watch_file(struct watch *watch, struct conn *conn)
{
	epoll_tell(watch, EPOLL_CTL_MOD, conn->fd, conn->generation, EPOLLRDHUP | EPOLLOUT);
}

static void linger_add(struct watch *watch, int fd)
{
	(void)epoll_ctl(watch->epoll, EPOLL_CTL_DEL, fd, NULL);
	(void)pthread_mutex_lock(&watch->linger_lock);
	int copy = watch->linger_count < LINGER_MAX ? dup(fd) : -1;
	if (copy >= 0) {
		struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.u64 = LINGER_BIT | (uint64_t)copy};
		watch->linger[watch->linger_count++] =
			(struct lingering){.fd = copy, .until_ns = clock_ns() + LINGER_SECONDS * NS_PER_S};
		/* Where this fails the sweep closes it all the same. */
		(void)epoll_ctl(watch->epoll, EPOLL_CTL_ADD, copy, &event);
	}
	(void)pthread_mutex_unlock(&watch->linger_lock);
}

void watch_close(struct watch *watch, struct conn *conn)
{
	if ((size_t)conn->fd < watch->conn_max) {
		lock(watch, conn->fd);
		watch->conns[conn->fd] = NULL;
		unlock(watch, conn->fd);
	}
	if (conn->linger)
		linger_add(watch, conn->fd);
}

bool watch_head(struct watch *watch, struct conn *conn, struct exchange *ex)
{
	lock(watch, conn->fd);
	bool fine = !conn->doomed;
	conn->in_head = false;
	conn->current = ex;
	conn->body_since_ns = 0;
	conn->body_bytes = 0;
	conn->requests++;
	unlock(watch, conn->fd);
	return fine;
}

bool watch_body(struct watch *watch, struct conn *conn, uint64_t received)
{
	lock(watch, conn->fd);
	bool fine = !conn->doomed;
	conn->body_bytes += received;
	if (conn->body_since_ns == 0) {
		conn->body_since_ns = clock_ns();
		conn->body_bytes = 0;
	}
	unlock(watch, conn->fd);
	return fine;
}

void watch_body_pause(struct watch *watch, struct conn *conn)
{
	lock(watch, conn->fd);
	conn->body_since_ns = 0;
	unlock(watch, conn->fd);
}

bool watch_body_end(struct watch *watch, struct conn *conn)
{
	lock(watch, conn->fd);
	bool fine = !conn->doomed;
	conn->body_since_ns = 0;
	if (conn->left && conn->current)
		atomic_store(&conn->current->abandoned, true);
	unlock(watch, conn->fd);
	return fine;
}

void watch_end(struct watch *watch, struct conn *conn)
{
	lock(watch, conn->fd);
	conn->current = NULL;
	conn->in_head = true;
	conn->body_since_ns = 0;
	unlock(watch, conn->fd);
}

void watch_abandon_all(struct watch *watch)
{
	for (int fd = 0; fd <= atomic_load(&watch->fd_top); fd++) {
		lock(watch, fd);
		struct conn *conn = watch->conns[fd];
		if (conn && conn->current) {
			atomic_store(&conn->current->abandoned, true);
			body_broken(conn->current);
		}
		unlock(watch, fd);
	}
}

/* ---- the thread ---- */

/* The client closed its side, or the connection broke. A streamed body may still be on its way to us after a half-close. */
static void client_left(struct watch *watch, int fd, uint32_t generation, bool broken)
{
	lock(watch, fd);
	struct conn *conn = watch->conns[fd];
	if (conn && conn->generation == generation) {
		struct exchange *ex = conn->current;
		conn->left = true;
		if (ex && (broken || !ex->ring || !ring_is_open(ex->ring)))
			atomic_store(&ex->abandoned, true);
		if (ex && broken)
			body_broken(ex);
	}
	unlock(watch, fd);
}

/* Writable, perhaps only just before the first bytes of the file: then it is not corked yet, and fills up soon. */
static void uncork(struct watch *watch, int fd, uint32_t generation)
{
	int corked = 0;
	socklen_t size = sizeof(corked);
	lock(watch, fd);
	struct conn *conn = watch->conns[fd];
	if (conn && conn->generation == generation && getsockopt(fd, IPPROTO_TCP, TCP_CORK, &corked, &size) == 0 &&
	    corked) {
		corked = 0;
		(void)setsockopt(fd, IPPROTO_TCP, TCP_CORK, &corked, sizeof(corked));
		epoll_tell(watch, EPOLL_CTL_MOD, fd, generation, EPOLLRDHUP);
	}
	unlock(watch, fd);
}

/*
 * The first copy to be closed must leave the epoll set by hand: its entry would live as long as the library's own
 * descriptor, and tell of a number that another connection has by then.
 */
static void linger_end(struct watch *watch, size_t at)
{
	int fd = watch->linger[at].fd;
	watch->linger[at] = watch->linger[--watch->linger_count];
	(void)epoll_ctl(watch->epoll, EPOLL_CTL_DEL, fd, NULL);
	(void)close(fd);
}

/* True when the client has nothing more to say. Bounded, so that one fast sender does not hold the thread. */
static bool linger_drop(int fd)
{
	char bytes[16384];
	for (int i = 0; i < 64; i++) {
		ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n <= 0)
			return n == 0 || errno != EAGAIN;
	}
	return false;
}

static void linger_read(struct watch *watch, int fd)
{
	(void)pthread_mutex_lock(&watch->linger_lock);
	for (size_t i = 0; i < watch->linger_count; i++) {
		if (watch->linger[i].fd != fd)
			continue;
		if (linger_drop(fd))
			linger_end(watch, i);
		break;
	}
	(void)pthread_mutex_unlock(&watch->linger_lock);
}

static void linger_sweep(struct watch *watch, int64_t now_ns)
{
	(void)pthread_mutex_lock(&watch->linger_lock);
	for (size_t i = 0; i < watch->linger_count;) {
		if (watch->linger[i].until_ns > now_ns)
			i++;
		else
			linger_end(watch, i);
	}
	(void)pthread_mutex_unlock(&watch->linger_lock);
}

static uint64_t bytes_received(int fd)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_received : 0;
}

bool watch_has_spoken(const struct conn *conn)
{
	char byte;
	return recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN && bytes_received(conn->fd) > 0;
}

/* Nothing was answered yet, and the loop will not answer once `doomed` is seen: the socket is ours to write to. */
static void doom(struct watch *watch, struct conn *conn)
{
	char uuid[ID_UUID_SIZE];
	conn->doomed = true;
	account_reject(REJECT_SLOW_CLIENT);
	if (!watch->server->tls) {
		struct buf out = BUF(4096);
		static const char body[] =
			"{\"detail\":{\"error\":\"request_timeout\",\"message\":\"The request came too "
			"slowly\",\"details\":{}}}";
		id_uuid(uuid);
		buf_printf(&out,
			   "HTTP/1.1 408 Request Timeout\r\nX-Request-ID: %s\r\nContent-Type: application/json\r\n"
			   "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
			   uuid, sizeof(body) - 1, body);
		(void)send(conn->fd, out.ptr, out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
		buf_done(&out);
	}
	(void)shutdown(conn->fd, SHUT_RDWR);
	if (conn->current)
		body_broken(conn->current);
}

/* What the client sent waits for us. */
static bool we_are_behind(int fd)
{
	int waiting = 0;
	return ioctl(fd, SIOCINQ, &waiting) == 0 && waiting > 0;
}

/* A head has begun when bytes came since the last request ended; how long ago is known to a sweep. */
static bool head_is_slow(struct conn *conn, int64_t now_ns, int64_t limit_ns)
{
	uint64_t bytes = bytes_received(conn->fd);
	bool first = conn->requests == 0;
	if (!first && conn->idle_requests != conn->requests) {
		conn->idle_requests = conn->requests;
		conn->idle_bytes = bytes;
		conn->idle_since_ns = now_ns;
		return false;
	}
	if (bytes <= conn->idle_bytes) {
		if (!first)
			conn->idle_since_ns = now_ns;
		return false;
	}
	return now_ns - conn->idle_since_ns > limit_ns && !we_are_behind(conn->fd);
}

static bool body_is_slow(struct conn *conn, int64_t now_ns, int64_t limit_ns)
{
	if (conn->body_since_ns == 0 || now_ns - conn->body_since_ns < 3 * limit_ns)
		return false;
	bool slow =
		conn->body_bytes < (uint64_t)(3 * limit_ns / NS_PER_S) * BODY_BYTES_PER_S && !we_are_behind(conn->fd);
	conn->body_since_ns = now_ns;
	conn->body_bytes = 0;
	return slow;
}

/*
 * The library polls edge-triggered and takes a short read for "nothing left", so an end that came together with data
 * goes unnoticed. Nothing more can come: without progress since the last sweep the connection is woken by closing it.
 */
static void end_tell(struct conn *conn)
{
	bool waits = conn->in_head || conn->body_since_ns;
	if (!conn->left || !waits) {
		conn->left_seen = false;
		return;
	}
	if (conn->left_seen && conn->left_bytes == conn->body_bytes)
		(void)shutdown(conn->fd, SHUT_RDWR);
	conn->left_seen = true;
	conn->left_bytes = conn->body_bytes;
}

static void conn_sweep(struct watch *watch, struct conn *conn, int64_t now_ns, int64_t limit_ns)
{
	bool slow = conn->in_head ? head_is_slow(conn, now_ns, limit_ns) : body_is_slow(conn, now_ns, limit_ns);
	if (slow)
		doom(watch, conn);
	else
		end_tell(conn);
}

static void conns_sweep(struct watch *watch, int64_t now_ns)
{
	int64_t limit_ns = (int64_t)watch->server->config.head_timeout_s * NS_PER_S;
	for (int fd = 0; fd <= atomic_load(&watch->fd_top); fd++) {
		if (!atomic_load_explicit(&watch->conns[fd], memory_order_relaxed)) /* looked at again under the lock */
			continue;
		lock(watch, fd);
		struct conn *conn = watch->conns[fd];
		if (conn && !conn->doomed)
			conn_sweep(watch, conn, now_ns, limit_ns);
		unlock(watch, fd);
	}
}

static void store_sweep(void *object)
{
	struct watch *watch = object;
	const struct http_idempotency *store = &watch->server->config.idempotency;
	store->sweep(store->ctx);
	atomic_store(&watch->store_sweeping, false);
}

static void store_sweep_start(struct watch *watch, int64_t now_ns)
{
	struct err err;
	const struct http_config *config = &watch->server->config;
	if (!config->idempotency.ctx || now_ns - watch->store_swept_ns < HTTP_SWEEP_SECONDS * NS_PER_S)
		return;
	watch->store_swept_ns = now_ns;
	if (atomic_exchange(&watch->store_sweeping, true))
		return;
	if (!pool_submit(config->pools[HTTP_WRITE], SPAN(""), store_sweep, watch, &err))
		atomic_store(&watch->store_sweeping, false);
}

static void conn_event(struct watch *watch, int fd, uint32_t generation, uint32_t events)
{
	if (events & EPOLLOUT)
		uncork(watch, fd, generation);
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		client_left(watch, fd, generation, (events & (EPOLLHUP | EPOLLERR)) != 0);
}

static void *run(void *object)
{
	struct watch *watch = object;
	struct epoll_event events[EVENTS];
	int64_t swept_ns = clock_ns();
	while (!atomic_load(&watch->stopping)) {
		int n = epoll_wait(watch->epoll, events, EVENTS, SWEEP_MS);
		for (int i = 0; i < n; i++) {
			uint64_t data = events[i].data.u64;
			if (data == UINT64_MAX)
				continue;
			if (data & LINGER_BIT)
				linger_read(watch, (int)(data & ~LINGER_BIT));
			else
				conn_event(watch, (int)(data >> 32), (uint32_t)data, events[i].events);
		}
		int64_t now_ns = clock_ns();
		if (now_ns - swept_ns < SWEEP_MS * NS_PER_MS)
			continue;
		swept_ns = now_ns;
		conns_sweep(watch, now_ns);
		linger_sweep(watch, now_ns);
		store_sweep_start(watch, now_ns);
	}
	return NULL;
}

struct watch *watch_start(struct http_server *server)
{
	struct rlimit limit = {.rlim_cur = FDS_MAX};
	struct watch *watch = mem_alloc(sizeof(*watch));
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	watch->server = server;
	watch->conn_max = limit.rlim_cur < FDS_MAX ? (size_t)limit.rlim_cur : FDS_MAX;
	watch->conns = mem_alloc_array(sizeof(*watch->conns), watch->conn_max);
	watch->store_swept_ns = clock_ns();
	for (size_t i = 0; i < LOCKS; i++)
		(void)pthread_mutex_init(&watch->locks[i], NULL);
	(void)pthread_mutex_init(&watch->linger_lock, NULL);
	watch->epoll = epoll_create1(EPOLL_CLOEXEC);
	watch->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = UINT64_MAX};
	(void)epoll_ctl(watch->epoll, EPOLL_CTL_ADD, watch->wake, &event);
	thread_start("http-watch", run, watch, &watch->thread);
	return watch;
}

void watch_stop(struct watch *watch)
{
	uint64_t one = 1;
	if (!watch)
		return;
	atomic_store(&watch->stopping, true);
	(void)!write(watch->wake, &one, sizeof(one));
	thread_join(watch->thread);
	linger_sweep(watch, INT64_MAX);
	(void)close(watch->epoll);
	(void)close(watch->wake);
	for (size_t i = 0; i < LOCKS; i++)
		(void)pthread_mutex_destroy(&watch->locks[i]);
	(void)pthread_mutex_destroy(&watch->linger_lock);
	free(watch->conns);
	free(watch);
}
