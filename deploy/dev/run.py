#!/usr/bin/python3
"""`make run`: a private PostgreSQL with the extension, the agent before it, until Ctrl-C."""

import argparse
import time

import devserver
import stack as stack_module
from devserver import say

BANNER = """
pgvalet is up.  Ctrl-C stops everything.

  through the pool  {pool}
  directly          {direct}
  as superuser      {superuser}

  Paste into another terminal, in this folder:

    POOL='{pool}'
    psql "$POOL" -c 'SELECT pg_backend_pid(), now()'
    psql "$POOL" -x -c 'TABLE pgvalet.summary'
    psql "$POOL" -c 'SELECT pid, application_name, state, xact_commit_count FROM pgvalet.backends'

    {build}/bin/pgvalet status{grpc_option}
    {build}/bin/pgvalet top{grpc_option}
    /usr/bin/python3 deploy/dev/watch.py localhost:{grpc}
    grpcurl -plaintext localhost:{grpc} pgvalet.v1.Stats/GetSnapshot    # not in Debian 12

    curl -s http://localhost:{http}/metrics

  Some load (pgbench of postgresql-contrib; the first line once):

    pgbench -i -q "$POOL"
    pgbench -n -S -c 50 -j 2 -T 20 "$POOL"

  Logs: {home}/pgvaletd.log, {home}/postgres.log
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", help="where bin/pgvaletd is")
    parser.add_argument("--pool-size", type=int, default=10)
    options = parser.parse_args()

    devserver.raise_on_signals()
    house = None
    try:
        stack_module.require_programs(options.build)
        home = devserver.run_home()
        say("run: preparing PostgreSQL with the extension")
        bin_dir = devserver.private_prefix(home)
        house = stack_module.Stack(options.build, home, options.pool_size)
        house.start(bin_dir)
        say(
            BANNER.format(
                pool=house.pool_url(),
                direct=house.direct_url(),
                superuser=house.superuser_command(),
                build=options.build,
                grpc=house.grpc_port,
                grpc_option=(
                    ""
                    if house.grpc_port == stack_module.GRPC_PORT
                    else f" --address localhost:{house.grpc_port}"
                ),
                http=house.http_port,
                home=home,
            )
        )
        while True:
            house.alive()
            time.sleep(0.5)
    except devserver.Ended as ended:
        say(f"\nrun: {ended}: stopping")
        return 0
    finally:
        if house:
            house.stop()
            say("run: all stopped")


if __name__ == "__main__":
    devserver.program_main(main)
