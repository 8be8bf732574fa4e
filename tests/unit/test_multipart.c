#include "http/multipart.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char form[] = "multipart/form-data; boundary=XyZ";

/* A body given in two pieces, cut at `cut`, then in pieces of `step`. */
struct feed {
	struct span rest;
	size_t cut;
	size_t step;
	bool broken;
};

static bool feed_read(void *ctx, char *bytes, size_t size, size_t *ret_n, struct err *err)
{
	struct feed *feed = ctx;
	if (feed->broken && feed->rest.len == 0)
		return err_set(err, ERR_CANCELLED, "The client left");
	size_t n = feed->cut ? feed->cut : feed->step;
	n = n < size ? n : size;
	n = n < feed->rest.len ? n : feed->rest.len;
	memcpy(bytes, feed->rest.ptr, n);
	feed->rest = span_skip(feed->rest, n);
	feed->cut = 0;
	*ret_n = n;
	return true;
}

/* Reads the part `file` wholly; the text "!code" stands for an error. The caller frees. */
static char *read_all(struct feed feed, size_t piece, size_t *ret_len, bool *ret_found)
{
	struct multipart *m = NULL;
	struct err err = ERR_INIT;
	struct buf out = BUF(64 * MIB);
	char *bytes = malloc(piece);
	size_t n = 0;
	assert_true(multipart_new(form, "file", feed_read, &feed, &m));
	do {
		if (!multipart_read(m, bytes, piece, &n, &err)) {
			buf_reset(&out);
			buf_printf(&out, "!%s", err_row(err.code)->rest);
			break;
		}
		buf_bytes(&out, bytes, n);
	} while (n);
	if (ret_found)
		*ret_found = multipart_found(m);
	multipart_free(m);
	free(bytes);
	buf_bytes(&out, "", 0);
	char *text = buf_take(&out, ret_len);
	return text ? text : strdup("");
}

static void expect(const char *body, const char *content)
{
	size_t len = strlen(body);
	for (size_t cut = 0; cut <= len; cut++) {
		char *text = read_all((struct feed){.rest = {body, len}, .cut = cut, .step = 65536}, 7, NULL, NULL);
		assert_string_equal(text, content);
		free(text);
	}
	char *text = read_all((struct feed){.rest = {body, len}, .step = 1}, 1, NULL, NULL);
	assert_string_equal(text, content);
	free(text);
}

#define DISPOSITION "Content-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n"

static void broken_framing_is_an_error(void **state)
{
	(void)state;
	/* Without any boundary there is no part: what is missing is told, as of a body with other parts only. */
	expect("", "");
	expect("no boundary at all", "");
	expect("--XyZ", "!invalid_request");
	expect("--XyZ\r\n", "!invalid_request");
	expect("--XyZ\r\n" DISPOSITION, "!invalid_request");
	expect("--XyZ\r\n" DISPOSITION "\r\n", "!invalid_request");
	/* The content so far is thrown away by the reader when the end is missing. */
	expect("--XyZ\r\n" DISPOSITION "\r\nabc", "!invalid_request");
	expect("--XyZ\r\n" DISPOSITION "\r\nabc\r\n--XyZ", "!invalid_request");
	expect("--XyZ\r\n" DISPOSITION "\r\nabc\r\n--XyZjunk\r\n", "!invalid_request");
	expect("--XyZ--\r\n", "");
}

static void content_survives_any_cut(void **state)
{
	(void)state;
	expect("--XyZ\r\n" DISPOSITION "\r\nabc\r\n--XyZ--\r\n", "abc");
	expect("preamble\r\n--XyZ  \r\n" DISPOSITION "Content-Type: text/csv\r\n\r\na\r\n--Xy\r\n-\r\r\n--XyZ--",
	       "a\r\n--Xy\r\n-\r");
	expect("--XyZ\r\n" DISPOSITION "\r\n\r\n--XyZ--", "");
	expect("--XyZ\r\nContent-Disposition: form-data; name=other\r\n\r\nxx\r\n--XyZ\r\n" DISPOSITION
	       "\r\nid,n\r\n1,2\r\n--XyZ\r\n\r\nlast\r\n--XyZ--\r\nepilogue",
	       "id,n\r\n1,2");
	expect("--XyZ\r\ncontent-disposition:form-data;name=file\r\n\r\n\r\n\r\n\r\n--XyZ--", "\r\n\r\n");
}

static void other_names_are_not_it(void **state)
{
	(void)state;
	static const char *const names[] = {"name=\"files\"", "name=\"\"", "filename=\"file\"", "name=\"fi\\\"le\"",
					    "xname=file"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char body[200];
		bool found = true;
		int n = snprintf(body, sizeof(body),
				 "--XyZ\r\nContent-Disposition: form-data; %s\r\n\r\nabc\r\n--XyZ--\r\n", names[i]);
		char *text = read_all((struct feed){.rest = {body, (size_t)n}, .step = 5}, 9, NULL, &found);
		assert_string_equal(text, "");
		assert_false(found);
		free(text);
	}
}

static void sizes_are_limited(void **state)
{
	(void)state;
	struct buf body = BUF(64 * MIB);
	char *text;
	buf_str(&body, "--XyZ\r\nX: ");
	for (size_t i = 0; i < 10 * MIB / 16; i++)
		buf_str(&body, "0123456789abcdef");
	text = read_all((struct feed){.rest = buf_view(&body), .step = 4096}, 64, NULL, NULL);
	assert_string_equal(text, "!payload_too_large");
	free(text);
	buf_reset(&body);
	buf_str(&body, "--XyZ\r\n");
	for (size_t i = 0; i < 1000; i++)
		buf_str(&body, "A: b\r\n");
	text = read_all((struct feed){.rest = buf_view(&body), .step = 4096}, 64, NULL, NULL);
	assert_string_equal(text, "!payload_too_large");
	free(text);
	buf_reset(&body);
	for (size_t i = 0; i < 1000; i++)
		buf_str(&body, "--XyZ\r\n\r\nx\r\n");
	text = read_all((struct feed){.rest = buf_view(&body), .step = 4096}, 64, NULL, NULL);
	assert_string_equal(text, "!payload_too_large");
	free(text);
	buf_reset(&body);
	for (size_t i = 0; i <= LIMIT_MULTIPART_SKIP / 1024 + 64; i++) {
		char kib[1024];
		memset(kib, 'p', sizeof(kib));
		buf_bytes(&body, kib, sizeof(kib));
	}
	text = read_all((struct feed){.rest = buf_view(&body), .step = 65536}, 64, NULL, NULL);
	assert_string_equal(text, "!payload_too_large");
	free(text);
	buf_done(&body);
}

static void large_content_streams(void **state)
{
	(void)state;
	struct buf body = BUF(64 * MIB);
	struct buf content = BUF(64 * MIB);
	buf_str(&body, "--XyZ\r\n" DISPOSITION "\r\n");
	for (size_t i = 0; i < 300000; i++) {
		char line[32];
		int n = snprintf(line, sizeof(line), "%zu\r\n--XyY", i);
		buf_bytes(&content, line, (size_t)n + 1);
	}
	buf_span(&body, buf_view(&content));
	buf_str(&body, "\r\n--XyZ--\r\n");
	static const size_t steps[] = {1000, 65536, 65535, 8191};
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		size_t len = 0;
		char *text = read_all((struct feed){.rest = buf_view(&body), .step = steps[i]}, 10000, &len, NULL);
		assert_int_equal(len, content.len);
		assert_memory_equal(text, content.ptr, len);
		free(text);
	}
	buf_done(&body);
	buf_done(&content);
}

static void the_sources_error_is_passed_on(void **state)
{
	(void)state;
	static const char body[] = "--XyZ\r\n" DISPOSITION "\r\nabc";
	char *text =
		read_all((struct feed){.rest = {body, sizeof(body) - 1}, .step = 10, .broken = true}, 10, NULL, NULL);
	assert_string_equal(text, "!cancelled");
	free(text);
}

static void content_types_are_checked(void **state)
{
	(void)state;
	static const char *const types[] = {"",
					    "text/plain; boundary=a",
					    "multipart/form-data",
					    "multipart/form-data; boundary=",
					    "multipart/form-data; boundary=\"\"",
					    "multipart/form-dataX; boundary=a",
					    "multipart/form-data; xboundary=a",
					    "multipart/mixed; boundary=a"};
	struct multipart *m = NULL;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		assert_false(multipart_new(types[i], "file", feed_read, NULL, &m));
	char longest[400] = "multipart/form-data; boundary=";
	memset(longest + 30, 'b', 201);
	assert_false(multipart_new(longest, "file", feed_read, NULL, &m));
	assert_true(multipart_new("Multipart/Form-Data; charset=utf-8; BOUNDARY=\"a b\\\"c\"", "file", feed_read, NULL,
				  &m));
	multipart_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_framing_is_an_error), cmocka_unit_test(content_survives_any_cut),
		cmocka_unit_test(other_names_are_not_it),     cmocka_unit_test(sizes_are_limited),
		cmocka_unit_test(large_content_streams),      cmocka_unit_test(the_sources_error_is_passed_on),
		cmocka_unit_test(content_types_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
