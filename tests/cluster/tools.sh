#!/usr/bin/env bash
# Builds the servers of a real Kubernetes control plane as Go tools, once per
# user, into a cache keyed by version.
#
#   tools.sh                build what is missing
#   tools.sh --with-node    kube-scheduler, kubelet and kube-proxy too
#   tools.sh --quiet        say nothing when nothing is missing
#   tools.sh --check        build nothing; status 1 when something is missing
#   tools.sh --path         print the directory that holds the commands
#
# KUBEBUILDER_ASSETS, when set, supplies the commands it holds; the others are
# built. The directory that --path prints then holds links to both.
set -euo pipefail

PROGRAM=tools.sh
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/cluster/lib.sh
source "$here/lib.sh"

tools=(etcd kubectl kube-apiserver kube-controller-manager)
readonly NODE_TOOLS=(kube-scheduler kubelet kube-proxy)
# How often a long step says that it is still running, in seconds.
readonly PROGRESS_SECONDS=20

[[ -n "${XDG_CACHE_HOME:-}${HOME:-}" ]] || die "neither XDG_CACHE_HOME nor HOME is set"
readonly cache="${XDG_CACHE_HOME:-$HOME/.cache}/shutdown-auditor/k8s-$KUBERNETES_VERSION"
assets="${KUBEBUILDER_ASSETS:-}"
if [[ -n "$assets" ]]; then
  [[ -d "$assets" ]] || die "KUBEBUILDER_ASSETS=$assets is not a directory"
  assets="$(cd "$assets" && pwd)"
fi

bin_dir() {
  if [[ -z "$assets" ]]; then
    printf '%s\n' "$cache"
  else
    printf '%s/with-assets-%s\n' "$cache" "$(printf '%s' "$assets" | sha256sum | cut -c1-12)"
  fi
}

version_of() {
  if [[ "$1" == etcd ]]; then echo "$ETCD_VERSION"; else echo "$KUBERNETES_VERSION"; fi
}

cached() {
  [[ -x "$cache/$1" && -f "$cache/$1.version" && "$(<"$cache/$1.version")" == "$(version_of "$1")" ]]
}

supplied() { [[ -n "$assets" && -x "$assets/$1" ]]; }

# The job a step runs in, so that an interrupted build leaves nothing running.
step_pid=
work=
cleanup() {
  if [[ -n "$step_pid" ]]; then
    kill -- "-$step_pid" 2>/dev/null || true
    wait "$step_pid" 2>/dev/null || true
  fi
  if [[ -n "$work" ]]; then
    rm -rf "$work"
  fi
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# step WHAT COMMAND...: runs COMMAND in $module in its own process group, says
# every PROGRESS_SECONDS that it is still running, and how long it took; its
# output is shown only when it fails.
step() {
  local what="$1" started=$SECONDS said=$SECONDS status=0
  shift
  say "$what ..."
  # Descriptor 9 is the lock; a helper that the go command leaves behind must not hold it.
  set -m
  (cd "$module" && exec nice "$@") >"$work/output" 2>&1 </dev/null 9>&- &
  step_pid=$!
  set +m
  while kill -0 "$step_pid" 2>/dev/null; do
    sleep 0.5
    if ((SECONDS - said >= PROGRESS_SECONDS)); then
      said=$SECONDS
      say "$what: still running, $((SECONDS - started)) s"
    fi
  done
  wait "$step_pid" || status=$?
  step_pid=
  if ((status != 0)); then
    tail -n 30 "$work/output" >&2
    die "$what failed with status $status after $((SECONDS - started)) s"
  fi
  say "$what: done in $((SECONDS - started)) s"
}

# k8s.io/kubernetes and etcd carry replace lines in their go.mod, so the go
# command refuses to install them by name. A module of our own that repeats
# those replacements can build them.
prepare_kubernetes() {
  module="$work/kubernetes"
  [[ ! -d "$module" ]] || return 0
  mkdir "$module"
  printf 'module kubernetes-tools\n\ngo 1.24.0\n' >"$module/go.mod"
  step "reading the go.mod of Kubernetes $KUBERNETES_VERSION" \
    go mod download -json "k8s.io/kubernetes@v$KUBERNETES_VERSION"
  local go_mod
  go_mod="$(sed -n 's/^[[:space:]]*"GoMod": "\(.*\)",\{0,1\}$/\1/p' "$work/output")"
  [[ -f "$go_mod" ]] || die "the go command did not say where the go.mod of Kubernetes is"
  # Only v0.0.0 itself stands for "the copy in this repository"; k8s.io/utils
  # and k8s.io/kube-openapi carry pseudo-versions and stay as they are.
  local staged='^[[:space:]]*(k8s\.io/[a-z0-9-]+) v0\.0\.0([[:space:]]*//.*)?$'
  sed -n -E "s|$staged|replace \1 => \1 v0.${KUBERNETES_VERSION#1.}|p" "$go_mod" | sort -u >>"$module/go.mod"
  grep -q '^replace ' "$module/go.mod" || die "no v0.0.0 requirement in the go.mod of Kubernetes"
  cat >"$module/tools.go" <<'GO'
//go:build tools

package tools

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kube-proxy"
	_ "k8s.io/kubernetes/cmd/kube-scheduler"
	_ "k8s.io/kubernetes/cmd/kubectl"
	_ "k8s.io/kubernetes/cmd/kubelet"
)
GO
  step "fetching the modules of Kubernetes $KUBERNETES_VERSION" \
    go get "k8s.io/kubernetes@v$KUBERNETES_VERSION"
}

prepare_etcd() {
  module="$work/etcd"
  mkdir "$module"
  printf 'module etcd-tools\n\ngo 1.24.0\n' >"$module/go.mod"
  step "fetching the modules of etcd $ETCD_VERSION" \
    go get "go.etcd.io/etcd/server/v3@v$ETCD_VERSION"
}

# build TOOL PACKAGE: into a temporary name first, so that the cache never
# holds half a file.
build() {
  local tool="$1" package="$2" version stamp=k8s.io/component-base/version
  version="$(version_of "$tool")"
  local -a flags=(-s -w)
  if [[ "$tool" != etcd ]]; then
    flags+=(-X "$stamp.gitVersion=v$version" -X "$stamp.gitMajor=1" -X "$stamp.gitMinor=34"
      -X "$stamp.gitTreeState=clean")
  fi
  rm -f "$cache/.$tool".*
  step "building $tool $version" go build -mod=mod -trimpath -ldflags "${flags[*]}" -o "$cache/.$tool.$$" "$package"
  rm -f "$cache/$tool.version"
  mv -f "$cache/.$tool.$$" "$cache/$tool"
  printf '%s\n' "$version" >"$cache/$tool.version"
}

quiet=false check=false
for argument in "$@"; do
  case "$argument" in
    --with-node) tools+=("${NODE_TOOLS[@]}") ;;
    --quiet) quiet=true ;;
    --check) check=true ;;
    --path)
      bin_dir
      exit 0
      ;;
    *) die "unknown argument '$argument'; usage: tools.sh [--with-node] [--quiet | --check | --path]" ;;
  esac
done
readonly tools

mkdir -p "$cache" || die "cannot create $cache"
missing=()
find_missing() {
  local tool
  missing=()
  for tool in "${tools[@]}"; do
    if ! supplied "$tool" && ! cached "$tool"; then
      missing+=("$tool")
    fi
  done
}
find_missing

if ((${#missing[@]} > 0)); then
  [[ "$check" == false ]] || die "not built yet: ${missing[*]}; run tests/cluster/tools.sh"
  check_go
  exec 9>"$cache/.lock"
  if ! flock -n 9; then
    say "another run is building the servers; waiting for it ..."
    flock 9
  fi
  find_missing
fi
if ((${#missing[@]} > 0)); then
  export CGO_ENABLED=0 GOWORK=off
  unset GOOS GOARCH
  work="$(mktemp -d)"
  say "building ${missing[*]} into $cache (a few minutes, once per user)"
  for tool in "${missing[@]}"; do
    if [[ "$tool" == etcd ]]; then
      prepare_etcd
      build etcd go.etcd.io/etcd/server/v3
    else
      prepare_kubernetes
      module="$work/kubernetes"
      build "$tool" "k8s.io/kubernetes/cmd/$tool"
    fi
  done
fi

if [[ -n "$assets" ]]; then
  links="$(bin_dir)"
  mkdir -p "$links"
  for tool in "${tools[@]}"; do
    source_dir="$cache"
    if supplied "$tool"; then
      source_dir="$assets"
    fi
    ln -sfn "$source_dir/$tool" "$links/.$tool.$$"
    mv -fT "$links/.$tool.$$" "$links/$tool"
  done
fi

if $quiet || $check; then exit 0; fi
for tool in "${tools[@]}"; do
  if supplied "$tool"; then
    say "$tool: from KUBEBUILDER_ASSETS"
  elif [[ " ${missing[*]:-} " != *" $tool "* ]]; then
    say "$tool $(version_of "$tool"): found in cache"
  fi
done
