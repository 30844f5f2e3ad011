"""Ended sessions: who they were, what they cost, how they ended."""

import os
import socket
import unittest

from psycopg import errors

from server import ServerTest, wait_until


class SessionsTest(ServerTest):
    SETTINGS = {"pgvalet.max_ended_sessions": "50"}

    def setUp(self):
        self.addCleanup(self.server.set, idle_session_timeout=0, idle_in_transaction_timeout=0)
        # Agents are exempt from the session timeout, so this one can watch.
        self.observer = self.connect_agent(application_name="observer")

    def ended(self, pid):
        """The row of the session that ended last with this pid; waits for it."""
        return wait_until(lambda: self.observer.execute(
            "SELECT * FROM pgvalet.sessions WHERE pid = %s ORDER BY sequence DESC LIMIT 1",
            (pid,)).fetchone(), f"the end of session {pid}")

    def close(self, client):
        """Ends a session as its client does; returns its row."""
        pid = client.info.backend_pid
        client.close()
        return self.ended(pid)

    def recreate_role(self, name, options="LOGIN"):
        self.observer.execute(f"DROP ROLE IF EXISTS {name}")
        self.observer.execute(f"CREATE ROLE {name} {options}")

    # How it ended.

    def test_client_that_says_goodbye_ended_its_session_itself(self):
        client = self.connect()

        row = self.close(client)

        self.assertEqual((row.how_ended, row.end_rule, row.end_sqlstate), ("client", None, None))

    def test_client_that_vanishes_abandoned_its_session(self):
        client = self.connect(tcp=True)
        pid = client.info.backend_pid

        with socket.socket(fileno=os.dup(client.fileno())) as connection:
            connection.shutdown(socket.SHUT_RDWR)

        row = self.ended(pid)
        self.assertEqual((row.how_ended, row.end_sqlstate), ("abandoned", None))

    def test_client_that_vanishes_inside_a_transaction_abandoned_its_session(self):
        client = self.connect(tcp=True)
        pid = client.info.backend_pid
        client.execute("BEGIN")

        with socket.socket(fileno=os.dup(client.fileno())) as connection:
            connection.shutdown(socket.SHUT_RDWR)

        self.assertEqual(self.ended(pid).how_ended, "abandoned")

    def test_terminated_session_was_killed(self):
        client = self.connect()
        pid = client.info.backend_pid

        self.observer.execute("SELECT pg_terminate_backend(%s)", (pid,))

        row = self.ended(pid)
        self.assertEqual((row.how_ended, row.end_rule, row.end_sqlstate), ("killed", None, "57P01"))

    def test_session_ended_by_pgvalet_names_the_setting(self):
        outside, inside = self.connect(), self.connect()
        pids = outside.info.backend_pid, inside.info.backend_pid
        inside.execute("BEGIN")

        self.server.set(idle_session_timeout="200ms", idle_in_transaction_timeout="200ms")

        rows = [self.ended(pid) for pid in pids]
        self.assertEqual([(row.how_ended, row.end_rule, row.end_sqlstate) for row in rows],
                         [("policy", "pgvalet.idle_session_timeout", "57P05"),
                          ("policy", "pgvalet.idle_in_transaction_timeout", "25P03")])

    def test_session_ended_by_a_timeout_of_the_server_names_the_setting(self):
        client = self.connect()
        pid = client.info.backend_pid

        client.execute("SET idle_session_timeout = '100ms'")

        row = self.ended(pid)
        self.assertEqual((row.how_ended, row.end_rule, row.end_sqlstate),
                         ("policy", "idle_session_timeout", "57P05"))

    def test_session_that_speaks_nonsense_ended_by_an_error(self):
        client = self.connect(tcp=True)
        pid = client.info.backend_pid

        with socket.socket(fileno=os.dup(client.fileno())) as connection:
            connection.sendall(b"\xff\x00\x00\x00\x04")

        row = self.ended(pid)
        self.assertEqual((row.how_ended, row.end_sqlstate), ("error", "08P01"))

    # Who it was and what it cost.

    def test_ended_session_shows_what_its_backend_showed(self):
        self.recreate_role("worker")
        client = self.connect(tcp=True, user="worker", application_name="first")
        pid = client.info.backend_pid
        client.execute("SET application_name = 'last'")
        client.execute("SELECT generate_series(1, 10)").fetchall()
        with self.assertRaises(errors.DivisionByZero):
            client.execute("SELECT 1 / 0")
        before = self.backend(self.observer, pid)

        row = self.close(client)

        same = ("database_name", "role_name", "application_name", "client_addr", "client_port",
                "connection_kind", "agent_name", "connected_at", "login_us", "xact_commit_count",
                "xact_rollback_count", "statement_count", "row_count", "error_count", "sent_bytes")
        self.assertEqual([getattr(row, name) for name in same],
                         [getattr(before, name) for name in same])
        self.assertEqual(row.application_name, "last")
        self.assertGreaterEqual(row.idle_us, before.idle_us)
        self.assertGreater(row.ended_at, row.connected_at)

    def test_session_of_an_agent_names_the_agent(self):
        client = self.connect_agent(name="pgvaletd/host:7")

        row = self.close(client)

        self.assertEqual((row.connection_kind, row.agent_name), ("agent", "pgvaletd/host:7"))

    def test_session_that_computed_used_cpu_time(self):
        client = self.connect()
        client.execute("DO $$ BEGIN FOR i IN 1 .. 1000000 LOOP END LOOP; END $$")

        row = self.close(client)

        self.assertGreater(row.cpu_user_us + row.cpu_system_us, 1000)

    def test_dropped_role_stays_as_a_number(self):
        self.recreate_role("gone")
        client = self.connect(user="gone")
        pid = client.info.backend_pid
        oid = self.one(client, "SELECT 'gone'::regrole::oid AS oid").oid
        self.close(client)

        self.observer.execute("DROP ROLE gone")

        self.assertEqual(self.ended(pid).role_name, f"(dropped {oid})")

    # The ring.

    def test_sessions_have_numbers_in_the_order_of_their_ends(self):
        clients = [self.connect() for _ in range(3)]

        numbers = [self.close(client).sequence for client in clients]

        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + 3)))

    def test_new_session_takes_the_place_of_the_oldest(self):
        for _ in range(60):
            self.connect().close()

        row = wait_until(lambda: self.observer.execute(
            "SELECT count(*), min(sequence) AS first, max(sequence) AS last FROM pgvalet.sessions "
            "HAVING max(sequence) >= 60").fetchone(), "60 sessions to end")
        self.assertEqual((row.count, row.last - row.first + 1), (50, 50))

    def test_reset_forgets_sessions_and_not_their_numbers(self):
        number = self.close(self.connect()).sequence

        self.observer.execute("SELECT pgvalet.reset('sessions')")
        self.assertEqual(self.observer.execute("SELECT count(*) FROM pgvalet.sessions "
                                               "WHERE sequence <= %s", (number,)).fetchone(), (0,))

        self.assertGreater(self.close(self.connect()).sequence, number)

    # Who may see it.

    def test_role_sees_its_own_sessions_and_no_others(self):
        self.recreate_role("plain")
        own, other = self.connect(user="plain"), self.connect()
        pid = self.close(own).pid
        self.close(other)

        plain = self.connect(user="plain")
        seen = plain.execute("SELECT pid, role_name FROM pgvalet.sessions").fetchall()

        self.assertIn(pid, [row.pid for row in seen])
        self.assertEqual({row.role_name for row in seen}, {"plain"})

    def test_reader_of_all_statistics_sees_all_sessions(self):
        self.recreate_role("reader")
        self.observer.execute("GRANT pg_read_all_stats TO reader")
        pid = self.close(self.connect()).pid

        reader = self.connect(user="reader")

        self.assertEqual(self.one(reader, "SELECT count(*) FROM pgvalet.sessions WHERE pid = %s",
                                  pid).count, 1)

    # Resetting what all sessions cost.

    def test_reset_of_usage_hides_what_was_and_counts_on(self):
        client = self.connect(application_name="before and after")
        client.execute("SELECT generate_series(1, 100)").fetchall()
        self.close(self.connect(application_name="before"))

        self.observer.execute("SELECT pgvalet.reset('usage')")
        client.execute("SELECT generate_series(1, 5)").fetchall()

        rows = {row.application_name: row for row in self.observer.execute(
            "SELECT * FROM pgvalet.usage_by_application").fetchall()}
        self.assertNotIn("before", rows)
        row = rows["before and after"]
        self.assertEqual((row.row_count, row.statement_count, row.session_count,
                          row.live_session_count), (5, 1, 1, 1))
        self.assertIsNotNone(self.one(
            self.observer, "SELECT reset_at FROM pgvalet.memory WHERE part = 'usage'").reset_at)


if __name__ == "__main__":
    unittest.main()
