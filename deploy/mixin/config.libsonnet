// Everything a site may want to change. Override with `(import 'mixin.libsonnet') + { _config+:: { ... } }`.
{
  _config:: {
    // Label of the scrape job; needed only for families that other targets expose too (up, process_*).
    job: 'duckdb-api',
    jobSelector: 'job="%s"' % self.job,

    // Prefix of every runbook_url. Relative on purpose: point it at wherever the docs are published.
    runbookBase: 'docs/runbooks/',

    // Objectives. budget = 1 - objective; the guard keeps a handful of requests at night from paging anyone.
    slo: {
      http: { budget: 0.001, eventsPerHour: 100 },
      latency: { budget: 0.05, eventsPerHour: 100, thresholdSeconds: '0.5' },
      grpc: { budget: 0.001, eventsPerHour: 100 },
      imports: { budget: 0.01, eventsPerHour: 20 },
    },
    // Health probes are not user traffic: they would dilute the ratio and defeat the low-traffic guard.
    sloProbeEndpoints: '/health.*',
    // Requests that move bulk data, or wait for work that does, and so have no half-second promise.
    sloBulkEndpoints: '/health.*|/driver/execute|/s3/.*|.*/(import/file|export|profile|pull|load|restore|download|snapshots)|.*/files/upload/.*',
    // Failures the service is to blame for. A missing table or a broken source file spends no error budget.
    sloGrpcFaults: 'internal|unavailable|deadline_exceeded|resource_exhausted',
    sloImportFaults: 'capacity|internal',

    storageBytesWarning: '100e9',
    storageBytesHigh: '500e9',
    // The engine may fill its own limit with cached pages; memory clearly above the limit is somebody else's.
    memoryLimitRatio: '1.25',
    memoryGrowthBytesPerHour: '10e6',
    diskFreeRatioCritical: '0.05',
    certificateWarningDays: 14,
    certificateCriticalDays: 2,

    dashboardTags: ['duckdb-api'],
    dashboardRefresh: '30s',
    dashboardFrom: 'now-3h',
  },
}
