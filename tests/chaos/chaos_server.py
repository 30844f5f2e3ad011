"""A server that can be killed, and knows which of its processes we have killed."""

import os
import re
import signal
import subprocess
import time

import psycopg

from server import DEADLINE_S, Server, as_server_user, free_port, parent_of, wait_until

# Everything that the extension can do is on, and much happens by itself.
SETTINGS = {
    "max_connections": "60",
    "max_prepared_transactions": "30",
    "autovacuum": "on",
    "autovacuum_naptime": "1s",
    "autovacuum_vacuum_threshold": "20",
    "max_parallel_workers": "8",
    "max_worker_processes": "16",
    "deadlock_timeout": "100ms",
    "log_min_messages": "warning",
    "log_statement": "none",
    "client_connection_check_interval": "200ms",
    "track_io_timing": "on",
}

# Nothing of this may ever stand in the log.
BAD = re.compile(r"PANIC:|TRAP:|stuck spinlock|WARNING:.*leak|XX00[012]|could not reattach")
TRAP = re.compile(r"TRAP:.*\bPID: (\d+)")
BY_SIGNAL = re.compile(r"\(PID (\d+)\) was terminated by signal (\d+)")


def is_gone(pid):
    """Whether a process has ended; one that only its parent must still hear of has."""
    return parent_of(pid)[1] in ("", "Z", "X")


class ChaosServer(Server):
    def __init__(self, **settings):
        super().__init__(**SETTINGS, **settings)
        self.killed = set()
        self._log_read = 0

    def kill_child(self, pid):
        """SIGKILL for a child; False if it had ended before.

        Stops it first: a process that stands still cannot end by itself meanwhile, so
        when this returns True the server has lost a child and has to start anew.
        """
        try:
            os.kill(pid, signal.SIGSTOP)
        except ProcessLookupError:
            return False
        while True:
            parent, state = parent_of(pid)
            if parent != self.process.pid or state in ("", "Z", "X"):
                return False
            if state == "T":
                break
        self.killed.add(pid)
        os.kill(pid, signal.SIGKILL)
        return True

    def signal_child(self, pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

    def reload(self, **settings):
        """As Server.set(), without a session: the new limits would end that too."""
        self.configure(**{f"pgvalet.{name}": value for name, value in settings.items()})
        self.process.send_signal(signal.SIGHUP)

    def kill_postmaster(self):
        """SIGKILL for the postmaster alone; its children are orphans now."""
        self.process.kill()
        self.process.wait()

    def shut_down(self, how):
        """Ends it; how is SIGINT (fast) or SIGQUIT (immediate)."""
        self.process.send_signal(how)
        self.process.wait(DEADLINE_S)

    def start_again(self):
        """Starts it, again while orphans hold the old memory or the port is taken."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            self.port = free_port()
            self.process = subprocess.Popen(
                [os.path.join(self.bin, "postgres"), "-D", self.data, "-p", str(self.port)],
                cwd="/", stdout=self.log, stderr=self.log, **as_server_user())
            while self.process.poll() is None:
                if self.answers():
                    return
                if time.monotonic() > deadline:
                    raise AssertionError(f"the server does not answer, see {self.log_path}")
                time.sleep(0.02)
            if time.monotonic() > deadline:
                raise AssertionError(f"the server does not start again, see {self.log_path}")
            time.sleep(0.05)

    def answers(self):
        try:
            with self.connect() as connection:
                return connection.execute("SELECT 1").fetchone() is not None
        except psycopg.Error:
            return False

    def wait_until_it_answers(self):
        wait_until(self.answers, f"the server to answer, see {self.log_path}")

    def new_log_complaints(self):
        """Lines since the last call that no harm of ours explains."""
        with open(self.log_path, errors="replace") as log:
            log.seek(self._log_read)
            text = log.read()
            self._log_read = log.tell()
        # A parallel leader that hears of the postmaster's death while it aborts gives up the
        # abort, which an assertion of the server (pgstat.c) does not expect.  Not ours.
        gave_up = set(re.findall(
            r"\[(\d+)\] FATAL: +postmaster exited during a parallel transaction", text))
        complaints = []
        for line in text.splitlines():
            trap = TRAP.search(line)
            if trap and trap[1] in gave_up and "IsTransactionOrTransactionBlock" in line:
                continue
            by_signal = BY_SIGNAL.search(line)
            if by_signal and not (int(by_signal[1]) in self.killed and by_signal[2] == "9"):
                complaints.append(line)
            elif BAD.search(line):
                complaints.append(line)
        return complaints
