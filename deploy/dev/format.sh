#!/usr/bin/env bash
# format.sh fix|check: clang-format over the C++ sources, one pinned version.
# The extension's C follows PostgreSQL's own form and is left to pgindent.
set -euo pipefail
cd "$(dirname "$0")/../.."
mapfile -t sources < <(git ls-files --cached --others --exclude-standard \
  'agent/*.h' 'agent/*.cc' 'tests/*.h' 'tests/*.cc' 'proto/*.proto' | sort -u)
[ ${#sources[@]} -gt 0 ] || exit 0
case "${1:-check}" in
  fix) clang-format-14 -i "${sources[@]}" ;;
  check) clang-format-14 --dry-run --Werror "${sources[@]}" && echo "format: ${#sources[@]} files are in form" ;;
  *) echo "usage: format.sh fix|check" >&2; exit 2 ;;
esac
