/* Two messages of a client, split at the first newline. */
#include "pgwire/scram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scram_verifier v;
	struct pg_error e;
	struct span rest = {(const char *)data, size};
	struct span first = span_cut(&rest, '\n');
	if (scram_verifier_parse(first, &v) || scram_verifier_parse(rest, &v))
		return 0;
	scram_verifier_mock(SPAN("user"), SPAN("secret"), &v);
	for (int plus = 0; plus < 2; plus++) {
		struct scram s;
		struct buf out = BUF(10000);
		scram_begin(&s, &v, false, plus ? SPAN("hash") : SPAN_NONE);
		if (scram_first(&s, plus ? SPAN("SCRAM-SHA-256-PLUS") : SPAN("SCRAM-SHA-256"), first, &out, &e) ==
		    SCRAM_FINE)
			(void)scram_final(&s, rest, &out, &e);
		scram_done(&s);
		buf_done(&out);
	}
	return 0;
}
