#include "pgwire/copy_encoding.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>

struct copy_encoding {
	const char *name;	  /* PostgreSQL's */
	const char *iconv;	  /* the system's */
	const char *spellings[4]; /* others, as normal() leaves them */
	size_t bytes;		  /* of a character, at the most */
};

static const struct copy_encoding ENCODINGS[] = {
	{"BIG5", "BIG5", {"win950", "windows950"}, 2},
	{"EUC_CN", "EUC-CN", {NULL}, 2},
	{"EUC_JIS_2004", "EUC-JISX0213", {NULL}, 3},
	{"EUC_JP", "EUC-JP", {NULL}, 3},
	{"EUC_KR", "EUC-KR", {NULL}, 2},
	{"EUC_TW", "EUC-TW", {NULL}, 4},
	{"GB18030", "GB18030", {NULL}, 4},
	{"GBK", "GBK", {"win936", "windows936"}, 2},
	{"ISO_8859_5", "ISO-8859-5", {NULL}, 1},
	{"ISO_8859_6", "ISO-8859-6", {NULL}, 1},
	{"ISO_8859_7", "ISO-8859-7", {NULL}, 1},
	{"ISO_8859_8", "ISO-8859-8", {NULL}, 1},
	{"JOHAB", "JOHAB", {NULL}, 2},
	{"KOI8R", "KOI8-R", {"koi8"}, 1},
	{"KOI8U", "KOI8-U", {NULL}, 1},
	{"LATIN1", "ISO-8859-1", {"iso88591"}, 1},
	{"LATIN2", "ISO-8859-2", {"iso88592"}, 1},
	{"LATIN3", "ISO-8859-3", {"iso88593"}, 1},
	{"LATIN4", "ISO-8859-4", {"iso88594"}, 1},
	{"LATIN5", "ISO-8859-9", {"iso88599"}, 1},
	{"LATIN6", "ISO-8859-10", {"iso885910"}, 1},
	{"LATIN7", "ISO-8859-13", {"iso885913"}, 1},
	{"LATIN8", "ISO-8859-14", {"iso885914"}, 1},
	{"LATIN9", "ISO-8859-15", {"iso885915"}, 1},
	{"LATIN10", "ISO-8859-16", {"iso885916"}, 1},
	{"SHIFT_JIS_2004", "SHIFT_JISX0213", {"shiftjis2004"}, 2},
	{"SJIS", "CP932", {"mskanji", "shiftjis", "win932", "windows932"}, 2},
	{"UHC", "CP949", {"win949", "windows949"}, 2},
	{"WIN866", "CP866", {"alt", "windows866"}, 1},
	{"WIN874", "CP874", {"windows874"}, 1},
	{"WIN1250", "CP1250", {"windows1250"}, 1},
	{"WIN1251", "CP1251", {"win", "windows1251"}, 1},
	{"WIN1252", "CP1252", {"windows1252"}, 1},
	{"WIN1253", "CP1253", {"windows1253"}, 1},
	{"WIN1254", "CP1254", {"windows1254"}, 1},
	{"WIN1255", "CP1255", {"windows1255"}, 1},
	{"WIN1256", "CP1256", {"windows1256"}, 1},
	{"WIN1257", "CP1257", {"windows1257"}, 1},
	{"WIN1258", "CP1258", {"windows1258", "tcvn", "vscii", "abc"}, 1},
};

enum { NAME_MAX_BYTES = 32, UTF8_BYTES = 4, PIECE = 4096 };

/* Small letters and digits only. */
static void normal(struct span name, char ret[NAME_MAX_BYTES])
{
	size_t n = 0;
	for (size_t i = 0; i < name.len && n < NAME_MAX_BYTES - 1; i++) {
		const char c = name.ptr[i];
		const char small = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
		if ((small >= 'a' && small <= 'z') || (small >= '0' && small <= '9'))
			ret[n++] = small;
	}
	ret[n] = '\0';
}

static bool is_named(const struct copy_encoding *c, const char *wanted)
{
	char name[NAME_MAX_BYTES];
	normal(span_of(c->name), name);
	bool is = strcmp(name, wanted) == 0;
	for (size_t i = 0; i < ARRAY_LEN(c->spellings) && c->spellings[i]; i++)
		is = is || strcmp(c->spellings[i], wanted) == 0;
	return is;
}

bool copy_encoding_find(struct span name, const struct copy_encoding **ret)
{
	static const char *const utf8[] = {"utf8", "unicode", "sqlascii"};
	char wanted[NAME_MAX_BYTES];
	normal(name, wanted);
	*ret = NULL;
	for (size_t i = 0; i < ARRAY_LEN(utf8); i++)
		if (strcmp(utf8[i], wanted) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(ENCODINGS) && !*ret; i++)
		if (is_named(&ENCODINGS[i], wanted))
			*ret = &ENCODINGS[i];
	return *ret;
}

bool copy_recoder_open(struct copy_recoder *r, const struct copy_encoding *encoding, bool to_utf8, struct pg_error *e)
{
	*r = (struct copy_recoder){0};
	if (!encoding)
		return true;
	iconv_t iconv = to_utf8 ? iconv_open("UTF-8", encoding->iconv) : iconv_open(encoding->iconv, "UTF-8");
	if (iconv == (iconv_t)-1)
		return pg_error_set(e, "0A000", "conversion between UTF8 and %s is not supported on this system",
				    encoding->name);
	*r = (struct copy_recoder){.encoding = encoding, .iconv = iconv, .to_utf8 = to_utf8};
	return true;
}

void copy_recoder_close(struct copy_recoder *r)
{
	if (r->encoding)
		(void)iconv_close(r->iconv);
	r->encoding = NULL;
}

/* The bytes at fault; one-byte encodings have no wrong sequences, only bytes without a meaning. */
static bool refuse(const struct copy_recoder *r, const char *at, size_t n, struct pg_error *e)
{
	enum { SHOWN = 5 };
	const unsigned char lead = (unsigned char)*at;
	const char *from = r->to_utf8 ? r->encoding->name : "UTF8", *to = r->to_utf8 ? "UTF8" : r->encoding->name;
	char hex[UTF8_BYTES * SHOWN + 1] = "";
	size_t shown = r->to_utf8     ? (r->encoding->bytes > 1 && lead >= 0x80 ? 2 : 1)
		       : lead >= 0xf0 ? 4
		       : lead >= 0xe0 ? 3
		       : lead >= 0xc0 ? 2
				      : 1;
	for (size_t i = 0; i < shown && i < n; i++)
		(void)snprintf(hex + SHOWN * i, SHOWN + 1, " 0x%02x", (unsigned char)at[i]);
	if (r->to_utf8 && r->encoding->bytes > 1)
		return pg_error_set(e, "22021", "invalid byte sequence for encoding \"%s\":%s", from, hex);
	return pg_error_set(e, "22P05",
			    "character with byte sequence%s in encoding \"%s\" has no equivalent in encoding \"%s\"",
			    hex, from, to);
}

/* *in moves behind what was converted. */
static bool convert(struct copy_recoder *r, struct span *in, struct buf *out, struct pg_error *e)
{
	while (in->len) {
		char *from = (char *)(uintptr_t)in->ptr;
		size_t left = in->len, room = PIECE;
		char *to = buf_reserve(out, PIECE);
		if (!to)
			return pg_error_set(e, "54000", "COPY data is too long");
		const size_t result = iconv(r->iconv, &from, &left, &to, &room);
		const int why = errno;
		buf_commit(out, PIECE - room);
		*in = span_skip(*in, in->len - left);
		if (result != (size_t)-1 || why == EINVAL)
			return true;
		if (why != E2BIG)
			return refuse(r, in->ptr, in->len, e);
	}
	return true;
}

/* Completes the character that the piece before cut. */
static bool convert_rest(struct copy_recoder *r, struct span *in, struct buf *out, struct pg_error *e)
{
	while (r->rest_len && in->len) {
		if (r->rest_len == sizeof(r->rest))
			return refuse(r, r->rest, r->rest_len, e);
		r->rest[r->rest_len++] = *in->ptr;
		*in = span_skip(*in, 1);
		struct span rest = {r->rest, r->rest_len};
		if (!convert(r, &rest, out, e))
			return false;
		r->rest_len = rest.len;
		memmove(r->rest, rest.ptr, rest.len);
	}
	return true;
}

bool copy_recoder_put(struct copy_recoder *r, struct span in, bool last, struct buf *out, struct pg_error *e)
{
	if (!convert_rest(r, &in, out, e) || !convert(r, &in, out, e))
		return false;
	if (in.len > sizeof(r->rest))
		return refuse(r, in.ptr, in.len, e);
	if (in.len)
		memcpy(r->rest, in.ptr, in.len);
	r->rest_len = in.len ? in.len : r->rest_len;
	return !last || !r->rest_len || refuse(r, r->rest, r->rest_len, e);
}
