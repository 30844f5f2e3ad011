"""psycopg 3 at its defaults beyond a hundred statements: the oldest ones are DEALLOCATEd.

It does that by the extended protocol, with the names that the statements have there.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import psycopg  # noqa: E402
from harness import expect_equal, run_threads  # noqa: E402


def client(number):
    with psycopg.connect(autocommit=True) as connection:
        expect_equal(connection.prepared_max, 100, "default of prepared_max")
        for in_transaction in (False, True):
            for n in range(110):
                with connection.transaction() if in_transaction else connection.cursor():
                    for _ in range(6):
                        row = connection.execute(f"SELECT %s::int + {n}", [number]).fetchone()
                        expect_equal(row[0], number + n, "statement prepared on its sixth use")


run_threads(client)
