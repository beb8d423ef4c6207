#!/usr/bin/env bash
# What people really hand to `check -f`: every case must end with the right status and one line that says what is wrong.
#   odd_input.sh BINARY
set -euo pipefail

binary=$(readlink -f "$1")
work=$(mktemp -d)
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
cd "$work"
failures=0
LC_ALL=C.UTF-8
export LC_ALL

fail() {
  echo "FAILED: $1" >&2
  failures=$((failures + 1))
}

# expect WHAT STATUS LINES PATTERN ARGUMENT…: runs the command (before it, $as) with a time limit; stderr must be LINES
# lines, one of which matches PATTERN (an extended regular expression).
as=()
expect() {
  local what=$1 status=$2 lines=$3 pattern=$4 got=0
  shift 4
  timeout 100 "${as[@]}" ./checker check "$@" >out 2>err || got=$?
  if ((got != status)); then
    fail "$what: status $got, expected $status"
  elif (($(wc -l <err) != lines)); then
    fail "$what: $(wc -l <err) lines on stderr, expected $lines"
  elif ((lines > 0)) && ! grep -Eq -- "$pattern" err; then
    fail "$what: nothing matches '$pattern'"
  else
    return 0
  fi
  head -c 2000 err >&2
}

cp "$binary" checker
cat >pass.yaml <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {terminationGracePeriodSeconds: 60, containers: [{name: app, image: web}]}
YAML
sed 's/Seconds: 60/Seconds: 0/' pass.yaml >fail.yaml

expect "a file" 0 0 '' -f pass.yaml
expect "a finding" 1 0 '' -f fail.yaml
expect "standard input" 1 0 '' -f - <fail.yaml
expect "several files" 1 0 '' -f pass.yaml -f fail.yaml
expect "/dev/stdin" 1 0 '' -f /dev/stdin <fail.yaml
expect "a pipe" 1 0 '' -f /dev/stdin < <(cat fail.yaml)
expect "a process substitution" 1 0 '' -f <(cat fail.yaml)

mkdir empty
expect "an empty directory" 2 1 '^empty: no .yaml, .yml or .json file in this directory \(-R' -f empty
expect "an empty directory, recursive" 2 1 '^empty: no .*or below$' -f empty -R
mkdir -p deep/er && cp fail.yaml deep/er/
expect "manifests further down without -R" 2 1 '^deep: no .*-R reads those below' -f deep
expect "manifests further down" 1 0 '' -f deep -R
expect "nothing of that name" 2 1 '^nothing.yaml: No such file or directory$' -f nothing.yaml
expect "a directory by the name of a file" 2 1 '^pass.yaml/x: Not a directory$' -f pass.yaml/x
mkdir dir.yaml && cp fail.yaml dir.yaml/
expect "a directory that is named like a file" 1 0 '' -f dir.yaml
expect "good and missing" 2 1 '^nothing.yaml: No such' -f fail.yaml -f nothing.yaml
: >nothing-in-it.yaml
expect "an empty file" 2 1 '^no Kubernetes object in the input$' -f nothing-in-it.yaml
expect "empty standard input" 2 1 '^no Kubernetes object in the input$' -f - </dev/null
printf 'just text\n' >text.yaml
expect "text" 2 1 '^text.yaml:1:1: expected a Kubernetes object with apiVersion and kind$' -f text.yaml
gzip -c pass.yaml >packed.yaml
expect "a packed file" 2 1 '^packed.yaml: a binary file, neither YAML nor JSON$' -f packed.yaml
cp "$(command -v bash)" program  # not the checker: with a sanitizer in it, it is larger than a file may be
expect "a program" 2 1 '^program: a binary file, neither YAML nor JSON$' -f program
iconv -f UTF-8 -t UTF-16 fail.yaml >wide.yaml
expect "UTF-16, as PowerShell writes it" 1 0 '' -f wide.yaml
printf '\xff\xfeabc' >half.yaml
expect "broken UTF-16" 2 1 '^half.yaml: begins as UTF-16' -f half.yaml

expect "a device" 2 1 '^/dev/zero: a device, not a file$' -f /dev/zero
expect "the empty device" 2 1 '^/dev/null: a device, not a file$' -f /dev/null
mkfifo pipe.yaml
(cat fail.yaml >pipe.yaml) &
expect "a named pipe" 1 0 '' -f pipe.yaml
wait $!
mkdir pipes && mkfifo pipes/p.yaml && cp fail.yaml pipes/
expect "a named pipe in a directory is passed over" 1 0 '' -f pipes

ln -s nowhere dangling.yaml
expect "a dangling link" 2 1 '^dangling.yaml: No such file or directory$' -f dangling.yaml
mkdir links && ln -s nowhere links/dangling.yaml && cp fail.yaml links/
expect "a dangling link in a directory" 2 1 '^links/dangling.yaml: a link to nowhere, which does not exist$' -f links
rm links/dangling.yaml
ln -s user@host.123:456 links/.#fail.yaml
expect "an editor's lock" 1 0 '' -f links
ln -s .. links/up && ln -s loop links/loop
expect "links to directories, and a loop" 1 0 '' -f links -R
ln -s loop.yaml links/loop.yaml
expect "a link to itself" 2 1 '^links/loop.yaml: .*[Tt]oo many .*symbolic links' -f links -R

mkdir locked && cp fail.yaml locked/ && cp pass.yaml secret.yaml && mkdir -p half/locked && cp fail.yaml half/
chmod 000 locked secret.yaml half/locked && chmod 755 .
if ((EUID == 0)); then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
expect "a directory without permission" 2 1 '^locked: Permission denied$' -f locked
expect "a file without permission" 2 1 '^secret.yaml: Permission denied$' -f secret.yaml
expect "a directory without permission below" 2 1 '^half/locked: Permission denied$' -f half -R
grep -q 'half/fail.yaml' out || fail "the rest is audited"
as=()

mkdir many
for i in $(seq 2000); do echo "apiVersion: v1
kind: ConfigMap
metadata: {name: c$i}" >"many/$i.yaml"; done
cp fail.yaml many/
expect "2,001 files" 1 0 '' -f many

mkdir names && cp fail.yaml names/$'caf\xe9.yaml' && cp fail.yaml names/$'new\nline.yaml' && cp fail.yaml names/$'esc\e[31m.yaml'
for format in table wide json yaml sarif junit github markdown; do
  expect "names that are not UTF-8, as $format" 1 0 '' -f names -o "$format"
  iconv -f UTF-8 -t UTF-8 out >/dev/null || fail "$format is not UTF-8"
  ! grep -q $'\e' out || fail "$format lets an escape sequence through"
done
printf 'a: [' >names/$'b\e[31m\xe9.yaml'
expect "a broken file with such a name" 2 1 '^names/b \[31m.*\.yaml:2:1: ' -f names
! grep -q $'\e' err || fail "an escape sequence on stderr"

truncate -s 300M huge.yaml
expect "a file over the limit" 2 1 '^huge.yaml: more than 268435456 bytes' -f huge.yaml
head -c 200000000 /dev/zero | tr '\0' 'a' >big.yaml
expect "200 MB of text" 2 1 '^big.yaml:1:1: expected a Kubernetes object' -f big.yaml
head -c 200000000 /dev/zero >big.yaml
expect "200 MB of zeros" 2 1 '^big.yaml: a binary file' -f big.yaml
rm big.yaml huge.yaml

mkdir -p chart/templates/more chart/charts/db/templates
echo 'apiVersion: v2
name: web' | tee chart/Chart.yaml >chart/charts/db/Chart.yaml
echo 'replicas: 3' | tee chart/values.yaml >chart/charts/db/values.yaml
echo '{{- if .Values.on }}
kind: Deployment
{{- end }}' | tee chart/templates/a.yaml chart/templates/more/b.yaml >chart/charts/db/templates/c.yaml
cp fail.yaml chart/templates/plain.yaml
rendered='^chart: a Helm chart that is not rendered; skipped its templates: helm template chart \| shutdown-auditor check -f -$'
expect "a chart" 2 2 "$rendered" -f chart -R
expect "a template of a chart" 2 2 "$rendered" -f chart/templates/plain.yaml
expect "a chart beside manifests" 1 1 "$rendered" -R -f chart -f fail.yaml
expect "a chart beside manifests, quiet" 1 0 '' -R -q -f chart -f fail.yaml
echo 'kind: Deployment
metadata: {name: {{ .name }}}' >loose.yaml
expect "a template without a chart" 1 1 '^loose.yaml:.*not rendered.*helm template' -f loose.yaml -f fail.yaml
mkdir kustom && cp fail.yaml kustom/ && echo 'resources: [fail.yaml]' >kustom/kustomization.yaml
expect "a kustomization" 1 1 '^kustom: .*kustomize build kustom \| shutdown-auditor check -f -$' -f kustom

{ cat fail.yaml; printf '\004'; } | timeout 100 script -qec './checker check -f -' /dev/null >out 2>&1 || true
grep -q 'reading manifests from the terminal; Ctrl-D ends them' out || fail "a terminal as standard input is not announced"
grep -q 'web' out || fail "what was typed is not audited"

if ((failures > 0)); then
  echo "$failures cases failed" >&2
  exit 1
fi
echo "all cases as expected"
