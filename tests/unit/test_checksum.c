#include "base/arena.h"
#include "base/base64.h"
#include "base/fs.h"
#include "base/hash.h"
#include "storage/blob.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { ALL = (1 << CHECKSUMS) - 1 };

static void digest_of(const void *bytes, size_t n, struct digest_values *ret)
{
	struct digests d;
	digests_begin(&d, ALL);
	digests_update(&d, bytes, n);
	digests_finish(&d, ret);
}

static void assert_base64(const struct digest_values *v, enum checksum checksum, const char *expected)
{
	char text[BASE64_SIZE(CHECKSUM_BYTES_MAX)];
	base64_write(v->of[checksum], checksum_size(checksum), text);
	assert_string_equal(text, expected);
}

static void checksums_have_their_check_values(void **state)
{
	(void)state;
	struct digest_values v;
	digest_of("123456789", 9, &v);
	assert_base64(&v, CHECKSUM_CRC64NVME, "rosUhgp5mIg=");
	assert_base64(&v, CHECKSUM_CRC32C, "4waSgw==");
	assert_base64(&v, CHECKSUM_CRC32, "y/Q5Jg==");
	assert_base64(&v, CHECKSUM_MD5, "JfnnlDI7RTiF9RgfG2JNCw==");
	assert_base64(&v, CHECKSUM_SHA1, "98O8HYCOBHMq32eZZczDTKeuNEE=");
	assert_base64(&v, CHECKSUM_SHA256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=");
	digest_of("id,name\n1,Ada\n", 14, &v);
	assert_base64(&v, CHECKSUM_CRC32, "tsOTXA==");
	assert_base64(&v, CHECKSUM_MD5, "bBq+8p2MePuOaW+UVGo5GA==");
	digest_of("", 0, &v);
	assert_base64(&v, CHECKSUM_CRC32, "AAAAAA==");
	assert_base64(&v, CHECKSUM_CRC64NVME, "AAAAAAAAAAA=");
}

/* Cut anywhere, in any alignment, the values are the same; and those of two halves combine to those of the whole. */
static void checksums_do_not_depend_on_the_cut(void **state)
{
	(void)state;
	unsigned char bytes[1003];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 131 + (i >> 3));
	struct digest_values whole;
	digest_of(bytes, sizeof(bytes), &whole);
	for (size_t cut = 0; cut <= sizeof(bytes); cut += 17) {
		struct digest_values split, a, b;
		struct digests d;
		digests_begin(&d, ALL);
		digests_update(&d, bytes, cut);
		digests_update(&d, bytes + cut, sizeof(bytes) - cut);
		digests_finish(&d, &split);
		assert_memory_equal(split.of, whole.of, sizeof(whole.of));
		digest_of(bytes, cut, &a);
		digest_of(bytes + cut, sizeof(bytes) - cut, &b);
		for (enum checksum c = 0; c < CHECKSUM_CRCS; c++) {
			unsigned char both[CHECKSUM_BYTES_MAX] = {0};
			checksum_combine(c, a.of[c], b.of[c], sizeof(bytes) - cut, both);
			assert_memory_equal(both, whole.of[c], checksum_size(c));
		}
	}
}

static void base64_is_strict(void **state)
{
	(void)state;
	unsigned char bytes[8];
	size_t n;
	char text[BASE64_SIZE(3)];
	assert_true(base64_read(SPAN("egKNKg=="), bytes, sizeof(bytes), &n));
	assert_int_equal(n, 4);
	assert_true(base64_read(SPAN(""), bytes, sizeof(bytes), &n));
	assert_int_equal(n, 0);
	const char *bad[] = {
		"egKNKg=", "egKNKg", "====", "e===", "egKN!g==", "egKNKh==", "e g=", "=egK", "AAAAAAAAAAAA"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(base64_read(span_of(bad[i]), bytes, sizeof(bytes), &n));
	assert_int_equal(base64_write_url("\xff\xef", 2, text), 3);
	assert_string_equal(text, "_-8");
	assert_true(base64_read_url(SPAN("_-8"), bytes, sizeof(bytes), &n) && n == 2 && bytes[0] == 0xff);
	assert_false(base64_read_url(SPAN("_-8="), bytes, sizeof(bytes), &n));
	assert_false(base64_read_url(SPAN("a/b-"), bytes, sizeof(bytes), &n));
	assert_false(base64_read_url(SPAN("AAAAA"), bytes, sizeof(bytes), &n));
}

static void blob_is_gone_unless_kept(void **state)
{
	(void)state;
	char dir[] = "/tmp/test_blob.XXXXXX";
	struct err err = ERR_INIT;
	struct blob b;
	struct digest_values again;
	struct arena *arena = arena_new();
	assert_non_null(mkdtemp(dir));
	assert_true(blob_begin(&b, dir, BLOB_ETAG, &err));
	assert_true(blob_write(&b, "abc", 3, &err));
	assert_true(fs_exists(b.path));
	blob_end(&b, false);
	assert_false(fs_exists(b.path));

	assert_true(blob_begin(&b, dir, BLOB_ETAG, &err));
	assert_true(blob_write(&b, "aaaaa", 5, &err) && blob_write(&b, "bbbbb", 5, &err) && blob_finish(&b, &err));
	blob_end(&b, true);
	assert_string_equal(blob_path(arena, dir, b.content), b.path);
	int fd = open(b.path, O_RDONLY);
	assert_true(blob_digest(fd, BLOB_ETAG, &again, &err));
	assert_memory_equal(again.of[CHECKSUM_MD5], b.values.of[CHECKSUM_MD5], 16);

	struct blob copy;
	assert_true(blob_begin(&copy, dir, 0, &err));
	assert_true(blob_append(&copy, fd, 3, 4, &err) && blob_append(&copy, fd, 0, 1, &err) &&
		    blob_finish(&copy, &err));
	assert_int_equal(fs_size(copy.path), 5);
	assert_false(blob_append(&copy, fd, 8, 3, &err));
	blob_end(&copy, false);
	(void)close(fd);
	blob_remove(dir, b.content);
	assert_false(fs_exists(b.path));
	assert_true(fs_remove_tree(dir, &err));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksums_have_their_check_values),
		cmocka_unit_test(checksums_do_not_depend_on_the_cut),
		cmocka_unit_test(base64_is_strict),
		cmocka_unit_test(blob_is_gone_unless_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
