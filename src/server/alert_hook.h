/*
 * Tells ALERT_WEBHOOK_URL when an alert fires and when it is over: a POST of JSON, on a thread of its own. A message that
 * is not taken (no answer, 429, 5xx) is tried again with growing pauses; then it is dropped and counted. Of one alert
 * there is at most one message in ALERT_MIN_INTERVAL_SECONDS: what comes sooner waits, and only the last state is told.
 */
#ifndef SERVER_ALERT_HOOK_H
#define SERVER_ALERT_HOOK_H

#include "metrics/alerts.h"
#include "storage/storage.h"

struct alert_hook;

/* NULL without ALERT_WEBHOOK_URL. `instance` is the address told as label. */
struct alert_hook *alert_hook_start(const struct storage *storage, int port);
/* Sends what waits without further pauses, then ends. NULL is fine. */
void alert_hook_stop(struct alert_hook *hook);
/* For alerts_config.notify. */
void alert_hook_notify(void *hook, const struct alert_event *event);

#endif
