#!/usr/bin/env bash
# Builds the container image without a container runtime and without a registry: an OCI archive, its list of contents
# (SPDX) and checksums. The same binary, packages and SOURCE_DATE_EPOCH give the same image, bit for bit.
#
#   image/build.sh [--binary FILE] [--output DIRECTORY] [--name NAME]
#
#   --binary FILE       default build/release/bin/shutdown-auditor (`make build`)
#   --output DIRECTORY  default build/image
#   --name NAME         name without tag that the archive gives the image; default registry.local/shutdown-auditor
#
# Load it:  ctr -n k8s.io images import FILE      skopeo copy oci-archive:FILE docker://your.registry/shutdown-auditor:TAG
set -euo pipefail
export LC_ALL=C
umask 022

die() { echo "image/build.sh: error: $*" >&2; exit 1; }

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=image/config.sh
source "$here/config.sh"
# shellcheck source=image/archive.sh
source "$here/archive.sh"
project="$(dirname "$here")"
binary="$project/build/release/bin/shutdown-auditor" output="$project/build/image" name=registry.local/shutdown-auditor
while (($# > 0)); do
  (($# >= 2)) || die "$1 needs a value"
  case "$1" in
    --binary) binary="$2" ;;
    --output) output="$2" ;;
    --name) name="$2" ;;
    *) die "unknown argument '$1'" ;;
  esac
  shift 2
done
for command in umoci skopeo jq; do
  command -v "$command" >/dev/null || die "no $command: apt-get install umoci skopeo jq"
done
[[ -x "$binary" ]] || die "$binary does not exist: run 'make build' or give --binary"
architecture="$(architecture)"

# "shutdown-auditor 1.2.3 (0123456789ab)"
read -r _ version revision <<<"$("$binary" version)"
[[ -n "${version:-}" ]] || die "$binary does not say its version"
revision="$(tr -d '()' <<<"${revision:-unknown}")"
set_source_date "$project"
created="$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$here/rootfs.sh" "$binary" "$work/root"
deterministic_tar "$work/root" . >"$work/layer.tar"

layout="$work/layout" image="$work/layout:$version"
umoci init --layout "$layout"
umoci new --image "$image"
umoci raw add-layer --image "$image" --history.created "$created" --history.author "" \
  --history.created_by "image/build.sh" --history.comment "" "$work/layer.tar"
settings=(--os linux --architecture "$architecture" --created "$created" --author ""
  --config.user "$IMAGE_USER" --config.entrypoint "$IMAGE_ENTRYPOINT" --config.workingdir /)
for port in "${IMAGE_PORTS[@]}"; do
  settings+=(--config.exposedports "$port/tcp")
done
for label in "${IMAGE_LABELS[@]}" "org.opencontainers.image.version=$version" "org.opencontainers.image.revision=$revision" \
  "org.opencontainers.image.created=$created"; do
  settings+=(--config.label "$label")
done
umoci config --image "$image" "${settings[@]}" --no-history
umoci gc --layout "$layout" >/dev/null
# The name under which a node imports the image.
jq -c --arg name "$name:$version" '.manifests[0].annotations["org.opencontainers.image.ref.name"] = $name' \
  "$layout/index.json" >"$work/index.json"
mv "$work/index.json" "$layout/index.json"

mkdir -p "$output"
base="shutdown-auditor-$version-linux-$architecture"
deterministic_tar "$layout" . >"$output/$base.oci.tar"
cp "$work/root/usr/share/doc/shutdown-auditor/sbom.spdx.json" "$output/$base.sbom.spdx.json"
(cd "$output" && sha256sum "$base.oci.tar" "$base.sbom.spdx.json" >"$base.sha256sums")

digest="$(jq -r '.manifests[0].digest' "$layout/index.json")"
printf 'image      %s:%s\ndigest     %s\nunpacked   %s MB in %s files\ncompressed %s MB\narchive    %s\n' \
  "$name" "$version" "$digest" \
  "$(du -sb --apparent-size "$work/root" | awk '{ printf "%.1f", $1 / 1e6 }')" "$(find "$work/root" -type f | wc -l)" \
  "$(jq '[.layers[].size] | add / 1e5 | round / 10' "$layout/blobs/sha256/${digest#sha256:}")" "$output/$base.oci.tar"
