#!/usr/bin/python3
"""PostgreSQL's own regression suite, straight to a server and through the agent.

  run.py                       both, and what differs: the status is 0 if nothing does
  run.py --isolation           of the isolation suite what can be told behind a transaction pooler
  run.py --way pool            one way only: direct, pool
  run.py --mode session        another pool mode (default: transaction)
  run.py --without-extension   the server does not preload the extension
  run.py --tests "boolean guc" only these (the suite's tests build on each other: mind the order)

Through the agent every transaction of every session takes the server connection that was idle
longest (server_round_robin), of 30: nothing that a session made is where it was made.  A test that
fails directly as well is no difference.  expected_differences.txt explains those that are left.

Needs root (packages) and, the first time, minutes to build pg_regress from Debian's source package.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "deploy" / "dev"))
import devserver  # noqa: E402
from devserver import Failure, say  # noqa: E402

POOL_SIZE = 30
LIMIT_S = 1200
HBA = "local all all trust\nhost all all 127.0.0.1/32 trust\n"
# What pg_regress gives the database that it makes itself.
DATABASE_SETTINGS = [
    "lc_messages to 'C'",
    "lc_monetary to 'C'",
    "lc_numeric to 'C'",
    "lc_time to 'C'",
    "bytea_output to 'hex'",
    "timezone_abbreviations to 'Default'",
]
AGENT = """\
listen_addr = "127.0.0.1"
listen_port = {port}
unix_socket_dir = ""
grpc_listen = ""
http_listen = ""
auth_type = "trust"
pool_mode = "{mode}"
default_pool_size = {size}
server_round_robin = true
max_pinned_share = 1
query_wait_timeout = 60
log_connections = false
log_disconnections = false
sampler_interval = 0

[databases]
"*" = "host=127.0.0.1 port={server_port}"
"""


class Suite:
    def __init__(self, source, isolation, tests):
        self.isolation, self.tests = isolation, tests
        self.folder = source / "src" / "test" / ("isolation" if isolation else "regress")
        self.bin_dir = source.parent / "bin"
        self.database = "isolation_regression" if isolation else "regression"
        self.library_dir = source / "src" / "test" / "regress"

    def command(self, port, out):
        program = "pg_isolation_regress" if self.isolation else "pg_regress"
        command = ["timeout", str(LIMIT_S), str(self.folder / program)]
        command += [f"--inputdir={self.folder}", f"--outputdir={out}", f"--bindir={self.bin_dir}"]
        command += [f"--dlpath={self.library_dir}", "--use-existing", f"--dbname={self.database}"]
        command += ["--host=127.0.0.1", f"--port={port}", "--user=postgres"]
        command += ["--max-concurrent-tests=20"]
        if self.tests:
            return command + self.tests
        if self.isolation:
            return command + self.isolation_tests()
        return command + [f"--schedule={self.folder / 'parallel_schedule'}"]

    def isolation_tests(self):
        """Those in which no step waits for another session.

        isolationtester asks the server whether the backend of PQbackendPID() waits; behind a
        transaction pooler a session has no such backend, and the tester waits for ever.
        """
        schedule = (self.folder / "isolation_schedule").read_text()
        found = []
        for name in re.findall(r"^test: (\S+)", schedule, re.M):
            expected = list((self.folder / "expected").glob(f"{name}*.out"))
            if not any("<waiting" in path.read_text() for path in expected):
                found.append(name)
        return found


def outcome(summary):
    """{test: passed} of what pg_regress printed."""
    found = {}
    for line in summary.splitlines():
        match = re.match(r"(?:test)?\s+(\S+)\s+\.\.\.\s+(ok|FAILED|failed)", line)
        if match:
            found[match.group(1)] = match.group(2) == "ok"
    return found


def run(options, suite, way, work):
    home = work / way
    subprocess.run(["rm", "-rf", str(home)], check=True)
    home.mkdir(parents=True)
    settings = {
        "max_connections": 150,
        "max_prepared_transactions": 2,
        "timezone": "PST8PDT",
        "datestyle": "Postgres, MDY",
        "log_min_messages": "warning",
    }
    if not options.without_extension:
        settings["shared_preload_libraries"] = "pgvalet"
    prefix = devserver.private_prefix(devserver.run_home())
    cluster = devserver.Cluster(prefix, home, settings, fast=True)
    agent = None
    try:
        cluster.create()
        cluster._write("pg_hba.conf", HBA)  # noqa: SLF001: the one place that needs trust
        cluster.start()
        cluster.sql(f"CREATE DATABASE {suite.database} TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
        for setting in DATABASE_SETTINGS:
            cluster.sql(f"ALTER DATABASE {suite.database} SET {setting}")
        port = cluster.port
        if way == "pool":
            port = devserver.free_port()
            config = AGENT.format(
                port=port, mode=options.mode, size=POOL_SIZE, server_port=cluster.port
            )
            agent = devserver.Agent(options.build / "bin" / "pgvaletd", home, config, port)
            agent.start()
        return run_suite(suite, port, home)
    finally:
        if agent:
            agent.stop()
        cluster.stop()


def run_suite(suite, port, home):
    out = home / "out"
    out.mkdir()
    user = devserver.server_user()
    shutil.chown(out, user.pw_uid, user.pw_gid)
    say(f"suite: {home.name}: running; results in {out}")
    done = subprocess.run(
        devserver.as_server_user(["env", f"PWD={out}", *suite.command(port, out)]),
        cwd=out,
        capture_output=True,
        text=True,
        check=False,
    )
    (home / "summary").write_text(done.stdout + done.stderr)
    found = outcome(done.stdout)
    if not found:
        raise Failure(f"nothing ran:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    passed = sum(found.values())
    ended = "" if done.returncode != 124 else f", stopped after {LIMIT_S} s"
    say(f"suite: {home.name}: {passed} of {len(found)} pass{ended}")
    failed = sorted(name for name, good in found.items() if not good)
    if failed:
        say(f"suite: {home.name}: fail: {' '.join(failed)}")
    return found


def explained(isolation):
    """Tests whose difference expected_differences.txt explains: "suite test: why"."""
    wanted = "isolation" if isolation else "regress"
    names = set()
    for line in (HERE / "expected_differences.txt").read_text().splitlines():
        match = re.match(r"(\w+) (\S+): ", line)
        if match and match.group(1) == wanted:
            names.add(match.group(2))
    return names


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--source", type=pathlib.Path, default=pathlib.Path("/var/tmp/pgvalet-suite"))
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("/var/tmp/pgvalet-suite-run"))
    parser.add_argument("--isolation", action="store_true")
    parser.add_argument("--way", choices=["both", "direct", "pool"], default="both")
    parser.add_argument("--mode", choices=["transaction", "session"], default="transaction")
    parser.add_argument("--without-extension", action="store_true")
    parser.add_argument("--tests", type=str.split, default=[])
    options = parser.parse_args()
    done = subprocess.run(
        [str(HERE / "source.sh"), str(options.source)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    suite = Suite(pathlib.Path(done.stdout.strip()), options.isolation, options.tests)
    ways = ["direct", "pool"] if options.way == "both" else [options.way]
    results = {way: run(options, suite, way, options.work) for way in ways}
    if len(results) < 2:
        return 0
    broken = {n for n, good in results["direct"].items() if good and not results["pool"].get(n)}
    unexplained = sorted(broken - explained(options.isolation))
    say(f"suite: pass directly and not through the agent: {len(broken)}")
    for name in sorted(broken):
        note = "not explained" if name in unexplained else "explained in expected_differences.txt"
        say(f"  {name}: {note}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    devserver.program_main(main)
