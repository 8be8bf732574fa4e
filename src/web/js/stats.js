// The statistics of the dashboards: S (sum), V (single gauge), A (average of a histogram) and P (quantile of a histogram).
//
// A histogram here is {bounds, counts, sum, count}: finite upper bounds ascending, cumulative counts per bound, `total` the
// count of the +Inf bucket. Every function answers null for "no data", never NaN.

// Sum over all series of `name` that `matches` accepts. A family without a matching series sums to 0.
export function sum(scrape, name, matches) {
	let total = 0;
	for (const sample of scrape.samples.get(name) || []) {
		if (!matches || matches(sample.labels)) {
			total += sample.value;
		}
	}
	return total;
}

// The value of the single series of a gauge.
export function value(scrape, name) {
	const list = scrape.samples.get(name);
	return list && list.length > 0 ? list[0].value : null;
}

// Groups the series of `name` by `keyOf(labels)` and sums each group. Keys keep their order of appearance.
export function sumBy(scrape, name, keyOf) {
	const groups = new Map();
	for (const sample of scrape.samples.get(name) || []) {
		const key = keyOf(sample.labels);
		groups.set(key, (groups.get(key) || 0) + sample.value);
	}
	return groups;
}

function boundOf(labels) {
	return labels.le === "+Inf" ? Infinity : Number(labels.le);
}

// The +Inf bucket and `_count` are the same number; the history leaves the latter out.
export function histogramFrom(perBound, sumValue, countValue) {
	const bounds = [...perBound.keys()].filter(Number.isFinite).sort((a, b) => a - b);
	const total = perBound.has(Infinity) ? perBound.get(Infinity) : countValue;
	return { bounds, counts: bounds.map((bound) => perBound.get(bound)), total, sum: sumValue, count: total };
}

// Adds up, bucket by bucket, all series of the histogram `name` that `matches` accepts.
export function histogram(scrape, name, matches) {
	const perBound = new Map();
	for (const sample of scrape.samples.get(name + "_bucket") || []) {
		if (matches && !matches(sample.labels)) {
			continue;
		}
		const bound = boundOf(sample.labels);
		if (!Number.isNaN(bound)) {
			perBound.set(bound, (perBound.get(bound) || 0) + sample.value);
		}
	}
	return histogramFrom(perBound, sum(scrape, name + "_sum", matches), sum(scrape, name + "_count", matches));
}

// The q-quantile as `histogram_quantile(q, sum by (le) (x_bucket))` has it: linear inside the bucket that holds it, the
// last finite bound for whatever lies above.
export function quantile(q, hist) {
	if (!hist || !(hist.total > 0) || hist.bounds.length === 0) {
		return null;
	}
	const target = q * hist.total;
	let lower = 0;
	let below = 0;
	for (let i = 0; i < hist.bounds.length; i++) {
		const reached = Math.max(hist.counts[i], below);
		if (reached >= target) {
			const inside = reached - below;
			return inside > 0 ? lower + ((hist.bounds[i] - lower) * (target - below)) / inside : lower;
		}
		lower = hist.bounds[i];
		below = reached;
	}
	return lower;
}

export function average(hist) {
	return hist && hist.count > 0 ? hist.sum / hist.count : null;
}

export function ratio(part, whole) {
	return part === null || whole === null || !(whole > 0) ? null : part / whole;
}

// What a counter gained between two readings; a drop means the process restarted and counted from zero.
export function counterDelta(before, after, restarted) {
	return restarted || after < before ? after : after - before;
}

export function emptyHistogram(bounds) {
	return { bounds, counts: bounds.map(() => 0), total: 0, sum: 0, count: 0 };
}

function sameBounds(a, b) {
	return a.length === b.length && a.every((bound, i) => bound === b[i]);
}

// What a histogram gained between two readings. `before` may be null: then all of `after` is gain.
export function histogramDelta(before, after, restarted) {
	const fresh = !before || restarted || after.total < before.total || !sameBounds(before.bounds, after.bounds);
	const base = fresh ? emptyHistogram(after.bounds) : before;
	return {
		bounds: after.bounds,
		counts: after.counts.map((count, i) => count - base.counts[i]),
		total: after.total - base.total,
		sum: after.sum - base.sum,
		count: after.count - base.count,
	};
}

export function addHistogram(into, gain) {
	if (!into || !sameBounds(into.bounds, gain.bounds)) {
		return gain;
	}
	return {
		bounds: into.bounds,
		counts: into.counts.map((count, i) => count + gain.counts[i]),
		total: into.total + gain.total,
		sum: into.sum + gain.sum,
		count: into.count + gain.count,
	};
}

// Folders on one disk report the same size and, but for what is being written, the same free space.
const SAME_DISK = 0.005;

// The disks of a scrape, each once: {path, free, size}; `path` names all its folders, `size` is null when it is not told.
export function disksOf(scrape) {
	const pathOf = (labels) => labels.path || "";
	const sizes = sumBy(scrape, "duckdb_disk_size_bytes", pathOf);
	const disks = [];
	for (const [path, free] of sumBy(scrape, "duckdb_disk_free_bytes", pathOf)) {
		const size = sizes.get(path) ?? null;
		const same = disks.find((disk) => size !== null && disk.size === size && Math.abs(disk.free - free) <= SAME_DISK * size);
		if (same) {
			same.path += `, ${path}`;
		} else {
			disks.push({ path, free, size });
		}
	}
	return disks;
}
