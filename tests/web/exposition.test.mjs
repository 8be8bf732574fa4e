import assert from "node:assert/strict";
import test from "node:test";

import { hasFamily, parseExposition, parseNumber } from "../../src/web/js/exposition.js";

const one = (text, name) => {
	const list = parseExposition(text).samples.get(name);
	assert.equal(list?.length, 1, `one sample of ${name} in ${JSON.stringify(text)}`);
	return list[0];
};

test("escapes in label values are undone, once", () => {
	const text = String.raw`m{a="back\\slash",b="say \"hi\"",c="two\nlines",d="\\n"} 1` + "\n";
	const { labels } = one(text, "m");
	assert.equal(labels.a, "back\\slash");
	assert.equal(labels.b, 'say "hi"');
	assert.equal(labels.c, "two\nlines");
	assert.equal(labels.d, "\\n");
});

test("label values may hold everything that looks like syntax", () => {
	const value = `}{,=# TYPE x <script>alert(1)</script> 'a' \t é 🦆`;
	assert.equal(one(`m{a="${value}",b="2"} 7`, "m").labels.a, value);
	assert.equal(one(`m{a="${value}",b="2"} 7`, "m").value, 7);
});

test("labels named like parts of objects are plain labels", () => {
	const { labels } = one('m{__proto__="x",constructor="y",toString="z"} 1', "m");
	assert.equal(labels.__proto__, "x");
	assert.equal(labels.constructor, "y");
	assert.equal({}.x, undefined);
	assert.equal(parseExposition("constructor 1\n__proto__ 2\n").samples.get("__proto__")[0].value, 2);
});

test("numbers of every notation", () => {
	const cases = { 0: 0, "-1": -1, "+2": 2, 1e3: 1000, "1.5e+09": 1.5e9, "2E-3": 0.002, ".5": 0.5, "5.": 5, "+Inf": Infinity, "-Inf": -Infinity, inf: Infinity };
	for (const [text, value] of Object.entries(cases)) {
		assert.equal(parseNumber(text), value, text);
	}
	assert.ok(Number.isNaN(parseNumber("NaN")));
	for (const text of ["", "1,5", "0x1f", "1e", "--1", "Infinit", "1 2", "null", "true"]) {
		assert.equal(parseNumber(text), undefined, text);
	}
});

test("blanks, timestamps, exemplars and a missing last newline", () => {
	assert.equal(one("m   3   1700000000000", "m").value, 3);
	assert.equal(one("m\t4", "m").value, 4);
	assert.equal(one('m{ a = "1" , b="2" , } 5', "m").labels.b, "2");
	assert.equal(one('m_bucket{le="1.0"} 6 # {trace_id="abc"} 0.5 1700000000.1', "m_bucket").value, 6);
	assert.equal(one("m 7\r\n", "m").value, 7);
	assert.equal(one("m{} 8", "m").value, 8);
});

test("a broken line is counted and the others live on", () => {
	const broken = ['m{a="1} 1', "m{a=1} 1", 'm{a="1" b="2"} 1', 'm{a="\\x"} 1', 'm{a="1",a="2"} 1', "m", "m{", "m one", "1m 1", "{} 1", 'm{a="1"}', '"m" 1', 'm{a="1\\'];
	const scrape = parseExposition(`first 1\n${broken.join("\n")}\nlast 2`);
	assert.equal(scrape.skipped, broken.length);
	assert.deepEqual([...scrape.samples.keys()], ["first", "last"]);
});

test("families are known without samples; HELP is unescaped", () => {
	const scrape = parseExposition("# HELP a_total One\\nline \\\\ two\n# TYPE a_total counter\n# TYPE b histogram\n# EOF\n#\n# nonsense\n#TYPE c gauge\n");
	assert.deepEqual(scrape.families.get("a_total"), { name: "a_total", type: "counter", help: "One\nline \\ two" });
	assert.ok(hasFamily(scrape, "b"));
	assert.ok(!hasFamily(scrape, "c"));
	assert.equal(scrape.count, 0);
});

test("OpenMetrics names the family of a counter without its suffix", () => {
	const scrape = parseExposition("# TYPE a counter\na_total 0\n# TYPE b counter\n# EOF\n");
	assert.ok(hasFamily(scrape, "a_total"));
	assert.ok(hasFamily(scrape, "b_total"));
	assert.ok(!hasFamily(scrape, "d_total"));
});

test("a long hostile value does not stall the reader", () => {
	const value = "\\\\".repeat(200000);
	assert.equal(one(`m{a="${value}"} 1`, "m").labels.a.length, 200000);
	const open = parseExposition(`m{${'a="'.repeat(50000)}\nlast 1`);
	assert.equal(open.skipped, 1);
	assert.ok(open.samples.has("last"));
});
