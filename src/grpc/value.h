/*
 * One value of the engine as a google.protobuf.Value: NULL, BOOLEAN, numbers
 * that a double holds exactly, text, lists and structs; what would lose digits
 * as a number (large integers, DECIMAL, NaN) is text. The value is of the arena.
 */
#ifndef GRPC_VALUE_H
#define GRPC_VALUE_H

#include "engine/vector.h"
#include "grpc/message.h"
#include "grpc/protocol.h"

enum { VALUE_TEXT_MAX = 16384 }; /* characters; longer text is cut */

/* `scratch` is for the encoder's use. *ret_cut: text was cut somewhere in it. */
value_msg *value_make(struct arena *arena, struct buf *scratch, const struct vector *v, size_t row, bool *ret_cut);

#endif
