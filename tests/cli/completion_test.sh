#!/usr/bin/env bash
# Completion in real shells: bash, zsh and fish load the script that the program prints and complete a line with it.
#   completion_test.sh BINARY
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

mkdir "$work/bin" "$work/deploy"
ln -s "$binary" "$work/bin/shutdown-auditor"
ln -s "$binary" "$work/bin/kubectl-shutdownaudit"
export PATH="$work/bin:$PATH"
touch "$work/deploy/web.yaml" "$work/policy file.yaml"
cd "$work"

# words of a line -> candidates, sorted, on one line
in_bash() {
  # The words as bash splits them: at the equals sign, too.
  COMP_LINE="$1" bash --norc -c '
    source <(shutdown-auditor completion bash)
    read -ra COMP_WORDS <<<"${COMP_LINE//=/ = }"
    [[ $COMP_LINE == *[\ ] ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _shutdown_auditor
    printf "%s\n" "${COMPREPLY[@]}"' 2>&1 | sort | paste -sd' '
}

in_zsh() {
  LINE="$1" zsh -f -c '
    typeset -a found
    compdef() { : }
    compset() { : }
    _files() { found+=(FILES) }
    _describe() { local item; for item in "${(@P)4}"; do found+=("${${item%%:*}//\\/}"); done }
    source <(shutdown-auditor completion zsh)
    words=("${(@s: :)LINE}")
    CURRENT=${#words}
    _shutdown-auditor
    print -rl -- "${found[@]}"' 2>&1 | sort | paste -sd' '
}

in_fish() {
  HOME="$work" XDG_CONFIG_HOME="$work" LINE="$1" fish --no-config -c '
    shutdown-auditor completion fish | source
    complete -C "$LINE"' 2>&1 | cut -f1 | sort | paste -sd' '
}

# The same answers in each; files by each shell's own means.
while IFS='|' read -r line expected; do
  expect "bash: '$line'" "$expected" "$(in_bash "$line")"
  expect "zsh: '$line'" "$expected" "$(in_zsh "$line")"
  expect "fish: '$line'" "$expected" "$(in_fish "$line")"
done <<'ROWS'
shutdown-auditor con|controller
shutdown-auditor check --fail-o|--fail-on
shutdown-auditor check -o j|json junit
shutdown-auditor check --fail-on |fail none warn
shutdown-auditor check -R --color=always -o wi|wide
shutdown-auditor explain grace-b|grace-budget
shutdown-auditor explain pdb-|pdb-blocks-eviction pdb-ineffective pdb-missing pdb-overlapping pdb-unsupported
shutdown-auditor completion |bash fish powershell zsh
kubectl-shutdownaudit ver|version
ROWS

expect "bash: --flag=value" "json junit" "$(in_bash 'shutdown-auditor check --output=j')"
expect "zsh: --flag=value" "--output=json --output=junit" "$(in_zsh 'shutdown-auditor check --output=j')"
expect "fish: --flag=value" "--output=json --output=junit" "$(in_fish 'shutdown-auditor check --output=j')"

expect "bash: files" "deploy" "$(in_bash 'shutdown-auditor check -f dep')"
expect "bash: files behind =" "deploy" "$(in_bash 'shutdown-auditor check --filename=dep')"
expect "zsh: files" "FILES" "$(in_zsh 'shutdown-auditor check -f dep')"
expect "fish: files" "deploy/" "$(in_fish 'shutdown-auditor check -f dep')"
expect "fish: files behind =" "--filename=deploy/" "$(in_fish 'shutdown-auditor check --filename=dep')"
expect "bash: no files where none are meant" "" "$(in_bash 'shutdown-auditor check -n dep')"
expect "zsh: no files where none are meant" "" "$(in_zsh 'shutdown-auditor check -n dep')"
expect "fish: no files where none are meant" "" "$(in_fish 'shutdown-auditor check -n dep')"

# bash as it loads a script by itself, and complete -F is registered for both names
for name in shutdown-auditor kubectl-shutdownaudit; do
  expect "bash: registered for $name" "complete -F _shutdown_auditor $name" \
    "$(bash --norc -c 'source <(shutdown-auditor completion bash); complete -p "$1"' bash "$name")"
done
# zsh autoloads the same text as a file of its fpath
mkdir "$work/fpath"
shutdown-auditor completion zsh >"$work/fpath/_shutdown-auditor"
expect "zsh: autoloaded" "_shutdown-auditor" "$(zsh -f -c "fpath=('$work/fpath' \$fpath)
  autoload -Uz compinit && compinit -u -d '$work/zcompdump' && print -r -- \$_comps[shutdown-auditor]" 2>&1)"
checks=$((checks + 1))
shutdown-auditor completion bash | bash -n || fail "bash: syntax"
shutdown-auditor completion zsh | zsh -fn || fail "zsh: syntax"
shutdown-auditor completion fish | fish --no-execute || fail "fish: syntax"
finish
