#!/usr/bin/python3
"""Prints a line per second from the agent's gRPC stream: watch.py [HOST:PORT]"""

import sys

import stats_client


def main():
    client = stats_client.StatsClient(sys.argv[1] if len(sys.argv) > 1 else "localhost:6544")
    try:
        for number, snapshot in enumerate(client.watch(1.0)):
            if number % 20 == 0:
                print(stats_client.HEADER)
            print(stats_client.row(snapshot), flush=True)
    except client.errors as error:
        print(f"error: {error.code().name}: {error.details()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        client.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
