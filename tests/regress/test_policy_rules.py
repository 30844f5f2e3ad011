"""Rules of pgvalet.idle_policy: which one is for whom, and what it does.

No test measures time: each waits, with a deadline, for something to happen, and
where something must not happen, for a witness that it would have happened to
first.  How rules come into force is in test_policy_tables.py.
"""

import concurrent.futures
import unittest

import psycopg
from psycopg import errors

from policy_server import PolicyTest, told_of
from server import wait_until

SHORT = "200 ms"
LONGER = "600 ms"
NEVER = "1 hour"


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


class ActionTest(PolicyTest):
    def notices(self, session):
        told = []
        session.add_notice_handler(lambda diagnostic: told.append(told_of(diagnostic)))
        return told

    def test_idle_session_is_ended(self):
        self.rule(end_after=SHORT)

        words = self.last_words(self.app())

        self.assertEqual((words.severity, words.sqlstate), ("FATAL", "57P05"))
        self.assertEqual(words.message,
                         'terminating connection due to rule "rule" of pgvalet.idle_policy')
        self.assertIn("waited for a command outside a transaction", words.detail)
        self.assertIn("the rule allows 200 ms", words.detail)

    def test_session_in_a_failed_transaction_is_in_a_transaction(self):
        self.rule(state="idle in transaction", end_after=SHORT)
        session = self.app()
        session.execute("BEGIN")
        with self.assertRaises(errors.DivisionByZero):
            session.execute("SELECT 1 / 0")

        self.assertEqual(self.last_words(session).sqlstate, "25P03")

    def test_rule_for_failed_transactions_is_for_no_others(self):
        self.rule(state="idle in transaction (aborted)", end_after=SHORT)
        failed, open_one = self.app(), self.app()
        open_one.execute("BEGIN")
        failed.execute("BEGIN")
        with self.assertRaises(errors.DivisionByZero):
            failed.execute("SELECT 1 / 0")

        self.assertEqual(self.last_words(failed).sqlstate, "25P03")
        self.assertTrue(self.is_connected(open_one))

    def test_long_statement_is_cancelled_and_the_session_goes_on(self):
        self.rule(state="active", cancel_after=SHORT)
        session = self.app()

        with self.assertRaises(errors.QueryCanceled) as caught:
            session.execute("SELECT pg_sleep(60)")

        words = told_of(caught.exception.diag)
        self.assertEqual(words.message,
                         'canceling statement due to rule "rule" of pgvalet.idle_policy')
        self.assertIn("the rule allows 200 ms", words.detail)
        self.assertEqual(session.execute("SELECT 1 AS x").fetchone().x, 1)
        wait_until(lambda: self.counts().cancel_count == 1, "the count")

    def test_statement_that_catches_its_cancellation_is_cancelled_again_and_ended(self):
        self.rule(state="active", cancel_after=SHORT, end_after="2 s")
        session = self.app()

        with self.assertRaises(psycopg.OperationalError) as caught:
            session.execute("DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(60);"
                            " EXCEPTION WHEN query_canceled THEN END; END LOOP; END $$")

        self.assertIn('terminating connection due to rule "rule"', str(caught.exception))
        self.assertEqual([event.rule_name for event in self.events("policy_ended")], ["rule"])

    def test_long_statement_of_an_extended_query_is_cancelled(self):
        self.rule(state="active", cancel_after=SHORT)
        session = self.app()
        session.prepare_threshold = 0
        session.execute("SELECT %s::int", (1,))

        with self.assertRaises(errors.QueryCanceled) as caught:
            session.execute("SELECT pg_sleep(%s)", (60,))

        self.assertIn('rule "rule"', caught.exception.diag.message_primary)

    def test_statement_timeout_keeps_its_own_words(self):
        self.rule(state="active", cancel_after=NEVER)
        session = self.app()
        session.execute("SET statement_timeout = 100")

        with self.assertRaises(errors.QueryCanceled) as caught:
            session.execute("SELECT pg_sleep(60)")

        self.assertIn("statement timeout", caught.exception.diag.message_primary)

    def test_old_session_is_ended_when_it_is_idle(self):
        self.rule(state="session age", end_after=SHORT)

        words = self.last_words(self.app())

        self.assertEqual(words.sqlstate, "57P05")
        self.assertIn("was connected", words.detail)

    def test_old_session_that_is_never_idle_for_long_is_ended_between_two_commands(self):
        self.rule(state="session age", end_after=SHORT)
        session = self.app()

        with self.assertRaises(psycopg.OperationalError):
            while True:
                session.execute("SELECT 1")

        self.assertEqual(self.counts().end_count, 1)

    def test_old_session_is_not_ended_in_a_transaction(self):
        self.rule(state="session age", end_after=SHORT)
        session = self.app()
        session.execute("BEGIN")
        self.wait_until_ended(self.app())

        self.assertEqual(session.execute("SELECT 1 AS x").fetchone().x, 1)
        session.execute("COMMIT")
        self.wait_until_ended(session)
        self.assertIn(session.info.backend_pid,
                      [event.pid for event in self.events("policy_ended")])

    def test_client_is_warned_with_its_next_answer_and_the_log_at_once(self):
        self.rule(warn_after=SHORT, end_after=NEVER)
        session = self.app()
        told = self.notices(session)
        wait_until(lambda: self.counts().warn_count == 1, "the warning to be due")
        line = f'session {session.info.backend_pid} has been idle for'
        self.assertIn(line, self.server.log_text())
        self.assertEqual(told, [])

        session.execute("SELECT 1")

        self.assertEqual([(words.severity, words.message) for words in told],
                         [("WARNING", 'rule "rule" of pgvalet.idle_policy warns this session')])
        self.assertIn("ended after 3600000 ms", told[0].detail)

    def test_warning_about_a_statement_comes_with_its_answer(self):
        self.rule(state="active", warn_after=SHORT)
        session = self.app()
        told = self.notices(session)

        session.execute("SELECT pg_sleep(1)")

        self.assertIn("worked on a statement", told[0].detail)

    def test_log_says_who_it_is(self):
        self.rule(log_after=SHORT)
        self.app()

        wait_until(lambda: self.counts().log_count == 1, "the log")

        self.assertIn('DETAIL:  Role "postgres", database "postgres", application "app",'
                      ' client [local].', self.server.log_text())

    def test_actions_come_one_after_the_other_and_once_each(self):
        self.rule(log_after="100 ms", warn_after="200 ms", end_after="300 ms")
        session = self.app()

        self.wait_until_ended(session)

        events = [event for event in self.events("policy_logged", "policy_warned", "policy_ended")
                  if event.pid == session.info.backend_pid]
        self.assertEqual([event.kind for event in events],
                         ["policy_logged", "policy_warned", "policy_ended"])
        counts = self.counts()
        self.assertEqual((counts.log_count, counts.warn_count, counts.end_count), (1, 1, 1))

    def test_every_wait_counts_anew(self):
        self.rule(log_after=SHORT)
        session = self.app()
        for times in 1, 2, 3:
            wait_until(lambda: self.counts().log_count == times, "the log")
            session.execute("SELECT 1")

    def test_hint_says_whom_to_ask(self):
        self.addCleanup(self.server.set, policy_contact="")
        self.server.set(policy_contact="Ask dba@example.org.")
        session = self.app()
        self.rule(end_after=SHORT)

        self.assertTrue(self.last_words(session).hint.endswith("Ask dba@example.org."))

    def test_contact_is_printable_ascii(self):
        with self.assertRaises(psycopg.Error):
            self.observer.execute("ALTER SYSTEM SET pgvalet.policy_contact = 'b\u00e9ll'")

    def test_event_says_who_was_ended_and_why(self):
        self.rule(end_after=SHORT)
        session = self.app(tcp=True)
        self.wait_until_ended(session)

        event, = self.events("policy_ended")

        self.assertEqual((event.pid, event.role_name, event.database_name, event.application_name,
                          str(event.client_addr), event.rule_name, event.is_dry_run),
                         (session.info.backend_pid, "postgres", "postgres", "app", "127.0.0.1",
                          "rule", False))
        self.assertRegex(event.message, "^idle for [0-9]+ ms$")


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


class DryRunTest(PolicyTest):
    def test_rule_in_a_dry_run_only_counts(self):
        self.rule(log_after="100 ms", warn_after="150 ms", end_after=SHORT, is_dry_run=True)
        session = self.app()

        wait_until(lambda: self.counts().dry_end_count == 1, "the end that does not come")

        self.assertEqual(session.execute("SELECT 1 AS x").fetchone().x, 1)
        counts = self.counts()
        self.assertEqual((counts.dry_log_count, counts.dry_warn_count, counts.end_count,
                          counts.log_count, counts.warn_count), (1, 1, 0, 0, 0))
        events = self.events("policy_logged", "policy_warned", "policy_ended")
        self.assertEqual([event.is_dry_run for event in events[:3]], [True] * 3)
        self.assertNotIn(f"session {session.info.backend_pid} has been", self.server.log_text())

    def test_cancellation_in_a_dry_run_lets_the_statement_be(self):
        self.rule(state="active", cancel_after=SHORT, is_dry_run=True)

        self.app().execute("SELECT pg_sleep(1)")

        self.assertEqual(self.counts().dry_cancel_count, 1)

    def test_all_rules_in_a_dry_run(self):
        self.addCleanup(self.server.set, idle_policy_dry_run="off")
        self.server.set(idle_policy_dry_run="on")
        self.rule(end_after=SHORT)
        session = self.app()
        wait_until(lambda: self.counts().dry_end_count == 1, "the end that does not come")
        self.assertTrue(self.is_connected(session))
        self.assertTrue(self.counts().is_dry_run)

        self.server.set(idle_policy_dry_run="off")

        self.assertEqual(self.last_words(session).sqlstate, "57P05")

    def test_session_that_waits_is_ended_when_the_rule_becomes_serious(self):
        self.rule(end_after=SHORT, is_dry_run=True)
        session = self.app()
        wait_until(lambda: self.counts().dry_end_count == 1, "the end that does not come")

        self.wait_for_generation(lambda: self.observer.execute(
            "UPDATE pgvalet.idle_policy SET is_dry_run = false"))

        self.assertEqual(self.last_words(session).sqlstate, "57P05")
        self.assertEqual((self.counts().dry_end_count, self.counts().end_count), (1, 1))


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
