// The running page: polls, keeps the timeline, and redraws what is visible. Pages give it their sections.

import { CHART_FAMILIES } from "./charts.js";
import { el, readStore, replace, setClass, setText, writeStore } from "./dom.js";
import * as fmt from "./format.js";
import { bindRadios } from "./controls.js";
import { declaredSignals } from "./signals.js";
import { NotOffered, TokenWanted, fetchScrape, hasToken, keepToken, loadHistory } from "./source.js";
import { bindThemeButton } from "./theme.js";
import { serviceInfo } from "./tiles.js";
import { KEEP_SECONDS, Timeline, frameOf } from "./timeline.js";

const REFRESH_MS = 5000;
const HISTORY_STEP_SECONDS = 5;
const LONG_STEP_SECONDS = 60;
const WINDOW_KEY = "dashboard-window";
const WINDOWS = {
	60: { name: "1m", title: "Over the last minute" },
	300: { name: "5m", title: "Over the last 5 minutes" },
	900: { name: "15m", title: "Over the last 15 minutes" },
	start: { name: "start", title: "Since the server started" },
};
const DEFAULT_WINDOW = "300";

const byId = (id) => document.getElementById(id);

export class App {
	// `visible()` answers the views to draw now; `charts` are all charts of the page; `onDraw(state)` may do more.
	constructor({ visible, charts, onDraw }) {
		this.visible = visible;
		this.charts = charts;
		this.onDraw = onDraw || (() => {});
		this.timeline = new Timeline();
		this.long = null;
		this.scrape = null;
		this.timer = null;
		this.busy = false;
		this.chartRange = KEEP_SECONDS;
		const kept = readStore("localStorage", WINDOW_KEY);
		this.windowKey = Object.hasOwn(WINDOWS, kept) ? kept : DEFAULT_WINDOW;
	}

	start() {
		bindRadios(byId("window"), this.windowKey, (key) => {
			this.windowKey = key;
			writeStore("localStorage", WINDOW_KEY, key);
			this.draw();
		});
		bindThemeButton(byId("theme"), () => {
			this.charts.forEach((chart) => chart.rebuild());
			this.draw();
		});
		byId("refresh").addEventListener("click", () => this.poll());
		byId("auto").addEventListener("change", () => this.plan());
		document.addEventListener("visibilitychange", () => document.hidden || this.draw());
		this.bindToken();
		this.poll().then(() => this.backfill());
	}

	// The next poll comes REFRESH_MS after the last one ended, if Auto is on.
	plan() {
		clearTimeout(this.timer);
		if (byId("auto").checked) {
			this.timer = setTimeout(() => this.poll(), REFRESH_MS);
		}
	}

	async poll() {
		if (this.busy) {
			return;
		}
		this.busy = true;
		try {
			const { scrape, time } = await fetchScrape();
			this.scrape = scrape;
			this.timeline.push(frameOf(scrape, time));
			this.connected(time);
			this.draw();
		} catch (failure) {
			this.failed(failure);
		} finally {
			this.busy = false;
			this.plan();
		}
	}

	connected(time) {
		this.state("connected", "Connected");
		setText(byId("updated"), `Updated ${fmt.clock(time)}`);
		byId("error").hidden = true;
		document.body.classList.remove("stale");
		const skipped = byId("skipped");
		skipped.hidden = this.scrape.skipped === 0;
		setText(skipped, `${this.scrape.skipped} lines of /metrics could not be read.`);
	}

	failed(failure) {
		this.state("disconnected", "Disconnected");
		document.body.classList.toggle("stale", this.scrape !== null);
		const old = this.scrape ? ` Showing the values of ${fmt.clock(this.timeline.last.time)}.` : "";
		setText(byId("error-text"), `${failure.message}.${old}`);
		byId("error").hidden = false;
		byId("ask-token").hidden = !(failure instanceof TokenWanted);
		if (failure instanceof TokenWanted && !byId("token-dialog").open && !this.tokenRefused) {
			this.askToken();
		}
	}

	state(name, text) {
		setClass(byId("state"), `state state-${name}`);
		setText(byId("state-text"), text);
	}

	askToken() {
		setText(byId("token-hint"), hasToken() ? "That token was not accepted." : "The metrics of this server are protected.");
		byId("token-dialog").showModal();
		byId("token").focus();
	}

	bindToken() {
		const dialog = byId("token-dialog");
		byId("ask-token").addEventListener("click", () => this.askToken());
		byId("token-cancel").addEventListener("click", () => dialog.close());
		dialog.addEventListener("close", () => {
			this.tokenRefused = byId("token").value === "";
			byId("token").value = "";
		});
		byId("token-form").addEventListener("submit", (event) => {
			event.preventDefault();
			keepToken(byId("token").value.trim());
			dialog.close();
			this.tokenRefused = false;
			this.poll().then(() => this.backfill());
		});
	}

	// Fills the time before the page was opened from the server's history, if it keeps one.
	async backfill() {
		if (!this.scrape || this.historyOffered) {
			return;
		}
		try {
			const families = declaredSignals().map((signal) => signal.family);
			this.timeline.prepend(await loadHistory(families, KEEP_SECONDS, HISTORY_STEP_SECONDS));
			this.historyOffered = true;
			this.offerRanges();
			this.draw();
		} catch (failure) {
			this.historyOffered = false;
			if (!(failure instanceof NotOffered)) {
				setText(byId("updated"), `${byId("updated").textContent} (no history: ${failure.message})`);
			}
		}
	}

	offerRanges() {
		const ranges = byId("ranges");
		ranges.hidden = false;
		bindRadios(ranges, String(this.chartRange), (range) => this.chooseRange(Number(range)));
	}

	// Ranges beyond the timeline are drawn from the history alone and refreshed once per step.
	async chooseRange(range) {
		this.chartRange = range;
		clearInterval(this.longTimer);
		this.long = null;
		if (range > KEEP_SECONDS) {
			await this.loadLong(range);
			this.longTimer = setInterval(() => this.loadLong(range), LONG_STEP_SECONDS * 1000);
		}
		this.draw();
	}

	async loadLong(range) {
		const frames = await loadHistory(CHART_FAMILIES, range, LONG_STEP_SECONDS).catch(() => null);
		if (frames && this.chartRange === range) {
			this.long = frames;
			this.draw();
		}
	}

	// What the views draw from.
	drawState() {
		const key = this.windowKey;
		const seconds = key === "start" ? null : Number(key);
		const window = this.timeline.window(seconds);
		const frames = this.timeline.frames;
		const from = window.last.time - (seconds ?? KEEP_SECONDS);
		return {
			scrape: this.scrape,
			window,
			windowName: window.fromStart ? WINDOWS.start.name : WINDOWS[key].name,
			windowTitle: window.fromStart ? WINDOWS.start.title : WINDOWS[key].title,
			sparkFrames: frames.filter((frame) => frame.time >= from),
			chartFrames: this.long || frames,
			chartStep: this.long ? LONG_STEP_SECONDS : 0,
		};
	}

	draw() {
		if (!this.scrape || document.hidden) {
			return;
		}
		const state = this.drawState();
		const info = serviceInfo(this.scrape);
		setText(byId("version"), `v${info.version || "?"} / DuckDB ${info.duckdb_version || "?"}`);
		byId("version").hidden = false;
		setText(byId("coverage"), coverage(state.window));
		for (const view of this.visible()) {
			view.update(state);
		}
		this.onDraw(state);
	}
}

// In words, what the windowed figures cover.
export function coverage(window) {
	const totals = "Totals count since the server started.";
	if (window.length === null) {
		return `All figures count since the server started.`;
	}
	if (window.fromStart) {
		return `Rates, ratios and percentiles cover the whole time since the server started, until more is known. ${totals}`;
	}
	const minutes = Math.round(window.length / 60);
	const wanted = minutes === 1 ? "the last minute" : `the last ${minutes} minutes`;
	const partial = window.seconds < window.length - HISTORY_STEP_SECONDS;
	const so = partial ? `${Math.round(window.seconds)} s of ${wanted} so far` : wanted;
	return `Rates, ratios and percentiles cover ${so}. ${totals}`;
}

const RANGES = [
	["15 min", KEEP_SECONDS],
	["1 h", 3600],
	["6 h", 6 * 3600],
	["24 h", 24 * 3600],
];

// The time that the charts show; offered once the server turns out to keep a history.
export function rangePicker() {
	return el(
		"div",
		{ class: "picker", id: "ranges", role: "radiogroup", "aria-label": "Time shown by the charts", hidden: true },
		el("span", { class: "picker-label", "aria-hidden": "true" }, "Charts"),
		el(
			"div",
			{ class: "segments" },
			RANGES.map(([name, seconds]) => el("button", { type: "button", role: "radio", "data-value": seconds }, name)),
		),
	);
}

export function mount(...nodes) {
	replace(byId("content"), nodes);
}
