import assert from "node:assert/strict";
import test from "node:test";

import { parseExposition } from "../../src/web/js/exposition.js";
import { counter, gauge, histogramOf } from "../../src/web/js/signals.js";
import { historyFrames } from "../../src/web/js/source.js";
import { Timeline, Window, frameOf, quantileOver, rateOver, series } from "../../src/web/js/timeline.js";

const requests = counter("duckdb_api_requests_total");
const failures = counter("duckdb_api_requests_total|status_code=5xx");
const notOk = counter("duckdb_api_requests_total|status_code!=200");
const latency = histogramOf("duckdb_api_request_duration_seconds");
const depth = gauge("duckdb_write_queue_depth");
const START = 1000;

function text({ start = START, ok = 0, bad = 0, fast = 0, slow = 0, extra = "" }) {
	return `duckdb_api_start_time_seconds ${start}
duckdb_api_requests_total{status_code="200"} ${ok}
duckdb_api_requests_total{status_code="503"} ${bad}
# TYPE duckdb_api_request_duration_seconds histogram
duckdb_api_request_duration_seconds_bucket{endpoint="/x",method="GET",le="0.1"} ${fast}
duckdb_api_request_duration_seconds_bucket{endpoint="/x",method="GET",le="1.0"} ${fast + slow}
duckdb_api_request_duration_seconds_bucket{endpoint="/x",method="GET",le="+Inf"} ${fast + slow}
duckdb_api_request_duration_seconds_sum{endpoint="/x",method="GET"} ${fast * 0.05 + slow * 0.5}
duckdb_api_request_duration_seconds_count{endpoint="/x",method="GET"} ${fast + slow}
${extra}`;
}

function timeline(...readings) {
	const line = new Timeline();
	for (const [time, values] of readings) {
		line.push(frameOf(parseExposition(text(values)), time));
	}
	return line;
}

test("one scrape: figures since the start", () => {
	const window = timeline([2000, { ok: 90, bad: 10, fast: 50, slow: 50 }]).window(300);
	assert.equal(window.fromStart, true);
	assert.equal(window.gain(failures), 10);
	assert.equal(window.rate(requests), 0.1);
	assert.equal(window.quantile(0.5, latency), 0.1);
});

test("a window counts only what happened in it", () => {
	const line = timeline([5000, { ok: 1000, bad: 40, slow: 1000 }], [5060, { ok: 1060, bad: 40, slow: 1000, fast: 20 }], [5120, { ok: 1120, bad: 46, slow: 1000, fast: 40 }]);
	const minute = line.window(60);
	assert.equal(minute.fromStart, false);
	assert.equal(minute.seconds, 60);
	assert.equal(minute.gain(requests), 66);
	assert.equal(minute.rate(requests), 1.1);
	assert.equal(minute.gain(notOk), 6);
	assert.ok(Math.abs(minute.quantile(0.95, latency) - 0.095) < 1e-9);
	assert.ok(Math.abs(minute.average(latency) - 0.05) < 1e-9);
	assert.equal(minute.now(requests), 1166);
	assert.equal(line.window(300).seconds, 120);
	assert.equal(line.window(300).gain(requests), 126);
	assert.equal(line.window(null).gain(requests), 1166);
});

test("a server younger than the window: everything since its start, to the event", () => {
	const window = timeline([5000, { start: 4990, ok: 7 }], [5005, { start: 4990, ok: 9 }]).window(300);
	assert.equal(window.fromStart, true);
	assert.equal(window.gain(requests), 9);
	assert.equal(window.seconds, 15);
});

test("a restart in the window adds the new count, even when it is higher than the old one", () => {
	const line = timeline([5000, { ok: 100 }], [5010, { ok: 110 }], [5020, { ok: 4 }], [5030, { ok: 9 }]);
	assert.equal(line.window(3600).gain(requests), 10 + 4 + 5);
	const higher = timeline([5000, { ok: 10 }], [5010, { ok: 12 }], [5020, { start: 5012, ok: 50, fast: 3 }], [5400, { start: 5012, ok: 51, fast: 3 }]);
	assert.equal(higher.window(395).gain(requests), 2 + 50 + 1);
	assert.equal(higher.window(395).gain(latency).count, 3);
});

test("no data: gauges and families that are not there are null, empty families are zero", () => {
	const absent = timeline([5000, {}]).window(null);
	assert.equal(absent.now(depth), null);
	assert.equal(absent.now(counter("duckdb_grpc_requests_total")), null);
	const announced = timeline([5000, { extra: "# TYPE duckdb_grpc_requests_total counter\n" }]).window(null);
	assert.equal(announced.now(counter("duckdb_grpc_requests_total")), 0);
	const nothing = new Timeline().window(60);
	assert.equal(nothing.rate(requests), null);
	assert.equal(nothing.quantile(0.95, latency), null);
	assert.deepEqual(nothing.hot(5), []);
});

test("fifteen minutes are kept, with a base before them", () => {
	const line = new Timeline();
	for (let time = 10000; time <= 12000; time += 5) {
		line.push(frameOf(parseExposition(text({ ok: time })), time));
	}
	assert.equal(line.frames[0].time, 11100);
	assert.equal(line.window(900).gain(requests), 900);
	line.push(frameOf(parseExposition(text({ ok: 1 })), 11999));
	assert.equal(line.last.time, 12000);
});

test("points of rates and percentiles leave gaps where nothing happened", () => {
	const { frames } = timeline([5000, {}], [5010, { ok: 20, fast: 10 }], [5020, { ok: 20, fast: 10 }]);
	assert.deepEqual(series(frames, 10, rateOver(requests)), { times: [5010, 5020], values: [2, 0] });
	assert.deepEqual(series(frames, 10, quantileOver(0.5, latency)).values, [0.05, null]);
	assert.deepEqual(series(frames, 20, rateOver(requests)).values, [2, 1]);
});

test("what takes the time: by time spent in the window, with the telling label", () => {
	const extra = (count) => `other_seconds_bucket{operation="write",le="+Inf"} ${count}
other_seconds_sum{operation="write"} ${count * 10}
other_seconds_count{operation="write"} ${count}
batch_size_bucket{le="+Inf"} 900
batch_size_sum 90000
batch_size_count 900
`;
	const line = timeline([5000, { fast: 5, extra: extra(3) }], [5010, { fast: 105, extra: extra(4) }]);
	const rows = line.window(10).hot(10);
	assert.deepEqual(rows.map((row) => [row.family, row.detail]), [["other_seconds", "write"], ["duckdb_api_request_duration_seconds", "GET /x"]]);
	assert.equal(rows[0].busy, 1);
	assert.ok(Math.abs(rows[1].busy - 0.5) < 1e-9);
	assert.equal(rows[1].rate, 10);
});

test("history: holes stand still, missing families stay unknown, restarts are no part of it", () => {
	const frames = historyFrames([
		{
			step: 5,
			start: 4990,
			series: [
				{ name: "duckdb_api_requests_total", labels: { status_code: "200" }, values: [null, null, 100, null, 110, 120] },
				{ name: "duckdb_api_requests_total", labels: { status_code: "500" }, values: [null, null, null, 1, 2, null] },
			],
		},
	]);
	assert.deepEqual(frames.map((frame) => frame.time), [5000, 5005, 5010, 5015]);
	assert.deepEqual(frames.map((frame) => frame.readings.get(requests.key)), [100, 101, 112, 122]);
	assert.equal(frames[0].readings.get(latency.key), null);
	const line = timeline([5020, { ok: 130, bad: 2, fast: 4 }]);
	line.prepend(frames);
	assert.equal(line.window(15).gain(requests), 132 - 101);
	assert.equal(line.window(15).gain(latency), null);
	assert.equal(line.window(15).rate(requests), 31 / 15);
	assert.equal(frames[0].start, START);
	assert.equal(new Window(line.frames, 15).seconds, 15);
});

test("history without a label: what asks for it has no answer, instead of a wrong one", () => {
	const reads = histogramOf("duckdb_metadata_query_duration_seconds|operation=read");
	const all = histogramOf("duckdb_metadata_query_duration_seconds");
	const values = { "0.1": [5, 6], "+Inf": [8, 9] };
	const series = Object.entries(values).map(([le, counts]) => ({ name: "duckdb_metadata_query_duration_seconds_bucket", labels: { le }, values: counts }));
	series.push({ name: "duckdb_metadata_query_duration_seconds_sum", labels: {}, values: [1.5, 2] });
	const frames = historyFrames([{ step: 5, start: 5000, series }]);
	assert.equal(frames[0].readings.get(reads.key), null);
	assert.deepEqual(frames[1].readings.get(all.key), { bounds: [0.1], counts: [6], total: 9, sum: 2, count: 9 });
	assert.equal(new Window(frames, 60).average(all), 0.5);
});

test("rates and shares are over what is known of their signals, not over the whole window", () => {
	const errors = counter("duckdb_grpc_errors_total");
	const calls = counter("duckdb_grpc_requests_total");
	const grpc = (requests, failed) => `duckdb_api_start_time_seconds 1000\nduckdb_grpc_requests_total{command="x"} ${requests}\n${failed === null ? "" : `duckdb_grpc_errors_total{command="x"} ${failed}\n`}`;
	const line = new Timeline();
	[[5000, 100, null], [5100, 900, null], [5110, 1000, 40], [5120, 1100, 50]].forEach(([time, requests, failed]) => {
		line.push(frameOf(parseExposition(grpc(requests, failed)), time));
	});
	assert.equal(line.window(300).rate(calls), 1000 / 120);
	assert.equal(line.window(300).rate(errors), 1);
	assert.equal(line.window(300).share([errors], calls), 0.1);
	assert.equal(line.window(null).share([errors], calls), 50 / 1100);
	assert.equal(line.window(300).share([counter("absent_total")], calls), null);
});

test("a count that falls where the history ends is the history's rounding, not a restart", () => {
	const frames = historyFrames([{ step: 5, start: 5000, series: [{ name: "duckdb_api_requests_total", labels: { status_code: "200" }, values: [100, 131] }] }]);
	const line = timeline([5010, { ok: 130 }], [5015, { ok: 135 }]);
	line.prepend(frames);
	assert.equal(line.window(60).gain(requests), 31 + 5);
});
