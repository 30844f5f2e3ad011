#!/usr/bin/python3
"""The gRPC examples of docs/examples/grpc, in Python, Node and shell, against a real agent."""

import json
import pathlib
import shutil
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import node_modules  # noqa: E402
from face_house import CONTROL_TOKEN, READ_TOKEN, ROOT, House, run_tests, wait_until  # noqa: E402

HOUSE = None
EXAMPLES = ROOT / "docs" / "examples" / "grpc"


class ExampleHouse(House):
    """A house with node's modules."""

    def __init__(self, build):
        super().__init__(build)
        self.build = build

    def __enter__(self):
        self.modules = node_modules.install(self.build)
        for script in (EXAMPLES / "node").glob("*.js"):
            shutil.copy(script, self.modules / script.name)
        return super().__enter__()


def run(command, token=READ_TOKEN, folder=None, environment=None):
    env = HOUSE.environment() | {
        "PGVALET_ADDRESS": f"127.0.0.1:{HOUSE.stack.grpc_port}",
        "PGVALET_TOKEN": token,
        "PGVALET_PROTO": str(ROOT / "proto"),
        "BUF": str(node_modules.program(HOUSE.modules, "buf")),
    }
    return subprocess.run(
        [str(word) for word in command], cwd=folder, env=env | (environment or {}), text=True,
        capture_output=True, timeout=60, check=False,
    )


def python(name, *words, **more):
    return run(["/usr/bin/python3", EXAMPLES / "python" / name, *words], **more)


def node(name, *words, **more):
    return run(["node", HOUSE.modules / name, *words], folder=HOUSE.modules, **more)


def shell(method, request="{}", **more):
    return run([EXAMPLES / "shell" / "call.sh", method, json.dumps(request)], **more)


class ExamplesTest(unittest.TestCase):
    def test_python_watches_pools(self):
        HOUSE.psql("SELECT 1")
        done = python("watch.py", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("app/app:"), 2, done.stdout)

    def test_python_runs_a_statement(self):
        done = python("query.py", "SELECT $1::int + 1, $2", "41", "text")
        self.assertEqual((done.stdout, done.returncode), ("42\ttext\nSELECT 1\n", 0), done.stderr)

    def test_python_says_what_postgres_refused(self):
        done = python("query.py", "SELECT lenght('x')")
        self.assertEqual(done.returncode, 1)
        self.assertIn("INVALID_ARGUMENT: function lenght(unknown) does not exist", done.stderr)
        self.assertIn("HINT: No function matches", done.stderr)
        wrong = python("query.py", "SELECT 1", environment={"PGPASSWORD": "wrong"})
        self.assertIn("UNAUTHENTICATED", wrong.stderr)

    def test_python_reports_sqlalchemys_pool(self):
        done = python("report_sqlalchemy.py")
        self.assertEqual((done.stdout, done.returncode), ("reported\n", 0), done.stderr)

        def reported():
            return HOUSE.get("/api/v1/stats/snapshot")["reported_pools"]

        wait_until(reported, "the reported pool")
        pool = reported()[0]
        self.assertEqual((pool["application"], pool["name"]), ("shop", "orders"))
        self.assertEqual((pool["max_connections"], pool["in_use"]), ("15", "1"))

    def test_node_follows_events(self):
        done = node("follow_events.js", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 ", done.stdout)
        refused = node("follow_events.js", "1", token="no-such-token-0123456789")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("UNAUTHENTICATED", refused.stderr)

    def test_node_leads_a_transaction(self):
        done = node("transfer.js")
        self.assertEqual(done.stdout, "a 500\nb 500\ncommitted\n", done.stderr)
        self.assertEqual(done.returncode, 0)

    def test_shell_calls_what_reads_and_what_acts(self):
        HOUSE.psql("SELECT 1")
        done = shell("pgvalet.v1.Stats/GetSnapshot", {"filter": {"fields": "agent.version"}})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("version", json.loads(done.stdout)["agent"])
        refused = shell("pgvalet.v1.Control/Pause", {"database": "app"})
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("this token may only read", refused.stdout + refused.stderr)
        paused = shell("pgvalet.v1.Control/Pause", {"database": "app"}, token=CONTROL_TOKEN)
        self.assertEqual(paused.returncode, 0, paused.stderr)
        resumed = shell("pgvalet.v1.Control/Resume", {"database": "app"}, token=CONTROL_TOKEN)
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        wait_until(lambda: HOUSE.psql("SELECT 1") == "1", "a client after the pause")


if __name__ == "__main__":
    sys.exit(run_tests(sys.modules[__name__], ExampleHouse))
