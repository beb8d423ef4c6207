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

# group, command, version, Go module, package in it, variable that holds the version. A group is built from one module,
# with one set of dependencies: what both Helms need of Kubernetes is compiled once.
readonly TOOLS=(
  "helm helm3 3.21.4 helm.sh/helm/v3 cmd/helm internal/version.version"
  "helm helm4 4.2.4 helm.sh/helm/v4 cmd/helm internal/version.version"
  "kubeconform kubeconform 0.7.0 github.com/yannh/kubeconform cmd/kubeconform -"
  "kube-score kube-score 1.20.0 github.com/zegl/kube-score cmd/kube-score -"
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

in_module() { # in_module COMMAND...: in $module; the output is shown when it fails
  (cd "$module" && exec nice "$@") >"$work/output" 2>&1 </dev/null ||
    { tail -n 30 "$work/output" >&2; die "'$*' failed"; }
}

prepare() { # prepare GROUP: a module that requires all of its tools
  local group name version path package
  local -a required=() imported=()
  for tool in "${TOOLS[@]}"; do
    read -r group name version path package _ <<<"$tool"
    if [[ $group == "$1" ]]; then
      required+=("$path@v$version")
      imported+=("	_ \"$path/$package\"")
    fi
  done
  module="$work/$1.module"
  mkdir "$module"
  printf 'module chart-tools\n\ngo 1.26.0\n' >"$module/go.mod"
  printf '//go:build tools\n\npackage tools\n\nimport (\n%s\n)\n' "$(printf '%s\n' "${imported[@]}")" >"$module/tools.go"
  in_module go get "${required[@]}"
}

build() { # build GROUP COMMAND VERSION MODULE PACKAGE VARIABLE
  local started=$SECONDS flags="-s -w"
  module="$work/$1.module"
  [[ -d "$module" ]] || prepare "$1"
  [[ "$6" == - ]] || flags+=" -X $4/$6=v$3"
  say "building $2 $3 ..."
  in_module go build -mod=mod -trimpath -ldflags "$flags" -o "$work/$2" "$4/$5"
  publish "$work/$2" "$2" "$3"
  say "$2 $3: built in $((SECONDS - started)) s"
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
  directory="$(cd "$work" && go mod download -json "$OPERATOR_MODULE@v$OPERATOR_VERSION" |
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
  printf '%s\n' "${TOOLS[@]}" | grep "^[a-z-]* $command " >/dev/null ||
    die "unknown argument '$command'; usage: tools.sh [--path | COMMAND...]"
done

mkdir -p "$cache" || die "cannot create $cache"
exec 9>"$cache/.lock"
flock 9
# apt reads as a user of its own.
work="$(mktemp -d)"
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
export CGO_ENABLED=0 GOWORK=off
# These builds run beside others, which matter more.
export GOFLAGS="${GOFLAGS:-} -p=1"
unset GOOS GOARCH
for tool in "${TOOLS[@]}"; do
  read -r group name version path package variable <<<"$tool"
  if (($# > 0)) && [[ " $* " != *" $name "* ]]; then continue; fi
  if ! cached "$name" "$version"; then
    [[ -n "${go_checked:-}" ]] || check_go
    go_checked=yes
    build "$group" "$name" "$version" "$path" "$package" "$variable"
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
