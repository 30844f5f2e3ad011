#!/bin/bash
# All tests of the extension on the PostgreSQL versions that other Debian
# releases have: builds with -Werror and runs run.sh in a chroot of each.
#
#   tests/regress/matrix.sh [VERSION...]        (default: 17 18)
#
# 15 is Debian 12's own and needs no chroot: run.sh.  16 is in no Debian release.
# Where that 15 is installed, and from each version to the next of the list,
# test_upgrade.py runs pg_upgrade too: the older programs are seen inside the
# newer one's chroot.
# Needs root, debootstrap and a Debian mirror; the chroots (about 1.5 GB each)
# are kept in PGV_CHROOTS (/tmp/ext-chroots) for the next time.  PGV_ONLY is as in
# run.sh.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
chroots=${PGV_CHROOTS:-/tmp/ext-chroots}
mirror=${PGV_MIRROR:-http://deb.debian.org/debian}

[ "$(id -u)" = 0 ] || { echo "matrix.sh: needs root, for debootstrap and chroot" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "matrix.sh: apt-get install debootstrap" >&2; exit 1; }

suite_of() { # VERSION
  case $1 in
    15) echo bookworm ;;
    17) echo trixie ;;
    18) echo forky ;;
    *) echo "matrix.sh: no Debian release has PostgreSQL $1" >&2; return 1 ;;
  esac
}

# Another version whose programs are to be seen inside: its number and its root.
older=
older_root=

# Runs a command inside a chroot; the mounts end with it.
inside() { # CHROOT COMMAND...
  OLDER=$older OLDER_ROOT=$older_root unshare --mount --propagation private bash -c '
    set -e
    mount --rbind /dev "$1/dev"
    mount -t proc proc "$1/proc"
    if [ -n "$OLDER" ]; then
      for each in "usr/lib/postgresql/$OLDER" "usr/share/postgresql/$OLDER"; do
        mkdir -p "$1/$each"
        mount --bind "$OLDER_ROOT/$each" "$1/$each"
      done
    fi
    exec chroot "$@"' inside "$@"
}

# The tests shall not see the environment out here.
clean=(env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PGV_ONLY="${PGV_ONLY:-}")

# Where the older server with the extension is, and the libraries that it needs.
older_prefix=/tmp/pgvalet-older

# Copies what the older programs need and a newer Debian has only under other names.
copy_libraries() { # CHROOT PROGRAM...
  local chroot=$1 name missing
  shift
  while true; do
    missing=$(inside "$chroot" env LD_LIBRARY_PATH=$older_prefix/lib ldd "$@" | awk '/not found/ { print $1 }' | sort -u)
    [ -n "$missing" ] || return 0
    for name in $missing; do
      cp -L "$(find "$older_root/usr/lib" -path '*/postgresql/*' -prune -o -name "$name" -print -quit)" \
        "$chroot$older_prefix/lib/$name" || return 1
    done
  done
}

# pg_upgrade from an older version, whose root is / or another chroot.
upgrade_from() { # OLDER OLDER_ROOT VERSION CHROOT
  local version=$3 chroot=$4 script=extension/private_prefix.sh make_prefix bin
  echo "# pg_upgrade from PostgreSQL $1 to $version"
  # Built where it can be, used under the same path.
  rm -rf "$2$older_prefix" "$chroot$older_prefix"
  if [ "$2" = / ]; then make_prefix=("$root/$script"); else make_prefix=(inside "$2" "${clean[@]}" "/pgvalet/$script"); fi
  bin=$("${make_prefix[@]}" $older_prefix "/usr/lib/postgresql/$1/bin/pg_config") || return 1
  cp -a "$2$older_prefix" "$chroot$older_prefix"
  rm -rf "$2$older_prefix"
  mkdir "$chroot$older_prefix/lib"
  older=$1 older_root=${2%/}
  copy_libraries "$chroot" "$bin/postgres" "$bin/initdb" || return 1
  inside "$chroot" "${clean[@]}" LD_LIBRARY_PATH=$older_prefix/lib PGV_OLD_BIN="$bin" PGV_ONLY=test_upgrade.py \
    /pgvalet/tests/regress/run.sh "/usr/lib/postgresql/$version/bin/pg_config"
}

make_chroot() { # VERSION CHROOT
  local suite
  suite=$(suite_of "$1")
  echo "# making a chroot of Debian $suite with PostgreSQL $1" >&2
  rm -rf "$2.new"
  mkdir -p "$chroots"
  # All Debian suites use the same script; an older debootstrap lacks the name.
  debootstrap --variant=minbase "$suite" "$2.new" "$mirror" /usr/share/debootstrap/scripts/sid >"$2.log" 2>&1 || { tail "$2.log" >&2; return 1; }
  # The package shall neither make nor start a cluster.
  mkdir -p "$2.new/etc/postgresql-common"
  echo 'create_main_cluster = false' >"$2.new/etc/postgresql-common/createcluster.conf"
  printf '#!/bin/sh\nexit 101\n' >"$2.new/usr/sbin/policy-rc.d"
  chmod +x "$2.new/usr/sbin/policy-rc.d"
  cp /etc/resolv.conf "$2.new/etc/resolv.conf"
  inside "$2.new" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
    -o Dpkg::Options::=--force-confold install --no-install-recommends \
    "postgresql-$1" "postgresql-server-dev-$1" make gcc libc6-dev python3-psycopg \
    >>"$2.log" 2>&1 || { tail "$2.log" >&2; return 1; }
  mv "$2.new" "$2"
}

# Brings a chroot to the newest packages, once a day: pg_upgrade wants minor releases
# of the same time, and those come as security updates.
refresh_chroot() { # VERSION CHROOT
  local suite
  suite=$(suite_of "$1")
  if [ -n "$(find "$2/var/lib/pgvalet-refreshed" -mtime -1 2>/dev/null)" ]; then return; fi
  echo "deb ${mirror}-security $suite-security main" >"$2/etc/apt/sources.list.d/security.list"
  inside "$2" apt-get -q update >>"$2.log" 2>&1 || true # testing may have no such suite
  inside "$2" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Options::=--force-confold upgrade \
    >>"$2.log" 2>&1 || { tail "$2.log" >&2; return 1; }
  touch "$2/var/lib/pgvalet-refreshed"
}

failed=()
versions=()
for each in "${@:-17 18}"; do
  # shellcheck disable=SC2206 # a list of numbers
  versions+=($each)
done

previous=()
if [ -f "$(/usr/lib/postgresql/15/bin/pg_config --pgxs 2>/dev/null)" ]; then previous=(15 /); fi
for one in "${versions[@]}"; do
  chroot=$chroots/postgresql-$one
  [ -d "$chroot" ] || make_chroot "$one" "$chroot" || { failed+=("$one (no chroot)"); continue; }
  refresh_chroot "$one" "$chroot" || { failed+=("$one (old chroot)"); continue; }
  rm -rf "$chroot/pgvalet"
  mkdir -p "$chroot/pgvalet/tests"
  cp -R "$root/extension" "$root/sql" "$root/docs" "$chroot/pgvalet/"
  cp -R "$root/tests/regress" "$root/tests/chaos" "$chroot/pgvalet/tests/"
  echo "# PostgreSQL $one"
  inside "$chroot" "${clean[@]}" \
    /pgvalet/tests/regress/run.sh "/usr/lib/postgresql/$one/bin/pg_config" || failed+=("$one")
  if [ ${#previous[@]} -gt 0 ]; then
    # A subshell, which forgets what is older again.
    (upgrade_from "${previous[@]}" "$one" "$chroot") || failed+=("$one, pg_upgrade from ${previous[0]}")
  fi
  previous=("$one" "$chroot")
done

if [ ${#failed[@]} -gt 0 ]; then
  printf 'FAILED: PostgreSQL %s\n' "${failed[@]}"
  exit 1
fi
