#!/usr/bin/env bash
# `cmake --install` into an empty folder: everything is where shells, man and kubectl look for it.
#   install_test.sh BINARY BUILD_DIRECTORY
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

cmake --install "$2" --prefix "$work/usr" >"$work/log" 2>&1 || fail "cmake --install" "$(cat "$work/log")"
expect "installed files" "bin/kubectl-shutdownaudit bin/kubectl_complete-shutdownaudit bin/shutdown-auditor \
share/bash-completion/completions/shutdown-auditor share/doc/shutdown-auditor/CHANGELOG.md \
share/doc/shutdown-auditor/LICENSE share/doc/shutdown-auditor/README.md share/fish/vendor_completions.d/shutdown-auditor.fish \
share/man/man1/shutdown-auditor.1 share/zsh/site-functions/_shutdown-auditor" \
  "$(cd "$work/usr" && find . ! -type d -printf '%P\n' | LC_ALL=C sort | paste -sd' ')"

program="$work/usr/bin/shutdown-auditor"
expect "the program runs" "shutdown-auditor" "$("$program" version | cut -d' ' -f1)"
expect "the plugin knows its name" "Usage: kubectl shutdownaudit check [flags] [KIND/NAME ...]" \
  "$("$work/usr/bin/kubectl-shutdownaudit" check --help | grep '^Usage')"
expect "kubectl's completion" "sarif :4" \
  "$("$work/usr/bin/kubectl_complete-shutdownaudit" check -o sar | cut -f1 | paste -sd' ')"

page="$work/usr/share/man/man1/shutdown-auditor.1"
expect "mandoc -Tlint" "" "$(mandoc -Tlint -W style "$page" 2>&1)"
text="$(mandoc -Tutf8 -O width=78 "$page" | sed 's/.\x08//g')"
for part in "NAME" "shutdown-auditor check [flags]" "-f, --filename PATH" "--leader-elect-renew-deadline" "grace-budget" \
  "SHUTDOWN_AUDITOR_FAIL_ON" "EXIT STATUS" "helm template . | shutdown-auditor check -f -"; do
  expect_part "man page" "$part" "$text"
done
for shell in bash zsh fish; do
  "$program" completion "$shell" >"$work/$shell"
done
cmp "$work/bash" "$work/usr/share/bash-completion/completions/shutdown-auditor" || fail "installed bash completion differs"
cmp "$work/zsh" "$work/usr/share/zsh/site-functions/_shutdown-auditor" || fail "installed zsh completion differs"
cmp "$work/fish" "$work/usr/share/fish/vendor_completions.d/shutdown-auditor.fish" || fail "installed fish completion differs"

DESTDIR="$work/stage" cmake --install "$2" --prefix /usr >"$work/log" 2>&1 || fail "DESTDIR" "$(cat "$work/log")"
expect "DESTDIR is obeyed" "shutdown-auditor" "$(readlink "$work/stage/usr/bin/kubectl-shutdownaudit")"
finish
