#!/usr/bin/env bash
# pgbench: its three protocols, reading and writing, a pipeline, and scripts that use their session.
set -euo pipefail
clients=${CLIENTS:-20}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*" >&2; grep -v " - " "$work/log" >&2; exit 1; }

pgbench -i -q -s 1 >"$work/log" 2>&1 || fail "pgbench -i failed"
cat >"$work/pipeline.sql" <<'SQL'
\set n random(1, 1000)
\startpipeline
SELECT abalance FROM pgbench_accounts WHERE aid = :n;
SELECT bbalance FROM pgbench_branches WHERE bid = 1;
SELECT :n;
\endpipeline
SQL

# A thread for every client: pgbench prepares statements with a call that blocks,
# so a thread of several clients would wait for a server connection that its own
# other clients hold in open transactions.
run() {
  pgbench -n -c "$clients" -j "$clients" "$@" >"$work/log" 2>&1 || fail "pgbench $* failed"
  grep -q 'number of failed transactions: 0 ' "$work/log" || fail "pgbench $*: transactions failed"
}
for protocol in simple extended prepared; do
  run -M $protocol -S -t 200
  run -M $protocol -t 50
done
run -M extended -f "$work/pipeline.sql" -t 100
run -M prepared -f "$work/pipeline.sql" -t 100
run -M prepared -S -C -t 20

wrong=$(psql -X -At -c 'SELECT (SELECT sum(abalance) FROM pgbench_accounts) - (SELECT sum(delta) FROM pgbench_history)')
[ "$wrong" = 0 ] || fail "balances and history differ by $wrong"

# Scripts that check their own values: expect() raises an error.
psql -X -q -v ON_ERROR_STOP=1 <<'SQL'
SET client_min_messages = warning;
DROP TABLE IF EXISTS t_lock, t_serial;
DROP SEQUENCE IF EXISTS t_drawn;
CREATE OR REPLACE FUNCTION expect(got text, wanted text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF got IS DISTINCT FROM wanted THEN
    RAISE EXCEPTION 'got %, expected %', got, wanted;
  END IF;
END
$$;
CREATE TABLE t_lock AS SELECT key, -1 AS holder, 0 AS turns FROM generate_series(1, 4) key;
CREATE TABLE t_serial (id serial, client int);
CREATE SEQUENCE t_drawn;
SQL
scripts=$(dirname "$0")/scripts
for protocol in simple extended; do
  run -M $protocol -t 20 -f "$scripts/settings.sql" -f "$scripts/temporary.sql" \
    -f "$scripts/locks.sql" -f "$scripts/sequences.sql"
done
run -M prepared -t 20 -f "$scripts/locks.sql" -f "$scripts/sequences.sql"
run -M simple -t 20 -f "$scripts/prepare.sql"
psql -X -q -c 'DROP TABLE t_lock, t_serial; DROP SEQUENCE t_drawn; DROP FUNCTION expect'

psql -X -q -c 'DROP TABLE pgbench_accounts, pgbench_branches, pgbench_history, pgbench_tellers'
