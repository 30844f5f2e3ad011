#!/usr/bin/python3
"""Side by side in one run: PostgreSQL directly, PgBouncer, pgvalet.

Throughput, latency, CPU of the pooler per transaction, connections per second,
memory per idle client, many clients.  Starts its own PostgreSQL, works on
127.0.0.1 alone, stops what it started.  README.md says how to read the result.
"""

import argparse
import json
import os
import pathlib
import platform
import resource
import shutil
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy" / "dev"))
import counters  # noqa: E402
import devserver  # noqa: E402
import load  # noqa: E402
import report  # noqa: E402
import targets  # noqa: E402
from devserver import Failure, say  # noqa: E402

PROTOCOLS = ["simple", "extended", "prepared"]
TARGETS = ["direct", "pgbouncer", "pgvalet"]


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of each load in each round")
    parser.add_argument("--clients", default="16,64", help="of the cases PROTOCOL/CLIENTS")
    parser.add_argument("--many", type=int, default=1000, help="clients of simple/ and prepared/MANY")
    parser.add_argument("--idle", type=int, default=2000, help="clients of the case idle")
    parser.add_argument("--cases", default="", help="beginnings of names, with commas: simple,idle")
    parser.add_argument("--targets", default="", help=f"some of {','.join(TARGETS)}")
    parser.add_argument("--pool-size", type=int, default=20)
    parser.add_argument("--scale", type=int, default=10, help="pgbench's")
    parser.add_argument("--pgvaletd", default=os.environ.get("PGVALETD", ROOT / "build/bin/pgvaletd"))
    parser.add_argument("--cores", type=int, default=0, help="pgvalet's setting cores")
    parser.add_argument("--pgbouncer", default=os.environ.get("PGBOUNCER", "/usr/sbin/pgbouncer"))
    parser.add_argument(
        "--pgbouncer-chroot",
        default=os.environ.get("PGBOUNCER_CHROOT"),
        metavar="DIR",
        help="measure also /usr/sbin/pgbouncer of the system in DIR (as root only)",
    )
    parser.add_argument("--counters", action="store_true", help="system calls per transaction")
    parser.add_argument("--instructions", action="store_true", help="--counters with instructions")
    parser.add_argument("--targets-of-issue", action="store_true", help="are the goals held?")
    parser.add_argument("--out", help="write all rows there, as JSON")
    parser.add_argument("--report", metavar="FILE", help="only show what --out has written")
    return parser.parse_args()


class Run:
    """One run: the server, the targets, the cases, the rows."""

    def __init__(self, options, work):
        self.options, self.work = options, work
        self.rows, self.counted = [], []
        self.cluster, self.targets = None, []

    def start(self):
        options = self.options
        wanted = options.targets.split(",") if options.targets else TARGETS
        for name in wanted:
            if name not in TARGETS:
                raise Failure(f"no such target: {name}; there are {', '.join(TARGETS)}")
        say("starting PostgreSQL")
        self.cluster = targets.start_postgres(self.work, options.pool_size, options.scale)
        self.bench = load.Bench(self.cluster, self.work, options.seconds)
        chosen = [targets.Direct(self.cluster)] if "direct" in wanted else []
        where = (self.cluster, self.work, options.pool_size)
        if "pgbouncer" in wanted:
            chosen.append(targets.PgBouncer(*where, options.pgbouncer))
            if options.pgbouncer_chroot:
                root = options.pgbouncer_chroot
                chosen.append(targets.PgBouncer(*where, "/usr/sbin/pgbouncer", root))
        if "pgvalet" in wanted:
            chosen.append(targets.Pgvalet(*where, options.pgvaletd, options.cores))
        for target in chosen:
            self.targets.append(target)
            target.start()
            # The first connections to the server and cold caches are nobody's round.
            self.bench.pgbench(target, "simple", options.pool_size, seconds=1)

    def stop(self):
        for target in self.targets:
            target.stop()
        if self.cluster:
            self.cluster.stop()

    def cases(self):
        """[(name, the targets that can do it, what measures one)]"""
        options, all_cases = self.options, []
        poolers = [target for target in self.targets if target.pid]
        many = str(options.many)
        for clients in options.clients.split(",") + [many]:
            for protocol in PROTOCOLS:
                if clients == many and protocol == "extended":
                    continue
                # Directly, as many clients would be as many server processes.
                able = poolers if clients == many else self.targets
                if protocol == "prepared":
                    able = [target for target in able if target.can_prepare]
                all_cases.append((f"{protocol}/{clients}", able, self._loaded(protocol, clients)))
        all_cases.append(("connect", self.targets, self._connecting))
        all_cases.append(("idle", poolers, self._idle))
        begins = tuple(options.cases.split(",")) if options.cases else ("",)
        return [case for case in all_cases if case[0].startswith(begins)]

    def _loaded(self, protocol, clients):
        return lambda target: self.bench.pgbench(target, protocol, int(clients))

    def _connecting(self, target):
        return self.bench.pgbench(target, "simple", 8, reconnect=True)

    def _idle(self, target):
        # A process of its own: what ran before must not have left free memory behind.
        return self.bench.idle(target.another(), self.options.idle)

    def measure(self):
        cases = self.cases()
        if not cases:
            raise Failure("no case has such a name")
        for number in range(self.options.rounds):
            say(f"round {number + 1} of {self.options.rounds}, {time.strftime('%H:%M:%S')}")
            for name, able, measure in cases:
                first = number % max(1, len(able))
                for target in able[first:] + able[:first]:
                    row = {"case": name, "target": target.label, "round": number}
                    self.rows.append(row | {"others": 0} | measure(target))
                    self._say(self.rows[-1])

    @staticmethod
    def _say(row):
        if row["failed"]:
            say(f"  {row['case']:12} {row['target']:17} FAILED: {row.get('error')}")
        elif row["others"] > report.BUSY:
            used = f"{row['others']:.2f} CPUs were used by others"
            say(f"  {row['case']:12} {row['target']:17} {used}")

    def count(self):
        for target in (target for target in self.targets if target.pid):
            for protocol, clients in (("simple", 16), ("prepared", 16), ("simple", 64)):
                if protocol == "prepared" and not target.can_prepare:
                    continue
                instructions = self.options.instructions
                counts = counters.count(self.bench, target, protocol, clients, instructions)
                if counts is None:
                    say("counters: neither perf nor strace can count here")
                    return
                self.counted.append((f"{protocol}/{clients}", target.label, counts))


def machine():
    """What the figures belong to."""
    model = "unknown CPU"
    with open("/proc/cpuinfo", encoding="ascii") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":")[1].strip()
                break
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    before = f"load average before {os.getloadavg()[0]:.1f}"
    return f"{os.cpu_count()} CPUs ({model}), Linux {platform.release()}, {when}, {before}"


def show(rows, counted, with_goals):
    """Prints all tables; returns the exit status."""
    results = report.Results(rows)
    say("\n" + report.show(results))
    if counted:
        say("\n" + report.show_counters(counted))
    if with_goals:
        text, missed = report.show_goals(results)
        say(f"\n{text}")
        return 1 if missed else 0
    return 0


def more_files(wanted):
    """Raises the limit of open files, which children inherit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise Failure(f"ulimit -Hn is {hard}; {wanted} are needed: lower --idle and --many")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def main():
    options = arguments()
    if options.report:
        saved = json.loads(pathlib.Path(options.report).read_text(encoding="utf-8"))
        say(f"{saved['machine']}\n{saved['command']}")
        return show(saved["rows"], saved["counted"], options.targets_of_issue)
    more_files(max(options.idle, options.many) + 200)
    devserver.raise_on_signals()
    command, where = " ".join(sys.argv), machine()
    work = pathlib.Path(tempfile.mkdtemp(prefix="pgvalet-bench-"))
    work.chmod(0o755)
    run = Run(options, work)
    status = 0
    try:
        run.start()
        run.measure()
        if options.counters or options.instructions:
            run.count()
    except devserver.Ended as ended:
        say(f"ended by {ended}")
        status = 1
    finally:
        run.stop()
        shutil.rmtree(work, ignore_errors=True)
    say(f"\n{where}\n{command}")
    if options.out:
        saved = {"machine": where, "command": command, "rows": run.rows, "counted": run.counted}
        pathlib.Path(options.out).write_text(json.dumps(saved, indent=1), encoding="utf-8")
    return show(run.rows, run.counted, options.targets_of_issue) or status


if __name__ == "__main__":
    devserver.program_main(main)
