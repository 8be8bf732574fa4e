// The tiles: one figure each, with its sub-line. A tile is {id, title, read(window, scrape), spark, windowed};
// read answers {value, sub, tone}. Totals count since the server started; rates, ratios, averages and percentiles are those
// of the chosen window. `tone` is ok, warn or bad and always goes with an icon and a word.

import * as fmt from "./format.js";
import * as m from "./readings.js";
import { disksOf, ratio, sumBy, value } from "./stats.js";

export const QUEUE_DEEP = 5;

const rateSpark = (signal) => ({ kind: "rate", signal });
const p95Spark = (signal) => ({ kind: "p95", signal });
const gaugeSpark = (signal) => ({ kind: "gauge", signal });

const tones = (condition, tone) => (condition ? tone : null);

// A count since the start, with its rate as sparkline.
function total(id, title, signal, sub, format = fmt.count) {
	return {
		id,
		title,
		spark: { ...rateSpark(signal), format: format === fmt.bytes ? fmt.byteRate : fmt.rate },
		read: (w, scrape) => ({ value: format(w.now(signal)), sub: sub ? sub(w, scrape) : null }),
	};
}

function level(id, title, signal, sub, format = fmt.count) {
	return {
		id,
		title,
		read: (w, scrape) => ({ value: format(w.now(signal)), sub: sub ? sub(w, scrape) : null }),
	};
}

function p95(id, title, signal, sub) {
	return {
		id,
		title,
		windowed: true,
		spark: { ...p95Spark(signal), format: fmt.seconds },
		read: (w) => ({ value: fmt.seconds(w.quantile(0.95, signal)), sub: sub ? sub(w) : null }),
	};
}

function quantileTile(id, title, q) {
	return {
		id,
		title,
		windowed: true,
		spark: { kind: "quantile", q, signal: m.http.latency, format: fmt.seconds },
		read: (w) => ({ value: fmt.seconds(w.quantile(q, m.http.latency)) }),
	};
}

const count = (w, signal) => fmt.count(w.now(signal));
const counted = (w, signal, noun) => `${count(w, signal)} ${noun}${w.now(signal) === 1 ? "" : "s"}`;
const p95Text = (w, signal) => fmt.seconds(w.quantile(0.95, signal));

// Information of the build, from the labels of the info metric.
export function serviceInfo(scrape) {
	const list = scrape.samples.get("duckdb_api_service_info") || scrape.samples.get("duckdb_api_service") || [];
	return list.length > 0 ? list[0].labels : {};
}

export function commandsUsed(scrape) {
	const perCommand = sumBy(scrape, "duckdb_grpc_requests_total", (labels) => labels.command);
	return [...perCommand.values()].filter((n) => n > 0).length;
}

// `op: n` for every schema operation that happened.
export function schemaBreakdown(scrape) {
	const perOperation = sumBy(scrape, "duckdb_schema_operations_total", (labels) => labels.operation);
	const parts = [...perOperation].filter(([, n]) => n > 0).map(([name, n]) => `${name}: ${fmt.count(n)}`);
	return parts.length > 0 ? parts.join(", ") : "No operations";
}

export function diskFree(scrape) {
	const disks = disksOf(scrape);
	return disks.length > 0 ? disks.reduce((sum, { free }) => sum + free, 0) : null;
}

// Nothing is well where nothing happened.
const okay = (w, signal) => tones(w.gain(signal) > 0, "ok");

function errorRate(w) {
	const clientErrors = w.gain(m.http.clientErrors);
	const serverErrors = w.gain(m.http.serverErrors);
	if (clientErrors === null || serverErrors === null) {
		return { value: fmt.NONE, sub: `4xx: ${fmt.NONE}, 5xx: ${fmt.NONE}` };
	}
	return {
		value: fmt.percent(w.share([m.http.clientErrors, m.http.serverErrors], m.http.requests)),
		sub: `4xx: ${fmt.count(clientErrors)}, 5xx: ${fmt.count(serverErrors)}`,
		tone: serverErrors > 0 ? "bad" : clientErrors > 0 ? "warn" : okay(w, m.http.requests),
	};
}

function uptimeOf(w, format) {
	const start = w.now(m.service.start);
	return start === null ? fmt.NONE : format(w.last.time - start);
}

function status(up, down) {
	return (w, scrape) => {
		const isUp = value(scrape, "duckdb_api_up") === 1;
		const version = serviceInfo(scrape).duckdb_version;
		return { value: isUp ? up : down, sub: version ? `DuckDB ${version}` : null, tone: isUp ? "ok" : "bad" };
	};
}

function queueTile(id, title, signal, sub) {
	return {
		id,
		title,
		spark: { ...gaugeSpark(signal), format: fmt.count },
		read: (w) => ({
			value: count(w, signal),
			sub: sub ? sub(w) : null,
			tone: tones(w.now(signal) > QUEUE_DEEP, "warn"),
		}),
	};
}

export const health = [
	{ id: "status", title: "Status", read: status("Healthy", "Down") },
	{
		id: "uptime",
		title: "Uptime",
		read: (w) => ({ value: uptimeOf(w, fmt.uptime), sub: `Started ${fmt.localTime(w.now(m.service.start))}` }),
	},
	total("requests", "Total Requests", m.http.requests, (w) => `In flight: ${count(w, m.http.inFlight)}`),
	{
		id: "error-rate",
		title: "Error Rate",
		windowed: true,
		spark: { kind: "errors", format: fmt.percent },
		read: errorRate,
	},
];

export const kpi = [
	{ id: "kpi-status", title: "Status", read: status("OK", "Down") },
	{
		id: "kpi-uptime",
		title: "Uptime",
		read: (w) => ({ value: uptimeOf(w, fmt.uptimeShort), sub: `Since ${fmt.shortTime(w.now(m.service.start))}` }),
	},
	{
		id: "kpi-requests",
		title: "Requests",
		spark: rateSpark(m.http.requests),
		read: (w) => ({ value: count(w, m.http.requests), sub: fmt.rate(w.rate(m.http.requests)) }),
	},
	{
		id: "kpi-error-rate",
		title: "Error Rate",
		windowed: true,
		spark: { kind: "errors" },
		read: errorRate,
	},
	{
		id: "kpi-p95",
		title: "P95 Latency",
		windowed: true,
		spark: p95Spark(m.http.latency),
		read: (w) => ({
			value: p95Text(w, m.http.latency),
			sub: `Average: ${fmt.seconds(w.average(m.http.latency))}`,
		}),
	},
	level("kpi-tables", "Tables", m.storage.tables, (w) => `in ${counted(w, m.storage.buckets, "bucket")}`),
	level(
		"kpi-storage",
		"Storage",
		m.storage.size,
		(w, scrape) => {
			const free = diskFree(scrape);
			return free === null ? null : `${fmt.bytes(free)} free`;
		},
		fmt.bytes,
	),
];

export const storage = [
	level("projects", "Projects", m.storage.projects),
	level("buckets", "Buckets", m.storage.buckets),
	level("tables", "Tables", m.storage.tables),
	level("size", "Total Size", m.storage.size, null, fmt.bytes),
];

export const storageOverview = [
	...storage.slice(0, 3),
	level("branches", "Branches", m.branches.total),
];

export const latency = [
	quantileTile("latency-p50", "P50 (Median)", 0.5),
	quantileTile("latency-p90", "P90", 0.9),
	quantileTile("latency-p95", "P95", 0.95),
	quantileTile("latency-p99", "P99", 0.99),
	{
		id: "latency-average",
		title: "Average",
		windowed: true,
		read: (w) => ({ value: fmt.seconds(w.average(m.http.latency)) }),
	},
	level("in-flight", "In Flight", m.http.inFlight),
];

export const metadata = [
	total("metadata-reads", "Read Queries", m.metadata.reads, (w) => `Avg: ${fmt.seconds(w.average(m.metadata.readTime))}`),
	total("metadata-writes", "Write Queries", m.metadata.writes, (w) => `Avg: ${fmt.seconds(w.average(m.metadata.writeTime))}`),
	p95("metadata-p95", "Query P95", m.metadata.time),
	level("metadata-connections", "Active Connections", m.metadata.connections),
	queueTile("metadata-queue", "Write Queue", m.metadata.queue),
];

const exportTiles = [
	total("exports", "Export Operations", m.transfer.exports, (w) => counted(w, m.transfer.exportRows, "row")),
	p95("export-p95", "Export P95", m.transfer.exportTime),
];

export const transfer = [
	total("imports", "Import Operations", m.transfer.imports, (w) => `${fmt.bytes(w.now(m.transfer.importBytes))} imported`),
	total("import-rows", "Import Rows", m.transfer.importRows, (w) => `P95: ${p95Text(w, m.transfer.importTime)}`),
	...exportTiles,
];

export const transferTab = [
	total("imports-tab", "Import Operations", m.transfer.imports, (w) => counted(w, m.transfer.importRows, "row")),
	total("import-bytes", "Import Bytes", m.transfer.importBytes, (w) => `P95: ${p95Text(w, m.transfer.importTime)}`, fmt.bytes),
	...exportTiles,
];

export const fileTiles = [
	level("files", "Total Files", m.files.total, (w) => `${count(w, m.files.staging)} in staging`),
	total("uploads", "File Uploads", m.files.uploads, (w) => `P95: ${p95Text(w, m.files.uploadTime)}`),
	total("downloads", "File Downloads", m.files.downloads),
	total("file-bytes", "File Bytes", m.files.uploadBytes, (w) => `Down: ${fmt.bytes(w.now(m.files.downloadBytes))}`, fmt.bytes),
];

export const s3 = [
	total("s3-operations", "S3 Operations", m.s3.operations, (w) => `P95: ${p95Text(w, m.s3.time)}`),
	total("s3-presigned", "S3 Pre-signed URLs", m.s3.presigned, (w) => `${count(w, m.s3.multipart)} active uploads`),
	total("s3-in", "S3 Bytes In", m.s3.bytesIn, null, fmt.bytes),
	total("s3-out", "S3 Bytes Out", m.s3.bytesOut, null, fmt.bytes),
];

export const snapshots = [
	level("snapshots", "Total Snapshots", m.snapshots.total, (w) => `${count(w, m.snapshots.created)} created`),
	total("snapshots-restored", "Restored", m.snapshots.restored, (w) => `Restore P95: ${p95Text(w, m.snapshots.restoreTime)}`),
	total("snapshots-expired", "Expired", m.snapshots.expired),
	level("snapshots-size", "Total Size", m.snapshots.size, (w) => `Create P95: ${p95Text(w, m.snapshots.createTime)}`, fmt.bytes),
];

export const lifecycle = [
	total("version-restores", "Versions Restored", m.lifecycle.versions),
	total("snapshot-restores", "Snapshot Restores", m.lifecycle.restores, (w) => `P95: ${p95Text(w, m.snapshots.restoreTime)}`),
	total("merges", "Branches Merged", m.lifecycle.merges, (w) => `${count(w, m.lifecycle.pulls)} tables pulled`),
	total("profiles", "Tables Profiled", m.lifecycle.profiles),
	total("tables-created", "Tables Created", m.lifecycle.created, (w) => `${count(w, m.lifecycle.deleted)} deleted`),
	{
		id: "operation-errors",
		title: "Failed Operations",
		windowed: true,
		spark: { ...rateSpark(m.lifecycle.failed), format: fmt.rate },
		read: (w) => ({
			value: fmt.percent(w.share([m.lifecycle.failed], m.lifecycle.all)),
			sub: `${fmt.count(w.gain(m.lifecycle.failed))} of ${fmt.count(w.gain(m.lifecycle.all))}`,
			tone: w.gain(m.lifecycle.failed) > 0 ? "warn" : null,
		}),
	},
];

const lockTile = (sub) => level("locks", "Active Locks", m.locks.active, sub);
const acquisitions = (w) => `${count(w, m.locks.acquired)} acquisitions`;
const writeQueue = queueTile("write-queue", "Write Queue", m.queue.depth, (w) => `Wait P95: ${p95Text(w, m.queue.wait)}`);
const lockWait = p95("lock-wait", "Lock Wait P95", m.locks.wait);

export const cache = [
	level("cache-size", "Cache Size", m.cache.size, (w) => {
		const hits = w.gain(m.cache.hits);
		const misses = w.gain(m.cache.misses);
		return `Hit rate: ${fmt.percent(hits === null || misses === null ? null : ratio(hits, hits + misses))}`;
	}),
	{
		id: "cache-conflicts",
		title: "Cache Conflicts",
		spark: { ...rateSpark(m.cache.conflicts), format: fmt.rate },
		read: (w) => ({ value: count(w, m.cache.conflicts), tone: tones(w.gain(m.cache.conflicts) > 0, "warn") }),
	},
];

export const concurrency = [lockTile(acquisitions), lockWait, writeQueue, ...cache];
export const concurrencyTab = [lockTile(acquisitions), lockWait, writeQueue];

export const branches = [
	level("branches-total", "Total Branches", m.branches.total, (w) => `${count(w, m.branches.tables)} branch tables`),
	total("cow", "CoW Operations", m.branches.copies, (w) => `${fmt.bytes(w.now(m.branches.copyBytes))} copied`),
	p95("cow-p95", "CoW Duration P95", m.branches.copyTime),
	{
		id: "cow-average",
		title: "Avg CoW Duration",
		windowed: true,
		read: (w) => ({ value: fmt.seconds(w.average(m.branches.copyTime)) }),
	},
];

const pgConnections = total("pg-connections", "PG Wire Connections", m.pgwire.connections, (w) => `Active: ${count(w, m.pgwire.active)}`);
const pgQueries = {
	id: "pg-queries",
	title: "PG Wire Queries",
	spark: { ...rateSpark(m.pgwire.queries), format: fmt.rate },
	read: (w) => ({
		value: count(w, m.pgwire.queries),
		sub: `Errors: ${count(w, m.pgwire.failures)}`,
		tone: tones(w.gain(m.pgwire.failures) > 0, "warn"),
	}),
};

export const pgwire = [
	level("workspaces", "Total Workspaces", m.pgwire.workspaces, (w) => `${count(w, m.pgwire.sessions)} active sessions`),
	pgConnections,
	pgQueries,
	p95("pg-p95", "Query P95", m.pgwire.queryTime, (w) => `Auth P95: ${p95Text(w, m.pgwire.authTime)}`),
];

export const pgwireTab = [
	pgConnections,
	pgQueries,
	p95("pg-p95-tab", "Query P95", m.pgwire.queryTime),
	level("pg-sessions", "Sessions", m.pgwire.sessions, (w) => `Auth P95: ${p95Text(w, m.pgwire.authTime)}`),
];

export const grpc = [
	total("grpc-requests", "Total Requests", m.grpc.requests, (w, scrape) => {
		const used = commandsUsed(scrape);
		return `${used} ${used === 1 ? "command" : "commands"}`;
	}),
	level("grpc-connections", "Active Connections", m.grpc.connections),
	p95("grpc-p95", "Request P95", m.grpc.time),
	{
		id: "grpc-errors",
		title: "Error Rate",
		windowed: true,
		spark: { ...rateSpark(m.grpc.errors), format: fmt.rate },
		read: (w) => {
			const errors = w.gain(m.grpc.errors);
			return {
				value: fmt.percent(w.share([m.grpc.errors], m.grpc.requests)),
				sub: `${fmt.count(errors)} errors`,
				tone: errors > 0 ? "warn" : okay(w, m.grpc.requests),
			};
		},
	},
];

export const httpTab = [
	total("http-requests", "Total Requests", m.http.requests, (w) => `In flight: ${count(w, m.http.inFlight)}`),
	{ ...health[3], id: "http-error-rate" },
	p95("http-p95", "Request P95", m.http.latency),
	{
		id: "http-average",
		title: "Average",
		windowed: true,
		read: (w) => ({ value: fmt.seconds(w.average(m.http.latency)) }),
	},
];

const schemaTotal = total("schema", "Schema Operations", m.schema.operations, (w) => `P95: ${p95Text(w, m.schema.time)}`);
const breakdown = {
	id: "schema-breakdown",
	title: "Schema Breakdown",
	wordy: true,
	read: (w, scrape) => ({ value: schemaBreakdown(scrape) }),
};

export const schema = [
	schemaTotal,
	level("shares", "Bucket Shares", m.sharing.shares, (w) => `${count(w, m.sharing.links)} links`),
	total("sharing", "Sharing Operations", m.sharing.operations),
	breakdown,
];

export const schemaTab = [
	schemaTotal,
	breakdown,
	level(
		"shares-tab",
		"Bucket Sharing",
		m.sharing.shares,
		(w) => `${count(w, m.sharing.links)} links, ${count(w, m.sharing.operations)} ops`,
	),
];
