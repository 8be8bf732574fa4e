#include "http/range.h"

#include "base/clock.h"

#include <time.h>

/* Digits of any length: a position beyond 64 bits lies beyond every file, too. */
static bool position_parse(struct span digits, uint64_t *ret)
{
	for (size_t i = 0; i < digits.len; i++)
		if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
			return false;
	if (!span_u64(digits, ret))
		*ret = UINT64_MAX;
	return digits.len > 0;
}

/* "-n": the last n bytes */
static enum range_kind suffix_parse(struct span count, uint64_t size, struct byte_range *ret)
{
	uint64_t n;
	if (!position_parse(count, &n))
		return RANGE_WHOLE;
	if (n == 0 || size == 0)
		return RANGE_BEYOND;
	ret->length = n < size ? n : size;
	ret->first = size - ret->length;
	return RANGE_PART;
}

enum range_kind range_parse(struct span header, uint64_t size, struct byte_range *ret)
{
	static const char unit[] = "bytes=";
	const size_t unit_len = sizeof(unit) - 1;
	uint64_t first;
	uint64_t last = UINT64_MAX;
	if (!span_eq_nocase(span_first(header, unit_len), (struct span){unit, unit_len}))
		return RANGE_WHOLE;
	struct span to = span_skip(header, unit_len);
	if (span_find(to, '-') == to.len)
		return RANGE_WHOLE;
	struct span from = span_trim(span_cut(&to, '-'));
	to = span_trim(to);
	if (from.len == 0)
		return suffix_parse(to, size, ret);
	if (!position_parse(from, &first) || (to.len && !position_parse(to, &last)) || last < first)
		return RANGE_WHOLE;
	if (first >= size)
		return RANGE_BEYOND;
	if (last >= size)
		last = size - 1;
	*ret = (struct byte_range){.first = first, .length = last - first + 1};
	return RANGE_PART;
}

static struct span etag_core(struct span tag)
{
	tag = span_trim(tag);
	if (span_starts(tag, SPAN("W/")))
		tag = span_skip(tag, 2);
	if (tag.len >= 2 && tag.ptr[0] == '"' && tag.ptr[tag.len - 1] == '"')
		tag = (struct span){tag.ptr + 1, tag.len - 2};
	return tag;
}

bool etag_listed(struct span list, struct span etag)
{
	while (list.len) {
		struct span one = span_trim(span_cut(&list, ','));
		if (span_is(one, "*") || (one.len && etag.ptr && span_eq(etag_core(one), etag_core(etag))))
			return true;
	}
	return false;
}

bool http_date_parse(const char *text, int64_t *ret_unix_s)
{
	static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
					    "%a %b %d %H:%M:%S %Y"};
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct tm tm = {0};
		const char *end = strptime(text, forms[i], &tm);
		if (end && *end == '\0') {
			*ret_unix_s = (int64_t)timegm(&tm);
			return true;
		}
	}
	return false;
}

void http_date(int64_t unix_s, char ret[HTTP_DATE_SIZE])
{
	(void)clock_format(unix_s * US_PER_S, "%a, %d %b %Y %H:%M:%S GMT", ret, HTTP_DATE_SIZE);
}

enum condition conditions_check(const struct conditions *c, const char *etag, int64_t mtime_s)
{
	struct span tag = span_of(etag);
	int64_t date;
	if (c->if_match) {
		if (!etag_listed(span_of(c->if_match), tag))
			return CONDITION_FAILED;
	} else if (c->if_unmodified_since && mtime_s && http_date_parse(c->if_unmodified_since, &date) &&
		   mtime_s > date) {
		return CONDITION_FAILED;
	}
	if (c->if_none_match)
		return etag_listed(span_of(c->if_none_match), tag) ? CONDITION_NOT_MODIFIED : CONDITION_GO;
	if (c->if_modified_since && mtime_s && http_date_parse(c->if_modified_since, &date) && mtime_s <= date)
		return CONDITION_NOT_MODIFIED;
	return CONDITION_GO;
}

bool range_applies(const char *if_range, const char *etag, int64_t mtime_s)
{
	int64_t date;
	if (!if_range)
		return true;
	if (http_date_parse(if_range, &date))
		return mtime_s && date == mtime_s;
	struct span asked = span_trim(span_of(if_range));
	/* Only the strong form promises the same bytes. */
	return etag && !span_starts(asked, SPAN("W/")) && etag_listed(asked, span_of(etag));
}
