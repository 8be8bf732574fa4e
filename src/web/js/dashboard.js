// dashboard.html: everything on one page.

import { App, mount, rangePicker } from "./app.js";
import { ChartView } from "./charts.js";
import { el } from "./dom.js";
import { endpointTable, latencyPanel, lockTable, methodBars, runtimePanel, statusDoughnut, storageBreakdown } from "./panels.js";
import { alertPanel, diskPanel, hotPanel, objectivesPanel, poolPanel, writerPanel } from "./resources.js";
import * as tiles from "./tiles.js";
import { SectionView } from "./view.js";

const charts = [new ChartView("requests"), new ChartView("latency"), new ChartView("metadata"), new ChartView("memory")];
const [requests, latency, metadata, memory] = charts;

const sections = [
	{ id: "health", title: "Service Health", wide: true, tiles: tiles.health, panels: [alertPanel(), requests, latency] },
	{ id: "storage", title: "Storage", wide: true, tiles: tiles.storage, panels: [storageBreakdown(), latencyPanel(), diskPanel()] },
	{ id: "metadata", title: "Metadata Database", wide: true, tiles: tiles.metadata, panels: [writerPanel(), metadata] },
	{ id: "transfer", title: "Import / Export", tiles: tiles.transfer, columns: 2 },
	{ id: "files", title: "Files & S3 Storage", tiles: [...tiles.fileTiles, ...tiles.s3] },
	{ id: "snapshots", title: "Snapshots", tiles: tiles.snapshots },
	{ id: "lifecycle", title: "Table Lifecycle", tiles: tiles.lifecycle },
	{ id: "concurrency", title: "Concurrency & Caching", wide: true, tiles: tiles.concurrency },
	{ id: "branches", title: "Dev Branches", tiles: tiles.branches },
	{ id: "pgwire", title: "Workspaces & PG Wire", tiles: tiles.pgwire },
	{ id: "grpc", title: "gRPC Driver Interface", tiles: tiles.grpc },
	{ id: "schema", title: "Schema Operations & Bucket Sharing", wide: true, tiles: tiles.schema },
	{ id: "distribution", title: "Request Distribution", wide: true, panels: [statusDoughnut(), methodBars(), objectivesPanel()] },
	{ id: "slow", title: "Where Time Goes", wide: true, panels: [hotPanel(), poolPanel()] },
	{ id: "details", title: "Request Details", wide: true, panels: [endpointTable(), lockTable(), runtimePanel(), memory] },
];

const views = sections.map((section) => new SectionView(section));
const jump = el(
	"nav",
	{ class: "jump", "aria-label": "Sections" },
	sections.map(({ id, title }) => el("a", { href: `#${id}` }, title)),
);

mount(el("div", { class: "subbar" }, jump, rangePicker()), el("div", { class: "sections" }, views.map((view) => view.node)));
new App({ visible: () => views, charts }).start();
