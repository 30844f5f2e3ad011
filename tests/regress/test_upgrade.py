"""pg_upgrade and pg_dump with the extension installed, 1.0 and of today, and with objects
that others have built on its views.

PGV_OLD_BIN is the directory of programs of the old server, which has pgvalet too; without
it old and new are the same version, which pg_upgrade allows.  matrix.sh sets it.
"""

import os
import subprocess
import unittest

from server import SERVER_USER, Server, as_server_user

# Databases, and the version of the extension in each; None: that of today.
DATABASES = {"made_by_1_0": "1.0", "made_today": None}

# What a DBA builds on the views.  No materialized view: the minor releases of 15 and 17 that
# Debian has at one time need not agree on what pg_dump makes of its columns.
DEPENDENTS = """
CREATE VIEW busy AS SELECT pid, role_name, statement_count FROM pgvalet.backends;
CREATE VIEW whole_row AS SELECT s AS summary FROM pgvalet.summary AS s;
CREATE TABLE usage_then AS SELECT * FROM pgvalet.usage_by_role;
CREATE FUNCTION connections() RETURNS bigint LANGUAGE sql
    BEGIN ATOMIC SELECT count(*) FROM pgvalet.backends; END;
CREATE ROLE {role} LOGIN;
GRANT SELECT ON pgvalet.summary TO {role};
GRANT EXECUTE ON FUNCTION pgvalet.summary() TO {role};
"""


class Cluster(Server):
    """A server of which version ever, with checksums, as PostgreSQL 18 has them by itself."""

    def __init__(self, bin_directory, **settings):
        super().__init__(**settings)
        self.bin = bin_directory

    def start(self):
        self.make_directory()
        self.make_cluster("-k")
        self._launch()


def make_databases(server):
    with server.connect() as connection:
        for name in DATABASES:
            connection.execute(f"CREATE DATABASE {name}")
    for name, version in DATABASES.items():
        with server.connect(dbname=name) as connection:
            connection.execute("CREATE EXTENSION pgvalet"
                               + (f" VERSION '{version}'" if version else ""))
            connection.execute(DEPENDENTS.format(role=f"reader_of_{name}"))


def tables_of(connection):
    """The rows of every table of the extension, as text."""
    names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'pgvalet'"
                               " ORDER BY tablename").fetchall()
    return {row.tablename: connection.execute(
        f"SELECT t::text FROM pgvalet.{row.tablename} AS t ORDER BY 1").fetchall()
        for row in names}


def extension_version(connection):
    return connection.execute("SELECT extversion FROM pg_extension"
                              " WHERE extname = 'pgvalet'").fetchone().extversion


def run_pg_upgrade(old, new):
    """pg_upgrade from one stopped cluster to the other."""
    arguments = ["-b", old.bin, "-B", new.bin, "-d", old.data, "-D", new.data,
                 "-U", SERVER_USER, "-s", new.directory, "-j", "2",
                 # Both are started by pg_upgrade on these.
                 "-p", str(old.port), "-P", str(old.port)]
    return subprocess.run([os.path.join(new.bin, "pg_upgrade"), *arguments],
                          cwd=new.directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, **as_server_user())


def can_be_upgraded_without_pgvalet():
    """Whether pg_upgrade works between these releases at all, for one table."""
    old = Cluster(os.environ["PGV_OLD_BIN"], shared_preload_libraries="")
    new = Cluster(os.environ["PGV_BIN"], shared_preload_libraries="")
    for cluster in (old, new):
        cluster.make_directory()
    try:
        old.make_cluster("-k")
        old._launch()
        with old.connect() as connection:
            connection.execute("CREATE TABLE plain (n integer)")
        old.shut_down()
        new.make_cluster("-k")
        return run_pg_upgrade(old, new).returncode == 0
    finally:
        old.stop()
        new.stop()


class UpgradeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Minor releases that are not of the same time need not understand each other's dumps.
        cls.is_possible = "PGV_OLD_BIN" not in os.environ or can_be_upgraded_without_pgvalet()

    def check_dependents(self, server, database):
        with server.connect(dbname=database) as connection:
            pid = connection.info.backend_pid
            self.assertIn(pid, [row.pid for row in connection.execute("TABLE busy").fetchall()])
            self.assertEqual(len(connection.execute("TABLE whole_row").fetchall()), 1)
            connection.execute("INSERT INTO usage_then SELECT * FROM pgvalet.usage_by_role")
            self.assertEqual(connection.execute("SELECT connections()").fetchone()[0], 1)
        with server.connect(dbname=database, user=f"reader_of_{database}") as connection:
            self.assertEqual(len(connection.execute("TABLE pgvalet.summary").fetchall()), 1)

    def check_views(self, server, database):
        with server.connect(dbname=database) as connection:
            views = connection.execute("SELECT viewname FROM pg_views"
                                       " WHERE schemaname = 'pgvalet'").fetchall()
            self.assertGreater(len(views), 4)
            for row in views:
                connection.execute(f"SELECT * FROM pgvalet.{row.viewname}").fetchall()

    def upgrade(self, old, new):
        done = run_pg_upgrade(old, new)
        self.assertEqual(done.returncode, 0, done.stdout + self.details(new))

    @staticmethod
    def details(new):
        """What pg_upgrade has written into files, for the report of a failure."""
        found = []
        for folder, _, names in os.walk(new.directory):
            if "pg_upgrade_output" in folder or folder == new.directory:
                for name in names:
                    if name.endswith((".txt", ".log")):
                        with open(os.path.join(folder, name), errors="replace") as file:
                            found.append(f"== {name}\n{file.read()[-3000:]}")
        return "\n".join(found)

    def old_and_new(self, **settings_of_new):
        if not self.is_possible:
            self.skipTest("pg_upgrade between these releases fails without pgvalet, too")
        new_bin = os.environ["PGV_BIN"]
        old = Cluster(os.environ.get("PGV_OLD_BIN", new_bin))
        old.start()
        self.addCleanup(old.stop)
        make_databases(old)
        new = Cluster(new_bin, **settings_of_new)
        new.make_directory()
        self.addCleanup(new.stop)
        new.make_cluster("-k")
        return old, new

    def test_extension_and_what_depends_on_it_survive_pg_upgrade(self):
        old, new = self.old_and_new()
        tables = {}
        for database in DATABASES:
            self.check_dependents(old, database)
            with old.connect(dbname=database) as connection:
                tables[database] = tables_of(connection)
        old.shut_down()

        self.upgrade(old, new)
        new.start_again()

        for database, version in DATABASES.items():
            with new.connect(dbname=database) as connection:
                if version:
                    self.assertEqual(extension_version(connection), version)
                self.assertEqual(tables_of(connection), tables[database])
            self.check_dependents(new, database)
            self.check_views(new, database)

    def test_extension_is_updated_after_pg_upgrade(self):
        old, new = self.old_and_new()
        old.shut_down()
        self.upgrade(old, new)
        new.start_again()

        for database in DATABASES:
            with new.connect(dbname=database) as connection:
                connection.execute("ALTER EXTENSION pgvalet UPDATE")
                row = connection.execute("SELECT default_version AS v FROM"
                                         " pg_available_extensions WHERE name = 'pgvalet'")
                self.assertEqual(extension_version(connection), row.fetchone().v)
            self.check_dependents(new, database)
            self.check_views(new, database)

    def test_server_that_does_not_preload_it_yet_can_be_upgraded(self):
        old, new = self.old_and_new(shared_preload_libraries="")
        old.shut_down()
        self.upgrade(old, new)

        new.configure(shared_preload_libraries="pgvalet")
        new.start_again()

        for database in DATABASES:
            self.check_dependents(new, database)

    def test_database_is_dumped_and_restored_with_what_depends_on_the_views(self):
        server = Cluster(os.environ["PGV_BIN"])
        server.start()
        self.addCleanup(server.stop)
        make_databases(server)
        address = ["-h", server.directory, "-p", str(server.port), "-U", SERVER_USER]
        dump = subprocess.run([os.path.join(server.bin, "pg_dump"), *address, "made_today"],
                              check=True, stdout=subprocess.PIPE).stdout
        with server.connect(dbname="made_today") as connection:
            tables = tables_of(connection)
        with server.connect() as connection:
            connection.execute("DROP DATABASE made_today")
            connection.execute("CREATE DATABASE made_today")

        subprocess.run([os.path.join(server.bin, "psql"), *address, "-X", "-q", "-v",
                        "ON_ERROR_STOP=1", "made_today"], input=dump, check=True,
                       stdout=subprocess.DEVNULL)

        self.check_dependents(server, "made_today")
        with server.connect(dbname="made_today") as connection:
            self.assertEqual(tables_of(connection), tables)


if __name__ == "__main__":
    unittest.main()
