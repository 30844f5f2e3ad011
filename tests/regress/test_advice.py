"""Advice: every rule has a test in which it speaks and one thing that silences it."""

import unittest

import psycopg

from server import ServerTest, wait_until


class AdviceTest(ServerTest):
    SETTINGS = {"max_connections": "100"}

    def setUp(self):
        self.observer = self.connect_agent()

    def advice(self, rule, subject=None):
        return self.observer.execute(
            "SELECT * FROM pgvalet.advice WHERE rule = %s AND subject = coalesce(%s, subject)",
            [rule, subject]).fetchall()

    def connect_all(self, count, name):
        return [self.connect(application_name=name) for _ in range(count)]

    def close_all(self, connections):
        for connection in connections:
            connection.close()

    def test_connection_limit(self):
        # Out of 97 that ordinary roles may have: 0.8 of them are 78.
        connections = self.connect_all(60, "taker")
        self.assertEqual(self.advice("connection_limit"), [])

        connections += self.connect_all(20, "taker")

        found = self.advice("connection_limit", "server")[0]
        self.assertEqual(found.severity, "warning")
        self.assertRegex(found.finding, r"\d+ of the 97 connections .*'taker' has most of them \(80\)")
        connections += self.connect_all(14, "taker")
        self.assertEqual(self.advice("connection_limit")[0].severity, "critical")
        self.close_all(connections)
        wait_until(lambda: not self.advice("connection_limit"), "the advice to go")

    def test_pool_missing(self):
        few = self.connect_all(19, "waiting")
        rule = ("pool_missing", "application 'waiting'")
        self.assertEqual(self.advice(*rule), [])

        few += self.connect_all(2, "waiting")

        found = wait_until(lambda: self.advice(*rule), "the advice")[0]
        self.assertRegex(found.finding,
                         r"^21 direct sessions work \d\.\d % of their time since they connected$")
        self.assertRegex(found.action, r": \d+ server connections? would carry")
        self.close_all(few)
        wait_until(lambda: not self.advice(*rule), "the advice to go")

    def test_pool_missing_is_not_said_of_an_agents_pool(self):
        pool = [self.connect_agent(application_name="pool") for _ in range(25)]
        for connection in pool:
            connection.execute("SELECT 1")
        witness = self.connect_all(20, "witness")
        wait_until(lambda: self.advice("pool_missing", "application 'witness'"), "the witness")

        self.assertEqual(self.advice("pool_missing", "application 'pool'"), [])
        self.close_all(pool + witness)

    def test_connection_churn(self):
        rule = ("connection_churn", "application 'churner'")
        for _ in range(1000):
            self.server.connect(application_name="churner").close()

        found = wait_until(lambda: self.advice(*rule), "the advice")[0]

        self.assertRegex(found.finding, r"^10\d\d sessions since .*, with 0\.\d transactions each")
        # What was before is not counted as if it had been in this time.
        self.observer.execute("SELECT pgvalet.reset('usage')")
        self.assertEqual(self.advice(*rule)[0].finding.split(" since ")[0],
                         found.finding.split(" since ")[0])
        worker = self.connect(application_name="churner")
        worker.execute("BEGIN; COMMIT;" * 5100)
        self.assertEqual(self.advice(*rule), [])

    def test_idle_in_transaction(self):
        rule = ("idle_in_transaction", "application 'dreamer'")
        dreamers = self.connect_all(80, "dreamer")
        self.assertEqual(self.advice(*rule), [])
        for connection in dreamers:
            connection.execute("BEGIN")

        # 80 sessions wait 60 seconds in less than one.
        found = wait_until(lambda: self.advice(*rule), "the advice")[0]

        self.assertRegex(found.finding, "transactions waited [6-9]\\d s .* since .* worked 0 s")
        self.close_all(dreamers)

    def test_leak(self):
        self.server.set(leak_idle_in_transaction=50)
        self.addCleanup(self.server.set, leak_idle_in_transaction=60000)
        holder = self.connect(application_name="holder")
        holder.execute("CREATE TABLE IF NOT EXISTS held (n int)")
        holder.execute("BEGIN; LOCK TABLE held")
        subject = f"backend {holder.info.backend_pid}"
        alone = wait_until(lambda: self.advice("leak", subject), "the advice")[0]
        self.assertNotIn("because of it", alone.finding)

        waiter = self.connect()
        waiter.pgconn.send_query(b"SELECT * FROM held")

        found = wait_until(lambda: [row for row in self.advice("leak", subject)
                                    if "; 1 backend waits because of it" in row.finding],
                           "the waiter")[0]
        self.assertEqual(found.severity, "critical")
        self.assertIn(f"SELECT pg_terminate_backend({holder.info.backend_pid})", found.action)
        holder.execute("COMMIT")
        wait_until(lambda: not self.advice("leak", subject), "the advice to go")

    def test_rollbacks(self):
        rule = ("rollbacks", "application 'unlucky'")
        unlucky = self.connect(application_name="unlucky")
        for _ in range(999):
            unlucky.execute("BEGIN; ROLLBACK")
        self.assertEqual(self.advice(*rule), [])
        unlucky.execute("BEGIN; ROLLBACK")

        self.assertRegex(self.advice(*rule)[0].finding,
                         r"^1000 of \d+ transactions were rolled back since ")

        unlucky.execute("BEGIN; COMMIT;" * 4100)
        self.assertEqual(self.advice(*rule), [])

    def test_no_limit(self):
        self.assertEqual(len(self.advice("no_limit", "server")), 1)
        self.addCleanup(self.server.set, idle_in_transaction_timeout=0)

        self.server.set(idle_in_transaction_timeout="1h")

        wait_until(lambda: not self.advice("no_limit"), "the advice to go")

    def test_no_limit_but_a_rule(self):
        self.assertEqual(len(self.advice("no_limit", "server")), 1)
        with self.server.connect() as connection:
            connection.execute("INSERT INTO pgvalet.idle_policy (position, name, state, end_after)"
                               " VALUES (1, 'open', 'idle in transaction', '1 hour')")
            wait_until(lambda: not self.advice("no_limit"), "the advice to go")
            connection.execute("DELETE FROM pgvalet.idle_policy")
        wait_until(lambda: self.advice("no_limit"), "the advice to come back")

    def test_no_limit_but_rules_for_some(self):
        self.addCleanup(self.observer.execute, "DELETE FROM pgvalet.idle_policy")
        self.observer.execute(
            "INSERT INTO pgvalet.idle_policy"
            " (position, name, state, application_pattern, client_network, is_dry_run, end_after)"
            " VALUES (1, 'of x', 'idle in transaction', 'x', NULL, false, '1 day'),"
            "        (2, 'network', 'idle in transaction', NULL, '10.0.0.0/8', false, '1 day'),"
            "        (3, 'dry', 'idle in transaction', NULL, NULL, true, '1 day')")
        wait_until(lambda: self.observer.execute("SELECT rule_count FROM pgvalet.policy_status"
                                                 ).fetchone().rule_count == 3, "the rules")

        self.assertIn("rules end some sessions", self.advice("no_limit", "server")[0].finding)

        self.observer.execute("UPDATE pgvalet.idle_policy SET is_dry_run = false")
        wait_until(lambda: not self.advice("no_limit"), "the advice to go")
        self.assertEqual(self.limit(), "1 day")

    def test_no_limit_but_that_of_the_server(self):
        self.addCleanup(self.observer.execute, "SELECT pg_reload_conf()")
        self.addCleanup(self.observer.execute,
                        "ALTER SYSTEM RESET idle_in_transaction_session_timeout")
        # Rules of the test before may still be in force.
        wait_until(lambda: self.limit() is None, "no limit")

        self.observer.execute("ALTER SYSTEM SET idle_in_transaction_session_timeout = '1h'")
        self.observer.execute("SELECT pg_reload_conf()")

        wait_until(lambda: not self.advice("no_limit"), "the advice to go")
        self.assertEqual(self.limit(), "01:00:00")

    def limit(self):
        return self.observer.execute(
            "SELECT pgvalet.idle_in_transaction_limit()::text AS after").fetchone().after

    def test_work_mem(self):
        rule = ("work_mem", "application 'sorter'")
        sorter = self.connect(application_name="sorter")
        sorter.execute("SET work_mem = '64kB'")
        self.assertEqual(self.advice(*rule), [])

        sorter.execute("SELECT count(*) FROM (SELECT repeat('x', 1000) || n"
                       "  FROM generate_series(1, 120000) AS n ORDER BY 1) AS sorted")

        self.assertRegex(self.advice(*rule)[0].finding,
                         r"^wrote \d+ MB to temporary files since ")

    def test_tracking_off(self):
        self.assertEqual(self.advice("tracking_off"), [])

        self.observer.execute("SET track_activities = off")

        self.assertEqual(self.advice("tracking_off")[0].severity, "info")

    def make_budget(self, columns, values):
        self.observer.execute(f"INSERT INTO pgvalet.connection_budget (name, {columns})"
                              f" VALUES ('few', {values})")
        self.addCleanup(self.forget_budget)
        wait_until(lambda: self.observer.execute("SELECT FROM pgvalet.budget").fetchone() is not None,
                   "the budget to be in force")

    def forget_budget(self):
        self.observer.execute("DELETE FROM pgvalet.connection_budget")
        wait_until(lambda: self.observer.execute("SELECT FROM pgvalet.budget").fetchone() is None,
                   "the budget to be gone")
        self.observer.execute("SELECT pgvalet.reset('events')")

    def make_ordinary_role(self):
        self.observer.execute("DROP ROLE IF EXISTS ordinary")
        self.observer.execute("CREATE ROLE ordinary LOGIN")

    def refuse_logins(self, count):
        for _ in range(count):
            with self.assertRaisesRegex(psycopg.OperationalError, 'budget "few"'):
                self.server.connect(user="ordinary", application_name="budgeted")

    BUDGET = ("connection_budget", "budget 'few'")

    def test_connection_budget(self):
        rule = self.BUDGET
        self.make_budget("application_pattern, max_connections", "'budgeted', 10")
        taken = self.connect_all(8, "budgeted")
        self.assertEqual(self.advice(*rule), [])

        taken += self.connect_all(1, "budgeted")

        found = self.advice(*rule)[0]
        self.assertEqual(found.severity, "warning")
        self.assertEqual(found.finding,
                         "9 of 10 connections are taken (0 by agents, 9 directly)")
        taken += self.connect_all(1, "budgeted")
        self.assertEqual(self.advice(*rule)[0].severity, "critical")
        self.close_all(taken)
        wait_until(lambda: not self.advice(*rule), "the advice to go")

    def test_connection_budget_of_which_only_the_reserve_is_free(self):
        self.make_ordinary_role()
        self.make_budget("application_pattern, max_connections, reserved_for, reserved_connections",
                         "'budgeted', 11, '{postgres}', 1")
        self.connect_all(9, "budgeted")
        self.assertEqual(self.advice(*self.BUDGET)[0].severity, "warning")
        self.connect_all(1, "budgeted")
        self.refuse_logins(1)

        found = self.advice(*self.BUDGET)[0]

        self.assertEqual(found.severity, "critical")
        self.assertRegex(found.finding,
                         r"^10 of 11 connections are taken \(0 by agents, 10 directly\),"
                         " 1 is kept for the roles in reserved_for;"
                         " 1 login was refused, the last at ")

    def test_connection_budget_that_is_only_tried(self):
        self.make_ordinary_role()
        self.make_budget("application_pattern, max_connections, is_dry_run", "'budgeted', 1, true")
        self.connect_all(1, "budgeted")
        for _ in range(2):
            self.connect(user="ordinary", application_name="budgeted")

        found = self.advice(*self.BUDGET)[0]

        self.assertEqual(found.severity, "info")
        self.assertRegex(found.finding,
                         "^3 of 1 connection is taken .*; 2 logins would have been refused,")
        self.assertIn("nobody is refused", found.reason)

    def test_connection_budget_of_none_only_if_somebody_was_refused(self):
        self.make_ordinary_role()
        self.make_budget("application_pattern, max_connections", "'budgeted', 0")
        self.assertEqual(self.advice(*self.BUDGET), [])

        self.refuse_logins(3)

        found = wait_until(lambda: self.advice(*self.BUDGET), "the advice")[0]
        self.assertEqual(found.severity, "warning")
        self.assertRegex(found.finding, "; 3 logins were refused, the last at ")

    def test_login_failures(self):
        rule = ("login_failures", "client 127.0.0.1")

        def fail():
            with self.assertRaises(psycopg.OperationalError):
                self.server.connect(tcp=True, user="nobody_there")

        for _ in range(99):
            fail()
        wait_until(lambda: self.observer.execute(
            "SELECT failure_count FROM pgvalet.login_failures").fetchone()[0] == 99, "99 failures")
        self.assertEqual(self.advice(*rule), [])
        fail()

        found = wait_until(lambda: self.advice(*rule), "the advice")[0]

        self.assertRegex(found.finding, "^100 logins failed since .* as role 'nobody_there'")
        self.observer.execute("SELECT pgvalet.reset('logins')")
        self.assertEqual(self.advice(*rule), [])

    def test_repetition(self):
        rule = ("repetition", "application 'looper'")
        looper = self.connect(application_name="looper")
        looper.execute("CREATE TABLE IF NOT EXISTS looked_up (id int)")
        for count in (999, 1000):
            self.assertEqual(self.advice(*rule), [])
            self.observer.execute("SELECT pgvalet.reset('repeated statements')")
            with looper.transaction():
                for number in range(count):
                    looper.execute("SELECT * FROM looked_up WHERE id = %s", [number])

        self.assertRegex(self.advice(*rule)[0].finding,
                         "ran 1000 times in 1 transaction since .*, up to 1000 times in one, ")

    def test_old_snapshot(self):
        holder = self.connect()
        holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class")
        subject = f"backend {holder.info.backend_pid}"
        self.assertEqual(self.advice("old_snapshot", subject), [])

        worker = self.connect()
        worker.execute("CREATE TEMP TABLE t (n int)")
        worker.execute("DO $$ BEGIN FOR n IN 1 .. 100000 LOOP BEGIN INSERT INTO t VALUES (n);"
                       " EXCEPTION WHEN division_by_zero THEN END; END LOOP; END $$")

        self.assertRegex(self.advice("old_snapshot", subject)[0].finding,
                         r"^waits since .* of the last 10\d{4} transactions")
        holder.execute("COMMIT")
        self.assertEqual(self.advice("old_snapshot", subject), [])

    def test_io_budget(self):
        rule = ("io_budget", "application 'hog'")
        hog = self.connect(application_name="hog")
        hog.execute("CREATE TABLE IF NOT EXISTS hogged AS SELECT n FROM generate_series(1, 20000) AS n")
        self.assertEqual(self.advice(*rule), [])
        self.addCleanup(self.server.set, io_budgets="")

        self.server.set(io_budgets="application:hog=1kB")

        found = wait_until(lambda: self.advice(*rule), "the advice")[0]
        self.assertEqual(found.severity, "critical")
        self.assertRegex(found.finding, r"per second over 5 minutes, \d+ % of its budget")

    def test_backend_memory(self):
        keeper = self.connect(application_name="keeper")
        subject = f"backend {keeper.info.backend_pid}"
        keeper.execute("SET work_mem = '1GB'")
        self.assertEqual(self.advice("backend_memory", subject), [])

        keeper.execute("DECLARE kept CURSOR WITH HOLD FOR"
                       " SELECT repeat('x', 1000) FROM generate_series(1, 300000)")

        self.assertRegex(self.advice("backend_memory", subject)[0].finding,
                         r"^holds \d{3} MB while it waits \(application 'keeper'\)")

    def test_query_ids_off(self):
        self.assertEqual(self.advice("query_ids_off"), [])

        self.observer.execute("SET compute_query_id = off")

        self.assertEqual(self.advice("query_ids_off")[0].severity, "info")

    def test_policy_not_in_force(self):
        self.assertEqual(self.advice("policy_not_in_force"), [])
        self.addCleanup(self.server.set, database="postgres")

        self.server.set(database="nowhere")

        found = wait_until(lambda: self.advice("policy_not_in_force"), "the advice")[0]
        self.assertEqual(found.severity, "critical")
        self.assertIn("nowhere", found.finding)

    def test_policy_not_in_force_for_want_of_room(self):
        self.addCleanup(self.observer.execute, "DELETE FROM pgvalet.idle_policy")

        self.observer.execute(
            "INSERT INTO pgvalet.idle_policy (position, name, state)"
            " SELECT n, 'rule ' || n, 'idle' FROM generate_series(1, 65) AS n")

        found = wait_until(lambda: self.advice("policy_not_in_force"), "the advice")[0]
        self.assertEqual(found.severity, "critical")
        self.assertIn("rule 65", found.finding)

    def test_policy_names(self):
        self.addCleanup(self.observer.execute, "DELETE FROM pgvalet.idle_policy")
        self.assertEqual(self.advice("policy_names"), [])

        self.observer.execute("INSERT INTO pgvalet.idle_policy (position, name, state, end_after,"
                              " spares_roles) VALUES (1, 'all', 'idle', '1 day', '{postgers}')")

        found = wait_until(lambda: self.advice("policy_names"), "the advice")[0]
        self.assertEqual((found.severity, found.finding),
                         ("warning", 'rule "all": there is no role "postgers"'))
        self.observer.execute("UPDATE pgvalet.idle_policy SET spares_roles = '{postgres}'")
        wait_until(lambda: not self.advice("policy_names"), "the advice to go")

    def test_order_is_by_severity(self):
        severities = [row.severity for row in
                      self.observer.execute("SELECT severity FROM pgvalet.advice")]

        self.assertEqual(severities, sorted(severities, key=["critical", "warning", "info"].index))

    def test_only_who_may_read_statistics_gets_advice(self):
        self.observer.execute("DROP ROLE IF EXISTS asker")
        self.observer.execute("CREATE ROLE asker LOGIN")
        asker = self.connect(user="asker")
        sources = ("pgvalet.advice", "pgvalet.advice_on_connections",
                   "pgvalet.advice_on_transactions", "pgvalet.advice_on_resources",
                   "pgvalet.recent_usage", "pgvalet.idle_in_transaction_limit()",
                   "pgvalet.quantity(1, 'one', 'many')")
        for source in sources:
            with self.subTest(source), self.assertRaisesRegex(Exception, "permission denied"):
                asker.execute(f"SELECT * FROM {source}")

        self.observer.execute("GRANT pg_read_all_stats TO asker")

        for source in sources:
            with self.subTest(source):
                asker.execute(f"SELECT * FROM {source}")


class HourTest(ServerTest):
    """What is found for the last hour is forgotten in the next; an hour is six seconds here."""

    SETTINGS = {"pgvalet.minute_ms": "100"}

    def setUp(self):
        self.observer = self.connect_agent()

    def advice(self, rule):
        return self.observer.execute(
            "SELECT * FROM pgvalet.advice WHERE rule = %s AND subject = %s",
            [rule, "application 'past'"]).fetchall()

    def check_comes_and_goes(self, rule, cause):
        past = self.connect(application_name="past")
        cause(past)
        wait_until(lambda: self.advice(rule), "the advice")
        wait_until(lambda: not self.advice(rule), "the advice to go")

    def test_temporary_files_of_the_past_are_forgotten(self):
        self.check_comes_and_goes("work_mem", lambda past: past.execute(
            "SET work_mem = '64kB'; SELECT count(*) FROM (SELECT repeat('x', 1000) || n"
            "  FROM generate_series(1, 120000) AS n ORDER BY 1) AS sorted"))

    def test_rollbacks_of_the_past_are_forgotten(self):
        self.check_comes_and_goes("rollbacks",
                                  lambda past: past.execute("BEGIN; ROLLBACK;" * 1000))

    def test_waits_inside_transactions_of_the_past_are_forgotten(self):
        dreamers = [self.connect(application_name="past") for _ in range(20)]
        for dreamer in dreamers:
            dreamer.execute("BEGIN")

        wait_until(lambda: self.advice("idle_in_transaction"), "20 sessions to wait 60 s")

        for dreamer in dreamers:
            dreamer.close()
        wait_until(lambda: not self.advice("idle_in_transaction"), "the advice to go")


class NamesLostTest(ServerTest):
    SETTINGS = {"pgvalet.max_applications": "2"}

    def test_names_lost(self):
        observer = self.connect_agent(application_name="first")
        self.connect(application_name="second")
        query = "SELECT * FROM pgvalet.advice WHERE rule = 'names_lost'"
        observer.execute("SELECT 1")

        self.connect(application_name="third")

        found = observer.execute(query).fetchone()
        self.assertEqual(found.subject, "applications")
        self.assertIn("pgvalet.max_applications", found.action)


if __name__ == "__main__":
    unittest.main(verbosity=2)
