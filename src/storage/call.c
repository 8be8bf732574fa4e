#include "storage/call.h"

#include <stdio.h>
#include <string.h>

static bool is_lower_hex(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!(text[i] >= '0' && text[i] <= '9') && !(text[i] >= 'a' && text[i] <= 'f'))
			return false;
	}
	return true;
}

bool call_forgives(const struct call *call, enum err_code code)
{
	for (size_t i = 0; i < call->forgiven_count; i++) {
		if (call->forgiven[i] == code)
			return true;
	}
	return false;
}

void trace_parse(const char *text, struct trace *ret)
{
	if (!text || strlen(text) < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-' ||
	    !is_lower_hex(text, 2) || !is_lower_hex(text + 3, 32) || !is_lower_hex(text + 36, 16) ||
	    !is_lower_hex(text + 53, 2))
		return;
	bool none = strspn(text + 3, "0") >= 32 || strspn(text + 36, "0") >= 16;
	if (none || memcmp(text, "ff", 2) == 0 || (memcmp(text, "00", 2) == 0 && text[55] != '\0'))
		return;
	memcpy(ret->trace_id, text + 3, 32);
	memcpy(ret->span_id, text + 36, 16);
	ret->sampled = strchr("13579bdf", text[54]) != NULL;
}

const char *trace_text(const struct trace *trace, char *to)
{
	(void)snprintf(to, TRACE_TEXT_SIZE, "00-%s-%s-0%d", trace->trace_id, trace->span_id, trace->sampled);
	return to;
}
