#!/usr/bin/python3
"""Reports SQLAlchemy's own pool to pgvalet, beside whose pools it appears then.

In an application of your own: Reporter(engine, "shop", "orders").start().
"""

import os
import socket
import threading
import time

from sqlalchemy import create_engine, event, text

from stubs import METADATA, channel, pools_pb2, pools_pb2_grpc


class Reporter(threading.Thread):
    """Reports the pool of an engine every few seconds until the process ends."""

    def __init__(self, engine, application, name, every=10):
        super().__init__(daemon=True)
        self.engine, self.every = engine, every
        self.pool = pools_pb2.ReportPoolsRequest().pools.add()
        self.pool.application, self.pool.name = application, name
        self.pool.instance = f"{socket.gethostname()}:{os.getpid()}"
        self.pool.kind, self.pool.target = "sqlalchemy", engine.url.database or ""
        event.listen(engine, "checkout", self._count)

    def _count(self, *_):
        self.pool.checkout_count += 1

    def report(self):
        pool = self.engine.pool
        self.pool.max_connections = pool.size() + pool._max_overflow
        self.pool.in_use, self.pool.idle = pool.checkedout(), pool.checkedin()
        with channel() as connection:
            stub = pools_pb2_grpc.PoolsStub(connection)
            request = pools_pb2.ReportPoolsRequest(pools=[self.pool])
            request.ttl.seconds = 3 * self.every  # two reports may be lost
            stub.ReportPools(request, metadata=METADATA, timeout=5)

    def run(self):
        while True:
            self.report()
            time.sleep(self.every)


def main():
    # libpq's variables say where to.
    engine = create_engine("postgresql+psycopg2://", pool_size=5, max_overflow=10)
    reporter = Reporter(engine, "shop", "orders")
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        reporter.report()
    print("reported")


if __name__ == "__main__":
    main()
