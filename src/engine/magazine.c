#include "engine/magazine.h"
#include "engine/allowance.h"

_Thread_local struct magazine magazines[MAGAZINES];

static void empty(unsigned room)
{
	for (size_t i = 0; i < MAGAZINES; i++) {
		for (void *at = magazines[i].top, *next; at; at = next) {
			next = *magazine_link(at);
			allowance_drop(at);
		}
		magazines[i] = (struct magazine){.room = room};
	}
}

void magazine_open(void)
{
	empty(MAGAZINE_ROUNDS);
}

void magazine_shed(void)
{
	magazine_open();
}

void magazine_close(void)
{
	empty(0);
}
