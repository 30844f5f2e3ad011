#!/usr/bin/python3
"""The command on a real terminal (tmux), in shells that complete it, and in man."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from face_house import CONTROL_TOKEN, House, run_tests, wait_until  # noqa: E402

HOUSE = None  # run_tests() puts it here
PROGRAM = None
BUSY = "BEGIN; SELECT pg_sleep(0.05); COMMIT;\n"


def house_of(build):
    global PROGRAM  # pylint: disable=global-statement
    PROGRAM = pathlib.Path(build).resolve() / "bin" / "pgvalet"
    return House(build)


class Terminal:
    """A program in a tmux of its own.  Use as a context."""

    def __init__(self, command, environment=None, columns=130, rows=24):
        # A name of its own: the server of the one before may still be on its way out.
        self.socket = f"pgvalet-{os.getpid()}-{id(self)}-{time.monotonic_ns()}"
        variables = [f"{name}={value}" for name, value in (environment or {}).items()]
        size = ["-x", columns, "-y", rows]
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, "env", *variables, *command)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._tmux("kill-server")

    def _tmux(self, *words):
        command = ["tmux", "-L", self.socket, *[str(word) for word in words]]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
        return done.stdout

    def press(self, *keys):
        self._tmux("send-keys", *keys)

    def resize(self, columns, rows):
        self._tmux("resize-window", "-x", columns, "-y", rows)

    def text(self):
        return self._tmux("capture-pane", "-p")

    def shows(self, *patterns):
        """Waits until each pattern is somewhere on the screen."""
        for pattern in patterns:
            try:
                wait_until(lambda: re.search(pattern, self.text(), re.M), f"/{pattern}/ on the screen")
            except Exception as error:
                raise AssertionError(f"{error}\n{self.text()}") from error


def on_terminal(arguments, **more):
    """`pgvalet` with these arguments on a terminal."""
    environment = {
        "PGVALET_ADDRESS": f"127.0.0.1:{HOUSE.stack.grpc_port}",
        "PGVALET_TOKEN": CONTROL_TOKEN,
        "PGPASSWORD": HOUSE.stack.passwords["app"],
    }
    # What it leaves on the terminal when it has ended can be seen, too.
    script = f"trap : INT; {PROGRAM} {arguments}; echo ended with $?; sleep 600"
    return Terminal(["sh", "-c", script], environment, **more)


def top(arguments="", **more):
    """`pgvalet top` on a terminal."""
    return on_terminal(f"top {arguments}", **more)


class TopTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.load = HOUSE.pgbench(3, 300, BUSY, application="checkout")

    @classmethod
    def tearDownClass(cls):
        cls.load.stop([signal.SIGINT])

    def test_from_a_pool_to_its_clients_to_a_backend_and_back(self):
        with top() as screen:
            screen.shows("pools, sorted by name, 1-1 of 1", r"app +app +\d", "q quit")
            screen.press("Enter")
            screen.shows("clients of pool app/app, sorted by id, 1-3 of 3", "checkout")
            screen.press("s")  # clients that have a backend now come and go: any will do
            screen.shows("sorted by waiting")
            screen.press("3")
            screen.shows("backends of pool app/app", r"checkout +(active|idle)")
            screen.press("Enter")
            screen.shows(r"backend \d+", r"application +checkout", r"pool +app/app")
            screen.press("Escape")
            screen.shows("backends of pool app/app")
            screen.press("1")
            screen.shows("pools, sorted by name")

    def test_usage_leads_to_its_backends(self):
        with top("--view usage") as screen:
            screen.press("4", "4")
            screen.shows("usage by application", "checkout")
            screen.press("s")
            screen.shows("sorted by busy", r"^APPLICATION.*\ncheckout")
            screen.press("Enter")
            screen.shows("backends of application checkout")

    def test_rows_are_sorted_the_other_way_round(self):
        with top("--view backends") as screen:
            screen.shows("backends, sorted by pid", "checkout")
            screen.press("r")
            screen.shows("sorted by pid, reversed")
            pids = [int(pid) for pid in re.findall(r"^ *(\d+)  app ", screen.text(), re.M)]
            self.assertGreater(len(pids), 1)
            self.assertEqual(pids, sorted(pids, reverse=True))

    def test_a_smaller_terminal_is_filled_and_not_overrun(self):
        with top() as screen:
            screen.shows("pools, sorted by name")
            screen.resize(60, 12)
            screen.shows("pools, sorted by name", "^q quit  enter details")
            lines = screen.text().splitlines()
            self.assertLessEqual(len(lines), 12)
            self.assertTrue(all(len(line) <= 60 for line in lines), screen.text())

    def test_quit_gives_the_terminal_back(self):
        with top() as screen:
            screen.shows("pools, sorted by name")
            screen.press("q")
            screen.shows("ended with 0")
            self.assertNotIn("pools, sorted", screen.text())

    def test_ctrl_c_ends_it_as_q_does(self):
        with top() as screen:
            screen.shows("pools, sorted by name")
            screen.press("C-c")
            screen.shows("ended with 0")

    def test_a_lost_agent_is_said_and_found_again(self):
        with top("--interval 0.2") as screen:
            screen.shows("pools, sorted by name")
            os.kill(HOUSE.stack.agent.process.pid, signal.SIGSTOP)
            try:
                screen.shows(r"NO CONNECTION, trying again: no answer in time", r"shown: .* old")
            finally:
                os.kill(HOUSE.stack.agent.process.pid, signal.SIGCONT)
            screen.shows("connected again")

    def test_paused_it_stands_still(self):
        with top("--interval 0.2") as screen:
            screen.shows("pools, sorted by name")
            screen.press("p")
            screen.shows("PAUSED")
            before = screen.text()
            newest = HOUSE.get("/api/v1/stats/snapshot")["sequence"]
            wait_until(
                lambda: int(HOUSE.get("/api/v1/stats/snapshot")["sequence"]) > int(newest) + 5,
                "newer snapshots",
            )
            self.assertEqual(screen.text(), before)
            screen.press("p")
            wait_until(lambda: "PAUSED" not in screen.text(), "it goes on")


class LoadTestTest(unittest.TestCase):
    def test_a_bar_shows_how_far_it_is_and_ctrl_c_reports(self):
        pool = f"postgresql://app@127.0.0.1:{HOUSE.stack.port}/app"
        with on_terminal(f"loadtest --pool {pool} --requests 1000 --duration 100") as screen:
            screen.shows(r"pool \[\|+ +\] \d+ of 1000, 0 failed")
            screen.press("C-c")
            screen.shows(r"^succeeded +100 %", "Ended early", "ended with 0")
            self.assertNotIn("of 1000", screen.text())


class ShellTest(unittest.TestCase):
    def run_shell(self, *command, text=None, home=None):
        environment = {"PATH": f"{PROGRAM.parent}:/usr/bin:/bin", "HOME": home or "/nonexistent"}
        environment |= {"LC_ALL": "C.UTF-8", "TERM": "dumb"}
        done = subprocess.run(
            command, input=text, env=environment, capture_output=True, text=True, timeout=60,
            check=False,
        )
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.returncode, 0)
        return done.stdout

    def bash_completes(self, *words):
        script = """
            source <(pgvalet completion bash)
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            _pgvalet
            printf '%s\\n' "${COMPREPLY[@]}"
        """
        return self.run_shell("bash", "-c", script, "bash", "pgvalet", *words).split()

    def test_bash_completes_commands_options_and_values(self):
        self.assertEqual(self.bash_completes("pau"), ["pause"])
        self.assertIn("--token-file", self.bash_completes("--to"))
        self.assertEqual(self.bash_completes("top", "--view", "b"), ["backends"])
        self.assertEqual(self.bash_completes("--json", "kill", "c"), ["client"])
        self.assertIn("--yes", self.bash_completes("kill", "client", "--"))
        self.assertEqual(self.bash_completes("import", "/etc/hostn"), ["/etc/hostname"])
        self.assertEqual(self.bash_completes("completion", "z"), ["zsh"])

    def test_zsh_completes_commands_options_and_values(self):
        with tempfile.TemporaryDirectory() as home:
            script = pathlib.Path(home, "_pgvalet")
            script.write_text(self.run_shell(str(PROGRAM), "completion", "zsh"))
            self.run_shell("zsh", "-n", str(script))
            with Terminal(["zsh", "-f", "-i"], {"PS1": "", "HOME": home}) as screen:
                screen.press(f"fpath=({home} $fpath); autoload -U compinit; compinit -u -D", "Enter")
                screen.press("PS1='> '; clear", "Enter")
                for typed, completed in {
                    "pgvalet pau": "pgvalet pause",
                    "pgvalet top --view ba": "pgvalet top --view backends",
                    "pgvalet kill c": "pgvalet kill client",
                    "pgvalet pools --appl": "pgvalet pools --application",
                }.items():
                    screen.press(typed, "Tab")
                    screen.shows(f"> {completed}")
                    screen.press("C-u")

    def test_man_shows_both_pages_without_complaint(self):
        for command, name in (["pgvalet", "manual"], "PGVALET(1)"), (
            ["pgvaletd", "--manual"],
            "PGVALETD(8)",
        ):
            page = self.run_shell(*command)
            shown = self.run_shell("man", "--warnings", "-l", "-", text=page)
            self.assertIn(name, shown)
            self.assertIn("EXAMPLES", shown)


if __name__ == "__main__":
    sys.exit(run_tests(sys.modules[__name__], house_of))
