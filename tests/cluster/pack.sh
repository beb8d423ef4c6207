#!/usr/bin/env bash
# A container image of one C source, without a registry: compiled statically, packed as an OCI archive.
#   pack.sh SOURCE NAME:TAG FILE [NAME:TAG FILE...]     the same image under several names
set -euo pipefail

PROGRAM=pack.sh
# shellcheck source=tests/cluster/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
(($# >= 3)) || die "usage: pack.sh SOURCE NAME:TAG FILE [NAME:TAG FILE...]"
source_file="$1"
shift
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir "$work/root"
gcc -std=c17 -Wall -Wextra -Werror -Os -static -s -o "$work/root/program" "$source_file"
chmod 755 "$work/root" "$work/root/program"
tar --create --file "$work/layer.tar" --directory "$work/root" --owner=0 --group=0 --numeric-owner .
{
  umoci init --layout "$work/layout"
  umoci new --image "$work/layout:1"
  umoci raw add-layer --image "$work/layout:1" "$work/layer.tar"
  umoci config --image "$work/layout:1" --config.user 65532:65532 --config.entrypoint /program
} >"$work/output" 2>&1 || { cat "$work/output" >&2; die "umoci failed"; }
while (($# > 0)); do
  skopeo --insecure-policy copy -q "oci:$work/layout:1" "oci-archive:$2:$1" || die "skopeo failed"
  shift 2
done
