#!/bin/sh
# Makes a private copy of an installed PostgreSQL, with pgvalet in it.
#
#   extension/private_prefix.sh PREFIX [PG_CONFIG]
#
# Prints the directory of the copy's programs (initdb, postgres, psql, ...) on
# standard output, and nothing else there; progress goes to standard error.
# The installed PostgreSQL is only read, so no root is needed.  A second call
# with unchanged sources and an unchanged server does nothing but print.
#
# How: PostgreSQL finds its libraries and its shared files relative to the
# place of the running program.  PREFIX gets the installed tree's own layout
# (PREFIX/usr/lib/postgresql/15/bin, ...); programs are copied, because the
# server resolves symbolic links before it looks around, everything else is
# linked, and `make install DESTDIR=PREFIX` adds the extension.
#
# PG_CONFIG: argument, else the environment's, else the newest
# /usr/lib/postgresql/*/bin/pg_config that can build extensions, else pg_config.
set -eu

say() { echo "private_prefix: $*" >&2; }
die() { say "$*"; exit 1; }

find_pg_config() {
  for candidate in $(ls -d /usr/lib/postgresql/*/bin/pg_config 2>/dev/null | sort -t/ -k5 -rn); do
    if [ -f "$("$candidate" --pgxs)" ]; then
      echo "$candidate"
      return
    fi
  done
  command -v pg_config || die "no pg_config found; on Debian: apt-get install postgresql-server-dev-all"
}

# Links every entry of an installed directory into the copy, leaving out the
# names given after the two directories.
link_entries() {
  from=$1 to=$2
  shift 2
  mkdir -p "$to"
  for entry in "$from"/*; do
    name=$(basename "$entry")
    for skip in "$@"; do
      if [ "$name" = "$skip" ]; then continue 2; fi
    done
    ln -sfn "$entry" "$to/$name"
  done
}

[ $# -ge 1 ] && [ $# -le 2 ] || die "usage: private_prefix.sh PREFIX [PG_CONFIG]"
here=$(cd "$(dirname "$0")" && pwd)
pg_config=${2:-${PG_CONFIG:-$(find_pg_config)}}
umask 022
mkdir -p "$1"
prefix=$(cd "$1" && pwd -P)

bin=$("$pg_config" --bindir)
lib=$("$pg_config" --pkglibdir)
share=$("$pg_config" --sharedir)
[ -x "$bin/postgres" ] || die "no server in $bin (of $pg_config)"
[ -f "$("$pg_config" --pgxs)" ] || die "$pg_config has no PGXS; on Debian: apt-get install postgresql-server-dev-$(basename "$(dirname "$bin")")"

# One builder at a time: several test runs may share a prefix.
exec 9>"$prefix/.lock"
flock 9

stamp=$(
  {
    "$pg_config" --version --bindir
    ls -l --time-style=+%s "$bin/postgres"
    find "$here/Makefile" "$here/pgvalet.control" "$here/private_prefix.sh" "$here/src" "$here/../sql" -name '*.o' -prune -o -type f -print | LC_ALL=C sort | xargs cat
  } | sha256sum
)
if [ "$stamp" = "$(cat "$prefix/.stamp" 2>/dev/null)" ]; then
  echo "$prefix$bin"
  exit 0
fi

say "building pgvalet for $("$pg_config" --version) in $prefix"
rm -rf "$prefix/.stamp" "$prefix/.build" "${prefix:?}$bin" "${prefix:?}$lib" "${prefix:?}$share"
mkdir -p "$prefix/.build/extension"
cp -R "$here/Makefile" "$here/pgvalet.control" "$here/src" "$prefix/.build/extension/"
find "$prefix/.build/extension" \( -name '*.o' -o -name '*.bc' -o -name 'pgvalet--*.sql' \) -delete
cp -R "$here/../sql" "$prefix/.build/sql"

mkdir -p "$prefix$bin"
cp -L "$bin"/* "$prefix$bin/"
link_entries "$lib" "$prefix$lib" pgvalet.so
link_entries "$share" "$prefix$share" extension
link_entries "$share/extension" "$prefix$share/extension" pgvalet.control
rm -f "$prefix$share"/extension/pgvalet--*.sql "$prefix$lib/pgvalet.so"

# The Makefile's install may not write through a linked directory.
[ ! -L "$prefix$lib" ] && [ ! -L "$prefix$share/extension" ] || die "internal error: linked directory"
# shellcheck disable=SC2086 # MAKEFLAGS_FOR_EXTENSION is a list of words
env -u MAKEFLAGS -u MAKELEVEL make -C "$prefix/.build/extension" --no-print-directory \
  PG_CONFIG="$pg_config" DESTDIR="$prefix" ${MAKEFLAGS_FOR_EXTENSION:-} all install >"$prefix/.build/log" 2>&1 || {
  tail -n 40 "$prefix/.build/log" >&2
  die "the extension does not build"
}

echo "$stamp" >"$prefix/.stamp"
chmod -R a+rX "$prefix"
echo "$prefix$bin"
