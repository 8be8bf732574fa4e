/*
 * XML of S3 bodies. Reading is libxml2's parser with everything dangerous off:
 * a document type declaration is refused, so there are no entities but the five
 * of XML; nothing is fetched; size, depth, elements and text are bounded by
 * XML_*_MAX. The reader reports each element when it closes:
 *
 *	<Delete><Object><Key>a</Key></Object></Delete>
 *	visit(depth 3, "Object", "Key", "a"), visit(2, "Delete", "Object", ""), visit(1, "", "Delete", "")
 *
 * Names are without prefix, whatever the namespace. Text is that of the element
 * itself, not of those within. A visit that returns false with *err filled ends
 * the reading. Errors: ERR_MALFORMED_XML. Thread-safe.
 *
 * The writer is four functions over a buf; it escapes what XML 1.0 demands.
 */
#ifndef S3_XML_H
#define S3_XML_H

#include "base/buf.h"
#include "base/err.h"

enum {
	XML_BYTES_MAX = 4 * 1024 * 1024,
	XML_DEPTH_MAX = 8,
	XML_ELEMENTS_MAX = 200000,
	XML_TEXT_MAX = 16 * 1024,
	XML_NAME_MAX = 64
};

struct xml_element {
	unsigned depth;	    /* 1: the root */
	const char *parent; /* "" for the root */
	const char *name;
	struct span text;
};

typedef bool (*xml_visit)(void *ctx, const struct xml_element *element, struct err *err);

/* Elements in the order of their ends. The root must have the given name. */
MUST_CHECK bool xml_read(struct span bytes, const char *root, xml_visit visit, void *ctx, struct err *err);

#define XML_DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define XML_NAMESPACE	" xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

void xml_open(struct buf *out, const char *name);
void xml_close(struct buf *out, const char *name);
void xml_escape(struct buf *out, struct span text);
/* <name>text</name> */
void xml_text(struct buf *out, const char *name, struct span text);
void xml_str(struct buf *out, const char *name, const char *text);
void xml_int(struct buf *out, const char *name, int64_t value);
/* 2025-03-14T09:26:53.000Z */
void xml_time(struct buf *out, const char *name, int64_t unix_us);

#endif
