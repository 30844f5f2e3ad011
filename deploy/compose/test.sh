#!/usr/bin/env bash
# Proves docker-compose.yml: builds it with a real engine, starts it, and is its client from outside
# the containers.
#
#   make test-compose            on a bare machine, as root: starts an engine of its own
#   BASE_IMAGE=debian:12 ...     build on that image instead of a debootstrapped one
#   BUILD=0 ...                  test the images that the engine has
#   KEEP=1 ...                   leave images and engine data for the next run
#   WORK=DIR ...                 where all of it lies, default /tmp/pgvalet-compose
#
# Every check is a claim; its name is printed.  The last line is "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2

readonly here=deploy/compose
work=${WORK:-/tmp/pgvalet-compose}
readonly project=pgvalet-test
passed=0
failed=0

say() { echo "test-compose: $*"; }

fail() {
  say "$*" >&2
  exit 1
}

# wait_until SECONDS COMMAND...: true as soon as the command is.
wait_until() {
  local until=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$until" ] || return 1
    sleep 0.5
  done
}

# check "claim" COMMAND...
check() {
  local claim=$1 output
  shift
  if output=$("$@" 2>&1); then
    passed=$((passed + 1))
    echo "  ok    $claim"
  else
    failed=$((failed + 1))
    echo "  FAIL  $claim"
    printf '%s\n' "${output:-(no output)}" | tail -n 20 | sed 's/^/          /'
  fi
}

contains() {
  [[ $1 == *"$2"* ]] || {
    echo "expected: $2"
    echo "got: $1"
    return 1
  }
}

# shellcheck source=deploy/compose/engine.sh
source $here/engine.sh

# ---- what is tested ----

compose_files=(-f docker-compose.yml -f "$here/test.yml")
has_ipv6() { [ -n "$(cat /proc/net/if_inet6 2>/dev/null)" ]; }
! has_ipv6 || compose_files+=(-f "$here/test-ipv6.yml")

compose() { "${compose_program[@]}" "${compose_files[@]}" -p $project --profile monitoring "$@"; }
container() { compose ps -q "$1" | head -n 1; }
state() { docker inspect --format "$2" "$(container "$1")"; }
healthy() { [ "$(state "$1" '{{.State.Health.Status}}' 2>/dev/null)" = healthy ]; }
ip_of() { state "$1" "{{range .NetworkSettings.Networks}}{{.$2}}{{end}}"; }

free_ports() {
  python3 -c 'import socket
sockets = [socket.socket() for _ in range(5)]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in sockets])'
}

# The clients.  The password goes by the environment, which other users cannot read.
as_app() {
  local port=$1
  shift
  PGPASSWORD=$password PGCONNECT_TIMEOUT=15 psql -XAtq -v ON_ERROR_STOP=1 \
    "host=127.0.0.1 port=$port user=app dbname=app" "$@"
}
pooled() { as_app "$POOL_PORT" "$@"; }
direct() { as_app "$DB_PORT" "$@"; }
web() { curl -gsS --max-time 10 "http://127.0.0.1:$HTTP_PORT$1"; }

# refused PORT USER PASSWORD EXPECTED-TEXT
refused() {
  local output
  output=$(PGPASSWORD=$3 PGCONNECT_TIMEOUT=15 psql -XAtq -w \
    "host=127.0.0.1 port=$1 user=$2 dbname=app" -c 'SELECT 1' 2>&1) && {
    echo "was let in"
    return 1
  }
  contains "$output" "$4"
}

# ---- claims ----

no_privileges() {
  local status
  status=$(docker exec "$(container "$1")" sed -n '/^Uid\|^CapEff\|^CapBnd\|^NoNewPrivs/p' /proc/1/status)
  [[ $status != *$'Uid:\t0'* ]] && contains "$status" $'CapEff:\t0000000000000000' &&
    contains "$status" $'CapBnd:\t0000000000000000' && contains "$status" $'NoNewPrivs:\t1'
}

root_is_read_only() {
  local output
  output=$(docker exec "$(container "$1")" touch /etc/pgvalet/x 2>&1)
  contains "$output" "Read-only file system"
}

only_on_loopback() {
  local bound
  bound=$(docker inspect --format \
    '{{range .NetworkSettings.Ports}}{{range .}}{{.HostIp}} {{end}}{{end}}' "$(container "$1")")
  echo "bound to: $bound"
  [ -n "$bound" ] && [ -z "${bound//127.0.0.1 /}" ]
}

# Leaves nothing but the libraries: no compiler came along from the build.
agent_image_is_small() {
  ! docker run --rm --entrypoint sh pgvalet-agent -c 'command -v g++ gcc cmake ninja make'
}

secret_is_nowhere() {
  local text
  text=$(compose logs 2>&1; docker inspect "$(container db)" "$(container agent)")
  contains "$text" "pgvaletd" && [[ $text != *"$password"* ]]
}

server_connections_are_the_agents() {
  contains "$(pooled -c "SELECT connection_kind FROM pgvalet.backends WHERE pid = pg_backend_pid()")" agent &&
    contains "$(direct -c "SELECT connection_kind FROM pgvalet.backends WHERE pid = pg_backend_pid()")" direct
}

twenty_clients_are_connected() {
  [ "$(web /metrics | awk '$1 == "pgvalet_agent_clients" { print $2 + 0 }')" -ge 20 ]
}

# All log in, wait until all have, and then run transactions at the same time.
twenty_clients_on_five_connections() {
  local i clients=() status=0 backends
  rm -f "$work"/go "$work"/client.*
  {
    # shellcheck disable=SC2016
    echo '\! while [ ! -e "$GO" ]; do sleep 0.1; done'
    for i in $(seq 10); do echo 'BEGIN; SELECT pg_backend_pid() FROM pg_sleep(0.02); COMMIT;'; done
  } >"$work/script.sql"
  for i in $(seq 20); do
    GO=$work/go pooled -f "$work/script.sql" >"$work/client.$i" 2>&1 &
    clients+=($!)
  done
  wait_until 60 twenty_clients_are_connected || { echo "not all are connected"; status=1; }
  touch "$work/go"
  for i in "${clients[@]}"; do wait "$i" || status=1; done
  cat "$work"/client.* | grep -vxE '[0-9]+' && status=1
  [ "$(cat "$work"/client.* | wc -l)" = 200 ] || { echo "not 200 transactions"; status=1; }
  backends=$(sort -u "$work"/client.* | wc -l)
  if [ "$backends" -lt 2 ] || [ "$backends" -gt 5 ]; then
    echo "$backends backends"
    status=1
  fi
  return $status
}

# The agent's own command, in a container that is not one of those under test.
command_line_shows_status() {
  local page
  page=$(docker run --rm --network host --read-only --cap-drop ALL --entrypoint pgvalet \
    pgvalet-agent --address "127.0.0.1:$GRPC_PORT" status) || { echo "$page"; return 1; }
  contains "$page" app
}

metrics_hold_the_extension() {
  local page
  page=$(web /metrics) && contains "$page" "pgvalet_extension_available 1" &&
    contains "$page" 'user="app"'
}

ready() { [ "$(curl -gsS -o /dev/null -w '%{http_code}' --max-time 10 "http://127.0.0.1:$HTTP_PORT/readyz")" = 200 ]; }

ipv6_reaches_every_port() {
  local db agent
  db=$(ip_of db GlobalIPv6Address)
  agent=$(ip_of agent GlobalIPv6Address)
  export PGPASSWORD=$password
  psql -XAtq "host=$db port=5432 user=app dbname=app" -c 'SELECT 1' &&
    psql -XAtq "host=$agent port=6543 user=app dbname=app" -c 'SELECT 1' &&
    $here/grpc_probe.py "[$agent]:6544" && curl -gsSf "http://[$agent]:6545/readyz"
}

# One client session: a query, the server restarts, a query.
client_outlives_a_restart_of_the_server() {
  local before output
  before=$(state agent '{{.State.StartedAt}}')
  output=$(DB=$(container db) pooled <<'SQL'
SELECT 'before';
\! docker restart "$DB" >/dev/null
SELECT 'after';
SQL
  )
  contains "$output" before && contains "$output" after &&
    contains "$(state agent '{{.State.StartedAt}}')" "$before"
}

# A client waits for the server to come back, but no longer than query_wait_timeout.
without_a_server_the_agent_says_so() {
  local output
  compose stop db
  ready || { echo "not ready"; return 1; }
  output=$(PGPASSWORD=$password timeout 60 psql -XAtq \
    "host=127.0.0.1 port=$POOL_PORT user=app dbname=app" -c 'SELECT 1' 2>&1)
  contains "$output" "FATAL:"
}

server_comes_back() {
  compose start db && wait_until 60 healthy db && wait_until 30 pooled -c 'SELECT 1'
}

# The transaction that is open when the agent is told to stop ends as its client wants.
stop_lets_a_transaction_end() {
  local client
  rm -f "$work/drain"
  pooled >"$work/drain" 2>&1 <<'SQL' &
CREATE TABLE IF NOT EXISTS kept (what text);
BEGIN;
INSERT INTO kept VALUES ('drained');
SELECT 'inside';
SELECT pg_sleep(3);
COMMIT;
SELECT 'committed';
SQL
  client=$!
  wait_until 30 grep -q inside "$work/drain" && compose stop agent && wait $client
  contains "$(cat "$work/drain")" committed && contains "exit $(state agent '{{.State.ExitCode}}')" "exit 0" &&
    contains "$(direct -c 'SELECT what FROM kept')" drained
}

data_outlives_the_containers() {
  compose down && up && contains "$(pooled -c 'SELECT what FROM kept')" drained
}

# Not up --build: that would build what Prometheus depends on, too.
monitoring() { compose build prometheus && compose up -d prometheus; }

prometheus_sees() {
  curl -gs --max-time 10 --get "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/query" \
    --data-urlencode "query=$1" | grep -q '"value":\[[0-9.]*,"1"\]'
}

other_major_version_is_refused() {
  local output
  output=$(docker run --rm -e PG_MAJOR=99 -v ${project}_db-data:/var/lib/postgresql \
    "pgvalet-db:${PG_MAJOR:-15}" 2>&1) && return 1
  contains "$output" "this image is 99"
}

password_is_generated() {
  local generated db
  compose down -v && APP_PASSWORD_FILE='' compose up -d db && wait_until 120 healthy db || return 1
  db=$(container db)
  generated=$(docker exec "$db" cat /var/lib/postgresql/app_password)
  [ ${#generated} -ge 32 ] &&
    refused "$DB_PORT" app "$password" "password authentication failed" &&
    contains "$(password=$generated direct -c 'SELECT current_user')" app &&
    [[ $(docker logs "$db" 2>&1) != *"$generated"* ]]
}

nothing_is_left() {
  compose down -v
  [ -z "$(docker ps -aq --filter label=com.docker.compose.project=$project)" ] &&
    [ -z "$(docker volume ls -q --filter label=com.docker.compose.project=$project)" ] &&
    [ -z "$(docker network ls -q --filter label=com.docker.compose.project=$project)" ]
}

# ---- the run ----

up() { compose up -d db agent && wait_until 120 healthy db && wait_until 120 healthy agent; }

finish() {
  local status=$?
  trap '' INT TERM
  if engine_answers && [ ${#compose_program[@]} -gt 0 ]; then
    compose logs --no-color >"$work/containers.log" 2>&1
    compose down -v >/dev/null 2>&1
  fi
  engine_stop
  rm -rf "$work/secrets"
  exit "$status"
}

run_checks() {
  local service
  say "building images (minutes)"
  check "the images are built" build
  [ $failed = 0 ] || return
  check "both containers become healthy" up
  [ $failed = 0 ] || return
  for service in db agent; do
    check "$service: not root, no capability, none to be had" no_privileges $service
    check "$service: the root file system is read-only" root_is_read_only $service
    check "$service: ports are open on loopback only" only_on_loopback $service
  done
  check "the agent's image has no compiler" agent_image_is_small
  check "the server lets app in with the password of the secret" contains "$(direct -c 'SELECT 40 + 2')" 42
  check "the agent lets app in with the same password" contains "$(pooled -c 'SELECT 40 + 2')" 42
  check "the server refuses a wrong password" \
    refused "$DB_PORT" app wrong "password authentication failed"
  check "the agent refuses a wrong password" \
    refused "$POOL_PORT" app wrong "password authentication failed"
  check "the agent refuses a role that does not exist" \
    refused "$POOL_PORT" nobody "$password" "password authentication failed"
  check "the agent lets no superuser in" \
    refused "$POOL_PORT" postgres "$password" "password authentication failed"
  check "the agent lets nobody in under its own name" \
    refused "$POOL_PORT" pgvalet "$password" "password authentication failed"
  check "the server lets the agent's role in by its socket only" \
    refused "$DB_PORT" pgvalet "$password" "pg_hba.conf rejects"
  check "the extension tells the agent's connections from direct ones" server_connections_are_the_agents
  check "20 clients share 5 server connections, transaction by transaction" \
    twenty_clients_on_five_connections
  check "gRPC answers: health and a snapshot" $here/grpc_probe.py "127.0.0.1:$GRPC_PORT"
  check "pgvalet status works from another container" command_line_shows_status
  check "/readyz says 200" ready
  check "/healthz answers" web /healthz
  check "/metrics shows the pool and the extension" wait_until 15 metrics_hold_the_extension
  ! has_ipv6 || check "all four ports answer over IPv6" ipv6_reaches_every_port
  check "a client session outlives a restart of the server" client_outlives_a_restart_of_the_server
  check "without a server the agent stays ready, and tells clients that have waited long enough" \
    without_a_server_the_agent_says_so
  check "the agent recovers when the server comes back" server_comes_back
  check "a stop of the agent lets an open transaction end" stop_lets_a_transaction_end
  check "the data outlives the containers" data_outlives_the_containers
  check "the password is in no log and in no setting of a container" secret_is_nowhere
  check "the profile monitoring starts Prometheus" monitoring
  check "Prometheus becomes healthy" wait_until 60 healthy prometheus
  check "prometheus: not root, no capability, none to be had" no_privileges prometheus
  check "Prometheus scrapes the agent" wait_until 60 prometheus_sees 'up{job="pgvalet"}'
  check "Prometheus knows what the extension says" wait_until 60 prometheus_sees pgvalet_extension_available
  check "data of another major version are refused" other_major_version_is_refused
  check "without a password one is generated, and is in no log" password_is_generated
  check "down -v leaves nothing" nothing_is_left
}

build() { [ "${BUILD:-1}" = 0 ] || compose build db agent; }

main() {
  mkdir -p "$work"
  deploy/dev/install_deps.sh $here/packages.txt || fail "packages are missing"
  if docker compose version >/dev/null 2>&1; then
    compose_program=(docker compose)
  else
    compose_program=(docker-compose)
    # Its own way to build; the other one needs a plugin that Debian does not have.
    export COMPOSE_DOCKER_CLI_BUILD=0
  fi
  trap finish EXIT
  trap 'exit 130' INT TERM
  engine_start
  base_image

  # The directory keeps others out, so that the container's user may read the file.
  install -d -m 700 "$work/secrets"
  password=$(od -An -v -N 16 -t x1 /dev/urandom | tr -d ' \n')
  printf '%s\n' "$password" >"$work/secrets/app_password"
  chmod 444 "$work/secrets/app_password"
  export APP_PASSWORD_FILE=$work/secrets/app_password
  read -r DB_PORT POOL_PORT GRPC_PORT HTTP_PORT PROMETHEUS_PORT < <(free_ports)
  export DB_PORT POOL_PORT GRPC_PORT HTTP_PORT PROMETHEUS_PORT

  run_checks
  echo "$passed passed, $failed failed"
  [ $failed = 0 ]
}

compose_program=()
main "$@"
