// Every signal that the pages read, by group. Names and labels are those of the server's /metrics.

import { counter, gauge, histogramOf } from "./signals.js";

export const service = {
	up: gauge("duckdb_api_up"),
	start: gauge("duckdb_api_start_time_seconds"),
};

export const http = {
	requests: counter("duckdb_api_requests_total"),
	informational: counter("duckdb_api_requests_total|status_code=1xx"),
	success: counter("duckdb_api_requests_total|status_code=2xx"),
	redirects: counter("duckdb_api_requests_total|status_code=3xx"),
	clientErrors: counter("duckdb_api_requests_total|status_code=4xx"),
	serverErrors: counter("duckdb_api_requests_total|status_code=5xx"),
	inFlight: gauge("duckdb_api_requests_in_flight"),
	latency: histogramOf("duckdb_api_request_duration_seconds"),
};

export const storage = {
	projects: gauge("duckdb_projects_total"),
	buckets: gauge("duckdb_buckets_total"),
	tables: gauge("duckdb_tables_total"),
	size: gauge("duckdb_storage_size_bytes"),
	diskFree: gauge("duckdb_disk_free_bytes"),
	diskSize: gauge("duckdb_disk_size_bytes"),
};

export const metadata = {
	reads: counter("duckdb_metadata_queries_total|operation=read"),
	writes: counter("duckdb_metadata_queries_total|operation=write"),
	readTime: histogramOf("duckdb_metadata_query_duration_seconds|operation=read"),
	writeTime: histogramOf("duckdb_metadata_query_duration_seconds|operation=write"),
	time: histogramOf("duckdb_metadata_query_duration_seconds"),
	connections: gauge("duckdb_metadata_connections_active"),
	queue: gauge("duckdb_metadata_write_queue_depth"),
	writerBusy: counter("duckdb_metadata_writer_busy_seconds_total"),
	batch: histogramOf("duckdb_metadata_commit_batch_size"),
};

export const transfer = {
	imports: counter("duckdb_import_operations_total"),
	importErrors: counter("duckdb_import_operations_total|status=error"),
	importTime: histogramOf("duckdb_import_duration_seconds"),
	importRows: counter("duckdb_import_rows_total"),
	importBytes: counter("duckdb_import_bytes_total"),
	exports: counter("duckdb_export_operations_total"),
	exportTime: histogramOf("duckdb_export_duration_seconds"),
	exportRows: counter("duckdb_export_rows_total"),
};

export const files = {
	total: gauge("duckdb_files_total"),
	staging: gauge("duckdb_files_staging_count"),
	uploads: counter("duckdb_files_uploads_total"),
	uploadTime: histogramOf("duckdb_files_upload_duration_seconds"),
	uploadBytes: counter("duckdb_files_upload_bytes_total"),
	downloads: counter("duckdb_files_downloads_total"),
	downloadBytes: counter("duckdb_files_download_bytes_total"),
};

export const s3 = {
	operations: counter("duckdb_s3_operations_total"),
	time: histogramOf("duckdb_s3_operation_duration_seconds"),
	presigned: counter("duckdb_s3_presign_requests_total"),
	multipart: gauge("duckdb_s3_multipart_uploads_active"),
	bytesIn: counter("duckdb_s3_bytes_in_total"),
	bytesOut: counter("duckdb_s3_bytes_out_total"),
};

export const snapshots = {
	total: gauge("duckdb_snapshots_total"),
	created: counter("duckdb_snapshots_created_total"),
	createTime: histogramOf("duckdb_snapshot_create_duration_seconds"),
	restored: counter("duckdb_snapshots_restored_total"),
	restoreTime: histogramOf("duckdb_snapshot_restore_duration_seconds"),
	expired: counter("duckdb_snapshots_expired_total"),
	size: gauge("duckdb_snapshots_size_bytes"),
};

const operation = (name) => counter(`duckdb_operations_total|operation=${name}|status=success`);

export const lifecycle = {
	all: counter("duckdb_operations_total"),
	failed: counter("duckdb_operations_total|status=error"),
	versions: operation("restore_version"),
	restores: operation("restore_snapshot"),
	merges: operation("merge_branch"),
	pulls: operation("pull_table"),
	profiles: operation("profile_table"),
	created: operation("create_table"),
	deleted: operation("delete_table"),
};

export const locks = {
	active: gauge("duckdb_table_locks_active"),
	acquired: counter("duckdb_table_lock_acquisitions_total"),
	wait: histogramOf("duckdb_table_lock_wait_seconds"),
};

export const queue = {
	depth: gauge("duckdb_write_queue_depth"),
	wait: histogramOf("duckdb_write_queue_wait_seconds"),
};

export const cache = {
	size: gauge("duckdb_idempotency_cache_size"),
	hits: counter("duckdb_idempotency_cache_hits_total"),
	misses: counter("duckdb_idempotency_cache_misses_total"),
	conflicts: counter("duckdb_idempotency_conflicts_total"),
};

export const branches = {
	total: gauge("duckdb_branches_total"),
	tables: gauge("duckdb_branch_tables_total"),
	copies: counter("duckdb_branch_cow_operations_total"),
	copyTime: histogramOf("duckdb_branch_cow_duration_seconds"),
	copyBytes: counter("duckdb_branch_cow_bytes_total"),
};

export const pgwire = {
	workspaces: gauge("duckdb_workspaces_total"),
	sessions: gauge("pgwire_sessions_total"),
	connections: counter("pgwire_connections_total"),
	active: gauge("pgwire_connections_active"),
	queries: counter("pgwire_queries_total"),
	failures: counter("pgwire_queries_total|status!=success"),
	queryTime: histogramOf("pgwire_query_duration_seconds"),
	authTime: histogramOf("pgwire_auth_duration_seconds"),
};

export const grpc = {
	requests: counter("duckdb_grpc_requests_total"),
	errors: counter("duckdb_grpc_requests_total|status=error"),
	connections: gauge("duckdb_grpc_connections_active"),
	time: histogramOf("duckdb_grpc_request_duration_seconds"),
};

export const schema = {
	operations: counter("duckdb_schema_operations_total"),
	time: histogramOf("duckdb_schema_operation_duration_seconds"),
};

export const sharing = {
	shares: gauge("duckdb_bucket_shares_total"),
	links: gauge("duckdb_bucket_links_total"),
	operations: counter("duckdb_bucket_sharing_operations_total"),
};

export const runtime = {
	cpu: counter("process_cpu_seconds_total"),
	rss: gauge("process_resident_memory_bytes"),
	openFds: gauge("process_open_fds"),
	maxFds: gauge("process_max_fds"),
	threads: gauge("process_threads"),
	engineMemory: gauge("duckdb_engine_memory_bytes"),
	engineLimit: gauge("duckdb_engine_memory_limit_bytes"),
};
