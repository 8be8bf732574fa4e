// Reader of the Prometheus text format (0.0.4) that also accepts OpenMetrics text.
//
// The text may hold anything: label values are arbitrary client strings once unescaped. They leave this module as plain
// strings in objects without a prototype and must reach the page as text nodes only. A line that does not parse is
// counted in `skipped` and left out; it never stops the lines after it.

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*/;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const SPECIAL = new Map([
	["nan", NaN],
	["+inf", Infinity],
	["inf", Infinity],
	["-inf", -Infinity],
	["+infinity", Infinity],
	["infinity", Infinity],
	["-infinity", -Infinity],
]);

// A sample value, or undefined if `text` is not a number.
export function parseNumber(text) {
	if (DECIMAL.test(text)) {
		return Number(text);
	}
	return SPECIAL.get(text.toLowerCase());
}

function skipBlanks(line, at) {
	while (line[at] === " " || line[at] === "\t") {
		at++;
	}
	return at;
}

// Reads the quoted value whose opening quote is at `at`; null if it never closes or holds an unknown escape.
function readQuoted(line, at) {
	let value = "";
	let from = at + 1;
	for (let i = from; i < line.length; i++) {
		if (line[i] === '"') {
			return { value: value + line.slice(from, i), next: i + 1 };
		}
		if (line[i] !== "\\") {
			continue;
		}
		const escape = line[i + 1];
		if (escape !== "\\" && escape !== '"' && escape !== "n") {
			return null;
		}
		value += line.slice(from, i) + (escape === "n" ? "\n" : escape);
		i++;
		from = i + 1;
	}
	return null;
}

// Reads `{a="b",c="d"}` whose brace is at `at`.
function readLabels(line, at) {
	const labels = Object.create(null);
	at = skipBlanks(line, at + 1);
	while (line[at] !== "}") {
		const name = LABEL_NAME.exec(line.slice(at, at + 256));
		if (!name) {
			return null;
		}
		at = skipBlanks(line, at + name[0].length);
		if (line[at] !== "=") {
			return null;
		}
		at = skipBlanks(line, at + 1);
		const quoted = line[at] === '"' ? readQuoted(line, at) : null;
		if (!quoted || name[0] in labels) {
			return null;
		}
		labels[name[0]] = quoted.value;
		at = skipBlanks(line, quoted.next);
		if (line[at] === ",") {
			at = skipBlanks(line, at + 1);
		} else if (line[at] !== "}") {
			return null;
		}
	}
	return { labels, next: at + 1 };
}

function parseSample(line) {
	const name = METRIC_NAME.exec(line);
	if (!name) {
		return null;
	}
	let at = skipBlanks(line, name[0].length);
	let labels = Object.create(null);
	if (line[at] === "{") {
		const read = readLabels(line, at);
		if (!read) {
			return null;
		}
		labels = read.labels;
		at = read.next;
	} else if (at === name[0].length) {
		return null;
	}
	// What follows the value is a timestamp or an exemplar; neither is shown.
	const rest = line.slice(at).trim().split(/[ \t]+/, 1)[0];
	const value = parseNumber(rest);
	return value === undefined ? null : { name: name[0], labels, value };
}

function unescapeHelp(text) {
	return text.replace(/\\([\\n])/g, (_, c) => (c === "n" ? "\n" : c));
}

function familyOf(families, name) {
	let family = families.get(name);
	if (!family) {
		family = { name, type: "untyped", help: "" };
		families.set(name, family);
	}
	return family;
}

function parseComment(line, families) {
	const part = /^#[ \t]+(HELP|TYPE)[ \t]+([a-zA-Z_:][a-zA-Z0-9_:]*)(?:[ \t]+([^]*))?$/.exec(line);
	if (!part) {
		return;
	}
	const family = familyOf(families, part[2]);
	if (part[1] === "TYPE") {
		family.type = (part[3] || "untyped").trim();
	} else {
		family.help = unescapeHelp(part[3] || "");
	}
}

// Parses a whole exposition. Returns
//   families: Map name -> {name, type, help}, from the HELP and TYPE lines, also of families without a sample
//   samples:  Map sample name -> [{labels, value}], in the order of the text
//   count, skipped: how many samples were read, how many lines were not understood
export function parseExposition(text) {
	const scrape = { families: new Map(), samples: new Map(), count: 0, skipped: 0 };
	for (const line of text.split("\n")) {
		const trimmed = line.trim();
		if (trimmed === "") {
			continue;
		}
		if (trimmed[0] === "#") {
			parseComment(trimmed, scrape.families);
			continue;
		}
		const sample = parseSample(trimmed);
		if (!sample) {
			scrape.skipped++;
			continue;
		}
		addSample(scrape, sample.name, sample.labels, sample.value);
	}
	return scrape;
}

export function addSample(scrape, name, labels, value) {
	const list = scrape.samples.get(name);
	if (list) {
		list.push({ labels, value });
	} else {
		scrape.samples.set(name, [{ labels, value }]);
	}
	scrape.count++;
}

// True if the scrape announces or holds the family: the difference between "zero" and "not offered by this server".
export function hasFamily(scrape, name) {
	if (scrape.families.has(name) || scrape.samples.has(name) || scrape.samples.has(name + "_bucket")) {
		return true;
	}
	// OpenMetrics announces a counter without its suffix.
	return name.endsWith("_total") && scrape.families.has(name.slice(0, -"_total".length));
}
