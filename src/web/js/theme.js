// Dark and light. The choice is kept under the key `dashboard-theme`; without one the system's preference counts, then dark.

import { icon, readStore, writeStore } from "./dom.js";

const KEY = "dashboard-theme";

export function startTheme() {
	const kept = readStore("localStorage", KEY);
	if (kept === "dark" || kept === "light") {
		return kept;
	}
	return window.matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

export function currentTheme() {
	return document.documentElement.dataset.theme;
}

export function applyTheme(theme) {
	document.documentElement.dataset.theme = theme;
}

// The button names the theme that it switches to.
function label(button) {
	const next = currentTheme() === "dark" ? "light" : "dark";
	const text = document.createElement("span");
	text.textContent = next === "light" ? "Light" : "Dark";
	button.replaceChildren(icon(next === "light" ? "sun" : "moon"), text);
	button.setAttribute("aria-label", `Switch to ${next} theme`);
}

export function bindThemeButton(button, onChange) {
	label(button);
	button.addEventListener("click", () => {
		applyTheme(currentTheme() === "dark" ? "light" : "dark");
		writeStore("localStorage", KEY, currentTheme());
		label(button);
		if (onChange) {
			onChange();
		}
	});
}
