#!/usr/bin/env bash
# Nodes come up, and nothing of them stays: after an interruption, after the death of what they belong to, where they cannot
# run. E2E=skip: skipped (status 77).
set -euo pipefail

PROGRAM=node_test
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/cluster/lib.sh
source "$here/lib.sh"
if [[ "${E2E:-}" == skip ]]; then
  say "SKIPPED because of E2E=skip: no node was started"
  exit 77
fi
((EUID == 0)) || die "containers need root; run this as root, or set E2E=skip to leave it out"
work="$(mktemp -d)"
parent=
finish() {
  local status=$?
  trap - EXIT
  [[ -z "$parent" ]] || kill -KILL "$parent" 2>/dev/null || true
  if ((status != 0)); then
    tail -n 20 "$work"/up "$work"/cluster/node1*.log >&2 2>/dev/null || true
  fi
  "$here/cluster.sh" down "$work/cluster" >/dev/null 2>&1 || true
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

up() { "$here/cluster.sh" up "$work/cluster" --nodes=1 --no-build "$@" >"$work/up" 2>&1; }
kubectl() { "$work/cluster/bin/kubectl" --kubeconfig "$work/cluster/kubeconfig" "$@"; }
# left BRIDGE: what remains of the cluster
left() {
  local process
  ip -o link show | grep -F "$1" || true
  find /sys/fs/cgroup -maxdepth 2 -name "$1"
  grep -F "$work/cluster" /proc/mounts || true
  for process in /proc/[0-9]*; do
    if tr '\0' ' ' 2>/dev/null <"$process/cmdline" | grep -F "$work/cluster"; then :; fi
  done
  [[ ! -e "$work/cluster" ]] || echo "$work/cluster"
}
nothing_left() { # nothing_left BRIDGE WHEN
  local rest
  rest="$(left "$1")"
  [[ -z "$rest" ]] || bad "$2 there is left: $rest"
}
# What a kubelet changes on a machine of its own, and packet filter rules.
machine() {
  cat /proc/sys/vm/{overcommit_memory,panic_on_oom} /proc/sys/kernel/{panic,panic_on_oops} /proc/sys/kernel/keys/root_max*
  cat /proc/sys/net/ipv4/ip_forward
  nft list tables
}
machine >"$work/machine"

say "where namespaces are not allowed"
status=0
setpriv --bounding-set -sys_admin --inh-caps -sys_admin "$here/cluster.sh" up "$work/cluster" --nodes=1 --no-build \
  >"$work/up" 2>&1 || status=$?
[[ "$status" == 1 ]] || bad "status $status without the right to make namespaces"
grep -q 'this machine cannot run containers: ' "$work/up" || bad "no reason given, but: $(cat "$work/up")"
nothing_left "sa-none" "where nothing could start"

say "a pod, then the end of the process that the cluster belongs to"
sleep 1000 &
parent=$!
disown
up --parent="$parent" || die "no cluster"
bridge="$(sed -n 's/^NODE_BRIDGE=//p' "$work/cluster/network")"
[[ -n "$(left "$bridge")" ]] || die "what is looked for afterwards is not there while the cluster runs"
until_true 20 "the default account" kubectl get serviceaccount default
kubectl run pod --image=registry.local/pause:1 >/dev/null
kubectl wait --for=condition=Ready pod/pod --timeout=60s >/dev/null || bad "the pod does not become ready"
"$here/cluster.sh" status "$work/cluster" >"$work/status" || bad "a cluster that runs is reported as broken"
grep -q '^node1 .*pid' "$work/status" || bad "the status does not speak of the node"
kill -KILL "$parent"
until_true 30 "the directory to go" test ! -e "$work/cluster"
nothing_left "$bridge" "after the death of the parent"

say "a kubelet that dies takes its node along, and that is seen; an interrupted start"
(up) &
starting=$!
until_true 60 "the node's kubelet" test -s "$work/cluster/node1-kubelet.log"
bridge="$(sed -n 's/^NODE_BRIDGE=//p' "$work/cluster/network")"
# The node may take this command along, so its status says nothing; that of the start does.
"$here/cluster.sh" node-exec "$work/cluster" node1 pkill -KILL -x kubelet 2>/dev/null || true
status=0
wait "$starting" || status=$?
[[ "$status" == 1 ]] || bad "status $status when the kubelet dies during the start"
grep -q 'kubelet ended with status 137' "$work/up" || bad "the death of the kubelet is not told: $(cat "$work/up")"
nothing_left "$bridge" "after a start that failed"
"$here/cluster.sh" up "$work/cluster" --nodes=1 --no-build >"$work/up" 2>&1 &
starting=$!
until_true 60 "the node" test -s "$work/cluster/node1.log"
bridge="$(sed -n 's/^NODE_BRIDGE=//p' "$work/cluster/network")"
kill -TERM "$starting"
status=0
wait "$starting" || status=$?
[[ "$status" == 143 ]] || bad "status $status after SIGTERM"
nothing_left "$bridge" "after an interrupted start"

machine | diff "$work/machine" - >&2 || bad "the machine's own settings (<) have changed (>)"
((problems == 0)) || die "$problems problems"
say "all good, $SECONDS s"
