"""psycopg 3: prepared statements, transactions, errors, COPY, pipelines, cursors, cancel."""

import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import psycopg  # noqa: E402
from harness import CLIENTS, expect, expect_equal, run_threads  # noqa: E402


def prepared(connection):
    for n in range(20):
        row = connection.execute("SELECT %s::int + 1", [n], prepare=True).fetchone()
        expect_equal(row[0], n + 1, "prepared statement")
    # Prepared by itself after five executions of the same text.
    for n in range(10):
        row = connection.execute("SELECT %s::text || 'x'", [str(n)]).fetchone()
        expect_equal(row[0], f"{n}x", "statement prepared on repetition")


def transactions(connection, number):
    with connection.transaction():
        first = connection.execute("SELECT pg_backend_pid()").fetchone()
        connection.execute("INSERT INTO t_psycopg3 VALUES (%s, 'kept')", [number])
        expect_equal(connection.execute("SELECT pg_backend_pid()").fetchone(), first, "backend")
    with connection.transaction(force_rollback=True):
        connection.execute("INSERT INTO t_psycopg3 VALUES (%s, 'undone')", [number])
    with connection.transaction():
        connection.execute("INSERT INTO t_psycopg3 VALUES (%s, 'outer')", [number])
        try:
            with connection.transaction():  # a savepoint
                connection.execute("INSERT INTO t_psycopg3 VALUES (%s, 'inner')", [number])
                connection.execute("SELECT 1/0")
        except psycopg.errors.DivisionByZero:
            pass
    rows = connection.execute(
        "SELECT note FROM t_psycopg3 WHERE client = %s ORDER BY note", [number]
    ).fetchall()
    expect_equal(rows, [("kept",), ("outer",)], "rows after transactions")


def errors(connection):
    for _ in range(3):
        try:
            connection.execute("SELECT 1/%s", [0], prepare=True)
            raise AssertionError("no error")
        except psycopg.errors.DivisionByZero as error:
            expect_equal(error.sqlstate, "22012", "SQLSTATE")
        expect_equal(connection.execute("SELECT 5").fetchone()[0], 5, "query after an error")
    try:
        connection.execute("SELECT * FROM no_such_table")
        raise AssertionError("no error")
    except psycopg.errors.UndefinedTable:
        pass


def copy(connection, number):
    with connection.cursor() as cursor:
        with cursor.copy("COPY t_psycopg3 FROM STDIN") as into:
            for n in range(1000):
                into.write_row((1000 + number, f"row {n}"))
        with cursor.copy(
            "COPY (SELECT note FROM t_psycopg3 WHERE client = %s) TO STDOUT", [1000 + number]
        ) as out:
            rows = sum(1 for _ in out.rows())
    expect_equal(rows, 1000, "rows copied out")
    try:
        with connection.cursor().copy("COPY t_psycopg3 FROM STDIN") as into:
            into.write("not a number\tx\n")
        raise AssertionError("no error")
    except psycopg.errors.InvalidTextRepresentation:
        pass


def pipeline(connection):
    with connection.pipeline():
        cursors = [connection.execute("SELECT %s::int", [n]) for n in range(50)]
        values = [cursor.fetchone()[0] for cursor in cursors]
    expect_equal(values, list(range(50)), "pipeline")
    try:
        with connection.pipeline():
            connection.execute("SELECT 1")
            connection.execute("SELECT 1/0")
            connection.execute("SELECT 2")
        raise AssertionError("no error")
    except psycopg.errors.DivisionByZero:
        pass
    expect_equal(connection.execute("SELECT 7").fetchone()[0], 7, "query after a pipeline")


def server_cursor(connection):
    with connection.transaction():
        with connection.cursor("walk") as cursor:
            cursor.execute("SELECT generate_series(1, 500)")
            cursor.itersize = 50
            expect_equal(sum(row[0] for row in cursor), 125250, "server-side cursor")


def held_cursors(connection, number):
    """Two cursors WITH HOLD, read in turns with transactions between; one goes backwards."""
    numbers = "SELECT n FROM generate_series(1, 100) n"
    with connection.cursor("up", withhold=True) as up:
        up.execute(numbers)
        with connection.cursor("down", withhold=True, scrollable=True) as down:
            down.execute(numbers)
            down.scroll(100)
            for n in range(1, 6):
                expect_equal(up.fetchone(), (n,), "row of the cursor that goes up")
                with connection.transaction():
                    connection.execute("INSERT INTO t_psycopg3 VALUES (%s, 'between')", [number])
                down.scroll(-2)
                expect_equal(down.fetchone(), (100 - n,), "row of the cursor that goes down")
                with connection.transaction(force_rollback=True):
                    connection.execute("DELETE FROM t_psycopg3")
        rest = [row[0] for row in up.fetchmany(50)]
        expect_equal(rest, list(range(6, 56)), "rows after the other cursor was closed")
    try:
        connection.execute("FETCH up")
        raise AssertionError("no error")
    except psycopg.errors.InvalidCursorName:
        pass
    removed = connection.execute(
        "DELETE FROM t_psycopg3 WHERE client = %s AND note = 'between'", [number]
    )
    expect_equal(removed.rowcount, 5, "rows written between the fetches")


def default_threshold(connection, number):
    """Statements prepared by their sixth use; a rollback makes psycopg DEALLOCATE ALL of them."""
    expect_equal(connection.prepare_threshold, 5, "default of prepare_threshold")
    for n in range(20):
        for _ in range(6):
            row = connection.execute(f"SELECT %s::int + {n}", [number]).fetchone()
            expect_equal(row[0], number + n, "statement prepared on its sixth use")
    for force_rollback in (False, True, True):
        with connection.transaction(force_rollback=force_rollback):
            for n in range(12):
                row = connection.execute("SELECT %s::int * 2", [n]).fetchone()
                expect_equal(row[0], 2 * n, "statement prepared in a transaction")


def binary(connection):
    with connection.cursor(binary=True) as cursor:
        row = cursor.execute("SELECT %b::int8, %b::bytea", [1 << 40, b"\x00\xff"]).fetchone()
    expect_equal(row, (1 << 40, b"\x00\xff"), "binary values")


def cancel(connection):
    timer = threading.Timer(0.5, connection.cancel)
    timer.start()
    try:
        connection.execute("SELECT pg_sleep(60)")
        raise AssertionError("not cancelled")
    except psycopg.errors.QueryCanceled as error:
        expect_equal(error.sqlstate, "57014", "SQLSTATE of a cancelled query")
    timer.join()
    expect_equal(connection.execute("SELECT 9").fetchone()[0], 9, "query after a cancel")


def client(number):
    with psycopg.connect(autocommit=True) as connection:
        prepared(connection)
        transactions(connection, number)
        errors(connection)
        copy(connection, number)
        pipeline(connection)
        server_cursor(connection)
        held_cursors(connection, number)
        default_threshold(connection, number)
        binary(connection)
        if number < 2:
            cancel(connection)
        prepared(connection)


def main():
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS t_psycopg3")
        connection.execute("CREATE TABLE t_psycopg3 (client int, note text)")
    run_threads(client)
    with psycopg.connect() as connection:
        rows = connection.execute("SELECT count(*) FROM t_psycopg3").fetchone()[0]
        connection.execute("DROP TABLE t_psycopg3")
    expect_equal(rows, CLIENTS * 1002, "rows at the end")
    expect(psycopg.pq.version() >= 140000, "libpq without pipelines")


main()
