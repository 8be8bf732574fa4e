import assert from "node:assert/strict";
import test from "node:test";

import { byTag, constraints, curlLine, endpoints, matchesQuery, resolve, sample, schemaRows, typeName } from "../../src/web/js/openapi.js";

const DOC = {
	openapi: "3.1.0",
	info: { title: "T", version: "1" },
	security: [{ bearer: [] }],
	tags: [{ name: "Tables", description: "About tables" }, { name: "Empty" }],
	paths: {
		"/health": { get: { tags: ["System"], summary: "Health", security: [], responses: { 200: { description: "Fine" } } } },
		"/projects/{id}/tables": {
			parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
			post: {
				operationId: "createTable",
				tags: ["Tables"],
				summary: "Create a table",
				parameters: [
					{ $ref: "#/components/parameters/Dry" },
					{ name: "id", in: "path", required: true, description: "own", schema: { type: "string" } },
				],
				requestBody: { required: true, content: { "application/json": { schema: { $ref: "#/components/schemas/Table" } } } },
				responses: { 201: { description: "Made", content: { "application/json": { schema: { $ref: "#/components/schemas/Table" } } } }, 404: { $ref: "#/components/responses/Lost" } },
			},
		},
	},
	components: {
		parameters: { Dry: { name: "dry run", in: "query", required: true, schema: { type: "boolean" } } },
		responses: { Lost: { description: "Not here" } },
		schemas: {
			Table: {
				type: "object",
				required: ["name", "columns"],
				properties: {
					name: { type: "string", maxLength: 64, description: "It's a name", example: "it's" },
					columns: { type: "array", items: { $ref: "#/components/schemas/Column" } },
					parent: { $ref: "#/components/schemas/Table" },
					note: { type: ["string", "null"] },
				},
			},
			Column: { allOf: [{ type: "object", required: ["type"], properties: { type: { type: "string", enum: ["A", "B"] } } }, { properties: { size: { type: "integer", minimum: 1, default: 5 } } }] },
			Loop: { $ref: "#/components/schemas/Loop" },
			"a/b": { type: "integer" },
		},
	},
};

const [health, create] = endpoints(DOC);

test("endpoints carry what the document says, parameters of the operation over those of the path", () => {
	assert.deepEqual([health.method, health.path, health.open, health.id], ["GET", "/health", true, "get-health"]);
	assert.deepEqual([create.id, create.tag, create.open], ["createTable", "Tables", false]);
	assert.deepEqual(create.parameters.map((one) => [one.name, one.description]), [["id", "own"], ["dry run", undefined]]);
	assert.equal(create.responses[1].description, "Not here");
});

test("groups come in the order of the document's tags, empty ones are left out", () => {
	assert.deepEqual(byTag(DOC, endpoints(DOC)).map((group) => [group.name, group.description, group.list.length]), [["Tables", "About tables", 1], ["System", "", 1]]);
});

test("every word of a search must match", () => {
	assert.ok(matchesQuery(create, "TABLE post"));
	assert.ok(matchesQuery(create, "dry"));
	assert.ok(matchesQuery(create, ""));
	assert.ok(!matchesQuery(create, "table get"));
});

test("references: circles and strangers end in nothing", () => {
	assert.equal(resolve(DOC, { $ref: "#/components/schemas/Loop" }), null);
	assert.equal(resolve(DOC, { $ref: "#/components/schemas/Missing" }), null);
	assert.equal(resolve(DOC, { $ref: "other.json#/x" }), null);
	assert.equal(resolve(DOC, { $ref: "#/constructor" }), null);
	assert.equal(resolve(DOC, { $ref: "#/components/schemas/a~1b" }).type, "integer");
	assert.equal(resolve(DOC, undefined), null);
});

test("schemas become rows; allOf is merged, recursion ends", () => {
	const rows = schemaRows(DOC, { $ref: "#/components/schemas/Table" });
	assert.deepEqual(rows.map((row) => [row.depth, row.name, row.type, row.required]), [
		[0, "name", "string", true],
		[0, "columns", "array of Column", true],
		[1, "type", "string", true],
		[1, "size", "integer", false],
		[0, "parent", "Table", false],
		[0, "note", "string or null", false],
	]);
	assert.equal(rows[0].notes, "It's a name · length at most 64");
	assert.equal(rows[3].notes, "at least 1; default 5");
	assert.equal(constraints({ enum: ["A", 1] }), "one of A, 1");
	assert.equal(typeName(DOC, { anyOf: [{ type: "string" }, { type: "null" }] }), "string or null");
	assert.equal(typeName(DOC, { type: "string", format: "date-time" }), "string (date-time)");
});

test("samples hold the required fields only", () => {
	assert.deepEqual(sample(DOC, { $ref: "#/components/schemas/Table" }), { name: "it's", columns: [{ type: "A" }] });
	assert.equal(sample(DOC, { $ref: "#/components/schemas/Loop" }), null);
});

test("curl lines quote for a shell and leave gaps in capitals", () => {
	assert.equal(curlLine(DOC, health, "http://h:1"), "curl -X GET 'http://h:1/health'");
	assert.equal(
		curlLine(DOC, create, "http://h:1"),
		`curl -X POST 'http://h:1/projects/ID/tables?dry%20run=true' \\\n  -H "Authorization: Bearer $API_KEY" \\\n  -H 'Content-Type: application/json' \\\n  -d '{"name":"it'\\''s","columns":[{"type":"A"}]}'`,
	);
});
