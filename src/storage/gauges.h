/*
 * Gauges of stored things, computed from the catalog when /metrics is asked:
 * right after a restart, and right whatever door changed them. No disk is
 * touched but two stat calls for the catalog's own files.
 */
#ifndef STORAGE_GAUGES_H
#define STORAGE_GAUGES_H

#include "storage/storage.h"

void gauges_start(struct storage *storage);
void gauges_stop(struct storage *storage);

#endif
