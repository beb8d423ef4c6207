#!/usr/bin/env bash
# The main job, start to finish, on a real API server of its own: two controllers audit the examples, a change is followed,
# the leader is stopped and hands over. Everything printed below a "$" line is that command's real output.
#   examples/demo.sh          leaves nothing running
#   examples/demo.sh --keep   leaves the cluster and the second controller up and says how to use and stop them
set -euo pipefail
cd "$(dirname "$0")/.."
keep=false
[[ ${1:-} == --keep ]] && keep=true

binary=$PWD/build/release/bin/shutdown-auditor
state=$PWD/build/demo
cluster=$state/cluster
tools=$(tests/cluster/tools.sh --path)
unset KUBECONFIG # a cluster of our own; yours is never touched

declare -A pids=()
finished=false
cleanup() {
  local status=$?
  if $keep && $finished; then return; fi
  for name in "${!pids[@]}"; do kill "${pids[$name]}" 2>/dev/null || true; done
  wait 2>/dev/null || true
  if ((status != 0)); then
    echo "demo failed (exit $status); the controllers' last lines:" >&2
    tail -n 5 "$state"/*.log >&2 2>/dev/null || true
  fi
  tests/cluster/cluster.sh down "$cluster" >/dev/null 2>&1 || true
}
trap cleanup EXIT
trap 'exit 130' INT TERM

say() { printf '\n\033[1m# %s\033[0m\n' "$*"; }
kubectl() { "$tools/kubectl" --kubeconfig "$cluster/kubeconfig" "$@"; }
show() { # show COMMAND…: prints it as typed, then runs it
  printf '$ %s\n' "$*"
  "$@"
}
await() { # await SECONDS WHAT COMMAND…: until the command succeeds
  local limit=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= limit)); then
      echo "gave up waiting for $what" >&2
      return 1
    fi
    sleep 0.2
  done
}
verdict() { kubectl -n shop get shutdownaudit "deployment-$1" -o 'jsonpath={.status.verdict}'; }
holder() { kubectl get lease shutdown-auditor -o 'jsonpath={.spec.holderIdentity}'; }
all_audited() {
  [[ $(kubectl get deployments -A --no-headers | wc -l) == \
     $(kubectl get sda -A -o 'jsonpath={range .items[*]}{.status.verdict}{"\n"}{end}' | grep -c .) ]]
}
start_controller() { # start_controller NAME
  "$binary" controller --kubeconfig "$cluster/kubeconfig" --log-format text \
    --health-probe-bind-address 127.0.0.1:0 --metrics-bind-address 127.0.0.1:0 >"$state/$1.log" 2>&1 &
  pids[$1]=$!
}
is_leader() { grep -q 'started leading' "$state/$1.log" && kill -0 "${pids[$1]}" 2>/dev/null; }
event_for() { kubectl -n shop get events -o 'jsonpath={.items[*].reason}' | grep -q "$1"; }

tests/cluster/cluster.sh down "$cluster" >/dev/null 2>&1 || true
rm -rf "$state"
mkdir -p "$state"

say "A control plane of our own: etcd, kube-apiserver, kube-controller-manager"
tests/cluster/cluster.sh up "$cluster" --with-controller-manager
show kubectl version

say "Install the CustomResourceDefinitions, apply the examples"
show kubectl apply -f crds/
show kubectl wait --for=condition=Established crd/shutdownaudits.shutdownaudit.dev crd/shutdownpolicies.shutdownaudit.dev --timeout=30s
show kubectl apply -f examples/reference.yaml -f examples/mistakes.yaml

say "Two controllers; one of them leads"
start_controller first
await 30 "a leader" is_leader first
start_controller second
await 30 "the audits" all_audited
show grep -h 'started leading' "$state/first.log"

say "One ShutdownAudit for each Deployment"
show kubectl get sda -A -o wide

say "Only what breaks a stop or a drain for certain"
show kubectl get sda -A --field-selector status.verdict=Fail

say "One of them in full"
worst=$(kubectl get sda -n shop --field-selector status.verdict=Fail -o 'jsonpath={.items[0].metadata.name}')
show kubectl -n shop describe sda "$worst"

say "A change: the reference workload loses 15 seconds of its grace period; verdict and Event follow"
show kubectl -n shop patch deployment web -p '{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":45}}}}'
followed() { [[ $(verdict web) != Pass ]]; }
await 30 "the verdict to follow" followed
await 30 "the Event" event_for 'ShutdownAudit'
show kubectl -n shop get sda deployment-web
show kubectl -n shop get events --field-selector reportingComponent=shutdownaudit.dev/controller

say "The leader is asked to stop: it finishes its work, releases the lease, and the other one takes over"
before=$(holder)
show kubectl get lease shutdown-auditor
printf '$ kill -TERM %s\n' "${pids[first]}"
kill -TERM "${pids[first]}"
code=0
wait "${pids[first]}" || code=$?
echo "exit code $code"
unset 'pids[first]'
moved() { local now; now=$(holder); [[ -n $now && $now != "$before" ]]; }
await 30 "the second controller to lead" moved
await 30 "the second controller's log" is_leader second
show sed -n '/asked to stop/,$p' "$state/first.log"
show kubectl get lease shutdown-auditor
show grep -h 'started leading' "$state/second.log"
((code == 0)) || { echo "the leader did not exit with 0" >&2; exit 1; }

finished=true
if $keep; then
  say "Left running"
  disown -a
  cat <<TXT
The control plane and one controller (pid ${pids[second]}, log $state/second.log) are up. Use them:
  export KUBECONFIG=$cluster/kubeconfig PATH=$tools:\$PATH
  kubectl get sda -A -o wide
Stop them:
  kill ${pids[second]}; tests/cluster/cluster.sh down $cluster
TXT
else
  say "Stop everything"
  kill -TERM "${pids[second]}"
  code=0
  wait "${pids[second]}" || code=$?
  echo "second controller: exit code $code"
  unset 'pids[second]'
  show tests/cluster/cluster.sh down "$cluster"
  ((code == 0))
fi
