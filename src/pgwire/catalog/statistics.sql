-- Statistics: the engine counts neither scans nor blocks, so that all are there and nothing was counted.
CREATE VIEW _pg.main._counted_tables AS
	SELECT c.oid AS relid, n.name AS schemaname, c.name AS relname, c.tuples::BIGINT AS tuples, CASE WHEN k.table_oid IS NOT NULL THEN 0 END::BIGINT AS of_indexes
	FROM _pg.main._relations c JOIN _pg.main._namespaces n ON n.oid = c.namespace_oid LEFT JOIN (SELECT DISTINCT table_oid FROM _pg.main._indexes) k ON k.table_oid = c.oid
	WHERE c.kind = 'r';
CREATE VIEW _pg.main._counted_indexes AS
	SELECT t.relid, i.oid AS indexrelid, t.schemaname, t.relname, i.name AS indexrelname FROM _pg.main._indexes i JOIN _pg.main._counted_tables t ON t.relid = i.table_oid;
CREATE VIEW _pg.main._counted_sequences AS
	SELECT c.oid AS relid, n.name AS schemaname, c.name AS relname FROM _pg.main._relations c JOIN _pg.main._namespaces n ON n.oid = c.namespace_oid WHERE c.kind = 'S';
CREATE VIEW _pg.main.pg_stat_all_tables AS
	SELECT relid, schemaname, relname, 0::BIGINT AS seq_scan, 0::BIGINT AS seq_tup_read, of_indexes AS idx_scan, of_indexes AS idx_tup_fetch, 0::BIGINT AS n_tup_ins,
		0::BIGINT AS n_tup_upd, 0::BIGINT AS n_tup_del, 0::BIGINT AS n_tup_hot_upd, tuples AS n_live_tup, 0::BIGINT AS n_dead_tup, 0::BIGINT AS n_mod_since_analyze,
		0::BIGINT AS n_ins_since_vacuum, NULL::TIMESTAMPTZ AS last_vacuum, NULL::TIMESTAMPTZ AS last_autovacuum, NULL::TIMESTAMPTZ AS last_analyze,
		NULL::TIMESTAMPTZ AS last_autoanalyze, 0::BIGINT AS vacuum_count, 0::BIGINT AS autovacuum_count, 0::BIGINT AS analyze_count, 0::BIGINT AS autoanalyze_count
	FROM _pg.main._counted_tables;
CREATE VIEW _pg.main.pg_stat_xact_all_tables AS
	SELECT relid, schemaname, relname, seq_scan, seq_tup_read, idx_scan, idx_tup_fetch, n_tup_ins, n_tup_upd, n_tup_del, n_tup_hot_upd FROM _pg.main.pg_stat_all_tables;
CREATE VIEW _pg.main.pg_statio_all_tables AS
	SELECT relid, schemaname, relname, 0::BIGINT AS heap_blks_read, 0::BIGINT AS heap_blks_hit, of_indexes AS idx_blks_read, of_indexes AS idx_blks_hit,
		NULL::BIGINT AS toast_blks_read, NULL::BIGINT AS toast_blks_hit, NULL::BIGINT AS tidx_blks_read, NULL::BIGINT AS tidx_blks_hit FROM _pg.main._counted_tables;
CREATE VIEW _pg.main.pg_stat_all_indexes AS SELECT *, 0::BIGINT AS idx_scan, 0::BIGINT AS idx_tup_read, 0::BIGINT AS idx_tup_fetch FROM _pg.main._counted_indexes;
CREATE VIEW _pg.main.pg_statio_all_indexes AS SELECT *, 0::BIGINT AS idx_blks_read, 0::BIGINT AS idx_blks_hit FROM _pg.main._counted_indexes;
CREATE VIEW _pg.main.pg_statio_all_sequences AS SELECT *, 0::BIGINT AS blks_read, 0::BIGINT AS blks_hit FROM _pg.main._counted_sequences;
CREATE VIEW _pg.main.pg_stat_user_tables AS SELECT * FROM _pg.main.pg_stat_all_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema');
CREATE VIEW _pg.main.pg_stat_sys_tables AS SELECT * FROM _pg.main.pg_stat_all_tables WHERE schemaname IN ('pg_catalog', 'information_schema');
CREATE VIEW _pg.main.pg_stat_xact_user_tables AS SELECT * FROM _pg.main.pg_stat_xact_all_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema');
CREATE VIEW _pg.main.pg_stat_xact_sys_tables AS SELECT * FROM _pg.main.pg_stat_xact_all_tables WHERE schemaname IN ('pg_catalog', 'information_schema');
CREATE VIEW _pg.main.pg_statio_user_tables AS SELECT * FROM _pg.main.pg_statio_all_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema');
CREATE VIEW _pg.main.pg_statio_sys_tables AS SELECT * FROM _pg.main.pg_statio_all_tables WHERE schemaname IN ('pg_catalog', 'information_schema');
CREATE VIEW _pg.main.pg_stat_user_indexes AS SELECT * FROM _pg.main.pg_stat_all_indexes WHERE schemaname NOT IN ('pg_catalog', 'information_schema');
CREATE VIEW _pg.main.pg_stat_sys_indexes AS SELECT * FROM _pg.main.pg_stat_all_indexes WHERE schemaname IN ('pg_catalog', 'information_schema');
CREATE VIEW _pg.main.pg_statio_user_indexes AS SELECT * FROM _pg.main.pg_statio_all_indexes WHERE schemaname NOT IN ('pg_catalog', 'information_schema');
CREATE VIEW _pg.main.pg_statio_sys_indexes AS SELECT * FROM _pg.main.pg_statio_all_indexes WHERE schemaname IN ('pg_catalog', 'information_schema');
CREATE VIEW _pg.main.pg_statio_user_sequences AS SELECT * FROM _pg.main.pg_statio_all_sequences WHERE schemaname NOT IN ('pg_catalog', 'information_schema');
CREATE VIEW _pg.main.pg_statio_sys_sequences AS SELECT * FROM _pg.main.pg_statio_all_sequences WHERE schemaname IN ('pg_catalog', 'information_schema');
