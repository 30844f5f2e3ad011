#!/usr/bin/python3
"""Runs one statement: query.py SQL [PARAMETER]...

Parameters travel as text; the statement says their types ($1::int).
"""

import os
import sys

from stubs import METADATA, channel, grpc, postgres_error, query_pb2, query_pb2_grpc


def plain(value):
    """The Python value of a pgvalet.v1.Value."""
    kind = value.WhichOneof("kind")
    return None if kind in (None, "null") else getattr(value, kind)


def main():
    request = query_pb2.ExecuteRequest()
    request.login.database = os.environ["PGDATABASE"]
    request.login.user = os.environ["PGUSER"]
    request.login.password = os.environ.get("PGPASSWORD", "")
    request.statement.sql = sys.argv[1]
    for parameter in sys.argv[2:]:
        request.statement.parameters.add().text = parameter
    with channel() as connection:
        stub = query_pb2_grpc.QueryStub(connection)
        try:
            # After 30 seconds the statement is cancelled.
            for part in stub.Execute(request, metadata=METADATA, timeout=30):
                for row in part.rows.rows:
                    print(*(plain(value) for value in row.values), sep="\t")
                if part.HasField("complete"):
                    print(part.complete.command_tag)
        except grpc.RpcError as error:
            said = postgres_error(error)
            print(f"{error.code().name}: {error.details()}", file=sys.stderr)
            if said is not None and said.hint:
                print(f"HINT: {said.hint}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
