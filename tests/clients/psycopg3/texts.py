"""The same text prepared by twenty clients, to whom it means different things."""

import pathlib
import sys
from decimal import Decimal

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import psycopg  # noqa: E402
from harness import expect_equal, run_threads  # noqa: E402

TYPES = [("int", int), ("text", str), ("numeric(9, 2)", Decimal), ("float8", float)]
ZONES = {"Asia/Tokyo": -9, "UTC": 0, "America/Lima": 5, "Asia/Kolkata": -5.5}

def fetch(connection, query, values=None):
    return connection.execute(query, values, prepare=True).fetchall()


def tenant(connection, number):
    """One schema for each of four tenants; the column is of another type in each."""
    tenant = number % 4
    connection.execute(f"SET search_path TO s_texts_{tenant}")
    for _ in range(3):
        value = fetch(connection, "SELECT v FROM wares")[0][0]
        expect_equal((type(value), float(value)), (TYPES[tenant][1], tenant), "value")
        rows = fetch(connection, "SELECT id FROM wares WHERE v = %s", [str(tenant)])
        expect_equal(rows, [(1,)], "row found by its value")


def constants(connection, number):
    """Constants are read when a statement is prepared, by the settings of that time."""
    zone, hours = list(ZONES.items())[number % 4]
    style, month = (("ISO, DMY", 2), ("ISO, MDY", 1))[number % 2]
    connection.execute(f"SET TIME ZONE '{zone}'")
    connection.execute(f"SET DateStyle TO '{style}'")
    for _ in range(3):
        rows = fetch(connection, "SELECT extract(epoch FROM timestamptz '1970-01-02')::int")
        expect_equal(rows, [(int(86400 + hours * 3600),)], f"midnight in {zone}")
        rows = fetch(connection, "SELECT extract(month FROM date '01/02/2026')::int")
        expect_equal(rows, [(month,)], f"month in {style}")


def temporary(connection, number):
    """A temporary table hides the one of the schema, as long as it is there."""
    connection.execute("SET search_path TO s_texts")
    if number % 2:
        connection.execute("CREATE TEMP TABLE goods AS SELECT 'hidden' AS a, 'by' AS b")
        rows = fetch(connection, "SELECT * FROM goods")
        expect_equal(rows, [("hidden", "by")], "row of the temporary table")
        connection.execute("DROP TABLE goods")
    else:
        expect_equal(fetch(connection, "SELECT * FROM goods"), [(1,)], "row of the schema's table")


def altered(connection, number):
    """Another column: what is prepared after it knows of it, whoever prepared the text before."""
    connection.execute(f"SET search_path TO s_texts_{number % 4}")
    connection.execute(f"CREATE TABLE own_{number} (a int)")
    query = f"SELECT * FROM own_{number}"
    expect_equal(fetch(connection, query), [], "empty table")
    connection.execute(f"ALTER TABLE own_{number} ADD COLUMN b int")
    connection.execute(f"INSERT INTO own_{number} VALUES (1, 2)")
    with psycopg.connect(autocommit=True) as other:
        other.execute(f"SET search_path TO s_texts_{number % 4}")
        for _ in range(3):
            expect_equal(fetch(other, query), [(1, 2)], "row with its new column")


def client(number):
    for work in (tenant, constants, temporary, altered):
        with psycopg.connect(autocommit=True) as connection:
            work(connection, number)


def main():
    with psycopg.connect(autocommit=True) as connection:
        for n, (kind, _) in enumerate(TYPES):
            connection.execute(f"DROP SCHEMA IF EXISTS s_texts_{n} CASCADE")
            connection.execute(f"CREATE SCHEMA s_texts_{n} CREATE TABLE wares (id int, v {kind})")
            connection.execute(f"INSERT INTO s_texts_{n}.wares VALUES (1, {n})")
        connection.execute("DROP SCHEMA IF EXISTS s_texts CASCADE")
        connection.execute("CREATE SCHEMA s_texts CREATE TABLE goods (n int)")
        connection.execute("INSERT INTO s_texts.goods VALUES (1)")
    run_threads(client)
    with psycopg.connect(autocommit=True) as connection:
        for schema in ["s_texts", *(f"s_texts_{n}" for n in range(4))]:
            connection.execute(f"DROP SCHEMA {schema} CASCADE")


main()
