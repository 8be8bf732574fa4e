/*
 * The thread that samples the history every five seconds and has the collectors run every ten, so that gauges
 * are fresh there without a scrape. Internal to the metrics room.
 */
#ifndef METRICS_SAMPLER_H
#define METRICS_SAMPLER_H

void sampler_start(void);
void sampler_stop(void);

#endif
