#!/usr/bin/env bash
# All tests, in the order in which a failure is cheapest to learn. Prints the seconds of each stage.
#   tests/run.sh                everything
#   STAGES="dev asan" tests/run.sh   some stages of: dev asan tsan
#   E2E=skip tests/run.sh       without the tests that start real nodes, which need root
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=${JOBS:-$(nproc)}
stages=${STAGES:-dev asan tsan}
started=$SECONDS

stage() { # stage NAME COMMAND…: runs, says how long it took
  local name=$1 begin=$SECONDS
  shift
  echo "== $name"
  "$@"
  echo "== $name: $((SECONDS - begin)) s"
}

configure() {
  local log
  log=$(mktemp)
  if ! cmake --preset "$1" >"$log" 2>&1; then
    cat "$log"
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

build() { # build PRESET
  configure "$1"
  cmake --build --preset "$1" --parallel "$jobs"
}

# The servers, and Helm and other checkers of the chart, build while the C++ builds; all are needed before the first test
# runs.
tools_log=$(mktemp)
tools_pid=
if [[ " $stages " == *" dev "* ]]; then
  tests/chart/deps.sh
  with_node=--with-node
  if [[ ${E2E:-} == skip ]]; then with_node=; fi
  { tests/cluster/tools.sh $with_node && tests/chart/tools.sh && tests/cli/deps.sh >/dev/null; } >"$tools_log" 2>&1 &
  tools_pid=$!
fi
trap 'rm -f "$tools_log"' EXIT

for preset in $stages; do
  stage "build $preset" build "$preset"
  if [[ $preset == dev ]]; then
    begin=$SECONDS
    wait "$tools_pid" || { cat "$tools_log"; echo "building the tools of the tests failed"; exit 1; }
    cat "$tools_log"
    echo "== waited for the tools: $((SECONDS - begin)) s"
  fi
  stage "test $preset" env \
    ASAN_OPTIONS="detect_stack_use_after_return=1" \
    LSAN_OPTIONS="suppressions=$PWD/tests/lsan.supp:print_suppressions=0" \
    TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp:halt_on_error=1:second_deadlock_stack=1" \
    ctest --preset "$preset" --parallel "$jobs" --label-exclude e2e
  if [[ $preset == dev ]]; then
    stage "test e2e" ctest --preset dev --label-regex e2e --verbose
  fi
done
echo "== all stages: $((SECONDS - started)) s"
