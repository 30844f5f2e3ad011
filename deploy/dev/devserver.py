"""A private PostgreSQL and an agent in front of it, for development and tests.

Used by `make run`, `make demo` and the test runners.  Needs Python's standard
library only.  Whatever is started here is a child of this process, listens on
this machine alone, and ends with this process, even if that is killed: the
kernel sends every child the signal that PR_SET_PDEATHSIG asked for.

PostgreSQL refuses to run as root.  For root the servers run as user postgres;
for anybody else as that user.
"""

import os
import pathlib
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

# A Unix socket's path must fit into sockaddr_un: 107 bytes.
SOCKET_DIR_LIMIT = 107 - len("/.s.PGSQL.65535")


class Failure(Exception):
    """What went wrong, in words for the user."""


def say(text):
    print(text, flush=True)


def server_user():
    """The Unix user PostgreSQL runs as."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid())
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Failure("run as root, and neither user postgres nor nobody exists")


def as_server_user(command, die_with_us=None):
    """The command, run as server_user(); die_with_us names the signal our death sends it."""
    prefix = ["setpriv"]
    if os.getuid() == 0:
        user = server_user()
        prefix += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    if die_with_us:
        prefix += ["--pdeathsig", die_with_us]
    return command if len(prefix) == 1 else prefix + command


def reachable(folder):
    """Can server_user() enter the folder?"""
    return subprocess.run(as_server_user(["test", "-x", str(folder)]), check=False).returncode == 0


def run_home(root=ROOT):
    """The folder that keeps the private cluster: .run/, or a stand-in that is said and remembered.

    A checkout under /root cannot be entered by user postgres; then the folder
    lies in /var/tmp and .run/home names it.
    """
    home = root / ".run"
    home.mkdir(exist_ok=True)
    if reachable(home):
        return home
    note = home / "home"
    if note.exists():
        stand_in = pathlib.Path(note.read_text().strip())
        if stand_in.is_dir() and stand_in.owner() == pwd.getpwuid(os.getuid()).pw_name:
            return stand_in
    stand_in = pathlib.Path(tempfile.mkdtemp(prefix="pgvalet-run-", dir="/var/tmp"))
    stand_in.chmod(0o755)
    note.write_text(f"{stand_in}\n")
    say(f"run: user {server_user().pw_name} cannot enter {home}; the cluster lives in {stand_in}")
    return stand_in


def free_port(wanted=None):
    """`wanted` if nobody listens there, else one the kernel picks."""
    for port in ([wanted] if wanted else []) + [0]:
        with socket.socket(socket.AF_INET) as probe, socket.socket(socket.AF_INET6) as probe6:
            for each in (probe, probe6):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                probe.bind(("127.0.0.1", port))
                port = probe.getsockname()[1]
                if socket.has_ipv6:
                    try:
                        probe6.bind(("::1", port))
                    except OSError as error:
                        if error.errno == 98:  # in use; anything else: no IPv6 here
                            raise
                return port
            except OSError:
                continue
    raise Failure("no free port")


def wait_until(condition, seconds, what, alive=lambda: None):
    """Polls until condition() is true; alive() raises when waiting is pointless."""
    deadline = time.monotonic() + seconds
    while not condition():
        alive()
        if time.monotonic() > deadline:
            raise Failure(f"{what} did not happen within {seconds} s")
        time.sleep(0.05)


def private_prefix(home, pg_config=None):
    """A PostgreSQL with the extension installed, under home; returns its bin folder."""
    command = [str(ROOT / "extension" / "private_prefix.sh"), str(home / "pg")]
    if pg_config or os.environ.get("PG_CONFIG"):
        command.append(pg_config or os.environ["PG_CONFIG"])
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Failure("the private PostgreSQL with the extension could not be made (see above)")
    return pathlib.Path(done.stdout.strip().splitlines()[-1])


class Process:
    """A child with its own log file, in its own session so that a Ctrl-C is ours to pass on."""

    def __init__(self, name, command, log, env=None):
        self.name = name
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as out:
            self.child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=env,
                start_new_session=True,
            )

    @property
    def pid(self):
        return self.child.pid

    def alive(self):
        """Raises Failure when the child has ended."""
        code = self.child.poll()
        if code is not None:
            raise Failure(f"{self.name} ended with status {code}\n{self.log_tail()}")

    def log_tail(self, lines=15):
        try:
            tail = self.log.read_text(errors="replace").splitlines()[-lines:]
        except OSError:
            tail = []
        return "\n".join([f"last lines of {self.log}:"] + ["  " + line for line in tail])

    def stop(self, signals, patience=10):
        """Sends the signals one after the other, giving each `patience` seconds."""
        for number in signals:
            if self.child.poll() is not None:
                break
            self.child.send_signal(number)
            try:
                self.child.wait(patience)
            except subprocess.TimeoutExpired:
                continue
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        return self.child.returncode


class Cluster:
    """One PostgreSQL cluster: home/data-15 keeps it, home/sock (or a folder in /tmp) its socket."""

    def __init__(self, bin_dir, home, settings=None, fast=False):
        self.bin_dir = pathlib.Path(bin_dir)
        self.home = pathlib.Path(home)
        self.data = self.home / f"data-{self.major()}"
        self.settings = settings or {}
        self.fast = fast  # no fsync: for tests only
        self.port = None
        self.process = None
        self.socket_dir = self.home / "sock"
        self.own_socket_dir = None

    def program(self, name):
        return str(self.bin_dir / name)

    def major(self):
        """15 of "postgres (PostgreSQL) 15.14 (Debian ...)" """
        command = [self.program("postgres"), "--version"]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return text.split()[2].split(".")[0].rstrip("abcdefghijklmnopqrstuvwxyz")

    def exists(self):
        # Only user postgres may look into the data folder.
        marker = str(self.data / "PG_VERSION")
        return subprocess.run(as_server_user(["test", "-f", marker]), check=False).returncode == 0

    def create(self, superuser_password=None):
        """initdb.  The superuser comes in by the Unix socket as the users named in pg_ident."""
        user = server_user()
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.getuid() == 0:
            os.chown(self.data, user.pw_uid, user.pw_gid)
        command = [self.program("initdb"), "-D", str(self.data), "-U", "postgres", "-E", "UTF8"]
        command += ["--locale=C.UTF-8", "--no-instructions", "--auth-local=peer", "--auth-host=reject", "--no-sync"]
        done = subprocess.run(
            as_server_user(command), capture_output=True, text=True, check=False, cwd="/"
        )
        if done.returncode != 0:
            raise Failure(f"initdb failed:\n{done.stdout}{done.stderr}")
        names = {user.pw_name, pwd.getpwuid(os.getuid()).pw_name}
        self._write("pg_ident.conf", "".join(f"admin {name} postgres\n" for name in sorted(names)))
        self._write(
            "pg_hba.conf",
            "local all postgres peer map=admin\n"
            "local all all scram-sha-256\n"
            "host all all 127.0.0.1/32 scram-sha-256\n"
            "host all all ::1/128 scram-sha-256\n",
        )

    def _write(self, name, text):
        path = str(self.data / name)
        subprocess.run(
            as_server_user(["tee", path]),
            input=text,
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def start(self, port=None):
        user = server_user()
        self.port = port or free_port()
        if len(str(self.socket_dir)) > SOCKET_DIR_LIMIT:
            self.own_socket_dir = pathlib.Path(tempfile.mkdtemp(prefix="pgvalet-sock-", dir="/tmp"))
            self.socket_dir = self.own_socket_dir
        self.socket_dir.mkdir(exist_ok=True)
        self.socket_dir.chmod(0o755)
        if os.getuid() == 0:
            os.chown(self.socket_dir, user.pw_uid, user.pw_gid)
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1,::1" if has_ipv6_loopback() else "127.0.0.1",
            "unix_socket_directories": self.socket_dir,
            "password_encryption": "scram-sha-256",
        }
        if self.fast:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings |= self.settings
        command = [self.program("postgres"), "-D", str(self.data)]
        for key, value in settings.items():
            command += ["-c", f"{key}={value}"]
        # SIGQUIT when we die: nothing of ours may stay behind.
        self.process = Process(
            "PostgreSQL", as_server_user(command, "QUIT"), self.home / "postgres.log"
        )
        try:
            wait_until(self._answers, 60, "PostgreSQL's start", self.process.alive)
        except BaseException:
            self.stop()
            raise

    def _answers(self):
        command = [self.program("pg_isready"), "-q", "-h", str(self.socket_dir)]
        command += ["-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0

    def stop(self):
        if self.process:
            self.process.stop([signal.SIGINT, signal.SIGQUIT])
            self.process = None
        if self.own_socket_dir:
            shutil.rmtree(self.own_socket_dir, ignore_errors=True)

    def sql(self, text, database="postgres"):
        """Runs SQL as the superuser; returns the output of psql -At."""
        command = [self.program("psql"), "-X", "-At", "-v", "ON_ERROR_STOP=1", "-q"]
        command += ["-h", str(self.socket_dir), "-p", str(self.port), "-U", "postgres"]
        command += ["-d", database]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"SQL failed: {done.stderr.strip()}")
        return done.stdout.strip()


def has_ipv6_loopback():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


class Agent:
    """One pgvaletd with a configuration of its own."""

    def __init__(self, program, home, config, port):
        self.program = pathlib.Path(program)
        self.home = pathlib.Path(home)
        self.config = config
        self.port = port
        self.log = self.home / "pgvaletd.log"
        self.process = None

    def start(self):
        if not self.program.exists():
            raise Failure(f"{self.program} has not been built")
        path = self.home / "pgvalet.toml"
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(self.config)
        command = ["setpriv", "--pdeathsig", "INT", str(self.program), "--config", str(path)]
        self.process = Process("pgvaletd", command, self.log)
        wait_until(self._answers, 30, "pgvaletd's start", self.process.alive)

    def _answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    def stop(self):
        if self.process:
            self.process.stop([signal.SIGINT, signal.SIGQUIT])
            self.process = None


class Ended(Exception):
    """A signal asked us to stop."""

    def __init__(self, number):
        super().__init__(signal.Signals(number).name)
        self.number = number


def raise_on_signals():
    """SIGINT, SIGTERM and SIGHUP become Ended, so that `finally` stops what was started."""

    def handler(number, _frame):
        # Once is enough: a second Ctrl-C must not interrupt the stopping.
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise Ended(number)

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, handler)


def new_password():
    return secrets.token_hex(8)


def program_main(main):
    """Runs main() and turns Failure into a line on stderr and status 1."""
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr, flush=True)
        sys.exit(1)
