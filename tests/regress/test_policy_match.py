"""Rules of pgvalet.idle_policy: which one is for whom, and how that is explained.

No test measures time: each waits, with a deadline, for something to happen, and
where something must not happen, for a witness that it would have happened to
first.  What rules do is in test_policy_rules.py.
"""

import concurrent.futures
import unittest

from policy_server import NEVER, SHORT, PolicyTest
from server import wait_until

LONGER = "600 ms"


class MatchTest(PolicyTest):
    """Each condition ends who meets it and spares who does not."""

    def check(self, ended, spared, **columns):
        """A rule with these columns ends the first session and lets the second be."""
        # The witness is for the second, behind the rule that is looked at.
        self.rule("a", end_after=SHORT, **columns)
        self.rule("witness", application_pattern=None, end_after=LONGER,
                  spares_roles=["watching"])

        self.assertIn('rule "a"', self.last_words(ended).message)
        self.assertIn('rule "witness"', self.last_words(spared).message)

    def setUp(self):
        super().setUp()
        # The rule for the rest must not end who looks.
        self.role("watching", options="LOGIN SUPERUSER")
        self.observer = self.connect(application_name="observer", user="watching")

    def test_role(self):
        self.role("alice")
        self.role("bob")
        self.check(self.app(user="alice"), self.app(user="bob"), role_name="alice")

    def test_members_of_the_role(self):
        self.role("staff", options="NOLOGIN")
        self.role("alice", member_of="staff")
        self.role("carol", member_of="alice")
        self.role("bob")
        self.check(self.app(user="carol"), self.app(user="bob"), role_name="staff",
                   includes_members=True)

    def test_members_only_if_the_rule_includes_them(self):
        self.role("staff")
        self.role("alice", member_of="staff")
        self.check(self.app(user="staff"), self.app(user="alice"), role_name="staff")

    def test_database(self):
        self.check(self.app(dbname="template1"), self.app(), database_name="template1")

    def test_application(self):
        self.check(self.app(application_name="app 1.5"), self.app(application_name="App 1.5"),
                   application_pattern="app _.%")

    def test_network(self):
        self.check(self.app(tcp=True), self.app(), client_network="127.0.0.0/9")

    def test_network_that_is_another(self):
        self.check(self.app(), self.app(tcp=True), client_is_local=True)

    def test_remote_clients(self):
        self.check(self.app(tcp=True), self.app(), client_is_local=False)

    def test_agents(self):
        agent = self.connect_agent(application_name="app")
        self.check(agent, self.app(), connection_kind="agent")

    def test_direct_connections(self):
        agent = self.connect_agent(application_name="app")
        self.check(self.app(), agent, connection_kind="direct")

    def test_state(self):
        inside = self.app()
        inside.execute("BEGIN")
        self.rule("a", "idle in transaction", end_after=SHORT)

        self.assertEqual(self.last_words(inside).sqlstate, "25P03")

    def test_network_of_another_address_does_not_match(self):
        self.rule("a", client_network="10.0.0.0/8", end_after=SHORT)
        self.rule("v6", client_network="::/0", end_after=SHORT)

        row = self.policy_for(self.app(tcp=True), "idle")[0]

        self.assertEqual(row.remark, "no rule matches")


class OrderTest(PolicyTest):
    def test_first_rule_that_matches_is_the_one(self):
        self.rule("later", position=20, end_after=SHORT)
        self.rule("first", position=10, end_after=LONGER)

        self.assertIn('rule "first"', self.last_words(self.app()).message)

    def test_rule_without_delays_lets_its_sessions_be(self):
        self.rule("let be", position=10, application_pattern="app spared")
        self.rule("others", position=20, application_pattern="app%", end_after=SHORT)
        spared = self.app(application_name="app spared")

        self.wait_until_ended(self.app())

        self.assertEqual(spared.execute("SELECT 1 AS x").fetchone().x, 1)
        self.assertEqual(self.policy_for(spared, "idle")[0].remark, "the rule does nothing")

    def test_settings_come_behind_the_rules(self):
        self.rule("let be", position=10)
        self.addCleanup(self.server.set, idle_session_timeout=0)
        spared = self.app()
        witness = self.connect(application_name="other")
        # Agents are exempt from the setting.
        self.observer = self.connect_agent(application_name="observer")
        self.server.set(idle_session_timeout="300ms")

        self.assertIn("pgvalet.idle_session_timeout", self.last_words(witness).message)

        self.assertTrue(self.is_connected(spared))

    def test_order_can_be_changed(self):
        self.rule("first", position=10)
        self.rule("second", position=20, end_after=SHORT)
        session = self.app()
        self.assertEqual(self.policy_for(session, "idle")[0].rule_name, "first")

        self.wait_for_generation(lambda: self.observer.execute(
            "UPDATE pgvalet.idle_policy SET position = 30 - position"))

        self.assertIn('rule "second"', self.last_words(session).message)


class ExemptionTest(PolicyTest):
    def check(self, spared, remark, **columns):
        """The rule ends the witness and lets the other be."""
        witness = self.app(user="plain")
        self.rule(end_after=SHORT, **columns)
        self.wait_until_ended(witness)

        self.assertTrue(self.is_connected(spared))
        self.assertIn(remark, self.policy_for(spared, "idle")[0].remark)
        self.assertEqual(self.counts().end_count, 1)

    def setUp(self):
        super().setUp()
        self.role("plain")

    def test_superusers(self):
        self.check(self.app(), "superuser", spares_superusers=True)

    def test_superuser_that_is_one_no_more(self):
        self.role("former", options="LOGIN SUPERUSER")
        session = self.app(user="former")
        self.check(session, "superuser", spares_superusers=True)

        self.observer.execute("ALTER ROLE former NOSUPERUSER")

        self.assertEqual(self.last_words(session).sqlstate, "57P05")

    def test_holders_of_advisory_locks_while_they_hold_them(self):
        session = self.app()
        session.execute("SELECT pg_advisory_lock(1)")
        self.check(session, "advisory lock", spares_advisory_locks=True)

        session.execute("SELECT pg_advisory_unlock(1)")

        self.assertEqual(self.last_words(session).sqlstate, "57P05")

    def test_listeners_while_they_listen(self):
        session = self.app()
        session.execute("DO $$ BEGIN EXECUTE 'LISTEN channel'; END $$")
        self.check(session, "listens", spares_listeners=True)

        session.execute("UNLISTEN *")

        self.assertEqual(self.last_words(session).sqlstate, "57P05")

    def test_listen_that_was_rolled_back_is_none(self):
        session = self.app()
        session.execute("BEGIN; LISTEN channel; ROLLBACK")
        self.rule(end_after=SHORT, spares_listeners=True)

        self.assertEqual(self.last_words(session).sqlstate, "57P05")

    def test_listener_that_discards_all_is_none(self):
        session = self.app()
        session.execute("LISTEN channel")
        session.execute("DISCARD ALL")
        session.execute("SET application_name = 'app'")
        self.rule(end_after=SHORT, spares_listeners=True)

        self.assertEqual(self.last_words(session).sqlstate, "57P05")

    def test_named_roles_and_their_members(self):
        self.role("batch", options="NOLOGIN")
        self.role("nightly", member_of="batch")
        self.check(self.app(user="nightly"), "spares_roles", spares_roles=["other", "batch"])

    def test_spared_session_finds_no_later_rule(self):
        spared = self.app()
        self.rule("first", position=1, end_after=SHORT, spares_superusers=True)
        self.rule("second", position=2, end_after=SHORT)
        self.wait_until_ended(self.app(user="plain"))
        self.wait_until_ended(self.app(user="plain"))

        self.assertTrue(self.is_connected(spared))


class ShareTest(PolicyTest):
    SETTINGS = {"max_connections": "13"}

    def test_sessions_are_ended_until_the_share_is_no_longer_reached(self):
        # Of 10 ordinary connections, 8 are used: one watches, and one is a witness.
        sessions = [self.app() for _ in range(6)]
        witness = self.app(application_name="witness")
        self.rule(end_after=SHORT, min_used_share=0.5)

        wait_until(lambda: self.counts().end_count == 3, "three sessions to end")

        # Whoever waited longest, and no one more while the collector looks on.
        self.rule("witness", application_pattern="witness", end_after=LONGER)
        session = sessions[-1]
        self.assertEqual(self.policy_for(session, "idle")[0].remark, "no rule matches")
        self.wait_until_ended(witness)
        self.assertEqual([self.is_connected(session) for session in sessions],
                         [False] * 3 + [True] * 3)


class ExplanationTest(PolicyTest):
    def test_policy_for_says_which_rule_why_and_when(self):
        self.rule(state="idle in transaction", log_after="1 min", end_after="25 hours",
                  database_name="postgres", client_is_local=True)
        session = self.app()
        session.execute("BEGIN")
        since = self.backend(self.observer, session.info.backend_pid).state_since

        log, end = self.policy_for(session, "idle in transaction")

        self.assertTrue(log.is_present)
        self.assertEqual(log.rule_name, "rule")
        self.assertEqual(log.matched_by,
                         'database "postgres", application like "app", local client')
        self.assertEqual((log.action, log.fires_at), ("log", since + log.after))
        self.assertEqual(end.after.total_seconds(), 25 * 3600)
        aborted = self.policy_for(session, "idle in transaction (aborted)")
        self.assertEqual([row.rule_name for row in aborted], ["rule"] * 2)
        self.assertEqual([row.fires_at for row in aborted], [None] * 2)
        self.assertIn("counts from", aborted[0].remark)

    def test_policy_for_says_what_was_done(self):
        self.rule(log_after=SHORT, end_after=NEVER)
        session = self.app()
        wait_until(lambda: self.counts().log_count == 1, "the log")

        self.assertEqual(self.policy_for(session, "idle", "log").remark, "done")
        self.assertIsNotNone(self.policy_for(session, "idle", "end").fires_at)

    def test_policy_for_knows_the_settings(self):
        self.addCleanup(self.server.set, idle_session_timeout=0)
        self.server.set(idle_session_timeout="1h")
        session = self.app()
        self.observer.execute("SELECT 1")

        end = wait_until(lambda: [row for row in self.policy_for(session, "idle") if row.action],
                         "the reload")[0]

        self.assertEqual((end.rule_name, end.action), ("pgvalet.idle_session_timeout", "end"))

    def test_policy_for_an_active_session(self):
        self.rule(state="active", cancel_after=NEVER)
        session = self.app()
        with concurrent.futures.ThreadPoolExecutor() as executor:
            done = executor.submit(session.execute, "SELECT pg_sleep(1)")
            row = wait_until(lambda: [row for row in self.policy_for(session, "active")
                                      if row.is_present], "the statement to begin")[0]
            started = self.one(self.observer, "SELECT query_start FROM pg_stat_activity"
                               " WHERE pid = %s", session.info.backend_pid).query_start
            done.result()

        self.assertEqual(row.fires_at, started + row.after)


if __name__ == "__main__":
    unittest.main()
