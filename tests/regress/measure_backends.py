"""How long it takes to read pgvalet.backends with many sessions.

    PGV_BIN=$(extension/private_prefix.sh PREFIX) /usr/bin/python3 tests/regress/measure_backends.py [SESSIONS]

Prints the median and the highest of 200 readings by a client, and what the
server itself says of one (EXPLAIN ANALYZE).
"""

import statistics
import sys
import time

import psycopg

from server import Server

ROUNDS = 200


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    server = Server(max_connections=str(count + 20))
    server.start()
    try:
        sessions = [server.connect() for _ in range(count)]
        for session in sessions:
            session.execute("SELECT relname FROM pg_class WHERE oid = 1259")
        observer = psycopg.ClientCursor(server.connect())
        connection = observer.connection.pgconn
        times_ms = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            rows = connection.exec_(b"SELECT * FROM pgvalet.backends").ntuples
            times_ms.append((time.perf_counter() - began) * 1000)
        plan = observer.execute(
            "EXPLAIN (ANALYZE, TIMING OFF) SELECT * FROM pgvalet.backends").fetchall()
        print(f"{rows} rows, {ROUNDS} readings: lowest {min(times_ms):.2f} ms, median {statistics.median(times_ms):.2f} ms,"
              f" highest {max(times_ms):.2f} ms; {plan[-1][0]}")
        for session in sessions:
            session.close()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
