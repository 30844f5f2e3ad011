#!/usr/bin/python3
"""Builds and runs the tests, all or the named groups, and counts them.

  unit         GoogleTest, no sockets
  fuzz         the corpus of every fuzz target, replayed
  integration  GoogleTest and libpq: the agent before a real PostgreSQL
  regress      the extension: pg_regress and Python
  clients      real drivers through the agent
  faces        what people and programs see of an agent: each folder of tests/faces a program

The last line says how many passed and how many failed; the status is 0 only when
none failed.  Needs Python's standard library only.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "deploy" / "dev"))
import devserver  # noqa: E402
from devserver import Failure, say  # noqa: E402

GROUPS = ["unit", "fuzz", "integration", "regress", "clients", "faces"]


class Count:
    """Tests of one group that passed, failed and were left out."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        left_out = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{left_out}"


class Runner:
    def __init__(self, options):
        self.options = options
        self.build = pathlib.Path(options.build).resolve()
        self._prefix = None

    def shell(self, command, what, env=None):
        done = subprocess.run(
            [str(word) for word in command], cwd=ROOT, check=False, env=os.environ | (env or {})
        )
        if done.returncode != 0:
            raise Failure(f"{what} failed")

    def build_all(self):
        say(f"== build, in {self.build}")
        configure = ["cmake", "-S", "agent", "-B", self.build, "-G", "Ninja", "-Wno-dev"]
        configure += ["-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DBUILD_TESTING=ON"]
        configure += [f"-DPGVALET_SANITIZE={self.options.sanitize}"]
        self.shell(configure, "configuring")
        ninja = ["ninja", "-C", self.build, f"-j{self.options.jobs}"]
        if os.environ.get("CI"):
            ninja.append("--quiet")  # one line per compiled file is of no use in a log
        self.shell(ninja, "building")

    def prefix(self):
        """The bin folder of a PostgreSQL with the extension."""
        if not self._prefix:
            self._prefix = devserver.private_prefix(devserver.run_home())
        return self._prefix

    def ctest(self, selection, jobs, env=None):
        """Runs what ctest selects; counts GoogleTest's cases, not programs."""
        reports = self.build / "test-reports"
        shutil.rmtree(reports, ignore_errors=True)
        reports.mkdir()
        junit = reports / "ctest.junit"
        command = ["ctest", "--test-dir", self.build, "--output-on-failure", f"-j{jobs}"]
        command += ["--output-junit", junit, "--no-tests=error", *selection]
        more = {"GTEST_OUTPUT": f"xml:{reports}/", "GTEST_BRIEF": "1"} | (env or {})
        subprocess.run(
            [str(word) for word in command], cwd=ROOT, check=False, env=os.environ | more
        )
        if not junit.exists():
            return Count(failed=1)
        total = Count()
        for case in xml.etree.ElementTree.parse(junit).iter("testcase"):
            total.add(count_program(case, reports))
        return total

    def run_unit(self):
        return self.ctest(["-E", "^(integration|fuzz_)"], self.options.jobs)

    def run_fuzz(self):
        return self.ctest(["-R", "^fuzz_"], self.options.jobs)

    def run_integration(self):
        return self.ctest(["-L", "integration"], 1, {"PGVALET_PG_BIN": str(self.prefix())})

    def run_regress(self):
        prefix = devserver.run_home() / "pg"
        done = self.tee([ROOT / "tests" / "regress" / "run.sh"], {"PGV_PREFIX": str(prefix)})
        total = Count()
        # pg_regress before and since PostgreSQL 16, then Python's unittest.
        total.passed += len(re.findall(r"^(?:test \S+ +\.\.\. ok|ok \d+ )", done.text, re.M))
        total.failed += len(re.findall(r"^(?:test \S+ +\.\.\. FAILED|not ok \d+ )", done.text, re.M))
        ran = sum(int(n) for n in re.findall(r"^Ran (\d+) tests?", done.text, re.M))
        bad = sum(int(n) for n in re.findall(r"(?:failures|errors)=(\d+)", done.text))
        total.add(Count(ran - bad, bad))
        if done.status != 0 and total.failed == 0:
            total.failed = 1
        return total

    def run_clients(self):
        done = self.tee(["/usr/bin/python3", ROOT / "tests/clients/run.py", "--build", self.build])
        last = re.findall(r"^(\d+) passed, (\d+) failed$", done.text, re.M)
        if not last or (done.status != 0 and last[-1][1] == "0"):
            return Count(failed=1)
        return Count(int(last[-1][0]), int(last[-1][1]))

    def run_faces(self):
        total = Count()
        for program in sorted((ROOT / "tests" / "faces").glob("*/test.py")):
            say(f"-- {program.parent.name}")
            done = self.tee(["/usr/bin/python3", program, "--build", self.build])
            last = re.findall(r"^(\d+) passed, (\d+) failed$", done.text, re.M)
            if not last or (done.status != 0 and last[-1][1] == "0"):
                total.add(Count(failed=1))
            else:
                total.add(Count(int(last[-1][0]), int(last[-1][1])))
        return total

    @staticmethod
    def tee(command, env=None):
        """Runs a command; shows what it says and keeps it."""
        child = subprocess.Popen(
            [str(word) for word in command],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            env=os.environ | (env or {}),
        )
        lines = []
        for line in child.stdout:
            lines.append(line)
            sys.stdout.write(line)
            sys.stdout.flush()
        return Output("".join(lines), child.wait())


class Output:
    def __init__(self, text, status):
        self.text, self.status = text, status


def count_program(case, reports):
    """One test program of ctest's report: its GoogleTest cases, or itself as one."""
    failed = case.find("failure") is not None or case.get("status") == "fail"
    report = reports / f"{case.get('name')}.xml"
    if not report.exists():
        return Count(failed=1) if failed else Count(passed=1)
    count = Count()
    for each in xml.etree.ElementTree.parse(report).iter("testcase"):
        if each.find("failure") is not None:
            count.failed += 1
        elif each.find("skipped") is not None or each.get("status") == "notrun":
            count.skipped += 1
        else:
            count.passed += 1
    if failed and count.failed == 0:  # it crashed, or a sanitizer spoke at its end
        count.failed = 1
    return count


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", default="build")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--sanitize", default="", choices=["", "address", "thread"])
    parser.add_argument("groups", nargs="*", metavar="group", help=", ".join(GROUPS))
    options = parser.parse_args()
    for group in options.groups:
        if group not in GROUPS:
            parser.error(f"no such group: {group}; there are {', '.join(GROUPS)}")

    runner = Runner(options)
    total, lines = Count(), []
    try:
        runner.build_all()
    except Failure as failure:
        say(f"error: {failure}\n0 passed, 1 failed")
        return 1
    for group in options.groups or GROUPS:
        say(f"\n== {group}")
        started = time.monotonic()
        try:
            count = getattr(runner, f"run_{group}")()
        except Failure as failure:
            say(f"error: {failure}")
            count = Count(failed=1)
        total.add(count)
        lines.append(f"{group:12} {count}   ({time.monotonic() - started:.0f} s)")
    say("\n== all\n" + "\n".join(lines))
    # The plain closing line that others look for.
    say(f"{total.passed} passed, {total.failed} failed")
    return 0 if total.failed == 0 and total.passed > 0 else 1


if __name__ == "__main__":
    devserver.program_main(main)
