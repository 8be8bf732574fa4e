#include "engine/core.h"

#include "base/clock.h"
#include "base/pool.h"

#include <time.h>

enum {
	TICK_MS = 5,
	STARVE_AFTER_MS = 1000,
	HELP_AFTER_MS = 10,
	LOOK_AFTER_MS = 50,
	LOOK_EVERY_MS = 100,
	IDLE_TICKS_MAX = 100,
	TASKS_A_TURN = 8
};

static void sleep_us(long us)
{
	(void)nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

/* What a round found. */
struct seen {
	bool running, slow;
	bool measured; /* a statement whose memory is to be looked at */
};

static bool is_measured(struct session *s, int64_t now)
{
	const int64_t started = atomic_load(&s->started_ns);
	return started && now - started > LOOK_AFTER_MS * NS_PER_MS && atomic_load(&s->wants_peaks);
}

static void raise_to(atomic_int_fast64_t *peak, int64_t to)
{
	if (to > atomic_load(peak))
		atomic_store(peak, to);
}

/* The reading needs the engine: without the lock. */
static void look_at_memory(struct core *core, int64_t now)
{
	int64_t memory, temp;
	core->looked_ns = now;
	core_memory(core, &memory, &temp);
	pthread_mutex_lock(&core->lock);
	for (struct session *s = core->sessions; s; s = s->next)
		if (is_measured(s, now)) {
			raise_to(&s->memory_peak, memory);
			raise_to(&s->temp_peak, temp);
		}
	pthread_mutex_unlock(&core->lock);
}

/* The engine forgets an interrupt that arrives between two of its steps, so it is repeated; a plan does not look at all. */
static void interrupt(struct session *s, int64_t now)
{
	if (!atomic_load(&s->interrupted)) {
		s->overdue_ns = 0;
		return;
	}
	duckdb_interrupt(s->connection);
	if (!s->overdue_ns)
		s->overdue_ns = now;
	/* Again and again: what makes the plan may take a failure for an answer, and go on elsewhere. */
	if (now - s->overdue_ns > STARVE_AFTER_MS * NS_PER_MS)
		atomic_store(&s->starved, true);
}

static void watch_session(struct session *s, int64_t now, struct seen *seen)
{
	const int64_t started = atomic_load(&s->started_ns);
	if (!started)
		return;
	seen->running = true;
	seen->measured |= is_measured(s, now);
	/* A stream whose reader keeps up is helped too: the engine works ahead while the rows are sent. */
	const bool busy = atomic_exchange(&s->fetched, false) || atomic_load(&s->in_engine);
	if (now - started > HELP_AFTER_MS * NS_PER_MS && busy)
		seen->slow = true;
	const bool stops = s->brake && s->brake(s->brake_ctx);
	/* What is found out about this statement must not hit the next one. */
	pthread_mutex_lock(&s->gate);
	if (atomic_load(&s->started_ns) == started) {
		const int64_t deadline = atomic_load(&s->deadline_ns);
		if (deadline && now > deadline) {
			atomic_store(&s->timed_out, true);
			atomic_store(&s->interrupted, true);
		}
		if (stops)
			atomic_store(&s->interrupted, true);
		interrupt(s, now);
	}
	pthread_mutex_unlock(&s->gate);
}

/* true: at least one statement is running. */
static bool watch_round(struct core *core)
{
	struct seen seen = {0};
	const int64_t now = clock_ns();
	pthread_mutex_lock(&core->lock);
	for (struct session *s = core->sessions; s; s = s->next)
		watch_session(s, now, &seen);
	if (seen.slow != atomic_load(&core->help_wanted)) {
		atomic_store(&core->help_wanted, seen.slow);
		if (seen.slow)
			pthread_cond_broadcast(&core->wake);
	}
	pthread_mutex_unlock(&core->lock);
	if (seen.measured && now - core->looked_ns >= LOOK_EVERY_MS * NS_PER_MS)
		look_at_memory(core, now);
	return seen.running;
}

static void *watch_run(void *ctx)
{
	struct core *core = ctx;
	unsigned idle = 0;
	while (!atomic_load(&core->stopping)) {
		idle = watch_round(core) ? 0 : idle + 1;
		if (idle > IDLE_TICKS_MAX) {
			/* First parked, then a last look: session_begin does it the other way round. */
			atomic_store(&core->parked, true);
			if (!watch_round(core)) {
				pthread_mutex_lock(&core->lock);
				while (atomic_load(&core->parked) && !atomic_load(&core->stopping))
					pthread_cond_wait(&core->wake, &core->lock);
				pthread_mutex_unlock(&core->lock);
			}
			atomic_store(&core->parked, false);
			idle = 0;
		}
		sleep_us(TICK_MS * 1000L);
	}
	return NULL;
}

static void *helper_run(void *ctx)
{
	struct core *core = ctx;
	allowance_enter(core->allowance, NULL);
	while (!atomic_load(&core->stopping)) {
		if (!atomic_load(&core->help_wanted)) {
			pthread_mutex_lock(&core->lock);
			while (!atomic_load(&core->help_wanted) && !atomic_load(&core->stopping))
				pthread_cond_wait(&core->wake, &core->lock);
			pthread_mutex_unlock(&core->lock);
			continue;
		}
		if (duckdb_execute_n_tasks_state(core->tasks, TASKS_A_TURN) == 0)
			sleep_us(200);
	}
	return NULL;
}

void core_watch_start(struct core *core, size_t helpers)
{
	core->tasks = duckdb_create_task_state(core->db);
	core->helper_count = helpers < HELPERS_MAX ? helpers : HELPERS_MAX;
	thread_start("engine-watch", watch_run, core, &core->watch);
	for (size_t i = 0; i < core->helper_count; i++)
		thread_start("engine-help", helper_run, core, &core->helpers[i]);
}

void core_watch_stop(struct core *core)
{
	if (!core->tasks)
		return;
	pthread_mutex_lock(&core->lock);
	atomic_store(&core->stopping, true);
	pthread_cond_broadcast(&core->wake);
	pthread_mutex_unlock(&core->lock);
	duckdb_finish_execution(core->tasks);
	thread_join(core->watch);
	for (size_t i = 0; i < core->helper_count; i++)
		thread_join(core->helpers[i]);
	duckdb_destroy_task_state(core->tasks);
	core->tasks = NULL;
}
