#include "s3/xml.h"

#include "base/clock.h"
#include "http/target.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <pthread.h>
#include <stdio.h>

struct reader {
	xmlParserCtxtPtr parser;
	xml_visit visit;
	void *ctx;
	struct err *err;
	const char *root;
	char names[XML_DEPTH_MAX + 1][XML_NAME_MAX]; /* [0] is the root's parent */
	unsigned depth;
	size_t elements;
	struct buf text;
	bool failed;
};

static void refuse(struct reader *r, const char *why)
{
	if (!r->failed)
		(void)err_set(r->err, ERR_MALFORMED_XML, "The XML body is not valid: %s", why);
	r->failed = true;
	xmlStopParser(r->parser);
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespaces,
		     const xmlChar **namespace_list, int attributes, int defaulted, const xmlChar **list)
{
	struct reader *r = ctx;
	(void)prefix, (void)uri, (void)namespaces, (void)namespace_list, (void)attributes, (void)defaulted, (void)list;
	if (r->failed)
		return;
	size_t len = strlen((const char *)name);
	if (r->depth == XML_DEPTH_MAX)
		refuse(r, "it is nested too deeply");
	else if (r->elements++ == XML_ELEMENTS_MAX)
		refuse(r, "it has too many elements");
	else if (len >= XML_NAME_MAX)
		refuse(r, "a name is too long");
	else if (r->depth == 0 && strcmp((const char *)name, r->root) != 0)
		refuse(r, "its root is not the expected element");
	if (r->failed)
		return;
	r->depth++;
	memcpy(r->names[r->depth], name, len + 1);
	buf_reset(&r->text);
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct reader *r = ctx;
	(void)name, (void)prefix, (void)uri;
	if (r->failed || r->depth == 0)
		return;
	const struct xml_element element = {r->depth, r->names[r->depth - 1], r->names[r->depth], buf_view(&r->text)};
	if (!r->visit(r->ctx, &element, r->err)) {
		r->failed = true;
		xmlStopParser(r->parser);
		return;
	}
	r->depth--;
	buf_reset(&r->text);
}

static void on_text(void *ctx, const xmlChar *text, int len)
{
	struct reader *r = ctx;
	if (r->failed)
		return;
	buf_bytes(&r->text, text, (size_t)len);
	if (r->text.failed)
		refuse(r, "an element's text is too long");
}

static void on_doctype(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	(void)name, (void)external, (void)system;
	refuse(ctx, "document type declarations are not allowed");
}

static void on_fault(void *ctx, const char *format, ...)
{
	(void)ctx, (void)format;
}

static void on_structured(void *ctx, xmlErrorPtr error)
{
	(void)ctx, (void)error;
}

static void start_library(void)
{
	xmlInitParser();
}

static bool parse(struct reader *r, struct span bytes)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, start_library);
	xmlSAXHandler sax = {
		.initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.internalSubset = on_doctype,
		.warning = on_fault,
		.error = on_fault,
		.serror = on_structured,
	};
	r->parser = xmlCreatePushParserCtxt(&sax, r, NULL, 0, NULL);
	if (!r->parser)
		return err_set(r->err, ERR_OUT_OF_MEMORY, "No memory to read the XML body");
	(void)xmlCtxtUseOptions(r->parser, XML_PARSE_NONET);
	int code = xmlParseChunk(r->parser, bytes.ptr, (int)bytes.len, 1);
	if (!r->failed && (code != 0 || !r->parser->wellFormed || r->depth != 0 || r->elements == 0))
		refuse(r, "it is not well-formed");
	xmlFreeParserCtxt(r->parser);
	return !r->failed;
}

bool xml_read(struct span bytes, const char *root, xml_visit visit, void *ctx, struct err *err)
{
	struct reader r = {.visit = visit, .ctx = ctx, .err = err, .root = root, .text = BUF(XML_TEXT_MAX)};
	if (bytes.len == 0)
		return err_set(err, ERR_MALFORMED_XML, "The XML body is missing");
	if (bytes.len > XML_BYTES_MAX)
		return err_set(err, ERR_MALFORMED_XML, "The XML body is larger than %d bytes", XML_BYTES_MAX);
	bool fine = parse(&r, bytes);
	buf_done(&r.text);
	return fine;
}

void xml_open(struct buf *out, const char *name)
{
	buf_byte(out, '<');
	buf_str(out, name);
	buf_byte(out, '>');
}

void xml_close(struct buf *out, const char *name)
{
	buf_str(out, "</");
	buf_str(out, name);
	buf_byte(out, '>');
}

/* Line ends as references: a parser would turn a plain CR into LF. */
static const char *reference_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '\r':
		return "&#13;";
	case '\n':
		return "&#10;";
	case '\t':
		return "&#9;";
	default:
		return NULL;
	}
}

void xml_escape(struct buf *out, struct span text)
{
	size_t from = 0;
	/* What XML cannot carry is only ever shown in errors. */
	if (!span_is_xml(text)) {
		percent_encode(out, text, "/");
		return;
	}
	for (size_t i = 0; i < text.len; i++) {
		const char *reference = reference_of(text.ptr[i]);
		if (!reference)
			continue;
		buf_bytes(out, text.ptr + from, i - from);
		buf_str(out, reference);
		from = i + 1;
	}
	buf_bytes(out, text.ptr + from, text.len - from);
}

void xml_text(struct buf *out, const char *name, struct span text)
{
	xml_open(out, name);
	xml_escape(out, text);
	xml_close(out, name);
}

void xml_str(struct buf *out, const char *name, const char *text)
{
	xml_text(out, name, span_of(text ? text : ""));
}

void xml_int(struct buf *out, const char *name, int64_t value)
{
	xml_open(out, name);
	buf_i64(out, value);
	xml_close(out, name);
}

void xml_time(struct buf *out, const char *name, int64_t unix_us)
{
	char seconds[32];
	(void)clock_format(unix_us, "%Y-%m-%dT%H:%M:%S", seconds, sizeof(seconds));
	xml_open(out, name);
	/* Whole seconds: the same instant as the Last-Modified header, which some clients compare. */
	buf_printf(out, "%s.000Z", seconds);
	xml_close(out, name);
}
