#!/usr/bin/python3
"""What docs/ tells people to type, typed: every block of shell of the pages of the faces.

The addresses and names of the pages are replaced by those of a real agent under load.  A block
fails when one of its commands does.
"""

import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import node_modules  # noqa: E402
from face_house import CONTROL_TOKEN, ROOT, House, run_tests, wait_until  # noqa: E402

HOUSE = None  # run_tests() puts it here
PAGES = ["cli", "grpc", "http", "console", "events", "alerts"]
LOAD = "BEGIN; SELECT pg_sleep(0.02); COMMIT;\n"

# What cannot be typed here, and why.
LEFT_OUT = {
    "pgvaletd --config": "starts an agent of its own",
    "db1.example.org": "needs that machine",
    "openssl req": "needs /etc/pgvalet",
    "prometheus-pgbouncer-exporter": "says that it fails, with PgBouncer as with us",
}


class DocsHouse(House):
    """A house with node's modules, for buf."""

    def __init__(self, build):
        super().__init__(build)
        self.build = pathlib.Path(build).resolve()

    def __enter__(self):
        self.modules = node_modules.install(self.build)
        return super().__enter__()

    def type(self, block, folder):
        """Runs a block of shell as a user of the page; its end."""
        for written, here in {
            "localhost:6544": f"127.0.0.1:{self.stack.grpc_port}",
            "localhost:6543": f"127.0.0.1:{self.stack.port}",
            "localhost:6545": f"127.0.0.1:{self.stack.http_port}",
            "-p 6543": f"-p {self.stack.port}",
            "-U admin": "-U app",
            "--dbuser=admin": "--dbuser=app",
            '"alice"': '"app"',
            '"web"': '"app"',
        }.items():
            block = block.replace(written, here)
        # No address of a server: pages say where.
        kept = {name: value for name, value in self.environment("docs").items()
                if name not in ("PGHOST", "PGPORT", "PGDATABASE", "PGUSER")}
        psql = pathlib.Path(self.stack.cluster.program("psql"))
        environment = kept | {
            "PATH": f"{self.build}/bin:{HERE}:{psql.parent}:/usr/bin:/bin",
            "HOME": str(folder),
            "PGVALET_ADDRESS": f"127.0.0.1:{self.stack.grpc_port}",
            "PGVALET_TOKEN": CONTROL_TOKEN,
            "TOKEN": CONTROL_TOKEN,
            "PASSWORD": self.stack.passwords["app"],
            "BUF": str(node_modules.program(self.modules, "buf")),
        }
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block], cwd=folder, env=environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )

    def put_right(self):
        """As it was before a page paused or drained."""
        for call in "resume", "enable":
            try:
                self.post(f"/api/v1/control/{call}", {"database": "app"})
            except OSError:
                pass  # it was not


def blocks(page):
    """(line, text) of each block of shell."""
    text = (ROOT / "docs" / f"{page}.md").read_text()
    for found in re.finditer(r"^```sh\n(.*?)^```$", text, re.M | re.S):
        yield text.count("\n", 0, found.start()) + 1, found.group(1)


class DocsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.load = HOUSE.pgbench(3, 600, LOAD, application="checkout")
        wait_until(lambda: "app" in HOUSE.psql("SHOW POOLS", "pgbouncer"), "load")

    @classmethod
    def tearDownClass(cls):
        if cls.load.child.poll() is None:
            cls.load.stop([signal.SIGINT])

    def type_block(self, block):
        """What went wrong; nothing when all went well."""
        endless = "/FollowEvents" in block  # is cut short, and has not failed
        if endless:
            block = f"timeout 2 bash -euo pipefail <<'BLOCK'\n{block}BLOCK"
        with tempfile.TemporaryDirectory() as folder:
            done = HOUSE.type(block, folder)
        HOUSE.put_right()
        if done.returncode == 0 or (endless and done.returncode == 124):
            return ""
        return f"status {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"

    def type_page(self, page):
        wrong = []
        typed = [
            (line, block)
            for line, block in blocks(page)
            if not any(word in block for word in LEFT_OUT)
        ]
        for line, block in typed:
            problem = self.type_block(block)
            if problem:
                wrong.append(f"docs/{page}.md:{line}\n{block}{problem}")
        self.assertFalse(wrong, "\n".join(wrong))
        self.assertGreater(len(typed), 0)


def add_page(page):
    def test(self):
        self.type_page(page)

    test.__doc__ = f"docs/{page}.md"
    setattr(DocsTest, f"test_{page}", test)


for each in PAGES:
    add_page(each)


if __name__ == "__main__":
    sys.exit(run_tests(sys.modules[__name__], DocsHouse))
