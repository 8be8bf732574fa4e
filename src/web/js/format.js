// Numbers for people. Every formatter answers NONE for null, undefined and NaN.

export const NONE = "--";
const BYTE_UNITS = ["B", "KB", "MB", "GB", "TB", "PB"];

function missing(value) {
	return value === null || value === undefined || Number.isNaN(value);
}

// 1,234,567; fractions (a gauge may have them) keep at most two decimals.
export function count(value) {
	if (missing(value)) {
		return NONE;
	}
	return Number.isFinite(value) ? value.toLocaleString("en-US", { maximumFractionDigits: 2 }) : "∞";
}

// Steps of 1024, one decimal; whole bytes stay whole.
export function bytes(value) {
	if (missing(value)) {
		return NONE;
	}
	if (!Number.isFinite(value)) {
		return "∞";
	}
	let scaled = Math.abs(value);
	let unit = 0;
	while (unit < BYTE_UNITS.length - 1 && (unit === 0 ? scaled >= 1024 : Number(scaled.toFixed(1)) >= 1024)) {
		scaled /= 1024;
		unit++;
	}
	const digits = unit === 0 ? String(Math.round(scaled)) : scaled.toFixed(1);
	return `${value < 0 ? "-" : ""}${digits} ${BYTE_UNITS[unit]}`;
}

// Seconds as µs (no decimals), ms (one) or s (two). The unit is picked after rounding: 999.96 ms is 1.00 s.
export function seconds(value) {
	if (missing(value)) {
		return NONE;
	}
	const micros = Math.round(value * 1e6);
	if (micros < 1000) {
		return `${micros} µs`;
	}
	const millis = (value * 1e3).toFixed(1);
	return Number(millis) < 1000 ? `${millis} ms` : `${value.toFixed(2)} s`;
}

export function percent(ratio, digits = 1) {
	return missing(ratio) ? NONE : `${(ratio * 100).toFixed(digits)}%`;
}

// Events per second, three significant figures from 0.01 to 999.
export function rate(value) {
	if (missing(value)) {
		return `${NONE}/s`;
	}
	if (value === 0) {
		return "0/s";
	}
	if (value < 0.01) {
		return "<0.01/s";
	}
	const digits = value < 1 ? 2 : value < 100 ? 1 : 0;
	return `${Number(value.toFixed(digits)).toLocaleString("en-US")}/s`;
}

export function byteRate(value) {
	return missing(value) ? `${NONE}/s` : `${bytes(value)}/s`;
}

function split(total) {
	const whole = Math.max(0, Math.floor(total));
	return {
		d: Math.floor(whole / 86400),
		h: Math.floor(whole / 3600) % 24,
		m: Math.floor(whole / 60) % 60,
		s: whole % 60,
	};
}

// `Xd Xh Xm`, `Xh Xm Xs`, `Xm Xs` or `Xs`.
export function uptime(total) {
	if (missing(total)) {
		return NONE;
	}
	const { d, h, m, s } = split(total);
	if (d > 0) {
		return `${d}d ${h}h ${m}m`;
	}
	if (h > 0) {
		return `${h}h ${m}m ${s}s`;
	}
	return m > 0 ? `${m}m ${s}s` : `${s}s`;
}

// `Xd Xh`, `Xh Xm` or `Xm`, for the row of key figures.
export function uptimeShort(total) {
	if (missing(total)) {
		return NONE;
	}
	const { d, h, m } = split(total);
	if (d > 0) {
		return `${d}d ${h}h`;
	}
	return h > 0 ? `${h}h ${m}m` : `${m}m`;
}

export function localTime(unix) {
	return missing(unix) ? NONE : new Date(unix * 1000).toLocaleString();
}

// Day and minute, without the year.
export function shortTime(unix) {
	const parts = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" };
	return missing(unix) ? NONE : new Date(unix * 1000).toLocaleString(undefined, parts);
}

export function clock(unix) {
	return missing(unix) ? NONE : new Date(unix * 1000).toLocaleTimeString();
}
