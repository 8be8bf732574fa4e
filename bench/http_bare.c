/*
 * The library alone, for comparison: answers every request with the bytes of a file, one event loop for each core,
 * default memory limits, one response made at start. Prints its port and serves until it is killed.
 *
 *	http_bare PORT FILE
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *bytes, size_t *size, void **context)
{
	static int seen;
	(void)url;
	(void)method;
	(void)version;
	(void)bytes;
	if (!*context) {
		*context = &seen;
		return MHD_YES;
	}
	*size = 0;
	return MHD_queue_response(connection, MHD_HTTP_OK, cls);
}

static size_t file_read(const char *path, char *bytes, size_t size)
{
	FILE *file = fopen(path, "rb");
	size_t n = file ? fread(bytes, 1, size, file) : 0;
	if (file)
		(void)fclose(file);
	return n;
}

int main(int argc, char **argv)
{
	static char body[65536];
	if (argc != 3) {
		fputs("usage: http_bare PORT FILE\n", stderr);
		return 2;
	}
	long threads = sysconf(_SC_NPROCESSORS_ONLN);
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((uint16_t)strtol(argv[1], NULL, 10))};
	struct MHD_Response *response =
		MHD_create_response_from_buffer(file_read(argv[2], body, sizeof(body)), body, MHD_RESPMEM_PERSISTENT);
	MHD_add_response_header(response, "Content-Type", "application/json");
	MHD_add_response_header(response, "X-Request-ID", "694da2e6-b66c-4f2f-84d3-8d650a7d44d9");
	struct MHD_Daemon *daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, response, MHD_OPTION_SOCK_ADDR, &address,
		threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (unsigned)threads, MHD_OPTION_END);
	if (!daemon)
		return 1;
	printf("%u\n", (unsigned)MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}
