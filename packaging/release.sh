#!/usr/bin/env bash
# Puts together the files of a release, with their checksums, from a program that is built already (`make release`):
#
#   shutdown-auditor-VERSION-linux-ARCH.tar.gz         the program with the libraries it loads, for glibc 2.36 and newer
#   shutdown-auditor-VERSION-linux-ARCH.oci.tar        the image
#   shutdown-auditor-VERSION-linux-ARCH.sbom.spdx.json what is in both
#   shutdown-auditor-VERSION.tgz                       the Helm chart
#   shutdown-auditor-VERSION-install.yaml, -crds.yaml  plain manifests
#   shutdown-auditor-VERSION-sha256sums.txt            the checksums of all these
#
#   packaging/release.sh [--binary FILE] [--output DIRECTORY]
#
#   --binary FILE       default build/release/bin/shutdown-auditor
#   --output DIRECTORY  new or empty; default build/dist, which is emptied
#
# The same program, packages and SOURCE_DATE_EPOCH give the same files, bit for bit.
set -euo pipefail
export LC_ALL=C
umask 022

die() { echo "packaging/release.sh: error: $*" >&2; exit 1; }

project="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=image/archive.sh
source "$project/image/archive.sh"
binary="$project/build/release/bin/shutdown-auditor" output=
while (($# > 0)); do
  (($# >= 2)) || die "$1 needs a value"
  case "$1" in
    --binary) binary="$2" ;;
    --output) output="$2" ;;
    *) die "unknown argument '$1'" ;;
  esac
  shift 2
done
command -v patchelf >/dev/null || die "no patchelf: apt-get install patchelf umoci skopeo jq"
[[ -x "$binary" ]] || die "$binary does not exist: run 'make build' or give --binary"
if [[ -z "$output" ]]; then
  output="$project/build/dist"
  rm -rf "$output"
fi
mkdir -p "$output"
[[ -z "$(ls -A "$output")" ]] || die "$output is not empty"
output="$(cd "$output" && pwd)"

read -r _ version _ <<<"$("$binary" version)"
chart_version="$(sed -n 's/^version: //p' "$project/charts/shutdown-auditor/Chart.yaml")"
[[ "$version" == "$chart_version" ]] || die "the program is version $version, the chart $chart_version"
set_source_date "$project"
base="shutdown-auditor-$version-linux-$(architecture)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

"$project/image/build.sh" --binary "$binary" --output "$output" >/dev/null
rm "$output/$base.sha256sums"

# The program looks for its libraries beside itself; glibc is the one library that is the system's own everywhere.
"$project/image/rootfs.sh" "$binary" "$work/root"
mkdir -p "$work/archive/lib" "$work/archive/licenses"
cp "$work/root/usr/bin/shutdown-auditor" "$project/LICENSE" "$work/archive/"
patchelf --force-rpath --set-rpath "\$ORIGIN/lib" "$work/archive/shutdown-auditor"
find "$work/root/usr/lib" -name '*.so*' -type f \
  ! -name 'ld-*' ! -name 'lib[cm].so.*' ! -name 'libpthread.so.*' ! -name 'libdl.so.*' ! -name 'librt.so.*' \
  ! -name 'libresolv.so.*' -exec cp {} "$work/archive/lib/" \;
for copyright in "$work"/root/usr/share/doc/*/copyright; do
  package="$(basename "$(dirname "$copyright")")"
  [[ "$package" == libc6 ]] || cp "$copyright" "$work/archive/licenses/$package"
done
deterministic_tar "$work/archive" LICENSE lib licenses shutdown-auditor | gzip -n -9 >"$output/$base.tar.gz"

deterministic_tar "$project/charts" shutdown-auditor | gzip -n -9 >"$output/shutdown-auditor-$version.tgz"
cp "$project/manifests/install.yaml" "$output/shutdown-auditor-$version-install.yaml"
for crd in "$project"/crds/*.yaml; do
  printf -- '---\n'
  cat "$crd"
done >"$output/shutdown-auditor-$version-crds.yaml"
chmod 644 "$output"/*
sums="shutdown-auditor-$version-sha256sums.txt"
(cd "$output" && sha256sum -- * >"$work/sums" && mv "$work/sums" "$sums" && chmod 644 "$sums")
du -b --apparent-size "$output"/* | awk '{ printf "%10.1f kB  %s\n", $1 / 1000, $2 }'
