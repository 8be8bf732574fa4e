// SQL sessions: who gets in, what runs, what is slow.
local p = import '../lib/panel.libsonnet';
local q = import '../lib/promql.libsonnet';
local queries = 'pgwire_queries_total';
local time = 'pgwire_query_duration_seconds';
local chosen = 'workspace_id=~"$workspace"';

function(config)
  p.board(config, 'duckdb-api-pgwire', 'DuckDB API / PG wire', 'Connections, statements and slow statements of the PostgreSQL door.', [
    {
      title: 'At a glance',
      panels: [
        p.stat('Listener', '1 while connections are accepted. PGWireServerDown fires at 0.', 'none', 'min(%s)' % q.raw('duckdb_listener_up', 'listener="pgwire"')),
        p.stat('Connections', 'Open and authenticated.', 'none', q.gauge('pgwire_connections_active', '', chosen)),
        p.stat('Sessions', 'In state active, gateway sessions included.', 'none', q.gauge('pgwire_sessions_total')),
        p.stat('Statements/s', 'All outcomes.', 'ops', q.rate(queries, '', chosen)),
        p.stat('Failed', 'Share of statements with status error. PGWireHighErrorRate fires at 5%.', 'percentunit', q.ratio(q.rate(queries, '', chosen + ',status="error"'), q.rate(queries, '', chosen)), steps=[[0.01, 'orange'], [0.05, 'red']]),
        p.stat('Slow/s', 'Statements above the threshold. PGWireSlowQueries fires at 0.5.', 'ops', q.rate('pgwire_slow_queries_total', '', chosen), steps=[[0.1, 'orange'], [0.5, 'red']]),
      ],
    },
    {
      title: 'Connections',
      panels: [
        p.stacked('Attempts', 'By outcome. PGWireAuthFailures fires at 0.1 auth_failed a second.', 'ops', [p.query(q.rate('pgwire_connections_total', 'status'), '{{status}}')]),
        p.lines('Open', 'By workspace.', 'none', [p.query('topk(10, %s)' % q.gauge('pgwire_connections_active', 'workspace_id', chosen), '{{workspace_id}}')]),
        p.lines('Login time', 'Credentials to verdict.', 's', [p.query(q.quantile('0.50', 'pgwire_auth_duration_seconds'), 'P50'), p.query(q.quantile('0.95', 'pgwire_auth_duration_seconds'), 'P95')]),
      ],
    },
    {
      title: 'Statements',
      panels: [
        p.stacked('By outcome', 'Per second.', 'ops', [p.query(q.rate(queries, 'status', chosen), '{{status}}')]),
        p.lines('Time', 'To the last row handed to the socket.', 's', [
          p.query(q.quantile('0.50', time, '', chosen), 'P50'),
          p.query(q.quantile('0.95', time, '', chosen), 'P95'),
          p.query(q.quantile('0.99', time, '', chosen), 'P99'),
        ]),
        p.lines('P95 by workspace', 'The ten slowest.', 's', [p.query('topk(10, %s)' % q.quantile('0.95', time, 'workspace_id', chosen), '{{workspace_id}}')]),
        p.heatmap('Time, distribution', 'All outcomes.', q.buckets(time, chosen)),
        p.lines('Slow statements', 'By workspace, per second. Their text and plan are in the log and in pg_stat_statements.', 'ops', [p.query('topk(10, %s)' % q.rate('pgwire_slow_queries_total', 'workspace_id', chosen), '{{workspace_id}}')], 12),
        p.ranking('Failing workspaces', 'Statements without success in the shown time.', 'short', 'topk(10, %s)' % q.increase(queries, 'workspace_id, status', chosen + ',status!="success"')),
        p.lines('Engine memory', 'By what holds it.', 'bytes', [p.query('topk(10, %s)' % q.gauge('duckdb_engine_memory_bytes', 'tag'), '{{tag}}')], 12),
      ],
    },
  ], [
    p.variable('workspace', 'Workspace', 'label_values(pgwire_queries_total{instance=~"$instance"}, workspace_id)', 'Workspaces that have run statements'),
  ])
