"""Logins: who came in, who was refused, from where and why."""

import datetime
import os
import signal
import socket
import struct
import unittest

import psycopg

from server import DEADLINE_S, Server, ServerTest, wait_until

PROTOCOL_3 = 3 << 16
SSL_REQUEST = 80877103


def startup_packet(**parameters):
    """The first message of a client."""
    body = b"".join(name.encode() + b"\0" + value + b"\0" for name, value in parameters.items())
    return struct.pack("!II", len(body) + 9, PROTOCOL_3) + body + b"\0"


class LoginsTest(ServerTest):
    SETTINGS = {
        "max_connections": "10",
        "superuser_reserved_connections": "2",
        "authentication_timeout": "1s",
        "pgvalet.max_login_sources": "64",
        "pgvalet.minute_ms": "600",
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.server.connect() as connection:
            for command in ("CREATE ROLE locked LOGIN PASSWORD 'right'", "CREATE ROLE plain LOGIN",
                            "CREATE ROLE single LOGIN CONNECTION LIMIT 0",
                            "CREATE ROLE group_role", "CREATE DATABASE closed",
                            "REVOKE CONNECT ON DATABASE closed FROM PUBLIC"):
                connection.execute(command)
        hba = os.path.join(cls.server.data, "pg_hba.conf")
        with open(hba) as file:
            rules = file.read()
        with open(hba, "w") as file:
            file.write("host all locked all scram-sha-256\nlocal all locked scram-sha-256\n"
                       "host all all 127.0.0.9/32 reject\nhost all all 127.0.0.0/8 trust\n" + rules)
        with cls.server.connect() as connection:
            connection.execute("SELECT pg_reload_conf()")

        def is_in_force():
            with cls.server.connect() as connection:
                return connection.execute("SELECT count(*) > 0 FROM pg_hba_file_rules "
                                          "WHERE 'locked' = ANY (user_name)").fetchone()[0]

        wait_until(is_in_force, "the new rules")

    def setUp(self):
        self.observer = self.connect(application_name="observer")
        wait_until(lambda: self.one(self.observer, "SELECT connections FROM pgvalet.summary")
                   .connections == 1, "the other sessions to leave")
        self.observer.execute("SELECT pgvalet.reset('logins'), pgvalet.reset('events') AS too")

    def refuse(self, **parameters):
        """Tries to log in, which is to fail."""
        with self.assertRaises(psycopg.OperationalError):
            self.server.connect(**parameters).close()

    def failure(self, reason):
        """The only row of pgvalet.login_failures, which is for this reason."""
        rows = wait_until(lambda: self.observer.execute(
            "SELECT * FROM pgvalet.login_failures").fetchall(), "a login failure")
        self.assertEqual([row.reason for row in rows], [reason])
        self.assertEqual(getattr(self.logins(), f"refused_{reason}_count"), rows[0].failure_count)
        return rows[0]

    def logins(self):
        return self.one(self.observer, "SELECT * FROM pgvalet.logins")

    def raw(self, source="127.0.0.1"):
        """A TCP connection that speaks for itself."""
        connection = socket.create_connection(("127.0.0.1", self.server.port), DEADLINE_S,
                                              source_address=(source, 0))
        self.addCleanup(connection.close)
        return connection

    # Those that come in.

    def test_login_counts_with_its_duration(self):
        before = self.logins()

        self.connect().close()
        self.connect().close()

        row = self.logins()
        self.assertEqual((row.attempt_count - before.attempt_count,
                          row.login_count - before.login_count, row.failure_count), (2, 2, 0))
        self.assertGreater(row.login_us, row.longest_login_us)
        self.assertGreater(row.longest_login_us, 0)

    def test_logins_per_second_are_those_of_the_application(self):
        for _ in range(3):
            self.connect(application_name="often").close()

        row = self.one(self.observer, "SELECT * FROM pgvalet.login_rates "
                                      "WHERE application_name = 'often'")
        self.assertGreater(row.logins_per_second_60min, 0)

    def test_name_taken_later_is_no_login(self):
        self.observer.execute("SET application_name = 'taken later'")

        row = self.one(self.observer, "SELECT * FROM pgvalet.login_rates "
                                      "WHERE application_name = 'taken later'")
        self.assertEqual(row.logins_per_second_60min, 0)

    # Those that do not.

    def test_wrong_password(self):
        self.refuse(tcp=True, user="locked", password="wrong", dbname="postgres",
                    application_name="guesser")

        row = self.failure("password")
        self.assertEqual((str(row.client_addr), row.failure_count, row.last_sqlstate),
                         ("127.0.0.1", 1, "28P01"))
        self.assertEqual((row.last_role_name, row.last_database_name, row.last_application_name),
                         ("locked", "postgres", "guesser"))

    def test_failure_over_a_unix_socket_has_no_address(self):
        self.refuse(user="locked", password="wrong")

        self.assertIsNone(self.failure("password").client_addr)

    def test_role_that_does_not_exist_is_rejected(self):
        self.refuse(user="nobody")

        row = self.failure("rejected")
        self.assertEqual((row.last_sqlstate, row.last_role_name), ("28000", "nobody"))

    def test_role_without_login_is_rejected(self):
        self.refuse(user="group_role")

        self.failure("rejected")

    def test_address_that_pg_hba_rejects_is_rejected(self):
        self.raw(source="127.0.0.9").sendall(startup_packet(user=b"plain"))

        self.assertEqual(str(self.failure("rejected").client_addr), "127.0.0.9")

    def test_database_that_does_not_exist(self):
        self.refuse(dbname="nowhere")

        row = self.failure("no_database")
        self.assertEqual((row.last_sqlstate, row.last_database_name), ("3D000", "nowhere"))

    def test_database_without_privilege(self):
        self.refuse(user="plain", dbname="closed")

        self.assertEqual(self.failure("no_privilege").last_sqlstate, "42501")

    def test_role_at_its_own_limit(self):
        self.refuse(user="single")

        self.assertEqual(self.failure("too_many_connections").last_role_name, "single")

    def test_full_server_tells_whom_it_refused(self):
        """A process that gets no place among the backends cannot take any lock."""
        while True:
            try:
                self.connect()
            except psycopg.OperationalError:
                break
        self.observer.execute("SELECT pgvalet.reset('logins')")

        self.refuse(tcp=True, user="plain", dbname="closed")

        row = self.failure("too_many_connections")
        self.assertEqual((str(row.client_addr), row.last_sqlstate, row.last_role_name),
                         ("127.0.0.1", "53300", "plain"))

    def test_client_that_goes_when_asked_for_its_password(self):
        self.refuse(tcp=True, user="locked")

        row = self.failure("client_left")
        self.assertEqual((row.last_sqlstate, row.last_role_name), (None, "locked"))

    def test_client_that_never_answers_runs_into_the_timeout(self):
        self.raw().sendall(startup_packet(user=b"locked"))

        self.assertEqual(self.failure("timeout").last_role_name, "locked")

    def test_packet_that_is_none(self):
        self.raw().sendall(struct.pack("!I", 1 << 30) + b"GET / HTTP/1.1\r\n")

        row = self.failure("protocol")
        self.assertEqual((row.last_role_name, row.last_database_name), (None, None))

    def test_protocol_that_the_server_does_not_speak(self):
        self.raw().sendall(struct.pack("!II", 8, 7 << 16))

        self.failure("protocol")

    def test_setting_that_does_not_exist_is_another_reason(self):
        self.refuse(options="-c no_such_setting=1")

        self.assertEqual(self.failure("other").last_sqlstate, "42704")

    def test_name_of_any_bytes_can_be_read(self):
        self.raw().sendall(startup_packet(user=b"b\xff\xfe\nad"))

        self.assertEqual(self.failure("rejected").last_role_name, "b???ad")

    def test_connection_that_says_nothing_is_no_attempt(self):
        before = self.logins()

        self.raw().close()
        self.raw().sendall(struct.pack("!II", 8, SSL_REQUEST))
        self.refuse(dbname="nowhere")

        row = self.logins()
        self.assertEqual(row.attempt_count - before.attempt_count, 1)

    # The table of sources.

    def test_failures_of_one_source_and_reason_share_a_row(self):
        for name in "one", "two", "three":
            self.refuse(tcp=True, dbname=name)

        row = self.failure("no_database")
        self.assertEqual((row.failure_count, row.last_database_name), (3, "three"))
        self.assertLess(row.first_at, row.last_at)

    def test_new_source_takes_the_place_of_an_old_one(self):
        for number in range(100):
            connection = self.raw(source=f"127.0.1.{number + 1}")
            connection.sendall(startup_packet(user=b"nobody"))
            connection.recv(1)

        rows = self.observer.execute("SELECT * FROM pgvalet.login_failures").fetchall()
        self.assertLessEqual(len(rows), 64)
        self.assertIn("127.0.1.100", [str(row.client_addr) for row in rows])
        self.assertEqual(self.logins().refused_rejected_count, 100)

    def test_reset_forgets_failures_and_logins(self):
        self.refuse(dbname="nowhere")
        self.failure("no_database")
        before = self.logins()

        self.observer.execute("SELECT pgvalet.reset('logins')")

        row = self.logins()
        self.assertEqual((row.attempt_count, row.failure_count), (0, 0))
        self.assertGreater(row.since, before.since)
        self.assertEqual(self.one(self.observer, "SELECT count(*) FROM pgvalet.login_failures")
                         .count, 0)

    # Events.

    def events(self):
        return self.observer.execute("SELECT * FROM pgvalet.events WHERE kind = 'login_refused' "
                                     "ORDER BY sequence").fetchall()

    def test_refused_login_is_an_event(self):
        self.refuse(tcp=True, user="locked", password="wrong", application_name="guesser")

        event = wait_until(self.events, "the event")[0]
        self.assertEqual((str(event.client_addr), event.application_name), ("127.0.0.1", "guesser"))
        self.assertEqual(event.message, 'login of role "locked" to database "postgres" refused: '
                                        'password (SQLSTATE 28P01)')

    def test_many_refused_logins_are_few_events_that_say_how_many(self):
        for _ in range(20):
            self.refuse(dbname="nowhere")

        def told():
            """How many refusals the events tell of."""
            return sum(1 + int(event.message.split("; ")[1].split()[0])
                       if "more like it" in event.message else 1 for event in self.events())

        wait_until(lambda: told() == 20, "all to be told")
        self.assertLess(len(self.events()), 20)

    def test_source_that_goes_on_is_told_of_less_often(self):
        """At first every 100 ms here."""
        def is_silent_for_long():
            self.refuse(dbname="nowhere")
            times = [event.at for event in self.events()]
            return any(later - earlier >= datetime.timedelta(milliseconds=800)
                       for earlier, later in zip(times, times[1:]))

        wait_until(is_silent_for_long, "two events with 800 ms between them")

    # Who may see it.

    def test_failures_are_for_readers_of_all_statistics(self):
        plain = self.connect(user="plain")
        for relation in ("logins", "login_failures", "login_rates", "login_counts()",
                         "login_failure_rows()", "rates()"):
            with self.assertRaises(psycopg.errors.InsufficientPrivilege):
                plain.execute(f"SELECT * FROM pgvalet.{relation}")

        self.observer.execute("GRANT pg_read_all_stats TO plain")
        self.addCleanup(self.observer.execute, "REVOKE pg_read_all_stats FROM plain")
        for relation in "logins", "login_failures", "login_rates":
            plain.execute(f"SELECT * FROM pgvalet.{relation}")


class NotReadyTest(unittest.TestCase):
    def test_server_that_shuts_down_is_not_ready(self):
        server = Server()
        server.start()
        self.addCleanup(server.stop)
        observer = server.connect()

        server.process.send_signal(signal.SIGTERM)

        def refused():
            try:
                server.connect().close()
            except psycopg.OperationalError as error:
                return "shutting down" in str(error)
            return False

        wait_until(refused, "the server to refuse clients")
        row = observer.execute("SELECT * FROM pgvalet.login_failures").fetchone()
        observer.close()
        self.assertEqual((row.reason, row.last_sqlstate), ("not_ready", "57P03"))


if __name__ == "__main__":
    unittest.main()
