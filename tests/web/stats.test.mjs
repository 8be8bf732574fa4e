import assert from "node:assert/strict";
import test from "node:test";

import { parseExposition } from "../../src/web/js/exposition.js";
import * as stats from "../../src/web/js/stats.js";

const near = (actual, expected) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

const TEXT = `
r_total{method="GET",code="200"} 90
r_total{method="GET",code="404"} 6
r_total{method="PUT",code="500"} 4
g 3
h_bucket{op="a",le="0.1"} 10
h_bucket{op="a",le="0.5"} 15
h_bucket{op="a",le="1.0"} 18
h_bucket{op="a",le="+Inf"} 20
h_sum{op="a"} 9
h_count{op="a"} 20
h_bucket{op="b",le="0.1"} 0
h_bucket{op="b",le="0.5"} 70
h_bucket{op="b",le="1.0"} 80
h_bucket{op="b",le="+Inf"} 80
h_sum{op="b"} 31
h_count{op="b"} 80
`;

test("S adds up series, V takes the single one, sumBy groups", () => {
	const scrape = parseExposition(TEXT);
	assert.equal(stats.sum(scrape, "r_total"), 100);
	assert.equal(stats.sum(scrape, "r_total", (labels) => labels.code[0] !== "2"), 10);
	assert.equal(stats.sum(scrape, "absent"), 0);
	assert.equal(stats.value(scrape, "g"), 3);
	assert.equal(stats.value(scrape, "absent"), null);
	assert.deepEqual([...stats.sumBy(scrape, "r_total", (labels) => labels.method)], [["GET", 96], ["PUT", 4]]);
});

test("quantiles of one series, by hand", () => {
	const a = stats.histogram(parseExposition(TEXT), "h", (labels) => labels.op === "a");
	near(stats.quantile(0.25, a), 0.05); // target 5 of 10 in [0, 0.1]
	near(stats.quantile(0.5, a), 0.1); // target 10, the whole first bucket
	near(stats.quantile(0.6, a), 0.1 + 0.4 * (2 / 5)); // target 12, 2 of the 5 in (0.1, 0.5]
	near(stats.quantile(0.9, a), 1); // target 18, the whole third bucket
	near(stats.quantile(0.95, a), 1); // target 19 lies above the last finite bound
});

test("buckets of all series are added per bound before the walk", () => {
	const all = stats.histogram(parseExposition(TEXT), "h");
	assert.deepEqual(all.bounds, [0.1, 0.5, 1]);
	assert.deepEqual(all.counts, [10, 85, 98]);
	assert.equal(all.total, 100);
	near(stats.quantile(0.5, all), 0.1 + 0.4 * (40 / 75));
	near(stats.quantile(0.95, all), 0.5 + 0.5 * (10 / 13));
	near(stats.quantile(0.99, all), 1);
	near(stats.average(all), 0.4);
});

test("bounds are ordered as numbers whatever the text's order, and lone buckets do not break", () => {
	const text = 'h_bucket{le="+Inf"} 4\nh_bucket{le="10.0"} 4\nh_bucket{le="2.5"} 1\nh_bucket{le="nonsense"} 9\nh_count 4\nh_sum 9\n';
	const hist = stats.histogram(parseExposition(text), "h");
	assert.deepEqual(hist.bounds, [2.5, 10]);
	near(stats.quantile(0.5, hist), 2.5 + 7.5 / 3);
});

test("no data is null, never NaN", () => {
	const nothing = stats.histogram(parseExposition(""), "h");
	assert.equal(stats.quantile(0.95, nothing), null);
	assert.equal(stats.average(nothing), null);
	assert.equal(stats.quantile(0.95, null), null);
	assert.equal(stats.ratio(1, 0), null);
	assert.equal(stats.ratio(null, 3), null);
	assert.equal(stats.quantile(0.95, { bounds: [], counts: [], total: 3, sum: 1, count: 3 }), null);
});

test("counts that are not monotonic, as while they are being written, do not bend the walk", () => {
	const hist = { bounds: [1, 2, 3], counts: [5, 4, 10], total: 10, sum: 0, count: 10 };
	near(stats.quantile(0.5, hist), 1);
	near(stats.quantile(0.6, hist), 2.2);
});

test("a drop of a counter or histogram is a restart: the new value is the gain", () => {
	assert.equal(stats.counterDelta(10, 14, false), 4);
	assert.equal(stats.counterDelta(10, 3, false), 3);
	assert.equal(stats.counterDelta(10, 14, true), 14);
	const before = { bounds: [1], counts: [8], total: 10, sum: 7, count: 10 };
	const after = { bounds: [1], counts: [2], total: 3, sum: 2, count: 3 };
	assert.deepEqual(stats.histogramDelta(before, after, false), after);
	const more = { bounds: [1], counts: [9], total: 14, sum: 9, count: 14 };
	assert.deepEqual(stats.histogramDelta(before, more, false), { bounds: [1], counts: [1], total: 4, sum: 2, count: 4 });
	assert.deepEqual(stats.histogramDelta(before, more, true), more);
	assert.deepEqual(stats.histogramDelta(before, { ...more, bounds: [2] }, false), { ...more, bounds: [2] });
});
