"""What the backend of an agent says of its session.

docs/decisions/0200-session-report.md is what these tests hold the extension to.
"""

import unittest

from agent_session import SessionTest, item
from server import wait_until


class ReportTest(SessionTest):
    def test_first_one_says_that_the_extension_is_there(self):
        first = self.agent().first

        self.assertEqual([one[0] for one in first.report], ["v", "m", "t"])
        self.assertEqual(first.state, [])

    def test_connection_without_a_key_hears_nothing(self):
        agent = self.agent(key=None)

        self.assertIsNone(agent.first.report)
        self.assertIsNone(agent.query("SET work_mem = '9MB'").report)

    def test_nothing_new_is_not_said(self):
        agent = self.agent()

        for sql in ["SELECT 1", "BEGIN", "SELECT 1", "COMMIT", "SELECT 1/0", ""]:
            self.assertIsNone(agent.query(sql).report, sql)

    def test_comes_last_before_ready_for_query_and_parameters_of_ours_not_at_all(self):
        agent = self.agent()

        answer = agent.query("SET work_mem = '9MB'; SET timezone = 'UTC'; SET app.x = '1'")

        self.assertTrue(answer.report_is_last)
        self.assertEqual(set(answer.parameters) - {"TimeZone"}, {"pgvalet.session"})

    def test_is_exact_however_the_transaction_ends(self):
        work_mem = ("s", "work_mem", "9216")
        for sql, state in [
            ("SET work_mem = '9MB'", [work_mem]),
            ("SET LOCAL work_mem = '9MB'", None),
            ("BEGIN; SET work_mem = '9MB'; ROLLBACK", None),
            ("BEGIN; SET work_mem = '9MB'; COMMIT", [work_mem]),
            ("BEGIN; SAVEPOINT s; SET work_mem = '9MB'; ROLLBACK TO s; COMMIT", None),
            ("BEGIN; SAVEPOINT s; SET work_mem = '9MB'; RELEASE s; COMMIT", [work_mem]),
            ("SET work_mem = '9MB'; SELECT 1/0", None),
            ("BEGIN; SET work_mem = '9MB'; COMMIT; SELECT 1/0", [work_mem]),
            ("SELECT set_config('work_mem', '9MB', false)", [work_mem]),
            ("SELECT set_config('work_mem', '9MB', true)", None),
            ("DO $$ BEGIN PERFORM set_config('work_mem', '9MB', false); END $$", [work_mem]),
        ]:
            with self.subTest(sql):
                agent = self.agent()
                self.assertEqual(agent.query(sql).state, state)

    def test_every_ready_for_query_of_a_pipeline_has_its_own(self):
        agent = self.agent()
        for value in (b"8MB", b"9MB"):
            agent.send(
                (b"P", b"\0SET work_mem = '" + value + b"'\0\0\0"),
                (b"B", b"\0\0\0\0\0\0\0\0"),
                (b"E", b"\0\0\0\0\0"),
                (b"S", b""),
            )

        self.assertEqual(agent.answer().state, [("s", "work_mem", "8192")])
        self.assertEqual(agent.answer().state, [("s", "work_mem", "9216")])

    def test_reset_takes_it_out_again(self):
        agent = self.agent()
        agent.query("SET work_mem = '9MB'")

        self.assertEqual(agent.query("RESET work_mem").state, [])

    def test_values_of_any_content_and_length_survive(self):
        agent = self.agent()
        value = "it's \\ \"quoted\"\n\t;--\u00fc\u20ac" * 5000

        agent.query("SELECT set_config('app.x', $x$" + value + "$x$, false)")
        answer = agent.query("SET work_mem = '9MB'")

        self.assertEqual(answer.state, [("s", "app.x", value), ("s", "work_mem", "9216")])
        self.assertGreater(len(answer.part_sizes), 1)
        self.assertLess(max(answer.part_sizes), 30000)

    def test_bytes_are_those_of_the_server_whatever_the_client_reads(self):
        agent = self.agent()

        agent.query("SET client_encoding = 'LATIN1'")
        answer = agent.query("SELECT set_config('app.x', U&'\\00fc', false)")

        self.assertIn(("s", "app.x", "\u00fc"), answer.state)

    def test_too_large_a_state_pins(self):
        agent = self.agent()

        answer = agent.query("SELECT set_config('app.x', repeat('x', 300000), false)")

        self.assertEqual(answer.of("p"), [("p", "state_too_large", "1")])
        self.assertIsNone(answer.state)

    def test_prepared_statements_are_in_it_with_their_own_text(self):
        agent = self.agent()

        answer = agent.query("SELECT 1; PREPARE b AS SELECT 2; PREPARE a(int) AS SELECT $1; SELECT 3")

        self.assertEqual(
            answer.state, [("P", "a", "PREPARE a(int) AS SELECT $1"), ("P", "b", "PREPARE b AS SELECT 2")]
        )
        self.assertEqual(agent.query("DEALLOCATE ALL").report, [("m", ""), ("d",)])

    def test_statements_of_the_protocol_are_not(self):
        agent = self.agent()
        agent.send((b"P", b"s\0SELECT 1\0\0\0"), (b"S", b""))

        self.assertIsNone(agent.answer().report)

    def test_pins_come_and_go_with_what_makes_them(self):
        for make, end, reason in [
            ("CREATE TEMP TABLE t (a int)", "DROP TABLE t", "temporary_objects"),
            ("CREATE TEMP VIEW v AS SELECT 1", "DISCARD TEMP", "temporary_objects"),
            ("SELECT pg_advisory_lock(1)", "SELECT pg_advisory_unlock(1)", "advisory_locks"),
            (
                "BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; COMMIT",
                "CLOSE c",
                "held_cursors",
            ),
        ]:
            with self.subTest(make):
                agent = self.agent()
                self.assertEqual([one[1] for one in agent.query(make).of("p")], [reason])
                self.assertIsNone(agent.query("SELECT 1").report)
                self.assertEqual(agent.query(end).report, [])

    def test_what_ends_with_its_transaction_pins_nothing(self):
        agent = self.agent()

        for sql in [
            "BEGIN; CREATE TEMP TABLE t (a int) ON COMMIT DROP; COMMIT",
            "BEGIN; CREATE TEMP TABLE t (a int); ROLLBACK",
            "SELECT pg_advisory_xact_lock(1)",
            "BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; ROLLBACK",
        ]:
            self.assertEqual((agent.query(sql).report or []), [], sql)

    def test_lock_taken_in_a_transaction_that_fails_pins(self):
        agent = self.agent()

        answer = agent.query("BEGIN; SELECT pg_advisory_lock(2), pg_advisory_lock(2); SELECT 1/0")
        self.assertIsNone(answer.report)

        self.assertEqual(agent.query("ROLLBACK").of("p"), [("p", "advisory_locks", "1")])

    def test_seed_pins_to_the_end(self):
        agent = self.agent()

        self.assertEqual(agent.query("SELECT setseed(0.5)").of("p"), [("p", "random_seed", "1")])

    def test_channels_are_listed_and_unlisten_is_told(self):
        agent = self.agent()

        self.assertEqual(agent.query("LISTEN a").report, [("l", "a")])
        self.assertEqual(agent.query("BEGIN; LISTEN b; ROLLBACK").report, [("l", "a")])
        self.assertEqual(agent.query("UNLISTEN a").report, [("x", "a")])
        self.assertEqual(agent.query("BEGIN; UNLISTEN c; ROLLBACK").report, None)
        self.assertEqual(agent.query("UNLISTEN *").report, [("x", "*")])

    def test_unlisten_of_a_subtransaction_is_told_if_that_commits(self):
        agent = self.agent()
        agent.query("LISTEN a; LISTEN b")
        for sql, told in (
            ("SAVEPOINT s; UNLISTEN a; ROLLBACK TO s", []),
            ("SAVEPOINT s; SAVEPOINT t; UNLISTEN b; RELEASE t; RELEASE s", [("x", "b")]),
            ("SAVEPOINT s; SAVEPOINT t; UNLISTEN a; RELEASE t; ROLLBACK TO s", []),
        ):
            self.assertEqual(agent.query(f"BEGIN; {sql}; COMMIT").of("x"), told, sql)

    def test_notification_is_told(self):
        agent = self.agent()

        self.assertEqual(agent.query("NOTIFY a").report, [("n",)])
        self.assertEqual(agent.query("SELECT pg_notify('a', 'b')").report, [("n",)])

    def test_view_shows_what_ties(self):
        agent = self.agent()
        pid = int(agent.value("SELECT pg_backend_pid()"))
        observer = self.connect()
        self.assertIsNone(self.backend(observer, pid).pin_reasons)

        agent.query("CREATE TEMP TABLE t (a int); SET work_mem = '9MB'; LISTEN x; PREPARE p AS SELECT 1")

        row = self.backend(observer, pid)
        self.assertEqual(row.pin_reasons, ["temporary_objects", "listen"])
        self.assertEqual((row.pinned_objects, row.moved_settings, row.moved_statements), (2, 1, 1))
        self.assertIsNotNone(row.pinned_since)


class OpenTransactionTest(SessionTest):
    """pgvalet.transaction: what in an open transaction changes the meaning of texts."""

    def test_setting_is_named(self):
        agent = self.agent()
        agent.query("BEGIN")
        self.assertEqual(
            agent.query("SET LOCAL work_mem = '9MB'").transaction, [b"s8:work_mem"]
        )
        self.assertEqual(agent.query("SELECT 1").transaction, [])
        agent.query("SAVEPOINT s")
        failed = agent.query("SET LOCAL bytea_output = escape; RELEASE s; SAVEPOINT s; SELECT 1/0")
        self.assertEqual(failed.transaction, [b"s12:bytea_output"])
        agent.query("ROLLBACK TO s")
        self.assertEqual(agent.query("COMMIT").transaction, [])

    def test_made_altered_and_dropped_objects_are_told_once(self):
        agent = self.agent()
        agent.query("BEGIN")
        self.assertEqual(agent.query("SELECT 1 AS a INTO TEMP t").transaction, [b"k"])
        self.assertEqual(agent.query("ALTER TABLE t ADD b int").transaction, [])
        agent.query("COMMIT")
        agent.query("BEGIN")
        self.assertEqual(agent.query("ALTER TABLE t ADD c int").transaction, [b"k"])
        agent.query("COMMIT; BEGIN")
        self.assertEqual(agent.query("DROP TABLE t").transaction, [b"k"])
        self.assertEqual(agent.query("COMMIT").transaction, [])

    def test_objects_of_a_transaction_that_another_follows_are_told(self):
        agent = self.agent()
        answer = agent.query("BEGIN; CREATE TEMP TABLE t (a int); COMMIT AND CHAIN")
        self.assertEqual(answer.transaction, [b"k"])
        self.assertEqual(agent.query("ROLLBACK; BEGIN").transaction, [])

    def test_statements_that_are_gone_are_told_at_once_and_once(self):
        agent = self.agent()
        agent.query("BEGIN")
        self.assertEqual(agent.query("DEALLOCATE ALL").transaction, [b"d"])
        self.assertEqual(agent.query("SELECT 1").transaction, [])
        self.assertEqual(agent.query("COMMIT").of("d"), [])
        self.assertEqual(agent.query("DEALLOCATE ALL").of("d"), [("d",)])

    def test_name_of_any_length_ends_nothing(self):
        agent = self.agent()
        agent.query("BEGIN")
        name = "app." + "x" * 100000
        self.assertEqual(
            agent.query(f"SELECT set_config('{name}', '1', true)").transaction, []
        )

    def test_what_changes_neither_is_not_told(self):
        agent = self.agent()
        agent.query("BEGIN")
        for sql in ("SELECT 1", "SAVEPOINT s", "SELECT lo_create(0)", "SET LOCAL seed = 0.5"):
            self.assertEqual(agent.query(sql).transaction, [], sql)
        agent.query("ROLLBACK")
        self.assertEqual(agent.query("SET bytea_output = escape").transaction, [])


class CatalogTest(SessionTest):
    """What changes around a session, wherever it was changed."""

    def setUp(self):
        super().setUp()
        self.other = self.connect()
        self.other.execute("CREATE TABLE shape (a int)")
        self.addCleanup(self.other.execute, "DROP TABLE shape")

    def news(self, agent):
        return [one for one in agent.query("SELECT 1").report or [] if one[0] in "ot"]

    def test_changed_columns_are_told_once(self):
        agent = self.agent()
        for sql in (
            "ALTER TABLE shape ADD COLUMN b int",
            "ALTER TABLE shape ALTER COLUMN b TYPE text",
            "ALTER TABLE shape DROP COLUMN b",
            "ALTER TABLE shape RENAME TO other_shape",
            "ALTER TABLE other_shape RENAME COLUMN a TO z",
            "ALTER TABLE other_shape RENAME TO shape",
        ):
            self.other.execute(sql)
            told = self.news(agent)
            self.assertEqual([letter for letter, _ in told], ["t"], sql)
            self.assertEqual(self.news(agent), [], sql)

    def test_what_changes_no_columns_is_not_told(self):
        agent = self.agent()
        for sql in (
            "BEGIN; ALTER TABLE shape ADD COLUMN b int; ROLLBACK",
            "CREATE TEMP TABLE t (a int); ALTER TABLE t ADD COLUMN b int; DROP TABLE t",
            "CREATE INDEX shape_index ON shape (a); DROP INDEX shape_index",
            "INSERT INTO shape VALUES (1); TRUNCATE shape",
        ):
            self.other.execute(sql)
            self.assertEqual(self.news(agent), [], sql)

    def test_what_hides_or_replaces_objects_is_told(self):
        self.other.execute("CREATE SCHEMA other_schema")
        agent = self.agent()
        for sql in (
            "CREATE TABLE hides (a int)",
            "DROP TABLE hides",
            "ALTER SCHEMA other_schema RENAME TO third_schema",
            "DROP SCHEMA third_schema",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "ALTER FUNCTION f() RENAME TO g",
            "DROP FUNCTION g()",
            "CREATE TYPE pair AS (a int, b int)",
            "ALTER TYPE pair ADD ATTRIBUTE c int",
            "DROP TYPE pair",
            "CREATE COLLATION other_c FROM \"C\"",
            "DROP COLLATION other_c",
        ):
            self.other.execute(sql)
            self.assertEqual([letter for letter, _ in self.news(agent)], ["t"], sql)

    def test_refreshed_view_is_not_told(self):
        self.other.execute("CREATE MATERIALIZED VIEW rewritten AS SELECT 1 AS a")
        self.addCleanup(self.other.execute, "DROP MATERIALIZED VIEW rewritten")
        agent = self.agent()
        self.other.execute("REFRESH MATERIALIZED VIEW rewritten")
        self.assertEqual(self.news(agent), [])

    def test_prepared_transaction_is_told_when_it_is_committed(self):
        role = self.other.execute("SELECT current_user").fetchone()[0]
        self.addCleanup(self.other.execute, f"ALTER ROLE {role} RESET work_mem")
        for end, told in (("ROLLBACK", []), ("COMMIT", ["o", "t"])):
            agent = self.agent()
            self.other.execute(
                f"BEGIN; ALTER ROLE {role} SET work_mem = '5MB'; ALTER TABLE shape ADD {end} int; "
                "PREPARE TRANSACTION 'changes'"
            )
            self.assertEqual(self.news(agent), [])
            self.other.execute(f"{end} PREPARED 'changes'")
            self.assertEqual([letter for letter, _ in self.news(agent)], told)

    def test_count_is_told_to_those_who_come_later(self):
        agent = self.agent()
        self.other.execute("ALTER TABLE shape ADD COLUMN b int")

        self.assertIn(self.news(agent)[0], self.agent().first.report)

    def test_new_defaults_of_settings_make_a_session_outdated(self):
        role = self.other.execute("SELECT current_user").fetchone()[0]
        database = self.other.execute("SELECT current_database()").fetchone()[0]
        for whose in (f"ROLE {role}", f"DATABASE {database}", f"ROLE {role} IN DATABASE {database}",
                      "ROLE ALL"):
            agent = self.agent()
            self.assertEqual(self.news(agent), [])
            self.other.execute(f"ALTER {whose} SET work_mem = '5MB'")
            self.addCleanup(self.other.execute, f"ALTER {whose} RESET work_mem")
            self.assertEqual([letter for letter, _ in self.news(agent)], ["o"], whose)
            self.assertEqual(self.news(agent), [], whose)
            self.assertEqual([i for i in self.agent().first.report if i[0] == "o"], [], whose)

    def test_new_defaults_of_others_do_not(self):
        self.other.execute("CREATE ROLE somebody_else")
        self.addCleanup(self.other.execute, "DROP ROLE somebody_else")
        agent = self.agent()

        self.other.execute("ALTER ROLE somebody_else SET work_mem = '5MB'")
        self.other.execute("BEGIN; ALTER ROLE ALL SET work_mem = '5MB'; ROLLBACK")

        self.assertEqual(self.news(agent), [])

    def test_configuration_read_again_outdates_what_startup_settings_have_replaced(self):
        plain, agent = self.agent(), self.agent()
        agent.restore(item("c", "work_mem", "9MB"))

        self.other.execute("SELECT pg_reload_conf()")

        wait_until(lambda: self.news(agent) == [("o", "0")], "the agent's session to say so")
        self.assertEqual(self.news(plain), [])


if __name__ == "__main__":
    unittest.main()
