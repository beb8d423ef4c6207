#!/usr/bin/env bash
# Writes what is made from something else:
#   charts/shutdown-auditor/files/crds/*    from crds/*
#   charts/shutdown-auditor/README.md       the table of values, from values.yaml
#   manifests/install.yaml                  from the chart
#
#   update.sh           write
#   update.sh --check   write nothing; say what is not current, status 1
set -euo pipefail

PROGRAM=chart-update
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/cluster/lib.sh
source "$here/../cluster/lib.sh"
# shellcheck source=tests/chart/lib.sh
source "$here/lib.sh"

check=
case "${1:-}" in
  '') ;;
  --check) check=yes ;;
  *) die "unknown argument '$1'; usage: update.sh [--check]" ;;
esac
cd "$here/../.."
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# put NEW FILE: takes NEW over as FILE, or compares the two.
stale=()
put() {
  if ! cmp -s "$1" "$2"; then
    stale+=("$2")
    if [[ -n "$check" ]]; then
      diff -u "$2" "$1" | head -n 20 >&2 || true
    else
      mkdir -p "$(dirname "$2")"
      cp "$1" "$2"
    fi
  fi
}

# "path<tab>text" for every key of values.yaml that has a "# --" comment.
documented_values() {
  awk '
    /^ *# -- / { sub(/^ *# -- /, ""); text = $0; next }
    /^ *# / && text != "" { sub(/^ *# /, ""); text = text " " $0; next }
    /^ *[A-Za-z]+:/ {
      match($0, /^ */); depth = RLENGTH / 2
      key = $0; sub(/^ */, "", key); sub(/:.*/, "", key)
      path[depth] = key; full = path[0]
      for (i = 1; i <= depth; i++) full = full "." path[i]
      if (text != "") print full "\t" text
    }
    { text = "" }
  ' "$CHART/values.yaml"
}

values_table() {
  echo "| value | default | what |"
  echo "| --- | --- | --- |"
  documented_values | jq -R -r --slurpfile values <(to_json <"$CHART/values.yaml") '
    split("\t") as [$path, $text]
    | ($values[0][0] | getpath($path / ".") | tojson | gsub("\\|"; "\\|")) as $default
    | "| `\($path)` | `\($default)` | \($text | gsub("\\|"; "\\|")) |"'
}

# Every scalar, and every empty map or list, is documented itself or by the value it is part of.
undocumented="$(to_json <"$CHART/values.yaml" | jq -r --rawfile known <(documented_values | cut -f1) '
  ($known | split("\n") | map(select(. != ""))) as $known
  | .[0] as $values
  | [$values | paths | select(all(type == "string"))] | .[] | . as $path
  | select($values | getpath($path) | (type != "object") or (length == 0))
  | join(".") as $full
  | select(any($known[]; . == $full or (. as $one | $full | startswith($one + "."))) | not)
  | $full')"
[[ -z "$undocumented" ]] || die "values without a '# --' comment: ${undocumented//$'\n'/ }"

for crd in crds/*.yaml; do
  put "$crd" "$CHART/files/crds/$(basename "$crd")"
done
for copy in "$CHART"/files/crds/*.yaml; do
  [[ -f "crds/$(basename "$copy")" ]] || die "$copy has no original in crds/"
done

values_table >"$work/table"
awk -v table="$work/table" '
  /<!-- values: end -->/ { skip = 0 }
  !skip { print }
  /<!-- values: begin -->/ { skip = 1; while ((getline line < table) > 0) print line }
' "$CHART/README.md" >"$work/README.md"
put "$work/README.md" "$CHART/README.md"

# For people without Helm: its labels would say something untrue, and nothing else adopts these objects.
{
  cat <<'YAML'
# Made from charts/shutdown-auditor by tests/chart/update.sh; do not edit. Install: kubectl apply -f manifests/install.yaml
apiVersion: v1
kind: Namespace
metadata:
  name: shutdown-auditor
  labels:
    pod-security.kubernetes.io/enforce: restricted
YAML
  render helm4 shutdown-auditor --set crds.keep=false |
    sed -e '/^ *helm\.sh\/chart: /d' -e '/^ *app\.kubernetes\.io\/managed-by: Helm$/d' -e '/^# Source: /d'
} >"$work/install.yaml"
put "$work/install.yaml" manifests/install.yaml

if ((${#stale[@]} == 0)); then
  say "everything is current"
elif [[ -n "$check" ]]; then
  die "not current: ${stale[*]}; run tests/chart/update.sh"
else
  say "written: ${stale[*]}"
fi
