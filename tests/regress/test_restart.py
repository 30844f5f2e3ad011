"""What outlives a restart, a crash and an immediate shutdown; what does not."""

import os
import random
import signal
import sys
import unittest

from server import Server, wait_until

KEPT = "pg_stat/pgvalet.stat"

# Where the checksum is in the head of the file, and how long that is.
CHECKSUM_AT = 48
HEAD_BYTES = 56


def crc32c(data):
    """The server's checksum of data."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    checksum = 0xFFFFFFFF
    for byte in data:
        checksum = checksum >> 8 ^ table[(checksum ^ byte) & 0xFF]
    return checksum ^ 0xFFFFFFFF


class RestartTest(unittest.TestCase):
    SETTINGS = {"pgvalet.minute_ms": "600"}

    def setUp(self):
        self.server = Server(**self.SETTINGS)
        self.server.start()
        self.addCleanup(self.server.stop)
        # A session that has ended, an event, and a minute of history.
        with self.server.connect(application_name="before") as client:
            self.pid = client.info.backend_pid
            client.execute("SELECT 1")
        with self.server.connect() as observer:
            observer.execute("SELECT pgvalet.reset('logins')")
        wait_until(lambda: self.rows("history"), "a minute of history")

    def connect(self, **parameters):
        connection = self.server.connect(**parameters)
        self.addCleanup(connection.close)
        return connection

    def query(self, query, *arguments):
        with self.server.connect() as connection:
            return connection.execute(query, arguments).fetchall()

    def rows(self, view):
        return self.query(f"SELECT * FROM pgvalet.{view} ORDER BY 1")

    def kept_path(self):
        return os.path.join(self.server.data, KEPT)

    def session(self, pid):
        rows = self.query("SELECT * FROM pgvalet.sessions WHERE pid = %s", pid)
        self.assertEqual(len(rows), 1)
        return rows[0]

    def assert_all_kept(self, before, events, history):
        """The session of setUp, these events and these minutes are there as they were."""
        self.assertEqual(self.session(self.pid), before)
        self.assertEqual(self.rows("events")[:len(events)], events)
        self.assertEqual(self.rows("history")[:len(history)], history)

    def take_note(self):
        """What is there now, to be compared with what is there afterwards."""
        return self.session(self.pid), self.rows("events"), self.rows("history")

    # What is kept.

    def test_clean_restart_keeps_sessions_events_and_history(self):
        note = self.take_note()

        self.server.shut_down()
        self.server.start_again()

        self.assert_all_kept(*note)

    def test_crash_of_a_backend_keeps_sessions_events_and_history(self):
        note = self.take_note()

        self.server.crash()

        self.assert_all_kept(*note)

    def test_immediate_shutdown_keeps_sessions_events_and_history(self):
        note = self.take_note()

        self.server.shut_down(signal.SIGQUIT)
        self.server.start_again()

        self.assert_all_kept(*note)

    def test_crash_that_ends_the_server_keeps_them_too(self):
        """restart_after_crash = off, as cluster managers set it."""
        self.server.shut_down()
        self.server.start_again(restart_after_crash="off")
        note = self.take_note()

        os.kill(self.connect().info.backend_pid, signal.SIGKILL)
        self.server.process.wait(60)
        self.server.log.close()
        self.server.start_again()

        self.assert_all_kept(*note)

    def test_several_restarts_and_crashes_keep_all(self):
        note = self.take_note()

        for _ in range(2):
            self.server.crash()
            self.server.shut_down()
            self.server.start_again()

        self.assert_all_kept(*note)

    # Sessions that were there.

    def test_sessions_of_a_crash_end_by_it(self):
        client = self.connect(application_name="innocent")
        client.execute("SELECT generate_series(1, 10)").fetchall()
        pid = client.info.backend_pid

        self.server.crash()

        row = self.session(pid)
        self.assertEqual((row.how_ended, row.application_name, row.row_count, row.end_sqlstate),
                         ("crash", "innocent", 10, None))
        self.assertGreater(row.ended_at, row.connected_at)

    def test_sessions_of_a_shutdown_end_by_it(self):
        client = self.connect(application_name="innocent")
        pid = client.info.backend_pid

        self.server.shut_down()
        self.server.start_again()

        row = self.session(pid)
        self.assertEqual((row.how_ended, row.end_sqlstate), ("killed", "57P01"))

    def test_sessions_of_an_immediate_shutdown_end_by_it(self):
        client = self.connect(application_name="innocent")
        pid = client.info.backend_pid

        self.server.shut_down(signal.SIGQUIT)
        self.server.start_again()

        self.assertEqual(self.session(pid).how_ended, "killed")

    def test_crashed_sessions_count_in_the_history(self):
        client = self.connect()

        self.server.crash()

        wait_until(lambda: self.query("SELECT FROM pgvalet.history WHERE ended_crash_count >= 2"),
                   "two crashed sessions in the history")
        client.close()

    # Numbers go on.

    def test_numbers_of_events_and_sessions_go_on(self):
        for begin_anew in self.server.crash, self.restart:
            last = self.query("SELECT max(e.sequence) AS event, max(s.sequence) AS session "
                              "FROM pgvalet.events AS e, pgvalet.sessions AS s")[0]

            begin_anew()

            self.query("SELECT pgvalet.reset('logins')")
            events = self.query("SELECT * FROM pgvalet.events_since(%s)", last.event)
            self.assertEqual([event.event_sequence for event in events],
                             list(range(last.event + 1, last.event + 1 + len(events))))
            self.assertEqual(events[0].lost_before, 0)
            self.assertIn("server_started", [event.kind for event in events])
            self.assertTrue(self.query("SELECT FROM pgvalet.sessions WHERE sequence = %s + 1",
                                       last.session))

    def restart(self):
        self.server.shut_down()
        self.server.start_again()

    def test_start_says_what_was_before_it(self):
        self.server.crash()
        self.restart()

        wait_until(lambda: [row.message for row in self.query(
            "SELECT message FROM pgvalet.events WHERE kind = 'server_started' ORDER BY sequence")]
            == ["counting began", "counting began anew after a crash",
                "counting began anew after a shutdown"], "three starts")

    def test_setting_changed_with_a_restart_is_told(self):
        self.server.shut_down()
        self.server.start_again(max_connections="40")

        wait_until(lambda: self.query(
            "SELECT FROM pgvalet.events WHERE kind = 'settings_changed' "
            "AND message = 'max_connections changed from \"30\" to \"40\"'"), "the event")

    # Other sizes.

    def test_smaller_rings_take_over_the_newest(self):
        for _ in range(30):
            self.connect().close()
        newest = wait_until(lambda: self.query("SELECT max(sequence) AS last FROM pgvalet.sessions "
                                               "HAVING max(sequence) >= 30"), "30 sessions")[0].last

        self.server.shut_down()
        self.server.start_again(**{"pgvalet.max_ended_sessions": "16", "max_connections": "20"})

        rows = self.rows("sessions")
        self.assertEqual(len(rows), 16)
        self.assertGreaterEqual(rows[-1].sequence, newest)

    def test_larger_rings_take_over_all(self):
        note = self.take_note()

        self.server.shut_down()
        self.server.start_again(**{"pgvalet.max_ended_sessions": "5000", "pgvalet.max_events": "20",
                                   "pgvalet.history_minutes": "3000", "max_connections": "50"})

        self.assert_all_kept(*note)

    # The file.

    def test_file_is_gone_while_the_server_runs(self):
        self.assertFalse(os.path.exists(self.kept_path()))
        self.server.shut_down()
        self.assertTrue(os.path.exists(self.kept_path()))

        self.server.start_again()

        wait_until(lambda: not os.path.exists(self.kept_path()), "the file to be removed")

    def test_start_that_fails_loses_nothing(self):
        note = self.take_note()
        self.server.shut_down()
        wal = os.path.join(self.server.data, "pg_wal")
        hidden = wal + ".hidden"

        # It has read the file when it finds that it cannot go on.
        os.rename(wal, hidden)
        with self.assertRaises(AssertionError):
            self.server.start_again()
        self.server.log.close()
        os.rename(hidden, wal)
        self.server.start_again()

        self.assert_all_kept(*note)

    def start_with(self, change):
        """Restarts it with a file that change() has made out of what it wrote."""
        self.server.shut_down()
        with open(self.kept_path(), "rb") as file:
            data = bytearray(file.read())
        data = change(data)
        with open(self.kept_path(), "wb") as file:
            file.write(data)
        os.chmod(self.kept_path(), 0o644)
        self.server.start_again()

    def assert_ignored(self, why):
        self.assertEqual(self.query("SELECT FROM pgvalet.sessions WHERE pid = %s", self.pid), [])
        self.assertEqual(self.server.log_text().count("pgvalet ignores"), 1)
        self.assertIn(f'pgvalet ignores file "{KEPT}": {why}', self.server.log_text())

    def test_damaged_byte_makes_the_file_ignored(self):
        def change(data):
            data[len(data) // 2] ^= 1
            return data

        self.start_with(change)

        self.assert_ignored("it is damaged")

    def test_file_that_is_cut_off_is_ignored(self):
        self.start_with(lambda data: data[:len(data) // 2])

        self.assert_ignored("it is not whole")

    def test_empty_file_is_ignored(self):
        self.start_with(lambda data: b"")

        self.assert_ignored("it is not whole")

    def test_file_of_something_else_is_ignored(self):
        self.start_with(lambda data: b"x" * len(data))

        self.assert_ignored("it is not one of ours")

    def test_file_of_another_version_is_ignored(self):
        self.start_with(lambda data: data[:8] + b"0.1\0" + data[12:])

        self.assert_ignored("another version wrote it")

    def test_unreadable_file_is_ignored(self):
        self.server.shut_down()
        os.remove(self.kept_path())
        os.mkdir(self.kept_path())

        self.server.start_again()

        self.assertEqual(self.query("SELECT FROM pgvalet.sessions WHERE pid = %s", self.pid), [])
        self.assertIn(f'pgvalet ignores file "{KEPT}"', self.server.log_text())

    def test_damage_that_no_checksum_shows_does_no_harm(self):
        """As memory that a crash has left behind: anything may stand in it."""
        self.server.shut_down()
        self.server.start_again(**{
            "pgvalet.max_ended_sessions": "16", "pgvalet.max_events": "16",
            "pgvalet.history_minutes": "10", "max_connections": "10", "max_worker_processes": "4",
            "autovacuum_max_workers": "1", "max_wal_senders": "0"})
        for seed in range(5):
            rest = random.Random(seed)
            self.connect(tcp=True).close()

            def change(data):
                for _ in range(rest.choice((20, 500, 5000))):
                    data[rest.randrange(HEAD_BYTES, len(data))] = rest.choice(
                        (0, 1, 0x7F, 0x80, 0xFF, rest.randrange(256)))
                data = bytearray(data.replace(b"127.0.0.1\0", b"127.0.\xff.1\0", seed % 2))
                checksum = crc32c(data[:CHECKSUM_AT] + data[HEAD_BYTES:])
                data[CHECKSUM_AT:CHECKSUM_AT + 4] = checksum.to_bytes(4, sys.byteorder)
                return data

            self.start_with(change)

            for view in "sessions", "events", "history", "memory", "io_rates", "logins", "backends":
                self.query(f"SELECT v::text FROM pgvalet.{view} AS v")
            self.assertNotIn("terminated by signal", self.server.log_text())
        # It was not the checksum that was wrong.
        self.assertNotIn(f'ignores file "{KEPT}"', self.server.log_text())

    # What is not kept.

    def test_killed_postmaster_leaves_nothing_and_no_harm(self):
        self.server.process.kill()
        self.server.process.wait(60)
        self.server.log.close()

        def starts():
            try:
                self.server.start_again()
                return True
            except AssertionError:
                # What the old one has left behind is still in use.
                self.server.log.close()
                return False

        wait_until(starts, "the server to start again")
        self.assertEqual(self.query("SELECT FROM pgvalet.sessions WHERE pid = %s", self.pid), [])

    def test_counting_begins_anew(self):
        self.restart()

        self.assertEqual(self.query("SELECT FROM pgvalet.usage_by_application "
                                    "WHERE application_name = 'before'"), [])


if __name__ == "__main__":
    unittest.main()
