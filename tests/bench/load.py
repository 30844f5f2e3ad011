"""How it is measured: pgbench, idle clients, and what the kernel counts for a process."""

import glob
import os
import re
import socket
import struct
import subprocess
import tempfile
import time

from targets import DATABASE, USER

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def process_cpu_s(pid):
    """CPU seconds (user and system) of all threads of a process, also of those that have ended."""
    # The clock that clock_getcpuclockid() gives: /proc/PID/stat has the same in steps of 10 ms.
    return time.clock_gettime((~pid << 3) | 2)


def machine_cpu_s():
    """CPU seconds that the machine was busy, time taken by the hypervisor included."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(
            int, stat.readline().split()[1:9]
        )
    return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND


def own_cpu_s():
    """CPU seconds of this process and all its children, also of those that have ended."""
    fields = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as stat:
                    # The name of the program may hold blanks and parentheses.
                    fields[int(name)] = stat.read().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended
    ours, grown = {os.getpid()}, True
    while grown:
        more = {pid for pid, field in fields.items() if int(field[1]) in ours} - ours
        ours, grown = ours | more, bool(more)
    ticks = sum(sum(map(int, fields[pid][11:15])) for pid in ours if pid in fields)
    return ticks / TICKS_PER_SECOND


def memory_kib(pid):
    """Pss of a process once it stands still, at the latest after three seconds."""

    def read():
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
            return int(re.search(r"^Pss:\s+(\d+)", rollup.read(), re.M).group(1))

    now = read()
    for _ in range(10):
        before = now
        time.sleep(0.3)
        now = read()
        if now == before:
            break
    return now


class Watch:
    """Over a time: CPU of one process, and CPUs that neither we nor our children used."""

    def __init__(self, pid):
        self.pid = pid
        self.machine, self.own = machine_cpu_s(), own_cpu_s()
        self.process = process_cpu_s(pid) if pid else 0
        self.began = time.perf_counter()

    def stop(self):
        self.seconds = time.perf_counter() - self.began
        self.process = process_cpu_s(self.pid) - self.process if self.pid else None
        machine, own = machine_cpu_s() - self.machine, own_cpu_s() - self.own
        self.others = max(0.0, (machine - own) / self.seconds)
        return self


def percentile(ordered, percent):
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else None


def number_after(pattern, text):
    found = re.search(pattern + r"\s*([\d.]+)", text)
    return float(found.group(1)) if found else None


class Bench:
    """Runs one load at a time against one target."""

    def __init__(self, cluster, work, seconds):
        self.program, self.work, self.seconds = cluster.program("pgbench"), work, seconds
        # What the user has set for psql must not reach pgbench.
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        self.env |= {"PGSSLMODE": "disable", "PGGSSENCMODE": "disable", "LC_ALL": "C"}

    def pgbench(self, target, protocol, clients, seconds=None, reconnect=False, sampling=0.1):
        """Select-only; returns what pgbench, its log and the kernel say, as a dict."""
        with tempfile.TemporaryDirectory(prefix="log-", dir=self.work) as logs:
            command = [self.program, "-n", "-S", "-M", protocol, "-c", str(clients)]
            command += ["-j", str(min(2, clients)), "-T", str(seconds or self.seconds)]
            command += ["-l", f"--log-prefix={logs}/l", f"--sampling-rate={sampling}"]
            command += ["-h", "127.0.0.1", "-p", str(target.port), "-U", USER]
            command += (["-C"] if reconnect else []) + [DATABASE]
            watch = Watch(target.pid)
            try:
                done = subprocess.run(
                    command, capture_output=True, text=True, env=self.env, check=False, timeout=90
                )
            except subprocess.TimeoutExpired:
                return {"failed": clients, "error": "pgbench did not end within 90 s"}
            watch.stop()
            latencies = []
            for name in glob.glob(f"{logs}/l*"):
                with open(name, encoding="ascii") as log:
                    latencies += [int(line.split()[2]) for line in log]
        return self._result(done, watch, sorted(latencies))

    @staticmethod
    def _result(done, watch, latencies):
        count = number_after(r"transactions actually processed:", done.stdout) or 0
        lost = len(re.findall(r"aborted|connection to server .* failed", done.stderr))
        result = {
            "failed": lost or int(done.returncode != 0 or not count),
            "transactions": count,
            "tps": number_after(r"tps =", done.stdout),
            "others": watch.others,
        }
        if latencies:
            result["p50_ms"] = percentile(latencies, 50) / 1000
            result["p99_ms"] = percentile(latencies, 99) / 1000
        if watch.process is not None and count:
            result["cpu_us"] = watch.process / count * 1e6
        if result["failed"]:
            result["error"] = done.stderr.strip()[:400]
        return result

    def idle(self, pooler, clients):
        """Memory of a pooler that was just started and has its pool full, without and with clients."""
        pooler.start()
        try:
            warm = self.pgbench(pooler, "simple", pooler.pool_size, seconds=1)
            if warm["failed"]:
                return warm
            watch, before = Watch(pooler.pid), memory_kib(pooler.pid)
            sessions = []
            try:
                for _ in range(clients):
                    sessions.append(log_in(pooler.port))
                connected = memory_kib(pooler.pid)
                for session in sessions:
                    query(session)
                after_query = memory_kib(pooler.pid)
            except OSError as error:
                return {"failed": 1, "error": f"client {len(sessions) + 1}: {error}"}
            finally:
                for session in sessions:
                    session.close()
            return {
                "failed": 0,
                "idle_kib": (connected - before) / clients,
                "after_query_kib": (after_query - before) / clients,
                "base_kib": before,
                "others": watch.stop().others,
            }
        finally:
            pooler.stop()


def log_in(port):
    """A client that has logged in (nobody asks for a password here) and then says nothing."""
    session = socket.create_connection(("127.0.0.1", port), 30)
    try:
        pairs = b"user\0" + USER.encode() + b"\0database\0" + DATABASE.encode() + b"\0\0"
        session.sendall(struct.pack("!II", 8 + len(pairs), 0x30000) + pairs)
        read_until_ready(session)
    except BaseException:
        session.close()
        raise
    return session


def query(session):
    text = b"select 1\0"
    session.sendall(b"Q" + struct.pack("!I", 4 + len(text)) + text)
    read_until_ready(session)


def read_until_ready(session):
    """Reads messages up to ReadyForQuery; OSError when there is an error instead."""
    data = b""
    while True:
        more = session.recv(8192)
        if not more:
            raise OSError("the connection was closed")
        data += more
        while len(data) >= 5 and len(data) > (size := struct.unpack_from("!I", data, 1)[0]):
            kind, body, data = data[:1], data[5 : 1 + size], data[1 + size :]
            if kind == b"E":
                raise OSError(body.replace(b"\0", b" ").decode(errors="replace"))
            if kind == b"Z":
                return
