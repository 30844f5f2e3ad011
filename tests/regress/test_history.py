"""History: what the server did, minute by minute; a minute is 600 ms here."""

import signal
import unittest

import psycopg

from server import ServerTest, wait_until


class HistoryTest(ServerTest):
    SETTINGS = {"pgvalet.minute_ms": "600", "pgvalet.history_minutes": "20",
                "pgvalet.idle_in_transaction_timeout": "0"}

    def setUp(self):
        self.observer = self.connect_agent(application_name="observer")
        self.observer.execute("SELECT pgvalet.reset('history')")
        # The minute that has begun already is of the test before.
        self.began = self.minutes()[0].ended_at

    def minutes(self, condition="true"):
        """The minutes that fulfil this, oldest first; waits for the first."""
        return wait_until(lambda: self.observer.execute(
            f"SELECT * FROM pgvalet.history WHERE {condition} ORDER BY started_at").fetchall(),
            f"a minute with {condition}")

    def sum_of(self, column, at_least):
        """Waits until the minutes since the test began have so much together."""
        return wait_until(lambda: (lambda total: total if total >= at_least else 0)(
            self.one(self.observer, f"SELECT coalesce(sum({column}), 0)::bigint AS total "
                     "FROM pgvalet.history WHERE started_at >= %s", self.began).total),
            f"{column} of {at_least}")

    # Minutes.

    def test_minutes_follow_each_other_without_a_gap(self):
        rows = wait_until(lambda: (lambda rows: len(rows) >= 4 and rows)(self.minutes()),
                          "four minutes")

        for row, following in zip(rows, rows[1:]):
            self.assertEqual(row.ended_at, following.started_at)
            self.assertGreater(row.ended_at, row.started_at)

    def test_new_minute_takes_the_place_of_the_oldest(self):
        first = self.minutes()[0].started_at

        wait_until(lambda: self.one(self.observer, "SELECT min(started_at) AS first "
                                    "FROM pgvalet.history").first > first, "the first to go")
        self.assertEqual(len(self.minutes()), 20)

    def test_reset_forgets_minutes(self):
        before = self.minutes()[-1].ended_at

        self.observer.execute("SELECT pgvalet.reset('history')")

        self.assertGreaterEqual(self.minutes()[0].started_at, before)

    # What is in one.

    def test_connections_by_state_are_those_at_the_end(self):
        active, inside = self.connect(), self.connect()
        self.connect()
        inside.execute("BEGIN")
        self.addCleanup(inside.rollback)
        active.pgconn.send_query(b"SELECT pg_sleep(60)")

        row = self.minutes("connections = 4 AND active >= 1 AND idle_in_transaction = 1")[0]

        self.assertEqual(row.agent_connections, 1)
        self.assertEqual(row.active + row.idle + row.idle_in_transaction, 4)
        active.cancel()

    def test_highest_connections_are_those_of_the_minute(self):
        clients = [self.connect() for _ in range(5)]
        for client in clients:
            client.close()

        self.minutes("highest_connections >= 6")
        # Nobody comes any more: it is forgotten with the minute.
        self.assertEqual(self.minutes("highest_connections = 1")[0].connections, 1)

    def test_work_of_all_sessions_counts(self):
        self.observer.execute("CREATE TEMP TABLE heap AS SELECT generate_series(1, 100000) AS n")
        client = self.connect()
        client.execute("CREATE TABLE kept AS SELECT generate_series(1, 10000) AS n")
        self.addCleanup(self.observer.execute, "DROP TABLE kept")
        client.execute("SET work_mem = '64kB'")
        client.execute("SELECT count(*) FROM (SELECT DISTINCT n FROM generate_series(1, 100000) AS n) AS d")
        client.execute("BEGIN")
        client.execute("ROLLBACK")
        with self.assertRaises(psycopg.errors.DivisionByZero):
            client.execute("SELECT 1 / 0")

        for column, at_least in (("xact_commit_count", 3), ("xact_rollback_count", 2),
                                 ("statement_count", 5), ("error_count", 1), ("temp_bytes", 8192),
                                 ("wal_bytes", 10000), ("active_us", 1000), ("login_count", 1)):
            self.sum_of(column, at_least)

    def test_failed_logins_count(self):
        for _ in range(3):
            with self.assertRaises(psycopg.OperationalError):
                self.server.connect(dbname="nowhere")

        self.assertEqual(self.sum_of("failed_login_count", 3), 3)

    def test_ended_sessions_count_by_cause(self):
        self.connect().close()
        killed = self.connect()
        self.observer.execute("SELECT pg_terminate_backend(%s)", (killed.info.backend_pid,))
        timed_out = self.connect()
        timed_out.execute("SET idle_session_timeout = '1ms'")

        for cause in "client", "killed", "policy":
            self.assertEqual(self.sum_of(f"ended_{cause}_count", 1), 1)

    def test_reset_of_usage_and_logins_does_not_disturb_it(self):
        """Differences of counters that were set to 0 would be negative, or lost."""
        self.connect().execute("SELECT generate_series(1, 10)").fetchall()

        self.observer.execute("SELECT pgvalet.reset('usage'), pgvalet.reset('logins') AS too, "
                              "pgvalet.reset('sessions') AS three")

        self.sum_of("login_count", 1)
        self.sum_of("statement_count", 2)

    # Gaps.

    def test_time_in_which_the_server_was_down_is_a_gap(self):
        self.minutes()
        self.observer.close()
        self.server.shut_down(signal.SIGINT)
        self.server.start_again()
        self.observer = self.connect_agent(application_name="observer")

        gap = wait_until(lambda: self.observer.execute(
            "SELECT * FROM (SELECT ended_at, lead(started_at) OVER (ORDER BY started_at) AS next_at "
            "FROM pgvalet.history) AS h WHERE next_at > ended_at").fetchone(), "a gap")
        self.assertGreater(gap.next_at, gap.ended_at)

    # Who may see it.

    def test_history_is_for_readers_of_all_statistics(self):
        self.observer.execute("DROP ROLE IF EXISTS plain")
        self.observer.execute("CREATE ROLE plain LOGIN")
        plain = self.connect(user="plain")
        for relation in "history", "history_rows()":
            with self.assertRaises(psycopg.errors.InsufficientPrivilege):
                plain.execute(f"SELECT * FROM pgvalet.{relation}")

        self.observer.execute("GRANT pg_monitor TO plain")
        plain.execute("SELECT * FROM pgvalet.history")


if __name__ == "__main__":
    unittest.main()
