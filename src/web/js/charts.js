// Time charts, drawn with uPlot. Lines differ by dash as well as by colour, and the latest value stands in words beside
// each name.

import { el, replace, setText } from "./dom.js";
import * as fmt from "./format.js";
import { panel } from "./panels.js";
import * as m from "./readings.js";
import { gaugeOver, quantileOver, rateOver, series } from "./timeline.js";

/* global uPlot */

const HEIGHT = 200;

const sumOf = (...signals) => (frames) => {
	const rates = signals.map((signal) => rateOver(signal)(frames)).filter((rate) => rate !== null);
	return rates.length > 0 ? rates.reduce((a, b) => a + b, 0) : null;
};

// Every chart: its lines, and how to read and write a value. `span` is the least number of seconds a point looks back;
// `steps` are the distances that its scale may have.
export const CHARTS = {
	requests: {
		title: "Requests per Second",
		format: fmt.rate,
		span: 15,
		lines: [
			{ name: "2xx, 3xx", color: "good", fill: true, read: sumOf(m.http.informational, m.http.success, m.http.redirects) },
			{ name: "4xx", color: "warn", dash: [6, 3], read: rateOver(m.http.clientErrors) },
			{ name: "5xx", color: "bad", dash: [2, 3], read: rateOver(m.http.serverErrors) },
		],
	},
	latency: {
		title: "Request Latency",
		format: fmt.seconds,
		span: 60,
		lines: [
			{ name: "P50", color: "blue", fill: true, read: quantileOver(0.5, m.http.latency) },
			{ name: "P95", color: "purple", dash: [6, 3], read: quantileOver(0.95, m.http.latency) },
			{ name: "P99", color: "pink", dash: [2, 3], read: quantileOver(0.99, m.http.latency) },
		],
	},
	metadata: {
		title: "Metadata Calls per Second",
		format: fmt.rate,
		span: 15,
		lines: [
			{ name: "Writes", color: "purple", fill: true, read: rateOver(m.metadata.writes) },
			{ name: "Reads", color: "blue", dash: [6, 3], read: rateOver(m.metadata.reads) },
		],
	},
	metadataTime: {
		title: "Metadata Call P95",
		format: fmt.seconds,
		span: 60,
		lines: [
			{ name: "Write P95", color: "purple", fill: true, read: quantileOver(0.95, m.metadata.writeTime) },
			{ name: "Read P95", color: "blue", dash: [6, 3], read: quantileOver(0.95, m.metadata.readTime) },
		],
	},
	memory: {
		title: "Memory",
		steps: Array.from({ length: 50 }, (_, power) => 2 ** power),
		format: fmt.bytes,
		span: 0,
		lines: [
			{ name: "Resident", color: "blue", fill: true, read: gaugeOver(m.runtime.rss) },
			{ name: "Engine", color: "teal", dash: [6, 3], read: gaugeOver(m.runtime.engineMemory) },
		],
	},
};

// What the charts read, for ranges beyond the timeline.
export const CHART_FAMILIES = [
	m.http.requests,
	m.http.latency,
	m.metadata.reads,
	m.metadata.time,
	m.runtime.rss,
	m.runtime.engineMemory,
].map((signal) => signal.family);

function color(name) {
	return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

const DAY_SECONDS = 24 * 3600;
const TIME_LABEL_WIDTH = 84;

const SECONDS_SHOWN_BELOW = 5 * 60;

// Hours and minutes; the day where the chart reaches over several, seconds where it shows few minutes.
function timeLabels(plot, splits) {
	const reach = plot.scales.x.max - plot.scales.x.min;
	const clock = { hour: "2-digit", minute: "2-digit", ...(reach < SECONDS_SHOWN_BELOW ? { second: "2-digit" } : {}) };
	const parts = reach > DAY_SECONDS * 1.5 ? { month: "short", day: "numeric" } : clock;
	const labels = splits.map((unix) => new Date(unix * 1000).toLocaleString(undefined, parts));
	return labels.map((label, i) => (label === labels[i - 1] ? "" : label));
}

function axis(labels, size) {
	return {
		stroke: color("quiet"),
		font: "11px ui-sans-serif, system-ui, sans-serif",
		grid: { stroke: color("line"), width: 1 },
		ticks: { show: false },
		gap: 6,
		values: labels,
		size,
	};
}

function lineOptions({ name, color: hue, dash, fill }) {
	return {
		label: name,
		stroke: color(hue),
		width: 1.75,
		dash: dash || [],
		fill: fill ? `${color(hue)}22` : undefined,
		points: { show: false },
		spanGaps: false,
	};
}

const COLLECTING = "Collecting: the first points appear with the second refresh";
const NOTHING = "Nothing happened in this time";

export class ChartView {
	constructor(id) {
		this.chart = CHARTS[id];
		this.plot = null;
		this.box = el("div", { class: "plot", hidden: true });
		this.latest = this.chart.lines.map(() => el("span", { class: "legend-value" }, fmt.NONE));
		this.none = el("p", { class: "empty plot-empty" }, COLLECTING);
		const legend = this.chart.lines.map(({ name, color: hue, dash }, i) =>
			el("li", null, el("span", { class: `stroke stroke-${hue}${dash ? ` dash-${dash[0]}` : ""}` }), name, this.latest[i]),
		);
		this.node = panel(
			this.chart.title,
			"panel-chart",
			el("figure", { class: "chart", "data-chart": id }, el("ul", { class: "chart-legend" }, legend), this.box, this.none),
		);
		new ResizeObserver(() => this.resize()).observe(this.box);
	}

	resize() {
		const width = this.box.clientWidth;
		if (this.plot && width > 0 && width !== this.plot.width) {
			this.plot.setSize({ width, height: HEIGHT });
		}
	}

	options() {
		const format = this.chart.format;
		return {
			width: Math.max(this.box.clientWidth, 120),
			height: HEIGHT,
			legend: { show: false },
			padding: [8, 30, 0, 0],
			cursor: { y: false, points: { size: 7 } },
			scales: { y: { range: (_, min, max) => [0, max > 0 ? max * 1.1 : 1] } },
			axes: [{ ...axis(timeLabels, 28), space: TIME_LABEL_WIDTH }, { ...axis((_, splits) => splits.map(format), 70), ...(this.chart.steps ? { incrs: this.chart.steps } : {}) }],
			series: [{}, ...this.chart.lines.map(lineOptions)],
			hooks: { setCursor: [(plot) => this.showValues(plot.cursor.idx)] },
		};
	}

	// The values under the pointer, else the latest.
	showValues(index) {
		const at = index === null || index === undefined ? this.data[0].length - 1 : index;
		this.latest.forEach((node, i) => setText(node, this.chart.format(this.data[i + 1][at])));
	}

	update({ chartFrames, chartStep }) {
		const span = Math.max(this.chart.span, chartStep);
		const lines = this.chart.lines.map((line) => series(chartFrames, span, line.read));
		this.data = [lines[0].times, ...lines.map((line) => line.values)];
		const known = lines[0].times.length > 1;
		const drawable = known && lines.some((line) => line.values.some((value) => value !== null));
		setText(this.none, known ? NOTHING : COLLECTING);
		this.none.hidden = drawable;
		this.box.hidden = !drawable;
		if (!drawable) {
			return;
		}
		if (this.plot) {
			this.plot.setData(this.data);
		} else {
			this.plot = new uPlot(this.options(), this.data, this.box);
		}
		this.resize();
		this.showValues(this.plot.cursor.idx);
		this.describe();
	}

	// The same in words, for those who do not see the canvas.
	describe() {
		const parts = this.chart.lines.map(({ name }, i) => {
			const values = this.data[i + 1].filter((value) => value !== null);
			const now = values.length > 0 ? values[values.length - 1] : null;
			return `${name}: now ${this.chart.format(now)}, peak ${this.chart.format(values.length > 0 ? Math.max(...values) : null)}`;
		});
		this.box.setAttribute("role", "img");
		this.box.setAttribute("aria-label", `${this.chart.title}. ${parts.join("; ")}`);
	}

	// Colours are baked into the canvas: a change of theme draws it anew.
	rebuild() {
		if (this.plot) {
			this.plot.destroy();
			this.plot = null;
			replace(this.box);
		}
	}
}
