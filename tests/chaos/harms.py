"""What is done to the server, one function each; ALL_HARMS lists them.

A harm takes the Chaos it belongs to and returns an Aftermath: what must be true of
every server that bears it.  It runs while the load does.
"""

import dataclasses
import os
import signal
import socket
import struct
import threading

import psycopg

from raw_client import RawClient
from server import DEADLINE_S, wait_until

COLLECTOR = "pgvalet collector"
KEPT_FILE = "pg_stat/pgvalet.stat"


@dataclasses.dataclass
class Aftermath:
    new_memory: bool = False  # the server has made its shared memory anew
    gone: set = dataclasses.field(default_factory=set)  # process ids that end


def client_backends(chaos, count, newest=False):
    """Process ids of up to so many backends of the load, at random or the newest."""
    def some():
        with chaos.server.connect() as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                " AND pid <> pg_backend_pid() ORDER BY backend_start DESC").fetchall()
        return [row.pid for row in rows]

    pids = wait_until(some, "a client backend")
    return pids[:count] if newest else chaos.rng.sample(pids, min(count, len(pids)))


def collector_pid(chaos):
    def find():
        with chaos.server.connect() as connection:
            return connection.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = %s",
                                      (COLLECTOR,)).fetchone()

    return wait_until(find, "the collector").pid


def kill_client_backend(chaos, newest=False):
    """SIGKILL for a backend, at any moment of its work."""
    while True:
        for pid in client_backends(chaos, 5, newest):
            if chaos.server.kill_child(pid):
                return Aftermath(new_memory=True, gone={pid})


def kill_newcomer(chaos):
    """SIGKILL for one that has just come, or has not even logged in."""
    return kill_client_backend(chaos, newest=True)


def kill_any_process(chaos):
    """SIGKILL for any process: parallel workers, autovacuum, checkpointer, the collector."""
    while True:
        pid = chaos.rng.choice(chaos.server.children())
        if chaos.server.kill_child(pid):
            return Aftermath(new_memory=True, gone={pid})


def terminate_client_backends(chaos):
    pids = client_backends(chaos, chaos.rng.randrange(1, 8))
    for pid in pids:
        chaos.server.signal_child(pid, signal.SIGTERM)
    return Aftermath(gone=set(pids))


def cancel_client_backends(chaos):
    for pid in client_backends(chaos, 8):
        chaos.server.signal_child(pid, signal.SIGINT)
    return Aftermath()


def poke_client_backends(chaos):
    """The signals by which backends are asked to look again, in a burst."""
    pids = client_backends(chaos, 8)
    for _ in range(50):
        for pid in pids:
            chaos.server.signal_child(pid, chaos.rng.choice((signal.SIGUSR1, signal.SIGUSR2)))
    return Aftermath()


def freeze_client_backends(chaos):
    """Backends that stand still for a while, maybe in the middle of writing."""
    pids = client_backends(chaos, 3)
    for pid in pids:
        chaos.server.signal_child(pid, signal.SIGSTOP)
    try:
        threading.Event().wait(chaos.rng.uniform(0.05, 0.3))
    finally:
        for pid in pids:
            chaos.server.signal_child(pid, signal.SIGCONT)
    return Aftermath()


def terminate_collector(chaos):
    pid = collector_pid(chaos)
    chaos.server.signal_child(pid, signal.SIGTERM)
    return Aftermath(gone={pid})


def kill_collector(chaos):
    while True:
        pid = collector_pid(chaos)
        if chaos.server.kill_child(pid):
            return Aftermath(new_memory=True, gone={pid})


def kill_postmaster(chaos):
    """SIGKILL for the postmaster: its children must end, or nobody can start again."""
    orphans = set(chaos.server.children())
    chaos.server.kill_postmaster()
    chaos.server.start_again()
    return Aftermath(new_memory=True, gone=orphans)


def restart(chaos, how):
    children = set(chaos.server.children())
    chaos.server.shut_down(how)
    chaos.server.start_again()
    return Aftermath(new_memory=True, gone=children)


def restart_immediately(chaos):
    return restart(chaos, signal.SIGQUIT)


def restart_fast(chaos):
    return restart(chaos, signal.SIGINT)


def limits_are_off(chaos):
    """Waits until new sessions live: the collector has put the limits in force."""
    def outlives_them():
        try:
            with chaos.server.connect() as connection:
                connection.execute("SHOW pgvalet.idle_session_timeout")
                threading.Event().wait(0.2)
                return connection.execute("SHOW pgvalet.idle_session_timeout").fetchone()[0] == "0"
        except psycopg.OperationalError:
            return False

    wait_until(outlives_them, "the idle limits to be off")


def reload(chaos):
    """Idle limits come and go while sessions wait, work and end."""
    for _ in range(3):
        chaos.server.reload(
            idle_session_timeout=chaos.rng.choice(("0", "50ms", "1s")),
            idle_in_transaction_timeout=chaos.rng.choice(("0", "20ms", "1s")),
            idle_session_includes_agents=chaos.rng.choice(("on", "off")))
        chaos.load.wait_for_progress(20)
    chaos.server.reload(idle_session_timeout=0, idle_in_transaction_timeout=0,
                        idle_session_includes_agents="off")
    limits_are_off(chaos)
    return Aftermath()


def rules(chaos):
    """Rules of the idle policy and budgets come, act and go."""
    rng = chaos.rng
    with chaos.server.connect() as connection:
        for position, state in enumerate(
                ("idle", "idle in transaction", "active", "session age"), 1):
            connection.execute(
                "INSERT INTO pgvalet.idle_policy (position, name, state, is_dry_run, role_name,"
                " application_pattern, warn_after, cancel_after, end_after, spares_superusers)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, true)",
                (position, f"rule {state}", state, rng.random() < 0.3,
                 rng.choice((None, "worker_a")), rng.choice((None, "job %")),
                 rng.choice((None, "10 ms")),
                 rng.choice((None, "20 ms")) if state == "active" else None,
                 rng.choice((None, "50 ms"))))
        connection.execute(
            "INSERT INTO pgvalet.connection_budget (name, role_name, max_connections)"
            " VALUES ('few', 'worker_b', %s)", (rng.randrange(1, 4),))
    chaos.load.wait_for_progress(60)
    with chaos.server.connect() as connection:
        connection.execute("TRUNCATE pgvalet.idle_policy, pgvalet.connection_budget")
        wait_until(lambda: connection.execute(
            "SELECT rule_count + budget_count = 0 AS none FROM pgvalet.policy_status"
        ).fetchone().none, "the rules to be out of force")
    return Aftermath()


def crowd(chaos):
    """More clients than there is room for; some are refused, all leave at once."""
    came = []

    def come():
        try:
            came.append(chaos.server.connect())
        except psycopg.Error:
            pass

    threads = [threading.Thread(target=come) for _ in range(70)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    gone = {connection.info.backend_pid for connection in came}
    for connection in came:
        connection.close()
    return Aftermath(gone=gone)


def restart_with_damaged_file(chaos):
    """The file in which the extension keeps what outlives a restart is not what it was."""
    children = set(chaos.server.children())
    chaos.server.shut_down(signal.SIGINT)
    path = os.path.join(chaos.server.data, KEPT_FILE)
    with open(path, "r+b") as file:
        size = os.path.getsize(path)
        if chaos.rng.random() < 0.3:
            file.truncate(chaos.rng.randrange(size))
        for _ in range(chaos.rng.randrange(1, 200)):
            file.seek(chaos.rng.randrange(size))
            file.write(bytes([chaos.rng.randrange(256)]))
    chaos.server.start_again()
    return Aftermath(new_memory=True, gone=children)


# What a client sends before it vanishes.  The first ends in the middle of a message.
LAST_WORDS = (
    b"Q\0\0\0\xffSELECT",
    None,
    b"BEGIN; LOCK TABLE items",
    b"DO $$ BEGIN PERFORM pg_sleep(0.5); END $$",
    b"SELECT repeat('x', 1000) FROM generate_series(1, 1000000)",
    b"COPY pgbench_accounts TO STDOUT",
    b"COPY items FROM STDIN",
    b"SELECT pg_advisory_lock(99)",
)


def vanish(chaos):
    """Clients whose host is gone: RST or FIN in every state, also during login."""
    clients = []
    for last in LAST_WORDS:
        client = RawClient(chaos.server, application_name="vanishing")
        if last is not None and last.startswith(b"Q\0"):
            client.socket.sendall(last)
        elif last is not None:
            client.send((b"Q", last + b"\0"))
        clients.append(client)
    for client in clients:
        if chaos.rng.random() < 0.7:
            reset_on_close(client.socket)
        client.close()
    for length in (1, 4, 8, 20):
        halfway = socket.create_connection(("127.0.0.1", chaos.server.port), DEADLINE_S)
        halfway.sendall((struct.pack("!ii", 60, 3 << 16) + b"user\0postgres\0")[:length])
        reset_on_close(halfway)
        halfway.close()
    return Aftermath(gone={client.pid for client in clients})


def reset_on_close(connection):
    """Makes the end of a connection an RST instead of a FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


# After these the server goes on without a restart, so another may follow at once.
SOFT_HARMS = (terminate_client_backends, cancel_client_backends, poke_client_backends,
              freeze_client_backends, terminate_collector, reload, rules, crowd, vanish)

ALL_HARMS = SOFT_HARMS + (
    kill_client_backend, kill_newcomer, kill_any_process, kill_collector, kill_postmaster,
    restart_immediately, restart_fast, restart_with_damaged_file)
