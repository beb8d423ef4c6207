# Shared by the scripts of this directory; source it, do not run it.
# shellcheck shell=bash

# The versions of the servers. The cache is keyed by them.
# shellcheck disable=SC2034  # used by the scripts that source this file
readonly KUBERNETES_VERSION=1.34.4
# shellcheck disable=SC2034
readonly ETCD_VERSION=3.6.16

say() { printf '%s: %s\n' "${PROGRAM:-cluster}" "$*" >&2; }

die() {
  printf '%s: error: %s\n' "${PROGRAM:-cluster}" "$*" >&2
  exit 1
}

# version_at_least HAVE WANT: compares dotted numbers.
version_at_least() {
  [[ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" == "$2" ]]
}

# Go builds the servers: 1.26 or newer, or 1.21 and newer when the go command
# may fetch a newer toolchain by itself. Says which of the two it found.
check_go() {
  command -v go >/dev/null 2>&1 ||
    die "no 'go' command in PATH; install Go 1.26 or newer (or 1.21 with GOTOOLCHAIN=auto)"
  local have toolchain
  have="$(cd / && GOWORK=off go env GOVERSION)" || die "'go env GOVERSION' failed"
  have="${have#go}"
  have="${have%%[^0-9.]*}"
  toolchain="$(cd / && GOWORK=off go env GOTOOLCHAIN)" || die "'go env GOTOOLCHAIN' failed"
  if version_at_least "$have" 1.26; then
    say "Go $have"
  elif version_at_least "$have" 1.21 && [[ "$toolchain" == auto || "$toolchain" == *+auto ]]; then
    say "Go $have with GOTOOLCHAIN=$toolchain: the go command fetches the newer toolchain that etcd asks for"
  else
    die "Go $have with GOTOOLCHAIN=${toolchain:-unset} is too old: 1.26 is needed, or 1.21 with GOTOOLCHAIN=auto"
  fi
}

# --- for tests that are scripts ---

# What goes wrong is counted, so that one run tells everything.
problems=0
bad() {
  printf '  FAILED: %s\n' "$*" >&2
  problems=$((problems + 1))
}
# until_true SECONDS WHAT COMMAND...: the end when COMMAND does not succeed in time; a test that knows more says it in a
# function of its own, before_giving_up.
until_true() {
  local end=$((SECONDS + $1)) what="$2"
  shift 2
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= end)); then
      if declare -F before_giving_up >/dev/null; then before_giving_up; fi
      die "not within the time: $what"
    fi
    sleep 0.2
  done
}
