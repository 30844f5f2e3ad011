#!/usr/bin/python3
"""Prints the pools as they are, again and again: watch.py [SNAPSHOTS]"""

import sys

from stubs import METADATA, channel, stats_pb2, stats_pb2_grpc


def main():
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else None
    request = stats_pb2.WatchSnapshotsRequest()
    # Only what is printed is sent.
    request.filter.fields.paths.append("pools")
    with channel() as connection:
        stub = stats_pb2_grpc.StatsStub(connection)
        for snapshot in stub.WatchSnapshots(request, metadata=METADATA):
            print(snapshot.time.ToJsonString())
            for pool in snapshot.pools:
                now, window = pool.now, pool.window
                print(
                    f"  {pool.database}/{pool.user}: {now.clients_active} active,"
                    f" {now.clients_waiting} waiting, {now.servers_active + now.servers_idle} of"
                    f" {now.pool_size} server connections, {window.transactions_per_s:.0f} tx/s",
                    flush=True,
                )
            if wanted is not None:
                wanted -= 1
                if wanted == 0:
                    return


if __name__ == "__main__":
    main()
