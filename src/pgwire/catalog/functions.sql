-- Functions of pg_catalog that the engine lacks or answers differently. Names inside of them begin with _of_: an argument is put in as
-- the caller wrote it, and its table's alias must not mean a table in here. They are macros in _pg.main, which stands on every
-- session's search path in front of the engine's own functions; a macro of several lines has one for each number of arguments.

-- Who and where.
CREATE MACRO _pg.main.version() AS {version_text};
CREATE MACRO _pg.main.current_user() AS {user_text};
CREATE MACRO _pg.main.session_user() AS {user_text};
CREATE MACRO _pg.main.user() AS {user_text};
CREATE MACRO _pg.main.current_role() AS {user_text};
CREATE MACRO _pg.main.current_database() AS {database_text};
CREATE MACRO _pg.main.current_catalog() AS {database_text};
-- The engine's search path holds the client's schemas that exist, behind _pg.main and system.main in statements that ask the catalog, and _pg.main at its end; twice when the client wants none.
CREATE MACRO _pg.main._set_path() AS list_filter(list_transform(string_split(system.main.current_setting('search_path'), ','),
	lambda s: CASE WHEN starts_with(replace(s, '"', ''), {db_text} || '.') THEN replace(s, '"', '')[length({db_text}) + 2:]
		ELSE regexp_replace(replace(s, '"', ''), '(.)\.main$', '\1') END), lambda s: s NOT IN ('', '_pg', 'system'));
CREATE MACRO _pg.main._path() AS CASE WHEN ends_with(system.main.current_setting('search_path'), '_pg.main,_pg.main') THEN []::VARCHAR[] WHEN len(_pg.main._set_path()) = 0 THEN ['main']
	ELSE _pg.main._set_path() END;
CREATE MACRO _pg.main.current_schema() AS _pg.main._path()[1];
CREATE MACRO _pg.main.current_schemas(implicit) AS CASE WHEN implicit THEN ['pg_catalog'] ELSE []::VARCHAR[] END || _pg.main._path();
CREATE MACRO _pg.main.pg_is_in_recovery() AS false;
CREATE MACRO _pg.main.pg_is_wal_replay_paused() AS false;
CREATE MACRO _pg.main.pg_postmaster_start_time() AS {start_text}::TIMESTAMPTZ;
CREATE MACRO _pg.main.pg_conf_load_time() AS {start_text}::TIMESTAMPTZ;
CREATE MACRO _pg.main.inet_client_addr() AS NULL::VARCHAR;
CREATE MACRO _pg.main.inet_client_port() AS NULL::INTEGER;
CREATE MACRO _pg.main.inet_server_addr() AS NULL::VARCHAR;
CREATE MACRO _pg.main.inet_server_port() AS {port}::INTEGER;
CREATE MACRO _pg.main.pg_my_temp_schema() AS 14000::UINTEGER;
CREATE MACRO _pg.main.pg_is_other_temp_schema(o) AS false;
CREATE MACRO _pg.main.txid_current() AS system.main.txid_current()::BIGINT;
CREATE MACRO _pg.main.pg_current_xact_id() AS system.main.txid_current()::BIGINT;
CREATE MACRO _pg.main.clock_timestamp() AS now();
CREATE MACRO _pg.main.statement_timestamp() AS now();
CREATE MACRO _pg.main.pg_current_xact_id_if_assigned() AS NULL::BIGINT;
CREATE MACRO _pg.main.txid_current_if_assigned() AS NULL::BIGINT;
CREATE MACRO _pg.main.getdatabaseencoding() AS 'UTF8';
CREATE MACRO _pg.main.pg_client_encoding() AS 'UTF8';
CREATE MACRO _pg.main.pg_encoding_to_char(e) AS CASE e WHEN 6 THEN 'UTF8' WHEN 0 THEN 'SQL_ASCII' ELSE '' END;
CREATE MACRO _pg.main.pg_char_to_encoding(n) AS CASE upper(n) WHEN 'UTF8' THEN 6 WHEN 'SQL_ASCII' THEN 0 ELSE -1 END;
CREATE MACRO _pg.main.pg_get_userbyid(o) AS CASE WHEN o = 10 THEN {user_text} ELSE 'unknown (OID=' || o || ')' END;

-- Names as they are written.
CREATE MACRO _pg.main._reserved(n) AS n IN (
	'all', 'analyse', 'analyze', 'and', 'any', 'array', 'as', 'asc', 'asymmetric', 'both', 'case', 'cast', 'check', 'collate', 'column', 'constraint', 'create',
	'current_catalog', 'current_date', 'current_role', 'current_time', 'current_timestamp', 'current_user', 'default', 'deferrable', 'desc', 'distinct', 'do', 'else',
	'end', 'except', 'false', 'fetch', 'for', 'foreign', 'from', 'grant', 'group', 'having', 'in', 'initially', 'intersect', 'into', 'lateral', 'leading', 'limit',
	'localtime', 'localtimestamp', 'not', 'null', 'offset', 'on', 'only', 'or', 'order', 'placing', 'primary', 'references', 'returning', 'select', 'session_user',
	'some', 'symmetric', 'table', 'then', 'to', 'trailing', 'true', 'union', 'unique', 'user', 'using', 'variadic', 'when', 'where', 'window', 'with', 'between',
	'bigint', 'bit', 'boolean', 'char', 'character', 'coalesce', 'dec', 'decimal', 'exists', 'extract', 'float', 'greatest', 'grouping', 'inout', 'int', 'integer',
	'interval', 'least', 'national', 'nchar', 'none', 'normalize', 'nullif', 'numeric', 'out', 'overlay', 'position', 'precision', 'real', 'row', 'setof', 'smallint',
	'substring', 'time', 'timestamp', 'treat', 'trim', 'values', 'varchar', 'xmlattributes', 'xmlconcat', 'xmlelement', 'xmlexists', 'xmlforest', 'xmlnamespaces',
	'xmlparse', 'xmlpi', 'xmlroot', 'xmlserialize', 'xmltable', 'authorization', 'binary', 'collation', 'concurrently', 'cross', 'current_schema', 'freeze', 'full',
	'ilike', 'inner', 'is', 'isnull', 'join', 'left', 'like', 'natural', 'notnull', 'outer', 'overlaps', 'right', 'similar', 'tablesample', 'verbose');
CREATE MACRO _pg.main._quoted(n) AS CASE WHEN regexp_full_match(n, '[a-z_][a-z0-9_]*') AND NOT _pg.main._reserved(n) THEN n ELSE '"' || replace(n, '"', '""') || '"' END;

-- Types.
CREATE MACRO _pg.main._enum_shown(o) AS (SELECT any_value(CASE WHEN list_contains(_pg.main._path(), _of_s.name) THEN '' ELSE _pg.main._quoted(_of_s.name) || '.' END
	|| _pg.main._quoted(_of_e.name) || CASE WHEN _of_e.array_oid = o THEN '[]' ELSE '' END)
	FROM _pg.main._enums _of_e JOIN _pg.main._namespaces _of_s ON _of_s.oid = _of_e.namespace_oid WHERE o IN (_of_e.oid, _of_e.array_oid));
CREATE MACRO _pg.main.format_type(o, typmod) AS coalesce(CASE
	WHEN o = 1700 AND typmod > 4 THEN 'numeric(' || ((typmod - 4) >> 16) || ',' || ((typmod - 4) & 65535) || ')'
	WHEN o IN (1042, 1043) AND typmod > 4 THEN CASE o WHEN 1042 THEN 'character(' ELSE 'character varying(' END || (typmod - 4) || ')'
	WHEN o IN (1083, 1114, 1184, 1266) AND typmod >= 0 THEN regexp_replace(_pg.main._type_name(o), '^(\w+)', '\1(' || typmod || ')')
	WHEN o IN (1560, 1562) AND typmod >= 0 THEN _pg.main._type_name(o) || '(' || typmod || ')'
	WHEN o = 1042 AND typmod = -1 THEN 'bpchar' WHEN o = 0 THEN '-'
	ELSE _pg.main._type_name(o) END, _pg.main._enum_shown(o), CASE WHEN o IS NOT NULL THEN repeat('?', 3) END);
CREATE MACRO _pg.main._plain_type(n) AS regexp_replace(replace(n::VARCHAR, '"', ''), '^((?:main|public)\.)?(.*?)(\[\])?$', '\2');
CREATE MACRO _pg.main.to_regtype(n) AS coalesce(try_cast(n AS UINTEGER),
	(SELECT min(_of_t.oid) FROM _pg.main._type_names _of_t WHERE _of_t.name = lower(replace(replace(regexp_replace(n::VARCHAR, '\(.*\)', ''), '"', ''), 'pg_catalog.', ''))),
	(SELECT min(CASE WHEN n::VARCHAR LIKE '%[]' OR _of_e.name <> _pg.main._plain_type(n) THEN _of_e.array_oid ELSE _of_e.oid END) FROM _pg.main._enums _of_e
		WHERE _of_e.name = _pg.main._plain_type(n) OR '_' || _of_e.name = _pg.main._plain_type(n)));
CREATE MACRO _pg.main.regtype_text(x) AS CASE WHEN try_cast(x AS UINTEGER) IS NOT NULL THEN replace(_pg.main.format_type(try_cast(x AS UINTEGER), NULL), repeat('?', 3), x::VARCHAR)
	ELSE _pg.main._type_shown(regexp_replace(replace(x::VARCHAR, '"', ''), '^(pg_catalog|main|public)\.', '')) END;
CREATE MACRO _pg.main.regtype_oid(n) AS coalesce(_pg.main.to_regtype(n), error('type "' || n::VARCHAR || '" does not exist'));
CREATE MACRO _pg.main.pg_typeof(x) AS CASE _pg.main._base(typeof(x)) WHEN 'BOOLEAN' THEN 'boolean' WHEN 'TINYINT' THEN 'smallint' WHEN 'UTINYINT' THEN 'smallint'
	WHEN 'SMALLINT' THEN 'smallint' WHEN 'USMALLINT' THEN 'integer' WHEN 'INTEGER' THEN 'integer' WHEN 'UINTEGER' THEN 'bigint' WHEN 'BIGINT' THEN 'bigint'
	WHEN 'UBIGINT' THEN 'numeric' WHEN 'HUGEINT' THEN 'numeric' WHEN 'UHUGEINT' THEN 'numeric' WHEN 'BIGNUM' THEN 'numeric' WHEN 'DECIMAL' THEN 'numeric'
	WHEN 'FLOAT' THEN 'real' WHEN 'DOUBLE' THEN 'double precision' WHEN 'VARCHAR' THEN 'text' WHEN '"NULL"' THEN 'unknown' WHEN 'BLOB' THEN 'bytea' WHEN 'DATE' THEN 'date'
	WHEN 'TIME' THEN 'time without time zone' WHEN 'TIME_NS' THEN 'time without time zone' WHEN 'TIME WITH TIME ZONE' THEN 'time with time zone'
	WHEN 'TIMESTAMP' THEN 'timestamp without time zone' WHEN 'TIMESTAMP_S' THEN 'timestamp without time zone' WHEN 'TIMESTAMP_MS' THEN 'timestamp without time zone'
	WHEN 'TIMESTAMP_NS' THEN 'timestamp without time zone' WHEN 'TIMESTAMP WITH TIME ZONE' THEN 'timestamp with time zone' WHEN 'INTERVAL' THEN 'interval'
	WHEN 'UUID' THEN 'uuid' WHEN 'BIT' THEN 'bit varying' WHEN 'STRUCT' THEN 'json' WHEN 'MAP' THEN 'json' WHEN 'UNION' THEN 'json' WHEN 'VARIANT' THEN 'json' ELSE lower(_pg.main._base(typeof(x))) END
	|| CASE WHEN typeof(x) LIKE '%]' AND _pg.main._base(typeof(x)) <> 'STRUCT' THEN '[]' ELSE '' END;
CREATE MACRO _pg.main.oidvectortypes(v) AS array_to_string(list_transform(v, lambda o: _pg.main._type_name(o)), ', ');

-- Names of objects and back.
CREATE MACRO _pg.main._in_database(n) AS CASE WHEN starts_with(n, {database_text} || '.') AND contains(n[length({database_text}) + 2:], '.') THEN n[length({database_text}) + 2:] ELSE n END;
CREATE MACRO _pg.main._plain_name(n) AS regexp_replace(_pg.main._in_database(replace(n::VARCHAR, '"', '')), '^(public|pg_catalog|pg_temp)\.(.*)$', CASE WHEN n::VARCHAR LIKE 'pg_catalog.%' THEN '\2'
	WHEN n::VARCHAR LIKE 'pg_temp.%' THEN 'pg_temp_1.\2' ELSE 'main.\2' END);
CREATE MACRO _pg.main._visible_schemas() AS ['pg_temp_1', 'pg_catalog'] || _pg.main._path();
CREATE MACRO _pg.main._temp_names() AS coalesce((SELECT list(_of_n.name) FROM (SELECT table_name AS name FROM system.main.duckdb_tables() WHERE database_name = 'temp' AND NOT internal
	UNION ALL SELECT view_name FROM system.main.duckdb_views() WHERE database_name = 'temp' AND NOT internal) _of_n), []::VARCHAR[]);
CREATE MACRO _pg.main._is_visible(s, n) AS list_contains(_pg.main._visible_schemas(), s) AND (s = 'pg_temp_1' OR NOT list_contains(_pg.main._temp_names(), n));
CREATE MACRO _pg.main.to_regclass(n) AS coalesce(try_cast(n AS UINTEGER), (SELECT arg_min(_of_r.oid, list_position(_pg.main._visible_schemas(), _of_s.name)) FROM _pg.main._relations _of_r
	JOIN _pg.main._namespaces _of_s ON _of_s.oid = _of_r.namespace_oid WHERE _of_r.name = _pg.main._plain_name(n) AND list_contains(_pg.main._visible_schemas(), _of_s.name)),
	(SELECT min(_of_r.oid) FROM _pg.main._relations _of_r JOIN _pg.main._namespaces _of_s ON _of_s.oid = _of_r.namespace_oid
	WHERE _of_s.name || '.' || _of_r.name = _pg.main._plain_name(n)));
-- Of its own in a subquery, what is cast is planned once: the text may be a query itself.
CREATE MACRO _pg.main.regclass_oid(n) AS (SELECT coalesce(_pg.main.to_regclass(_of_n.n), error('relation "' || _of_n.n::VARCHAR || '" does not exist')) FROM (SELECT n AS n) _of_n);
CREATE MACRO _pg.main.regclass_text(o) AS coalesce((SELECT any_value(CASE WHEN _pg.main._is_visible(_of_s.name, _of_r.name) THEN _pg.main._quoted(_of_r.name)
	ELSE _pg.main._quoted(_of_s.name) || '.' || _pg.main._quoted(_of_r.name) END)
	FROM _pg.main._relations _of_r JOIN _pg.main._namespaces _of_s ON _of_s.oid = _of_r.namespace_oid WHERE _of_r.oid = try_cast(o AS UINTEGER)), CASE WHEN o::VARCHAR = '0' THEN '-' ELSE o::VARCHAR END);
CREATE MACRO _pg.main.to_regproc(n) AS coalesce(try_cast(n AS UINTEGER), (SELECT min(_of_f.oid) FROM _pg.main._system_functions _of_f WHERE _of_f.name = regexp_replace(replace(n::VARCHAR, 'pg_catalog.', ''), '\(.*\)$', '')),
	(SELECT min(_of_f.function_oid) FROM system.main.duckdb_functions() _of_f WHERE NOT _of_f.internal AND _of_f.database_name = {db_text} AND _of_f.function_name = _pg.main._plain_name(n)));
CREATE MACRO _pg.main.regproc_oid(n) AS coalesce(_pg.main.to_regproc(n), error('function "' || n::VARCHAR || '" does not exist'));
CREATE MACRO _pg.main.regproc_text(o) AS CASE WHEN o = 0 THEN '-' ELSE coalesce((SELECT min(_of_f.name) FROM _pg.main._system_functions _of_f WHERE _of_f.oid = try_cast(o AS UINTEGER)), o::VARCHAR) END;
CREATE MACRO _pg.main.to_regnamespace(n) AS coalesce(try_cast(n AS UINTEGER), (SELECT min(_of_s.oid) FROM _pg.main._namespaces _of_s WHERE _of_s.name = CASE replace(n::VARCHAR, '"', '') WHEN 'public' THEN 'main' WHEN 'pg_temp' THEN 'pg_temp_1' ELSE replace(n::VARCHAR, '"', '') END));
CREATE MACRO _pg.main.regnamespace_oid(n) AS coalesce(_pg.main.to_regnamespace(n), error('schema "' || n::VARCHAR || '" does not exist'));
CREATE MACRO _pg.main.regnamespace_text(o) AS coalesce((SELECT any_value(_of_s.name) FROM _pg.main._namespaces _of_s WHERE _of_s.oid = try_cast(o AS UINTEGER)), o::VARCHAR);
CREATE MACRO _pg.main.to_regrole(n) AS CASE WHEN replace(n::VARCHAR, '"', '') = {user_text} THEN 10::UINTEGER END;
CREATE MACRO _pg.main.regrole_oid(n) AS coalesce(try_cast(n AS UINTEGER), _pg.main.to_regrole(n));
CREATE MACRO _pg.main.regrole_text(o) AS _pg.main.pg_get_userbyid(o);

-- Definitions.
CREATE MACRO _pg.main._located(e) AS CASE WHEN len(_pg.main._path()) = 0 THEN regexp_replace(e, '^nextval\(''([^''.]+)''', 'nextval(''main.\1''') ELSE e END;
CREATE MACRO _pg.main.pg_get_expr(e, r) AS _pg.main._located(e), (e, r, pretty) AS _pg.main._located(e);
-- Printed for people a check stands in one pair of parentheses.
CREATE MACRO _pg.main._constraint_definition(o, pretty) AS (SELECT any_value(CASE _of_c.kind
	WHEN 'p' THEN 'PRIMARY KEY (' || array_to_string(list_transform(_of_c.columns, lambda n: _pg.main._quoted(n)), ', ') || ')'
	WHEN 'u' THEN 'UNIQUE (' || array_to_string(list_transform(_of_c.columns, lambda n: _pg.main._quoted(n)), ', ') || ')'
	WHEN 'c' THEN 'CHECK (' || CASE WHEN pretty THEN regexp_replace(_of_c.expression, '^\((.*)\)$', '\1') ELSE _of_c.expression END || ')'
	WHEN 'f' THEN 'FOREIGN KEY (' || array_to_string(list_transform(_of_c.columns, lambda n: _pg.main._quoted(n)), ', ') || ') REFERENCES '
		|| CASE WHEN list_contains(_pg.main._visible_schemas(), _of_s.name) THEN '' ELSE _pg.main._quoted(_of_s.name) || '.' END || _pg.main._quoted(_of_c.referenced_table)
		|| '(' || array_to_string(list_transform(_of_c.referenced_columns, lambda n: _pg.main._quoted(n)), ', ') || ')'
	ELSE _of_c.definition END) FROM _pg.main._constraints _of_c LEFT JOIN _pg.main._namespaces _of_s ON _of_s.oid = _of_c.namespace_oid WHERE _of_c.oid = o);
CREATE MACRO _pg.main.pg_get_constraintdef(o) AS _pg.main._constraint_definition(o, false), (o, pretty) AS _pg.main._constraint_definition(o, pretty);
CREATE MACRO _pg.main._index_definition(o) AS (SELECT any_value('CREATE ' || CASE WHEN _of_i.is_unique THEN 'UNIQUE ' ELSE '' END || 'INDEX ' || _pg.main._quoted(_of_i.name) ||
	' ON ' || _of_s.name || '.' || _pg.main._quoted(_of_i.table_name) || ' USING btree (' || array_to_string(_of_i.columns, ', ') || ')')
	FROM _pg.main._indexes _of_i JOIN _pg.main._namespaces _of_s ON _of_s.oid = _of_i.namespace_oid WHERE _of_i.oid = o);
CREATE MACRO _pg.main.pg_get_indexdef(o) AS _pg.main._index_definition(o),
	(o, n, pretty) AS CASE WHEN n = 0 THEN _pg.main._index_definition(o) ELSE (SELECT any_value(_of_i.columns[n]) FROM _pg.main._indexes _of_i WHERE _of_i.oid = o) END;
-- A client without a search path, which pg_dump is, gets names of tables with their schema; not where names of WITH may be meant.
CREATE MACRO _pg.main._with_schemas(t) AS CASE WHEN len(_pg.main._path()) > 0 OR regexp_matches(t, '(?i)\bWITH\b') THEN t ELSE list_reduce(
	(SELECT list(_of_r.name) FROM _pg.main._relations _of_r WHERE _of_r.namespace_oid = 2200 AND _of_r.kind IN ('r', 'v')),
	lambda _of_t, _of_n: regexp_replace(_of_t, '(\bFROM|\bJOIN| ,) (\(*)("?' || regexp_escape(_of_n) || '"?)([ ),;]|$)', '\1 \2main.\3\4', 'g'), t) END;
CREATE MACRO _pg.main._view_definition(o) AS (SELECT any_value(_pg.main._with_schemas(regexp_replace(_pg.main._shown_sql(_of_v.sql), '(?is)^CREATE.*?VIEW.*? AS ', ' '))) FROM system.main.duckdb_views() _of_v WHERE _of_v.view_oid = _pg.main.to_regclass(o::VARCHAR));
CREATE MACRO _pg.main.pg_get_viewdef(o) AS _pg.main._view_definition(o), (o, pretty) AS _pg.main._view_definition(o);
CREATE MACRO _pg.main._function_definition(o) AS (SELECT min('CREATE MACRO ' || _of_f.function_name || '(' || array_to_string(_of_f.parameters, ', ') || ') AS ' || _pg.main._shown_sql(_of_f.macro_definition))
	FROM system.main.duckdb_functions() _of_f WHERE _of_f.function_oid = o AND NOT _of_f.internal);
CREATE MACRO _pg.main._function_arguments(o) AS coalesce((SELECT min(CASE WHEN _of_p.pronamespace <> 11 THEN array_to_string(_of_p.proargnames, ', ') ELSE
	array_to_string(list_transform(list_filter(range(1, len(coalesce(_of_p.proallargtypes, _of_p.proargtypes)) + 1),
	lambda _of_i: coalesce(_of_p.proargmodes[_of_i], 'i') <> 't'),
	lambda _of_i: CASE _of_p.proargmodes[_of_i] WHEN 'o' THEN 'OUT ' WHEN 'b' THEN 'INOUT ' WHEN 'v' THEN 'VARIADIC ' ELSE '' END
	|| CASE WHEN coalesce(_of_p.proargnames[_of_i], '') = '' THEN '' ELSE _pg.main._quoted(_of_p.proargnames[_of_i]) || ' ' END
	|| _pg.main._type_name(coalesce(_of_p.proallargtypes, _of_p.proargtypes)[_of_i])), ', ') END) FROM _pg.main.pg_proc _of_p WHERE _of_p.oid = o), '');
CREATE MACRO _pg.main.pg_get_functiondef(o) AS _pg.main._function_definition(o);
CREATE MACRO _pg.main.pg_get_function_arguments(o) AS _pg.main._function_arguments(o);
CREATE MACRO _pg.main.pg_get_function_identity_arguments(o) AS _pg.main._function_arguments(o);
CREATE MACRO _pg.main.pg_get_function_result(o) AS coalesce((SELECT min(CASE WHEN _of_f.flags[6] = 'r' THEN 'SETOF ' ELSE '' END || _pg.main._type_name(_of_f.result))
	FROM _pg.main._system_functions _of_f WHERE _of_f.oid = o), 'any');
CREATE MACRO _pg.main.pg_get_function_sqlbody(o) AS NULL::VARCHAR;
CREATE MACRO _pg.main.pg_get_function_arg_default(o, n) AS NULL::VARCHAR;
CREATE MACRO _pg.main.pg_get_ruledef(o) AS NULL::VARCHAR, (o, pretty) AS NULL::VARCHAR;
CREATE MACRO _pg.main.pg_get_triggerdef(o) AS NULL::VARCHAR, (o, pretty) AS NULL::VARCHAR;
CREATE MACRO _pg.main.pg_get_partkeydef(o) AS NULL::VARCHAR;
CREATE MACRO _pg.main.pg_get_partition_constraintdef(o) AS NULL::VARCHAR;
CREATE MACRO _pg.main.pg_get_statisticsobjdef_columns(o) AS NULL::VARCHAR;
CREATE MACRO _pg.main.pg_get_statisticsobjdef(o) AS NULL::VARCHAR;
CREATE MACRO _pg.main.pg_get_serial_sequence(t, c) AS (SELECT any_value('main.' || regexp_extract(_of_x.column_default, 'nextval\(''"?(?:main"?\."?)?([^''"]+)', 1))
	FROM _pg.main._columns _of_x WHERE _of_x.table_oid = _pg.main.to_regclass(t) AND _of_x.name = c AND _of_x.column_default LIKE 'nextval(%');
CREATE MACRO _pg.main.pg_get_replica_identity_index(o) AS NULL::UINTEGER;
CREATE MACRO _pg.main.pg_describe_object(c, o, n) AS 'object ' || o;
CREATE MACRO _pg.main.pg_identify_object(c, o, n) AS {'type': 'object', 'schema': NULL::VARCHAR, 'name': NULL::VARCHAR, 'identity': o::VARCHAR};
CREATE MACRO _pg.main._description(o, n) AS (SELECT min(_of_d.description) FROM _pg.main.pg_description _of_d WHERE _of_d.objoid = o AND _of_d.objsubid = n);
CREATE MACRO _pg.main.obj_description(o) AS _pg.main._description(o, 0), (o, c) AS CASE WHEN c = 'pg_class' THEN _pg.main._description(o, 0) END;
CREATE MACRO _pg.main.col_description(o, n) AS _pg.main._description(o, n);
CREATE MACRO _pg.main.shobj_description(o, c) AS NULL::VARCHAR;

-- Visibility and rights.
CREATE MACRO _pg.main.pg_table_is_visible(o) AS coalesce((SELECT _pg.main._is_visible(min(_of_s.name), min(_of_r.name)) FROM _pg.main._relations _of_r
	JOIN _pg.main._namespaces _of_s ON _of_s.oid = _of_r.namespace_oid WHERE _of_r.oid = o), false);
CREATE MACRO _pg.main.pg_type_is_visible(o) AS true;
CREATE MACRO _pg.main.pg_function_is_visible(o) AS true;
CREATE MACRO _pg.main.pg_operator_is_visible(o) AS true;
CREATE MACRO _pg.main.pg_opclass_is_visible(o) AS true;
CREATE MACRO _pg.main.pg_opfamily_is_visible(o) AS true;
CREATE MACRO _pg.main.pg_collation_is_visible(o) AS true;
CREATE MACRO _pg.main.pg_conversion_is_visible(o) AS true;
CREATE MACRO _pg.main.pg_statistics_obj_is_visible(o) AS true;
CREATE MACRO _pg.main.pg_ts_config_is_visible(o) AS true;
CREATE MACRO _pg.main.pg_ts_dict_is_visible(o) AS true;
CREATE MACRO _pg.main.pg_ts_parser_is_visible(o) AS true;
CREATE MACRO _pg.main.pg_ts_template_is_visible(o) AS true;
CREATE MACRO _pg.main._is_project_table(t) AS coalesce((SELECT bool_or(true) FROM _pg_own.main._project_tables _of_p WHERE _of_p.oid = _pg.main.to_regclass(t::VARCHAR)), false);
CREATE MACRO _pg.main._may(t, p) AS upper(p) LIKE 'SELECT%' OR NOT _pg.main._is_project_table(t);
CREATE MACRO _pg.main.has_table_privilege(t, p) AS _pg.main._may(t, p), (u, t, p) AS _pg.main._may(t, p);
CREATE MACRO _pg.main.has_any_column_privilege(t, p) AS _pg.main._may(t, p), (u, t, p) AS _pg.main._may(t, p);
CREATE MACRO _pg.main.has_column_privilege(t, c, p) AS _pg.main._may(t, p), (u, t, c, p) AS _pg.main._may(t, p);
CREATE MACRO _pg.main.has_schema_privilege(s, p) AS true, (u, s, p) AS true;
CREATE MACRO _pg.main.has_database_privilege(d, p) AS true, (u, d, p) AS true;
CREATE MACRO _pg.main.has_function_privilege(f, p) AS true, (u, f, p) AS true;
CREATE MACRO _pg.main.has_sequence_privilege(s, p) AS true, (u, s, p) AS true;
CREATE MACRO _pg.main.has_type_privilege(t, p) AS true, (u, t, p) AS true;
CREATE MACRO _pg.main.has_tablespace_privilege(t, p) AS true, (u, t, p) AS true;
CREATE MACRO _pg.main.has_language_privilege(l, p) AS true, (u, l, p) AS true;
CREATE MACRO _pg.main.has_server_privilege(s, p) AS true, (u, s, p) AS true;
CREATE MACRO _pg.main.has_foreign_data_wrapper_privilege(s, p) AS true, (u, s, p) AS true;
CREATE MACRO _pg.main.pg_has_role(r, p) AS true, (u, r, p) AS true;
CREATE MACRO _pg.main.row_security_active(t) AS false;
CREATE MACRO _pg.main.acldefault(k, o) AS list_filter([CASE k WHEN 'd' THEN '=Tc/' WHEN 'f' THEN '=X/' WHEN 'l' THEN '=U/' WHEN 'T' THEN '=U/' END || _pg.main.pg_get_userbyid(o),
	_pg.main.pg_get_userbyid(o) || CASE k WHEN 'r' THEN '=arwdDxt/' WHEN 's' THEN '=rwU/' WHEN 'd' THEN '=CTc/' WHEN 'f' THEN '=X/' WHEN 'l' THEN '=U/' WHEN 'L' THEN '=rw/' WHEN 'n' THEN '=UC/'
	WHEN 'p' THEN '=sA/' WHEN 't' THEN '=C/' WHEN 'F' THEN '=U/' WHEN 'S' THEN '=U/' WHEN 'T' THEN '=U/' END || _pg.main.pg_get_userbyid(o)], lambda _of_i: _of_i IS NOT NULL);
CREATE MACRO _pg.main.pg_relation_is_publishable(o) AS coalesce((SELECT bool_or(_of_r.kind = 'r' AND _of_r.persistence = 'p' AND o >= 16384) FROM _pg.main._relations _of_r WHERE _of_r.oid = o), false);
CREATE MACRO _pg.main.pg_relation_is_updatable(o, t) AS CASE WHEN _pg.main._is_project_table(o) THEN 0 ELSE 28 END;
CREATE MACRO _pg.main.pg_column_is_updatable(o, c, t) AS NOT _pg.main._is_project_table(o);

-- Sizes.
CREATE MACRO _pg.main._bytes(o) AS coalesce((SELECT any_value(_of_p.byte_count) FROM _pg_own.main._project_tables _of_p WHERE _of_p.oid = _pg.main.to_regclass(o::VARCHAR)), 0)::BIGINT;
CREATE MACRO _pg.main.pg_table_size(o) AS _pg.main._bytes(o);
CREATE MACRO _pg.main.pg_total_relation_size(o) AS _pg.main._bytes(o);
CREATE MACRO _pg.main.pg_relation_size(o) AS _pg.main._bytes(o), (o, fork) AS _pg.main._bytes(o);
CREATE MACRO _pg.main.pg_indexes_size(o) AS 0::BIGINT;
CREATE MACRO _pg.main.pg_database_size(d) AS coalesce((SELECT sum(_of_x.block_size * _of_x.total_blocks) FROM pragma_database_size() _of_x WHERE _of_x.database_name = {db_text}), 0)::BIGINT;
CREATE MACRO _pg.main.pg_tablespace_size(t) AS 0::BIGINT;
CREATE MACRO _pg.main.pg_tablespace_location(t) AS '';
CREATE MACRO _pg.main.pg_relation_filenode(o) AS o;
CREATE MACRO _pg.main.pg_relation_filepath(o) AS NULL::VARCHAR;
CREATE MACRO _pg.main.pg_size_pretty(n) AS CASE WHEN abs(n) < 10240 THEN n::BIGINT || ' bytes' WHEN abs(n) < 10485760 THEN round(n / 1024)::BIGINT || ' kB'
	WHEN abs(n) < 10737418240 THEN round(n / 1048576)::BIGINT || ' MB' WHEN abs(n) < 10995116277760 THEN round(n / 1073741824)::BIGINT || ' GB'
	WHEN abs(n) < 11258999068426240 THEN round(n / 1099511627776)::BIGINT || ' TB' ELSE round(n / 1125899906842624)::BIGINT || ' PB' END;
CREATE MACRO _pg.main.pg_stat_get_numscans(o) AS 0::BIGINT;
CREATE MACRO _pg.main.pg_stat_get_live_tuples(o) AS coalesce((SELECT any_value(_of_r.tuples::BIGINT) FROM _pg.main._relations _of_r WHERE _of_r.oid = o), 0);
CREATE MACRO _pg.main.pg_stat_get_dead_tuples(o) AS 0::BIGINT;
CREATE MACRO _pg.main.pg_stat_get_last_vacuum_time(o) AS NULL::TIMESTAMPTZ;
CREATE MACRO _pg.main.pg_stat_get_last_analyze_time(o) AS NULL::TIMESTAMPTZ;

-- Texts.
CREATE MACRO _pg.main.parse_ident(n) AS list_transform(regexp_extract_all(trim(n), '"(?:[^"]|"")*"|[^.]+'),
	lambda p: CASE WHEN starts_with(p, '"') THEN replace(p[2:-2], '""', '"') ELSE lower(p) END);
CREATE MACRO _pg.main.quote_ident(n) AS _pg.main._quoted(n);
CREATE MACRO _pg.main.quote_literal(x) AS '''' || replace(x::VARCHAR, '''', '''''') || '''';
CREATE MACRO _pg.main.quote_nullable(x) AS coalesce('''' || replace(x::VARCHAR, '''', '''''') || '''', 'NULL');
CREATE MACRO _pg.main._put1(f, kind, a) AS CASE kind WHEN 'I' THEN _pg.main._quoted(a::VARCHAR) WHEN 'L' THEN _pg.main.quote_nullable(a) ELSE coalesce(a::VARCHAR, '') END;
CREATE MACRO _pg.main._fill(f, a) AS regexp_extract(f, '^([^%]*)', 1) || _pg.main._put1(f, regexp_extract(f, '^[^%]*%([ILs])', 1), a) || regexp_replace(f, '^[^%]*%[ILs]', '');
CREATE MACRO _pg.main.pg_format(f) AS replace(f, '%%', '%'),
	(f, a) AS replace(regexp_extract(f, '^([^%]*)', 1) || _pg.main._put1(f, regexp_extract(f, '^[^%]*%([ILs])', 1), a) || regexp_replace(f, '^[^%]*%[ILs]', ''), '%%', '%'),
	(f, a, b) AS replace(regexp_extract(f, '^([^%]*)', 1) || _pg.main._put1(f, regexp_extract(f, '^[^%]*%([ILs])', 1), a) ||
		regexp_extract(f, '^[^%]*%[ILs]([^%]*)', 1) || _pg.main._put1(f, regexp_extract(f, '^[^%]*%[ILs][^%]*%([ILs])', 1), b) || regexp_replace(f, '^[^%]*%[ILs][^%]*%[ILs]', ''), '%%', '%'),
	(f, a, b, c) AS replace(regexp_extract(f, '^([^%]*)', 1) || _pg.main._put1(f, regexp_extract(f, '^[^%]*%([ILs])', 1), a) ||
		regexp_extract(f, '^[^%]*%[ILs]([^%]*)', 1) || _pg.main._put1(f, regexp_extract(f, '^[^%]*%[ILs][^%]*%([ILs])', 1), b) ||
		regexp_extract(f, '^[^%]*%[ILs][^%]*%[ILs]([^%]*)', 1) || _pg.main._put1(f, regexp_extract(f, '^[^%]*%[ILs][^%]*%[ILs][^%]*%([ILs])', 1), c) ||
		regexp_replace(f, '^[^%]*%[ILs][^%]*%[ILs][^%]*%[ILs]', ''), '%%', '%');
-- _pg_to_char is the program's (to_char.h).
CREATE MACRO _pg.main.to_char(x, f) AS _pg_to_char(CASE WHEN typeof(x) IN ('VARCHAR', '"NULL"') THEN 'VARCHAR' ELSE typeof(x) END, x::VARCHAR, f::VARCHAR);
CREATE MACRO _pg.main.convert_from(b, encoding) AS system.main.decode(b);
CREATE MACRO _pg.main.convert_to(t, encoding) AS system.main.encode(t);
CREATE MACRO _pg.main.encode(x) AS system.main.encode(x), (b, f) AS CASE lower(f) WHEN 'hex' THEN lower(hex(b)) WHEN 'base64' THEN base64(b) ELSE b::VARCHAR END;
CREATE MACRO _pg.main.decode(x) AS system.main.decode(x), (t, f) AS CASE lower(f) WHEN 'hex' THEN unhex(t) WHEN 'base64' THEN from_base64(t) ELSE t::BLOB END;

-- Arrays.
CREATE MACRO _pg.main._in_list(x, l) AS list_contains(l, x);
CREATE MACRO _pg.main._vector_text(v) AS system.main.array_to_string(v, ' ');
CREATE MACRO _pg.main.array_upper(a, d) AS CASE WHEN d = 1 AND len(a) > 0 THEN len(a)::INTEGER END;
CREATE MACRO _pg.main.array_lower(a, d) AS CASE WHEN d = 1 AND len(a) > 0 THEN 1::INTEGER END;
CREATE MACRO _pg.main.array_ndims(a) AS CASE WHEN len(a) > 0 THEN (len(typeof(a)) - len(replace(typeof(a), '[]', ''))) // 2 END::INTEGER;
CREATE MACRO _pg.main.cardinality(a) AS len(a)::INTEGER;
CREATE MACRO _pg.main.array_remove(a, x) AS list_filter(a, lambda e: e IS DISTINCT FROM x);
CREATE MACRO _pg.main.array_position(a, x) AS list_position(a, x)::INTEGER;
CREATE MACRO _pg.main.array_to_string(a, sep) AS system.main.array_to_string(list_filter(a, lambda e: e IS NOT NULL), sep),
	(a, sep, other) AS system.main.array_to_string(list_transform(a, lambda e: coalesce(e::VARCHAR, other)), sep);
CREATE MACRO _pg.main._split(t, sep) AS CASE WHEN t = '' THEN []::VARCHAR[] WHEN sep IS NULL THEN string_split(t, '') WHEN sep = '' THEN [t] ELSE string_split(t, sep) END;
CREATE MACRO _pg.main.string_to_array(t, sep) AS _pg.main._split(t, sep),
	(t, sep, other) AS list_transform(_pg.main._split(t, sep), lambda _of_i: nullif(_of_i, other));
CREATE MACRO _pg.main._subscript_list(a, d) AS CASE WHEN d = 1 THEN range(1, len(a) + 1) ELSE []::BIGINT[] END;
CREATE MACRO _pg.main._vector_subscript_list(a, d) AS CASE WHEN d = 1 THEN range(0, len(a)) ELSE []::BIGINT[] END;
CREATE MACRO _pg.main._expanded_list(a) AS list_transform(range(1, len(a) + 1), lambda i: {'x': a[i], 'n': i::INTEGER});
CREATE MACRO _pg.main._pg_expandarray(a) AS unnest(_pg.main._expanded_list(a));
CREATE MACRO _pg.main._partition_list(o) AS []::UINTEGER[];
CREATE MACRO _pg.main.pg_partition_ancestors(o) AS unnest([]::UINTEGER[]);
CREATE MACRO _pg.main._channel_list() AS []::VARCHAR[];
-- "grantee=letters/grantor", a letter with a star for a right that may be passed on.
CREATE MACRO _pg.main._acl_list(a) AS list_transform(flatten(list_transform(a, lambda _of_i: list_transform(regexp_extract_all(regexp_extract(_of_i, '=([^/=]*)/[^/]*$', 1), '[a-zA-Z][*]?'),
	lambda _of_r: {'to': regexp_extract(_of_i, '^(.*)=[^/=]*/[^/]*$', 1), 'right': _of_r}))), lambda _of_p: {'grantor': 10::UINTEGER, 'grantee': CASE WHEN _of_p['to'] = '' THEN 0 ELSE 10 END::UINTEGER,
	'privilege_type': CASE _of_p['right'][1] WHEN 'a' THEN 'INSERT' WHEN 'r' THEN 'SELECT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' WHEN 'D' THEN 'TRUNCATE' WHEN 'x' THEN 'REFERENCES'
	WHEN 't' THEN 'TRIGGER' WHEN 'X' THEN 'EXECUTE' WHEN 'U' THEN 'USAGE' WHEN 'C' THEN 'CREATE' WHEN 'T' THEN 'TEMPORARY' WHEN 'c' THEN 'CONNECT' WHEN 's' THEN 'SET' WHEN 'A' THEN 'ALTER SYSTEM' END,
	'is_grantable': ends_with(_of_p['right'], '*')});
CREATE MACRO _pg.main.aclexplode(a) AS unnest(_pg.main._acl_list(a));
CREATE MACRO _pg.main.pg_partition_tree(o) AS TABLE SELECT NULL::UINTEGER AS relid, NULL::UINTEGER AS parentrelid, true AS isleaf, 0 AS level WHERE false;
CREATE MACRO _pg.main._option_list(o) AS []::STRUCT(option_name VARCHAR, option_value VARCHAR)[];
CREATE MACRO _pg.main.pg_options_to_table(o) AS TABLE SELECT NULL::VARCHAR AS option_name, NULL::VARCHAR AS option_value WHERE false;
CREATE MACRO _pg.main.pg_get_keywords() AS TABLE SELECT keyword_name AS word, CASE keyword_category WHEN 'reserved' THEN 'R' WHEN 'column_name' THEN 'C' WHEN 'type_function' THEN 'T' ELSE 'U' END AS catcode,
	true AS barelabel, keyword_category AS catdesc, '' AS baredesc FROM system.main.duckdb_keywords();

-- A setting that is named by a column: of these pg_dump's has no effect. The door carries out those that are written out.
CREATE MACRO _pg.main.set_config(n, v, is_local) AS CASE WHEN n = 'restrict_nonsystem_relation_kind' THEN v ELSE error('unrecognized configuration parameter "' || n || '"') END::VARCHAR;

-- _pg_signal is the program's.
CREATE MACRO _pg.main.pg_cancel_backend(pid) AS _pg_signal(pid::INTEGER, false);
CREATE MACRO _pg.main.pg_terminate_backend(pid) AS _pg_signal(pid::INTEGER, true), (pid, timeout) AS _pg_signal(pid::INTEGER, true);

-- Locks and the like: granted at once, because nobody else asks.
CREATE MACRO _pg.main.pg_advisory_lock(a) AS NULL::VARCHAR, (a, b) AS NULL::VARCHAR;
CREATE MACRO _pg.main.pg_advisory_xact_lock(a) AS NULL::VARCHAR, (a, b) AS NULL::VARCHAR;
CREATE MACRO _pg.main.pg_advisory_lock_shared(a) AS NULL::VARCHAR, (a, b) AS NULL::VARCHAR;
CREATE MACRO _pg.main.pg_try_advisory_lock(a) AS true, (a, b) AS true;
CREATE MACRO _pg.main.pg_try_advisory_xact_lock(a) AS true, (a, b) AS true;
CREATE MACRO _pg.main.pg_advisory_unlock(a) AS true, (a, b) AS true;
CREATE MACRO _pg.main.pg_advisory_unlock_all() AS NULL::VARCHAR;
CREATE MACRO _pg.main.pg_listening_channels() AS unnest([]::VARCHAR[]);
CREATE MACRO _pg.main.pg_notify(c, p) AS NULL::VARCHAR;
CREATE MACRO _pg.main.pg_export_snapshot() AS '00000003-00000001-1';
CREATE MACRO _pg.main.pg_blocking_pids(p) AS []::INTEGER[];

-- What the engine has under another name, or can say in a line.
CREATE MACRO _pg.main.to_jsonb(x) AS to_json(x);
CREATE MACRO _pg.main.json_typeof(j) AS CASE json_type(j::JSON) WHEN 'VARCHAR' THEN 'string' WHEN 'OBJECT' THEN 'object' WHEN 'ARRAY' THEN 'array'
	WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null' WHEN NULL THEN NULL ELSE 'number' END;
CREATE MACRO _pg.main.jsonb_typeof(j) AS _pg.main.json_typeof(j);
CREATE MACRO _pg.main.jsonb_array_length(j) AS json_array_length(j::JSON)::INTEGER;
CREATE MACRO _pg.main.jsonb_pretty(j) AS json_pretty(j::JSON);
CREATE MACRO _pg.main.btrim(s) AS trim(s), (s, characters) AS trim(s, characters);
CREATE MACRO _pg.main.regexp_substr(s, pattern) AS CASE WHEN regexp_matches(s, pattern) THEN regexp_extract(s, pattern) END;
CREATE MACRO _pg.main.array_replace(a, x, y) AS list_transform(a, lambda _of_item: CASE WHEN _of_item IS NOT DISTINCT FROM x THEN y ELSE _of_item END);
CREATE MACRO _pg.main.array_positions(a, x) AS list_filter(range(1, len(a) + 1), lambda _of_i: a[_of_i] IS NOT DISTINCT FROM x)::INTEGER[];
CREATE MACRO _pg.main.width_bucket(x, bounds) AS len(list_filter(bounds, lambda _of_b: _of_b <= x))::INTEGER, (x, low, high, n) AS CASE WHEN low < high AND x < low OR low > high AND x > low THEN 0
	WHEN low < high AND x >= high OR low > high AND x <= high THEN n + 1 ELSE floor((x - low) * n / (high - low))::INTEGER + 1 END;
CREATE MACRO _pg.main.make_interval(years := 0, months := 0, weeks := 0, days := 0, hours := 0, mins := 0, secs := 0) AS to_years(years::INTEGER) +
	to_months(months::INTEGER) + to_days(weeks::INTEGER * 7 + days::INTEGER) + to_hours(hours::BIGINT) + to_minutes(mins::BIGINT) +
	to_microseconds(round(secs::DOUBLE * 1000000)::BIGINT);
CREATE MACRO _pg.main.json_object_agg(k, v) AS json_group_object(k, v);
CREATE MACRO _pg.main.jsonb_object_agg(k, v) AS json_group_object(k, v);
CREATE MACRO _pg.main.date_bin(stride, source, origin) AS time_bucket(stride::INTERVAL, source, origin);
CREATE MACRO _pg.main.every(x) AS bool_and(x);
CREATE MACRO _pg.main.regexp_count(s, pattern) AS len(regexp_extract_all(s, pattern))::INTEGER;
CREATE MACRO _pg.main.initcap(s) AS CASE WHEN s = '' THEN '' ELSE list_aggregate(list_transform(regexp_extract_all(s, '[[:alnum:]]+|[^[:alnum:]]+'),
	lambda _of_w: upper(_of_w[1]) || lower(_of_w[2:])), 'string_agg', '') END;
CREATE MACRO _pg.main.array_dims(a) AS CASE WHEN len(a) > 0 THEN '[1:' || len(a) || ']' END;
CREATE MACRO _pg.main.hashtext(s) AS ((hash(s::VARCHAR) & 2147483647)::BIGINT)::INTEGER;

-- Regular expressions. What matched is written with its groups side by side: the engine takes only constants for the number of a group.
CREATE MACRO _pg.main._flagged(pattern, flags) AS CASE WHEN contains(flags, 'i') THEN '(?i)' ELSE '' END || CASE WHEN contains(flags, 'n') THEN '(?m)' ELSE '(?s)' END || pattern;
CREATE MACRO _pg.main._bare_pattern(pattern) AS regexp_replace(regexp_replace(pattern, '\\.', '', 'g'), '\[\^?\]?[^\]]*\]', '', 'g');
CREATE MACRO _pg.main._group_count(pattern) AS length(_pg.main._bare_pattern(pattern)) - length(replace(_pg.main._bare_pattern(pattern), '(', ''))
	- (length(_pg.main._bare_pattern(pattern)) - length(replace(_pg.main._bare_pattern(pattern), '(?', ''))) // 2;
CREATE MACRO _pg.main._groups(s, pattern) AS CASE _pg.main._group_count(pattern) WHEN 0 THEN [regexp_extract(s, pattern)]
	ELSE string_split(regexp_replace(s, '^(?s:.*?)(?:' || pattern || ')(?s:.*)$', array_to_string(list_transform(range(1, _pg.main._group_count(pattern) + 1), lambda _of_i: '\' || _of_i), chr(31))), chr(31)) END;
CREATE MACRO _pg.main.regexp_match(s, pattern) AS CASE WHEN regexp_matches(s, pattern) THEN _pg.main._groups(s, pattern) END,
	(s, pattern, flags) AS CASE WHEN regexp_matches(s, _pg.main._flagged(pattern, flags)) THEN _pg.main._groups(s, _pg.main._flagged(pattern, flags)) END;
CREATE MACRO _pg.main._matches(s, pattern) AS CASE WHEN regexp_matches(s, pattern) THEN [_pg.main._groups(s, pattern)] ELSE [] END,
	(s, pattern, flags) AS CASE WHEN contains(flags, 'g') THEN list_transform(regexp_extract_all(s, _pg.main._flagged(pattern, flags)), lambda _of_m: _pg.main._groups(_of_m, _pg.main._flagged(pattern, flags)))
	WHEN regexp_matches(s, _pg.main._flagged(pattern, flags)) THEN [_pg.main._groups(s, _pg.main._flagged(pattern, flags))] ELSE [] END;
CREATE MACRO _pg.main._match_rows(s, pattern) AS TABLE (SELECT unnest(_pg.main._matches(s, pattern)) AS regexp_matches),
	(s, pattern, flags) AS TABLE (SELECT unnest(_pg.main._matches(s, pattern, flags)) AS regexp_matches);
CREATE MACRO _pg.main.regexp_like(s, pattern) AS regexp_matches(s, pattern), (s, pattern, flags) AS regexp_matches(s, _pg.main._flagged(pattern, flags));
CREATE MACRO _pg.main.regexp_instr(s, pattern) AS CASE WHEN regexp_matches(s, pattern) THEN length(regexp_extract(s, '^((?s:.*?))(?:' || pattern || ')', 1)) + 1 ELSE 0 END::INTEGER;

-- Rows made of one value: in a list of columns, and as a table.
CREATE MACRO _pg.main._json_items(j) AS json_extract(j::JSON, '$[*]');
CREATE MACRO _pg.main._json_texts(j) AS json_extract_string(j::JSON, '$[*]');
CREATE MACRO _pg.main._json_names(j) AS json_keys(j::JSON);
CREATE MACRO _pg.main._json_pairs(j) AS map_entries(j::JSON::MAP(VARCHAR, JSON));
CREATE MACRO _pg.main._ordered(l) AS TABLE SELECT unnest(l) AS value, unnest(range(1, len(l) + 1)) AS ordinality;
CREATE MACRO _pg.main.json_array_elements(j) AS unnest(_pg.main._json_items(j));
CREATE MACRO _pg.main.json_array_elements(j) AS TABLE SELECT unnest(_pg.main._json_items(j)) AS value;
CREATE MACRO _pg.main.json_array_elements_text(j) AS unnest(_pg.main._json_texts(j));
CREATE MACRO _pg.main.json_array_elements_text(j) AS TABLE SELECT unnest(_pg.main._json_texts(j)) AS value;
CREATE MACRO _pg.main.json_object_keys(j) AS unnest(_pg.main._json_names(j));
CREATE MACRO _pg.main.json_object_keys(j) AS TABLE SELECT unnest(_pg.main._json_names(j)) AS json_object_keys;
CREATE MACRO _pg.main.json_each_text(j) AS TABLE SELECT _of_p.key AS key, _of_p.value ->> '$' AS value FROM (SELECT unnest(_pg.main._json_pairs(j)) AS _of_p);
CREATE MACRO _pg.main.jsonb_array_elements(j) AS unnest(_pg.main._json_items(j));
CREATE MACRO _pg.main.jsonb_array_elements(j) AS TABLE SELECT unnest(_pg.main._json_items(j)) AS value;
CREATE MACRO _pg.main.jsonb_array_elements_text(j) AS unnest(_pg.main._json_texts(j));
CREATE MACRO _pg.main.jsonb_array_elements_text(j) AS TABLE SELECT unnest(_pg.main._json_texts(j)) AS value;
CREATE MACRO _pg.main.jsonb_object_keys(j) AS unnest(_pg.main._json_names(j));
CREATE MACRO _pg.main.jsonb_object_keys(j) AS TABLE SELECT unnest(_pg.main._json_names(j)) AS jsonb_object_keys;
CREATE MACRO _pg.main.jsonb_each_text(j) AS TABLE SELECT _of_p.key AS key, _of_p.value ->> '$' AS value FROM (SELECT unnest(_pg.main._json_pairs(j)) AS _of_p);
CREATE MACRO _pg.main.jsonb_each(j) AS TABLE SELECT _of_p.key AS key, _of_p.value AS value FROM (SELECT unnest(_pg.main._json_pairs(j)) AS _of_p);
CREATE MACRO _pg.main.string_to_table(s, delimiter) AS unnest(_pg.main._split(s, delimiter));
CREATE MACRO _pg.main.string_to_table(s, delimiter) AS TABLE SELECT unnest(_pg.main._split(s, delimiter)) AS string_to_table;
CREATE MACRO _pg.main._pieces(s, pattern) AS string_split_regex(s, pattern), (s, pattern, flags) AS string_split_regex(s, _pg.main._flagged(pattern, flags));
CREATE MACRO _pg.main._split_pieces(s, pattern) AS TABLE (SELECT unnest(string_split_regex(s, pattern)) AS regexp_split_to_table),
	(s, pattern, flags) AS TABLE (SELECT unnest(string_split_regex(s, _pg.main._flagged(pattern, flags))) AS regexp_split_to_table);

-- Numbers and texts.
CREATE MACRO _pg.main.div(x, y) AS CASE WHEN y = 0 THEN error('division by zero') ELSE trunc(x / y) END::DECIMAL(38,0);
CREATE MACRO _pg.main.num_nulls(a0) AS (a0 IS NULL)::INTEGER, (a0, a1) AS (a0 IS NULL)::INTEGER + (a1 IS NULL)::INTEGER, (a0, a1, a2) AS (a0 IS NULL)::INTEGER + (a1 IS NULL)::INTEGER + (a2 IS NULL)::INTEGER, (a0, a1, a2, a3) AS (a0 IS NULL)::INTEGER + (a1 IS NULL)::INTEGER + (a2 IS NULL)::INTEGER + (a3 IS NULL)::INTEGER, (a0, a1, a2, a3, a4) AS (a0 IS NULL)::INTEGER + (a1 IS NULL)::INTEGER + (a2 IS NULL)::INTEGER + (a3 IS NULL)::INTEGER + (a4 IS NULL)::INTEGER, (a0, a1, a2, a3, a4, a5) AS (a0 IS NULL)::INTEGER + (a1 IS NULL)::INTEGER + (a2 IS NULL)::INTEGER + (a3 IS NULL)::INTEGER + (a4 IS NULL)::INTEGER + (a5 IS NULL)::INTEGER, (a0, a1, a2, a3, a4, a5, a6) AS (a0 IS NULL)::INTEGER + (a1 IS NULL)::INTEGER + (a2 IS NULL)::INTEGER + (a3 IS NULL)::INTEGER + (a4 IS NULL)::INTEGER + (a5 IS NULL)::INTEGER + (a6 IS NULL)::INTEGER, (a0, a1, a2, a3, a4, a5, a6, a7) AS (a0 IS NULL)::INTEGER + (a1 IS NULL)::INTEGER + (a2 IS NULL)::INTEGER + (a3 IS NULL)::INTEGER + (a4 IS NULL)::INTEGER + (a5 IS NULL)::INTEGER + (a6 IS NULL)::INTEGER + (a7 IS NULL)::INTEGER, (a0, a1, a2, a3, a4, a5, a6, a7, a8) AS (a0 IS NULL)::INTEGER + (a1 IS NULL)::INTEGER + (a2 IS NULL)::INTEGER + (a3 IS NULL)::INTEGER + (a4 IS NULL)::INTEGER + (a5 IS NULL)::INTEGER + (a6 IS NULL)::INTEGER + (a7 IS NULL)::INTEGER + (a8 IS NULL)::INTEGER, (a0, a1, a2, a3, a4, a5, a6, a7, a8, a9) AS (a0 IS NULL)::INTEGER + (a1 IS NULL)::INTEGER + (a2 IS NULL)::INTEGER + (a3 IS NULL)::INTEGER + (a4 IS NULL)::INTEGER + (a5 IS NULL)::INTEGER + (a6 IS NULL)::INTEGER + (a7 IS NULL)::INTEGER + (a8 IS NULL)::INTEGER + (a9 IS NULL)::INTEGER;
CREATE MACRO _pg.main.num_nonnulls(a0) AS (a0 IS NOT NULL)::INTEGER, (a0, a1) AS (a0 IS NOT NULL)::INTEGER + (a1 IS NOT NULL)::INTEGER, (a0, a1, a2) AS (a0 IS NOT NULL)::INTEGER + (a1 IS NOT NULL)::INTEGER + (a2 IS NOT NULL)::INTEGER, (a0, a1, a2, a3) AS (a0 IS NOT NULL)::INTEGER + (a1 IS NOT NULL)::INTEGER + (a2 IS NOT NULL)::INTEGER + (a3 IS NOT NULL)::INTEGER, (a0, a1, a2, a3, a4) AS (a0 IS NOT NULL)::INTEGER + (a1 IS NOT NULL)::INTEGER + (a2 IS NOT NULL)::INTEGER + (a3 IS NOT NULL)::INTEGER + (a4 IS NOT NULL)::INTEGER, (a0, a1, a2, a3, a4, a5) AS (a0 IS NOT NULL)::INTEGER + (a1 IS NOT NULL)::INTEGER + (a2 IS NOT NULL)::INTEGER + (a3 IS NOT NULL)::INTEGER + (a4 IS NOT NULL)::INTEGER + (a5 IS NOT NULL)::INTEGER, (a0, a1, a2, a3, a4, a5, a6) AS (a0 IS NOT NULL)::INTEGER + (a1 IS NOT NULL)::INTEGER + (a2 IS NOT NULL)::INTEGER + (a3 IS NOT NULL)::INTEGER + (a4 IS NOT NULL)::INTEGER + (a5 IS NOT NULL)::INTEGER + (a6 IS NOT NULL)::INTEGER, (a0, a1, a2, a3, a4, a5, a6, a7) AS (a0 IS NOT NULL)::INTEGER + (a1 IS NOT NULL)::INTEGER + (a2 IS NOT NULL)::INTEGER + (a3 IS NOT NULL)::INTEGER + (a4 IS NOT NULL)::INTEGER + (a5 IS NOT NULL)::INTEGER + (a6 IS NOT NULL)::INTEGER + (a7 IS NOT NULL)::INTEGER, (a0, a1, a2, a3, a4, a5, a6, a7, a8) AS (a0 IS NOT NULL)::INTEGER + (a1 IS NOT NULL)::INTEGER + (a2 IS NOT NULL)::INTEGER + (a3 IS NOT NULL)::INTEGER + (a4 IS NOT NULL)::INTEGER + (a5 IS NOT NULL)::INTEGER + (a6 IS NOT NULL)::INTEGER + (a7 IS NOT NULL)::INTEGER + (a8 IS NOT NULL)::INTEGER, (a0, a1, a2, a3, a4, a5, a6, a7, a8, a9) AS (a0 IS NOT NULL)::INTEGER + (a1 IS NOT NULL)::INTEGER + (a2 IS NOT NULL)::INTEGER + (a3 IS NOT NULL)::INTEGER + (a4 IS NOT NULL)::INTEGER + (a5 IS NOT NULL)::INTEGER + (a6 IS NOT NULL)::INTEGER + (a7 IS NOT NULL)::INTEGER + (a8 IS NOT NULL)::INTEGER + (a9 IS NOT NULL)::INTEGER;
CREATE MACRO _pg.main.lpad(s, n) AS system.main.lpad(s, n::INTEGER, ' '), (s, n, fill) AS system.main.lpad(s, n::INTEGER, fill);
CREATE MACRO _pg.main.rpad(s, n) AS system.main.rpad(s, n::INTEGER, ' '), (s, n, fill) AS system.main.rpad(s, n::INTEGER, fill);
CREATE MACRO _pg.main.overlay(s, new, start) AS substring(s, 1, start - 1) || new || substring(s, start + length(new)),
	(s, new, start, n) AS substring(s, 1, start - 1) || new || substring(s, start + n);
CREATE MACRO _pg.main.normalize(s) AS nfc_normalize(s);

-- Times.
CREATE MACRO _pg.main._months_of(i) AS extract(year FROM i) * 12 + extract(month FROM i);
CREATE MACRO _pg.main._micros_of(i) AS extract(hour FROM i) * 3600000000 + extract(minute FROM i) * 60000000 + extract(microsecond FROM i);
CREATE MACRO _pg.main._interval(months, days, micros) AS to_months(months::INTEGER) + to_days(days::INTEGER) + to_microseconds(micros::BIGINT);
CREATE MACRO _pg.main._carried_hours(m, d, u) AS CASE WHEN d > 0 AND u < 0 THEN _pg.main._interval(m, d - 1, u + 86400000000) WHEN d < 0 AND u > 0 THEN _pg.main._interval(m, d + 1, u - 86400000000) ELSE _pg.main._interval(m, d, u) END;
CREATE MACRO _pg.main._carried_days(m, d, u) AS CASE WHEN m > 0 AND (d < 0 OR d = 0 AND u < 0) THEN _pg.main._carried_hours(m - 1, d + 30, u)
	WHEN m < 0 AND (d > 0 OR d = 0 AND u > 0) THEN _pg.main._carried_hours(m + 1, d - 30, u) ELSE _pg.main._carried_hours(m, d, u) END;
CREATE MACRO _pg.main.justify_hours(i) AS _pg.main._carried_hours(_pg.main._months_of(i), extract(day FROM i) + trunc(_pg.main._micros_of(i) / 86400000000)::BIGINT, _pg.main._micros_of(i) % 86400000000);
CREATE MACRO _pg.main.justify_days(i) AS CASE WHEN (_pg.main._months_of(i) + extract(day FROM i) // 30) > 0 AND extract(day FROM i) % 30 < 0
	THEN _pg.main._interval(_pg.main._months_of(i) + extract(day FROM i) // 30 - 1, extract(day FROM i) % 30 + 30, _pg.main._micros_of(i))
	WHEN (_pg.main._months_of(i) + extract(day FROM i) // 30) < 0 AND extract(day FROM i) % 30 > 0
	THEN _pg.main._interval(_pg.main._months_of(i) + extract(day FROM i) // 30 + 1, extract(day FROM i) % 30 - 30, _pg.main._micros_of(i))
	ELSE _pg.main._interval(_pg.main._months_of(i) + extract(day FROM i) // 30, extract(day FROM i) % 30, _pg.main._micros_of(i)) END;
CREATE MACRO _pg.main._whole_days(i) AS extract(day FROM i) + trunc(_pg.main._micros_of(i) / 86400000000)::BIGINT;
CREATE MACRO _pg.main.justify_interval(i) AS _pg.main._carried_days(_pg.main._months_of(i) + _pg.main._whole_days(i) // 30, _pg.main._whole_days(i) % 30, _pg.main._micros_of(i) % 86400000000);
CREATE MACRO _pg.main.make_timestamptz(y, mo, d, h, mi, s) AS make_timestamp(y::BIGINT, mo::BIGINT, d::BIGINT, h::BIGINT, mi::BIGINT, s::DOUBLE)::TIMESTAMPTZ,
	(y, mo, d, h, mi, s, zone) AS timezone(zone, make_timestamp(y::BIGINT, mo::BIGINT, d::BIGINT, h::BIGINT, mi::BIGINT, s::DOUBLE));

-- Lists.
CREATE MACRO _pg.main.trim_array(a, n) AS CASE WHEN n BETWEEN 0 AND len(a) THEN a[1:len(a) - n] ELSE error('number of elements to trim must be between 0 and ' || len(a)) END;
CREATE MACRO _pg.main.array_fill(x, dims) AS CASE WHEN len(dims) = 1 THEN list_transform(range(dims[1]), lambda _of_i: x) ELSE error('array_fill is for one dimension') END;

-- JSON.
CREATE MACRO _pg.main.jsonb_object(k, v) AS to_json(map(k, v));
CREATE MACRO _pg.main._json_is_one(e, name) AS json_type(e) = 'VARCHAR' AND (e ->> '$') = name;
CREATE MACRO _pg.main._json_has(j, name) AS CASE json_type(j::JSON) WHEN 'OBJECT' THEN list_contains(json_keys(j::JSON), name)
	WHEN 'ARRAY' THEN len(list_filter(_pg.main._json_items(j), lambda _of_e: _pg.main._json_is_one(_of_e, name))) > 0 ELSE _pg.main._json_is_one(j::JSON, name) END;
CREATE MACRO _pg.main._json_has_any(j, names) AS len(list_filter(names::VARCHAR[], lambda _of_n: _pg.main._json_has(j, _of_n))) > 0;
CREATE MACRO _pg.main._json_has_all(j, names) AS len(list_filter(names::VARCHAR[], lambda _of_n: _pg.main._json_has(j, _of_n))) = len(names);
CREATE MACRO _pg.main._pointer(step) AS '/' || replace(replace(step, '~', '~0'), '/', '~1');
CREATE MACRO _pg.main._json_at(j, pointer) AS json_extract(j::JSON, pointer);
CREATE MACRO _pg.main._json_text_at(j, pointer) AS json_extract_string(j::JSON, pointer);
CREATE MACRO _pg.main.json_extract_path(j, a) AS system.main.json_extract_path(j, a),
	(j, a, b) AS _pg.main._json_at(j, _pg.main._pointer(a) || _pg.main._pointer(b)),
	(j, a, b, c) AS _pg.main._json_at(j, _pg.main._pointer(a) || _pg.main._pointer(b) || _pg.main._pointer(c)),
	(j, a, b, c, d) AS _pg.main._json_at(j, _pg.main._pointer(a) || _pg.main._pointer(b) || _pg.main._pointer(c) || _pg.main._pointer(d)),
	(j, a, b, c, d, e) AS _pg.main._json_at(j, _pg.main._pointer(a) || _pg.main._pointer(b) || _pg.main._pointer(c) || _pg.main._pointer(d) || _pg.main._pointer(e));
CREATE MACRO _pg.main.json_extract_path_text(j, a) AS system.main.json_extract_path_text(j, a),
	(j, a, b) AS _pg.main._json_text_at(j, _pg.main._pointer(a) || _pg.main._pointer(b)),
	(j, a, b, c) AS _pg.main._json_text_at(j, _pg.main._pointer(a) || _pg.main._pointer(b) || _pg.main._pointer(c)),
	(j, a, b, c, d) AS _pg.main._json_text_at(j, _pg.main._pointer(a) || _pg.main._pointer(b) || _pg.main._pointer(c) || _pg.main._pointer(d)),
	(j, a, b, c, d, e) AS _pg.main._json_text_at(j, _pg.main._pointer(a) || _pg.main._pointer(b) || _pg.main._pointer(c) || _pg.main._pointer(d) || _pg.main._pointer(e));
CREATE MACRO _pg.main.jsonb_extract_path(j, a) AS _pg.main._json_at(j, _pg.main._pointer(a)),
	(j, a, b) AS _pg.main._json_at(j, _pg.main._pointer(a) || _pg.main._pointer(b)),
	(j, a, b, c) AS _pg.main._json_at(j, _pg.main._pointer(a) || _pg.main._pointer(b) || _pg.main._pointer(c)),
	(j, a, b, c, d) AS _pg.main._json_at(j, _pg.main._pointer(a) || _pg.main._pointer(b) || _pg.main._pointer(c) || _pg.main._pointer(d)),
	(j, a, b, c, d, e) AS _pg.main._json_at(j, _pg.main._pointer(a) || _pg.main._pointer(b) || _pg.main._pointer(c) || _pg.main._pointer(d) || _pg.main._pointer(e));
CREATE MACRO _pg.main.jsonb_extract_path_text(j, a) AS _pg.main._json_text_at(j, _pg.main._pointer(a)),
	(j, a, b) AS _pg.main._json_text_at(j, _pg.main._pointer(a) || _pg.main._pointer(b)),
	(j, a, b, c) AS _pg.main._json_text_at(j, _pg.main._pointer(a) || _pg.main._pointer(b) || _pg.main._pointer(c)),
	(j, a, b, c, d) AS _pg.main._json_text_at(j, _pg.main._pointer(a) || _pg.main._pointer(b) || _pg.main._pointer(c) || _pg.main._pointer(d)),
	(j, a, b, c, d, e) AS _pg.main._json_text_at(j, _pg.main._pointer(a) || _pg.main._pointer(b) || _pg.main._pointer(c) || _pg.main._pointer(d) || _pg.main._pointer(e));

-- _pg_json is the program's (json_edit.h).
CREATE MACRO _pg.main._json_list(x) AS CASE WHEN ends_with(typeof(x), '[]') THEN to_json(x)::VARCHAR ELSE x::VARCHAR END;
CREATE MACRO _pg.main.jsonb_set(j, path, value) AS _pg_json('set', j::JSON::VARCHAR, _pg.main._json_list(path), value::JSON::VARCHAR, 't')::JSON,
	(j, path, value, creates) AS _pg_json('set', j::JSON::VARCHAR, _pg.main._json_list(path), value::JSON::VARCHAR, CASE creates WHEN true THEN 't' WHEN false THEN 'f' END)::JSON;
CREATE MACRO _pg.main.jsonb_insert(j, path, value) AS _pg_json('insert', j::JSON::VARCHAR, _pg.main._json_list(path), value::JSON::VARCHAR, 'f')::JSON,
	(j, path, value, behind) AS _pg_json('insert', j::JSON::VARCHAR, _pg.main._json_list(path), value::JSON::VARCHAR, CASE behind WHEN true THEN 't' WHEN false THEN 'f' END)::JSON;
CREATE MACRO _pg.main._json_removed(j, path) AS _pg_json('remove', j::JSON::VARCHAR, _pg.main._json_list(path), '', '')::JSON;
CREATE MACRO _pg.main._json_without(j, what) AS _pg_json('without', j::JSON::VARCHAR, CASE WHEN typeof(what) = 'VARCHAR' THEN to_json([what::VARCHAR])::VARCHAR ELSE _pg.main._json_list(what) END, '', '')::JSON;
CREATE MACRO _pg.main.json_strip_nulls(j) AS _pg_json('strip', j::JSON::VARCHAR, '', '', '')::JSON;
CREATE MACRO _pg.main.jsonb_strip_nulls(j) AS _pg_json('strip', j::JSON::VARCHAR, '', '', '')::JSON;
CREATE MACRO _pg.main._json_contains(a, b) AS _pg_json('contains', a::JSON::VARCHAR, b::JSON::VARCHAR, '', '') = 't';
CREATE MACRO _pg.main._json_contained(a, b) AS _pg_json('contains', b::JSON::VARCHAR, a::JSON::VARCHAR, '', '') = 't';
