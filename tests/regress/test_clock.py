"""A clock that is set back: what the collector does in its time goes on."""

import os
import struct
import subprocess
import unittest

import psycopg

from policy_server import PolicyTest
from server import Server, wait_until

DAY_US = 24 * 3600 * 1000000


class ServerWithClock(Server):
    """Its clock differs from ours by what set_clock() said."""

    def make_directory(self):
        super().make_directory()
        self.library = os.path.join(self.directory, "clock.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clock.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O", "-o", self.library, source, "-ldl"],
                       check=True)
        self.clock = os.path.join(self.directory, "clock")
        with open(self.clock, "wb") as clock:
            clock.write(struct.pack("=q", 0))
        for path in self.library, self.clock:
            os.chmod(path, 0o755)

    def set_clock(self, difference_us):
        with open(self.clock, "r+b") as clock:
            clock.write(struct.pack("=q", difference_us))

    def _launch_on(self, port):
        os.environ.update(LD_PRELOAD=self.library, PGV_CLOCK_FILE=self.clock)
        try:
            super()._launch_on(port)
        finally:
            del os.environ["LD_PRELOAD"], os.environ["PGV_CLOCK_FILE"]


class ClockTest(PolicyTest):
    @classmethod
    def setUpClass(cls):
        cls.server = ServerWithClock(**{"pgvalet.minute_ms": "600"})
        cls.server.start()

    days = 0

    def set_back(self):
        """By another day."""
        type(self).days += 1
        before = self.now()
        self.server.set_clock(-self.days * DAY_US)
        self.assertLess(self.now(), before)

    def now(self):
        return self.one(self.observer, "SELECT clock_timestamp() AS now").now

    def refused_login(self):
        with self.assertRaises(psycopg.OperationalError):
            self.server.connect(user="nobody")

    def test_rules_come_into_force_after_the_clock_was_set_back(self):
        self.rule("before")

        self.set_back()

        self.rule("after")
        self.assertEqual(self.status().rule_count, 2)

    def test_refused_logins_are_events_after_the_clock_was_set_back(self):
        self.refused_login()
        wait_until(lambda: len(self.events("login_refused")) == 1, "the first event")

        self.set_back()

        self.refused_login()
        wait_until(lambda: len(self.events("login_refused")) == 2, "the second event")


if __name__ == "__main__":
    unittest.main()
