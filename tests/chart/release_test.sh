#!/usr/bin/env bash
# The files of a release: complete, the same twice, verified as docs/install.md says, and of use.
#   tests/chart/release_test.sh BINARY
set -euo pipefail
export LC_ALL=C

PROGRAM="release-test"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/cluster/lib.sh
source "$here/../cluster/lib.sh"
# shellcheck source=tests/chart/lib.sh
source "$here/lib.sh"
binary="$(realpath "$1")"
cd "$here/../.."
prepare
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1700000000

packaging/release.sh --binary "$binary" --output "$work/one" >"$work/report"
(umask 077 && cd / && export TZ=Pacific/Kiritimati &&
  "$OLDPWD/packaging/release.sh" --binary "$binary" --output "$work/two" >/dev/null)
diff -r "$work/one" "$work/two" >&2 || bad "two releases of one program differ"

read -r _ version _ <<<"$("$binary" version)"
# shellcheck source=image/archive.sh
architecture="$(source image/archive.sh && architecture)"
base="shutdown-auditor-$version-linux-$architecture"
sums="$work/one/shutdown-auditor-$version-sha256sums.txt"
files="$(ls "$work/one")"
expected="$(printf '%s\n' "$base.tar.gz" "$base.oci.tar" "$base.sbom.spdx.json" "shutdown-auditor-$version.tgz" \
  "shutdown-auditor-$version-"{install.yaml,crds.yaml,sha256sums.txt} | sort)"
[[ "$files" == "$expected" ]] || bad "the files of the release are: $files"
[[ "$(awk '{ print $2 }' "$sums")" == "$(grep -v sha256sums <<<"$files")" ]] || bad "the checksums are not of all files"

# What docs/install.md tells people to type.
sed -n '/^## Verifying a release/,/^## What/p' docs/install.md | sed -n 's/^    //p' |
  sed -e "s/<version>/$version/g" -e "s/linux-amd64/linux-$architecture/g" >"$work/documented.sh"
(cd "$work/one" && bash -euo pipefail "$work/documented.sh") >"$work/said" 2>&1 ||
  { cat "$work/said" >&2; bad "what docs/install.md says about verifying does not work"; }
grep -qx "$base.oci.tar: OK" "$work/said" || bad "docs/install.md does not verify the image"
mkdir "$work/layout"
tar -xf "$work/one/$base.oci.tar" -C "$work/layout"
grep -q "$(jq -r '.manifests[0].digest' "$work/layout/index.json")" "$work/said" ||
  bad "docs/install.md does not show the digest"
while read -r file; do
  printf x >>"$work/two/$file"
  ! (cd "$work/two" && bash -euo pipefail "$work/documented.sh") >/dev/null 2>&1 || bad "a changed $file goes unnoticed"
  cp "$work/one/$file" "$work/two/$file"
done < <(grep -v sha256sums <<<"$files")

# The program, unpacked anywhere and called by a link of another name, with the libraries beside it.
mkdir -p "$work/a b/unpacked" "$work/bin"
tar -xzf "$work/one/$base.tar.gz" -C "$work/a b/unpacked"
[[ "$(ls "$work/a b/unpacked")" == $'LICENSE\nlib\nlicenses\nshutdown-auditor' ]] ||
  bad "in the archive: $(ls "$work/a b/unpacked")"
cmp LICENSE "$work/a b/unpacked/LICENSE" || bad "another licence"
ln -s "$work/a b/unpacked/shutdown-auditor" "$work/bin/kubectl-shutdownaudit"
[[ "$(env -i "$work/bin/kubectl-shutdownaudit" version)" == "$("$binary" version)" ]] ||
  bad "the program of the archive does not run"
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n' | env -i "$work/bin/kubectl-shutdownaudit" check -f - -q ||
  bad "the program of the archive does not check"
elsewhere="$(ldd "$work/a b/unpacked/shutdown-auditor" | grep -vF "$work/a b/unpacked/lib/" |
  grep -vE 'linux-vdso|ld-linux|/lib[cm]\.so|/lib(pthread|dl|rt|resolv)\.so' || true)"
[[ -z "$elsewhere" ]] || bad "libraries that the archive does not bring: $elsewhere"

# The settings of the release build give the same program wherever the sources are: shown on a small one, with a path in its
# text and in its debug information.
for place in here "somewhere else"; do
  mkdir -p "$work/$place/src"
  echo 'inline const char* place() { return __FILE__; }' >"$work/$place/src/place.h"
  printf '#include "place.h"\nint main() { return place()[0] == 0; }\n' >"$work/$place/src/main.cc"
  mapfile -t settings < <(jq -r --arg place "$work/$place" '.configurePresets[] | select(.name == "release").cacheVariables
    | "\(.CMAKE_CXX_FLAGS) \(.CMAKE_CXX_FLAGS_RELWITHDEBINFO) \(.CMAKE_EXE_LINKER_FLAGS)" | splits(" +")
    | gsub("\""; "") | sub("\\$\\{sourceDir\\}"; $place)' CMakePresets.json)
  g++ -std=c++20 -fPIC "${settings[@]}" -I "$work/$place/src" "$work/$place/src/main.cc" -o "$work/$place/program"
done
cmp "$work/here/program" "$work/somewhere else/program" || bad "the place of the sources makes another program"

# The chart and the manifests.
for helm in helm3 helm4; do
  cmp <("$tools/$helm" template x "$work/one/shutdown-auditor-$version.tgz" --kube-version 1.34.0) \
    <(render "$helm" x --namespace default) ||
    bad "$helm renders the chart's package differently"
done
cmp "$work/one/shutdown-auditor-$version-install.yaml" manifests/install.yaml || bad "install.yaml"
cmp <(to_json <"$work/one/shutdown-auditor-$version-crds.yaml") \
  <(for crd in crds/*.yaml; do echo ---; cat "$crd"; done | to_json) ||
  bad "crds.yaml"
while read -r line; do say "$line"; done <"$work/report"
verdict
