#!/usr/bin/env bash
# Everything about the chart, the manifests and the image that needs no node, one test after the other. `make test` runs the
# same tests by ctest, label chart.
#   tests/chart/run.sh [BINARY]     default build/release/bin/shutdown-auditor
set -euo pipefail

PROGRAM=chart-test
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/cluster/lib.sh
source "$here/../cluster/lib.sh"
cd "$here/../.."
binary="$(realpath "${1:-build/release/bin/shutdown-auditor}")"
[[ -x "$binary" ]] || die "$binary does not exist: run 'make build' or name the program"
"$here/../cluster/tools.sh" --quiet

failed=()
for test in "render_test.sh $binary" "image_test.sh $binary" "release_test.sh $binary" "server_test.sh $binary" \
  "lifecycle_test.sh 3" "lifecycle_test.sh 4"; do
  read -r name argument <<<"$test"
  began=$SECONDS
  say "$name ${argument##*/}"
  "$here/$name" "$argument" || failed+=("$name ${argument##*/}")
  say "$name ${argument##*/}: $((SECONDS - began)) s"
done
((${#failed[@]} == 0)) || die "failed: $(printf '%s, ' "${failed[@]}" | sed 's/, $//'); $SECONDS s"
say "all good, $SECONDS s"
