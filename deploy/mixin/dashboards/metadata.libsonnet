// The one writer that every change of what exists goes through.
local p = import '../lib/panel.libsonnet';
local q = import '../lib/promql.libsonnet';
local time = 'duckdb_metadata_query_duration_seconds';
local busy = q.rate('duckdb_metadata_writer_busy_seconds_total');
local writes = q.rate('duckdb_metadata_queries_total', '', 'operation="write"');

function(config)
  p.board(config, 'duckdb-api-metadata', 'DuckDB API / Metadata bottleneck', 'How close the single metadata writer is to its limit, and who waits for it.', [
    {
      title: 'Is it the bottleneck?',
      panels: [
        p.stat('Writer utilisation', 'Share of the time in which the writer works. MetadataWriterSaturated fires at 80%.', 'percentunit', busy, 6, [[0.6, 'orange'], [0.8, 'red']]),
        p.stat('Waiting writes', 'MetadataWriteQueue fires at 10.', 'none', q.max('duckdb_metadata_write_queue_depth'), 6, [[5, 'orange'], [10, 'red']]),
        p.stat('Write P95', 'Request to commit, waiting included. MetadataDBHighLatency fires at 100 ms.', 's', q.quantile('0.95', time, '', 'operation="write"'), 6, [[0.05, 'orange'], [0.1, 'red']]),
        p.stat('Writer time per write', 'Busy seconds per write: falls as group commit makes bigger batches.', 's', '%s / %s' % [busy, writes], 6),
      ],
    },
    {
      title: 'The writer',
      panels: [
        p.lines('Utilisation', 'Above 80% the wait grows faster than the load.', 'percentunit', [p.query('rate(%s[$__rate_interval])' % q.raw('duckdb_metadata_writer_busy_seconds_total'), '{{instance}}')], steps=[[0.8, 'red']]),
        p.lines('Queue depth', 'Writes waiting, without the batch being written.', 'none', [p.query(q.raw('duckdb_metadata_write_queue_depth'), '{{instance}}')], steps=[[10, 'red']]),
        p.lines('Calls', 'Statements and transactions per second.', 'ops', [p.query(q.rate('duckdb_metadata_queries_total', 'operation'), '{{operation}}')]),
        p.lines('Write time', 'Request to commit, waiting included.', 's', [
          p.query(q.quantile('0.50', time, '', 'operation="write"'), 'P50'),
          p.query(q.quantile('0.95', time, '', 'operation="write"'), 'P95'),
          p.query(q.quantile('0.99', time, '', 'operation="write"'), 'P99'),
        ], steps=[[0.1, 'red']]),
        p.lines('Read time', 'Reads come from memory and never wait for the writer.', 's', [
          p.query(q.quantile('0.50', time, '', 'operation="read"'), 'P50'),
          p.query(q.quantile('0.99', time, '', 'operation="read"'), 'P99'),
        ]),
        p.lines('Sessions in use', 'Metadata sessions.', 'none', [p.query(q.raw('duckdb_metadata_connections_active'), '{{instance}}')]),
        p.heatmap('Write time, distribution', 'A second band above the first one is the queue.', q.buckets(time, 'operation="write"')),
        p.lines('Disk below it', 'P99 of making the metadata log durable: nothing is acknowledged faster.', 's', [p.query(q.quantile('0.99', 'duckdb_fsync_duration_seconds', '', 'target="metadata"'), 'fsync')], 12, [[0.5, 'orange'], [1, 'red']]),
      ],
    },
    {
      title: 'Who writes',
      panels: [
        p.lines('Operations that change what exists', 'Per second; each is at least one metadata write.', 'ops', [p.query('topk(10, %s)' % q.rate('duckdb_operations_total', 'operation', 'operation!~"preview_table|profile_table|execute_query"'), '{{operation}}')], 12),
        p.lines('Server faults of class metadata', 'Failed or refused metadata calls that became a 500.', 'ops', [p.query(q.rate('duckdb_api_errors_total', 'endpoint', 'type="metadata"'), '{{endpoint}}')], 12),
      ],
    },
  ])
