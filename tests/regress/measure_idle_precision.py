"""Prints how exactly on time the idle policy ends sessions, in milliseconds.

    PGV_BIN=$(extension/private_prefix.sh /tmp/pgvalet-prefix) \\
        /usr/bin/python3 tests/regress/measure_idle_precision.py [ROUNDS]

What is measured: from the moment the client has the answer to its last command
to the moment it reads the end of the connection, minus the limit.  Not part of
the tests: on a busy machine it says more about the machine.
"""

import select
import statistics
import sys
import time

from server import Server

LIMIT_MS = 400


def lateness(connection, limit_ms, since):
    """Waits for the end of the connection; milliseconds beyond the limit."""
    select.select([connection.pgconn.socket], [], [])
    late = (time.monotonic() - since) * 1000 - limit_ms
    connection.close()
    return late


def timer_outside(server):
    connection = server.connect(tcp=True)
    connection.execute("SELECT 1")
    return lateness(connection, LIMIT_MS, time.monotonic())


def timer_in_transaction(server):
    connection = server.connect(tcp=True)
    connection.execute("BEGIN")
    return lateness(connection, LIMIT_MS, time.monotonic())


def timer_after_many_commands(server):
    """The timer was set by an early command and has to set itself again."""
    connection = server.connect(tcp=True)
    for _ in range(5):
        connection.execute("SELECT pg_sleep(0.07)")
    return lateness(connection, LIMIT_MS, time.monotonic())


def poke_after_reload(server):
    """The limits come while the session waits already: the collector sees to it."""
    server.set(idle_session_timeout=0)
    connection = server.connect(tcp=True)
    connection.execute("SELECT 1")
    since = time.monotonic()
    server.set(idle_session_timeout=LIMIT_MS)
    return lateness(connection, LIMIT_MS, since)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    server = Server()
    server.start()
    try:
        server.set(idle_session_timeout=LIMIT_MS, idle_in_transaction_timeout=LIMIT_MS)
        print(f"late after a limit of {LIMIT_MS} ms, {rounds} rounds: median / highest")
        for scene in (timer_outside, timer_in_transaction, timer_after_many_commands,
                      poke_after_reload):
            late = [scene(server) for _ in range(rounds)]
            print(f"  {scene.__name__:28} {statistics.median(late):7.2f} ms {max(late):7.2f} ms")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
