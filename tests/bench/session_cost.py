#!/usr/bin/python3
"""What it costs that sessions move: CPU of agent and backends per transaction, restores.

pgbench -S through the agent in transaction mode, as many processes as clients, each with an
application_name of its own or all with the same.  Interleaved rounds, medians; on a server without
the extension, on one with it, and with it and different names.

  session_cost.py [--rounds N] [--seconds S] [--clients N] [--pool-size N] [--pgvaletd PROGRAM]
"""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "deploy" / "dev")]
import devserver  # noqa: E402
from load import process_cpu_s  # noqa: E402
from targets import DATABASE, USER, Pgvalet, start_postgres  # noqa: E402


class Case:
    """A server and an agent before it; the same load again and again."""

    def __init__(self, label, bin_dir, preload, own_names, options, work):
        self.label, self.own_names, self.options = label, own_names, options
        os.environ["PG_CONFIG"] = str(pathlib.Path(bin_dir) / "pg_config")
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=work))
        self.folder.chmod(0o755)
        self.cluster = start_postgres(self.folder, options.pool_size, 1, preload)
        self.agent = Pgvalet(self.cluster, self.folder, options.pool_size, options.pgvaletd)
        self.agent.start()
        self.rows = []

    def stop(self):
        self.agent.stop()
        self.cluster.stop()

    def restores(self):
        url = f"http://127.0.0.1:{self.agent.http_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as page:
            counts = re.findall(
                r"^pgvalet_pool_setting_restores_total\S* (\S+)", page.read().decode(), re.M
            )
        return sum(map(float, counts))

    def backend_cpu_s(self):
        spent = 0.0
        main = self.cluster.process.pid
        for child in pathlib.Path(f"/proc/{main}/task/{main}/children").read_text().split():
            spent += process_cpu_s(int(child))
        return spent

    def run(self):
        command = [self.cluster.program("pgbench"), "-n", "-S", "-c", "1", "-T"]
        command += [str(self.options.seconds), "-h", "127.0.0.1", "-p", str(self.agent.port)]
        command += ["-U", USER, DATABASE]
        before = self.restores(), process_cpu_s(self.agent.pid), self.backend_cpu_s()
        clients = []
        for number in range(self.options.clients):
            name = f"client-{number}" if self.own_names else "client"
            clients.append(
                subprocess.Popen(
                    command,
                    env=os.environ | {"PGAPPNAME": name},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
            )
        done = 0
        for client in clients:
            said, _ = client.communicate()
            done += int(re.search(r"actually processed: (\d+)", said).group(1))
        after = self.restores(), process_cpu_s(self.agent.pid), self.backend_cpu_s()
        restores, agent, backends = (b - a for a, b in zip(before, after))
        self.rows.append((agent / done * 1e6, backends / done * 1e6, restores / done))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--pool-size", type=int, default=8)
    parser.add_argument("--pgvaletd", default=str(ROOT / "build" / "bin" / "pgvaletd"))
    options = parser.parse_args()
    devserver.raise_on_signals()
    prefix = devserver.private_prefix(devserver.run_home())
    with tempfile.TemporaryDirectory(prefix="pgvalet-cost-") as name:
        work = pathlib.Path(name)
        work.chmod(0o755)
        cases = []
        try:
            for label, preload, own_names in (
                ("without the extension", False, False),
                ("with it, equal settings", True, False),
                ("with it, every client another application_name", True, True),
            ):
                cases.append(Case(label, prefix, preload, own_names, options, work))
            for _ in range(options.rounds):
                for case in cases:
                    case.run()
        finally:
            for case in cases:
                case.stop()
        print("| Server and clients | agent, µs/tx | backends, µs/tx | restores/tx |")
        print("|---|---:|---:|---:|")
        for case in cases:
            agent, backends, restores = map(statistics.median, zip(*case.rows))
            print(f"| {case.label} | {agent:.1f} | {backends:.1f} | {restores:.3f} |")


if __name__ == "__main__":
    devserver.program_main(main)
