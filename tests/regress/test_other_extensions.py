"""Beside other extensions that hook into the server, in either order; and the life of the
extension itself: in several databases, dropped while sessions run, without preloading.
"""

import threading
import unittest

import psycopg
from psycopg import errors

from server import Server, ServerTest, wait_until

# Each takes a hook that pgvalet takes too, or the executor's; pg_prewarm has a worker.
OTHERS = ("pg_stat_statements", "auto_explain", "auth_delay", "pg_prewarm")

SETTINGS = {
    "pg_stat_statements.track": "all",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_nested_statements": "on",
    "auth_delay.milliseconds": "1",
    "autovacuum": "off",
    "max_parallel_workers_per_gather": "2",
    "min_parallel_table_scan_size": "0",
    "parallel_setup_cost": "0",
    "parallel_tuple_cost": "0",
}


class BesideOthers:
    """The tests; the subclasses say in which order the libraries are loaded."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.server.connect() as connection:
            connection.execute("CREATE EXTENSION pg_stat_statements")
            connection.execute("CREATE TABLE big AS SELECT n, repeat('x', 200) AS filler"
                               " FROM generate_series(1, 30000) AS n")
            connection.execute("CREATE FUNCTION nested(n int) RETURNS bigint LANGUAGE plpgsql AS"
                               " $$ BEGIN RETURN (SELECT count(*) FROM big WHERE big.n < $1); END $$")
            connection.execute("ANALYZE big")

    def setUp(self):
        self.observer = self.connect(application_name="observer")
        self.client = self.connect(application_name="client")

    def own_row(self):
        return self.backend(self.observer, self.client.info.backend_pid)

    def statements(self, query_part, toplevel=True):
        """What pg_stat_statements has of statements with this in their text."""
        return self.one(
            self.observer,
            "SELECT coalesce(sum(calls), 0)::int AS calls, coalesce(sum(rows), 0)::int AS rows,"
            " coalesce(sum(shared_blks_hit + shared_blks_read), 0)::int AS blocks,"
            " coalesce(sum(wal_bytes), 0)::bigint AS wal_bytes FROM pg_stat_statements"
            " WHERE query LIKE %s AND toplevel = %s", f"%{query_part}%", toplevel)

    def test_all_count_the_same_statements_and_rows(self):
        self.observer.execute("SELECT pg_stat_statements_reset()")
        before = self.own_row()
        for _ in range(10):
            self.client.execute("SELECT n AS counted FROM big WHERE n <= %s", (7,),
                                prepare=False)

        row, theirs = self.own_row(), self.statements("AS counted")

        self.assertEqual((row.statement_count - before.statement_count, theirs.calls), (10, 10))
        self.assertEqual((row.row_count - before.row_count, theirs.rows), (70, 70))
        self.assertEqual(row.xact_commit_count - before.xact_commit_count, 10)

    def test_nested_statements_are_theirs_and_not_ours(self):
        self.observer.execute("SELECT pg_stat_statements_reset()")
        before = self.own_row()
        self.client.execute("SELECT nested(5) FROM generate_series(1, 3)")

        row = self.own_row()

        self.assertEqual(self.statements("big.n <", toplevel=False).calls, 3)
        self.assertEqual(row.statement_count - before.statement_count, 1)
        self.assertEqual(row.row_count - before.row_count, 3)

    def test_blocks_of_parallel_workers_are_counted_once(self):
        self.client.execute("SELECT count(*) FROM big")  # the catalogs are read
        self.observer.execute("SELECT pg_stat_statements_reset()")
        plan = self.client.execute("EXPLAIN SELECT sum(length(filler)) FROM big").fetchall()
        self.assertIn("Parallel Seq Scan", str(plan))
        before = self.own_row()
        self.client.execute("SELECT sum(length(filler)) AS in_parallel FROM big")

        row, theirs = self.own_row(), self.statements("AS in_parallel")

        ours = (row.block_hit_count + row.block_read_count
                - before.block_hit_count - before.block_read_count)
        self.assertGreater(theirs.blocks, 500)
        # Planning reads a few blocks of catalogs beyond theirs.
        self.assertGreaterEqual(ours, theirs.blocks)
        self.assertLess(ours, theirs.blocks + 100)
        self.assertEqual(row.statement_count - before.statement_count, 1)

    def test_wal_is_counted_by_both(self):
        self.observer.execute("SELECT pg_stat_statements_reset()")
        self.client.execute("CREATE TABLE IF NOT EXISTS written (n int)")
        before = self.own_row()
        self.client.execute("INSERT INTO written SELECT generate_series(1, 5000)")

        row, theirs = self.own_row(), self.statements("INSERT INTO written")

        self.assertGreaterEqual(row.wal_bytes - before.wal_bytes, theirs.wal_bytes)
        self.assertLess(row.wal_bytes - before.wal_bytes, theirs.wal_bytes + 100_000)
        self.assertEqual(row.row_count - before.row_count, 5000)

    def test_auto_explain_explains_and_its_messages_are_no_errors(self):
        self.client.execute("SET client_min_messages = log")
        notices = []
        self.client.add_notice_handler(lambda notice: notices.append(notice.message_primary))
        before = self.own_row()
        self.client.execute("SELECT 4711 AS explained")

        row = self.own_row()

        self.assertTrue(any("explained" in notice and "duration:" in notice for notice in notices))
        self.assertIn("SELECT 4711 AS explained", self.server.log_text())
        self.assertEqual(row.error_count, before.error_count)
        self.assertEqual(row.statement_count - before.statement_count, 1)

    def test_failed_statement_is_an_error_for_us_alone(self):
        self.observer.execute("SELECT pg_stat_statements_reset()")
        before = self.own_row()
        with self.assertRaises(errors.DivisionByZero):
            self.client.execute("SELECT 1 / (n - n) AS failed FROM big LIMIT 1")

        row = self.own_row()

        self.assertEqual(self.statements("AS failed").calls, 0)
        self.assertEqual(row.error_count - before.error_count, 1)
        self.assertEqual(row.statement_count, before.statement_count)
        self.assertEqual(row.xact_rollback_count - before.xact_rollback_count, 1)

    def test_session_is_ended_by_policy_all_the_same(self):
        self.addCleanup(self.server.set, idle_in_transaction_timeout=0)
        self.server.set(idle_in_transaction_timeout="300ms")
        self.client.execute("BEGIN")

        wait_until(lambda: self.own_row() is None, "the session to be ended")

        self.assertIn("terminating connection due to pgvalet.idle_in_transaction_timeout",
                      self.server.log_text())

    def test_shared_memory_of_all_is_there(self):
        names = {row.name for row in self.observer.execute(
            "SELECT name FROM pg_shmem_allocations").fetchall()}

        self.assertLessEqual({"pgvalet slots", "pg_stat_statements"}, names)

    def test_collector_runs_beside_a_worker_of_another_library(self):
        wait_until(lambda: self.observer.execute(
            "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'pgvalet collector'").fetchone(),
            "the collector")


class LoadedFirstTest(BesideOthers, ServerTest):
    SETTINGS = {**SETTINGS, "shared_preload_libraries": ", ".join(("pgvalet",) + OTHERS)}


class LoadedLastTest(BesideOthers, ServerTest):
    SETTINGS = {**SETTINGS, "shared_preload_libraries": ", ".join(OTHERS + ("pgvalet",))}


def views_of(connection):
    rows = connection.execute("SELECT viewname FROM pg_views WHERE schemaname = 'pgvalet'"
                              " ORDER BY viewname").fetchall()
    return [row.viewname for row in rows]


def read_all_views(connection):
    for view in views_of(connection):
        connection.execute(f"SELECT * FROM pgvalet.{view}").fetchall()


class LifeTest(ServerTest):
    def setUp(self):
        self.observer = self.connect()
        self.observer.execute("DROP DATABASE IF EXISTS second WITH (FORCE)")
        self.observer.execute("CREATE DATABASE second")
        self.addCleanup(self.observer.execute, "CREATE EXTENSION IF NOT EXISTS pgvalet")

    def test_two_databases_show_the_same_server(self):
        second = self.connect(dbname="second")
        self.addCleanup(second.close)
        second.execute("CREATE EXTENSION pgvalet")

        query = ("SELECT pid, role_name, database_name, connected_at FROM pgvalet.backends"
                 " ORDER BY pid")

        self.assertEqual(second.execute(query).fetchall(), self.observer.execute(query).fetchall())
        databases = {row.database_name for row in second.execute(query).fetchall()}
        self.assertEqual(databases, {"postgres", "second"})

    def test_dropped_in_one_database_it_goes_on_in_the_other(self):
        second = self.connect(dbname="second")
        self.addCleanup(second.close)
        second.execute("CREATE EXTENSION pgvalet")
        self.observer.execute("DROP EXTENSION pgvalet")

        with self.assertRaises(errors.UndefinedTable):
            self.observer.execute("SELECT * FROM pgvalet.backends")
        read_all_views(second)

    def test_drop_waits_for_readers_and_breaks_none(self):
        reader = self.connect()
        reader.execute("BEGIN")
        read_all_views(reader)
        dropper = self.connect()
        dropped = threading.Thread(target=dropper.execute, args=("DROP EXTENSION pgvalet",))
        dropped.start()
        wait_until(lambda: self.observer.execute(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = %s",
            (dropper.info.backend_pid,)).fetchone(), "the DROP to wait")

        reader.execute("SELECT * FROM pgvalet.summary")
        reader.execute("COMMIT")
        dropped.join()

        with self.assertRaises(errors.UndefinedTable):
            reader.execute("SELECT * FROM pgvalet.summary")

    def test_sessions_work_and_are_counted_on_while_it_is_dropped_and_made_again(self):
        client = self.connect(application_name="goes on")
        client.execute("SELECT 1")
        count = self.backend(self.observer, client.info.backend_pid).statement_count
        stop = threading.Event()
        failures = []
        done = 0

        def work():
            nonlocal done
            try:
                while not stop.is_set():
                    client.execute("SELECT 1")
                    done += 1
            except psycopg.Error as error:
                failures.append(error)

        worker = threading.Thread(target=work)
        worker.start()
        for _ in range(10):
            self.observer.execute("DROP EXTENSION pgvalet")
            self.observer.execute("CREATE EXTENSION pgvalet")
        stop.set()
        worker.join()

        self.assertEqual(failures, [])
        row = self.backend(self.observer, client.info.backend_pid)
        self.assertEqual(row.statement_count - count, done)

    def test_prepared_statement_over_a_view_works_after_the_extension_is_made_again(self):
        client = self.connect()
        client.execute("PREPARE mine AS SELECT pid FROM pgvalet.backends"
                       " WHERE pid = pg_backend_pid()")
        client.execute("EXECUTE mine")
        self.observer.execute("DROP EXTENSION pgvalet")
        with self.assertRaises(errors.UndefinedTable):
            client.execute("EXECUTE mine")
        self.observer.execute("CREATE EXTENSION pgvalet")

        self.assertEqual(self.one(client, "EXECUTE mine").pid, client.info.backend_pid)

    def test_policy_holds_where_the_extension_is_not_installed(self):
        self.addCleanup(self.server.set, idle_in_transaction_timeout=0)
        self.server.set(idle_in_transaction_timeout="300ms")
        client = self.connect(dbname="second")
        client.execute("BEGIN")

        wait_until(lambda: self.backend(self.observer, client.info.backend_pid) is None,
                   "the session to be ended")


class NotPreloadedTest(unittest.TestCase):
    def setUp(self):
        self.server = Server(shared_preload_libraries="")
        self.server.start()  # makes the extension, which must work without preloading
        self.addCleanup(self.server.stop)

    def test_views_say_what_is_missing_and_work_after_preloading(self):
        with self.server.connect() as connection:
            for view in views_of(connection):
                with self.assertRaises(errors.ObjectNotInPrerequisiteState, msg=view):
                    connection.execute(f"SELECT * FROM pgvalet.{view}")

        self.server.restart(shared_preload_libraries="pgvalet")

        with self.server.connect() as connection:
            read_all_views(connection)

    def test_library_loaded_by_a_session_changes_nothing(self):
        with self.server.connect() as connection:
            connection.execute("LOAD 'pgvalet'")
            connection.execute("SELECT 1")
            with self.assertRaises(errors.ObjectNotInPrerequisiteState):
                connection.execute("SELECT * FROM pgvalet.summary")
        with self.server.connect(options="-c session_preload_libraries=pgvalet") as connection:
            connection.execute("SELECT 1")
            with self.assertRaises(errors.ObjectNotInPrerequisiteState):
                connection.execute("SELECT * FROM pgvalet.backends")


if __name__ == "__main__":
    unittest.main()
