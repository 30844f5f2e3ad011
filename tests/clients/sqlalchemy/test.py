"""SQLAlchemy over psycopg2 and over asyncpg, as an application with a model would use it."""

import asyncio
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import sqlalchemy  # noqa: E402
from address import url  # noqa: E402
from harness import CLIENTS, expect, expect_equal, run_threads  # noqa: E402
from sqlalchemy import Column, Integer, String, select, text  # noqa: E402
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine  # noqa: E402
from sqlalchemy.orm import Session, declarative_base  # noqa: E402

Base = declarative_base()


class Note(Base):
    __tablename__ = "t_sqlalchemy"
    id = Column(Integer, primary_key=True)
    client = Column(Integer, index=True)
    note = Column(String)


def client(engine, number):
    with Session(engine) as session:
        session.add_all([Note(client=number, note=f"n{n}") for n in range(20)])
        session.commit()
        session.add(Note(client=number, note="undone"))
        session.flush()
        session.rollback()
        notes = session.scalars(select(Note).where(Note.client == number)).all()
        expect_equal(len(notes), 20, "rows of this client")
        notes[0].note = "changed"
        session.commit()
        expect_equal(notes[0].note, "changed", "row read again after its commit")
    with engine.connect() as connection:
        try:
            connection.execute(text("SELECT 1/0"))
            raise AssertionError("no error")
        except sqlalchemy.exc.DataError as error:
            expect_equal(error.orig.pgcode, "22012", "SQLSTATE")
        connection.rollback()
        expect_equal(connection.scalar(text("SELECT 5")), 5, "query after an error")


async def async_client(engine, number):
    async with AsyncSession(engine, expire_on_commit=False) as session:
        session.add_all([Note(client=1000 + number, note=f"n{n}") for n in range(20)])
        await session.commit()
        for _ in range(10):
            query = select(Note).where(Note.client == 1000 + number).order_by(Note.id)
            notes = (await session.scalars(query)).all()
            expect_equal(len(notes), 20, "rows of this client")
        await session.commit()
        try:
            await session.execute(text("SELECT 1/0"))
            raise AssertionError("no error")
        except sqlalchemy.exc.DBAPIError as error:
            expect("division by zero" in str(error.orig), f"error text: {error.orig}")
        await session.rollback()
        expect_equal(await session.scalar(text("SELECT 5")), 5, "query after an error")


async def async_main():
    engine = create_async_engine(url("asyncpg"), pool_size=CLIENTS)
    await asyncio.gather(*(async_client(engine, number) for number in range(CLIENTS)))
    await engine.dispose()


def main():
    engine = sqlalchemy.create_engine(url("psycopg2"), pool_size=CLIENTS, future=True)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    run_threads(lambda number: client(engine, number))
    asyncio.run(async_main())
    with engine.connect() as connection:
        rows = connection.scalar(text("SELECT count(*) FROM t_sqlalchemy"))
        expect_equal(rows, CLIENTS * 40, "rows at the end")
    Base.metadata.drop_all(engine)
    engine.dispose()


main()
