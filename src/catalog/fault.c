#include "catalog/fault.h"

#include <errno.h>

/* A failed COMMIT carries the system's text, not its number. */
static bool says_full(const char *message)
{
	return strstr(message, strerrordesc_np(ENOSPC)) || strstr(message, strerrordesc_np(EDQUOT));
}

bool fault_translate(struct err *err, const char *what)
{
	bool translated = span_starts(span_of(err->message), span_of(what));
	if (translated || err->code == ERR_OUT_OF_MEMORY)
		return false;
	char message[sizeof(err->message)];
	memcpy(message, err->message, sizeof(message));
	bool full = err->code == ERR_DISK_FULL || says_full(message);
	return err_set(err, full ? ERR_DISK_FULL : ERR_METADATA, "%s: %.900s", what, message);
}
