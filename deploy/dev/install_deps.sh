#!/usr/bin/env bash
# Install the Debian packages that a target needs and that are missing.
#
#   install_deps.sh LIST...     LIST is a file of package names (packages.txt)
#
# Says what it installs.  Does nothing, at once, when all are there.  Needs root
# or sudo only when something is missing.  PG_CONFIG chooses the PostgreSQL
# major version; without it the one of this Debian release is taken.
set -euo pipefail

if ! command -v dpkg-query >/dev/null; then
  echo "deps: this is not a Debian system; please install what these lists name: $*" >&2
  exit 0
fi

pg_major() {
  if [ -n "${PG_CONFIG:-}" ] && command -v "$PG_CONFIG" >/dev/null; then
    "$PG_CONFIG" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/'
    return
  fi
  # shellcheck source=/dev/null
  case "$(. /etc/os-release && echo "${VERSION_ID:-}")" in
    13) echo 17 ;;
    *) echo 15 ;;
  esac
}

# Prints the packages of the given lists that are neither installed nor stood in for.
missing_packages() {
  local major package program
  major=$(pg_major)
  declare -A installed=()
  while read -r package; do installed[$package]=1; done < <(
    dpkg-query -W -f='${Package} ${db:Status-Status}\n' | sed -n 's/ installed$//p')
  declare -A seen=()
  while read -r package program _; do
    [ -n "$package" ] || continue
    package=${package//@PG_MAJOR@/$major}
    [ -z "${installed[$package]:-}${seen[$package]:-}" ] || continue
    [ -z "$program" ] || ! command -v "$program" >/dev/null || continue
    seen[$package]=1
    echo "$package"
  done < <(sed 's/#.*//' "$@")
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "deps: not root and no sudo here; please run as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o Dpkg::Use-Pty=0 \
    -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
    install -y -q --no-install-recommends -- "$@" </dev/null
}

apt_update() {
  echo "deps: reading the package lists (apt-get update)"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
    -o Acquire::Retries=3 update -q </dev/null
}

mapfile -t missing < <(missing_packages "$@")
[ ${#missing[@]} -gt 0 ] || exit 0

echo "deps: installing ${#missing[@]} Debian packages: ${missing[*]}"
if ! apt-cache show "${missing[@]}" >/dev/null 2>&1; then
  apt_update
fi
if ! apt_install "${missing[@]}"; then
  # Lists that are too old name packages the mirror no longer has.
  apt_update
  apt_install "${missing[@]}"
fi
echo "deps: done"
