"""Where SQLAlchemy finds the server: what libpq's environment says."""

import os

from sqlalchemy.engine import URL


def url(driver):
    return URL.create(
        f"postgresql+{driver}",
        username=os.environ["PGUSER"],
        password=os.environ.get("PGPASSWORD"),
        host=os.environ["PGHOST"],
        port=int(os.environ["PGPORT"]),
        database=os.environ["PGDATABASE"],
    )
