import java.sql.*;
import java.util.*;
import java.math.BigDecimal;
import java.time.*;

/* What programs on pgjdbc do. Arguments: URL, user, password, test. Prints lines of "name: values"; any exception fails. */
public class JdbcClient {
	static Connection open(String[] a, String... more) throws Exception {
		Properties p = new Properties();
		p.setProperty("user", a[1]);
		p.setProperty("password", a[2]);
		for (String m : more)
			p.setProperty(m.split("=")[0], m.split("=")[1]);
		return DriverManager.getConnection(a[0], p);
	}

	static void show(String name, ResultSet r, String... columns) throws Exception {
		StringBuilder line = new StringBuilder(name + ":");
		while (r.next()) {
			line.append(' ');
			for (int i = 0; i < columns.length; i++)
				line.append(i > 0 ? "|" : "").append(r.getString(columns[i]));
		}
		System.out.println(line);
		r.close();
	}

	static void metadata(Connection c) throws Exception {
		DatabaseMetaData m = c.getMetaData();
		System.out.println("product: " + m.getDatabaseProductName() + " " + m.getDatabaseMajorVersion());
		show("schemas", m.getSchemas(), "TABLE_SCHEM");
		show("catalogs", m.getCatalogs(), "TABLE_CAT");
		show("tables", m.getTables(null, "main", "%", new String[] {"TABLE", "VIEW"}), "TABLE_SCHEM", "TABLE_NAME", "TABLE_TYPE", "REMARKS");
		show("project tables", m.getTables(null, "in_c", "%", null), "TABLE_NAME", "TABLE_TYPE");
		show("columns", m.getColumns(null, "main", "a", "%"), "COLUMN_NAME", "TYPE_NAME", "DATA_TYPE", "COLUMN_SIZE", "DECIMAL_DIGITS", "IS_NULLABLE", "COLUMN_DEF", "REMARKS", "ORDINAL_POSITION");
		show("project columns", m.getColumns(null, "in_c", "orders", null), "COLUMN_NAME", "TYPE_NAME", "COLUMN_SIZE", "IS_NULLABLE");
		show("keys", m.getPrimaryKeys(null, "main", "a"), "COLUMN_NAME", "KEY_SEQ", "PK_NAME");
		show("project keys", m.getPrimaryKeys(null, "in_c", "orders"), "COLUMN_NAME", "KEY_SEQ", "PK_NAME");
		show("indexes", m.getIndexInfo(null, "main", "a", false, false), "INDEX_NAME", "COLUMN_NAME", "NON_UNIQUE");
		show("imported", m.getImportedKeys(null, "main", "b"), "PKTABLE_NAME", "PKCOLUMN_NAME", "FKCOLUMN_NAME", "FK_NAME");
		show("exported", m.getExportedKeys(null, "main", "a"), "FKTABLE_NAME", "FKCOLUMN_NAME");
		show("cross", m.getCrossReference(null, "main", "a", null, "main", "b"), "FKCOLUMN_NAME");
		show("best", m.getBestRowIdentifier(null, "main", "a", DatabaseMetaData.bestRowSession, true), "COLUMN_NAME", "TYPE_NAME");
		show("functions", m.getFunctions(null, "main", "%"), "FUNCTION_NAME");
		show("procedures", m.getProcedures(null, "main", "%"), "PROCEDURE_NAME");
		show("function columns", m.getFunctionColumns(null, "main", "plus", "%"), "COLUMN_NAME");
		show("table privileges", m.getTablePrivileges(null, "in_c", "orders"), "PRIVILEGE");
		show("column privileges", m.getColumnPrivileges(null, "main", "a", "id"), "PRIVILEGE");
		show("table types", m.getTableTypes(), "TABLE_TYPE");
		show("user types", m.getUDTs(null, "main", "%", null), "TYPE_NAME");
		show("client info", m.getClientInfoProperties(), "NAME");
		int types = 0;
		try (ResultSet r = m.getTypeInfo()) {
			while (r.next())
				types += r.getString("TYPE_NAME").matches("int4|text|numeric|timestamptz|uuid|_int4") ? 1 : 0;
		}
		System.out.println("type info: " + types);
		System.out.println("keywords: " + m.getSQLKeywords().contains("offset") + " functions " + (m.getStringFunctions().length() > 10));
		System.out.println("limits: " + m.getMaxColumnsInIndex() + " " + m.getMaxTableNameLength() + " " + m.getDefaultTransactionIsolation() + " " + m.isReadOnly());
	}

	/* Every method of DatabaseMetaData, by reflection: how many there are, and which of them fail though the driver knows them. */
	static void reflect(Connection c) throws Exception {
		int calls = 0;
		StringBuilder failed = new StringBuilder();
		for (java.lang.reflect.Method f : DatabaseMetaData.class.getMethods()) {
			Class<?>[] types = f.getParameterTypes();
			Object[] values = new Object[types.length];
			for (int i = 0; i < types.length; i++)
				values[i] = types[i] == int.class ? (Object) 1 : types[i] == boolean.class ? (Object) false : types[i] == String.class && i == 2 ? "a" : null;
			if (f.getDeclaringClass() != DatabaseMetaData.class)
				continue;
			calls++;
			try {
				Object answer = f.invoke(c.getMetaData(), values);
				if (answer instanceof ResultSet)
					try (ResultSet r = (ResultSet) answer) {
						while (r.next())
							for (int i = 1; i <= r.getMetaData().getColumnCount(); i++)
								r.getString(i);
					}
			} catch (java.lang.reflect.InvocationTargetException e) {
				if (!(e.getCause() instanceof SQLFeatureNotSupportedException))
					failed.append(f.getName()).append(' ').append(e.getCause().getMessage()).append("; ");
			}
		}
		System.out.println("methods: " + (calls > 150));
		System.out.println("failed: " + failed);
	}

	/* In simple mode without bytes, for which the driver writes a question mark, and without arrays, whose type it does not write. */
	static void types(Connection c, boolean simple) throws Exception {
		Object[][] values = {
			{"boolean", true}, {"smallint", (short)-7}, {"integer", 7}, {"bigint", 1L << 40}, {"numeric(38,5)", new BigDecimal("12345678901234567890.12345")},
			{"real", 1.5f}, {"double precision", 0.1}, {"text", "it's \u00e9"}, simple ? new Object[] {"text", ""} : new Object[] {"bytea", new byte[] {0, (byte)0xff}}, {"date", LocalDate.of(2024, 2, 29)},
			{"time", LocalTime.of(1, 2, 3)}, {"timestamp", LocalDateTime.of(2024, 2, 29, 1, 2, 3, 4000)},
			{"timestamptz", OffsetDateTime.of(2024, 2, 29, 1, 2, 3, 0, ZoneOffset.UTC)}, {"uuid", new UUID(1, 2)}, {"integer[]", new Integer[] {1, null, 3}},
			{"text[]", new String[] {"a", "b,\"c", "NULL"}}, {"double precision[]", new Double[] {1.5}}, {"bigint[]", new Long[] {}},
		};
		if (simple)
			values = Arrays.copyOf(values, values.length - 4);
		StringBuilder columns = new StringBuilder(), marks = new StringBuilder();
		for (int i = 0; i < values.length; i++) {
			columns.append(i > 0 ? ", " : "").append("c" + i + " " + values[i][0]);
			marks.append(i > 0 ? ", ?" : "?");
		}
		Statement s = c.createStatement();
		s.execute("DROP TABLE IF EXISTS every");
		s.execute("CREATE TABLE every (n integer, " + columns + ")");
		try (PreparedStatement in = c.prepareStatement("INSERT INTO every VALUES (?, " + marks + ")")) {
			for (int n = 0; n < 8; n++) {
				in.setInt(1, n);
				for (int i = 0; i < values.length; i++) {
					Object v = values[i][1];
					if (n == 7)
						in.setNull(i + 2, Types.OTHER);
					else if (v instanceof Object[])
						in.setArray(i + 2, c.createArrayOf(((String)values[i][0]).replace("[]", "").replace("double precision", "float8"), (Object[])v));
					else
						in.setObject(i + 2, v);
				}
				if (in.executeUpdate() != 1)
					throw new Exception("one row must be inserted");
			}
		}
		try (PreparedStatement out = c.prepareStatement("SELECT * FROM every WHERE n = ?")) {
			for (int n = 0; n < 8; n++) {
				out.setInt(1, n);
				ResultSet r = out.executeQuery();
				if (!r.next())
					throw new Exception("row " + n + " is missing");
				for (int i = 0; i < values.length; i++)
					check(r, i + 2, values[i], n == 7);
			}
		}
		System.out.println("types: " + values.length);
		ResultSet r = s.executeQuery("SELECT interval '1 year 2 days 03:04:05', 170141183460469231731687303715884105727::hugeint, '{\"a\": 1}'::json, '101'::bit, "
			+ "timetz '01:02:03+02', {'a': 1}, [[1], [2]], 'infinity'::timestamp, 'NaN'::double, -1.5e-10::double");
		r.next();
		StringBuilder line = new StringBuilder("others:");
		for (int i = 1; i <= r.getMetaData().getColumnCount(); i++)
			line.append(' ').append(r.getMetaData().getColumnTypeName(i)).append('=').append(r.getString(i));
		System.out.println(line);
		r.getObject(1);
	}

	static void check(ResultSet r, int i, Object[] value, boolean isNull) throws Exception {
		Object want = value[1], have;
		if (isNull)
			have = r.getObject(i);
		else if (want instanceof Object[])
			have = r.getArray(i).getArray();
		else if (want instanceof byte[])
			have = r.getBytes(i);
		else if (want instanceof Short)
			have = r.getShort(i);
		else
			have = r.getObject(i, want.getClass());
		boolean same = isNull ? have == null : Objects.deepEquals(want, have);
		if (!same)
			throw new Exception(value[0] + ": " + have + " is not " + want);
	}

	static void work(String[] a) throws Exception {
		try (Connection c = open(a)) {
			Statement s = c.createStatement();
			s.execute("DROP TABLE IF EXISTS w");
			s.execute("CREATE TABLE w (id integer PRIMARY KEY, v varchar)");
			try (PreparedStatement p = c.prepareStatement("INSERT INTO w VALUES (?, ?)")) {
				for (int i = 0; i < 500; i++) {
					p.setInt(1, i);
					p.setString(2, "v" + i);
					p.addBatch();
				}
				System.out.println("batch: " + Arrays.stream(p.executeBatch()).sum());
			}
			c.setAutoCommit(false);
			s.setFetchSize(50);
			int n = 0;
			try (ResultSet r = s.executeQuery("SELECT * FROM w ORDER BY id"); Statement other = c.createStatement()) {
				while (r.next()) {
					if (r.getInt(1) != n++)
						throw new Exception("rows out of order");
					if (n % 100 == 0)
						other.executeQuery("SELECT count(*) FROM w").next();
				}
			}
			System.out.println("fetched: " + n);
			Savepoint point = c.setSavepoint();
			try {
				s.execute("SELECT nope");
			} catch (SQLException e) {
				System.out.println("state: " + e.getSQLState());
				c.rollback(point);
			}
			s.executeUpdate("UPDATE w SET v = 'x' WHERE id < 10");
			System.out.println("updated: " + s.getUpdateCount());
			c.rollback();
			c.setAutoCommit(true);
			s.setFetchSize(0);
			ResultSet r = s.executeQuery("SELECT count(*) FROM w WHERE v = 'x'");
			r.next();
			System.out.println("kept: " + r.getInt(1));
			try (PreparedStatement p = c.prepareStatement("INSERT INTO w VALUES (?, ?) RETURNING id, v")) {
				p.setInt(1, 1000);
				p.setString(2, "r");
				r = p.executeQuery();
				r.next();
				System.out.println("returning: " + r.getInt(1) + r.getString(2));
			}
			try (PreparedStatement p = c.prepareStatement("INSERT INTO w VALUES (1001, 'g')", Statement.RETURN_GENERATED_KEYS)) {
				p.executeUpdate();
				r = p.getGeneratedKeys();
				r.next();
				System.out.println("generated: " + r.getInt(1));
			}
			try (PreparedStatement p = c.prepareStatement("INSERT INTO w VALUES (?, ?)")) {
				for (int i = 2000; i < 2003; i++) {
					p.setInt(1, i == 2002 ? 2000 : i);
					p.setString(2, null);
					p.addBatch();
				}
				p.executeBatch();
			} catch (BatchUpdateException e) {
				System.out.println("batch fails: " + e.getSQLState());
			}
			try (PreparedStatement p = c.prepareStatement("SELECT ? + 1, ?::date, ? || 'x', count(*) FROM w WHERE id = ANY(?)")) {
				p.setInt(1, 1);
				p.setString(2, "2024-01-01");
				p.setString(3, "y");
				p.setArray(4, c.createArrayOf("int4", new Integer[] {1, 2}));
				ParameterMetaData m = p.getParameterMetaData();
				System.out.println("parameters: " + m.getParameterCount() + " " + m.getParameterTypeName(4));
				r = p.executeQuery();
				r.next();
				System.out.println("row: " + r.getInt(1) + " " + r.getDate(2) + " " + r.getString(3) + " " + r.getInt(4));
			}
			c.setReadOnly(true);
			c.setAutoCommit(false);
			try {
				s.execute("DELETE FROM w");
			} catch (SQLException e) {
				System.out.println("read-only: " + e.getSQLState());
			}
			c.rollback();
			c.setAutoCommit(true);
			c.setReadOnly(false);
			c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
			System.out.println("isolation: " + c.getTransactionIsolation() + " " + c.getSchema() + " " + c.isValid(5));
			s.setQueryTimeout(1);
			try {
				s.execute("SELECT count(*) FROM range(100000000000) a(i) WHERE sqrt(i) < 0");
			} catch (SQLException e) {
				System.out.println("timeout: " + e.getSQLState());
			}
			org.postgresql.copy.CopyManager copy = c.unwrap(org.postgresql.PGConnection.class).getCopyAPI();
			System.out.println("copy: " + copy.copyIn("COPY w FROM STDIN CSV", new java.io.StringReader("3000,a\n3001,b\n")));
			java.io.StringWriter text = new java.io.StringWriter();
			copy.copyOut("COPY (SELECT * FROM w WHERE id >= 3000 ORDER BY id) TO STDOUT", text);
			System.out.println("copied: " + text.toString().replace('\n', ';').replace('\t', ','));
		}
	}

	/* Results that a user edits in place, as DBeaver does, and what they say of their tables. */
	static void edit(Connection c) throws Exception {
		Statement s = c.createStatement();
		s.execute("CREATE TABLE edited (id integer PRIMARY KEY, v varchar)");
		s.execute("INSERT INTO edited VALUES (1, 'a'), (2, 'b')");
		try (Statement u = c.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
				ResultSet r = u.executeQuery("SELECT e.id, e.v AS shown, id + 1 FROM edited e ORDER BY id")) {
			org.postgresql.PGResultSetMetaData m = (org.postgresql.PGResultSetMetaData) r.getMetaData();
			System.out.println("described: " + m.getBaseTableName(1) + "." + m.getBaseColumnName(1) + " " + m.getBaseSchemaName(2) + "."
					+ m.getBaseTableName(2) + "." + m.getBaseColumnName(2) + " " + r.getMetaData().isNullable(1) + " ["
					+ m.getBaseTableName(3) + "]");
		}
		try (Statement u = c.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
				ResultSet r = u.executeQuery("SELECT id, v FROM edited ORDER BY id")) {
			r.next();
			r.updateString("v", "changed");
			r.updateRow();
			r.next();
			r.deleteRow();
			r.moveToInsertRow();
			r.updateInt("id", 3);
			r.updateString("v", "new");
			r.insertRow();
		}
		show("edited", s.executeQuery("SELECT * FROM edited ORDER BY id"), "id", "v");
		try (ResultSet r = s.executeQuery("SELECT id, total FROM in_c.orders")) {
			org.postgresql.PGResultSetMetaData m = (org.postgresql.PGResultSetMetaData) r.getMetaData();
			System.out.println("of the project: " + m.getBaseSchemaName(1) + "." + m.getBaseTableName(1) + "." + m.getBaseColumnName(2));
		}
	}

	public static void main(String[] a) throws Exception {
		switch (a[3]) {
		case "metadata":
			try (Connection c = open(a)) { metadata(c); }
			break;
		case "reflect":
			try (Connection c = open(a)) { reflect(c); }
			break;
		case "edit":
			try (Connection c = open(a)) { edit(c); }
			break;
		case "types":
			try (Connection c = open(a)) { types(c, false); }
			try (Connection c = open(a, "prepareThreshold=-1")) { types(c, false); }
			try (Connection c = open(a, "preferQueryMode=simple")) { types(c, true); }
			break;
		default:
			work(a);
		}
	}
}
