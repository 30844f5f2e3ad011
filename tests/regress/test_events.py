"""Events and memory: the ring that a reader can follow, and what is forgotten."""

import concurrent.futures
import unittest

from psycopg import errors

from server import ServerTest

MAX_EVENTS = 16


class EventsTest(ServerTest):
    SETTINGS = {"pgvalet.max_events": str(MAX_EVENTS)}

    def setUp(self):
        self.session = self.connect(application_name="events test")

    def raise_events(self, count):
        for _ in range(count):
            self.session.execute("SELECT pgvalet.reset('leaks')")

    def since(self, sequence):
        return self.session.execute("SELECT * FROM pgvalet.events_since(%s)",
                                    [sequence]).fetchall()

    def last_sequence(self):
        return self.one(self.session, "SELECT coalesce(max(sequence), 0) AS last"
                                      "  FROM pgvalet.events").last

    def test_reader_that_comes_in_time_misses_nothing(self):
        last = self.last_sequence()
        for _ in range(3 * MAX_EVENTS):
            self.raise_events(1)
            events = self.since(last)

            self.assertEqual(events[0].event_sequence, last + 1)
            self.assertEqual(sum(event.lost_before for event in events), 0)
            last = events[-1].event_sequence

    def test_reader_that_comes_late_is_told_how_many_it_missed(self):
        last = self.last_sequence()
        self.raise_events(MAX_EVENTS + 5)

        events = self.since(last)

        self.assertEqual(len(events), MAX_EVENTS)
        self.assertEqual(events[0].lost_before, events[0].event_sequence - last - 1)
        self.assertGreaterEqual(events[0].lost_before, 5)
        self.assertEqual({event.lost_before for event in events[1:]}, {0})
        self.assertEqual([event.event_sequence for event in events],
                         list(range(events[0].event_sequence,
                                    events[0].event_sequence + MAX_EVENTS)))

    def test_reader_from_the_future_gets_nothing(self):
        for sequence in (2**62, 2**63 - 1):
            self.assertEqual(self.since(sequence), [])

    def test_reader_with_a_negative_number_gets_all(self):
        self.raise_events(1)
        self.assertEqual(self.since(-5)[-1].event_sequence, self.last_sequence())

    def test_event_says_who_and_what(self):
        self.raise_events(1)

        event = self.one(self.session, "SELECT * FROM pgvalet.events ORDER BY sequence DESC LIMIT 1")

        self.assertEqual(event.kind, "reset")
        self.assertEqual(event.pid, self.session.info.backend_pid)
        self.assertEqual(event.database_name, "postgres")
        self.assertEqual(event.role_name, "postgres")
        self.assertEqual(event.application_name, "events test")
        self.assertEqual(event.message, '"leaks" was reset')
        self.assertFalse(event.is_dry_run)

    def test_forgotten_events_are_lost_but_their_numbers_go_on(self):
        self.raise_events(2)
        last = self.last_sequence()
        self.session.execute("SELECT pgvalet.reset('events')")

        events = self.since(0)

        self.assertEqual(events[0].event_sequence, last + 1)
        self.assertEqual(events[0].lost_before, last)

    def test_reset_of_something_else_says_what_there_is(self):
        with self.assertRaises(errors.InvalidParameterValue) as raised:
            self.session.execute("SELECT pgvalet.reset('everything')")
        self.assertIn('"everything"', raised.exception.diag.message_primary)
        self.assertIn('"events"', raised.exception.diag.message_hint)
        self.assertIn('"all"', raised.exception.diag.message_hint)
        with self.assertRaises(errors.InvalidParameterValue):
            self.session.execute("SELECT pgvalet.reset('backends')")

    def test_reset_of_null_is_an_error(self):
        with self.assertRaises(errors.NullValueNotAllowed):
            self.session.execute("SELECT pgvalet.reset(NULL)")

    def test_time_of_the_last_reset_is_shown(self):
        before = self.one(self.session, "SELECT clock_timestamp() AS now").now
        self.session.execute("SELECT pgvalet.reset()")

        parts = {row.part: row for row in self.session.execute("SELECT * FROM pgvalet.memory")}

        self.assertGreaterEqual(parts["events"].reset_at, before)
        self.assertGreaterEqual(parts["leaks"].reset_at, before)
        self.assertIsNone(parts["backends"].reset_at)

    def test_memory_is_shown_by_part_and_does_not_grow(self):
        query = "SELECT part, bytes, max_entries FROM pgvalet.memory"
        before = self.session.execute(query).fetchall()
        for _ in range(20):
            self.connect()

        after = self.session.execute(query).fetchall()

        self.assertEqual(before, after)
        self.assertTrue(all(row.bytes > 0 for row in after))
        events = self.one(self.session, "SELECT * FROM pgvalet.memory WHERE part = 'events'")
        self.assertEqual(events.max_entries, MAX_EVENTS)
        self.assertLessEqual(events.used_entries, MAX_EVENTS)
        used = self.one(self.session, "SELECT used_entries FROM pgvalet.memory"
                                      " WHERE part = 'backends'")
        self.assertGreaterEqual(used.used_entries, 21)

    def test_only_who_may_read_statistics_sees_events_and_nobody_may_reset(self):
        self.session.execute("DROP ROLE IF EXISTS reader")
        self.session.execute("CREATE ROLE reader LOGIN")
        reader = self.connect(user="reader")
        statements = ("SELECT * FROM pgvalet.events", "SELECT * FROM pgvalet.events_since(0)",
                      "SELECT * FROM pgvalet.memory", "SELECT * FROM pgvalet.memory()")
        for statement in statements + ("SELECT pgvalet.reset()",):
            with self.assertRaises(errors.InsufficientPrivilege):
                reader.execute(statement)

        self.session.execute("GRANT pg_monitor TO reader")

        for statement in statements:
            reader.execute(statement)
        with self.assertRaises(errors.InsufficientPrivilege):
            reader.execute("SELECT pgvalet.reset()")


class LargeRingTest(ServerTest):
    """A ring that is read a part at a time."""

    SETTINGS = {"pgvalet.max_events": "600"}

    def test_events_are_read_without_a_gap_while_others_are_added(self):
        writer = self.connect()
        reader = self.connect()
        add = "SELECT count(pgvalet.reset('leaks')) FROM generate_series(1, %s)"
        writer.execute(add, [1000])
        with concurrent.futures.ThreadPoolExecutor() as pool:
            writing = pool.submit(writer.execute, add, [20000])
            while not writing.done():
                events = reader.execute("SELECT * FROM pgvalet.events_since(0)").fetchall()
                first = events[0].event_sequence
                self.assertEqual([event.event_sequence for event in events],
                                 list(range(first, first + len(events))))
                self.assertEqual(events[0].lost_before, first - 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
