/*
 * The rows of portals. The engine has one stream for each connection; it is read from as long as nothing else runs there, and
 * then its rest moves into the portal's spool. What may scroll back spools its rows as they come; a cursor that did not say
 * whether it will is given that as long as it is small.
 */
#include "base/clock.h"
#include "base/limits.h"
#include "pgwire/backend.h"

enum { KEPT_BYTES = 16 * MIB, ROWS_A_LOOK = 1024 };

void run_drop(struct backend *b, struct portal *p)
{
	if (b->streaming == p)
		b->streaming = NULL;
	if (p->cursor)
		p->chunk_rows = 0;
	cursor_close(p->cursor);
	p->cursor = NULL;
	if (p->borrowed) {
		p->of->plan_busy = false;
		p->borrowed = false;
		p->statement = NULL;
	}
	if (p->pinned)
		workspace_unpin(b->wi, p->pin);
	p->pinned = false;
}

/* Its rows are gone. Returns false. */
static bool lose(struct backend *b, struct portal *p)
{
	run_drop(b, p);
	spool_free(b, p->spool);
	p->spool = NULL;
	p->cut = true;
	return false;
}

/* The rows at hand from number `from` of them on. */
static bool keep(struct backend *b, struct portal *p, size_t from, struct pg_error *e)
{
	if (!p->spool) {
		if (!spool_new(b, p->vectors, p->vector_count, &p->spool, e))
			return false;
		p->base = p->taken - (p->chunk_rows - from);
	}
	return spool_add(b, p->spool, p->vectors, from, p->chunk_rows - from, e);
}

/* The next chunk; at the end of the stream the cursor goes. */
static bool pull(struct backend *b, struct portal *p, bool rest, struct pg_error *e)
{
	struct err err = ERR_INIT;
	size_t rows;
	if (!p->cursor) {
		p->over = true;
		return true;
	}
	if (!cursor_next(p->cursor, &rows, &err)) {
		(void)backend_engine_error(b, &err, NULL, &p->stmt, e);
		return lose(b, p);
	}
	p->vectors = cursor_vectors(p->cursor);
	p->vector_count = cursor_column_count(p->cursor);
	p->chunk_rows = rows;
	p->taken += rows;
	if (rows == 0) {
		run_drop(b, p);
		p->over = true;
		return true;
	}
	if (p->keeps && !p->scroll && !rest && p->spool && spool_bytes(p->spool) > KEPT_BYTES) {
		spool_free(b, p->spool);
		p->spool = NULL;
		p->keeps = false;
	}
	return (!p->keeps && !rest) || keep(b, p, 0, e) || lose(b, p);
}

bool run_spool(struct backend *b, struct pg_error *e)
{
	struct portal *p = b->streaming;
	if (!p || !p->cursor)
		return true;
	/* What is at hand: of that which may scroll back it is in the spool already. */
	const uint64_t done = p->at - (p->taken - p->chunk_rows);
	if (!p->keeps && done < p->chunk_rows && !keep(b, p, done, e))
		return lose(b, p);
	while (p->cursor)
		if (!pull(b, p, true, e))
			return false;
	return true;
}

void run_spool_quietly(struct backend *b)
{
	struct pg_error ignored = PG_ERROR_INIT;
	(void)!run_spool(b, &ignored);
}

static bool usable(const struct portal *p, struct pg_error *e)
{
	return !p->cut || pg_error_set(e, "55000", "portal \"%s\" cannot be run", p->name);
}

static bool look(struct backend *b, const struct portal *p, struct row *ret, struct pg_error *e)
{
	const uint64_t first = p->taken - p->chunk_rows;
	if (p->at > first) {
		*ret = (struct row){p->vectors, p->at - first - 1};
		return true;
	}
	if (p->at % ROWS_A_LOOK == 0 && backend_stopped(b, e))
		return false;
	return spool_look(p->spool, p->at - p->base - 1, &ret->vectors, &ret->at, e);
}

bool rows_next(struct backend *b, struct portal *p, struct row *ret, struct pg_error *e)
{
	*ret = (struct row){0};
	while (p->at >= p->taken && !p->over)
		if (!usable(p, e) || !pull(b, p, false, e))
			return false;
	if (!usable(p, e))
		return false;
	p->at += p->at <= p->taken;
	return p->at > p->taken || look(b, p, ret, e);
}

/* Whether it may go back; a cursor that did not say SCROLL may while it is small. */
static bool scrolls(const struct portal *p, struct pg_error *e)
{
	if (!usable(p, e))
		return false;
	if (p->keeps)
		return true;
	(void)pg_error_set(e, "55000", "cursor can only scan forward");
	pg_error_hint(e, "Declare it with SCROLL option to enable backward scan.");
	return false;
}

bool rows_prior(struct backend *b, struct portal *p, struct row *ret, struct pg_error *e)
{
	*ret = (struct row){0};
	if (!scrolls(p, e))
		return false;
	p->at -= p->at > 0;
	return p->at == 0 || look(b, p, ret, e);
}

bool rows_skip(struct backend *b, struct portal *p, uint64_t n, uint64_t *ret_n, struct pg_error *e)
{
	for (*ret_n = 0; *ret_n < n && p->at <= p->taken;) {
		const uint64_t left = p->taken - p->at, step = left < n - *ret_n ? left : n - *ret_n;
		p->at += step;
		*ret_n += step;
		if (*ret_n == n)
			break;
		if (p->over)
			p->at++;
		else if (!usable(p, e) || !pull(b, p, false, e))
			return false;
	}
	return usable(p, e);
}

bool rows_skip_back(struct portal *p, uint64_t n, uint64_t *ret_n, struct pg_error *e)
{
	*ret_n = 0;
	if (!scrolls(p, e))
		return false;
	if (n == 0 || p->at == 0)
		return true;
	*ret_n = n < p->at - 1 ? n : p->at - 1;
	p->at = n < p->at ? p->at - n : 0;
	return true;
}

bool rows_rewind(struct portal *p, struct pg_error *e)
{
	if (p->at > 0 && !scrolls(p, e))
		return false;
	p->at = 0;
	return true;
}

bool rows_add(struct backend *b, struct portal *p, const struct row *row, size_t columns, struct pg_error *e)
{
	if (!p->spool && !spool_new(b, row->vectors, columns, &p->spool, e))
		return false;
	p->taken++;
	return spool_add(b, p->spool, row->vectors, row->at, 1, e);
}

static struct vector_text text_of(struct span s)
{
	struct vector_text text = {.length = (uint32_t)s.len};
	if (s.len <= sizeof(text) - offsetof(struct vector_text, prefix)) {
		memcpy((char *)&text + offsetof(struct vector_text, prefix), s.ptr, s.len);
	} else {
		memcpy(text.prefix, s.ptr, sizeof(text.prefix));
		text.ptr = s.ptr;
	}
	return text;
}

void rows_give(struct portal *p, const struct span *texts, size_t columns, size_t count)
{
	static const struct type type = {.id = TYPE_VARCHAR, .text = "VARCHAR"};
	struct vector *vectors = arena_array(p->arena, struct vector, columns);
	for (size_t i = 0; i < columns; i++) {
		struct vector_text *data = arena_array(p->arena, struct vector_text, count);
		uint64_t *valid = arena_array(p->arena, uint64_t, count / 64 + 1);
		for (size_t row = 0; row < count; row++) {
			const struct span text = texts[row * columns + i];
			if (!text.ptr)
				continue;
			data[row] = text_of(text);
			valid[row / 64] |= UINT64_C(1) << (row % 64);
		}
		vectors[i] = (struct vector){.type = &type, .data = data, .valid = valid};
	}
	p->vectors = vectors;
	p->vector_count = columns;
	p->chunk_rows = p->taken = count;
	p->over = true;
}
