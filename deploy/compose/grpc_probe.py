#!/usr/bin/python3
"""Asks the agent over gRPC, from outside: health, and the size of a snapshot.

    grpc_probe.py HOST:PORT

Needs no generated code: an empty request is no bytes, and SERVING is field 1 with value 1.
"""
import sys

import grpc

SERVING = b"\x08\x01"


def call(channel, method):
    unary = channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)
    return unary(b"", timeout=10, wait_for_ready=True)


def main():
    with grpc.insecure_channel(sys.argv[1]) as channel:
        if call(channel, "/grpc.health.v1.Health/Check") != SERVING:
            sys.exit("the health service does not say SERVING")
        snapshot = call(channel, "/pgvalet.v1.Stats/GetSnapshot")
    if not snapshot:
        sys.exit("the snapshot is empty")
    print(f"serving, a snapshot of {len(snapshot)} bytes")


if __name__ == "__main__":
    main()
