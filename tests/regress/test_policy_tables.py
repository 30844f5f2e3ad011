"""How rules come into force: by commits of every kind, restarts, on a standby."""

import json
import os
import re
import unittest

import psycopg

from policy_server import COLLECTOR, INSERT, SHORT, PolicyTest
from server import wait_until
from test_replication import PRIMARY_SETTINGS, Standby

WORKERS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'pgvalet database worker'"


class IntoForceTest(PolicyTest):
    def test_rule_reaches_a_session_that_waits_already(self):
        session = self.app()

        self.rule(end_after=SHORT)

        self.assertEqual(self.last_words(session).sqlstate, "57P05")

    def test_rule_that_is_gone_ends_nobody(self):
        session = self.app()
        self.rule(end_after="1 s")
        self.wait_for_generation(lambda: self.observer.execute("DELETE FROM pgvalet.idle_policy"))
        self.rule("witness", application_pattern="witness", end_after="1 s")

        self.wait_until_ended(self.connect(application_name="witness"))

        self.assertTrue(self.is_connected(session))

    def test_disabled_rule_is_none(self):
        self.rule()
        self.wait_for_generation(lambda: self.observer.execute(
            "UPDATE pgvalet.idle_policy SET is_enabled = false"))

        self.assertEqual(self.status().rule_count, 0)

    def test_nothing_is_in_force_before_the_commit_or_after_a_rollback(self):
        writer = self.connect(application_name="observer")
        writer.execute("BEGIN")
        writer.execute(INSERT)
        self.rule("other")
        self.assertEqual(self.status().rule_count, 1)
        generation = self.status().generation

        writer.execute("ROLLBACK")
        writer.execute(INSERT.replace("'rule'", "'third'"))

        wait_until(lambda: self.status().rule_count == 2, "the third rule")
        self.assertEqual(self.status().generation, generation + 1)

    def test_prepared_transaction_counts_when_it_is_committed(self):
        self.observer.execute("BEGIN")
        self.observer.execute(INSERT)
        self.observer.execute("PREPARE TRANSACTION 'rules'")
        session = self.app()
        self.rule("other", application_pattern="other")
        self.assertEqual(self.status().rule_count, 1)

        self.connect(application_name="observer").execute("COMMIT PREPARED 'rules'")

        self.assertEqual(self.last_words(session).sqlstate, "57P05")

    def test_prepared_transaction_counts_after_a_restart_too(self):
        self.observer.execute("BEGIN")
        self.observer.execute(INSERT)
        self.observer.execute("PREPARE TRANSACTION 'rules'")
        self.observer.close()
        self.server.restart()
        self.observer = self.connect(application_name="observer")
        wait_until(lambda: self.status().read_at is not None, "the first reading")

        self.observer.execute("COMMIT PREPARED 'rules'")

        wait_until(lambda: self.status().rule_count == 1, "the rule")

    def test_truncate_is_a_change(self):
        self.rule()
        self.wait_for_generation(lambda: self.observer.execute("TRUNCATE pgvalet.idle_policy"))
        self.assertEqual(self.status().rule_count, 0)

    def test_change_with_triggers_off_counts(self):
        self.observer.execute("SET session_replication_role = replica")
        self.rule()
        self.assertEqual(self.status().rule_count, 1)

    def test_change_while_the_trigger_is_off_counts_when_it_is_on_again(self):
        # As pg_restore --disable-triggers does it.
        self.observer.execute("BEGIN")
        self.observer.execute("ALTER TABLE pgvalet.idle_policy DISABLE TRIGGER ALL")
        self.observer.execute(INSERT)
        self.observer.execute("ALTER TABLE pgvalet.idle_policy ENABLE TRIGGER ALL")
        self.observer.execute("ALTER TABLE pgvalet.idle_policy"
                              " ENABLE ALWAYS TRIGGER idle_policy_changed")
        self.observer.execute("COMMIT")

        wait_until(lambda: self.status().rule_count == 1, "the rule")

    def test_table_that_is_locked_keeps_what_was_read(self):
        self.rule()
        locker = self.connect(application_name="observer")
        locker.execute("BEGIN")
        locker.execute("LOCK TABLE pgvalet.idle_policy")
        self.observer.execute("SELECT pg_reload_conf()")
        wait_until(lambda: "locked" in (self.status().error or ""), "the failed reading")
        self.assertEqual(self.status().rule_count, 1)

        locker.execute("DELETE FROM pgvalet.idle_policy")
        locker.execute("COMMIT")

        wait_until(lambda: self.status().rule_count == 0, "the rule to go")
        wait_until(lambda: self.status().error is None, "the error to go")

    def test_change_is_an_event(self):
        self.rule()
        wait_until(lambda: self.events("policy_changed")[-1].message ==
                   "1 rule and 0 budgets are in force", "the event")

    def test_same_rules_again_are_no_change(self):
        self.rule()
        before = self.status()
        self.observer.execute("UPDATE pgvalet.idle_policy SET position = position + 1")
        wait_until(lambda: self.status().read_at > before.read_at, "another reading")
        self.assertEqual(self.status().generation, before.generation)

    def test_counts_survive_a_change_of_the_rule(self):
        self.rule(end_after=SHORT)
        self.wait_until_ended(self.app())
        self.wait_for_generation(lambda: self.observer.execute(
            "UPDATE pgvalet.idle_policy SET end_after = '1 hour'"))
        self.assertEqual(self.counts().end_count, 1)

    def test_reset_forgets_the_counts(self):
        self.rule(end_after=SHORT)
        self.wait_until_ended(self.app())
        self.observer.execute("SELECT pgvalet.reset('policy')")
        self.assertEqual(self.counts().end_count, 0)

    def test_rules_hold_after_a_restart(self):
        self.rule(end_after=SHORT)
        self.server.restart()
        session = self.app()
        self.observer = self.connect(application_name="observer")

        self.assertEqual(self.last_words(session).sqlstate, "57P05")

    def test_rules_hold_after_the_collector_was_ended(self):
        self.rule(end_after=SHORT)
        before = self.one(self.observer, COLLECTOR).pid
        self.observer.execute("SELECT pg_terminate_backend(%s)", (before,))
        wait_until(lambda: [row for row in self.observer.execute(COLLECTOR).fetchall()
                            if row.pid != before], "another collector")

        self.assertEqual(self.last_words(self.app()).sqlstate, "57P05")

    def test_rules_hold_after_a_crash(self):
        self.rule(end_after=SHORT)
        victim = self.app()
        os.kill(victim.info.backend_pid, 9)
        wait_until(self.server.is_ready, "the server to recover")
        self.observer = wait_until(self.try_to_observe, "the server to let us in")

        self.assertEqual(self.last_words(self.app()).sqlstate, "57P05")

    def try_to_observe(self):
        try:
            return self.connect(application_name="observer")
        except psycopg.OperationalError:
            return None


class CollectorTest(PolicyTest):
    def memory(self):
        """Bytes that the collector has allocated, as it says in the server log."""
        pid = self.one(self.observer, COLLECTOR).pid
        total = re.compile(rf"\[{pid}\] LOG:  Grand total: .* ([0-9]+) used")
        said = len(total.findall(self.server.log_text()))
        self.observer.execute("SELECT pg_log_backend_memory_contexts(%s)", (pid,))
        return int(wait_until(lambda: total.findall(self.server.log_text())[said:],
                              "the collector's answer")[0])

    def test_memory_of_the_collector_does_not_grow(self):
        self.wait_for_generation(lambda: self.insert("connection_budget", name="budget",
                                                     max_connections=1000))
        self.rule(log_after="10 ms", role_name="postgres", spares_advisory_locks=True,
                  spares_roles=["nobody"])
        session = self.app()

        def look(times):
            """Lets the collector look at the sessions, and log, at least so often."""
            until = self.counts().log_count + times
            wait_until(lambda: session.execute("SELECT 1")
                       and self.counts().log_count >= until, "the log")

        look(20)
        before = self.memory()
        look(200)

        self.assertLess(self.memory(), before + 10000)


class BadRulesTest(PolicyTest):
    def test_missing_names_match_nothing_and_are_remarked(self):
        self.rule("a", role_name="nobody", end_after=SHORT)
        self.rule("b", database_name="nowhere", end_after=SHORT)
        self.rule("c", spares_roles=["nobody"])

        self.assertEqual(self.policy_for(self.app(), "idle")[0].rule_name, "c")
        self.assertEqual(self.status().remarks,
                         'rule "a": there is no role "nobody"; '
                         'rule "b": there is no database "nowhere"; '
                         'rule "c": there is no role "nobody"')

    def test_role_that_comes_later_is_found(self):
        self.rule(role_name="late", end_after=SHORT)
        self.role("late")

        self.assertEqual(self.last_words(self.app(user="late")).sqlstate, "57P05")

    def test_role_that_is_renamed_is_another(self):
        self.role("before")
        self.rule(role_name="before", end_after="1 s")
        session = self.app(user="before")
        self.observer.execute("ALTER ROLE before RENAME TO after")
        self.addCleanup(self.drop_role, "after")
        self.rule("witness", application_pattern="witness", end_after="1 s")

        self.wait_until_ended(self.connect(application_name="witness"))

        self.assertTrue(self.is_connected(session))

    def test_member_that_is_one_no_more(self):
        self.role("staff")
        self.role("alice", member_of="staff")
        self.rule(role_name="staff", includes_members=True, end_after="1 s")
        session = self.app(user="alice")
        self.assertEqual(self.policy_for(session, "idle")[0].rule_name, "rule")
        self.observer.execute("REVOKE staff FROM alice")
        self.rule("witness", application_pattern="witness", end_after="1 s")

        self.wait_until_ended(self.connect(application_name="witness"))

        self.assertTrue(self.is_connected(session))

    def test_bad_row_does_not_take_the_others_with_it(self):
        self.observer.execute("ALTER TABLE pgvalet.idle_policy DROP CONSTRAINT state_is_known")
        self.addCleanup(self.restore_constraint)
        self.insert("idle_policy", position=1, name="bad", state="asleep")
        self.rule("good", end_after=SHORT)

        self.assertEqual(self.last_words(self.app()).sqlstate, "57P05")
        self.assertEqual(self.status().left_out, 'rule "bad" is not understood')

    def restore_constraint(self):
        with self.server.connect(application_name="observer") as connection:
            connection.execute("TRUNCATE pgvalet.idle_policy")
            connection.execute("ALTER TABLE pgvalet.idle_policy ADD CONSTRAINT state_is_known"
                               " CHECK (state <> 'asleep')")

    def test_rules_there_is_no_room_for_are_named(self):
        self.wait_for_generation(lambda: self.observer.execute(
            "INSERT INTO pgvalet.idle_policy (position, name, state)"
            " SELECT n, format('rule %s', n), 'idle' FROM generate_series(1, 65) AS n"))

        self.assertEqual(self.status().rule_count, 64)
        self.assertEqual(self.status().left_out, 'rule "rule 65" is one too many')


class StandbyTest(PolicyTest):
    SETTINGS = {**PRIMARY_SETTINGS, "max_worker_processes": "12"}

    def setUp(self):
        super().setUp()
        self.standby = Standby()
        self.standby.start(self.server)
        self.addCleanup(self.standby.stop)

    def on_standby(self, **parameters):
        connection = self.standby.connect(**{"application_name": "observer", **parameters})
        self.addCleanup(connection.close)
        return connection

    def test_rules_and_budgets_come_to_the_standby_and_hold_there(self):
        observer = self.on_standby()
        session = self.on_standby(application_name="app")

        self.rule(end_after=SHORT)

        wait_until(lambda: self.backend(observer, session.info.backend_pid) is None,
                   "the end of the session on the standby")
        self.observer.execute("DELETE FROM pgvalet.idle_policy")
        wait_until(lambda: self.status(observer).rule_count == 0, "the rule to go")

    def test_worker_of_the_standby_that_is_ended_comes_back(self):
        observer = self.on_standby()
        worker = wait_until(lambda: observer.execute(WORKERS).fetchone(), "the worker")
        observer.execute("SELECT pg_terminate_backend(%s)", (worker.pid,))

        self.rule()

        wait_until(lambda: self.status(observer).rule_count == 1, "the rule")

    def test_worker_of_the_standby_follows_tables_that_are_made_anew(self):
        observer = self.on_standby()
        self.rule()
        wait_until(lambda: self.status(observer).rule_count == 1, "the rule")

        self.observer.execute("BEGIN")
        self.observer.execute("DROP EXTENSION pgvalet")
        self.observer.execute("CREATE EXTENSION pgvalet")
        self.observer.execute("COMMIT")

        wait_until(lambda: self.status(observer).rule_count == 0, "the empty tables")
        wait_until(lambda: self.status().rule_count == 0, "them on the primary")
        self.rule()
        wait_until(lambda: self.status(observer).rule_count == 1, "the rule")

    def test_promoted_standby_lets_its_database_go(self):
        observer = self.on_standby()
        wait_until(lambda: observer.execute(WORKERS).fetchone(), "the worker")

        observer.execute("SELECT pg_promote()")

        wait_until(lambda: not observer.execute(WORKERS).fetchone(), "the worker to end")
        observer.execute(INSERT)
        wait_until(lambda: self.status(observer).rule_count == 1, "the rule")


class NotifyTest(PolicyTest):
    def test_new_events_are_told_in_order_to_who_listens(self):
        listener = self.connect(application_name="observer")
        listener.execute("LISTEN pgvalet_events")
        self.addCleanup(self.server.set, notify_events="off")
        self.server.set(notify_events="on")
        wait_until(lambda: self.one(self.observer, "SHOW pgvalet.notify_events")[0] == "on",
                   "the reload")

        self.rule(log_after=SHORT)
        session = self.app()
        told = []

        def logged():
            listener.pgconn.consume_input()
            while notification := listener.pgconn.notifies():
                told.append(json.loads(notification.extra))
            return [event for event in told if event["kind"] == "policy_logged"]

        event = wait_until(logged, "the notification")[0]
        self.assertEqual(event["pid"], session.info.backend_pid)
        sequences = [event["sequence"] for event in told]
        self.assertEqual(sequences, list(range(sequences[0], sequences[0] + len(told))))
        known = self.events("policy_changed", "policy_logged")
        self.assertIn(event["sequence"], [row.sequence for row in known])

    def test_nothing_is_told_unless_the_setting_is_on(self):
        listener = self.connect(application_name="observer")
        listener.execute("LISTEN pgvalet_events")

        self.rule(end_after=SHORT)
        self.wait_until_ended(self.app())

        listener.execute("SELECT 1")
        self.assertIsNone(listener.pgconn.notifies())


if __name__ == "__main__":
    unittest.main()
