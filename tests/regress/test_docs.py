"""Every SQL example of docs/extension.md and docs/extension/*.md runs, and shows the columns
that the page shows.

Each page has a fresh server with the library, one psql session, and its ```sql blocks in
order; none may fail.  CREATE EXTENSION is run before them unless the page does it itself.
Lines of ```ini blocks are put into postgresql.conf first.  Where a ```text block follows
with nothing but prose between, the column names in it are those of the real result, of the
last queries of the block; a text without a table (what a client is told, say) is not
compared.  There is no way to leave out a block: examples are to be written so that they run.
"""

import os
import pathlib
import re
import subprocess
import unittest

from server import DEADLINE_S, SERVER_USER, Server

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "docs" / "extension.md", *(ROOT / "docs" / "extension").glob("*.md")])

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```\s*$", re.M | re.S)
RULER = re.compile(r"^[-+]*-[-+]*$")
RECORD = re.compile(r"^-\[ RECORD \d+ \]")

# What psql says after each block, so that we know where its output ends.
END = "=== end of the block ==="


def blocks_of(page):
    """(kind, text, line number) of every fenced block."""
    text = page.read_text(encoding="utf-8")
    return [(block[1], block[2], text.count("\n", 0, block.start()) + 1)
            for block in FENCE.finditer(text)]


def headers_of(text):
    """The column names of every table in what psql printed, aligned or expanded."""
    headers, record = [], None
    lines = text.splitlines()
    for line, following in zip(lines, lines[1:] + [""]):
        if RECORD.match(line):
            if record is None:
                record = []
                headers.append(record)
            else:
                record = []  # a further row of the same table
        elif record is not None and "|" in line:
            record.append(line.split("|")[0].strip())
        elif RULER.match(following) and line.strip():
            record = None
            headers.append([name.strip() for name in line.split("|")])
        elif not line.strip():
            record = None
    return [tuple(header) for header in headers]


class Psql:
    """One psql session; run() gives the output of a block."""

    def __init__(self, server):
        self.process = subprocess.Popen(
            [os.path.join(server.bin, "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1",
             "-P", "pager=off", "-h", server.directory, "-p", str(server.port),
             "-U", SERVER_USER, "postgres"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
                 "PGOPTIONS": f"-c statement_timeout={DEADLINE_S}s -c client_min_messages=warning"})

    def run(self, text):
        """What psql prints for it; AssertionError if a statement of it fails."""
        try:
            self.process.stdin.write(f"{text}\n;\n\\echo '{END}'\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        output = []
        for line in self.process.stdout:
            if line.rstrip() == END:
                return "".join(output)
            output.append(line)
        raise AssertionError("psql has ended:\n" + "".join(output))

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(DEADLINE_S)


class DocsTest(unittest.TestCase):
    def start_server(self, blocks):
        settings = {}
        for kind, text, _ in blocks:
            if kind == "ini":
                settings.update(re.findall(r"^(\S+)\s*=\s*'?(.*?)'?\s*(?:#.*)?$", text, re.M))
        server = Server(**settings)
        server.start()
        self.addCleanup(server.stop)
        if any(kind == "sql" and "CREATE EXTENSION pgvalet" in text for kind, text, _ in blocks):
            with server.connect() as connection:
                connection.execute("DROP EXTENSION pgvalet")
        return server

    def check_page(self, page):
        blocks = blocks_of(page)
        psql = Psql(self.start_server(blocks))
        self.addCleanup(psql.close)
        for (kind, text, line), (next_kind, next_text, next_line) in zip(
                blocks, blocks[1:] + [("", "", 0)]):
            if kind != "sql":
                continue
            try:
                output = psql.run(text)
            except AssertionError as error:
                self.fail(f"{page.name}:{line}: {error}")
            shown = headers_of(next_text) if next_kind == "text" else []
            real = headers_of(output)
            self.assertEqual(shown, real[len(real) - len(shown):],
                             f"{page.name}:{next_line}: the real output is\n{output}")

    def test_headers_are_found_in_both_forms(self):
        aligned = " pid | state \n-----+-------\n   1 | idle\n(1 row)\n\n n \n---\n 1\n(1 row)\n"
        expanded = "-[ RECORD 1 ]-\npid   | 1\nstate | idle\n-[ RECORD 2 ]-\npid   | 2\n"

        self.assertEqual(headers_of(aligned), [("pid", "state"), ("n",)])
        self.assertEqual(headers_of(expanded), [("pid", "state")])
        self.assertEqual(headers_of("FATAL:  terminating connection\nHINT:  none\n"), [])

    def test_every_view_has_an_example(self):
        server = self.start_server([])
        with server.connect() as connection:
            views = {row.relname for row in connection.execute(
                "SELECT relname FROM pg_class"
                " WHERE relnamespace = 'pgvalet'::regnamespace AND relkind = 'v'")}

        examples = "\n".join(text for page in PAGES for kind, text, _ in blocks_of(page)
                             if kind == "sql")

        self.assertGreater(len(views), 20)
        self.assertEqual(views - set(re.findall(r"pgvalet\.(\w+)", examples)), set())

    def test_memory_is_what_the_page_says(self):
        server = self.start_server([("ini", "max_connections = 100\n", 1)])
        shown = re.search(r"all_together\n-+\n +(\S+ \wB)\n",
                          (ROOT / "docs" / "extension.md").read_text(encoding="utf-8"))[1]

        with server.connect() as connection:
            real = connection.execute("SELECT pg_size_pretty(sum(bytes)) AS all_together"
                                      "  FROM pgvalet.memory").fetchone().all_together

        self.assertEqual(shown, real)


def make_test(page):
    return lambda self: self.check_page(page)


for each in PAGES:
    name = re.sub(r"\W", "_", str(each.relative_to(ROOT / "docs").with_suffix("")))
    setattr(DocsTest, f"test_examples_of_{name}_run", make_test(each))


if __name__ == "__main__":
    unittest.main()
