-- What is asked of the server and of PostgreSQL 15, a section for each session. `\n` is a line's end; a section named "binary" asks for
-- results in binary as well. Behind a statement `--! parts: reason` tells what differs and why (test_pgwire_differential.py).

-- [transactions]
BEGIN
BEGIN
COMMIT
COMMIT
ROLLBACK
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY
SHOW transaction_isolation
SHOW transaction_read_only
CREATE TABLE t (i int)
SELECT 1
COMMIT
BEGIN WORK
END WORK
START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE, NOT DEFERRABLE
SHOW TRANSACTION ISOLATION LEVEL
ABORT TRANSACTION
BEGIN TRANSACTION READ ONLY
END
ABORT
END
BEGIN
COMMIT AND CHAIN
SELECT 1
ROLLBACK AND CHAIN
ROLLBACK AND NO CHAIN
COMMIT AND CHAIN
ROLLBACK AND CHAIN
BEGIN ISOLATION LEVEL NOPE
BEGIN; SELECT 1; COMMIT
BEGIN; SELECT 1
SELECT 2; COMMIT; SELECT 3
SELECT 1; BEGIN; SELECT 2
ROLLBACK
SELECT 1; ROLLBACK; SELECT 2
SELECT 1; COMMIT; SELECT 2
BEGIN; SELECT 'x'::int; SELECT 2
SELECT 1
COMMIT
SET TRANSACTION READ ONLY
BEGIN
SET TRANSACTION READ ONLY
CREATE TABLE t (i int)
ROLLBACK
BEGIN
SELECT 1
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE
ROLLBACK
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY
SHOW default_transaction_read_only
BEGIN
SHOW transaction_read_only
COMMIT
SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE, ISOLATION LEVEL SERIALIZABLE
SHOW default_transaction_isolation
RESET default_transaction_isolation
RESET default_transaction_read_only
PREPARE TRANSACTION 'x'
--! outcome: missing
COMMIT PREPARED 'x'
--! message sqlstate: missing
ROLLBACK PREPARED 'x'
--! message sqlstate: missing

-- [savepoints]
SAVEPOINT a
RELEASE a
ROLLBACK TO a
BEGIN
SAVEPOINT a
SELECT 1
RELEASE a
RELEASE a
SELECT 1
ROLLBACK
BEGIN
SAVEPOINT a
SAVEPOINT b
SAVEPOINT a
RELEASE SAVEPOINT a
RELEASE SAVEPOINT b
ROLLBACK TO b
ROLLBACK TO SAVEPOINT a
COMMIT
BEGIN
SAVEPOINT a
SELECT 'x'::int
SELECT 1
SAVEPOINT b
RELEASE a
ROLLBACK TO nope
ROLLBACK TO a
SELECT 1
SELECT no_such
ROLLBACK TRANSACTION TO SAVEPOINT a
RELEASE a
COMMIT
BEGIN
SAVEPOINT "A"
SAVEPOINT a
ROLLBACK WORK TO "A"
ROLLBACK TO a
ROLLBACK
BEGIN
SELECT nope
COMMIT
BEGIN
SELECT nope
BEGIN
SHOW server_version_num
SET DateStyle = 'ISO'
DEALLOCATE ALL
EXECUTE x
END
BEGIN; SELECT 1; SAVEPOINT s; SELECT 'x'::int; ROLLBACK TO s
ROLLBACK
BEGIN; SAVEPOINT s
SELECT 'x'::int
ROLLBACK TO s; SELECT 1; RELEASE s; COMMIT
SAVEPOINT a; SELECT 1
SELECT 1; SAVEPOINT a
BEGIN
SELECT 'x'::int
;
ROLLBACK

-- [settings]
SHOW search_path
--! values: identity
SET search_path TO main
SHOW search_path
SET search_path = main, pg_catalog
SHOW search_path
SET search_path = 'main', "Odd Name"
SHOW search_path
SET search_path TO DEFAULT
RESET search_path
SELECT set_config('search_path', '', false)
SELECT set_config('application_name', 'me', false)
SELECT current_setting('application_name')
SELECT current_setting('nope')
SELECT current_setting('nope', true)
SELECT current_setting('nope.x', true)
SELECT current_setting('nope.x')
SET nope.x = 'a b'
SHOW nope.x
SELECT current_setting('nope.x')
RESET nope.x
SHOW nope.x
SET nope = 1
SHOW nope
RESET nope
SET application_name = 'x y'
SET application_name TO plain
SET application_name = 12
SET application_name TO DEFAULT
BEGIN
SET application_name = 'inside'
ROLLBACK
SHOW application_name
BEGIN
SET LOCAL application_name = 'inside'
SHOW application_name
COMMIT
SHOW application_name
SET LOCAL application_name = 'x'
BEGIN
SET application_name = 'a'
SAVEPOINT s
SET application_name = 'b'
ROLLBACK TO s
SHOW application_name
SAVEPOINT s2
SET application_name = 'c'
RELEASE s2
SHOW application_name
SET LOCAL application_name = 'd'
SHOW application_name
COMMIT
SHOW application_name
BEGIN
SELECT set_config('application_name', 'loc', true)
SHOW application_name
COMMIT
SHOW application_name
SET TIME ZONE 'Europe/Prague'
SHOW timezone
SHOW TIME ZONE
SELECT timestamptz '2024-07-01 12:00:00+00'
SET TIME ZONE LOCAL
SET TIME ZONE DEFAULT
SET TIME ZONE 3
SHOW timezone
SELECT timestamptz '2024-07-01 12:00:00+00'
SET TIME ZONE -3.5
SHOW timezone
SELECT timestamptz '2024-07-01 12:00:00+00'
SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE
SHOW timezone
SET TIME ZONE 'PST8PDT'
SHOW timezone
SET TIME ZONE 'GMT-03'
SHOW timezone
SELECT timestamptz '2024-07-01 12:00:00+00'
SET TIME ZONE 'utc'
SHOW timezone
SET TIME ZONE 'Nowhere/Land'
SET timezone TO 'europe/berlin'
SHOW timezone
RESET timezone
SET DateStyle = 'German'
--! outcome: missing
SHOW DateStyle
--! values: missing
SET datestyle = 'ISO, DMY'
SHOW datestyle
SELECT date '2024-02-03', timestamp '2024-02-03 04:05:06'
SELECT '03/02/2024'::date
--! outcome: missing
SET datestyle = 'DMY'
SHOW datestyle
SET datestyle TO iso, ymd
SHOW datestyle
SET datestyle = 'nope'
RESET datestyle
SET IntervalStyle = 'iso_8601'
SELECT interval '1 year 2 months -3 days 04:05:06.5'
SET IntervalStyle = 'sql_standard'
SELECT interval '1 year 2 months'
SELECT interval '1 year 2 months -3 days 04:05:06.5'
SET IntervalStyle = 'postgres_verbose'
SELECT interval '1 year 2 months -3 days 04:05:06.5'
SELECT interval '0'
SET IntervalStyle = 'nope'
RESET IntervalStyle
SET bytea_output = 'escape'
SELECT '\x00ff5c41'::bytea
RESET bytea_output
SELECT '\x00ff5c41'::bytea
SET extra_float_digits = 0
SELECT 0.1::float8 + 0.2::float8, (1.0/3)::float8, 0.1::float4
SET extra_float_digits = -5
SELECT 0.1::float8 + 0.2::float8, 1::float8/3
SET extra_float_digits = 3
SELECT 0.1::float8 + 0.2::float8
SET extra_float_digits = 4
RESET extra_float_digits
SET client_encoding = 'UTF8'
SET client_encoding = 'utf-8'
SHOW client_encoding
SET NAMES 'UTF8'
SET client_encoding = 'nope'
SET client_min_messages = error
BEGIN; BEGIN; COMMIT
RESET client_min_messages
SET standard_conforming_strings = on
SHOW standard_conforming_strings
SET statement_timeout = '2s'
SHOW statement_timeout
SET statement_timeout = 1500
SHOW statement_timeout
SET statement_timeout = '1min'
SHOW statement_timeout
SET statement_timeout = 'x'
SET statement_timeout = -1
SET statement_timeout TO 0
SHOW statement_timeout
SET work_mem = '64MB'
SHOW work_mem
SET work_mem = '1 XB'
SET work_mem TO DEFAULT
SHOW work_mem
SHOW server_version_num
--! values: identity
SET server_version_num = 1
SHOW max_identifier_length
SHOW block_size
SHOW max_index_keys
SHOW server_encoding
SHOW integer_datetimes
SHOW is_superuser
SHOW session_authorization
SHOW lc_collate
SHOW transaction_deferrable
SET transaction_deferrable = on
SHOW default_transaction_deferrable
SET jit = off
SHOW jit
SET jit = 'maybe'
SET enable_seqscan = off
SET enable_seqscan TO true
SHOW enable_seqscan
SET geqo_seed = 2
SHOW random_page_cost
SET random_page_cost = 1.1
SHOW random_page_cost
SET ROLE NONE
SET ROLE 'nobody'
--! message sqlstate: wording
RESET ROLE
SET SESSION AUTHORIZATION DEFAULT
RESET SESSION AUTHORIZATION
RESET ALL
SET search_path = a b
SET
SHOW
SET x TO
SET LOCAL
SET SESSION application_name = 'q'
RESET ALL
SHOW application_name
SELECT name, setting, unit, vartype, context FROM pg_settings WHERE name IN ('statement_timeout', 'TimeZone', 'work_mem') ORDER BY name
SELECT current_setting('TIMEZONE'), current_setting('Work_Mem')
SET max_connections = 5
SET shared_buffers = 5
SET port = 1
RESET max_connections
SET search_path = ''
SHOW search_path
RESET search_path
SET TIME ZONE UTC
SET seed = 0.5
--! outcome: missing
SET XML OPTION DOCUMENT
SET CONSTRAINTS ALL DEFERRED
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED

-- [discard]
PREPARE p AS SELECT 1
CREATE TEMP TABLE dtmp (i int)
SET application_name = 'd'
DISCARD PLANS
DISCARD SEQUENCES
DISCARD TEMP
DISCARD TEMPORARY
SELECT * FROM dtmp
EXECUTE p
BEGIN
DISCARD ALL
ROLLBACK
BEGIN
DISCARD PLANS
ROLLBACK
DISCARD ALL
EXECUTE p
SHOW application_name
DISCARD NOPE
DISCARD
DISCARD ALL; SELECT 1
--! outcome: lenient
SELECT 1; DISCARD ALL
--! outcome: lenient
SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;
--! types values: types
LISTEN x
NOTIFY x
UNLISTEN x
UNLISTEN *
NOTIFY x, 'payload'

-- [prepared]
PREPARE a AS SELECT 1
PREPARE a AS SELECT 2
EXECUTE a
EXECUTE a()
--! outcome: lenient
EXECUTE a(1)
--! outcome: lenient
EXECUTE b
DEALLOCATE b
DEALLOCATE a
EXECUTE a
PREPARE a (int, text) AS SELECT $1 + 1, $2 || 'x'
EXECUTE a(1, 'y')
EXECUTE a(1)
EXECUTE a(1, 2, 3)
EXECUTE a('5', 'y')
EXECUTE a('x', 'y')
--! position: wording
EXECUTE a(1 + 1, upper('y'))
EXECUTE a(NULL, NULL)
DEALLOCATE PREPARE a
PREPARE c AS SELECT $1::int * 2
EXECUTE c(4)
EXECUTE c('4')
PREPARE d AS INSERT INTO nope VALUES ($1)
PREPARE e AS SELECT FROM WHERE
PREPARE f (nope) AS SELECT $1
PREPARE g AS SELECT $2::int
--! outcome: lenient
EXECUTE g(1, 2)
--! outcome: lenient
PREPARE h (int) AS SELECT $1, $2::text
EXECUTE h(1, 'a')
--! names: cast
SELECT name, parameter_types::text, from_sql FROM pg_prepared_statements ORDER BY name
--! tag values: catalog
DEALLOCATE ALL
SELECT count(*) FROM pg_prepared_statements
DEALLOCATE PREPARE ALL
PREPARE i AS CREATE TABLE x (i int)
--! outcome: lenient
PREPARE "Q q" AS SELECT 'quoted'
EXECUTE "Q q"
EXECUTE "q q"
BEGIN
PREPARE r AS SELECT 'rolled'
ROLLBACK
EXECUTE r
PREPARE j AS SELECT 1; EXECUTE j; DEALLOCATE j
PREPARE k(int) AS VALUES ($1), ($1 + 1)
EXECUTE k(3)
EXECUTE k(3); EXECUTE k(4)
EXPLAIN EXECUTE nope
CREATE TEMP TABLE pt (i int, v text)
PREPARE ins AS INSERT INTO pt VALUES ($1, $2) RETURNING i
EXECUTE ins(1, 'x')
EXECUTE ins('2', NULL)
PREPARE upd (int) AS UPDATE pt SET i = i + $1
EXECUTE upd(5)
PREPARE del AS DELETE FROM pt WHERE i = $1
EXECUTE del(6)
TABLE pt

-- [several]
SELECT 1; SELECT 2
SELECT 1; SELECT nope; SELECT 3
CREATE TABLE ms (i int); INSERT INTO ms VALUES (1); SELECT nope
SELECT * FROM ms
CREATE TABLE ms (i int); INSERT INTO ms VALUES (1); INSERT INTO ms VALUES (2); SELECT count(*) FROM ms
INSERT INTO ms VALUES (3); BEGIN; INSERT INTO ms VALUES (4); ROLLBACK
SELECT i FROM ms ORDER BY i
INSERT INTO ms VALUES (5); SELECT 'x'::int
SELECT i FROM ms ORDER BY i
BEGIN; INSERT INTO ms VALUES (6); COMMIT; INSERT INTO ms VALUES (7); SELECT 'x'::int
SELECT i FROM ms ORDER BY i
;
;;
  -- comment
/* c */ ; -- d
SELECT 1;;SELECT 2;
SELECT 1; garbage here; SELECT 2
--! outcome: one by one
SELECT 1 AS a; SELECT 'x;y' AS b; SELECT $$a;b$$ AS c
select 1;\n\nselect 1 +;\n
--! outcome: one by one
SELECT
--! outcome: missing
DROP TABLE ms

-- [zones]
SET TIME ZONE '+02:00'
SHOW timezone
SELECT timestamptz '2024-07-01 12:00:00+00' AS v
SET TIME ZONE 'GMT+2'
SELECT timestamptz '2024-07-01 12:00:00+00' AS v
SET TIME ZONE 'EST5EDT'
SELECT timestamptz '2024-07-01 12:00:00+00' AS v
SET TIME ZONE 'cet'
SHOW timezone
SET TIME ZONE 'america/new_york'
SHOW timezone
SELECT '2024-07-01 12:00:00'::timestamptz AS v
SET TIME ZONE '<-03>+03'
SELECT timestamptz '2024-07-01 12:00:00+00' AS v

-- [names]
SELECT count(*) FROM (VALUES (1)) t(x)
SELECT count(*), sum(x), max(x), avg(x) FROM (VALUES (1)) t(x)
--! types values: sums
SELECT x::text, x + 1, upper('a'), 'lit', 1, NULL, true FROM (VALUES (1)) t(x)
SELECT now() IS NOT NULL, exists(SELECT 1), coalesce(1, 2), nullif(1, 2), greatest(1, 2), least(1, 2)
SELECT CASE WHEN true THEN 1 END, CASE WHEN true THEN 1 ELSE x END, ARRAY[1], (SELECT 5), (SELECT 5 AS five) FROM (VALUES (1)) t(x)
SELECT current_user, session_user, current_date IS NULL, current_schema, current_database(), current_catalog
--! types: types
SELECT current_date = current_date, -x, (x), ((x)), t.x, x IS NULL, NOT true, x IN (1) FROM (VALUES (1)) t(x)
SELECT '1'::int, CAST('1' AS bigint), 1::numeric(5,2), date '2024-01-01', x::varchar(5), (x + 1)::text, 'a'::text FROM (VALUES (1)) t(x)
--! types: types
SELECT row_number() OVER (), rank() OVER (ORDER BY x), sum(x) OVER () FROM (VALUES (1)) t(x)
--! types: types
SELECT extract(year FROM date '2024-01-01'), substring('abc' from 1 for 1), trim('  a '), position('a' in 'a'), count(*) FILTER (WHERE true), overlay('a' placing 'b' from 1)
--! types: types
SELECT (ARRAY[1,2])[1], x::int4, interval '1 day', 'a' || 'b', 'a' LIKE 'b', "upper"('a') FROM (VALUES (1)) t(x)
SELECT pg_catalog.upper('x'), main.x FROM (VALUES (1)) main(x)
VALUES (1, 2), (3, 4)
SELECT 1 UNION ALL SELECT 2
SELECT count(*) UNION ALL SELECT 2
WITH a AS (SELECT 1 AS x) SELECT count(*) FROM a
SELECT DISTINCT x + 1 FROM (VALUES (1)) t(x)
SELECT * FROM (SELECT 1 AS x) s
SELECT t.*, x + 1 FROM (VALUES (1)) t(x)
SELECT count(*) c, 1 "Two Words", 2 AS "select" FROM (VALUES (1)) t(x)
INSERT INTO pg_temp.none VALUES (1)
--! message position: wording
SELECT x AT TIME ZONE 'UTC' FROM (VALUES (timestamp '2024-01-01')) t(x)
SELECT x COLLATE "C" FROM (VALUES ('a')) t(x)
SELECT row(1, 2) IS NULL, row(x) = row(1) FROM (VALUES (1)) t(x)
SELECT nullif(x, 1)::text, max(x)::int FROM (VALUES (1)) t(x) GROUP BY x
SELECT generate_series FROM generate_series(1, 1)
--! types: types
SELECT json_build_object('a', 1) IS NULL, to_char(date '2024-01-01', 'YYYY'), concat('a', 'b')
SELECT 1 + 1 b, 'a' b, 1 b, x b, 1::int b, upper('a') b, (x) b, x IS NULL b, interval '1' day, interval '1' day b, 1::double precision, x::timestamp with time zone AT TIME ZONE 'UTC' FROM (VALUES (NULL::timestamp)) t(x)
--! types: types
SELECT count(*) over w, x IS NOT DISTINCT FROM x, x AND x, CASE WHEN x THEN 1 END e, CASE WHEN x THEN 1 END FROM (VALUES (true)) t(x) WINDOW w AS ()
SELECT (x).a FROM (SELECT 1 AS x) t
--! message position sqlstate: wording
(SELECT count(*) FROM (VALUES (1)) t(x)) UNION ALL SELECT 2

-- [series]
select i from generate_series(1, 3) i
--! types: series
select i from generate_series(1, 5) as i where i > 2 and true order by i desc
--! types: series
select i + j from generate_series(1, 2) i, generate_series(10, 20, 10) j order by 1
--! types: series
select s.n from generate_series(1, 2) as s(n)
--! types: series
select x from unnest(array[1, 2]) x
select x, n from unnest(array['a', 'b']) with ordinality u(x, n)
select a, b from unnest(array[1, 2], array['x', 'y']) t(a, b)
select d::date from generate_series('2024-01-30'::date, '2024-02-02'::date, '1 day') d
select t from generate_series('2024-01-01'::timestamp, '2024-01-02', '12 hours') t
select t from generate_series(timestamp '2024-01-01', timestamp '2024-01-02', interval '12 hours') as t
select generate_series(1, 3)
--! types: series
select generate_series(1, 2) as n, 'x' as x
--! types: series
select count(*) from (select generate_series(1, 100)) q
create temp table numbers as select generate_series(1, 100) as n
select count(*), sum(n)::int from numbers
insert into numbers select generate_series(101, 110)
select max(n) from numbers where n in (select generate_series(105, 107))
--! types: series

-- [functions]
SELECT to_jsonb(5)::text AS v, jsonb_typeof('{}') AS a, json_typeof('[1]') AS b, jsonb_typeof('"x"') AS c, jsonb_typeof('1.5') AS d, jsonb_typeof('true') AS e, jsonb_typeof('null') AS f
SELECT jsonb_array_length('[1,2]'::jsonb) AS v
SELECT date_bin('15 minutes', timestamp '2024-01-01 12:34', timestamp '2024-01-01') AS v
SELECT every(i > 0) AS v, every(i > 1) AS w FROM (VALUES (1),(2)) t(i)
SELECT regexp_count('aXbXc', 'X') AS v
SELECT initcap('hello wORLD, o''neil 2nd') AS v, initcap('') AS w
SELECT array_dims(ARRAY[1,2]) AS v
SELECT hashtext('a') IS NOT NULL AS v
SELECT pg_typeof(initcap('a'))::text AS v

-- [tables]
CREATE TABLE dt (id serial PRIMARY KEY, v text NOT NULL, n numeric(10,2) CHECK (n > 0), u int UNIQUE)
CREATE TABLE dt (id int)
CREATE TABLE IF NOT EXISTS dt (id int)
INSERT INTO dt (v, n, u) VALUES ('a', 1, 1) RETURNING id
INSERT INTO dt (v, n, u) VALUES ('b', 2, 2), ('c', 3, 3) RETURNING *
INSERT INTO dt (id, v) VALUES (1, 'dup')
INSERT INTO dt (v, u) VALUES ('dupu', 1)
INSERT INTO dt (v) VALUES (NULL)
--! message: wording
INSERT INTO dt (v, n) VALUES ('neg', -1)
--! message: wording
INSERT INTO dt (v, nope) VALUES (1, 2)
INSERT INTO dt (v, v) VALUES (1, 2)
--! position: wording
INSERT INTO dt (v) VALUES (1, 2)
--! message position: wording
INSERT INTO dt (v, n) VALUES (1)
--! message position: wording
INSERT INTO nope VALUES (1)
INSERT INTO dt (id, v) VALUES ('x', 'y')
SELECT currval('dt_id_seq') > 0 AS v
SELECT lastval() > 0 AS v
--! outcome: missing
SELECT pg_get_serial_sequence('dt', 'id') AS v
INSERT INTO dt (id, v) VALUES (100, 'x') ON CONFLICT (id) DO NOTHING
INSERT INTO dt (id, v) VALUES (100, 'y') ON CONFLICT (id) DO NOTHING
INSERT INTO dt (id, v) VALUES (100, 'y') ON CONFLICT DO NOTHING RETURNING id
INSERT INTO dt (id, v) VALUES (100, 'y') ON CONFLICT (id) DO UPDATE SET v = excluded.v || '!' RETURNING id, v
INSERT INTO dt (id, v) VALUES (100, 'y') ON CONFLICT (id) DO UPDATE SET v = dt.v || excluded.v WHERE dt.id = 100 RETURNING v
INSERT INTO dt (id, v) VALUES (100, 'y') ON CONFLICT (v) DO NOTHING
INSERT INTO dt (id, v) VALUES (101, 'p'), (101, 'q') ON CONFLICT (id) DO UPDATE SET v = excluded.v
--! outcome: missing
INSERT INTO dt DEFAULT VALUES
--! message: wording
INSERT INTO dt (id, v, u) VALUES (DEFAULT, 'def', 77) RETURNING v, u
INSERT INTO dt (v) SELECT 'sel' RETURNING v
INSERT INTO dt (v, u) OVERRIDING SYSTEM VALUE VALUES ('ov', 78)
UPDATE dt SET v = 'z' WHERE id = 1
UPDATE dt SET v = 'z' WHERE id = 1 RETURNING id, v
UPDATE dt SET v = NULL WHERE id = 1
--! message: wording
UPDATE dt SET id = 1 WHERE id = 2
UPDATE dt SET nope = 1
--! message: wording
UPDATE nope SET x = 1
UPDATE dt SET v = s.w FROM (VALUES (1, 'from')) s(i, w) WHERE dt.id = s.i
UPDATE dt AS t SET v = 'alias' WHERE t.id = 1
UPDATE dt SET (v, n) = ('multi', 9) WHERE id = 1
UPDATE ONLY dt SET v = 'only' WHERE id = 1
DELETE FROM dt USING (VALUES (2)) s(i) WHERE dt.id = s.i
DELETE FROM dt WHERE id = 3 RETURNING *
DELETE FROM dt WHERE id = 999
DELETE FROM nope
SELECT id, v, n, u FROM dt WHERE id < 3 OR id = 100 ORDER BY id
WITH ins AS (INSERT INTO dt (id, v) VALUES (200, 'cte') RETURNING id) SELECT id FROM ins
--! outcome: missing
WITH s AS (SELECT 201 AS i) INSERT INTO dt (id, v) SELECT i, 'w' FROM s
WITH s AS (SELECT 201 AS i) UPDATE dt SET v = 'w2' FROM s WHERE id = i
WITH s AS (SELECT 201 AS i) DELETE FROM dt USING s WHERE id = i
SELECT count(*) FROM dt
TRUNCATE dt
TRUNCATE TABLE dt RESTART IDENTITY CASCADE
TRUNCATE nope
--! position: wording
SELECT * INTO dt2 FROM dt
SELECT 1 AS x INTO dt3
CREATE TABLE dt4 AS SELECT 1 AS x, 'a'::text AS y
CREATE TABLE dt5 AS TABLE dt4 WITH NO DATA
CREATE TABLE dt6 (LIKE dt4)
CREATE TEMP TABLE dt8 (i int) ON COMMIT DROP
CREATE TEMP TABLE dt9 (i int) ON COMMIT DELETE ROWS
CREATE TABLE IF NOT EXISTS dt4 AS SELECT 2 AS x
CREATE UNLOGGED TABLE dt10 (i int)
ALTER TABLE dt4 ADD COLUMN z int DEFAULT 5
ALTER TABLE dt4 ADD COLUMN z int
--! message: wording
ALTER TABLE dt4 ADD COLUMN IF NOT EXISTS z int
ALTER TABLE dt4 ADD COLUMN a int, ADD COLUMN b int
ALTER TABLE dt4 RENAME COLUMN z TO zz
ALTER TABLE dt4 RENAME zz TO z
ALTER TABLE dt4 ALTER COLUMN z TYPE bigint
ALTER TABLE dt4 ALTER COLUMN z SET DATA TYPE int USING z::int
ALTER TABLE dt4 ALTER z SET DEFAULT 7
ALTER TABLE dt4 ALTER COLUMN z DROP DEFAULT
ALTER TABLE dt4 ALTER COLUMN x SET NOT NULL
ALTER TABLE dt4 ALTER COLUMN x DROP NOT NULL
ALTER TABLE dt4 DROP COLUMN z
ALTER TABLE dt4 DROP COLUMN z
ALTER TABLE dt4 DROP COLUMN IF EXISTS z
ALTER TABLE dt4 ADD PRIMARY KEY (x)
ALTER TABLE dt4 ADD CONSTRAINT pk PRIMARY KEY (x)
ALTER TABLE dt4 ADD CONSTRAINT un UNIQUE (y)
ALTER TABLE dt4 ADD CHECK (x > 0)
ALTER TABLE dt4 RENAME TO dt44
ALTER TABLE dt44 RENAME TO dt4
ALTER TABLE nope ADD COLUMN a int
ALTER TABLE IF EXISTS nope ADD COLUMN a int
ALTER TABLE dt4 OWNER TO CURRENT_USER
CREATE INDEX dti ON dt4 (y)
CREATE INDEX dti ON dt4 (y)
CREATE INDEX IF NOT EXISTS dti ON dt4 (y)
CREATE UNIQUE INDEX dtu ON dt4 (y)
CREATE INDEX CONCURRENTLY dtc ON dt4 USING btree (y DESC NULLS LAST)
CREATE INDEX ON dt4 (lower(y))
DROP INDEX dti
DROP INDEX dti
DROP INDEX IF EXISTS dti
CREATE INDEX IF NOT EXISTS dtd ON dt4 (y)
DROP INDEX IF EXISTS dtd
DROP INDEX CONCURRENTLY IF EXISTS dtc
CREATE VIEW dv AS SELECT x FROM dt4
CREATE VIEW dv AS SELECT x FROM dt4
CREATE OR REPLACE VIEW dv AS SELECT x, y FROM dt4
DROP TABLE dt4
--! outcome: lenient
DROP TABLE dt4 CASCADE
--! outcome: lenient
DROP VIEW dv
--! outcome: lenient
DROP VIEW IF EXISTS dv
DROP TABLE dt
DROP TABLE dt
--! message: wording
DROP TABLE IF EXISTS dt
CREATE TABLE dtx (i int)
DROP TABLE IF EXISTS nope1, dtx, nope2
CREATE TEMP TABLE dty (i int)
DROP TABLE IF EXISTS dty
CREATE SCHEMA IF NOT EXISTS sz
CREATE TABLE IF NOT EXISTS sz.t (i int)
DROP TABLE IF EXISTS sz.t, sz.u
DROP SCHEMA IF EXISTS sz
DROP TABLE IF EXISTS nope1, nope2
DROP TABLE dt2, dt3
DROP VIEW dt5
DROP SEQUENCE nope
--! message: wording
DROP SCHEMA nope
DROP TYPE nope
DROP FUNCTION nope
--! message: wording
DROP TYPE IF EXISTS nope
DROP SCHEMA IF EXISTS nope CASCADE
CREATE SCHEMA sx
CREATE SCHEMA sx
CREATE SCHEMA IF NOT EXISTS sx
CREATE TABLE sx.t (i int)
DROP SCHEMA sx
--! message: wording
DROP SCHEMA sx CASCADE
--! notice: cascade
CREATE TABLE nos.t (i int)
--! position: wording
SELECT * FROM nos.t
--! sqlstate: wording
COMMENT ON TABLE dt5 IS 'x'
COMMENT ON COLUMN dt5.x IS 'cx'
SELECT obj_description('dt5'::regclass) AS v, col_description('dt5'::regclass, 1) AS w
DROP TABLE dt5, dt10
COMMENT ON TABLE nope IS 'x'
CREATE TABLE (i int)
CREATE TABLE ct (i int, i int)
--! message: wording
CREATE TABLE ct (i nosuchtype)
CREATE TABLE ct (i varchar(10), c char(3), d timestamp(3), e numeric, f numeric(5), g float(24), h bytea, i2 double precision, j jsonb, k time with time zone, l timestamp with time zone, m interval, n uuid, o int[], p text[], q smallint, r bigserial, s boolean)
SELECT * FROM ct
--! types: types
INSERT INTO ct (i) VALUES ('0123456789a')
--! outcome: missing
INSERT INTO ct (q) VALUES (40000)
--! message position: wording
INSERT INTO ct (f) VALUES (123456)
--! message position: wording
DROP TABLE ct
GRANT SELECT ON dt9 TO PUBLIC
LOCK TABLE dt9 IN ACCESS EXCLUSIVE MODE
--! outcome: lenient
ANALYZE dt9
CREATE EXTENSION IF NOT EXISTS plpgsql
CREATE EXTENSION plpgsql
CREATE EXTENSION nope
--! message: wording
DROP EXTENSION nope
DROP EXTENSION IF EXISTS nope
DROP TABLE IF EXISTS nos.t
DROP VIEW IF EXISTS nope, nope2
CREATE SEQUENCE IF NOT EXISTS dts
DROP SEQUENCE IF EXISTS nope, dts
DROP FUNCTION IF EXISTS nope
CREATE SCHEMA IF NOT EXISTS main
CREATE TEMP TABLE IF NOT EXISTS dt9 (i int)
CREATE ROLE x
--! message: wording

-- [constraints of tables that exist]
CREATE TABLE cp (id int PRIMARY KEY, v text)
INSERT INTO cp VALUES (1, 'a'), (2, 'b')
CREATE TABLE ct (id serial PRIMARY KEY, a int, b text NOT NULL DEFAULT 'x', c int DEFAULT 7)
INSERT INTO ct (a) VALUES (1), (1), (NULL), (2)
CREATE INDEX ct_c ON ct (c)
COMMENT ON TABLE ct IS 'a table'
COMMENT ON COLUMN ct.a IS 'a column'
ALTER TABLE ct ADD CONSTRAINT one_a UNIQUE (a)
UPDATE ct SET a = 5 WHERE id = 2
ALTER TABLE ct ADD CONSTRAINT one_a UNIQUE (a)
ALTER TABLE ct ADD CONSTRAINT one_a UNIQUE (a)
ALTER TABLE ct ADD CONSTRAINT one_a CHECK (a > 0)
INSERT INTO ct (a) VALUES (1)
ALTER TABLE ct ADD UNIQUE (a, b)
ALTER TABLE ct ADD CHECK (a > 2)
ALTER TABLE ct ADD CHECK (a > 0)
ALTER TABLE ct ADD CHECK (a < 100)
INSERT INTO ct (a) VALUES (101)
--! message: wording
ALTER TABLE ct ADD PRIMARY KEY (a)
ALTER TABLE ct ADD UNIQUE (nope)
ALTER TABLE ct ADD CHECK (nope > 1)
ALTER TABLE ct ADD CONSTRAINT to_p FOREIGN KEY (nope) REFERENCES cp (id)
ALTER TABLE ct ADD CONSTRAINT to_p FOREIGN KEY (a) REFERENCES cp (id)
UPDATE ct SET a = NULL WHERE a = 5
ALTER TABLE ct ADD CONSTRAINT to_p FOREIGN KEY (a) REFERENCES cp (id)
ALTER TABLE ct ADD FOREIGN KEY (b) REFERENCES nope
INSERT INTO ct (a) VALUES (77)
DELETE FROM cp WHERE id = 1
SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'ct'::regclass ORDER BY 1
SELECT indexname FROM pg_indexes WHERE tablename = 'ct' ORDER BY 1
SELECT obj_description('ct'::regclass), col_description('ct'::regclass, 2)
ALTER TABLE ct DROP CONSTRAINT nope
ALTER TABLE ct DROP CONSTRAINT IF EXISTS nope
ALTER TABLE ct RENAME CONSTRAINT one_a TO other
ALTER TABLE ct DROP CONSTRAINT other
ALTER TABLE ct VALIDATE CONSTRAINT to_p
ALTER TABLE ct VALIDATE CONSTRAINT nope
ALTER TABLE ct DROP CONSTRAINT ct_a_check, DROP CONSTRAINT ct_a_check1
ALTER TABLE ct DROP CONSTRAINT ct_pkey, ADD CONSTRAINT key_of_ct PRIMARY KEY (id)
ALTER TABLE cp DROP CONSTRAINT cp_pkey
ALTER TABLE cp ALTER COLUMN v SET NOT NULL
ALTER TABLE cp RENAME COLUMN id TO pid
ALTER TABLE cp ADD COLUMN z int NOT NULL DEFAULT 5
ALTER TABLE cp ADD COLUMN zz int NOT NULL
ALTER TABLE cp RENAME TO cpp
SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'ct'::regclass ORDER BY 1
ALTER TABLE cpp DROP COLUMN pid
ALTER TABLE cpp DROP CONSTRAINT cp_pkey CASCADE
--! notice: cascade
SELECT * FROM cpp
SELECT * FROM ct ORDER BY id
INSERT INTO ct (b) VALUES ('q') RETURNING id
ALTER TABLE ct ALTER COLUMN c TYPE text USING c::text || '!'
ALTER TABLE ct RENAME c TO d
SELECT pg_get_indexdef('ct_c'::regclass)
ALTER TABLE ct ADD COLUMN e bigint GENERATED BY DEFAULT AS IDENTITY
ALTER TABLE ct ADD COLUMN f int UNIQUE CHECK (f > 0)
ALTER TABLE ct ADD COLUMN g int CONSTRAINT gfk REFERENCES cpp
--! message sqlstate: wording
ALTER TABLE ct DROP COLUMN d
SELECT * FROM ct ORDER BY id
ALTER TABLE nope ADD UNIQUE (a)
ALTER TABLE IF EXISTS nope ADD UNIQUE (a)
ALTER TABLE ct ALTER id DROP NOT NULL
BEGIN
CREATE TABLE cn (a int)
INSERT INTO cn VALUES (1), (2)
ALTER TABLE cn ADD PRIMARY KEY (a)
ALTER TABLE cn ADD COLUMN b int
ALTER TABLE cn ADD CONSTRAINT nn UNIQUE (b)
SELECT * FROM cn
COMMIT
BEGIN
ALTER TABLE cn ADD CONSTRAINT zz UNIQUE (a, b)
ROLLBACK
SELECT conname FROM pg_constraint WHERE conrelid = 'cn'::regclass ORDER BY 1
CREATE TEMP TABLE ctt (a int)
INSERT INTO ctt VALUES (1), (1)
ALTER TABLE ctt ADD CONSTRAINT tu UNIQUE (a)
DELETE FROM ctt
ALTER TABLE ctt ADD CONSTRAINT tu UNIQUE (a)

-- [names of constraints]
CREATE TABLE nt (a int PRIMARY KEY)
INSERT INTO nt VALUES (1), (2)
CREATE TABLE nm (a int CONSTRAINT na UNIQUE CONSTRAINT nb CHECK (a > 0), b int CONSTRAINT nn NOT NULL, c int CONSTRAINT fkp REFERENCES nt (a), CONSTRAINT nc CHECK (b < 30), CONSTRAINT npk PRIMARY KEY (b), CONSTRAINT "Q 'u" UNIQUE (a, b))
SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'nm'::regclass ORDER BY 1
INSERT INTO nm VALUES (1, 1, 1)
INSERT INTO nm VALUES (1, 2, 1)
INSERT INTO nm VALUES (2, 1, 1)
INSERT INTO nm VALUES (0, 2, 1)
--! message: wording
INSERT INTO nm VALUES (2, 33, 1)
--! message: wording
INSERT INTO nm VALUES (2, 4, 99)
DELETE FROM nt WHERE a = 1
CREATE TABLE lk (LIKE nm INCLUDING INDEXES)
SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'lk'::regclass ORDER BY 1
ALTER TABLE nm ADD CONSTRAINT x FOREIGN KEY (a) REFERENCES nt (a) ON DELETE CASCADE
--! outcome: missing
ALTER TABLE nm DROP CONSTRAINT nb, ADD CONSTRAINT nb CHECK (a < 500), ALTER COLUMN a TYPE bigint, ADD COLUMN d text DEFAULT 'z'
SELECT * FROM nm
SELECT conname FROM pg_constraint WHERE conrelid = 'nm'::regclass AND conname <> 'x' ORDER BY 1

-- [identity]
CREATE TABLE gi (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, d bigint GENERATED BY DEFAULT AS IDENTITY, v text)
INSERT INTO gi (v) VALUES ('a') RETURNING id, d, v
INSERT INTO gi (id, v) VALUES (5, 'x')
INSERT INTO gi (id, v) OVERRIDING SYSTEM VALUE VALUES (5, 'x') RETURNING id
INSERT INTO gi (id, v) VALUES (DEFAULT, 'y') RETURNING id
INSERT INTO gi (d, v) VALUES (50, 'y') RETURNING id, d
UPDATE gi SET id = 9 WHERE id = 1
UPDATE gi SET id = DEFAULT WHERE id = 1
INSERT INTO gi VALUES (7, 8, 'z')
SELECT attname, attidentity, attgenerated FROM pg_attribute WHERE attrelid = 'gi'::regclass AND attnum > 0 ORDER BY attnum
--! values: catalog
SELECT column_name, is_identity, identity_generation, column_default, is_generated FROM information_schema.columns WHERE table_name = 'gi' ORDER BY ordinal_position
--! types values: catalog
INSERT INTO gi (d, v) OVERRIDING USER VALUE VALUES (50, 'y') RETURNING v
--! message sqlstate: missing
DROP TABLE gi

-- [sequences]
CREATE SEQUENCE sq
CREATE SEQUENCE sq
CREATE SEQUENCE IF NOT EXISTS sq
SELECT currval('sq')
--! message: wording
SELECT lastval()
--! message position sqlstate: wording
SELECT nextval('sq') AS v
SELECT nextval('sq'::regclass) AS v, currval('sq') AS w
SELECT lastval() AS v
--! outcome: missing
SELECT setval('sq', 10) AS v
SELECT nextval('sq') AS v
SELECT setval('sq', 20, false) AS v
SELECT nextval('sq') AS v
SELECT nextval('nope')
--! position: wording
SELECT nextval('main.sq') AS v
SELECT last_value, is_called FROM sq
ALTER SEQUENCE sq RESTART WITH 5
SELECT nextval('sq') AS v
ALTER SEQUENCE sq OWNED BY NONE
CREATE SEQUENCE sq2 START 100 INCREMENT BY 5 MINVALUE 1 MAXVALUE 105 NO CYCLE
SELECT nextval('sq2') AS v
SELECT nextval('sq2') AS v
SELECT nextval('sq2') AS v
CREATE TEMP SEQUENCE sq3
DROP SEQUENCE sq, sq2
DROP SEQUENCE IF EXISTS sq

-- [foreign keys]
CREATE TABLE fk_p (id int PRIMARY KEY)
CREATE TABLE fk_c (id int, p int REFERENCES fk_p (id))
INSERT INTO fk_c VALUES (1, 1)
INSERT INTO fk_p VALUES (1)
INSERT INTO fk_c VALUES (1, 1)
DELETE FROM fk_p
UPDATE fk_p SET id = 2
DROP TABLE fk_p
--! message: wording
DROP TABLE fk_p CASCADE
--! outcome: lenient
CREATE TABLE fk_d (id int REFERENCES nope (id))
CREATE TABLE fk_e (id int REFERENCES fk_c (id))
--! message: wording
DROP TABLE fk_c

-- [errors]
SELECT * FROM nope
SELECT * FROM main.nope
--! message: wording
SELECT nope FROM (VALUES (1)) t(x)
SELECT t.nope FROM (VALUES (1)) t(x)
SELECT q.x FROM (VALUES (1)) t(x)
SELECT nofunc(1)
--! message: wording
SELECT upper(1, 2)
--! message: wording
SELECT nope.nofunc(1)
--! message sqlstate: wording
SELECT 1 +
SELEC 1
SELECT * FROM
SELECT 1 FROM FROM
SELECT 'unterminated
SELECT "unterminated
SELECT $$unterminated
SELECT /* unterminated
SELECT 1 AS 2
SELECT (1
SELECT 1)
SELECT "ž" FROM (VALUES (1)) t(x)
SELECT 'žžž', nope
SELECT 'x'::int
SELECT '1.5'::int
--! outcome: dialect
SELECT ''::int
SELECT '99999999999'::int
SELECT 2147483647 + 1
SELECT 9223372036854775807 + 1
SELECT 32767::int2 + 1::int2
SELECT 40000::int2
--! message: wording
SELECT exp(1000.0::float8)
--! outcome: dialect
SELECT 1 % 0
--! outcome: dialect
SELECT mod(1, 0)
--! outcome: dialect
SELECT 1.0 / 0
--! outcome: dialect
SELECT ln(0)
SELECT ln(-1)
SELECT sqrt(-1)
SELECT 'nope'::bool
SELECT 'nope'::date
SELECT '2024-13-01'::date
SELECT '2024-02-30'::date
SELECT '25:00'::time
SELECT 'nope'::timestamp
SELECT 'nope'::interval
SELECT 'nope'::uuid
--! message position: wording
SELECT '{bad'::json
--! message position: wording
SELECT '{1,2'::int[]
--! message position: wording
SELECT 'zz'::nosuchtype
SELECT 123456::numeric(5,2)
--! message: wording
SELECT 'a' + 1
--! message position sqlstate: wording
SELECT true + 1
--! message: wording
SELECT date '2024-01-01' + date '2024-01-01'
--! message: wording
SELECT 1 = 'x'
SELECT 1 WHERE 'x'
SELECT 1 WHERE 1
--! outcome: dialect
SELECT x, count(*) FROM (VALUES (1)) t(x)
--! message: wording
SELECT count(*) FROM (VALUES (1)) t(x) WHERE count(*) > 1
--! message: wording
SELECT sum(sum(x)) FROM (VALUES (1)) t(x)
SELECT x FROM (VALUES (1)) t(x) GROUP BY 5
--! message position: wording
SELECT 1 ORDER BY 5
--! message: wording
SELECT 1 LIMIT -1
--! message position: wording
SELECT 1 LIMIT 'x'
SELECT (SELECT 1, 2)
--! message: wording
SELECT (SELECT x FROM (VALUES (1),(2)) t(x))
--! message: wording
SELECT 1 UNION SELECT 1, 2
--! message position: wording
SELECT 1 UNION SELECT 'x'
--! outcome: dialect
SELECT x FROM (VALUES (1)) a(x), (VALUES (2)) b(x)
SELECT * FROM (VALUES (1)) a(x), (VALUES (2)) a(y)
--! outcome: dialect
SELECT * FROM (VALUES (1), (2, 3)) t
--! position: wording
SELECT CASE WHEN 1 THEN 2 END
--! outcome: dialect
SELECT coalesce()
SELECT CAST(1 AS)
SELECT array[1, 'x']
SELECT 1 IN ('x')
SELECT $1
SELECT $1::int
SELECT substring('a' from -1 for -1)
--! outcome: dialect
SELECT repeat('x', -1) AS v
SELECT chr(0)
--! outcome: dialect
SELECT chr(-1)
--! message: wording
SELECT to_date('nope', 'YYYY')
--! message: wording
SELECT 'a'::"char"::int
--! outcome: dialect
SELECT E'\xff'
--! message sqlstate: wording
SELECT set_config('nope', 'x', false)
SELECT generate_series(1, 3, 0)
--! outcome: dialect
SELECT decode('zz', 'hex')
--! message: wording
SELECT date_trunc('nope', now())
--! message sqlstate: wording
SELECT extract(nope FROM now())
--! message sqlstate: wording
SELECT now() AT TIME ZONE 'Nowhere'
--! message: wording
WITH x AS (SELECT 1) SELECT * FROM y
WITH x AS (SELECT 1), x AS (SELECT 2) SELECT * FROM x
--! message position sqlstate: wording
EXPLAIN SELECT 1 FROM nope
FETCH 1 FROM nope
CLOSE nope
MOVE nope
DECLARE c CURSOR FOR SELECT 1
FOO BAR
CALL nope()
--! message position sqlstate: wording
DO 'begin end'
--! outcome: missing
EXPLAIN (NOPE) SELECT 1
EXPLAIN (ANALYZE perhaps) SELECT 1
EXPLAIN (FORMAT perhaps) SELECT 1
EXPLAIN (TIMING) SELECT 1

-- [identity always]
CREATE TABLE ga (v text, id int GENERATED ALWAYS AS IDENTITY (START WITH 10) PRIMARY KEY, w int)
INSERT INTO ga (v) VALUES ('a') RETURNING id
INSERT INTO ga VALUES ('a') RETURNING id
INSERT INTO ga VALUES ('a', DEFAULT, 5), ('b', DEFAULT, 6) RETURNING id
INSERT INTO ga VALUES ('a', DEFAULT, 5), ('b', 3, 6)
INSERT INTO ga (w, ID) VALUES (1, (2))
INSERT INTO ga (w, "id") SELECT 1, 2
INSERT INTO ga (w) SELECT 1 RETURNING id
INSERT INTO main.ga AS x (id) VALUES (1)
INSERT INTO ga DEFAULT VALUES RETURNING id
INSERT INTO ga (id) VALUES (NULL)
UPDATE ga SET w = 2, id = 3
UPDATE ga SET w = (SELECT 1), v = 'x' WHERE id = 10 RETURNING id
UPDATE main.ga AS x SET id = id WHERE w = 1
CREATE TABLE gs (i int, g int GENERATED ALWAYS AS (i * 2) STORED)
INSERT INTO gs (i) VALUES (3)
SELECT * FROM gs
INSERT INTO gs (i, g) VALUES (3, 4)
--! message: wording
UPDATE gs SET g = 4
--! message: wording
DROP TABLE ga, gs

-- [types binary]
SELECT true AS v, false AS w, NULL::bool AS x
SELECT 't'::bool AS v, 'yes'::bool AS a, 'off'::bool AS b, '1'::bool AS c
SELECT (-32768)::int2 AS v, 32767::int2 AS w
SELECT (-2147483648)::int4 AS v, 2147483647 AS w
SELECT (-9223372036854775808)::int8 AS v, 9223372036854775807 AS w
SELECT 1.5::numeric(10,2) AS v, 0::numeric(5,3) AS w, -12345678901234567890.123456789::numeric(38,9) AS x
--! types: types
SELECT 1e10::numeric(20,0) AS v, 0.00001::numeric(10,5) AS w, 10000::numeric(10,0) AS x, 100000000.0001::numeric(20,4) AS y
SELECT 123.45 AS v, 1.0 AS w, .5 AS x, 1e3 AS y
--! types values: dialect
SELECT 'NaN'::float8 AS v, 'Infinity'::float8 AS w, '-Infinity'::float8 AS x, '-0'::float8 AS y
SELECT 1e15::float8 AS v, 1e14::float8 AS w, 0.0001::float8 AS x, 0.00001::float8 AS y, 1.7976931348623157e308::float8 AS z, 5e-324::float8 AS zz
SELECT 1e6::float4 AS v, 1e5::float4 AS w, 0.0001::float4 AS x, 0.00001::float4 AS y, 3.4028235e38::float4 AS z, 'NaN'::float4 AS n, 16777216::float4 AS m
SELECT 'a'::text AS v, ''::text AS w, 'ž😀'::varchar AS x
--! types: types
SELECT 'ab'::varchar(10) AS v
--! types: types
SELECT 'ab'::char(5) AS v
--! types values: dialect
SELECT 'ab'::name AS v
--! outcome: dialect
SELECT '\x00ff5c'::bytea AS v, ''::bytea AS w, 'ab\\c\001'::bytea AS x
SELECT date '2024-02-29' AS v, date '0001-01-01' AS w, date '9999-12-31' AS x
SELECT '0044-03-15 BC'::date AS v
SELECT 'infinity'::date AS v, '-infinity'::date AS w
SELECT 'infinity'::timestamp AS v, '-infinity'::timestamptz AS w
SELECT time '00:00:00' AS v, time '23:59:59.999999' AS w, time '12:30' AS x, '24:00:00'::time AS y
SELECT '12:30:00+02'::timetz AS v, '12:30:00.5-05:30'::timetz AS w
SELECT timestamp '2024-02-29 12:34:56.7' AS v, timestamp '1999-12-31 23:59:59.999999' AS w, '0044-03-15 01:02:03 BC'::timestamp AS x
SELECT timestamptz '2024-02-29 12:34:56.7+02' AS v, '1883-11-18 12:00:00+00'::timestamptz AS w
SELECT interval '1 year 2 months 3 days 04:05:06.789' AS v, interval '-1 month -2 days -03:04:05' AS w, interval '0' AS x
SELECT interval '1 day' AS v, interval '-1 day' AS w, interval '1 month -1 day' AS x, interval '-1 year 1 day' AS y, interval '25:00:00' AS z, interval '-00:00:00.5' AS a
SELECT interval '1' day AS v, interval '2 weeks' AS w, interval '1.5 hours' AS x, interval '90 minutes' AS y
--! types: types
SELECT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS v, '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}'::uuid AS w, 'a0eebc999c0b4ef8bb6d6bb9bd380a11'::uuid AS x
SELECT '{"a": 1, "b": [1, 2]}'::json AS v
SELECT '{"b": 1, "a":  [1,2]}'::jsonb AS v
--! types values: dialect
SELECT B'0101' AS v
--! types values: dialect
SELECT '0101'::bit(4) AS v
--! types: types
SELECT '0101'::bit varying AS v
SELECT ARRAY[1,2,NULL] AS v, '{}'::int[] AS w, ARRAY['a b','c"d','e\f','',NULL,'null','{x}'] AS x
SELECT '{1,2,3}'::int[] AS v, '{"a,b",c,NULL,"NULL"}'::text[] AS w
SELECT ARRAY[1.5,2.25]::numeric(5,2)[] AS v, ARRAY[true,false] AS w, ARRAY[date '2024-01-01'] AS x, ARRAY[1.5::float8] AS y
SELECT ARRAY['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid] AS v, ARRAY[timestamp '2024-01-01 00:00:00'] AS w, ARRAY[interval '1 day'] AS x
SELECT ARRAY['\x00ff'::bytea] AS v
SELECT ARRAY[[1,2],[3,4]] AS v
--! types values: dialect
SELECT 16384::oid AS v, 'pg_class'::regclass AS w, 'int4'::regtype AS x
--! types values: dialect
SELECT 'pg_catalog'::regnamespace AS v
--! types values: dialect
SELECT 1::bigint AS a, 2::smallint AS b, 3::real AS c, 4::double precision AS d, 5::decimal(4,1) AS e, 6::character varying AS f, 7::numeric AS g
--! types values: dialect
SELECT NULL AS v
SELECT 'x' AS v, 'x' || 'y' AS w
SELECT '127.0.0.1'::inet AS v
--! outcome: dialect
SELECT '12.34'::money AS v
--! outcome: dialect
SELECT '<a/>'::xml AS v
--! outcome: dialect
SELECT row(1,'a') AS v
--! types values: dialect
SELECT int4range(1,5) AS v
--! outcome: dialect
SELECT to_tsvector('simple', 'a b') AS v
--! outcome: dialect
SELECT current_date - current_date AS v, date '2024-03-01' - date '2024-02-01' AS w, date '2024-01-01' + 1 AS x
--! types values: dialect
SELECT timestamp '2024-01-02' - timestamp '2024-01-01' AS v, timestamp '2024-01-01' + interval '1 month' AS w, date '2024-01-31' + interval '1 month' AS x
SELECT count(*) AS v, sum(i) AS w, avg(i) AS x, min(i) AS y, max(i) AS z FROM generate_series(1,4) g(i)
--! types values: sums
SELECT sum(i::bigint) AS v, sum(i::numeric(10,2)) AS w, avg(i::float8) AS x, sum(i::float4) AS y, sum(i::int2) AS z FROM generate_series(1,4) g(i)
--! types values: sums
SELECT 7 / 2 AS v, 7 % 2 AS w, -7 / 2 AS x, 7.0 / 2 AS y, 2 ^ 3 AS z
--! types values: dialect
SELECT round(2.5) AS v, round(-2.5) AS w, round(1.235, 2) AS x, ceil(1.2) AS y, floor(-1.2) AS z, trunc(1.9) AS a, abs(-5) AS b, mod(7,3) AS c, power(2,10) AS d, sqrt(16) AS e
--! types: types
SELECT length('ž😀') AS v, octet_length('ž') AS w, position('b' IN 'abc') AS x, strpos('abc','c') AS y, char_length('abc') AS z
--! outcome: dialect
SELECT extract(year FROM date '2024-05-06') AS v, date_part('month', timestamp '2024-05-06') AS w, extract(epoch FROM interval '1 day') AS x
--! types values: dialect
SELECT 1 = 1 AS v, 1 IS NULL AS w, 1 IS DISTINCT FROM NULL AS x, true AND NULL AS y

-- [values]
SELECT to_char(timestamp '2024-02-03 14:05:06.789', 'YYYY-MM-DD HH24:MI:SS') AS v
SELECT to_char(timestamp '2024-02-03 14:05:06.789', 'DD Mon YYYY, Day HH12:MI AM MS US Q DDD IW') AS v
SELECT to_char(date '2024-02-03', 'FMDD FMMonth YY') AS v
SELECT to_char(1234567.891, 'FM9,999,999.00') AS v
SELECT to_char(1234.5, '999,999.99') AS v, to_char(-5, '000') AS w, to_char(12, 'FM000') AS x, to_char(0.5, '0.99') AS y
SELECT to_char(interval '25:01:02', 'HH24:MI:SS') AS v
SELECT to_date('03.02.2024', 'DD.MM.YYYY') AS v, to_date('20240203', 'YYYYMMDD') AS w
SELECT to_timestamp('2024-02-03 14:05', 'YYYY-MM-DD HH24:MI') AS v, to_timestamp(0) AS w
SELECT to_number('1,234.5', '9,999.9') AS v
--! outcome: dialect
SELECT date_trunc('month', timestamp '2024-02-03 14:05:06') AS v, date_trunc('hour', timestamptz '2024-02-03 14:05:06+00') AS w
SELECT date_trunc('week', date '2024-02-03') AS v
--! types values: dialect
SELECT age(timestamp '2024-03-01', timestamp '2023-01-15') AS v
SELECT generate_series(1, 3) AS v
--! types: types
SELECT * FROM generate_series(1, 10, 3)
--! types: types
SELECT * FROM generate_series(3, 1, -1) AS g
--! types: types
SELECT * FROM generate_series(timestamp '2024-01-01', timestamp '2024-01-03', interval '1 day') AS g
SELECT g FROM generate_series(date '2024-01-01', date '2024-01-03', interval '1 day') AS g
--! types values: dialect
SELECT string_agg(v, ',' ORDER BY v DESC) AS v FROM (VALUES ('a'),('b'),('c')) t(v)
SELECT array_agg(v ORDER BY v) AS v FROM (VALUES (3),(1),(2)) t(v)
SELECT json_agg(v) AS v FROM (VALUES (1),(2)) t(v)
--! values: dialect
SELECT jsonb_agg(v) AS v FROM (VALUES (1),(2)) t(v)
--! types values: dialect
SELECT json_object_agg(k, v) AS v FROM (VALUES ('a',1),('b',2)) t(k,v)
--! values: types
SELECT json_build_object('a', 1, 'b', 'x') AS v
--! values: dialect
SELECT jsonb_build_object('a', 1) AS v, jsonb_build_array(1,'x',NULL) AS w
--! types values: dialect
SELECT row_to_json(t) AS v FROM (SELECT 1 AS a, 'x' AS b) t
SELECT to_json('x'::text) AS v, to_jsonb(5) AS w
--! types: types
SELECT '{"a": {"b": "c"}}'::jsonb -> 'a' AS v, '{"a": {"b": "c"}}'::jsonb ->> 'a' AS w
--! types values: dialect
SELECT '{"a": {"b": "c"}}'::jsonb #>> '{a,b}' AS v
SELECT '{"a": {"b": "c"}}'::jsonb #> '{a,b}' AS v
--! types: types
SELECT '[1,2,3]'::jsonb -> 1 AS v, '[1,2,3]'::jsonb ->> -1 AS w
--! types: types
SELECT '{"a":1}'::jsonb @> '{"a":1}' AS v
SELECT '{"a":1}'::jsonb ? 'a' AS v
SELECT '{"a":1}'::jsonb || '{"b":2}'::jsonb AS v
--! types values: dialect
SELECT '{"a":1,"b":2}'::jsonb - 'a' AS v
--! types values: types
SELECT jsonb_array_length('[1,2]'::jsonb) AS v, json_array_length('[1]') AS w, jsonb_typeof('{}') AS x
--! types: types
SELECT * FROM jsonb_array_elements('[1,"a"]'::jsonb)
--! types: types
SELECT * FROM jsonb_array_elements_text('[1,"a"]'::jsonb)
SELECT * FROM jsonb_each('{"a":1}'::jsonb)
--! types: types
SELECT * FROM jsonb_each_text('{"a":1}'::jsonb)
SELECT * FROM jsonb_object_keys('{"a":1,"b":2}'::jsonb)
SELECT jsonb_extract_path_text('{"a":{"b":"c"}}', 'a', 'b') AS v
SELECT jsonb_set('{"a":1}'::jsonb, '{a}', '2') AS v
--! types values: types
SELECT jsonb_pretty('{"a":1}'::jsonb) AS v
SELECT regexp_replace('foobar', 'o+', 'x') AS v, regexp_replace('abcabc', 'b', 'X', 'g') AS w
SELECT regexp_matches('foobar', 'o(b)(a)') AS v
--! types values: dialect
SELECT regexp_match('foobar', 'o(b)') AS v
SELECT regexp_split_to_array('a,b,c', ',') AS v
SELECT regexp_split_to_table('a,b', ',') AS v
SELECT regexp_count('aXbXc', 'X') AS v, regexp_like('abc', 'B', 'i') AS w, regexp_substr('abc123', '\d+') AS x
SELECT 'abc' ~ 'b' AS v, 'abc' ~* 'B' AS w, 'abc' !~ 'z' AS x, 'ABC' !~* 'b' AS y
--! values: dialect
SELECT 'abc' LIKE 'a%' AS v, 'ABC' ILIKE 'a_c' AS w, 'abc' SIMILAR TO '(a|b)%' AS x, 'a%c' LIKE 'a\%c' AS y, 'a%c' LIKE 'a!%c' ESCAPE '!' AS z
--! values: dialect
SELECT format('%s %I %L %%', 'a', 'B c', 'it''s') AS v
--! values: dialect
SELECT format('%2$s %1$s', 'a', 'b') AS v, format('%-5s|%5s|', 'a', 'b') AS w
--! values: dialect
SELECT quote_ident('a B') AS v, quote_ident('abc') AS w, quote_literal('it''s') AS x, quote_nullable(NULL) AS y, quote_ident('select') AS z
SELECT upper('aB') AS v, lower('aB') AS w, initcap('hello world') AS x, reverse('abc') AS y, repeat('ab', 2) AS z, left('abc', 2) AS a, right('abc', 2) AS b, left('abc', -1) AS c
SELECT lpad('5', 3, '0') AS v, rpad('5', 3) AS w, ltrim('  a ') AS x, btrim('xax', 'x') AS y, trim(both 'x' from 'xax') AS z
SELECT substring('abcdef' from 2 for 3) AS v, substring('abc123' from '[0-9]+') AS w, substr('abc', 2) AS x, overlay('abcdef' placing 'XX' from 2 for 3) AS y
--! outcome: missing
SELECT split_part('a,b,c', ',', 2) AS v, split_part('a,b,c', ',', -1) AS w, translate('abc', 'ab', 'xy') AS x, concat('a', NULL, 1) AS y, concat_ws('-', 'a', NULL, 'b') AS z
SELECT starts_with('abc', 'ab') AS v, ascii('a') AS w, chr(65) AS x, md5('a') AS y, to_hex(255) AS z
--! values: dialect
SELECT encode('\x00ff'::bytea, 'hex') AS v, encode('abc'::bytea, 'base64') AS w, decode('00ff', 'hex') AS x, encode('\x41ff'::bytea, 'escape') AS y
--! values: dialect
SELECT sha256('abc'::bytea) AS v
--! types values: dialect
SELECT convert_from('\x61'::bytea, 'UTF8') AS v, convert_to('a', 'UTF8') AS w
SELECT greatest(1, 2, NULL) AS v, least(1, NULL) AS w, nullif(1, 1) AS x, coalesce(NULL, 2) AS y
SELECT array_length(ARRAY[1,2], 1) AS v, cardinality(ARRAY[1,2]) AS w, array_upper(ARRAY[1,2],1) AS x, array_lower(ARRAY[1],1) AS y, array_ndims(ARRAY[1]) AS z
--! types: types
SELECT array_append(ARRAY[1], 2) AS v, array_prepend(0, ARRAY[1]) AS w, array_cat(ARRAY[1], ARRAY[2]) AS x, ARRAY[1] || ARRAY[2] AS y, ARRAY[1] || 2 AS z
--! outcome: dialect
SELECT array_remove(ARRAY[1,2,1], 1) AS v, array_position(ARRAY['a','b'], 'b') AS w, array_positions(ARRAY[1,2,1], 1) AS x, array_replace(ARRAY[1,2], 2, 3) AS y
SELECT array_to_string(ARRAY[1,NULL,3], ',') AS v, array_to_string(ARRAY[1,NULL,3], ',', '*') AS w, string_to_array('a,b', ',') AS x, array_dims(ARRAY[1,2]) AS y
SELECT ARRAY[1,2] @> ARRAY[1] AS v, ARRAY[1] <@ ARRAY[1,2] AS w, ARRAY[1,2] && ARRAY[2,3] AS x, 1 = ANY(ARRAY[1,2]) AS y, 3 <> ALL(ARRAY[1,2]) AS z
SELECT (ARRAY[10,20,30])[2] AS v, (ARRAY[10,20,30])[2:3] AS w, (ARRAY[10])[5] AS x
SELECT unnest(ARRAY[1,2]) AS v
SELECT * FROM unnest(ARRAY['a','b']) WITH ORDINALITY AS t(x, n)
SELECT * FROM unnest(ARRAY[1,2], ARRAY['a','b']) AS t(x, y)
SELECT ARRAY(SELECT g FROM generate_series(1,3) g) AS v
--! types: types
SELECT pg_typeof(1) AS v, pg_typeof('x'::text) AS w, pg_typeof(1.5) AS x, pg_typeof(now()) AS y, pg_typeof(ARRAY[1]) AS z, pg_typeof(date '2024-01-01') AS a, pg_typeof(NULL) AS b
--! types: types
SELECT current_schema() AS v, current_schemas(false) AS w, current_schemas(true) AS x
--! types: types
SELECT current_user AS v, session_user AS w, user AS x, current_database() AS y, current_catalog AS z, current_role AS a
--! types: types
SELECT pg_is_in_recovery() AS v, pg_backend_pid() > 0 AS w, txid_current() > 0 AS x
SELECT format_type(23, NULL) AS v, format_type(1700, 655366) AS w, format_type(1043, 14) AS x, format_type(1007, -1) AS y, format_type(0, NULL) AS z, format_type(999999, NULL) AS a, format_type(1042, 9) AS b, format_type(1114, 3) AS c
SELECT to_regclass('nope') AS v, to_regclass('pg_class') AS w, to_regtype('int4') AS x, to_regtype('nope') AS y, to_regnamespace('pg_catalog') AS z
--! types values: dialect
SELECT 'int4'::regtype::oid AS v, 23::regtype AS w, 'integer[]'::regtype::oid AS x, 'pg_type'::regclass::oid AS y, 1247::regclass AS z
--! types: types
SELECT 'nope'::regclass
--! position: wording
SELECT 'nope'::regtype
--! position: wording
SELECT has_schema_privilege('pg_catalog', 'USAGE') AS v, has_table_privilege('pg_class', 'SELECT') AS w, has_database_privilege(current_database(), 'CONNECT') AS x, has_table_privilege('nope', 'SELECT')
--! outcome: dialect
SELECT pg_get_userbyid(0) AS v, pg_encoding_to_char(6) AS w, getdatabaseencoding() AS x, pg_char_to_encoding('UTF8') AS y
--! types: types
SELECT obj_description(1, 'pg_class') AS v, col_description(1, 1) AS w, shobj_description(1, 'pg_database') AS x
--! values: dialect
SELECT pg_size_pretty(1024::bigint) AS v, pg_size_pretty(123456789::bigint) AS w, pg_size_pretty(10::bigint) AS x
SELECT pg_table_is_visible('pg_class'::regclass) AS v, pg_type_is_visible(23) AS w, pg_function_is_visible('now'::regproc) AS x
SELECT row_number() OVER (ORDER BY i) AS v, rank() OVER (ORDER BY i) AS w, lag(i) OVER (ORDER BY i) AS x, sum(i) OVER (ORDER BY i) AS y, ntile(2) OVER (ORDER BY i) AS z FROM (VALUES (1),(2),(2)) t(i)
--! types: types
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY i) AS v, percentile_disc(0.5) WITHIN GROUP (ORDER BY i) AS w, mode() WITHIN GROUP (ORDER BY i) AS x FROM (VALUES (1),(2),(4)) t(i)
SELECT stddev(i) AS v, variance(i) AS w, corr(i, i) AS x, bool_and(i > 0) AS y, bool_or(i > 3) AS z, every(i > 0) AS a FROM (VALUES (1),(2),(4)) t(i)
--! types values: dialect
SELECT count(*) FILTER (WHERE i > 1) AS v, count(DISTINCT i) AS w FROM (VALUES (1),(2),(2)) t(i)
SELECT i, count(*) AS n FROM (VALUES (1),(2),(2)) t(i) GROUP BY ROLLUP (i) ORDER BY i NULLS LAST
SELECT GROUPING(i) AS v FROM (VALUES (1)) t(i) GROUP BY CUBE (i) ORDER BY 1
--! types: types
SELECT make_date(2024, 2, 3) AS v, make_time(1, 2, 3.5) AS w, make_timestamp(2024, 2, 3, 4, 5, 6) AS x, make_interval(days => 10) AS y
SELECT isfinite(date '2024-01-01') AS v, justify_days(interval '35 days') AS w, justify_hours(interval '27 hours') AS x
SELECT timestamp '2024-01-01 12:00' AT TIME ZONE 'Europe/Prague' AS v, timestamptz '2024-01-01 12:00+00' AT TIME ZONE 'Europe/Prague' AS w, timezone('UTC', timestamp '2024-01-01') AS x
--! outcome: dialect
SELECT (timestamp '2024-01-01', timestamp '2024-01-03') OVERLAPS (timestamp '2024-01-02', timestamp '2024-01-04') AS v
--! outcome: dialect
SELECT extract(dow FROM date '2024-02-04') AS v, extract(isodow FROM date '2024-02-04') AS w, extract(week FROM date '2024-02-04') AS x, extract(quarter FROM date '2024-02-04') AS y, extract(doy FROM date '2024-02-04') AS z
--! types: types
SELECT extract(second FROM time '01:02:03.5') AS v, extract(epoch FROM timestamp '2024-01-01') AS w, extract(milliseconds FROM time '00:00:01.5') AS x
--! types values: dialect
SELECT date_bin('15 minutes', timestamp '2024-01-01 12:34', timestamp '2024-01-01') AS v
SELECT 5::int::text AS v, 1.50::numeric(5,2)::text AS w, true::text AS x, date '2024-01-01'::text AS y, 1e20::float8::text AS z, ARRAY[1,2]::text AS a, 1.0::float8::text AS b
--! values: dialect
SELECT '12'::int AS v, ' 12 '::int AS w, '1e3'::float8 AS x, '1.5'::numeric(4,1) AS y, CAST('t' AS boolean) AS z, 1::boolean AS a, true::int AS b
SELECT 2.5::int AS v, 3.5::int AS w, -2.5::int AS x, 2.5::float8::int AS y
SELECT 'a' < 'B' AS v, 'a' COLLATE "C" < 'B' AS w
SELECT * FROM (VALUES (1,'a'),(2,NULL)) AS t(x,y) ORDER BY y NULLS FIRST
SELECT x FROM (VALUES (1),(NULL),(2)) t(x) ORDER BY x
SELECT x FROM (VALUES (1),(NULL),(2)) t(x) ORDER BY x DESC
--! values: dialect
SELECT * FROM (VALUES (1),(2),(3)) t(x) ORDER BY x OFFSET 1 ROWS FETCH FIRST 1 ROW ONLY
SELECT * FROM (VALUES (1),(2),(3)) t(x) ORDER BY x LIMIT ALL
SELECT DISTINCT ON (x) x, y FROM (VALUES (1,2),(1,1)) t(x,y) ORDER BY x, y
SELECT * FROM (VALUES (1)) a(x) CROSS JOIN LATERAL (SELECT a.x + 1 AS y) b
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r
SELECT 1 AS v UNION SELECT 2 ORDER BY v
SELECT 1 AS v EXCEPT SELECT 2
SELECT CASE WHEN 1 = 1 THEN 'a' ELSE 'b' END AS v, CASE 2 WHEN 1 THEN 'x' WHEN 2 THEN 'y' END AS w
SELECT 1 BETWEEN 0 AND 2 AS v, 3 IN (1,2) AS w, (1,2) = (1,2) AS x, 1 NOT IN (1, NULL) AS y, true IS TRUE AS z, NULL IS UNKNOWN AS a
SELECT 1::bit(3) AS v
--! types values: dialect
SELECT 5 & 3 AS v, 5 | 3 AS w, 5 # 3 AS x, ~5 AS y, 1 << 3 AS z, |/ 9 AS a, @ -5 AS b, 5! AS c
--! message position: wording
SELECT 5 & 3 AS v, 5 | 3 AS w, ~5 AS y, 1 << 3 AS z, 16 >> 2 AS a
SELECT U&'d\0061t' AS v, E'a\tb\n' AS w, 'a' 'b' AS x, $q$it's$q$ AS y
--! message position: wording
SELECT 'a'\n'b' AS v, 0x10 AS w
--! message position: wording
SELECT gcd(12, 18) AS v, lcm(4, 6) AS w, sign(-2) AS x, pi() AS y, ln(1) AS z, log(100) AS a, exp(0) AS b, cbrt(27) AS c, degrees(pi()) AS d, width_bucket(5, 0, 10, 5) AS e, div(7, 2) AS f
--! types: types
SELECT random() < 1 AS v, gen_random_uuid() IS NOT NULL AS w, now() = transaction_timestamp() AS x, clock_timestamp() >= statement_timestamp() AS y
SELECT pg_typeof(now()) AS a, pg_typeof(current_date) AS b, pg_typeof(localtimestamp) AS c, pg_typeof(current_timestamp) AS d, pg_typeof(localtime) AS e, pg_typeof(current_time) AS f
--! types: types
SELECT num_nulls(1, NULL) AS v, num_nonnulls(1, NULL) AS w
SELECT hashtext('a') IS NOT NULL AS v
SELECT pg_column_size(1) AS v
--! outcome: dialect
SELECT nullif('', '') IS NULL AS v, concat(1, 'a', true) AS w
--! values: dialect
SELECT oidvectortypes('23 25'::oidvector) AS v
--! outcome: dialect
SELECT string_to_table('a,b', ',') AS v
SELECT bit_length('a') AS v, bit_count(B'101') AS w, get_byte('\x41'::bytea, 0) AS x
--! outcome: dialect
SELECT unistr('\0061') AS v, normalize('a') AS w
--! outcome: dialect
SELECT trim_scale(1.500) AS v, scale(1.50) AS w, min_scale(1.50) AS x
--! outcome: dialect
SELECT any_value(1) AS v
--! outcome: dialect
SELECT tableoid::regclass FROM pg_class LIMIT 0
--! types: types
SELECT ctid FROM pg_class LIMIT 0
--! outcome: dialect
SELECT xmin FROM pg_class LIMIT 0
--! outcome: dialect

-- [columns of NULL binary]
SELECT NULL
SELECT NULL AS x, 1
VALUES (NULL)
VALUES (1, NULL), (2, NULL)
SELECT NULL UNION SELECT NULL
SELECT NULL UNION ALL SELECT 1
SELECT * FROM (SELECT NULL AS a) x
SELECT coalesce(NULL, NULL), nullif(NULL, NULL), min(NULL)
SELECT CASE WHEN true THEN NULL END, (SELECT NULL)
SELECT NULL AS a, 1 AS a -- the same name twice
SELECT CAST(NULL AS int) AS a, NULL::date AS b, NULL AS c ORDER BY 1 LIMIT 1
SELECT CASE WHEN i = 1 THEN NULL ELSE i END AS c FROM (VALUES (1)) v(i) WHERE i IS NOT NULL
SELECT NULL, i FROM (VALUES (1), (2)) v(i) ORDER BY i
WITH x AS (SELECT NULL AS n) SELECT n FROM x
--! types: dialect
SELECT ARRAY[NULL]
--! types values: dialect

-- [tables and statements of NULL]
CREATE TABLE made_of_null AS SELECT NULL AS a
SELECT * FROM made_of_null
--! types: dialect
PREPARE with_null(int) AS SELECT NULL AS a, $1 AS b
EXECUTE with_null(3)

-- [execute binary]
CREATE TABLE et (a int)
PREPARE w2(int) AS SELECT $1 AS b
EXECUTE w2(3)
EXECUTE nope(4)
PREPARE w3(int) AS INSERT INTO et VALUES ($1)
EXECUTE w3(3)
PREPARE w4(int) AS INSERT INTO et VALUES ($1) RETURNING a
EXECUTE w4(3)
PREPARE w5 AS SELECT a, 'x' AS t FROM et
EXECUTE w5
DEALLOCATE w5
PREPARE w5 AS SELECT 'y' AS u
EXECUTE w5
DEALLOCATE w5

-- [tables like others]
CREATE TYPE mood AS ENUM ('sad', 'ok')
CREATE TABLE lo (id serial PRIMARY KEY, v text NOT NULL DEFAULT 'dflt', n numeric(10,2) CHECK (n > 0), u int UNIQUE, m mood, a int[], "Odd name" timestamptz DEFAULT now())
CREATE TABLE l1 (LIKE lo)
INSERT INTO l1 VALUES (1, 'x', -5, 1, 'ok', ARRAY[1,2], NULL)
INSERT INTO l1 VALUES (1, 'x', -5, 1, 'ok', ARRAY[1,2], NULL)
INSERT INTO l1 (v) VALUES ('x')
--! message: wording
SELECT * FROM l1
--! types: catalog
CREATE TABLE l2 (LIKE lo INCLUDING ALL)
INSERT INTO l2 (u) VALUES (1) RETURNING id, v, u
INSERT INTO l2 (u) VALUES (1) RETURNING id, v, u
INSERT INTO l2 (n) VALUES (-1)
--! message: wording
INSERT INTO lo (u) VALUES (1) RETURNING id
CREATE TABLE l3 (before int, LIKE lo INCLUDING DEFAULTS EXCLUDING INDEXES, after text DEFAULT 'y')
INSERT INTO l3 (before) VALUES (1) RETURNING before, v, after
INSERT INTO l3 (v) VALUES (NULL)
--! message: wording
CREATE TABLE l4 (LIKE lo INCLUDING NOPE)
CREATE TABLE l5 (LIKE nope)
CREATE TABLE IF NOT EXISTS l1 (LIKE lo)
CREATE TABLE l6 (LIKE public.nope INCLUDING ALL)
--! message: wording
CREATE TABLE gen (id int GENERATED ALWAYS AS IDENTITY, b int)
CREATE TABLE l7 (LIKE gen INCLUDING IDENTITY)
INSERT INTO l7 (b) VALUES (3) RETURNING id
INSERT INTO l7 (id, b) VALUES (3, 3) RETURNING id
CREATE TABLE l8 (LIKE gen)
INSERT INTO l8 (b) VALUES (3) RETURNING id
--! message: wording
CREATE UNIQUE INDEX gen_b ON gen (b)
CREATE TABLE l9 (LIKE gen INCLUDING INDEXES)
INSERT INTO l9 (id, b) VALUES (1, 3), (2, 3)
--! message: wording

-- [on commit]
CREATE TABLE lo (id int PRIMARY KEY, v text, u int)
BEGIN
CREATE TEMP TABLE st (LIKE lo INCLUDING DEFAULTS) ON COMMIT DROP
INSERT INTO st (id, u) VALUES (7, 70)
SELECT id, v, u FROM st
INSERT INTO lo SELECT * FROM st ON CONFLICT (id) DO UPDATE SET v = excluded.v
COMMIT
SELECT * FROM st
SELECT id, v FROM lo ORDER BY id
CREATE TEMP TABLE gone (a int) ON COMMIT DROP
SELECT * FROM gone
CREATE TEMP TABLE er (a int) ON COMMIT DELETE ROWS
INSERT INTO er VALUES (1)
SELECT * FROM er
BEGIN
INSERT INTO er VALUES (1)
SELECT * FROM er
COMMIT
SELECT * FROM er
BEGIN
DROP TABLE er
CREATE TEMP TABLE er (a int)
INSERT INTO er VALUES (1)
COMMIT
SELECT * FROM er
BEGIN
CREATE TEMP TABLE ct ON COMMIT DROP AS SELECT 1 AS a
SELECT * FROM ct
ROLLBACK
SELECT * FROM ct
CREATE TEMP TABLE ct ON COMMIT PRESERVE ROWS AS SELECT 1 AS a
SELECT * FROM ct
CREATE TABLE perm (a int) ON COMMIT DROP
CREATE TEMP TABLE ie (a int) ON COMMIT DELETE ROWS; INSERT INTO ie VALUES (1); SELECT * FROM ie
SELECT * FROM ie
BEGIN
CREATE TEMP TABLE x1 (a int) ON COMMIT DROP
SELECT 1 FROM nope
COMMIT
SELECT * FROM x1
BEGIN
CREATE TEMP TABLE "X ""2" (a int) ON COMMIT DROP
INSERT INTO "X ""2" VALUES (1)
COMMIT
SELECT * FROM "X ""2"

-- [texts that are arrays]
CREATE TABLE held (id int PRIMARY KEY, a int[], t text[] NOT NULL DEFAULT '{}', d date[] DEFAULT '{2024-01-01,NULL}', b bytea[], n numeric(10,2)[], note text)
INSERT INTO held (id, a, t) VALUES (1, '{}', '{a,"b c",NULL}'), (2, '{1,NULL,3}', ARRAY['x'])
INSERT INTO held (a, id, note, b) VALUES ('{7}', 3, '{7}', '{"\\x00ff"}')
INSERT INTO held VALUES (4, '{4}', '{}', NULL, '{}', '{1.5,2}', '{}')
SELECT id, a, t, d, b, n, note FROM held ORDER BY id
UPDATE held SET a = '{9,8}', note = '{9,8}', t = '{u}' WHERE id = 1
INSERT INTO held (id, t) VALUES (1, '{v}') ON CONFLICT (id) DO UPDATE SET t = '{"w x"}'
SELECT id, a, t, note FROM held WHERE id = 1
SELECT id FROM held WHERE id = ANY('{}')
SELECT id FROM held WHERE id = ANY('{1,3}') AND note = ANY ('{"q",7}') ORDER BY id
SELECT id FROM held WHERE id = ANY('{1,3}') OR note = SOME('{x}') ORDER BY id
SELECT id FROM held WHERE id <> ALL('{1,2}') ORDER BY id
SELECT id FROM held WHERE id <> ALL('{}') ORDER BY id
INSERT INTO held (id, a) VALUES (5, 'oops')
--! message: wording
INSERT INTO held (id, a) VALUES (5, '{x}')
SELECT column_default::text FROM information_schema.columns WHERE table_name = 'held' AND column_name = 't'

-- [values in the place of tables]
SELECT count(*) FROM now()
SELECT x < now() + interval '1 day' AS fine FROM now() AS x
SELECT t.v IS NOT NULL AS fine FROM version() t(v)
SELECT a.i, s IS NULL AS none FROM (VALUES (1), (2)) a(i) LEFT JOIN current_setting('nothing.here', true) s ON true ORDER BY 1
SELECT extract(year FROM now()) > 2000 AS fine

-- [keys of indexes]
CREATE TABLE sorted (name text, v int)
CREATE INDEX ON sorted (name varchar_pattern_ops)
CREATE INDEX sorted_both ON sorted (name text_pattern_ops DESC NULLS LAST, v int4_ops)
CREATE UNIQUE INDEX sorted_lower ON sorted (lower(name) text_pattern_ops)

-- [rows that are shorter than the table]
CREATE TABLE short (id int PRIMARY KEY, "N a" text DEFAULT 'x', a int[] DEFAULT '{1}', v int)
INSERT INTO short VALUES (1)
INSERT INTO short VALUES (2, 'y'), (3, DEFAULT)
INSERT INTO short AS s VALUES (4, 'z', '{5}') ON CONFLICT (id) DO UPDATE SET v = 7 RETURNING *
INSERT INTO short VALUES (5), (6, 'q')
--! position: wording
INSERT INTO short VALUES (7, 'a', NULL, 1, 2)
--! message position: wording
SELECT * FROM short ORDER BY id

-- [functions the engine lacks]
SELECT btrim('  a '), btrim('xxaxx', 'x'), regexp_substr('foobar', 'o+'), regexp_substr('foobar', 'z')
SELECT string_to_table('a,b', ',')
SELECT array_remove(ARRAY[1,2,1], 1), array_replace(ARRAY[1,2,1], 1, 9), array_replace(ARRAY[1,NULL], NULL, 0), array_positions(ARRAY['a','b','a'], 'a')
SELECT width_bucket(5, 0, 10, 5), width_bucket(-1, 0, 10, 5), width_bucket(10, 0, 10, 5), width_bucket(3.5, 0, 10, 4), width_bucket(3, 10, 0, 5)
SELECT make_interval(days => 3), make_interval(years => 1, months => 2, weeks => 1, hours => 5, mins => 6, secs => 7.5), make_interval()
SELECT make_interval(1, 2, 3, 4, 5, 6, 7.25)
SELECT json_object_keys('{"a":1,"b":2}')
SELECT jsonb_object_keys('{"a":1,"b":2}') AS k ORDER BY k
SELECT json_array_elements('[1,2,"x",null,{"a":1}]')
SELECT json_array_elements_text('[1,2,"x",null]')
SELECT jsonb_array_elements('[1,2]') AS e
--! types: types
SELECT id, jsonb_array_elements_text(j) AS e FROM (VALUES (1, '["a","b"]'::jsonb), (2, '[]'::jsonb), (3, '["c"]'::jsonb)) t(id, j) ORDER BY 1, 2
SELECT * FROM jsonb_array_elements('[1,2]') AS e
--! types: types
SELECT jsonb_object_agg(k, v) ->> 'b' FROM (VALUES ('a', 1), ('b', 2)) t(k, v)
SELECT key, value FROM jsonb_each_text('{"a":1,"b":"x","c":null}') ORDER BY key
SELECT x.key, x.value, t.id FROM (VALUES (1, '{"a":1}'::jsonb), (2, '{"b":null}'::jsonb)) t(id, j) CROSS JOIN LATERAL jsonb_each_text(t.j) AS x ORDER BY 1

-- [values of search_path]
SHOW nope
SHOW server_encoding
SHOW block_size
SHOW "DateStyle"
SHOW datestyle
SHOW timezone
SHOW TIME ZONE
SHOW TRANSACTION ISOLATION LEVEL
SHOW SESSION AUTHORIZATION
SHOW session_authorization
SHOW lc_collate
SHOW search_path
--! values: identity
SHOW is_superuser
SHOW role
SET search_path = a, b
SHOW search_path
SET search_path = 'a, b'
SHOW search_path
--! values: identity
SET search_path = "A b", c
SHOW search_path
SET search_path TO DEFAULT
SHOW search_path
--! values: identity
SET search_path TO "$user", public
SHOW search_path
SET search_path = ''
SHOW search_path
SET search_path = 1
SET search_path = a,
SET search_path =
SELECT set_config('search_path', 'main, public', false)
SHOW search_path
SELECT set_config('search_path', 'x"y', false)
SET search_path = main

-- [values of settings]
SET statement_timeout = 1000
SHOW statement_timeout
SET statement_timeout = '2min'
SHOW statement_timeout
SET statement_timeout = '90s'
SHOW statement_timeout
SET statement_timeout = '1.5s'
SHOW statement_timeout
SET statement_timeout = '1 s'
SHOW statement_timeout
SET statement_timeout = ' 5  ms '
SHOW statement_timeout
SET statement_timeout = '1500us'
SHOW statement_timeout
SET statement_timeout = '0x10'
SHOW statement_timeout
SET statement_timeout = '010'
SHOW statement_timeout
SET statement_timeout = '1h'
SHOW statement_timeout
SET statement_timeout = '1d'
SHOW statement_timeout
SET statement_timeout = 1.5
SHOW statement_timeout
SET statement_timeout = '1e3'
SHOW statement_timeout
SET statement_timeout = -1
SET statement_timeout = 2147483648
SET statement_timeout = '25d'
SET statement_timeout = '24d'
SHOW statement_timeout
SET statement_timeout = 'soon'
SET statement_timeout = '5 parsecs'
SET statement_timeout = '5MB'
SET statement_timeout = ''
SET statement_timeout = '5S'
SET statement_timeout = 'NaN'
SET statement_timeout = 'inf'
SET statement_timeout = '1e400'
SET statement_timeout = NULL
SET statement_timeout = on
SET statement_timeout = true
SET statement_timeout TO DEFAULT
SHOW statement_timeout
SET statement_timeout = 1, 2
SET statement_timeout
SET statement_timeout 5
SET statement_timeout = (5)
SET statement_timeout = 2 + 3
SET statement_timeout = $1
--! message sqlstate: wording
SET work_mem = '64MB'
SHOW work_mem
SET work_mem = '64mb'
SET work_mem = '1GB'
SHOW work_mem
SET work_mem = 63
SET work_mem = '63kB'
SET work_mem = '1025kB'
SHOW work_mem
SET work_mem = '1.5MB'
SHOW work_mem
SET work_mem = '4TB'
SET work_mem = 1000
SHOW work_mem
SET effective_cache_size = '1GB'
SHOW effective_cache_size
SET effective_cache_size = '12kB'
SHOW effective_cache_size
SET effective_cache_size = 1001
SHOW effective_cache_size
SET temp_buffers = 99
SET random_page_cost = 1.1
SHOW random_page_cost
SET random_page_cost = -1
SET random_page_cost = '1e-3'
SHOW random_page_cost
SET random_page_cost = 1e400
SET random_page_cost = 1234567.891
SHOW random_page_cost
SET random_page_cost = 0.1234567
SHOW random_page_cost
SET seq_page_cost = 'x'
SET geqo_selection_bias = 3
SET geqo_seed = 0.5
SET vacuum_cost_delay = '1.5ms'
SHOW vacuum_cost_delay
SET vacuum_cost_delay = '1500us'
SHOW vacuum_cost_delay
SET vacuum_cost_delay = 2
SHOW vacuum_cost_delay
SET vacuum_cost_delay = 101
SET jit = off
SHOW jit
SET jit = 'o'
SET jit = 'of'
SHOW jit
SET jit = t
SHOW jit
SET jit = 'maybe'
SET jit = 2
SET jit = 1
SHOW jit
SET jit = ''
SET jit = NULL
SET enable_seqscan = 'FALSE'
SHOW enable_seqscan
SET client_min_messages = info
SHOW client_min_messages
SET client_min_messages = debug
SHOW client_min_messages
SET client_min_messages = 'WARNING'
SHOW client_min_messages
SET client_min_messages = fatal
SET client_min_messages = panic
SET client_min_messages = 'nope'
SET client_min_messages = error
SHOW client_min_messages
SET bytea_output = 'octal'
SET bytea_output = HEX
SHOW bytea_output
SET extra_float_digits = 4
SET extra_float_digits = -16
SET extra_float_digits = '2'
SHOW extra_float_digits
SET extra_float_digits = 2.5
SHOW extra_float_digits
SET extra_float_digits = 3.6
SET IntervalStyle = 'ISO_8601'
SHOW intervalstyle
SET IntervalStyle = iso8601

-- [values of time zones]
SET TimeZone = 'Europe/Prague'
SHOW TimeZone
SET TIME ZONE 'europe/prague'
SHOW TIMEZONE
SET TIME ZONE LOCAL
SHOW TimeZone
SET TIME ZONE DEFAULT
SHOW TimeZone
SET TIME ZONE 3
SHOW TimeZone
SET TIME ZONE -7
SHOW TimeZone
SET TIME ZONE 5.5
SHOW TimeZone
SET TIME ZONE '-5.25'
SHOW TimeZone
SET TIME ZONE 'GMT-03'
SHOW TimeZone
SELECT '2020-01-01 00:00:00+00'::timestamptz
SET TIME ZONE '<+05>-5'
SHOW TimeZone
SELECT '2020-01-01 00:00:00+00'::timestamptz
SET TIME ZONE 'EST5EDT'
SELECT '2020-07-01 00:00:00+00'::timestamptz
SET TIME ZONE 'PST8PDT,M3.2.0,M11.1.0'
--! outcome: missing
SELECT '2020-07-01 00:00:00+00'::timestamptz
--! values: missing
SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE
SHOW TimeZone
SET TIME ZONE INTERVAL '3'
--! outcome: missing
SET TIME ZONE INTERVAL '1 month'
--! message: wording
SET TIME ZONE 'Nowhere'
SET TIME ZONE 20
--! outcome: missing
SET TIME ZONE 200
--! message: wording
SET TIME ZONE ''
SET TimeZone = utc
SHOW TimeZone
SET TimeZone = 'UTC'
SET TimeZone = 'Etc/UTC'
SHOW TimeZone
SET SESSION TIME ZONE 'UTC'
SET LOCAL TIME ZONE 'UTC'
SET SESSION TIMEZONE TO 'Asia/Kolkata'
SHOW TimeZone
SET TIME ZONE PST8PDT
SHOW TimeZone
SET TIME ZONE "Europe/Paris"
SHOW TimeZone
SET timezone = 'America/New_York', 'UTC'
RESET TIME ZONE
SHOW TimeZone
RESET timezone
SHOW TIME ZONE

-- [values of DateStyle]
SET datestyle = 'ISO'
SET datestyle TO 'ISO, DMY'
SHOW datestyle
SET datestyle = iso, ymd
SHOW datestyle
SET datestyle = ISO, European
SHOW datestyle
SET datestyle = US
SHOW datestyle
SET datestyle = 'NonEuropean'
SHOW datestyle
SET datestyle = 'ISO, ISO'
SET datestyle = 'mdy, dmy'
SET datestyle = bogus
SET datestyle = ''
SET datestyle = DEFAULT
SHOW datestyle
SET datestyle = 'default'
SHOW datestyle
SET datestyle = 'iso,'
SET datestyle = SQL
--! outcome: missing
SET datestyle = 'Postgres, DMY'
--! outcome: missing
SET datestyle = German
--! outcome: missing
RESET datestyle
--! report: missing
SHOW datestyle

-- [values of encodings]
SET client_encoding = 'UTF8'
SET client_encoding TO utf8
SET client_encoding = 'utf-8'
SHOW client_encoding
SET client_encoding = unicode
SHOW client_encoding
SET NAMES 'utf8'
SET NAMES UTF8
--! outcome: lenient
SET NAMES
SHOW client_encoding
SET NAMES DEFAULT
SET NAMES 'LATIN1'
--! outcome: missing
SET client_encoding = 'bogus'
SET client_encoding = ''
SET client_encoding = SQL_ASCII
SHOW client_encoding
RESET client_encoding
SHOW client_encoding
SET client_encoding = 'U_T F8'
SHOW client_encoding

-- [roles and settings of the server]
SET ROLE NONE
SET ROLE none
SET ROLE 'none'
SET ROLE nobody
--! message sqlstate: identity
SET SESSION ROLE NONE
SET LOCAL ROLE NONE
SET SESSION AUTHORIZATION DEFAULT
SET SESSION AUTHORIZATION nobody
--! message sqlstate: identity
SET LOCAL SESSION AUTHORIZATION DEFAULT
SET SESSION SESSION AUTHORIZATION DEFAULT
RESET ROLE
RESET SESSION AUTHORIZATION
RESET session_authorization
SHOW role
SET role = 'none'
SET session_authorization = DEFAULT
SET is_superuser = on
SET server_version = '1'
SET server_version_num = 1
SET server_encoding = 'UTF8'
SET block_size = 1
SET max_identifier_length = 63
SET max_index_keys = 1
SET integer_datetimes = off
SET in_hot_standby = on
SET lc_collate = 'C'
SET shared_buffers = '1GB'
SET max_connections = 5
SET port = 5
SET listen_addresses = ''
SET autovacuum = off
--! message: wording
SET fsync = off
--! message sqlstate: missing
SET log_statement = 'all'
--! message sqlstate: missing
SET session_preload_libraries = 'x'
--! message sqlstate: missing
SET shared_preload_libraries = 'x'
--! message sqlstate: missing
SET local_preload_libraries = 'x'
--! outcome: missing
SET dynamic_library_path = 'x'
--! message sqlstate: missing
SET data_directory = 'x'
--! message sqlstate: missing
SHOW ssl
RESET server_version
RESET shared_buffers
RESET is_superuser
RESET log_statement
--! message sqlstate: missing
SET nope = 1
SHOW nope
RESET nope
SELECT current_setting('nope')
SELECT current_setting('nope', true)
SELECT current_setting('nope', false)
SELECT current_setting(NULL)
SELECT current_setting('work_mem')
SELECT current_setting('WORK_MEM')
SELECT set_config('nope', '1', false)
SELECT set_config('work_mem', 'x', false)
SELECT set_config('work_mem', '8MB', false)
SHOW work_mem
SELECT set_config('work_mem', '9MB', true)
SHOW work_mem
SELECT set_config('work_mem', NULL, false)
SHOW work_mem
SELECT set_config(NULL, '1', false)
SELECT set_config('work_mem', '8MB', NULL)
SELECT set_config('server_version', '8', false)
SELECT set_config('a.b', 'c', false), current_setting('a.b')
SELECT pg_catalog.set_config('search_path', '', false)
SHOW search_path
SELECT pg_catalog.current_setting('search_path')

-- [settings of the client]
SET a.b = 'x'
SHOW a.b
SET a.b = 1
SHOW a.b
SET a.b = 1.50
SHOW a.b
SET a.b = -3
SHOW a.b
SET a.b = true
SHOW a.b
SET a.b = on
SHOW a.b
SET a.b = Foo
SHOW a.b
SET a.b = "Foo"
SHOW a.b
SET a.b = 'it''s'
SHOW a.b
SET a.b = E'a\nb'
SET a.b = x, y
SET a.b TO DEFAULT
SHOW a.b
SET a.c TO DEFAULT
SHOW a.c
RESET a.b
SHOW a.b
RESET a.nope
SHOW a.nope
SELECT current_setting('a.nope')
SELECT current_setting('a.nope', true)
SET a.b.c = 1
SHOW a.b.c
SET "a b.c" = 1
SET a."b c" = 1
SET "1a.b" = 1
SET a.1b = 1
--! message position: wording
SET ".b" = 1
SET "a." = 1
SET "a..b" = 1
SHOW A.B
SET plpgsql.variable_conflict = 'error'
SET pg_stat_statements.track = 'all'
BEGIN
SET a.d = 'in'
SHOW a.d
ROLLBACK
SHOW a.d
BEGIN
SET LOCAL a.e = 'in'
SHOW a.e
COMMIT
SHOW a.e
SELECT current_setting('a.e')
SELECT current_setting('a.e', true)
SET a.f = 'x'
RESET ALL
SHOW a.f

-- [settings in transactions]
SET work_mem = '5MB'
BEGIN
SET work_mem = '6MB'
SET LOCAL work_mem = '7MB'
SHOW work_mem
COMMIT
SHOW work_mem
BEGIN
SET LOCAL work_mem = '7MB'
SET work_mem = '8MB'
SHOW work_mem
COMMIT
SHOW work_mem
BEGIN
SET work_mem = '9MB'
ROLLBACK
SHOW work_mem
BEGIN
SET LOCAL work_mem = '9MB'
SAVEPOINT a
SET LOCAL work_mem = '10MB'
ROLLBACK TO a
SHOW work_mem
SET work_mem = '11MB'
SAVEPOINT b
SET work_mem = '12MB'
RELEASE b
SHOW work_mem
COMMIT
SHOW work_mem
BEGIN
SAVEPOINT a
SET LOCAL work_mem = '13MB'
RELEASE a
SHOW work_mem
COMMIT
SHOW work_mem
SET LOCAL work_mem = '20MB'
SHOW work_mem
SET LOCAL work_mem = 'x'
SET LOCAL nope = 1
SET SESSION work_mem = '21MB'
SHOW work_mem
BEGIN
SET work_mem = '22MB'
SELECT 'x'::int
SHOW work_mem
COMMIT
SHOW work_mem
BEGIN
RESET work_mem
SHOW work_mem
ROLLBACK
SHOW work_mem
BEGIN
SET LOCAL application_name = 'loc'
SHOW application_name
COMMIT
SHOW application_name
SET application_name = 'größe'
SHOW application_name
SET application_name = 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz'
--! notice: wording
SHOW application_name
SET application_name TO foo
SHOW application_name
SET application_name = Foo
SHOW application_name
SET application_name = a, b
RESET ALL
SHOW application_name
SHOW work_mem
SET work_mem = '5MB'; SELECT 'x'::int
SHOW work_mem
SET work_mem = '5MB'; SET work_mem = 'x'
SHOW work_mem

-- [modes of transactions]
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE
SHOW default_transaction_isolation
SHOW transaction_isolation
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY
SHOW default_transaction_read_only
SHOW transaction_read_only
CREATE TABLE romode (i int)
SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE, ISOLATION LEVEL REPEATABLE READ
SHOW default_transaction_isolation
SHOW default_transaction_read_only
SET SESSION CHARACTERISTICS AS TRANSACTION DEFERRABLE
SHOW default_transaction_deferrable
SET SESSION CHARACTERISTICS AS TRANSACTION NOT DEFERRABLE
SHOW default_transaction_deferrable
SET SESSION CHARACTERISTICS AS TRANSACTION
SET SESSION CHARACTERISTICS AS TRANSACTION BOGUS
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE
SET TRANSACTION READ ONLY
BEGIN
SHOW transaction_isolation
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE
SHOW transaction_isolation
SET TRANSACTION READ ONLY
SHOW transaction_read_only
SET TRANSACTION READ WRITE
COMMIT
BEGIN READ ONLY
SHOW transaction_read_only
SELECT 1
SET TRANSACTION READ WRITE
ROLLBACK
BEGIN
SELECT 1
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE
ROLLBACK
BEGIN
SELECT 1
SET TRANSACTION READ ONLY
SET TRANSACTION READ WRITE
ROLLBACK
BEGIN
SET transaction_read_only = on
SHOW transaction_read_only
CREATE TABLE romode (i int)
ROLLBACK
BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY, DEFERRABLE
SHOW transaction_isolation
SHOW transaction_read_only
SHOW transaction_deferrable
COMMIT
BEGIN ISOLATION LEVEL BOGUS
SET default_transaction_isolation = 'bogus'
SET default_transaction_isolation = 'read uncommitted'
SHOW transaction_isolation
SET transaction_isolation = 'serializable'
SHOW transaction_isolation
SET default_transaction_isolation = serializable
RESET default_transaction_isolation
SET default_transaction_read_only = on
SHOW transaction_read_only
CREATE TABLE romode (i int)
SET default_transaction_read_only = off
SET transaction_read_only = on
SHOW transaction_read_only
SET TRANSACTION SNAPSHOT '00000003-0000001B-1'
--! message notice: wording
SET TRANSACTION
SET LOCAL TRANSACTION READ ONLY
SET SESSION TRANSACTION READ ONLY
SET LOCAL transaction_isolation = serializable

-- [forms of SET]
SET work_mem TO '5MB'
SET SESSION work_mem = '5MB'
SET GLOBAL work_mem = '5MB'
--! outcome: lenient
SET work_mem FROM CURRENT
SET
SET LOCAL
RESET
SHOW
SHOW work_mem, jit
SET "work_mem" = '5MB'
SET "WORK_MEM" = '5MB'
SET WORK_MEM = '5MB'
SHOW "WORK_MEM"
SET 'work_mem' = '5MB'
SET work_mem = 5MB
--! message position: wording
SET work_mem == 5
SET work_mem = '5MB' garbage
SET work_mem = default garbage
RESET work_mem garbage
SHOW work_mem garbage
SHOW ALL garbage
RESET ALL garbage
SET CONSTRAINTS ALL DEFERRED
SET CONSTRAINTS ALL IMMEDIATE
SET SCHEMA 'main'
SHOW search_path
SET SCHEMA main
SET CATALOG 'x'
SET XML OPTION DOCUMENT
SHOW xmloption
SET XML OPTION CONTENT
SHOW xmloption
SET search_path = main
DISCARD ALL
DISCARD PLANS
DISCARD SEQUENCES
DISCARD TEMP
DISCARD TEMPORARY
DISCARD
DISCARD BOGUS
BEGIN
DISCARD ALL
ROLLBACK
BEGIN
DISCARD PLANS
DISCARD TEMP
DISCARD SEQUENCES
ROLLBACK
LISTEN a
NOTIFY a
NOTIFY a, 'payload'
UNLISTEN a
UNLISTEN *
ALTER ROLE CURRENT_USER SET work_mem = '5MB'
--! outcome: identity
ALTER USER CURRENT_USER SET work_mem = '5MB'
--! outcome: identity
ALTER ROLE ALL SET work_mem = '5MB'
--! message: wording
ALTER ROLE CURRENT_USER RESET ALL
--! outcome: identity
ALTER ROLE nobody SET work_mem = '5MB'
--! message sqlstate: identity
ALTER DATABASE foo SET work_mem = '5MB'
--! message sqlstate: identity
ALTER SYSTEM SET work_mem = '5MB'
--! message: wording
ALTER SYSTEM RESET ALL
--! message: wording
LOAD 'x'
--! message: wording
PREPARE TRANSACTION 'x'
--! outcome: missing
COMMIT PREPARED 'x'
--! message sqlstate: missing
ROLLBACK PREPARED 'x'
--! message sqlstate: missing
BEGIN
PREPARE TRANSACTION 'x'
--! message position sqlstate state: missing
ROLLBACK
--! notice: wording
BEGIN
COMMIT PREPARED 'x'
--! message sqlstate: missing
ROLLBACK
DO $$ BEGIN END $$
--! outcome: missing
DO LANGUAGE plpgsql 'x'
--! message position sqlstate: missing

-- [settings in strings of statements]
SET LOCAL work_mem = '1MB'; SHOW work_mem
--! notice: wording
SHOW work_mem
SET work_mem = '2MB'; SELECT nope
SHOW work_mem
SET work_mem = '2MB'; SHOW work_mem; SELECT 'x'::int
SHOW work_mem
SELECT set_config('work_mem', '3MB', true); SHOW work_mem
SHOW work_mem
SELECT set_config('work_mem', '3MB', true)
SHOW work_mem
SELECT set_config('work_mem', '3MB', true), current_setting('work_mem')
SHOW work_mem
SELECT set_config('work_mem', '4MB', false), 'x'::int
SHOW work_mem
SELECT set_config('a.z', 'v', false) WHERE false
SELECT current_setting('a.z', true)
--! values: missing
BEGIN; SET LOCAL work_mem = '5MB'; COMMIT; SHOW work_mem
SET work_mem = '6MB'; COMMIT
SHOW work_mem
SET work_mem = '7MB'; ROLLBACK
SHOW work_mem

-- [sqlstates and positions]
SELECT
--! outcome: dialect
SELEC 1
SELECT 1 1
SELECT * FROM
SELECT * FROM nope
SELECT * FROM nope.t
--! sqlstate: dialect
SELECT * FROM a.b.c
--! message position sqlstate: dialect
SELECT nope
SELECT t.nope FROM (SELECT 1 AS a) t
SELECT u.a FROM (SELECT 1 AS a) t
SELECT nope()
--! message: wording
SELECT nope(1, 'a')
--! message: wording
SELECT 1::nope
CREATE TABLE errt (i int PRIMARY KEY, t text NOT NULL, n numeric(4,2) CHECK (n > 0), u int UNIQUE)
CREATE TABLE errt (i int)
CREATE VIEW errv AS SELECT 1 AS a
CREATE VIEW errv AS SELECT 1 AS a
CREATE SCHEMA errs
CREATE SCHEMA errs
CREATE INDEX erri ON errt (t)
CREATE INDEX erri ON errt (t)
CREATE TYPE erre AS ENUM ('a')
CREATE TYPE erre AS ENUM ('a')
CREATE SEQUENCE errq
CREATE SEQUENCE errq
DROP TABLE nope
--! message: wording
DROP VIEW nope
DROP SCHEMA nope
DROP INDEX nope
DROP TYPE nope
DROP SEQUENCE nope
--! message: wording
DROP TABLE errv
DROP VIEW errt
DROP FUNCTION nope
--! message: wording
DROP FUNCTION nope(int)
--! message position sqlstate: missing
SELECT a FROM (SELECT 1 AS a) x, (SELECT 2 AS a) y
SELECT i, count(*) FROM errt
--! message: wording
SELECT count(*) FROM errt WHERE count(*) > 1
--! message: wording
SELECT sum(sum(i)) FROM errt
SELECT i FROM errt GROUP BY 5
--! message position: wording
SELECT i FROM errt ORDER BY 5
--! message: wording
SELECT i FROM errt HAVING i > 1
--! message position: wording
SELECT 'x'::int
SELECT '99999999999'::int
SELECT 99999999999::int
--! message: wording
SELECT 300::smallint::smallint, 99999::smallint
--! message: wording
SELECT 'x'::date
SELECT '2020-13-01'::date
SELECT '2020-02-30'::timestamp
SELECT '25:00'::time
SELECT 'x'::interval
SELECT 'x'::uuid
--! message position: wording
SELECT 'x'::boolean
SELECT '{'::json
--! message position: wording
SELECT '{1,2'::int[]
--! message position: wording
SELECT 'x'::numeric
SELECT '1e400'::float8
--! outcome: dialect
SELECT 1/0::numeric
--! outcome: dialect
SELECT 1 % 0
--! outcome: dialect
SELECT sqrt(-1)
SELECT ln(0)
SELECT ln(-1)
SELECT 2147483647 + 1
SELECT 9223372036854775807 + 1
SELECT 10::numeric(2,1)
--! message: wording
SELECT true + 1
--! message: wording
SELECT 'a' + 1
--! message position sqlstate: dialect
SELECT date '2020-01-01' + true
--! message: wording
SELECT ARRAY[1]::int
--! message position: wording
SELECT 1::int[]
--! message position: wording
SELECT 'b'::erre
--! message position: wording
SELECT (SELECT i FROM (VALUES (1),(2)) v(i))
--! message: wording
SELECT (SELECT 1, 2)
--! message: wording
SELECT 1 LIMIT -1
--! message position: wording
SELECT 1 OFFSET -1
--! message position sqlstate: dialect
SELECT 1 UNION SELECT 1, 2
--! message position: wording
SELECT 1 UNION SELECT 'a'
--! outcome: dialect
SELECT CASE WHEN 1 THEN 2 END
--! outcome: dialect
SELECT 1 WHERE 1
--! outcome: dialect
SELECT 1 WHERE 'x'
SELECT DISTINCT ON (1) 1
SELECT * FROM (SELECT 1)
--! outcome: dialect
SELECT * FROM errt x, errt x
--! message: wording
SELECT *
--! message position: wording
SELECT 1 AS a, 2 AS a ORDER BY a
--! outcome: dialect
SELECT row_number() FROM errt
--! message sqlstate: dialect
SELECT row_number() OVER (ORDER BY nope) FROM errt
SELECT repeat('x', -1)
SELECT substring('x', 1, -1)
--! outcome: lenient
SELECT chr(0)
--! outcome: lenient
SELECT chr(-1)
--! message: wording
SELECT to_date('x', 'YYYY-MM-DD')
--! message: wording
SELECT regexp_replace('a', '(', 'b')
--! message: wording
SELECT 'a' ~ '('
--! message: wording
SELECT 'a' LIKE 'a\' ESCAPE 'xx'
--! message: wording
SELECT 'x' COLLATE nope
--! message position: wording
SELECT nextval('nope')
--! position: wording
SELECT 'nope'::regclass
--! position: wording
SELECT 'nope'::regtype
--! position: wording
INSERT INTO nope VALUES (1)
INSERT INTO errt (nope) VALUES (1)
INSERT INTO errt VALUES (1)
--! message: wording
INSERT INTO errt VALUES (1, NULL, 1, 1)
--! message: wording
INSERT INTO errt VALUES (1, 'a', -1, 1)
--! message: wording
INSERT INTO errt VALUES (1, 'a', 1, 1)
INSERT INTO errt VALUES (1, 'a', 1, 2)
INSERT INTO errt VALUES (2, 'a', 1, 1)
INSERT INTO errt VALUES (3, 'a', 1, 3, 4)
--! message position: wording
INSERT INTO errt (i, i) VALUES (1, 2)
--! position: wording
INSERT INTO errt VALUES (NULL, 'a', 1, 7)
--! message: wording
INSERT INTO errt VALUES ('x', 'a', 1, 7)
INSERT INTO errt VALUES (8, 'a', 1000, 7)
--! message position: wording
UPDATE errt SET nope = 1
--! message: wording
UPDATE nope SET a = 1
UPDATE errt SET i = 'x'
UPDATE errt SET t = NULL
--! message: wording
DELETE FROM nope
DELETE FROM errt WHERE nope
ALTER TABLE nope ADD COLUMN a int
ALTER TABLE errt ADD COLUMN t int
--! message: wording
ALTER TABLE errt DROP COLUMN nope
ALTER TABLE errt RENAME COLUMN nope TO a
--! message: wording
ALTER TABLE errt ADD COLUMN z nope
CREATE TABLE x1 (a nope)
CREATE TABLE x1 (a int, a int)
--! message: wording
CREATE TABLE nope.x1 (a int)
--! position: wording
CREATE TABLE x1 (a int PRIMARY KEY, b int PRIMARY KEY)
--! message position: wording
CREATE TABLE x1 (a int DEFAULT 'x')
--! outcome: dialect
CREATE TABLE x1 (a int REFERENCES nope(i))
CREATE TABLE errc (i int REFERENCES errt(i))
INSERT INTO errc VALUES (99)
INSERT INTO errc VALUES (1)
DELETE FROM errt
DROP TABLE errt
--! message: wording
CREATE INDEX x1 ON nope (a)
CREATE INDEX x1 ON errt (nope)
--! message: wording
CREATE VIEW x1 AS SELECT * FROM nope
TRUNCATE nope
--! position: wording
COMMENT ON TABLE nope IS 'x'
EXECUTE nope
DEALLOCATE nope
FETCH nope
CLOSE nope
MOVE nope
DECLARE c CURSOR FOR SELECT 1
SAVEPOINT a
RELEASE a
ROLLBACK TO a
PREPARE p AS SELECT $1::int
PREPARE p AS SELECT 1
EXECUTE p
EXECUTE p(1, 2)
EXECUTE p('x')
--! position: wording
LOCK TABLE nope
--! outcome: lenient
VACUUM nope
--! outcome: lenient
ANALYZE nope
--! outcome: lenient
GRANT SELECT ON nope TO PUBLIC
--! outcome: lenient
COPY nope FROM STDIN
COPY errt (nope) TO STDOUT
--! message: wording
EXPLAIN SELECT nope
SELECT 'ä', nope
SELECT 'ä€😀' AS "ä", x'zz'
--! outcome: dialect
SELECT 'unterminated
SELECT "unterminated
SELECT $$unterminated
SELECT /* unterminated
SELECT 1 FROM errt WHERE i = 'x'
SELECT i FROM errt WHERE t = 1
--! message position sqlstate: dialect

-- [groups by a key]
CREATE TABLE gu (id serial PRIMARY KEY, name text, email text UNIQUE, n int)
CREATE TABLE gp (id serial PRIMARY KEY, uid int, title text, i int)
CREATE TABLE gm (a int, b int, c text, PRIMARY KEY (a, b))
INSERT INTO gu (name, email, n) VALUES ('ann', 'a@x', 1), ('bob', 'b@x', 2), ('cid', NULL, 3)
INSERT INTO gp (uid, title, i) VALUES (1, 't1', 1), (1, 't2', 2), (2, 't3', 3)
INSERT INTO gm VALUES (1, 1, 'x'), (1, 2, 'z')
SELECT gu.*, count(gp.id) FROM gu LEFT JOIN gp ON gp.uid = gu.id GROUP BY gu.id ORDER BY gu.id
SELECT "gu"."id", "gu"."name", count("gp"."id") AS "c" FROM "gu" LEFT OUTER JOIN "gp" ON ("gp"."uid" = "gu"."id") GROUP BY "gu"."id" HAVING count(gp.id) > 0 ORDER BY "gu"."name"
SELECT x.name, count(*) FROM gu AS x GROUP BY x.id ORDER BY x.email NULLS LAST
SELECT name, count(*) FROM gu GROUP BY id ORDER BY name
SELECT u.id AS uid, u.name, count(*) FROM gu u, gp WHERE gp.uid = u.id GROUP BY 1 ORDER BY 1
SELECT gu.name, gp.title FROM gu JOIN gp ON gp.uid = gu.id GROUP BY gp.id, gu.id ORDER BY 2
SELECT gu.name, gp.title FROM gu JOIN gp ON gp.uid = gu.id GROUP BY gu.id
--! message: wording
SELECT a, b, c, count(*) FROM gm GROUP BY b, a ORDER BY b
SELECT a, c, count(*) FROM gm GROUP BY a
--! message: wording
SELECT id, name FROM gu GROUP BY email
--! message: wording
SELECT name, count(*) FROM gu GROUP BY ROLLUP (id)
--! message: wording
SELECT gu.name, (SELECT count(*) FROM gp WHERE gp.uid = gu.id) AS c FROM gu GROUP BY gu.id ORDER BY 1
SELECT gu.name FROM gu JOIN (SELECT uid, title FROM gp GROUP BY gp.id) q ON q.uid = gu.id GROUP BY gu.id ORDER BY 1
SELECT u.id, upper(u.name) AS n, sum(gp.i)::int AS s FROM (gu u INNER JOIN gp ON gp.uid = u.id) WHERE u.n IS NOT NULL GROUP BY u.id, date_trunc('day', timestamp '2024-01-01') ORDER BY u.n DESC
SELECT x.id, x.name FROM gu x GROUP BY x.id UNION ALL SELECT gp.id, gp.title FROM gp GROUP BY gp.id ORDER BY 1, 2
BEGIN
SELECT name, count(*) FROM gu GROUP BY id ORDER BY name
CREATE TEMP TABLE gt (id int PRIMARY KEY, v text)
SELECT v, count(*) FROM gt GROUP BY id
SELECT v, count(*) FROM gt GROUP BY v, nope
ROLLBACK
CREATE VIEW gv AS SELECT gu.name, count(*) AS c FROM gu JOIN gp ON gu.id = gp.uid GROUP BY gu.id
SELECT * FROM gv ORDER BY 1

-- [conflicts on constraints]
CREATE TABLE oc (id int PRIMARY KEY, email text, n int, CONSTRAINT "One mail" UNIQUE (email), UNIQUE (n, email))
INSERT INTO oc VALUES (1, 'a@x', 1)
INSERT INTO oc VALUES (2, 'a@x', 2) ON CONFLICT ON CONSTRAINT "One mail" DO UPDATE SET n = excluded.n + 10 RETURNING id, n
INSERT INTO oc VALUES (1, 'b@x', 2) ON CONFLICT ON CONSTRAINT oc_pkey DO NOTHING
INSERT INTO oc AS x VALUES (1, 'b@x', 2) ON CONFLICT ON CONSTRAINT oc_pkey DO UPDATE SET email = x.email || excluded.email WHERE x.n > 1 RETURNING *
INSERT INTO oc VALUES (3, 'a@xb@x', 12) ON CONFLICT ON CONSTRAINT oc_n_email_key DO NOTHING
INSERT INTO oc VALUES (3, 'a@xb@x', 12) ON CONFLICT ON CONSTRAINT nope DO NOTHING
SELECT * FROM oc ORDER BY id

-- [numbers in quotes]
CREATE TABLE nq (i int, b bigint, d numeric(10,2), f float8, t text, day date)
INSERT INTO nq VALUES (3, 4, 1.25, 0.5, 'x', '2024-01-31')
SELECT i + '1' AS v, b - '1' AS w, i * '2' + '3' - '1' AS x, f + '2.5' AS y, '10' - i AS z, i % '2' AS q FROM nq
SELECT d + '1.75' AS v FROM nq
--! types values: dialect
SELECT i + ' 1 ' AS v, i + '-1' AS w, day - '2024-01-01' > 29 AS x FROM nq
UPDATE nq SET i = i + '1', t = t || '1' RETURNING i, t
SELECT i FROM nq WHERE i > '1' AND i + '1' < '9' ORDER BY i LIMIT '10' OFFSET '0'
SELECT i + 'x' FROM nq
--! message position sqlstate: wording
SELECT i + '1.5' FROM nq
--! message position sqlstate: wording

-- [rows out of JSON and texts]
CREATE TABLE sj (id int, j jsonb, tags text)
INSERT INTO sj VALUES (1, '{"items":[{"n":"a","q":2},{"n":"b","q":3}],"tags":["x","y"],"on":true}', 'a,b'), (2, '{"items":[],"tags":[]}', ''), (3, NULL, NULL)
SELECT id, e ->> 'n' AS n FROM sj, jsonb_array_elements(j -> 'items') e ORDER BY 1, 2
SELECT id, e.value ->> 'n' AS n FROM sj, jsonb_array_elements(sj.j -> 'items') AS e ORDER BY 1, 2
SELECT sj.id, item ->> 'n' AS n, (item ->> 'q')::int + 1 AS q FROM sj CROSS JOIN LATERAL jsonb_array_elements(sj.j -> 'items') AS item WHERE (item ->> 'q')::int > 2
SELECT sj.id, t.tag FROM sj LEFT JOIN LATERAL jsonb_array_elements_text(sj.j -> 'tags') AS t(tag) ON true ORDER BY 1, 2
SELECT id FROM sj WHERE EXISTS (SELECT 1 FROM jsonb_array_elements_text(j -> 'tags') AS t WHERE t = 'y')
SELECT id, (SELECT string_agg(t, '|' ORDER BY t) FROM jsonb_array_elements_text(j -> 'tags') t) AS s FROM sj ORDER BY id
SELECT x.value, x.ordinality FROM json_array_elements_text('["p","q"]') WITH ORDINALITY AS x
SELECT * FROM json_array_elements_text('["p","q"]') WITH ORDINALITY
SELECT v, n FROM jsonb_array_elements('[5,{"a":1}]') WITH ORDINALITY AS x(v, n)
--! types values: types
SELECT k FROM sj, jsonb_object_keys(j) AS k WHERE id = 1 ORDER BY k
SELECT k, count(*) FROM sj, jsonb_object_keys(j) k GROUP BY k ORDER BY k
SELECT e.key, e.value FROM sj, jsonb_each(j) e WHERE id = 1 AND e.key = 'on'
--! types: types
SELECT key, value FROM sj, jsonb_each_text(j) WHERE id = 1 AND key = 'on'
SELECT r.* FROM sj, jsonb_to_recordset(j -> 'items') AS r(n text, q int, z bool) ORDER BY n
SELECT r.n, sj.id FROM sj, LATERAL jsonb_to_recordset(sj.j -> 'items') AS r("n" varchar(5), q numeric(4,1)) WHERE r.q > 2.5
--! types: types
SELECT a, c FROM json_to_recordset('[{"a":1,"c":{"x":[1]}},{"a":"2","c":null}]') AS t(a int, c json)
SELECT * FROM json_to_record('{"a":[1,2],"B":"x","d":"2024-01-02"}') AS t(a int[], "B" text, d date)
INSERT INTO sj (id, tags) SELECT a, b FROM json_to_recordset('[{"a":7,"b":"x"},{"a":8}]') AS t(a int, b text)
SELECT id, tags FROM sj WHERE id > 5 ORDER BY id
SELECT t FROM sj, string_to_table(tags, ',') AS t ORDER BY t
SELECT p FROM sj, regexp_split_to_table(tags, ',') p WHERE id = 1 ORDER BY p
SELECT m[2] || m[1] AS v FROM regexp_matches('a1b2', '([a-z])(\d)', 'g') AS m
SELECT (regexp_match('k=v', '(\w+)=(\w+)'))[2] AS v, regexp_match('abc', '(?:a)(b)') AS w, regexp_match('a(b', '\((b)') AS x, regexp_match('x', 'X', 'i') AS y, regexp_match('q[1]', '[(](.)') AS z
SELECT regexp_like('Abc', 'b'), regexp_like('Abc', 'a', 'i'), regexp_instr('foobar', 'b.'), regexp_instr('foobar', 'z')
SELECT json_agg(id ORDER BY id DESC) AS a, jsonb_agg(id) FILTER (WHERE id > 7) AS b, json_agg(DISTINCT tags ORDER BY tags) FILTER (WHERE id < 3) AS c FROM sj
--! types values: types
SELECT id, json_agg(id) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) AS v FROM sj ORDER BY id LIMIT 2
--! values: types
SELECT json_agg(json_build_object('id', id, 't', tags) ORDER BY id) FILTER (WHERE id = 1) AS v FROM sj
--! values: types
SELECT coalesce(json_agg(id ORDER BY id) FILTER (WHERE id > 100), '[]') AS v FROM sj
SELECT id FROM sj WHERE j ? 'tags' ORDER BY id
SELECT id FROM sj WHERE j ? 'on' AND NOT j ? 'nope' OR j -> 'tags' ? 'zzz'
SELECT id FROM sj WHERE j ?| ARRAY['on', 'off'] OR (j -> 'tags') ?& ARRAY['x', 'y']
SELECT '["a",1]'::jsonb ? 'a' AS a, '"a"'::jsonb ? 'a' AS b, '1'::jsonb ? '1' AS c, '{"a":1}'::jsonb ? 'A' AS d
SELECT jsonb_extract_path('{"a":{"b":[7]}}', 'a', 'b', '0') AS a, jsonb_extract_path_text('{"a":{"b":"x"}}', 'a', 'b') AS b
--! types: types
SELECT justify_hours(interval '27 hours') AS a, justify_hours(interval '1 day -1 hour') AS b, justify_days(interval '35 days') AS c, justify_days(interval '1 mon -1 day') AS d, justify_interval(interval '1 mon -1 hour') AS e, justify_interval(interval '-65 days 50 hours') AS f, justify_days(interval '-35 days') AS g, justify_hours(interval '-49:30:00') AS h, justify_interval(interval '1 year 400 days -30 hours') AS i
SELECT div(9, 4) = 2 AS a, div(-9, 4) = -2 AS b, div(7.9, 2) = 3 AS c
SELECT div(1, 0)
SELECT num_nulls(1, NULL, 'x') AS a, num_nonnulls(1, NULL, 'x', NULL) AS b, num_nulls(NULL) AS c
SELECT overlay('Txxxxas' placing 'hom' from 2 for 4) AS a, overlay('Txxxxas' PLACING 'hom' FROM 2) AS b, overlay('abc' placing '' from 1 for 1) AS c
SELECT lpad('hi', 5) AS a, rpad('hi', 5) || '|' AS b, lpad('hello', 2) AS c, lpad('x', 4, 'ab') AS d
SELECT trim_array(ARRAY[1,2,3], 2) AS a, trim_array(ARRAY[1,2,3], 0) AS b, array_fill(7, ARRAY[3]) AS c
SELECT trim_array(ARRAY[1,2,3], 4)
SELECT array_ndims(ARRAY[[1,2],[3,4]]) AS a, array_ndims(ARRAY[1]) AS b, array_ndims(ARRAY[]::int[]) AS c, width_bucket(35, ARRAY[10,20,30]) AS d, width_bucket(5, ARRAY[10,20]) AS e
SELECT string_to_array('a,,c', ',', '') AS a, string_to_array('abc', NULL) AS b, string_to_array('', ',') AS c, string_to_array('a,b', '') AS d, string_to_array(NULL, ',') AS e
SELECT make_timestamptz(2013, 7, 15, 8, 15, 23.5) AS a, make_timestamptz(2013, 7, 15, 8, 15, 23.5, 'Europe/Prague') AS b
SELECT normalize('a') AS a, overlay(NULL placing 'a' from 1) AS b
DROP TABLE sj

-- [changes of JSON]
SELECT jsonb_set('{"a":1,"b":{"c":2}}', '{b,c}', '5') AS a, jsonb_set('{"a":1}', '{b}', '"x"') AS b, jsonb_set('{"a":1}', '{b}', '"x"', false) AS c, jsonb_set('{}', '{a}', 'null') AS d
--! types values: types
SELECT jsonb_set('{"a":[1,2,3]}', '{a,1}', '9')::text AS a, jsonb_set('[1,2]', '{-1}', '9')::text AS b, jsonb_set('[1,2]', '{5}', '9')::text AS c, jsonb_set('[1,2]', '{-5}', '9')::text AS d, jsonb_set('[]', '{0}', '9')::text AS e
--! values: types
SELECT jsonb_set('{"a":1}', '{x,y}', '9') ->> 'a' AS a, jsonb_set('{"a":{"b":[{"c":1}]}}', ARRAY['a','b','0','c'], '{"d":1}') -> 'a' -> 'b' -> 0 -> 'c' ->> 'd' AS b, jsonb_set('{"a b":{"q":1}}', '{"a b","q"}', '2') -> 'a b' ->> 'q' AS c
SELECT jsonb_set(NULL, '{a}', '1') AS a, jsonb_set('{"a":1}', NULL, '1') AS b, jsonb_set('{"a":1}', '{a}', NULL) AS c
--! types: types
SELECT jsonb_set('1', '{a}', '1')
SELECT jsonb_set('[1]', '{a}', '1')
--! message: wording
SELECT jsonb_set('{"é":"ü\\u0041"}', '{é}', to_jsonb('ß'::text)) ->> 'é' AS a, jsonb_set('{"u\\u0041":1}', '{uA}', '2') ->> 'uA' AS b
SELECT jsonb_insert('{"a":[0,1,2]}', '{a,1}', '"n"')::text AS a, jsonb_insert('{"a":[0,1,2]}', '{a,1}', '"n"', true)::text AS b, jsonb_insert('{"a":1}', '{b}', '2')::text AS c, jsonb_insert('[]', '{0}', '2')::text AS d, jsonb_insert('[1]', '{-1}', '2')::text AS e
--! values: types
SELECT jsonb_insert('{"a":1}', '{a}', '2')
SELECT '{"a":1,"b":2}'::jsonb @> '{"a":1}' AS a, '{"a":1,"b":2}'::jsonb @> '{"a":2}'::jsonb AS b, '{"a":{"b":1}}'::jsonb @> '{"b":1}' AS c, '{"a":{"b":1,"c":2}}'::jsonb @> '{"a":{"c":2}}' AS d, '{"a":1.0}'::jsonb @> '{"a":1}' AS e
SELECT '[1,2,3]'::jsonb @> '[1,3]'::jsonb AS a, '[1,2,[3]]'::jsonb @> '[3]' AS b, '[1,2,[3,4]]'::jsonb @> '[[4]]' AS c, '["a","b"]'::jsonb @> '"a"' AS d, '"a"'::jsonb @> '["a"]' AS e, '[]'::jsonb @> '[]' AS f, '{"a":null}'::jsonb @> '{"a":null}' AS g, '[1,1]'::jsonb @> '[1]' AS h, '[true]'::jsonb @> '[false]' AS i, '{}'::jsonb @> '[]' AS j
SELECT '{"a":1}'::jsonb <@ '{"a":1,"b":2}'::jsonb AS a, '{"a":"x\\u0041"}'::jsonb @> '{"a":"xA"}' AS b, '["1"]'::jsonb @> '[1]' AS c
SELECT '{"a":1,"b":2}'::jsonb - 'a' = '{"b":2}'::jsonb AS a, ('["a","b","a"]'::jsonb - 'a')::text AS b, ('["a","b"]'::jsonb - 0)::text AS c, ('["a","b"]'::jsonb - -1)::text AS d, ('["a","b"]'::jsonb - 7)::text AS e, ('{"a":1,"b":2,"c":3}'::jsonb - ARRAY['a','c'])::text AS f, ('{"a":1}'::jsonb - 'z')::text AS g
--! values: types
SELECT '{"a":1}'::jsonb - 1
SELECT '"a"'::jsonb - 'a'
SELECT ('{"a":{"b":1,"c":2}}'::jsonb #- '{a,b}')::text AS a, ('{"a":[1,2]}'::jsonb #- '{a,-1}')::text AS b, ('{"a":1}'::jsonb #- '{z,y}')::text AS c, ('[1]'::jsonb #- '{0}')::text AS d, ('{"a":{"b":1}}'::jsonb #- ARRAY['a','b'])::text AS e
--! values: types
SELECT json_strip_nulls('{"a":1,"b":null,"c":[null,{"d":null}]}')::text AS a, jsonb_strip_nulls('null')::text AS b, jsonb_strip_nulls('[null]')::text AS c
CREATE TABLE je (id int PRIMARY KEY, j jsonb)
INSERT INTO je VALUES (1, '{"tags":["a","b"],"n":{"x":1}}'), (2, '{"tags":[]}'), (3, NULL)
SELECT id FROM je WHERE j @> '{"tags":["b"]}'
SELECT id FROM je WHERE j -> 'tags' @> '["a"]' AND je.j @> '{}' ORDER BY id
SELECT id, j @> '{"tags":[]}' AS c FROM je ORDER BY id
UPDATE je SET j = jsonb_set(j, '{n,y}', to_jsonb(5)) WHERE id = 1 RETURNING j ->> 'n'
--! values: types
UPDATE je SET j = jsonb_set(coalesce(j, '{}'), '{n}', '{"z":[]}') RETURNING id, j -> 'n' -> 'z' AS z
--! types: types
UPDATE je SET j = j - 'tags' WHERE j ? 'tags' RETURNING id, j ? 'tags' AS t
UPDATE je SET j = j #- '{n,z}' WHERE id = 2 RETURNING (j -> 'n')::text AS n
SELECT id FROM je GROUP BY id HAVING count(*) = 1 AND je.j @> '{}' ORDER BY id
DROP TABLE je

-- [patterns of to_char]
SELECT to_char(timestamp '2024-03-05 14:07:09.5', 'YYYY-MM-DD HH24:MI:SS') AS a, to_char(timestamp '2024-03-05 14:07:09', 'Day, DD Month YYYY') AS b, to_char(date '2024-03-05', 'Mon DD, YYYY') AS c, to_char(timestamp '2024-03-05 14:07:09', 'HH12:MI AM') AS d
SELECT to_char(timestamp '2024-03-05 14:07:09', 'FMDD. FMMonth YYYY, IYYY-IW, Q, DDD, D, Dy, J, WW, ID, IDDD, CC, W') AS a, to_char(date '2021-01-03', 'IYYY-IW-ID IY I') AS b, to_char(date '2024-12-30', 'IYYY-IW IDDD') AS c
SELECT to_char(timestamp '2024-03-05 04:07:09.045678', 'HH:MI:SS.MS US FF3 FF1 SSSS SSSSS am P.M. a.m.') AS a, to_char(timestamp '2024-03-05 00:00', 'HH12 HH24 AM') AS b
SELECT to_char(date '2024-08-01', 'DAY day Day DY dy Dy MONTH month Month MON mon RM rm Y,YYY YYY YY Y BC A.D.') AS a, to_char(date '2024-08-01', 'FMDay FMMonth FMRM|FMDD FMMM FMDDth DDTH') AS b
SELECT to_char(date '2024-08-22', '"week" WW "of" YYYY \"x') AS a, to_char(date '2024-08-02', 'DDth') AS b, to_char(date '2024-08-11', 'DDth') AS c, to_char(timestamp '2024-01-02', 'YYYYMMDD"T"HH24MISS') AS d
SELECT to_char(timestamptz '2024-03-05 14:07:09+00', 'YYYY-MM-DD"T"HH24:MI:SS TZ OF TZH:TZM tz') AS a, to_char('0044-03-15 BC'::date, 'YYYY-MM-DD BC') AS b, to_char(timestamp 'infinity', 'YYYY') AS c, to_char(NULL::date, 'YYYY') AS d, to_char(date '2024-01-01', '') AS e
SELECT to_char(interval '15h 2m 12s', 'HH24:MI:SS') AS a, to_char(interval '3 days 27 hours', 'DD HH24:MI') AS b, to_char(interval '1 year 2 months', 'YYYY MM') AS c, to_char(time '10:20:30', 'HH24:MI') AS d
SELECT to_char(125, '999') AS a, to_char(-125.8, '999D9') AS b, to_char(5, '000') AS c, to_char(1234567, 'FM9,999,999') AS d, to_char(0.5, 'FM0.00') AS e, to_char(1234.5, '9,999.99') AS f
SELECT to_char(-0.1, '99.99') AS a, to_char(-0.1, 'FM9.99') AS b, to_char(0.1, '0.9') AS c, to_char(12, '9990999.9') AS d, to_char(12, 'FM9990999.9') AS e, to_char(485, '999') AS f, to_char(-485, '999') AS g, to_char(485, '9 9 9') AS h
SELECT to_char(1485, '9,999') AS a, to_char(1485, '9G999') AS b, to_char(148.5, '999.999') AS c, to_char(148.5, 'FM999.999') AS d, to_char(148.5, 'FM999.990') AS e, to_char(148.5, '999D999') AS f, to_char(3148.5, '9G999D999') AS g
SELECT to_char(-485, '999S') AS a, to_char(-485, '999MI') AS b, to_char(485, '999MI') AS c, to_char(485, 'FM999MI') AS d, to_char(485, 'PL999') AS e, to_char(485, 'SG999') AS f, to_char(-485, 'SG999') AS g, to_char(-485, '9SG99') AS h, to_char(-485, '999PR') AS i, to_char(485, '999PR') AS j, to_char(485, 'S999') AS k, to_char(12, 'S999') AS l
SELECT to_char(482, '999th') AS a, to_char(485, '"Good number:"999') AS b, to_char(485.8, '"Pre:"999" Post:" .999') AS c, to_char(12345, '999') AS d, to_char(12345.67, '999.99') AS e, to_char(99.99, '99.9') AS f, to_char(0, '999') AS g, to_char(0, '9.9') AS h, to_char(0, 'FM999') AS i
SELECT to_char(1e10::float8, '99999999999') AS a, to_char(0.00001::float8, '0.99999') AS b, to_char(1234567890123456789, 'FM9999999999999999999') AS c, to_char(-1.5, 'FM990.00') AS d, to_char(1000000, 'FM999,999,999.00') AS e, to_char(42::smallint, '00000') AS f, to_char(NULL::int, '99') AS g, to_char(12.345, 'FM999999990.00') AS h, to_char(0.5, '99%') AS i
SELECT to_char(x, 'YYYY-MM') AS m, count(*) FROM (VALUES (date '2024-01-02'), (date '2024-01-30'), (date '2024-02-01')) t(x) GROUP BY 1 ORDER BY 1
