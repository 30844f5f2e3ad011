#!/bin/bash
# All tests of the extension on the PostgreSQL versions that other Debian
# releases have: builds with -Werror and runs run.sh in a chroot of each.
#
#   tests/regress/matrix.sh [VERSION...]        (default: 17 18)
#
# 15 is Debian 12's own and needs no chroot: run.sh.  16 is in no Debian release.
# Needs root, debootstrap and a Debian mirror; the chroots (about 1.5 GB each)
# are kept in PGV_CHROOTS (/tmp/ext-chroots) for the next time.
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

# Runs a command inside a chroot; the mounts end with it.
inside() { # CHROOT COMMAND...
  unshare --mount --propagation private bash -c '
    set -e
    mount --rbind /dev "$1/dev"
    mount -t proc proc "$1/proc"
    exec chroot "$@"' inside "$@"
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

failed=()
for version in "${@:-17 18}"; do
  for one in $version; do
    chroot=$chroots/postgresql-$one
    [ -d "$chroot" ] || make_chroot "$one" "$chroot" || { failed+=("$one (no chroot)"); continue; }
    rm -rf "$chroot/pgvalet"
    mkdir -p "$chroot/pgvalet/tests"
    cp -R "$root/extension" "$root/sql" "$root/docs" "$chroot/pgvalet/"
    cp -R "$root/tests/regress" "$root/tests/chaos" "$chroot/pgvalet/tests/"
    echo "# PostgreSQL $one"
    inside "$chroot" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      /pgvalet/tests/regress/run.sh "/usr/lib/postgresql/$one/bin/pg_config" || failed+=("$one")
  done
done

if [ ${#failed[@]} -gt 0 ]; then
  printf 'FAILED: PostgreSQL %s\n' "${failed[@]}"
  exit 1
fi
