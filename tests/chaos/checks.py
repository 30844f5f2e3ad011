"""What must hold after every harm."""

import threading

import psycopg

from chaos_server import is_gone
from harms import COLLECTOR
from load import DATABASES
from server import DEADLINE_S, wait_until

READERS = 4


def server_is_back(chaos, aftermath, started_at):
    """It answers, with new memory where that was to come."""
    def memory_is_new():
        try:
            with chaos.server.connect() as connection:
                row = connection.execute("SELECT started_at FROM pgvalet.summary").fetchone()
                return row.started_at > started_at
        except psycopg.OperationalError:
            return False

    chaos.server.wait_until_it_answers()
    if aftermath.new_memory:
        wait_until(memory_is_new, "the server to start anew")
    chaos.server.wait_until_it_answers()


def processes_are_gone(aftermath):
    wait_until(lambda: all(is_gone(pid) for pid in aftermath.gone),
               f"the end of the processes {sorted(p for p in aftermath.gone if not is_gone(p))}")


def collector_runs(chaos, aftermath):
    """Exactly one, and not the one that was to end."""
    def pids():
        with chaos.server.connect() as connection:
            rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = %s",
                                      (COLLECTOR,)).fetchall()
        return len(rows) == 1 and rows[0].pid not in aftermath.gone

    wait_until(pids, "the collector to run")


def read_everything(connection):
    """All views of the extension, whichever there are."""
    views = connection.execute("SELECT viewname FROM pg_views WHERE schemaname = 'pgvalet'")
    for view in [row.viewname for row in views.fetchall()]:
        connection.execute(f"SELECT * FROM pgvalet.{view}").fetchall()


def views_answer(chaos):
    """To several new sessions at once, with the load going on: no lock was left behind."""
    failures, done = [], []

    def read(number):
        try:
            with chaos.server.connect(dbname=DATABASES[number % 2]) as connection:
                read_everything(connection)
                if number == 0:
                    connection.execute("SELECT pgvalet.reset('all')")
                read_everything(connection)
            done.append(number)
        except Exception as error:  # noqa: BLE001 (reported below)
            failures.append(repr(error))

    threads = [threading.Thread(target=read, args=(n,), daemon=True) for n in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    if failures or len(done) < READERS:
        raise AssertionError(f"reading the views: {failures}, {READERS - len(done)} do not return;"
                             f" waiting: {waiting_sessions(chaos)}")


def waiting_sessions(chaos):
    """For the report: who waits for what."""
    with chaos.server.connect() as connection:
        return connection.execute(
            "SELECT pid, backend_type, wait_event_type, wait_event, state, left(query, 60)"
            " FROM pg_stat_activity WHERE wait_event_type IN ('LWLock', 'Lock')").fetchall()


def slots_are_right(connection):
    """pgvalet.backends has exactly the client backends."""
    def is_same():
        nonlocal wrong
        wrong = connection.execute(
            "SELECT a.pid AS of_server, b.pid AS of_pgvalet, a.state, a.query"
            " FROM pgvalet.backends AS b FULL JOIN (SELECT * FROM pg_stat_activity"
            " WHERE backend_type = 'client backend') AS a"
            " USING (pid) WHERE a.pid IS NULL OR b.pid IS NULL").fetchall()
        return not wrong

    wrong = None
    try:
        wait_until(is_same, "the slots of the client backends")
    except AssertionError as error:
        raise AssertionError(f"{error}: {wrong}") from None


def ended_slots_are_folded(connection):
    """The collector does its work: no slot is in use but those of live sessions."""
    wait_until(lambda: connection.execute(
        "SELECT m.used_entries = s.connections AS ok FROM pgvalet.memory AS m, pgvalet.summary AS s"
        " WHERE m.part = 'backends'").fetchone().ok, "ended slots to be folded")


def sums_agree(connection):
    """Roles and databases have seen the same sessions and the same work."""
    counters = ("xact_commit_count", "xact_rollback_count", "statement_count", "row_count",
                "error_count", "sent_bytes", "block_hit_count", "wal_bytes", "temp_bytes",
                "live_session_count")
    sums = ", ".join(f"sum({counter})" for counter in counters)
    # Sessions count once under each name, so the application has no session_count here.
    by = {dimension: f"(SELECT ROW({sums}{more})::text FROM pgvalet.usage_by_{dimension})"
          for dimension, more in (("role", ""), ("database", ""), ("application", ""))}
    row = connection.execute(
        f"SELECT {by['role']} AS roles, {by['database']} AS databases,"
        f" {by['application']} AS applications,"
        " (SELECT sum(session_count) FROM pgvalet.usage_by_role) AS sessions,"
        " (SELECT session_count FROM pgvalet.summary) AS all_sessions").fetchone()
    if not row.roles == row.databases == row.applications:
        raise AssertionError(f"sums differ: {row}")
    # Fewer, if pgvalet.reset() came in between.
    if row.sessions > row.all_sessions:
        raise AssertionError(f"sessions differ: {row}")


def live_count_is_right(chaos, connection):
    """One session more than ever makes the highest number exactly the present one.

    The number of live sessions is counted up and down; this shows it if it has drifted.
    """
    def numbers():
        return connection.execute(
            "SELECT connections, highest_connections AS highest, max_connections"
            " FROM pgvalet.summary").fetchone()

    more = []
    before = numbers()
    if before.highest == before.max_connections:
        return  # there was a crowd, and there is no more room
    try:
        for _ in range(before.highest - before.connections + 1):
            more.append(chaos.server.connect())
        after = numbers()
    finally:
        for each in more:
            each.close()
    if after.highest != after.connections or after.highest != before.highest + 1:
        raise AssertionError(f"the count of live sessions has drifted: {before}, {after}")


def nothing_is_left_prepared(chaos):
    """Ends transactions whose client was killed between the two phases."""
    for database in DATABASES:
        with chaos.server.connect(dbname=database) as connection:
            rows = connection.execute("SELECT gid FROM pg_prepared_xacts"
                                      " WHERE database = current_database()").fetchall()
            for row in rows:
                connection.execute(f"ROLLBACK PREPARED '{row.gid}'")


def check_all(chaos, aftermath, started_at):
    server_is_back(chaos, aftermath, started_at)
    processes_are_gone(aftermath)
    collector_runs(chaos, aftermath)
    views_answer(chaos)
    chaos.load.wait_for_progress(10)
    chaos.load.pause()
    nothing_is_left_prepared(chaos)
    with chaos.server.connect() as connection:
        slots_are_right(connection)
        ended_slots_are_folded(connection)
        sums_agree(connection)
        live_count_is_right(chaos, connection)
    chaos.load.resume()
    complaints = chaos.server.new_log_complaints() + chaos.load.surprises
    if complaints:
        raise AssertionError("\n".join(complaints))
