#!/usr/bin/env bash
# `check -A` of a loaded cluster beside curl's bare LIST of the same Deployments and PodDisruptionBudgets, taken in turns;
# the median of the ratios of all rounds counts. Status 1 beyond the limits: 1.3 times the LIST, 64 MiB at the peak.
#   tests/bench/bench_live.sh CLUSTER_DIR    a running cluster of tests/cluster/cluster.sh, loaded by bench_client
#   BIN=… RUN=…   the program and bench_run (default build/release/bin)
#   RUNS=9 LIMIT=1.3 LIMIT_MIB=64
# Prints one line of JSON to stdout, the rest to stderr.
set -euo pipefail
cd "$(dirname "$0")/../.."
cluster=${1:?the directory of a cluster}
BIN=${BIN:-build/release/bin/shutdown-auditor}
RUN=${RUN:-$(dirname "$BIN")/bench_run}
RUNS=${RUNS:-9} LIMIT=${LIMIT:-1.3} LIMIT_MIB=${LIMIT_MIB:-64}
# shellcheck disable=SC1091
source "$cluster/env"
unset KUBECONFIG

list() { # list PATH: seconds and bytes
  curl -q --silent --show-error --fail --noproxy '*' --cacert "$cluster/pki/ca.crt" --cert "$cluster/pki/admin.crt" \
    --key "$cluster/pki/admin.key" -o /dev/null -w '%{time_total} %{size_download}' \
    "https://127.0.0.1:$APISERVER_PORT$1?pretty=false"
}
lists=() ours=() cpu=() peaks=() ratios=()
for ((i = 0; i < RUNS; i++)); do
  read -r deployments_s deployments_bytes <<<"$(list /apis/apps/v1/deployments)"
  read -r budgets_s budgets_bytes <<<"$(list /apis/policy/v1/poddisruptionbudgets)"
  lists+=("$(awk -v a="$deployments_s" -v b="$budgets_s" 'BEGIN { print a + b }')")
  read -r wall own peak status <<<"$("$RUN" "$BIN" check -A -q --kubeconfig "$cluster/kubeconfig")"
  if ((status > 1)); then
    echo "check failed with status $status" >&2
    exit 1
  fi
  ours+=("$wall") cpu+=("$own") peaks+=("$peak")
  ratios+=("$(awk -v a="$wall" -v b="${lists[-1]}" 'BEGIN { printf "%.2f", a / b }')")
done
median() { printf '%s\n' "$@" | sort -g | sed -n "$(((RUNS + 1) / 2))p"; }
most() { printf '%s\n' "$@" | sort -g | tail -n 1; }
list_s=$(median "${lists[@]}") wall_s=$(median "${ours[@]}") cpu_s=$(median "${cpu[@]}") peak=$(most "${peaks[@]}")
ratio=$(median "${ratios[@]}")
mib=$(((deployments_bytes + budgets_bytes) / 1048576))
echo "live check: $wall_s s ($cpu_s s of CPU), peak $peak MiB; bare LIST of $mib MiB: $list_s s; ratio $ratio of ${ratios[*]}" >&2
printf '{"check_s":%s,"check_cpu_s":%s,"check_peak_mib":%s,"list_s":%s,"list_mib":%s,"ratio":%s}\n' \
  "$wall_s" "$cpu_s" "$peak" "$list_s" "$mib" "$ratio"
awk -v ratio="$ratio" -v limit="$LIMIT" -v peak="$peak" -v most="$LIMIT_MIB" 'BEGIN { exit !(ratio <= limit && peak <= most) }' || {
  echo "limits: $LIMIT times the LIST, $LIMIT_MIB MiB" >&2
  exit 1
}
