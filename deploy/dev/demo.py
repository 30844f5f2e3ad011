#!/usr/bin/python3
"""`make demo`: a scene on a private PostgreSQL and an agent, which ends by itself.

Act 1  500 clients work through 10 server connections; the statistics stream
       over gRPC is shown while they do.
Act 2  the extension ends a session that is idle and one that is idle in a transaction.
Act 3  SQL and gRPC tell what happened.

Exit status 0 only when every fact it checks is as it should be.
"""

import argparse
import asyncio
import select
import shutil
import subprocess
import sys
import threading
import time

import devserver
import psycopg
import stack as stack_module
import stats_client
from devserver import Failure, say

CLIENTS = 500
TRANSACTIONS_EACH = 15
POOL_SIZE = 10
APPLICATIONS = ("shop", "reports", "mobile")
IDLE_MS = 1500
IDLE_IN_TRANSACTION_MS = 1000


class Facts:
    """What the demo claims, each said with ok or NOT ok."""

    def __init__(self):
        self.wrong = 0

    def check(self, holds, text):
        say(f"  {'ok    ' if holds else 'NOT ok'}  {text}")
        self.wrong += not holds


class Crowd:
    """The 500 clients, all connected before the first works."""

    def __init__(self, url):
        self.url = url
        self.done = 0
        self.backends = set()
        self.errors = []

    def run(self):
        try:
            asyncio.run(self._run())
        except Exception as error:  # told by the main thread
            self.errors.append(error)

    async def _run(self):
        gate = asyncio.Semaphore(50)  # connect at most that many at the same moment
        connections = await asyncio.gather(*(self._connect(gate, n) for n in range(CLIENTS)))
        say(f"  {len(connections)} clients are connected")
        await asyncio.gather(*(self._work(each, n) for n, each in enumerate(connections)))
        for each in connections:
            await each.close()

    async def _connect(self, gate, number):
        async with gate:
            return await psycopg.AsyncConnection.connect(
                self.url, application_name=APPLICATIONS[number % len(APPLICATIONS)],
                connect_timeout=60,
            )

    async def _work(self, connection, number):
        try:
            for turn in range(TRANSACTIONS_EACH):
                async with connection.transaction():
                    await connection.execute(
                        "INSERT INTO orders (client, turn) VALUES (%s, %s)", [number, turn]
                    )
                    cursor = await connection.execute("SELECT pg_backend_pid(), pg_sleep(0.002)")
                    self.backends.add((await cursor.fetchone())[0])
            self.done += 1
        except psycopg.Error as error:
            self.errors.append(error)


def act_one(house, statistics, facts):
    say(f"\n-- {CLIENTS} clients, {POOL_SIZE} server connections; live over gRPC:\n")
    house.cluster.sql(
        "DROP TABLE IF EXISTS orders; CREATE TABLE orders (client int, turn int);"
        "ALTER TABLE orders OWNER TO app",
        "app",
    )
    crowd = Crowd(house.pool_url())
    worker = threading.Thread(target=crowd.run)
    highest = most_waiting = 0
    stream = statistics.watch(0.5)
    worker.start()
    say(stats_client.HEADER)
    for snapshot in stream:
        house.alive()
        say(stats_client.row(snapshot))
        most_waiting = max(most_waiting, sum(p.now.clients_waiting for p in snapshot.pools))
        count = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'"
        highest = max(highest, int(house.cluster.sql(count)))
        if not worker.is_alive():
            break
    stream.cancel()
    worker.join()

    say("")
    for error in crowd.errors[:5]:
        say(f"  a client failed: {error}")
    rows = int(house.cluster.sql("SELECT count(*) FROM orders", "app"))
    facts.check(
        crowd.done == CLIENTS and not crowd.errors,
        f"{crowd.done} of {CLIENTS} clients did all their {TRANSACTIONS_EACH} transactions",
    )
    facts.check(rows == CLIENTS * TRANSACTIONS_EACH, f"{rows} rows were written")
    facts.check(
        0 < len(crowd.backends) <= POOL_SIZE,
        f"{len(crowd.backends)} backends served them, never more than {highest} at one moment",
    )
    facts.check(0 < highest <= POOL_SIZE, f"at most {POOL_SIZE} server connections were open")
    facts.check(most_waiting > 0, f"up to {most_waiting} clients waited in line, and were served")


class Sleeper:
    """A direct connection that does nothing until the server has enough of it."""

    def __init__(self, url, inside_transaction):
        self.connection = psycopg.connect(url, autocommit=True, application_name="sleeper")
        self.sqlstate = self.message = None
        # libpq hands over an error that no query asked for like a notice.
        self.connection.add_notice_handler(self._keep)
        if inside_transaction:
            self.connection.execute("BEGIN")
        self.since = time.monotonic()

    def _keep(self, diagnostic):
        self.sqlstate, self.message = diagnostic.sqlstate, diagnostic.message_primary

    def wait(self, seconds):
        deadline = time.monotonic() + seconds
        while self.sqlstate is None and time.monotonic() < deadline:
            if select.select([self.connection.fileno()], [], [], 0.2)[0]:
                try:
                    self.connection.pgconn.consume_input()
                    self.connection.pgconn.notifies()
                except psycopg.OperationalError:
                    break
        return time.monotonic() - self.since


def act_two(house, facts):
    say("\n-- the extension's idle policy, on connections that never met the agent\n")
    for name, value in (
        ("pgvalet.idle_session_timeout", IDLE_MS),
        ("pgvalet.idle_in_transaction_timeout", IDLE_IN_TRANSACTION_MS),
    ):
        say(f"  ALTER SYSTEM SET {name} = '{value}ms'")
        house.cluster.sql(f"ALTER SYSTEM SET {name} = '{value}ms'")
    house.cluster.sql("SELECT pg_reload_conf()")
    devserver.wait_until(
        lambda: house.cluster.sql("SHOW pgvalet.idle_session_timeout") == f"{IDLE_MS}ms",
        10,
        "the reload of the settings",
    )
    idle = Sleeper(house.direct_url(), inside_transaction=False)
    in_transaction = Sleeper(house.direct_url(), inside_transaction=True)
    say("  one session sits idle, another is idle in a transaction ...\n")
    for sleeper, wanted in ((in_transaction, "25P03"), (idle, "57P05")):
        took = sleeper.wait(30)
        facts.check(
            sleeper.sqlstate == wanted,
            f"ended after {took:.1f} s with SQLSTATE {sleeper.sqlstate}: {sleeper.message}",
        )
    for name in ("pgvalet.idle_session_timeout", "pgvalet.idle_in_transaction_timeout"):
        house.cluster.sql(f"ALTER SYSTEM RESET {name}")
    house.cluster.sql("SELECT pg_reload_conf()")


def show_sql(house, sql, *options):
    command = [house.cluster.program("psql"), "-X", "-q", "-P", "footer=off", *options]
    command += [house.direct_url(), "-c", sql]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{sql}: {done.stderr}")
    say("\n".join("  " + line for line in [f"{sql}\n", *done.stdout.rstrip().splitlines(), ""]))


def act_three(house, statistics, facts, build):
    say("\n-- what SQL says\n")
    show_sql(house, "TABLE pgvalet.summary", "-x")
    show_sql(
        house,
        "SELECT application_name, xact_commit_count, statement_count, row_count, active_us\n"
        "    FROM pgvalet.usage_by_application ORDER BY xact_commit_count DESC LIMIT 5",
    )
    say("-- what gRPC says\n")
    # The agent's sampler reads the extension once per second.
    devserver.wait_until(
        lambda: statistics.snapshot().extension.summary.idle_session_ended_count >= 1,
        20,
        "the sampler's reading of the ended sessions",
    )
    snapshot = statistics.snapshot()
    status = [f"{build}/bin/pgvalet", "status", "--address", f"localhost:{house.grpc_port}"]
    done = subprocess.run(status, capture_output=True, text=True, check=False)
    say("\n".join("  " + line for line in done.stdout.rstrip().splitlines()) + "\n")
    totals = snapshot.totals
    wanted = CLIENTS * TRANSACTIONS_EACH
    facts.check(done.returncode == 0, "`pgvalet status` finds a healthy agent")
    facts.check(
        totals.transaction_count >= wanted,
        f"gRPC: {totals.transaction_count} transactions, {totals.client_login_count} client logins",
    )
    facts.check(
        0 < totals.server_connect_count <= POOL_SIZE,
        f"gRPC: {totals.server_connect_count} server connections were opened for them",
    )
    ended = snapshot.extension.summary
    facts.check(
        (ended.idle_session_ended_count, ended.idle_in_transaction_ended_count) == (1, 1),
        "gRPC, from the extension: one idle session and one idle transaction were ended",
    )
    committed = int(
        house.cluster.sql(
            "SELECT coalesce(sum(xact_commit_count), 0) FROM pgvalet.usage_by_role"
            " WHERE role_name = 'app'",
            "app",
        )
    )
    facts.check(
        committed >= wanted,
        f"SQL: {committed} transactions were committed by role app: theirs, and the agent's SET"
        " where a backend went from one application to another",
    )


def play(options, home):
    facts = Facts()
    house = stack_module.Stack(options.build, home, POOL_SIZE, fast=True)
    statistics = None
    try:
        say("demo: starting PostgreSQL with the extension, and the agent")
        house.start(devserver.private_prefix(devserver.run_home()))
        statistics = stats_client.StatsClient(f"localhost:{house.grpc_port}")
        devserver.wait_until(lambda: answers(statistics), 20, "the first snapshot", house.alive)
        act_one(house, statistics, facts)
        act_two(house, facts)
        act_three(house, statistics, facts, options.build)
    finally:
        if statistics:
            statistics.close()
        house.stop()
    say(f"\ndemo: {'all as it should be' if not facts.wrong else f'{facts.wrong} facts are wrong'}")
    return 0 if not facts.wrong else 1


def answers(statistics):
    try:
        return statistics.snapshot() is not None
    except statistics.errors:
        return False


def main():
    parser = argparse.ArgumentParser(description="a scene that ends by itself")
    parser.add_argument("--build", default="build", help="where bin/pgvaletd is")
    options = parser.parse_args()
    devserver.raise_on_signals()
    home = devserver.run_home() / "demo"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    try:
        stack_module.require_programs(options.build)
        return play(options, home)
    except devserver.Ended as ended:
        print(f"demo: {ended}: stopped", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    devserver.program_main(main)
