"""Stubs of pgvalet's gRPC services, made from the proto when first asked for."""

import os
import pathlib
import subprocess
import sys
import tempfile

PROTO = pathlib.Path(__file__).resolve().parents[4] / "proto"
_FOLDER = tempfile.TemporaryDirectory(prefix="pgvalet-stubs-")

subprocess.run(
    ["protoc", f"-I{PROTO}", f"--python_out={_FOLDER.name}", f"--grpc_python_out={_FOLDER.name}"]
    + ["--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin"]
    + sorted(str(path) for path in PROTO.glob("pgvalet/v1/*.proto")),
    check=True,
)
sys.path.insert(0, _FOLDER.name)

import grpc  # noqa: E402

from pgvalet.v1 import (  # noqa: E402
    control_pb2,
    control_pb2_grpc,
    events_pb2,
    events_pb2_grpc,
    pools_pb2,
    pools_pb2_grpc,
    query_pb2,
    query_pb2_grpc,
    stats_pb2,
    stats_pb2_grpc,
)

__all__ = [
    "METADATA",
    "channel",
    "control_pb2",
    "control_pb2_grpc",
    "events_pb2",
    "events_pb2_grpc",
    "grpc",
    "pools_pb2",
    "pools_pb2_grpc",
    "postgres_error",
    "query_pb2",
    "query_pb2_grpc",
    "stats_pb2",
    "stats_pb2_grpc",
]

METADATA = [("authorization", "Bearer " + os.environ.get("PGVALET_TOKEN", ""))]


def channel():
    return grpc.insecure_channel(os.environ.get("PGVALET_ADDRESS", "localhost:6544"))


def postgres_error(error):
    """What PostgreSQL said, out of the details of a grpc.RpcError; None if it said nothing."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in query_pb2.StatusDetails.FromString(value).details:
                said = query_pb2.PostgresError()
                if detail.Unpack(said):
                    return said
    return None
