"""SQLAlchemy as it comes: the engine's own pool, and what applications keep in a session.

Four engines stand for four processes of an application, five clients in each.
"""

import asyncio
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import sqlalchemy  # noqa: E402
from address import url  # noqa: E402
from harness import CLIENTS, expect_equal, run_threads  # noqa: E402
from sqlalchemy import (  # noqa: E402
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    event,
    func,
    select,
    text,
)
from sqlalchemy.ext.asyncio import create_async_engine  # noqa: E402
from sqlalchemy.orm import Session, declarative_base, relationship, selectinload  # noqa: E402

ENGINES = 4
ZONES = ["Asia/Tokyo", "Europe/Berlin", "America/Lima", "UTC"]
LOCK = 7001

Base = declarative_base()


class Order(Base):
    __tablename__ = "orders"
    id = Column(Integer, primary_key=True)
    client = Column(Integer, index=True)
    lines = relationship("Line", back_populates="order", cascade="all, delete-orphan")


class Line(Base):
    __tablename__ = "lines"
    id = Column(Integer, primary_key=True)
    order_id = Column(ForeignKey("orders.id"), index=True)
    goods = Column(String)
    order = relationship("Order", back_populates="lines")


class Turn(Base):
    """Who holds the lock, as the holder wrote it."""

    __tablename__ = "turns"
    id = Column(Integer, primary_key=True)
    holder = Column(Integer)
    turns = Column(Integer)


def make_engine(number, **options):
    """An engine that sets its connections up in a `connect` hook, as SQLAlchemy's manual has it."""
    engine = sqlalchemy.create_engine(url("psycopg2"), future=True, **options)

    @event.listens_for(engine, "connect")
    def set_up(connection, _record):
        connection.autocommit = True  # else the pool's rollback would undo it
        with connection.cursor() as cursor:
            cursor.execute("SET TIME ZONE %s", [ZONES[number]])
            cursor.execute("SET search_path TO t_sa, public")
            cursor.execute("SET app.engine TO %s", [str(number)])
        connection.autocommit = False

    return engine


def check_settings(engine, number):
    names = ["TimeZone", "search_path", "app.engine"]
    for _ in range(5):
        with engine.connect() as connection:
            row = connection.execute(select(*map(func.current_setting, names))).one()
        expect_equal(tuple(row), (ZONES[number], "t_sa, public", str(number)), "settings")


def check_orm(engine, client):
    with Session(engine) as session:
        for n in range(10):
            session.add(Order(client=client, lines=[Line(goods=f"{n}-{m}") for m in range(3)]))
        session.commit()
        with session.begin_nested() as savepoint:
            session.add(Order(client=client))
            session.flush()
            savepoint.rollback()
        query = select(Order).where(Order.client == client).order_by(Order.id)
        orders = session.scalars(query.options(selectinload(Order.lines))).all()
        expect_equal([len(order.lines) for order in orders], [3] * 10, "lines of the orders")
        session.delete(orders[0])
        orders[1].lines[0].goods = "changed"
        session.commit()
        goods = [line.goods for line in sorted(orders[1].lines, key=lambda line: line.id)]
        expect_equal(goods, ["changed", "1-1", "1-2"], "goods read again after the commit")


def check_streams(engine, client):
    """Two named cursors of psycopg2 in one transaction, read in turns."""
    with engine.connect() as connection:
        streaming = connection.execution_options(stream_results=True, yield_per=50)
        up = streaming.execute(text("SELECT n FROM generate_series(1, 500) n"))
        down = streaming.execute(text("SELECT -n FROM generate_series(1, 500) n"))
        expect_equal(sum(a[0] + b[0] for a, b in zip(up, down)), 0, "streams in turns")
    with Session(engine) as session:
        query = select(Order).where(Order.client == client).order_by(Order.id)
        rows = session.execute(query.execution_options(yield_per=3)).scalars()
        expect_equal(sum(1 for _ in rows), 9, "orders streamed")


def check_temporary_table(engine, client):
    metadata = MetaData()
    kept = Table("kept", metadata, Column("n", Integer), prefixes=["TEMPORARY"])
    brief = Table(
        "brief", metadata, Column("n", Integer), prefixes=["TEMPORARY"], postgresql_on_commit="DROP"
    )
    # The session stays on one connection of the pool, and its table there through three commits.
    with engine.connect() as connection, Session(connection) as session:
        kept.create(session.connection())
        session.commit()
        for n in range(3):
            session.execute(kept.insert().values(n=client + n))
            session.commit()
        expect_equal(session.scalar(select(func.sum(kept.c.n))), 3 * client + 3, "temporary rows")
        kept.drop(session.connection())
        session.commit()
        brief.create(session.connection())
        session.execute(brief.insert().values(n=client))
        expect_equal(session.scalar(select(brief.c.n)), client, "row until the commit")
        session.commit()
        left = "SELECT to_regclass('pg_temp.kept')::text, to_regclass('pg_temp.brief')::text"
        expect_equal(tuple(session.execute(text(left)).one()), (None, None), "tables left")


def check_lock(engine, client):
    """A session-level lock through several transactions: nobody else gets between them."""
    with engine.connect() as connection:
        connection.execute(select(func.pg_advisory_lock(LOCK)))
        connection.commit()
        connection.execute(Turn.__table__.update().values(holder=client))
        connection.commit()
        for _ in range(2):
            expect_equal(connection.scalar(select(Turn.holder)), client, "holder of the lock")
            connection.rollback()
        connection.execute(Turn.__table__.update().values(turns=Turn.turns + 1))
        expect_equal(connection.scalar(select(Turn.holder)), client, "holder of the lock")
        connection.commit()
        unlocked = connection.scalar(select(func.pg_advisory_unlock(LOCK)))
        expect_equal(unlocked, True, "lock held until its end")
        connection.commit()


def check_refused_lock(engine):
    with engine.connect() as one, engine.connect() as other:
        trying = select(func.pg_try_advisory_lock(LOCK))
        for connection, result in ((one, True), (other, False), (other, False)):
            expect_equal(connection.scalar(trying), result, "pg_try_advisory_lock")
            connection.commit()
        expect_equal(one.scalar(select(func.pg_advisory_unlock(LOCK))), True, "unlocking")
        one.commit()
        expect_equal(other.scalar(trying), True, "lock after it was given up")
        other.commit()
        expect_equal(other.scalar(select(func.pg_advisory_unlock(LOCK))), True, "unlocking")
        other.commit()


async def async_client(engine, client):
    """asyncpg beneath, with its statement cache and a cursor of its own."""
    async with engine.connect() as connection:
        for n in range(10):
            query = text("SELECT CAST(:n AS int) + 1")
            expect_equal(await connection.scalar(query, {"n": n}), n + 1, "cached statement")
            await connection.commit()
        zone = ZONES[client % ENGINES]
        await connection.execute(select(func.set_config("TimeZone", zone, False)))
        await connection.commit()
        rows = await connection.stream(text("SELECT n FROM generate_series(1, 500) n"))
        expect_equal(sum([row.n async for row in rows]), 125250, "rows streamed")
        await connection.commit()
        expect_equal(await connection.scalar(text("SHOW TimeZone")), zone, "time zone")


async def async_main():
    engine = create_async_engine(url("asyncpg"))
    await asyncio.gather(*(async_client(engine, client) for client in range(CLIENTS)))
    await engine.dispose()


def main():
    engines = [make_engine(number) for number in range(ENGINES)]
    with engines[0].begin() as connection:
        connection.execute(text("DROP SCHEMA IF EXISTS t_sa CASCADE"))
        connection.execute(text("CREATE SCHEMA t_sa"))
    Base.metadata.create_all(engines[0])  # found by the search_path alone
    with Session(engines[0]) as session:
        session.add(Turn(holder=-1, turns=0))
        session.commit()

    def client(number):
        engine = engines[number % ENGINES]
        check_settings(engine, number % ENGINES)
        check_orm(engine, number)
        check_streams(engine, number)
        check_temporary_table(engine, number)
        check_lock(engine, number)
        check_settings(engine, number % ENGINES)

    run_threads(client)
    check_refused_lock(engines[0])
    asyncio.run(async_main())
    with Session(engines[0]) as session:
        expect_equal(session.scalar(select(Turn.turns)), CLIENTS, "turns with the lock")
        expect_equal(session.scalar(select(func.count(Line.id))), CLIENTS * 27, "lines at the end")
    with engines[0].begin() as connection:
        connection.execute(text("DROP SCHEMA t_sa CASCADE"))
    for engine in engines:
        engine.dispose()


main()
