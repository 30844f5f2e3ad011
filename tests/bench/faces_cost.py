#!/usr/bin/python3
"""What those who watch cost the pool: pgbench -S beside many gRPC watchers and scrapes of /metrics.

Interleaved rounds, with nobody and with all of them; medians.  A machine of two CPUs has none to
spare for a thousand watchers, which are programs of somebody else's machine in real life: so what
pools (core threads of the agent, PostgreSQL, pgbench) gets one CPU, and what watches and is watched
(all other threads of the agent, the watchers, the scrapes) the other.  --shared gives both to all.

  faces_cost.py [--watchers N] [--scrapes PER_SECOND] [--rounds N] [--seconds S] [--shared]

Needs build/bin/pgvaletd and build/bin/bench_watchers (ninja -C build bench_watchers).
"""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "deploy" / "dev")]
import devserver  # noqa: E402
from load import TICKS_PER_SECOND, process_cpu_s  # noqa: E402
from targets import DATABASE, USER, Pgvalet, start_postgres  # noqa: E402

POOLING, WATCHING = {0}, {1}  # CPUs


def threads(pid):
    """(thread, whether it is a core) of the agent."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        yield int(task.name), (task / "comm").read_text().startswith("core ")


def cores_cpu_s(pid):
    """CPU seconds of the agent's core threads."""
    ticks = 0
    for thread, is_core in threads(pid):
        if is_core:
            stat = pathlib.Path(f"/proc/{pid}/task/{thread}/stat").read_text()
            ticks += sum(map(int, stat.rpartition(")")[2].split()[11:13]))
    return ticks / TICKS_PER_SECOND


class Scraper(threading.Thread):
    """Asks for /metrics at a rate."""

    def __init__(self, port, per_second):
        super().__init__()
        self.url, self.pause = f"http://127.0.0.1:{port}/metrics", 1 / per_second
        self.stopped, self.count, self.failed = threading.Event(), 0, 0

    def run(self):
        os.sched_setaffinity(0, WATCHING)
        due = time.monotonic()
        while not self.stopped.wait(max(0, due - time.monotonic())):
            due += self.pause
            try:
                with urllib.request.urlopen(self.url, timeout=10) as page:
                    page.read()
                self.count += 1
            except OSError:
                self.failed += 1


class Bench:
    def __init__(self, options, work):
        self.options = options
        self.cluster = start_postgres(work, 16, 1)
        self.agent = Pgvalet(self.cluster, work, 16, options.build / "bin" / "pgvaletd", cores=1)
        self.agent.start()
        if not options.shared:
            for process in [self.cluster.process.pid, *self.backends()]:
                os.sched_setaffinity(process, POOLING)

    def backends(self):
        main = self.cluster.process.pid
        text = pathlib.Path(f"/proc/{main}/task/{main}/children").read_text()
        return [int(pid) for pid in text.split()]

    def separate(self):
        """Threads of gRPC come and go."""
        if not self.options.shared:
            for thread, is_core in threads(self.agent.pid):
                os.sched_setaffinity(thread, POOLING if is_core else WATCHING)

    def on(self, cpus):
        return [] if self.options.shared else ["taskset", "-c", str(next(iter(cpus)))]

    def load(self):
        """Transactions per second, and CPU per transaction of the agent's cores and of all of it."""
        command = [*self.on(POOLING), self.cluster.program("pgbench"), "-n", "-S", "-c", "16"]
        command += ["-T", str(self.options.seconds), "-h", "127.0.0.1", "-p", str(self.agent.port)]
        command += ["-U", USER, DATABASE]
        before = cores_cpu_s(self.agent.pid), process_cpu_s(self.agent.pid)
        done = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        after = cores_cpu_s(self.agent.pid), process_cpu_s(self.agent.pid)
        count = int(re.search(r"actually processed: (\d+)", done).group(1))
        per_s = float(re.search(r"tps = ([\d.]+)", done).group(1))
        cores, whole = ((b - a) / count * 1e6 for a, b in zip(before, after))
        others = (after[1] - before[1] - (after[0] - before[0])) / self.options.seconds
        return {"tps": per_s, "core us/tx": cores, "agent us/tx": whole, "other threads": others}

    def alone(self):
        self.separate()
        return self.load()

    def watched(self):
        address = f"127.0.0.1:{self.agent.grpc_port}"
        command = [*self.on(WATCHING), str(self.options.build / "bin" / "bench_watchers"), address]
        command += [str(self.options.watchers), str(self.options.seconds + 4)]
        scraper = Scraper(self.agent.http_port, self.options.scrapes)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watchers:
            if watchers.stdout.readline() != "open\n":
                raise devserver.Failure("the watchers did not get their first snapshot")
            self.separate()
            scraper.start()
            row = self.load()
            scraper.stopped.set()
            said = watchers.stdout.read()
        scraper.join()
        if watchers.returncode != 0 or scraper.failed:
            raise devserver.Failure(f"{said.strip()}, {scraper.failed} scrapes failed")
        messages, size = map(int, re.match(r"messages (\d+) bytes (\d+)", said).groups())
        seconds = self.options.seconds + 4
        return row | {"snapshots/s": messages / seconds, "MB/s": size / seconds / 1e6,
                      "scrapes/s": scraper.count / self.options.seconds}

    def stop(self):
        self.agent.stop()
        self.cluster.stop()


def show(label, rows):
    print(f"{label:8}", end="")
    for name in rows[0]:
        print(f"  {name} {statistics.median(row[name] for row in rows):.4g}", end="")
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--watchers", type=int, default=1000)
    parser.add_argument("--scrapes", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--shared", action="store_true", help="all CPUs for all")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    options = parser.parse_args()
    devserver.raise_on_signals()
    with tempfile.TemporaryDirectory(prefix="pgvalet-bench-") as folder:
        work = pathlib.Path(folder)
        work.chmod(0o755)
        bench = Bench(options, work)
        try:
            bench.alone()  # to get warm
            alone, watched = [], []
            for _ in range(options.rounds):
                alone.append(bench.alone())
                watched.append(bench.watched())
        finally:
            bench.stop()
    show("nobody", alone)
    show("watched", watched)
    for name in "tps", "core us/tx":
        ratios = [after[name] / before[name] for before, after in zip(alone, watched)]
        print(f"{name}: watched / nobody {statistics.median(ratios):.3f}"
              f" (of {', '.join(f'{ratio:.3f}' for ratio in sorted(ratios))})")
    return 0


if __name__ == "__main__":
    devserver.program_main(main)
