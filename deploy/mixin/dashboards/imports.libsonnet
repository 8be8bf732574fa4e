// Bulk data in and out.
local p = import '../lib/panel.libsonnet';
local q = import '../lib/promql.libsonnet';

local ops(kind) = 'duckdb_%s_operations_total' % kind;
local failed(kind) = q.ratio(q.rate(ops(kind), '', 'status="error"'), q.rate(ops(kind)));

function(config)
  p.board(config, 'duckdb-api-imports', 'DuckDB API / Imports and exports', 'Throughput, failures and freshness of bulk data.', [
    {
      title: 'At a glance',
      panels: [
        p.stat('Imports/s', 'Finished, both outcomes.', 'ops', q.rate(ops('import'))),
        p.stat('Failed imports', 'Share. ImportHighFailureRate fires at 10%.', 'percentunit', failed('import'), steps=[[0.05, 'orange'], [0.1, 'red']]),
        p.stat('Rows/s', 'Imported.', 'rowsps', q.rate('duckdb_import_rows_total')),
        p.stat('Bytes/s', 'Read from sources, as stored.', 'Bps', q.rate('duckdb_import_bytes_total')),
        p.stat('Exports/s', 'Finished, both outcomes.', 'ops', q.rate(ops('export'))),
        p.stat('Failed exports', 'Share.', 'percentunit', failed('export'), steps=[[0.05, 'orange'], [0.1, 'red']]),
      ],
    },
    {
      title: 'Imports',
      panels: [
        p.stacked('Imports', 'By format, mode and outcome.', 'ops', [p.query(q.rate(ops('import'), 'format, mode, status'), '{{format}} {{mode}} {{status}}')]),
        p.lines('Failures by reason', "client and source are the caller's, capacity and internal are ours.", 'ops', [p.query(q.rate('duckdb_import_failures_total', 'reason'), '{{reason}}')]),
        p.lines('Time', 'Successful imports, waits included.', 's', [p.query(q.quantile('0.50', 'duckdb_import_duration_seconds', 'format'), 'P50 {{format}}'), p.query(q.quantile('0.95', 'duckdb_import_duration_seconds', 'format'), 'P95 {{format}}')]),
        p.lines('Rows', 'Imported, per second and project.', 'rowsps', [p.query('topk(10, %s)' % q.rate('duckdb_import_rows_total', 'project_id'), '{{project_id}}')]),
        p.lines('Source bytes', 'By format.', 'Bps', [p.query(q.rate('duckdb_import_bytes_total', 'format'), '{{format}}')]),
        p.lines('Rows kept', 'Imported out of read: the rest were duplicates.', 'percentunit', [p.query('%s / %s' % [q.rate('duckdb_import_rows_total'), q.rate('duckdb_import_rows_read_total')], 'kept')]),
        p.ranking('Stalest projects', 'Time since the last import of each project.', 's', 'topk(10, time() - max by (project_id) (%s))' % q.raw('duckdb_last_import_timestamp_seconds')),
        p.heatmap('Time, distribution', 'Successful imports.', q.buckets('duckdb_import_duration_seconds')),
      ],
    },
    {
      title: 'Exports',
      panels: [
        p.stacked('Exports', 'By format and outcome.', 'ops', [p.query(q.rate(ops('export'), 'format, status'), '{{format}} {{status}}')]),
        p.lines('Time', 'Successful exports.', 's', [p.query(q.quantile('0.95', 'duckdb_export_duration_seconds', 'format'), 'P95 {{format}}')]),
        p.lines('Volume', 'Rows and bytes written.', 'short', [p.query(q.rate('duckdb_export_rows_total'), 'rows/s'), p.query(q.rate('duckdb_export_bytes_total'), 'bytes/s')]),
      ],
    },
    {
      title: 'What holds them up',
      panels: [
        p.lines('Write queue wait, P95', 'All projects.', 's', [p.query(q.quantile('0.95', 'duckdb_write_queue_wait_seconds'), 'P95')]),
        p.lines('Table lock wait, P95', 'All tables.', 's', [p.query(q.quantile('0.95', 'duckdb_table_lock_wait_seconds'), 'P95')]),
        p.lines('Spilled to disk', 'Temporary files of the engine.', 'bytes', [p.query(q.gauge('duckdb_engine_temp_bytes'), 'spilled')]),
      ],
    },
  ])
