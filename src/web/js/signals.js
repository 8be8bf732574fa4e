// Signals: the named readings that the pages keep over time. A signal is declared once, where a tile or chart is defined,
// with a selector `family`, `family|label=value`, `family|label!=value` or `family|label=5xx` (a class of three digits).
// Declaring it twice gives the same object, so tiles share what they read.

const declared = new Map();
const CLASS = /^([1-5])xx$/;

function matcher(condition) {
	const part = /^([a-z_]+)(!?=)(.*)$/.exec(condition);
	if (!part) {
		throw new Error(`bad selector condition: ${condition}`);
	}
	const [, label, operator, wanted] = part;
	const digit = CLASS.exec(wanted);
	const equal = digit
		? (labels) => /^\d{3}$/.test(labels[label] || "") && labels[label][0] === digit[1]
		: (labels) => labels[label] === wanted;
	return { label, test: operator === "=" ? equal : (labels) => !equal(labels) };
}

function declare(kind, selector) {
	const key = `${kind}:${selector}`;
	let signal = declared.get(key);
	if (!signal) {
		const [family, ...conditions] = selector.split("|");
		const matchers = conditions.map(matcher);
		const matches = matchers.length > 0 ? (labels) => matchers.every(({ test }) => test(labels)) : null;
		signal = { kind, key, family, matches, labels: matchers.map(({ label }) => label) };
		declared.set(key, signal);
	}
	return signal;
}

export const counter = (selector) => declare("counter", selector);
export const gauge = (selector) => declare("gauge", selector);
export const histogramOf = (selector) => declare("histogram", selector);
export const declaredSignals = () => [...declared.values()];
