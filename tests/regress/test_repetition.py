"""pgvalet.repeated_statements: what applications send many times in one transaction."""

import unittest

import psycopg
from psycopg import errors

from server import ServerTest, wait_until


class RepetitionTest(ServerTest):
    SETTINGS = {"pgvalet.repetition_threshold": "5", "pgvalet.max_repeated_statements": "10"}

    def setUp(self):
        self.observer = self.connect(application_name="observer")
        self.observer.execute("CREATE TABLE IF NOT EXISTS item (id integer, name text)")
        self.observer.execute("SELECT pgvalet.reset('repeated statements')")

    def client(self, **parameters):
        return self.connect(application_name="shop", **parameters)

    def send(self, client, query):
        """One simple Query; names of columns may be the same."""
        client.pgconn.exec_(query.encode())

    def rows(self):
        return self.observer.execute("SELECT * FROM pgvalet.repeated_statements").fetchall()

    def only_row(self):
        rows = self.rows()
        self.assertEqual(len(rows), 1, rows)
        return rows[0]

    def loop(self, client, count, **how):
        for n in range(count):
            client.execute("SELECT name FROM item WHERE id = %s", (n,), **how)

    def assert_found(self, count, transactions=1):
        row = self.only_row()
        self.assertEqual((row.application_name, row.database_name), ("shop", "postgres"))
        self.assertEqual((row.transaction_count, row.execution_count, row.highest_count),
                         (transactions, transactions * count, count))
        self.assertIn("SELECT name FROM item WHERE id = ", row.query)

    # What is found.

    def test_statement_in_a_loop_is_found_however_it_is_sent(self):
        for how in ("extended", "prepared", "simple", "pipeline"):
            with self.subTest(how):
                self.observer.execute("SELECT pgvalet.reset('repeated statements')")
                client = self.client()
                with client.transaction():
                    if how == "simple":
                        self.loop(psycopg.ClientCursor(client), 8)
                    elif how == "pipeline":
                        with client.pipeline():
                            self.loop(client, 8)
                    else:
                        self.loop(client, 8, prepare=how == "prepared")

                self.assert_found(8)

    def test_statements_of_one_simple_query_are_told_apart(self):
        client = self.client()
        query = "; ".join(f"SELECT name FROM item WHERE id = {n}" for n in range(6))
        self.send(client, "SELECT 1; " + query + "; SELECT 2")

        self.assert_found(6)
        self.assertEqual(self.only_row().query, "SELECT name FROM item WHERE id = 4")

    def test_changes_in_a_loop_are_found(self):
        client = self.client()
        with client.transaction():
            for n in range(7):
                client.execute("INSERT INTO item VALUES (%s, 'x')", (n,))
            for n in range(6):
                client.execute("DELETE FROM item WHERE id = %s", (n,))
        client.execute("DELETE FROM item")

        self.assertEqual([(row.query.split()[0], row.highest_count) for row in self.rows()],
                         [("INSERT", 7), ("DELETE", 6)])

    def test_prepared_by_sql_is_found(self):
        client = self.client()
        client.execute("PREPARE one_item AS SELECT name FROM item WHERE id = $1")
        with client.transaction():
            for n in range(6):
                client.execute(f"EXECUTE one_item({n})")

        self.assertEqual(self.only_row().highest_count, 6)

    def test_transactions_are_added_up(self):
        client = self.client()
        for _ in range(3):
            with client.transaction():
                self.loop(client, 6)
        first = self.only_row()
        with client.transaction():
            self.loop(client, 20)

        row = self.only_row()
        self.assertEqual((row.transaction_count, row.execution_count, row.highest_count),
                         (4, 38, 20))
        self.assertEqual(row.first_seen_at, first.first_seen_at)
        self.assertGreater(row.last_seen_at, first.last_seen_at)

    def test_transaction_that_is_rolled_back_counts(self):
        client = self.client()
        with client.transaction(force_rollback=True):
            self.loop(client, 6)

        self.assert_found(6)

    def test_session_that_ends_in_the_transaction_counts(self):
        client = self.client()
        client.execute("BEGIN")
        self.loop(client, 6)
        pid = client.info.backend_pid
        client.close()
        wait_until(lambda: self.backend(self.observer, pid) is None, "the session to leave")

        self.assert_found(6)

    # What is not.

    def test_less_than_the_threshold_is_not_found(self):
        client = self.client()
        with client.transaction():
            self.loop(client, 4)

        self.assertEqual(self.rows(), [])

    def test_statement_that_is_sent_in_many_transactions_is_not_found(self):
        client = self.client()
        self.loop(client, 50)
        self.loop(client, 50, prepare=True)
        for _ in range(5):
            with client.transaction():
                self.loop(client, 2)

        self.assertEqual(self.rows(), [])

    def test_statements_inside_functions_are_not_the_applications(self):
        self.observer.execute("""CREATE OR REPLACE FUNCTION loops() RETURNS void
            LANGUAGE plpgsql AS $$
            DECLARE found record;
            BEGIN
                FOR i IN 1..20 LOOP
                    PERFORM name FROM item WHERE id = i;
                    FOR found IN SELECT * FROM item LOOP NULL; END LOOP;
                END LOOP;
            END $$""")
        client = self.client()
        with client.transaction():
            for _ in range(4):
                client.execute("SELECT loops()")
            for _ in range(8):
                client.execute("DO $$ DECLARE found record; BEGIN"
                               " FOR found IN SELECT * FROM item LOOP NULL; END LOOP;"
                               " PERFORM loops(); END $$")

        self.assertEqual(self.rows(), [])

    def test_fetching_from_a_cursor_is_no_repetition(self):
        client = self.client()
        with client.transaction():
            with client.cursor("parts") as cursor:
                cursor.itersize = 1
                cursor.execute("SELECT n FROM generate_series(1, 30) AS n")
                self.assertEqual(len(list(cursor)), 30)

        self.assertEqual(self.rows(), [])

    # The table.

    def test_applications_are_told_apart(self):
        for name in ("one", "two"):
            client = self.connect(application_name=name)
            with client.transaction():
                self.loop(client, 6)

        self.assertEqual(sorted(row.application_name for row in self.rows()), ["one", "two"])

    def test_full_table_forgets_what_was_seen_least_recently(self):
        client = self.client()
        for columns in range(1, 13):
            with client.transaction():
                for _ in range(5):
                    self.send(client, "SELECT " + ", ".join(["id"] * columns) + " FROM item")
                    self.send(client, "SELECT 1")
            # The first one is used again and again.
            with client.transaction():
                for _ in range(5):
                    client.execute("SELECT id FROM item")

        queries = {row.query for row in self.rows()}
        self.assertEqual(len(queries), 10)
        self.assertIn("SELECT id FROM item", queries)
        self.assertIn("SELECT " + ", ".join(["id"] * 12) + " FROM item", queries)
        self.assertNotIn("SELECT id, id FROM item", queries)

    def test_many_different_statements_do_not_hide_the_repeated_one_for_ever(self):
        client = self.client()
        with client.transaction():
            self.loop(client, 6)
            for n in range(200):
                self.send(client, "SELECT " + ", ".join(["id"] * n) + " FROM item")

        self.assert_found(6)

    def test_long_statement_is_cut_off_before_a_character(self):
        client = self.client()
        for first in ("", "x"):
            self.observer.execute("SELECT pgvalet.reset('repeated statements')")
            client.execute("BEGIN")
            for n in range(6):
                self.send(client, f"  SELECT {n}, '{first}" + "\u00e9" * 500 + "'")
            client.execute("COMMIT")

            query = self.only_row().query
            self.assertTrue(query.startswith("SELECT 4, '" + first + "\u00e9"))
            self.assertTrue(query.endswith("\u00e9"))
            self.assertIn(len(query.encode()), (298, 299))

    def test_threshold_of_0_turns_it_off(self):
        self.addCleanup(self.server.set, repetition_threshold="5")
        client = self.client()
        self.server.set(repetition_threshold="0")
        wait_until(lambda: self.one(client, "SHOW pgvalet.repetition_threshold")[0] == "0",
                   "the new setting")
        with client.transaction():
            self.loop(client, 20)

        self.assertEqual(self.rows(), [])

    def test_repeated_statements_are_for_those_who_may_read_all_statistics(self):
        self.observer.execute("CREATE ROLE plain LOGIN")
        self.observer.execute("CREATE ROLE stats LOGIN IN ROLE pg_read_all_stats")
        for query in ("SELECT * FROM pgvalet.repeated_statements",
                      "SELECT * FROM pgvalet.repetition_rows()"):
            with self.assertRaises(errors.InsufficientPrivilege):
                self.connect(user="plain").execute(query)
            self.connect(user="stats").execute(query)


if __name__ == "__main__":
    unittest.main()
