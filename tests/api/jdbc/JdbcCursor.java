import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;

/** The first rows of a large result, by a fetch size. */
public final class JdbcCursor {
	public static void main(String[] arguments) throws Exception {
		int left = Integer.parseInt(arguments[4]);
		try (Connection c = DriverManager.getConnection(arguments[0], arguments[1], arguments[2])) {
			c.setAutoCommit(false);
			try (Statement s = c.createStatement()) {
				s.setFetchSize(1000);
				try (ResultSet rows = s.executeQuery(arguments[3])) {
					while (left-- > 0 && rows.next())
						System.out.println(rows.getLong(1) + "|" + rows.getString(2) + "|" + rows.getDouble(3));
				}
			}
			c.commit();
		}
	}
}
