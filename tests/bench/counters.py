"""What a transaction costs beyond time: system calls, context switches, instructions.

Needs perf or strace, and leave to trace.  Runs apart from the timed rounds:
counting slows a pooler down, strace more than tenfold.
"""

import re
import shutil
import signal
import subprocess
import time

CALLS = ["recvfrom", "recvmsg", "read", "readv", "sendto", "sendmsg", "write", "writev"]
CALLS += ["epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "io_uring_enter", "futex"]
ALL = "raw_syscalls:sys_enter"


def perf_counts(event):
    """Whether perf can count an event here (virtual machines often have no instructions)."""
    if not shutil.which("perf"):
        return False
    command = ["perf", "stat", "-x", ";", "-e", event, "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stderr[:1].isdigit()


def tracer(pid, instructions):
    """The command that counts, and the function that reads its output into {name: count}."""
    if perf_counts(ALL):
        events = [ALL, "context-switches"]
        names = [f"syscalls:sys_enter_{call}" for call in CALLS]
        events += [name for name in names if perf_counts(name)]
        if instructions:
            events += [e for e in ("instructions:u", "instructions:k") if perf_counts(e)]
        return ["perf", "stat", "-x", ";", "-e", ",".join(events), "-p", str(pid)], read_perf
    if shutil.which("strace"):
        return ["strace", "-c", "-f", "-p", str(pid)], read_strace
    return None, None


def read_perf(text):
    counts = {}
    for line in text.splitlines():
        fields = line.split(";")
        if len(fields) > 2 and fields[0].isdigit():
            name = fields[2].replace("syscalls:sys_enter_", "").replace(ALL, "all system calls")
            counts[name] = int(fields[0])
    return counts


def read_strace(text):
    counts = {}
    for line in text.splitlines():
        found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if found:
            name = found.group(2).replace("total", "all system calls")
            counts[name] = int(found.group(1))
    return counts


def count(bench, target, protocol, clients, instructions):
    """{what: per transaction} for one load, or None where nothing can be counted."""
    command, read = tracer(target.pid, instructions)
    if not command:
        return None
    bench.pgbench(target, protocol, clients, seconds=1)  # first connections are not transactions
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        try:
            time.sleep(0.5)  # until it has attached itself to all threads
            result = bench.pgbench(target, protocol, clients)
        finally:
            child.send_signal(signal.SIGINT)  # else it would stay as long as the pooler
        text = child.communicate()[0]
    if result["failed"]:
        return {}
    counts = {name: n / result["transactions"] for name, n in read(text).items()}
    return {name: round(n, 3) for name, n in counts.items() if n >= 0.005}
