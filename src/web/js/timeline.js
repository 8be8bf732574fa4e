// The last minutes of readings, and what happened within a window of them.
//
// A frame is one scrape reduced to the declared signals (signals.js) and to the histograms by label ("hot"), so 15 minutes
// of a scrape of 20,000 series stay small. Frames come from the scrapes of this page and, before them, from the history that
// the server keeps. Counters are compared frame by frame, so a restart of the server in the window costs nothing but the
// events of the restart itself.

import { hasFamily } from "./exposition.js";
import { declaredSignals } from "./signals.js";
import * as stats from "./stats.js";

export const KEEP_SECONDS = 15 * 60;
const HOT_GROUPS_MAX = 300;
const START_TIME = "duckdb_api_start_time_seconds";
// Which label tells the members of a histogram apart. Tenants are left out: there may be hundreds of them.
const HOT_LABELS = ["endpoint", "command", "operation", "pool", "target", "format", "collector", "stage", "job"];

// The history sums some labels away; what asks for them then has no answer.
function lacksLabels(scrape, signal) {
	const [first] = scrape.samples.get(signal.family) || scrape.samples.get(`${signal.family}_bucket`) || [];
	return first !== undefined && signal.labels.some((label) => !(label in first.labels));
}

function readSignal(scrape, signal) {
	if (!hasFamily(scrape, signal.family) || lacksLabels(scrape, signal)) {
		return null;
	}
	if (signal.kind === "histogram") {
		return stats.histogram(scrape, signal.family, signal.matches);
	}
	if (signal.kind === "gauge" && !scrape.samples.has(signal.family)) {
		return null;
	}
	return stats.sum(scrape, signal.family, signal.matches);
}

function hotKey(family, labels) {
	const label = HOT_LABELS.find((name) => name in labels);
	const detail = label ? (label === "endpoint" && labels.method ? `${labels.method} ` : "") + labels[label] : "";
	return { key: `${family}\n${detail}`, detail };
}

function hotGroup(groups, family, labels) {
	const { key, detail } = hotKey(family, labels);
	let group = groups.get(key);
	if (!group && groups.size < HOT_GROUPS_MAX) {
		group = { family, detail, perBound: new Map(), sum: 0, count: 0 };
		groups.set(key, group);
	}
	return group;
}

// Every histogram of the scrape, one entry per family and telling label.
function readHot(scrape) {
	const groups = new Map();
	for (const [name, samples] of scrape.samples) {
		const part = /^(.+)_(bucket|sum|count)$/.exec(name);
		if (!part || !scrape.samples.has(`${part[1]}_bucket`)) {
			continue;
		}
		for (const { labels, value } of samples) {
			const group = hotGroup(groups, part[1], labels);
			if (group && part[2] === "bucket") {
				const bound = labels.le === "+Inf" ? Infinity : Number(labels.le);
				group.perBound.set(bound, (group.perBound.get(bound) || 0) + value);
			} else if (group) {
				group[part[2]] += value;
			}
		}
	}
	const hot = new Map();
	for (const [key, group] of groups) {
		hot.set(key, {
			family: group.family,
			detail: group.detail,
			hist: stats.histogramFrom(group.perBound, group.sum, group.count),
		});
	}
	return hot;
}

// Reduces a scrape taken at `time` (Unix seconds). `live` frames carry the hot histograms too.
export function frameOf(scrape, time, live = true) {
	const readings = new Map();
	for (const signal of declaredSignals()) {
		readings.set(signal.key, readSignal(scrape, signal));
	}
	return { time, live, start: stats.value(scrape, START_TIME), readings, hot: live ? readHot(scrape) : null };
}

function restartedBetween(before, after) {
	return before.start !== null && after.start !== null && after.start > before.start + 1;
}

export class Timeline {
	constructor(keepSeconds = KEEP_SECONDS) {
		this.keepSeconds = keepSeconds;
		this.frames = [];
	}

	get last() {
		return this.frames.length > 0 ? this.frames[this.frames.length - 1] : null;
	}

	// Appends a frame; one older than the last is ignored. A frame from just before the window stays as its base.
	push(frame) {
		if (this.last && frame.time <= this.last.time) {
			return;
		}
		this.frames.push(frame);
		const oldest = frame.time - this.keepSeconds;
		while (this.frames.length > 2 && this.frames[1].time <= oldest) {
			this.frames.shift();
		}
	}

	// Puts frames of the server's history before those that the page has taken itself. The history is kept in memory, so
	// it is of the same process as the first scrape.
	prepend(frames) {
		const [first] = this.frames;
		const older = frames.filter((frame) => !first || frame.time < first.time);
		for (const frame of older) {
			frame.start ??= first ? first.start : null;
		}
		this.frames = older.concat(this.frames);
	}

	// What happened in the last `length` seconds, or since the start of the server for null.
	window(length) {
		return new Window(this.frames, length);
	}
}

// A stretch of frames. `since` is "start" when everything counted since the server started is in it.
export class Window {
	constructor(frames, length) {
		this.last = frames.length > 0 ? frames[frames.length - 1] : null;
		this.length = length;
		this.frames = [];
		this.fromStart = true;
		if (!this.last) {
			this.seconds = null;
			return;
		}
		// A server younger than the window counted from zero in it, and nothing was missed.
		const start = this.last.start;
		const young = start !== null && start >= this.last.time - length && !restartedBetween(frames[0], this.last);
		if (length !== null && !young) {
			this.frames = framesSince(frames, this.last.time - length);
			this.fromStart = this.frames.length < 2;
		}
		const from = this.fromStart ? start : this.frames[0].time;
		this.seconds = from === null ? null : Math.max(this.last.time - from, 1e-3);
	}

	// The reading of now: a count, a gauge, or a histogram since the start.
	now(signal) {
		return this.last ? this.last.readings.get(signal.key) ?? null : null;
	}

	// What the counter or histogram gained in the window; null if there is nothing to compare.
	gain(signal) {
		return this.fromStart ? this.now(signal) : gainOver(this.frames, [signal]).gains[0];
	}

	rate(signal) {
		if (!this.fromStart) {
			return rateOver(signal)(this.frames);
		}
		const gained = this.now(signal);
		return gained === null || this.seconds === null ? null : gained / this.seconds;
	}

	// How much of the gain of the counter `whole` those in `parts` made up; over the frames that know all of them.
	share(parts, whole) {
		if (!this.fromStart) {
			return shareOver(parts, whole)(this.frames);
		}
		const counts = parts.map((part) => this.now(part));
		return counts.includes(null) ? null : stats.ratio(counts.reduce((a, b) => a + b, 0), this.now(whole));
	}

	quantile(q, signal) {
		return stats.quantile(q, this.gain(signal));
	}

	average(signal) {
		return stats.average(this.gain(signal));
	}

	// The histograms that took the most time, by time spent per second of clock: [{family, detail, busy, rate, p95, average}].
	hot(limit) {
		if (!this.last || !this.last.hot || this.seconds === null) {
			return [];
		}
		const frames = this.frames.filter((frame) => frame.hot);
		const known = frames.length > 1 && !this.fromStart;
		const span = known ? this.last.time - frames[0].time : this.last.time - this.last.start;
		const rows = [];
		for (const [key, group] of this.last.hot) {
			const hist = known ? hotGain(frames, key) : group.hist;
			if (hist && hist.count > 0 && group.family.endsWith("_seconds")) {
				rows.push({
					family: group.family,
					detail: group.detail,
					busy: hist.sum / span,
					rate: hist.count / span,
					p95: stats.quantile(0.95, hist),
					average: stats.average(hist),
				});
			}
		}
		return rows.sort((a, b) => b.busy - a.busy).slice(0, limit);
	}
}

// Frames from the last one not younger than `time` on.
function framesSince(frames, time) {
	let from = 0;
	while (from + 1 < frames.length && frames[from + 1].time <= time) {
		from++;
	}
	return frames.slice(from);
}

function pairGain(signal, before, after) {
	const old = before.readings.get(signal.key) ?? null;
	const now = after.readings.get(signal.key) ?? null;
	if (old === null || now === null) {
		return null;
	}
	const restarted = restartedBetween(before, after);
	// Where the history ends and the scrapes begin, a count may seem to fall by what the history rounds.
	if (!before.live && after.live && !restarted && (now.total ?? now) < (old.total ?? old)) {
		return null;
	}
	return signal.kind === "histogram"
		? stats.histogramDelta(old, now, restarted)
		: stats.counterDelta(old, now, restarted);
}

function addGain(signal, total, gain) {
	return signal.kind === "histogram" ? stats.addHistogram(total, gain) : (total || 0) + gain;
}

// The gains of `signals` over the pairs of frames that know all of them, and how many seconds those pairs cover.
function gainOver(frames, signals) {
	let gains = signals.map(() => null);
	let seconds = 0;
	for (let i = 1; i < frames.length; i++) {
		const pair = signals.map((signal) => pairGain(signal, frames[i - 1], frames[i]));
		if (!pair.includes(null)) {
			gains = signals.map((signal, k) => addGain(signal, gains[k], pair[k]));
			seconds += frames[i].time - frames[i - 1].time;
		}
	}
	return { gains, seconds };
}

function hotGain(frames, key) {
	let total = null;
	for (let i = 1; i < frames.length; i++) {
		const now = frames[i].hot.get(key);
		if (!now) {
			continue;
		}
		const old = frames[i - 1].hot.get(key);
		const gain = stats.histogramDelta(old ? old.hist : null, now.hist, restartedBetween(frames[i - 1], frames[i]));
		total = stats.addHistogram(total, gain);
	}
	return total;
}

// Points for a sparkline or chart: `read(window)` over the `span` seconds before each frame of `frames`.
// Answers {times, values}; a value is null where nothing can be said.
export function series(frames, span, read) {
	const times = [];
	const values = [];
	let from = 0;
	for (let i = 1; i < frames.length; i++) {
		while (from + 1 < i && frames[from + 1].time <= frames[i].time - span) {
			from++;
		}
		times.push(frames[i].time);
		values.push(read(frames.slice(from, i + 1)));
	}
	return { times, values };
}

export function rateOver(signal) {
	return (frames) => {
		const { gains, seconds } = gainOver(frames, [signal]);
		return gains[0] === null ? null : gains[0] / seconds;
	};
}

export function quantileOver(q, signal) {
	return (frames) => stats.quantile(q, gainOver(frames, [signal]).gains[0]);
}

export function shareOver(parts, whole) {
	return (frames) => {
		const { gains } = gainOver(frames, [whole, ...parts]);
		const [all, ...some] = gains;
		return all === null ? null : stats.ratio(some.reduce((a, b) => a + b, 0), all);
	};
}

export function gaugeOver(signal) {
	return (frames) => frames[frames.length - 1].readings.get(signal.key) ?? null;
}
