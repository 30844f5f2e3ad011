import java.io.StringReader;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.postgresql.PGConnection;

/** JDBC: server-side statements, batches, transactions, errors, COPY, cursors, cancel. */
public class ClientTest {
  static final int CLIENTS = Integer.parseInt(env("CLIENTS", "20"));

  static String env(String name, String fallback) {
    String value = System.getenv(name);
    return value == null ? fallback : value;
  }

  static void expect(Object got, Object wanted, String what) {
    if (!got.equals(wanted)) {
      throw new AssertionError(what + ": got " + got + ", expected " + wanted);
    }
  }

  static Connection connect() throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", env("PGUSER", ""));
    properties.setProperty("password", env("PGPASSWORD", ""));
    properties.setProperty("sslmode", "disable");
    String url = "jdbc:postgresql://" + env("PGHOST", "localhost") + ":" + env("PGPORT", "5432")
        + "/" + env("PGDATABASE", "");
    return DriverManager.getConnection(url, properties);
  }

  static long number(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      rows.next();
      return rows.getLong(1);
    }
  }

  /** The driver prepares under a name from the fifth execution on. */
  static void prepared(Connection connection) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement("SELECT ?::int + 1")) {
      for (int n = 0; n < 20; n++) {
        statement.setInt(1, n);
        try (ResultSet rows = statement.executeQuery()) {
          rows.next();
          expect(rows.getInt(1), n + 1, "prepared statement");
        }
      }
    }
  }

  static void insert(Connection connection, int client, String note) throws SQLException {
    String sql = "INSERT INTO t_jdbc VALUES (?, ?)";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setInt(1, client);
      statement.setString(2, note);
      statement.executeUpdate();
    }
  }

  static void transactions(Connection connection, int client) throws SQLException {
    connection.setAutoCommit(false);
    long first = number(connection, "SELECT pg_backend_pid()");
    insert(connection, client, "kept");
    expect(number(connection, "SELECT pg_backend_pid()"), first, "backend");
    connection.commit();
    insert(connection, client, "undone");
    connection.rollback();
    try (PreparedStatement batch =
        connection.prepareStatement("INSERT INTO t_jdbc VALUES (?, ?)")) {
      for (int n = 0; n < 100; n++) {
        batch.setInt(1, client);
        batch.setString(2, "batch " + n);
        batch.addBatch();
      }
      expect(batch.executeBatch().length, 100, "batch");
    }
    connection.commit();
    connection.setAutoCommit(true);
    String count = "SELECT count(*) FROM t_jdbc WHERE client = " + client;
    expect(number(connection, count), 101L, "rows after transactions");
  }

  static String stateOf(Connection connection, String sql) {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException error) {
      return error.getSQLState();
    }
    return "no error";
  }

  static void errors(Connection connection) throws SQLException {
    for (int n = 0; n < 3; n++) {
      expect(stateOf(connection, "SELECT 1/0"), "22012", "SQLSTATE");
      expect(number(connection, "SELECT 5"), 5L, "query after an error");
    }
    connection.setAutoCommit(false);
    expect(stateOf(connection, "SELECT * FROM no_such_table"), "42P01", "SQLSTATE");
    expect(stateOf(connection, "SELECT 1"), "25P02", "SQLSTATE in a failed transaction");
    connection.rollback();
    connection.setAutoCommit(true);
  }

  static void copy(Connection connection, int client) throws Exception {
    StringBuilder rows = new StringBuilder();
    for (int n = 0; n < 1000; n++) {
      rows.append(client).append("\trow ").append(n).append('\n');
    }
    var copier = connection.unwrap(PGConnection.class).getCopyAPI();
    expect(copier.copyIn("COPY t_jdbc FROM STDIN", new StringReader(rows.toString())), 1000L,
        "rows copied in");
    StringWriter out = new StringWriter();
    copier.copyOut("COPY (SELECT * FROM t_jdbc WHERE client = " + client + ") TO STDOUT", out);
    // A table has no order of its own.
    expect(out.toString().lines().sorted().toList().equals(
        rows.toString().lines().sorted().toList()), true, "rows copied out are those copied in");
  }

  /** A fetch size inside a transaction makes the driver use a portal. */
  static void cursor(Connection connection) throws SQLException {
    connection.setAutoCommit(false);
    long sum = 0;
    try (Statement statement = connection.createStatement()) {
      statement.setFetchSize(50);
      try (ResultSet rows = statement.executeQuery("SELECT generate_series(1, 500)")) {
        while (rows.next()) {
          sum += rows.getLong(1);
        }
      }
    }
    expect(sum, 125250L, "cursor");
    connection.commit();
    connection.setAutoCommit(true);
  }

  static void cancel(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      Timer timer = new Timer(true);
      timer.schedule(new TimerTask() {
        @Override
        public void run() {
          try {
            statement.cancel();
          } catch (SQLException error) {
            error.printStackTrace();
          }
        }
      }, 500);
      statement.execute("SELECT pg_sleep(60)");
      throw new AssertionError("not cancelled");
    } catch (SQLException error) {
      expect(error.getSQLState(), "57014", "SQLSTATE of a cancelled query");
    }
    expect(number(connection, "SELECT 9"), 9L, "query after a cancel");
  }

  static Void client(int client) throws Exception {
    try (Connection connection = connect()) {
      prepared(connection);
      transactions(connection, client);
      errors(connection);
      copy(connection, 1000 + client);
      cursor(connection);
      if (client < 2) {
        cancel(connection);
      }
      prepared(connection);
    }
    return null;
  }

  public static void main(String[] arguments) throws Exception {
    try (Connection connection = connect(); Statement statement = connection.createStatement()) {
      statement.execute("DROP TABLE IF EXISTS t_jdbc");
      statement.execute("CREATE TABLE t_jdbc (client int, note text)");
      ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);
      List<Future<Void>> clients = new ArrayList<>();
      for (int n = 0; n < CLIENTS; n++) {
        int client = n;
        clients.add(threads.submit(() -> client(client)));
      }
      threads.shutdown();
      for (Future<Void> each : clients) {
        each.get();
      }
      expect(number(connection, "SELECT count(*) FROM t_jdbc"), CLIENTS * 1101L, "rows at the end");
      statement.execute("DROP TABLE t_jdbc");
    }
  }
}
