# Shared by the parts of the end-to-end test; source it, do not run it. The caller sets `state`, its directory.
# shellcheck shell=bash disable=SC2154

kubectl() { "$state/cluster/bin/kubectl" --kubeconfig "$state/cluster/kubeconfig" "$@"; }
helm() { "$helm_command" --kubeconfig "$state/cluster/kubeconfig" "$@"; }
# follow FILE ARGUMENTS...: kubectl in the background until the end of the test, output to FILE.
watches=()
follow() {
  local file="$1"
  shift
  "$state/cluster/bin/kubectl" --kubeconfig "$state/cluster/kubeconfig" "$@" >"$file" 2>&1 &
  watches+=($!)
}
node_exec() { tests/cluster/cluster.sh node-exec "$state/cluster" "$@"; }

# now: seconds since 1970 with microseconds, as a lease has them.
now() { echo "$EPOCHREALTIME"; }
# minus A B: with milliseconds
minus() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a - b }'; }
# at_most A B
at_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b) }'; }

# section TITLE; show COMMAND...: what a user types and sees, as Markdown for docs/operations.md.
section() { printf '\n### %s\n\n' "$*" >>"$state/transcript.md"; }
show() {
  local word line='' status=0
  for word in "$@"; do
    [[ "$word" =~ ^[A-Za-z0-9_./:=,@-]+$ ]] || word="'$word'"
    line+=" $word"
  done
  "$@" >"$state/shown" 2>"$state/shown.err" || status=$?
  {
    printf '    $%s\n' "$line"
    sed -E 's/^(.+)$/    \1/' "$state/shown"
    echo
  } >>"$state/transcript.md"
  ((status == 0)) || { cat "$state/shown" "$state/shown.err" >&2; die "status $status of:$line"; }
}

# shape FILE: of a transcript the commands, the headings and first columns of tables, and the names of fields, without what
# differs from run to run.
shape() {
  sed -E -e 's/shutdown-auditor-[0-9a-z]{6,10}-[0-9a-z]{5}/POD/g' -e 's/_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/_ID/g' \
    -e 's/\b[0-9]+(s|m|m[0-9]+s|h|h[0-9]+m)\b/AGE/g' "$1" |
    awk -F '  +' '/^###/ || /^    \$ / { print; table = 0; next }
      /^ *$/ { table = 0; next }
      /^    [A-Z]+[A-Z ]*$/ { $1 = ""; $0 = $0; print; table = 1; next }
      table { print "", $2, $3, $4; next }
      /^    [A-Z][A-Za-z ]*:/ || /^      +[A-Z][A-Za-z ]*:/ { sub(/:.*/, ":"); print }'
}

# --- the lease ---

# lease_records: the states of the lease so far, one {holder, acquired, renewed} a line, times in seconds.
lease_records() {
  jq -c 'def seconds: (.[0:19] + "Z" | fromdate) + ("0" + .[19:-1] | tonumber);
    .object.spec | {holder: (.holderIdentity // ""), acquired: (.acquireTime | seconds), renewed: (.renewTime | seconds)}' \
    "$state/lease.json"
}
# handovers FROM: the changes of hands after record number FROM: {from, to, released, gap}. The gap is the time from the
# release, or from the last renewal when there was none, to the acquisition.
handovers() {
  lease_records | jq -sc --argjson from "$1" '[range([$from, 1] | max; length) as $i
    | {before: .[$i - 1], now: .[$i], leader: ([.[:$i][] | select(.holder != "")] | last.holder)}
    | select(.now.holder != "" and .before.holder != .now.holder)
    | {from: .leader, to: .now.holder, released: (.before.holder == ""), gap: (.now.acquired - .before.renewed)}] | .[]'
}
# holder: the identity that holds the lease, <pod>_<uuid>; fails when none does.
holder() {
  local holder
  holder="$(kubectl -n "$namespace" get lease "$release" -o jsonpath='{.spec.holderIdentity}')"
  [[ -n "$holder" ]] && echo "$holder"
}
# leader: the name of the pod that leads; fails when none does.
leader() {
  local holder
  holder="$(holder)" && echo "${holder%_*}"
}
# leader_is_other_than POD, holder_is_other_than IDENTITY
leader_is_other_than() { [[ "$(leader)" != "$1" ]] && leader; }
holder_is_other_than() { [[ "$(holder)" != "$1" ]] && holder; }

# --- pods ---

# ours_ready COUNT [NODE]: so many pods are there, all are ready (on that node).
ours_ready() {
  kubectl -n "$namespace" get pods -l "app.kubernetes.io/instance=$release" -o json |
    jq -e --argjson count "$1" --arg node "${2:-}" '(.items | length) == $count and all(.items[];
      ($node == "" or .spec.nodeName == $node) and any(.status.conditions[]?; .type == "Ready" and .status == "True"))'
}
node_of() { kubectl -n "$namespace" get pod "$1" -o jsonpath='{.spec.nodeName}'; }
