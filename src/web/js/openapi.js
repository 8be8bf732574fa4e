// An OpenAPI 3 document as the docs page needs it: a list of endpoints, schemas as flat rows, and a curl line to try.

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];
const DEPTH_MAX = 8;

// Follows `#/components/...` references; null if the target is missing or the references run in a circle.
export function resolve(doc, node) {
	for (let hops = 0; node && node.$ref && hops < DEPTH_MAX; hops++) {
		if (!String(node.$ref).startsWith("#/")) {
			return null;
		}
		node = String(node.$ref).slice(2).split("/").reduce(
			(at, key) => {
				const name = decodeURIComponent(key).replace(/~1/g, "/").replace(/~0/g, "~");
				return at && Object.hasOwn(at, name) ? at[name] : null;
			},
			doc,
		);
	}
	return node && node.$ref ? null : node || null;
}

function refName(node) {
	return node && node.$ref ? String(node.$ref).split("/").pop() : null;
}

function parametersOf(doc, item, operation) {
	const byKey = new Map();
	for (const raw of [...(item.parameters || []), ...(operation.parameters || [])]) {
		const parameter = resolve(doc, raw);
		if (parameter) {
			byKey.set(`${parameter.in} ${parameter.name}`, parameter);
		}
	}
	return [...byKey.values()];
}

// Every operation of the document in its order: [{id, method, path, tag, summary, description, deprecated, parameters, body, responses, open}].
export function endpoints(doc) {
	const list = [];
	for (const [path, rawItem] of Object.entries(doc.paths || {})) {
		const item = resolve(doc, rawItem) || {};
		for (const method of METHODS.filter((name) => item[name])) {
			const operation = item[method];
			const security = operation.security || doc.security || [];
			list.push({
				id: operation.operationId || `${method}-${path.replace(/[^a-zA-Z0-9]+/g, "-").replace(/^-|-$/g, "")}`,
				method: method.toUpperCase(),
				path,
				tag: (operation.tags || [])[0] || "Other",
				summary: operation.summary || "",
				description: operation.description || "",
				deprecated: operation.deprecated === true,
				parameters: parametersOf(doc, item, operation),
				body: resolve(doc, operation.requestBody),
				responses: Object.entries(operation.responses || {}).map(([status, response]) => ({ status, ...resolve(doc, response) })),
				open: security.length === 0 || security.some((scheme) => Object.keys(scheme).length === 0),
			});
		}
	}
	return list;
}

// Groups by tag: tags in the order in which the document declares them, then the rest as they come.
export function byTag(doc, list) {
	const groups = new Map((doc.tags || []).map((tag) => [tag.name, { name: tag.name, description: tag.description || "", list: [] }]));
	for (const endpoint of list) {
		if (!groups.has(endpoint.tag)) {
			groups.set(endpoint.tag, { name: endpoint.tag, description: "", list: [] });
		}
		groups.get(endpoint.tag).list.push(endpoint);
	}
	return [...groups.values()].filter((group) => group.list.length > 0);
}

// True if every word of `query` is somewhere in method, path, summary, tag or a parameter's name.
export function matchesQuery(endpoint, query) {
	const { method, path, tag, summary, description, parameters } = endpoint;
	const text = [method, path, tag, summary, description, ...parameters.map((one) => one.name)].join(" ").toLowerCase();
	return query.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function alternatives(doc, schema) {
	return (schema.oneOf || schema.anyOf || []).map((one) => typeName(doc, one));
}

// The type of a schema in a few words: `string (date-time)`, `array of Bucket`, `integer or null`.
export function typeName(doc, schema) {
	const name = refName(schema);
	const real = resolve(doc, schema);
	if (!real) {
		return name || "any";
	}
	const others = alternatives(doc, real);
	if (others.length > 0) {
		return [...new Set(others)].join(" or ");
	}
	const types = [].concat(real.type || []);
	if (types.includes("array")) {
		return `array of ${typeName(doc, real.items || {})}${types.includes("null") ? " or null" : ""}`;
	}
	if (name && (real.properties || real.allOf)) {
		return name;
	}
	const base = types.join(" or ") || (real.properties || real.allOf ? "object" : "any");
	return real.format ? `${base} (${real.format})` : base;
}

// Rules of a schema in words: range, length, pattern, default.
export function constraints(schema) {
	const parts = [];
	const add = (key, words) => {
		if (schema[key] !== undefined) {
			parts.push(`${words} ${typeof schema[key] === "string" ? schema[key] : JSON.stringify(schema[key])}`);
		}
	};
	add("minimum", "at least");
	add("maximum", "at most");
	add("minLength", "length at least");
	add("maxLength", "length at most");
	add("pattern", "matches");
	add("default", "default");
	add("const", "always");
	if (Array.isArray(schema.enum)) {
		parts.push(`one of ${schema.enum.map(String).join(", ")}`);
	}
	return parts.join("; ");
}

// Properties with those of all parts of an allOf.
function propertiesOf(doc, schema, depth) {
	const required = new Set(schema.required || []);
	const properties = { ...schema.properties };
	for (const part of depth < DEPTH_MAX ? schema.allOf || [] : []) {
		const real = resolve(doc, part);
		if (real) {
			const inner = propertiesOf(doc, real, depth + 1);
			Object.assign(properties, inner.properties);
			inner.required.forEach((name) => required.add(name));
		}
	}
	return { properties, required };
}

// A schema as rows for a table: [{name, depth, type, required, notes}]. Circles and great depth end the descent.
export function schemaRows(doc, schema, depth = 0, seen = []) {
	const name = refName(schema);
	let real = resolve(doc, schema);
	if (!real || depth > DEPTH_MAX || (name && seen.includes(name))) {
		return [];
	}
	const path = name ? [...seen, name] : seen;
	if (real.items && [].concat(real.type || []).includes("array")) {
		return schemaRows(doc, real.items, depth, path);
	}
	const { properties, required } = propertiesOf(doc, real, 0);
	const rows = [];
	for (const [key, value] of Object.entries(properties)) {
		const inner = resolve(doc, value) || {};
		rows.push({
			name: key,
			depth,
			type: typeName(doc, value),
			required: required.has(key),
			notes: [inner.description, constraints(inner)].filter(Boolean).join(" · "),
		});
		rows.push(...schemaRows(doc, value, depth + 1, path));
	}
	return rows;
}

// A value that fits the schema: its example or default, else something short of its type.
export function sample(doc, schema, depth = 0) {
	const real = resolve(doc, schema);
	if (!real || depth > DEPTH_MAX) {
		return null;
	}
	for (const key of ["example", "default", "const"]) {
		if (real[key] !== undefined) {
			return real[key];
		}
	}
	const listed = (real.examples || real.enum || [])[0];
	if (listed !== undefined) {
		return listed;
	}
	const choice = (real.oneOf || real.anyOf || [])[0];
	if (choice) {
		return sample(doc, choice, depth + 1);
	}
	const type = [].concat(real.type || []).find((one) => one !== "null") || (real.properties || real.allOf ? "object" : "string");
	if (type === "object") {
		const { properties, required } = propertiesOf(doc, real, 0);
		const names = Object.keys(properties);
		const shown = names.some((name) => required.has(name)) ? names.filter((name) => required.has(name)) : names;
		return Object.fromEntries(shown.map((name) => [name, sample(doc, properties[name], depth + 1)]));
	}
	if (type === "array") {
		return real.items ? [sample(doc, real.items, depth + 1)] : [];
	}
	return { integer: 1, number: 1.5, boolean: true }[type] ?? "string";
}

function quote(text) {
	return `'${text.replace(/'/g, "'\\''")}'`;
}

function query(doc, parameters) {
	const pairs = parameters
		.filter((parameter) => parameter.in === "query" && parameter.required)
		.map((parameter) => `${encodeURIComponent(parameter.name)}=${encodeURIComponent(String(parameter.example ?? sample(doc, parameter.schema || {})))}`);
	return pairs.length > 0 ? `?${pairs.join("&")}` : "";
}

function bodyParts(doc, body) {
	const content = body ? body.content || {} : {};
	if (content["application/json"]) {
		const { example, schema } = content["application/json"];
		return ["-H 'Content-Type: application/json'", `-d ${quote(JSON.stringify(example ?? sample(doc, schema || {})))}`];
	}
	if (content["multipart/form-data"]) {
		return ["-F 'file=@data.csv'"];
	}
	const type = Object.keys(content)[0];
	return type ? [`-H ${quote(`Content-Type: ${type}`)}`, "--data-binary @file"] : [];
}

// A curl command that calls the endpoint; what the caller must fill in stands in capitals.
export function curlLine(doc, endpoint, origin) {
	const path = endpoint.path.replace(/\{(\w+)\}/g, (_, name) => name.toUpperCase());
	const parts = [`curl -X ${endpoint.method} ${quote(origin + path + query(doc, endpoint.parameters))}`];
	if (!endpoint.open) {
		parts.push('-H "Authorization: Bearer $API_KEY"');
	}
	for (const parameter of endpoint.parameters.filter((one) => one.in === "header" && one.required)) {
		parts.push(`-H ${quote(`${parameter.name}: ${parameter.name.toUpperCase()}`)}`);
	}
	parts.push(...bodyParts(doc, endpoint.body));
	return parts.join(" \\\n  ");
}
