// Where the pages get their data: `metrics` of the page's own server, or of http://localhost:8000 when opened from disk;
// and `metrics/history` where the server keeps one.

import { addSample, parseExposition } from "./exposition.js";
import { readStore, writeStore } from "./dom.js";
import { frameOf } from "./timeline.js";

const FROM_DISK = "http://localhost:8000/";
const TOKEN_KEY = "dashboard-metrics-token";
const TIMEOUT_MS = 15000;
const CLOCK_SKEW_MIN_SECONDS = 3;
// As many names as the server takes in one request.
const NAMES_MAX = 64;

export class TokenWanted extends Error {}
export class NotOffered extends Error {}

export function serverUrl(path) {
	return location.protocol === "file:" ? FROM_DISK + path : new URL(path, location.href).href;
}

export function keepToken(token) {
	writeStore("sessionStorage", TOKEN_KEY, token || null);
}

export const hasToken = () => readStore("sessionStorage", TOKEN_KEY) !== null;

async function request(path) {
	const token = readStore("sessionStorage", TOKEN_KEY);
	const response = await fetch(serverUrl(path), {
		headers: token ? { Authorization: `Bearer ${token}` } : {},
		cache: "no-store",
		credentials: "omit",
		signal: AbortSignal.timeout(TIMEOUT_MS),
	}).catch((failure) => {
		throw new Error(failure.name === "TimeoutError" ? "The server did not answer in time" : "The server cannot be reached");
	});
	if (response.status === 401 || response.status === 403) {
		throw new TokenWanted("The server asks for a token");
	}
	return response;
}

const localNow = () => Date.now() / 1000;

// The server's clock where it differs from ours, so that uptimes are right on a machine with a wrong clock.
function clockOffset(response) {
	const theirs = Date.parse(response.headers.get("Date") || "") / 1000;
	const offset = theirs - localNow();
	return Math.abs(offset) > CLOCK_SKEW_MIN_SECONDS ? offset : 0;
}

let offset = null;

// Takes one scrape: {scrape, time}.
export async function fetchScrape() {
	const response = await request("metrics");
	if (!response.ok) {
		throw new Error(`The server answered ${response.status} to /metrics`);
	}
	offset ??= clockOffset(response);
	const scrape = parseExposition(await response.text());
	if (scrape.count === 0) {
		throw new Error("The answer of /metrics holds no metrics");
	}
	return { scrape, time: localNow() + offset };
}

// Turns answers of the history into frames, one per step. A value that is missing after one was there stands still, so
// that a hole in one series is no drop of the sum; a moment at which nothing was sampled is left out.
export function historyFrames(answers) {
	const scrapes = new Map();
	const at = (time) => {
		if (!scrapes.has(time)) {
			scrapes.set(time, { families: new Map(), samples: new Map(), count: 0, skipped: 0 });
		}
		return scrapes.get(time);
	};
	for (const { start, step, series } of answers) {
		const steps = Math.max(0, ...series.map(({ values }) => values.length));
		const sampled = Array.from({ length: steps }, (_, i) => series.some(({ values }) => typeof values[i] === "number"));
		for (const { name, labels, values } of series) {
			const plain = Object.assign(Object.create(null), labels);
			let known = null;
			for (let i = 0; i < steps; i++) {
				known = typeof values[i] === "number" ? values[i] : known;
				if (known !== null && sampled[i]) {
					addSample(at(start + i * step), name, plain, known);
				}
			}
		}
	}
	return [...scrapes].sort(([a], [b]) => a - b).map(([time, scrape]) => frameOf(scrape, time, false));
}

async function fetchHistory(families, range, step) {
	const names = families.map((family) => `name=${encodeURIComponent(family)}`).join("&");
	const response = await request(`metrics/history?${names}&range=${range}&step=${step}`);
	if (response.status === 404) {
		throw new NotOffered("The server keeps no history");
	}
	if (!response.ok) {
		throw new Error(`The server answered ${response.status} to /metrics/history`);
	}
	const answer = await response.json();
	if (!Array.isArray(answer.series) || !(answer.step > 0)) {
		throw new NotOffered("The history has another form than expected");
	}
	return answer;
}

// The last `range` seconds of `families` as frames `step` seconds apart.
export async function loadHistory(families, range, step) {
	const wanted = [...new Set(families)];
	const answers = [];
	for (let from = 0; from < wanted.length; from += NAMES_MAX) {
		answers.push(await fetchHistory(wanted.slice(from, from + NAMES_MAX), range, step));
	}
	return historyFrames(answers);
}
