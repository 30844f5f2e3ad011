#!/usr/bin/python3
"""Real drivers through the agent: transaction mode, 20 clients, 3 server connections.

Starts a PostgreSQL and an agent of its own, runs every driver's program against
them, one after the other, and prints one line each.  The role that the clients
use may open no fourth connection on the server (a fifth one for those who LISTEN),
so a pool that grows beyond its size fails its driver.

  run.py --build build            through the agent that was built there
  run.py --through direct         past it: what the programs expect holds there too
  run.py --through pgbouncer      through PgBouncer in session mode, as another reference
  run.py --round-robin            through the agent; no transaction finds the last one's backend
  run.py psycopg3 node_pg         only these
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "deploy" / "dev"))
import devserver  # noqa: E402
from devserver import Failure, say  # noqa: E402

CLIENTS = 20
SERVER_CONNECTIONS = 3
PYTHON = "/usr/bin/python3"
JDBC = "/usr/share/java/postgresql.jar"
# Debian's packaged Go libraries, and nothing from the network.
GO = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "", "CGO_ENABLED": "0"}

AGENT_CONFIG = """\
listen_addr = "127.0.0.1"
listen_port = {port}
unix_socket_dir = ""
grpc_listen = ""
http_listen = ""
pool_mode = "transaction"
default_pool_size = {pool_size}
server_round_robin = {round_robin}
auth_type = "scram-sha-256"
auth_file = "{userlist}"
sampler_interval = 0

[databases]
"*" = "host=127.0.0.1 port={server_port}"
"""

PGBOUNCER_CONFIG = """\
[databases]
* = host=127.0.0.1 port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
pool_mode = session
default_pool_size = 60
auth_type = scram-sha-256
auth_file = {userlist}
ignore_startup_parameters = extra_float_digits
"""


class Builds:
    """Where compiled programs and installed modules go: never into the checkout."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / "clients"
        self.folder.mkdir(parents=True, exist_ok=True)

    def command(self, command, **more):
        env = os.environ | more.pop("env", {})
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env,
            check=False, **more
        )
        if done.returncode != 0:
            raise Failure(f"{' '.join(command)}:\n{done.stdout}")

    def python(self, name, script="test.py"):
        return [PYTHON, str(HERE / name / script)]

    def ruby(self, name):
        return ["ruby", str(HERE / name / "test.rb")]

    def shell(self, name):
        return [str(HERE / name / "test.sh")]

    def node(self, script):
        folder = self.folder / "node"
        shutil.copytree(
            HERE / "node", folder, dirs_exist_ok=True, ignore=lambda *_: ["node_modules"]
        )
        stamp = folder / "node_modules" / ".installed"
        lock = (HERE / "node" / "package-lock.json").read_text()
        if not stamp.exists() or stamp.read_text() != lock:
            self.command(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder)
            stamp.write_text(lock)
        return ["node", str(folder / script)]

    def prisma(self):
        command = self.node("test_prisma.js")
        folder = self.folder / "node"
        # Its generator looks for engines, which it would download and which nothing here runs.
        engines = ["PRISMA_SCHEMA_ENGINE_BINARY", "PRISMA_QUERY_ENGINE_LIBRARY"]
        env = dict.fromkeys(engines, "/bin/true") | {"CHECKPOINT_DISABLE": "1"}
        generate = ["node", "node_modules/prisma/build/index.js", "generate"]
        stamp = folder / "node_modules" / ".prisma" / ".generated"
        schema = (folder / "prisma" / "schema.prisma").read_text()
        if not stamp.exists() or stamp.read_text() != schema:
            self.command(generate, cwd=folder, env=env)
            stamp.write_text(schema)
        return command

    def jdbc(self):
        folder = self.folder / "jdbc"
        folder.mkdir(exist_ok=True)
        source = str(HERE / "jdbc" / "ClientTest.java")
        self.command(["javac", "-Xlint:all", "-cp", JDBC, "-d", str(folder), source])
        # A small heap: the tests share the machine with the servers.
        return ["java", "-Xmx128m", "-cp", f"{JDBC}:{folder}", "ClientTest"]

    def go(self, name):
        program = self.folder / name
        cache = {"GOCACHE": str(self.folder / "go-cache")}
        self.command(
            ["go", "build", "-o", str(program), "main.go"], cwd=HERE / name, env=GO | cache
        )
        return [str(program)]


# Name and what makes its command, in the order they run.
DRIVERS = {
    "psql": lambda builds: builds.shell("psql"),
    "pgbench": lambda builds: builds.shell("pgbench"),
    "psycopg3": lambda builds: builds.python("psycopg3"),
    "psycopg3_statements": lambda builds: builds.python("psycopg3", "statements.py"),
    "psycopg3_texts": lambda builds: builds.python("psycopg3", "texts.py"),
    "psycopg2": lambda builds: builds.python("psycopg2"),
    "asyncpg": lambda builds: builds.python("asyncpg"),
    "asyncpg_altered": lambda builds: builds.python("asyncpg", "altered.py"),
    "asyncpg_listen": lambda builds: builds.python("asyncpg", "listen.py"),
    "sqlalchemy": lambda builds: builds.python("sqlalchemy"),
    "sqlalchemy_defaults": lambda builds: builds.python("sqlalchemy", "defaults.py"),
    "django": lambda builds: builds.python("django"),
    "activerecord": lambda builds: builds.ruby("activerecord"),
    "node_pg": lambda builds: builds.node("test_pg.js"),
    "node_listen": lambda builds: builds.node("test_listen.js"),
    "node_postgresjs": lambda builds: builds.node("test_postgresjs.js"),
    "node_prisma": lambda builds: builds.prisma(),
    "jdbc": lambda builds: builds.jdbc(),
    "go_pq": lambda builds: builds.go("go_pq"),
    "go_pgx": lambda builds: builds.go("go_pgx"),
}
# These LISTEN.
LISTENERS = {"asyncpg_listen", "node_listen"}


class House:
    """The server and what stands before it."""

    def __init__(self, options, home):
        self.options = options
        self.home = home
        self.password = devserver.new_password()
        self.agent = None
        self.port = None
        bin_dir = options.pg_bin or devserver.private_prefix(devserver.run_home())
        preload = {} if options.pg_bin else {"shared_preload_libraries": "pgvalet"}
        self.cluster = devserver.Cluster(bin_dir, home, preload, fast=True)

    def start(self):
        self.cluster.create()
        self.cluster.start()
        through_agent = self.options.through == "agent"
        limit = SERVER_CONNECTIONS if through_agent else -1
        # One more than the pool has: the connection that listens for all.
        listener_limit = SERVER_CONNECTIONS + 1 if through_agent else -1
        self.cluster.sql(
            f"CREATE ROLE app LOGIN PASSWORD '{self.password}' CONNECTION LIMIT {limit};"
            f"CREATE ROLE listener LOGIN PASSWORD '{self.password}'"
            f" CONNECTION LIMIT {listener_limit};"
            "CREATE ROLE app_group ROLE app;"  # to SET ROLE to
            "CREATE DATABASE app OWNER app;"
        )
        if self.options.through == "direct":
            self.port = self.cluster.port
            return
        self.port = devserver.free_port()
        userlist = self.home / "userlist.txt"
        template = AGENT_CONFIG if self.options.through == "agent" else PGBOUNCER_CONFIG
        # Through the agent, the client's own proof opens the server: no plaintext.
        secrets = "SELECT format('\"%s\" \"%s\"', rolname, rolpassword) FROM pg_authid"
        userlist.write_text(self.cluster.sql(f"{secrets} WHERE rolpassword IS NOT NULL") + "\n")
        userlist.chmod(0o600 if self.options.through == "agent" else 0o644)
        config = template.format(
            port=self.port,
            server_port=self.cluster.port,
            pool_size=SERVER_CONNECTIONS,
            round_robin="true" if self.options.round_robin else "false",
            userlist=userlist,
        )
        if self.options.through == "agent":
            program = pathlib.Path(self.options.build) / "bin" / "pgvaletd"
            self.agent = devserver.Agent(program, self.home, config, self.port)
        else:
            self.agent = PgBouncer(self.home, config, self.port)
        self.agent.start()

    def environment(self, user):
        return os.environ | {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": user,
            "PGPASSWORD": self.password,
            "PGDATABASE": "app",
            "PGSSLMODE": "disable",
            "CLIENTS": str(CLIENTS),
            "PATH": f"{self.cluster.bin_dir}:{os.environ['PATH']}",
        }

    def stop(self):
        if self.agent:
            self.agent.stop()
        self.cluster.stop()


class PgBouncer(devserver.Agent):
    def __init__(self, home, config, port):
        super().__init__("/usr/sbin/pgbouncer", home, config, port)

    def start(self):
        path = self.home / "pgbouncer.ini"
        path.write_text(self.config)
        command = devserver.as_server_user([str(self.program), str(path)], "INT")
        self.log = self.home / "pgbouncer.log"
        self.process = devserver.Process("pgbouncer", command, self.log)
        devserver.wait_until(self._answers, 10, "pgbouncer's start", self.process.alive)


def run_driver(name, command, house, seconds):
    started = time.monotonic()
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            env=house.environment("listener" if name in LISTENERS else "app"),
            check=False,
        )
        passed, said = done.returncode == 0, done.stdout
    except subprocess.TimeoutExpired as expired:
        passed = False
        said = f"{(expired.stdout or b'').decode()}\nno end after {seconds} s"
    took = time.monotonic() - started
    say(f"{'ok  ' if passed else 'FAIL'} {name:20} {took:5.1f} s")
    if not passed:
        lines = said.strip().splitlines()
        if len(lines) > 60:  # what went wrong first, and how it ended
            lines[40:-20] = ["..."]
        say("\n".join("     " + line[:300] for line in lines))
    return passed


def run_all(options, home):
    house = House(options, home)
    builds = Builds(options.build)
    passed = failed = 0
    try:
        house.start()
        say(f"clients: {CLIENTS} of each driver, through {options.through}, port {house.port}")
        for name in options.drivers or DRIVERS:
            try:
                ok = run_driver(name, DRIVERS[name](builds), house, options.timeout)
            except (Failure, OSError) as failure:
                say(f"FAIL {name:20} could not be built: {failure}")
                ok = False
            passed, failed = passed + ok, failed + (not ok)
            if house.agent:
                house.agent.process.alive()
    finally:
        house.stop()
        if house.agent and house.agent.log.exists():
            kept = builds.folder / house.agent.log.name
            shutil.copyfile(house.agent.log, kept)
            if failed:
                say(f"the agent's log: {kept}")
    say(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--build", default="build", type=os.path.abspath, help="where bin/pgvaletd is"
    )
    parser.add_argument("--through", choices=["agent", "direct", "pgbouncer"], default="agent")
    parser.add_argument(
        "--round-robin", action="store_true", help="the agent's server_round_robin"
    )
    parser.add_argument("--pg-bin", help="a PostgreSQL to use, instead of one with the extension")
    parser.add_argument("--timeout", type=int, default=120, help="seconds for one driver")
    parser.add_argument("drivers", nargs="*", choices=[[], *DRIVERS])
    options = parser.parse_args()
    devserver.raise_on_signals()
    home = pathlib.Path(tempfile.mkdtemp(prefix="pgvalet-clients-"))
    home.chmod(0o755)
    try:
        return run_all(options, home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    devserver.program_main(main)
