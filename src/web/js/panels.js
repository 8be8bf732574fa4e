// Panels: breakdowns and tables. Each is {node, update({window, scrape})}.

import { breakable, el, icon, replace, svg } from "./dom.js";
import * as fmt from "./format.js";
import * as m from "./readings.js";
import { average, histogram, ratio, sumBy } from "./stats.js";

export function panel(title, className, body, note) {
	return el(
		"div",
		{ class: `panel ${className || ""}` },
		el("h3", null, title),
		note ? el("p", { class: "note" }, note) : null,
		body,
	);
}

export const empty = (text) => el("p", { class: "empty" }, text);

// A bar of a share between 0 and 1; widths go through the style object, which the page's security policy allows.
export function bar(share, className) {
	const fill = el("span", { class: `bar-fill ${className || ""}` });
	fill.style.width = `${(Math.min(Math.max(share, 0), 1) * 100).toFixed(2)}%`;
	return el("span", { class: "bar", "aria-hidden": "true" }, fill);
}

const SIZE_TYPES = ["metadata", "tables", "staging", "files", "workspaces", "snapshots"];
const BAR_MIN_SHARE = 0.03;

// Shares of the whole, each at least 3 % wide if it is anything at all.
export function breakdownRows(sizes) {
	const total = [...sizes.values()].reduce((all, size) => all + size, 0);
	const known = SIZE_TYPES.filter((type) => sizes.has(type));
	const types = known.concat([...sizes.keys()].filter((type) => !SIZE_TYPES.includes(type)));
	return types.map((type) => {
		const size = sizes.get(type);
		const share = total > 0 ? size / total : 0;
		return { type, size, share, width: size > 0 ? Math.max(share, BAR_MIN_SHARE) : 0 };
	});
}

export function storageBreakdown() {
	const body = el("div", { class: "bars" });
	return {
		node: panel("Storage Breakdown", "panel-bars", body),
		update({ scrape }) {
			const rows = breakdownRows(sumBy(scrape, "duckdb_storage_size_bytes", (labels) => labels.type || ""));
			if (rows.length === 0) {
				replace(body, empty("No storage figures yet"));
				return;
			}
			replace(
				body,
				rows.map(({ type, size, share, width }) =>
					el(
						"div",
						{ class: "bar-row", "data-type": type },
						el("span", { class: "bar-label" }, type),
						bar(width, SIZE_TYPES.includes(type) ? `kind-${type}` : ""),
						el("span", { class: "bar-value" }, fmt.bytes(size)),
						el("span", { class: "bar-share" }, fmt.percent(share)),
					),
				),
			);
		},
	};
}

const PERCENTILES = [
	["P50 (Median)", 0.5],
	["P90", 0.9],
	["P95", 0.95],
	["P99", 0.99],
];

export function latencyPanel() {
	const body = el("div", { class: "bars" });
	return {
		node: panel("Request Latency Percentiles", "panel-bars", body),
		update({ window }) {
			const rows = PERCENTILES.map(([name, q]) => [name, window.quantile(q, m.http.latency)]);
			rows.push(["Average", window.average(m.http.latency)]);
			const most = Math.max(...rows.map(([, value]) => value || 0));
			replace(
				body,
				rows.map(([name, value]) =>
					el(
						"div",
						{ class: "bar-row bar-row-3", "data-percentile": name },
						el("span", { class: "bar-label" }, name),
						bar(most > 0 ? (value || 0) / most : 0, name === "Average" ? "kind-average" : "kind-latency"),
						el("span", { class: "bar-value" }, fmt.seconds(value)),
					),
				),
			);
		},
	};
}

export const statusTone = (code) => (code[0] === "2" ? "good" : code[0] === "4" ? "warn" : "bad");
const RING_RADIUS = 42;
const RING_LENGTH = 2 * Math.PI * RING_RADIUS;

function ringArc(from, share, className) {
	const gap = share < 1 ? Math.min(1.5, share * RING_LENGTH * 0.25) : 0;
	const arc = svg("circle", { class: `ring-arc fill-${className}`, cx: 55, cy: 55, r: RING_RADIUS });
	arc.style.strokeDasharray = `${Math.max(share * RING_LENGTH - gap, 0.8)} ${RING_LENGTH}`;
	arc.style.strokeDashoffset = String(-from * RING_LENGTH);
	return arc;
}

function ring(rows, total) {
	let from = 0;
	const arcs = rows.map(({ tone, count }) => {
		const arc = ringArc(from, count / total, tone);
		from += count / total;
		return arc;
	});
	return svg(
		"svg",
		{ class: "ring", viewBox: "0 0 110 110", "aria-hidden": "true" },
		svg("circle", { class: "ring-track", cx: 55, cy: 55, r: RING_RADIUS }),
		arcs,
	);
}

export function statusDoughnut() {
	const body = el("div", { class: "ring-panel" });
	return {
		node: panel("By Status Code", "panel-ring", body),
		update({ scrape }) {
			const perCode = sumBy(scrape, "duckdb_api_requests_total", (labels) => labels.status_code || "?");
			const rows = [...perCode]
				.filter(([, count]) => count > 0)
				.sort(([a], [b]) => (a < b ? -1 : 1))
				.map(([code, count]) => ({ code, count, tone: statusTone(code) }));
			const total = rows.reduce((all, row) => all + row.count, 0);
			if (total === 0) {
				replace(body, empty("No requests yet"));
				return;
			}
			replace(
				body,
				el(
					"div",
					{ class: "ring-box" },
					ring(rows, total),
					el("div", { class: "ring-middle" }, el("strong", null, fmt.count(total)), el("span", null, "requests")),
				),
				el(
					"ul",
					{ class: "legend" },
					rows.map(({ code, count, tone }) =>
						el(
							"li",
							{ "data-code": code },
							el("span", { class: `swatch fill-${tone}` }),
							el("span", { class: "mono" }, code),
							el("span", { class: "num" }, fmt.count(count)),
							el("span", { class: "num quiet" }, fmt.percent(count / total)),
						),
					),
				),
			);
		},
	};
}

const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"];

export function methodBars() {
	const body = el("div", { class: "bars" });
	return {
		node: panel("By HTTP Method", "panel-bars", body),
		update({ scrape }) {
			const rows = [...sumBy(scrape, "duckdb_api_requests_total", (labels) => labels.method || "?")]
				.filter(([, count]) => count > 0)
				.sort((a, b) => b[1] - a[1]);
			if (rows.length === 0) {
				replace(body, empty("No requests yet"));
				return;
			}
			const most = rows[0][1];
			replace(
				body,
				rows.map(([method, count]) =>
					el(
						"div",
						{ class: "bar-row bar-row-3", "data-method": method },
						el("span", { class: "bar-label mono" }, method),
						bar(count / most, METHODS.includes(method) ? `method-${method.toLowerCase()}` : ""),
						el("span", { class: "bar-value" }, fmt.count(count)),
					),
				),
			);
		},
	};
}

// A table in a box that scrolls sideways by itself, so that the page never does. On narrow screens its rows become blocks
// of lines, whose figures carry their column's name; the roles say to screen readers that it still is a table.
export function table(caption, columns, note) {
	const body = el("tbody", { role: "rowgroup" });
	const head = columns.map(([name, className]) => el("th", { scope: "col", role: "columnheader", class: className || null }, name));
	const node = panel(
		caption,
		"panel-table",
		el(
			"div",
			{ class: "table-box", tabindex: 0, role: "region", "aria-label": caption },
			el("table", { role: "table" }, el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, head)), body),
		),
		note,
	);
	return {
		node,
		fill(rows, none) {
			if (rows.length === 0) {
				replace(body, el("tr", { class: "empty-row", role: "row" }, el("td", { colspan: columns.length, role: "cell" }, none)));
				return;
			}
			const cell = (content, i) => {
				const [name, className] = columns[i];
				return el("td", { role: "cell", class: className || null, "data-column": className === "num" ? name : null }, content);
			};
			replace(body, rows.map((row) => el("tr", { role: "row" }, row.map(cell))));
		},
	};
}

const ENDPOINT_ROWS = 20;
const LOCK_ROWS = 10;

// Requests by method, endpoint and status, most first, with the average latency of method and endpoint.
export function endpointRows(scrape) {
	const rows = (scrape.samples.get("duckdb_api_requests_total") || [])
		.filter((sample) => sample.value > 0)
		.sort((a, b) => b.value - a.value)
		.slice(0, ENDPOINT_ROWS);
	return rows.map(({ labels, value }) => ({
		method: labels.method || "",
		endpoint: labels.endpoint || "",
		status: labels.status_code || "",
		count: value,
		average: average(
			histogram(
				scrape,
				"duckdb_api_request_duration_seconds",
				(other) => other.method === labels.method && other.endpoint === labels.endpoint,
			),
		),
	}));
}

function statusCell(code) {
	const tone = statusTone(code);
	const shape = tone === "good" ? "ok" : tone;
	return el("span", { class: `status text-${tone}` }, icon(shape), code);
}

export function endpointTable() {
	const view = table("Requests by Endpoint", [
		["Method"],
		["Endpoint", "grow mono"],
		["Status"],
		["Count", "num"],
		["Avg Latency", "num"],
	], "Top 20 by count, since start");
	return {
		node: view.node,
		update({ scrape }) {
			const rows = endpointRows(scrape).map((row) => [
				el("span", { class: `method text-method-${METHODS.includes(row.method) ? row.method.toLowerCase() : "other"}` }, row.method),
				breakable(row.endpoint),
				statusCell(row.status),
				fmt.count(row.count),
				fmt.seconds(row.average),
			]);
			view.fill(rows, "No requests yet");
		},
	};
}

export function lockRows(scrape) {
	return (scrape.samples.get("duckdb_table_lock_acquisitions_total") || [])
		.filter((sample) => sample.value > 0)
		.sort((a, b) => b.value - a.value)
		.slice(0, LOCK_ROWS)
		.map(({ labels, value }) => ({
			name: `${labels.project_id || ""} / ${labels.bucket || ""} / ${labels.table || ""}`,
			count: value,
		}));
}

export function lockTable() {
	const view = table("Table Lock Activity", [["Project / Bucket / Table", "grow mono"], ["Count", "num"]], "Top 10, since start");
	return {
		node: view.node,
		update({ scrape }) {
			view.fill(lockRows(scrape).map((row) => [row.name, fmt.count(row.count)]), "No lock activity");
		},
	};
}

const FDS_FULL = 0.8;

// The figures of the process: [{name, value, tone}].
export function runtimeRows(window) {
	const now = (signal) => window.now(signal);
	const used = ratio(now(m.runtime.openFds), now(m.runtime.maxFds));
	const limit = now(m.runtime.engineLimit);
	return [
		{ name: "CPU", value: fmt.percent(window.rate(m.runtime.cpu)), hint: "100% is one core" },
		{ name: "Resident memory", value: fmt.bytes(now(m.runtime.rss)) },
		{
			name: "Engine memory",
			value: fmt.bytes(now(m.runtime.engineMemory)),
			hint: limit === null ? null : `of ${fmt.bytes(limit)}`,
		},
		{ name: "Threads", value: fmt.count(now(m.runtime.threads)) },
		{
			name: "File descriptors",
			value: fmt.count(now(m.runtime.openFds)),
			tone: used > FDS_FULL ? "bad" : null,
			hint: `of ${fmt.count(now(m.runtime.maxFds))}${used > 0 ? `, ${fmt.percent(used)} used` : ""}`,
		},
	];
}

export function runtimePanel() {
	const list = el("dl", { class: "facts" });
	return {
		node: panel("Runtime", "panel-runtime", list),
		update({ window }) {
			replace(
				list,
				runtimeRows(window).map(({ name, value, tone, hint }) =>
					el(
						"div",
						{ class: tone ? `fact text-${tone}` : "fact", "data-fact": name },
						el("dt", null, name),
						el("dd", null, tone ? [icon(tone), el("span", { class: "sr-only" }, "Problem: ")] : null, value),
						hint ? el("dd", { class: "quiet" }, hint) : null,
					),
				),
			);
		},
	};
}
