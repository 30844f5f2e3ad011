#!/bin/bash
# All tests of the extension, against a private copy of PostgreSQL.
#
#   tests/regress/run.sh [PG_CONFIG]
#
# Builds the extension, then runs the SQL tests with pg_regress, the Python tests
# next to this file and the short run of ../chaos, each on servers of their own.
# Touches nothing of the installed PostgreSQL.  As root the servers run as user
# postgres.
#
#   PGV_PREFIX   where to keep the private copy (default: made anew and removed)
#   PGV_JOBS     how many of the Python files at a time (2)
#   PGV_ONLY     run only this Python file or "sql"
#   PGV_RESULTS  copy the output of the SQL tests into this directory, to compare
#                it with expected/ and take it over
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
python=${PGV_PYTHON:-/usr/bin/python3}
work=$(mktemp -d /tmp/pgvalet-regress.XXXXXX)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

bin=$("$here/../../extension/private_prefix.sh" "${PGV_PREFIX:-$work/prefix}" "$@")
pg_regress=$(dirname "$("$bin/pg_config" --pgxs)")/../test/regress/pg_regress

as_server_user=()
if [ "$(id -u)" = 0 ]; then as_server_user=(setpriv --reuid=postgres --regid=postgres --init-groups); fi

# The servers' user cannot enter every checkout (/root), but it can enter this.
mkdir "$work/input"
cp -R "$here/sql" "$here/expected" "$here"/*.conf "$work/input/"
chmod -R a+rX "$work/input"

failed=()

# sql_tests CONFIGURATION TEST...: a server with it, and the tests one by one.
sql_tests() {
  local configuration=$1
  shift
  local out=$work/$configuration
  install -d -m 755 ${as_server_user[0]:+-o postgres} "$out"
  # A clean environment: libpq's variables would lead the tests elsewhere.
  if ! (cd "$out" && "${as_server_user[@]}" env -i PATH="$PATH" HOME="$out" LC_ALL=C.UTF-8 \
      "$pg_regress" --temp-instance="$out/instance" --temp-config="$work/input/$configuration.conf" \
      --bindir="$bin" --inputdir="$work/input" --outputdir="$out" --no-locale --encoding=UTF8 \
      --port=54199 "$@"); then
    failed+=("SQL tests with $configuration.conf")
    cat "$out/regression.diffs" 2>/dev/null || tail -n 50 "$out"/log/*.log || true
  fi
  if [ -n "${PGV_RESULTS:-}" ]; then cp "$out"/results/*.out "$PGV_RESULTS/"; fi
}

if [ "${PGV_ONLY:-sql}" = sql ]; then
  sql_tests pgvalet install update contract settings counters privileges application_name policy_tables
  sql_tests not_preloaded not_preloaded
fi

if [ "${PGV_ONLY:-}" != sql ]; then
  "$python" -c 'import psycopg' 2>/dev/null || {
    echo "run.sh: $python has no psycopg 3; on Debian: apt-get install python3-psycopg" >&2
    exit 1
  }
  mkdir "$work/python"
  # Each file has a server of its own, so as many run at a time as there are jobs; what a
  # file says is kept together.  The number of the job keeps the servers' ports apart.
  one_file() { # TEST
    if "$PGV_PYTHON" "$1" >"$PGV_OUT/$(basename "$1").log" 2>&1; then status=ok; else status=FAILED; fi
    {
      echo "# $(basename "$1")"
      cat "$PGV_OUT/$(basename "$1").log"
      [ $status = ok ] || echo "$(basename "$1")" >>"$PGV_OUT/failed"
    } >"$PGV_OUT/$(basename "$1").whole"
    flock "$PGV_OUT" cat "$PGV_OUT/$(basename "$1").whole"
  }
  export -f one_file
  printf '%s\0' "$here"/../chaos/test_*.py "$here"/test_*.py |
    if [ -n "${PGV_ONLY:-}" ]; then grep -z "/$PGV_ONLY\$"; else cat; fi |
    PGV_BIN=$bin PGV_PYTHON=$python PGV_OUT=$work/python \
      xargs -0 -P "${PGV_JOBS:-2}" --process-slot-var=PGV_JOB -I TEST bash -c 'one_file TEST'
  if [ -f "$work/python/failed" ]; then mapfile -t -O ${#failed[@]} failed <"$work/python/failed"; fi
fi

if [ ${#failed[@]} -gt 0 ]; then
  printf 'FAILED: %s\n' "${failed[@]}"
  exit 1
fi
echo "All tests of the extension passed ($("$bin/postgres" --version))."
