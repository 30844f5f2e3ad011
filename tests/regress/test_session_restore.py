"""How the session of an agent's connection is given another state.

docs/decisions/0200-session-report.md is what these tests hold the extension to.
"""

import struct
import unittest

from agent_session import KEY, SessionTest, item


class RestoreTest(SessionTest):
    def test_gives_the_state_of_another_session(self):
        one, two = self.agent(), self.agent()
        one.query("SET work_mem = '9MB'; SET app.x = 'it''s'; SET search_path = 'a b', public")
        state = one.query("PREPARE p(int) AS SELECT $1 + 1").state_bytes

        answer = two.restore(state)

        self.assertIsNone(answer.error)
        self.assertEqual(answer.report or [], [])
        self.assertEqual(two.value("SHOW work_mem"), "9MB")
        self.assertEqual(two.value("SHOW app.x"), "it's")
        self.assertEqual(two.value("SHOW search_path"), one.value("SHOW search_path"))
        self.assertEqual(two.value("EXECUTE p(4)"), "5")

    def test_takes_back_what_the_state_does_not_have(self):
        agent = self.agent()
        agent.query("SET work_mem = '9MB'; PREPARE p AS SELECT 1")

        self.assertIsNone(agent.restore(b"").error)

        self.assertEqual(agent.value("SHOW work_mem"), "4MB")
        self.assertEqual(agent.query("EXECUTE p").sqlstate, "26000")

    def test_is_a_command_of_its_own_ahead_of_the_clients(self):
        agent = self.agent()
        agent.send(
            agent.restore_message(item("s", "work_mem", "9216")),
            (b"Q", b"SHOW work_mem; SELECT 1/0\0"),
        )

        self.assertEqual(agent.answer().kinds, "VZ")
        self.assertEqual(agent.answer().value, "9MB")
        self.assertEqual(agent.value("SHOW work_mem"), "9MB")

    def test_startup_values_are_what_reset_goes_back_to(self):
        agent = self.agent()
        state = item("c", "work_mem", "9MB")
        agent.restore(state)
        agent.query("SET work_mem = '6MB'")
        agent.query("RESET work_mem")

        self.assertEqual(agent.value("SHOW work_mem"), "9MB")
        self.assertEqual(
            agent.value("SELECT source FROM pg_settings WHERE name = 'work_mem'"), "client"
        )
        agent.restore(b"")
        self.assertEqual(agent.value("SHOW work_mem"), "4MB")
        self.assertEqual(
            agent.value("SELECT source FROM pg_settings WHERE name = 'work_mem'"), "default"
        )

    def test_role_and_session_user_in_their_order(self):
        agent = self.agent()
        state = agent.query("SET SESSION AUTHORIZATION mover; SET ROLE mover").state_bytes
        agent.restore(b"")
        self.assertEqual(agent.value("SELECT current_user || session_user"), "postgrespostgres")

        self.assertIsNone(agent.restore(state).error)

        self.assertEqual(agent.value("SELECT current_user || session_user"), "movermover")
        agent.restore(b"")
        self.assertEqual(agent.value("SELECT current_user || session_user"), "postgrespostgres")

    def test_that_fails_leaves_nothing_and_refuses_all_that_comes_behind(self):
        agent = self.agent()
        agent.send((b"P", b"s\0SELECT 1\0\0\0"), (b"S", b""))
        agent.answer()

        failed = agent.restore(item("s", "work_mem", "9216") + item("s", "role", "nobody at all"))

        self.assertEqual(failed.sqlstate, "22023")
        for message in [
            (b"Q", b"SELECT 1\0"),
            (b"Q", b"SHOW work_mem\0"),
            (b"Q", b"ROLLBACK\0"),
            (b"F", struct.pack("!IHHI", 1299, 0, 0, 0)[:-2]),
        ]:
            agent.send(message)
            answer = agent.answer()
            self.assertEqual((answer.sqlstate, answer.value), ("22023", None), message)
        agent.send((b"B", b"\0s\0\0\0\0\0\0\0"), (b"E", b"\0\0\0\0\0"), (b"S", b""))
        self.assertEqual(agent.answer().sqlstate, "22023")

    def test_statement_that_cannot_be_prepared_fails_when_it_is_executed(self):
        one, two = self.agent(), self.agent()
        one.query("CREATE TABLE passing (a int)")
        state = one.query("PREPARE p AS SELECT a FROM passing").state_bytes
        one.query("DROP TABLE passing")

        self.assertIsNone(two.restore(state).error)

        self.assertEqual(two.value("SELECT 1"), "1")
        self.assertEqual(two.query("EXECUTE p").sqlstate, "42P01")
        one.query("CREATE TABLE passing (a int)")
        one.query("INSERT INTO passing VALUES (3)")
        self.assertEqual(two.value("EXECUTE p"), "3")
        one.query("DROP TABLE passing")

    def test_deferred_statement_can_be_deallocated(self):
        agent = self.agent()
        agent.restore(item("P", "p", "PREPARE p AS SELECT a FROM not_there"))

        self.assertEqual(agent.query("DEALLOCATE p").error, None)
        self.assertEqual(agent.query("DEALLOCATE p").sqlstate, "26000")

    def test_only_with_the_key(self):
        agent = self.agent()

        for refused in [
            agent.restore(b"", key="another key"),
            agent.query("SET pgvalet.session = 'x'"),
            agent.query("SELECT set_config('pgvalet.session', ' ', false)"),
            agent.query("SET LOCAL pgvalet.session = 'x'"),
            agent.query("ALTER ROLE mover SET pgvalet.session = 'x'"),
            self.agent(key=None).restore(b"", key="x"),
        ]:
            self.assertEqual(refused.sqlstate, "42501")
        self.assertEqual(agent.query("SET pgvalet.agent_key = 'x'").sqlstate, "55P02")

    def test_restore_gives_no_right_that_set_does_not_give(self):
        with self.server.connect() as admin:
            admin.execute("CREATE ROLE plain LOGIN")
            admin.execute("GRANT SET ON PARAMETER lo_compat_privileges TO plain")
        agent = self.agent(user="plain")

        self.assertIsNone(agent.restore(item("s", "lo_compat_privileges", "on")).error)
        self.assertEqual(agent.value("SHOW lo_compat_privileges"), "on")
        for state in (item("s", "session_replication_role", "replica"),
                      item("s", "log_min_messages", "panic"),
                      item("s", "session_authorization", "postgres"), item("s", "role", "postgres"),
                      item("c", "session_replication_role", "replica"),
                      item("c", "log_disconnections", "off"), item("c", "pgvalet.agent_key", "x")):
            with self.subTest(state):
                agent = self.agent(user="plain")
                self.assertIn(agent.restore(state).sqlstate, ("42501", "55P02"))

    def test_settings_of_a_superuser_who_acts_as_another_move(self):
        one, two = self.agent(), self.agent()
        state = one.query("SET log_min_messages = error; SET SESSION AUTHORIZATION mover;"
                          "SET work_mem = '9MB'").state_bytes

        for _ in range(2):
            self.assertIsNone(two.restore(state).error)
            self.assertEqual(two.value("SHOW log_min_messages"), "error")
            self.assertEqual(two.value("SELECT session_user"), "mover")
            self.assertIsNone(two.restore(b"").error)
            self.assertEqual(two.value("SHOW log_min_messages"), "warning")
            self.assertEqual(two.value("SELECT session_user"), "postgres")

    def test_settings_that_the_user_may_not_set_tie_the_session(self):
        with self.server.connect() as admin:
            admin.execute("CREATE ROLE tied LOGIN")
            admin.execute("CREATE FUNCTION trace() RETURNS void LANGUAGE sql SECURITY DEFINER"
                          " AS $$ SELECT set_config('log_min_messages', 'error', false) $$")
        agent = self.agent(user="tied")

        self.assertEqual(agent.query("SELECT trace()").of("p"),
                         [("p", "privileged_settings", "1")])
        self.assertEqual(agent.query("RESET ALL").of("p"), [])

    def test_key_is_shown_to_nobody(self):
        agent = self.agent()

        self.assertEqual(agent.value("SELECT current_setting('pgvalet.agent_key')"), "")
        agent.restore(item("s", "work_mem", "9216"))
        self.assertEqual(agent.value("SELECT current_setting('pgvalet.session')"), "")
        self.assertEqual(
            agent.value("SELECT count(*) FROM pg_settings WHERE name IN "
                        "('pgvalet.agent_key', 'pgvalet.session')"),
            "0",
        )
        self.assertNotIn(KEY, self.server.log_text())

    def test_malformed_state_is_refused(self):
        for state in [b"x", b"s", b"s1:a", b"s99:a1:b", b"P1:a"]:
            with self.subTest(state):
                self.assertIsNotNone(self.agent().restore(state).error)

    def test_parallel_workers_may_follow(self):
        agent = self.agent()
        agent.restore(item("s", "work_mem", "9216"))
        agent.query("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;"
                    "SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2")

        answer = agent.query("SELECT count(*) FROM pg_class a, pg_class b")

        self.assertIsNone(answer.error)

    def test_many_do_not_make_the_backend_grow(self):
        agent = self.agent()
        states = [item("s", "work_mem", str(1024 * i)) + item("P", "p", f"PREPARE p AS SELECT {i}")
                  for i in range(1, 4)]

        def used():
            return int(agent.value("SELECT sum(used_bytes) FROM pg_backend_memory_contexts"))

        def restore_all(times):
            for i in range(times):
                self.assertIsNone(agent.restore(states[i % 3]).error)
            agent.restore(b"")

        restore_all(300)
        before = used()
        restore_all(1500)

        self.assertLess(used() - before, 200_000)


class SequenceTest(SessionTest):
    def test_value_is_taken_out_and_can_be_put_in_elsewhere(self):
        one, two = self.agent(), self.agent()
        answer = one.query("INSERT INTO moved (a) VALUES (1) RETURNING id")
        taken = answer.of("q")[0][1].encode()

        self.assertEqual(one.query("SELECT lastval()").sqlstate, "55000")
        two.send(two.restore_message(b"", taken), (b"Q", b"SELECT lastval()\0"))
        two.answer()
        again = two.answer()

        self.assertEqual(again.value, answer.value)
        self.assertEqual(again.of("q")[0][1].encode(), taken)
        self.assertEqual(again.of("u"), [("u",)])

    def test_last_of_several_is_the_last(self):
        agent = self.agent()
        answer = agent.query("SELECT nextval('other_sequence'); SELECT nextval('moved_id_seq')")
        taken = answer.of("q")[0][1].encode()
        agent.send(
            agent.restore_message(b"", taken),
            (b"Q", b"SELECT lastval() = currval('moved_id_seq') AND "
                   b"currval('other_sequence') >= 500\0"),
        )
        agent.answer()

        self.assertEqual(agent.answer().value, "t")

    def test_putting_in_uses_no_number(self):
        agent = self.agent()
        taken = agent.query("SELECT nextval('other_sequence')").of("q")[0][1].encode()
        before = int(agent.value("SELECT last_value FROM other_sequence"))

        agent.send(agent.restore_message(b"", taken), (b"Q", b"SELECT nextval('other_sequence')\0"))
        agent.answer()

        self.assertEqual(int(agent.answer().value), before + 1)

    def test_sequence_that_is_gone_is_not_known(self):
        agent = self.agent()
        taken = agent.query("CREATE SEQUENCE passing; SELECT nextval('passing')").of("q")[0][1]
        agent.query("DROP SEQUENCE passing")

        self.assertIsNone(agent.restore(b"", taken.encode()).error)

        self.assertEqual(agent.query("SELECT lastval()").sqlstate, "55000")

    def test_sequence_that_gave_no_number_is_not_told(self):
        agent = self.agent()
        report = agent.query("CREATE TABLE has_one (id serial); DROP TABLE has_one")
        self.assertEqual(report.of("q"), [])

    def test_discard_says_that_nothing_is_known(self):
        self.assertEqual(self.agent().query("DISCARD SEQUENCES").of("q"), [("q", "")])

    def test_session_pooling_keeps_it(self):
        agent = self.agent(**{"pgvalet.agent_pool_mode": "session"})

        self.assertEqual(agent.query("SELECT nextval('other_sequence')").of("q"), [])
        self.assertIsNone(agent.query("SELECT lastval()").error)


if __name__ == "__main__":
    unittest.main()
