#!/usr/bin/python3
"""What those who watch cost the pool: pgbench -S beside many gRPC watchers and scrapes of /metrics.

One run of pgbench; two seconds with all of them, two with nobody (the watchers are stopped, and go
on), and so on.  The second of each two is compared with its neighbours: a shared machine changes its
speed by more than a watcher costs, but not from one second to the next.

A machine of two CPUs has none to spare for a thousand watchers, which are programs of somebody
else's machine in real life: so what pools (core threads of the agent, PostgreSQL, pgbench) gets one
CPU, and what watches and is watched (all other threads of the agent, the watchers, the scrapes) the
other.  --shared gives both to all.

  faces_cost.py [--watchers N] [--scrapes PER_SECOND] [--seconds S] [--shared]

Needs build/bin/pgvaletd and build/bin/bench_watchers (ninja -C build bench_watchers).
"""

import argparse
import os
import pathlib
import re
import signal
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
        self.stopped, self.failed, self.pauses = threading.Event(), 0, False

    def run(self):
        os.sched_setaffinity(0, WATCHING)
        due = time.monotonic()
        while not self.stopped.wait(max(0, due - time.monotonic())):
            due += self.pause
            if self.pauses:
                continue
            try:
                with urllib.request.urlopen(self.url, timeout=10) as page:
                    page.read()
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

    def watchers(self):
        address = f"127.0.0.1:{self.agent.grpc_port}"
        command = [*self.on(WATCHING), str(self.options.build / "bin" / "bench_watchers"), address]
        command += [str(self.options.watchers), str(2 * self.options.seconds)]
        started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        if started.stdout.readline() != "open\n":
            raise devserver.Failure("the watchers did not get their first snapshot")
        return started

    def load(self):
        command = [*self.on(POOLING), self.cluster.program("pgbench"), "-n", "-S", "-c", "16"]
        command += ["-P", "1", "-T", str(self.options.seconds), "-h", "127.0.0.1"]
        command += ["-p", str(self.agent.port), "-U", USER, DATABASE]
        return subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def run(self):
        """(whether somebody watched, transactions per second) of each second that counts."""
        watchers, seconds = self.watchers(), []
        self.separate()
        scraper = Scraper(self.agent.http_port, self.options.scrapes)
        scraper.start()
        is_watched = True
        for line in self.load().stderr:
            found = re.match(r"progress: [\d.]+ s, ([\d.]+) tps", line)
            if not found:
                continue
            seconds.append((is_watched, float(found.group(1))))
            if len(seconds) % 2 == 1:
                continue
            is_watched = not is_watched
            watchers.send_signal(signal.SIGCONT if is_watched else signal.SIGSTOP)
            scraper.pauses = not is_watched
        scraper.stopped.set()
        scraper.join()
        watchers.send_signal(signal.SIGCONT)
        if watchers.poll() is not None or scraper.failed:
            raise devserver.Failure(f"watchers ended, or {scraper.failed} scrapes failed")
        watchers.kill()
        watchers.wait()
        return seconds[1::2]

    def stop(self):
        self.agent.stop()
        self.cluster.stop()


def compare(seconds):
    """Each watched second as a share of the mean of those before and after it."""
    return [
        now[1] / statistics.mean((before[1], after[1]))
        for before, now, after in zip(seconds, seconds[1:], seconds[2:])
        if now[0] and not before[0] and not after[0]
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--watchers", type=int, default=1000)
    parser.add_argument("--scrapes", type=float, default=10)
    parser.add_argument("--seconds", type=int, default=240)
    parser.add_argument("--shared", action="store_true", help="all CPUs for all")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    options = parser.parse_args()
    devserver.raise_on_signals()
    with tempfile.TemporaryDirectory(prefix="pgvalet-bench-") as folder:
        work = pathlib.Path(folder)
        work.chmod(0o755)
        bench = Bench(options, work)
        try:
            before = cores_cpu_s(bench.agent.pid), process_cpu_s(bench.agent.pid)
            seconds = bench.run()
            cores, whole = (
                now - then
                for now, then in zip(
                    (cores_cpu_s(bench.agent.pid), process_cpu_s(bench.agent.pid)), before
                )
            )
        finally:
            bench.stop()
    shares = compare(seconds)
    error = statistics.stdev(shares) / len(shares) ** 0.5
    for name, wanted in ("watched", True), ("nobody", False):
        per_s = statistics.mean(value for is_watched, value in seconds if is_watched == wanted)
        print(f"{name:8} {per_s:.0f} transactions/s")
    print(f"watched / nobody: median {statistics.median(shares):.3f}, mean"
          f" {statistics.mean(shares):.3f}, standard error {error:.3f}, {len(shares)} pairs")
    print(f"CPU seconds of the agent: cores {cores:.1f}, everything else {whole - cores:.1f}")
    return 0


if __name__ == "__main__":
    devserver.program_main(main)
