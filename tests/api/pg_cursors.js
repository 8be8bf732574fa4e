// The first rows of a large result, with pg-cursor and with pg-query-stream; what is left is not asked for.
const [packages, login, sql, rows] = process.argv.slice(2);
const { Client } = require(packages + '/pg');
const Cursor = require(packages + '/pg-cursor');
const QueryStream = require(packages + '/pg-query-stream');

async function main() {
	const c = new Client(JSON.parse(login));
	await c.connect();
	const seen = { cursor: [], stream: [] };
	const cursor = c.query(new Cursor(sql, [], { rowMode: 'array' }));
	while (seen.cursor.length < Number(rows)) seen.cursor.push(...await cursor.read(1000));
	await cursor.close();
	const stream = c.query(new QueryStream(sql, [], { batchSize: 500, rowMode: 'array' }));
	for await (const row of stream) {
		seen.stream.push(row);
		if (seen.stream.length === Number(rows)) break;
	}
	await c.end();
	console.log(JSON.stringify(seen));
}

main().catch((error) => { console.error(error); process.exit(1); });
