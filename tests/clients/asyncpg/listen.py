"""asyncpg's add_listener(): twenty clients listen and work; each hears all, once and in order."""

import asyncio
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import asyncpg  # noqa: E402
from harness import CLIENTS, expect, expect_equal  # noqa: E402

ROUNDS = 10
END = "end"


class Listener:
    """A client that listens on a channel of all and on one of its own."""

    def __init__(self, number):
        self.number = number
        self.own = f"Own {number}"  # a name that has to be quoted
        self.heard = asyncio.Queue()
        self.connection = None

    def hear(self, _connection, _pid, channel, payload):
        self.heard.put_nowait((channel, payload))

    async def until(self, channel, payload):
        """What was heard up to this notification."""
        heard = []
        while not heard or heard[-1] != (channel, payload):
            heard.append(await self.heard.get())
        return heard

    async def open(self):
        self.connection = await asyncpg.connect()
        await self.connection.add_listener("asyncpg_all", self.hear)
        await self.connection.add_listener(self.own, self.hear)

    async def work(self):
        """Transactions while notifications come in, and some of its own."""
        for n in range(ROUNDS):
            async with self.connection.transaction():
                value = await self.connection.fetchval("SELECT $1::int + 1", n)
                expect_equal(value, n + 1, "query of a listener")
                await self.connection.execute("SELECT pg_notify($1, $2)", self.own, f"own {n}")
        heard = await self.until(self.own, f"own {ROUNDS - 1}")
        own = [payload for channel, payload in heard if channel == self.own]
        expect_equal(own, [f"own {n}" for n in range(ROUNDS)], "notifications to itself")
        return [each for each in heard if each[0] != self.own]


async def send(connection):
    for n in range(ROUNDS):
        async with connection.transaction():
            await connection.execute("SELECT pg_notify('asyncpg_all', $1)", f"a{n}")
            await connection.execute("SELECT pg_notify('asyncpg_all', $1)", f"b{n}")
            # Equal ones in a transaction are sent once.
            await connection.execute("SELECT pg_notify('asyncpg_all', $1)", f"a{n}")
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("NOTIFY asyncpg_all, 'undone'")
        await transaction.rollback()
    await connection.execute(f"NOTIFY asyncpg_all, '{END}'")


async def client(listener):
    heard = await listener.work()
    if ("asyncpg_all", END) not in heard:
        heard += await listener.until("asyncpg_all", END)
    wanted = [f"{letter}{n}" for n in range(ROUNDS) for letter in "ab"] + [END]
    got = [payload for _, payload in heard]
    expect_equal(got, wanted, "notifications to all")
    await listener.connection.remove_listener(listener.own, listener.hear)


async def main():
    listeners = [Listener(number) for number in range(CLIENTS)]
    await asyncio.gather(*(listener.open() for listener in listeners))
    sender = await asyncpg.connect()
    await asyncio.gather(send(sender), *(client(listener) for listener in listeners))
    # Nobody listens on a channel of its own any more: what goes there comes to nobody.
    for listener in listeners:
        await sender.execute("SELECT pg_notify($1, 'late')", listener.own)
    await sender.execute("NOTIFY asyncpg_all, 'closing'")
    for listener in listeners:
        heard = await listener.until("asyncpg_all", "closing")
        expect_equal(heard, [("asyncpg_all", "closing")], "notifications after UNLISTEN")
        await listener.connection.close()
        expect(listener.heard.empty(), "notifications after the last one")
    await sender.close()


asyncio.run(main())
