import assert from "node:assert/strict";
import test from "node:test";

import * as fmt from "../../src/web/js/format.js";

const table = (format, cases) => {
	for (const [value, text] of cases) {
		assert.equal(format(value), text, String(value));
	}
};

test("bytes: steps of 1024, one decimal", () => {
	table(fmt.bytes, [
		[0, "0 B"],
		[1023, "1023 B"],
		[1024, "1.0 KB"],
		[1536, "1.5 KB"],
		[1024 ** 2 - 1, "1.0 MB"],
		[1024 ** 2, "1.0 MB"],
		[5.25 * 1024 ** 3, "5.3 GB"],
		[1024 ** 4, "1.0 TB"],
		[3 * 1024 ** 5, "3.0 PB"],
		[5000 * 1024 ** 5, "5000.0 PB"],
		[-2048, "-2.0 KB"],
		[Infinity, "∞"],
		[null, "--"],
		[NaN, "--"],
	]);
});

test("times: µs, ms, s, picked after rounding", () => {
	table(fmt.seconds, [
		[0, "0 µs"],
		[0.0000004, "0 µs"],
		[0.000999, "999 µs"],
		[0.0009999, "1.0 ms"],
		[0.0123, "12.3 ms"],
		[0.99994, "999.9 ms"],
		[0.99996, "1.00 s"],
		[1.005, "1.00 s"],
		[75.2, "75.20 s"],
		[null, "--"],
		[undefined, "--"],
	]);
});

test("counts, percentages and rates", () => {
	table(fmt.count, [[1234567, "1,234,567"], [0, "0"], [2.5, "2.5"], [Infinity, "∞"], [null, "--"]]);
	table(fmt.percent, [[0, "0.0%"], [0.12345, "12.3%"], [1, "100.0%"], [null, "--"]]);
	table(fmt.rate, [[0, "0/s"], [0.001, "<0.01/s"], [0.25, "0.25/s"], [12.345, "12.3/s"], [1234.5, "1,235/s"], [null, "--/s"]]);
});

test("uptimes", () => {
	table(fmt.uptime, [[0, "0s"], [59.9, "59s"], [61, "1m 1s"], [3600, "1h 0m 0s"], [90061, "1d 1h 1m"], [-5, "0s"], [null, "--"]]);
	table(fmt.uptimeShort, [[59, "0m"], [3599, "59m"], [3660, "1h 1m"], [180000, "2d 2h"], [null, "--"]]);
});
