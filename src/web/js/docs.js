// The API docs: a searchable list of endpoints from /openapi.json, rendered by the page itself.

import { breakable, el, icon, replace, setText } from "./dom.js";
import { byTag, curlLine, endpoints, matchesQuery, schemaRows, typeName, constraints, resolve } from "./openapi.js";
import { bindThemeButton } from "./theme.js";

const byId = (id) => document.getElementById(id);
const SERVER = location.protocol === "file:" ? "http://localhost:8000" : location.origin;

function table(caption, head, rows) {
	return el(
		"div",
		{ class: "table-box", tabindex: 0, role: "region", "aria-label": caption },
		el("table", null, el("thead", null, el("tr", null, head.map((name) => el("th", { scope: "col" }, name)))), el("tbody", null, rows)),
	);
}

const must = (required) => (required ? el("span", { class: "required" }, "required") : null);

function parameterTable(doc, parameters) {
	const rows = parameters.map((parameter) => {
		const schema = resolve(doc, parameter.schema) || {};
		const notes = [parameter.description, constraints(schema)].filter(Boolean).join(" · ");
		return el(
			"tr",
			null,
			el("td", { class: "mono" }, parameter.name, " ", must(parameter.required)),
			el("td", null, parameter.in),
			el("td", { class: "mono" }, typeName(doc, parameter.schema || {})),
			el("td", { class: "wide-cell" }, notes),
		);
	});
	return table("Parameters", ["Name", "In", "Type", "Meaning"], rows);
}

function indented(name, depth) {
	const node = el("span", { class: "field" }, name);
	node.style.paddingLeft = `${depth * 18}px`;
	return node;
}

function schemaTable(doc, schema) {
	const rows = schemaRows(doc, schema);
	const type = typeName(doc, schema);
	if (rows.length === 0) {
		return el("p", { class: "mono quiet" }, type);
	}
	return [
		el("p", { class: "mono quiet" }, type),
		table(
			"Fields",
			["Field", "Type", "Meaning"],
			rows.map((row) =>
				el(
					"tr",
					null,
					el("td", { class: "mono" }, indented(row.name, row.depth), " ", must(row.required)),
					el("td", { class: "mono" }, row.type),
					el("td", { class: "wide-cell" }, row.notes),
				),
			),
		),
	];
}

function contentBlocks(doc, content) {
	return Object.entries(content || {}).map(([type, { schema }]) =>
		el("div", { class: "content" }, el("p", { class: "mono type" }, type), schema ? schemaTable(doc, schema) : null),
	);
}

async function copyText(text, button) {
	const label = button.querySelector("span");
	try {
		await navigator.clipboard.writeText(text);
		setText(label, "Copied");
	} catch {
		setText(label, "Select and copy");
	}
	setTimeout(() => setText(label, "Copy"), 2000);
}

function tryBlock(doc, endpoint) {
	const line = curlLine(doc, endpoint, SERVER);
	const button = el("button", { type: "button", class: "button", click: () => copyText(line, button) }, icon("copy"), el("span", { "aria-live": "polite" }, "Copy"));
	return el("div", { class: "try" }, el("pre", { tabindex: 0, "aria-label": "curl command" }, el("code", null, line)), button);
}

function responseBlock(doc, { status, description, content }) {
	const tone = status[0] === "2" ? "good" : status[0] === "4" ? "warn" : "bad";
	return el(
		"details",
		{ class: "response" },
		el("summary", null, el("span", { class: `mono text-${tone}` }, status), " ", description || ""),
		contentBlocks(doc, content),
	);
}

function endpointBody(doc, endpoint) {
	return [
		endpoint.description && endpoint.description !== endpoint.summary ? el("p", { class: "description" }, endpoint.description) : null,
		el("p", { class: "quiet" }, endpoint.open ? "No credentials needed." : "Needs an API key as bearer token."),
		el("h4", null, "Try it"),
		tryBlock(doc, endpoint),
		endpoint.parameters.length > 0 ? [el("h4", null, "Parameters"), parameterTable(doc, endpoint.parameters)] : null,
		endpoint.body ? [el("h4", null, "Request body", " ", must(endpoint.body.required)), contentBlocks(doc, endpoint.body.content)] : null,
		el("h4", null, "Responses"),
		endpoint.responses.map((response) => responseBlock(doc, response)),
	].flat(2);
}

// One endpoint; its body is made when it is first opened.
function endpointView(doc, endpoint) {
	const body = el("div", { class: "endpoint-body" });
	const node = el(
		"details",
		{ class: endpoint.deprecated ? "endpoint deprecated" : "endpoint", id: endpoint.id },
		el(
			"summary",
			null,
			el("span", { class: `method text-method-${endpoint.method.toLowerCase()}` }, endpoint.method),
			el("span", { class: "mono path" }, breakable(endpoint.path)),
			el("span", { class: "summary" }, endpoint.summary, endpoint.deprecated ? " (deprecated)" : ""),
		),
		body,
	);
	node.addEventListener("toggle", () => {
		if (node.open && body.childElementCount === 0) {
			replace(body, endpointBody(doc, endpoint));
		}
	});
	return { endpoint, node };
}

function groupId(name) {
	return `tag-${name.replace(/[^a-zA-Z0-9]+/g, "-").toLowerCase()}`;
}

function render(doc) {
	const groups = byTag(doc, endpoints(doc)).map((group) => {
		const views = group.list.map((endpoint) => endpointView(doc, endpoint));
		const id = groupId(group.name);
		const count = el("span", { class: "quiet" }, views.length);
		return {
			views,
			link: el("li", null, el("a", { href: `#${id}` }, group.name, count)),
			count,
			node: el(
				"section",
				{ class: "group", id, "aria-labelledby": `${id}-title` },
				el("h2", { id: `${id}-title` }, group.name),
				group.description ? el("p", { class: "note" }, group.description) : null,
				views.map((view) => view.node),
			),
		};
	});
	const none = el("p", { class: "empty", hidden: true }, "No endpoint matches this search");
	replace(byId("groups"), groups.map((group) => group.link));
	replace(byId("content"), groups.map((group) => group.node), none);
	setText(byId("version"), `v${doc.info ? doc.info.version : "?"}`);
	byId("version").hidden = false;
	return { groups, none };
}

function filter({ groups, none }, query) {
	let shown = 0;
	for (const group of groups) {
		let here = 0;
		for (const { endpoint, node } of group.views) {
			node.hidden = !matchesQuery(endpoint, query);
			here += node.hidden ? 0 : 1;
		}
		group.node.hidden = here === 0;
		group.link.hidden = here === 0;
		setText(group.count, String(here));
		shown += here;
	}
	none.hidden = shown > 0;
	setText(byId("found"), `${shown} ${shown === 1 ? "endpoint" : "endpoints"}`);
}

// Opens the endpoint that the address names.
function openLinked() {
	const node = document.getElementById(decodeURIComponent(location.hash.slice(1)));
	if (node && node.tagName === "DETAILS") {
		node.open = true;
		node.scrollIntoView();
	}
}

async function load() {
	const response = await fetch(new URL("openapi.json", location.protocol === "file:" ? `${SERVER}/` : location.href), { credentials: "omit" });
	if (!response.ok) {
		throw new Error(`The server answered ${response.status} to /openapi.json`);
	}
	return response.json();
}

async function start() {
	bindThemeButton(byId("theme"));
	try {
		const view = render(await load());
		const search = byId("search");
		search.addEventListener("input", () => filter(view, search.value.trim()));
		filter(view, "");
		window.addEventListener("hashchange", openLinked);
		openLinked();
	} catch (failure) {
		setText(byId("error-text"), `The description of the API could not be loaded. ${failure.message}`);
		byId("error").hidden = false;
	}
}

document.addEventListener("keydown", (event) => {
	const typing = /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName);
	if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
		event.preventDefault();
		byId("search").focus();
	}
});
start();
