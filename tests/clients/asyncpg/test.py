"""asyncpg with its default statement cache, which needs named prepared statements."""

import asyncio
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import asyncpg  # noqa: E402
from harness import CLIENTS, expect_equal  # noqa: E402

SCHEMAS = 4


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


async def startup_settings(number):
    """A schema by server_settings, which is the startup packet; the pool's RESET ALL keeps that."""
    schema = f"s_asyncpg_{number % SCHEMAS}"
    settings = {"search_path": schema, "app.client": str(number)}

    async def set_up(connection):  # called by asyncpg's pool for every acquire()
        await connection.execute("SET TIME ZONE 'Asia/Tokyo'")

    shown = "SELECT current_setting('app.client'), current_setting('TimeZone')"
    pool = asyncpg.create_pool(min_size=1, max_size=1, setup=set_up, server_settings=settings)
    async with pool:
        for _ in range(5):
            async with pool.acquire() as connection:
                notes = await connection.fetch("SELECT note FROM diary ORDER BY page")
                expect_equal([row["note"] for row in notes], [schema] * 2, "rows of the schema")
                if number < SCHEMAS:
                    # asyncpg asks, at length, for a type that it does not know, with jit off.
                    mood = await connection.fetchval("SELECT mood FROM diary WHERE page = 1")
                    expect_equal(mood, "well", "value of an enum")
                expect_equal(
                    tuple(await connection.fetchrow(shown)), (str(number), "Asia/Tokyo"), "settings"
                )
                await connection.execute("SET search_path TO nowhere; SET app.client TO nobody")


async def make_schemas(connection):
    await drop_schemas(connection)
    await connection.execute("CREATE SCHEMA s_asyncpg")
    await connection.execute("CREATE TYPE s_asyncpg.mood AS ENUM ('well', 'ill')")
    for n in range(SCHEMAS):
        schema = f"s_asyncpg_{n}"
        await connection.execute(
            f"CREATE SCHEMA {schema} CREATE TABLE diary (page int, mood s_asyncpg.mood, note text);"
            f"INSERT INTO {schema}.diary VALUES (1, 'well', '{schema}'), (2, 'well', '{schema}')"
        )


async def drop_schemas(connection):
    for name in ["s_asyncpg", *(f"s_asyncpg_{n}" for n in range(SCHEMAS))]:
        await connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


async def kept_in_session(connection, number):
    """What ties the client to one backend, across transactions."""
    await connection.execute("CREATE TEMP TABLE mine (n int)")
    await connection.copy_records_to_table("mine", records=[(n,) for n in range(10)])
    for n in range(3):
        async with connection.transaction():
            await connection.execute("UPDATE mine SET n = n + $1", number)
    expect_equal(await connection.fetchval("SELECT sum(n) FROM mine"), 45 + 30 * number, "own rows")
    await connection.execute("DROP TABLE mine")
    expect_equal(
        await connection.fetchval("SELECT pg_try_advisory_lock(7004, $1)", number), True, "lock"
    )
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    expect_equal(await connection.fetchval(query), 1, "locks held")
    unlocked = await connection.fetchval("SELECT pg_advisory_unlock(7004, $1)", number)
    expect_equal(unlocked, True, "unlocking")


async def client(number):
    await startup_settings(number)
    connection = await asyncpg.connect()
    await kept_in_session(connection, number)
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
    await make_schemas(connection)
    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    await pooled()
    rows = await connection.fetchval("SELECT count(*) FROM t_asyncpg")
    expect_equal(rows, CLIENTS * 1102, "rows at the end")
    await connection.execute("DROP TABLE t_asyncpg")
    await drop_schemas(connection)
    await connection.close()


asyncio.run(main())
