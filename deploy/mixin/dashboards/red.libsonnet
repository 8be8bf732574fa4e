// Rate, errors, duration of every door, then what is used up.
local p = import '../lib/panel.libsonnet';
local q = import '../lib/promql.libsonnet';

local http = 'duckdb_api_requests_total';
local latency = 'duckdb_api_request_duration_seconds';
local percentiles(name) = [
  p.query(q.quantile(quantile, name), 'P%s' % std.strReplace(quantile, '0.', ''))
  for quantile in ['0.50', '0.95', '0.99']
];

function(config)
  p.board(config, 'duckdb-api-red', 'DuckDB API / Overview', 'Rate, errors and duration of every door; resources below.', [
    {
      title: 'At a glance',
      panels: [
        p.stat('Up', 'Servers that answer, out of those scraped.', 'none', 'sum(up{%s,instance=~"$instance"})' % config.jobSelector, steps=[]),
        p.stat('Uptime', 'Since the youngest start.', 's', 'time() - max(duckdb_api_start_time_seconds{instance=~"$instance"})'),
        p.stat('Requests/s', 'HTTP requests answered.', 'reqps', q.rate(http)),
        p.stat('5xx', 'Share of HTTP requests answered with a server error. DuckDBAPIHighErrorRate fires at 5%.', 'percentunit', q.ratio(q.rate(http, '', 'status_code=~"5.."'), q.rate(http)), steps=[[0.01, 'orange'], [0.05, 'red']]),
        p.stat('P95', 'Of all HTTP requests. DuckDBAPIHighLatency fires at 2 s.', 's', q.quantile('0.95', latency), steps=[[0.5, 'orange'], [2, 'red']]),
        p.stat('In flight', 'HTTP requests being served. HighRequestConcurrency fires at 50.', 'none', q.gauge('duckdb_api_requests_in_flight'), steps=[[25, 'orange'], [50, 'red']]),
      ],
    },
    {
      title: 'HTTP',
      panels: [
        p.stacked('Requests by status', 'Answers per second.', 'reqps', [p.query(q.rate(http, 'status_code'), '{{status_code}}')]),
        p.lines('Latency', 'From request head to last response byte.', 's', percentiles(latency)),
        p.lines('Time to first byte', 'What of the latency is thinking rather than sending.', 's', percentiles('duckdb_http_response_ttfb_seconds')),
        p.ranking('Busiest endpoints', 'Requests per second.', 'reqps', 'topk(10, %s)' % q.rate(http, 'method, endpoint')),
        p.ranking('Slowest endpoints', 'P95 by route.', 's', 'topk(10, %s)' % q.quantile('0.95', latency, 'method, endpoint')),
        p.lines('Server faults by class', 'Responses caused by us, per second.', 'ops', [p.query(q.rate('duckdb_api_errors_total', 'type'), '{{type}}')]),
        p.lines('Refused before the operation', 'Overload, bad requests, slow clients.', 'ops', [p.query(q.rate('duckdb_requests_rejected_total', 'door, reason'), '{{door}} {{reason}}')]),
        p.lines('Failed authentication', 'By door and reason.', 'ops', [p.query(q.rate('duckdb_auth_failures_total', 'door, reason'), '{{door}} {{reason}}')]),
        p.lines('Idempotency cache', 'Replayed, executed and conflicting keys per second.', 'ops', [
          p.query(q.rate('duckdb_idempotency_cache_hits_total'), 'hits'),
          p.query(q.rate('duckdb_idempotency_cache_misses_total'), 'misses'),
          p.query(q.rate('duckdb_idempotency_conflicts_total'), 'conflicts'),
        ]),
        p.lines('Open connections', 'By listener.', 'none', [p.query(q.gauge('duckdb_connections_active', 'listener'), '{{listener}}')]),
      ],
    },
    {
      title: 'Driver commands (gRPC port and HTTP bridge)',
      panels: [
        p.stacked('Commands by outcome', 'Commands per second.', 'ops', [p.query(q.rate('duckdb_grpc_requests_total', 'status'), '{{status}}')]),
        p.lines('P95 by command', 'The ten slowest.', 's', [p.query('topk(10, %s)' % q.quantile('0.95', 'duckdb_grpc_request_duration_seconds', 'command'), '{{command}}')]),
        p.lines('Errors by kind', 'gRPCHighErrorRate counts them all; the error budget counts only those on our side.', 'ops', [p.query(q.rate('duckdb_grpc_errors_total', 'error_type'), '{{error_type}}')]),
      ],
    },
    {
      title: 'S3 and operations',
      panels: [
        p.stacked('S3 calls', 'By operation.', 'ops', [p.query(q.rate('duckdb_s3_operations_total', 'operation'), '{{operation}}')]),
        p.lines('S3 P95', 'By operation.', 's', [p.query(q.quantile('0.95', 'duckdb_s3_operation_duration_seconds', 'operation'), '{{operation}}')]),
        p.lines('S3 traffic', 'Object bytes.', 'Bps', [p.query(q.rate('duckdb_s3_bytes_in_total'), 'in'), p.query(q.rate('duckdb_s3_bytes_out_total'), 'out')]),
        p.lines('Failed operations', 'Storage operations that ended in an error, whoever is to blame.', 'ops', [p.query(q.rate('duckdb_operations_total', 'operation', 'status="error"'), '{{operation}}')], 12),
        p.lines('Slowest operations', 'P95 of successful ones, the ten slowest.', 's', [p.query('topk(10, %s)' % q.quantile('0.95', 'duckdb_operation_duration_seconds', 'operation'), '{{operation}}')], 12),
      ],
    },
    {
      title: 'Resources',
      panels: [
        p.lines('CPU', 'Cores in use.', 'none', [p.query('rate(process_cpu_seconds_total{%s,instance=~"$instance"}[$__rate_interval])' % config.jobSelector, '{{instance}}')]),
        p.lines('Memory', 'Resident memory against what the engine may use.', 'bytes', [
          p.query('process_resident_memory_bytes{%s,instance=~"$instance"}' % config.jobSelector, 'resident {{instance}}'),
          p.query(q.gauge('duckdb_engine_memory_bytes', 'instance'), 'engine {{instance}}'),
          p.query(q.gauge('duckdb_engine_memory_limit_bytes', 'instance'), 'engine limit {{instance}}'),
        ]),
        p.lines('File descriptors', 'FileDescriptorExhaustion fires at 80%.', 'percentunit', [p.query('process_open_fds{%(job)s,instance=~"$instance"} / process_max_fds{%(job)s,instance=~"$instance"}' % { job: config.jobSelector }, '{{instance}}')], steps=[[0.8, 'red']]),
        p.lines('Busy workers', 'Share of each pool that is working.', 'percentunit', [p.query('%s / %s' % [q.gauge('duckdb_pool_busy', 'pool'), q.gauge('duckdb_pool_threads', 'pool')], '{{pool}}')]),
        p.lines('Queued tasks', 'Waiting for a thread of the pool.', 'none', [p.query(q.gauge('duckdb_pool_queued', 'pool'), '{{pool}}')]),
        p.lines('Waiting for a worker', 'P95 by pool.', 's', [p.query(q.quantile('0.95', 'duckdb_pool_wait_seconds', 'pool'), '{{pool}}')]),
        p.lines('Pressure', 'Share of time in which some task waited for the resource.', 'percentunit', [p.query('rate(%s[$__rate_interval])' % q.raw('duckdb_pressure_seconds_total', 'kind="some"'), '{{resource}} {{instance}}')]),
        p.lines('Log messages', 'Warnings and errors per second.', 'ops', [p.query(q.rate('duckdb_log_messages_total', 'level', 'level=~"warn|error"'), '{{level}}')]),
      ],
    },
  ])
