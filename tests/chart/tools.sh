#!/usr/bin/env bash
# Brings the programs that the chart's tests need into a cache of this user, keyed by version: Helm 3 and 4, kubeconform and
# kube-score are built as Go tools; promtool is taken out of Debian's package (installing it would start a server); the kinds
# of the Prometheus operator come out of its Go module.
#
#   tools.sh              get what is missing
#   tools.sh COMMAND...   of these only: helm3, helm4, kubeconform, kube-score
#   tools.sh --path       print the directory that holds the commands
set -euo pipefail

PROGRAM=chart-tools
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/cluster/lib.sh
source "$here/../cluster/lib.sh"

# command, version, Go package
readonly TOOLS=(
  "helm3 3.21.4 helm.sh/helm/v3/cmd/helm"
  "helm4 4.2.4 helm.sh/helm/v4/cmd/helm"
  "kubeconform 0.7.0 github.com/yannh/kubeconform/cmd/kubeconform"
  "kube-score 1.20.0 github.com/zegl/kube-score/cmd/kube-score"
)

readonly OPERATOR_MODULE=github.com/prometheus-operator/prometheus-operator OPERATOR_VERSION=0.85.0

[[ -n "${XDG_CACHE_HOME:-}${HOME:-}" ]] || die "neither XDG_CACHE_HOME nor HOME is set"
readonly cache="${XDG_CACHE_HOME:-$HOME/.cache}/shutdown-auditor/chart-tools"

cached() { # cached COMMAND VERSION
  [[ -x "$cache/$1" && -f "$cache/$1.version" && "$(<"$cache/$1.version")" == "$2" ]]
}

# A command appears under its name only when it is whole.
publish() { # publish FILE COMMAND VERSION
  rm -f "$cache/$2.version"
  mv -f "$1" "$cache/$2"
  printf '%s\n' "$3" >"$cache/$2.version"
}

build() { # build COMMAND VERSION PACKAGE
  local started=$SECONDS
  say "building $1 $2 ..."
  # One package at a time: these builds run beside others.
  env -u GOOS -u GOARCH CGO_ENABLED=0 GOWORK=off GOFLAGS="${GOFLAGS:-} -p=1" GOBIN="$work/$1" \
    nice go install -trimpath -ldflags "-s -w" "$3@v$2" >"$work/output" 2>&1 </dev/null ||
    { tail -n 30 "$work/output" >&2; die "building $1 $2 failed"; }
  publish "$work/$1/$(basename "$3")" "$1" "$2"
  say "$1 $2: built in $((SECONDS - started)) s"
}

get_promtool() {
  command -v apt-get >/dev/null 2>&1 || die "no promtool in PATH and no apt-get to fetch it with"
  say "taking promtool out of Debian's package prometheus ..."
  (cd "$work" && apt-get -q download prometheus && dpkg-deb -x prometheus_*.deb tree) >"$work/output" 2>&1 ||
    { tail -n 10 "$work/output" >&2; die "no promtool: 'apt-get download prometheus' failed (is 'apt-get update' due?)"; }
  publish "$work/tree/usr/bin/promtool" promtool debian
}

get_operator_kinds() {
  say "taking the kinds of the Prometheus operator $OPERATOR_VERSION out of its module ..."
  local directory kind
  directory="$(cd "$work" && GOWORK=off go mod download -json "$OPERATOR_MODULE@v$OPERATOR_VERSION" |
    sed -n 's/^[[:space:]]*"Dir": "\(.*\)",\{0,1\}$/\1/p')"
  [[ -d "$directory" ]] || die "the go command could not fetch $OPERATOR_MODULE"
  mkdir "$work/kinds"
  for kind in servicemonitors podmonitors prometheusrules; do
    cp "$directory/example/prometheus-operator-crd/monitoring.coreos.com_$kind.yaml" "$work/kinds/"
  done
  rm -rf "$cache/operator-kinds"
  mv "$work/kinds" "$cache/operator-kinds"
  printf '%s\n' "$OPERATOR_VERSION" >"$cache/operator-kinds.version"
}

if [[ "${1:-}" == --path ]]; then
  echo "$cache"
  exit 0
fi
for command in "$@"; do
  printf '%s\n' "${TOOLS[@]}" | grep "^$command " >/dev/null ||
    die "unknown argument '$command'; usage: tools.sh [--path | COMMAND...]"
done

mkdir -p "$cache" || die "cannot create $cache"
exec 9>"$cache/.lock"
flock 9
# apt reads as a user of its own.
work="$(mktemp -d)"
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
for tool in "${TOOLS[@]}"; do
  read -r name version package <<<"$tool"
  if (($# > 0)) && [[ " $* " != *" $name "* ]]; then continue; fi
  if ! cached "$name" "$version"; then
    [[ -n "${go_checked:-}" ]] || check_go
    go_checked=yes
    build "$name" "$version" "$package"
  fi
done
(($# == 0)) || exit 0
if [[ ! -f "$cache/operator-kinds.version" || "$(<"$cache/operator-kinds.version")" != "$OPERATOR_VERSION" ]]; then
  get_operator_kinds
fi
if command -v promtool >/dev/null 2>&1; then
  ln -sfn "$(command -v promtool)" "$cache/promtool"
elif [[ -L "$cache/promtool" || ! -x "$cache/promtool" ]]; then
  get_promtool
fi
