/*
 * The build with -Dobservability=false: every call of the metrics room from outside it is nothing, its arguments are
 * checked but not evaluated. It exists to measure what observability costs (bench/observability.py), not to be run:
 * /metrics answers with families that never move.
 */
#ifndef METRICS_OFF_H
#define METRICS_OFF_H

#define metric_series(...)	       ((void)sizeof(metric_series(__VA_ARGS__)), (struct series *)NULL)
#define metric_tenant_series(...)      ((void)sizeof(metric_tenant_series(__VA_ARGS__)), (struct series *)NULL)
#define metric_tenant_release(series)  ((void)sizeof(series))
#define metric_tenant_forget(...)      ((void)sizeof(metric_tenant_forget(__VA_ARGS__), 0))
#define metric_inc(series)	       ((void)sizeof(series))
#define metric_add(...)		       ((void)sizeof(metric_add(__VA_ARGS__), 0))
#define metric_add_seconds(...)	       ((void)sizeof(metric_add_seconds(__VA_ARGS__), 0))
#define metric_gauge_set(...)	       ((void)sizeof(metric_gauge_set(__VA_ARGS__), 0))
#define metric_gauge_add(...)	       ((void)sizeof(metric_gauge_add(__VA_ARGS__), 0))
#define metric_observe(...)	       ((void)sizeof(metric_observe(__VA_ARGS__), 0))
#define metric_observe_since(...)      ((void)sizeof(metric_observe_since(__VA_ARGS__), 0))
#define metrics_exemplar_set(...)      ((void)sizeof(metrics_exemplar_set(__VA_ARGS__), 0))
#define metrics_exemplar_clear()       ((void)0)
#define metrics_start(config)	       ((void)sizeof(config))
#define metrics_stop()		       ((void)0)
#define metrics_collector_add(...)     ((void)sizeof(metrics_collector_add(__VA_ARGS__), 0))
#define metrics_collector_remove(name) ((void)sizeof(name))

#endif
