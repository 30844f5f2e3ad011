#!/usr/bin/env bash
# Remove .run/ and the folder it points to, unless something runs in it.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -d .run ] || exit 0
home=.run
[ ! -f .run/home ] || home=$(cat .run/home)
pidfile=$home/data/postmaster.pid
if [ -f "$pidfile" ] && kill -0 "$(head -1 "$pidfile")" 2>/dev/null; then
  echo "clean: .run/ is in use by \`make run\`; left alone"
  exit 0
fi
[ "$home" = .run ] || rm -rf -- "$home"
rm -rf .run
