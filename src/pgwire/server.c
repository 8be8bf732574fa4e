#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/pool.h"
#include "engine/magazine.h"
#include "metrics/metrics.h"
#include "pgwire/backend.h"
#include "pgwire/registry.h"
#include "storage/storage.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BACKLOG = 512,
	WATCH_MS = 500,
	/* Connections that have not logged in: one more, and the oldest makes way. */
	NEWCOMERS_MAX = 1000,
	/* They take a moment to go; until then others wait in the system's queue. */
	LEAVING_MAX = 200,
	PAUSE_MS = 10,
	/* Between two looks at the sessions */
	ACCEPT_TURN = 100,
	FIRST_PID = 1000
};

/* Lock held. */
static void count_open(const struct pg_door *door)
{
	metric_gauge_set(metric_series(METRIC_CONNECTIONS_ACTIVE, "pgwire", NULL), (double)door->count);
}

static void backend_free(struct backend *b)
{
	struct pg_door *door = b->door;
	/* Off the list before anything of it goes: the watcher and other sessions look at what is listed. */
	(void)pthread_mutex_lock(&door->lock);
	*b->link = b->next;
	if (b->next)
		b->next->link = b->link;
	(void)pthread_mutex_unlock(&door->lock);
	conn_done(&b->conn);
	gucs_done(&b->gucs);
	map_done(&b->prepared);
	map_done(&b->portals);
	map_done(&b->attached);
	arena_free(b->work);
	arena_free(b->spare);
	arena_free(b->path_arena);
	origins_done(&b->origins);
	const bool proven = atomic_load(&b->login) == LOGIN_PROVEN;
	(void)pthread_mutex_destroy(&b->guard);
	arena_free(b->arena);
	/* Nobody frees the door while it counts a connection. */
	(void)pthread_mutex_lock(&door->lock);
	door->count--;
	door->newcomers -= !proven;
	count_open(door);
	(void)pthread_cond_broadcast(&door->gone);
	(void)pthread_mutex_unlock(&door->lock);
}

static void *backend_thread(void *ctx)
{
	struct backend *b = ctx;
	magazine_open();
	if (startup_run(b))
		backend_serve(b);
	session_end_backend(b);
	backend_free(b);
	magazine_close();
	return NULL;
}

static void name_peer(struct backend *b, const struct sockaddr_storage *address, socklen_t len)
{
	if (getnameinfo((const struct sockaddr *)address, len, b->conn.peer, sizeof(b->conn.peer), NULL, 0,
			NI_NUMERICHOST) != 0)
		b->conn.peer[0] = '\0';
}

static void reject(void)
{
	metric_inc(metric_series(METRIC_REQUESTS_REJECTED_TOTAL, "pgwire", "overload", NULL));
}

static void take(struct pg_door *door, int fd, const struct sockaddr_storage *address, socklen_t len)
{
	const int on = 1;
	unsigned long thread;
	struct arena *arena = arena_new();
	struct backend *b = arena_new_of(arena, struct backend);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	b->door = door;
	b->arena = arena;
	b->work = arena_new();
	b->path_arena = arena_new();
	b->block = 'I';
	b->size_before = b->unwritten_before = -1;
	atomic_store(&b->shown_block, 'I');
	b->connected_us = clock_unix_us();
	(void)pthread_mutex_init(&b->guard, NULL);
	conn_init(&b->conn, fd, &b->end);
	name_peer(b, address, len);
	gucs_init(&b->gucs);
	id_random(&b->key, sizeof(b->key));
	(void)pthread_mutex_lock(&door->lock);
	b->pid = door->next_pid++;
	if (door->next_pid > INT32_MAX)
		door->next_pid = FIRST_PID;
	b->next = door->backends;
	b->link = &door->backends;
	if (b->next)
		b->next->link = &b->next;
	door->backends = b;
	door->count++;
	door->newcomers++;
	count_open(door);
	(void)pthread_mutex_unlock(&door->lock);
	if (thread_try_start("pg-session", backend_thread, b, &thread)) {
		(void)pthread_detach(thread);
		return;
	}
	reject();
	backend_free(b);
}

/* The oldest of those that said least so far is sent away. Lock held. */
static void make_way(struct pg_door *door)
{
	struct backend *victim = NULL;
	for (struct backend *b = door->backends; b; b = b->next) {
		int login = atomic_load(&b->login);
		/* The list begins with the newest. */
		if (login != LOGIN_PROVEN && !atomic_load(&b->end) && (!victim || login <= atomic_load(&victim->login)))
			victim = b;
	}
	if (!victim)
		return;
	atomic_store(&victim->end, BACKEND_TERMINATED);
	conn_abort(&victim->conn);
	reject();
}

/* `fault`: why nobody can connect; 0: somebody could. */
static void tell_up(struct pg_door *door, int fault)
{
	char why[128];
	if ((fault != 0) == door->deaf)
		return;
	door->deaf = fault != 0;
	metric_gauge_set(metric_series(METRIC_LISTENER_UP, "pgwire", NULL), fault == 0);
	if (fault)
		log_event(LOG_ERROR, "no PostgreSQL connections can be accepted", "error",
			  LOG_S(strerror_r(fault, why, sizeof(why))), NULL);
	else
		log_event(LOG_WARN, "PostgreSQL connections are accepted again", NULL);
}

/* Why accept4 failed, unless it is only that nobody came. */
static int accept_fault(int fd)
{
	const int error = errno;
	return fd >= 0 || error == EAGAIN || error == EINTR || error == ECONNABORTED ? 0 : error;
}

/* False: no more for now; who comes waits in the system's queue. */
static bool accept_one(struct pg_door *door)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	(void)pthread_mutex_lock(&door->lock);
	bool many = door->newcomers >= NEWCOMERS_MAX, too_many = door->newcomers >= NEWCOMERS_MAX + LEAVING_MAX;
	(void)pthread_mutex_unlock(&door->lock);
	int fd = too_many ? -1 : accept4(door->listener, (struct sockaddr *)&address, &len, SOCK_CLOEXEC);
	const int fault = too_many ? 0 : accept_fault(fd);
	const bool no_files = fault == EMFILE || fault == ENFILE;
	if (no_files || (many && fd >= 0)) {
		(void)pthread_mutex_lock(&door->lock);
		make_way(door);
		(void)pthread_mutex_unlock(&door->lock);
	}
	if (!too_many)
		tell_up(door, fault);
	if (fd >= 0)
		take(door, fd, &address, len);
	/* The listener stays readable: without a pause this would turn in circles. */
	if (too_many || no_files)
		(void)poll(NULL, 0, PAUSE_MS);
	return fd >= 0;
}

/* Whether what the session's statement wrote so far took the workspace over its limit. */
static bool has_outgrown(struct backend *b)
{
	const int64_t before = atomic_load(&b->size_before);
	const int64_t size = before >= 0 && atomic_load(&b->serving) ? workspace_size(b->wi) : 0;
	return size > before && size > workspace_size_limit(b->wi);
}

/*
 * Statements that outgrew their workspace's limit, or whose client went away, need not go on; a cancel that came between two
 * steps of one is repeated. Where the engine gave up there is nothing to interrupt: backend_serve() ends those sessions.
 */
static void watch(struct pg_door *door)
{
	(void)pthread_mutex_lock(&door->lock);
	for (struct backend *b = door->backends; b; b = b->next) {
		if (atomic_load(&b->serving) && workspace_failed(b->wi))
			continue;
		if (atomic_load(&b->running) && has_outgrown(b)) {
			atomic_store(&b->full, true);
			(void)backend_interrupt(b);
		} else if ((atomic_load(&b->running) || atomic_load(&b->planning)) &&
			   (conn_peer_left(&b->conn) || atomic_load(&b->end) || atomic_load(&b->cancelled)))
			(void)backend_interrupt(b);
	}
	(void)pthread_mutex_unlock(&door->lock);
}

static bool listen_on(struct pg_door *door, struct err *err)
{
	const struct settings *s = door->storage->settings;
	const struct addrinfo want = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	char port[16];
	const int on = 1;
	(void)snprintf(port, sizeof(port), "%d", door->port ? door->port : (int)s->pgwire_port);
	if (getaddrinfo(s->pgwire_host, port, &want, &found) != 0)
		return err_set(err, ERR_INVALID_CONFIG, "PGWIRE_HOST '%s' is no address", s->pgwire_host);
	door->listener = -1;
	for (const struct addrinfo *a = found; a && door->listener < 0; a = a->ai_next) {
		int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
			door->listener = fd;
		else
			(void)close(fd);
	}
	freeaddrinfo(found);
	if (door->listener < 0 || getsockname(door->listener, (struct sockaddr *)&bound, &len) != 0)
		return err_errno(err, errno, "The PostgreSQL listener's address");
	door->port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
						       : ((struct sockaddr_in *)&bound)->sin_port);
	return true;
}

/* A socket that listens no more is replaced by one on the same port. */
static void listen_again(struct pg_door *door)
{
	struct err err = ERR_INIT;
	int listens = 0;
	socklen_t len = sizeof(listens);
	if (getsockopt(door->listener, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens)
		return;
	if (door->listener >= 0)
		(void)close(door->listener);
	(void)listen_on(door, &err);
}

static void *door_thread(void *ctx)
{
	struct pg_door *door = ctx;
	for (;;) {
		/* While connecting fails, a client that waits must not make this loop spin. That it fails shows without
		 * a client, too: descriptors are taken before one is looked for. */
		struct pollfd fds[2] = {{.fd = door->wake[0], .events = POLLIN},
					{.fd = door->deaf ? -1 : door->listener, .events = POLLIN}};
		(void)poll(fds, ARRAY_LEN(fds), WATCH_MS);
		if (fds[0].revents)
			return NULL;
		for (int i = 0; i < ACCEPT_TURN && accept_one(door); i++) {
		}
		if (door->deaf)
			listen_again(door);
		watch(door);
	}
}

static bool tls_begin(struct pg_door *door, struct err *err)
{
	const struct settings *s = door->storage->settings;
	if (!s->pgwire_ssl_cert && !s->pgwire_ssl_key)
		return strcmp(s->pgwire_ssl_mode, "require") != 0 ||
		       err_set(err, ERR_INVALID_CONFIG,
			       "PGWIRE_SSL_MODE require needs PGWIRE_SSL_CERT and PGWIRE_SSL_KEY");
	if (!s->pgwire_ssl_cert || !s->pgwire_ssl_key)
		return err_set(err, ERR_INVALID_CONFIG, "PGWIRE_SSL_CERT and PGWIRE_SSL_KEY go together");
	if (strcmp(s->pgwire_ssl_mode, "disable") == 0)
		return true;
	door->tls = conn_tls_context(s->pgwire_ssl_cert, s->pgwire_ssl_key, door->binding, &door->binding_len, err);
	return door->tls != NULL;
}

bool pg_door_start(struct storage *storage, struct pg_door **ret, struct err *err)
{
	struct pg_door *door = mem_alloc(sizeof(*door));
	*door = (struct pg_door){.storage = storage, .listener = -1, .wake = {-1, -1}, .next_pid = FIRST_PID};
	(void)pthread_mutex_init(&door->lock, NULL);
	(void)pthread_cond_init(&door->gone, NULL);
	catalog_file_init(&door->catalog);
	hash_hmac_sha256((struct span){(const char *)storage->server_key, sizeof(storage->server_key)},
			 SPAN("pgwire mock salt"), door->mock_secret);
	clock_iso(clock_unix_us(), door->started);
	if (!tls_begin(door, err) || !listen_on(door, err) ||
	    (pipe(door->wake) != 0 && !err_errno(err, errno, "The PostgreSQL listener"))) {
		if (door->listener >= 0)
			(void)close(door->listener);
		conn_tls_free(door->tls);
		catalog_file_done(&door->catalog);
		free(door);
		return false;
	}
	activity_begin(door);
	thread_start("pg-accept", door_thread, door, &door->thread);
	metric_gauge_set(metric_series(METRIC_LISTENER_UP, "pgwire", NULL), 1);
	*ret = door;
	return true;
}

int pg_door_port(const struct pg_door *door)
{
	return door->port;
}

/* Waits until no connection is left; false: time is over. */
static bool wait_empty(struct pg_door *door, int64_t seconds)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	(void)pthread_mutex_lock(&door->lock);
	int late = 0;
	while (door->count > 0 && !late)
		late = pthread_cond_timedwait(&door->gone, &door->lock, &until);
	bool empty = door->count == 0;
	(void)pthread_mutex_unlock(&door->lock);
	return empty;
}

/* Idle sessions have nothing to finish: they end at once, busy ones with their statement. */
static void end_sessions(struct pg_door *door, bool busy_too)
{
	(void)pthread_mutex_lock(&door->lock);
	for (struct backend *b = door->backends; b; b = b->next) {
		if (!busy_too && (atomic_load(&b->running) || atomic_load(&b->shown_block) != 'I'))
			continue;
		int runs = BACKEND_RUNS;
		(void)atomic_compare_exchange_strong(&b->end, &runs, BACKEND_SHUTDOWN);
		conn_wake(&b->conn);
		if (busy_too)
			(void)backend_interrupt(b);
	}
	(void)pthread_mutex_unlock(&door->lock);
}

void pg_door_drain(struct pg_door *door, unsigned seconds)
{
	if (!door)
		return;
	const int64_t until = clock_ns() + (int64_t)seconds * NS_PER_S;
	atomic_store(&door->draining, true);
	do
		end_sessions(door, false);
	while (!wait_empty(door, 1) && clock_ns() < until);
}

void pg_door_stop(struct pg_door *door)
{
	if (!door)
		return;
	atomic_store(&door->draining, true);
	activity_provide(door->storage->activity, NULL);
	metric_gauge_set(metric_series(METRIC_LISTENER_UP, "pgwire", NULL), 0);
	if (write(door->wake[1], "x", 1) == 1)
		thread_join(door->thread);
	(void)close(door->listener);
	do
		end_sessions(door, true);
	while (!wait_empty(door, 1));
	(void)close(door->wake[0]);
	(void)close(door->wake[1]);
	conn_tls_free(door->tls);
	(void)pthread_mutex_destroy(&door->lock);
	(void)pthread_cond_destroy(&door->gone);
	catalog_file_done(&door->catalog);
	free(door);
}

void registry_proven(struct backend *b)
{
	(void)pthread_mutex_lock(&b->door->lock);
	atomic_store(&b->login, LOGIN_PROVEN);
	b->door->newcomers--;
	(void)pthread_mutex_unlock(&b->door->lock);
}

struct backend *registry_find(struct pg_door *door, uint32_t pid)
{
	struct backend *b = door->backends;
	while (b && b->pid != pid)
		b = b->next;
	return b;
}

void registry_cancel(struct pg_door *door, uint32_t pid, struct span key)
{
	(void)pthread_mutex_lock(&door->lock);
	struct backend *b = registry_find(door, pid);
	if (b && atomic_load(&b->serving) && key.len == 4) {
		const unsigned char own[4] = {(unsigned char)(b->key >> 24), (unsigned char)(b->key >> 16),
					      (unsigned char)(b->key >> 8), (unsigned char)b->key};
		if (span_eq_secret(key, (struct span){(const char *)own, sizeof(own)}))
			(void)backend_interrupt(b);
	}
	(void)pthread_mutex_unlock(&door->lock);
}

void registry_end(struct backend *b, bool terminate)
{
	int runs = BACKEND_RUNS;
	if (terminate) {
		(void)atomic_compare_exchange_strong(&b->end, &runs, BACKEND_TERMINATED);
		conn_wake(&b->conn);
	}
	(void)backend_interrupt(b);
}
