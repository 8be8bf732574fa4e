// What runs out with time: disk, disk speed, memory of the engine, certificates, and chores nobody does by hand.
local rule = import '../lib/rule.libsonnet';

function(config)
  local alert(name, severity, duration, expr, summary, description, labels={}) =
    rule.alert(config, name, severity, duration, expr, summary, description, labels);
  local fsync(severity, seconds) = alert(
    'FsyncSlow',
    severity,
    '5m',
    'histogram_quantile(0.99, sum by (le, target) (rate(duckdb_fsync_duration_seconds_bucket[5m]))) > %s' % seconds,
    'P99 fsync time above %s s' % seconds,
    'P99 of making {{ $labels.target }} durable is {{ $value | humanizeDuration }}. Nothing is acknowledged before that.'
  );
  // A server without TLS shows 0 and never expires.
  local certificate(severity, days) = alert(
    'TLSCertificateExpiring',
    severity,
    '10m',
    '(duckdb_tls_certificate_expiry_timestamp_seconds > 0) - time() < %d * 86400' % days,
    'A TLS certificate expires within %d days' % days,
    'The certificate of the {{ $labels.listener }} listener of {{ $labels.instance }} expires in {{ $value | humanizeDuration }}.'
  );
  rule.group('duckdb-capacity', [
    alert(
      'DiskWillFill',
      'warning',
      '15m',
      'predict_linear(duckdb_disk_free_bytes[4h], 4 * 3600) < 0',
      'The disk will be full within 4 hours',
      'At the pace of the last 4 hours {{ $labels.path }} on {{ $labels.instance }} is full before another 4 hours have passed.'
    ),
    alert(
      'DiskAlmostFull',
      'critical',
      '5m',
      'duckdb_disk_free_bytes / duckdb_disk_size_bytes < %(diskFreeRatioCritical)s' % config,
      'The disk is almost full',
      '{{ $value | humanizePercentage }} of {{ $labels.path }} on {{ $labels.instance }} is free. Writes fail once it is full.'
    ),
    fsync('warning', '0.5'),
    fsync('critical', '1'),
    alert(
      'EngineOutOfMemory',
      'warning',
      '0m',
      'increase(duckdb_engine_oom_total[15m]) > 0',
      'The engine ran out of memory',
      'Statements on {{ $labels.instance }} hit the engine memory limit {{ printf "%.0f" $value }} times within 15 minutes.'
    ),
    alert(
      'SnapshotsFailing',
      'warning',
      '0m',
      'sum by (trigger) (increase(duckdb_snapshots_failed_total[15m])) > 0',
      'Snapshots fail',
      '{{ printf "%.0f" $value }} snapshots with trigger {{ $labels.trigger }} failed within 15 minutes. What asked for them was refused.'
    ),
    // The family's own label `job` arrives as `exported_job` unless the scrape honours labels. A job that has had no time to
    // run three times since the start is not late.
    alert(
      'BackgroundJobStale',
      'warning',
      '5m',
      |||
        time() - duckdb_background_job_last_success_timestamp_seconds > 3 * duckdb_background_job_interval_seconds
        and
        3 * duckdb_background_job_interval_seconds < on (instance) group_left () (time() - duckdb_api_start_time_seconds)
      |||,
      'A background job has not succeeded for three intervals',
      'Job {{ or $labels.exported_job $labels.job }} on {{ $labels.instance }} last succeeded {{ $value | humanizeDuration }} ago.'
    ),
    certificate('warning', config.certificateWarningDays),
    certificate('critical', config.certificateCriticalDays),
  ])
