"""Rules of pgvalet.idle_policy: what they do.

No test measures time: each waits, with a deadline, for something to happen, and
where something must not happen, for a witness that it would have happened to
first.  Which rule is for whom is in test_policy_match.py, that nobody escapes in
test_policy_escape.py, how rules come into force in test_policy_tables.py.
"""

import unittest

import psycopg
from psycopg import errors

from policy_server import NEVER, SHORT, PolicyTest, told_of
from server import wait_until


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

    def test_cancellation_that_a_function_catches_is_told_and_counted(self):
        self.rule(state="active", cancel_after=SHORT)

        self.app().execute("DO $$ BEGIN PERFORM pg_sleep(60);"
                           " EXCEPTION WHEN query_canceled THEN END $$")

        self.assertEqual(self.counts().cancel_count, 1)
        self.assertEqual(len(self.events("policy_cancelled")), 1)
        self.assertIn('canceled statement due to rule "rule" of pgvalet.idle_policy,'
                      ' and a function caught the error', self.server.log_text())

    def test_statement_that_ends_just_before_its_cancellation_is_not_counted(self):
        """Whatever is counted was told: to the client, or in the log."""
        self.rule(state="active", cancel_after="50 ms")
        session = self.app()
        told = 0
        for _ in range(40):
            try:
                session.execute("SELECT pg_sleep(0.05)")
            except errors.QueryCanceled:
                told += 1

        self.assertEqual(self.counts().cancel_count, told)
        self.assertNotIn(f"[{session.info.backend_pid}] LOG:  canceled", self.server.log_text())

    def test_commit_that_waits_for_a_standby_is_not_acknowledged_without_it(self):
        self.rule(state="active", cancel_after=SHORT, end_after="400 ms")
        self.observer.execute("SET synchronous_commit = local")
        self.observer.execute("CREATE TABLE IF NOT EXISTS kept (n integer)")
        session = self.app()
        self.observer.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        self.addCleanup(self.observer.execute, "SELECT pg_reload_conf()")
        self.addCleanup(self.observer.execute, "ALTER SYSTEM RESET synchronous_standby_names")
        self.observer.execute("SELECT pg_reload_conf()")
        wait_until(lambda: session.execute("SHOW synchronous_standby_names").fetchone()[0],
                   "the session to read the setting")
        thread = self.in_background(session, "INSERT INTO kept VALUES (1)")
        wait_until(lambda: self.observer.execute(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'").fetchone(), "the wait")

        # Two witnesses, one after the other: a rule that hits them would have hit it, too.
        for _ in range(2):
            with self.assertRaises(errors.QueryCanceled):
                self.app().execute("SELECT pg_sleep(60)")

        self.assertEqual(self.backend(self.observer, session.info.backend_pid).wait_event,
                         "SyncRep")
        self.observer.execute("ALTER SYSTEM RESET synchronous_standby_names")
        self.observer.execute("SELECT pg_reload_conf()")
        thread.join()
        self.assertTrue(self.is_connected(session))

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

    def test_old_session_that_came_by_a_lock_meanwhile_is_spared(self):
        self.rule(state="session age", end_after=SHORT, spares_advisory_locks=True)
        self.observer.execute("SELECT pg_advisory_lock(7)")
        session = self.app()
        thread = self.in_background(session, "SELECT pg_advisory_lock(7)")
        wait_until(lambda: "done" in [row.remark for row in self.observer.execute(
            "SELECT remark FROM pgvalet.policy_for(%s) WHERE state = 'session age'",
            (session.info.backend_pid,))], "the verdict")

        self.observer.execute("SELECT pg_advisory_unlock(7)")
        thread.join()

        self.assertEqual(session.execute("SELECT 1 AS x").fetchone().x, 1)
        session.execute("SELECT pg_advisory_unlock(7)")
        self.wait_until_ended(session)

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

    def test_rule_in_a_dry_run_does_not_keep_the_next_one_from_acting(self):
        self.rule("real", end_after=SHORT, position=2)
        self.rule("tried", end_after=NEVER, log_after="100 ms", is_dry_run=True, position=1)
        session = self.app()
        shown = [row.rule_name for row in self.observer.execute(
            "SELECT rule_name FROM pgvalet.policy_for(%s) WHERE state = 'idle'",
            (session.info.backend_pid,))]

        self.assertIn('rule "real"', self.last_words(session).message)
        self.assertEqual(self.counts("tried").dry_log_count, 1)
        self.assertEqual(shown, ["tried", "tried", "real"])

    def test_all_rules_in_a_dry_run_leave_the_timeouts_in_force(self):
        self.addCleanup(self.server.set, idle_policy_dry_run="off", idle_in_transaction_timeout=0)
        self.server.set(idle_policy_dry_run="on", idle_in_transaction_timeout=300)
        self.rule(state="idle in transaction", end_after="100 ms")
        session = self.app()
        session.execute("BEGIN")

        self.assertEqual(self.last_words(session).sqlstate, "25P03")
        self.assertEqual(self.counts().dry_end_count, 1)

    def test_dry_run_above_a_share_ends_only_as_many_as_it_takes(self):
        # 27 connections are for ordinary roles: more than 13 of them.
        sessions = [self.app() for _ in range(17)]
        self.rule(end_after=SHORT, min_used_share=0.5, is_dry_run=True)
        wait_until(lambda: self.counts().dry_end_count > 0, "the first end that does not come")
        # The collector has looked again when it has told twice of somebody else.
        self.rule("witness", application_pattern="observer", log_after="10 ms")
        wait_until(lambda: self.counts("witness").log_count > 1, "two looks")

        self.assertEqual(self.counts().dry_end_count, len(sessions) + 1 - 13)

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


if __name__ == "__main__":
    unittest.main()
