/*
 * Server reflection: the descriptors of all files, which the build embeds, by
 * file name and by any full name in them. Built once, read-only afterwards.
 */
#ifndef GRPC_REFLECTION_H
#define GRPC_REFLECTION_H

#include "grpc/message.h"

/* FileDescriptorSet of the build: each file after those that it imports. */
extern const unsigned char driver_descriptors[];
extern const size_t driver_descriptors_size;

struct reflection;

struct reflection *reflection_new(void);
void reflection_free(struct reflection *reflection);
/*
 * Answers one ServerReflectionRequest (v1 and v1alpha are the same on the wire) with one encoded
 * ServerReflectionResponse in the arena. ERR_INVALID_ARGUMENT: the bytes are no request.
 */
MUST_CHECK bool reflection_answer(const struct reflection *reflection, struct arena *arena, struct span request,
				  struct span *ret, struct err *err);

#endif
