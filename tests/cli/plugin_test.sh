#!/usr/bin/env bash
# As a plugin of the real kubectl: found, named, run with its arguments, completed. Needs what tests/cluster/tools.sh builds.
#   plugin_test.sh BINARY
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

kubectl="$("$project/tests/cluster/tools.sh" --path)/kubectl"
[[ -x "$kubectl" ]] || { echo "no $kubectl: run tests/cluster/tools.sh"; exit 1; }
mkdir "$work/bin"
ln -s "$binary" "$work/bin/kubectl-shutdownaudit"
ln -s "$binary" "$work/bin/kubectl_complete-shutdownaudit"
ln -s "$kubectl" "$work/bin/kubectl"
export PATH="$work/bin:/usr/bin:/bin" HOME="$work" KUBECONFIG=/dev/null
cd "$project"

expect "kubectl plugin list" "$work/bin/kubectl-shutdownaudit" "$(kubectl plugin list 2>/dev/null | grep shutdownaudit)"
got=0
kubectl shutdownaudit check -f examples/mistakes.yaml >"$work/plugin" 2>"$work/err" || got=$?
expect "status of a check with findings" 1 "$got"
"$binary" check -f examples/mistakes.yaml >"$work/direct" 2>/dev/null || true
cmp "$work/plugin" "$work/direct" || fail "the plugin prints something else"
expect "help" "Usage: kubectl shutdownaudit check [flags] [KIND/NAME ...]" "$(kubectl shutdownaudit check --help | grep '^Usage')"
got=0
error="$(kubectl shutdownaudit check --filenam x 2>&1)" || got=$?
expect "status of a mistyped flag" 2 "$got"
expect_part "a mistyped flag" \
  "there is no flag --filenam; did you mean --filename? (kubectl shutdownaudit check --help tells more)" "$error"
# kubectl's own completion asks kubectl_complete-shutdownaudit.
expect "completion through kubectl" "json junit" \
  "$(kubectl __complete shutdownaudit check -o j 2>/dev/null | grep -v '^:' | cut -f1 | paste -sd' ')"
expect "flags through kubectl" "--baseline" \
  "$(kubectl __complete shutdownaudit check --basel 2>/dev/null | grep -v '^:' | cut -f1 | paste -sd' ')"
finish
