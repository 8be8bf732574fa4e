// What programs on node-postgres do. Arguments: folder of the packages, connection as JSON. Prints one JSON object.
const packages = process.argv[2];
const { Client, Pool } = require(packages + '/pg');
const Cursor = require(packages + '/pg-cursor');
const QueryStream = require(packages + '/pg-query-stream');
const login = JSON.parse(process.argv[3]);

async function main() {
	const seen = {};
	const c = new Client(login);
	await c.connect();
	seen.parameters = (await c.query('SELECT 1 AS a, $1::text AS b, $2 AS c', ['x', null])).rows;
	const named = id => c.query({ text: 'SELECT id, total FROM in_c.orders WHERE id = $1', values: [id], name: 'by_id' });
	seen.named = [(await named('1')).rows, (await named(2)).rows];
	const many = await c.query('CREATE TABLE n (i int, j json, d timestamptz, a text[], b bytea);' +
		"INSERT INTO n VALUES (1, '{\"a\":1}', '2024-01-01 00:00:00+00', ['x'], NULL); SELECT i, j, d, a FROM n");
	seen.many = many.map(r => [r.command, r.rowCount]);
	seen.row = many[2].rows;
	seen.types = many[2].fields.map(f => f.dataTypeID);
	seen.returning = (await c.query('INSERT INTO n(i, j, a, b) VALUES ($1, $2, $3, $4) RETURNING i, j, a, b',
		[5, { b: 2 }, ['p', 'q"r'], Buffer.from([0, 255])])).rows;
	seen.any = (await c.query('SELECT count(*) AS count FROM n WHERE i = ANY($1)', [[1, 5, 9]])).rows[0].count;
	const cursor = c.query(new Cursor('SELECT i FROM range(10) t(i)'));
	seen.cursor = [];
	for (const n of [3, 3, 10, 10])
		seen.cursor.push((await cursor.read(n)).length);
	await cursor.close();
	seen.stream = 0;
	for await (const row of c.query(new QueryStream('SELECT i FROM range(5000) t(i) WHERE i >= $1', [10], { batchSize: 100 })))
		seen.stream += Number(row.i) >= 10;
	const left = c.query(new Cursor('SELECT i FROM range(100000) t(i)'));
	await left.read(5);
	await left.close();
	seen.after = (await c.query('SELECT 7 AS x')).rows[0].x;
	await c.query('SELECT nope').catch(e => { seen.error = [e.code, e.position]; });
	await c.query('BEGIN');
	await c.query('DELETE FROM n');
	await c.query('ROLLBACK');
	seen.kept = (await c.query('SELECT count(*)::int AS n FROM n')).rows[0].n;
	await c.end();
	const pool = new Pool({ ...login, max: 3 });
	const rows = await Promise.all([1, 2, 3, 4, 5, 6].map(i => pool.query('SELECT $1::int AS i', [i])));
	seen.pool = rows.map(r => r.rows[0].i);
	await pool.end();
	console.log(JSON.stringify(seen));
}

main().catch(e => { console.error(e); process.exit(1); });
