/*
 * Locks by name: whoever holds a key has it alone, other keys do not wait.
 * Thread-safe. Whoever takes several does so in byte order, so
 * that sets cannot deadlock.
 */
#ifndef STORAGE_KEY_LOCK_H
#define STORAGE_KEY_LOCK_H

#include "base/span.h"

struct key_locks;

struct key_locks *key_locks_new(void);
/* Nobody holds a key any more. NULL is fine. */
void key_locks_free(struct key_locks *locks);

/* Blocks until the key is the caller's. Not recursive. */
void key_lock(struct key_locks *locks, struct span key);
void key_unlock(struct key_locks *locks, struct span key);

#endif
