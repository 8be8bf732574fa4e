/* The embedded pages: found by path, whole, referring to nothing, and allowed to run exactly their own scripts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "web/pages.h"

static void find_is_exact(void **state)
{
	static const char *const none[] = {"",
					   "/",
					   "//",
					   "/dashboard",
					   "/dashboard.html//",
					   "/DASHBOARD.html",
					   "dashboard.html",
					   "/docs/../docs",
					   "/docs?x",
					   "/dashboard2.html\n"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		assert_null(web_page_find(span_of(none[i])));
	}
	assert_null(web_page_find(SPAN_NONE));
	assert_null(web_page_find((struct span){"/docs\0", 6}));
	assert_ptr_equal(web_page_find(SPAN("/docs")), web_page_find(SPAN("/docs/")));
	assert_string_equal(web_page_find(SPAN("/dashboard2.html"))->path, "/dashboard2.html");
	assert_string_equal(web_page_find(SPAN("/favicon.ico"))->content_type, "image/svg+xml");
}

static void gzip_holds_the_body(void **state)
{
	(void)state;
	for (size_t i = 0; i < web_page_count; i++) {
		const struct web_page *page = &web_pages[i];
		unsigned char *plain = malloc(page->body_len);
		z_stream z = {.next_in = (unsigned char *)(uintptr_t)page->gzip,
			      .avail_in = (unsigned)page->gzip_len,
			      .next_out = plain,
			      .avail_out = (unsigned)page->body_len};
		assert_non_null(plain);
		assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
		assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
		assert_int_equal(z.total_out, page->body_len);
		assert_int_equal(memcmp(plain, page->body, page->body_len), 0);
		inflateEnd(&z);
		free(plain);
	}
}

static void etags_tell_pages_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < web_page_count; i++) {
		assert_int_equal(web_pages[i].etag[0], '"');
		assert_int_equal(strlen(web_pages[i].etag), 34);
		for (size_t k = 0; k < web_page_count; k++) {
			bool same = web_pages[i].body == web_pages[k].body;
			assert_int_equal(strcmp(web_pages[i].etag, web_pages[k].etag) == 0, same);
		}
	}
}

static const char *find(const struct web_page *page, const char *from, const char *text)
{
	const char *body = (const char *)page->body;
	from = from ? from : body;
	return memmem(from, page->body_len - (size_t)(from - body), text, strlen(text));
}

/* The digest of an element's text, as a policy writes it. */
static void digest_source(const char *text, size_t len, char *ret_source, size_t size)
{
	unsigned char digest[32];
	unsigned char encoded[64];
	assert_int_equal(EVP_Digest(text, len, digest, NULL, EVP_sha256(), NULL), 1);
	EVP_EncodeBlock(encoded, digest, sizeof digest);
	snprintf(ret_source, size, "'sha256-%s'", (const char *)encoded);
}

static size_t check_elements(const struct web_page *page, const char *open, const char *close)
{
	size_t count = 0;
	for (const char *at = find(page, NULL, open); at; at = find(page, at, open)) {
		char source[128];
		const char *text = at + strlen(open);
		const char *end = find(page, text, close);
		assert_non_null(end);
		digest_source(text, (size_t)(end - text), source, sizeof source);
		assert_non_null(strstr(page->csp, source));
		at = end;
		count++;
	}
	return count;
}

static void policy_allows_the_page_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < web_page_count; i++) {
		const struct web_page *page = &web_pages[i];
		assert_non_null(strstr(page->csp, "default-src 'none'; connect-src 'self';"));
		assert_non_null(strstr(page->csp, "frame-ancestors 'none'"));
		assert_null(strstr(page->csp, "unsafe"));
		if (strncmp(page->content_type, "text/html", 9) == 0) {
			assert_int_equal(check_elements(page, "<style>", "</style>"), 1);
			assert_true(check_elements(page, "<script>", "</script>") >= 2);
		}
	}
}

static void pages_refer_to_no_other_file(void **state)
{
	static const char *const never[] = {"<script src", "<link rel=\"stylesheet\"",
					    "@import",	   "url(",
					    "https://cdn", " style=\"",
					    " onclick=",   "innerHTML"};
	(void)state;
	for (size_t i = 0; i < web_page_count; i++) {
		for (size_t k = 0; k < ARRAY_LEN(never); k++) {
			const char *at = find(&web_pages[i], NULL, never[k]);
			if (at) {
				fail_msg("%s holds %s", web_pages[i].path, never[k]);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(find_is_exact),
		cmocka_unit_test(gzip_holds_the_body),
		cmocka_unit_test(etags_tell_pages_apart),
		cmocka_unit_test(policy_allows_the_page_and_nothing_else),
		cmocka_unit_test(pages_refer_to_no_other_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
