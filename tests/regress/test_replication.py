"""Standby servers and logical replication: what is a client there, and what is not."""

import os
import signal
import unittest

import psycopg
from psycopg import errors

from server import SERVER_USER, Server, ServerTest, wait_until

PRIMARY_SETTINGS = {
    "wal_level": "logical",
    "max_wal_senders": "10",
    "max_replication_slots": "10",
    "hot_standby": "on",
    "max_standby_streaming_delay": "100ms",
    "wal_retrieve_retry_interval": "100ms",
    "wal_receiver_status_interval": "1s",
}


class Standby(Server):
    """A streaming replica of another server, from start() to stop()."""

    def start(self, primary):
        self.make_directory()
        self._run("pg_basebackup", "-D", self.data, "-R", "-c", "fast", "-X", "stream",
                  "-h", primary.directory, "-p", str(primary.port), "-U", SERVER_USER)
        self.configure(unix_socket_directories=self.directory)
        self._launch()

    def has_replayed(self, position):
        with self.connect() as connection:
            return connection.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn AS ok",
                                      (position,)).fetchone().ok


def views_of(connection):
    rows = connection.execute("SELECT viewname FROM pg_views WHERE schemaname = 'pgvalet'"
                              " ORDER BY viewname").fetchall()
    return [row.viewname for row in rows]


def read_all_views(connection):
    for view in views_of(connection):
        connection.execute(f"SELECT * FROM pgvalet.{view}").fetchall()


def not_clients(connection):
    """Processes that pgvalet.backends shows and that are no client backends, or the reverse."""
    return connection.execute(
        "SELECT b.pid, a.backend_type FROM pgvalet.backends AS b"
        " FULL JOIN pg_stat_activity AS a USING (pid)"
        " WHERE (a.backend_type IS NOT DISTINCT FROM 'client backend')"
        " <> (b.pid IS NOT NULL)").fetchall()


class StandbyTest(ServerTest):
    """One primary for all tests, a standby for each."""

    SETTINGS = PRIMARY_SETTINGS

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.server.connect() as connection:
            connection.execute("CREATE ROLE monitor LOGIN IN ROLE pg_monitor")
            connection.execute("CREATE ROLE plain LOGIN")
            connection.execute("CREATE TABLE items AS SELECT generate_series(1, 1000) AS n")

    def setUp(self):
        self.standby = Standby()
        self.standby.start(self.server)
        self.addCleanup(self.standby.stop)
        self.primary = self.connect()

    def on_standby(self, **parameters):
        connection = self.standby.connect(**parameters)
        self.addCleanup(connection.close)
        return connection

    def catch_up(self):
        position = self.one(self.primary, "SELECT pg_current_wal_lsn() AS p").p
        wait_until(lambda: self.standby.has_replayed(position), "the standby to catch up")

    def promote(self):
        with self.standby.connect() as connection:
            connection.execute("SELECT pg_promote()")

    def test_all_views_work_for_all_who_may_read_them(self):
        for role in "postgres", "monitor":
            read_all_views(self.on_standby(user=role))

        plain = self.on_standby(user="plain")
        rows = plain.execute("SELECT pid FROM pgvalet.backends").fetchall()
        self.assertEqual([row.pid for row in rows], [plain.info.backend_pid])

    def test_sessions_of_the_standby_are_counted_there(self):
        client = self.on_standby(application_name="reader")
        client.execute("SELECT * FROM items")
        observer = self.on_standby()

        row = self.backend(observer, client.info.backend_pid)

        self.assertEqual((row.statement_count, row.row_count, row.wal_bytes), (1, 1000, 0))
        pids = [r.pid for r in self.primary.execute("SELECT pid FROM pgvalet.backends").fetchall()]
        self.assertNotIn(client.info.backend_pid, pids)

    def test_nothing_tries_to_write(self):
        client = self.on_standby(application_name="reader")
        client.execute("SELECT * FROM items")
        client.execute("SET application_name = 'other name'")
        self.standby.set(idle_session_timeout="1h")
        read_all_views(client)
        client.close()
        observer = self.on_standby()
        wait_until(lambda: self.one(observer, "SELECT connections FROM pgvalet.summary")
                   .connections == 1, "the client to leave")
        wait_until(lambda: self.one(
            observer, "SELECT used_entries FROM pgvalet.memory WHERE part = 'backends'")
            .used_entries == 1, "the collector to fold its slot")

        log = self.standby.log_text()

        for word in "cannot execute", "during recovery", "ERROR:", "PANIC:", "WARNING:":
            self.assertNotIn(word, log)

    def test_walreceiver_and_walsender_are_no_clients(self):
        wait_until(lambda: self.primary.execute(
            "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'").fetchone(),
            "the standby to stream")
        observer = self.on_standby()

        self.assertEqual(not_clients(self.primary), [])
        self.assertEqual(not_clients(observer), [])
        self.assertEqual(self.one(self.primary, "SELECT connections FROM pgvalet.summary")
                         .connections, 1)
        self.assertEqual(self.one(observer, "SELECT connections FROM pgvalet.summary")
                         .connections, 1)

    def test_collector_runs_on_the_standby(self):
        observer = self.on_standby()

        wait_until(lambda: observer.execute(
            "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'pgvalet collector'").fetchone(),
            "the collector")

    def test_idle_sessions_of_the_standby_are_ended(self):
        observer = self.standby.connect_agent()
        self.addCleanup(observer.close)
        waiting, in_transaction = self.on_standby(), self.on_standby()
        in_transaction.execute("BEGIN")
        self.standby.set(idle_session_timeout="500ms", idle_in_transaction_timeout="500ms")

        for client in waiting, in_transaction:
            wait_until(lambda: self.backend(observer, client.info.backend_pid) is None,
                       "the end of the session")

        log = self.standby.log_text()
        self.assertIn("terminating connection due to pgvalet.idle_session_timeout", log)
        self.assertIn("terminating connection due to pgvalet.idle_in_transaction_timeout", log)

    def test_session_ended_by_a_conflict_with_recovery_leaves_no_slot(self):
        self.primary.execute("CREATE TABLE IF NOT EXISTS doomed (n int)")
        self.catch_up()
        client, observer = self.on_standby(), self.on_standby()
        client.execute("BEGIN")
        client.execute("SELECT * FROM doomed")

        self.primary.execute("DROP TABLE doomed")
        self.catch_up()

        wait_until(lambda: self.backend(observer, client.info.backend_pid) is None,
                   "the end of the session")
        self.assertEqual(not_clients(observer), [])

    def test_sessions_and_counters_live_on_through_promotion(self):
        client, observer = self.on_standby(), self.on_standby()
        client.execute("SELECT * FROM items")
        before = self.backend(observer, client.info.backend_pid)
        with self.assertRaises(errors.ReadOnlySqlTransaction):
            client.execute("CREATE TABLE too_early ()")

        self.promote()

        client.execute("CREATE TABLE mine (n int)")
        row = self.backend(observer, client.info.backend_pid)
        self.assertEqual(row.connected_at, before.connected_at)
        self.assertEqual(row.statement_count, before.statement_count + 1)
        self.assertGreater(row.wal_bytes, 0)
        read_all_views(client)
        self.standby.set(idle_in_transaction_timeout="300ms")
        client.execute("BEGIN")
        wait_until(lambda: self.backend(observer, client.info.backend_pid) is None,
                   "the policy to hold after promotion")

    def test_standby_comes_back_after_a_backend_was_killed(self):
        victim = self.on_standby()
        started_at = self.one(victim, "SELECT started_at FROM pgvalet.summary").started_at
        os.kill(victim.info.backend_pid, signal.SIGKILL)

        def is_back():
            try:
                with self.standby.connect() as connection:
                    read_all_views(connection)
                    return self.one(connection, "SELECT started_at FROM pgvalet.summary"
                                    ).started_at > started_at
            except psycopg.OperationalError:
                return False

        wait_until(is_back, "the standby to come back")


class LogicalReplicationTest(unittest.TestCase):
    def setUp(self):
        self.publisher, self.subscriber = Server(**PRIMARY_SETTINGS), Server(**PRIMARY_SETTINGS)
        for server in self.publisher, self.subscriber:
            server.start()
            self.addCleanup(server.stop)
        self.source, self.target = self.publisher.connect(), self.subscriber.connect()
        for connection in self.source, self.target:
            self.addCleanup(connection.close)
            connection.execute("CREATE TABLE items (n int PRIMARY KEY)")
        self.source.execute("INSERT INTO items SELECT generate_series(1, 100)")
        self.source.execute("CREATE PUBLICATION all_items FOR TABLE items")
        self.target.execute(
            f"CREATE SUBSCRIPTION copy CONNECTION 'host={self.publisher.directory}"
            f" port={self.publisher.port} user={SERVER_USER} dbname=postgres'"
            " PUBLICATION all_items WITH (streaming = on)")
        self.wait_for_rows(100)

    def wait_for_rows(self, count):
        wait_until(lambda: self.target.execute("SELECT count(*) FROM items").fetchone()[0] == count,
                   f"{count} rows at the subscriber")

    def assert_clients_only(self):
        for connection in self.source, self.target:
            wait_until(lambda: not_clients(connection) == [], "slots of clients only")
            read_all_views(connection)

    def test_workers_and_walsenders_have_no_slot(self):
        wait_until(lambda: self.target.execute(
            "SELECT 1 FROM pg_stat_activity WHERE backend_type LIKE 'logical replication%'"
            " AND backend_type <> 'logical replication launcher'").fetchone(), "the apply worker")

        self.assert_clients_only()
        for connection in self.source, self.target:
            summary = connection.execute("SELECT * FROM pgvalet.summary").fetchone()
            self.assertEqual(summary.connections, 1)

    def test_what_workers_do_is_nobodys_usage(self):
        before = self.target.execute("SELECT sum(row_count) AS rows"
                                     " FROM pgvalet.usage_by_role").fetchone()
        self.source.execute("INSERT INTO items SELECT generate_series(101, 5000)")
        self.wait_for_rows(5000)

        after = self.target.execute("SELECT sum(row_count) AS rows"
                                    " FROM pgvalet.usage_by_role").fetchone()

        # Our own queries have read a row each; the workers have written 4900.
        self.assertLess(after.rows - before.rows, 4900)

    def test_streamed_transaction_prepared_elsewhere_and_workers_that_end_break_nothing(self):
        self.source.execute("BEGIN")
        self.source.execute("INSERT INTO items SELECT generate_series(101, 60000)")
        self.source.execute("PREPARE TRANSACTION 'two'")
        self.target.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type LIKE 'logical replication%'"
            " AND backend_type <> 'logical replication launcher'")
        self.source.execute("COMMIT PREPARED 'two'")
        self.wait_for_rows(60000)

        self.assert_clients_only()

    def test_subscription_that_is_dropped_leaves_nothing(self):
        self.target.execute("DROP SUBSCRIPTION copy")

        self.assert_clients_only()
        for connection in self.source, self.target:
            wait_until(lambda: connection.execute(
                "SELECT used_entries FROM pgvalet.memory WHERE part = 'backends'"
            ).fetchone().used_entries == 1, "one slot")


if __name__ == "__main__":
    unittest.main()
