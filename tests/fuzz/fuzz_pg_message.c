/* First byte: 0 a first packet, else later ones; the rest is what arrived. */
#include "pgwire/message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(const struct message_frame *f)
{
	struct pg_error e;
	struct span text;
	struct message_parse p;
	struct message_bind b;
	struct message_target t;
	struct message_execute x;
	struct message_sasl_initial s;
	if (message_parse(f->body, &p, &e) && p.oid_count)
		(void)message_parse_oid(&p, p.oid_count - 1U);
	if (message_bind(f->body, &b, &e))
		for (unsigned i = 0; i < b.value_count; i++)
			(void)message_next_value(&b);
	if (message_query(f->body, &text, &e) || message_target(f->body, &t, &e) || message_execute(f->body, &x, &e) ||
	    message_sasl_initial(f->body, &s, &e))
		return;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_skip((struct span){(const char *)data, size}, 1);
	struct message_frame f;
	struct pg_error e;
	static struct startup s;
	if (size && data[0] == 0) {
		if (message_startup_frame(in, &f, &e) == MESSAGE_READY)
			(void)!startup_decode(f.body, &s, &e);
		return 0;
	}
	for (; message_frame(in, 1 << 20, &f, &e) == MESSAGE_READY; in = span_skip(in, f.size))
		decode(&f);
	return 0;
}
