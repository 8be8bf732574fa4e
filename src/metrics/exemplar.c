#include "metrics/exemplar.h"

#include "base/arena.h"
#include "base/clock.h"

#include <stdlib.h>
#include <time.h>

struct exemplar_slot {
	atomic_flag busy;
	struct exemplar exemplar;
};

/* What the thread works for. */
__thread struct exemplar exemplar_current;

static bool text_ok(const char *text, size_t name_len, size_t *used)
{
	size_t len = text ? strlen(text) : 0;
	if (len == 0 || *used + name_len + len > METRICS_EXEMPLAR_BYTES || !span_is_utf8(span_of(text)))
		return false;
	*used += name_len + len;
	return true;
}

static void current_add(const char *name, const char *value)
{
	exemplar_current.names[exemplar_current.labels] = name;
	memcpy(exemplar_current.values[exemplar_current.labels], value, strlen(value) + 1);
	exemplar_current.labels++;
}

void metrics_exemplar_set(const char *trace_id, const char *span_id, const char *request_id)
{
	size_t used = 0;
	exemplar_current.labels = 0;
	if (text_ok(trace_id, strlen("trace_id"), &used)) {
		current_add("trace_id", trace_id);
		if (text_ok(span_id, strlen("span_id"), &used))
			current_add("span_id", span_id);
		return;
	}
	if (text_ok(request_id, strlen("request_id"), &used))
		current_add("request_id", request_id);
}

void metrics_exemplar_clear(void)
{
	exemplar_current.labels = 0;
}

static struct exemplar_slot *store_slots(struct exemplar_store *store, size_t slots)
{
	struct exemplar_slot *have = atomic_load_explicit(&store->slots, memory_order_acquire);
	if (have)
		return have;
	struct exemplar_slot *made = mem_alloc_array(sizeof(*made), slots);
	for (size_t i = 0; i < slots; i++)
		made[i] = (struct exemplar_slot){.busy = ATOMIC_FLAG_INIT};
	if (atomic_compare_exchange_strong(&store->slots, &have, made))
		return made;
	free(made);
	return have;
}

static int64_t coarse_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

void exemplar_note(struct exemplar_store *store, size_t slots, size_t slot, double value)
{
	struct exemplar_slot *at = &store_slots(store, slots)[slot];
	if (atomic_flag_test_and_set_explicit(&at->busy, memory_order_acquire))
		return;
	int64_t now = coarse_us();
	if (now != at->exemplar.unix_us) {
		at->exemplar.value = value;
		at->exemplar.unix_us = now;
		at->exemplar.labels = exemplar_current.labels;
		for (size_t i = 0; i < exemplar_current.labels; i++) {
			at->exemplar.names[i] = exemplar_current.names[i];
			memcpy(at->exemplar.values[i], exemplar_current.values[i],
			       strlen(exemplar_current.values[i]) + 1);
		}
	}
	atomic_flag_clear_explicit(&at->busy, memory_order_release);
}

bool exemplar_read(struct exemplar_store *store, size_t slot, struct exemplar *ret)
{
	struct exemplar_slot *slots = atomic_load_explicit(&store->slots, memory_order_acquire);
	if (!slots)
		return false;
	struct exemplar_slot *at = &slots[slot];
	/* Writers hold it for a copy of a hundred bytes. */
	while (atomic_flag_test_and_set_explicit(&at->busy, memory_order_acquire))
		;
	bool found = at->exemplar.labels > 0;
	if (found)
		*ret = at->exemplar;
	atomic_flag_clear_explicit(&at->busy, memory_order_release);
	return found;
}

void exemplar_free(struct exemplar_store *store)
{
	free(atomic_exchange(&store->slots, NULL));
}
