"""Prints how long reading each view takes while many sessions are connected.

  PGV_BIN=$(extension/private_prefix.sh /tmp/pgvalet-prefix) \\
      /usr/bin/python3 tests/regress/measure_view_time.py [--sessions 500] [--rounds 101]

The first time is that of the round trip as libpq sees it: parse, plan, execute and the rows
as text; the second is the CPU time of the backend for it, which others on the machine
disturb less.  The sessions differ in role, database and application_name, half of them are an
agent's, some are inside a transaction; before it, more sessions have come and gone, so
that the rings and tables of what is over are not empty.
"""

import argparse
import statistics
import time

from server import Server

ROLES = 20
APPLICATIONS = 50


def connect_sessions(server, count):
    sessions = []
    for n in range(count):
        options = "-c pgvalet.agent=pgvaletd/measure:1" if n % 2 else ""
        session = server.connect(user=f"role_{n % ROLES}", options=options, tcp=n % 3 == 0,
                                 dbname="other" if n % 5 == 0 else "postgres",
                                 application_name=f"application {n % APPLICATIONS}")
        session.execute("SELECT count(*) FROM pg_class")
        if n % 10 == 0:
            session.execute("BEGIN")
            session.execute("SELECT pg_advisory_xact_lock(%s)", (n,))
        sessions.append(session)
    return sessions


def cpu_ms(pid):
    """CPU time of a process so far."""
    with open(f"/proc/{pid}/schedstat") as schedstat:
        return int(schedstat.read().split()[0]) / 1e6


def measure(connection, query, rounds):
    """Times and CPU times of a query in milliseconds, and its rows."""
    pid = connection.info.backend_pid
    times, cpu_times = [], []
    for _ in range(rounds):
        cpu_began, began = cpu_ms(pid), time.perf_counter()
        result = connection.pgconn.exec_(query.encode())
        times.append((time.perf_counter() - began) * 1000)
        cpu_times.append(cpu_ms(pid) - cpu_began)
        if result.error_message:
            raise RuntimeError(result.error_message.decode())
    return times, cpu_times, result.ntuples


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=101)
    options = parser.parse_args()

    server = Server(max_connections=str(options.sessions + 20))
    server.start()
    try:
        observer = server.connect()
        observer.execute("CREATE DATABASE other")
        for n in range(ROLES):
            observer.execute(f"CREATE ROLE role_{n} LOGIN")
        for session in connect_sessions(server, options.sessions):
            session.close()
        sessions = connect_sessions(server, options.sessions)
        views = observer.execute("SELECT viewname FROM pg_views WHERE schemaname = 'pgvalet'"
                                 " ORDER BY viewname").fetchall()
        print(f"{options.sessions} sessions, median of {options.rounds} readings")
        for name in [*(f"pgvalet.{row.viewname}" for row in views), "pg_stat_activity"]:
            times, cpu_times, rows = measure(observer, f"SELECT * FROM {name}", options.rounds)
            print(f"{name:32} {statistics.median(times):7.2f} ms, at best {min(times):7.2f}"
                  f"   CPU {statistics.median(cpu_times):7.2f} ms   {rows:5} rows")
        for session in sessions:
            session.close()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
