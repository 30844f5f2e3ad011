#!/usr/bin/python3
"""Kills at random under load, and looks whether the server and the extension bear it.

  chaos.py [--rounds N] [--seed S] [--clients N] [--harm NAME]

Each round lets clients work, does one harm (harms.py; sometimes a soft one before it) and
checks (checks.py).  Harms come like cards of a shuffled deck, so that after as many
rounds as there are harms each has been played.  The seed decides their order and what the
clients do; the moment is the machine's.

The server is a private one with the extension: PGV_BIN, or extension/private_prefix.sh
makes it in PGV_PREFIX (/tmp/pgvalet-chaos).
"""

import argparse
import logging
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "regress"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import checks  # noqa: E402
import harms  # noqa: E402
from chaos_server import ChaosServer  # noqa: E402
from load import Load, prepare_server  # noqa: E402

HARMS_BY_NAME = {harm.__name__: harm for harm in harms.ALL_HARMS}

# psycopg complains when a connection dies in the middle of a pipeline.
logging.getLogger("psycopg").setLevel(logging.CRITICAL)

# How often a soft harm comes right before another one.
DOUBLE_SHARE = 0.25


class Chaos:
    """A server under load, from start() to stop(); round() does a harm and checks."""

    def __init__(self, seed, clients=8, only=None, max_tasks=120, **settings):
        """max_tasks: of the clients before a harm comes, at most; only: the name of a harm."""
        self.max_tasks = max_tasks
        self.rng = random.Random(seed)
        self.server = ChaosServer(**settings)
        self.load = Load(self.server, clients, seed)
        self.only = only
        self._deck = []

    def start(self):
        self.server.start()
        prepare_server(self.server)
        self.load.start()

    def stop(self, keep=False):
        """Ends everything; keep leaves the data and the log where they are."""
        self.load.stop()
        if keep:
            self.server.shut_down(signal.SIGINT)
        else:
            self.server.stop()

    def _next_harm(self):
        if self.only:
            return HARMS_BY_NAME[self.only]
        if not self._deck:
            self._deck = list(harms.ALL_HARMS)
            self.rng.shuffle(self._deck)
        return self._deck.pop()

    def round(self):
        """One harm under load and what must hold after it; returns what was done."""
        harm = self._next_harm()
        done = []
        gone = set()
        try:
            self.load.wait_for_progress(self.rng.randrange(5, self.max_tasks))
            started_at = self._started_at()
            if not self.only and self.rng.random() < DOUBLE_SHARE:
                first = self.rng.choice(harms.SOFT_HARMS)
                done.append(first.__name__)
                gone = first(self).gone
            done.append(harm.__name__)
            aftermath = harm(self)
            aftermath.gone |= gone
            checks.check_all(self, aftermath, started_at)
        except Exception as error:
            raise AssertionError(f"after {' and '.join(done) or 'nothing'}: {error}") from error
        return " and ".join(done)

    def _started_at(self):
        with self.server.connect() as connection:
            return connection.execute(
                "SELECT started_at FROM pgvalet.summary").fetchone().started_at


def private_server():
    prefix = os.environ.get("PGV_PREFIX", "/tmp/pgvalet-chaos")
    return subprocess.run([str(ROOT / "extension" / "private_prefix.sh"), prefix], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", default=str(random.randrange(10**6)))
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--harm", choices=sorted(HARMS_BY_NAME), help="only this one")
    options = parser.parse_args()
    if "PGV_BIN" not in os.environ:
        os.environ["PGV_BIN"] = private_server()

    chaos = Chaos(options.seed, options.clients, options.harm)
    try:
        chaos.start()
    except Exception:
        chaos.server.shut_down(signal.SIGINT)
        raise
    print(f"seed {options.seed}, log {chaos.server.log_path}", flush=True)
    began = time.monotonic()
    for number in range(1, options.rounds + 1):
        since = time.monotonic()
        try:
            done = chaos.round()
        except AssertionError as error:
            print(f"FAILED in round {number} of seed {options.seed}: {error}")
            chaos.stop(keep=True)
            return 1
        print(f"{number:4} {done} ({time.monotonic() - since:.1f} s,"
              f" {chaos.load.done_count} tasks)", flush=True)
    chaos.stop()
    print(f"{options.rounds} rounds in {time.monotonic() - began:.0f} s, seed {options.seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
