// File name -> dashboard.
function(config) {
  'duckdb-api-red.json': (import 'red.libsonnet')(config),
  'duckdb-api-tenants.json': (import 'tenants.libsonnet')(config),
  'duckdb-api-storage.json': (import 'storage.libsonnet')(config),
  'duckdb-api-metadata.json': (import 'metadata.libsonnet')(config),
  'duckdb-api-pgwire.json': (import 'pgwire.libsonnet')(config),
  'duckdb-api-imports.json': (import 'imports.libsonnet')(config),
  'duckdb-api-slo.json': (import 'slo.libsonnet')(config),
}
