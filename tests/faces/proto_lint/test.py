#!/usr/bin/python3
"""The proto under buf: a comment for everything, and nothing that breaks clients of a release.

No server is needed.  What buf would say of a worse proto is tried on copies.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import node_modules  # noqa: E402
from face_house import ROOT, run_tests  # noqa: E402

HOUSE = None  # run_tests() puts it here
PROTO = ROOT / "proto"
STATS = pathlib.Path("pgvalet", "v1", "stats.proto")


class Workshop:
    """buf, and a folder for copies of the proto."""

    def __init__(self, build):
        self.build = build

    def __enter__(self):
        self.program = node_modules.program(node_modules.install(self.build), "buf")
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="pgvalet-proto-"))
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.home, ignore_errors=True)

    def buf(self, *words):
        """What buf complains of, a line each; a failure of its own, too."""
        command = [self.program, *words]
        done = subprocess.run(
            [str(word) for word in command], cwd=ROOT, capture_output=True, text=True, timeout=60,
            check=False,
        )
        lines = (done.stdout + done.stderr).splitlines()
        return lines or ([f"status {done.returncode}"] if done.returncode != 0 else [])

    def copy_with(self, pattern, replacement):
        """A copy of the proto in which the one thing that fits `pattern` in Stats is another."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.home)) / "proto"
        shutil.copytree(PROTO, folder)
        text, count = re.subn(pattern, replacement, (folder / STATS).read_text())
        if count != 1:
            raise AssertionError(f"{pattern} is {count} times in {STATS}")
        (folder / STATS).write_text(text)
        return folder

    def tagged(self, tag):
        """The proto as it was at a tag."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.home))
        archive = folder / "proto.tar"
        command = ["git", "archive", f"--output={archive}", tag, "proto"]
        subprocess.run(command, cwd=ROOT, check=True)
        subprocess.run(["tar", "-xf", archive, "-C", folder], check=True)
        return folder / "proto"


class ProtoTest(unittest.TestCase):
    def test_everything_has_a_comment_and_a_name_by_the_rules(self):
        self.assertEqual(HOUSE.buf("lint", PROTO), [])

    def test_a_field_without_a_comment_is_found(self):
        copy = HOUSE.copy_with(r"(?:  //.*\n)+(  int64 interval_us = 3;)", r"\1")

        complaints = HOUSE.buf("lint", copy)

        self.assertEqual(len(complaints), 1, complaints)
        self.assertIn('Field "interval_us" should have a non-empty comment', complaints[0])

    def test_clients_of_the_newest_release_are_served(self):
        command = ["git", "describe", "--tags", "--abbrev=0"]
        tag = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if tag.returncode != 0:
            self.skipTest(f"no release to compare with: {tag.stderr.strip()}")

        complaints = HOUSE.buf("breaking", PROTO, "--against", HOUSE.tagged(tag.stdout.strip()))

        self.assertEqual(complaints, [])

    def test_a_field_with_another_number_is_found(self):
        copy = HOUSE.copy_with(r"int64 interval_us = 3;", "int64 interval_us = 300;")

        complaints = HOUSE.buf("breaking", copy, "--against", PROTO)

        self.assertIn('field "3" with name "interval_us"', "\n".join(complaints))

    def test_a_call_that_is_gone_is_found(self):
        copy = HOUSE.copy_with(r"  rpc GetHistory\(.*;\n", "")

        complaints = HOUSE.buf("breaking", copy, "--against", PROTO)

        self.assertIn('RPC "GetHistory"', "\n".join(complaints))

    def test_a_new_field_breaks_nothing(self):
        copy = HOUSE.copy_with(
            r"(  int64 interval_us = 3;\n)", r"\1\n  // New.\n  int64 added_us = 300;\n"
        )

        complaints = HOUSE.buf("lint", copy) + HOUSE.buf("breaking", copy, "--against", PROTO)

        self.assertEqual(complaints, [])


if __name__ == "__main__":
    sys.exit(run_tests(sys.modules[__name__], Workshop))
