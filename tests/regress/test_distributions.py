"""pgvalet.distributions: how long statements, transactions, waits, sessions, logins take."""

import time
import unittest

from psycopg import errors

from server import ServerTest, wait_until

# A time that is told apart from all others, in seconds.
LONG_S = 0.3
LONG_US = LONG_S * 1_000_000

# A percentile is at most this much too high.
ERROR = 1.25


class DistributionsTest(ServerTest):
    names = 0

    def setUp(self):
        self.observer = self.connect(application_name="observer")
        # An application of its own for each test, so that others do not count.
        DistributionsTest.names += 1
        self.name = f"shop {DistributionsTest.names}"

    def client(self, **parameters):
        return self.connect(application_name=self.name, **parameters)

    def simple(self, connection, query):
        """Sends a query as one simple Query message."""
        result = connection.pgconn.exec_(query.encode())
        return result.status

    def row(self, measure, name=None, dimension="application"):
        """A row of the view, None if there is none."""
        return self.observer.execute(
            "SELECT * FROM pgvalet.distributions"
            " WHERE dimension = %s AND name = %s AND measure = %s",
            (dimension, name or self.name, measure)).fetchone()

    def assert_one_long(self, row, count, most_us):
        """Of so many times one was long, and it was no longer than that."""
        self.assertEqual(row.count, count)
        self.assertGreaterEqual(row.max_us, LONG_US)
        self.assertLessEqual(row.max_us, most_us * ERROR)
        self.assertGreaterEqual(row.sum_us, LONG_US)
        self.assertLess(row.p50_us, LONG_US)

    # Statements.

    def test_statement_takes_from_its_arrival_to_the_end_of_its_answer(self):
        for how in ("simple", "extended", "prepared"):
            with self.subTest(how):
                self.name = "times of " + how
                client = self.client()
                began = time.monotonic()
                for seconds in (0, LONG_S, 0):
                    if how == "simple":
                        self.simple(client, f"SELECT pg_sleep({seconds})")
                    else:
                        client.execute("SELECT pg_sleep(%s)", (seconds,),
                                       prepare=how == "prepared")

                self.assert_one_long(self.row("statement"), 3,
                                     (time.monotonic() - began) * 1e6)

    def test_statement_that_fails_counts_with_its_time(self):
        client = self.client()
        client.execute("SELECT 1")
        began = time.monotonic()
        with self.assertRaises(errors.DivisionByZero):
            client.execute("SELECT 1 / (pg_sleep(%s)::text = 'x')::int", (LONG_S,))
        client.execute("SELECT 1")

        self.assert_one_long(self.row("statement"), 3, (time.monotonic() - began) * 1e6)

    def test_statements_of_a_pipeline_have_their_own_times(self):
        client = self.client()
        with client.pipeline():
            for seconds in (0, 0, LONG_S, 0, 0):
                client.execute("SELECT pg_sleep(%s)", (seconds,), prepare=True)

        row = self.row("statement")
        self.assertEqual(row.count, 5)
        self.assertEqual(sum(row.count for row in self.observer.execute(
            "SELECT * FROM pgvalet.histogram('application', %s, 'statement')"
            " WHERE highest_us >= %s", (self.name, LONG_US))), 1)
        self.assertLess(row.sum_us, 2 * row.max_us)

    def test_statements_of_one_simple_query_share_its_time(self):
        client = self.client()
        self.simple(client, f"SELECT 1; SELECT pg_sleep({LONG_S}); SELECT 2; SELECT 3")

        row = self.row("statement")

        self.assertEqual(row.count, 4)
        self.assertGreaterEqual(row.p50_us, LONG_US / 4)
        self.assertEqual(row.p50_us, row.max_us)

    def test_fetch_of_a_part_of_the_rows_counts(self):
        client = self.client()
        with client.transaction():
            with client.cursor("parts") as cursor:
                cursor.itersize = 10
                cursor.execute("SELECT n FROM generate_series(1, 25) AS n")
                self.assertEqual(len(list(cursor)), 25)

        # BEGIN, DECLARE, three FETCH and one that finds nothing or CLOSE, COMMIT.
        self.assertGreaterEqual(self.row("statement").count, 7)

    def test_commands_without_a_statement_do_not_count(self):
        client = self.client()
        client.pgconn.prepare(b"later", b"SELECT 1")
        self.simple(client, "")

        self.assertIsNone(self.row("statement"))

    # Transactions and the waits in them.

    def test_transaction_takes_from_its_first_statement_to_the_end_of_its_last(self):
        client = self.client()
        client.execute("SELECT 1")
        client.execute("SELECT 2")
        began = time.monotonic()
        client.execute("BEGIN")
        client.execute("SELECT pg_sleep(%s)", (LONG_S,))
        client.execute("COMMIT")

        self.assert_one_long(self.row("transaction"), 3, (time.monotonic() - began) * 1e6)

    def test_transaction_that_fails_counts(self):
        client = self.client()
        client.execute("BEGIN")
        client.execute("SELECT pg_sleep(%s)", (LONG_S,))
        with self.assertRaises(errors.DivisionByZero):
            client.execute("SELECT 1 / 0")
        client.execute("ROLLBACK")

        self.assertEqual(self.row("transaction").count, 1)
        self.assertGreaterEqual(self.row("transaction").max_us, LONG_US)

    def test_transactions_of_a_procedure_are_told_apart(self):
        self.observer.execute(f"""CREATE OR REPLACE PROCEDURE in_parts() LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM pg_sleep({LONG_S});
                COMMIT;
                PERFORM 1;
                COMMIT;
                PERFORM 2;
            END $$""")
        client = self.client()
        # Also as the first command after a reset, which all three belong to.
        self.observer.execute("SELECT pgvalet.reset('distributions')")

        client.execute("CALL in_parts()")

        row = self.row("transaction")
        self.assertEqual(row.count, 3)
        self.assertGreaterEqual(row.max_us, LONG_US)
        self.assertLess(row.p50_us, LONG_US)

    def test_wait_inside_a_transaction_is_a_gap(self):
        client = self.client()
        client.execute("BEGIN")
        wait_until(lambda: self.one(self.observer, "SELECT clock_timestamp() - state_since"
                                    " > make_interval(secs => %s) AS long FROM pgvalet.backends"
                                    " WHERE pid = %s", LONG_S, client.info.backend_pid).long,
                   "the wait to become long")
        client.execute("SELECT 1")
        client.execute("SELECT 2")
        client.execute("COMMIT")

        row = self.row("idle_in_transaction")
        self.assertEqual(row.count, 3)
        self.assertGreaterEqual(row.max_us, LONG_US)
        self.assertLess(row.p50_us, LONG_US)
        self.assertGreaterEqual(self.row("transaction").max_us, LONG_US)

    def test_wait_outside_a_transaction_is_no_gap(self):
        client = self.client()
        for _ in range(3):
            client.execute("SELECT 1")

        self.assertIsNone(self.row("idle_in_transaction"))

    # Sessions.

    def test_session_counts_when_it_has_ended(self):
        client = self.client()
        client.execute("SELECT pg_sleep(%s)", (LONG_S,))
        self.assertEqual(self.row("login").count, 1)
        self.assertIsNone(self.row("session"))
        login_us = self.backend(self.observer, client.info.backend_pid).login_us

        client.close()

        row = wait_until(lambda: self.row("session"), "the session to be counted")
        self.assertEqual(row.count, 1)
        self.assertGreaterEqual(row.max_us, LONG_US)
        self.assertEqual(self.row("login").sum_us, login_us)
        self.assertEqual(self.row("statement").count, 1)

    def test_session_that_ends_in_a_transaction_leaves_its_times(self):
        client = self.client()
        client.execute("BEGIN")
        client.execute("SELECT pg_sleep(%s)", (LONG_S,))

        client.close()

        wait_until(lambda: self.row("session"), "the session to be counted")
        self.assertEqual(self.row("transaction").count, 1)
        self.assertGreaterEqual(self.row("transaction").max_us, LONG_US)
        self.assertEqual(self.row("idle_in_transaction").count, 2)

    def test_session_that_is_terminated_has_no_statement_more(self):
        client = self.client()
        client.execute("SELECT 1")

        self.observer.execute("SELECT pg_terminate_backend(%s)", (client.info.backend_pid,))

        wait_until(lambda: self.row("session"), "the session to be counted")
        self.assertEqual(self.row("statement").count, 1)

    # Whose they are.

    def test_times_go_to_the_application_name_of_their_time(self):
        client = self.client()
        client.execute("SELECT pg_sleep(%s)", (LONG_S,))

        client.execute("SELECT set_config('application_name', %s, false)", (self.name + " b",))
        for _ in range(10):
            client.execute("SELECT 1")

        self.assertEqual(self.row("statement").count, 2)
        self.assertGreaterEqual(self.row("statement").max_us, LONG_US)
        self.assertEqual(self.row("statement", self.name + " b").count, 10)
        self.assertLess(self.row("statement", self.name + " b").max_us, LONG_US)
        client.close()
        wait_until(lambda: self.row("session", self.name + " b"), "the session to be counted")
        self.assertEqual(self.row("statement").count, 2)
        self.assertEqual(self.row("statement", self.name + " b").count, 10)

    def test_role_database_and_application_have_the_same_times(self):
        self.observer.execute("CREATE DATABASE measured")
        self.observer.execute("CREATE ROLE measured LOGIN")
        client = self.client(dbname="measured", user="measured")
        for _ in range(7):
            client.execute("SELECT 1")

        rows = [self.row("statement", "measured", "role"),
                self.row("statement", "measured", "database"), self.row("statement")]
        self.assertEqual([row.count for row in rows], [7, 7, 7])
        self.assertEqual(len({row.sum_us for row in rows}), 1)

        client.close()
        wait_until(lambda: self.row("session"), "the session to be counted")
        self.observer.execute("DROP DATABASE measured")
        self.observer.execute("DROP ROLE measured")
        self.assertEqual(self.observer.execute(
            "SELECT count(*) AS n FROM pgvalet.distributions WHERE name LIKE '(dropped %%'"
            " AND measure = 'statement' AND count = 7").fetchone().n, 2)

    # Percentiles.

    def test_percentiles_are_never_too_low_and_not_far_too_high(self):
        client = self.client()
        client.execute("SELECT 1")
        seconds = [0.01 * n for n in range(1, 21)]
        taken_us = []
        for s in seconds:
            began = time.monotonic()
            client.execute("SELECT pg_sleep(%s)", (s,), prepare=False)
            taken_us.append((time.monotonic() - began) * 1e6)
        taken_us.sort()

        for fraction in (0.25, 0.5, 0.75, 0.95, 1):
            with self.subTest(fraction):
                found = self.one(self.observer, "SELECT pgvalet.percentile('application', %s,"
                                 " 'statement', %s) AS us", self.name, fraction).us
                # 21 statements, and the shortest is none of those that slept.
                rank = max(int(-(-fraction * 21 // 1)) - 2, 0)
                self.assertGreaterEqual(found, seconds[rank] * 1e6)
                self.assertLessEqual(found, taken_us[rank] * ERROR)

    def test_view_percentile_and_histogram_agree(self):
        client = self.client()
        for n in range(200):
            client.execute("SELECT count(*) FROM generate_series(1, %s)", (n * 20,))

        row = self.row("statement")
        buckets = self.observer.execute(
            "SELECT * FROM pgvalet.histogram('application', %s, 'statement')",
            (self.name,)).fetchall()
        for fraction, us in ((0.5, row.p50_us), (0.9, row.p90_us), (0.95, row.p95_us),
                             (0.99, row.p99_us), (1, row.max_us)):
            self.assertEqual(self.one(self.observer, "SELECT pgvalet.percentile('application',"
                                      " %s, 'statement', %s) AS us", self.name, fraction).us, us)
        self.assertEqual(sum(bucket.count for bucket in buckets), 200)
        self.assertEqual(buckets[-1].cumulative_count, row.count)
        self.assertEqual(buckets[-1].highest_us, row.max_us)
        for bucket in buckets:
            self.assertLessEqual(bucket.highest_us, bucket.lowest_us * ERROR)
        for before, after in zip(buckets, buckets[1:]):
            self.assertLess(before.highest_us, after.lowest_us)

    def test_percentile_of_nothing_is_null(self):
        self.assertIsNone(self.one(self.observer, "SELECT pgvalet.percentile('role', 'nobody',"
                                   " 'statement', 0.5) AS us").us)

    def test_percentile_and_histogram_of_something_unknown_are_errors(self):
        for query, hint in (
                ("percentile('colour', 'x', 'statement', 0.5)", '"role"'),
                ("percentile('role', 'postgres', 'statment', 0.5)", '"login"'),
                ("percentile('role', 'postgres', 'statement', 99)", "from 0 to 1"),
                ("percentile('role', 'postgres', 'statement', -0.1)", "from 0 to 1"),
                ("percentile('role', 'nobody', 'statement', 'NaN')", "from 0 to 1"),
                ("histogram('colour', 'x', 'statement')", '"role"'),
                ("histogram('role', 'postgres', 'statment')", '"login"')):
            with self.subTest(query), self.assertRaises(errors.InvalidParameterValue) as caught:
                self.observer.execute(f"SELECT pgvalet.{query}")
            self.assertIn(hint, caught.exception.diag.message_hint)

    # Reset, privileges.

    def test_reset_forgets_times_of_live_and_ended_sessions(self):
        ended = self.client()
        ended.execute("SELECT 1")
        ended.close()
        wait_until(lambda: self.row("session"), "the session to be counted")
        client = self.client()
        for _ in range(5):
            client.execute("SELECT pg_sleep(%s)", (LONG_S / 5,))

        self.observer.execute("SELECT pgvalet.reset('distributions')")

        self.assertIsNone(self.row("statement"))
        self.assertIsNone(self.row("session"))
        client.execute("SELECT 1")
        self.assertEqual(self.row("statement").count, 1)
        self.assertLess(self.row("statement").sum_us, LONG_US)

    def test_session_that_did_nothing_since_the_reset_leaves_nothing(self):
        client = self.client()
        client.execute("SELECT 1")
        self.observer.execute("SELECT pgvalet.reset('distributions')")

        client.close()

        wait_until(lambda: self.row("session"), "the session to be counted")
        self.assertIsNone(self.row("statement"))

    def test_distributions_are_for_those_who_may_read_all_statistics(self):
        self.observer.execute("CREATE ROLE plain LOGIN")
        self.observer.execute("CREATE ROLE stats LOGIN IN ROLE pg_read_all_stats")
        plain, stats = self.connect(user="plain"), self.connect(user="stats")
        for query in ("SELECT count(*) FROM pgvalet.distributions",
                      "SELECT count(*) FROM pgvalet.distribution_rows('role')",
                      "SELECT count(*) FROM pgvalet.histogram_rows('role', 'statement')",
                      "SELECT count(*) FROM pgvalet.histogram('role', 'postgres', 'statement')",
                      "SELECT pgvalet.percentile('role', 'postgres', 'statement', 0.5)"):
            with self.subTest(query):
                with self.assertRaises(errors.InsufficientPrivilege):
                    plain.execute(query)
                self.assertIsNotNone(stats.execute(query).fetchone()[0])


class FullTest(ServerTest):
    SETTINGS = {"pgvalet.max_applications": "2"}

    def test_applications_without_room_share_a_distribution(self):
        observer = self.connect(application_name="one")
        for name in ("two", "three", "four"):
            client = self.connect(application_name=name)
            client.execute("SELECT 1")
            client.close()

        wait_until(lambda: observer.execute(
            "SELECT count FROM pgvalet.distributions WHERE dimension = 'application'"
            " AND name = '(other)' AND measure = 'session' AND count >= 2").fetchone(),
            "the sessions to be counted")


if __name__ == "__main__":
    unittest.main()
