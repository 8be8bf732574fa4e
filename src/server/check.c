#include "server/check.h"

#include "base/fs.h"
#include "base/limits.h"
#include "engine/instance.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum verdict { FINE, WARNING, FAULT };

/* As many as the server reads. */
enum { ADMIN_KEY_FILE_BYTES = 255 };

struct check {
	const struct settings *settings;
	struct buf *out;
	size_t faults;
};

static void say(struct check *c, enum verdict verdict, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void say(struct check *c, enum verdict verdict, const char *fmt, ...)
{
	static const char *const words[] = {"ok      ", "warning ", "FAULT   "};
	va_list args;
	buf_str(c->out, words[verdict]);
	va_start(args, fmt);
	buf_vprintf(c->out, fmt, args);
	va_end(args);
	buf_byte(c->out, '\n');
	c->faults += verdict == FAULT;
}

static void check_engine(struct check *c)
{
	if (strcmp(engine_version(), ENGINE_VERSION) == 0)
		say(c, FINE, "engine %s", engine_version());
	else
		say(c, FAULT,
		    "the engine library is %s, the program was built for %s: run deps/setup build, or fix LD_LIBRARY_PATH",
		    engine_version(), ENGINE_VERSION);
}

/* The nearest folder that exists: where missing ones would be created. */
static void nearest(const char *path, char ret[LIMIT_PATH_BYTES])
{
	(void)snprintf(ret, LIMIT_PATH_BYTES, "%s", path);
	while (!fs_is_dir(ret)) {
		char *slash = strrchr(ret, '/');
		if (!slash || slash == ret) {
			(void)snprintf(ret, LIMIT_PATH_BYTES, "%s", slash ? "/" : ".");
			return;
		}
		*slash = '\0';
	}
}

/* A file where the path needs a folder: the path itself or one on the way. */
static bool obstructed(const char *path, char ret[LIMIT_PATH_BYTES])
{
	const size_t len = strlen(path);
	for (size_t n = 1; n <= len; n++) {
		if (n < len && path[n] != '/')
			continue;
		(void)snprintf(ret, LIMIT_PATH_BYTES, "%.*s", (int)n, path);
		if (fs_exists(ret) && !fs_is_dir(ret))
			return true;
	}
	return false;
}

static void check_folder(struct check *c, const char *name, const char *path)
{
	char place[LIMIT_PATH_BYTES];
	char file[LIMIT_PATH_BYTES];
	struct err err = ERR_INIT;
	int64_t free_bytes;
	int64_t size;
	nearest(path, place);
	if (obstructed(path, file))
		say(c, FAULT, "%s %s is not a folder: move the file away or choose another place", name, file);
	else if (access(place, W_OK | X_OK) != 0)
		say(c, FAULT, "%s: %s is not writable (%m): chown it to the service's user", name, place);
	else if (!fs_space(place, &free_bytes, &size, &err))
		say(c, FAULT, "%s: %s", name, err.message);
	else if (free_bytes < (int64_t)MIB)
		say(c, FAULT, "%s %s has no room left: free some space or choose another place", name, path);
	else if (free_bytes < (int64_t)GIB)
		say(c, WARNING, "%s %s has only %lld MiB free: changing a table needs room for a second copy of it",
		    name, path, (long long)(free_bytes >> 20));
	else
		say(c, FINE, "%s %s (%lld GiB free%s)", name, path, (long long)(free_bytes >> 30),
		    fs_is_dir(path) ? "" : ", will be created");
}

/* The engine's files have this behind a checksum. */
static bool is_database(const char *path)
{
	char head[12] = {0};
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	const size_t n = fread(head, 1, sizeof(head), file);
	(void)fclose(file);
	return n == sizeof(head) && memcmp(head + 8, "DUCK", 4) == 0;
}

static void check_catalog(struct check *c)
{
	char folder[LIMIT_PATH_BYTES];
	(void)snprintf(folder, sizeof(folder), "%s", c->settings->metadata_db_path);
	char *slash = strrchr(folder, '/');
	if (fs_is_dir(folder)) {
		say(c, FAULT, "METADATA_DB_PATH %s is a folder: name a file in it", folder);
		return;
	}
	if (fs_exists(folder) && access(folder, R_OK | W_OK) != 0)
		say(c, FAULT, "METADATA_DB_PATH %s cannot be written (%m): chown it to the service's user", folder);
	else if (fs_exists(folder) && !is_database(folder))
		say(c, FAULT, "METADATA_DB_PATH %s is no metadata store: restore it, or choose another file", folder);
	if (slash && slash != folder)
		*slash = '\0';
	check_folder(c, "METADATA_DB_PATH", slash ? folder : ".");
}

static void check_files(struct check *c)
{
	struct rlimit limit;
	/* Two descriptors for each attached file, and a thousand for connections and the rest. */
	rlim_t want = (rlim_t)(2 * c->settings->attached_max + 1000);
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		say(c, WARNING, "the limit of open files cannot be read");
	else if (limit.rlim_max < want)
		say(c, FAULT,
		    "at most %llu open files are allowed, %llu are needed: raise LimitNOFILE (systemd) or ulimit -n, "
		    "or lower DUCKDB_ATTACHED_MAX",
		    (unsigned long long)limit.rlim_max, (unsigned long long)want);
	else
		say(c, FINE, "open files: %llu allowed, %llu needed", (unsigned long long)limit.rlim_max,
		    (unsigned long long)want);
}

static void check_memory(struct check *c)
{
	int64_t machine = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
	if (c->settings->duckdb_memory_limit > machine * 8 / 10)
		say(c, WARNING,
		    "DUCKDB_MEMORY_LIMIT (%lld MiB) is more than 80 %% of the machine's memory (%lld MiB): lower it",
		    (long long)(c->settings->duckdb_memory_limit >> 20), (long long)(machine >> 20));
	else
		say(c, FINE, "engine memory %lld MiB of %lld MiB", (long long)(c->settings->duckdb_memory_limit >> 20),
		    (long long)(machine >> 20));
}

/* 0, or the errno of the address that cannot be had. */
static int bind_errno(const struct addrinfo *at)
{
	const int on = 1;
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	int why = bind(fd, at->ai_addr, at->ai_addrlen) == 0 ? 0 : errno;
	(void)close(fd);
	return why;
}

/* `name` is of the host's setting; the port's is the same with PORT for HOST. */
static void check_listener(struct check *c, const char *name, const char *host, int64_t port)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *found = NULL;
	char service[24];
	const int prefix = (int)(strlen(name) - strlen("HOST"));
	if (port < 0)
		return;
	(void)snprintf(service, sizeof(service), "%lld", (long long)port);
	int fault = getaddrinfo(host, service, &hints, &found);
	if (fault) {
		say(c, FAULT, "%s %s is no address of this machine (%s): name one, or 0.0.0.0 for all", name, host,
		    gai_strerror(fault));
		return;
	}
	int why = bind_errno(found);
	freeaddrinfo(found);
	errno = why;
	if (why == EADDRNOTAVAIL)
		say(c, FAULT, "%s %s is no address of this machine: name one, or 0.0.0.0 for all", name, host);
	else if (why)
		say(c, FAULT, "%.*sPORT %lld cannot be used (%m): stop the program that has it, or choose another",
		    prefix, name, (long long)port);
	else
		say(c, FINE, "%.*sPORT %lld on %s is free", prefix, name, (long long)port, host);
}

static bool tls_load(SSL_CTX *context, const char *cert, const char *key)
{
	return context && SSL_CTX_use_certificate_chain_file(context, cert) == 1 &&
	       SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 &&
	       SSL_CTX_check_private_key(context) == 1;
}

static void check_pair(struct check *c, const char *name, const char *cert, const char *key)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	ERR_clear_error();
	if (!tls_load(context, cert, key)) {
		const char *why = ERR_reason_error_string(ERR_peek_last_error());
		say(c, FAULT, "%s are no certificate with its key (%s): name the PEM files that belong together", name,
		    why ? why : "unreadable");
	} else if (X509_cmp_current_time(X509_get0_notAfter(SSL_CTX_get0_certificate(context))) <= 0) {
		say(c, WARNING, "%s: the certificate has expired, clients will refuse it: renew it", name);
	}
	SSL_CTX_free(context);
	ERR_clear_error();
}

/* PEM files: certificate and key go together, and all must be readable. */
static void check_tls(struct check *c, const char *name, const char *cert, const char *key)
{
	const char *const files[] = {cert, key};
	bool readable = cert && key;
	if (!cert != !key)
		say(c, FAULT, "%s: certificate and key go together; set both or none", name);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (!files[i] || access(files[i], R_OK) == 0)
			continue;
		readable = false;
		say(c, FAULT, "%s: %s cannot be read (%m): name a PEM file that the service's user may read", name,
		    files[i]);
	}
	if (readable)
		check_pair(c, name, cert, key);
}

static void check_key_file(struct check *c, const char *path)
{
	struct err err = ERR_INIT;
	struct stat st;
	char *content = NULL;
	size_t len = 0;
	if (!fs_exists(path))
		say(c, FINE, "ADMIN_API_KEY_FILE %s (will be made)", path);
	else if (!fs_read(path, ADMIN_KEY_FILE_BYTES, &content, &len, &err))
		say(c, FAULT, "ADMIN_API_KEY_FILE: %s: name a file with the key, or one to be made", err.message);
	else if (strcspn(content, " \t\r\n") == 0)
		say(c, FAULT, "ADMIN_API_KEY_FILE %s is empty: remove it to get a new key", path);
	else if (stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)))
		say(c, WARNING, "ADMIN_API_KEY_FILE %s is open to other users: chmod 600 it", path);
	else
		say(c, FINE, "admin key in %s", path);
	free(content);
}

static void check_admin(struct check *c)
{
	const struct settings *s = c->settings;
	if (!s->admin_api_key && s->admin_key_file)
		check_key_file(c, s->admin_key_file);
	else if (!s->admin_api_key)
		say(c, FAULT, "no admin key: set ADMIN_API_KEY, or ADMIN_API_KEY_FILE to a file that is made for you");
	else if (strlen(s->admin_api_key) < 16)
		say(c, WARNING, "ADMIN_API_KEY is shorter than 16 characters and can be guessed");
	else
		say(c, FINE, "admin key");
}

static void check_access(struct check *c)
{
	const struct settings *s = c->settings;
	check_admin(c);
	if (s->reference_compat)
		say(c, WARNING, "REFERENCE_COMPAT is on: some answers are less strict than they should be");
	if (geteuid() == 0)
		say(c, WARNING, "running as root: use a user of its own, so that file modes protect published tables");
	check_tls(c, "TLS_CERT_FILE and TLS_KEY_FILE", s->tls_cert, s->tls_key);
	check_tls(c, "GRPC_TLS_CERT_FILE and GRPC_TLS_KEY_FILE", s->grpc_tls_cert, s->grpc_tls_key);
	check_tls(c, "PGWIRE_SSL_CERT and PGWIRE_SSL_KEY", s->pgwire_ssl_cert, s->pgwire_ssl_key);
	if (s->grpc_tls_client_ca && access(s->grpc_tls_client_ca, R_OK) != 0)
		say(c, FAULT, "GRPC_TLS_CLIENT_CA_FILE %s cannot be read (%m): name a PEM file", s->grpc_tls_client_ca);
	if (strcmp(s->pgwire_ssl_mode, "require") == 0 && !s->pgwire_ssl_cert)
		say(c, FAULT, "PGWIRE_SSL_MODE require needs PGWIRE_SSL_CERT and PGWIRE_SSL_KEY");
	if (s->presign_default_expiry > s->presign_max_expiry)
		say(c, WARNING, "PRESIGN_DEFAULT_EXPIRY is more than PRESIGN_MAX_EXPIRY, which holds");
}

size_t check_run(const struct settings *settings, struct buf *out)
{
	struct check c = {.settings = settings, .out = out};
	check_engine(&c);
	check_access(&c);
	check_folder(&c, "DATA_DIR", settings->data_dir);
	check_folder(&c, "DUCKDB_DIR", settings->duckdb_dir);
	check_folder(&c, "FILES_DIR", settings->files_dir);
	check_folder(&c, "SNAPSHOTS_DIR", settings->snapshots_dir);
	check_catalog(&c);
	check_files(&c);
	check_memory(&c);
	check_listener(&c, "HOST", settings->host, settings->port);
	check_listener(&c, "GRPC_HOST", settings->grpc_host, settings->grpc_port);
	check_listener(&c, "PGWIRE_HOST", settings->pgwire_host, settings->pgwire_port);
	return c.faults;
}
