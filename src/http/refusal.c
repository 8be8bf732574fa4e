#include "http/refusal.h"

#include "http/account.h"
#include "http/exchange.h"
#include "http/watch.h"

#include <dlfcn.h>

typedef enum MHD_Result (*queue_function)(struct MHD_Connection *, unsigned, struct MHD_Response *);

static _Atomic queue_function library;

static const struct {
	unsigned status;
	enum err_code code;
	const char *message;
} reasons[] = {
	{413, ERR_PAYLOAD_TOO_LARGE, "The length of the body, or of a chunk of it, is too large"},
	{414, ERR_URI_TOO_LONG, "The request line is too long"},
	{431, ERR_HEADERS_TOO_LARGE, "The headers of the request are too large"},
	{505, ERR_INVALID_REQUEST, "This version of HTTP is not spoken here; use HTTP/1.1"},
	{500, ERR_INTERNAL, "The request was left without an answer"},
};

bool refusal_start(struct err *err)
{
	union {
		void *symbol;
		queue_function function;
	} found = {.symbol = dlsym(RTLD_NEXT, "MHD_queue_response")};
	atomic_store(&library, found.function);
	return found.symbol || err_set(err, ERR_INTERNAL, "libmicrohttpd is not linked dynamically");
}

enum MHD_Result refusal_pass(struct MHD_Connection *mhd, unsigned status, struct MHD_Response *response)
{
	return atomic_load(&library)(mhd, status, response);
}

static void reason_of(unsigned status, const struct exchange *asked, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		if (reasons[i].status == status) {
			(void)err_set(err, reasons[i].code, "%s", reasons[i].message);
			return;
		}
	}
	(void)err_set(err, ERR_INVALID_REQUEST, "%s",
		      !asked	       ? "The request line is malformed"
		      : asked->head_ns ? "The chunks of the body are malformed"
				       : "A header of the request is malformed, or its Content-Length is not a number");
}

/* The answer has an exchange of its own: that of the request may be with a worker. */
static struct exchange *answer_make(struct conn *conn, unsigned status)
{
	struct exchange *asked = conn->asked;
	struct exchange *ex = exchange_new(conn);
	struct err err = ERR_INIT;
	reason_of(status, asked, &err);
	head_refused(ex, asked);
	if (asked && asked->counted_in)
		asked->refused_status = (int)status;
	else
		account_head(ex);
	/* The account of an answer counts what is too large by itself. */
	if (status != 413 || !ex->counted_in)
		account_reject(status == 413 || status == 414 || status == 431 ? REJECT_TOO_LARGE : REJECT_BAD_REQUEST);
	render_error(ex, &err);
	ex->res.status = (int)status;
	return ex;
}

/* The library's own refusals: everybody else calls refusal_pass. */
enum MHD_Result MHD_queue_response(struct MHD_Connection *mhd, unsigned status, struct MHD_Response *response)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct conn *conn = info ? info->socket_context : NULL;
	if (!conn || conn->answer)
		return refusal_pass(mhd, status, response);
	if (!watch_body(conn->server->watch, conn, 0))
		return MHD_NO; /* the watch has answered */
	conn->linger = true;
	conn->answer = answer_make(conn, status);
	(void)send_raw(conn->answer);
	return MHD_NO;
}
