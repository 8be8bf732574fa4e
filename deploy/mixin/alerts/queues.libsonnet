// PG wire, and everything that queues: table writes, table locks, the single metadata writer.
local rule = import '../lib/rule.libsonnet';

function(config)
  local alert(name, severity, duration, expr, summary, description, labels={}) =
    rule.alert(config, name, severity, duration, expr, summary, description, labels);
  rule.group('duckdb-queues', [
    alert(
      'PGWireServerDown',
      'critical',
      '1m',
      'duckdb_listener_up{listener="pgwire"} == 0',
      'The PG wire listener is down',
      '{{ $labels.instance }} accepts no PostgreSQL connections although the process runs.'
    ),
    alert(
      'PGWireHighErrorRate',
      'warning',
      '2m',
      'sum(rate(pgwire_queries_total{status="error"}[5m])) / sum(rate(pgwire_queries_total[5m])) > 0.05',
      'PG wire error rate above 5%',
      '{{ $value | humanizePercentage }} of statements sent over PG wire fail.'
    ),
    alert(
      'PGWireAuthFailures',
      'critical',
      '1m',
      'sum(rate(pgwire_connections_total{status="auth_failed"}[5m])) > 0.1',
      'PG wire logins fail, possible brute force',
      '{{ printf "%.2f" $value }} PG wire logins a second are refused for wrong credentials.'
    ),
    alert(
      'PGWireSlowQueries',
      'warning',
      '5m',
      'sum(rate(pgwire_slow_queries_total[5m])) > 0.5',
      'Many slow PG wire statements',
      '{{ printf "%.2f" $value }} statements a second run longer than the slow-query threshold.'
    ),
    alert(
      'WriteQueueBackpressure',
      'warning',
      '5m',
      'duckdb_write_queue_depth > 10',
      'Write queue depth exceeds 10',
      '{{ $value }} table-changing operations of project {{ $labels.project_id }} wait for their turn.'
    ),
    alert(
      'WriteQueueDeep',
      'warning',
      '5m',
      'duckdb_write_queue_depth > 100',
      'Write queue depth exceeds 100',
      '{{ $value }} table-changing operations of project {{ $labels.project_id }} wait for their turn.'
    ),
    alert(
      'WriteQueueDeep',
      'critical',
      '5m',
      'duckdb_write_queue_depth > 500',
      'Write queue depth exceeds 500',
      '{{ $value }} table-changing operations of project {{ $labels.project_id }} wait for their turn; new ones are about to be refused.'
    ),
    alert(
      'WriteQueueSlow',
      'warning',
      '5m',
      'histogram_quantile(0.99, sum by (le, project_id) (rate(duckdb_write_queue_wait_seconds_bucket[5m]))) > 30',
      'P99 write queue wait above 30 seconds',
      'P99 of the wait for a write of project {{ $labels.project_id }} is {{ $value | humanizeDuration }} (the scale ends at 1m).'
    ),
    // The last finite bucket is 60 s, so a quantile of buckets can never exceed 60. Where native histograms are scraped the
    // first half is exact; the second half says the same with buckets as well as they can: one write in ten waits a minute.
    alert(
      'WriteQueueSlow',
      'critical',
      '5m',
      |||
        histogram_quantile(0.99, sum by (project_id) (rate(duckdb_write_queue_wait_seconds[5m]))) > 120
        or
        histogram_quantile(0.90, sum by (le, project_id) (rate(duckdb_write_queue_wait_seconds_bucket[5m]))) >= 60
      |||,
      'Writes wait longer than a minute',
      'Writes of project {{ $labels.project_id }} wait {{ $value | humanizeDuration }} or longer before they start.'
    ),
    alert(
      'WriteTimeouts',
      'warning',
      '5m',
      'sum(rate(duckdb_table_lock_timeouts_total[5m])) / sum(rate(duckdb_write_queue_wait_seconds_count[5m])) > 0.05',
      'More than 5% of writes time out',
      '{{ $value | humanizePercentage }} of writes give up waiting for their table.'
    ),
    // Workers are threads: one that crashes takes the process with it, and the supervisor starts a new one.
    alert(
      'WorkerCrash',
      'critical',
      '5m',
      'changes(duckdb_api_start_time_seconds[15m]) > 1',
      'The server restarts again and again',
      '{{ $labels.instance }} was restarted {{ $value }} times within 15 minutes. Requests in progress were lost each time.'
    ),
    alert(
      'MetadataWriteQueue',
      'warning',
      '5m',
      'duckdb_metadata_write_queue_depth > 10',
      'Metadata writes queue up',
      '{{ $value }} metadata writes wait for the single writer.'
    ),
    alert(
      'MetadataWriterSaturated',
      'warning',
      '10m',
      'rate(duckdb_metadata_writer_busy_seconds_total[5m]) > 0.8',
      'The metadata writer is busy more than 80% of the time',
      'The single metadata writer is busy {{ $value | humanizePercentage }} of the time; beyond 100% the queue only grows.'
    ),
  ])
