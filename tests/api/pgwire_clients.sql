-- What programs ask the catalog (test_pgwire_clients.py), in the words of none of them but with what theirs contain.

-- [schema]
CREATE TABLE kinds (b boolean, i2 smallint, i4 integer, i8 bigint, n2 numeric(12,3), f4 real, f8 double precision, t text, bin bytea, d date, tm time, ts timestamp, tz timestamptz, iv interval, u uuid, j json, ia integer[], ta text[]);
CREATE TABLE parent (id integer PRIMARY KEY, name text NOT NULL DEFAULT 'x', amount numeric(10,2), code text UNIQUE, ok boolean DEFAULT true, n integer DEFAULT 7);
CREATE TABLE child (id bigint PRIMARY KEY, parent_id integer REFERENCES parent(id), a integer, b integer, UNIQUE (a, b));
CREATE TABLE pair (x integer, y text, z integer, PRIMARY KEY (x, y));
CREATE TABLE "Odd Name" ("Some Column" integer, "select" text);
CREATE TABLE counted (id serial PRIMARY KEY, v text);
CREATE SEQUENCE free_seq START 10 INCREMENT 5;
CREATE INDEX parent_name ON parent (name);
CREATE UNIQUE INDEX parent_amount ON parent (amount, name);
CREATE INDEX kinds_many ON kinds (b, i2, i8, f4, f8, d, tm, ts, tz);
CREATE INDEX kinds_more ON kinds (u, n2, bin);
CREATE VIEW picked AS SELECT id, name FROM parent WHERE id > 3;
CREATE SCHEMA other;
CREATE TABLE other.far (id integer PRIMARY KEY, t text);
CREATE VIEW other.seen AS SELECT id FROM other.far;
COMMENT ON TABLE parent IS 'about parents';
COMMENT ON COLUMN parent.name IS 'the name';
CREATE TYPE mood AS ENUM ('sad', 'ok');

-- [dbt] which views read which tables
with relation as (select pg_rewrite.ev_class as class, pg_rewrite.oid as id from pg_rewrite),
class as (select oid as id, relname as name, relnamespace as schema, relkind as kind from pg_class),
dependency as (select distinct pg_depend.objid as id, pg_depend.refobjid as ref from pg_depend),
schema as (select pg_namespace.oid as id, pg_namespace.nspname as name from pg_namespace where nspname != 'information_schema' and nspname not like 'pg\_%'),
referenced as (select relation.id as id, referenced_class.name, referenced_class.schema, referenced_class.kind from relation
  join class as referenced_class on relation.class = referenced_class.id where referenced_class.kind in ('r', 'v', 'm')),
relationships as (select referenced.name as referenced_name, referenced.schema as referenced_schema_id, dependent_class.name as dependent_name,
  dependent_class.schema as dependent_schema_id, referenced.kind as kind from referenced join dependency on referenced.id = dependency.id
  join class as dependent_class on dependency.ref = dependent_class.id
  where referenced.name != dependent_class.name or referenced.schema != dependent_class.schema)
select referenced_schema.name as referenced_schema, relationships.referenced_name as referenced_name, dependent_schema.name as dependent_schema,
  relationships.dependent_name as dependent_name from relationships join schema as dependent_schema on relationships.dependent_schema_id = dependent_schema.id
  join schema as referenced_schema on relationships.referenced_schema_id = referenced_schema.id
group by referenced_schema, referenced_name, dependent_schema, dependent_name
order by referenced_schema, referenced_name, dependent_schema, dependent_name
--! types: names out of WITH are texts

-- [Grafana] tables of the search path
select quote_ident(table_name) as "table" from information_schema.tables where quote_ident(table_schema) not in ('information_schema', 'pg_catalog')
and quote_ident(table_schema) in (select case when trim(s[i]) = '"$user"' then user else trim(s[i]) end
from generate_series(array_lower(string_to_array(current_setting('search_path'), ','), 1), array_upper(string_to_array(current_setting('search_path'), ','), 1)) as i,
string_to_array(current_setting('search_path'), ',') s) order by 1

-- [rights] of a table that nobody granted anything
select c.relname, (aclexplode(coalesce(c.relacl, acldefault('r', c.relowner)))).* from pg_class c where relname = 'parent'

-- [rights] in FROM
select c.relname, x.privilege_type, x.is_grantable, pg_get_userbyid(x.grantee) = current_user as mine from pg_class c
cross join lateral aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) as x where c.relname in ('pair', 'picked')

-- [rights] of a given list
select x.grantee = 0 as to_all, x.privilege_type, x.is_grantable from aclexplode(array['=Tc/' || current_user, current_user || '=C*T/' || current_user]::aclitem[]) x

-- [rows] all columns of a row
select (p).* from pair p

-- [rows] all columns of a function's rows
select k.indexrelid::regclass::text as index, (information_schema._pg_expandarray(k.indkey)).* from pg_index k where indrelid in ('pair'::regclass, 'child'::regclass)

-- [rows] one column of a function's rows
select n.relname, (information_schema._pg_expandarray(i.indkey)).n from pg_index i join pg_class n on n.oid = i.indrelid where n.relname = 'pair'

-- [indexes] their operators and collations
select i.indexrelid::regclass::text as name, i.indkey, i.indclass, i.indcollation, i.indoption from pg_index i join pg_class c on c.oid = i.indrelid
where c.relnamespace in ('main'::regnamespace, 'other'::regnamespace) order by 1

-- [indexes] classes by name
select a.attname, o.opcname, f.amname, o.opcdefault, o.opcintype from pg_index i join pg_attribute a on a.attrelid = i.indexrelid
join pg_opclass o on o.oid = i.indclass[a.attnum - 1] join pg_am f on f.oid = o.opcmethod where i.indrelid = 'kinds'::regclass order by i.indexrelid::regclass::text, a.attnum

-- [statistics] of tables
select schemaname, relname, heap_blks_read >= 0 as heap, idx_blks_read is null as bare from pg_statio_user_tables order by 1, 2

-- [statistics] of indexes
select s.schemaname, s.relname, s.indexrelname, s.idx_scan >= 0 as scans, io.idx_blks_hit >= 0 as hits from pg_stat_user_indexes s join pg_statio_user_indexes io using (indexrelid) order by 1, 2, 3

-- [statistics] of sequences
select schemaname, relname, blks_read >= 0 as reads from pg_statio_user_sequences order by 1, 2

-- [statistics] scans of tables
select relname, seq_scan >= 0 as scans, idx_scan is null as bare from pg_stat_user_tables where schemaname = 'main' order by 1

-- [functions] by name, with their arguments
select n.nspname, p.proname, pg_get_function_result(p.oid) as result, pg_get_function_arguments(p.oid) as arguments, p.prokind, p.oid from pg_proc p
join pg_namespace n on n.oid = p.pronamespace where p.proname in ('lower', 'aclexplode', 'string_agg', 'array_in', 'now', 'count') and not exists
(select 1 from unnest(p.proargtypes) a(t) where t in (3831, 4537)) and pg_function_is_visible(p.oid) order by p.oid

-- [functions] may they be called
select has_function_privilege('lower(text)', 'execute') as a, has_function_privilege(current_user, 'pg_catalog.now()', 'execute') as b

-- [Npgsql] types with how they are read
select t.oid, t.typname, t.typtype, t.typnotnull, p.proname as receive, p.oid as receive_oid, e.oid as element from pg_type t join pg_proc p on p.oid = t.typreceive
left join pg_type e on t.typcategory = 'A' and e.oid = t.typelem where t.typname in ('int4', '_int4', 'text', '_numeric', 'timestamptz', 'uuid') order by t.oid

-- [columns] of the catalog itself
select a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attnum from pg_attribute a where a.attrelid = 'pg_catalog.pg_index'::regclass and a.attnum > 0 order by a.attnum

