/* Start and stop of the metrics system, and the hooks of the base room. */
#include "base/clock.h"
#include "metrics/collect.h"
#include "metrics/history.h"
#include "metrics/listeners.h"
#include "metrics/process.h"
#include "metrics/registry.h"
#include "metrics/sampler.h"

void metrics_start(const struct metrics_config *config)
{
	struct registry *registry = registry_get();
	atomic_store(&registry->tenant_max[KIND_PROJECT], config->max_projects);
	atomic_store(&registry->tenant_max[KIND_TABLE], config->max_tables);
	atomic_store(&registry->tenant_max[KIND_WORKSPACE], config->max_workspaces);
	atomic_store(&registry->tenant_max[KIND_BRANCH], config->max_branches);
	atomic_store(&registry->per_project, config->per_project);
	metric_gauge_set(metric_series(METRIC_API_START_TIME_SECONDS, NULL), (double)clock_unix_us() / 1e6);
	if (config->version && config->duckdb_version)
		metric_gauge_set(metric_series(METRIC_API_SERVICE_INFO, config->version, config->duckdb_version, NULL),
				 1);
	metrics_collector_add("process", "process", process_collect, NULL);
	metrics_collector_add("kernel", "kernel", kernel_collect, NULL);
	metrics_collector_add("listeners", "doors", listeners_collect, NULL);
	collect_start();
	sampler_start();
}

void metrics_stop(void)
{
	sampler_stop();
	collect_stop();
	metrics_collector_remove("listeners");
	metrics_collector_remove("kernel");
	metrics_collector_remove("process");
}

void metrics_log_hook(enum log_level level)
{
	static struct series *_Atomic levels[LOG_LEVELS];
	if (level >= LOG_LEVELS)
		return;
	struct series *series = atomic_load_explicit(&levels[level], memory_order_acquire);
	if (!series) {
		series = metric_series(METRIC_LOG_MESSAGES_TOTAL, log_level_name(level), NULL);
		atomic_store_explicit(&levels[level], series, memory_order_release);
	}
	metric_inc(series);
}

void metrics_pool_wait(const char *pool, double seconds)
{
	metric_observe(metric_series(METRIC_POOL_WAIT_SECONDS, pool, NULL), seconds);
}
