/* Numbers in PostgreSQL's patterns. */
#include "pgwire/to_char.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* A pattern, counted before anything is written. */
struct shape {
	size_t whole, fraction; /* digits in front of the point and behind it */
	size_t first_zero;	/* of those in front, SIZE_MAX: none */
	size_t last_zero;	/* how many behind are kept by a 0 */
	bool fill, point;
	bool sign_place; /* S, MI, SG or PR say where the sign stands */
	bool brackets;
};

struct number {
	char whole[TO_CHAR_DIGITS_MAX + 2], fraction[TO_CHAR_DIGITS_MAX + 2];
	size_t whole_len;
	bool negative, overflows;
};

struct state {
	const struct shape *shape;
	const struct number *n;
	struct buf *out;
	size_t digit; /* how many of the pattern's digits are written */
	bool fraction, begun;
	bool leading; /* S in front: the sign is + or - where the number begins */
};

static const char *const PATTERNS[] = {"FM", "MI", "PL", "SG", "PR", "TH", "RN", "EEEE", "9",
				       "0",  ".",  "D",	 ",",  "G",  "S",  "L",	 "V",	 "B"};

/* The pattern's next word; NULL: a character that stands for itself. */
static const char *next_word(struct span pattern)
{
	for (size_t i = 0; i < ARRAY_LEN(PATTERNS); i++)
		if (span_eq_nocase(span_first(pattern, strlen(PATTERNS[i])), span_of(PATTERNS[i])))
			return PATTERNS[i];
	return NULL;
}

static bool is(const char *word, const char *other)
{
	return word && strcmp(word, other) == 0;
}

static void count_digit(struct shape *s, bool zero)
{
	if (s->point) {
		s->fraction++;
		s->last_zero = zero ? s->fraction : s->last_zero;
		return;
	}
	if (zero && s->first_zero == SIZE_MAX)
		s->first_zero = s->whole;
	s->whole++;
}

static bool is_any(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is(word, words[i]))
			return true;
	return false;
}

static void count_word(struct shape *s, const char *word, const char **ret_error)
{
	static const char *const signs[] = {"S", "MI", "SG", "PR"};
	static const char *const missing[] = {"RN", "EEEE", "V", "B"};
	if (is_any(word, missing, ARRAY_LEN(missing)))
		*ret_error = "RN, V, B and EEEE are not supported in patterns of to_char()";
	else if (is(word, "9") || is(word, "0"))
		count_digit(s, is(word, "0"));
	s->point = s->point || is(word, ".") || is(word, "D");
	s->fill = s->fill || is(word, "FM");
	s->brackets = s->brackets || is(word, "PR");
	s->sign_place = s->sign_place || is_any(word, signs, ARRAY_LEN(signs));
}

static bool read_shape(struct span pattern, struct shape *s, const char **ret_error)
{
	*s = (struct shape){.first_zero = SIZE_MAX};
	while (pattern.len) {
		const char *word = next_word(pattern);
		if (*pattern.ptr == '"') {
			pattern = span_skip(pattern, 1);
			pattern = span_skip(pattern, span_find(pattern, '"') + 1);
			continue;
		}
		count_word(s, word, ret_error);
		pattern = span_skip(pattern, word ? strlen(word) : 1);
	}
	if (s->whole > TO_CHAR_DIGITS_MAX || s->fraction > TO_CHAR_DIGITS_MAX)
		*ret_error = "the pattern has too many digits";
	return !*ret_error;
}

/* Rounds half away from zero, in the digits themselves. */
static void round_up(char *digits, size_t n)
{
	while (n-- > 0) {
		if (digits[n] != '9') {
			digits[n]++;
			return;
		}
		digits[n] = '0';
	}
}

/* Digits and a point, without a sign and an exponent. */
static bool read_text(struct span value, char *text, size_t size)
{
	if (!value.len || value.len >= size)
		return false;
	memcpy(text, value.ptr, value.len);
	text[value.len] = '\0';
	if (strpbrk(text, "eE"))
		(void)snprintf(text, size, "%.20f", strtod(text, NULL));
	for (const char *c = text; *c; c++)
		if (!isdigit((unsigned char)*c) && *c != '.')
			return false;
	return true;
}

/* `all` has one more digit in front, which rounding may need, then `whole` ones and those of the fraction. */
static void take_digits(struct number *n, const struct shape *s, const char *all, size_t whole)
{
	const char *start = all[0] == '0' ? all + 1 : all;
	n->whole_len = whole + (start == all);
	n->overflows = n->whole_len > s->whole;
	if (!n->overflows)
		memcpy(n->whole, start, n->whole_len);
	memcpy(n->fraction, all + 1 + whole, s->fraction);
	/* Zero without digits behind it is one digit. */
	if (!n->whole_len && !s->fraction && s->whole)
		n->whole[n->whole_len++] = '0';
}

static bool read_number(struct span value, const struct shape *s, struct number *n)
{
	char text[1024], all[sizeof(text) + TO_CHAR_DIGITS_MAX + 2] = "0";
	value = span_trim(value);
	*n = (struct number){.negative = value.len && *value.ptr == '-'};
	if (!read_text(span_skip(value, value.len && (*value.ptr == '-' || *value.ptr == '+')), text, sizeof(text)))
		return false;
	const char *point = strchr(text, '.'), *behind = point ? point + 1 : "";
	const size_t len = point ? (size_t)(point - text) : strlen(text), given = strlen(behind);
	const size_t zeros = strspn(text, "0"), whole = len > zeros ? len - zeros : 0;
	memcpy(all + 1, text + len - whole, whole);
	for (size_t i = 0; i < s->fraction; i++)
		all[1 + whole + i] = i < given ? behind[i] : '0';
	if (given > s->fraction && behind[s->fraction] >= '5')
		round_up(all, 1 + whole + s->fraction);
	take_digits(n, s, all, whole);
	return true;
}

static void begin(struct state *t)
{
	if (t->begun)
		return;
	t->begun = true;
	const bool negative = t->n->negative;
	if (t->leading)
		buf_byte(t->out, negative ? '-' : '+');
	else if (t->shape->brackets && (negative || !t->shape->fill))
		buf_byte(t->out, negative ? '<' : ' ');
	else if (!t->shape->sign_place && (negative || !t->shape->fill))
		buf_byte(t->out, negative ? '-' : ' ');
}

static void put_blank(struct state *t)
{
	if (!t->shape->fill)
		buf_byte(t->out, ' ');
}

static void put_whole(struct state *t)
{
	const size_t at = t->digit++, first = t->shape->whole - t->n->whole_len;
	if (t->n->overflows) {
		begin(t);
		buf_byte(t->out, '#');
	} else if (at >= first) {
		begin(t);
		buf_byte(t->out, t->n->whole[at - first]);
	} else if (at >= t->shape->first_zero) {
		begin(t);
		buf_byte(t->out, '0');
	} else {
		put_blank(t);
	}
}

static void put_fraction(struct state *t)
{
	const size_t at = t->digit++ - t->shape->whole;
	size_t shown = t->shape->fraction;
	while (t->shape->fill && shown > t->shape->last_zero && t->n->fraction[shown - 1] == '0')
		shown--;
	if (t->n->overflows)
		buf_byte(t->out, '#');
	else if (at < shown)
		buf_byte(t->out, t->n->fraction[at]);
}

static void put_sign(struct state *t, const char *word, bool last)
{
	static const struct {
		const char *word;
		char negative, positive; /* a blank is nothing with FM */
	} signs[] = {{"S", '-', '+'}, {"SG", '-', '+'}, {"MI", '-', ' '}, {"PL", ' ', '+'}, {"PR", '>', ' '}};
	if (is(word, "S") && !t->begun && !last) {
		t->leading = true;
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		const char c = t->n->negative ? signs[i].negative : signs[i].positive;
		if (is(word, signs[i].word) && (c != ' ' || !t->shape->fill))
			buf_byte(t->out, c);
	}
}

static void put_ordinal(struct state *t, bool lower)
{
	static const char *const texts[] = {"TH", "ST", "ND", "RD"};
	const size_t n = t->n->whole_len;
	const int last = n ? t->n->whole[n - 1] - '0' : 0;
	const bool teen = n > 1 && t->n->whole[n - 2] == '1';
	if (t->n->negative || t->n->overflows || t->shape->fraction)
		return;
	for (const char *c = texts[!teen && last <= 3 ? last : 0]; *c; c++)
		buf_byte(t->out, lower ? (char)tolower((unsigned char)*c) : *c);
}

static void put_word(struct state *t, const char *word, struct span pattern)
{
	const bool last = pattern.len == strlen(word);
	if (is(word, "9") || is(word, "0")) {
		if (t->fraction)
			put_fraction(t);
		else
			put_whole(t);
	} else if (is(word, ".") || is(word, "D")) {
		begin(t);
		buf_byte(t->out, '.');
		t->fraction = true;
	} else if (is(word, ",") || is(word, "G")) {
		if (t->begun)
			buf_byte(t->out, ',');
		else
			put_blank(t);
	} else if (is(word, "TH")) {
		put_ordinal(t, *pattern.ptr == 't');
	} else if (is(word, "L")) {
		buf_byte(t->out, ' ');
	} else if (!is(word, "FM")) {
		put_sign(t, word, last);
	}
}

bool to_char_number(struct span value, struct span pattern, struct buf *out, const char **ret_error)
{
	struct shape shape;
	struct number n;
	if (!read_shape(pattern, &shape, ret_error) || !read_number(value, &shape, &n))
		return false;
	struct state t = {.shape = &shape, .n = &n, .out = out};
	while (pattern.len) {
		const char *word = next_word(pattern);
		if (*pattern.ptr == '"') {
			pattern = span_skip(pattern, 1);
			const size_t len = span_find(pattern, '"');
			buf_span(out, span_first(pattern, len));
			pattern = span_skip(pattern, len + 1);
		} else if (word) {
			put_word(&t, word, pattern);
			pattern = span_skip(pattern, strlen(word));
		} else {
			buf_byte(out, *pattern.ptr);
			pattern = span_skip(pattern, 1);
		}
	}
	return true;
}
