"""Clients that keep a server busy with everything that the extension looks at."""

import os
import random
import subprocess
import threading
import time

import psycopg

from server import DEADLINE_S, SERVER_USER, as_server_user

DATABASES = ("postgres", "other")
ROLES = (SERVER_USER, "worker_a", "worker_b")
APPLICATIONS = ("web", "batch", "reports", "")

# pgbench beside the clients: quick statements, transactions, and nothing but logins.
BENCHES = (
    ("-S", "-M", "prepared", "-c", "2"),
    ("-M", "simple", "-c", "2"),
    ("-S", "-C", "-c", "1"),
)

# SQLSTATE classes that say that the server, not the client, is wrong.
INTERNAL = "XX"


def transaction(connection, rng):
    with connection.transaction(force_rollback=rng.random() < 0.3):
        connection.execute("INSERT INTO items VALUES (%s, repeat('x', %s))",
                           (rng.randrange(10**6), rng.randrange(2000)))
        with connection.transaction():
            connection.execute("UPDATE items SET body = 'new' WHERE id = %s",
                               (rng.randrange(10**6),))


def failing_statement(connection, rng):
    try:
        connection.execute(rng.choice(("SELECT 1 / 0", "SELECT nothing", "COMMIT PREPARED 'no'")))
    except (psycopg.errors.DivisionByZero, psycopg.errors.UndefinedColumn,
            psycopg.errors.UndefinedObject):
        pass


def prepared_statement(connection, rng):
    for _ in range(3):
        connection.execute("SELECT id, body FROM items WHERE id < %s ORDER BY id LIMIT 5",
                           (rng.randrange(10**6),), prepare=True).fetchall()


def statement_prepared_by_sql(connection, rng):
    name = f"s{rng.randrange(10**9)}"
    connection.execute(f"PREPARE {name} AS SELECT count(*) FROM items")
    connection.execute(f"EXECUTE {name}")
    if rng.random() < 0.5:
        connection.execute(f"DEALLOCATE {name}")


def pipeline(connection, rng):
    with connection.pipeline():
        for number in range(rng.randrange(1, 8)):
            connection.execute("SELECT %s::int", (number,))


def temporary_table(connection, rng):
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS mine (n int)")
    connection.execute("INSERT INTO mine SELECT generate_series(1, 100)")
    if rng.random() < 0.5:
        connection.execute("DROP TABLE mine")


def advisory_lock(connection, rng):
    connection.execute("SELECT pg_advisory_lock_shared(%s)", (rng.randrange(5),))
    if rng.random() < 0.7:
        connection.execute("SELECT pg_advisory_unlock_all()")


def notification(connection, rng):
    connection.execute(f"LISTEN channel_{rng.randrange(3)}")
    connection.execute(f"NOTIFY channel_{rng.randrange(3)}, 'news'")


def copy_in(connection, rng):
    with connection.cursor().copy("COPY items FROM STDIN") as copy:
        for _ in range(rng.randrange(200)):
            copy.write_row((rng.randrange(10**6), "copied"))


def copy_out(connection, _rng):
    query = "SELECT * FROM pgbench_accounts LIMIT 20000"
    with connection.cursor().copy(f"COPY ({query}) TO STDOUT") as copy:
        for _ in copy:
            pass


def parallel_query(connection, _rng):
    with connection.transaction():
        connection.execute("SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0;"
                           "SET LOCAL min_parallel_table_scan_size = 0")
        connection.execute("SELECT sum(abalance), count(DISTINCT bid) FROM pgbench_accounts")


def temporary_files(connection, _rng):
    with connection.transaction():
        connection.execute("SET LOCAL work_mem = '64kB'")
        connection.execute("SELECT count(*) FROM (SELECT md5(n::text) FROM"
                           " generate_series(1, 20000) AS n ORDER BY 1) AS sorted")


def other_name(connection, rng):
    name = rng.choice(APPLICATIONS + (f"job {rng.randrange(1000)}",))
    connection.execute("SELECT set_config('application_name', %s, false)", (name,))


def other_settings(connection, rng):
    connection.execute(rng.choice((
        "SET work_mem = '1MB'", "RESET ALL", "SET TimeZone = 'UTC'", "SET ROLE worker_b",
        "RESET ROLE", "DISCARD PLANS")))


def discard(connection, _rng):
    connection.execute("DISCARD ALL")


def two_phases(connection, rng):
    name = f"chaos {rng.randrange(10**12)}"
    connection.execute("BEGIN")
    connection.execute("INSERT INTO items VALUES (1, 'prepared')")
    connection.execute(f"PREPARE TRANSACTION '{name}'")
    connection.execute(f"{rng.choice(('COMMIT', 'ROLLBACK'))} PREPARED '{name}'")


def held_cursor(connection, _rng):
    connection.execute("BEGIN")
    connection.execute("DECLARE held CURSOR WITH HOLD FOR SELECT * FROM items LIMIT 100")
    connection.execute("COMMIT")
    connection.execute("FETCH 10 FROM held")
    connection.execute("CLOSE held")


def exception_blocks(connection, _rng):
    connection.execute("DO $$ BEGIN FOR n IN 1..20 LOOP BEGIN PERFORM 1 / (n % 2);"
                       " EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$")


def table_lock(connection, _rng):
    with connection.transaction():
        connection.execute("LOCK TABLE items IN SHARE ROW EXCLUSIVE MODE")
        connection.execute("SELECT pg_sleep(0.01)")


def catalog_change(connection, rng):
    name = f"made_{rng.randrange(10**9)}"
    connection.execute(f"CREATE TABLE {name} (n int PRIMARY KEY)")
    connection.execute(f"DROP TABLE {name}")


def all_views(connection, _rng):
    views = connection.execute(
        "SELECT viewname FROM pg_views WHERE schemaname = 'pgvalet'").fetchall()
    for view, in views:
        try:
            connection.execute(f"SELECT * FROM pgvalet.{view}").fetchall()
        except psycopg.errors.InsufficientPrivilege:
            pass


TASKS = (transaction, transaction, transaction, failing_statement, prepared_statement,
         prepared_statement, statement_prepared_by_sql, pipeline, temporary_table, advisory_lock,
         notification, copy_in, copy_out, parallel_query, temporary_files, other_name, other_name,
         other_settings, discard, two_phases, held_cursor, exception_blocks, table_lock,
         catalog_change, all_views)


def prepare_server(server):
    """Makes the roles, databases and tables that the tasks use."""
    with server.connect() as connection:
        connection.execute("CREATE DATABASE other")
        connection.execute("CREATE ROLE worker_b LOGIN")
        connection.execute("CREATE ROLE worker_a LOGIN IN ROLE pg_monitor, worker_b")
    for database in DATABASES:
        subprocess.run([os.path.join(server.bin, "pgbench"), "-i", "-q", "-h", server.directory,
                        "-p", str(server.port), "-U", SERVER_USER, database], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with server.connect(dbname=database) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pgvalet")
            connection.execute("CREATE TABLE items (id int, body text)")
            connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO worker_a, worker_b")
            connection.execute("GRANT ALL ON SCHEMA public TO worker_a, worker_b")


class Load:
    """Clients in threads, and pgbench; they connect again whatever happens to them."""

    def __init__(self, server, clients, seed):
        self.server = server
        self.seed = seed
        self.done_count = 0  # tasks and logins that succeeded
        self.surprises = []  # errors that no harm explains
        self._changed = threading.Condition()
        self._paused = self._stopped = False
        self._parked = 0
        runs = [(self._client, number) for number in range(clients)]
        runs += [(self._bench, options) for options in BENCHES]
        self._threads = [threading.Thread(target=run, args=(what,), daemon=True)
                         for run, what in runs]

    def start(self):
        for thread in self._threads:
            thread.start()

    def pause(self):
        """Returns when every client has ended its task; they stay connected."""
        with self._changed:
            self._paused = True
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._parked == len(self._threads), DEADLINE_S):
                raise AssertionError(f"{len(self._threads) - self._parked} clients are stuck")

    def resume(self):
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def stop(self):
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(DEADLINE_S)

    def wait_for_progress(self, tasks):
        """Returns when so many further tasks are done: the clients can work."""
        with self._changed:
            enough = self.done_count + tasks
            if not self._changed.wait_for(lambda: self.done_count >= enough, DEADLINE_S):
                raise AssertionError("the clients do not get on")

    def _may_go_on(self):
        """Waits while paused; False: it is over."""
        with self._changed:
            if self._paused and not self._stopped:
                self._parked += 1
                self._changed.notify_all()
                self._changed.wait_for(lambda: not self._paused or self._stopped)
                self._parked -= 1
            return not self._stopped

    def _is_interrupted(self):
        with self._changed:
            return self._paused or self._stopped

    def _note_progress(self):
        with self._changed:
            self.done_count += 1
            self._changed.notify_all()

    def _judge(self, error, what):
        """Any error may be the work of a harm but those that speak of a fault inside."""
        if (error.sqlstate or "").startswith(INTERNAL):
            self.surprises.append(f"{what}: {error.sqlstate} {error}")

    def _connect(self, rng):
        options = "-c statement_timeout=20s"
        if rng.random() < 0.4:
            options += " -c pgvalet.agent=pgvaletd/chaos:1 -c pgvalet.agent_pool_mode=transaction"
        if "agent" in options and rng.random() < 0.7:
            options += " -c pgvalet.agent_key=chaos"
        return self.server.connect(
            tcp=rng.random() < 0.5, options=options, dbname=rng.choice(DATABASES),
            user=rng.choice(ROLES), application_name=rng.choice(APPLICATIONS))

    def _client(self, number):
        rng = random.Random(f"{self.seed} client {number}")
        while self._may_go_on():
            task = None
            try:
                with self._connect(rng) as connection:
                    self._note_progress()
                    for _ in range(rng.randrange(1, 40)):
                        if not self._may_go_on():
                            return
                        task = rng.choice(TASKS)
                        self._do(task, connection, rng)
            except psycopg.Error as error:
                self._judge(error, task.__name__ if task else "login")
                time.sleep(0.02)
            except Exception as error:  # noqa: BLE001 (reported by the round)
                self.surprises.append(f"{task.__name__ if task else 'login'}: {error!r}")
                time.sleep(0.02)

    def _do(self, task, connection, rng):
        """One task; an error that leaves the session alive leaves it usable."""
        try:
            task(connection, rng)
        except psycopg.Error as error:
            if connection.closed or connection.broken:
                raise
            self._judge(error, task.__name__)
            connection.execute("ROLLBACK")
        self._note_progress()

    def _bench(self, options):
        while self._may_go_on():
            process = subprocess.Popen(
                [os.path.join(self.server.bin, "pgbench"), "-n", *options, "-T", "100000",
                 "-h", self.server.directory, "-p", str(self.server.port), "-U", SERVER_USER,
                 "postgres"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **as_server_user())
            while process.poll() is None:
                if self._is_interrupted():
                    process.terminate()
                time.sleep(0.02)
            time.sleep(0.02)
