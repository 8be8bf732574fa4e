// Alerts whose name, expression, duration, severity and summary are fixed by the service's published interface.
local rule = import '../lib/rule.libsonnet';

function(config)
  local alert(name, severity, expr, summary, description) =
    rule.alert(config, name, severity, '5m', expr, summary, description);
  rule.group('duckdb-api-extended', [
    alert(
      'MetadataDBHighLatency',
      'warning',
      'histogram_quantile(0.95, sum(rate(duckdb_metadata_query_duration_seconds_bucket[5m])) by (le, operation)) > 0.1',
      'Metadata DB P95 latency above 100ms',
      'P95 of metadata {{ $labels.operation }} calls is {{ $value | humanizeDuration }}. Every create, delete and import waits for it.'
    ),
    alert(
      'gRPCHighErrorRate',
      'critical',
      'sum(rate(duckdb_grpc_requests_total{status!="success"}[5m])) / sum(rate(duckdb_grpc_requests_total[5m])) > 0.05',
      'gRPC error rate above 5%',
      '{{ $value | humanizePercentage }} of driver commands fail. Connection jobs that use them fail too.'
    ),
    alert(
      'ImportHighFailureRate',
      'warning',
      'sum(rate(duckdb_import_operations_total{status="error"}[5m])) / sum(rate(duckdb_import_operations_total[5m])) > 0.1',
      'Import failure rate above 10%',
      '{{ $value | humanizePercentage }} of imports fail. Their target tables keep the data they had.'
    ),
    alert(
      'SnapshotStorageHigh',
      'warning',
      'duckdb_snapshots_size_bytes > 50e9',
      'Snapshot storage exceeds 50GB',
      'Snapshots hold {{ $value | humanize }}B. Retention or manual deletes do not keep up with new snapshots.'
    ),
  ])
