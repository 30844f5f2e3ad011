"""Rates: who reads and writes how much per second; a minute is 600 ms here."""

import unittest

import psycopg

from server import ServerTest, wait_until


class RatesTest(ServerTest):
    SETTINGS = {"pgvalet.minute_ms": "600"}

    def setUp(self):
        self.addCleanup(self.server.set, io_budgets="")
        self.observer = self.connect(application_name="observer")

    def rate(self, dimension, name, minutes=60):
        """The row of pgvalet.io_rates, None if there is none."""
        return self.observer.execute(
            "SELECT * FROM pgvalet.io_rates WHERE dimension = %s AND name = %s "
            "AND window_minutes = %s", (dimension, name, minutes)).fetchone()

    def burn(self, client):
        """Writes to a table and to temporary files."""
        client.execute("SET work_mem = '64kB'")
        client.execute("DROP TABLE IF EXISTS burnt")
        client.execute("CREATE TABLE burnt AS SELECT generate_series(1, 20000) AS n")
        client.execute("SELECT count(*) FROM (SELECT DISTINCT n FROM burnt) AS d")

    def set_budgets(self, budgets):
        self.server.set(io_budgets=budgets)
        wait_until(lambda: self.one(self.observer, "SHOW pgvalet.io_budgets")[0] == budgets,
                   "the budgets to be in force")

    # Rates.

    def test_who_writes_is_seen_by_role_database_application_and_server(self):
        client = self.connect(application_name="burner")
        self.burn(client)

        for dimension, name in (("role", "postgres"), ("database", "postgres"),
                                ("application", "burner"), ("server", "")):
            row = self.rate(dimension, name)
            self.assertGreater(row.temp_bytes_per_second, 0, dimension)
            self.assertGreater(row.wal_bytes_per_second, 0, dimension)
            self.assertGreater(row.xacts_per_second, 0, dimension)
            self.assertAlmostEqual(
                row.io_bytes_per_second, row.read_bytes_per_second + row.written_bytes_per_second
                + row.temp_bytes_per_second + row.wal_bytes_per_second, delta=1)

    def test_one_query_says_who_burns_the_disk(self):
        self.observer.execute("SELECT pgvalet.reset('rates')")
        self.burn(self.connect(application_name="burner"))
        self.connect(application_name="lamb").execute("SELECT 1")

        top = self.observer.execute(
            "SELECT name FROM pgvalet.io_rates WHERE dimension = 'application' "
            "AND window_minutes = 60 ORDER BY io_bytes_per_second DESC LIMIT 1").fetchone()

        self.assertEqual(top.name, "burner")

    def test_bytes_are_those_of_the_session(self):
        """All windows begin with the server, or later: the rate by the time is the sum."""
        self.observer.execute("SELECT pgvalet.reset('rates')")
        client = self.connect(application_name="exact")
        self.burn(client)
        own = self.backend(self.observer, client.info.backend_pid)

        row = self.rate("application", "exact")

        self.assertAlmostEqual(row.wal_bytes_per_second * row.window_s, own.wal_bytes, delta=1)
        self.assertAlmostEqual(row.temp_bytes_per_second * row.window_s, own.temp_bytes, delta=1)

    def test_ended_sessions_count(self):
        client = self.connect(application_name="short-lived")
        self.burn(client)
        client.close()

        self.assertGreater(self.rate("application", "short-lived").wal_bytes_per_second, 0)

    def test_window_says_how_long_it_is(self):
        self.observer.execute("SELECT pgvalet.reset('rates')")

        short = [self.rate("server", "", minutes).window_s for minutes in (1, 5, 60)]
        self.assertLess(max(short), 36)
        # A minute of 0.6 s and a sample each 0.1 s, however late they are taken.
        wait_until(lambda: self.rate("server", "", 1).window_s >= 0.6, "the minute to be over")
        self.assertGreaterEqual(self.rate("server", "", 5).window_s, 0.6)

    def test_rate_of_a_minute_forgets_what_is_older(self):
        client = self.connect(application_name="once")
        self.burn(client)
        self.assertGreater(self.rate("application", "once", 1).io_bytes_per_second, 0)

        wait_until(lambda: self.rate("application", "once", 1).io_bytes_per_second == 0,
                   "the minute to pass")

        self.assertGreater(self.rate("application", "once", 60).io_bytes_per_second, 0)

    def test_reset_begins_the_windows_anew(self):
        self.burn(self.connect(application_name="old"))

        self.observer.execute("SELECT pgvalet.reset('rates')")

        self.assertEqual([self.rate("application", "old", minutes).io_bytes_per_second
                          for minutes in (1, 5, 60)], [0, 0, 0])

    def test_reset_of_usage_does_not_disturb_rates(self):
        client = self.connect(application_name="kept")
        self.burn(client)

        self.observer.execute("SELECT pgvalet.reset('usage')")

        self.assertGreater(self.rate("application", "kept").wal_bytes_per_second, 0)

    # Budgets.

    def test_budget_shows_its_used_share(self):
        self.burn(self.connect(application_name="burner"))
        self.set_budgets("server=200MB, application:burner=1kB, database:postgres=50MB")

        row = self.rate("application", "burner")
        self.assertEqual(row.budget_bytes_per_second, 1024)
        self.assertAlmostEqual(row.budget_share, row.io_bytes_per_second / 1024, places=5)
        self.assertGreater(row.budget_share, 1)
        self.assertEqual(self.rate("server", "").budget_bytes_per_second, 200 << 20)
        self.assertEqual(self.rate("database", "postgres").budget_bytes_per_second, 50 << 20)
        self.assertIsNone(self.rate("role", "postgres").budget_share)

    def test_budget_for_all_names_yields_to_that_of_one(self):
        self.burn(self.connect(application_name="burner"))
        self.set_budgets("application:*=5MB, application:burner=7MB")

        self.assertEqual(self.rate("application", "burner").budget_bytes_per_second, 7 << 20)
        self.assertEqual(self.rate("application", "observer").budget_bytes_per_second, 5 << 20)

    def test_name_with_a_comma_is_quoted(self):
        self.connect(application_name='a, "b" = c').close()
        self.set_budgets('application:"a, ""b"" = c"=1MB')

        self.assertEqual(self.rate("application", 'a, "b" = c').budget_bytes_per_second, 1 << 20)

    def test_budget_that_makes_no_sense_is_refused(self):
        for budgets in ("server", "server=0", "server=-1MB", "server=much", "colour:red=1MB",
                        "role=1MB", "role:a=1MB role:b=1MB", 'role:"a=1MB', "=1MB", "server=1 lot",
                        "role:" + "x" * 100 + "=1MB", "server:a=1MB", ",", "server=1MB,", "role:=1MB", 'role:""=1MB',
                        "server=1MB, server=1MB", "role:a=1MB, role:*=1MB, role:a=2MB"):
            with self.assertRaises(psycopg.errors.InvalidParameterValue, msg=budgets):
                self.observer.execute(f"ALTER SYSTEM SET pgvalet.io_budgets = '{budgets}'")

    def test_budget_that_is_refused_says_which_item_and_why(self):
        for budgets, detail in (
                ("server=1MB, role:=1MB", "Item 2 of the list is not understood."),
                ("role:a=1MB, role:b=1MB, role:a=2MB",
                 "Item 3 of the list is for the same as an item before."),
                ("server=1MB, ", "The list ends in a comma.")):
            with self.assertRaises(psycopg.errors.InvalidParameterValue) as caught:
                self.observer.execute(f"ALTER SYSTEM SET pgvalet.io_budgets = '{budgets}'")
            self.assertEqual(caught.exception.diag.message_detail, detail)

    def test_budget_of_an_application_without_a_name(self):
        self.set_budgets('application:""=1MB, application:*=2MB')
        budget = "SELECT pgvalet.io_budget('application', %s) AS bytes"
        self.assertEqual(self.one(self.observer, budget, "").bytes, 1 << 20)
        self.assertEqual(self.one(self.observer, budget, "x").bytes, 2 << 20)

    def test_budget_by_something_unknown_is_an_error(self):
        with self.assertRaises(psycopg.errors.InvalidParameterValue) as caught:
            self.observer.execute("SELECT pgvalet.io_budget('colour', 'red')")
        self.assertIn('"server", "role"', caught.exception.diag.message_hint)

    # Who may see it.

    def test_rates_are_for_readers_of_all_statistics(self):
        self.observer.execute("DROP ROLE IF EXISTS plain")
        self.observer.execute("CREATE ROLE plain LOGIN")
        plain = self.connect(user="plain")
        for relation in "io_rates", "rates()", "io_budget('server', '')":
            with self.assertRaises(psycopg.errors.InsufficientPrivilege):
                plain.execute(f"SELECT * FROM pgvalet.{relation}")

        self.observer.execute("GRANT pg_monitor TO plain")
        plain.execute("SELECT * FROM pgvalet.io_rates")


class SmallTableTest(ServerTest):
    SETTINGS = {"pgvalet.max_applications": "5"}

    def test_applications_without_room_share_a_row(self):
        observer = self.connect()
        for number in range(10):
            client = self.connect(application_name=f"one of many {number}")
            client.execute("SELECT txid_current()")
            client.close()

        row = self.one(observer, "SELECT * FROM pgvalet.io_rates WHERE name = '(other)' "
                                 "AND window_minutes = 60")
        self.assertGreater(row.wal_bytes_per_second, 0)


if __name__ == "__main__":
    unittest.main()
