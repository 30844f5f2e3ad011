"""The database that has the rules: another, a template, none, dropped, with or without them."""

import os
import signal
import subprocess
import unittest

from policy_server import COLLECTOR, INSERT, SHORT, PolicyTest
from server import as_server_user, wait_until

WORKERS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'pgvalet database worker'"


class DatabaseTest(PolicyTest):
    def recreate(self, name, template="template1"):
        self.observer.execute(f"DROP DATABASE IF EXISTS {name}")
        self.observer.execute(f"CREATE DATABASE {name} TEMPLATE {template}")

    def no_worker_is_left(self):
        """Not even one that has ended, and of which the postmaster does not know it yet."""
        known = self.one(self.observer, "SELECT count(*) AS processes, count(*) FILTER"
                         " (WHERE backend_type = 'pgvalet database worker') AS workers"
                         " FROM pg_stat_activity")
        return known.workers == 0 and known.processes == len(self.server.children())

    def test_nothing_holds_the_database(self):
        self.rule()
        wait_until(lambda: not self.observer.execute(WORKERS).fetchall(), "the worker to end")

    def test_database_of_the_rules_can_be_a_template(self):
        self.recreate("of_rules")
        with self.server.connect(dbname="of_rules") as connection:
            connection.execute("CREATE EXTENSION pgvalet")
        self.addCleanup(self.server.set, database="postgres")
        self.server.set(database="of_rules")
        wait_until(lambda: self.status().database_name == "of_rules"
                   and self.status().error is None, "the other database")

        self.recreate("copy", template="of_rules")
        self.observer.execute("DROP DATABASE copy")
        self.observer.execute("DROP DATABASE of_rules")

        wait_until(lambda: self.status().error == "there is no database of this name", "the error")

    def test_rules_of_another_database_are_in_force_when_the_setting_says_so(self):
        self.rule("here")
        self.recreate("elsewhere")
        with self.server.connect(dbname="elsewhere", application_name="observer") as other:
            other.execute("CREATE EXTENSION pgvalet")
            told = []
            other.add_notice_handler(lambda diagnostic: told.append(diagnostic.message_primary))
            other.execute(INSERT)
        self.assertIn('the rows of idle_policy in database "elsewhere" are not in force', told)
        self.addCleanup(self.server.set, database="postgres")
        session = self.app()

        self.server.set(database="elsewhere")

        self.assertEqual(self.last_words(session).sqlstate, "57P05")

    def test_worker_that_is_still_starting_when_the_database_changes_is_not_the_last(self):
        """It reads the old database, and must not take the request for the new one as served."""
        self.recreate("elsewhere")
        with self.server.connect(dbname="elsewhere", application_name="observer") as other:
            other.execute("CREATE EXTENSION pgvalet")
            other.execute("INSERT INTO pgvalet.idle_policy (position, name, state)"
                          " VALUES (1, 'there', 'idle')")
        self.addCleanup(self.server.set, database="postgres")
        collector = self.one(self.observer, COLLECTOR).pid
        # When this is in force, nothing that was asked for before is still to be done.
        self.rule("earlier")
        wait_until(self.no_worker_is_left, "the postmaster to know that no worker is left")
        # Who starts a session has told of all that ended before.
        self.server.connect().close()

        # Nobody starts a worker while the postmaster stands still.
        with self.server.postmaster_stopped():
            self.insert("idle_policy", position=1, name="here", state="idle")
            wait_until(lambda: self.server.has_pending_signal(signal.SIGUSR1),
                       "the collector to ask for a worker")
            self.observer.execute("ALTER SYSTEM SET pgvalet.database = 'elsewhere'")
            os.kill(collector, signal.SIGHUP)
            wait_until(lambda: self.observer.execute(
                "SELECT 1 FROM pgvalet.events WHERE sequence > %s AND kind = 'settings_changed'",
                (self.first_event,)).fetchone(), "the collector to read the setting")

        wait_until(lambda: self.observer.execute(
            "SELECT 1 FROM pgvalet.idle_policy_counts WHERE rule_name = 'there'").fetchone(),
            "the rule of the other database")

    def test_no_database_no_rules_and_no_failing_worker(self):
        self.rule()
        self.addCleanup(self.server.set, database="postgres")
        self.server.set(database="not_there")
        wait_until(lambda: self.status().rule_count == 0, "the rules to go")
        self.observer.execute("SELECT pg_reload_conf()")
        self.server.set(database="")

        wait_until(lambda: self.status().error is None, "the error to go")
        self.assertNotIn('FATAL:  database "not_there"', self.server.log_text())

    def test_database_that_comes_later_is_found(self):
        self.observer.execute("DROP DATABASE IF EXISTS later")
        self.addCleanup(self.server.set, database="postgres")
        self.server.set(database="later")
        wait_until(lambda: self.status().error == "there is no database of this name", "the error")

        self.recreate("later")

        wait_until(lambda: "no extension" in (self.status().error or ""), "the reading")
        with self.server.connect(dbname="later") as connection:
            connection.execute("CREATE EXTENSION pgvalet")
            connection.execute(INSERT)
        wait_until(lambda: self.status().rule_count == 1, "the rule")

    def test_foreign_tables_of_these_names_are_not_read(self):
        self.recreate("trap")
        with self.server.connect(dbname="trap") as connection:
            connection.execute("CREATE SCHEMA pgvalet")
            connection.execute("CREATE VIEW pgvalet.idle_policy AS SELECT pg_sleep(1000)::text")
        self.addCleanup(self.server.set, database="postgres")

        self.server.set(database="trap")

        wait_until(lambda: "no extension" in (self.status().error or ""), "the reading")

    def test_old_version_of_the_extension_has_no_tables(self):
        self.recreate("old")
        self.addCleanup(self.server.set, database="postgres")
        self.server.set(database="old")
        with self.server.connect(dbname="old") as connection:
            connection.execute("CREATE EXTENSION pgvalet VERSION '1.0'")
            wait_until(lambda: "update it" in (self.status().error or ""), "the reading")

            connection.execute("ALTER EXTENSION pgvalet UPDATE")
            connection.execute(INSERT)

        wait_until(lambda: self.status().rule_count == 1, "the rule")
        self.assertIsNone(self.status().error)

    def test_drop_extension_ends_the_rules_and_create_extension_begins_anew(self):
        self.rule()
        with self.server.connect(dbname="template1", application_name="observer") as other:
            other.execute("CREATE EXTENSION pgvalet")
            try:
                self.observer.execute("DROP EXTENSION pgvalet")
                wait_until(lambda: "no extension" in (self.status(other).error or ""), "the error")
                self.assertEqual(self.status(other).rule_count, 0)
                self.observer.execute("BEGIN")
                self.observer.execute("CREATE EXTENSION pgvalet")
                self.observer.execute(INSERT)
                self.observer.execute("COMMIT")
                wait_until(lambda: self.status(other).rule_count == 1, "the rule")
            finally:
                other.execute("DROP EXTENSION pgvalet")

    def test_dump_and_restore_keep_the_rules(self):
        self.rule(spares_roles=["a", "b"], client_network="10.0.0.0/8", end_after=SHORT)
        self.insert("connection_budget", name="budget", max_connections=5)
        everything = ("SELECT i::text AS rule, b::text AS budget"
                      " FROM pgvalet.idle_policy AS i, pgvalet.connection_budget AS b")
        before = self.one(self.observer, everything)
        self.recreate("restored", template="template0")

        def run(program, *arguments, **more):
            return subprocess.run(
                [os.path.join(self.server.bin, program), "-h", self.server.directory, "-p",
                 str(self.server.port), "-U", "postgres", *arguments], check=True, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", **as_server_user(),
                **more)

        dump = run("pg_dump", "postgres").stdout
        run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "restored", input=dump)

        with self.server.connect(dbname="restored") as connection:
            self.assertEqual(self.one(connection, everything), before)


if __name__ == "__main__":
    unittest.main()
