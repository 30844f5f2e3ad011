"""The agent's gRPC statistics from Python, as anybody could read them.

The stubs are made from proto/ on the spot by protoc and gRPC's plugin for
Python; nothing generated is kept in the repository.
"""

import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"

HEADER = (
    "            clients           | server connections |                 wait for one\n"
    "  working  waiting     idle   |    used     free   |      tx/s       p50       p99"
)


class StatsClient:
    """Snapshots of the agent at address (host:port).  close() when done."""

    def __init__(self, address):
        self._folder = tempfile.TemporaryDirectory(prefix="pgvalet-stubs-")
        command = ["protoc", f"-I{PROTO}", f"--python_out={self._folder.name}"]
        command += [f"--grpc_python_out={self._folder.name}"]
        command += ["--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin"]
        subprocess.run(command + sorted(PROTO.glob("pgvalet/v1/*.proto")), check=True)
        sys.path.insert(0, self._folder.name)
        import grpc
        from pgvalet.v1 import stats_pb2, stats_pb2_grpc

        self.messages = stats_pb2
        self.errors = grpc.RpcError
        self._channel = grpc.insecure_channel(address)
        self._stub = stats_pb2_grpc.StatsStub(self._channel)

    def snapshot(self):
        return self._stub.GetSnapshot(self.messages.GetSnapshotRequest(), timeout=10)

    def watch(self, seconds=1.0):
        """A stream of snapshots; .cancel() ends it."""
        request = self.messages.WatchSnapshotsRequest()
        request.interval.FromMilliseconds(round(seconds * 1000))
        return self._stub.WatchSnapshots(request)

    def close(self):
        self._channel.close()
        self._folder.cleanup()


def duration(microseconds):
    if microseconds < 1000:
        return f"{microseconds:.0f} us"
    if microseconds < 1_000_000:
        return f"{microseconds / 1000:.1f} ms"
    return f"{microseconds / 1_000_000:.2f} s"


def row(snapshot):
    """One line under HEADER: all pools together."""
    pools = [pool.now for pool in snapshot.pools]
    window = snapshot.totals_window
    return (
        f"  {sum(now.clients_active for now in pools):7}"
        f"  {sum(now.clients_waiting for now in pools):7}"
        f"  {sum(now.clients_idle for now in pools):7}   |"
        f" {sum(now.servers_active for now in pools):7}"
        f"  {sum(now.servers_idle for now in pools):7}   |"
        f"  {window.transactions_per_s:8.0f}"
        f"  {duration(window.wait_time.p50_us):>8}  {duration(window.wait_time.p99_us):>8}"
    )
