#include "engine/core.h"

#include <stdlib.h>

struct progress {
	bool counted;
	atomic_bool cancelled;
	atomic_uint_fast64_t rows;
	pthread_mutex_t lock;
	struct session *session;
};

struct progress *progress_new(bool counted)
{
	struct progress *p = mem_alloc(sizeof(*p));
	p->counted = counted;
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void progress_cancel(struct progress *p)
{
	atomic_store(&p->cancelled, true);
	pthread_mutex_lock(&p->lock);
	if (p->session)
		session_interrupt(p->session);
	pthread_mutex_unlock(&p->lock);
}

bool progress_cancelled(const struct progress *p)
{
	return atomic_load(&p->cancelled);
}

double progress_percent(struct progress *p)
{
	double percent = -1;
	pthread_mutex_lock(&p->lock);
	if (p->session && atomic_load(&p->session->started_ns))
		percent = duckdb_query_progress(p->session->connection).percentage;
	pthread_mutex_unlock(&p->lock);
	return percent < 0 ? -1 : percent > 100 ? 100 : percent;
}

uint64_t progress_rows(const struct progress *p)
{
	return atomic_load(&p->rows);
}

void progress_add_rows(struct progress *p, uint64_t rows)
{
	atomic_fetch_add(&p->rows, rows);
}

void progress_attach(struct progress *p, struct session *session)
{
	pthread_mutex_lock(&p->lock);
	p->session = session;
	pthread_mutex_unlock(&p->lock);
}

void progress_detach(struct progress *p, struct session *session)
{
	pthread_mutex_lock(&p->lock);
	if (p->session == session)
		p->session = NULL;
	pthread_mutex_unlock(&p->lock);
}

bool session_follow(struct session *session, struct progress *progress, struct err *err)
{
	if (session->progress)
		progress_detach(session->progress, session);
	session->progress = NULL;
	if (!progress)
		return true;
	/* Without these the engine counts no progress; nothing is printed. */
	if (progress->counted &&
	    !session_run(session,
			 "SET enable_progress_bar=true; SET enable_progress_bar_print=false; SET progress_bar_time=1",
			 err))
		return false;
	session->progress = progress;
	progress_attach(progress, session);
	return true;
}
