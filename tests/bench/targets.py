"""What is measured: PostgreSQL itself, PgBouncer, pgvalet.

Every target is a child of this process, listens on 127.0.0.1 alone and is
stopped by its process number.  Settings that both poolers know are the same in both.
"""

import copy
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import devserver

DATABASE = USER = "bench"
MOST_CLIENTS = 5000  # above every case, below what asks for another file limit


class Direct:
    """PostgreSQL without a pooler between."""

    label = "direct"
    pid = None
    can_prepare = True

    def __init__(self, cluster):
        self.port = cluster.port

    def start(self):
        pass

    def stop(self):
        pass


class Pooler:
    """A process with a port; subclasses say how it is started."""

    can_prepare = True

    def __init__(self, cluster, work, pool_size):
        self.cluster, self.work, self.pool_size = cluster, pathlib.Path(work), pool_size
        self.port = None
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        self.port = devserver.free_port()
        self.process = self.launch()
        devserver.wait_until(self._answers, 30, f"{self.label}'s start", self.process.alive)

    def _answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    def folder(self, parent):
        """A new folder for the files of one start, which every user can read."""
        path = pathlib.Path(tempfile.mkdtemp(prefix="pgvalet-bench-", dir=parent))
        path.chmod(0o755)
        return path

    def another(self):
        """The same, not started, beside this one."""
        other = copy.copy(self)
        other.port = other.process = None
        return other

    def stop(self):
        if self.process:
            self.process.stop([signal.SIGINT, signal.SIGQUIT])
            self.process = None


class Pgvalet(Pooler):
    """The agent as it comes: statistics, gRPC and HTTP are on."""

    def __init__(self, cluster, work, pool_size, program, cores=0):
        super().__init__(cluster, work, pool_size)
        self.http_port = self.grpc_port = None
        self.program, self.cores = pathlib.Path(program), cores
        if not self.program.exists():
            raise devserver.Failure(f"{self.program} has not been built")
        self.label = "pgvalet"

    def launch(self):
        folder = self.folder(self.work)
        config = folder / "pgvalet.toml"
        self.http_port, self.grpc_port = devserver.free_port(), devserver.free_port()
        config.write_text(
            f'listen_addr = "127.0.0.1"\nlisten_port = {self.port}\nunix_socket_dir = ""\n'
            f'grpc_listen = "127.0.0.1:{self.grpc_port}"\n'
            f'http_listen = "127.0.0.1:{self.http_port}"\n'
            f'cores = {self.cores}\nauth_type = "trust"\npool_mode = "transaction"\n'
            f"default_pool_size = {self.pool_size}\nmax_client_conn = {MOST_CLIENTS}\n"
            "log_connections = false\nlog_disconnections = false\n"
            f'[databases]\n{DATABASE} = "host=127.0.0.1 port={self.cluster.port}"\n'
        )
        command = ["setpriv", "--pdeathsig", "INT", str(self.program), "--config", str(config)]
        return devserver.Process(self.label, command, folder / "log")


class PgBouncer(Pooler):
    """PgBouncer of this system, or of another one in a folder (chroot), as a user that is not root."""

    def __init__(self, cluster, work, pool_size, program, root=None):
        super().__init__(cluster, work, pool_size)
        self.program, self.root = program, root
        self.version = self._version()
        self.label = f"pgbouncer {self.version}"
        # Named statements in transaction mode: since 1.21.
        self.can_prepare = tuple(int(n) for n in self.version.split(".")[:2]) >= (1, 21)
        self.inside = None

    def _command(self, command, die_with_us=None):
        into = ["chroot", str(self.root)] if self.root else []
        return into + devserver.as_server_user(command, die_with_us)

    def _version(self):
        try:
            done = subprocess.run(
                self._command([self.program, "--version"]),
                capture_output=True,
                text=True,
                check=True,
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise devserver.Failure(f"no PgBouncer: {self.program}: {error}") from error
        return re.search(r"\d+\.\d+(\.\d+)?", done.stdout).group(0)

    def launch(self):
        # A chrooted process sees only what lies under its root.
        self.inside = self.folder(f"{self.root}/tmp" if self.root else self.work)
        seen = f"/tmp/{self.inside.name}" if self.root else str(self.inside)
        (self.inside / "users").write_text(f'"{USER}" ""\n')
        lines = ["[databases]", f"{DATABASE} = host=127.0.0.1 port={self.cluster.port}"]
        lines += ["[pgbouncer]", "listen_addr = 127.0.0.1", f"listen_port = {self.port}"]
        lines += ["unix_socket_dir =", "auth_type = trust", f"auth_file = {seen}/users"]
        lines += ["pool_mode = transaction", f"default_pool_size = {self.pool_size}"]
        lines += [f"max_client_conn = {MOST_CLIENTS}", "listen_backlog = 4096"]
        lines += ["ignore_startup_parameters = extra_float_digits"]
        lines += ["log_connections = 0", "log_disconnections = 0", "log_stats = 0"]
        if self.can_prepare:
            lines.append("max_prepared_statements = 200")
        (self.inside / "pgbouncer.ini").write_text("\n".join(lines) + "\n")
        command = self._command([self.program, f"{seen}/pgbouncer.ini"], "INT")
        return devserver.Process(self.label, command, self.inside / "log")

    def stop(self):
        super().stop()
        if self.root and self.inside:
            shutil.rmtree(self.inside, ignore_errors=True)


def start_postgres(work, pool_size, scale, with_extension=False):
    """A private server with pgbench's tables, without anything that would work by itself meanwhile."""
    pg_config = os.environ.get("PG_CONFIG", "pg_config")
    try:
        found = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise devserver.Failure(f"{pg_config} says no folder of programs: {error}") from error
    # Everybody comes in by trust: measured is relaying, not SCRAM.
    rules = pathlib.Path(work) / "pg_hba.conf"
    rules.write_text("local all all trust\nhost all all 127.0.0.1/32 trust\n")
    settings = {"hba_file": rules, "shared_buffers": "256MB", "autovacuum": "off", "jit": "off"}
    settings |= {"max_connections": 200 + 4 * pool_size, "checkpoint_timeout": "1h"}
    settings |= {"max_wal_size": "4GB", "max_parallel_workers_per_gather": 0}
    if with_extension:
        settings["shared_preload_libraries"] = "pgvalet"
    cluster = devserver.Cluster(found.stdout.strip(), work, settings, fast=True)
    cluster.create()
    cluster.start()
    try:
        cluster.sql(f"create role {USER} login")
        cluster.sql(f"create database {DATABASE} owner {USER}")
        fill = [cluster.program("pgbench"), "-i", "-q", "-s", str(scale), "-h", "127.0.0.1"]
        fill += ["-p", str(cluster.port), "-U", USER, DATABASE]
        subprocess.run(fill, check=True, capture_output=True, text=True)
        cluster.sql("vacuum analyze", DATABASE)
    except BaseException:
        cluster.stop()
        raise
    return cluster
