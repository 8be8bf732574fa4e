/* Whether a text is JSON (RFC 8259), without building what it says: a JSON column that takes texts unseen must not hold others. */
#include "pgwire/value.h"

enum { DEPTH_MAX = 1024 };

struct json_text {
	const char *at, *end;
	unsigned depth;
	unsigned char objects[DEPTH_MAX / 8]; /* a bit for each open bracket: it is a brace */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char peek(const struct json_text *j)
{
	return j->at < j->end ? *j->at : '\0';
}

static char next_token(struct json_text *j)
{
	while (j->at < j->end && (*j->at == ' ' || *j->at == '\t' || *j->at == '\n' || *j->at == '\r'))
		j->at++;
	return peek(j);
}

static bool take(struct json_text *j, char c)
{
	const bool is = j->at < j->end && *j->at == c;
	j->at += is;
	return is;
}

static bool take_hex(struct json_text *j)
{
	for (unsigned i = 0; i < 4; i++, j->at++) {
		const char c = (char)(peek(j) | 0x20);
		if (!is_digit(peek(j)) && (c < 'a' || c > 'f'))
			return false;
	}
	return true;
}

static bool take_string(struct json_text *j)
{
	if (!take(j, '"'))
		return false;
	while (j->at < j->end) {
		const char c = *j->at++;
		if (c == '"')
			return true;
		if ((unsigned char)c < 0x20)
			return false;
		if (c != '\\')
			continue;
		const char escaped = peek(j);
		j->at += escaped != '\0';
		if (escaped == 'u' ? !take_hex(j) : !escaped || !strchr("\"\\/bfnrt", escaped))
			return false;
	}
	return false;
}

static bool take_digits(struct json_text *j)
{
	const char *start = j->at;
	while (is_digit(peek(j)))
		j->at++;
	return j->at > start;
}

static bool take_number(struct json_text *j)
{
	(void)take(j, '-');
	if (!take(j, '0') && !take_digits(j))
		return false;
	if (take(j, '.') && !take_digits(j))
		return false;
	if (!take(j, 'e') && !take(j, 'E'))
		return true;
	if (!take(j, '+'))
		(void)take(j, '-');
	return take_digits(j);
}

static bool take_word(struct json_text *j)
{
	static const struct span words[] = {SPAN("true"), SPAN("false"), SPAN("null")};
	struct span rest = {j->at, (size_t)(j->end - j->at)};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (span_eq(span_first(rest, words[i].len), words[i])) {
			j->at += words[i].len;
			return true;
		}
	return false;
}

/* "key": in front of a member's value. */
static bool take_key(struct json_text *j)
{
	(void)next_token(j);
	if (!take_string(j))
		return false;
	(void)next_token(j);
	return take(j, ':');
}

static bool in_object(const struct json_text *j)
{
	return j->objects[(j->depth - 1) / 8] >> ((j->depth - 1) % 8) & 1;
}

/* An opening bracket; *ret_empty: its end stands right behind it. */
static bool open_bracket(struct json_text *j, bool *ret_empty)
{
	const bool is_object = *j->at == '{';
	if (j->depth == DEPTH_MAX)
		return false;
	const unsigned char bit = (unsigned char)(1U << (j->depth % 8));
	unsigned char *bits = &j->objects[j->depth / 8];
	*bits = (unsigned char)(is_object ? *bits | bit : *bits & ~bit);
	j->depth++;
	j->at++;
	*ret_empty = next_token(j) == (is_object ? '}' : ']');
	return *ret_empty || !is_object || take_key(j);
}

/* Behind a value: the ends of brackets, up to a comma and, in an object, the next key. */
static bool close_brackets(struct json_text *j)
{
	while (j->depth) {
		const char c = next_token(j);
		if (c == ',') {
			j->at++;
			return !in_object(j) || take_key(j);
		}
		if (c != (in_object(j) ? '}' : ']'))
			return false;
		j->at++;
		j->depth--;
	}
	return true;
}

bool value_is_json(struct span text)
{
	struct json_text j = {.at = text.ptr, .end = text.ptr + text.len};
	if (!text.len)
		return false;
	do {
		const char c = next_token(&j);
		bool is_empty = true;
		if (c == '{' || c == '[') {
			if (!open_bracket(&j, &is_empty))
				return false;
			if (!is_empty)
				continue;
		} else if (!(c == '"' ? take_string(&j) : c == '-' || is_digit(c) ? take_number(&j) : take_word(&j))) {
			return false;
		}
		if (!close_brackets(&j))
			return false;
	} while (j.depth);
	(void)next_token(&j);
	return j.at == j.end;
}
