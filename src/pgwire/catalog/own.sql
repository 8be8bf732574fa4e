-- What the catalog has for one workspace alone, in memory. Beside these: macros without arguments for the texts in braces.

-- What the session keeps up to date: the project's tables as the workspace sees them.
CREATE TABLE _pg_own.main._project_schemas (oid UINTEGER, name VARCHAR);
CREATE TABLE _pg_own.main._project_tables (oid UINTEGER, schema_oid UINTEGER, schema_name VARCHAR, table_name VARCHAR,
	row_count DOUBLE, byte_count BIGINT, key_text VARCHAR, comment VARCHAR);
CREATE TABLE _pg_own.main._project_columns (table_oid UINTEGER, attnum SMALLINT, name VARCHAR, data_type VARCHAR, is_nullable BOOLEAN,
	column_default VARCHAR, comment VARCHAR);
CREATE TABLE _pg_own.main._listing (epoch BIGINT, fingerprint BIGINT);
