"""What tests of the faces share: a real PostgreSQL, a real agent with tokens, and load.

A test is a folder here with a program test.py, which takes --build and ends with
"N passed, M failed"; tests/run.py runs them all.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy" / "dev"))
import devserver  # noqa: E402
import stack  # noqa: E402

READ_TOKEN = "read-token-of-the-tests-0123456789"
CONTROL_TOKEN = "control-token-of-the-tests-0123456789"
MORE_SETTINGS = """\
token_file = "{tokens}"
snapshot_interval = 0.2
sampler_interval = 0.5
admin_users = ["app"]
"""


class FaceStack(stack.Stack):
    """A stack whose agent has tokens."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.more_settings = ""

    def _agent_config(self):
        tokens = self.home / "tokens"
        tokens.touch(mode=0o600)
        tokens.write_text(f"read {READ_TOKEN}\ncontrol {CONTROL_TOKEN}\n")
        settings = MORE_SETTINGS.format(tokens=tokens) + self.more_settings
        return settings + super()._agent_config()


class House:
    """Use as a context.  REQUIRES: what `build` names has been built."""

    def __init__(self, build, pool_size=4, more_settings=""):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="pgvalet-faces-"))
        self.home.chmod(0o755)
        self.stack = FaceStack(pathlib.Path(build).resolve(), self.home, pool_size, fast=True)
        self.stack.more_settings = more_settings
        self.children = []

    def __enter__(self):
        devserver.raise_on_signals()
        try:
            prefix = devserver.private_prefix(devserver.run_home())
            self.stack.start(prefix, (None, None, None))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for child in self.children:
            if child.child.poll() is None:
                child.stop([2, 9])
        self.stack.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.stack.http_port}"

    def environment(self, application="load"):
        return os.environ | {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.stack.port),
            "PGUSER": "app",
            "PGPASSWORD": self.stack.passwords["app"],
            "PGDATABASE": "app",
            "PGSSLMODE": "disable",
            "PGAPPNAME": application,
        }

    def pgbench(self, clients, seconds, script, application="load", environment=None):
        """Load in the background, from a script of pgbench's."""
        path = self.home / f"{application}.sql"
        path.write_text(script)
        command = [self.stack.cluster.program("pgbench"), "-n", "-f", str(path), "-c", str(clients)]
        command += ["-j", "1", "-T", str(seconds)]
        env = environment or self.environment(application)
        log = self.home / f"{application}.log"
        self.children.append(devserver.Process(application, command, log, env))
        return self.children[-1]

    def psql(self, sql, database="app"):
        """Through the agent, or its console; rows as psql -At prints them."""
        command = [self.stack.cluster.program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql]
        env = self.environment("psql") | {"PGDATABASE": database}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise devserver.Failure(f"{sql}: {done.stderr.strip()}")
        return done.stdout.strip()

    def get(self, path, token=CONTROL_TOKEN):
        """A JSON answer of the agent."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(self.url + path, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def post(self, path, request, token=CONTROL_TOKEN):
        """Has the agent do something; its JSON answer."""
        headers = {"Authorization": f"Bearer {token}"}
        asked = urllib.request.Request(
            self.url + path, json.dumps(request).encode(), headers, method="POST"
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return json.load(answer)


def wait_until(condition, what, seconds=30):
    devserver.wait_until(condition, seconds, what)


def run_tests(module, house_of):
    """Runs a module's unittest cases in one house; prints what tests/run.py looks for.

    The module's HOUSE is set to the house meanwhile.
    """
    import argparse
    import unittest

    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=str(ROOT / "build"), help="where bin/pgvaletd is")
    parser.add_argument("names", nargs="*", help="only tests that have one of these in their name")
    options = parser.parse_args()
    suite = unittest.TestSuite()
    loaded = unittest.defaultTestLoader.loadTestsFromModule(module)
    for test in [test for case in loaded for test in case]:
        if not options.names or any(name in test.id() for name in options.names):
            suite.addTest(test)
    with house_of(options.build) as house:
        module.HOUSE = house
        result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors)
    passed = result.testsRun - failed - len(result.skipped)
    devserver.say(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and result.testsRun > 0 else 1
