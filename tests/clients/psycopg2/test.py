"""psycopg2: simple protocol throughout; SQL-level PREPARE inside transactions."""

import io
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import psycopg2  # noqa: E402
import psycopg2.errors  # noqa: E402
import psycopg2.extras  # noqa: E402
from harness import CLIENTS, expect, expect_equal, run_threads  # noqa: E402


def prepared(connection):
    """A transaction keeps its backend, and with it what SQL PREPARE made there."""
    with connection, connection.cursor() as cursor:
        cursor.execute("PREPARE add_one (int) AS SELECT $1 + 1")
        for n in range(10):
            cursor.execute("EXECUTE add_one (%s)", [n])
            expect_equal(cursor.fetchone()[0], n + 1, "EXECUTE")
        cursor.execute("DEALLOCATE add_one")


def transactions(connection, number):
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        first = cursor.fetchone()
        cursor.execute("INSERT INTO t_psycopg2 VALUES (%s, 'kept')", [number])
        cursor.execute("SELECT pg_backend_pid()")
        expect_equal(cursor.fetchone(), first, "backend")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO t_psycopg2 VALUES (%s, 'undone')", [number])
        connection.rollback()
        psycopg2.extras.execute_values(
            cursor, "INSERT INTO t_psycopg2 VALUES %s", [(number, f"v{n}") for n in range(10)]
        )
        connection.commit()
        cursor.execute("SELECT count(*) FROM t_psycopg2 WHERE client = %s", [number])
        expect_equal(cursor.fetchone()[0], 11, "rows after transactions")
        connection.commit()


def errors(connection):
    cursor = connection.cursor()
    try:
        cursor.execute("SELECT 1/0")
        raise AssertionError("no error")
    except psycopg2.errors.DivisionByZero as error:
        expect_equal(error.pgcode, "22012", "SQLSTATE")
    try:
        cursor.execute("SELECT 1")
        raise AssertionError("no error")
    except psycopg2.errors.InFailedSqlTransaction:
        connection.rollback()
    cursor.execute("SELECT 1")
    connection.commit()


def copy(connection, number):
    with connection, connection.cursor() as cursor:
        rows = "".join(f"{1000 + number}\trow {n}\n" for n in range(1000))
        cursor.copy_expert("COPY t_psycopg2 FROM STDIN", io.StringIO(rows))
        out = io.StringIO()
        cursor.copy_expert(
            f"COPY (SELECT * FROM t_psycopg2 WHERE client = {1000 + number}) TO STDOUT", out
        )
        # A table has no order of its own.
        same = sorted(out.getvalue().splitlines()) == sorted(rows.splitlines())
        expect(same, "rows copied in and out differ")


def server_cursor(connection):
    with connection, connection.cursor("walk") as cursor:
        cursor.itersize = 50
        cursor.execute("SELECT generate_series(1, 500)")
        expect_equal(sum(row[0] for row in cursor), 125250, "server-side cursor")


def held_cursor(connection, number):
    """A cursor WITH HOLD that goes both ways, through commits and a rollback."""
    cursor = connection.cursor("held", withhold=True, scrollable=True)
    cursor.execute("SELECT n FROM generate_series(1, 100) n")
    connection.commit()
    other = connection.cursor()
    for n in range(1, 6):
        expect_equal(cursor.fetchone(), (n,), "row of the held cursor")
        other.execute("INSERT INTO t_psycopg2 VALUES (%s, 'between')", [2000 + number])
        connection.commit()
    other.execute("DELETE FROM t_psycopg2 WHERE client = %s", [2000 + number])
    expect_equal(other.rowcount, 5, "rows written between the fetches")
    connection.rollback()
    cursor.scroll(-1)
    expect_equal(cursor.fetchmany(3), [(5,), (6,), (7,)], "rows after going back")
    cursor.close()
    other.execute("DELETE FROM t_psycopg2 WHERE client = %s", [2000 + number])
    connection.commit()


def session_settings(connection):
    connection.set_client_encoding("LATIN1")
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT 'caf\u00e9'")
        expect_equal(cursor.fetchone()[0], "caf\u00e9", "text in LATIN1")
        cursor.execute("SHOW client_encoding")
        expect_equal(cursor.fetchone()[0], "LATIN1", "client_encoding")
    connection.set_client_encoding("UTF8")


def cancel(connection):
    cursor = connection.cursor()
    timer = threading.Timer(0.5, connection.cancel)
    timer.start()
    try:
        cursor.execute("SELECT pg_sleep(60)")
        raise AssertionError("not cancelled")
    except psycopg2.errors.QueryCanceled as error:
        expect_equal(error.pgcode, "57014", "SQLSTATE of a cancelled query")
    timer.join()
    connection.rollback()


def client(number):
    connection = psycopg2.connect("")
    prepared(connection)
    transactions(connection, number)
    errors(connection)
    copy(connection, number)
    server_cursor(connection)
    held_cursor(connection, number)
    session_settings(connection)
    if number < 2:
        cancel(connection)
    prepared(connection)
    connection.close()


def main():
    connection = psycopg2.connect("")
    with connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS t_psycopg2")
        cursor.execute("CREATE TABLE t_psycopg2 (client int, note text)")
    run_threads(client)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM t_psycopg2")
        expect_equal(cursor.fetchone()[0], CLIENTS * 1011, "rows at the end")
        cursor.execute("DROP TABLE t_psycopg2")
    connection.close()


main()
