// Where the pages get their data: `metrics` of the page's own server, or of http://localhost:8000 when opened from disk;
// and `metrics/history` where the server keeps one.

import { addSample, parseExposition } from "./exposition.js";
import { readStore, writeStore } from "./dom.js";
import { frameOf } from "./timeline.js";

const FROM_DISK = "http://localhost:8000/";
const TOKEN_KEY = "dashboard-metrics-token";
const TIMEOUT_MS = 15000;
const CLOCK_SKEW_MIN_SECONDS = 3;
const PARALLEL = 4;

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

// Turns answers of the history into frames, one per step. `answers` is [{family, answer}]; a value that is missing after one
// was there stands still, so that a hole in one series is no drop of the sum.
export function historyFrames(answers) {
	const scrapes = new Map();
	for (const { family, answer } of answers) {
		const steps = Math.max(0, ...answer.series.map((one) => one.values.length));
		for (let i = 0; i < steps; i++) {
			const time = answer.start + i * answer.step;
			if (!answer.series.some((one) => typeof one.values[i] === "number")) {
				continue;
			}
			if (!scrapes.has(time)) {
				scrapes.set(time, { families: new Map(), samples: new Map(), count: 0, skipped: 0 });
			}
			scrapes.get(time).families.set(family, { name: family, type: "untyped", help: "" });
		}
		for (const { name, labels, values } of answer.series) {
			let known = null;
			for (let i = 0; i < steps; i++) {
				known = typeof values[i] === "number" ? values[i] : known;
				const scrape = scrapes.get(answer.start + i * answer.step);
				if (known !== null && scrape) {
					addSample(scrape, name, Object.assign(Object.create(null), labels), known);
				}
			}
		}
	}
	return [...scrapes].sort(([a], [b]) => a - b).map(([time, scrape]) => frameOf(scrape, time, false));
}

async function fetchHistory(family, range, step) {
	const query = new URLSearchParams({ name: family, range: String(range), step: String(step) });
	const response = await request(`metrics/history?${query}`);
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
	return { family, answer };
}

// The history of `families`, the first asked alone: if it is not offered, nothing more is asked.
export async function loadHistory(families, range, step) {
	const [first, ...rest] = [...new Set(families)];
	const answers = [await fetchHistory(first, range, step)];
	const worker = async () => {
		for (let family = rest.shift(); family; family = rest.shift()) {
			const answer = await fetchHistory(family, range, step).catch(() => null);
			if (answer) {
				answers.push(answer);
			}
		}
	};
	await Promise.all(Array.from({ length: PARALLEL }, worker));
	return historyFrames(answers);
}
