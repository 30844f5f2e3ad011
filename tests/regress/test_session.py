"""What the backend of an agent says of its session, and how it is given another.

docs/decisions/0200-session-report.md is what these tests hold the extension to.
"""

import base64
import socket
import struct
import unittest

from server import DEADLINE_S, ServerTest, wait_until

KEY = "the key of this connection"
SET_CONFIG_OID = 2078


def item(letter, *fields):
    """One item of a state or report, as bytes."""
    text = [field if isinstance(field, bytes) else field.encode() for field in fields]
    return letter.encode() + b"".join(b"%d:%s" % (len(one), one) for one in text)


def items_of(text):
    """A report or state as a list of (letter, field, ...)."""
    counts = {"v": 1, "m": 1, "p": 2, "l": 1, "x": 1, "q": 1, "u": 0, "d": 0, "n": 0, "o": 1, "t": 1}
    counts |= {"c": 2, "s": 2, "b": 1, "P": 2, "L": 1, "Q": 2}
    found = []
    while text:
        letter, text = chr(text[0]), text[1:]
        fields = []
        for _ in range(counts[letter]):
            length, text = text.split(b":", 1)
            fields.append(text[: int(length)].decode("utf-8", "surrogateescape"))
            text = text[int(length):]
        found.append((letter, *fields))
    return found


class Agent:
    """A connection as an agent opens it, message by message."""

    def __init__(self, server, key=KEY, **parameters):
        self.socket = socket.create_connection(("127.0.0.1", server.port), DEADLINE_S)
        self.key = key
        startup = {"user": "postgres", "database": "postgres", "pgvalet.agent": "pgvaletd/test:9"}
        startup |= {"pgvalet.agent_key": key} if key else {}
        startup |= parameters
        body = struct.pack("!I", 196608)
        for name, value in startup.items():
            body += name.encode() + b"\0" + value.encode() + b"\0"
        body += b"\0"
        self.socket.sendall(struct.pack("!I", len(body) + 4) + body)
        self.buffer = b""
        self.first = self.answer()

    def close(self):
        self.socket.close()

    def _take(self, count):
        while len(self.buffer) < count:
            data = self.socket.recv(65536)
            if not data:
                raise AssertionError("the server has closed the connection")
            self.buffer += data
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def messages(self):
        """All messages up to ReadyForQuery, as (type, body)."""
        found = []
        while not found or found[-1][0] != "Z":
            kind, length = struct.unpack("!cI", self._take(5))
            found.append((kind.decode(), self._take(length - 4)))
        return found

    def answer(self):
        """The answer to one command."""
        return Answer(self.messages())

    def send(self, *messages):
        self.socket.sendall(
            b"".join(k + struct.pack("!I", len(body) + 4) + body for k, body in messages)
        )

    def query(self, sql):
        self.send((b"Q", sql.encode() + b"\0"))
        return self.answer()

    def value(self, sql):
        return self.query(sql).value

    def restore_message(self, state=b"", sequences=b"", key=None):
        value = (key or self.key).encode() + b" " + base64.b64encode(state) + b" "
        value += base64.b64encode(sequences)
        body = struct.pack("!IHH", SET_CONFIG_OID, 0, 3)
        for argument in (b"pgvalet.session", value, b"false"):
            body += struct.pack("!I", len(argument)) + argument
        return (b"F", body + struct.pack("!H", 0))

    def restore(self, state=b"", sequences=b"", key=None):
        self.send(self.restore_message(state, sequences, key))
        return self.answer()


class Answer:
    def __init__(self, messages):
        self.kinds = "".join(kind for kind, _ in messages if kind != "S")
        parts = [
            body.split(b"\0", 1)[1][:-1]
            for kind, body in messages
            if kind == "S" and body.startswith(b"pgvalet.session\0")
        ]
        self.part_sizes = [len(part) for part in parts]
        self.parameters = [
            body.split(b"\0")[0].decode() for kind, body in messages if kind == "S"
        ]
        # The last message before ReadyForQuery is the report, if there is one.
        self.report_is_last = not parts or messages[-2][1].startswith(b"pgvalet.session\0")
        self.report = items_of(b"".join(part[1:] for part in parts)) if parts else None
        self.transaction = [
            body.split(b"\0", 1)[1][:-1]
            for kind, body in messages
            if kind == "S" and body.startswith(b"pgvalet.transaction\0")
        ]
        self.sqlstate = self.error = self.value = None
        for kind, body in messages:
            if kind == "E":
                fields = {field[:1]: field[1:].decode() for field in body.split(b"\0") if field}
                self.sqlstate, self.error = fields[b"C"], fields[b"M"]
            if kind == "D" and self.value is None:
                length = struct.unpack("!i", body[2:6])[0]
                self.value = None if length < 0 else body[6: 6 + length].decode("utf-8", "replace")

    def of(self, letter):
        """The items of this letter."""
        return [one for one in self.report or [] if one[0] == letter]

    @property
    def state(self):
        """The movable state, as items; None if the report has none."""
        found = self.of("m")
        return items_of(found[0][1].encode("utf-8", "surrogateescape")) if found else None

    @property
    def state_bytes(self):
        return self.of("m")[0][1].encode("utf-8", "surrogateescape")


class SessionTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.server.connect() as admin:
            admin.execute("CREATE ROLE mover")
            admin.execute("CREATE TABLE moved (id serial, a int)")
            admin.execute("CREATE SEQUENCE other_sequence START 500")

    def agent(self, **parameters):
        agent = Agent(self.server, **parameters)
        self.addCleanup(agent.close)
        return agent


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
