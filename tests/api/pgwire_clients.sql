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

-- [Rails] types
SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype FROM pg_type as t LEFT JOIN pg_range as r ON oid =
rngtypid WHERE t.typname IN ('int2','int4','_int4','text','timestamptz') ORDER BY t.oid
--! types: regproc is shown as text

-- [Rails] columns
SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod, c.collname,
col_description(a.attrelid, a.attnum) AS comment, a.attgenerated as attgenerated FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid
AND a.attnum = d.adnum LEFT JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <>
t.typcollation WHERE a.attrelid = '"pair"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum

-- [Rails] indexes
SELECT distinct i.relname, d.indisunique, d.indkey, pg_get_indexdef(d.indexrelid), pg_catalog.obj_description(i.oid, 'pg_class') AS comment,
d.indisvalid FROM pg_class t INNER JOIN pg_index d ON t.oid = d.indrelid INNER JOIN pg_class i ON d.indexrelid = i.oid LEFT JOIN pg_namespace n ON
n.oid = t.relnamespace WHERE i.relkind IN ('i', 'I') AND d.indisprimary = 'f' AND t.relname = 'parent' AND n.nspname = ANY (current_schemas(false))
ORDER BY i.relname

-- [Rails] keys
SELECT a.attname FROM (SELECT indrelid, indkey, generate_subscripts(indkey, 1) idx FROM pg_index WHERE indrelid = '"pair"'::regclass AND indisprimary)
i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[i.idx] ORDER BY i.idx

-- [Rails] foreign keys
SELECT t2.oid::regclass::text AS to_table, a1.attname AS column, a2.attname AS primary_key, c.conname AS name, c.confupdtype AS on_update,
c.confdeltype AS on_delete, c.convalidated AS valid, c.condeferrable AS deferrable, c.condeferred AS deferred, c.conkey, c.confkey, c.conrelid,
c.confrelid FROM pg_constraint c JOIN pg_class t1 ON c.conrelid = t1.oid JOIN pg_class t2 ON c.confrelid = t2.oid JOIN pg_attribute a1 ON a1.attnum =
c.conkey[1] AND a1.attrelid = t1.oid JOIN pg_attribute a2 ON a2.attnum = c.confkey[1] AND a2.attrelid = t2.oid JOIN pg_namespace t3 ON c.connamespace =
t3.oid WHERE c.contype = 'f' AND t1.relname = 'child' AND t3.nspname = ANY (current_schemas(false)) ORDER BY c.conname

-- [Rails] tables
SELECT c.relname FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY (current_schemas(false)) AND c.relkind IN
('r','v','m','p','f') ORDER BY 1

-- [Rails] sequences
SELECT attr.attname, nsp.nspname, seq.relname FROM pg_class seq, pg_attribute attr, pg_depend dep, pg_constraint cons, pg_namespace nsp WHERE seq.oid =
dep.objid AND seq.relkind = 'S' AND attr.attrelid = dep.refobjid AND attr.attnum = dep.refobjsubid AND attr.attrelid = cons.conrelid AND attr.attnum =
cons.conkey[1] AND seq.relnamespace = nsp.oid AND cons.contype = 'p' AND dep.classid = 'pg_class'::regclass AND dep.refobjid = '"counted"'::regclass

-- [Django] tables
SELECT c.relname, CASE WHEN c.relispartition THEN 'p' WHEN c.relkind IN ('m', 'v') THEN 'v' ELSE 't' END, obj_description(c.oid, 'pg_class') FROM
pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND n.nspname NOT IN
('pg_catalog', 'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1

-- [Django] columns
SELECT a.attname AS column_name, NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS is_nullable, pg_get_expr(ad.adbin, ad.adrelid) AS
column_default, CASE WHEN collname = 'default' THEN NULL ELSE collname END AS collation, a.attidentity != '' AS is_autofield,
col_description(a.attrelid, a.attnum) AS column_comment FROM pg_attribute a LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum
LEFT JOIN pg_collation co ON a.attcollation = co.oid JOIN pg_type t ON a.atttypid = t.oid JOIN pg_class c ON a.attrelid = c.oid JOIN pg_namespace n ON
c.relnamespace = n.oid WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND c.relname = 'pair' AND a.attnum > 0 AND n.nspname NOT IN ('pg_catalog',
'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY a.attnum
--! types: names out of CASE are texts

-- [Django] constraints
SELECT c.conname, array(SELECT attname FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx) JOIN pg_attribute AS ca ON cols.colid = ca.attnum
WHERE ca.attrelid = c.conrelid ORDER BY cols.arridx) AS columns, c.contype, (SELECT fkc.relname || '.' || fka.attname FROM pg_attribute AS fka JOIN
pg_class AS fkc ON fka.attrelid = fkc.oid WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]) AS fk, cl.reloptions FROM pg_constraint AS c
JOIN pg_class AS cl ON c.conrelid = cl.oid WHERE cl.relname = 'child' AND pg_catalog.pg_table_is_visible(cl.oid) ORDER BY 1
--! types: names in lists are texts

-- [Django] indexes
SELECT indexname, array_agg(attname ORDER BY arridx), indisunique, indisprimary, array_agg(ordering ORDER BY arridx), amname, exprdef, s2.attoptions
FROM (SELECT c2.relname as indexname, idx.*, attr.attname, am.amname, CASE WHEN idx.indexprs IS NOT NULL THEN pg_get_indexdef(idx.indexrelid) END AS
exprdef, CASE am.amname WHEN 'btree' THEN CASE (option & 1) WHEN 1 THEN 'DESC' ELSE 'ASC' END END as ordering, c2.reloptions as attoptions FROM (SELECT
* FROM pg_index i, unnest(i.indkey, i.indoption) WITH ORDINALITY koi(key, option, arridx)) idx LEFT JOIN pg_class c ON idx.indrelid = c.oid LEFT JOIN
pg_class c2 ON idx.indexrelid = c2.oid LEFT JOIN pg_am am ON c2.relam = am.oid LEFT JOIN pg_attribute attr ON attr.attrelid = c.oid AND attr.attnum =
idx.key WHERE c.relname = 'parent' AND pg_catalog.pg_table_is_visible(c.oid)) s2 GROUP BY indexname, indisunique, indisprimary, amname, exprdef,
attoptions ORDER BY 1
--! types: names in lists are texts

-- [Django] sequences
SELECT s.relname AS sequence_name, a.attname AS colname FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND
d.refclassid = 'pg_class'::regclass JOIN pg_attribute a ON d.refobjid = a.attrelid AND d.refobjsubid = a.attnum JOIN pg_class tbl ON tbl.oid =
d.refobjid AND tbl.relname = 'counted' AND pg_catalog.pg_table_is_visible(tbl.oid) WHERE s.relkind = 'S'

-- [pgjdbc] indexes
SELECT n.nspname AS "TABLE_SCHEM", ct.relname AS "TABLE_NAME", NOT i.indisunique AS "NON_UNIQUE", NULL AS "INDEX_QUALIFIER", ci.relname AS
"INDEX_NAME", CASE i.indisclustered WHEN true THEN 1 ELSE CASE am.amname WHEN 'hash' THEN 2 ELSE 3 END END AS "TYPE",
(information_schema._pg_expandarray(i.indkey)).n AS "ORDINAL_POSITION", ci.reltuples AS "CARDINALITY", pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS
"FILTER_CONDITION", ci.oid AS "CI_OID", i.indoption AS "I_INDOPTION", am.amname AS "AM_NAME" FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_namespace n
ON (ct.relnamespace = n.oid) JOIN pg_catalog.pg_index i ON (ct.oid = i.indrelid) JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid) JOIN
pg_catalog.pg_am am ON (ci.relam = am.oid) WHERE ct.relname = 'pair'

-- [pgjdbc] keys
SELECT result."COLUMN_NAME", result."KEY_SEQ", result."PK_NAME" FROM (SELECT a.attname AS "COLUMN_NAME",
(information_schema._pg_expandarray(i.indkey)).n AS "KEY_SEQ", ci.relname AS "PK_NAME", information_schema._pg_expandarray(i.indkey) AS "KEYS",
a.attnum AS "A_ATTNUM" FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid) JOIN pg_catalog.pg_index i ON (a.attrelid =
i.indrelid) JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid) WHERE ct.relname = 'pair' AND i.indisprimary) result WHERE result."A_ATTNUM" =
(result."KEYS").x ORDER BY 1, 3

-- [pgjdbc] foreign keys
SELECT NULL AS "PKTABLE_CAT", pkn.nspname, pkc.relname, pka.attname, fkn.nspname, fkc.relname, fka.attname, pos.n AS "KEY_SEQ", CASE con.confupdtype
WHEN 'c' THEN 0 WHEN 'n' THEN 2 WHEN 'd' THEN 4 WHEN 'r' THEN 1 WHEN 'p' THEN 1 WHEN 'a' THEN 3 ELSE NULL END AS "UPDATE_RULE", con.conname,
pkic.relname, CASE WHEN con.condeferrable AND con.condeferred THEN 5 WHEN con.condeferrable THEN 6 ELSE 7 END AS "DEFERRABILITY" FROM
pg_catalog.pg_namespace pkn, pg_catalog.pg_class pkc, pg_catalog.pg_attribute pka, pg_catalog.pg_namespace fkn, pg_catalog.pg_class fkc,
pg_catalog.pg_attribute fka, pg_catalog.pg_constraint con, pg_catalog.generate_series(1, 32) pos(n), pg_catalog.pg_class pkic WHERE pkn.oid =
pkc.relnamespace AND pkc.oid = pka.attrelid AND pka.attnum = con.confkey[pos.n] AND con.confrelid = pkc.oid AND fkn.oid = fkc.relnamespace AND fkc.oid
= fka.attrelid AND fka.attnum = con.conkey[pos.n] AND con.conrelid = fkc.oid AND con.contype = 'f' AND (pkic.relkind = 'i' OR pkic.relkind = 'I') AND
pkic.oid = con.conindid ORDER BY 1
--! types: the series counts in int8

-- [pgjdbc] types
SELECT t.typname, t.oid FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON (t.typnamespace = n.oid) WHERE n.nspname != 'pg_toast' AND
(t.typrelid = 0 OR (SELECT c.relkind = 'c' FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid)) AND t.typname IN ('bool','mood','_int4') ORDER BY 1

-- [Npgsql] all types
SELECT ns.nspname, t.oid, t.typname, t.typtype, t.typnotnull, t.elemtypoid FROM (SELECT typ.oid, typ.typnamespace, typ.typname, typ.typtype,
typ.typrelid, typ.typnotnull, typ.relkind, elemtyp.oid AS elemtypoid, elemtyp.typname AS elemtypname, elemcls.relkind AS elemrelkind, CASE WHEN
elemproc.proname='array_recv' THEN 'a' ELSE elemtyp.typtype END AS elemtyptype FROM (SELECT typ.oid, typnamespace, typname, typrelid, typnotnull,
relkind, typelem AS elemoid, CASE WHEN proc.proname='array_recv' THEN 'a' ELSE typ.typtype END AS typtype, CASE WHEN proc.proname='array_recv' THEN
typ.typelem WHEN typ.typtype='r' THEN rngsubtype WHEN typ.typtype='m' THEN (SELECT rngtypid FROM pg_range WHERE rngmultitypid = typ.oid) WHEN
typ.typtype='d' THEN typ.typbasetype END AS elemtypoid2 FROM pg_type AS typ LEFT JOIN pg_class AS cls ON (cls.oid = typ.typrelid) LEFT JOIN pg_proc AS
proc ON proc.oid = typ.typreceive LEFT JOIN pg_range ON (pg_range.rngtypid = typ.oid)) AS typ LEFT JOIN pg_type AS elemtyp ON elemtyp.oid =
typ.elemtypoid2 LEFT JOIN pg_class AS elemcls ON (elemcls.oid = elemtyp.typrelid) LEFT JOIN pg_proc AS elemproc ON elemproc.oid = elemtyp.typreceive)
AS t JOIN pg_namespace AS ns ON (ns.oid = typnamespace) WHERE t.typname IN ('int4','_int4','mood','_mood') AND (typtype IN ('b', 'r', 'm', 'e', 'd') OR
(typtype = 'c' AND relkind='c') OR (typtype = 'p' AND typname IN ('record', 'void', 'unknown')) OR (typtype = 'a' AND (elemtyptype IN ('b', 'r', 'm',
'e', 'd')))) ORDER BY CASE WHEN typtype IN ('b', 'e', 'p') THEN 0 WHEN typtype = 'c' THEN 1 WHEN typtype = 'r' THEN 2 WHEN typtype = 'm' THEN 3 WHEN
typtype = 'd' AND elemtyptype <> 'a' THEN 4 WHEN typtype = 'a' THEN 5 WHEN typtype = 'd' AND elemtyptype = 'a' THEN 6 END, t.typname

-- [Npgsql] enums
SELECT pg_type.oid, enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid=enumtypid ORDER BY oid, enumsortorder

-- [Tableau] tables
SELECT n.nspname, c.relname, c.relkind FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = ANY
('{r,p,f}') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT IN ('pg_toast', 'in_c') AND n.nspname !~ '^pg_' ORDER BY 1,2

-- [pgcli] foreign keys
SELECT s_p.nspname AS parentschema, t_p.relname AS parenttable, unnest((select array_agg(attname ORDER BY i) from (select unnest(confkey) as attnum,
generate_subscripts(confkey, 1) as i) x JOIN pg_catalog.pg_attribute c USING(attnum) WHERE c.attrelid = fk.confrelid)) AS parentcolumn FROM
pg_catalog.pg_constraint fk JOIN pg_catalog.pg_class t_p ON t_p.oid = fk.confrelid JOIN pg_catalog.pg_namespace s_p ON s_p.oid = t_p.relnamespace WHERE
fk.contype = 'f'
--! types: names in lists are texts

-- [Hasura] tables as JSON
SELECT coalesce(json_agg(row_to_json(info)), '[]'::json) AS tables FROM (SELECT t.table_schema, t.table_name FROM information_schema.tables t WHERE
t.table_schema = 'other' AND t.table_type = 'BASE TABLE') AS info

-- [pgAdmin] schemas
SELECT nspname, pg_catalog.pg_get_userbyid(nspowner) = current_user, has_schema_privilege(nspname, 'USAGE') FROM pg_namespace WHERE nspname IN
('main','other') ORDER BY 1

-- [pgAdmin] tables
SELECT rel.oid, rel.relname AS name, (SELECT count(*) FROM pg_trigger WHERE tgrelid=rel.oid AND tgisinternal = FALSE) AS triggercount,
rel.relispartition FROM pg_class rel WHERE rel.relkind IN ('r','s','t','p') AND rel.relnamespace = 'main'::regnamespace AND NOT rel.relispartition
ORDER BY rel.relname

-- [pgAdmin] databases
SELECT db.oid as did, db.datname = current_database(), db.datallowconn, pg_encoding_to_char(db.encoding) AS serverencoding,
has_database_privilege(db.oid, 'CREATE') as cancreate, datistemplate FROM pg_catalog.pg_database db WHERE db.datname = current_database()
--! types: the function returns text

-- [names] in full
SELECT pg_catalog.pg_class.relname, pg_catalog.json_build_object('a', 1, 'b', relkind) FROM pg_catalog.pg_class WHERE relname='pair'

-- [Metabase] tables
select table_catalog = current_database(), table_schema, table_name, table_type from information_schema.tables where table_schema in ('main', 'other')
order by table_name
--! types: texts of information_schema have no other type

-- [Metabase] columns
select column_name, data_type, udt_name, is_nullable, numeric_precision, numeric_scale, datetime_precision from information_schema.columns where
table_name='kinds' order by ordinal_position
--! types: texts of information_schema have no other type

-- [Metabase] keys
select kcu.table_name, kcu.column_name, kcu.ordinal_position, tc.constraint_type from information_schema.table_constraints tc join
information_schema.key_column_usage kcu using (constraint_schema, constraint_name) where tc.table_schema='main' and tc.constraint_type <> 'CHECK' order
by 1,4,3,2
--! types: texts of information_schema have no other type

-- [names] of objects
select 'parent'::regclass::text, 'integer'::regtype::text, 'numeric(10,2)'::regtype::text, 'main'::regnamespace::text, to_regclass('nope') is null,
23::regtype::text, pg_typeof(1), pg_typeof('x'::text)
--! types: pg_typeof returns text

-- [names] written by format
select format('%I.%s %L', 'Ab', 'c', 'd''e') from pg_class limit 1

-- [functions] of texts and arrays
select pg_size_pretty(123456789::bigint), quote_ident('Ab c'), quote_literal('a''b'), quote_nullable(null), array_to_string(array['a',null,'b'], ',',
'*'), array_upper(array[1,2,3],1), array_position(array['a','b'],'b'), array_remove(array[1,2,1],1)

-- [functions] definitions of constraints
select pg_get_constraintdef(oid, true), conname from pg_constraint where conrelid='child'::regclass order by 2

-- [functions] comments and definitions
select obj_description('parent'::regclass), col_description('parent'::regclass, 2), pg_get_serial_sequence('counted','id'), pg_get_viewdef('picked') is
not null

-- [functions] of relations
select c.relname, pg_get_partkeydef(c.oid), pg_relation_is_publishable(c.oid), row_security_active(c.oid) from pg_class c where relname='pair'

-- [names] looked up, and those that are not there
select to_regclass('other.far'), to_regclass('nowhere.x'), pg_catalog.to_regclass('parent')::text as t, to_regtype('text') = 25 as same
--! types: they are shown as texts

-- [names] of where one is
select n.nspname, current_schema(), current_schemas(true) as s from pg_namespace n where n.oid = 11
--! types: the functions return texts

-- [functions] types with their modifiers
select o, m, format_type(o, m) from (values (23, null), (1043, 14), (1042, 14), (1042, -1), (1042, null), (1700, 655366), (1700, -1), (1114, 3), (1184, 0), (1083, 2),
(1266, 2), (1560, 5), (1562, 5), (1007, null), (0, null), (999999, null), (2205, null)) v(o, m) order by 1, 2

-- [functions] names of ids that are none
select 0::regclass::text, 0::regtype::text, 999999::regclass::text, 999999::regtype::text

-- [functions] comments by the catalog they are of, sizes for people
select obj_description('parent'::regclass), obj_description('parent'::regclass, 'pg_class'), obj_description('parent'::regclass, 'pg_proc'),
pg_size_pretty(10240::bigint), pg_size_pretty(1234567890123456::bigint), pg_size_pretty(12345678901234567::bigint)
