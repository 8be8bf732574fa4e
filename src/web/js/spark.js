// Sparklines: one line over the window, scaled to its own maximum, with gaps where nothing was measured.

import { replace, svg } from "./dom.js";
import { http } from "./readings.js";
import { gaugeOver, quantileOver, rateOver, series, shareOver } from "./timeline.js";

const WIDTH = 120;
const HEIGHT = 24;
const RATE_SPAN_SECONDS = 15;
const QUANTILE_SPAN_SECONDS = 60;

// The points of a tile's sparkline over `frames`.
export function sparkSeries(frames, spark) {
	switch (spark.kind) {
	case "rate":
		return series(frames, RATE_SPAN_SECONDS, rateOver(spark.signal));
	case "p95":
		return series(frames, QUANTILE_SPAN_SECONDS, quantileOver(0.95, spark.signal));
	case "quantile":
		return series(frames, QUANTILE_SPAN_SECONDS, quantileOver(spark.q, spark.signal));
	case "errors":
		return series(frames, RATE_SPAN_SECONDS, shareOver([http.clientErrors, http.serverErrors], http.requests));
	default:
		return series(frames, 0, gaugeOver(spark.signal));
	}
}

// The SVG path of the points, where it begins and its end. Consecutive points are joined; null breaks the line.
export function sparkPath({ times, values }, width = WIDTH, height = HEIGHT) {
	const numbers = values.filter((value) => value !== null);
	if (numbers.length < 2) {
		return null;
	}
	const top = Math.max(...numbers) || 1;
	const first = times[0];
	const span = times[times.length - 1] - first || 1;
	let path = "";
	let pen = false;
	let end = null;
	let start = null;
	values.forEach((value, i) => {
		if (value === null) {
			pen = false;
			return;
		}
		end = {
			x: (((times[i] - first) / span) * width).toFixed(1),
			y: (height - 1.5 - (value / top) * (height - 3)).toFixed(1),
		};
		start ??= end.x;
		path += `${pen ? "L" : "M"}${end.x} ${end.y}`;
		pen = true;
	});
	return { path, start, end, top };
}

export class Sparkline {
	constructor(spark) {
		this.spark = spark;
		this.node = svg("svg", {
			class: "spark",
			viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
			preserveAspectRatio: "none",
			"aria-hidden": "true",
		});
	}

	update(frames) {
		const points = sparkSeries(frames, this.spark);
		const drawn = sparkPath(points);
		if (!drawn) {
			replace(this.node);
			return points;
		}
		replace(
			this.node,
			svg("path", { class: "spark-area", d: `${drawn.path}L${drawn.end.x} ${HEIGHT}L${drawn.start} ${HEIGHT}Z` }),
			svg("path", { class: "spark-line", d: drawn.path, "vector-effect": "non-scaling-stroke" }),
		);
		return points;
	}
}
