// Tiles and sections on the page. Built once; an update only changes texts, classes and sparklines.

import { el, icon, replace, setClass, setText } from "./dom.js";
import { NONE } from "./format.js";
import { Sparkline } from "./spark.js";

const TONE_WORDS = { ok: "Good", warn: "Warning", bad: "Problem" };

// Long figures are set smaller rather than broken over two lines.
function sizeClass(value) {
	return value.length > 15 ? "tile-longer" : value.length > 9 ? "tile-long" : "";
}

class TileView {
	constructor(tile) {
		this.tile = tile;
		this.tone = undefined;
		this.chip = tile.windowed ? el("span", { class: "chip" }) : null;
		this.mark = el("span", { class: "tile-mark" });
		this.value = el("span", { class: "tile-number" }, NONE);
		this.line = el("div", { class: "tile-value" }, this.mark, this.value);
		this.sub = el("span", { class: "tile-sub" });
		this.latest = tile.spark && tile.spark.format ? el("span", { class: "tile-latest" }) : null;
		this.spark = tile.spark ? new Sparkline(tile.spark) : null;
		this.node = el(
			"div",
			{ class: "tile", "data-tile": tile.id, role: "group", "aria-label": tile.title },
			el("div", { class: "tile-title" }, el("span", null, tile.title), this.chip),
			this.line,
			el("div", { class: "tile-foot" }, this.sub, this.latest),
			this.spark ? this.spark.node : null,
		);
	}

	setTone(tone) {
		if (tone === this.tone) {
			return;
		}
		this.tone = tone;
		setClass(this.node, tone ? `tile tone-${tone}` : "tile");
		replace(this.mark, ...(tone ? [icon(tone), el("span", { class: "sr-only" }, `${TONE_WORDS[tone]}: `)] : []));
	}

	update(state) {
		const { value, sub, tone } = this.tile.read(state.window, state.scrape);
		setText(this.value, value);
		setClass(this.line, `tile-value ${this.tile.wordy ? "tile-words" : sizeClass(value)}`);
		setText(this.sub, sub || "");
		this.setTone(tone || null);
		if (this.chip) {
			setText(this.chip, state.windowName);
			this.chip.title = state.windowTitle;
		}
		if (this.spark) {
			this.updateSpark(state);
		}
	}

	updateSpark(state) {
		const { values } = this.spark.update(state.sparkFrames);
		const latest = values.length > 0 ? values[values.length - 1] : null;
		if (this.latest && this.tile.spark.kind === "rate") {
			setText(this.latest, latest === null ? "" : this.tile.spark.format(latest));
		}
		const known = values.filter((value) => value !== null);
		const format = this.tile.spark.format;
		this.node.title = known.length > 1 && format ? `Peak ${format(Math.max(...known))} in the window shown` : "";
	}
}

function headingId(id) {
	return `section-${id}`;
}

// A section: title, tiles, panels. `panels` are objects {node, update(state)}.
export class SectionView {
	constructor({ id, title, note, tiles = [], panels = [], wide = false, columns = tiles.length }) {
		this.tiles = tiles.map((tile) => new TileView(tile));
		this.panels = panels;
		this.node = el(
			"section",
			{ class: wide ? "section wide" : "section", id, "aria-labelledby": headingId(id) },
			el("h2", { id: headingId(id) }, title),
			note ? el("p", { class: "note" }, note) : null,
			tiles.length > 0 ? el("div", { class: `tiles tiles-${columns}` }, this.tiles.map((tile) => tile.node)) : null,
			panels.length > 0 ? el("div", { class: "panels" }, panels.map((panel) => panel.node)) : null,
		);
	}

	update(state) {
		for (const tile of this.tiles) {
			tile.update(state);
		}
		for (const panel of this.panels) {
			panel.update(state);
		}
	}
}

// The row of key figures.
export class KpiView {
	constructor(tiles) {
		this.tiles = tiles.map((tile) => new TileView(tile));
		this.node = el(
			"section",
			{ class: "kpis", "aria-label": "Key figures" },
			el("div", { class: "tiles tiles-kpi" }, this.tiles.map((tile) => tile.node)),
		);
	}

	update(state) {
		for (const tile of this.tiles) {
			tile.update(state);
		}
	}
}
