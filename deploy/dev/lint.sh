#!/usr/bin/env bash
# lint.sh BUILD: clang-tidy over the agent (few checks, all errors: .clang-tidy),
# cppcheck, shellcheck and pyflakes over the scripts.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$1
[ -f "$build/compile_commands.json" ] || cmake -S agent -B "$build" -G Ninja >/dev/null
# Generated protobuf headers must exist before a source that includes them is read.
ninja -C "$build" pgvalet_proto >/dev/null

status=0
step() {
  echo "lint: $1"
  shift
  "$@" || status=1
}

mapfile -t sources < <(git ls-files 'agent/*.cc')
mapfile -t scripts < <(git ls-files '*.sh' .ci/run)
mapfile -t pythons < <(git ls-files '*.py')
tidy() {
  printf '%s\0' "${sources[@]}" | xargs -0 -n 4 -P "$(nproc)" clang-tidy-14 --quiet -p "$build"
}
step "clang-tidy, ${#sources[@]} files" tidy
# It does not know that co_return ends a function, nor co_await, nor what a swap is for, nor that a
# coroutine keeps what it was passed by value.
step "cppcheck" cppcheck --quiet --std=c++20 --language=c++ --error-exitcode=1 --inline-suppr \
  --suppress=missingIncludeSystem --suppress=ignoredReturnValue \
  '--suppress=*:agent/session/client_login.cc' --suppress=passedByValue:agent/pool/server_query.cc \
  --enable=warning,performance,portability \
  -I agent -j "$(nproc)" "${sources[@]}"
[ ${#scripts[@]} = 0 ] || step "shellcheck" shellcheck -S warning "${scripts[@]}"
[ ${#pythons[@]} = 0 ] || step "pyflakes" pyflakes3 "${pythons[@]}"
exit $status
