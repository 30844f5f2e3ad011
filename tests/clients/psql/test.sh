#!/usr/bin/env bash
# psql: twenty at once with scripts, variables, \copy, errors, and Ctrl-C.
set -euo pipefail
clients=${CLIENTS:-20}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sql() { psql -X -At -v ON_ERROR_STOP=1 "$@"; }
fail() { echo "$*" >&2; exit 1; }

sql -qc 'DROP TABLE IF EXISTS t_psql' -c 'CREATE TABLE t_psql (client int, note text)' 2>/dev/null
for n in $(seq 1000); do printf '%s\trow %s\n' 1 "$n"; done >"$work/rows"

cat >"$work/script.sql" <<'SQL'
\set QUIET on
BEGIN;
PREPARE add_one (int) AS SELECT $1 + 1 AS value;
EXECUTE add_one (41) \gset answer_
DEALLOCATE add_one;
SELECT pg_backend_pid() AS first \gset
INSERT INTO t_psql VALUES (:client, 'kept');
SELECT pg_backend_pid() = :first AS same \gset
COMMIT;
BEGIN;
INSERT INTO t_psql VALUES (:client, 'undone');
ROLLBACK;
\set ON_ERROR_STOP off
SELECT 1/0;
\set state :LAST_ERROR_SQLSTATE
BEGIN;
SELECT * FROM no_such_table;
SELECT 1;
\set in_failed :LAST_ERROR_SQLSTATE
ROLLBACK;
\set ON_ERROR_STOP on
\copy t_psql FROM 'rows'
\o out
\copy (SELECT * FROM t_psql WHERE note LIKE 'row%') TO 'copied'
\o
\echo :answer_value :same :state :in_failed
SQL

pids=()
for n in $(seq "$clients"); do
  mkdir "$work/$n"
  cp "$work/rows" "$work/$n/"
  (cd "$work/$n" && sql -v client="$n" -f ../script.sql >said 2>errors) &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "a psql failed: $(cat "$work"/*/errors | head -20)"; done
for n in $(seq "$clients"); do
  [ "$(cat "$work/$n/said")" = "42 t 22012 25P02" ] || fail "client $n said: $(cat "$work/$n/said")"
done
rows=$(sql -c 'SELECT count(*) FROM t_psql')
[ "$rows" = $((clients * 1001)) ] || fail "$rows rows at the end"

# Ctrl-C sends a cancel request.  Asked for again until psql has sent its query.
psql -X -c 'SELECT pg_sleep(60)' >/dev/null 2>"$work/cancelled" &
sleeper=$!
while [ "$(sql -c "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'")" = 0 ]; do
  kill -0 $sleeper || fail "the sleeping psql ended: $(cat "$work/cancelled")"
done
kill -INT $sleeper
if wait $sleeper; then fail "psql was not cancelled"; fi
grep -q 'canceling statement due to user request' "$work/cancelled" || fail "$(cat "$work/cancelled")"

sql -qc 'DROP TABLE t_psql'
