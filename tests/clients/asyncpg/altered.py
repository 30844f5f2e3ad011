"""asyncpg prepares anew what was refused because its result has changed: once is enough."""

import asyncio
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import asyncpg  # noqa: E402
from harness import CLIENTS, expect_equal  # noqa: E402


async def client(number):
    connection = await asyncpg.connect()
    await connection.execute(f"DROP TABLE IF EXISTS t_altered_{number}")
    await connection.execute(f"CREATE TABLE t_altered_{number} AS SELECT 0 AS c0")
    query = f"SELECT * FROM t_altered_{number}"
    for n in range(1, 4):
        expect_equal(tuple(await connection.fetchrow(query)), tuple(range(n)), "row")
        await connection.execute(f"ALTER TABLE t_altered_{number} ADD COLUMN c{n} int DEFAULT {n}")
        expect_equal(tuple(await connection.fetchrow(query)), tuple(range(n + 1)), "row, altered")
    await connection.execute(f"DROP TABLE t_altered_{number}")
    await connection.close()


async def main():
    await asyncio.gather(*(client(number) for number in range(CLIENTS)))


asyncio.run(main())
