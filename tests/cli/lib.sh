# Sourced by the tests of this folder: a folder of their own, and checks that say what failed.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C.UTF-8

binary="$(realpath "${1:?usage: $0 BINARY}")"
project="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export project work binary
failures=0
checks=0

fail() { # fail WHAT [DETAIL]
  echo "FAILED: $1"
  [[ -z "${2:-}" ]] || printf '%s\n' "$2" | sed 's/^/    /'
  failures=$((failures + 1))
}

expect() { # expect WHAT EXPECTED GOT
  checks=$((checks + 1))
  [[ "$2" == "$3" ]] || fail "$1" "$(printf 'expected: %s\n     got: %s' "$2" "$3")"
}

expect_part() { # expect_part WHAT PART TEXT
  checks=$((checks + 1))
  [[ "$3" == *"$2"* ]] || fail "$1" "$(printf 'expected to contain: %s\ngot: %s' "$2" "$3")"
}

finish() {
  echo "$checks checks, $failures failed"
  ((failures == 0))
}
