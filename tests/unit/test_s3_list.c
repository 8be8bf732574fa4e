#include "s3/list.h"
#include "s3/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct keys {
	const char *const *list;
	size_t n;
	size_t visited;
};

static void scan(void *ctx, struct span after, bool (*visit)(void *call, struct span key, const void *item), void *call)
{
	struct keys *keys = ctx;
	for (size_t i = 0; i < keys->n; i++) {
		if (span_cmp(span_of(keys->list[i]), after) <= 0)
			continue;
		keys->visited++;
		if (!visit(call, span_of(keys->list[i]), keys->list[i]))
			return;
	}
}

static void append(void *ctx, struct span name, const void *item)
{
	buf_span(ctx, name);
	buf_str(ctx, item ? " " : "* ");
}

static const char *const tree[] = {"a", "a.txt", "b/", "b/1",  "b/2", "b/c/1", "b/c/2",
				   "c", "d/x",	 "d0", "e//1", "e/1", "zz",    "\xc4\x8d/a"};

static void assert_page(struct list_query query, const char *expected, bool truncated)
{
	struct keys keys = {tree, ARRAY_LEN(tree), 0};
	struct list_source source = {scan, &keys};
	struct list_page page;
	struct buf out = BUF(1000);
	buf_str(&out, "");
	list_run(&query, &source, append, &out, &page);
	assert_string_equal(out.ptr ? out.ptr : "", expected);
	assert_int_equal(page.truncated, truncated);
	buf_done(&out);
}

static void listing_follows_the_rules(void **state)
{
	(void)state;
	assert_page((struct list_query){.max = 100}, "a a.txt b/ b/1 b/2 b/c/1 b/c/2 c d/x d0 e//1 e/1 zz \xc4\x8d/a ",
		    false);
	assert_page((struct list_query){.max = 100, .delimiter = SPAN("/")}, "a a.txt b/* c d/* d0 e/* zz \xc4\x8d/* ",
		    false);
	assert_page((struct list_query){.max = 100, .delimiter = SPAN("/"), .prefix = SPAN("b/")}, "b/ b/1 b/2 b/c/* ",
		    false);
	assert_page((struct list_query){.max = 3, .delimiter = SPAN("/")}, "a a.txt b/* ", true);
	assert_page((struct list_query){.max = 3, .delimiter = SPAN("/"), .after = SPAN("b/")}, "c d/* d0 ", true);
	assert_page((struct list_query){.max = 3, .delimiter = SPAN("/"), .after = SPAN("b/1")}, "c d/* d0 ", true);
	assert_page((struct list_query){.max = 2, .delimiter = SPAN("/"), .after = SPAN("zz")}, "\xc4\x8d/* ", false);
	assert_page((struct list_query){.max = 0}, "", false);
	assert_page((struct list_query){.max = 9, .prefix = SPAN("b"), .after = SPAN("b/c/1")}, "b/c/2 ", false);
	assert_page((struct list_query){.max = 9, .prefix = SPAN("b"), .after = SPAN("c")}, "", false);
	assert_page((struct list_query){.max = 9, .prefix = SPAN("e/"), .delimiter = SPAN("/")}, "e//* e/1 ", false);
	assert_page((struct list_query){.max = 9, .delimiter = SPAN("c/")}, "a a.txt b/ b/1 b/2 b/c/* c d/x d0 ", true);
	assert_page((struct list_query){.max = 2, .prefix = SPAN("e/1")}, "e/1 ", false);
}

/* However the pages are cut, together they show each entry once, in order. */
static void pages_add_up(void **state)
{
	(void)state;
	for (size_t max = 1; max < 12; max++) {
		struct keys keys = {tree, ARRAY_LEN(tree), 0};
		struct list_source source = {scan, &keys};
		struct list_page page = {.truncated = true};
		struct buf out = BUF(1000);
		char after[LIST_POSITION_MAX];
		size_t after_len = 0;
		for (unsigned pages = 0; page.truncated; pages++) {
			struct list_query query = {.delimiter = SPAN("/"), .max = max, .after = {after, after_len}};
			assert_true(pages < 20);
			list_run(&query, &source, append, &out, &page);
			memcpy(after, page.last, page.last_len);
			after_len = page.last_len;
		}
		assert_string_equal(out.ptr, "a a.txt b/* c d/* d0 e/* zz \xc4\x8d/* ");
		buf_done(&out);
	}
}

static void tokens_are_checked(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	struct span back;
	const char *token = list_token(arena, SPAN("b/ \xc4\x8d&<"));
	assert_int_equal(strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
			 strlen(token));
	assert_true(list_token_read(arena, span_of(token), &back, &err));
	assert_true(span_is(back, "b/ \xc4\x8d&<"));
	assert_false(list_token_read(arena, SPAN("b/"), &back, &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	assert_false(list_token_read(arena, SPAN(""), &back, &err));
	assert_false(list_token_read(arena, SPAN("AAAAAAAA"), &back, &err));
	arena_free(arena);
}

static bool collect(void *ctx, const struct xml_element *e, struct err *err)
{
	(void)err;
	buf_printf(ctx, "%u:%s/%s=%.*s;", e->depth, e->parent, e->name, SPAN_ARG(e->text));
	return true;
}

static void xml_is_read_in_order(void **state)
{
	(void)state;
	struct buf out = BUF(10000);
	struct err err = ERR_INIT;
	assert_true(xml_read(SPAN("<?xml version=\"1.0\"?>\n<Delete xmlns=\"urn:x\"><Quiet>true</Quiet><x:Object "
				  "xmlns:x='urn:y'><Key>a&amp;&#x10D;<![CDATA[<b>]]> </Key></x:Object></Delete>"),
			     "Delete", collect, &out, &err));
	assert_string_equal(out.ptr, "2:Delete/Quiet=true;3:Object/Key=a&\xc4\x8d<b> ;2:Delete/Object=;1:/Delete=;");
	buf_done(&out);
}

static void xml_attacks_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"x",
		"<Delete>",
		"<Delete></Delet>",
		"<Delete/><Delete/>",
		"<Other/>",
		"<Delete><Key>a & b</Key></Delete>",
		"<Delete>&unknown;</Delete>",
		"<!DOCTYPE Delete><Delete/>",
		"<!DOCTYPE d [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><Delete>&b;</Delete>",
		"<!DOCTYPE d SYSTEM \"file:///etc/passwd\"><Delete/>",
		"<!DOCTYPE d [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Delete>&x;</Delete>",
		"<Delete><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></Delete>",
		"<Delete>\x01</Delete>",
		"<Delete>\xff\xfe</Delete>",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct buf out = BUF(10000);
		struct err err = ERR_INIT;
		assert_false(xml_read(span_of(bad[i]), "Delete", collect, &out, &err));
		assert_int_equal(err.code, ERR_MALFORMED_XML);
		buf_done(&out);
	}
	struct buf large = BUF(XML_BYTES_MAX + 100), out = BUF(100);
	struct err err = ERR_INIT;
	buf_str(&large, "<Delete><Key>");
	for (size_t i = 0; i < XML_TEXT_MAX + 1; i++)
		buf_byte(&large, 'a');
	buf_str(&large, "</Key></Delete>");
	assert_false(xml_read(buf_view(&large), "Delete", collect, &out, &err));
	while (large.len <= XML_BYTES_MAX)
		buf_byte(&large, ' ');
	assert_false(xml_read(buf_view(&large), "Delete", collect, &out, &err));
	assert_int_equal(err.code, ERR_MALFORMED_XML);
	buf_done(&large);
	buf_done(&out);
}

static void xml_is_escaped(void **state)
{
	(void)state;
	struct buf out = BUF(1000);
	xml_open(&out, "A");
	xml_str(&out, "K", "a<b>&c\r\n");
	xml_int(&out, "N", -3);
	xml_time(&out, "T", 1741944413999999);
	xml_close(&out, "A");
	assert_string_equal(out.ptr,
			    "<A><K>a&lt;b&gt;&amp;c&#13;&#10;</K><N>-3</N><T>2025-03-14T09:26:53.000Z</T></A>");
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listing_follows_the_rules), cmocka_unit_test(pages_add_up),
		cmocka_unit_test(tokens_are_checked),	     cmocka_unit_test(xml_is_read_in_order),
		cmocka_unit_test(xml_attacks_are_refused),   cmocka_unit_test(xml_is_escaped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
