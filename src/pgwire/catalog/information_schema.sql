-- information_schema, in _pg.info.
CREATE VIEW _pg.info._tables AS
	SELECT r.oid, s.name AS schema_name, r.name, r.kind, r.persistence, coalesce(p.oid IS NOT NULL, false) AS is_project
	FROM _pg.main._relations r JOIN _pg.main._namespaces s ON s.oid = r.namespace_oid LEFT JOIN _pg_own.main._project_tables p ON p.oid = r.oid
	WHERE r.kind IN ('r', 'v') AND s.name NOT IN ('pg_catalog', 'information_schema');
CREATE VIEW _pg.info.information_schema_catalog_name AS SELECT {database_text} AS catalog_name;
CREATE VIEW _pg.info.schemata AS
	SELECT {database_text} AS catalog_name, name AS schema_name, {user_text} AS schema_owner, NULL::VARCHAR AS default_character_set_catalog,
		NULL::VARCHAR AS default_character_set_schema, NULL::VARCHAR AS default_character_set_name, NULL::VARCHAR AS sql_path
	FROM _pg.main._namespaces WHERE oid NOT IN (99, 14000);
CREATE VIEW _pg.info.tables AS
	SELECT {database_text} AS table_catalog, schema_name AS table_schema, name AS table_name,
		CASE WHEN kind = 'v' THEN 'VIEW' WHEN persistence = 't' THEN 'LOCAL TEMPORARY' ELSE 'BASE TABLE' END AS table_type,
		NULL::VARCHAR AS self_referencing_column_name, NULL::VARCHAR AS reference_generation, NULL::VARCHAR AS user_defined_type_catalog,
		NULL::VARCHAR AS user_defined_type_schema, NULL::VARCHAR AS user_defined_type_name,
		CASE WHEN kind = 'r' AND NOT is_project THEN 'YES' ELSE 'NO' END AS is_insertable_into, 'NO' AS is_typed, NULL::VARCHAR AS commit_action
	FROM _pg.info._tables;
CREATE VIEW _pg.info._typed_columns AS
	SELECT t.schema_name, t.name AS table_name, t.kind, t.is_project, _pg.main._type_mod(c.data_type) AS type_mod, c.*
	FROM _pg.main._columns c JOIN _pg.info._tables t ON t.oid = c.table_oid;
CREATE VIEW _pg.info.columns AS
	SELECT {database_text} AS table_catalog, c.schema_name AS table_schema, c.table_name, c.name AS column_name, c.attnum::INTEGER AS ordinal_position,
		c.column_default, CASE WHEN c.is_nullable THEN 'YES' ELSE 'NO' END AS is_nullable,
		CASE WHEN c.enum_name IS NOT NULL THEN 'USER-DEFINED' WHEN t.typcategory = 'A' THEN 'ARRAY' ELSE _pg.main._type_name(c.type_oid) END AS data_type,
		NULL::INTEGER AS character_maximum_length, CASE WHEN c.type_oid = 25 THEN 1073741824 END::INTEGER AS character_octet_length,
		CASE c.type_oid WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53
			WHEN 1700 THEN CASE WHEN c.type_mod > 0 THEN (c.type_mod - 4) >> 16 END END::INTEGER AS numeric_precision,
		CASE WHEN c.type_oid IN (20, 21, 23, 700, 701) THEN 2 WHEN c.type_oid = 1700 THEN 10 END::INTEGER AS numeric_precision_radix,
		CASE WHEN c.type_oid IN (20, 21, 23) THEN 0 WHEN c.type_oid = 1700 AND c.type_mod > 0
			THEN (c.type_mod - 4) & 65535 END::INTEGER AS numeric_scale,
		CASE WHEN c.type_oid = 1082 THEN 0 WHEN c.type_oid IN (1083, 1114, 1184, 1186, 1266) THEN 6 END::INTEGER AS datetime_precision,
		NULL::VARCHAR AS interval_type, NULL::INTEGER AS interval_precision, NULL::VARCHAR AS character_set_catalog, NULL::VARCHAR AS character_set_schema,
		NULL::VARCHAR AS character_set_name, NULL::VARCHAR AS collation_catalog, NULL::VARCHAR AS collation_schema, NULL::VARCHAR AS collation_name,
		NULL::VARCHAR AS domain_catalog, NULL::VARCHAR AS domain_schema, NULL::VARCHAR AS domain_name, {database_text} AS udt_catalog,
		CASE WHEN c.enum_name IS NOT NULL THEN 'main' ELSE 'pg_catalog' END AS udt_schema, coalesce(c.enum_name, t.typname) AS udt_name,
		NULL::VARCHAR AS scope_catalog, NULL::VARCHAR AS scope_schema, NULL::VARCHAR AS scope_name, NULL::INTEGER AS maximum_cardinality,
		c.attnum::VARCHAR AS dtd_identifier, 'NO' AS is_self_referencing, 'NO' AS is_identity, NULL::VARCHAR AS identity_generation,
		NULL::VARCHAR AS identity_start, NULL::VARCHAR AS identity_increment, NULL::VARCHAR AS identity_maximum, NULL::VARCHAR AS identity_minimum,
		'NO' AS identity_cycle, 'NEVER' AS is_generated, NULL::VARCHAR AS generation_expression,
		CASE WHEN c.kind = 'r' AND NOT c.is_project THEN 'YES' ELSE 'NO' END AS is_updatable
	FROM _pg.info._typed_columns c LEFT JOIN _pg.main._types t ON t.oid = c.type_oid;
CREATE VIEW _pg.info.views AS
	SELECT {database_text} AS table_catalog, schemaname AS table_schema, viewname AS table_name, definition AS view_definition, 'NONE' AS check_option,
		'NO' AS is_updatable, 'NO' AS is_insertable_into, 'NO' AS is_trigger_updatable, 'NO' AS is_trigger_deletable, 'NO' AS is_trigger_insertable_into
	FROM _pg.main.pg_views;
CREATE VIEW _pg.info._named_constraints AS
	SELECT c.*, s.name AS schema_name FROM _pg.main._constraints c JOIN _pg.main._namespaces s ON s.oid = c.namespace_oid;
CREATE VIEW _pg.info.table_constraints AS
	SELECT {database_text} AS constraint_catalog, schema_name AS constraint_schema, name AS constraint_name, {database_text} AS table_catalog,
		schema_name AS table_schema, table_name, CASE kind WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' WHEN 'f' THEN 'FOREIGN KEY' ELSE 'CHECK' END AS constraint_type,
		'NO' AS is_deferrable, 'NO' AS initially_deferred, 'YES' AS enforced, 'YES' AS nulls_distinct
	FROM _pg.info._named_constraints;
CREATE VIEW _pg.info.key_column_usage AS
	SELECT {database_text} AS constraint_catalog, c.schema_name AS constraint_schema, c.name AS constraint_name, {database_text} AS table_catalog,
		c.schema_name AS table_schema, c.table_name, x.name AS column_name, x.n::INTEGER AS ordinal_position,
		CASE WHEN c.kind = 'f' THEN x.n END::INTEGER AS position_in_unique_constraint
	FROM _pg.info._named_constraints c, unnest(c.columns) WITH ORDINALITY AS x(name, n) WHERE c.kind IN ('p', 'u', 'f');
CREATE VIEW _pg.info.constraint_column_usage AS
	SELECT {database_text} AS table_catalog, c.schema_name AS table_schema, CASE WHEN c.kind = 'f' THEN c.referenced_table ELSE c.table_name END AS table_name,
		x.name AS column_name, {database_text} AS constraint_catalog, c.schema_name AS constraint_schema, c.name AS constraint_name
	FROM _pg.info._named_constraints c, unnest(CASE WHEN c.kind = 'f' THEN c.referenced_columns ELSE c.columns END) AS x(name) WHERE c.kind IN ('p', 'u', 'f');
CREATE VIEW _pg.info.constraint_table_usage AS SELECT DISTINCT table_catalog, table_schema, table_name, constraint_catalog, constraint_schema, constraint_name
	FROM _pg.info.constraint_column_usage;
CREATE VIEW _pg.info.referential_constraints AS
	SELECT {database_text} AS constraint_catalog, c.schema_name AS constraint_schema, c.name AS constraint_name, {database_text} AS unique_constraint_catalog,
		c.schema_name AS unique_constraint_schema, (SELECT min(u.name) FROM _pg.main._constraints u WHERE u.table_name = c.referenced_table AND u.kind IN ('p', 'u')
			AND u.columns = c.referenced_columns) AS unique_constraint_name, 'NONE' AS match_option, 'NO ACTION' AS update_rule, 'NO ACTION' AS delete_rule
	FROM _pg.info._named_constraints c WHERE c.kind = 'f';
CREATE VIEW _pg.info.check_constraints AS
	SELECT {database_text} AS constraint_catalog, schema_name AS constraint_schema, name AS constraint_name,
		coalesce(expression, array_to_string(columns, ', ') || ' IS NOT NULL') AS check_clause
	FROM _pg.info._named_constraints WHERE kind IN ('c', 'n');
CREATE VIEW _pg.info.sequences AS
	SELECT {database_text} AS sequence_catalog, schema_name AS sequence_schema, sequence_name, 'bigint' AS data_type, 64::INTEGER AS numeric_precision,
		2::INTEGER AS numeric_precision_radix, 0::INTEGER AS numeric_scale, start_value::VARCHAR AS start_value, min_value::VARCHAR AS minimum_value,
		max_value::VARCHAR AS maximum_value, increment_by::VARCHAR AS "increment", CASE WHEN cycle THEN 'YES' ELSE 'NO' END AS cycle_option
	FROM system.main.duckdb_sequences() WHERE database_name IN ({db_text}, 'temp');
CREATE VIEW _pg.info.routines AS
	SELECT {database_text} AS specific_catalog, 'main' AS specific_schema, proname || '_' || oid AS specific_name, {database_text} AS routine_catalog,
		'main' AS routine_schema, proname AS routine_name, 'FUNCTION' AS routine_type, 'any' AS data_type, 'USER-DEFINED' AS type_udt_name,
		'SQL' AS routine_body, prosrc AS routine_definition, NULL::VARCHAR AS external_name, 'SQL' AS external_language, 'YES' AS is_deterministic,
		NULL::VARCHAR AS module_catalog, NULL::VARCHAR AS module_schema, NULL::VARCHAR AS module_name, NULL::VARCHAR AS udt_catalog,
		NULL::VARCHAR AS udt_schema, NULL::VARCHAR AS udt_name, NULL::INTEGER AS character_maximum_length,
		NULL::INTEGER AS character_octet_length, NULL::VARCHAR AS character_set_catalog, NULL::VARCHAR AS character_set_schema,
		NULL::VARCHAR AS character_set_name, NULL::VARCHAR AS collation_catalog, NULL::VARCHAR AS collation_schema,
		NULL::VARCHAR AS collation_name, NULL::INTEGER AS numeric_precision, NULL::INTEGER AS numeric_precision_radix,
		NULL::INTEGER AS numeric_scale, NULL::INTEGER AS datetime_precision, NULL::VARCHAR AS interval_type, NULL::INTEGER AS interval_precision,
		NULL::VARCHAR AS type_udt_catalog, NULL::VARCHAR AS type_udt_schema, NULL::VARCHAR AS scope_catalog, NULL::VARCHAR AS scope_schema,
		NULL::VARCHAR AS scope_name, NULL::INTEGER AS maximum_cardinality, NULL::VARCHAR AS dtd_identifier, NULL::VARCHAR AS parameter_style,
		NULL::VARCHAR AS sql_data_access, NULL::VARCHAR AS is_null_call, NULL::VARCHAR AS sql_path, NULL::VARCHAR AS schema_level_routine,
		NULL::INTEGER AS max_dynamic_result_sets, NULL::VARCHAR AS is_user_defined_cast, NULL::VARCHAR AS is_implicitly_invocable,
		NULL::VARCHAR AS security_type, NULL::VARCHAR AS to_sql_specific_catalog, NULL::VARCHAR AS to_sql_specific_schema,
		NULL::VARCHAR AS to_sql_specific_name, NULL::VARCHAR AS as_locator, NULL::TIMESTAMPTZ AS created, NULL::TIMESTAMPTZ AS last_altered,
		NULL::VARCHAR AS new_savepoint_level, NULL::VARCHAR AS is_udt_dependent, NULL::VARCHAR AS result_cast_from_data_type,
		NULL::VARCHAR AS result_cast_as_locator, NULL::INTEGER AS result_cast_char_max_length, NULL::INTEGER AS result_cast_char_octet_length,
		NULL::VARCHAR AS result_cast_char_set_catalog, NULL::VARCHAR AS result_cast_char_set_schema, NULL::VARCHAR AS result_cast_char_set_name,
		NULL::VARCHAR AS result_cast_collation_catalog, NULL::VARCHAR AS result_cast_collation_schema,
		NULL::VARCHAR AS result_cast_collation_name, NULL::INTEGER AS result_cast_numeric_precision,
		NULL::INTEGER AS result_cast_numeric_precision_radix, NULL::INTEGER AS result_cast_numeric_scale,
		NULL::INTEGER AS result_cast_datetime_precision, NULL::VARCHAR AS result_cast_interval_type,
		NULL::INTEGER AS result_cast_interval_precision, NULL::VARCHAR AS result_cast_type_udt_catalog,
		NULL::VARCHAR AS result_cast_type_udt_schema, NULL::VARCHAR AS result_cast_type_udt_name, NULL::VARCHAR AS result_cast_scope_catalog,
		NULL::VARCHAR AS result_cast_scope_schema, NULL::VARCHAR AS result_cast_scope_name, NULL::INTEGER AS result_cast_maximum_cardinality,
		NULL::VARCHAR AS result_cast_dtd_identifier
	FROM _pg.main.pg_proc WHERE pronamespace <> 11;
CREATE VIEW _pg.info.parameters AS
	SELECT {database_text} AS specific_catalog, 'main' AS specific_schema, p.proname || '_' || p.oid AS specific_name, x.n::INTEGER AS ordinal_position,
		'IN' AS parameter_mode, 'NO' AS is_result, 'NO' AS as_locator, x.name AS parameter_name, 'any' AS data_type,
		NULL::INTEGER AS character_maximum_length, NULL::INTEGER AS character_octet_length, NULL::VARCHAR AS character_set_catalog,
		NULL::VARCHAR AS character_set_schema, NULL::VARCHAR AS character_set_name, NULL::VARCHAR AS collation_catalog,
		NULL::VARCHAR AS collation_schema, NULL::VARCHAR AS collation_name, NULL::INTEGER AS numeric_precision,
		NULL::INTEGER AS numeric_precision_radix, NULL::INTEGER AS numeric_scale, NULL::INTEGER AS datetime_precision,
		NULL::VARCHAR AS interval_type, NULL::INTEGER AS interval_precision, NULL::VARCHAR AS udt_catalog, NULL::VARCHAR AS udt_schema,
		NULL::VARCHAR AS udt_name, NULL::VARCHAR AS scope_catalog, NULL::VARCHAR AS scope_schema, NULL::VARCHAR AS scope_name,
		NULL::INTEGER AS maximum_cardinality, NULL::VARCHAR AS dtd_identifier, NULL::VARCHAR AS parameter_default
	FROM _pg.main.pg_proc p, unnest(p.proargnames) WITH ORDINALITY AS x(name, n) WHERE p.pronamespace <> 11;
CREATE VIEW _pg.info.character_sets AS
	SELECT NULL::VARCHAR AS character_set_catalog, NULL::VARCHAR AS character_set_schema, 'UTF8' AS character_set_name, 'UCS' AS character_repertoire,
		'UTF8' AS form_of_use, {database_text} AS default_collate_catalog, 'pg_catalog' AS default_collate_schema, 'C' AS default_collate_name;
CREATE VIEW _pg.info.collations AS
	SELECT {database_text} AS collation_catalog, 'pg_catalog' AS collation_schema, collname AS collation_name, 'NO PAD' AS pad_attribute FROM _pg.main.pg_collation;
CREATE VIEW _pg.info.table_privileges AS
	SELECT {user_text} AS grantor, {user_text} AS grantee, {database_text} AS table_catalog, t.schema_name AS table_schema, t.name AS table_name,
		p.privilege AS privilege_type, 'YES' AS is_grantable, CASE WHEN p.privilege = 'SELECT' THEN 'YES' ELSE 'NO' END AS with_hierarchy
	FROM _pg.info._tables t, (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE'), ('REFERENCES')) p(privilege)
	WHERE p.privilege = 'SELECT' OR NOT t.is_project;
CREATE VIEW _pg.info.role_table_grants AS SELECT * FROM _pg.info.table_privileges;
CREATE VIEW _pg.info.column_privileges AS
	SELECT p.grantor, p.grantee, p.table_catalog, p.table_schema, p.table_name, c.name AS column_name, p.privilege_type, p.is_grantable
	FROM _pg.info.table_privileges p JOIN _pg.info._typed_columns c ON c.schema_name = p.table_schema AND c.table_name = p.table_name
	WHERE p.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES');
CREATE VIEW _pg.info.role_column_grants AS SELECT * FROM _pg.info.column_privileges;
CREATE VIEW _pg.info.enabled_roles AS SELECT {user_text} AS role_name;
CREATE VIEW _pg.info.applicable_roles AS SELECT {user_text} AS grantee, {user_text} AS role_name, 'NO' AS is_grantable;
CREATE VIEW _pg.info.element_types AS
	SELECT {database_text} AS object_catalog, c.schema_name AS object_schema, c.table_name AS object_name, 'TABLE' AS object_type,
		c.attnum::VARCHAR AS collection_type_identifier, _pg.main._type_name(t.typelem) AS data_type, {database_text} AS udt_catalog,
		'pg_catalog' AS udt_schema, e.typname AS udt_name, 'a' || c.attnum AS dtd_identifier,
		NULL::INTEGER AS character_maximum_length, NULL::INTEGER AS character_octet_length, NULL::VARCHAR AS character_set_catalog,
		NULL::VARCHAR AS character_set_schema, NULL::VARCHAR AS character_set_name, NULL::VARCHAR AS collation_catalog,
		NULL::VARCHAR AS collation_schema, NULL::VARCHAR AS collation_name, NULL::INTEGER AS numeric_precision,
		NULL::INTEGER AS numeric_precision_radix, NULL::INTEGER AS numeric_scale, NULL::INTEGER AS datetime_precision,
		NULL::VARCHAR AS interval_type, NULL::INTEGER AS interval_precision, NULL::VARCHAR AS domain_default, NULL::VARCHAR AS scope_catalog,
		NULL::VARCHAR AS scope_schema, NULL::VARCHAR AS scope_name, NULL::INTEGER AS maximum_cardinality
	FROM _pg.info._typed_columns c JOIN _pg.main._types t ON t.oid = c.type_oid AND t.typcategory = 'A' JOIN _pg.main._types e ON e.oid = t.typelem;
CREATE VIEW _pg.info.view_table_usage AS SELECT NULL::VARCHAR AS view_catalog, NULL::VARCHAR AS view_schema, NULL::VARCHAR AS view_name,
	NULL::VARCHAR AS table_catalog, NULL::VARCHAR AS table_schema, NULL::VARCHAR AS table_name WHERE false;
