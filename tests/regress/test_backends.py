"""pgvalet.backends: what a session holds, waits for, runs, and who is behind it."""

import threading
import unittest

import psycopg
from psycopg import errors

from server import ServerTest, wait_until

# Columns by what a backend does while it works.
CLASSES = ("wait_lock_us", "wait_lwlock_us", "wait_io_us", "wait_ipc_us", "wait_client_us",
           "wait_timeout_us", "wait_other_us", "running_us")


class BackendsTest(ServerTest):
    SETTINGS = {"pgvalet.sample_interval": "20"}

    def setUp(self):
        self.observer = self.connect(application_name="observer")

    def row(self, connection):
        return self.backend(self.observer, connection.info.backend_pid)

    def wait_for(self, connection, condition, what):
        """The first row of a backend that fulfils a condition."""
        def look():
            row = self.row(connection)
            return row if condition(row) else None
        return wait_until(look, what)

    # What it holds.

    def test_memory_shows_what_a_long_command_has_left_behind(self):
        client = self.connect()
        before = self.row(client)

        client.execute("DO $$ BEGIN FOR i IN 1..300 LOOP"
                       " EXECUTE format('PREPARE p%s AS SELECT %L', i, repeat('x', 10000));"
                       " END LOOP; PERFORM pg_sleep(0.15); END $$")

        after = self.row(client)
        self.assertGreater(before.memory_bytes, 100_000)
        self.assertGreater(after.memory_bytes, before.memory_bytes + 3_000_000)
        self.assertGreater(after.memory_sampled_at, before.memory_sampled_at)
        self.assertLessEqual(after.memory_sampled_at, after.state_since)

    def test_locks_are_those_held_while_waiting(self):
        client = self.connect()
        client.execute("CREATE TABLE IF NOT EXISTS held (n integer)")
        self.assertEqual(self.row(client).locks_held, 0)

        client.execute("BEGIN")
        client.execute("LOCK TABLE held")
        self.assertGreaterEqual(self.row(client).locks_held, 1)

        client.execute("COMMIT")
        self.assertEqual(self.row(client).locks_held, 0)

        client.execute("SELECT pg_advisory_lock(1), pg_advisory_lock(2) AS second")
        self.assertEqual(self.row(client).locks_held, 2)

    def test_xmin_age_grows_with_the_transactions_of_others(self):
        client = self.connect()
        self.assertIsNone(self.row(client).xmin_age)
        client.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        client.execute("SELECT 1")
        before = self.row(client).xmin_age

        for _ in range(5):
            self.observer.execute("SELECT txid_current()")

        self.assertGreaterEqual(self.row(client).xmin_age, before + 5)
        client.execute("COMMIT")
        self.assertIsNone(self.row(client).xmin_age)

    def test_cpu_time_grows_while_a_statement_runs(self):
        client = self.connect()
        self.in_background(client, "SELECT count(*) FROM generate_series(1, 1000000000)")

        first = self.wait_for(client, lambda row: row.cpu_user_us and row.cpu_user_us > 50_000,
                              "CPU time to be seen")
        second = self.wait_for(client, lambda row: row.cpu_user_us + row.cpu_system_us >
                               first.cpu_user_us + first.cpu_system_us + 50_000,
                               "CPU time to grow")

        self.assertEqual(second.state, "active")
        self.assertGreater(second.cpu_sampled_at, first.cpu_sampled_at)

    # What it waits for.

    def assert_mostly(self, row, column):
        """This class has the most time, and all together no more than active_us."""
        times = {name: getattr(row, name) for name in CLASSES}
        self.assertEqual(max(times, key=times.get), column, times)
        self.assertLessEqual(sum(times.values()), row.active_us)

    def test_waiting_for_a_lock_is_lock_time(self):
        self.observer.execute("CREATE TABLE IF NOT EXISTS locked (n integer)")
        holder = self.connect()
        holder.execute("BEGIN")
        holder.execute("LOCK TABLE locked")
        client = self.connect()
        self.in_background(client, "SELECT * FROM locked")

        row = self.wait_for(client, lambda row: row.wait_lock_us > 300_000, "time by locks")

        self.assertEqual((row.wait_event_type, row.wait_event), ("Lock", "relation"))
        self.assert_mostly(row, "wait_lock_us")
        holder.execute("ROLLBACK")

    def test_sleeping_is_timeout_time(self):
        client = self.connect()
        self.in_background(client, "SELECT pg_sleep(600)")

        row = self.wait_for(client, lambda row: row.wait_timeout_us > 300_000, "time by sleep")

        self.assertEqual((row.wait_event_type, row.wait_event), ("Timeout", "PgSleep"))
        self.assert_mostly(row, "wait_timeout_us")

    def test_computing_is_running_time(self):
        client = self.connect()
        self.in_background(client, "DO $$ BEGIN LOOP NULL; END LOOP; END $$")

        row = self.wait_for(client, lambda row: row.running_us > 300_000, "running time")

        self.assertIsNone(row.wait_event)
        self.assert_mostly(row, "running_us")

    def test_client_that_does_not_read_is_client_time(self):
        client = self.connect()
        with client.cursor() as cursor:
            with cursor.copy("COPY (SELECT repeat('x', 10000) FROM generate_series(1, 100000))"
                             " TO STDOUT") as copy:
                copy.read()
                row = self.wait_for(client, lambda row: row.wait_client_us > 300_000,
                                    "time by the client")
                client.cancel()
                with self.assertRaises(errors.QueryCanceled):
                    while copy.read():
                        pass

        self.assertEqual(row.wait_event_type, "Client")
        self.assert_mostly(row, "wait_client_us")

    def test_idle_session_waits_for_its_client_without_active_time(self):
        client = self.connect()
        client.execute("SELECT 1")

        row = self.wait_for(client, lambda row: row.wait_event is not None, "the wait")

        self.assertEqual((row.wait_event_type, row.wait_event), ("Client", "ClientRead"))
        self.assertEqual(row.wait_client_us, 0)

    def test_reset_forgets_waits_and_leaves_cpu_time(self):
        client = self.connect()
        thread = self.in_background(client, "SELECT pg_sleep(600)")
        before = self.wait_for(client, lambda row: row.wait_timeout_us > 100_000, "time by sleep")
        client.cancel()
        thread.join()

        self.observer.execute("SELECT pgvalet.reset('waits')")

        row = self.row(client)
        self.assertLess(row.wait_timeout_us, before.wait_timeout_us)
        self.assertGreaterEqual(row.cpu_user_us + row.cpu_system_us,
                                before.cpu_user_us + before.cpu_system_us)
        self.assertIsNotNone(self.one(self.observer, "SELECT reset_at FROM pgvalet.memory"
                                      " WHERE part = 'waits'").reset_at)

    # What it runs.

    def reported(self, connection):
        """What the server itself says."""
        return self.one(self.observer, "SELECT query, query_id FROM pg_stat_activity"
                        " WHERE pid = %s", connection.info.backend_pid)

    def assert_as_reported(self, connection):
        row, server = self.row(connection), self.reported(connection)
        self.assertEqual((row.query, row.query_id), (server.query, server.query_id))
        self.assertIsNotNone(row.query_id)

    def test_query_is_that_of_the_last_statement(self):
        self.observer.execute("""CREATE OR REPLACE FUNCTION looks_inside() RETURNS bigint
            LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM pg_class); END $$""")
        client = psycopg.ClientCursor(self.connect())
        self.observer.execute("CREATE TABLE IF NOT EXISTS queried (n integer)")
        for statement in ("SELECT 1", "SELECT looks_inside()", "INSERT INTO queried VALUES (1)",
                          "UPDATE queried SET n = 2", "DELETE FROM queried",
                          "INSERT INTO queried VALUES (1) RETURNING n", "BEGIN",
                          "DECLARE c CURSOR FOR SELECT n FROM queried", "FETCH c", "COMMIT",
                          "EXPLAIN SELECT n FROM queried", "SET work_mem = '5MB'",
                          "DO $$ DECLARE r record; BEGIN FOR r IN SELECT n FROM queried"
                          " LOOP PERFORM 1; END LOOP; END $$"):
            with self.subTest(statement):
                client.execute(statement)
                self.assert_as_reported(client.connection)

    def test_query_id_does_not_depend_on_constants(self):
        client = psycopg.ClientCursor(self.connect())
        ids = []
        for n in (1, 2):
            client.execute(f"SELECT relname FROM pg_class WHERE relpages = {n}")
            ids.append(self.row(client.connection).query_id)
        client.execute("SELECT relname FROM pg_class WHERE reltuples = 1")

        self.assertEqual(ids[0], ids[1])
        self.assertNotEqual(ids[0], self.row(client.connection).query_id)

    def test_query_id_of_prepared_statements_is_not_lost(self):
        client = self.connect()
        client.execute("CREATE TABLE IF NOT EXISTS prepared (n integer)")
        for statement in ("SELECT n FROM prepared WHERE n = %s",
                          "INSERT INTO prepared VALUES (%s)"):
            with self.subTest(statement):
                ids = set()
                for n in range(4):
                    client.execute(statement, (n,), prepare=True)
                    ids.add(self.row(client).query_id)
                self.assertEqual(len(ids), 1)
                self.assertNotIn(None, ids)

    def test_query_id_of_a_pipeline_is_that_of_its_last_statement(self):
        client = self.connect()
        client.execute("SELECT 2 + %s", (1,), prepare=True)
        expected = self.row(client).query_id

        with client.pipeline():
            client.execute("SELECT 'a' || %s", ("b",), prepare=True)
            client.execute("SELECT 2 + %s", (1,), prepare=True)

        self.assertEqual(self.row(client).query_id, expected)

    def test_running_prepared_statement_is_known(self):
        self.observer.execute("CREATE TABLE IF NOT EXISTS waited_for (n integer)")
        client = self.connect()
        client.execute("UPDATE waited_for SET n = %s", (1,), prepare=True)
        expected = self.row(client).query_id
        client.execute("SELECT %s", (1,), prepare=True)
        holder = self.connect()
        holder.execute("INSERT INTO waited_for VALUES (0)")
        holder.execute("BEGIN")
        holder.execute("UPDATE waited_for SET n = 5")
        thread = threading.Thread(target=lambda: client.execute(
            "UPDATE waited_for SET n = %s", (1,), prepare=True))
        thread.start()

        row = self.wait_for(client, lambda row: row.wait_event_type == "Lock", "the lock")
        holder.execute("COMMIT")
        thread.join()

        self.assertEqual(row.query_id, expected)
        self.assertIn("UPDATE waited_for", row.query)

    def test_query_of_another_encoding_can_be_read(self):
        self.observer.execute("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
                              " TEMPLATE template0")
        client = self.connect(dbname="latin", client_encoding="UTF8")
        client.execute("SELECT 'caf\u00e9'")

        self.assertEqual(self.row(client).query, "SELECT 'caf?'")

    def test_query_that_is_cut_off_inside_a_character_ends_before_it(self):
        client = psycopg.ClientCursor(self.connect())
        for first in ("", "x"):
            client.execute(f"SELECT '{first}" + "\u00e9" * 1000 + "'")

            query = self.row(client.connection).query
            self.assertIn(len(query.encode()), (1022, 1023))
            self.assertTrue(query.endswith("\u00e9"))

    def test_role_sees_its_own_queries_only(self):
        self.observer.execute("DROP ROLE IF EXISTS reader")
        self.observer.execute("CREATE ROLE reader LOGIN")
        self.observer.execute("SELECT 'secret'")
        reader = self.connect(user="reader")

        rows = reader.execute("SELECT pid, query FROM pgvalet.backends").fetchall()

        self.assertEqual([row.pid for row in rows], [reader.info.backend_pid])
        self.assertIn("pgvalet.backends", rows[0].query)


class UntrackedTest(ServerTest):
    SETTINGS = {"pgvalet.track_queries": "off", "pgvalet.sample_interval": "0"}

    def test_nothing_is_known_that_is_turned_off(self):
        observer = self.connect()
        client = self.connect()
        client.execute("SELECT 1")

        row = self.backend(observer, client.info.backend_pid)

        self.assertIsNone(row.query_id)
        self.assertEqual(row.query, "SELECT 1")
        self.assertIsNone(row.cpu_user_us)
        self.assertEqual(sum(getattr(row, name) for name in CLASSES), 0)


class AgentClientsTest(ServerTest):
    AGENT = "pgvaletd/one:1"
    REPORT = "SELECT pgvalet.report_clients(%s, %s, %s, %s, %s, %s) AS taken"

    def setUp(self):
        self.observer = self.connect(application_name="observer")
        self.agent = self.connect(application_name="the agent's sampler")
        self.leased = self.connect_agent(name=self.AGENT)

    def row(self, connection):
        return self.backend(self.observer, connection.info.backend_pid)

    def report(self, *connections, addr="10.1.2.3", port=4711, name="shop", leased_us=5_000_000):
        count = len(connections)
        return self.one(self.agent, self.REPORT, self.AGENT,
                        [connection.info.backend_pid for connection in connections],
                        [addr] * count, [port] * count, [name] * count,
                        [leased_us] * count).taken

    def test_client_is_shown_behind_the_connection_it_has(self):
        self.assertEqual(self.report(self.leased), 1)

        row = self.row(self.leased)
        self.assertEqual((str(row.agent_client_addr), row.agent_client_port,
                          row.agent_application_name), ("10.1.2.3", 4711, "shop"))
        self.assertEqual((row.agent_reported_at - row.leased_since).total_seconds(), 5)

    def test_lease_that_lasts_began_once(self):
        self.report(self.leased)
        first = self.row(self.leased).leased_since

        self.report(self.leased, leased_us=5_050_000)
        self.assertEqual(self.row(self.leased).leased_since, first)

        self.report(self.leased, leased_us=10)
        self.assertGreater(self.row(self.leased).leased_since, first)

    def test_connection_that_is_not_reported_any_more_has_no_client(self):
        self.report(self.leased)

        self.assertEqual(self.report(), 0)

        row = self.row(self.leased)
        self.assertIsNone(row.leased_since)
        self.assertIsNone(row.agent_client_addr)
        self.assertIsNone(row.agent_application_name)
        self.assertIsNotNone(row.agent_reported_at)

    def test_client_on_a_unix_socket_has_no_address(self):
        self.report(self.leased, addr=None, port=None)

        row = self.row(self.leased)
        self.assertIsNone(row.agent_client_addr)
        self.assertEqual((row.agent_client_port, row.agent_application_name), (-1, "shop"))

    def test_name_is_cut_off_and_made_printable(self):
        self.report(self.leased, name="b\u00e4r" + "x" * 100)

        name = self.row(self.leased).agent_application_name
        self.assertEqual(name, "b??r" + "x" * 59)

    def test_agent_reports_its_own_connections_only(self):
        other = self.connect_agent(name="pgvaletd/two:2")
        direct = self.connect()

        self.assertEqual(self.report(other, direct), 0)

        self.assertIsNone(self.row(other).agent_reported_at)
        self.assertIsNone(self.row(direct).agent_reported_at)

    def test_next_session_in_the_slot_has_nothing_of_it(self):
        self.report(self.leased)
        pid = self.leased.info.backend_pid
        self.leased.close()
        wait_until(lambda: self.backend(self.observer, pid) is None, "the session to leave")

        for connection in [self.connect_agent(name="pgvaletd/one:1") for _ in range(3)]:
            self.assertIsNone(self.row(connection).leased_since)

    def test_agent_that_may_only_read_can_report(self):
        self.agent.execute("SET default_transaction_read_only = on")

        self.assertEqual(self.report(self.leased), 1)

    def test_absurd_reports_are_refused_and_views_go_on(self):
        for wrong in ({"leased_us": -9223372036854775807}, {"leased_us": -1},
                      {"leased_us": 9223372036854775807}, {"port": 65536}, {"port": -2}):
            with self.subTest(wrong), self.assertRaises(errors.InvalidParameterValue):
                self.report(self.leased, **wrong)
        with self.assertRaises(errors.NullValueNotAllowed):
            self.report(self.leased, leased_us=None)
        with self.assertRaises(errors.InvalidTextRepresentation):
            self.report(self.leased, addr="nowhere")

        self.assertIsNone(self.row(self.leased).leased_since)

    def test_connection_of_an_agent_reports_for_no_other_agent(self):
        self.agent = self.connect_agent(name="pgvaletd/two:2")

        with self.assertRaises(errors.InsufficientPrivilege):
            self.report(self.leased)

        self.agent = self.connect_agent(name=self.AGENT)
        self.assertEqual(self.report(self.leased), 1)

    def test_nobody_reports_direct_connections(self):
        with self.assertRaises(errors.InvalidParameterValue):
            self.observer.execute(self.REPORT, ("", [self.observer.info.backend_pid],
                                                ["10.0.0.1"], [1], ["x"], [1]))

    def test_report_that_makes_no_sense_is_refused_whole(self):
        self.report(self.leased)
        pid = self.leased.info.backend_pid
        since = [1]
        for arguments in (([pid], ["nowhere"], [1], ["x"], since),
                          ([pid], ["1" * 200], [1], ["x"], since),
                          ([pid], ["10.0.0.1", "10.0.0.2"], [1], ["x"], since),
                          ([None], ["10.0.0.1"], [1], ["x"], since),
                          ([pid], ["10.0.0.1"], [1], ["x"], [None])):
            with self.subTest(arguments), self.assertRaises(psycopg.DataError):
                self.agent.execute(self.REPORT, (self.AGENT, *arguments))

        self.assertEqual(self.row(self.leased).agent_application_name, "shop")

    def test_only_monitors_may_report(self):
        self.observer.execute("DROP ROLE IF EXISTS not_a_monitor")
        self.observer.execute("CREATE ROLE not_a_monitor LOGIN")
        stranger = self.connect_agent(name=self.AGENT, user="not_a_monitor")

        with self.assertRaises(errors.InsufficientPrivilege):
            stranger.execute(self.REPORT, (self.AGENT, [], [], [], [], []))


if __name__ == "__main__":
    unittest.main()
