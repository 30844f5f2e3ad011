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
        self.assertRegex(found[0].reason, "unused for .* after 1 statement; since then its "
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

    def wait_for_lock(self, connection, statement):
        """Sends a statement that waits for a lock, and comes back when it does."""
        connection.pgconn.send_query(statement.encode())
        wait_until(lambda: self.backend(self.observer, connection.info.backend_pid
                                        ).wait_event_type == "Lock", "the wait for a lock")

    def only_leak_of(self, name, kind="unused"):
        return wait_until(lambda: self.leaks_of(name, kind), f"the leak of {name}")[0]

    def test_idle_session_whose_advisory_lock_others_wait_for_is_found(self):
        holder = self.connect(application_name="lock holder")
        waiter = self.connect()
        holder.execute("SELECT pg_advisory_lock(1)")
        self.wait_for_lock(waiter, "SELECT pg_advisory_lock(1)")

        found = self.only_leak_of("lock holder")

        self.assertEqual(found.pid, holder.info.backend_pid)
        self.assertGreaterEqual(found.score, 0.6)
        self.assertEqual((found.locks_held, found.blocked_pids), (1, [waiter.info.backend_pid]))
        self.assertRegex(found.reason, r"^unused for \d+ s after 1 statement; holds 1 lock;"
                         " 1 backend waits because of it$")
        holder.execute("SELECT pg_advisory_unlock(1)")
        waiter.pgconn.get_result()

    def test_leader_by_an_advisory_lock_that_nobody_waits_for_is_not_leaked(self):
        leader = Application(self, "leader")
        leader.open().execute("SELECT pg_advisory_lock(2)")

        leader.wait_until_long_unused()
        self.play_witness()

        self.assertEqual(self.leaks_of("leader"), [])
        reason = self.one(self.observer, "SELECT reason FROM pgvalet.leak_rows()"
                          " WHERE application_name = 'leader'").reason
        self.assertIn("holds 1 lock", reason)

    def test_lock_held_outside_a_transaction_raises_the_score(self):
        plain, holder = Application(self, "without"), Application(self, "with a lock")
        for application in (plain, holder):
            application.open(statements=10)
        holder.connections[0].execute("SELECT pg_advisory_lock(3)")
        plain.connections[0].execute("SELECT 1")
        for application in (plain, holder):
            application.wait_until_long_unused()

        scores = [*self.scores_of("without").values(), *self.scores_of("with a lock").values()]

        self.assertEqual(scores, [0.3, 0.4])

    def test_lock_held_inside_a_transaction_raises_the_score(self):
        self.server.set(leak_idle=0, leak_idle_in_transaction=50)
        holder = self.connect(application_name="raised")
        holder.execute("BEGIN; SELECT pg_advisory_lock(10)")

        found = wait_until(lambda: [row for row in self.leaks_of("raised", "idle in transaction")
                                    if row.score == 1], "the highest score")[0]

        self.assertRegex(found.reason, "; holds 1 lock$")

    def test_old_row_versions_raise_the_score(self):
        self.server.set(leak_idle=0, leak_idle_in_transaction=50)
        holder = self.connect(application_name="old")
        holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        wait_until(lambda: [row for row in self.leaks_of("old", "idle in transaction")
                            if row.score == 0.9], "the score of time alone")

        self.observer.execute("CREATE TEMP TABLE t (n int)")
        self.observer.execute("DO $$ BEGIN FOR n IN 1 .. 10000 LOOP BEGIN INSERT INTO t VALUES (n);"
                              " EXCEPTION WHEN division_by_zero THEN END; END LOOP; END $$")

        found = self.leaks_of("old", "idle in transaction")[0]
        self.assertEqual(found.score, 1)
        self.assertRegex(found.reason, r"s; keeps row versions up to 1\d{4} transactions old$")

    def test_reason_does_not_speak_of_locks_that_nobody_holds(self):
        self.server.set(leak_idle=0, leak_idle_in_transaction=50)
        self.connect(application_name="bare").execute("BEGIN")

        found = self.only_leak_of("bare", "idle in transaction")

        self.assertEqual((found.locks_held, found.xmin_age, found.blocked_pids), (0, None, None))
        self.assertRegex(found.reason, r"^waits inside a transaction for \d+ s;"
                         " holds no lock and keeps no row versions$")

    def test_those_who_wait_for_those_who_wait_are_shown_behind_them(self):
        self.server.set(leak_idle=0, leak_idle_in_transaction=50)
        chained, blocked, holder = [self.connect(application_name=name)
                                    for name in ("chained", "blocked", "chain holder")]
        holder.execute("BEGIN; SELECT pg_advisory_lock(4)")
        blocked.execute("BEGIN; SELECT pg_advisory_lock(5)")
        self.wait_for_lock(blocked, "SELECT pg_advisory_lock(4)")
        self.wait_for_lock(chained, "SELECT pg_advisory_lock(5)")

        found = self.only_leak_of("chain holder", "idle in transaction")

        self.assertEqual(found.blocked_pids, [blocked.info.backend_pid, chained.info.backend_pid])
        self.assertIn("2 backends wait because of it", found.reason)

    def test_deadlock_behind_a_leak_is_shown_once(self):
        self.server.set(leak_idle=0, leak_idle_in_transaction=50)
        holder, one, other = [self.connect(application_name=name)
                              for name in ("before a deadlock", "one", "other")]
        for connection in (one, other):
            connection.execute("SET deadlock_timeout = '1h'")
        holder.execute("BEGIN; SELECT pg_advisory_lock_shared(6)")
        other.execute("SELECT pg_advisory_lock_shared(6)")
        one.execute("SELECT pg_advisory_lock(7)")
        self.wait_for_lock(one, "SELECT pg_advisory_lock(6)")
        self.wait_for_lock(other, "SELECT pg_advisory_lock(7)")

        found = self.only_leak_of("before a deadlock", "idle in transaction")

        self.assertEqual(found.blocked_pids, [one.info.backend_pid, other.info.backend_pid])

    def test_scores_are_shown_with_two_digits(self):
        self.server.set(leak_idle=0, leak_idle_in_transaction=200)
        self.connect(application_name="rounded").execute("BEGIN")
        seen = set()

        def is_highest():
            seen.update(row.score for row in self.observer.execute(
                "SELECT score::text FROM pgvalet.leaks WHERE application_name = 'rounded'"))
            return "0.9" in seen

        wait_until(is_highest, "the highest score")

        self.assertGreater(len(seen), 3)
        self.assertEqual([score for score in seen if len(score) > len("0.12")], [])

    def test_agents_connection_whose_client_blocks_others_is_found(self):
        agent = self.connect_agent(application_name="behind an agent")
        waiter = self.connect()
        agent.execute("SELECT pg_advisory_lock(8)")
        self.wait_for_lock(waiter, "SELECT pg_advisory_lock(8)")

        found = self.only_leak_of("behind an agent")

        self.assertEqual(found.blocked_pids, [waiter.info.backend_pid])
        self.assertIsNotNone(found.agent_name)

    def test_sessions_found_for_what_they_block_are_not_said_to_be_lost_by_habit(self):
        holders = [self.connect(application_name="blockers") for _ in range(3)]
        for number, holder in enumerate(holders):
            holder.execute("SELECT pg_advisory_lock(9, %s)", [number])
            self.wait_for_lock(self.connect(), f"SELECT pg_advisory_lock(9, {number})")

        wait_until(lambda: len(self.leaks_of("blockers")) == 3, "all three")

        self.assertEqual(self.leaks_of("blockers", "group"), [])

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
