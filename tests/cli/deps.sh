#!/usr/bin/env bash
# Installs the checkers of packaging_test.sh from PyPI into a cache, once per user, and prints the folder of their commands.
set -euo pipefail

readonly packages=(pre-commit==4.7.0 check-jsonschema==0.39.0)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/shutdown-auditor/cli-tools-$(printf '%s\n' "${packages[@]}" | sha256sum | cut -c1-12)"
if [[ ! -f "$cache/complete" ]]; then
  mkdir -p "$cache"
  exec 9>"$cache/.lock"
  flock 9
  if [[ ! -f "$cache/complete" ]]; then
    python3 -m venv --clear "$cache/venv" >&2
    "$cache/venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" >&2
    touch "$cache/complete"
  fi
fi
echo "$cache/venv/bin"
