/*
 * Content negotiation of a scrape (RFC 9110, sections 12.4 and 12.5): which format by Accept, which encoding by
 * Accept-Encoding. Quality values are honoured; what cannot be understood is passed over; when nothing fits the
 * answer is text 0.0.4, unencoded. Pure functions.
 */
#ifndef METRICS_NEGOTIATE_H
#define METRICS_NEGOTIATE_H

#include "base/span.h"

enum metrics_format { FORMAT_TEXT, FORMAT_TEXT_1, FORMAT_OPENMETRICS, FORMAT_PROTOBUF };
enum metrics_encoding { ENCODING_IDENTITY, ENCODING_GZIP, ENCODING_ZSTD };

enum metrics_format negotiate_format(struct span accept, const char **ret_content_type);
enum metrics_encoding negotiate_encoding(struct span accept_encoding);

#endif
