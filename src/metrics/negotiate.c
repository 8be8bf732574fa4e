#include "metrics/negotiate.h"

enum { QUALITY_ONE = 1000 };

/* A media type with the parameters that matter. */
struct range {
	struct span type;
	struct span version;
	struct span escaping;
	struct span proto;
	struct span encoding;
	int quality; /* thousandths; 0: not wanted or not understood */
};

/* "0.5" -> 500 (RFC 9110, section 12.4.2); -1 when malformed. */
static int parse_quality(struct span s)
{
	if (s.len == 0 || s.len > 5 || (s.ptr[0] != '0' && s.ptr[0] != '1') || (s.len > 1 && s.ptr[1] != '.'))
		return -1;
	int quality = (s.ptr[0] - '0') * QUALITY_ONE;
	int unit = QUALITY_ONE / 10;
	for (size_t i = 2; i < s.len; i++, unit /= 10) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return -1;
		quality += (s.ptr[i] - '0') * unit;
	}
	return quality <= QUALITY_ONE ? quality : -1;
}

static struct span unquote(struct span s)
{
	if (s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"')
		return (struct span){s.ptr + 1, s.len - 2};
	return s;
}

static struct range parse_range(struct span item)
{
	struct range r = {.quality = QUALITY_ONE};
	r.type = span_trim(span_cut(&item, ';'));
	while (item.len > 0) {
		struct span value = span_trim(span_cut(&item, ';'));
		struct span name = span_trim(span_cut(&value, '='));
		value = unquote(span_trim(value));
		if (span_eq_nocase(name, SPAN("q")))
			r.quality = parse_quality(value);
		else if (span_eq_nocase(name, SPAN("version")))
			r.version = value;
		else if (span_eq_nocase(name, SPAN("escaping")))
			r.escaping = value;
		else if (span_eq_nocase(name, SPAN("proto")))
			r.proto = value;
		else if (span_eq_nocase(name, SPAN("encoding")))
			r.encoding = value;
	}
	if (r.quality < 0)
		r.quality = 0;
	return r;
}

#define TEXT_TYPE   "text/plain; version=0.0.4; charset=utf-8"
#define TEXT_1_TYPE "text/plain; version=1.0.0; charset=utf-8"
#define OPEN_TYPE   "application/openmetrics-text; version="
#define PROTO_NAME  "io.prometheus.client.MetricFamily"

static const char *text_1_type(struct span escaping)
{
	static const char *const types[][2] = {
		{"allow-utf-8", TEXT_1_TYPE "; escaping=allow-utf-8"},
		{"underscores", TEXT_1_TYPE "; escaping=underscores"},
		{"dots", TEXT_1_TYPE "; escaping=dots"},
		{"values", TEXT_1_TYPE "; escaping=values"},
	};
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (span_is(escaping, types[i][0]))
			return types[i][1];
	return TEXT_1_TYPE;
}

/* NULL: not one of ours. */
static const char *offer(const struct range *r, enum metrics_format *ret)
{
	if (span_eq_nocase(r->type, SPAN("text/plain")) && span_is(r->version, "1.0.0")) {
		*ret = FORMAT_TEXT_1;
		return text_1_type(r->escaping);
	}
	bool plain =
		span_eq_nocase(r->type, SPAN("text/plain")) && (r->version.len == 0 || span_is(r->version, "0.0.4"));
	if (plain || span_is(r->type, "*/*") || span_eq_nocase(r->type, SPAN("text/*"))) {
		*ret = FORMAT_TEXT;
		return TEXT_TYPE;
	}
	if (span_eq_nocase(r->type, SPAN("application/openmetrics-text"))) {
		*ret = FORMAT_OPENMETRICS;
		if (span_is(r->version, "0.0.1"))
			return OPEN_TYPE "0.0.1; charset=utf-8";
		return r->version.len == 0 || span_is(r->version, "1.0.0") ? OPEN_TYPE "1.0.0; charset=utf-8" : NULL;
	}
	if (span_eq_nocase(r->type, SPAN("application/vnd.google.protobuf")) && span_is(r->proto, PROTO_NAME) &&
	    span_is(r->encoding, "delimited")) {
		*ret = FORMAT_PROTOBUF;
		return "application/vnd.google.protobuf;proto=" PROTO_NAME ";encoding=delimited";
	}
	return NULL;
}

enum metrics_format negotiate_format(struct span accept, const char **ret_content_type)
{
	enum metrics_format best = FORMAT_TEXT;
	int quality = 0;
	*ret_content_type = TEXT_TYPE;
	while (accept.len > 0) {
		struct range r = parse_range(span_cut(&accept, ','));
		enum metrics_format format = FORMAT_TEXT;
		const char *type = r.quality > quality ? offer(&r, &format) : NULL;
		if (!type)
			continue;
		best = format;
		quality = r.quality;
		*ret_content_type = type;
	}
	return best;
}

enum metrics_encoding negotiate_encoding(struct span accept_encoding)
{
	/* -1: not mentioned */
	int gzip = -1, zstd = -1, any = -1, identity = -1;
	while (accept_encoding.len > 0) {
		struct range r = parse_range(span_cut(&accept_encoding, ','));
		if (span_eq_nocase(r.type, SPAN("gzip")) || span_eq_nocase(r.type, SPAN("x-gzip")))
			gzip = r.quality;
		else if (span_eq_nocase(r.type, SPAN("zstd")))
			zstd = r.quality;
		else if (span_eq_nocase(r.type, SPAN("identity")))
			identity = r.quality;
		else if (span_is(r.type, "*"))
			any = r.quality;
	}
	if (gzip < 0)
		gzip = any;
	if (zstd > 0 && zstd >= gzip && zstd >= identity)
		return ENCODING_ZSTD;
	return gzip > 0 && gzip >= identity ? ENCODING_GZIP : ENCODING_IDENTITY;
}
