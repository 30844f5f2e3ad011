#!/bin/bash
# Measures what the loaded extension costs a backend: user instructions per
# transaction of `pgbench -S -M prepared`, counted by callgrind.
#
#   extension/measure_cost.sh [PG_CONFIG]
#
# Three servers are compared: without the extension, with it, and with it and an
# idle policy in force: both timeouts, rules for every state and a connection
# budget; and on the second also a session that its agent follows and that
# changes nothing.  Each runs the same seeded transactions twice, with
# different lengths; the difference has nothing of start and login in it.  The
# servers take turns, and the median of the rounds counts.
# Needs valgrind; takes about two minutes.  Port: PGV_PORT (54190).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
port=${PGV_PORT:-54190}
short=${PGV_SHORT_RUN:-500} long=${PGV_LONG_RUN:-4500} rounds=${PGV_ROUNDS:-3}
command -v valgrind >/dev/null || { echo "measure_cost: needs valgrind (apt-get install valgrind)" >&2; exit 1; }

work=$(mktemp -d /tmp/pgvalet-cost.XXXXXX)
bin=$("$here/private_prefix.sh" "$work/prefix" "$@")
server_pid=

# The server refuses to run as root.
as_server_user=()
if [ "$(id -u)" = 0 ]; then as_server_user=(setpriv --reuid=postgres --regid=postgres --init-groups); fi

stop_server() {
  if [ -n "$server_pid" ]; then
    kill -INT "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
    server_pid=
  fi
}
clean_up() {
  stop_server
  rm -rf "$work"
}
trap clean_up EXIT

mkdir "$work/run"
if [ "$(id -u)" = 0 ]; then chown postgres "$work" "$work/run"; fi
chmod 755 "$work"
cd "$work/run"

"${as_server_user[@]}" "$bin/initdb" -D "$work/run/data" -U postgres -A trust -N >/dev/null
cat >>"$work/run/data/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$work/run'
port = $port
autovacuum = off
fsync = off
max_connections = 20
shared_buffers = '64MB'
log_min_messages = fatal
END

# start_server RUNNER... -- OPTION...: starts it and waits until it answers.
start_server() {
  local runner=()
  while [ "$1" != -- ]; do runner+=("$1"); shift; done
  shift
  "${as_server_user[@]}" "${runner[@]}" "$bin/postgres" -D "$work/run/data" "$@" >>"$work/run/log" 2>&1 &
  server_pid=$!
  for _ in $(seq 600); do
    if "$bin/pg_isready" -q -h "$work/run" -p "$port"; then return; fi
    kill -0 "$server_pid" || { cat "$work/run/log" >&2; exit 1; }
    sleep 0.1
  done
  echo "measure_cost: the server does not start" >&2
  exit 1
}

bench() { # COUNT
  "$bin/pgbench" -h "$work/run" -p "$port" -U postgres -n -S -M prepared --random-seed=1 -t "$1" postgres >/dev/null
}

# Instructions of the backend that served COUNT transactions: the busiest of the
# processes that ended meanwhile.
instructions() { # COUNT
  rm -f "$work"/run/callgrind.out.*
  bench "$1"
  local deadline=$((SECONDS + 60)) most=0
  # A process writes its file as it ends, shortly after pgbench has gone.
  while [ "$most" -lt "$(($1 * 40000))" ]; do
    [ "$SECONDS" -lt "$deadline" ] || { echo "measure_cost: no figures from callgrind" >&2; exit 1; }
    sleep 0.2
    most=$(sed -n 's/^\(summary\|totals\): //p' "$work"/run/callgrind.out.* 2>/dev/null | sort -n | tail -1)
    most=${most:-0}
  done
  echo "$most"
}

# The rules are in force some milliseconds after the start.
wait_for_rules() {
  for _ in $(seq 600); do
    if [ "$("$bin/psql" -X -A -t -h "$work/run" -p "$port" -U postgres -c \
        'SELECT rule_count FROM pgvalet.policy_status' rules 2>/dev/null)" = 20 ]; then return; fi
    sleep 0.1
  done
  echo "measure_cost: the rules do not come into force" >&2
  exit 1
}

# Waits until the processes that ended at the start have written their files, of
# which some are larger than that of a short run.
settle() {
  local before="" now
  while now=$(cat "$work"/run/callgrind.out.* 2>/dev/null | wc -c) && [ "$now" != "$before" ]; do
    before=$now
    sleep 3
  done
}

per_transaction() { # OPTION...
  local first second
  start_server valgrind -q --tool=callgrind --trace-children=yes \
    "--callgrind-out-file=$work/run/callgrind.out.%p" -- "$@"
  case "$*" in *pgvalet.database=rules*) wait_for_rules ;; esac
  bench 50
  settle
  first=$(instructions "$short")
  second=$(instructions "$long")
  stop_server
  echo $(((second - first) / (long - short)))
}

start_server --
"$bin/pgbench" -h "$work/run" -p "$port" -U postgres -i -q postgres >/dev/null 2>&1
stop_server

# Rules and budgets in a database of their own, for those who ask for it.
start_server -- -c shared_preload_libraries=pgvalet
"$bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$work/run" -p "$port" -U postgres postgres >/dev/null 2>&1 <<'END'
CREATE DATABASE rules;
\c rules
CREATE EXTENSION pgvalet;
INSERT INTO pgvalet.idle_policy (position, name, state, role_name, includes_members, log_after, end_after)
SELECT n, 'rule ' || n, (ARRAY['idle', 'idle in transaction', 'active', 'session age'])[1 + n % 4],
       'pg_monitor', true, '1 s', '1 hour'
  FROM generate_series(1, 20) AS n;
INSERT INTO pgvalet.connection_budget (name, role_name, max_connections)
SELECT 'budget ' || n, 'pg_monitor', 10 FROM generate_series(1, 20) AS n;
END
stop_server

for _ in $(seq "$rounds"); do
  per_transaction >>"$work/without"
  per_transaction -c shared_preload_libraries=pgvalet >>"$work/loaded"
  PGOPTIONS='-c pgvalet.agent=pgvaletd/cost:1 -c pgvalet.agent_key=cost' \
    per_transaction -c shared_preload_libraries=pgvalet >>"$work/followed"
  per_transaction -c shared_preload_libraries=pgvalet -c pgvalet.database=rules \
    -c pgvalet.idle_session_timeout=10min -c pgvalet.idle_in_transaction_timeout=1min \
    >>"$work/policy"
done

median() { # FILE
  sort -n "$1" | awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] }'
}
base=$(median "$work/without")
report() { # NAME FILE
  awk -v name="$1" -v n="$(median "$2")" -v base="$base" -v all="$(sort -n "$2" | tr '\n' ' ')" \
    'BEGIN { printf "%-31s %6d instructions per transaction %+.2f %%   rounds: %s\n", name, n, (n / base - 1) * 100, all }'
}
"$bin/postgres" --version
report "without pgvalet" "$work/without"
report "with pgvalet" "$work/loaded"
report "with pgvalet, followed session" "$work/followed"
report "with pgvalet and an idle policy" "$work/policy"
