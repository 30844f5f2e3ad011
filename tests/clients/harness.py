"""What the Python driver tests share: twenty clients at once, and checks with a message."""

import os
import sys
import threading
import traceback

CLIENTS = int(os.environ.get("CLIENTS", "20"))


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def expect_equal(got, wanted, what):
    expect(got == wanted, f"{what}: got {got!r}, expected {wanted!r}")


def run_threads(work, count=CLIENTS):
    """Calls work(number) in `count` threads; raises the first failure."""
    failures = []

    def guarded(number):
        try:
            work(number)
        except BaseException:  # a thread's failure is told by the main one
            failures.append(f"client {number}: {traceback.format_exc()}")

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        sys.exit(f"{len(failures)} of {count} clients failed, the first:\n{failures[0]}")
