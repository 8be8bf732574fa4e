// Who causes what. Only as many tenants have series of their own as the METRICS_MAX_* settings allow; the rest are `_other`.
local p = import '../lib/panel.libsonnet';
local q = import '../lib/promql.libsonnet';
local chosen = 'project_id=~"$project"';

function(config)
  p.board(config, 'duckdb-api-tenants', 'DuckDB API / Tenants', 'The top projects, workspaces, branches and tables by what they use.', [
    {
      title: 'Counts',
      panels: [
        p.stat('Projects', 'Not deleted.', 'none', q.gauge('duckdb_projects_total')),
        p.stat('Buckets', 'Of default branches.', 'none', q.gauge('duckdb_buckets_total')),
        p.stat('Tables', 'Of default branches.', 'none', q.gauge('duckdb_tables_total')),
        p.stat('Branches', 'Dev branches.', 'none', q.gauge('duckdb_branches_total')),
        p.stat('Workspaces', 'Of all projects and branches.', 'none', q.gauge('duckdb_workspaces_total')),
        p.stat('Shared / linked buckets', 'Share records.', 'none', q.gauge('duckdb_bucket_shares_total')),
      ],
    },
    {
      title: 'Projects',
      panels: [
        p.ranking('Most rows imported', 'In the shown time.', 'short', q.top(q.increase('duckdb_import_rows_total', 'project_id', chosen)), 8),
        p.ranking('Writes', 'Table-changing operations in the shown time.', 'short', q.top(q.increase('duckdb_write_queue_wait_seconds_count', 'project_id', chosen)), 8),
        p.ranking('Waiting writes now', 'WriteQueueBackpressure fires at 10 in one project.', 'none', q.top(q.gauge('duckdb_write_queue_depth', 'project_id', chosen)), 8),
        p.lines('Rows imported', 'Per second.', 'rowsps', [p.query(q.top(q.rate('duckdb_import_rows_total', 'project_id', chosen)), '{{project_id}}')], 12),
        p.lines('Write queue wait, P95', 'By project.', 's', [p.query(q.top(q.quantile('0.95', 'duckdb_write_queue_wait_seconds', 'project_id', chosen)), '{{project_id}}')], 12, [[30, 'red']]),
      ],
    },
    {
      title: 'Tables and branches',
      panels: [
        p.ranking('Most written tables', 'Exclusive locks taken in the shown time.', 'short', q.top(q.increase('duckdb_table_lock_acquisitions_total', 'project_id, bucket, table', chosen))),
        p.ranking('Copy-on-write', 'Bytes copied into branches in the shown time.', 'bytes', q.top(q.increase('duckdb_branch_cow_bytes_total', 'project_id, branch_id', chosen))),
      ],
    },
    {
      title: 'Workspaces',
      panels: [
        p.ranking('Statements', 'In the shown time.', 'short', q.top(q.increase('pgwire_queries_total', 'workspace_id')), 8),
        p.ranking('Engine time', 'Seconds spent in statements in the shown time.', 's', q.top(q.increase('pgwire_query_duration_seconds_sum', 'workspace_id')), 8),
        p.ranking('Failed statements', 'In the shown time.', 'short', q.top(q.increase('pgwire_queries_total', 'workspace_id', 'status!="success"')), 8),
        p.lines('Connections', 'Open and authenticated.', 'none', [p.query(q.top(q.gauge('pgwire_connections_active', 'workspace_id')), '{{workspace_id}}')], 12),
        p.lines('Folded into _other', 'Series that lost their own label because a cap was reached, per second.', 'ops', [p.query(q.rate('duckdb_metrics_series_folded_total', 'family'), '{{family}}')], 12),
      ],
    },
  ], [
    p.variable('project', 'Project', 'label_values(duckdb_import_rows_total{instance=~"$instance"}, project_id)', 'Projects that have imported rows'),
    p.topVariable,
  ])
