#!/usr/bin/env bash
# Starts PostgreSQL in its container; the first time it makes the cluster in the volume.
#
# The password of APP_USER is taken from APP_PASSWORD_FILE.  If that is empty, one is generated and
# kept beside the cluster, in a file that only the server's user can read.
set -euo pipefail

readonly data=/var/lib/postgresql
readonly generated=$data/app_password
export PGDATA=$data/$PG_MAJOR

fail() {
  echo "db-entrypoint: $*" >&2
  exit 1
}

# A new major version beside an old cluster would look like lost data.
refuse_other_major() {
  local file
  for file in "$data"/*/PG_VERSION; do
    [ -e "$file" ] || continue
    [[ $file == *.new/PG_VERSION ]] ||
      fail "the volume holds data of PostgreSQL $(<"$file"), this image is $PG_MAJOR:" \
        "bring it over with pg_upgrade or pg_dump, or use another volume"
  done
}

# Prints the name of a file that holds the password.
password_file() {
  local given=${APP_PASSWORD_FILE:-}
  if [ -n "$given" ]; then
    [ -r "$given" ] || fail "cannot read $given: user number $(id -u) must be able to"
    if [ -n "$(<"$given")" ]; then
      echo "$given"
      return
    fi
  fi
  if [ ! -s "$generated" ]; then
    (umask 077 && od -An -v -N 24 -t x1 /dev/urandom | tr -d ' \n' >"$generated.new")
    mv "$generated.new" "$generated"
    echo "db-entrypoint: no password given, one is generated: $generated" >&2
  fi
  echo "$generated"
}

# The cluster appears under its name when it is complete, so a start that is interrupted starts over.
make_cluster() {
  local new=$PGDATA.new password
  password=$(password_file)
  rm -rf "$new"
  initdb --pgdata="$new" --username=postgres --encoding=UTF8 --locale=C.UTF-8 --data-checksums \
    --auth=reject --no-instructions
  echo "include '/etc/pgvalet/postgresql.conf'" >>"$new/postgresql.conf"
  # Not yet where clients or the health check would find it.
  pg_ctl --pgdata="$new" --wait --silent \
    --options="-c listen_addresses= -c unix_socket_directories=/tmp" start
  # A statement that fails must not write the password to the log.
  PGOPTIONS='-c log_min_error_statement=panic' APP_PASSWORD_FILE=$password \
    psql --host=/tmp --username=postgres --dbname=postgres --no-psqlrc --quiet \
    --set=ON_ERROR_STOP=1 --file=/etc/pgvalet/db-init.sql
  pg_ctl --pgdata="$new" --wait --silent --mode=fast stop
  mv "$new" "$PGDATA"
  sync
}

if [ "${1:-}" = postgres ] && [ ! -e "$PGDATA/PG_VERSION" ]; then
  refuse_other_major
  make_cluster
fi
exec "$@"
