"""Processes and transactions that have no client: parallel workers, autovacuum, prepared
transactions, single-user mode.  None of them has a slot.
"""

import os
import signal
import subprocess
import threading
import unittest

import psycopg
from psycopg import errors

from server import DEADLINE_S, Server, ServerTest, as_server_user, wait_until

SETTINGS = {
    "autovacuum": "on",
    "autovacuum_naptime": "1s",
    "autovacuum_vacuum_threshold": "10",
    "autovacuum_vacuum_scale_factor": "0",
    "parallel_setup_cost": "0",
    "parallel_tuple_cost": "0",
    "min_parallel_table_scan_size": "0",
    "parallel_leader_participation": "off",
    "max_parallel_workers_per_gather": "2",
}


class OtherProcessesTest(ServerTest):
    SETTINGS = SETTINGS

    def setUp(self):
        self.observer = self.connect()

    def slots_of_others(self):
        return self.observer.execute(
            "SELECT b.pid, a.backend_type FROM pgvalet.backends AS b"
            " LEFT JOIN pg_stat_activity AS a USING (pid)"
            " WHERE a.backend_type IS DISTINCT FROM 'client backend'").fetchall()

    def sessions(self):
        return self.one(self.observer, "SELECT session_count FROM pgvalet.summary").session_count

    def test_parallel_workers_have_no_slot_and_their_leader_is_active(self):
        self.observer.execute("CREATE TABLE many AS SELECT generate_series(1, 2000) AS n")
        self.observer.execute("CREATE FUNCTION waits(n int) RETURNS int LANGUAGE plpgsql"
                              " PARALLEL SAFE AS $$ BEGIN PERFORM pg_sleep(0.1); RETURN n; END $$")
        before = self.sessions()
        leader = self.connect()
        query = threading.Thread(target=self.expect_cancel, args=(leader,))
        query.start()
        wait_until(lambda: self.observer.execute(
            "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'parallel worker'"
            " AND wait_event = 'PgSleep'").fetchone(), "a parallel worker")

        self.assertEqual(self.slots_of_others(), [])
        self.assertEqual(self.backend(self.observer, leader.info.backend_pid).state, "active")
        self.assertEqual(self.sessions(), before + 1)

        leader.cancel()
        query.join()

    def expect_cancel(self, connection):
        with self.assertRaises(errors.QueryCanceled):
            connection.execute("SELECT sum(waits(n)) FROM many")

    def test_autovacuum_has_no_slot_and_is_nobodys_usage(self):
        before = self.sessions()
        self.observer.execute("CREATE TABLE often (n int)")
        self.observer.execute("INSERT INTO often SELECT generate_series(1, 1000)")
        self.observer.execute("UPDATE often SET n = n + 1")

        def is_vacuumed():
            self.assertEqual(self.slots_of_others(), [])
            return self.one(self.observer, "SELECT autovacuum_count AS n FROM"
                            " pg_stat_all_tables WHERE relname = 'often'").n > 0

        wait_until(is_vacuumed, "autovacuum")
        self.assertEqual(self.sessions(), before)

    def test_prepared_transaction_has_no_slot_and_counts_when_it_is_committed(self):
        self.observer.execute("CREATE TABLE twice (n int)")
        client = self.connect()
        client.execute("BEGIN")
        client.execute("INSERT INTO twice VALUES (1)")
        client.execute("PREPARE TRANSACTION 'later'")
        pid = client.info.backend_pid
        client.close()
        wait_until(lambda: self.backend(self.observer, pid) is None,
                   "the client to leave")
        self.assertEqual(self.slots_of_others(), [])
        before = self.backend(self.observer, self.observer.info.backend_pid)

        self.observer.execute("COMMIT PREPARED 'later'")

        row = self.backend(self.observer, self.observer.info.backend_pid)
        # The reading before is a transaction too.
        self.assertEqual(row.xact_commit_count - before.xact_commit_count, 2)

    def test_prepared_transaction_survives_a_crash_beside_the_extension(self):
        client = self.connect()
        client.execute("CREATE TABLE kept (n int)")
        client.execute("BEGIN")
        client.execute("INSERT INTO kept VALUES (1)")
        client.execute("PREPARE TRANSACTION 'kept'")
        started_at = self.one(client, "SELECT started_at FROM pgvalet.summary").started_at
        os.kill(client.info.backend_pid, signal.SIGKILL)

        def is_back():
            try:
                with self.server.connect() as connection:
                    return self.one(connection, "SELECT started_at FROM pgvalet.summary"
                                    ).started_at > started_at
            except psycopg.OperationalError:
                return False

        wait_until(is_back, "the server to come back")
        with self.server.connect() as connection:
            connection.execute("COMMIT PREPARED 'kept'")
            self.assertEqual(len(connection.execute("SELECT * FROM kept").fetchall()), 1)
            pids = connection.execute("SELECT pid FROM pgvalet.backends").fetchall()
            self.assertEqual([row.pid for row in pids], [connection.info.backend_pid])


class WithoutPostmasterTest(unittest.TestCase):
    """Programs that load the library and have no postmaster."""

    def setUp(self):
        self.server = Server()
        self.server.start()
        self.addCleanup(self.server.stop)
        self.server.process.send_signal(signal.SIGINT)
        self.server.process.wait(DEADLINE_S)

    def postgres(self, *arguments, **options):
        return subprocess.run(
            [os.path.join(self.server.bin, "postgres"), *arguments, "-D", self.server.data],
            cwd="/", text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True,
            **options, **as_server_user()).stdout

    def test_single_user_mode_reads_views_and_has_no_slot(self):
        output = self.postgres("--single", "postgres", input=(
            "SELECT count(*) AS slots FROM pgvalet.backends\n"
            "SELECT connections FROM pgvalet.summary\n"
            "SELECT pgvalet.reset('all')\n"))

        self.assertIn('slots = "0"', output)
        self.assertIn('connections = "0"', output)
        self.assertNotIn("ERROR", output)

    def test_server_tells_how_much_memory_it_would_take(self):
        self.assertGreater(int(self.postgres("-C", "shared_memory_size").split()[-1]), 0)


if __name__ == "__main__":
    unittest.main()
