/*
 * What the library refuses by itself: a request line that is none, another
 * version of HTTP, a head larger than its memory, a body whose framing is
 * broken. It has pages of HTML for these and no option to change them, but it
 * queues them by its own public function, through the dynamic linker. So the
 * program defines MHD_queue_response in front of the library's (ELF symbol
 * interposition), and answers in the form of the door that was asked. Where a
 * linker binds otherwise, clients see the library's pages.
 *
 * The answer goes out beside the library, which then closes: for a malformed
 * Content-Length it would write the head of an answer twice. What holds no
 * blank at all is no request: the library closes without a word, and where it
 * came first on a connection without TLS, server.c counts it.
 */
#ifndef HTTP_REFUSAL_H
#define HTTP_REFUSAL_H

#include "base/err.h"

#include <microhttpd.h>

/* Once before the first listener. */
MUST_CHECK bool refusal_start(struct err *err);
/* The library's MHD_queue_response. */
enum MHD_Result refusal_pass(struct MHD_Connection *mhd, unsigned status, struct MHD_Response *response);

#endif
