// Element making. Text always becomes a text node; nothing in the pages is ever parsed as markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
	for (const [name, value] of Object.entries(attributes || {})) {
		if (value === null || value === undefined || value === false) {
			continue;
		}
		if (typeof value === "function") {
			node.addEventListener(name, value);
		} else {
			node.setAttribute(name, value === true ? "" : String(value));
		}
	}
	for (const child of children.flat(Infinity)) {
		if (child !== null && child !== undefined) {
			node.append(child instanceof Node ? child : document.createTextNode(String(child)));
		}
	}
	return node;
}

// el("p", {class: "sub", click: handler}, "text", node, ...)
export function el(tag, attributes, ...children) {
	return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
	return fill(document.createElementNS(SVG, tag), attributes, children);
}

// A path or name that may break over lines after its slashes.
export function breakable(text) {
	return text.split(/(?<=\/)/).flatMap((part) => [part, el("wbr")]);
}

// Sets the text of a node only if it differs, so that selections and screen readers are left in peace.
export function setText(node, text) {
	if (node.textContent !== text) {
		node.textContent = text;
	}
}

export function setClass(node, name) {
	if (node.getAttribute("class") !== name) {
		node.setAttribute("class", name);
	}
}

export function replace(node, ...children) {
	node.replaceChildren(...children.flat(Infinity).filter((child) => child !== null));
}

// Icons of 16 px drawn with strokes, so that a state has a shape and not only a colour.
const ICONS = {
	ok: ["M3 8.5 6.5 12 13 4.5"],
	warn: ["M8 2.2 14.6 13.6H1.4Z", "M8 6.4v3.4", "M8 11.6v.4"],
	bad: ["M5.2 1.8h5.6l3.4 3.4v5.6l-3.4 3.4H5.2l-3.4-3.4V5.2Z", "M8 4.8v3.8", "M8 10.8v.4"],
	refresh: ["M13.2 6.2A5.5 5.5 0 1 0 13.5 9", "M13.6 2.6v3.8H9.8"],
	sun: ["M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6Z", "M8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8 13 13M3 13l1.2-1.2M11.8 4.2 13 3"],
	moon: ["M13.4 9.6A5.8 5.8 0 0 1 6.4 2.6a5.8 5.8 0 1 0 7 7Z"],
	search: ["M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9Z", "M10.4 10.4 14 14"],
	copy: ["M5.5 5.5h7.7v8H5.5Z", "M3 10.5V2.6h7.4"],
};

export function icon(name) {
	const paths = ICONS[name].map((d) => svg("path", { d }));
	return svg("svg", { class: `icon icon-${name}`, viewBox: "0 0 16 16", "aria-hidden": "true" }, paths);
}

// Storage that may be denied (private windows, files opened from disk).
export function readStore(store, key) {
	try {
		return window[store].getItem(key);
	} catch {
		return null;
	}
}

export function writeStore(store, key, value) {
	try {
		if (value === null) {
			window[store].removeItem(key);
		} else {
			window[store].setItem(key, value);
		}
	} catch {
		// The choice then lasts as long as the page.
	}
}
