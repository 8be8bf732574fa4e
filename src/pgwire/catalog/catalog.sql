-- pg_catalog and information_schema, in the database _pg: schema main is pg_catalog, schema info is information_schema. It is made once and
-- attached read-only to the engine of each workspace; what each has of its own stands in _pg_own (own.sql). {name} is the macro _pg_own.main.name().
--
-- Ids: what PostgreSQL has itself keeps its id; objects of the workspace have the engine's id, which is above 16384 and
-- stays while they live, below 2^28; tables of the project get theirs from their names: from 2^29 on, buckets from 1.5 * 2^30 on.
-- Ids of rows that the engine does not number (constraints, defaults, indexes of keys) are made of their table's: from 2^28 on,
-- from 2^30 on for tables of the project.

-- Columns of the catalog's own relations (system_columns.sql).
CREATE TABLE _pg.main._system_columns (table_oid UINTEGER, attnum SMALLINT, name VARCHAR, type_oid UINTEGER, is_not_null BOOLEAN, is_plain BOOLEAN);

-- Types of the engine, by their names without parameters.
CREATE MACRO _pg.main._base(t) AS regexp_replace(t, '[(\[].*$', '');
CREATE TABLE _pg.main._engine_types (name VARCHAR, oid UINTEGER, array_oid UINTEGER);
INSERT INTO _pg.main._engine_types VALUES ('BOOLEAN', 16, 1000), ('TINYINT', 21, 1005), ('UTINYINT', 21, 1005), ('SMALLINT', 21, 1005), ('USMALLINT', 23, 1007),
	('INTEGER', 23, 1007), ('UINTEGER', 20, 1016), ('BIGINT', 20, 1016), ('UBIGINT', 1700, 1231), ('HUGEINT', 1700, 1231),
	('UHUGEINT', 1700, 1231), ('BIGNUM', 1700, 1231), ('DECIMAL', 1700, 1231), ('FLOAT', 700, 1021), ('DOUBLE', 701, 1022),
	('VARCHAR', 25, 1009), ('BLOB', 17, 1001), ('DATE', 1082, 1182), ('TIME', 1083, 1183), ('TIME_NS', 1083, 1183),
	('TIME WITH TIME ZONE', 1266, 1270), ('TIMESTAMP', 1114, 1115), ('TIMESTAMP_S', 1114, 1115), ('TIMESTAMP_MS', 1114, 1115), ('TIMESTAMP_NS', 1114, 1115),
	('TIMESTAMP WITH TIME ZONE', 1184, 1185), ('INTERVAL', 1186, 1187), ('UUID', 2950, 2951), ('JSON', 114, 199), ('BIT', 1562, 1563),
	('STRUCT', 114, 114), ('MAP', 114, 114), ('UNION', 114, 114), ('VARIANT', 114, 114);
CREATE MACRO _pg.main._type_mod(t) AS CASE
	WHEN t LIKE 'DECIMAL(%)' THEN (regexp_extract(t, '\((\d+)', 1)::INTEGER << 16) + regexp_extract(t, ',(\d+)', 1)::INTEGER + 4
	WHEN t = 'UBIGINT' THEN (20 << 16) + 4 WHEN t IN ('HUGEINT', 'UHUGEINT') THEN (39 << 16) + 4 ELSE -1 END;
CREATE MACRO _pg.main._row_oid(table_oid, n) AS (CASE WHEN table_oid >= 536870912 THEN table_oid::BIGINT + 536870912
	ELSE 268435456 + (table_oid::BIGINT % 8388608) * 32 + n END)::UINTEGER;

-- Kept definitions name the workspace's database, which nobody outside knows.
CREATE MACRO _pg.main._shown_sql(t) AS replace(replace(t, {db_text} || '.main.', 'main.'), '"' || {db_text} || '".main.', 'main.');

-- Schemas and relations.
CREATE VIEW _pg.main._namespaces AS
	SELECT 11::UINTEGER AS oid, 'pg_catalog' AS name
	UNION ALL SELECT 13000::UINTEGER, 'information_schema'
	UNION ALL SELECT 99::UINTEGER, 'pg_toast'
	UNION ALL SELECT 14000::UINTEGER, 'pg_temp_1'
	UNION ALL SELECT CASE WHEN schema_name = 'main' THEN 2200 ELSE oid END::UINTEGER, schema_name
		FROM system.main.duckdb_schemas() WHERE database_name = {db_text} AND schema_name NOT IN ('pg_catalog', 'information_schema')
	UNION ALL SELECT oid, name FROM _pg_own.main._project_schemas;

CREATE MACRO _pg.main._namespace_oid(db, schema_name, schema_oid) AS
	(CASE WHEN db = 'temp' THEN 14000 WHEN schema_name = 'main' THEN 2200 ELSE schema_oid END)::UINTEGER;

-- The name that definition.h puts behind a constraint.
CREATE MACRO _pg.main._constraint_mark(e) AS CASE WHEN e LIKE '(''constraint name: %'' IS NOT NULL)' THEN replace(e[20:-15], '''''', '''') END;

CREATE VIEW _pg.main._constraints AS
	SELECT _pg.main._row_oid(table_oid, constraint_index) AS oid, table_oid::UINTEGER AS table_oid,
		_pg.main._namespace_oid(database_name, schema_name, schema_oid) AS namespace_oid, table_name, constraint_index,
		CASE constraint_type WHEN 'PRIMARY KEY' THEN 'p' WHEN 'UNIQUE' THEN 'u' WHEN 'FOREIGN KEY' THEN 'f' WHEN 'CHECK' THEN 'c'
			ELSE 'n' END AS kind,
		CASE WHEN given IS NOT NULL THEN given WHEN constraint_type = 'PRIMARY KEY' THEN table_name || '_pkey'
			WHEN constraint_type = 'FOREIGN KEY' THEN table_name || '_' || array_to_string(constraint_column_names, '_') || '_fkey'
			WHEN constraint_type = 'CHECK' THEN table_name || CASE len(constraint_column_names) WHEN 1 THEN '_' || array_to_string(constraint_column_names, '_') ELSE '' END || '_check'
			ELSE constraint_name END AS name,
		constraint_text AS definition, expression, constraint_column_names AS columns, referenced_table,
		referenced_column_names AS referenced_columns, database_name
	FROM (SELECT *, lead(mark) OVER (PARTITION BY database_name, table_oid, constraint_type = 'NOT NULL' ORDER BY constraint_index) AS given
		FROM (SELECT *, _pg.main._constraint_mark(expression) AS mark FROM system.main.duckdb_constraints() WHERE database_name IN ({db_text}, 'temp')))
	WHERE mark IS NULL
	UNION ALL
	SELECT _pg.main._row_oid(oid, 0), oid, schema_oid, table_name, 0, 'p', table_name || '_pkey',
		'PRIMARY KEY (' || array_to_string(list_transform(key_columns, lambda k: '"' || replace(k, '"', '""') || '"'), ', ') || ')', NULL,
		key_columns, NULL, NULL, NULL
	FROM (SELECT *, string_split(key_text, chr(31)) AS key_columns FROM _pg_own.main._project_tables WHERE key_text IS NOT NULL);

CREATE VIEW _pg.main._enums AS
	SELECT type_oid::UINTEGER AS oid, type_name AS name, labels, _pg.main._namespace_oid(database_name, schema_name, schema_oid) AS namespace_oid,
		_pg.main._row_oid(type_oid, 31) AS array_oid,
		'ENUM(' || array_to_string(list_transform(labels, lambda l: '''' || replace(l, '''', '''''') || ''''), ', ') || ')' AS data_type
	FROM system.main.duckdb_types() WHERE NOT internal AND database_name = {db_text} AND logical_type = 'ENUM' AND labels IS NOT NULL;

-- What a default is, in PostgreSQL's words: tools take a text apart by the type that follows it.
CREATE MACRO _pg.main._shown_default(d, t, enum_name) AS CASE
	WHEN d IN ('CAST(''t'' AS BOOLEAN)', 'CAST(''f'' AS BOOLEAN)') THEN (d[7] = 't')::VARCHAR
	WHEN starts_with(d, 'nextval(''') THEN regexp_replace(d, '^nextval\((''(?:[^'']|'''')*'')\)$', 'nextval(\1::regclass)')
	WHEN d LIKE '''[%]''' AND coalesce(enum_name, _pg.main._type_name(t)) LIKE '%[]'
		THEN '''{' || d[3:-3] || '}''::' || coalesce(enum_name, _pg.main._type_name(t))
	WHEN starts_with(d, '''') AND regexp_full_match(d, '''(?:[^'']|'''')*''') THEN d || '::' || coalesce(enum_name, _pg.main._type_name(t), 'text')
	ELSE d END;

-- Columns tell their labels only: of types that have the same ones it is the first.
CREATE VIEW _pg.main._enum_columns AS
	SELECT min(oid) AS oid, arg_min(name, oid) AS name, data_type FROM _pg.main._enums GROUP BY data_type
	UNION ALL SELECT min(array_oid), arg_min(name, oid) || '[]', data_type || '[]' FROM _pg.main._enums GROUP BY data_type;

CREATE VIEW _pg.main._columns AS
	SELECT * REPLACE (_pg.main._shown_default(column_default, type_oid, enum_name) AS column_default)
	FROM (SELECT c.*, e.oid AS enum_oid, e.name AS enum_name,
		(CASE WHEN e.oid IS NOT NULL THEN e.oid WHEN c.data_type LIKE '%][%]' OR (t.oid = 114 AND t.name <> 'JSON') THEN 114
			WHEN c.data_type LIKE '%]' THEN coalesce(t.array_oid, 1009) ELSE coalesce(t.oid, 25) END)::UINTEGER AS type_oid
	FROM (SELECT table_oid::UINTEGER AS table_oid, column_index::SMALLINT AS attnum, column_name AS name, data_type, is_nullable, column_default, comment
		FROM system.main.duckdb_columns() WHERE database_name IN ({db_text}, 'temp') AND NOT internal
		UNION ALL SELECT table_oid, attnum, name, data_type, is_nullable, column_default, comment FROM _pg_own.main._project_columns) c
	LEFT JOIN _pg.main._engine_types t ON t.name = _pg.main._base(c.data_type) LEFT JOIN _pg.main._enum_columns e
		ON e.data_type = regexp_replace(c.data_type, '\[\d*\]$', '[]'));

-- Sequences of serial columns, named as rewrite_ddl.c names them.
CREATE VIEW _pg.main._owned_sequences AS
	SELECT s.sequence_oid::UINTEGER AS oid, c.table_oid::UINTEGER AS table_oid, c.column_index AS attnum
	FROM system.main.duckdb_columns() c JOIN system.main.duckdb_sequences() s ON s.database_name = c.database_name AND s.schema_name = c.schema_name
		AND s.sequence_name IN (c.table_name || '_' || c.column_name || '_seq', {temp_prefix_text} || c.table_name || '_' || c.column_name || '_seq')
	WHERE c.column_default LIKE 'nextval(%' AND contains(c.column_default, s.sequence_name) AND c.database_name IN ({db_text}, 'temp');

-- Indexes: those users made, and one for each key.
CREATE VIEW _pg.main._indexes AS
	SELECT index_oid::UINTEGER AS oid, table_oid::UINTEGER AS table_oid, index_name AS name,
		_pg.main._namespace_oid(database_name, schema_name, schema_oid) AS namespace_oid, is_unique, false AS is_primary,
		list_transform(string_split(trim(expressions, '[]'), ', '), lambda e: trim(e, '"'' ')) AS columns, table_name, schema_name
	FROM system.main.duckdb_indexes() WHERE database_name IN ({db_text}, 'temp')
	UNION ALL
	SELECT _pg.main._row_oid(table_oid, constraint_index + 16), table_oid, name, namespace_oid, true, kind = 'p', columns, table_name, NULL
	FROM _pg.main._constraints WHERE kind IN ('p', 'u');

CREATE VIEW _pg.main._information_relations AS
	SELECT (13000 + row_number() OVER (ORDER BY view_name))::UINTEGER AS oid, view_name AS name, column_count AS natts
	FROM system.main.duckdb_views() WHERE database_name = '_pg' AND schema_name = 'info' AND NOT starts_with(view_name, '_');
CREATE VIEW _pg.main._relations AS
	SELECT table_oid::UINTEGER AS oid, table_name AS name, _pg.main._namespace_oid(database_name, schema_name, schema_oid) AS namespace_oid,
		'r' AS kind, CASE WHEN temporary THEN 't' ELSE 'p' END AS persistence, estimated_size::FLOAT AS tuples, column_count AS natts,
		check_constraint_count AS checks, comment
	FROM system.main.duckdb_tables() WHERE database_name IN ({db_text}, 'temp') AND NOT internal
	UNION ALL
	SELECT view_oid::UINTEGER, view_name, _pg.main._namespace_oid(database_name, schema_name, schema_oid), 'v',
		CASE WHEN temporary THEN 't' ELSE 'p' END, 0, column_count, 0, comment
	FROM system.main.duckdb_views() WHERE database_name IN ({db_text}, 'temp') AND NOT internal
	UNION ALL
	SELECT sequence_oid::UINTEGER, sequence_name, _pg.main._namespace_oid(database_name, schema_name, schema_oid), 'S',
		CASE WHEN temporary THEN 't' ELSE 'p' END, 1, 3, 0, comment
	FROM system.main.duckdb_sequences() WHERE database_name IN ({db_text}, 'temp')
	UNION ALL
	SELECT oid, table_name, schema_oid, 'r', 'p', row_count, (SELECT count(*) FROM _pg_own.main._project_columns c WHERE c.table_oid = t.oid),
		0, comment
	FROM _pg_own.main._project_tables t
	UNION ALL SELECT oid, name, namespace_oid, 'i', 'p', 0, len(columns), 0, NULL FROM _pg.main._indexes
	UNION ALL SELECT oid, name, 11::UINTEGER, CASE WHEN oid < 12000 THEN 'r' ELSE 'v' END, 'p', 0, 0, 0, NULL FROM _pg.main._system_relations
	UNION ALL SELECT oid, name, 13000::UINTEGER, 'v', 'p', 0, natts, 0, NULL FROM _pg.main._information_relations;

CREATE VIEW _pg.main.pg_namespace AS SELECT oid, name AS nspname, 10::UINTEGER AS nspowner, NULL::VARCHAR[] AS nspacl, 2615::UINTEGER AS tableoid FROM _pg.main._namespaces;

CREATE VIEW _pg.main.pg_class AS
	WITH keyed AS (SELECT DISTINCT table_oid FROM _pg.main._indexes),
		linked AS (SELECT table_oid AS oid FROM _pg.main._constraints WHERE kind = 'f'
			UNION SELECT t.table_oid FROM _pg.main._constraints c JOIN system.main.duckdb_tables() t
				ON c.referenced_table = t.table_name AND c.database_name = t.database_name WHERE c.kind = 'f')
	SELECT r.oid, r.name AS relname, r.namespace_oid AS relnamespace, CASE WHEN r.kind IN ('r', 'v') THEN r.oid ELSE 0 END::UINTEGER AS reltype, 0::UINTEGER AS reloftype,
		10::UINTEGER AS relowner, CASE r.kind WHEN 'r' THEN 2 WHEN 'i' THEN 403 ELSE 0 END::UINTEGER AS relam, r.oid AS relfilenode,
		0::UINTEGER AS reltablespace, 0::INTEGER AS relpages, r.tuples::FLOAT AS reltuples, 0::INTEGER AS relallvisible,
		0::UINTEGER AS reltoastrelid, (k.table_oid IS NOT NULL) AS relhasindex, false AS relisshared, r.persistence AS relpersistence,
		r.kind AS relkind, r.natts::SMALLINT AS relnatts, r.checks::SMALLINT AS relchecks, false AS relhasrules,
		(l.oid IS NOT NULL) AS relhastriggers, false AS relhassubclass, false AS relrowsecurity, false AS relforcerowsecurity,
		true AS relispopulated, CASE r.kind WHEN 'r' THEN 'd' ELSE 'n' END AS relreplident, false AS relispartition,
		0::UINTEGER AS relrewrite, 0::UINTEGER AS relfrozenxid, 0::UINTEGER AS relminmxid, CASE WHEN p.oid IS NOT NULL THEN [{user_text} || '=r/' || {user_text}] END AS relacl,
		NULL::VARCHAR[] AS reloptions, NULL::VARCHAR AS relpartbound, 1259::UINTEGER AS tableoid
	FROM _pg.main._relations r LEFT JOIN keyed k ON k.table_oid = r.oid LEFT JOIN linked l ON l.oid = r.oid
		LEFT JOIN _pg_own.main._project_tables p ON p.oid = r.oid;

CREATE VIEW _pg.main.pg_attribute AS
	SELECT c.table_oid AS attrelid, c.name AS attname, c.type_oid AS atttypid, -1::INTEGER AS attstattarget,
		coalesce(t.typlen, CASE WHEN c.enum_oid IS NULL OR c.data_type LIKE '%]' THEN -1 ELSE 4 END)::SMALLINT AS attlen, c.attnum,
		CASE WHEN c.data_type LIKE '%]' THEN 1 ELSE 0 END::INTEGER AS attndims, -1::INTEGER AS attcacheoff, _pg.main._type_mod(c.data_type)::INTEGER AS atttypmod,
		coalesce(t.typbyval, false) AS attbyval, coalesce(t.typalign, 'i') AS attalign, coalesce(t.typstorage, 'p') AS attstorage,
		'' AS attcompression, NOT c.is_nullable AS attnotnull, c.column_default IS NOT NULL AS atthasdef, false AS atthasmissing,
		'' AS attidentity, '' AS attgenerated, false AS attisdropped, true AS attislocal, 0::INTEGER AS attinhcount,
		coalesce(t.typcollation, 0)::UINTEGER AS attcollation, NULL::VARCHAR[] AS attacl, NULL::VARCHAR[] AS attoptions,
		NULL::VARCHAR[] AS attfdwoptions, NULL::VARCHAR AS attmissingval, 1249::UINTEGER AS tableoid
	FROM _pg.main._columns c LEFT JOIN _pg.main._types t ON t.oid = c.type_oid
	UNION ALL
	SELECT i.oid, i.name, coalesce(c.type_oid, 25), -1, coalesce(t.typlen, -1), i.n::SMALLINT, 0, -1,
		coalesce(_pg.main._type_mod(c.data_type), -1), coalesce(t.typbyval, false),
		coalesce(t.typalign, 'i'), coalesce(t.typstorage, 'p'), '', false, false, false, '', '', false, true, 0, coalesce(t.typcollation, 0),
		NULL, NULL, NULL, NULL, 1249::UINTEGER
	FROM (SELECT i.oid, i.table_oid, x.name, x.n FROM _pg.main._indexes i, unnest(i.columns) WITH ORDINALITY AS x(name, n)) i
		LEFT JOIN _pg.main._columns c ON c.table_oid = i.table_oid AND c.name = i.name LEFT JOIN _pg.main._types t ON t.oid = c.type_oid
	UNION ALL
	SELECT c.table_oid, c.name, c.type_oid, -1, coalesce(t.typlen, -1), c.attnum, CASE WHEN t.typcategory = 'A' THEN 1 ELSE 0 END, -1, -1, coalesce(t.typbyval, false),
		coalesce(t.typalign, 'i'), coalesce(t.typstorage, 'p'), '', c.is_not_null, false, false, '', '', false, true, 0, CASE WHEN c.is_plain THEN 950 ELSE coalesce(t.typcollation, 0) END,
		NULL, NULL, NULL, NULL, 1249::UINTEGER
	FROM _pg.main._system_columns c LEFT JOIN _pg.main._types t ON t.oid = c.type_oid;

CREATE VIEW _pg.main.pg_type AS
	SELECT oid, typname, typnamespace, typowner, typlen, typbyval, typtype, typcategory, typispreferred, true AS typisdefined, ',' AS typdelim,
		0::UINTEGER AS typrelid, typsubscript, typelem, typarray, typinput, typoutput, typreceive, typsend, 0::UINTEGER AS typmodin,
		0::UINTEGER AS typmodout, 0::UINTEGER AS typanalyze, typalign, typstorage, false AS typnotnull, 0::UINTEGER AS typbasetype,
		-1::INTEGER AS typtypmod, 0::INTEGER AS typndims, typcollation, NULL::VARCHAR AS typdefaultbin, NULL::VARCHAR AS typdefault,
		NULL::VARCHAR[] AS typacl, 1247::UINTEGER AS tableoid
	FROM _pg.main._types
	UNION ALL
	SELECT oid, name, namespace_oid, 10::UINTEGER, 4::SMALLINT, true, 'e', 'E', false, true, ',', 0::UINTEGER, 0::UINTEGER, 0::UINTEGER,
		array_oid, 3506::UINTEGER, 3507::UINTEGER, 3532::UINTEGER, 3533::UINTEGER, 0::UINTEGER, 0::UINTEGER, 0::UINTEGER, 'i', 'p', false,
		0::UINTEGER, -1, 0, 0::UINTEGER, NULL, NULL, NULL, 1247::UINTEGER FROM _pg.main._enums
	UNION ALL
	SELECT array_oid, '_' || name, namespace_oid, 10::UINTEGER, -1::SMALLINT, false, 'b', 'A', false, true, ',', 0::UINTEGER, 6179::UINTEGER, oid,
		0::UINTEGER, 750::UINTEGER, 751::UINTEGER, 2400::UINTEGER, 2401::UINTEGER, 0::UINTEGER, 0::UINTEGER, 0::UINTEGER, 'i', 'x', false,
		0::UINTEGER, -1, 0, 0::UINTEGER, NULL, NULL, NULL, 1247::UINTEGER FROM _pg.main._enums;

CREATE VIEW _pg.main.pg_enum AS
	SELECT _pg.main._row_oid(e.oid, x.n) AS oid, e.oid AS enumtypid, x.n::FLOAT AS enumsortorder, x.label AS enumlabel
	FROM _pg.main._enums e, unnest(e.labels) WITH ORDINALITY AS x(label, n);

CREATE VIEW _pg.main.pg_attrdef AS
	SELECT (_pg.main._row_oid(table_oid, 0) + attnum)::UINTEGER AS oid, table_oid AS adrelid, attnum AS adnum, column_default AS adbin,
		2604::UINTEGER AS tableoid
	FROM _pg.main._columns WHERE column_default IS NOT NULL;

CREATE MACRO _pg.main._attnums(table_, names) AS
	(SELECT array_agg(c.attnum ORDER BY list_position(names, c.name)) FROM _pg.main._columns c WHERE c.table_oid = table_ AND list_contains(names, c.name));

-- Of btree, which all indexes here are.
CREATE TABLE _pg.main._opclasses (oid UINTEGER, name VARCHAR, family UINTEGER, type_oid UINTEGER, is_default BOOLEAN);
INSERT INTO _pg.main._opclasses VALUES
	(1978, 'int4_ops', 1976, 23, true), (1979, 'int2_ops', 1976, 21, true), (1981, 'oid_ops', 1989, 26, true), (3122, 'date_ops', 434, 1082, true),
	(3123, 'float8_ops', 1970, 701, true), (3124, 'int8_ops', 1976, 20, true), (3125, 'numeric_ops', 1988, 1700, true),
	(3126, 'text_ops', 1994, 25, true), (3127, 'timestamptz_ops', 434, 1184, true), (3128, 'timestamp_ops', 434, 1114, true),
	(4217, 'text_pattern_ops', 2095, 25, false), (4218, 'varchar_pattern_ops', 2095, 25, false), (4219, 'bpchar_pattern_ops', 2097, 1042, false),
	(10000, 'array_ops', 397, 2277, true), (10002, 'bit_ops', 423, 1560, true), (10003, 'bool_ops', 424, 16, true),
	(10004, 'bpchar_ops', 426, 1042, true), (10006, 'bytea_ops', 428, 17, true), (10007, 'char_ops', 429, 18, true),
	(10009, 'cidr_ops', 1974, 869, false), (10012, 'float4_ops', 1970, 700, true), (10015, 'inet_ops', 1974, 869, true),
	(10022, 'interval_ops', 1982, 1186, true), (10024, 'macaddr_ops', 1984, 829, true), (10028, 'name_ops', 1994, 19, true),
	(10032, 'oidvector_ops', 1991, 30, true), (10034, 'record_ops', 2994, 2249, true), (10036, 'record_image_ops', 3194, 2249, false),
	(10038, 'time_ops', 1996, 1083, true), (10041, 'timetz_ops', 2000, 1266, true), (10043, 'varbit_ops', 2002, 1562, true),
	(10044, 'varchar_ops', 1994, 25, false), (10047, 'money_ops', 2099, 790, true), (10050, 'tid_ops', 2789, 27, true),
	(10053, 'xid8_ops', 5067, 5069, true), (10065, 'uuid_ops', 2968, 2950, true), (10069, 'enum_ops', 3522, 3500, true),
	(10071, 'tsvector_ops', 3626, 3614, true), (10088, 'jsonb_ops', 4033, 3802, true);
CREATE VIEW _pg.main._index_keys AS
	SELECT u.oid, array_agg(coalesce(c.attnum, 0)::SMALLINT ORDER BY u.n) AS nums, array_agg(coalesce(t.typcollation, 0)::UINTEGER ORDER BY u.n) AS collations,
		array_agg(coalesce(o.oid, 0)::UINTEGER ORDER BY u.n) AS opclasses
	FROM (SELECT i.oid, i.table_oid, x.name, x.n FROM _pg.main._indexes i, unnest(i.columns) WITH ORDINALITY AS x(name, n)) u
		LEFT JOIN _pg.main._columns c ON c.table_oid = u.table_oid AND c.name = u.name LEFT JOIN _pg.main._types t ON t.oid = c.type_oid
		LEFT JOIN _pg.main._opclasses o ON o.is_default AND o.type_oid = CASE WHEN c.data_type LIKE '%]' THEN 2277 WHEN c.enum_oid IS NOT NULL THEN 3500 ELSE c.type_oid END
	GROUP BY u.oid;

CREATE VIEW _pg.main.pg_index AS
	SELECT i.oid AS indexrelid, i.table_oid AS indrelid, len(i.columns)::SMALLINT AS indnatts, len(i.columns)::SMALLINT AS indnkeyatts,
		i.is_unique AS indisunique, false AS indnullsnotdistinct, i.is_primary AS indisprimary, false AS indisexclusion, true AS indimmediate,
		false AS indisclustered, true AS indisvalid, false AS indcheckxmin, true AS indisready, true AS indislive, false AS indisreplident,
		coalesce(k.nums, []::SMALLINT[]) AS indkey, k.collations AS indcollation, k.opclasses AS indclass,
		list_transform(i.columns, lambda c: 0::SMALLINT) AS indoption, NULL::VARCHAR AS indexprs, NULL::VARCHAR AS indpred
	FROM _pg.main._indexes i LEFT JOIN _pg.main._index_keys k ON k.oid = i.oid;

CREATE VIEW _pg.main.pg_constraint AS
	SELECT c.oid, c.name AS conname, c.namespace_oid AS connamespace, c.kind AS contype, false AS condeferrable, false AS condeferred,
		true AS convalidated, c.table_oid AS conrelid, 0::UINTEGER AS contypid,
		CASE WHEN c.kind IN ('p', 'u') THEN _pg.main._row_oid(c.table_oid, c.constraint_index + 16)
			WHEN c.kind = 'f' THEN coalesce(fi.oid, 0) ELSE 0 END::UINTEGER AS conindid,
		0::UINTEGER AS conparentid, coalesce(f.table_oid, 0)::UINTEGER AS confrelid,
		CASE c.kind WHEN 'f' THEN 'a' ELSE ' ' END AS confupdtype, CASE c.kind WHEN 'f' THEN 'a' ELSE ' ' END AS confdeltype,
		CASE c.kind WHEN 'f' THEN 's' ELSE ' ' END AS confmatchtype, true AS conislocal, 0::INTEGER AS coninhcount, true AS connoinherit,
		k.nums AS conkey, fk.nums AS confkey, NULL::UINTEGER[] AS conpfeqop, NULL::UINTEGER[] AS conppeqop, NULL::UINTEGER[] AS conffeqop,
		NULL::SMALLINT[] AS confdelsetcols, NULL::UINTEGER[] AS conexclop, c.expression AS conbin, 2606::UINTEGER AS tableoid
	FROM _pg.main._constraints c
		LEFT JOIN system.main.duckdb_tables() f ON c.referenced_table = f.table_name AND f.database_name = c.database_name
		LEFT JOIN (SELECT table_oid, columns, min(oid) AS oid FROM _pg.main._indexes WHERE is_unique GROUP BY table_oid, columns) fi
			ON fi.table_oid = f.table_oid AND fi.columns = c.referenced_columns AND c.kind = 'f'
		LEFT JOIN (SELECT c2.oid, array_agg(a.attnum ORDER BY list_position(c2.columns, a.name)) AS nums FROM _pg.main._constraints c2
			JOIN _pg.main._columns a ON a.table_oid = c2.table_oid AND list_contains(c2.columns, a.name) GROUP BY c2.oid) k ON k.oid = c.oid
		LEFT JOIN (SELECT c3.oid, array_agg(a.attnum ORDER BY list_position(c3.referenced_columns, a.name)) AS nums FROM _pg.main._constraints c3
			JOIN system.main.duckdb_tables() t ON c3.referenced_table = t.table_name AND t.database_name = c3.database_name
			JOIN _pg.main._columns a ON a.table_oid = t.table_oid AND list_contains(c3.referenced_columns, a.name) GROUP BY c3.oid) fk ON fk.oid = c.oid
	WHERE c.kind <> 'n';

CREATE VIEW _pg.main.pg_sequence AS
	SELECT sequence_oid::UINTEGER AS seqrelid, 20::UINTEGER AS seqtypid, start_value AS seqstart, increment_by AS seqincrement,
		max_value AS seqmax, min_value AS seqmin, 1::BIGINT AS seqcache, cycle AS seqcycle
	FROM system.main.duckdb_sequences() WHERE database_name IN ({db_text}, 'temp');

-- What a sequence tells when it is read like a table.
CREATE VIEW _pg.main._sequence_states AS
	SELECT sequence_oid::UINTEGER AS oid, coalesce(last_value, start_value) AS last_value, 0::BIGINT AS log_cnt, last_value IS NOT NULL AS is_called
	FROM system.main.duckdb_sequences() WHERE database_name IN ({db_text}, 'temp');

CREATE VIEW _pg.main.pg_description AS
	SELECT r.oid AS objoid, 1259::UINTEGER AS classoid, 0::INTEGER AS objsubid, r.comment AS description FROM _pg.main._relations r WHERE r.comment IS NOT NULL
	UNION ALL SELECT table_oid, 1259::UINTEGER, attnum::INTEGER, comment FROM _pg.main._columns WHERE comment IS NOT NULL;

-- A view is a rule, which depends on the relations it reads: those that stand behind FROM and JOIN.
CREATE VIEW _pg.main.pg_rewrite AS
	SELECT _pg.main._row_oid(view_oid, 30) AS oid, '_RETURN' AS rulename, view_oid::UINTEGER AS ev_class, '1' AS ev_type, 'O' AS ev_enabled, true AS is_instead,
		NULL::VARCHAR AS ev_qual, NULL::VARCHAR AS ev_action, 2618::UINTEGER AS tableoid
	FROM system.main.duckdb_views() WHERE NOT internal AND database_name IN ({db_text}, 'temp');
CREATE VIEW _pg.main._view_sources AS
	SELECT DISTINCT _pg.main._row_oid(v.oid, 30) AS rule_oid, v.oid AS view_oid, r.oid AS source_oid
	FROM (SELECT oid, CASE WHEN contains(name, '.') THEN '' ELSE 'main.' END || replace(name, '"', '') AS name
		FROM (SELECT view_oid::UINTEGER AS oid, unnest(regexp_extract_all(_pg.main._shown_sql(sql), '(?i)(?:\bFROM|\bJOIN| ,) \(*((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?)', 1)) AS name
			FROM system.main.duckdb_views() WHERE NOT internal AND database_name = {db_text})) v
		JOIN (SELECT x.oid, n.name || '.' || x.name AS name FROM _pg.main._relations x JOIN _pg.main._namespaces n ON n.oid = x.namespace_oid
			WHERE x.kind IN ('r', 'v') AND x.persistence = 'p') r ON r.name = v.name AND r.oid <> v.oid;

CREATE VIEW _pg.main.pg_depend AS
	SELECT 1259::UINTEGER AS classid, i.oid AS objid, 0::INTEGER AS objsubid, 1259::UINTEGER AS refclassid, i.table_oid AS refobjid,
		0::INTEGER AS refobjsubid, 'a' AS deptype FROM _pg.main._indexes i
	UNION ALL SELECT 1259::UINTEGER, oid, 0, 1259::UINTEGER, table_oid, attnum, 'a' FROM _pg.main._owned_sequences
	UNION ALL SELECT 2604::UINTEGER, (_pg.main._row_oid(table_oid, 0) + attnum)::UINTEGER, 0, 1259::UINTEGER, oid, 0, 'n' FROM _pg.main._owned_sequences
	UNION ALL SELECT 2618::UINTEGER, rule_oid, 0, 1259::UINTEGER, view_oid, 0, 'i' FROM _pg.main._view_sources
	UNION ALL SELECT 2618::UINTEGER, rule_oid, 0, 1259::UINTEGER, source_oid, 0, 'n' FROM _pg.main._view_sources;

-- Functions: those of PostgreSQL that are answered, and the users' macros.
CREATE VIEW _pg.main.pg_proc AS
	SELECT oid, name AS proname, 11::UINTEGER AS pronamespace, 10::UINTEGER AS proowner, language AS prolang, cost AS procost, row_count AS prorows,
		variadic_type AS provariadic, 0::UINTEGER AS prosupport, flags[1] AS prokind, false AS prosecdef, flags[5] = 'l' AS proleakproof, flags[4] = 's' AS proisstrict,
		flags[6] = 'r' AS proretset, flags[2] AS provolatile, flags[3] AS proparallel, len(arguments)::SMALLINT AS pronargs, defaults AS pronargdefaults,
		result AS prorettype, arguments AS proargtypes, all_arguments AS proallargtypes, modes AS proargmodes, names AS proargnames,
		NULL::VARCHAR AS proargdefaults, NULL::UINTEGER[] AS protrftypes, source AS prosrc, NULL::VARCHAR AS probin, NULL::VARCHAR AS prosqlbody,
		NULL::VARCHAR[] AS proconfig, NULL::VARCHAR[] AS proacl, 1255::UINTEGER AS tableoid
	FROM _pg.main._system_functions
	UNION ALL
	SELECT function_oid::UINTEGER, function_name, CASE WHEN schema_name = 'main' THEN 2200 ELSE 11 END::UINTEGER, 10::UINTEGER, 14::UINTEGER, 1, 0, 0::UINTEGER,
		0::UINTEGER, 'f', false, false, true, false, 'i', 's', len(parameters)::SMALLINT, 0::SMALLINT, 2276::UINTEGER, list_transform(parameters, lambda p: 2276::UINTEGER), NULL, NULL,
		parameters, NULL, NULL, _pg.main._shown_sql(macro_definition), NULL, NULL, NULL, NULL, 1255::UINTEGER
	FROM system.main.duckdb_functions() WHERE database_name = {db_text} AND NOT internal AND function_type IN ('macro', 'table_macro');

CREATE VIEW _pg.main.pg_database AS
	SELECT 16384::UINTEGER AS oid, {database_text} AS datname, 10::UINTEGER AS datdba, 6::INTEGER AS encoding, 'c' AS datlocprovider,
		false AS datistemplate, true AS datallowconn, -1::INTEGER AS datconnlimit, 0::UINTEGER AS datfrozenxid, 1::UINTEGER AS datminmxid,
		1663::UINTEGER AS dattablespace, 'C' AS datcollate, 'C' AS datctype, NULL::VARCHAR AS daticulocale, NULL::VARCHAR AS datcollversion,
		NULL::VARCHAR[] AS datacl, 1262::UINTEGER AS tableoid;
CREATE VIEW _pg.main.pg_roles AS
	SELECT {user_text} AS rolname, false AS rolsuper, true AS rolinherit, false AS rolcreaterole, false AS rolcreatedb, true AS rolcanlogin,
		false AS rolreplication, -1::INTEGER AS rolconnlimit, '********' AS rolpassword, NULL::TIMESTAMPTZ AS rolvaliduntil,
		false AS rolbypassrls, NULL::VARCHAR[] AS rolconfig, 10::UINTEGER AS oid;
CREATE VIEW _pg.main.pg_authid AS SELECT * FROM _pg.main.pg_roles;
CREATE VIEW _pg.main.pg_user AS
	SELECT {user_text} AS usename, 10::UINTEGER AS usesysid, false AS usecreatedb, false AS usesuper, false AS userepl, false AS usebypassrls,
		'********' AS passwd, NULL::TIMESTAMPTZ AS valuntil, NULL::VARCHAR[] AS useconfig;
CREATE VIEW _pg.main.pg_shadow AS SELECT * FROM _pg.main.pg_user;
CREATE VIEW _pg.main.pg_group AS SELECT {user_text} AS groname, 10::UINTEGER AS grosysid, []::UINTEGER[] AS grolist WHERE false;
CREATE VIEW _pg.main.pg_am AS
	SELECT * FROM (VALUES (2::UINTEGER, 'heap', 3::UINTEGER, 't'), (403::UINTEGER, 'btree', 330::UINTEGER, 'i')) v(oid, amname, amhandler, amtype), (SELECT 2601::UINTEGER AS tableoid);
CREATE VIEW _pg.main.pg_tablespace AS
	SELECT 1663::UINTEGER AS oid, 'pg_default' AS spcname, 10::UINTEGER AS spcowner, NULL::VARCHAR[] AS spcacl, NULL::VARCHAR[] AS spcoptions;
CREATE VIEW _pg.main.pg_collation AS
	SELECT v.*, NULL::VARCHAR AS colliculocale, NULL::VARCHAR AS collversion, 3456::UINTEGER AS tableoid FROM (VALUES
		(100::UINTEGER, 'default', 11::UINTEGER, 10::UINTEGER, 'd', true, -1::INTEGER, NULL::VARCHAR, NULL::VARCHAR),
		(950::UINTEGER, 'C', 11::UINTEGER, 10::UINTEGER, 'c', true, -1::INTEGER, 'C', 'C')) v(oid, collname, collnamespace, collowner,
		collprovider, collisdeterministic, collencoding, collcollate, collctype);
CREATE VIEW _pg.main.pg_language AS
	SELECT v.*, 0::UINTEGER AS lanplcallfoid, 0::UINTEGER AS laninline, 0::UINTEGER AS lanvalidator, NULL::VARCHAR[] AS lanacl, 2612::UINTEGER AS tableoid FROM (VALUES
		(12::UINTEGER, 'internal', 10::UINTEGER, false, false), (13::UINTEGER, 'c', 10::UINTEGER, false, false),
		(14::UINTEGER, 'sql', 10::UINTEGER, false, true)) v(oid, lanname, lanowner, lanispl, lanpltrusted);
CREATE VIEW _pg.main.pg_extension AS
	SELECT 13500::UINTEGER AS oid, 'plpgsql' AS extname, 10::UINTEGER AS extowner, 11::UINTEGER AS extnamespace, false AS extrelocatable,
		'1.0' AS extversion, NULL::UINTEGER[] AS extconfig, NULL::VARCHAR[] AS extcondition, 3079::UINTEGER AS tableoid;
CREATE VIEW _pg.main.pg_cast AS
	SELECT v.*, 2605::UINTEGER AS tableoid FROM (VALUES (10000::UINTEGER, 23::UINTEGER, 20::UINTEGER, 481::UINTEGER, 'i', 'f'), (10001::UINTEGER, 20::UINTEGER, 23::UINTEGER, 480::UINTEGER, 'a', 'f'),
		(10002::UINTEGER, 23::UINTEGER, 701::UINTEGER, 316::UINTEGER, 'i', 'f'), (10003::UINTEGER, 1043::UINTEGER, 25::UINTEGER, 0::UINTEGER, 'i', 'b'))
		v(oid, castsource, casttarget, castfunc, castcontext, castmethod);
CREATE VIEW _pg.main.pg_operator AS
	SELECT v.oid, v.oprname, 11::UINTEGER AS oprnamespace, 10::UINTEGER AS oprowner, 'b' AS oprkind, true AS oprcanmerge, true AS oprcanhash,
		v.t AS oprleft, v.t AS oprright, 16::UINTEGER AS oprresult, 0::UINTEGER AS oprcom, 0::UINTEGER AS oprnegate, 0::UINTEGER AS oprcode,
		0::UINTEGER AS oprrest, 0::UINTEGER AS oprjoin, 2617::UINTEGER AS tableoid
	FROM (VALUES (96::UINTEGER, '=', 23::UINTEGER), (97::UINTEGER, '<', 23::UINTEGER), (98::UINTEGER, '=', 25::UINTEGER), (410::UINTEGER, '=', 20::UINTEGER)) v(oid, oprname, t);
CREATE VIEW _pg.main.pg_opclass AS
	SELECT oid, 403::UINTEGER AS opcmethod, name AS opcname, 11::UINTEGER AS opcnamespace, 10::UINTEGER AS opcowner, family AS opcfamily,
		type_oid AS opcintype, is_default AS opcdefault, 0::UINTEGER AS opckeytype, 2616::UINTEGER AS tableoid FROM _pg.main._opclasses;

-- Listings for people.
CREATE VIEW _pg.main.pg_tables AS
	SELECT n.nspname AS schemaname, c.relname AS tablename, {user_text} AS tableowner, NULL::VARCHAR AS tablespace, c.relhasindex AS hasindexes,
		c.relhasrules AS hasrules, c.relhastriggers AS hastriggers, false AS rowsecurity
	FROM _pg.main.pg_class c JOIN _pg.main.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r';
CREATE VIEW _pg.main.pg_views AS
	SELECT n.name AS schemaname, v.view_name AS viewname, {user_text} AS viewowner, _pg.main._shown_sql(v.sql) AS definition
	FROM system.main.duckdb_views() v JOIN _pg.main._namespaces n ON n.oid = _pg.main._namespace_oid(v.database_name, v.schema_name, v.schema_oid)
	WHERE v.database_name IN ({db_text}, 'temp') AND NOT v.internal;
CREATE VIEW _pg.main.pg_indexes AS
	SELECT n.name AS schemaname, i.table_name AS tablename, i.name AS indexname, NULL::VARCHAR AS tablespace, 'CREATE ' || CASE WHEN i.is_unique THEN 'UNIQUE ' ELSE '' END || 'INDEX ' || i.name || ' ON ' || n.name || '.' || i.table_name ||
		' USING btree (' || array_to_string(i.columns, ', ') || ')' AS indexdef
	FROM _pg.main._indexes i JOIN _pg.main._namespaces n ON n.oid = i.namespace_oid;
CREATE VIEW _pg.main.pg_sequences AS
	SELECT CASE WHEN database_name = 'temp' THEN 'pg_temp_1' ELSE schema_name END AS schemaname, sequence_name AS sequencename, {user_text} AS sequenceowner, 'bigint' AS data_type, start_value, min_value,
		max_value, increment_by, cycle, 1::BIGINT AS cache_size, last_value
	FROM system.main.duckdb_sequences() WHERE database_name IN ({db_text}, 'temp');
CREATE VIEW _pg.main.pg_timezone_names AS
	SELECT name, abbrev, utc_offset::INTERVAL AS utc_offset, is_dst FROM pg_timezone_names();
CREATE VIEW _pg.main.pg_timezone_abbrevs AS SELECT 'UTC' AS abbrev, INTERVAL 0 HOURS AS utc_offset, false AS is_dst;
