"""Leaks: which sessions are taken for forgotten, and which are not.

The limits are some hundred milliseconds, so that what takes a real application
an hour takes a test a second.  Where something must not be found, a witness that
behaves as a leaking application does is found first.
"""

import unittest

from server import ServerTest, wait_until

LEAK_IDLE_MS = 1000


class Application:
    """A program with connections of its own name."""

    def __init__(self, test, name, **parameters):
        self.test = test
        self.name = name
        self.parameters = parameters
        self.connections = []

    def open(self, statements=1):
        connection = self.test.connect(application_name=self.name, **self.parameters)
        for _ in range(statements):
            connection.execute("SELECT 1")
        self.connections.append(connection)
        return connection

    def close_oldest(self):
        connection = self.connections.pop(0)
        pid = connection.info.backend_pid
        connection.close()
        wait_until(lambda: self.test.backend(self.test.observer, pid) is None, f"the end of {pid}")

    def wait_a_step(self, steps=1):
        """Until the newest connection is older than the time that parts openings."""
        pid = self.connections[-1].info.backend_pid
        wait_until(lambda: self.test.observer.execute(
            "SELECT clock_timestamp() - connected_at > current_setting('pgvalet.leak_idle')::interval"
            f"  * {steps} / 10 AS old"
            "  FROM pgvalet.backends WHERE pid = %s", [pid]).fetchone().old, "time to pass")

    def wait_until_long_unused(self):
        for connection in self.connections:
            self.test.wait_until_long_unused(connection)


class LeaksTest(ServerTest):
    def setUp(self):
        self.addCleanup(self.server.set, leak_idle=600000, leak_idle_in_transaction=60000)
        self.observer = self.connect_agent()
        self.observer.execute("SELECT pgvalet.reset('leaks')")
        self.server.set(leak_idle=LEAK_IDLE_MS, leak_idle_in_transaction=0)

    def wait_until_long_unused(self, connection):
        wait_until(lambda: self.observer.execute(
            "SELECT clock_timestamp() - state_since > current_setting('pgvalet.leak_idle')::interval"
            "  + interval '100 ms' AS long"
            "  FROM pgvalet.backends WHERE pid = %s",
            [connection.info.backend_pid]).fetchone().long, "a long wait")

    def leaks_of(self, name, kind="unused"):
        return self.observer.execute(
            "SELECT * FROM pgvalet.leaks WHERE application_name = %s AND kind = %s"
            " ORDER BY connected_at", [name, kind]).fetchall()

    def scores_of(self, name):
        return {row.pid: row.score for row in self.observer.execute(
            "SELECT pid, score FROM pgvalet.leak_rows() WHERE application_name = %s", [name])}

    def play_witness(self):
        """An application that leaks, until it is found."""
        witness = Application(self, "witness")

        def is_found():
            witness.open()
            witness.wait_a_step()
            if len(witness.connections) > 10:
                witness.close_oldest()
            return self.leaks_of("witness")

        wait_until(is_found, "the witness to be found")

    def test_application_that_opens_and_never_closes_is_found(self):
        leaky = Application(self, "leaky")

        def first_is_found():
            leaky.open()
            leaky.wait_a_step()
            return self.leaks_of("leaky")

        found = wait_until(first_is_found, "the leak to be found")

        self.assertEqual(found[0].pid, leaky.connections[0].info.backend_pid)
        self.assertGreaterEqual(found[0].score, 0.5)
        self.assertRegex(found[0].reason, "unused for .* after 1 statements; since then its "
                         "application opened connections .* times and has .* more")
        self.assertEqual(found[0].session_count, len(leaky.connections))
        event = wait_until(lambda: self.observer.execute(
            "SELECT * FROM pgvalet.events WHERE kind = 'leak_found' AND pid = %s",
            [found[0].pid]).fetchone(), "the event")
        self.assertIn("unused for", event.message)

    def test_several_leaked_sessions_are_shown_as_a_group_with_the_statement_to_end_them(self):
        leaky = Application(self, "leaky group")

        def group_is_found():
            leaky.open()
            leaky.wait_a_step()
            return self.leaks_of("leaky group", "group")

        group = wait_until(group_is_found, "the group to be found")[0]

        self.assertIsNone(group.pid)
        self.assertGreaterEqual(group.leaked_count, 3)
        leaked = [row.pid for row in self.leaks_of("leaky group")]
        self.observer.execute(group.end_statement)
        for pid in leaked:
            wait_until(lambda: self.backend(self.observer, pid) is None, f"the end of {pid}")

    def test_spares_of_a_pool_that_keeps_its_size_are_not_leaked(self):
        pool = Application(self, "lifo pool")
        for _ in range(8):
            pool.open()

        pool.wait_until_long_unused()
        self.play_witness()

        self.assertEqual(self.leaks_of("lifo pool"), [])
        # They are looked at: it is the missing habit that speaks for them.
        self.assertEqual(len(self.scores_of("lifo pool")), 8)

    def test_pool_that_replaces_its_connections_one_by_one_is_not_leaking(self):
        pool = Application(self, "replacing pool")
        for _ in range(6):
            pool.open()
        pool.wait_a_step(2)

        for _ in range(5):
            pool.close_oldest()
            pool.open()
            pool.wait_a_step()
        pool.wait_until_long_unused()
        self.play_witness()

        self.assertEqual(self.leaks_of("replacing pool"), [])

    def test_program_that_grows_at_one_time_is_not_leaking(self):
        # Four connections are opened within a tenth of this, however busy the machine.
        self.server.set(leak_idle=5 * LEAK_IDLE_MS)
        program = Application(self, "burst")
        for _ in range(3):
            program.open()
        program.wait_a_step(3)
        for _ in range(4):
            program.open()

        program.wait_until_long_unused()
        self.play_witness()

        self.assertEqual(self.leaks_of("burst"), [])

    def test_session_that_is_used_is_not_leaked_however_many_are_opened(self):
        program = Application(self, "growing")
        used = program.open()
        for _ in range(6):
            program.open()
            program.wait_a_step()

        used.execute("SELECT 1")
        self.play_witness()
        used.execute("SELECT 1")

        self.assertNotIn(used.info.backend_pid, [row.pid for row in self.leaks_of("growing")])

    def test_people_who_leave_their_tools_open_are_left_alone(self):
        tools = [Application(self, name) for name in ("psql", "DBeaver 24.1 - Main")]
        for tool in tools:
            for _ in range(6):
                tool.open()
                tool.wait_a_step()

        for tool in tools:
            tool.wait_until_long_unused()
        self.play_witness()

        for tool in tools:
            self.assertEqual(self.scores_of(tool.name), {})

    def test_waiting_connections_of_an_agent_are_the_agents_business(self):
        pool = Application(self, "pooled", options="-c pgvalet.agent=pgvaletd/test:1")
        for _ in range(6):
            pool.open()
            pool.wait_a_step()

        pool.wait_until_long_unused()
        self.play_witness()

        self.assertEqual(self.scores_of("pooled"), {})

    def test_session_idle_in_transaction_is_found_with_what_it_blocks(self):
        self.server.set(leak_idle=0, leak_idle_in_transaction=100)
        self.observer.execute("CREATE TABLE IF NOT EXISTS held (n int)")
        holder = self.connect(application_name="holder")
        holder.execute("BEGIN; LOCK TABLE held")
        waiter = self.connect(application_name="waiter")
        waiter.pgconn.send_query(b"SELECT * FROM held")

        def found_with_the_waiter():
            rows = self.leaks_of("holder", "idle in transaction")
            return rows and rows[0].blocked_pids and rows

        found = wait_until(found_with_the_waiter, "the holder to be found")[0]

        self.assertEqual(found.pid, holder.info.backend_pid)
        self.assertEqual(found.blocked_pids, [waiter.info.backend_pid])
        self.assertIn("waits inside a transaction", found.reason)
        self.assertEqual(found.end_statement,
                         f"SELECT pg_terminate_backend({holder.info.backend_pid})")
        self.observer.execute(found.end_statement)
        wait_until(lambda: not self.leaks_of("holder", "idle in transaction"), "it to be gone")

    def test_longer_wait_in_a_transaction_scores_higher(self):
        self.server.set(leak_idle=0, leak_idle_in_transaction=50)
        holder = self.connect(application_name="long holder")
        holder.execute("BEGIN")
        first = wait_until(lambda: self.leaks_of("long holder", "idle in transaction"), "the leak")

        wait_until(lambda: self.leaks_of("long holder", "idle in transaction")[0].score
                   > first[0].score, "a higher score")

        wait_until(lambda: self.leaks_of("long holder", "idle in transaction")[0].score
                   == 0.9, "the highest score")

    def test_limits_of_zero_find_nothing(self):
        self.server.set(leak_idle=0, leak_idle_in_transaction=0)
        holder = self.connect(application_name="spared")
        holder.execute("BEGIN")

        self.assertEqual(self.scores_of("spared"), {})

    def test_only_who_may_read_statistics_sees_leaks(self):
        self.observer.execute("DROP ROLE IF EXISTS nobody_special")
        self.observer.execute("CREATE ROLE nobody_special LOGIN")
        nobody = self.connect(user="nobody_special")
        for statement in ("SELECT * FROM pgvalet.leaks", "SELECT * FROM pgvalet.leak_rows()"):
            with self.assertRaisesRegex(Exception, "permission denied"):
                nobody.execute(statement)
        self.observer.execute("GRANT pg_read_all_stats TO nobody_special")
        nobody.execute("SELECT * FROM pgvalet.leaks")


if __name__ == "__main__":
    unittest.main(verbosity=2)
