#!/usr/bin/env bash
# Compile the extension, warnings as errors, against every PostgreSQL found here
# (/usr/lib/postgresql/*/bin/pg_config, and PG_CONFIGS, a list of further ones).
set -euo pipefail
cd "$(dirname "$0")/../.."
tried=0
for pg_config in /usr/lib/postgresql/*/bin/pg_config ${PG_CONFIGS:-}; do
  # A client-only installation has pg_config and no server headers.
  [ -f "$("$pg_config" --includedir-server)/postgres.h" ] || continue
  copy=$(mktemp -d)
  trap 'rm -rf "$copy"' EXIT
  cp -r extension sql "$copy"/
  if [ -d tests/regress ]; then
    mkdir "$copy/tests"
    cp -r tests/regress "$copy/tests/"
  fi
  echo "matrix: $("$pg_config" --version)"
  make -C "$copy/extension" PG_CONFIG="$pg_config" clean >/dev/null
  make -C "$copy/extension" PG_CONFIG="$pg_config" -j"$(nproc)" >"$copy/log" 2>&1 ||
    { cat "$copy/log"; exit 1; }
  rm -rf "$copy"
  tried=$((tried + 1))
done
echo "matrix: $tried PostgreSQL versions, all compile"
