#include "engine/import.h"

#include "base/limits.h"
#include "engine/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

/* How much of a file is looked at. */
enum { SAMPLE_BYTES = 1024 * 1024, SAMPLE_RECORDS = 1000 };

static const unsigned char gzip_magic[] = {0x1f, 0x8b}, zstd_magic[] = {0x28, 0xb5, 0x2f, 0xfd};

static bool unreadable(struct err *err, const char *why)
{
	return err_set(err, ERR_IMPORT_FAILED, "The file cannot be read: %s", why);
}

/* The first bytes of the file, up to `size`. */
static bool read_head(const char *path, void *ret, size_t size, size_t *ret_len, struct err *err)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "The file cannot be opened");
	size_t len = 0;
	ssize_t n = 1;
	while (len < size && (n = read(fd, (char *)ret + len, size - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		len += (size_t)n;
	}
	const int number = errno;
	(void)close(fd);
	if (n < 0)
		return err_errno(err, number, "The file cannot be read");
	*ret_len = len;
	return true;
}

static enum import_compression compression_of(const char *path, const void *head, size_t len)
{
	if (len >= sizeof(gzip_magic) && memcmp(head, gzip_magic, sizeof(gzip_magic)) == 0)
		return IMPORT_GZIP;
	if (len >= sizeof(zstd_magic) && memcmp(head, zstd_magic, sizeof(zstd_magic)) == 0)
		return IMPORT_ZSTD;
	const struct span name = span_of(path);
	/* A misnamed file is read as what its name says, and refused for what it is; an empty one is just empty. */
	if (len > 0 && name.len >= 3 && strcasecmp(path + name.len - 3, ".gz") == 0)
		return IMPORT_GZIP;
	if (len > 0 && name.len >= 4 && strcasecmp(path + name.len - 4, ".zst") == 0)
		return IMPORT_ZSTD;
	return IMPORT_PLAIN;
}

bool import_compression_of(const char *path, enum import_compression *ret, struct err *err)
{
	char head[4] = {0};
	size_t len = 0;
	if (!read_head(path, head, sizeof(head), &len, err))
		return false;
	*ret = compression_of(path, head, len);
	return true;
}

static bool unpack_gzip(struct span packed, char *ret, size_t size, size_t *ret_len, struct err *err)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.ptr,
		      .avail_in = (uInt)packed.len,
		      .next_out = (Bytef *)ret,
		      .avail_out = (uInt)size};
	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return err_set(err, ERR_OUT_OF_MEMORY, "No memory to unpack the file");
	const int state = inflate(&z, Z_SYNC_FLUSH);
	*ret_len = size - z.avail_out;
	(void)inflateEnd(&z);
	return state == Z_OK || state == Z_STREAM_END || state == Z_BUF_ERROR || unreadable(err, "it is no gzip file");
}

static bool unpack_zstd(struct span packed, char *ret, size_t size, size_t *ret_len, struct err *err)
{
	ZSTD_DStream *stream = ZSTD_createDStream();
	ZSTD_inBuffer in = {packed.ptr, packed.len, 0};
	ZSTD_outBuffer out = {ret, size, 0};
	size_t state = stream ? 1 : 0;
	while (stream && state > 0 && in.pos < in.size && out.pos < out.size && !ZSTD_isError(state))
		state = ZSTD_decompressStream(stream, &out, &in);
	(void)ZSTD_freeDStream(stream);
	*ret_len = out.pos;
	return !ZSTD_isError(state) || unreadable(err, "it is no zstd file");
}

/* The unpacked beginning of the file, in a malloc'ed buffer. */
static bool read_sample(const char *path, struct import_file *file, char **ret, size_t *ret_len, bool *ret_whole,
			struct err *err)
{
	char *head = mem_alloc(SAMPLE_BYTES);
	size_t len = 0;
	bool ok = read_head(path, head, SAMPLE_BYTES, &len, err);
	if (ok) {
		file->compression = compression_of(path, head, len);
		*ret_whole = len < SAMPLE_BYTES;
	}
	if (ok && file->compression != IMPORT_PLAIN) {
		char *plain = mem_alloc(SAMPLE_BYTES);
		const struct span packed = {head, len};
		ok = file->compression == IMPORT_GZIP ? unpack_gzip(packed, plain, SAMPLE_BYTES, &len, err)
						      : unpack_zstd(packed, plain, SAMPLE_BYTES, &len, err);
		*ret_whole = *ret_whole && len < SAMPLE_BYTES;
		free(head);
		head = plain;
	}
	if (!ok) {
		free(head);
		return false;
	}
	*ret = head;
	*ret_len = len;
	return true;
}

/* CSV dialects */

struct dialect {
	struct span delimiter;
	char quote; /* '\0': none */
	char escape;
};

enum field_end { FIELD_MORE, FIELD_LAST, FIELD_CUT /* the sample ends here */ };

static char char_at(struct span text, size_t i)
{
	return i < text.len ? text.ptr[i] : '\0';
}

static bool ends_record(char c)
{
	return c == '\n' || c == '\r';
}

/* The part within quotes, from behind the opening one. *ret_broken: it is not closed, or other text follows. */
static size_t quoted_part(const struct dialect *d, struct span text, size_t i, struct buf *value, bool *ret_broken)
{
	for (; i < text.len; i++) {
		const char c = text.ptr[i], next = char_at(text, i + 1);
		if (c == d->escape && next && (next == d->quote || next == d->escape)) {
			i++;
		} else if (c == d->quote) {
			const struct span behind = span_skip(text, i + 1);
			*ret_broken |= behind.len && !ends_record(next) && !span_starts(behind, d->delimiter);
			return i + 1;
		}
		if (value)
			buf_byte(value, text.ptr[i]);
	}
	*ret_broken = true;
	return i;
}

/* Reads one field at *at; `value` may be NULL. */
static enum field_end next_field(const struct dialect *d, struct span text, size_t *at, struct buf *value,
				 bool *ret_broken)
{
	size_t i = *at;
	if (d->quote && char_at(text, i) == d->quote)
		i = quoted_part(d, text, i + 1, value, ret_broken);
	for (; i < text.len; i++) {
		const char c = text.ptr[i];
		if (ends_record(c)) {
			*at = i + 1 + (c == '\r' && char_at(text, i + 1) == '\n');
			return FIELD_LAST;
		}
		if (d->delimiter.len && span_starts(span_skip(text, i), d->delimiter)) {
			*at = i + d->delimiter.len;
			return FIELD_MORE;
		}
		if (value)
			buf_byte(value, c);
	}
	*at = i;
	return FIELD_CUT;
}

struct verdict {
	size_t records;
	size_t fields; /* of the first record */
	bool even;     /* all records have as many */
	bool broken;
	size_t quoted; /* fields that begin with the quote */
};

static struct verdict try_dialect(const struct dialect *d, struct span text, bool whole)
{
	struct verdict v = {.even = true};
	size_t at = 0, fields = 0;
	while (at < text.len && v.records < SAMPLE_RECORDS) {
		bool broken = false;
		v.quoted += d->quote && text.ptr[at] == d->quote;
		const enum field_end end = next_field(d, text, &at, NULL, &broken);
		if (end == FIELD_CUT && !whole)
			break;
		v.broken |= broken;
		fields++;
		if (end == FIELD_MORE && at < text.len)
			continue;
		fields += end == FIELD_MORE; /* an empty one at the very end */
		if (v.records++ == 0)
			v.fields = fields;
		else if (fields != v.fields)
			v.even = false;
		fields = 0;
	}
	return v;
}

/* A dialect that splits every record into the same number of fields wins, the more fields the better. */
static long score(const struct verdict *v)
{
	return (v->even && v->fields > 1 ? 2000000 : 0) + (v->broken ? 0 : 1000000) +
	       (v->even || v->records == 1 ? (long)v->fields : 1);
}

static bool given(const char *option)
{
	return option && *option;
}

/* Both ways to escape a quote. */
static void try_escapes(const struct import_options *o, struct dialect d, struct span text, bool whole,
			struct dialect *best, long *best_score)
{
	const char escapes[] = {given(o->escape) ? o->escape[0] : d.quote, '\\'};
	for (size_t i = 0; i < (given(o->escape) ? 1 : ARRAY_LEN(escapes)); i++) {
		d.escape = escapes[i];
		const struct verdict v = try_dialect(&d, text, whole);
		/* An apostrophe is a quote only if it is used as one. */
		if (d.quote == '\'' && !given(o->quote) && v.quoted == 0)
			continue;
		if (score(&v) > *best_score) {
			*best_score = score(&v);
			*best = d;
		}
	}
}

static struct dialect detect(const struct import_options *o, struct span text, bool whole)
{
	static const char delimiters[] = ",;\t|", quotes[] = {'"', '\''};
	struct dialect best = {{delimiters, 1}, '"', '"'};
	long best_score = -1;
	for (size_t q = 0; q < (given(o->quote) ? 1 : ARRAY_LEN(quotes)); q++)
		for (size_t i = 0; i < (given(o->delimiter) ? 1 : sizeof(delimiters) - 1); i++) {
			const struct dialect d = {
				.delimiter =
					given(o->delimiter) ? span_of(o->delimiter) : (struct span){delimiters + i, 1},
				.quote = given(o->quote) ? o->quote[0] : quotes[q],
			};
			try_escapes(o, d, text, whole, &best, &best_score);
		}
	return best;
}

static bool looks_like_data(const struct import_file *file)
{
	for (size_t i = 0; i < file->column_count; i++) {
		const char *name = file->columns[i].name;
		char *end;
		(void)strtod(name, &end);
		if (!*name || (end != name && !*end))
			return true;
		for (size_t k = 0; k < i; k++)
			if (strcasecmp(file->columns[k].name, name) == 0)
				return true;
	}
	return false;
}

static void copy_char(char ret[8], struct span s)
{
	const size_t n = s.len < 7 ? s.len : 7;
	memcpy(ret, s.ptr, n);
	ret[n] = '\0';
}

/* `record` with what ends it. The engine takes the first line end of a file for its own, within quotes too. */
static void note_newline(struct span record, struct import_file *file)
{
	const bool pair = record.len > 1 && span_ends(record, SPAN("\r\n"));
	const size_t inner = record.len - (pair ? 2 : 1);
	file->newline[0] = '\0';
	for (size_t i = 0; i < inner; i++) {
		if (!ends_record(record.ptr[i]))
			continue;
		copy_char(file->newline, span_skip(record, inner));
		return;
	}
}

/* The fields of the first record. */
static bool read_names(const struct dialect *d, struct span text, bool whole, struct arena *arena,
		       struct import_file *file, struct err *err)
{
	struct buf value = BUF(SAMPLE_BYTES + 1);
	size_t at = 0;
	enum field_end end = FIELD_MORE;
	bool broken = false;
	file->columns = arena_array(arena, struct import_column, LIMIT_COLUMNS);
	while (end == FIELD_MORE && file->column_count < LIMIT_COLUMNS) {
		buf_reset(&value);
		end = next_field(d, text, &at, &value, &broken);
		const struct span name = buf_view(&value);
		if (!span_is_utf8(name) || (name.len && memchr(name.ptr, '\0', name.len)))
			break;
		file->columns[file->column_count++] = (struct import_column){arena_copy(arena, name), "VARCHAR"};
	}
	const bool valid = span_is_utf8(buf_view(&value)) && !memchr(buf_view(&value).ptr, '\0', value.len);
	buf_done(&value);
	if (!valid)
		return unreadable(err, "its first line is not UTF-8 text");
	if (end == FIELD_MORE)
		return err_set(err, ERR_IMPORT_FAILED, "The file has more than %d columns", LIMIT_COLUMNS);
	if (end == FIELD_CUT && (!whole || broken))
		return unreadable(err, whole ? "its first line ends within quotes" : "its first line is too long");
	if (end == FIELD_LAST)
		note_newline(span_first(text, at), file);
	return true;
}

/* False when there are not as many. */
static bool skip_lines(struct span *text, size_t n)
{
	for (; n > 0; n--) {
		size_t end = 0;
		while (end < text->len && !ends_record(text->ptr[end]))
			end++;
		if (end == text->len) {
			*text = span_skip(*text, end);
			return false;
		}
		end += text->ptr[end] == '\r' && char_at(*text, end + 1) == '\n';
		*text = span_skip(*text, end + 1);
	}
	return true;
}

static bool sniff_csv(const char *path, const struct import_options *o, struct arena *arena, struct import_file *ret,
		      struct err *err)
{
	static const struct span mark = {"\xef\xbb\xbf", 3};
	char *sample = NULL;
	size_t len = 0;
	bool whole = true;
	if (!read_sample(path, ret, &sample, &len, &whole, err))
		return false;
	struct span text = {sample, len};
	if (span_starts(text, mark))
		text = span_skip(text, mark.len);
	if (!skip_lines(&text, o->skip) && !whole) {
		free(sample);
		return unreadable(err, "the lines to skip are too long");
	}
	struct dialect d = detect(o, text, whole);
	if (o->quote && !*o->quote)
		d.quote = d.escape = '\0';
	if (o->escape && !*o->escape)
		d.escape = '\0';
	copy_char(ret->delimiter, d.delimiter);
	copy_char(ret->quote, (struct span){&d.quote, d.quote != '\0'});
	copy_char(ret->escape, (struct span){&d.escape, d.escape != '\0'});
	const bool ok = text.len == 0 || read_names(&d, text, whole, arena, ret, err);
	ret->has_header = o->detect_header ? !looks_like_data(ret) : o->header;
	if (ok && !ret->has_header)
		for (size_t i = 0; i < ret->column_count; i++)
			ret->columns[i].name = arena_printf(arena, "column%zu", i);
	free(sample);
	return ok;
}

/* The engine would expand them as patterns. */
static bool path_is_plain(const char *path, struct err *err)
{
	if (!path[strcspn(path, "*?[]{}\\")])
		return true;
	return err_set(err, ERR_IMPORT_FAILED, "The path of a file to read must not contain any of * ? [ ] { } \\");
}

static void parquet_sql(const char *path, struct buf *out)
{
	sql_printf(out, "read_parquet(%L, hive_partitioning=false, filename=false, union_by_name=false)", path);
}

static bool sniff_parquet(struct session *session, const char *path, struct arena *arena, struct import_file *ret,
			  struct err *err)
{
	struct buf sql = BUF(64 * KIB);
	struct statement *s;
	const char *text;
	char head[4] = {0};
	size_t len = 0;
	if (!read_head(path, head, sizeof(head), &len, err))
		return false;
	if (len < sizeof(head) || memcmp(head, "PAR1", 4) != 0)
		return unreadable(err, "it is no Parquet file");
	buf_str(&sql, "SELECT * FROM ");
	parquet_sql(path, &sql);
	const bool ok = sql_finish(&sql, &text, err) && statement_prepare(session, text, &s, err);
	buf_done(&sql);
	if (!ok) {
		const struct err why = *err;
		return err->code == ERR_CANCELLED || err->code == ERR_TIMEOUT || unreadable(err, why.message);
	}
	ret->has_header = true;
	ret->column_count = statement_column_count(s);
	ret->columns = arena_array(arena, struct import_column, ret->column_count);
	for (size_t i = 0; i < ret->column_count; i++)
		ret->columns[i] = (struct import_column){arena_strdup(arena, statement_columns(s)[i].name),
							 arena_strdup(arena, statement_columns(s)[i].type->text)};
	statement_free(s);
	return true;
}

bool import_sniff(struct session *session, const char *path, const struct import_options *options, struct arena *arena,
		  struct import_file *ret, struct err *err)
{
	*ret = (struct import_file){.format = options->format};
	if (!path_is_plain(path, err))
		return false;
	if (options->format == IMPORT_PARQUET)
		return sniff_parquet(session, path, arena, ret, err);
	return sniff_csv(path, options, arena, ret, err);
}

/* The engine wants different names; they appear in its messages, so they are the file's own where that can be. */
static void column_sql(const struct import_file *file, size_t i, const char *type, struct buf *out)
{
	const char *name = file->columns[i].name;
	bool twice = !*name;
	for (size_t k = 0; k < file->column_count && !twice; k++)
		twice = k != i && strcasecmp(file->columns[k].name, name) == 0;
	struct buf unique = BUF(SAMPLE_BYTES + 64);
	buf_str(&unique, name);
	if (twice)
		buf_printf(&unique, "#%zu", i + 1);
	sql_printf(out, "%s%L: %L", i > 0 ? ", " : "", buf_view(&unique).ptr, type ? type : "VARCHAR");
	buf_done(&unique);
}

/* Each once: of a text that is named twice the engine makes two rows where it is all that a line holds. */
static void null_texts_sql(const struct import_options *options, struct buf *out)
{
	const char *const plain[] = {"", options->null_text ? options->null_text : ""};
	const size_t n = options->null_text_count ? options->null_text_count : ARRAY_LEN(plain);
	const char *const *texts = options->null_text_count ? options->null_texts : plain;
	for (size_t i = 0; i < n; i++) {
		bool again = false;
		for (size_t k = 0; k < i && !again; k++)
			again = strcmp(texts[k], texts[i]) == 0;
		if (!again)
			sql_printf(out, "%s%L", i ? ", " : "", texts[i]);
	}
}

/* Told \r\n, the engine would lose records; not being strict, it finds out by itself. */
static void newline_sql(const struct import_file *file, struct buf *out)
{
	const bool pair = strcmp(file->newline, "\r\n") == 0;
	sql_printf(out, "], allow_quoted_nulls=true, null_padding=false, strict_mode=%s, ignore_errors=false, ",
		   pair ? "false" : "true");
	if (*file->newline && !pair)
		sql_printf(out, "new_line=%L, ", *file->newline == '\n' ? "\\n" : "\\r");
}

bool import_scan_sql(const char *path, const struct import_options *options, const struct import_file *file,
		     const char *const *types, struct buf *out, struct err *err)
{
	static const char *const codecs[] = {[IMPORT_PLAIN] = "none", [IMPORT_GZIP] = "gzip", [IMPORT_ZSTD] = "zstd"};
	if (!path_is_plain(path, err))
		return false;
	if (file->format == IMPORT_PARQUET) {
		parquet_sql(path, out);
		return true;
	}
	if (file->column_count == 0)
		return err_set(err, ERR_IMPORT_FAILED, "The file is empty");
	sql_printf(out,
		   "read_csv(%L, auto_detect=false, header=%s, delim=%L, quote=%L, escape=%L, compression=%L, "
		   "nullstr=[",
		   path, file->has_header ? "true" : "false", file->delimiter, file->quote, file->escape,
		   codecs[file->compression]);
	null_texts_sql(options, out);
	newline_sql(file, out);
	sql_printf(out, "comment='', skip=%d, hive_partitioning=false, filename=false, columns={",
		   (int64_t)options->skip);
	for (size_t i = 0; i < file->column_count; i++)
		column_sql(file, i, types ? types[i] : NULL, out);
	buf_str(out, "})");
	return true;
}
