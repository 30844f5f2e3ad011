#!/bin/bash
# Builds a PostgreSQL with assertions from Debian's source package and runs the
# tests of the extension on it.
#
#   tests/regress/assert_server.sh [FOLDER]      (default: /tmp/pgvalet-assert)
#
#   PGV_VALGRIND=1  runs the servers under valgrind: an hour instead of minutes; tests
#                   that depend on time may fail there, its complaints are what counts
#   PGV_ONLY        only this test, as for run.sh
#
# The server is configured with --enable-cassert, with UBSan, which aborts, and with
# valgrind's requests (memory that was given back counts as not there): they find what a
# release build survives by luck.  The extension is compiled with the same flags, which
# it takes from the server.
#
# FOLDER keeps the sources and the server for the next time.  Needs a Debian
# mirror, and root only if packages are missing.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-/tmp/pgvalet-assert}
major=${PGV_MAJOR:-15}
suite=${PGV_SUITE:-bookworm}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd -P)
say() { echo "assert_server: $*" >&2; }

# Fetches the newest source package that the mirror really has, through lists of its own.
fetch_source() {
  local mirror version
  mkdir -p "$folder"/apt/{lists/partial,cache/archives/partial,parts}
  mirror=$(cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null |
    awk '/^(URIs:|deb )/ { print $2; exit }') || true
  mirror=${PGV_MIRROR:-${mirror:-http://deb.debian.org/debian}}
  {
    echo "deb-src ${mirror%/} $suite main"
    echo "deb-src ${mirror%/}-security $suite-security main"
  } >"$folder/apt/sources.list"
  own_lists() {
    "$@" -o "Dir::Etc::SourceList=$folder/apt/sources.list" -o "Dir::Etc::SourceParts=$folder/apt/parts" \
      -o "Dir::State::Lists=$folder/apt/lists" -o "Dir::Cache=$folder/apt/cache"
  }
  own_lists apt-get update >/dev/null 2>&1 || true
  cd "$folder"
  for version in $(own_lists apt-cache showsrc "postgresql-$major" 2>/dev/null | awk '/^Version:/ { print $2 }' | sort -rV); do
    say "fetching postgresql-$major $version"
    own_lists apt-get source --download-only "postgresql-$major=$version" >/dev/null 2>&1 && break
  done
  tar xf postgresql-"$major"_*.orig.tar.*
}

build_server() {
  local missing=()
  for each in bison flex gcc make perl valgrind; do
    command -v "$each" >/dev/null || missing+=("$each")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    say "installing ${missing[*]}"
    apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
  fi
  ls -d "$folder"/postgresql-"$major".*/ >/dev/null 2>&1 || fetch_source
  cd "$folder"/postgresql-"$major".*/
  say "building in $PWD (log: $folder/build.log)"
  {
    ./configure --enable-cassert --enable-debug --without-icu --without-readline --without-zlib \
      --prefix="$folder/server" CPPFLAGS=-DUSE_VALGRIND CFLAGS='-Og -g -fno-omit-frame-pointer -fsanitize=undefined -fno-sanitize-recover=undefined'
    nice make -s -j"$(nproc)" install
    nice make -s -j"$(nproc)" -C contrib install
  } >"$folder/build.log" 2>&1 || { tail -n 30 "$folder/build.log" >&2; exit 1; }
  cp src/tools/valgrind.supp "$folder/server/"
  chmod -R a+rX "$folder"
}

[ -f "$folder/server/valgrind.supp" ] || build_server
export PGV_PREFIX=$folder/prefix
if [ -z "${PGV_VALGRIND:-}" ]; then exec "$here/run.sh" "$folder/server/bin/pg_config"; fi

# Under valgrind: a prefix of its own, whose postgres is a script.
export PGV_PREFIX=$folder/prefix-valgrind PGV_DEADLINE_S=${PGV_DEADLINE_S:-600}
bin=$("$here/../../extension/private_prefix.sh" "$PGV_PREFIX" "$folder/server/bin/pg_config")
logs=$folder/valgrind
rm -rf "$logs"
install -d -m 1777 "$logs"
if [ "$(head -c 2 "$bin/postgres")" != '#!' ]; then mv "$bin/postgres" "$bin/postgres.real"; fi
cat >"$bin/postgres" <<END
#!/bin/bash
# Made by assert_server.sh.  initdb's own servers run as they are.
case " \$* " in
  *" --single "* | *" --boot "* | *" --check "* | *" -C "* | *" -V "* | *" --version "*) exec "$bin/postgres.real" "\$@" ;;
esac
exec valgrind --quiet --vgdb=no --leak-check=no --num-callers=30 --gen-suppressions=all \\
  --suppressions="$folder/server/valgrind.supp" --suppressions="$folder/server.supp" --log-file="$logs/%p.log" "$bin/postgres.real" "\$@"
END
chmod 755 "$bin/postgres"

# The server's own: what hash aggregation spills has gaps that nobody reads.
cat >"$folder/server.supp" <<'END'
{
   gaps_of_spilled_tuples
   Memcheck:Param
   pwrite64(buf)
   ...
   fun:BufFileDumpBuffer
}
END

status=0
"$here/run.sh" "$folder/server/bin/pg_config" || status=1
say "$(find "$logs" -type f | wc -l) processes have run under valgrind"
find "$logs" -type f -empty -delete
found=$(grep -l '== *at 0x' "$logs"/*.log 2>/dev/null || true)
if [ -n "$found" ]; then
  # shellcheck disable=SC2086 # a list of files without odd characters
  sed 's/^==[0-9]*==//' $found | head -n 200
  say "valgrind has complained, see $logs"
  exit 1
fi
say "valgrind has not complained"
exit $status
