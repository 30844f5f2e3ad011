"""asyncpg with its default statement cache, which needs named prepared statements."""

import asyncio
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import asyncpg  # noqa: E402
from harness import CLIENTS, expect_equal  # noqa: E402


async def prepared(connection):
    for n in range(20):
        expect_equal(await connection.fetchval("SELECT $1::int + 1", n), n + 1, "cached statement")
    statement = await connection.prepare("SELECT $1::text || $2::text")
    for n in range(10):
        expect_equal(await statement.fetchval("a", str(n)), f"a{n}", "prepared statement")
    expect_equal(len(statement.get_parameters()), 2, "parameters")


async def transactions(connection, number):
    async with connection.transaction():
        first = await connection.fetchval("SELECT pg_backend_pid()")
        await connection.execute("INSERT INTO t_asyncpg VALUES ($1, 'kept')", number)
        expect_equal(await connection.fetchval("SELECT pg_backend_pid()"), first, "backend")
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("INSERT INTO t_asyncpg VALUES ($1, 'undone')", number)
    await transaction.rollback()
    async with connection.transaction():
        try:
            async with connection.transaction():
                await connection.execute("SELECT 1/0")
        except asyncpg.DivisionByZeroError:
            pass
        await connection.execute("INSERT INTO t_asyncpg VALUES ($1, 'outer')", number)
    rows = await connection.fetch(
        "SELECT note FROM t_asyncpg WHERE client = $1 ORDER BY note", number
    )
    expect_equal([row["note"] for row in rows], ["kept", "outer"], "rows after transactions")


async def errors(connection):
    for _ in range(3):
        try:
            await connection.fetchval("SELECT 1/$1::int", 0)
            raise AssertionError("no error")
        except asyncpg.DivisionByZeroError as error:
            expect_equal(error.sqlstate, "22012", "SQLSTATE")
        expect_equal(await connection.fetchval("SELECT 5"), 5, "query after an error")
    try:
        await connection.fetch("SELECT * FROM no_such_table")
        raise AssertionError("no error")
    except asyncpg.UndefinedTableError:
        pass


async def copy(connection, number):
    records = [(1000 + number, f"row {n}") for n in range(1000)]
    tag = await connection.copy_records_to_table("t_asyncpg", records=records)
    expect_equal(tag, "COPY 1000", "COPY FROM STDIN")
    chunks = []

    async def keep(chunk):
        chunks.append(chunk)

    await connection.copy_from_query(
        "SELECT note FROM t_asyncpg WHERE client = $1", 1000 + number, output=keep
    )
    expect_equal(b"".join(chunks).count(b"\n"), 1000, "rows copied out")


async def many(connection, number):
    await connection.executemany(
        "INSERT INTO t_asyncpg VALUES ($1, $2)", [(2000 + number, str(n)) for n in range(100)]
    )
    async with connection.transaction():
        total = 0
        async for row in connection.cursor("SELECT generate_series(1, 500) AS n", prefetch=50):
            total += row["n"]
    expect_equal(total, 125250, "cursor")


async def cancel(connection):
    try:
        await connection.execute("SELECT pg_sleep(60)", timeout=0.5)
        raise AssertionError("not cancelled")
    except asyncio.TimeoutError:
        pass
    expect_equal(await connection.fetchval("SELECT 9"), 9, "query after a cancel")


async def client(number):
    connection = await asyncpg.connect()
    await prepared(connection)
    await transactions(connection, number)
    await errors(connection)
    await copy(connection, number)
    await many(connection, number)
    if number < 2:
        await cancel(connection)
    await prepared(connection)
    await connection.close()


async def pooled():
    """asyncpg's own pool resets every connection that comes back to it."""
    async with asyncpg.create_pool(min_size=5, max_size=CLIENTS) as pool:

        async def use(number):
            for _ in range(10):
                async with pool.acquire() as connection:
                    value = await connection.fetchval("SELECT $1::int", number)
                    expect_equal(value, number, "query in asyncpg's pool")

        await asyncio.gather(*(use(number) for number in range(CLIENTS * 2)))


async def main():
    connection = await asyncpg.connect()
    await connection.execute("DROP TABLE IF EXISTS t_asyncpg")
    await connection.execute("CREATE TABLE t_asyncpg (client int, note text)")
    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    await pooled()
    rows = await connection.fetchval("SELECT count(*) FROM t_asyncpg")
    expect_equal(rows, CLIENTS * 1102, "rows at the end")
    await connection.execute("DROP TABLE t_asyncpg")
    await connection.close()


asyncio.run(main())
