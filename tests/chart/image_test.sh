#!/usr/bin/env bash
# The image: what it holds and says, that it comes out the same twice, and that the Dockerfile has not gone another way.
#   tests/chart/image_test.sh BINARY
set -euo pipefail
export LC_ALL=C

PROGRAM=image-test
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/cluster/lib.sh
source "$here/../cluster/lib.sh"
binary="$(realpath "$1")"
cd "$here/../.."
"$here/deps.sh"
# shellcheck source=image/config.sh
source image/config.sh

same() { # same WHAT EXPECTED GOT
  [[ "$2" == "$3" ]] || die "$1 differs:
$(diff <(echo "$2") <(echo "$3") || true)"
}

# --- the Dockerfile ---
dockerfile="$(sed -e ':a' -e '/\\$/N; s/\\\n//; ta' Dockerfile)"
final="$(sed -n '/^FROM scratch$/,$p' <<<"$dockerfile")"
same "USER in the Dockerfile" "$IMAGE_USER" "$(sed -n 's/^USER //p' <<<"$final")"
same "ENTRYPOINT in the Dockerfile" "[\"$IMAGE_ENTRYPOINT\"]" "$(sed -n 's/^ENTRYPOINT //p' <<<"$final")"
same "EXPOSE in the Dockerfile" "${IMAGE_PORTS[*]}" "$(sed -n 's/^EXPOSE //p' <<<"$final")"
same "LABEL in the Dockerfile" "$(printf '%s\n' "${IMAGE_LABELS[@]}" | sort)" \
  "$(sed -n 's/^LABEL //p' <<<"$final" | grep -oE 'org\.[a-z.]+="[^"]*"' | tr -d '"' | sort)"
same "the files that the Dockerfile copies" "COPY --from=build /rootfs/ /" "$(grep -E '^(COPY|ADD)' <<<"$final")"
# What the build needs, by the script that installs it, without what only developers need; and what rootfs.sh needs.
wanted="$( (sed -n '/^  # build$/,/^  # tests/p' tests/cluster/deps.sh | grep -v '#' | tr -s ' ' '\n' | grep -vx ccache
  printf '%s\n' binutils ca-certificates jq) | grep . | sort)"
same "the packages in the Dockerfile" "$wanted" \
  "$(grep -oE 'no-install-recommends +[^&]*' <<<"$dockerfile" | tr -s ' ' '\n' | sed 1d | grep . | sort)"
say "Dockerfile: in step with image/"

# --- the image ---
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1700000000
image/build.sh --binary "$binary" --output "$work/one" >"$work/report"
# Where, when and by whom must not matter.
cp "$binary" "$work/program"
(umask 077 && cd / && export TZ=Pacific/Kiritimati &&
  "$OLDPWD/image/build.sh" --binary "$work/program" --output "$work/two" >/dev/null)
(cd "$work/two" && sha256sum --quiet -c ../one/*.sha256sums) || die "two builds of one program differ"

archive="$(echo "$work"/one/*.oci.tar)"
read -r _ version _ <<<"$("$binary" version)"
config="$(skopeo --insecure-policy inspect --config "oci-archive:$archive")"
same "the image's settings" \
  "$(jq -nS --arg user "$IMAGE_USER" --arg entrypoint "$IMAGE_ENTRYPOINT" --arg version "$version" '{
      user: $user, entrypoint: [$entrypoint], cmd: null, env: [], version: $version, created: "2023-11-14T22:13:20Z",
      ports: ["8080/tcp", "8081/tcp"], layers: 1}')" \
  "$(jq -S '{user: .config.User, entrypoint: .config.Entrypoint, cmd: .config.Cmd,
      env: [(.config.Env // [])[] | select(startswith("PATH=") | not)],
      version: .config.Labels["org.opencontainers.image.version"], created, ports: (.config.ExposedPorts | keys),
      layers: (.rootfs.diff_ids | length)}' <<<"$config")"

mkdir "$work/layout" "$work/root"
tar -xf "$archive" -C "$work/layout"
manifest="$(jq -r '.manifests[0].digest | sub("sha256:"; "")' "$work/layout/index.json")"
layer="$(jq -r '.layers[0].digest | sub("sha256:"; "")' "$work/layout/blobs/sha256/$manifest")"
tar -tvzf "$work/layout/blobs/sha256/$layer" >"$work/list"
! grep -vE '^[dl-][rwx-]{9} 0/0 ' "$work/list" || die "files of the image that belong to a user other than 0"
! grep -E '^-..s|^-.....s|^-.......w' "$work/list" || die "setuid, setgid or world-writable files in the image"
tar -xzf "$work/layout/blobs/sha256/$layer" -C "$work/root"
same "the programs in the image" "./usr/bin/shutdown-auditor" \
  "$(cd "$work/root" && find . -type f -perm /111 ! -name 'ld-*' | sort)"
same "other places in the image" $'etc\nlib\nlib64\nusr\nvar' "$(ls "$work/root")"

# Nothing of the machine that built it: a path would differ on another one.
! grep -laF -e "$PWD" -e "$HOME/" -r "$work/root" || die "files of the image that name the place of the build"

# It runs with nothing but what is in the image.
if ((EUID == 0)); then
  same "the program's version in the image" "$("$binary" version)" \
    "$(chroot --userspec="$IMAGE_USER" "$work/root" "$IMAGE_ENTRYPOINT" version)"
  printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n' |
    chroot --userspec="$IMAGE_USER" "$work/root" "$IMAGE_ENTRYPOINT" check -f - -q ||
    die "the program in the image does not work"
else
  loader="$(find "$work/root/usr/" -name 'ld-*' -type f)"
  same "the program's version in the image" "$("$binary" version)" \
    "$("$loader" --library-path "$(find "$work/root/usr/lib" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)" \
      "$work/root$IMAGE_ENTRYPOINT" version)"
fi

# The list of contents knows every program and library, with its checksum and package.
sbom="$work/root/usr/share/doc/shutdown-auditor/sbom.spdx.json"
cmp "$sbom" "$work"/one/*.sbom.spdx.json
same "the files in the SBOM" \
  "$(cd "$work/root" && find usr -type f \( -name '*.so*' -o -path 'usr/bin/*' \) -exec sha256sum {} + | sort -k 2)" \
  "$(jq -r '.files[]
      | "\(.checksums[] | select(.algorithm == "SHA256").checksumValue)  \(.fileName | sub("^\\./"; ""))"' "$sbom" |
    sort -k 2)"
same "the packages in the SBOM" "$(ls "$work/root/var/lib/dpkg/status.d")" \
  "$(jq -r '[.relationships[] | select(.relationshipType == "DEPENDS_ON").relatedSpdxElement] as $needed
    | .packages[] | select(.SPDXID | IN($needed[])).name' "$sbom" | sort)"
jq -e '([.packages[].SPDXID, .files[].SPDXID] | length == (unique | length))
  and ([.packages[].SPDXID] as $known | all(.relationships[]; .relatedSpdxElement | IN($known[])))' "$sbom" >/dev/null ||
  die "the SBOM refers to packages it does not have, or has one twice"
grep -E '^(unpacked|compressed)' "$work/report" | while read -r line; do say "$line"; done
say "image: reproducible, non-root, no shell, list of contents complete"
