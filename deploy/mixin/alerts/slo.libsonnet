// Objectives as recorded ratios over seven windows, and alerts on how fast they spend their 30-day budget. Two windows
// must agree: the long one says it matters, the short one says it still goes on.
local rule = import '../lib/rule.libsonnet';

local windows = ['5m', '30m', '1h', '2h', '6h', '1d', '3d'];
local burns = [
  { long: '1h', short: '5m', factor: '14.4', spent: '2%', severity: 'critical', 'for': '2m' },
  { long: '6h', short: '30m', factor: '6', spent: '5%', severity: 'critical', 'for': '2m' },
  { long: '1d', short: '2h', factor: '3', spent: '10%', severity: 'warning', 'for': '15m' },
  { long: '3d', short: '6h', factor: '1', spent: '10%', severity: 'warning', 'for': '15m' },
];

function(config)
  local slo = config.slo;
  local probes = 'endpoint!~"%s"' % config.sloProbeEndpoints;
  local interactive = 'endpoint!~"%s"' % config.sloBulkEndpoints;
  // `bad` has no series until the first failure: that is 0, not "unknown".
  local share(bad, all) = function(window)
    '(sum(rate(%s[%s])) or vector(0)) / sum(rate(%s[%s]))' % [bad, window, all, window];
  local http = 'duckdb_api_requests_total{%s}' % probes;
  local objectives = [
    {
      ratio: 'duckdb:http_error_ratio',
      alert: 'DuckDBAPIErrorBudgetBurn',
      expr: share('duckdb_api_requests_total{%s,status_code=~"5.."}' % probes, http),
      events: http,
      summary: 'HTTP errors spend the error budget too fast',
      what: 'of HTTP requests fail on our side',
    } + slo.http,
    {
      ratio: 'duckdb:http_slow_ratio',
      alert: 'DuckDBAPILatencyBudgetBurn',
      expr: function(window)
        '1 - sum(rate(duckdb_api_request_duration_seconds_bucket{%s,le="%s"}[%s])) / sum(rate(duckdb_api_request_duration_seconds_count{%s}[%s]))'
        % [interactive, slo.latency.thresholdSeconds, window, interactive, window],
      events: 'duckdb_api_requests_total{%s}' % interactive,
      summary: 'Slow HTTP requests spend the latency budget too fast',
      what: 'of interactive HTTP requests take longer than %s s' % slo.latency.thresholdSeconds,
    } + slo.latency,
    {
      ratio: 'duckdb:grpc_error_ratio',
      alert: 'DuckDBGRPCErrorBudgetBurn',
      expr: share('duckdb_grpc_errors_total{error_type=~"%s"}' % config.sloGrpcFaults, 'duckdb_grpc_requests_total'),
      events: 'duckdb_grpc_requests_total',
      summary: 'Driver command errors spend the error budget too fast',
      what: 'of driver commands fail on our side',
    } + slo.grpc,
    {
      ratio: 'duckdb:import_error_ratio',
      alert: 'DuckDBImportErrorBudgetBurn',
      expr: share('duckdb_import_failures_total{reason=~"%s"}' % config.sloImportFaults, 'duckdb_import_operations_total'),
      events: 'duckdb_import_operations_total',
      summary: 'Failing imports spend the error budget too fast',
      what: 'of imports fail on our side',
    } + slo.imports,
  ];
  local burn(objective, pair) = rule.alert(
    config,
    objective.alert,
    pair.severity,
    pair['for'],
    |||
      %(ratio)s:rate%(long)s > %(factor)s * %(budget)s
      and
      %(ratio)s:rate%(short)s > %(factor)s * %(budget)s
      and
      sum(increase(%(events)s[1h])) > %(eventsPerHour)d
    ||| % (objective + pair),
    objective.summary,
    '{{ $value | humanizePercentage }} %(what)s over %(long)s, and it still goes on. That spent %(spent)s of the 30-day budget or more.'
    % (objective + pair),
    { window: pair.long }
  );
  {
    recording: rule.group('duckdb-slo-recording', [
      rule.record('%s:rate%s' % [objective.ratio, window], objective.expr(window))
      for objective in objectives
      for window in windows
    ]),
    alerting: rule.group('duckdb-slo', [burn(objective, pair) for objective in objectives for pair in burns]),
  }
