// What programs on postgres.js do. Arguments: folder of the packages, connection as JSON. Prints one JSON object.
const postgres = require(process.argv[2] + '/postgres');

async function main(login) {
	const sql = postgres({ ...login, max: 2, onnotice: () => {} });
	const told = {};
	await sql`create table t (id serial primary key, i int, n numeric(10, 2), t text, b bytea, ts timestamptz, a int[], tags text[] default '{}', j jsonb)`;
	told.inserted = (await sql`insert into t ${sql({ i: 1, n: '1.5', t: 'h', b: Buffer.from([0, 255]), ts: new Date(0), a: [1, 2], j: { k: [1] } })} returning *`)[0];
	told.inserted.b = told.inserted.b.toString('hex');
	await sql`insert into t ${sql([{ i: 2, t: 'x' }, { i: 3, t: null }], 'i', 't')}`;
	told.unnested = (await sql`insert into t (i, t) select * from unnest(${[10, 11]}::int[], ${['p', null]}::text[]) returning t`).map((r) => r.t);
	told.any = (await sql`select i from t where id = any(${[1, 3]}) order by i`).map((r) => r.i);
	told.set = (await sql`select x * 2 as x from unnest(${[4, 5]}::int[]) as x`).map((r) => r.x);
	told.aborted = await sql.begin(async (s) => {
		await s`insert into t (i) values (7)`;
		await s`select nope`;
	}).catch((e) => e.code);
	told.count = (await sql`select count(*)::int as n from t`)[0].n;
	told.fetched = 0;
	for await (const rows of sql`select i from range(250) r(i)`.cursor(100)) told.fetched += rows.length;
	const into = await sql`copy t (i, t) from stdin`.writable();
	await new Promise((done, failed) => into.on('finish', done).on('error', failed).end('20\tcopied\n'));
	told.copied = '';
	for await (const chunk of await sql`copy (select i, t, tags from t where i = 20) to stdout`.readable()) told.copied += chunk;
	// What it prepared, it prepares again when the columns have changed.
	const columns = async () => (await sql`select * from t limit 1`).columns.length;
	const before = await columns();
	await sql`alter table t add column more int`;
	told.grown = (await columns()) - before;
	const slow = sql`select count(*) from range(100000000000) r(i) where sqrt(i) < 0`;
	setTimeout(() => slow.cancel(), 500);
	told.cancelled = await slow.catch((e) => e.code);
	await sql.end();
	console.log(JSON.stringify(told));
}

main(JSON.parse(process.argv[3]));
