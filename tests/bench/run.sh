#!/usr/bin/env bash
# Benchmarks on a control plane of their own, each beside a reference in the same run. Prints a table and writes
# build/bench/results.json.
#   tests/bench/run.sh
#   BIN=…            the controller to measure (default build/release/bin/shutdown-auditor)
#   CLIENT=…         bench_client (default: built beside the controller)
#   DEPLOYMENTS=10000 BUDGETS=5000 CHANGES=100 HANDOVERS=5
#   KUBE_SCORE=…     the kube-score to compare `check` with (default: the chart's tests build it; empty: none)
#   KUBE_LINTER=…    a kube-linter 0.8.3 to compare with as well
#   DEFAULTS=0       leaves out the slow run with the default write rate
set -euo pipefail
cd "$(dirname "$0")/../.."
BIN=${BIN:-build/release/bin/shutdown-auditor}
DEPLOYMENTS=${DEPLOYMENTS:-10000} BUDGETS=${BUDGETS:-5000} CHANGES=${CHANGES:-100} HANDOVERS=${HANDOVERS:-5}
out=build/bench
cluster=$out/cluster
unset KUBECONFIG
mkdir -p "$out"
pids=()

say() { printf '== %s\n' "$*" >&2; }
cleanup() {
  local pid
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  tests/cluster/cluster.sh down "$cluster" >/dev/null 2>&1 || true
}
trap cleanup EXIT
trap 'exit 130' INT TERM

build=$(dirname "$(dirname "$BIN")")
say "building what measures"
cmake -S . -B "$build" -DSA_BUILD_BENCH=ON >/dev/null
cmake --build "$build" --target bench_client bench_audit bench_run bench_check --parallel "$(nproc)" >/dev/null
CLIENT=${CLIENT:-$build/bin/bench_client}

beyond_limits=0

say "an audit beside parsing its Deployment"
"$build/bin/bench_audit" | tee "$out/audit.txt"

say "check on one file of 5,000 Deployments beside libyaml and other checkers, and on ten times as many"
KUBE_SCORE=${KUBE_SCORE-$(tests/chart/tools.sh --path)/kube-score}
[[ -z $KUBE_SCORE || -x $KUBE_SCORE ]] || tests/chart/tools.sh
"$build/bin/bench_check" --bin "$BIN" --dir "$out" ${KUBE_SCORE:+--kube-score "$KUBE_SCORE"} \
  ${KUBE_LINTER:+--kube-linter "$KUBE_LINTER"} | tee "$out/check.txt" || beyond_limits=1

now_ms() { date +%s%3N; }
seconds() { awk -v ms="$1" 'BEGIN { printf "%.2f", ms / 1000 }'; }
log_ms() { date -d "$(sed -n "s/^{\"ts\":\"\([^\"]*\)\".*\"msg\":\"$2\".*/\1/p" "$1" | tail -n 1)" +%s%3N; } # LOG MESSAGE
field() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p"; }
memory() { awk -v key="$2:" '$1 == key { printf "%.1f", $2 / 1024 }' "/proc/$1/status"; } # PID VmRSS|VmHWM, in MiB
await() { # await SECONDS WHAT COMMAND…
  local limit=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= limit)); then
      echo "gave up waiting for $what" >&2
      tail -n 5 "$out"/*.log >&2
      exit 1
    fi
    sleep 0.1
  done
}
controller() { # controller NAME ARGS…: starts one; its pid is $pid, its log $out/NAME.log
  local name=$1
  shift
  : >"$out/$name.log" # a line of an earlier run must not count
  "$BIN" controller --kubeconfig "$cluster/kubeconfig" --log-format json --health-probe-bind-address 127.0.0.1:0 \
    --metrics-bind-address 127.0.0.1:0 "$@" >"$out/$name.log" 2>&1 &
  pid=$!
  pids+=("$pid")
}
logged() { grep -q "\"msg\":\"$2\"" "$out/$1.log"; }
leads() { logged "$1" 'started leading'; }
stop() { kill -TERM "$1" 2>/dev/null || true; wait "$1" 2>/dev/null || true; }
api() { # api PATH CURL-OPTIONS…
  local path=$1
  shift
  curl -q --silent --show-error --fail --noproxy '*' --cacert "$cluster/pki/ca.crt" --cert "$cluster/pki/admin.crt" \
    --key "$cluster/pki/admin.key" "$@" "https://127.0.0.1:$APISERVER_PORT$path"
}
writes() { # successful status writes of the controller NAME so far
  local port
  port=$(sed -n 's/.*"what":"metrics","address":"127.0.0.1:\([0-9]*\)".*/\1/p' "$out/$1.log" | head -n 1)
  curl -q --silent --noproxy '*' "http://127.0.0.1:$port/metrics" |
    awk '/^shutdownaudit_status_writes_total\{result="success"\}/ { print int($2) }'
}
wrote() { (($(writes "$1") >= $2)); }
delete_audits() {
  local ns
  for ns in $(api /api/v1/namespaces | tr ',' '\n' | sed -n 's/.*"name": *"\(bench-[0-9a-z]*\)".*/\1/p' | sort -u); do
    api "/apis/shutdownaudit.dev/v1alpha1/namespaces/$ns/shutdownaudits" -X DELETE -o /dev/null
  done
}

forget_latency() { kubectl delete deployments,shutdownaudits --all -n bench-latency >/dev/null; }

say "control plane"
tests/cluster/cluster.sh down "$cluster" >/dev/null 2>&1 || true
rm -rf "$cluster"
tests/cluster/cluster.sh up "$cluster" --parent=$$ >&2
# shellcheck disable=SC1091
source "$cluster/env"
unset KUBECONFIG
kubectl() { "$cluster/bin/kubectl" --kubeconfig "$cluster/kubeconfig" "$@"; }
kubectl apply -f crds/ >/dev/null
kubectl wait --for=condition=Established crd --all --timeout=30s >/dev/null

say "idle memory: an empty cluster"
controller idle
await 30 "the first controller" leads idle
sleep 5
idle_rss=$(memory "$pid" VmRSS)
stop "$pid"

say "latency of $CHANGES changes, one after another: a watch and a PATCH, then the controller"
bare=$("$CLIENT" --kubeconfig "$cluster/kubeconfig" latency --bare --count "$CHANGES")
controller latency
await 30 "a leader" leads latency
followed=$("$CLIENT" --kubeconfig "$cluster/kubeconfig" latency --count "$CHANGES")
stop "$pid"
forget_latency

say "lease: $HANDOVERS hand-overs by SIGTERM, one by SIGKILL"
handovers=()
controller lease-0
await 30 "a leader" leads lease-0
leader=$pid
for ((i = 1; i <= HANDOVERS; i++)); do
  controller "lease-$i"
  await 30 "a standby" logged "lease-$i" 'lease holder seen'
  kill -TERM "$leader"
  wait "$leader" || true
  await 30 "the hand-over" leads "lease-$i"
  handovers+=($(($(log_ms "$out/lease-$i.log" leading) - $(log_ms "$out/lease-$((i - 1)).log" 'released the lease'))))
  leader=$pid
done
controller lease-killed
await 30 "a standby" logged lease-killed 'lease holder seen'
killed_at=$(now_ms)
{
  kill -KILL "$leader"
  wait "$leader" || true
} 2>/dev/null # without the shell's word about it
await 60 "the take-over" leads lease-killed
takeover=$(($(log_ms "$out/lease-killed.log" leading) - killed_at))
stop "$pid"

say "loading $DEPLOYMENTS Deployments and $BUDGETS PodDisruptionBudgets"
loaded=$("$CLIENT" --kubeconfig "$cluster/kubeconfig" load --deployments "$DEPLOYMENTS" --budgets "$BUDGETS")

say "reference: bare LIST of both"
list() { api "$1?pretty=false" -o /dev/null -w '%{time_total} %{size_download}'; }
read -r list_deployments_s list_deployments_bytes <<<"$(list /apis/apps/v1/deployments)"
read -r list_budgets_s list_budgets_bytes <<<"$(list /apis/policy/v1/poddisruptionbudgets)"

say "check of the live cluster beside the LIST"
live=$(BIN=$BIN RUN=$build/bin/bench_run tests/bench/bench_live.sh "$cluster") || beyond_limits=1

measure() { # measure NAME ARGS…: sets started_s, all_s (from the start of the process), rss, peak
  local name=$1 begin
  shift
  begin=$(now_ms)
  controller "$name" "$@"
  await 120 "caches" leads "$name"
  started_s=$(seconds $(($(log_ms "$out/$name.log" 'started leading') - begin)))
  await 1800 "all audits" wrote "$name" "$DEPLOYMENTS"
  all_s=$(seconds $(($(now_ms) - begin)))
  sleep 5
  rss=$(memory "$pid" VmRSS) peak=$(memory "$pid" VmHWM)
}

say "all audits, without a limit on writes"
measure unlimited --bulk-writes-per-second 0 --kube-api-qps -1
unlimited_started=$started_s unlimited_all=$all_s unlimited_rss=$rss unlimited_peak=$peak
audits=$(kubectl get shutdownaudits -A -o name | wc -l)
say "$audits audits; latency in the loaded cluster"
loaded_latency=$("$CLIENT" --kubeconfig "$cluster/kubeconfig" latency --count "$CHANGES")
stop "$pid"
forget_latency

say "restart with all audits in place: nothing to write"
begin=$(now_ms)
controller warm
await 120 "caches" leads warm
warm_started=$(seconds $(($(log_ms "$out/warm.log" 'started leading') - begin)))
sleep 10
warm_rss=$(memory "$pid" VmRSS) warm_peak=$(memory "$pid" VmHWM)
stop "$pid"

defaults_all=null
if [[ ${DEFAULTS:-1} == 1 ]]; then
  say "all audits again with the default limits (50 audits a second, 50 requests a second)"
  delete_audits
  measure defaults
  defaults_all=$all_s
  stop "$pid"
fi

latency_text() { printf '%.1f / %.1f ms' "$(field p50_ms <<<"$1")" "$(field p99_ms <<<"$1")"; }
list_of() { local IFS=,; echo "[$*]"; }
cat >"$out/results.json" <<JSON
{
  "deployments": $DEPLOYMENTS, "budgets": $BUDGETS, "audits": $audits,
  "idle_rss_mib": $idle_rss,
  "latency_bare": $bare,
  "latency_controller": $followed,
  "latency_controller_loaded": $loaded_latency,
  "handover_after_release_ms": $(list_of "${handovers[@]}"),
  "takeover_after_sigkill_ms": $takeover,
  "load": $loaded,
  "reference_list": {"deployments_s": $list_deployments_s, "deployments_bytes": $list_deployments_bytes,
                     "budgets_s": $list_budgets_s, "budgets_bytes": $list_budgets_bytes},
  "live_check": ${live:-null},
  "unlimited": {"caches_s": $unlimited_started, "all_audits_s": $unlimited_all, "rss_mib": $unlimited_rss, "peak_mib": $unlimited_peak},
  "warm_restart": {"caches_s": $warm_started, "rss_mib": $warm_rss, "peak_mib": $warm_peak},
  "default_limits": {"all_audits_s": $defaults_all}
}
JSON
ratio=$(awk -v a="$(field p50_ms <<<"$followed")" -v b="$(field p50_ms <<<"$bare")" 'BEGIN { printf "%.2f", a / b }')
{
  echo "measure|value|reference in the same run"
  echo "memory, empty cluster|$idle_rss MiB|"
  echo "memory, $DEPLOYMENTS Deployments + $BUDGETS budgets|$unlimited_rss MiB (peak $unlimited_peak)|the lists are $(((${list_deployments_bytes%.*} + ${list_budgets_bytes%.*}) / 1048576)) MiB of JSON"
  echo "memory, the same after a restart|$warm_rss MiB (peak $warm_peak)|"
  echo "check -A of it|$(field check_s <<<"$live") s (peak $(field check_peak_mib <<<"$live") MiB)|bare LIST of both: $(field list_s <<<"$live") s (ratio $(field ratio <<<"$live"))"
  echo "caches complete, nothing written yet|$unlimited_started s|bare LIST of both: $(awk -v a="$list_deployments_s" -v b="$list_budgets_s" 'BEGIN { printf "%.2f", a + b }') s"
  echo "caches complete, restart|$warm_started s|"
  echo "$audits audits written, no limit|$unlimited_all s|$(field creates_per_second <<<"$loaded" | cut -d. -f1) creates/s by the loader's 8 threads"
  [[ $defaults_all == null ]] || echo "$DEPLOYMENTS audits written, default limits|$defaults_all s|"
  echo "change to status, p50 / p99|$(latency_text "$followed")|watch + PATCH: $(latency_text "$bare") (ratio $ratio)"
  echo "change to status, loaded cluster|$(latency_text "$loaded_latency")|"
  echo "lease handed over after release|${handovers[*]} ms|a retry period is 2000 ms"
  echo "lease taken over after SIGKILL|$takeover ms|lease and retry period: 17000 ms"
} | awk -F '|' '{ printf "%-46s  %-32s  %s\n", $1, $2, $3 }'
say "numbers in $out/results.json"
exit "$beyond_limits"
