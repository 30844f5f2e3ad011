#!/usr/bin/env bash
# Fetches Debian's source package of PostgreSQL 15 and builds from it what its own test suites need:
# pg_regress, the isolation tester, psql.  Prints the source folder.
#
#   source.sh FOLDER
#
# Needs Debian 12's package mirror, a few hundred MB and minutes, once.  Touches nothing outside of
# FOLDER but for packages that have to be installed.
set -euo pipefail
folder=$(mkdir -p "${1:?folder}" && cd "$1" && pwd)
say() { echo "suite: $*" >&2; }

if [ ! -x "$folder/bin/psql" ]; then
  say "installing what building needs: bison flex gcc make libreadline-dev zlib1g-dev"
  apt-get install -y -q --no-install-recommends bison flex gcc make libreadline-dev zlib1g-dev >&2
  mkdir -p "$folder"/apt/{lists/partial,cache/archives/partial,parts} "$folder/bin"
  # Either file may be missing, and then cat fails.
  mirror=$(cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null |
    awk '/^(URIs:|deb )/ { print $2; exit }') || true
  {
    echo "deb-src ${mirror%/} bookworm main"
    echo "deb-src ${mirror%/}-security bookworm-security main"
  } >"$folder/apt/sources.list"
  apt() {
    "$@" -o "Dir::Etc::SourceList=$folder/apt/sources.list" -o "Dir::Etc::SourceParts=$folder/apt/parts" \
      -o "Dir::State::Lists=$folder/apt/lists" -o "Dir::Cache=$folder/apt/cache"
  }
  cd "$folder"
  say "fetching the source package of postgresql-15"
  apt apt-get update >/dev/null 2>&1 || true
  # The newest that the mirror really has.
  for version in $(apt apt-cache showsrc postgresql-15 2>/dev/null | awk '/^Version:/ { print $2 }'); do
    apt apt-get source --download-only "postgresql-15=$version" >/dev/null 2>&1 && break
  done
  tar xf postgresql-15_*.orig.tar.*
  cd postgresql-15.*/
  say "building in $PWD (log: $folder/build.log)"
  {
    ./configure --without-icu --prefix="$folder/inst"
    make -C src/backend generated-headers
    make -C src/test/regress
    make -C src/test/isolation
    make -C src/bin/psql
  } >"$folder/build.log" 2>&1
  cp src/bin/psql/psql "$folder/bin/"
  chmod -R a+rX "$folder"
fi
cd "$folder"/postgresql-15.*/
pwd
