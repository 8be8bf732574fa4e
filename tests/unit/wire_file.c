#include "wire_file.h"

#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

const char *wire_get(const struct wire_case *c, const char *key)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->fields[i].key, key) == 0)
			return c->fields[i].value;
	return NULL;
}

static void put_escape(const char **at, struct buf *out)
{
	static const char from[] = "nrt0\\\"";
	static const char to[] = "\n\r\t\0\\\"";
	const char *known = strchr(from, **at);
	if (known && **at) {
		buf_byte(out, to[known - from]);
		(*at)++;
		return;
	}
	unsigned char byte;
	assert_true(**at == 'x' && hash_unhex((struct span){*at + 1, 2}, &byte, 1));
	buf_byte(out, (char)byte);
	*at += 3;
}

static const char *put_item(const char *at, struct buf *out)
{
	if (*at == '"') {
		for (at++; *at != '"';) {
			assert_true(*at != '\0');
			if (*at == '\\') {
				at++;
				put_escape(&at, out);
			} else {
				buf_byte(out, *at++);
			}
		}
		return at + 1;
	}
	if (*at == 'i') {
		char *end;
		long bits = strtol(at + 1, &end, 10);
		assert_int_equal(*end, ':');
		long long value = strtoll(end + 1, &end, 0);
		for (long shift = bits - 8; shift >= 0; shift -= 8)
			buf_byte(out, (char)(value >> shift));
		return end;
	}
	unsigned char byte;
	assert_true(hash_unhex((struct span){at, 2}, &byte, 1));
	buf_byte(out, (char)byte);
	return at + 2;
}

void wire_bytes(const char *at, struct buf *out)
{
	while (*at) {
		if (*at == ' ') {
			at++;
			continue;
		}
		size_t start = out->len;
		at = put_item(at, out);
		size_t item = out->len - start;
		if (*at == '*') {
			char *end;
			long times = strtol(at + 1, &end, 10);
			at = end;
			for (long i = 1; i < times; i++) {
				char *copy = buf_reserve(out, item);
				assert_non_null(copy);
				memcpy(copy, out->ptr + start, item);
				buf_commit(out, item);
			}
		}
	}
	assert_false(out->failed);
}

static void finish(struct wire_case *c, size_t *count, void (*run)(const struct wire_case *c))
{
	if (!*c->name)
		return;
	run(c);
	(*count)++;
	*c = (struct wire_case){0};
}

static void add_field(struct wire_case *c, char *text)
{
	char *colon = strstr(text, ":");
	assert_non_null(colon);
	*colon = '\0';
	const char *value = colon + 1 + (colon[1] == ' ');
	assert_true(c->count < ARRAY_LEN(c->fields));
	(void)snprintf(c->fields[c->count].key, sizeof(c->fields[0].key), "%s", text + strspn(text, " \t"));
	(void)snprintf(c->fields[c->count++].value, sizeof(c->fields[0].value), "%s", value);
}

size_t wire_file_run(const char *path, void (*run)(const struct wire_case *c))
{
	static struct wire_case c;
	char full[1024], line[8192];
	size_t count = 0;
	int number = 0;
	(void)snprintf(full, sizeof(full), "%s/%s", WIRE_DIR, path);
	FILE *file = fopen(full, "r");
	if (!file)
		fail_msg("cannot read %s", full);
	c = (struct wire_case){0};
	while (fgets(line, sizeof(line), file)) {
		number++;
		line[strcspn(line, "\n")] = '\0';
		if (*line == '#')
			continue;
		if (*line == '\0') {
			finish(&c, &count, run);
		} else if (*line == ' ' || *line == '\t') {
			add_field(&c, line);
		} else {
			finish(&c, &count, run);
			c.line = number;
			(void)snprintf(c.name, sizeof(c.name), "%.*s", (int)sizeof(c.name) - 1, line);
		}
	}
	finish(&c, &count, run);
	(void)fclose(file);
	return count;
}
