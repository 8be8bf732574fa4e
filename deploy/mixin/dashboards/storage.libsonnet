// What lies on disk, how it grows, how fast the disk is, and the chores that keep it small.
local p = import '../lib/panel.libsonnet';
local q = import '../lib/promql.libsonnet';

function(config)
  p.board(config, 'duckdb-api-storage', 'DuckDB API / Storage', 'Sizes, growth, locks, snapshots, branches and files.', [
    {
      title: 'Size',
      panels: [
        p.stat('Total', 'HighStorageUsage fires at 100 GB, DuckDBAPIStorageHigh at 500 GB.', 'decbytes', q.gauge('duckdb_storage_size_bytes'), steps=[[100e9, 'orange'], [500e9, 'red']]),
        p.stat('Free', 'Space of the fullest disk.', 'decbytes', 'min(%s)' % q.raw('duckdb_disk_free_bytes')),
        p.stat('Free share', 'DiskAlmostFull fires below 5%.', 'percentunit', 'min(%s / %s)' % [q.raw('duckdb_disk_free_bytes'), q.raw('duckdb_disk_size_bytes')]),
        p.stat('Snapshots', 'SnapshotStorageHigh fires at 50 GB.', 'decbytes', q.gauge('duckdb_snapshots_size_bytes'), steps=[[25e9, 'orange'], [50e9, 'red']]),
        p.stat('Tables', 'Of default branches.', 'none', q.gauge('duckdb_tables_total')),
        p.stat('Files', 'Registered files and objects.', 'none', q.gauge('duckdb_files_total')),
        p.stacked('Bytes by kind', 'The kinds are disjoint and add up to the data directory.', 'decbytes', [p.query(q.gauge('duckdb_storage_size_bytes', 'type'), '{{type}}')], 12),
        p.lines('Free space and its forecast', 'Where the last four hours lead in four more. DiskWillFill fires below zero.', 'decbytes', [
          p.query(q.raw('duckdb_disk_free_bytes'), 'free {{path}}'),
          p.query('predict_linear(%s[4h], 4 * 3600)' % q.raw('duckdb_disk_free_bytes'), 'in 4 h {{path}}'),
        ], 12),
      ],
    },
    {
      title: 'Disk',
      panels: [
        p.lines('fsync, P99', 'FsyncSlow fires at 0.5 s and 1 s.', 's', [p.query(q.quantile('0.99', 'duckdb_fsync_duration_seconds', 'target'), '{{target}}')], steps=[[0.5, 'orange'], [1, 'red']]),
        p.lines('Write-ahead logs', 'Bytes not checkpointed yet.', 'bytes', [p.query(q.gauge('duckdb_wal_bytes', 'target'), '{{target}}')]),
        p.lines('Checkpoint, P95', 'By target.', 's', [p.query(q.quantile('0.95', 'duckdb_checkpoint_duration_seconds', 'target'), '{{target}}')]),
        p.lines('Process I/O', 'Bytes the process caused to be read and written.', 'Bps', [p.query(q.rate('process_io_read_bytes_total'), 'read'), p.query(q.rate('process_io_write_bytes_total'), 'written')]),
        p.lines('Table files open', 'Attached table files.', 'none', [p.query(q.gauge('duckdb_table_handles_open'), 'open')]),
        p.lines('Table file opens', 'By result.', 'ops', [p.query(q.rate('duckdb_table_handle_opens_total', 'result'), '{{result}}')]),
      ],
    },
    {
      title: 'Table locks and the write queue',
      panels: [
        p.lines('Lock wait', 'DuckDBAPIHighLockContention fires at a P95 of 1 s.', 's', [
          p.query(q.quantile('0.95', 'duckdb_table_lock_wait_seconds'), 'P95'),
          p.query(q.quantile('0.99', 'duckdb_table_lock_wait_seconds'), 'P99'),
        ], steps=[[1, 'red']]),
        p.lines('Lock hold, P95', 'How long a writer keeps its table.', 's', [p.query(q.quantile('0.95', 'duckdb_table_lock_hold_seconds'), 'P95')]),
        p.lines('Locks', 'Held now.', 'none', [p.query(q.gauge('duckdb_table_locks_active'), 'held')]),
        p.lines('Write queue depth', 'WriteQueueBackpressure fires at 10 in one project.', 'none', [p.query('topk(10, %s)' % q.gauge('duckdb_write_queue_depth', 'project_id'), '{{project_id}}')], steps=[[10, 'orange'], [100, 'red']]),
        p.lines('Write queue wait', 'All projects. WriteQueueSlow fires at a P99 of 30 s in one project.', 's', [
          p.query(q.quantile('0.95', 'duckdb_write_queue_wait_seconds'), 'P95'),
          p.query(q.quantile('0.99', 'duckdb_write_queue_wait_seconds'), 'P99'),
        ], steps=[[30, 'red']]),
        p.lines('Timeouts', 'Writes that gave up waiting for their table, per second.', 'ops', [p.query(q.rate('duckdb_table_lock_timeouts_total'), 'timeouts')]),
      ],
    },
    {
      title: 'Snapshots and branches',
      panels: [
        p.lines('Snapshots', 'Stored now.', 'none', [p.query(q.gauge('duckdb_snapshots_total', 'type'), '{{type}}')]),
        p.lines('Snapshots made, restored, expired', 'Per second.', 'ops', [
          p.query(q.rate('duckdb_snapshots_created_total', 'trigger'), 'made: {{trigger}}'),
          p.query(q.rate('duckdb_snapshots_restored_total'), 'restored'),
          p.query(q.rate('duckdb_snapshots_expired_total'), 'expired'),
        ]),
        p.lines('Snapshot time, P95', 'Successful ones.', 's', [
          p.query(q.quantile('0.95', 'duckdb_snapshot_create_duration_seconds'), 'create'),
          p.query(q.quantile('0.95', 'duckdb_snapshot_restore_duration_seconds'), 'restore'),
        ]),
        p.lines('Failed snapshots', 'What asked for them was refused.', 'ops', [p.query(q.rate('duckdb_snapshots_failed_total', 'trigger'), '{{trigger}}')]),
        p.lines('Copy-on-write', 'Bytes copied into branches.', 'Bps', [p.query(q.rate('duckdb_branch_cow_bytes_total'), 'copied')]),
        p.lines('Copy-on-write time, P95', 'DuckDBAPIHighCoWDuration fires at 10 s.', 's', [p.query(q.quantile('0.95', 'duckdb_branch_cow_duration_seconds'), 'P95')], steps=[[10, 'red']]),
      ],
    },
    {
      title: 'Files and schema',
      panels: [
        p.lines('File transfers', 'Per second.', 'ops', [
          p.query(q.rate('duckdb_files_uploads_total', 'status'), 'upload {{status}}'),
          p.query(q.rate('duckdb_files_downloads_total', 'status'), 'download {{status}}'),
        ]),
        p.lines('Unfinished uploads', 'Prepared uploads and multipart uploads.', 'none', [
          p.query(q.gauge('duckdb_files_staging_count'), 'prepared'),
          p.query(q.gauge('duckdb_s3_multipart_uploads_active'), 'multipart'),
        ]),
        p.lines('Schema changes', 'By kind and outcome.', 'ops', [p.query(q.rate('duckdb_schema_operations_total', 'operation, status'), '{{operation}} {{status}}')]),
        p.lines('Background jobs', 'Time since the last success, in intervals. BackgroundJobStale fires at 3.', 'none', [p.query('(time() - %s) / %s' % [q.raw('duckdb_background_job_last_success_timestamp_seconds'), q.raw('duckdb_background_job_interval_seconds')], '{{exported_job}}')], 12, [[3, 'red']]),
        p.lines('Background job failures', 'Per second.', 'ops', [p.query(q.rate('duckdb_background_job_failures_total', 'exported_job'), '{{exported_job}}')], 12),
      ],
    },
  ])
