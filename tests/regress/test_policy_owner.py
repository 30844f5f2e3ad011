"""Tables of rules and budgets that belong to somebody else than a superuser."""

import os
import subprocess
import unittest

from policy_server import PolicyTest
from server import as_server_user, wait_until

SPY = """
CREATE FUNCTION public.spy(public.wrapped) RETURNS interval LANGUAGE plpgsql AS $$
BEGIN
    RAISE LOG 'the spy runs as %', current_user;
    RETURN $1.i;
END $$"""

CONSTRAINTS = "SELECT conname FROM pg_constraint WHERE conrelid = 'pgvalet.idle_policy'::regclass AND contype = 'c'"


class OwnerTest(PolicyTest):
    """In a database of its own, so that the tables of the others stay as they are."""

    def setUp(self):
        super().setUp()
        self.role("keeper")
        self.observer.execute("CREATE DATABASE kept")
        self.addCleanup(self.drop_database)
        self.superuser = self.connect(dbname="kept", application_name="observer")
        self.superuser.execute("CREATE EXTENSION pgvalet")
        self.superuser.execute("ALTER TABLE pgvalet.idle_policy OWNER TO keeper")
        self.superuser.execute("ALTER TABLE pgvalet.connection_budget OWNER TO keeper")
        self.superuser.execute("GRANT CREATE ON SCHEMA public, pgvalet TO keeper")
        self.keeper = self.connect(dbname="kept", user="keeper", application_name="observer")
        self.server.set(database="kept")
        wait_until(lambda: self.status().database_name == "kept" and self.status().error is None,
                   "the other database")

    def drop_database(self):
        self.server.set(database="postgres")
        with self.server.connect(application_name="observer") as connection:
            connection.execute("DROP DATABASE kept WITH (FORCE)")

    def test_rules_of_an_owner_who_is_no_superuser_are_in_force(self):
        self.keeper.execute("INSERT INTO pgvalet.idle_policy (position, name, state)"
                            " VALUES (1, 'rule', 'idle')")
        self.keeper.execute("INSERT INTO pgvalet.connection_budget (name, max_connections)"
                            " VALUES ('budget', 100)")

        wait_until(lambda: self.status().rule_count == 1 and self.status().budget_count == 1,
                   "the rule and the budget")

    def test_role_that_may_only_write_rows_puts_them_in_force(self):
        self.role("writer")
        self.superuser.execute("GRANT INSERT ON pgvalet.idle_policy TO writer")
        self.addCleanup(self.superuser.execute, "REVOKE ALL ON pgvalet.idle_policy FROM writer")
        self.superuser.execute("REVOKE SELECT ON pgvalet.idle_policy FROM PUBLIC")
        writer = self.connect(dbname="kept", user="writer", application_name="observer")

        writer.execute("INSERT INTO pgvalet.idle_policy (position, name, state)"
                       " VALUES (1, 'rule', 'idle')")

        wait_until(lambda: self.status().rule_count == 1, "the rule")
        self.assertEqual(self.one(writer, "SELECT current_user AS me").me, "writer")

    def test_code_of_the_owner_does_not_run_as_superuser(self):
        self.keeper.execute("CREATE TYPE public.wrapped AS (i interval)")
        self.keeper.execute(SPY)
        self.keeper.execute("CREATE CAST (public.wrapped AS interval)"
                            " WITH FUNCTION public.spy(public.wrapped) AS IMPLICIT")
        for row in self.keeper.execute(CONSTRAINTS).fetchall():
            self.keeper.execute(f"ALTER TABLE pgvalet.idle_policy DROP CONSTRAINT {row.conname}")
        self.keeper.execute("ALTER TABLE pgvalet.idle_policy DISABLE TRIGGER USER")
        self.keeper.execute("INSERT INTO pgvalet.idle_policy (position, name, state, end_after)"
                            " VALUES (1, 'rule', 'idle', '1 hour')")
        before = self.status().read_at

        self.keeper.execute("ALTER TABLE pgvalet.idle_policy ALTER COLUMN end_after"
                            " TYPE public.wrapped USING ROW(end_after)::public.wrapped")

        wait_until(lambda: self.status().error is not None or self.status().read_at > before,
                   "a reading")
        self.assertNotIn("the spy runs as postgres", self.server.log_text())
        wait_until(lambda: self.status().error ==
                   'table "idle_policy" has no column "end_after" of type interval', "the error")

    def test_pg_dump_by_the_owner_of_a_database_works(self):
        self.observer.execute("ALTER DATABASE kept OWNER TO keeper")
        self.superuser.execute("ALTER TABLE pgvalet.idle_policy OWNER TO postgres")
        self.superuser.execute("ALTER TABLE pgvalet.connection_budget OWNER TO postgres")
        self.superuser.execute("INSERT INTO pgvalet.idle_policy (position, name, state)"
                               " VALUES (1, 'the rule', 'idle')")

        dump = subprocess.run(
            [os.path.join(self.server.bin, "pg_dump"), "-h", self.server.directory, "-p",
             str(self.server.port), "-U", "keeper", "kept"], text=True, cwd="/",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **as_server_user())

        self.assertEqual(dump.stderr, "")
        self.assertIn("the rule", dump.stdout)


if __name__ == "__main__":
    unittest.main()
