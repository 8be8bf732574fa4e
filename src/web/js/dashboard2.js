// dashboard2.html: key figures always in sight, the rest in tabs.

import { App, mount, rangePicker } from "./app.js";
import { ChartView } from "./charts.js";
import { bindTabs } from "./controls.js";
import { el } from "./dom.js";
import { endpointTable, lockTable, methodBars, runtimePanel, statusDoughnut, storageBreakdown } from "./panels.js";
import { http } from "./readings.js";
import { alertPanel, diskPanel, hotPanel, objectivesPanel, poolPanel, writerPanel } from "./resources.js";
import * as tiles from "./tiles.js";
import { KpiView, SectionView } from "./view.js";

const charts = [new ChartView("requests"), new ChartView("latency"), new ChartView("metadata"), new ChartView("metadataTime"), new ChartView("memory")];
const [requests, latency, metadata, metadataTime, memory] = charts;

const TABS = [
	{
		name: "overview",
		title: "Overview",
		sections: [
			{ id: "traffic", title: "Traffic", wide: true, panels: [requests, latency] },
			{ id: "alerts", title: "Alerts", wide: true, panels: [alertPanel()] },
			{ id: "latency", title: "Request Latency", wide: true, tiles: tiles.latency },
			{ id: "storage", title: "Storage Overview", wide: true, tiles: tiles.storageOverview, panels: [storageBreakdown(), diskPanel()] },
			{ id: "distribution", title: "Request Distribution", wide: true, panels: [statusDoughnut(), methodBars(), objectivesPanel()] },
		],
	},
	{
		name: "data",
		title: "Data",
		sections: [
			{ id: "transfer", title: "Import / Export", wide: true, tiles: tiles.transferTab },
			{ id: "metadata", title: "Metadata Database", wide: true, tiles: tiles.metadata, panels: [writerPanel(), metadata, metadataTime] },
			{ id: "schema", title: "Schema Operations", wide: true, tiles: tiles.schemaTab },
		],
	},
	{
		name: "apis",
		title: "APIs",
		sections: [
			{ id: "http", title: "HTTP REST", tiles: tiles.httpTab },
			{ id: "grpc", title: "gRPC", tiles: tiles.grpc },
			{ id: "pgwire", title: "PG Wire", tiles: tiles.pgwireTab },
			{ id: "s3", title: "S3", tiles: tiles.s3 },
		],
	},
	{
		name: "operations",
		title: "Operations",
		sections: [
			{ id: "concurrency", title: "Concurrency", tiles: tiles.concurrencyTab },
			{ id: "cache", title: "Idempotency Cache", tiles: tiles.cache },
			{ id: "branches", title: "Dev Branches", tiles: tiles.branches },
			{ id: "snapshots", title: "Snapshots", tiles: tiles.snapshots },
			{ id: "lifecycle", title: "Table Lifecycle", tiles: tiles.lifecycle },
			{ id: "files", title: "Files Storage", tiles: tiles.fileTiles },
			{ id: "pools", title: "Workers", panels: [poolPanel()] },
		],
	},
	{
		name: "details",
		title: "Details",
		sections: [
			{ id: "slow", title: "Where Time Goes", wide: true, panels: [hotPanel()] },
			{ id: "requests", title: "Request Details", wide: true, panels: [endpointTable(), lockTable(), runtimePanel(), memory] },
		],
	},
];

const kpis = new KpiView(tiles.kpi);
const pages = TABS.map(({ name, sections }) => {
	const views = sections.map((section) => new SectionView(section));
	const node = el(
		"div",
		{ class: "page", role: "tabpanel", id: `panel-${name}`, "aria-labelledby": `tab-${name}`, tabindex: 0, hidden: true },
		el("div", { class: "sections" }, views.map((view) => view.node)),
	);
	return { name, views, node };
});

// Server errors show on the APIs tab whichever tab is open.
const alertBadge = el("span", { class: "badge", hidden: true, title: "Requests failed with 5xx" }, "!", el("span", { class: "sr-only" }, " server errors"));
const list = el(
	"div",
	{ class: "tabs", role: "tablist", "aria-label": "Parts of the dashboard" },
	TABS.map(({ name, title }) =>
		el(
			"button",
			{ type: "button", role: "tab", id: `tab-${name}`, "data-tab": name, "aria-controls": `panel-${name}` },
			title,
			name === "apis" ? alertBadge : null,
		),
	),
);

let open = pages[0];
const app = new App({
	visible: () => [kpis, ...open.views],
	charts,
	onDraw: ({ window }) => {
		alertBadge.hidden = !(window.gain(http.serverErrors) > 0);
	},
});

mount(kpis.node, el("div", { class: "subbar" }, list, rangePicker()), pages.map((page) => page.node));
bindTabs(list, (name) => {
	open = pages.find((page) => page.name === name);
	app.draw();
});
app.start();
