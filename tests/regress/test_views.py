"""Views: what one session shows of others, live and ended."""

import os
import signal
import struct
import threading
import unittest

import psycopg
from psycopg import errors

from raw_client import RawClient
from server import Server, ServerTest, wait_until

COUNTERS = ("xact_commit_count", "xact_rollback_count", "statement_count", "row_count",
            "error_count", "sent_bytes", "block_hit_count", "block_read_count",
            "block_written_count", "temp_bytes", "wal_bytes", "active_us", "idle_us",
            "idle_in_transaction_us")


class ViewsTest(ServerTest):
    def setUp(self):
        self.observer = self.connect(application_name="observer")
        # Sessions of the test before may still be leaving.
        wait_until(lambda: self.one(self.observer, "SELECT connections FROM pgvalet.summary")
                   .connections == 1, "the other sessions to leave")

    def state_of(self, connection):
        return self.backend(self.observer, connection.info.backend_pid).state

    def usage(self, dimension, name):
        """The row of one name in an aggregate view, None if there is none."""
        return self.observer.execute(
            f"SELECT * FROM pgvalet.usage_by_{dimension} WHERE {dimension}_name = %s",
            (name,)).fetchone()

    def wait_until_left(self, pid):
        wait_until(lambda: self.backend(self.observer, pid) is None, f"backend {pid} to leave")

    def recreate_role(self, name, options="LOGIN"):
        self.observer.execute(f"DROP ROLE IF EXISTS {name}")
        self.observer.execute(f"CREATE ROLE {name} {options}")

    # Who it is.

    def test_backend_over_tcp_shows_its_address_and_port(self):
        client = self.connect(tcp=True, application_name="by tcp")

        row = self.backend(self.observer, client.info.backend_pid)

        self.assertEqual(str(row.client_addr), "127.0.0.1")
        local_port = self.one(client, "SELECT inet_client_port() AS port").port
        self.assertEqual(row.client_port, local_port)
        self.assertEqual((row.database_name, row.role_name, row.application_name),
                         ("postgres", "postgres", "by tcp"))

    def test_backend_over_a_unix_socket_has_no_address(self):
        row = self.backend(self.observer, self.observer.info.backend_pid)

        self.assertIsNone(row.client_addr)
        self.assertEqual(row.client_port, -1)

    def test_agent_connection_is_told_from_a_direct_one(self):
        agent = self.connect_agent(name="pgvaletd/host:42")

        row = self.backend(self.observer, agent.info.backend_pid)
        own = self.backend(self.observer, self.observer.info.backend_pid)

        self.assertEqual((row.connection_kind, row.agent_name), ("agent", "pgvaletd/host:42"))
        self.assertEqual((own.connection_kind, own.agent_name), ("direct", None))
        self.assertEqual(self.one(self.observer, "SELECT * FROM pgvalet.summary")
                         .agent_connections, 1)

    def test_agent_name_has_a_limit(self):
        agent = self.connect_agent(name="x" * 127)
        row = self.backend(self.observer, agent.info.backend_pid)
        self.assertEqual(row.agent_name, "x" * 127)

        with self.assertRaises(psycopg.OperationalError) as caught:
            self.connect_agent(name="x" * 128)
        self.assertIn("at most 127 bytes", str(caught.exception))

    def test_agent_name_is_printable_ascii(self):
        with self.assertRaises(psycopg.OperationalError) as caught:
            self.connect_agent(name="b\u00e9ll")
        self.assertIn("printable ASCII", str(caught.exception))

    def test_role_is_the_one_that_logged_in(self):
        self.recreate_role("other_role")
        client = self.connect()
        client.execute("SET ROLE other_role")
        client.execute("SELECT 1")
        self.assertEqual(self.backend(self.observer, client.info.backend_pid).role_name,
                         "postgres")

        client.execute("RESET ROLE")
        client.execute("SET SESSION AUTHORIZATION other_role")
        self.assertEqual(self.backend(self.observer, client.info.backend_pid).role_name,
                         "postgres")

    def test_login_took_some_time_before_the_session_began(self):
        row = self.backend(self.observer, self.observer.info.backend_pid)

        self.assertGreater(row.login_us, 0)
        self.assertLess(row.login_us, 60_000_000)
        self.assertLess(row.connected_at, row.state_since)

    def test_only_client_backends_are_shown(self):
        self.connect(replication="database")

        unexpected = self.observer.execute(
            "SELECT b.pid, a.backend_type FROM pgvalet.backends AS b"
            " FULL JOIN pg_stat_activity AS a USING (pid)"
            " WHERE (a.backend_type = 'client backend') <> (b.pid IS NOT NULL)").fetchall()

        self.assertEqual(unexpected, [])

    # What it does.

    def test_state_follows_the_transaction(self):
        client = self.connect()
        self.assertEqual(self.state_of(client), "idle")

        client.execute("BEGIN")
        self.assertEqual(self.state_of(client), "idle in transaction")

        with self.assertRaises(errors.DivisionByZero):
            client.execute("SELECT 1 / 0")
        self.assertEqual(self.state_of(client), "idle in transaction (aborted)")

        client.execute("ROLLBACK")
        self.assertEqual(self.state_of(client), "idle")

    def test_running_statement_is_active(self):
        """Simple and extended protocol, prepared statement, utility command."""
        self.observer.execute("CREATE TABLE IF NOT EXISTS locked (n integer)")
        self.observer.execute("BEGIN")
        self.observer.execute("LOCK TABLE locked")
        clients = []
        for statement, arguments, prepare in (
                ("SELECT * FROM locked", None, False),
                ("SELECT * FROM locked WHERE n = %s", (1,), False),
                ("SELECT * FROM locked WHERE n = %s", (1,), True),
                ("TRUNCATE locked", None, False)):
            client = self.connect()
            thread = threading.Thread(target=client.execute, args=(statement, arguments),
                                      kwargs={"prepare": prepare})
            thread.start()
            clients.append((client, thread))

        for client, _ in clients:
            wait_until(lambda: self.state_of(client) == "active", "a statement to be active")
        summary = self.one(self.observer, "SELECT * FROM pgvalet.summary")
        self.observer.execute("COMMIT")
        for client, thread in clients:
            thread.join()
            self.assertEqual(self.state_of(client), "idle")

        # The observer itself works on the query that asks.
        self.assertEqual((summary.connections, summary.active, summary.idle), (5, 5, 0))

    def test_time_goes_to_the_state_it_was_spent_in(self):
        client = self.connect()
        client.execute("SELECT pg_sleep(0.2)")
        client.execute("BEGIN")
        pid = client.info.backend_pid

        wait_until(lambda: self.backend(self.observer, pid).idle_in_transaction_us > 100_000,
                   "time in transaction, while it passes")
        client.execute("COMMIT")
        wait_until(lambda: self.backend(self.observer, pid).idle_us > 100_000,
                   "idle time, while it passes")

        row = self.backend(self.observer, pid)
        self.assertGreaterEqual(row.active_us, 200_000)
        self.assertGreater(row.idle_in_transaction_us, 100_000)

    def test_all_time_of_a_session_is_accounted_for(self):
        client = self.connect()
        for _ in range(50):
            client.execute("BEGIN")
            client.execute("SELECT 1")
            client.execute("COMMIT")

        row = self.one(self.observer, """
            SELECT active_us + idle_us + idle_in_transaction_us AS counted,
                   extract(epoch FROM clock_timestamp() - connected_at) * 1e6 - login_us AS passed
              FROM pgvalet.backends WHERE pid = %s""", client.info.backend_pid)

        # Both are read at slightly different moments of the same query.
        self.assertAlmostEqual(row.counted, float(row.passed), delta=1_000_000)

    def test_counters_are_right_without_track_activities(self):
        client = self.connect()
        client.execute("SET track_activities = off")
        before = self.backend(self.observer, client.info.backend_pid)
        client.execute("SELECT pg_sleep(0.05)")
        client.execute("BEGIN")

        row = self.backend(self.observer, client.info.backend_pid)

        self.assertEqual(row.state, "idle in transaction")
        self.assertEqual(row.statement_count - before.statement_count, 2)
        self.assertGreaterEqual(row.active_us - before.active_us, 50_000)

    def test_pipelined_statements_are_counted_one_by_one(self):
        client = self.connect()
        before = self.backend(self.observer, client.info.backend_pid)
        with client.pipeline():
            for n in range(10):
                client.execute("SELECT generate_series(1, %s)", (n,))

        row = self.backend(self.observer, client.info.backend_pid)

        self.assertEqual(row.statement_count - before.statement_count, 10)
        self.assertEqual(row.row_count - before.row_count, sum(range(10)))

    def test_rows_fetched_in_portions_count_once(self):
        client = self.connect()
        before = self.backend(self.observer, client.info.backend_pid)
        with client.transaction():
            cursor = client.cursor("portions")
            cursor.itersize = 7
            cursor.execute("SELECT generate_series(1, 100)")
            self.assertEqual(len(list(cursor)), 100)
            cursor.close()

        row = self.backend(self.observer, client.info.backend_pid)
        self.assertEqual(row.row_count - before.row_count, 100)

    def test_copy_counts_its_rows_both_ways(self):
        client = self.connect()
        client.execute("CREATE TEMP TABLE copied (n integer)")
        before = self.backend(self.observer, client.info.backend_pid)
        with client.cursor().copy("COPY copied FROM STDIN") as copy:
            for n in range(30):
                copy.write_row((n,))
        with client.cursor().copy("COPY copied TO STDOUT") as copy:
            self.assertEqual(len(list(copy.rows())), 30)

        row = self.backend(self.observer, client.info.backend_pid)
        self.assertEqual(row.row_count - before.row_count, 60)
        self.assertEqual(row.statement_count - before.statement_count, 2)

    def test_parallel_query_counts_for_its_leader(self):
        self.observer.execute("DROP TABLE IF EXISTS wide")
        self.observer.execute("CREATE TABLE wide AS SELECT n, repeat('x', 500) AS filler"
                              " FROM generate_series(1, 20000) AS n")
        self.observer.execute("ANALYZE wide")
        blocks = self.one(self.observer, "SELECT pg_relation_size('wide') / 8192 AS n").n
        client = self.connect()
        for setting in ("parallel_setup_cost = 0", "parallel_tuple_cost = 0",
                        "min_parallel_table_scan_size = 0", "max_parallel_workers_per_gather = 2"):
            client.execute("SET " + setting)
        plan = client.execute("EXPLAIN SELECT count(*) FROM wide WHERE n % 2 = 0").fetchall()
        self.assertIn("Workers Planned", str(plan))
        before = self.backend(self.observer, client.info.backend_pid)

        client.execute("SELECT count(*) FROM wide WHERE n % 2 = 0")

        row = self.backend(self.observer, client.info.backend_pid)
        used = (row.block_hit_count + row.block_read_count
                - before.block_hit_count - before.block_read_count)
        self.assertGreaterEqual(used, blocks)
        self.assertEqual(row.xact_commit_count - before.xact_commit_count, 1)

    # Who may see it.

    def test_role_sees_its_own_backends_and_no_others(self):
        self.recreate_role("plain")
        one, two = self.connect(user="plain"), self.connect(user="plain")

        seen = {row.pid for row in one.execute("SELECT pid FROM pgvalet.backends").fetchall()}

        self.assertEqual(seen, {one.info.backend_pid, two.info.backend_pid})
        with self.assertRaises(errors.InsufficientPrivilege):
            one.execute("SELECT * FROM pgvalet.summary")

    def test_role_sees_backends_of_roles_whose_privileges_it_has(self):
        self.recreate_role("member")
        self.recreate_role("team")
        self.observer.execute("GRANT team TO member")
        team, member = self.connect(user="team"), self.connect(user="member")

        seen = {row.pid for row in member.execute("SELECT pid FROM pgvalet.backends").fetchall()}

        self.assertEqual(seen, {team.info.backend_pid, member.info.backend_pid})

    def test_monitor_sees_all(self):
        self.recreate_role("watcher")
        self.observer.execute("GRANT pg_monitor TO watcher")
        watcher = self.connect(user="watcher")

        seen = {row.pid for row in watcher.execute("SELECT pid FROM pgvalet.backends").fetchall()}

        self.assertEqual(seen, {watcher.info.backend_pid, self.observer.info.backend_pid})
        self.assertEqual(self.one(watcher, "SELECT * FROM pgvalet.summary").connections, 2)

    # What remains of it.

    def test_ended_session_stays_in_the_aggregates(self):
        self.recreate_role("visitor")
        self.observer.execute("DROP DATABASE IF EXISTS visited")
        self.observer.execute("CREATE DATABASE visited")
        for _ in range(3):
            with self.server.connect(user="visitor", dbname="visited",
                                     application_name="visit") as client:
                client.execute("SELECT generate_series(1, 10)")
                client.execute("BEGIN")
                with self.assertRaises(errors.DivisionByZero):
                    client.execute("SELECT 1 / 0")
                client.execute("ROLLBACK")
                pid = client.info.backend_pid
            self.wait_until_left(pid)

        for dimension, name in (("role", "visitor"), ("database", "visited"),
                                ("application", "visit")):
            row = self.usage(dimension, name)
            self.assertEqual(
                (row.session_count, row.live_session_count, row.statement_count, row.row_count,
                 row.error_count, row.xact_commit_count, row.xact_rollback_count),
                (3, 0, 9, 30, 3, 3, 3), dimension)
            self.assertGreater(row.active_us, 0)

    def test_transaction_cut_off_by_the_end_is_rolled_back_in_the_counts(self):
        with self.server.connect(application_name="cut off") as client:
            client.execute("BEGIN")
            client.execute("SELECT 1")
            client.pgconn.finish()
        wait_until(lambda: self.usage("application", "cut off").live_session_count == 0,
                   "the session to end")

        row = self.usage("application", "cut off")
        self.assertEqual((row.xact_commit_count, row.xact_rollback_count), (0, 1))

    def test_terminated_session_counts_the_error_it_was_sent(self):
        client = self.connect(application_name="terminated")
        self.observer.execute("SELECT pg_terminate_backend(%s)", (client.info.backend_pid,))
        self.wait_until_left(client.info.backend_pid)

        row = self.usage("application", "terminated")
        self.assertEqual((row.session_count, row.live_session_count, row.error_count), (1, 0, 1))

    def test_aggregates_agree_with_each_other_and_with_the_summary(self):
        for n in range(5):
            with self.server.connect(application_name=f"sum {n}") as client:
                client.execute("SELECT 1")
                client.execute("SET application_name = 'sum'")
                client.execute("SELECT 2")
        self.connect(application_name="sum live").execute("SELECT 3")

        # Of sessions that rest, so that nothing moves between the queries.
        def sums(dimension, key):
            columns = ", ".join(f"sum({c})::bigint AS {c}" for c in
                                ("session_count", "live_session_count") + COUNTERS[:5])
            return self.one(self.observer, f"SELECT {columns} FROM pgvalet.usage_by_{dimension}")

        by_role, by_database = sums("role", "role_name"), sums("database", "database_name")
        by_application = sums("application", "application_name")
        summary = self.one(self.observer, "SELECT * FROM pgvalet.summary")

        self.assertEqual(by_role.session_count, summary.session_count)
        self.assertEqual(by_database.session_count, summary.session_count)
        self.assertEqual(by_role.live_session_count, summary.connections)
        self.assertEqual(by_application.live_session_count, summary.connections)
        # Each of these queries is one statement later than the one before.
        self.assertEqual(by_database.statement_count - by_role.statement_count, 1)
        self.assertEqual(by_application.statement_count - by_database.statement_count, 1)

    def test_dropped_role_and_database_keep_their_rows(self):
        self.recreate_role("leaver")
        self.observer.execute("DROP DATABASE IF EXISTS left_behind")
        self.observer.execute("CREATE DATABASE left_behind")
        with self.server.connect(user="leaver", dbname="left_behind") as client:
            client.execute("SELECT 1")
            pid = client.info.backend_pid
        self.wait_until_left(pid)
        role = self.one(self.observer, "SELECT 'leaver'::regrole::oid AS oid").oid
        database = self.one(self.observer, "SELECT oid FROM pg_database"
                                           " WHERE datname = 'left_behind'").oid

        self.observer.execute("DROP DATABASE left_behind")
        self.observer.execute("DROP ROLE leaver")

        self.assertEqual(self.usage("role", f"(dropped {role})").session_count, 1)
        self.assertEqual(self.usage("database", f"(dropped {database})").session_count, 1)

    # The summary.

    def test_summary_remembers_the_highest_number_of_connections(self):
        clients = [self.connect() for _ in range(6)]
        during = self.one(self.observer, "SELECT * FROM pgvalet.summary")
        pids = [client.info.backend_pid for client in clients]
        for client, pid in zip(clients, pids):
            client.close()
            self.wait_until_left(pid)

        after = self.one(self.observer, "SELECT * FROM pgvalet.summary")

        self.assertEqual(during.connections, 7)
        self.assertGreaterEqual(during.highest_connections, 7)
        self.assertAlmostEqual(during.used_share, 7 / 30)
        self.assertEqual(after.connections, 1)
        self.assertEqual((after.highest_connections, after.highest_at),
                         (during.highest_connections, during.highest_at))
        self.assertEqual(after.session_count, during.session_count)
        self.assertEqual((after.max_connections, after.reserved_connections), (30, 3))
        self.assertLess(after.started_at, after.highest_at)

    # Reading while much is going on.

    def test_sums_only_grow_while_sessions_come_and_go_and_change_names(self):
        stop = threading.Event()
        failures = []

        def storm(number):
            try:
                while not stop.is_set():
                    with self.server.connect(application_name=f"storm {number}") as client:
                        for n in range(20):
                            client.execute(f"SET application_name = 'storm {n % 7}'")
                            client.execute("SELECT 1")
            except Exception as error:  # noqa: BLE001 (reported below)
                failures.append(error)

        threads = [threading.Thread(target=storm, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        # Time in progress is read from the clock; all others are exact.
        exact = [c for c in COUNTERS if not c.endswith("_us")]
        last = {}
        try:
            for _ in range(300):
                for dimension in "role", "database", "application":
                    columns = ", ".join(f"sum({c})::bigint AS sum_{c}, min({c}) AS min_{c}"
                                        for c in exact)
                    row = self.observer.execute(
                        f"SELECT {columns} FROM pgvalet.usage_by_{dimension}").fetchone()
                    sums, least = row[0::2], row[1::2]
                    self.assertGreaterEqual(min(least), 0)
                    for counter, value, before in zip(exact, sums, last.get(dimension, sums)):
                        self.assertGreaterEqual(value, before, (dimension, counter))
                    last[dimension] = sums
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])

    def test_sums_agree_after_resets_under_load(self):
        clients = [self.connect(application_name=f"busy {n}") for n in range(3)]
        sums = ", ".join(
            "(SELECT ROW(sum(statement_count), sum(sent_bytes))::text"
            f" FROM pgvalet.usage_by_{dimension}) AS by_{dimension}"
            for dimension in ("role", "database", "application"))

        def work(client):
            for _ in range(50):
                client.execute("SELECT 1")

        for _ in range(100):
            threads = [threading.Thread(target=work, args=(client,)) for client in clients]
            for thread in threads:
                thread.start()
            self.observer.execute("SELECT pgvalet.reset('usage')")
            for thread in threads:
                thread.join()

            row = self.one(self.observer, f"SELECT {sums}")
            self.assertEqual(row.by_role, row.by_database)
            self.assertEqual(row.by_role, row.by_application)


class WireTest(ServerTest):
    def setUp(self):
        self.observer = self.connect()

    def raw(self, **parameters):
        client = RawClient(self.server, **parameters)
        self.addCleanup(client.close)
        return client

    def test_agent_may_say_so_as_a_startup_parameter(self):
        client = self.raw(**{"pgvalet.agent": "pgvaletd/raw:7"})

        self.assertEqual(self.backend(self.observer, client.pid).agent_name, "pgvaletd/raw:7")

    def test_sync_alone_is_no_statement(self):
        client = self.raw()
        before = self.backend(self.observer, client.pid)
        for _ in range(3):
            client.send((b"S", b""))
            self.assertEqual(client.until_ready(), b"Z")

        row = self.backend(self.observer, client.pid)

        self.assertEqual(row.state, "idle")
        self.assertEqual((row.statement_count, row.active_us),
                         (before.statement_count, before.active_us))
        self.assertGreater(row.idle_us, before.idle_us)

    def test_several_executes_and_syncs_in_one_packet_count_each(self):
        client = self.raw()
        before = self.backend(self.observer, client.pid)
        one = [(b"B", b"\0s\0\0\0\0\0\0\0"), (b"E", b"\0\0\0\0\0")]

        client.send((b"P", b"s\0SELECT 1\0\0\0"), *one, *one, (b"S", b""), *one, (b"S", b""))
        self.assertEqual(client.until_ready(), b"12DC2DCZ")
        self.assertEqual(client.until_ready(), b"2DCZ")

        row = self.backend(self.observer, client.pid)
        self.assertEqual(row.statement_count - before.statement_count, 3)
        self.assertEqual(row.row_count - before.row_count, 3)
        self.assertEqual(row.xact_commit_count - before.xact_commit_count, 2)

    def test_suspended_portal_counts_its_rows_once(self):
        client = self.raw()
        before = self.backend(self.observer, client.pid)
        client.send((b"P", b"\0SELECT generate_series(1, 5)\0\0\0"),
                    (b"B", b"\0\0\0\0\0\0\0\0"),
                    *[(b"E", b"\0\0\0\0\x02")] * 3, (b"S", b""))
        self.assertEqual(client.until_ready(), b"12DDsDDsDCZ")

        row = self.backend(self.observer, client.pid)
        self.assertEqual(row.statement_count - before.statement_count, 1)
        self.assertEqual(row.row_count - before.row_count, 5)

    def test_function_call_is_a_statement(self):
        client = self.raw()
        before = self.backend(self.observer, client.pid)
        # pg_backend_pid(), no arguments, text result.
        client.send((b"F", struct.pack("!ihhh", 2026, 0, 0, 0)))
        self.assertEqual(client.until_ready(), b"VZ")

        row = self.backend(self.observer, client.pid)
        self.assertEqual(row.statement_count - before.statement_count, 1)

    def test_sent_bytes_are_those_on_the_wire(self):
        client = self.raw()
        before = self.backend(self.observer, client.pid)
        client.send((b"Q", b"SELECT repeat('x', 1000)\0"))
        client.until_ready()

        row = self.backend(self.observer, client.pid)
        # RowDescription (7 + 25: name "repeat"), DataRow, CommandComplete, ReadyForQuery.
        expected = 7 + 25 + (7 + 4 + 1000) + (5 + 9) + 6
        self.assertEqual(row.sent_bytes - before.sent_bytes, expected)


class SmallTablesTest(ServerTest):
    SETTINGS = {"pgvalet.max_applications": "2", "pgvalet.max_roles": "1",
                "pgvalet.max_databases": "1"}

    def rows_by_name(self, observer):
        return {row.application_name: row for row in
                observer.execute("SELECT * FROM pgvalet.usage_by_application").fetchall()}

    def test_names_beyond_the_limit_share_one_row(self):
        observer = self.connect(application_name="observer")
        self.connect(application_name="stays")
        before = self.rows_by_name(observer).get("(other)")
        for n in range(5):
            with self.server.connect(application_name=f"name {n}") as client:
                client.execute("SELECT 1")
        wait_until(lambda: self.one(observer, "SELECT connections FROM pgvalet.summary")
                   .connections == 2, "the sessions to leave")

        rows = self.rows_by_name(observer)

        self.assertEqual(set(rows), {"observer", "stays", "(other)"})
        self.assertEqual(rows["(other)"].session_count - before.session_count, 5)
        self.assertEqual(rows["(other)"].statement_count - before.statement_count, 5)

    def test_names_that_nobody_uses_any_more_do_not_keep_out_new_ones(self):
        observer = self.connect(application_name="observer")
        sums = ("SELECT sum(session_count) AS sessions, sum(statement_count) AS statements"
                " FROM pgvalet.usage_by_application")
        counted = ("SELECT sum(count) AS times FROM pgvalet.distributions"
                   " WHERE dimension = 'application' AND measure = 'login'")
        before, times = self.one(observer, sums), self.one(observer, counted).times
        spammer = self.connect(application_name="spammer")
        for n in range(20):
            spammer.execute(f"SET application_name = 'spam {n}'")
        spammer.close()

        self.connect(application_name="important").execute("SELECT 1")

        rows = self.rows_by_name(observer)
        self.assertEqual(set(rows), {"observer", "important", "(other)"})
        self.assertEqual(rows["important"].session_count, 1)
        after = self.one(observer, sums)
        self.assertEqual(after.sessions - before.sessions, 1 + 20 + 1)
        # Those of the spammer and of "important", and three of ours.
        self.assertEqual(after.statements - before.statements, 20 + 1 + 3)
        self.assertEqual(self.one(observer, counted).times - times, 2)

    def test_roles_and_databases_beyond_the_limit_share_one_row(self):
        observer = self.connect()
        observer.execute("CREATE ROLE one_more LOGIN")
        with self.server.connect(user="one_more", dbname="template1") as client:
            client.execute("SELECT 1")
        wait_until(lambda: self.one(observer, "SELECT connections FROM pgvalet.summary")
                   .connections == 1, "the sessions to leave")

        for dimension in "role", "database":
            rows = observer.execute(f"SELECT * FROM pgvalet.usage_by_{dimension}").fetchall()
            by_name = {row[0]: row for row in rows}
            self.assertEqual(set(by_name), {"postgres", "(other)"})
            self.assertEqual(by_name["(other)"].session_count, 1)


class CrashTest(unittest.TestCase):
    def test_killed_backend_leaves_nothing_behind(self):
        server = Server()
        server.start()
        self.addCleanup(server.stop)
        victim = server.connect(application_name="victim")
        self.addCleanup(victim.close)
        started_at = victim.execute("SELECT started_at FROM pgvalet.summary").fetchone().started_at

        os.kill(victim.info.backend_pid, signal.SIGKILL)

        def is_back():
            try:
                with server.connect() as connection:
                    summary = connection.execute("SELECT * FROM pgvalet.summary").fetchone()
                    return summary if summary.started_at > started_at else None
            except psycopg.OperationalError:
                return None

        # is_ready() of Server may have connected meanwhile: count no sessions.
        summary = wait_until(is_back, "the server to restart")
        self.assertEqual(summary.connections, 1)
        with server.connect() as connection:
            pids = connection.execute("SELECT pid FROM pgvalet.backends").fetchall()
            self.assertEqual([row.pid for row in pids], [connection.info.backend_pid])


if __name__ == "__main__":
    unittest.main()
