import assert from "node:assert/strict";
import test from "node:test";

import { keyTarget } from "../../src/web/js/controls.js";
import { parseExposition } from "../../src/web/js/exposition.js";
import { breakdownRows, endpointRows, lockRows, runtimeRows, statusTone } from "../../src/web/js/panels.js";
import { alertRows, diskRows, objectiveRows, poolRows, writerState } from "../../src/web/js/resources.js";
import { sparkPath } from "../../src/web/js/spark.js";
import * as tiles from "../../src/web/js/tiles.js";
import { Timeline, frameOf } from "../../src/web/js/timeline.js";

const read = (list, id, text) => {
	const scrape = parseExposition(text);
	const line = new Timeline();
	line.push(frameOf(scrape, 2000));
	return list.find((tile) => tile.id === id).read(line.window(null), scrape);
};

test("error rate: share of 4xx and 5xx, red before amber before green", () => {
	const text = (ok, lost, broken) => `duckdb_api_requests_total{status_code="200"} ${ok}
duckdb_api_requests_total{status_code="404"} ${lost}
duckdb_api_requests_total{status_code="499"} 0
duckdb_api_requests_total{status_code="503"} ${broken}
`;
	assert.deepEqual(read(tiles.health, "error-rate", text(95, 4, 1)), { value: "5.0%", sub: "4xx: 4, 5xx: 1", tone: "bad" });
	assert.equal(read(tiles.health, "error-rate", text(96, 4, 0)).tone, "warn");
	assert.equal(read(tiles.health, "error-rate", text(96, 0, 0)).tone, "ok");
	assert.deepEqual(read(tiles.health, "error-rate", ""), { value: "--", sub: "4xx: --, 5xx: --" });
	assert.equal(read(tiles.health, "error-rate", "# TYPE duckdb_api_requests_total counter\n").value, "--");
});

test("families with several series are summed, also those with tenant labels", () => {
	const text = `duckdb_import_rows_total{project_id="a"} 5
duckdb_import_rows_total{project_id="b"} 7
duckdb_snapshots_total{type="manual"} 2
duckdb_snapshots_total{type="auto"} 3
duckdb_write_queue_depth{project_id="a"} 4
duckdb_write_queue_depth{project_id="b"} 3
pgwire_connections_active{workspace_id="x"} 1
pgwire_connections_active{workspace_id="y"} 1
pgwire_connections_total{status="success"} 9
`;
	assert.equal(read(tiles.transfer, "import-rows", text).value, "12");
	assert.equal(read(tiles.snapshots, "snapshots", text).value, "5");
	assert.deepEqual(read(tiles.concurrency, "write-queue", text), { value: "7", sub: "Wait P95: --", tone: "warn" });
	assert.deepEqual(read(tiles.pgwire, "pg-connections", text), { value: "9", sub: "Active: 2" });
});

test("zero-initialised commands and operations do not count as used", () => {
	const text = `duckdb_grpc_requests_total{command="CreateTable",status="success"} 2
duckdb_grpc_requests_total{command="CreateTable",status="error"} 1
duckdb_grpc_requests_total{command="DropTable",status="success"} 0
duckdb_schema_operations_total{operation="add_column",status="success"} 2
duckdb_schema_operations_total{operation="add_column",status="error"} 3
duckdb_schema_operations_total{operation="drop_pk",status="error"} 0
`;
	assert.equal(read(tiles.grpc, "grpc-requests", text).sub, "1 command");
	assert.equal(read(tiles.schema, "schema-breakdown", text).value, "add_column: 5");
	assert.equal(read(tiles.schema, "schema-breakdown", "").value, "No operations");
});

test("status and uptime", () => {
	const text = 'duckdb_api_up 1\nduckdb_api_start_time_seconds 1000\nduckdb_api_service_info{version="0.1.0",duckdb_version="1.5.6"} 1\n';
	assert.deepEqual(read(tiles.health, "status", text), { value: "Healthy", sub: "DuckDB 1.5.6", tone: "ok" });
	assert.equal(read(tiles.kpi, "kpi-status", "duckdb_api_up 0\n").value, "Down");
	assert.equal(read(tiles.kpi, "kpi-status", "").tone, "bad");
	assert.equal(read(tiles.health, "uptime", text).value, "16m 40s");
	assert.equal(read(tiles.kpi, "kpi-uptime", text).value, "16m");
});

test("cache hit rate and conflicts", () => {
	const text = "duckdb_idempotency_cache_size 3\nduckdb_idempotency_cache_hits_total 1\nduckdb_idempotency_cache_misses_total 7\nduckdb_idempotency_conflicts_total 2\n";
	assert.deepEqual(read(tiles.cache, "cache-size", text), { value: "3", sub: "Hit rate: 12.5%" });
	assert.deepEqual(read(tiles.cache, "cache-conflicts", text), { value: "2", tone: "warn" });
});

test("every tile says nothing rather than something wrong without data", () => {
	for (const [name, list] of Object.entries(tiles).filter(([, list]) => Array.isArray(list))) {
		const ids = list.map((tile) => tile.id);
		assert.equal(new Set(ids).size, ids.length, name);
		for (const id of ids) {
			const { value, sub } = read(list, id, "");
			assert.doesNotMatch(`${value} ${sub ?? ""}`, /NaN|undefined|null [a-z]|Infinity/, `${name} ${id}`);
		}
	}
});

test("breakdown: at least 3 % wide if anything, unknown kinds last", () => {
	const rows = breakdownRows(new Map([["other", 1], ["tables", 980], ["metadata", 19], ["files", 0]]));
	assert.deepEqual(rows.map((row) => row.type), ["metadata", "tables", "files", "other"]);
	assert.deepEqual(rows.map((row) => row.width), [0.03, 0.98, 0, 0.03]);
	assert.ok(rows.every((row) => !Number.isNaN(row.share)));
	assert.equal(breakdownRows(new Map([["tables", 0]]))[0].width, 0);
});

test("endpoint and lock tables: most first, at most 20 and 10, averages per method and endpoint", () => {
	let text = "";
	for (let i = 0; i < 30; i++) {
		text += `duckdb_api_requests_total{method="GET",endpoint="/e${i}",status_code="200"} ${i}\n`;
		text += `duckdb_table_lock_acquisitions_total{project_id="p",bucket="b",table="t${i}"} ${i}\n`;
	}
	text += 'duckdb_api_request_duration_seconds_sum{method="GET",endpoint="/e29"} 58\nduckdb_api_request_duration_seconds_count{method="GET",endpoint="/e29"} 29\n';
	text += 'duckdb_api_request_duration_seconds_sum{method="PUT",endpoint="/e29"} 99\nduckdb_api_request_duration_seconds_count{method="PUT",endpoint="/e29"} 1\n';
	const scrape = parseExposition(text);
	const rows = endpointRows(scrape);
	assert.equal(rows.length, 20);
	assert.deepEqual(rows[0], { method: "GET", endpoint: "/e29", status: "200", count: 29, average: 2 });
	assert.equal(rows[1].average, null);
	assert.equal(lockRows(scrape).length, 10);
	assert.deepEqual(lockRows(scrape)[0], { name: "p / b / t29", count: 29 });
	assert.deepEqual(["204", "404", "503", "304"].map(statusTone), ["good", "warn", "bad", "bad"]);
});

test("runtime: file descriptors turn red above 80 %", () => {
	const rows = (open, max) => {
		const line = new Timeline();
		line.push(frameOf(parseExposition(`process_open_fds ${open}\nprocess_max_fds ${max}\n`), 5));
		return runtimeRows(line.window(null)).find((row) => row.name === "File descriptors");
	};
	assert.equal(rows(80, 100).tone, null);
	assert.equal(rows(81, 100).tone, "bad");
	assert.deepEqual([rows(5, "+Inf").value, rows(5, "+Inf").hint], ["5", "of ∞"]);
	assert.equal(rows(81, 100).hint, "of 100, 81.0% used");
});

test("metadata writer: busy share, ceiling and verdict", () => {
	const line = new Timeline();
	const text = (busy, writes, depth) => `duckdb_api_start_time_seconds 1000
duckdb_metadata_writer_busy_seconds_total ${busy}
duckdb_metadata_queries_total{operation="write"} ${writes}
duckdb_metadata_write_queue_depth ${depth}
`;
	line.push(frameOf(parseExposition(text(10, 1000, 0)), 5000));
	line.push(frameOf(parseExposition(text(18, 3000, 1)), 5010));
	const state = writerState(line.window(10));
	assert.equal(state.busy, 0.8);
	assert.equal(state.tone, "warn");
	assert.equal(state.writes, 200);
	assert.equal(state.ceiling, 250);
	line.push(frameOf(parseExposition(text(27.5, 3100, 1)), 5020));
	assert.equal(writerState(line.window(10)).words, "Saturated");
	assert.equal(writerState(new Timeline().window(60)).tone, null);
});

test("objectives: what was reached, and how fast the budget goes", () => {
	const rows = (ok, broken, quick, all) => {
		const line = new Timeline();
		const buckets = `duckdb_api_request_duration_seconds_bucket{le="0.5"} ${quick}\nduckdb_api_request_duration_seconds_bucket{le="+Inf"} ${all}\n`;
		line.push(frameOf(parseExposition(`duckdb_api_requests_total{status_code="200"} ${ok}\nduckdb_api_requests_total{status_code="500"} ${broken}\n${buckets}`), 5));
		return objectiveRows(line.window(null));
	};
	const [answered, quick] = rows(9980, 20, 90, 100);
	assert.deepEqual([answered.reached, answered.burn.toFixed(3), answered.tone], [0.998, "2.000", "warn"]);
	assert.deepEqual([quick.reached, quick.burn.toFixed(3), quick.tone], [0.9, "2.000", "warn"]);
	assert.deepEqual(rows(10000, 0, 99, 100).map((row) => row.tone), ["ok", "ok"]);
	assert.equal(rows(900, 100, 1, 1)[0].tone, "bad");
	assert.deepEqual(rows(0, 0, 0, 0).map((row) => row.burn), [null, null]);
});

test("pools and disks", () => {
	const scrape = parseExposition(`duckdb_pool_threads{pool="read"} 4
duckdb_pool_busy{pool="read"} 3
duckdb_pool_queued{pool="read"} 2
duckdb_disk_free_bytes{path="/data"} 10
duckdb_disk_size_bytes{path="/data"} 100
duckdb_disk_free_bytes{path="/odd"} 7
`);
	assert.deepEqual(poolRows(scrape), [{ pool: "read", threads: 4, busy: 3, queued: 2 }]);
	assert.deepEqual(diskRows(scrape)[0], { path: "/data", free: 10, size: 100, share: 0.1, tone: "warn" });
	assert.deepEqual(diskRows(scrape)[1], { path: "/odd", free: 7, size: null, share: null, tone: null });
});

test("folders on one disk count once", () => {
	const disk = (path, free, size) => `duckdb_disk_free_bytes{path="${path}"} ${free}\nduckdb_disk_size_bytes{path="${path}"} ${size}\n`;
	const scrape = parseExposition(disk("tables", 1000, 4000) + disk("files", 1004, 4000) + disk("snapshots", 500, 4000) + disk("metadata", 1000, 8000));
	assert.equal(tiles.diskFree(scrape), 2500);
	assert.deepEqual(diskRows(scrape).map((row) => [row.path, row.free]), [["tables, files", 1000], ["snapshots", 500], ["metadata", 1000]]);
	assert.equal(tiles.diskFree(parseExposition("a 1\n")), null);
});

test("alerts: the firing first, the quiet left out", () => {
	const scrape = parseExposition(`duckdb_alert_state{alert="A",severity="warning"} 1
duckdb_alert_state{alert="B",severity="warning"} 2
duckdb_alert_state{alert="C",severity="critical"} 2
duckdb_alert_state{alert="D",severity="critical"} 0
`);
	assert.deepEqual(
		alertRows(scrape).map(({ alert, state }) => `${alert} ${state}`),
		["C firing", "B firing", "A pending"],
	);
});

test("sparklines: scaled to their top, broken at gaps, nothing from one point", () => {
	assert.equal(sparkPath({ times: [1], values: [3] }), null);
	assert.equal(sparkPath({ times: [1, 2, 3], values: [null, 3, null] }), null);
	const { path, top } = sparkPath({ times: [0, 1, 2, 3], values: [0, 10, null, 5] }, 90, 23);
	assert.equal(top, 10);
	assert.equal(path, "M0.0 21.5L30.0 1.5M90.0 11.5");
	assert.equal(sparkPath({ times: [0, 1, 2], values: [null, 1, 2] }, 90, 23).start, "45.0"); // no area before the first point
	assert.ok(!sparkPath({ times: [0, 1], values: [0, 0] }).path.includes("NaN"));
});

test("keys of tabs and radio groups", () => {
	assert.equal(keyTarget("ArrowRight", 4, 5), 0);
	assert.equal(keyTarget("ArrowLeft", 0, 5), 4);
	assert.equal(keyTarget("Home", 3, 5), 0);
	assert.equal(keyTarget("End", 3, 5), 4);
	assert.equal(keyTarget("a", 3, 5), null);
	assert.equal(keyTarget("toString", 3, 5), null);
});
