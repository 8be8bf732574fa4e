/* Command line of duckdb-api: serve, check, version. */
#include "base/arena.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/log.h"
#include "engine/instance.h"
#include "server/check.h"
#include "server/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, HELP_BYTES = 256 * 1024 };

static const char usage[] =
	"DuckDB as multi-tenant storage: REST, S3, PostgreSQL wire and gRPC, with every operation measured.\n"
	"\n"
	"usage: duckdb-api serve [options]     run the server\n"
	"       duckdb-api check [options]     look for what would keep it from running well; changes nothing\n"
	"       duckdb-api settings [options]  show the effective settings\n"
	"       duckdb-api version             versions of program and engine\n"
	"       duckdb-api --help [--markdown]\n"
	"\n"
	"Settings come from options, then the environment (same names in upper case with '_'), then a .env file in the\n"
	"working folder, then the defaults shown in brackets. --rest-host and --rest-port are --host and --port.\n";

static int help(bool markdown)
{
	struct buf text = BUF(HELP_BYTES);
	if (!markdown)
		buf_str(&text, usage);
	settings_help(&text, markdown);
	(void)fputs(text.ptr, stdout);
	buf_done(&text);
	return EXIT_SUCCESS;
}

static int fail(const struct err *err)
{
	fprintf(stderr, "duckdb-api: %s\n", err->message);
	return EXIT_FAILURE;
}

/* The key in ADMIN_API_KEY_FILE; a new file gets a random one, which is shown this once. */
static bool admin_key_load(struct settings *settings, char key[256], struct err *err)
{
	char *content;
	size_t len;
	char parent[LIMIT_PATH_BYTES];
	const char *path = settings->admin_key_file;
	if (settings->admin_api_key || !path)
		return true;
	if (!fs_exists(path)) {
		const char *slash = strrchr(path, '/');
		char random[33];
		id_hex(16, random);
		(void)snprintf(key, 256, "admin_%s", random);
		if (slash && slash != path &&
		    (!fs_path(parent, sizeof(parent), err, "%.*s", (int)(slash - path), path) ||
		     !fs_mkdir(parent, err)))
			return false;
		if (!fs_write(path, span_of(key), 0600, err))
			return false;
		printf("A new admin key was written to %s:\n\n    %s\n\n", path, key);
	} else {
		if (!fs_read(path, 255, &content, &len, err))
			return false;
		(void)snprintf(key, 256, "%.*s", (int)strcspn(content, " \t\r\n"), content);
		free(content);
		if (!*key)
			return err_set(err, ERR_INVALID_CONFIG, "%s is empty: remove it to get a new key", path);
	}
	settings->admin_api_key = key;
	if (!settings->s3_secret_access_key)
		settings->s3_secret_access_key = key;
	return true;
}

static void limits_raise(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void log_begin(const struct settings *s)
{
	enum log_format format = strcmp(s->log_format, "json") == 0   ? LOG_FORMAT_JSON
				 : strcmp(s->log_format, "text") == 0 ? LOG_FORMAT_TEXT
								      : LOG_FORMAT_AUTO;
	log_setup(format, s->debug ? LOG_DEBUG : LOG_INFO);
}

static void warn(const struct settings *s)
{
	if (geteuid() == 0)
		log_event(LOG_WARN, "running as root; use a user of its own", NULL);
	if (!s->admin_api_key)
		log_event(LOG_WARN, "no admin key: every admin route answers 401; set ADMIN_API_KEY", NULL);
	if (s->reference_compat)
		log_event(LOG_WARN, "REFERENCE_COMPAT is on: some answers are less strict than they should be", NULL);
}

static void announce(const struct settings *s, const struct server *server)
{
	const char *scheme = s->tls_cert ? "https" : "http";
	int port = server_port(server);
	printf("DuckDB API service is ready.\n\n"
	       "    API         %s://localhost:%d\n"
	       "    API docs    %s://localhost:%d/docs\n"
	       "    Dashboard   %s://localhost:%d/dashboard2.html\n"
	       "    Metrics     %s://localhost:%d/metrics\n",
	       scheme, port, scheme, port, scheme, port, scheme, port);
	if (server_grpc_port(server) > 0)
		printf("    gRPC        grpc://localhost:%d\n", server_grpc_port(server));
	if (server_pg_port(server) > 0)
		printf("    PostgreSQL  postgresql://localhost:%d\n", server_pg_port(server));
	printf("\nStop with Ctrl-C.\n");
	(void)fflush(stdout);
}

/* A second signal while the first one's drain still runs. */
static void end_at_once(int number)
{
	(void)number;
	_exit(EXIT_FAILURE);
}

static int serve(struct settings *settings)
{
	struct err err = ERR_INIT;
	struct server *server;
	static char key[256]; /* settings point to it until the end */
	sigset_t signals;
	int caught;
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	/* Before any thread starts, so that all inherit it and the signals come to sigwait below. */
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	/* The data is the operator's and their group's, whatever the shell was set to; never everybody's. */
	(void)umask(umask(0) | S_IRWXO);
	log_begin(settings);
	limits_raise();
	if (!admin_key_load(settings, key, &err))
		return fail(&err);
	warn(settings);
	if (!server_start(settings, &server, &err))
		return fail(&err);
	log_writer_start();
	announce(settings, server);
	(void)sigwait(&signals, &caught);
	log_event(LOG_INFO, "stopping: running requests may finish; a second signal ends at once", NULL);
	(void)signal(SIGTERM, end_at_once);
	(void)signal(SIGINT, end_at_once);
	(void)pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
	server_stop(server);
	log_writer_stop();
	return EXIT_SUCCESS;
}

static int check(const struct settings *settings)
{
	struct buf out = BUF(HELP_BYTES);
	limits_raise();
	size_t faults = check_run(settings, &out);
	(void)fputs(out.ptr, stdout);
	printf("%zu fault%s\n", faults, faults == 1 ? "" : "s");
	buf_done(&out);
	return faults ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int show(const struct settings *settings)
{
	struct buf out = BUF(HELP_BYTES);
	settings_show(settings, &out);
	(void)fputs(out.ptr, stdout);
	buf_done(&out);
	return EXIT_SUCCESS;
}

static int version(void)
{
	printf("duckdb-api %s\nengine %s\n", PROJECT_VERSION, engine_version());
	return EXIT_SUCCESS;
}

static bool asks_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	}
	return argc > 1 && strcmp(argv[1], "help") == 0;
}

int main(int argc, char **argv)
{
	struct settings settings;
	struct err err = ERR_INIT;
	if (asks_help(argc, argv))
		return help(argc > 2 && strcmp(argv[argc - 1], "--markdown") == 0);
	const char *command = argc > 1 ? argv[1] : "";
	if (strcmp(command, "version") == 0 || strcmp(command, "--version") == 0)
		return version();
	int (*run)(struct settings *) = NULL;
	bool is_check = strcmp(command, "check") == 0;
	bool is_show = strcmp(command, "settings") == 0;
	if (strcmp(command, "serve") == 0)
		run = serve;
	if (!run && !is_check && !is_show) {
		if (*command)
			fprintf(stderr, "duckdb-api: There is no command '%s'\n\n", command);
		(void)fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (!settings_load(&settings, ".env", argc - 2, (const char *const *)argv + 2, &err)) {
		(void)fail(&err);
		settings_done(&settings);
		return EXIT_USAGE;
	}
	int result = is_check ? check(&settings) : is_show ? show(&settings) : run(&settings);
	settings_done(&settings);
	return result;
}
