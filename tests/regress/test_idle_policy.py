"""Idle policy: who is ended, who is not, with which words.

No test measures time: each waits, with a deadline, for something to happen, and
where something must not happen, for a witness that it would have happened to
first.  measure_idle_precision.py prints how exact the moment is.
"""

import collections
import concurrent.futures
import unittest

import psycopg
from psycopg import errors

from server import ServerTest, wait_until

SHORT = "500ms"
LONGER = "1500ms"

# Several limits long.  The first tells its client nothing before it is done, so
# nobody but the session itself can know that it works; the second begins its
# answer at once.
SILENT_WORK = "DO $$ BEGIN PERFORM pg_sleep(2); END $$"
TALKING_WORK = "SELECT pg_sleep(2)"


# The parts of an error message that the tests look at.
Told = collections.namedtuple("Told", "sqlstate message_primary message_detail message_hint")


class IdlePolicyTest(ServerTest):
    def setUp(self):
        self.addCleanup(self.server.set, idle_session_timeout=0, idle_in_transaction_timeout=0,
                        idle_session_includes_agents="off")
        # Agents are exempt from the session timeout, so this one can watch.
        self.observer = self.connect_agent()

    def is_connected(self, pid):
        return self.backend(self.observer, pid) is not None

    def wait_until_ended(self, pid):
        wait_until(lambda: not self.is_connected(pid), f"the end of backend {pid}")

    def error_of(self, connection):
        """What a client whose session was ended is told.

        libpq hands out an error that no command asked for like a notice, and
        its parts are readable only in the notice handler.
        """
        told = []
        connection.add_notice_handler(lambda diagnostic: told.append(Told(
            diagnostic.sqlstate, diagnostic.message_primary, diagnostic.message_detail,
            diagnostic.message_hint)))
        self.wait_until_ended(connection.info.backend_pid)

        def read():
            try:
                connection.pgconn.consume_input()
                connection.pgconn.notifies()
            except psycopg.OperationalError:
                pass
            return told

        return wait_until(read, "the error message")[0]

    def test_idle_session_is_ended_with_a_message_that_names_the_setting(self):
        self.server.set(idle_session_timeout=SHORT)

        error = self.error_of(self.connect())

        self.assertEqual(error.sqlstate, "57P05")
        self.assertEqual(error.message_primary,
                         "terminating connection due to pgvalet.idle_session_timeout")
        self.assertIn("500 ms", error.message_detail)
        self.assertIn("pgvalet.idle_session_timeout", error.message_hint)
        self.assertIn("FATAL:  terminating connection due to pgvalet.idle_session_timeout",
                      self.server.log_text())

    def test_session_idle_in_transaction_is_ended_with_a_message_that_names_the_setting(self):
        self.server.set(idle_in_transaction_timeout=SHORT)
        client = self.connect()
        client.execute("BEGIN")

        error = self.error_of(client)

        self.assertEqual(error.sqlstate, "25P03")
        self.assertEqual(error.message_primary,
                         "terminating connection due to pgvalet.idle_in_transaction_timeout")
        self.assertIn("pgvalet.idle_in_transaction_timeout", error.message_hint)

    def test_session_idle_in_a_failed_transaction_is_ended_too(self):
        self.server.set(idle_in_transaction_timeout=SHORT)
        client = self.connect()
        client.execute("BEGIN")
        with self.assertRaises(errors.DivisionByZero):
            client.execute("SELECT 1 / 0")

        self.assertEqual(self.error_of(client).sqlstate, "25P03")

    def test_client_cannot_escape_by_setting_the_servers_own_timeouts(self):
        self.server.set(idle_session_timeout=SHORT, idle_in_transaction_timeout=SHORT)
        outside, inside = self.connect(), self.connect()
        for client in outside, inside:
            client.execute("SET idle_session_timeout = 0; SET statement_timeout = 0;"
                           "SET idle_in_transaction_session_timeout = 0")
        inside.execute("BEGIN")

        self.assertEqual(self.error_of(outside).sqlstate, "57P05")
        self.assertEqual(self.error_of(inside).sqlstate, "25P03")

    def test_client_cannot_escape_by_connection_options(self):
        self.server.set(idle_session_timeout=SHORT)

        with self.assertRaises(psycopg.OperationalError) as caught:
            self.server.connect(options="-c pgvalet.idle_session_timeout=0")

        self.assertIn("cannot be changed now", str(caught.exception))

    def test_superuser_and_ordinary_role_are_ended_alike(self):
        self.observer.execute("DROP ROLE IF EXISTS plain")
        self.observer.execute("CREATE ROLE plain LOGIN")
        self.server.set(idle_session_timeout=SHORT)

        self.assertEqual(self.error_of(self.connect(user="postgres")).sqlstate, "57P05")
        self.assertEqual(self.error_of(self.connect(user="plain")).sqlstate, "57P05")

    def test_session_without_track_activities_is_ended(self):
        self.server.set(idle_session_timeout=SHORT)
        client = self.connect()
        client.execute("SET track_activities = off")
        client.execute("SELECT 1")

        self.assertEqual(self.error_of(client).sqlstate, "57P05")

    def test_session_that_is_idle_already_obeys_a_reload(self):
        outside, inside = self.connect(), self.connect()
        inside.execute("BEGIN")

        self.server.set(idle_session_timeout=SHORT, idle_in_transaction_timeout=SHORT)

        self.assertEqual(self.error_of(outside).sqlstate, "57P05")
        self.assertEqual(self.error_of(inside).sqlstate, "25P03")

    def test_session_that_is_idle_already_obeys_a_reload_that_lowers_the_limit(self):
        self.server.set(idle_session_timeout="1h")
        client = self.connect()
        client.execute("SELECT 1")

        self.server.set(idle_session_timeout=SHORT)

        self.assertEqual(self.error_of(client).sqlstate, "57P05")

    def test_session_that_is_idle_already_is_spared_by_a_reload_that_turns_it_off(self):
        self.server.set(idle_session_timeout=LONGER)
        client = self.connect()
        client.execute("SELECT 1")
        self.server.set(idle_session_timeout=0, idle_in_transaction_timeout=LONGER)

        # Its limit began to run after the client's would have.
        witness = self.connect()
        witness.execute("BEGIN")
        self.wait_until_ended(witness.info.backend_pid)

        self.assertEqual(client.execute("SELECT 1 AS x").fetchone().x, 1)

    def check_busy_session_survives_its_timer(self, work):
        self.server.set(idle_session_timeout=SHORT, idle_in_transaction_timeout=SHORT)
        busy = self.connect()
        # Sets the timer that fires during the work.
        busy.execute("SELECT 1")

        busy.execute(work)

        self.assertEqual(self.error_of(busy).sqlstate, "57P05")

    def is_sleeping(self, pid):
        return self.observer.execute(
            "SELECT FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'",
            (pid,)).fetchone()

    def check_busy_session_survives_a_reload(self, busy, work):
        pid = busy.info.backend_pid
        with concurrent.futures.ThreadPoolExecutor() as executor:
            done = executor.submit(busy.execute, work)
            wait_until(lambda: self.is_sleeping(pid) is not None, "the work to begin")
            self.server.set(idle_session_timeout=SHORT, idle_in_transaction_timeout=SHORT)
            self.wait_until_ended(self.connect().info.backend_pid)
            done.result()

        self.assertEqual(self.error_of(busy).sqlstate, "57P05")

    def test_busy_session_is_not_ended_by_its_timer(self):
        self.check_busy_session_survives_its_timer(SILENT_WORK)
        self.check_busy_session_survives_its_timer(TALKING_WORK)

    def test_busy_session_is_not_ended_by_a_reload(self):
        self.check_busy_session_survives_a_reload(self.connect(), SILENT_WORK)
        self.server.set(idle_session_timeout=0, idle_in_transaction_timeout=0)
        self.check_busy_session_survives_a_reload(self.connect(), TALKING_WORK)

    def test_busy_session_that_looks_idle_to_the_collector_is_not_ended_by_a_reload(self):
        busy = self.connect()
        busy.execute("SET track_activities = off")

        self.check_busy_session_survives_a_reload(busy, SILENT_WORK)

    def test_session_that_keeps_coming_back_in_time_lives_on(self):
        self.server.set(idle_session_timeout="2s")
        client = self.connect()
        witness = self.connect()

        count = 0

        def witness_has_gone():
            nonlocal count
            count += client.execute("SELECT 1 AS x").fetchone().x
            return not self.is_connected(witness.info.backend_pid)

        wait_until(witness_has_gone, "the end of the witness")
        self.assertGreater(count, 1)
        self.assertTrue(self.is_connected(client.info.backend_pid))

    def test_agent_connection_may_wait_outside_a_transaction(self):
        self.server.set(idle_session_timeout=SHORT)
        agent = self.connect_agent()
        self.wait_until_ended(self.connect().info.backend_pid)

        self.assertEqual(agent.execute("SELECT 1 AS x").fetchone().x, 1)

    def test_agent_connection_is_ended_if_the_setting_includes_agents(self):
        agent = self.connect_agent()

        self.server.set(idle_session_timeout=SHORT, idle_session_includes_agents="on")

        direct = self.connect()
        direct.execute("BEGIN")
        wait_until(lambda: self.backend(direct, agent.info.backend_pid) is None,
                   "the end of the agent's connection")
        self.observer = direct

    def test_agent_connection_may_not_wait_inside_a_transaction(self):
        self.server.set(idle_in_transaction_timeout=SHORT)
        agent = self.connect_agent()
        agent.execute("BEGIN")

        self.assertEqual(self.error_of(agent).sqlstate, "25P03")

    def test_walsender_is_left_alone(self):
        self.server.set(idle_session_timeout=SHORT)
        walsender = self.connect(replication="database")
        self.wait_until_ended(self.connect().info.backend_pid)

        row = walsender.pgconn.exec_(b"IDENTIFY_SYSTEM")
        self.assertEqual(row.ntuples, 1)
        self.assertFalse(self.is_connected(walsender.info.backend_pid))

    def test_policy_holds_after_the_collector_was_ended(self):
        collector = ("SELECT pid FROM pg_stat_activity"
                     " WHERE backend_type = 'pgvalet collector'")
        before = self.one(self.observer, collector).pid
        client = self.connect()

        self.observer.execute("SELECT pg_terminate_backend(%s)", (before,))
        wait_until(lambda: [row for row in self.observer.execute(collector).fetchall()
                            if row.pid != before], "another collector")
        self.server.set(idle_session_timeout=SHORT)

        self.assertEqual(self.error_of(client).sqlstate, "57P05")

    def test_summary_counts_the_sessions_that_were_ended(self):
        counts = ("SELECT idle_session_ended_count AS outside,"
                  " idle_in_transaction_ended_count AS inside FROM pgvalet.summary")
        before = self.one(self.observer, counts)
        self.server.set(idle_session_timeout=SHORT, idle_in_transaction_timeout=SHORT)

        self.wait_until_ended(self.connect().info.backend_pid)
        for _ in range(2):
            client = self.connect()
            client.execute("BEGIN")
            self.wait_until_ended(client.info.backend_pid)

        after = self.one(self.observer, counts)
        self.assertEqual(after.outside - before.outside, 1)
        self.assertEqual(after.inside - before.inside, 2)

    def test_open_transaction_of_an_ended_session_is_rolled_back(self):
        self.observer.execute("DROP TABLE IF EXISTS kept")
        self.observer.execute("CREATE TABLE kept (n integer)")
        self.server.set(idle_in_transaction_timeout=SHORT)
        client = self.connect()
        client.execute("BEGIN")
        client.execute("INSERT INTO kept VALUES (1)")
        client.execute("LOCK TABLE kept")

        self.wait_until_ended(client.info.backend_pid)

        self.assertEqual(self.one(self.observer, "SELECT count(*) FROM kept").count, 0)


if __name__ == "__main__":
    unittest.main()
