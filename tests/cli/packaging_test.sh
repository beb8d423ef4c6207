#!/usr/bin/env bash
# The files that other tools read: the hook with the real pre-commit, action.yml against GitHub's schema and its steps as a
# runner would run them, the Krew manifest against Krew's rules.
#   packaging_test.sh BINARY
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

tools="$("$project/tests/cli/deps.sh")"
mkdir "$work/bin" "$work/home"
ln -s "$binary" "$work/bin/shutdown-auditor"
export PATH="$work/bin:$PATH" HOME="$work/home"
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b.example GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b.example
to_json() { "$tools/python" -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)'; }

manifest() { # manifest GRACE
  printf '%s\n' 'apiVersion: apps/v1' 'kind: Deployment' 'metadata: {name: web, namespace: shop}' 'spec:' '  replicas: 1' \
    '  selector: {matchLabels: {app: web}}' '  template:' '    metadata: {labels: {app: web}}' '    spec:' \
    "      terminationGracePeriodSeconds: $1" '      containers: [{name: app, image: "registry.local/app:1"}]'
}

# --- pre-commit
hook="$work/hook" estate="$work/estate"
mkdir -p "$hook" "$estate/deploy"
cp "$project/.pre-commit-hooks.yaml" "$hook"
expect "pre-commit validate-manifest" "" "$("$tools/pre-commit" validate-manifest "$hook/.pre-commit-hooks.yaml" 2>&1)"
git -C "$hook" init -q && git -C "$hook" add -A && git -C "$hook" commit -qm hook
git -C "$estate" init -q
run_hook() { (cd "$estate" && git add -A && "$tools/pre-commit" try-repo "$hook" shutdown-auditor --all-files --color never 2>&1) || true; }
manifest 0 >"$estate/deploy/web.yaml"
out="$(run_hook)"
expect_part "pre-commit: findings fail it" "Failed" "$out"
expect_part "pre-commit: and are shown" "deploy/web.yaml:10" "$out"
manifest 60 >"$estate/deploy/web.yaml"
expect_part "pre-commit: a good estate passes" "Passed" "$(run_hook)"

# --- GitHub Action
expect "action.yml and GitHub's schema" "ok -- validation done" \
  "$("$tools/check-jsonschema" --builtin-schema vendor.github-actions "$project/action.yml" 2>&1)"
to_json <"$project/action.yml" >"$work/action.json"
run_step() { # run_step NAME [input=value…]: as a runner does: expressions replaced, then bash -e
  local name="$1" input
  shift
  local -a settings=("GITHUB_ACTION_PATH=$project")
  while IFS=$'\t' read -r variable input default; do
    for setting in "$@"; do
      [[ "${setting%%=*}" != "$input" ]] || default="${setting#*=}"
    done
    settings+=("$variable=$default")
  done < <(jq -r --arg name "$name" '. as $action | .runs.steps[] | select(.name == $name) | .env | to_entries[]
    | (.value | capture("inputs\\.(?<input>[a-z0-9-]+)").input) as $input
    | [.key, $input, ($action.inputs[$input].default // error("no input " + $input))] | @tsv' "$work/action.json")
  jq -r --arg name "$name" '.runs.steps[] | select(.name == $name) | .run' "$work/action.json" >"$work/step.sh"
  (cd "$estate" && env "${settings[@]}" bash --noprofile --norc -eo pipefail "$work/step.sh" 2>&1)
}
export RUNNER_TEMP="$work/runner" GITHUB_OUTPUT="$work/output" GITHUB_STEP_SUMMARY="$work/summary" GITHUB_PATH="$work/path"
export GITHUB_REPOSITORY=me/estate GITHUB_SHA=0123 GITHUB_REF=refs/heads/main RUNNER_OS=Linux
mkdir "$RUNNER_TEMP"
manifest 0 >"$estate/deploy/web.yaml"
got=0
out="$(run_step Check files=$'deploy/\n' sarif-file=audit.sarif)" || got=$?
expect "action: status of findings" 1 "$got"
expect_part "action: annotations" "::error file=deploy/web.yaml,line=10," "$out"
expect "action: output" "status=1" "$(<"$GITHUB_OUTPUT")"
expect_part "action: summary" "### Shutdown audit" "$(<"$GITHUB_STEP_SUMMARY")"
expect "action: SARIF" "grace-zero" "$(jq -r '.runs[0].results[] | select(.level == "error").ruleId' "$estate/audit.sarif")"
got=0
run_step Check fail-on=none >/dev/null || got=$?
expect "action: fail-on" 0 "$got"
got=0
out="$(run_step Check $'files=x\'; touch hacked; \'')" || got=$?
expect "action: no such file" 2 "$got"
[[ ! -e "$estate/hacked" ]] || fail "action: an input was run"
got=0
out="$(run_step Check kubernetes-version=1.2)" || got=$?
expect "action: a bad input" 2 "$got"

printf '%s\n' '#!/bin/sh' 'printf "%s\n" "$@" >"$RUNNER_TEMP/gh"' >"$work/bin/gh"
chmod +x "$work/bin/gh"
run_step Upload sarif-file=audit.sarif || fail "action: upload"
expect_part "action: uploads to" "repos/me/estate/code-scanning/sarifs" "$(<"$RUNNER_TEMP/gh")"
expect "action: uploads what was written" "$(sha256sum <"$estate/audit.sarif")" \
  "$(base64 -d "$RUNNER_TEMP/shutdown-auditor.sarif.gz.base64" | gunzip | sha256sum)"
got=0
out="$(run_step Upload)" || got=$?
expect_part "action: upload without a file" "upload-sarif needs the input sarif-file" "$out"

# A release as `tar` makes it; the program in it is a stand-in.
mkdir "$work/release"
printf '#!/bin/sh\n' >"$work/release/shutdown-auditor"
chmod +x "$work/release/shutdown-auditor"
cp "$project/LICENSE" "$work/release"
archive="$work/shutdown-auditor-1.2.3-linux-amd64.tar.gz"
mkdir "$work/release/lib"
touch "$work/release/lib/libexample.so.1"
tar -czf "$archive" -C "$work/release" .
sum="$(sha256sum "$archive" | cut -d' ' -f1)"
run_step Install "archive=file://$archive" "sha256=$sum" || fail "action: install"
expect "action: installed" "$RUNNER_TEMP/shutdown-auditor" "$(<"$GITHUB_PATH")"
got=0
out="$(run_step Install "archive=file://$archive" "sha256=${sum//[0-9]/a}")" || got=$?
expect "action: another checksum" 2 "$got"
expect_part "action: another checksum" "another checksum" "$out"
got=0
out="$(run_step Install "archive=file://$archive")" || got=$?
expect_part "action: no checksum" "input sha256 must be" "$out"

# --- Krew: the rules of its validation (names, version, platforms, sums, files) and of its naming guide
krew() { "$project/packaging/krew/manifest.sh" --url https://example.com/v1.2.3/ --homepage https://example.com "$@"; }
mkdir "$work/other"
tar -czf "$work/other/shutdown-auditor-1.2.3-linux-arm64.tar.gz" -C "$work/release" shutdown-auditor LICENSE lib
krew "$archive" "$work/other/shutdown-auditor-1.2.3-linux-arm64.tar.gz" | to_json >"$work/krew.json" || fail "krew manifest"
problems="$(jq -r --arg sum "$sum" '
  def must($what; $holds): if $holds then empty else $what end;
  must("apiVersion"; .apiVersion == "krew.googlecontainertools.github.com/v1alpha2"),
  must("kind"; .kind == "Plugin"),
  must("name"; .metadata.name | test("^[a-z0-9]+(-[a-z0-9]+)*$") and (startswith("kube") | not)),
  must("version"; .spec.version == "v1.2.3"),
  must("homepage"; .spec.homepage == "https://example.com"),
  must("shortDescription"; .spec.shortDescription | length > 0 and length <= 50 and (endswith(".") | not)),
  must("description"; .spec.description | length > 0),
  must("fields"; [.spec | keys[]] - ["version", "homepage", "shortDescription", "description", "platforms", "caveats"] == []),
  must("platforms"; [.spec.platforms[].selector.matchLabels | "\(.os)/\(.arch)"] == ["linux/amd64", "linux/arm64"]),
  must("uri"; .spec.platforms[0].uri == "https://example.com/v1.2.3/shutdown-auditor-1.2.3-linux-amd64.tar.gz"),
  must("sha256"; .spec.platforms[0].sha256 == $sum and all(.spec.platforms[].sha256; test("^[0-9a-f]{64}$"))),
  must("bin"; all(.spec.platforms[]; .bin == "shutdown-auditor")),
  must("files, the licence and libraries among them"; all(.spec.platforms[]; .files == [{from: "*", to: "."}])),
  empty' "$work/krew.json")"
expect "krew manifest" "" "$problems"
krew_error() { { krew "$@" >/dev/null; } 2>&1 || true; }
cp "$archive" "$work/shutdown-auditor-v1-linux-amd64.tar.gz"
cp "$archive" "$work/shutdown-auditor-1.2.4-linux-amd64.tar.gz"
tar -czf "$work/other/shutdown-auditor-1.2.3-linux-amd64.tar.gz" -C "$work/release" shutdown-auditor
expect_part "krew: archive's name" "the name must be" "$(krew_error "$work/shutdown-auditor-v1-linux-amd64.tar.gz")"
expect_part "krew: two versions" "not the version" "$(krew_error "$archive" "$work/shutdown-auditor-1.2.4-linux-amd64.tar.gz")"
expect_part "krew: no licence" "does not hold LICENSE" "$(krew_error "$work/other/shutdown-auditor-1.2.3-linux-amd64.tar.gz")"
expect_part "krew: no archive" "which archives?" "$(krew_error)"
expect_part "krew: address" "is not an https address" "$(krew_error --url http://example.com "$archive")"
finish
