"""What people are told when rules and budgets change: warnings, events, the server log."""

import unittest

from policy_server import PolicyTest, told_of
from server import Server, wait_until


class WarningTest(PolicyTest):
    def warnings(self, statement, *arguments):
        """What a statement is warned of."""
        told = []

        def take(diagnostic):
            told.append(told_of(diagnostic).message)

        self.observer.add_notice_handler(take)
        try:
            self.observer.execute(statement, arguments)
        finally:
            self.observer.remove_notice_handler(take)
        return told

    def test_rule_that_names_what_is_not_there_is_warned_of(self):
        self.role("here")
        self.assertEqual(self.warnings(
            "INSERT INTO pgvalet.idle_policy (position, name, state, role_name, database_name,"
            " spares_roles) VALUES (1, 'a', 'idle', 'nobody', 'nowhere', '{here,gone}'),"
            " (2, 'b', 'idle', 'here', 'postgres', '{postgres}')"),
            ['rule "a": there is no role "nobody"', 'rule "a": there is no database "nowhere"',
             'rule "a": there is no role "gone"'])

    def test_budget_that_names_what_is_not_there_is_warned_of(self):
        self.assertEqual(self.warnings(
            "INSERT INTO pgvalet.connection_budget (name, max_connections, role_name,"
            " reserved_connections, reserved_for) VALUES ('a', 5, 'nobody', 1, '{gone}')"),
            ['budget "a": there is no role "nobody"', 'budget "a": there is no role "gone"'])

    def test_rows_that_are_disabled_or_taken_away_are_not_warned_of(self):
        self.assertEqual(self.warnings(
            "INSERT INTO pgvalet.idle_policy (position, name, state, role_name, is_enabled)"
            " VALUES (1, 'a', 'idle', 'nobody', false)"), [])
        self.warnings("UPDATE pgvalet.idle_policy SET is_enabled = true")
        self.assertEqual(self.warnings("DELETE FROM pgvalet.idle_policy WHERE false"), [])

    def test_more_rows_than_can_be_in_force_are_warned_of(self):
        self.assertEqual(self.warnings(
            "INSERT INTO pgvalet.idle_policy (position, name, state)"
            " SELECT n, format('rule %%s', n), 'idle' FROM generate_series(1, %s) AS n", 71),
            ["only the first 64 of 71 enabled rows of idle_policy are in force"])
        self.assertEqual(self.warnings(
            "INSERT INTO pgvalet.connection_budget (name, max_connections)"
            " SELECT n, 1000 FROM generate_series(1, %s) AS n", 256), [])

    def test_warning_does_not_depend_on_the_search_path(self):
        self.observer.execute("CREATE SCHEMA trap")
        self.addCleanup(self.drop_trap)
        self.observer.execute("CREATE FUNCTION trap.host(cidr) RETURNS text LANGUAGE plpgsql AS"
                              " $$ BEGIN RAISE EXCEPTION 'trapped'; END $$")
        self.observer.execute("SET search_path = trap, pg_catalog")

        self.assertEqual(self.warnings(
            "INSERT INTO pgvalet.idle_policy (position, name, state, client_network)"
            " VALUES (1, 'a', 'idle', '10.0.0.0/8')"), [])
        self.assertEqual(self.one(self.observer, "SHOW search_path").search_path,
                         "trap, pg_catalog")

    def drop_trap(self):
        with self.server.connect(application_name="observer") as connection:
            connection.execute("DROP SCHEMA trap CASCADE")


class EventTest(PolicyTest):
    def messages(self):
        return [event.message for event in self.events("policy_changed")]

    def test_event_says_who_has_written_rows(self):
        self.role("keeper", options="LOGIN SUPERUSER")
        keeper = self.connect(user="keeper", application_name="keeping")
        keeper.execute("BEGIN")
        keeper.execute("INSERT INTO pgvalet.idle_policy (position, name, state)"
                       " VALUES (1, 'a', 'idle'), (2, 'b', 'idle')")
        keeper.execute("INSERT INTO pgvalet.connection_budget (name, max_connections)"
                       " VALUES ('a', 1000)")
        self.assertEqual(self.messages(), [])

        keeper.execute("COMMIT")

        event = self.events("policy_changed")[0]
        self.assertEqual((event.pid, event.role_name, event.message),
                         (keeper.info.backend_pid, "keeper",
                          "rows of idle_policy and connection_budget were written"))
        wait_until(lambda: "2 rules and 1 budget are in force" in self.messages(), "the reading")

    def test_rows_that_are_rolled_back_are_no_event(self):
        self.observer.execute("BEGIN")
        self.insert("idle_policy", position=1, name="a", state="idle")
        self.observer.execute("ROLLBACK")
        self.assertEqual(self.messages(), [])

    def test_rules_that_are_withdrawn_are_told_of(self):
        self.addCleanup(self.server.set, database="postgres")
        for database, reason in (("template1", 'there is no extension pgvalet in database'
                                               ' "template1"'),
                                 ("nowhere", "there is no database of this name"),
                                 ("", "pgvalet.database is empty")):
            self.server.set(database="postgres")
            self.rule()
            self.server.set(database=database)

            told = f"1 rule and 0 budgets are no longer in force: {reason}"
            wait_until(lambda told=told: told in self.messages(), "the event")
            wait_until(lambda told=told: told in self.server.log_text(), "the log")
            self.observer.execute("TRUNCATE pgvalet.idle_policy")

    def test_rules_of_an_extension_that_is_dropped_are_told_of(self):
        self.rule()
        with self.server.connect(dbname="template1") as other:
            other.execute("CREATE EXTENSION pgvalet")
            try:
                self.observer.execute("DROP EXTENSION pgvalet")
                told = ("1 rule and 0 budgets are no longer in force: there is no extension"
                        ' pgvalet in database "postgres"')
                wait_until(lambda: other.execute("SELECT 1 FROM pgvalet.events WHERE message = %s",
                                                 (told,)).fetchone(), "the event")
            finally:
                other.execute("DROP EXTENSION pgvalet")
                self.observer.execute("CREATE EXTENSION pgvalet")

    def is_locked(self):
        return "locked" in (self.status().error or "")

    def reads_in_spite_of_a_short_lock(self):
        """Whether tables that were locked for a moment are read without an error."""
        before = self.status().read_at
        locker = self.connect(application_name="observer")
        locker.execute("BEGIN")
        locker.execute("LOCK TABLE pgvalet.idle_policy")
        self.observer.execute("SELECT pg_reload_conf()")
        wait_until(lambda: self.is_locked() or self.observer.execute(
            "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'pgvalet database worker'"
            " AND wait_event_type = 'Extension'").fetchone(), "the worker to wait")
        locker.execute("COMMIT")
        seen = []
        wait_until(lambda: seen.append(self.is_locked()) or self.status().read_at > before,
                   "the reading")
        return not any(seen)

    def test_tables_that_are_locked_for_a_moment_are_not_called_locked(self):
        self.rule()
        # A machine that stands still makes of a moment more than that.
        wait_until(self.reads_in_spite_of_a_short_lock, "a reading without an error")


class StartTest(unittest.TestCase):
    def start(self, **settings):
        server = Server(**settings)
        server.start()
        self.addCleanup(server.stop)
        return server

    def test_database_that_is_not_there_is_logged_once(self):
        server = self.start(**{"pgvalet.database": "nowhere"})
        line = 'rules and budgets cannot be read from database "nowhere": there is no database'
        with server.connect() as connection:
            wait_until(lambda: connection.execute(
                "SELECT error FROM pgvalet.policy_status").fetchone().error, "the error")
            for _ in range(3):
                reads = connection.execute("SELECT pg_reload_conf()")
                self.assertIsNotNone(reads)
        wait_until(lambda: line in server.log_text(), "the log")
        self.assertEqual(server.log_text().count(line), 1)

    def test_server_without_the_extension_starts_without_a_word_about_rules(self):
        server = self.start()
        with server.connect(dbname="template1") as other:
            other.execute("CREATE EXTENSION pgvalet")
        with server.connect() as connection:
            connection.execute("DROP EXTENSION pgvalet")
        server.shut_down()
        size = len(server.log_text())
        server.start_again()

        with server.connect(dbname="template1") as other:
            wait_until(lambda: "no extension" in (other.execute(
                "SELECT error FROM pgvalet.policy_status").fetchone().error or ""), "the reading")
        self.assertNotIn("pgvalet", server.log_text()[size:].replace("pgvalet collector", ""))


if __name__ == "__main__":
    unittest.main()
