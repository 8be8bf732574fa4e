// The service as a whole: is it there, does it answer, how close is it to its own limits.
local rule = import '../lib/rule.libsonnet';

function(config)
  local alert(name, severity, duration, expr, summary, description, labels={}) =
    rule.alert(config, name, severity, duration, expr, summary, description, labels);
  local cfg = config;
  rule.group('duckdb-api', [
    alert(
      'DuckDBAPIDown',
      'critical',
      '1m',
      'up{%(jobSelector)s} == 0 or absent(up{%(jobSelector)s})' % cfg,
      'DuckDB API is down',
      'Prometheus cannot scrape {{ if $labels.instance }}{{ $labels.instance }}{{ else }}any target of job {{ $labels.job }}{{ end }}.'
    ),
    alert(
      'DuckDBAPIHighErrorRate',
      'critical',
      '5m',
      'sum(rate(duckdb_api_requests_total{status_code=~"5.."}[5m])) / sum(rate(duckdb_api_requests_total[5m])) > 0.05',
      'Error rate above 5%',
      '{{ $value | humanizePercentage }} of HTTP requests are answered with a server error.'
    ),
    alert(
      'DuckDBAPIHighLatency',
      'warning',
      '5m',
      'histogram_quantile(0.95, sum(rate(duckdb_api_request_duration_seconds_bucket[5m])) by (le)) > 2',
      'P95 latency above 2 seconds',
      'P95 of all HTTP requests is {{ $value | humanizeDuration }}, bulk requests included.'
    ),
    alert(
      'DuckDBAPIHighLockContention',
      'warning',
      '5m',
      'histogram_quantile(0.95, sum(rate(duckdb_table_lock_wait_seconds_bucket[5m])) by (le)) > 1',
      'P95 lock wait time above 1 second',
      'P95 of waits for an exclusive table lock is {{ $value | humanizeDuration }}: several writers want the same table.'
    ),
    alert(
      'DuckDBAPIHighCoWDuration',
      'warning',
      '5m',
      'histogram_quantile(0.95, sum(rate(duckdb_branch_cow_duration_seconds_bucket[5m])) by (le)) > 10',
      'P95 Copy-on-Write duration above 10 seconds',
      'P95 of the first write to a table in a dev branch spends {{ $value | humanizeDuration }} on copying it.'
    ),
    alert(
      'HighStorageUsage',
      'warning',
      '5m',
      'sum(duckdb_storage_size_bytes) > %(storageBytesWarning)s' % cfg,
      'Total storage exceeds 100GB',
      'The data directory holds {{ $value | humanize }}B. First step; DuckDBAPIStorageHigh is the second.'
    ),
    alert(
      'DuckDBAPIStorageHigh',
      'warning',
      '5m',
      'sum(duckdb_storage_size_bytes) > %(storageBytesHigh)s' % cfg,
      'Total storage exceeds 500GB',
      'The data directory holds {{ $value | humanize }}B.'
    ),
    alert(
      'HighRequestConcurrency',
      'warning',
      '5m',
      'sum(duckdb_api_requests_in_flight) > 50',
      'More than 50 requests in flight',
      '{{ $value }} HTTP requests are being served at once; further ones queue or are refused.'
    ),
    // Two ceilings: what the engine may use, with room for everything else, and what the control group allows.
    alert(
      'HighMemoryUsage',
      'warning',
      '5m',
      |||
        process_resident_memory_bytes{%(jobSelector)s} > on (instance) group_left () (%(memoryLimitRatio)s * sum by (instance) (duckdb_engine_memory_limit_bytes))
        or
        process_resident_memory_bytes{%(jobSelector)s} > on (instance) group_left () (0.9 * sum by (instance) (duckdb_cgroup_memory_limit_bytes))
      ||| % cfg,
      'Memory use is close to or above its limit',
      '{{ $labels.instance }} uses {{ $value | humanize1024 }}B of memory: more than the engine limit explains, or 90% of the control group.'
    ),
    alert(
      'MemoryGrowth',
      'warning',
      '6h',
      'deriv(process_resident_memory_bytes{%(jobSelector)s}[6h]) * 3600 > %(memoryGrowthBytesPerHour)s' % cfg,
      'Memory keeps growing',
      '{{ $labels.instance }} has grown by {{ $value | humanize }}B an hour for 12 hours: a leak or a cache without a bound.'
    ),
    alert(
      'FileDescriptorExhaustion',
      'warning',
      '5m',
      'process_open_fds{%(jobSelector)s} / process_max_fds{%(jobSelector)s} > 0.8' % cfg,
      'More than 80% of file descriptors in use',
      '{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its file descriptors. At 100% commits and new connections fail.'
    ),
    alert(
      'ListenerDown',
      'critical',
      '1m',
      'duckdb_listener_up{listener!="pgwire"} == 0',
      'A listener is down',
      'The {{ $labels.listener }} listener of {{ $labels.instance }} does not accept connections although the process runs.'
    ),
    alert(
      'RequestsShed',
      'warning',
      '5m',
      'sum by (door) (rate(duckdb_requests_rejected_total{reason="overload"}[5m])) > 0.1',
      'Requests are refused for overload',
      '{{ printf "%.2f" $value }} requests a second are turned away at the {{ $labels.door }} door because a queue is full.'
    ),
    alert(
      'MetricsCollectorFailing',
      'warning',
      '10m',
      'sum by (collector) (rate(duckdb_metrics_collector_errors_total[5m])) > 0',
      'A metrics collector fails',
      'Collector {{ $labels.collector }} fails {{ printf "%.2f" $value }} times a second; its families show their last good values.'
    ),
  ])
