#!/usr/bin/env bash
# The product on a real cluster of two nodes, as a user meets it: installed by Helm with the image of this project, followed
# at work, upgraded, its leader stopped and killed, its node drained, uninstalled.
#
#   tests/e2e/run.sh BINARY [--write-docs]
#
#   BINARY         what the image carries: build/dev/bin/shutdown-auditor or the release
#   --write-docs   put the transcript of this run into docs/operations.md (otherwise it is compared)
#
# Needs root. Where that cannot be, E2E=skip says so instead of failing (status 77: skipped).
set -euo pipefail

PROGRAM=e2e
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/cluster/lib.sh
source "$here/../cluster/lib.sh"
# shellcheck source=tests/e2e/lib.sh
source "$here/lib.sh"
if [[ "${E2E:-}" == skip ]]; then
  say "SKIPPED because of E2E=skip: nothing was tested on a real node"
  exit 77
fi
cd "$here/../.."
(($# >= 1)) || die "usage: tests/e2e/run.sh BINARY [--write-docs]"
binary="$(realpath "$1")" write_docs="${2:-}"
[[ -x "$binary" ]] || die "$1 is no program"
((EUID == 0)) || die "containers need root; run this as root, or set E2E=skip to leave it out"
readonly chart=charts/shutdown-auditor namespace=shutdown-auditor release=shutdown-auditor
# How long nobody may lead, in seconds. A lease that was released: the retry period, 2, and the requests of a try. One that
# was not: its duration, 15, from when the other one last saw it renewed, up to a retry period late; then the same.
readonly longest_gap=2.5 longest_takeover=19.5
state="$PWD/build/e2e" helm_command="$(tests/chart/tools.sh --path)/helm4"
export HELM_CACHE_HOME="$state/helm" HELM_CONFIG_HOME="$state/helm" HELM_DATA_HOME="$state/helm"
unset KUBECONFIG

finish() {
  local status=$? pid
  trap - EXIT
  for pid in "${watches[@]}"; do
    kill "$pid" 2>/dev/null || true
  done
  if ((status != 0)) && [[ -d "$state/cluster" ]]; then
    mkdir -p "$state/logs"
    kubectl get pods,leases,events -A -o wide >"$state/logs/objects" 2>&1 || true
    cp -r "$state"/cluster/*.log "$state/logs/" || true
    (cd "$state/cluster" && cp -r --parents node*/var/log/pods "$state/logs/") 2>/dev/null || true
    say "the logs of every component are in $state/logs"
  fi
  tests/cluster/cluster.sh down "$state/cluster" >/dev/null 2>&1 || true
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

tests/cluster/cluster.sh down "$state/cluster" >/dev/null 2>&1 || true
rm -rf "$state"
mkdir -p "$state"
started=$SECONDS
# step WHAT: so that a reader sees where the time goes.
step() { say "[$((SECONDS - started)) s] $*"; }
# numbers: what was measured, for the end.
measured() { printf '  %-34s %s\n' "$1" "$2" >>"$state/measured"; }

step "images, cluster"
image/build.sh --binary "$binary" --output "$state/image" >"$state/image.txt" 2>&1 ||
  { cat "$state/image.txt" >&2; die "image/build.sh failed"; }
measured "image, unpacked" "$(sed -n 's/^unpacked *//p' "$state/image.txt")"
measured "image, compressed" "$(sed -n 's/^compressed *//p' "$state/image.txt")"
tests/cluster/pack.sh "$here/app.c" registry.local/shop/app:1.0 "$state/app.tar"
began="$(now)"
tests/cluster/cluster.sh up "$state/cluster" --nodes=2 --no-build --parent=$$ \
  --image="$(echo "$state"/image/*.oci.tar)" --image="$state/app.tar" >"$state/up" 2>&1 ||
  { cat "$state/up" >&2; die "no cluster"; }
measured "cluster of two nodes, ready after" "$(minus "$(now)" "$began") s"

step "workloads"
kubectl apply -f "$here/workloads.yaml" >/dev/null
for workload in deployment/web deployment/checkout statefulset/ledger; do
  kubectl -n shop rollout status "$workload" --timeout=90s >/dev/null
done
kubectl -n platform rollout status daemonset/agent --timeout=90s >/dev/null

# shellcheck source=tests/e2e/life.sh
source "$here/life.sh"

if [[ "$write_docs" == --write-docs ]]; then
  {
    sed '/^<!-- transcript -->$/q' docs/operations.md
    cat "$state/transcript.md"
    echo '<!-- end -->'
    sed '1,/^<!-- end -->$/d' docs/operations.md
  } >"$state/operations.md"
  cat "$state/operations.md" >docs/operations.md
else
  sed '1,/^<!-- transcript -->$/d; /^<!-- end -->$/,$d' docs/operations.md >"$state/documented.md"
  diff <(shape "$state/documented.md") <(shape "$state/transcript.md") >"$state/diff" ||
    { cat "$state/diff" >&2; bad "docs/operations.md shows something else (<) than this run (>); see --write-docs"; }
fi
cat "$state/measured" >&2
((problems == 0)) || die "$problems problems, $((SECONDS - started)) s"
say "all good, $((SECONDS - started)) s"
