"""What the tests of rules and budgets have in common."""

import collections

import psycopg

from server import ServerTest, wait_until

# Delays of rules: soon, and not within a test.
SHORT = "200 ms"
NEVER = "1 hour"

COLLECTOR = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'pgvalet collector'"

# A rule that ends idle sessions of application "app".
INSERT = ("INSERT INTO pgvalet.idle_policy"
          " (position, name, state, application_pattern, end_after, spares_superusers)"
          " VALUES (1, 'rule', 'idle', 'app', '200 ms', false)")

# The parts of an error or notice that the tests look at.
Told = collections.namedtuple("Told", "severity sqlstate message detail hint")


def told_of(diagnostic):
    return Told(diagnostic.severity, diagnostic.sqlstate, diagnostic.message_primary,
                diagnostic.message_detail, diagnostic.message_hint)


class PolicyTest(ServerTest):
    """Rules and budgets of a test are gone when it ends."""

    def setUp(self):
        # No rule of these tests is for this application.
        self.observer = self.connect(application_name="observer")
        self.addCleanup(self.remove_all)
        self.first_event = self.last_event()

    def remove_all(self):
        with self.server.connect(application_name="observer") as connection:
            connection.execute("TRUNCATE pgvalet.idle_policy, pgvalet.connection_budget")
            wait_until(lambda: self.status(connection).rule_count == 0
                       and self.status(connection).budget_count == 0, "the rules to go")

    def status(self, connection=None):
        return (connection or self.observer).execute(
            "SELECT * FROM pgvalet.policy_status").fetchone()

    def wait_for_generation(self, change):
        """Calls change() and waits until other rules or budgets are in force."""
        before = self.status().generation
        change()
        wait_until(lambda: self.status().generation > before, "the change to be in force")

    def insert(self, table, **row):
        columns = ", ".join(row)
        places = ", ".join(["%s"] * len(row))
        self.observer.execute(f"INSERT INTO pgvalet.{table} ({columns}) VALUES ({places})",
                              list(row.values()))

    def rule(self, name="rule", state="idle", **columns):
        """Puts a rule in force.  It is for application "app" unless it says otherwise."""
        row = {"position": len(name) * 1000 + sum(map(ord, name)), "name": name, "state": state,
               "application_pattern": "app", "spares_superusers": False, **columns}
        self.wait_for_generation(lambda: self.insert("idle_policy", **row))

    def app(self, **parameters):
        """A session for the rules."""
        return self.connect(**{"application_name": "app", **parameters})

    def role(self, name, member_of=None, options="LOGIN"):
        """Makes a role that is dropped when the test ends."""
        self.observer.execute(f"CREATE ROLE {name} {options}")
        self.addCleanup(self.drop_role, name)
        if member_of is not None:
            self.observer.execute(f"GRANT {member_of} TO {name}")

    def drop_role(self, name):
        with self.server.connect(application_name="observer") as connection:
            connection.execute(f"DROP ROLE IF EXISTS {name}")

    def is_connected(self, session):
        return self.backend(self.observer, session.info.backend_pid) is not None

    def wait_until_ended(self, session):
        wait_until(lambda: not self.is_connected(session),
                   f"the end of backend {session.info.backend_pid}")

    def last_words(self, session):
        """What a client whose session was ended while it waited is told.

        libpq hands out an error that no command asked for like a notice, and its
        parts are readable only in the notice handler.
        """
        told = []
        session.add_notice_handler(lambda diagnostic: told.append(told_of(diagnostic)))
        self.wait_until_ended(session)

        def read():
            try:
                session.pgconn.consume_input()
                session.pgconn.notifies()
            except psycopg.OperationalError:
                pass
            return told

        return wait_until(read, "the error message")[0]

    def last_event(self):
        return self.one(self.observer, "SELECT coalesce(max(sequence), 0) AS last"
                        " FROM pgvalet.events").last

    def events(self, *kinds):
        """Events of these kinds since the test began."""
        return self.observer.execute(
            "SELECT * FROM pgvalet.events WHERE sequence > %s AND kind = ANY (%s)"
            " ORDER BY sequence", (self.first_event, list(kinds))).fetchall()

    def counts(self, name="rule"):
        return self.one(self.observer, "SELECT * FROM pgvalet.idle_policy_counts"
                        " WHERE rule_name = %s", name)

    def policy_for(self, session, state, action=None):
        """The rows of policy_for() about one state, or the one about one of its actions."""
        rows = [row for row in self.observer.execute(
            "SELECT * FROM pgvalet.policy_for(%s)", (session.info.backend_pid,)).fetchall()
                if row.state == state]
        if action is None:
            return rows
        return [row for row in rows if row.action == action][0]
