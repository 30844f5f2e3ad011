#!/bin/bash
# Measures what the loaded extension costs in throughput and in CPU time of the
# backends: `pgbench -S -M prepared` with 8 clients, with and without it.
#
#   extension/measure_throughput.sh [PG_CONFIG]
#
#   PGV_ROUNDS    rounds (40)        PGV_SECONDS  length of one run, seconds (2)
#   PGV_CLIENTS   clients (8)        PGV_PORT     and the next one are used (54192)
#   PGV_CONTROL=1 compares the server without the extension with one like it: what
#                 the machine makes of no difference at all
#
# Two servers with copies of the same data are up all the time; a round runs one
# and then the other, in turns, and gives one ratio.  The median of the ratios
# counts, with the quarters around it, because a machine is never quiet: if half
# of the rounds are far apart, take more, or a machine that has nothing else to
# do.  CPU time is that of the backends, user and system.  measure_cost.sh counts
# instructions, which nobody disturbs.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
port=${PGV_PORT:-54192}
rounds=${PGV_ROUNDS:-40} seconds=${PGV_SECONDS:-2} clients=${PGV_CLIENTS:-8}

work=$(mktemp -d /tmp/pgvalet-throughput.XXXXXX)
bin=$("$here/private_prefix.sh" "${PGV_PREFIX:-$work/prefix}" "$@")
declare -A pid=()

# Everything that costs something is on.
with_extension=(
  -c shared_preload_libraries=pgvalet
  -c pgvalet.idle_session_timeout=10min
  -c pgvalet.idle_in_transaction_timeout=1min
)

if [ -n "${PGV_CONTROL:-}" ]; then with_extension=(); fi

as_server_user=()
if [ "$(id -u)" = 0 ]; then as_server_user=(setpriv --reuid=postgres --regid=postgres --init-groups); fi

clean_up() {
  for each in "${pid[@]}"; do kill -INT "$each" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap clean_up EXIT

mkdir "$work/run"
if [ "$(id -u)" = 0 ]; then chown postgres "$work" "$work/run"; fi
chmod 755 "$work"
cd "$work/run"

start() { # NAME PORT OPTION...
  local name=$1 port=$2
  shift 2
  "${as_server_user[@]}" "$bin/postgres" -D "$work/run/$name" -p "$port" "$@" >>"$work/run/log" 2>&1 &
  pid[$name]=$!
  for _ in $(seq 300); do
    if "$bin/pg_isready" -q -h "$work/run" -p "$port"; then return; fi
    kill -0 "${pid[$name]}" || break
    sleep 0.1
  done
  cat "$work/run/log" >&2
  exit 1
}

psql() { # PORT SQL
  "$bin/psql" -X -q -A -t -h "$work/run" -p "$1" -U postgres -c "$2" postgres
}

"${as_server_user[@]}" "$bin/initdb" -D "$work/run/without" -U postgres -A trust -N >/dev/null
cat >>"$work/run/without/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$work/run'
autovacuum = off
fsync = off
max_connections = 50
shared_buffers = '128MB'
END
start without "$port"
"$bin/pgbench" -h "$work/run" -p "$port" -U postgres -i -q -s 5 postgres >/dev/null 2>&1
psql "$port" 'VACUUM FREEZE'
kill -INT "${pid[without]}"
wait "${pid[without]}" || true
unset 'pid[without]'
"${as_server_user[@]}" cp -R "$work/run/without" "$work/run/with"
start without "$port"
start with $((port + 1)) "${with_extension[@]}"
if [ -z "${PGV_CONTROL:-}" ]; then psql $((port + 1)) 'CREATE EXTENSION pgvalet'; fi

# CPU time of all processes of a server that have ended, in clock ticks.
ended_cpu() { # NAME
  sed 's/.*) //' "/proc/${pid[$1]}/stat" | awk '{ print $14 + $15 }'
}

children() { # NAME
  pgrep -c -P "${pid[$1]}" || true
}

# One run; prints transactions per second and nanoseconds of CPU per transaction.
bench() { # NAME PORT
  local before after out
  before=$(ended_cpu "$1")
  out=$("$bin/pgbench" -h "$work/run" -p "$2" -U postgres -n -S -M prepared -c "$clients" -j 2 \
    -T "$seconds" postgres 2>/dev/null)
  # The backends end a little later than pgbench, and only then their time counts.
  for _ in $(seq 500); do
    if [ "$(children "$1")" -le "${idle_children[$1]}" ]; then break; fi
    sleep 0.01
  done
  after=$(ended_cpu "$1")
  echo "$out" | awk -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" '
    /^number of transactions actually processed/ { n = $6 + 0 }
    /^tps = / { tps = $3 }
    END { printf "%.1f %.1f\n", tps, ticks / hz / n * 1e9 }'
}

# Both runs of a round, into the files "without.out" and "with.out".
both() { # ROUND
  if [ $(($1 % 2)) = 0 ]; then
    # Whoever comes second finds the machine as the first has left it: take turns.
    bench without "$port" >"$work/without.out"
    bench with $((port + 1)) >"$work/with.out"
  else
    bench with $((port + 1)) >"$work/with.out"
    bench without "$port" >"$work/without.out"
  fi
}

sleep 1 # the servers' own processes are all there
declare -A idle_children=([without]=$(children without) [with]=$(children with))
both 0
for round in $(seq "$rounds"); do
  both "$round"
  paste -d ' ' "$work/without.out" "$work/with.out" | tee -a "$work/rounds" |
    awk -v n="$round" '{ printf "round %2d  without %8.0f tps %7.0f ns   with %8.0f tps %7.0f ns   %+.2f %% tps %+.2f %% CPU\n", n, $1, $2, $3, $4, ($3 / $1 - 1) * 100, ($4 / $2 - 1) * 100 }'
done

# Median and quarters of the ratio of two columns, in per cent.
ratio() { # NAME WITHOUT WITH
  awk -v a="$2" -v b="$3" '{ print ($b / $a - 1) * 100 }' "$work/rounds" | sort -n |
    awk -v name="$1" '{ v[NR] = $1 } END {
      printf "%-28s median %+.2f %%, half of the rounds %+.2f to %+.2f %%, all %+.2f to %+.2f %%\n",
        name, (v[int((NR + 1) / 2)] + v[int((NR + 2) / 2)]) / 2,
        v[int(NR / 4) + 1], v[NR - int(NR / 4)], v[1], v[NR] }'
}
"$bin/postgres" --version
ratio "throughput" 1 3
ratio "CPU time per transaction" 2 4
