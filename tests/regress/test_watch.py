"""Events that the collector raises: starts, limits, long pins, settings."""

import unittest

from server import ServerTest, wait_until


class WatchTest(ServerTest):
    SETTINGS = {"max_connections": "20"}

    # Grows with every test: a value of pgvalet.pin_long that was not there before.
    pin_long_ms = 3600000

    def setUp(self):
        self.addCleanup(self.put_settings_back)
        self.observer = self.connect(application_name="observer")
        wait_until(lambda: self.one(self.observer, "SELECT connections FROM pgvalet.summary")
                   .connections == 1, "the other sessions to leave")
        self.last = self.one(self.observer, "SELECT coalesce(max(sequence), 0) AS last "
                                            "FROM pgvalet.events").last

    def put_settings_back(self):
        """The next test is not to see events of this; they come in the order of names."""
        WatchTest.pin_long_ms += 1
        value = f"{WatchTest.pin_long_ms}ms"
        self.server.set(limit_near_share=0.8, io_budgets="", pin_long=value)
        with self.server.connect() as connection:
            wait_until(lambda: connection.execute(
                "SELECT 1 FROM pgvalet.events WHERE message LIKE %s",
                (f'pgvalet.pin_long changed % to "{value}"',)).fetchone(), "the settings of before")

    def events(self, kind):
        """The events of this kind since the test began."""
        return self.observer.execute("SELECT * FROM pgvalet.events WHERE kind = %s "
                                     "AND sequence > %s ORDER BY sequence",
                                     (kind, self.last)).fetchall()

    def event(self, kind):
        """The first of them; waits for it."""
        return wait_until(lambda: self.events(kind), f"the event {kind}")[0]

    def test_start_of_the_server_is_an_event(self):
        self.last = 0

        self.assertEqual(self.event("server_started").sequence, 1)

    # Limits.

    def test_connections_near_the_limit_are_told_once_and_so_is_their_relief(self):
        # 3 of 20 are reserved.  14 of 17 are near; 12 are not any more.
        clients = [self.connect() for _ in range(13)]

        event = self.event("limit_near")
        self.assertEqual(event.message,
                         "14 of 17 connections are in use (82 %; besides, 3 reserved)")

        clients.append(self.connect())
        for client in clients[:2]:
            client.close()
        wait_until(lambda: self.one(self.observer, "SELECT connections FROM pgvalet.summary")
                   .connections == 13, "two sessions to leave")
        self.assertEqual(self.events("limit_relieved"), [])
        for client in clients[2:]:
            client.close()
        self.event("limit_relieved")
        self.assertEqual(len(self.events("limit_near")), 1)

    def test_limit_can_be_another(self):
        self.server.set(limit_near_share=0.2)
        self.event("settings_changed")

        clients = [self.connect() for _ in range(4)]

        self.event("limit_near")
        for client in clients:
            client.close()
        self.event("limit_relieved")

    def test_limit_that_is_off_is_never_near(self):
        self.server.set(limit_near_share=0)
        self.event("settings_changed")

        clients = [self.connect() for _ in range(16)]
        clients[0].close()
        # A witness that the collector has looked: it raises the events in this order.
        self.server.set(io_budgets="server=1MB")
        wait_until(lambda: len(self.events("settings_changed")) == 2, "the collector to look")

        self.assertEqual(self.events("limit_near"), [])

    # Settings.

    def test_changed_setting_is_an_event_with_both_values(self):
        self.server.set(io_budgets="role:etl=50MB")

        self.assertEqual(self.event("settings_changed").message,
                         'pgvalet.io_budgets changed from "" to "role:etl=50MB"')

    def test_changed_setting_of_the_server_is_an_event(self):
        with self.connect_agent() as connection:
            connection.execute("ALTER SYSTEM SET idle_session_timeout = '2h'")
            connection.execute("SELECT pg_reload_conf()")

        self.assertEqual(self.event("settings_changed").message,
                         'idle_session_timeout changed from "0" to "2h"')

    def test_reload_without_changes_is_no_event(self):
        self.observer.execute("SELECT pg_reload_conf()")
        self.server.set(io_budgets="role:witness=1MB")

        self.event("settings_changed")
        self.assertEqual(len(self.events("settings_changed")), 1)

    # Pins.

    def agent_with_temporary_table(self):
        """A connection whose session its agent follows, and cannot move."""
        agent = self.connect(options="-c pgvalet.agent=pgvaletd/test:1 -c pgvalet.agent_key=key",
                             application_name="pinned")
        agent.execute("CREATE TEMP TABLE held (n int)")
        wait_until(lambda: self.backend(self.observer, agent.info.backend_pid).pin_reasons,
                   "the session to be pinned")
        return agent

    def test_long_pin_is_told_once(self):
        agent = self.agent_with_temporary_table()

        self.server.set(pin_long="10ms")

        event = self.event("pin_long")
        self.assertEqual((event.pid, event.application_name), (agent.info.backend_pid, "pinned"))
        self.assertIn('agent "pgvaletd/test:1"', event.message)
        self.assertIn("temporary_objects", event.message)
        # A witness that the collector has looked again.
        self.server.set(io_budgets="role:witness=1MB")
        wait_until(lambda: len(self.events("settings_changed")) == 2, "the collector to look")
        self.assertEqual(len(self.events("pin_long")), 1)

    def test_pin_that_ends_and_begins_again_is_told_again(self):
        agent = self.agent_with_temporary_table()
        self.server.set(pin_long="10ms")
        self.event("pin_long")

        agent.execute("DROP TABLE held")
        agent.execute("CREATE TEMP TABLE held (n int)")
        self.connect().close()

        wait_until(lambda: len(self.events("pin_long")) == 2, "the second pin to be told")


if __name__ == "__main__":
    unittest.main()
