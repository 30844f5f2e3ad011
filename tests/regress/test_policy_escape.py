"""Rules of pgvalet.idle_policy: nobody escapes, and nobody is hit who should not be.

As in test_policy_rules.py no test measures time.
"""

import unittest

import psycopg
from psycopg import errors

from policy_server import SHORT, PolicyTest
from raw_client import RawClient
from server import wait_until


class EscapeTest(PolicyTest):
    def test_session_cannot_escape_by_settings_of_the_server(self):
        self.rule(end_after=SHORT)
        session = self.app()
        session.execute("SET idle_session_timeout = 0; SET statement_timeout = 0;"
                        "SET client_min_messages = error")

        self.assertEqual(self.last_words(session).sqlstate, "57P05")

    def test_session_cannot_change_the_settings_of_the_policy(self):
        session = self.app()
        for name in ("idle_policy_dry_run", "database", "policy_contact", "notify_events"):
            with self.assertRaises(errors.CantChangeRuntimeParam):
                session.execute(f"SET pgvalet.{name} = 'on'")

    def test_session_without_track_activities_is_ended(self):
        self.rule(end_after=SHORT)
        self.rule("active", "active", cancel_after=SHORT)
        session = self.app()
        session.execute("SET track_activities = off")
        # It has begun its answer, so it is known that it works.
        with self.assertRaises(errors.QueryCanceled):
            session.execute("SELECT n, pg_sleep(0.01) FROM generate_series(1, 100000) AS n")

        self.assertEqual(self.last_words(session).sqlstate, "57P05")

    def test_session_that_comes_back_in_time_is_left_alone(self):
        self.rule(end_after="1 s")
        session, witness = self.app(), self.app()
        count = 0

        def witness_has_gone():
            nonlocal count
            count += session.execute("SELECT 1 AS x").fetchone().x
            return not self.is_connected(witness)

        wait_until(witness_has_gone, "the end of the witness")
        self.assertGreater(count, 1)
        self.assertTrue(self.is_connected(session))

    def test_statement_that_just_began_is_not_hit(self):
        """Commands that come when the wait has nearly lasted long enough.

        Either the session was ended while it waited, then the command has done
        nothing, or the command is answered: an error in the middle would be a
        command that was hit.
        """
        self.observer.execute("CREATE TABLE IF NOT EXISTS hits (n integer)")
        self.rule(end_after="50 ms")
        answered = 0
        for _ in range(40):
            self.observer.execute("TRUNCATE hits")
            session = self.app()
            try:
                for n in range(20):
                    session.execute("INSERT INTO hits SELECT %s FROM pg_sleep(0.003)", (n,))
                    answered += 1
                    self.observer.execute("SELECT pg_sleep(%s)", (0.045 + 0.0005 * n,))
            except psycopg.OperationalError as error:
                self.assertIn('rule "rule"', str(error))
            done = self.one(self.observer, "SELECT count(*) FROM hits").count
            self.assertEqual(done, min(answered, 20))
            answered = 0

    def test_client_that_does_not_read_its_answers_is_ended(self):
        self.rule(end_after=SHORT)
        client = RawClient(self.server, application_name="app")
        self.addCleanup(client.close)

        # More than all buffers on the way hold, each answer small enough for the backend's.
        client.send(*[(b"Q", b"SELECT repeat('x', 7000)\0")] * 3000)

        wait_until(lambda: self.backend(self.observer, client.pid) is None, "its end")
        self.assertIn('terminating connection due to rule "rule"', self.server.log_text())

    def test_client_that_does_not_read_its_warning_is_ended(self):
        """Of answers of all sizes one just fills the buffers on the way, but for the warning."""
        self.rule(warn_after=SHORT, end_after="2 s")
        clients = [RawClient(self.server, application_name="app") for _ in range(16)]
        for client in clients:
            self.addCleanup(client.close)
        wait_until(lambda: self.counts().warn_count == len(clients), "the warnings to be due")

        for size, client in enumerate(clients, start=18):
            client.send((b"Q", b"SELECT repeat('x', %d)\0" % (size * 8192 - 152)))

        for client in clients:
            wait_until(lambda pid=client.pid: self.backend(self.observer, pid) is None, "its end")

    def test_transaction_that_is_held_without_sync_is_ended(self):
        self.rule(state="idle in transaction", end_after=SHORT)
        self.observer.execute("CREATE TABLE IF NOT EXISTS held (n integer)")
        session = self.app()
        with self.assertRaises(psycopg.Error), session.pipeline():
            session.execute("BEGIN")
            session.execute("LOCK TABLE held")
            session.pgconn.send_flush_request()
            session.pgconn.flush()
            wait_until(lambda: self.observer.execute(
                "SELECT 1 FROM pg_locks WHERE relation = 'held'::regclass").fetchone(), "the lock")

            self.wait_until_ended(session)

        self.assertEqual([event.rule_name for event in self.events("policy_ended")], ["rule"])

    def test_pipeline_whose_client_goes_on_is_not_ended(self):
        self.rule(state="idle in transaction", end_after="1 s")
        session, witness = self.app(), self.app()
        witness.execute("BEGIN")
        count = 0
        with session.pipeline():
            while self.is_connected(witness):
                session.execute("SELECT 1")
                session.pgconn.send_flush_request()
                session.pgconn.flush()
                count += 1

        self.assertGreater(count, 1)
        self.assertTrue(self.is_connected(session))

    def test_copy_that_waits_for_data_is_not_idle(self):
        self.rule(state="idle in transaction", end_after=SHORT)
        self.observer.execute("CREATE TABLE IF NOT EXISTS copied (n integer)")
        session = self.app()
        with session.cursor() as cursor, cursor.copy("COPY copied FROM STDIN") as copy:
            copy.write("1\n")
            for _ in range(2):
                witness = self.app()
                witness.execute("BEGIN")
                self.wait_until_ended(witness)
            copy.write("2\n")

        self.assertTrue(self.is_connected(session))

    def test_busy_session_is_not_ended_as_idle(self):
        self.rule(end_after=SHORT)
        session = self.app()

        session.execute("DO $$ BEGIN PERFORM pg_sleep(1); END $$")

        self.assertEqual(self.last_words(session).sqlstate, "57P05")

    def test_walsender_is_left_alone(self):
        walsender = self.app(replication="database")
        self.rule(end_after=SHORT)
        self.wait_until_ended(self.app())

        self.assertEqual(walsender.pgconn.exec_(b"IDENTIFY_SYSTEM").ntuples, 1)


if __name__ == "__main__":
    unittest.main()
