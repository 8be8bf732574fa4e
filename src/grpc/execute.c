#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/pool.h"
#include "engine/session.h"
#include "grpc/protocol.h"
#include "grpc/rpc.h"
#include "metrics/metrics.h"
#include "storage/auth.h"

#include <grpc/support/alloc.h>

typedef COMMON_MSG(DriverRequest) request_msg;
typedef CREDENTIAL_MSG(GenericBackendCredentials) credentials_msg;

#define ECOSYSTEM "unary", "keboola.storageDriver.service.StorageDriverService", "Execute"

enum { STATUSES = 17 };

/* The series of the gRPC ecosystem's own names: found once. */
static struct {
	pthread_once_t once;
	struct series *started, *received, *sent, *seconds;
	struct series *handled[STATUSES]; /* by status */
} series = {.once = PTHREAD_ONCE_INIT};

static void series_resolve(void)
{
	series.started = metric_series(METRIC_GRPC_SERVER_STARTED_TOTAL, ECOSYSTEM, NULL);
	series.received = metric_series(METRIC_GRPC_SERVER_MSG_RECEIVED_TOTAL, ECOSYSTEM, NULL);
	series.sent = metric_series(METRIC_GRPC_SERVER_MSG_SENT_TOTAL, ECOSYSTEM, NULL);
	series.seconds = metric_series(METRIC_GRPC_SERVER_HANDLING_SECONDS, ECOSYSTEM, NULL);
	for (int i = 0; i < STATUSES; i++)
		series.handled[i] = metric_series(METRIC_GRPC_SERVER_HANDLED_TOTAL, ECOSYSTEM,
						  driver_status((enum err_grpc)i)->code_name, NULL);
}

void execute_started(struct rpc *rpc)
{
	(void)pthread_once(&series.once, series_resolve);
	rpc->start_ns = clock_ns();
	rpc->progress = progress_new(false);
	metric_inc(series.started);
}

/* ---- the end ---- */

static const char *run_log(const struct rpc *rpc)
{
	return rpc->context.run_id && *rpc->context.run_id ? rpc->context.run_id : NULL;
}

static void account(const struct rpc *rpc, enum err_code code, const char *cause)
{
	const struct driver_command *command = rpc->command ? rpc->command->command : NULL;
	const struct driver_status *status = driver_status_of(code);
	/* A query that failed inside an OK answer is a failed command, but an RPC that succeeded. */
	bool failed = code == ERR_NONE && rpc->command && rpc->command->failed;
	driver_count(command, DRIVER_OVER_GRPC, failed ? ERR_INVALID_ARGUMENT : code, rpc->start_ns);
	metric_inc(series.handled[status->grpc]);
	metric_observe_since(series.seconds, rpc->start_ns);
	if (log_enabled(LOG_INFO))
		log_event(code != ERR_NONE && err_row(code)->fault != FAULT_NONE ? LOG_ERROR : LOG_INFO,
			  "driver command", "command", LOG_S(command ? command->label : "unknown"), "transport",
			  LOG_S("grpc"), "request_id", LOG_S(rpc->context.request_id), "run_id", LOG_S(run_log(rpc)),
			  "query_tags", LOG_S(rpc->query_tags), "client", LOG_S(rpc->context.client), "status",
			  LOG_S(code == ERR_NONE ? "success" : status->label), "duration",
			  LOG_SECONDS(clock_seconds_since(rpc->start_ns)), "cause", LOG_S(cause), NULL);
}

static void fail(struct rpc *rpc, const struct err *err)
{
	if (err->code == ERR_OVERLOADED)
		rpc_reject("overload");
	else if (err->code == ERR_DRAINING)
		rpc_reject("draining");
	account(rpc, err->code, err->message);
	rpc_finish(rpc, NULL, err_row(err->code)->grpc, err->message);
}

static bool is_late(const struct rpc *rpc)
{
	int64_t deadline = rpc->context.deadline_ns;
	return deadline && clock_ns() >= deadline;
}

/* What was interrupted, or stopped waiting, because its time was up is a deadline. */
static void name_interrupt(const struct rpc *rpc, struct err *err)
{
	if ((err->code == ERR_CANCELLED || err->code == ERR_TABLE_LOCKED) && is_late(rpc))
		(void)err_set(err, ERR_TIMEOUT, "The deadline has passed");
}

/* Nothing is done for a client that has been told already that its call has failed. */
static bool may_begin(const struct rpc *rpc, struct err *err)
{
	if (is_late(rpc))
		return err_set(err, ERR_TIMEOUT, "The deadline had passed before the command began");
	return !atomic_load(&rpc->abandoned) || err_set(err, ERR_CANCELLED, "The call was cancelled before it began");
}

static void run(void *ctx)
{
	struct rpc *rpc = ctx;
	struct err err;
	struct span answer;
	err_clear(&err);
	bool fine = may_begin(rpc, &err) && driver_run(rpc->command, rpc->message, &err) &&
		    driver_envelope(rpc->command, rpc->server->response_max, &answer, &err);
	if (!fine) {
		name_interrupt(rpc, &err);
		fail(rpc, &err);
		return;
	}
	account(rpc, ERR_NONE, NULL);
	metric_inc(series.sent);
	rpc_finish(rpc, &answer, GRPC_OK, NULL);
}

/* ---- who asks ---- */

static struct span bearer(struct span header)
{
	struct span rest = span_trim(header);
	struct span scheme = span_cut(&rest, ' ');
	return span_eq_nocase(scheme, SPAN("bearer")) ? span_trim(rest) : SPAN_NONE;
}

static bool credentials_read(struct rpc *rpc, const request_msg *request, const credentials_msg **ret, struct err *err)
{
	ProtobufCMessage *message;
	const any_msg *any = request->credentials;
	*ret = NULL;
	if (!any || (!*any->type_url && any->value.len == 0))
		return true;
	if (!span_is(message_url_name(any->type_url), CREDENTIAL_DESC(generic_backend_credentials).name))
		return err_set(err, ERR_INVALID_ARGUMENT, "credentials must be %s",
			       CREDENTIAL_DESC(generic_backend_credentials).name);
	if (!message_decode(rpc->arena, &CREDENTIAL_DESC(generic_backend_credentials),
			    (struct span){(const char *)any->value.data, any->value.len}, &message, err))
		return false;
	*ret = (const credentials_msg *)message;
	return true;
}

static bool refuse(const char *reason, const char *text, struct err *err)
{
	metric_inc(metric_series(METRIC_AUTH_FAILURES_TOTAL, "grpc", reason, NULL));
	return err_set(err, ERR_UNAUTHORIZED, "%s", text);
}

static bool authenticate(struct rpc *rpc, const credentials_msg *credentials, struct err *err)
{
	const char *why = "unknown";
	struct principal *who = &rpc->context.who;
	struct span key = bearer(rpc_metadata(rpc, "authorization"));
	if (!key.len)
		key = span_trim(rpc_metadata(rpc, "x-api-key"));
	if (!key.len && credentials)
		key = span_of(*credentials->secret ? credentials->secret : credentials->principal);
	if (!key.len && rpc->server->reference_compat) {
		*who = (struct principal){.kind = WHO_ADMIN};
		return true;
	}
	if (!key.len)
		return refuse("missing", "Missing or invalid credentials", err);
	return auth_key(rpc->server->storage, key, who, &why) || refuse(why, "Invalid API key", err);
}

/* ---- the request ---- */

static int64_t deadline_of(const struct rpc *rpc)
{
	gpr_timespec t = gpr_convert_clock_type(rpc->deadline, GPR_CLOCK_MONOTONIC);
	if (gpr_time_cmp(t, gpr_inf_future(GPR_CLOCK_MONOTONIC)) == 0)
		return 0;
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void context_fill(struct rpc *rpc)
{
	struct arena *arena = rpc->arena;
	char id[ID_UUID_SIZE];
	struct span given = rpc_metadata(rpc, "x-request-id");
	char *peer = grpc_call_get_peer(rpc->call);
	id_uuid(id);
	rpc->context = (struct call){
		.arena = arena,
		.door = DOOR_GRPC,
		.request_id = given.len && given.len <= LIMIT_REQUEST_ID_BYTES && span_is_utf8(given)
				      ? arena_copy(arena, given)
				      : arena_strdup(arena, id),
		.client = arena_strdup(arena, peer ? peer : ""),
		.abandoned = &rpc->abandoned,
		.deadline_ns = deadline_of(rpc),
		.progress = rpc->progress,
		.admitted_ns = rpc->start_ns,
	};
	gpr_free(peer);
	trace_parse(arena_copy(arena, rpc_metadata(rpc, "traceparent")), &rpc->context.trace);
}

static void options_fill(struct rpc *rpc, const COMMON_MSG(RuntimeOptions) * options)
{
	struct buf text = BUF(LIMIT_LOG_LINE);
	struct json j = JSON(&text);
	if (!options)
		return;
	rpc->context.run_id = *options->runid ? options->runid : NULL;
	if (options->n_querytags == 0)
		return;
	json_object(&j, NULL);
	for (size_t i = 0; i < options->n_querytags; i++)
		json_str(&j, options->querytags[i]->key, options->querytags[i]->value);
	json_object_end(&j);
	rpc->query_tags = text.failed ? NULL : arena_copy(rpc->arena, buf_view(&text));
	buf_done(&text);
}

/* From bytes to a command that may run. */
static bool prepare(struct rpc *rpc, struct err *err)
{
	struct span bytes;
	ProtobufCMessage *decoded;
	const credentials_msg *credentials;
	if (!rpc_payload(rpc, &bytes, err))
		return false;
	if (!message_decode(rpc->arena, &COMMON_DESC(driver_request), bytes, &decoded, err)) {
		const char *why = arena_strdup(rpc->arena, err->message);
		return err->code == ERR_INVALID_ARGUMENT ? err_set(err, ERR_INTERNAL, "%s", why) : false;
	}
	const request_msg *request = (const request_msg *)decoded;
	struct driver_call *c = arena_new_of(rpc->arena, struct driver_call);
	*c = (struct driver_call){.storage = rpc->server->storage, .call = &rpc->context, .arena = rpc->arena};
	rpc->command = c;
	options_fill(rpc, request->runtimeoptions);
	const any_msg *any = request->command;
	/* For the metrics of a call that is refused; what the command is counts for nothing before it is. */
	if (any)
		c->command = driver_command_named(message_last_name(message_url_name(any->type_url)));
	if (!credentials_read(rpc, request, &credentials, err) || !authenticate(rpc, credentials, err))
		return false;
	if (!any || !*any->type_url)
		return err_set(err, ERR_INVALID_ARGUMENT, "command is required");
	if (!driver_command_of_url(any->type_url, &c->command, err))
		return false;
	const struct principal *who = &rpc->context.who;
	c->project = credentials && *credentials->host ? credentials->host
		     : who->kind == WHO_PROJECT	       ? who->project_id
						       : NULL;
	return driver_admit(c, err) &&
	       message_decode(rpc->arena, c->command->request,
			      (struct span){(const char *)any->value.data, any->value.len}, &rpc->message, err);
}

static bool dispatch(struct rpc *rpc, struct err *err)
{
	if (!prepare(rpc, err))
		return false;
	if (rpc->command->command->quick) {
		run(rpc);
		return true;
	}
	rpc_watch_close(rpc);
	return pool_submit(rpc->server->pool, span_of(rpc->context.who.project_id), run, rpc, err);
}

void execute_received(struct rpc *rpc, bool ok)
{
	struct err err;
	err_clear(&err); /* without writing all of its 4 KiB */
	context_fill(rpc);
	if (!ok || !rpc->payload) {
		/* Larger than the C core takes, or no message at all, or the client left. */
		(void)err_set(&err, atomic_load(&rpc->abandoned) ? ERR_CANCELLED : ERR_INTERNAL,
			      "The request has no message");
		fail(rpc, &err);
		return;
	}
	metric_inc(series.received);
	if (!rpc_metadata_fits(rpc) ? !err_set(&err, ERR_PAYLOAD_TOO_LARGE, METADATA_TOO_LARGE)
				    : !dispatch(rpc, &err)) {
		if (err.code == ERR_PAYLOAD_TOO_LARGE)
			rpc_reject("too_large");
		fail(rpc, &err);
	}
}
