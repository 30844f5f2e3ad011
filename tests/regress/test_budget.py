"""Connection budgets: who is counted, who is refused, with which words."""

import concurrent.futures
import unittest

import psycopg

from policy_server import PolicyTest
from server import wait_until


class BudgetTest(PolicyTest):
    def setUp(self):
        super().setUp()
        self.role("alice")
        self.role("bob")

    def budget(self, name="budget", **columns):
        self.wait_for_generation(lambda: self.insert("connection_budget", name=name, **columns))

    def use(self, name="budget"):
        return self.one(self.observer, "SELECT * FROM pgvalet.budget WHERE budget_name = %s", name)

    def used(self, name="budget"):
        use = self.use(name)
        return use.agent_connections + use.direct_connections

    def refusal(self, **parameters):
        """The words in which a login is refused."""
        with self.assertRaises(psycopg.OperationalError) as caught:
            self.server.connect(**parameters)
        return str(caught.exception)

    def test_login_over_the_limit_is_refused_with_a_message_that_names_the_budget(self):
        self.budget(role_name="alice", max_connections=2)
        for _ in range(2):
            self.connect(user="alice")

        words = self.refusal(user="alice")

        self.assertIn('FATAL:  too many connections for budget "budget" of'
                      ' pgvalet.connection_budget', words)
        self.assertIn("DETAIL:  2 of 2 connections are in use.", words)
        self.assertIn("HINT:  Close connections that are not used", words)
        self.assertIn('too many connections for budget "budget"', self.server.log_text())

    def test_refusal_has_the_sqlstate_of_too_many_connections(self):
        self.budget(role_name="alice", max_connections=0)
        connection = psycopg.pq.PGconn.connect(
            f"host={self.server.directory} port={self.server.port} user=alice"
            " dbname=postgres".encode())
        self.assertEqual(connection.status, psycopg.pq.ConnStatus.BAD)
        connection.finish()
        # libpq keeps no SQLSTATE of a failed login; the log has it.
        self.observer.execute("ALTER SYSTEM SET log_error_verbosity = verbose")
        self.addCleanup(self.observer.execute, "ALTER SYSTEM RESET log_error_verbosity")
        self.observer.execute("SELECT pg_reload_conf()")

        def is_in_log():
            self.refusal(user="alice")
            return "FATAL:  53300: too many connections for budget" in self.server.log_text()

        wait_until(is_in_log, "the SQLSTATE")

    def test_hint_says_whom_to_ask(self):
        self.addCleanup(self.server.set, policy_contact="")
        self.server.set(policy_contact="Ask dba@example.org.")
        self.budget(role_name="alice", max_connections=0)

        wait_until(lambda: "Ask dba@example.org." in self.refusal(user="alice"), "the contact")

    def test_place_is_free_again_when_a_session_ends(self):
        self.budget(role_name="alice", max_connections=1)
        self.connect(user="alice").close()
        wait_until(lambda: self.used() == 0, "the session to leave")

        self.connect(user="alice")

        self.assertEqual(self.used(), 1)

    def test_others_are_not_counted(self):
        self.budget(role_name="alice", max_connections=1)
        for _ in range(3):
            self.connect(user="bob")
        self.assertEqual(self.used(), 0)

    def test_database(self):
        self.budget(database_name="template1", max_connections=1)
        self.connect(user="alice", dbname="template1")

        self.assertIn("budget", self.refusal(user="bob", dbname="template1"))
        self.connect(user="bob")

    def test_application(self):
        self.budget(application_pattern="job %", max_connections=1)
        self.connect(user="alice", application_name="job 1")

        self.assertIn("budget", self.refusal(user="bob", application_name="job 2"))
        self.connect(user="bob", application_name="jobs")

    def test_application_is_that_of_now(self):
        self.budget(application_pattern="job%", max_connections=1)
        session = self.connect(user="alice", application_name="job 1")
        session.execute("SET application_name = 'something else'")

        self.assertEqual(self.used(), 0)
        self.connect(user="bob", application_name="job 2")

    def test_members(self):
        self.role("team", options="NOLOGIN")
        self.role("carol", member_of="team")
        self.role("dave", member_of="carol")
        self.budget(role_name="team", includes_members=True, max_connections=1)
        self.connect(user="dave")

        self.assertIn("budget", self.refusal(user="carol"))
        self.connect(user="alice")

    def test_everybody(self):
        self.budget(max_connections=2)
        self.connect(user="alice")

        # The observer is the other one.
        self.assertIn("budget", self.refusal(user="bob"))

    def test_pooled_and_direct_sessions_count_together(self):
        self.budget(role_name="alice", max_connections=3)
        self.connect_agent(user="alice")
        self.connect_agent(user="alice")
        self.connect(user="alice")

        self.assertIn("budget", self.refusal(user="alice"))
        self.assertIn("budget", self.refusal(user="alice", options="-c pgvalet.agent=pgvaletd/x:1"))
        use = self.use()
        self.assertEqual((use.agent_connections, use.direct_connections, use.free_connections),
                         (2, 1, 0))

    def test_superuser_counts_and_is_not_refused(self):
        self.budget(application_pattern="app", max_connections=1)
        self.app()
        self.app()

        self.assertEqual(self.used(), 2)
        self.assertEqual(self.use().free_connections, 0)
        self.assertIn("2 of 1", self.refusal(user="alice", application_name="app"))

    def test_last_places_are_for_the_named_roles_and_their_members(self):
        self.role("staff", options="NOLOGIN")
        self.role("carol", member_of="staff")
        self.budget(application_pattern="app", max_connections=3, reserved_for=["staff"],
                    reserved_connections=2)
        self.app(user="alice")

        words = self.refusal(user="bob", application_name="app")
        self.assertIn("1 of 3 connections are in use, 2 are reserved", words)
        self.app(user="carol")
        self.app(user="carol")
        self.assertIn("3 of 3", self.refusal(user="carol", application_name="app"))

    def test_view_shows_for_whom_a_budget_is(self):
        self.role("team", options="NOLOGIN")
        self.budget("a", role_name="team", includes_members=True, max_connections=5,
                    reserved_connections=2, reserved_for=["alice", "bob"])
        self.budget("b", max_connections=5)

        self.assertEqual((self.use("a").includes_members, self.use("a").reserved_for),
                         (True, ["alice", "bob"]))
        self.assertEqual((self.use("b").includes_members, self.use("b").reserved_for), (False, []))

    def test_smallest_of_several_budgets_refuses(self):
        self.budget("wide", role_name="alice", max_connections=5)
        self.budget("narrow", application_pattern="app", max_connections=1)
        self.app(user="alice")

        self.assertIn('budget "narrow"', self.refusal(user="alice", application_name="app"))
        self.assertEqual(self.used("wide"), 1)

    def test_sessions_that_were_there_before_the_budget_count(self):
        self.connect(user="alice")
        self.connect(user="alice")

        self.budget(role_name="alice", max_connections=2)

        wait_until(lambda: self.used() == 2, "the sessions to be counted")
        self.assertIn("budget", self.refusal(user="alice"))

    def test_everybody_counts_while_rules_and_budgets_change(self):
        self.budget(role_name="alice", max_connections=2)
        for _ in range(2):
            self.connect(user="alice")
        self.rule("unrelated", end_after="1 hour")
        seen = set()

        def look_until_generation(generation):
            while True:
                row = self.one(self.observer, "SELECT s.generation, b.direct_connections AS used"
                               " FROM pgvalet.policy_status AS s, pgvalet.budget AS b"
                               " WHERE b.budget_name = 'budget'")
                seen.add(row.used)
                if row.generation >= generation:
                    return True

        def change(n):
            before = self.status().generation
            self.observer.execute("UPDATE pgvalet.idle_policy SET end_after = %s * interval '1 h'",
                                  (n,))
            look_until_generation(before + 1)
            self.insert("connection_budget", name=f"a {n}", max_connections=1000)
            look_until_generation(before + 2)

        for n in range(2, 12):
            change(n)
        self.assertEqual(seen, {2})

    def test_budget_counts_those_who_are_there_from_its_first_moment(self):
        for _ in range(2):
            self.connect(user="alice")
        for n in range(10):
            self.budget(f"budget {n}", role_name="alice", max_connections=2)
            self.assertIn("too many connections", self.refusal(user="alice"))
            self.wait_for_generation(
                lambda: self.observer.execute("TRUNCATE pgvalet.connection_budget"))

    def test_budgets_with_and_without_patterns_are_counted_apart(self):
        for n in range(70):
            self.insert("connection_budget", name=f"other {n}", role_name="bob",
                        max_connections=1000)
        self.insert("connection_budget", name="all", max_connections=1000)
        self.insert("connection_budget", name="some", application_pattern="x%",
                    max_connections=1000)
        wait_until(lambda: self.status().budget_count == 72, "the budgets")
        names = ["x1", "x2", "x3", "y", "z"]
        sessions = [self.connect(user="alice", application_name=name) for name in names]
        self.connect(user="bob", application_name="y")

        self.assertEqual(self.used("some"), 3)
        self.assertEqual(self.used("other 69"), 1)
        self.assertEqual(self.used("all"), len(sessions) + 2)

    def test_sessions_move_to_other_budgets_when_memberships_change(self):
        self.role("team", options="NOLOGIN")
        self.connect(user="alice")
        self.budget(role_name="team", includes_members=True, max_connections=1)
        self.assertEqual(self.used(), 0)

        self.observer.execute("GRANT team TO alice")

        wait_until(lambda: self.used() == 1, "the session to be counted")

    def test_budget_in_a_dry_run_refuses_nobody_and_counts(self):
        self.budget(role_name="alice", max_connections=0, is_dry_run=True)

        self.connect(user="alice")

        use = self.use()
        self.assertEqual((use.refused_count, use.dry_refused_count, use.is_dry_run), (0, 1, True))
        event, = self.events("budget_refused")
        self.assertTrue(event.is_dry_run)

    def test_refusals_are_counted_and_an_event(self):
        self.budget(role_name="alice", max_connections=0)

        for _ in range(5):
            self.refusal(user="alice", application_name="app", tcp=True)

        self.assertEqual(self.use().refused_count, 5)
        first = self.events("budget_refused")[0]
        self.assertEqual((first.rule_name, first.role_name, first.database_name,
                          first.application_name, str(first.client_addr), first.message),
                         ("budget", "alice", "postgres", "app", "127.0.0.1",
                          "0 of 0 connections are in use"))

    def test_storm_of_refusals_does_not_fill_the_ring(self):
        self.budget(role_name="alice", max_connections=0)

        for _ in range(100):
            self.refusal(user="alice")

        self.assertEqual(self.use().refused_count, 100)
        self.assertLess(len(self.events("budget_refused")), 50)

    def test_refused_login_is_no_session(self):
        before = self.one(self.observer, "SELECT * FROM pgvalet.summary")
        self.budget(role_name="alice", max_connections=0)

        self.refusal(user="alice")

        after = self.one(self.observer, "SELECT * FROM pgvalet.summary")
        self.assertEqual(after.session_count, before.session_count)
        # Sessions of other tests may have ended meanwhile.
        self.assertLessEqual(after.connections, before.connections)

    def test_highest_use_is_kept(self):
        self.budget(role_name="alice", max_connections=5)
        sessions = [self.connect(user="alice") for _ in range(3)]
        for session in sessions:
            session.close()
        wait_until(lambda: self.used() == 0, "the sessions to leave")

        self.assertEqual(self.use().highest_connections, 3)
        self.assertIsNotNone(self.use().highest_at)

    def test_many_logins_at_once_get_exactly_the_places_there_are(self):
        self.budget(role_name="alice", max_connections=5)

        def try_to_connect(_):
            try:
                return self.connect(user="alice")
            except psycopg.OperationalError as error:
                self.assertIn('budget "budget"', str(error))
                return None

        with concurrent.futures.ThreadPoolExecutor(20) as executor:
            sessions = list(executor.map(try_to_connect, range(20)))

        self.assertEqual(sum(session is not None for session in sessions), 5)
        self.assertEqual(self.use().highest_connections, 5)

    def test_walsender_is_not_counted(self):
        self.budget(max_connections=100)
        before = self.used()
        self.connect(replication="database")
        self.assertEqual(self.used(), before)

    def test_change_of_the_limit_keeps_the_counts(self):
        self.budget(role_name="alice", max_connections=0)
        self.refusal(user="alice")

        self.wait_for_generation(lambda: self.observer.execute(
            "UPDATE pgvalet.connection_budget SET max_connections = 1"))

        self.connect(user="alice")
        self.assertEqual(self.use().refused_count, 1)

    def test_missing_names_are_remarked(self):
        self.budget(role_name="nobody", max_connections=1, reserved_for=["noone"],
                    reserved_connections=1)
        self.assertEqual(self.status().remarks, 'budget "budget": there is no role "nobody"; '
                         'budget "budget": there is no role "noone"')

    def test_budgets_there_is_no_room_for_are_named(self):
        self.wait_for_generation(lambda: self.observer.execute(
            "INSERT INTO pgvalet.connection_budget (name, max_connections)"
            " SELECT format('budget %s', lpad(n::text, 3, '0')), 100"
            " FROM generate_series(1, 257) AS n"))

        self.assertEqual(self.status().budget_count, 256)
        self.assertEqual(self.status().left_out, 'budget "budget 257" is one too many')
        # Every one of them counts.
        self.assertEqual(self.used("budget 256"), self.used("budget 001"))


if __name__ == "__main__":
    unittest.main()
