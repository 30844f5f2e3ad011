"""A private PostgreSQL with pgvalet, for the tests next to this file.

Needs PGV_BIN, the directory of programs that extension/private_prefix.sh
printed.  As root the server runs as user postgres, because it refuses root.
"""

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import psycopg
from psycopg.rows import namedtuple_row

# How long anything may take that should come soon, in seconds.  Generous: it is
# only waited out by a test that fails.  Under valgrind it needs to be more.
DEADLINE_S = int(os.environ.get("PGV_DEADLINE_S", "60"))

# Ports for the servers of these tests; several files may run at a time, each as a job.
PORTS_PER_JOB = 22
PORT_TRIES = 10
FIRST_PORT = 54100 + PORTS_PER_JOB * (int(os.environ.get("PGV_JOB", "0")) % 4)
PORTS = range(FIRST_PORT, FIRST_PORT + PORTS_PER_JOB)

SERVER_USER = "postgres"


def as_server_user():
    """Arguments for subprocess that run a program as the server's user."""
    if os.getuid() != 0:
        return {}
    entry = pwd.getpwnam(SERVER_USER)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def wait_until(condition, what):
    """Polls until condition() is true, and returns what it returned.

    Fails the test, naming what was waited for, after DEADLINE_S.
    """
    deadline = time.monotonic() + DEADLINE_S
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"still waiting after {DEADLINE_S} s for: {what}")
        time.sleep(0.01)


def parent_of(pid):
    """The parent of a process and its state, (0, "") if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            state, parent = stat.read().rsplit(")", 1)[1].split()[:2]
            return int(parent), state
    except (FileNotFoundError, ProcessLookupError):
        return 0, ""


def free_port():
    """A port of PORTS that nobody listens on at the moment."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            # As the server does: a connection that is closing is not in the way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port between %d and %d" % (PORTS[0], PORTS[-1]))


class Server:
    """One server with a cluster of its own, from start() to stop()."""

    def __init__(self, **settings):
        self.bin = os.environ["PGV_BIN"]
        self.process = self.log = None
        self.settings = {
            "shared_preload_libraries": "pgvalet",
            "max_prepared_transactions": "2",
            "listen_addresses": "127.0.0.1",
            "max_connections": "30",
            "fsync": "off",
            "autovacuum": "off",
            "log_line_prefix": "%m [%p] ",
            **settings,
        }

    def start(self):
        self.make_directory()
        self.make_cluster()
        self._launch()
        with self.connect() as connection:
            connection.execute("CREATE EXTENSION pgvalet")

    def make_directory(self):
        """Where the cluster, its socket and its log are."""
        self.directory = tempfile.mkdtemp(prefix="ext-", dir="/tmp")
        if os.getuid() == 0:
            shutil.chown(self.directory, SERVER_USER)
        os.chmod(self.directory, 0o755)
        self.data = os.path.join(self.directory, "data")
        self.log_path = os.path.join(self.directory, "log")

    def make_cluster(self, *initdb_options):
        self._run("initdb", "-D", self.data, "-U", SERVER_USER, "-A", "trust", "-N",
                  "--no-locale", "-E", "UTF8", *initdb_options)
        self.configure(unix_socket_directories=self.directory, **self.settings)

    def configure(self, **settings):
        """Puts settings into the configuration file, before start() or restart()."""
        with open(os.path.join(self.data, "postgresql.conf"), "a") as conf:
            for name, value in settings.items():
                conf.write(f"{name} = '{value}'\n")

    def _run(self, program, *arguments):
        subprocess.run([os.path.join(self.bin, program), *arguments], check=True, cwd="/",
                       stdout=subprocess.DEVNULL, **as_server_user())

    def _launch(self):
        # Somebody may take the port between our look and the server's.
        for _ in range(PORT_TRIES):
            self._launch_on(free_port())
            wait_until(lambda: self.process.poll() is not None or self.is_ready(),
                       "the server to start, see " + self.log_path)
            if self.process.poll() is None:
                return
            self.log.close()
            if "Address already in use" not in self.log_text():
                break
        raise AssertionError("the server has ended:\n" + self.log_text())

    def _launch_on(self, port):
        self.port = port
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [os.path.join(self.bin, "postgres"), "-D", self.data, "-p", str(self.port)],
            cwd="/", stdout=self.log, stderr=self.log, **as_server_user())

    def is_ready(self):
        try:
            self.connect().close()
            return True
        except psycopg.OperationalError:
            return False

    def stop(self):
        """Ends it and removes its data; it need not run."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(DEADLINE_S)
        if self.log is not None:
            self.log.close()
        shutil.rmtree(self.directory)

    def shut_down(self, how=signal.SIGINT):
        """Ends the server and keeps its data: fast, or with SIGQUIT immediately."""
        self.process.send_signal(how)
        self.process.wait(DEADLINE_S)
        self.log.close()

    def start_again(self, **settings):
        """Starts it on the data it has, with further settings of postgresql.conf."""
        self.configure(**settings)
        self._launch()

    def restart(self, **settings):
        """Stops it and starts it again, with these settings changed."""
        self.shut_down()
        self.start_again(**settings)

    def crash(self):
        """Kills a backend without warning, and waits until the server runs again."""
        with self.connect() as victim:
            before = victim.execute("SELECT started_at FROM pgvalet.summary"
                                    ).fetchone().started_at
            os.kill(victim.info.backend_pid, signal.SIGKILL)

        def has_new_memory():
            try:
                with self.connect() as connection:
                    return connection.execute("SELECT started_at FROM pgvalet.summary"
                                              ).fetchone().started_at != before
            except psycopg.OperationalError:
                return False

        wait_until(has_new_memory, "the server to run again after the crash")

    def children(self):
        """Process ids of all processes of the server but the postmaster."""
        return [int(entry) for entry in os.listdir("/proc")
                if entry.isdigit() and parent_of(int(entry))[0] == self.process.pid]

    @contextlib.contextmanager
    def postmaster_stopped(self):
        """Within it no process of the server starts."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            # What is sent to it before it stands may be delivered before it does.
            wait_until(lambda: self.process_state() == "T", "the postmaster to stand still")
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def process_status(self, key):
        """What the kernel says of the postmaster: the first word behind this key."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return [line for line in status if line.startswith(key + ":")][0].split()[1]

    def process_state(self):
        """The state of the postmaster: a letter as of ps."""
        return self.process_status("State")

    def has_pending_signal(self, number):
        """Whether the postmaster, which stands still, will get this signal."""
        return bool(int(self.process_status("ShdPnd"), 16) >> (number - 1) & 1)

    def connect(self, tcp=False, **parameters):
        """A psycopg connection in autocommit mode, rows as named tuples."""
        settings = {
            "host": "127.0.0.1" if tcp else self.directory,
            "port": self.port,
            "user": SERVER_USER,
            "dbname": "postgres",
            "connect_timeout": DEADLINE_S,
            **parameters,
        }
        return psycopg.connect(autocommit=True, row_factory=namedtuple_row, **settings)

    def connect_agent(self, name="pgvaletd/test:1", **parameters):
        """A connection as an agent opens it."""
        return self.connect(options=f"-c pgvalet.agent={name}", **parameters)

    def set(self, **settings):
        """Changes settings of the server (pgvalet.x is written x) and reloads."""
        with self.connect_agent() as connection:
            for name, value in settings.items():
                connection.execute(f"ALTER SYSTEM SET pgvalet.{name} = '{value}'")
            connection.execute("SELECT pg_reload_conf()")

    def log_text(self):
        with open(self.log_path) as log:
            return log.read()


class ServerTest(unittest.TestCase):
    """Tests that share one server; SETTINGS are those of the subclass."""

    SETTINGS = {}

    @classmethod
    def setUpClass(cls):
        cls.server = Server(**cls.SETTINGS)
        cls.server.start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def connect(self, **parameters):
        """A connection that is closed when the test ends."""
        connection = self.server.connect(**parameters)
        self.addCleanup(connection.close)
        return connection

    def connect_agent(self, **parameters):
        connection = self.server.connect_agent(**parameters)
        self.addCleanup(connection.close)
        return connection

    def in_background(self, connection, query):
        """Runs a query that somebody else is to end; whatever it says is no matter."""
        def run():
            try:
                connection.execute(query)
            except psycopg.Error:
                pass
        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(connection.cancel)
        return thread

    def one(self, connection, query, *arguments):
        """The only row of a query."""
        rows = connection.execute(query, arguments).fetchall()
        self.assertEqual(len(rows), 1, query)
        return rows[0]

    def backend(self, observer, pid):
        """The row of a backend in pgvalet.backends, None if it has none."""
        return observer.execute("SELECT * FROM pgvalet.backends WHERE pid = %s",
                                (pid,)).fetchone()
