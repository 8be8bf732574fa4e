// Panels beyond the required tiles: the single metadata writer, worker pools, disks, and where time goes. A panel whose
// metrics the server does not offer stays hidden.

import { breakable, el, icon, replace } from "./dom.js";
import * as fmt from "./format.js";
import { bar, panel, table } from "./panels.js";
import * as m from "./readings.js";
import { hasFamily } from "./exposition.js";
import { disksOf, ratio, sumBy } from "./stats.js";
import { QUEUE_DEEP } from "./tiles.js";

const WRITER_BUSY_WARN = 0.7;
const WRITER_BUSY_BAD = 0.9;
const DISK_LOW_WARN = 0.15;
const DISK_LOW_BAD = 0.05;

// The state of the one thread that writes the catalog: how busy, how much waits, and the rate it could reach.
export function writerState(window) {
	const busy = window.rate(m.metadata.writerBusy);
	const writes = window.rate(m.metadata.writes);
	const depth = window.now(m.metadata.queue);
	const tone = busy > WRITER_BUSY_BAD ? "bad" : busy > WRITER_BUSY_WARN || depth > QUEUE_DEEP ? "warn" : "ok";
	const words = { ok: "Room to spare", warn: "Getting busy", bad: "Saturated" };
	return {
		busy,
		tone: busy === null ? null : tone,
		words: busy === null ? "" : words[tone],
		writes,
		depth,
		ceiling: busy > 0.001 && writes > 0 ? writes / busy : null,
		batch: window.average(m.metadata.batch),
		wait: window.quantile(0.95, m.metadata.writeTime),
	};
}

function fact(name, value) {
	return el("div", { class: "fact", "data-fact": name }, el("dt", null, name), el("dd", null, value));
}

export function writerPanel() {
	const body = el("div", { class: "writer" });
	const node = panel("Metadata Writer", "panel-writer", body, "One thread writes the catalog and commits waiting changes together.");
	return {
		node,
		update({ window, scrape }) {
			node.hidden = !hasFamily(scrape, "duckdb_metadata_writer_busy_seconds_total");
			if (node.hidden) {
				return;
			}
			const state = writerState(window);
			replace(
				body,
				el(
					"div",
					{ class: `gauge tone-${state.tone || "none"}` },
					el("strong", null, fmt.percent(state.busy)),
					el("span", null, "busy"),
					state.tone ? el("span", { class: "verdict" }, icon(state.tone), state.words) : null,
				),
				bar(state.busy || 0, `meter-${state.tone || "ok"}`),
				el(
					"dl",
					{ class: "facts" },
					fact("Writes", fmt.rate(state.writes)),
					fact("Waiting", fmt.count(state.depth)),
					fact("Write P95", fmt.seconds(state.wait)),
					hasFamily(scrape, "duckdb_metadata_commit_batch_size") ? fact("Changes per commit", fmt.count(state.batch)) : null,
					fact("Ceiling at this mix", state.ceiling === null ? fmt.NONE : `≈ ${fmt.rate(state.ceiling)}`),
				),
			);
		},
	};
}

// One row per worker pool: {pool, threads, busy, queued}.
export function poolRows(scrape) {
	const by = (name) => sumBy(scrape, name, (labels) => labels.pool || "");
	const threads = by("duckdb_pool_threads");
	const busy = by("duckdb_pool_busy");
	const queued = by("duckdb_pool_queued");
	return [...threads].map(([pool, size]) => ({ pool, threads: size, busy: busy.get(pool) || 0, queued: queued.get(pool) || 0 }));
}

export function poolPanel() {
	const view = table("Worker Pools", [["Pool", "mono"], ["In use", "grow"], ["Busy", "num"], ["Threads", "num"], ["Queued", "num"]]);
	return {
		node: view.node,
		update({ scrape }) {
			const rows = poolRows(scrape);
			view.node.hidden = rows.length === 0;
			view.fill(
				rows.map(({ pool, threads, busy, queued }) => [
					pool,
					bar(threads > 0 ? busy / threads : 0, queued > 0 ? "meter-warn" : "meter-ok"),
					fmt.count(busy),
					fmt.count(threads),
					queued > 0 ? el("span", { class: "status text-warn" }, icon("warn"), fmt.count(queued)) : "0",
				]),
				"No pools",
			);
		},
	};
}

const ALERT_STATES = ["inactive", "pending", "firing"];

// The built-in alerts that are not quiet, the firing first: [{alert, severity, state}].
export function alertRows(scrape) {
	return (scrape.samples.get("duckdb_alert_state") || [])
		.filter(({ value }) => value > 0)
		.sort((a, b) => b.value - a.value || (a.labels.severity < b.labels.severity ? -1 : 1))
		.map(({ labels, value }) => ({ alert: labels.alert, severity: labels.severity, state: ALERT_STATES[value] || "firing" }));
}

export function alertPanel() {
	const view = table("Alerts", [["Alert", "grow"], ["Severity", ""], ["State", ""]], "Evaluated by the server itself; what to do about each is in docs/runbooks.");
	return {
		node: view.node,
		update({ scrape }) {
			view.node.hidden = !hasFamily(scrape, "duckdb_alert_state");
			view.fill(
				alertRows(scrape).map(({ alert, severity, state }) => {
					const tone = state === "pending" ? "warn" : "bad";
					return [alert, severity, el("span", { class: `status text-${tone}` }, icon(tone), state)];
				}),
				"No alert is active",
			);
		},
	};
}

export function diskRows(scrape) {
	return disksOf(scrape).map((disk) => {
		const share = ratio(disk.free, disk.size);
		const tone = share === null ? null : share < DISK_LOW_BAD ? "bad" : share < DISK_LOW_WARN ? "warn" : "ok";
		return { ...disk, share, tone };
	});
}

export function diskPanel() {
	const body = el("div", { class: "disks" });
	const node = panel("Disk Space", "panel-disk", body);
	return {
		node,
		update({ scrape }) {
			const rows = diskRows(scrape);
			node.hidden = rows.length === 0;
			replace(
				body,
				rows.map(({ path, free, size, share, tone }) =>
					el(
						"div",
						{ class: "disk", "data-path": path },
						el(
							"div",
							{ class: "disk-line" },
							el("span", { class: "mono disk-path" }, path),
							el("span", { class: tone ? `status text-${tone === "ok" ? "good" : tone}` : "status" }, tone ? icon(tone) : null, `${fmt.bytes(free)} free`),
						),
						bar(share === null ? 0 : 1 - share, `meter-${tone || "ok"}`),
						el("span", { class: "quiet" }, size === null ? "" : `${fmt.percent(1 - share)} of ${fmt.bytes(size)} used`),
					),
				),
			);
		},
	};
}

const OBJECTIVES = {
	answered: { name: "Answered without server error", goal: 0.999 },
	quick: { name: "Answered within 500 ms", goal: 0.95, seconds: 0.5 },
};
// How many times faster than the goal allows the errors come: beyond the first the month's budget is gone in two days.
const BURN_BAD = 14.4;
const BURN_WARN = 1;

function objective({ name, goal }, missed) {
	const burn = missed === null ? null : missed / (1 - goal);
	const tone = burn === null ? null : burn > BURN_BAD ? "bad" : burn > BURN_WARN ? "warn" : "ok";
	return { name, goal, reached: missed === null ? null : 1 - missed, burn, tone };
}

// The service level objectives over the window: [{name, goal, reached, burn, tone}].
export function objectiveRows(window) {
	const times = window.gain(m.http.latency);
	const bound = times ? times.bounds.indexOf(OBJECTIVES.quick.seconds) : -1;
	const quick = bound < 0 ? null : ratio(times.counts[bound], times.total);
	return [
		objective(OBJECTIVES.answered, window.share([m.http.serverErrors], m.http.requests)),
		objective(OBJECTIVES.quick, quick === null ? null : 1 - quick),
	];
}

export function objectivesPanel() {
	const body = el("div", { class: "objectives" });
	const words = { ok: "Within budget", warn: "Over budget", bad: "Burning fast" };
	return {
		node: panel("Objectives", "panel-objectives", body),
		update({ window }) {
			replace(
				body,
				objectiveRows(window).map(({ name, goal, reached, burn, tone }) =>
					el(
						"div",
						{ class: "objective" },
						el("span", { class: "bar-label" }, name),
						el("strong", null, reached === null ? fmt.NONE : fmt.percent(reached, 2)),
						el("span", { class: "quiet" }, `goal ${fmt.percent(goal)}${burn === null ? "" : `, spending ${burn.toFixed(1)}× the budget`}`),
						tone ? el("span", { class: `status text-${tone === "ok" ? "good" : tone}` }, icon(tone), words[tone]) : null,
					),
				),
			);
		},
	};
}

const HISTOGRAM_NAMES = {
	duckdb_api_request_duration_seconds: "HTTP request",
	duckdb_grpc_request_duration_seconds: "gRPC command",
	grpc_server_handling_seconds: "gRPC call",
	pgwire_query_duration_seconds: "PG query",
	pgwire_auth_duration_seconds: "PG authentication",
	duckdb_metadata_query_duration_seconds: "Metadata call",
	duckdb_table_lock_wait_seconds: "Waiting for a table lock",
	duckdb_table_lock_hold_seconds: "Holding a table lock",
	duckdb_write_queue_wait_seconds: "Waiting in the write queue",
	duckdb_pool_wait_seconds: "Waiting for a worker",
	duckdb_import_duration_seconds: "Import",
	duckdb_export_duration_seconds: "Export",
	duckdb_files_upload_duration_seconds: "File upload",
	duckdb_s3_operation_duration_seconds: "S3 call",
	duckdb_schema_operation_duration_seconds: "Schema change",
	duckdb_snapshot_create_duration_seconds: "Snapshot create",
	duckdb_snapshot_restore_duration_seconds: "Snapshot restore",
	duckdb_branch_cow_duration_seconds: "Copy into a branch",
	duckdb_operation_duration_seconds: "Storage operation",
	duckdb_fsync_duration_seconds: "fsync",
	duckdb_checkpoint_duration_seconds: "Checkpoint",
	duckdb_http_response_ttfb_seconds: "Time to first byte",
	duckdb_metrics_collector_duration_seconds: "Metrics collector",
};
const HOT_ROWS = 10;

// What the server spends its time on in the window. Times nest: a request contains the waits of its parts.
export function hotPanel() {
	const view = table(
		"What Is Slow Now",
		[["Work", "grow"], ["Calls", "num"], ["Average", "num"], ["P95", "num"], ["Time spent", "num"]],
		"By time spent per second of clock in the window. Times nest: a request contains the waits of its parts.",
	);
	return {
		node: view.node,
		update({ window }) {
			const rows = window.hot(HOT_ROWS);
			view.node.hidden = !window.last || window.last.hot.size === 0;
			view.fill(
				rows.map((row) => [
					el("span", { class: "work" }, HISTOGRAM_NAMES[row.family] || row.family, " ", row.detail ? el("span", { class: "mono quiet" }, breakable(row.detail)) : null),
					fmt.rate(row.rate),
					fmt.seconds(row.average),
					fmt.seconds(row.p95),
					`${fmt.seconds(row.busy)}/s`,
				]),
				"Nothing took time in this window",
			);
		},
	};
}
