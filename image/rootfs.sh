#!/usr/bin/env bash
# Puts together the file system of the image: the program, the shared libraries that it loads, their licences, a user, and a
# list of all that (SPDX). No shell, no package manager, no certificates: in a cluster the program trusts the cluster's
# CA only.
#
#   rootfs.sh BINARY DIRECTORY      DIRECTORY is new or empty
#
# SOURCE_DATE_EPOCH is the date written into the list (default 0). The same binary and packages give the same files.
set -euo pipefail
export LC_ALL=C
umask 022

die() { echo "rootfs.sh: error: $*" >&2; exit 1; }

(($# == 2)) || die "usage: rootfs.sh BINARY DIRECTORY"
binary="$1" root="$2"
project="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
[[ -x "$binary" ]] || die "$binary is no program"
mkdir -p "$root"
[[ -z "$(ls -A "$root")" ]] || die "$root is not empty"
for command in ldd dpkg-query strip jq sha1sum sha256sum; do
  command -v "$command" >/dev/null || die "no $command"
done

# The package that a file belongs to. Its database may know the file by the path before /lib became a link to /usr/lib.
package_of() {
  local path found
  for path in "$1" "${1#/usr}" "/usr$1"; do
    if found="$(dpkg-query -S "$path" 2>/dev/null)"; then
      found="${found%%: *}"
      echo "${found%%,*}"
      return
    fi
  done
  die "$1 belongs to no Debian package"
}

mkdir -p "$root"/{etc,usr/bin,usr/lib,usr/lib64,usr/share/doc/shutdown-auditor,var/lib/dpkg/status.d}
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"
install -m 755 "$binary" "$root/usr/bin/shutdown-auditor"
strip --strip-all "$root/usr/bin/shutdown-auditor"
install -m 644 "$project/LICENSE" "$root/usr/share/doc/shutdown-auditor/LICENSE"
install -m 644 /usr/lib/os-release "$root/etc/os-release"
printf 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nnonroot:x:65532:\n' >"$root/etc/group"
# Without this file names are asked of DNS before /etc/hosts.
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"

linked="$(ldd "$binary")"
if missing="$(grep 'not found' <<<"$linked")"; then
  die "libraries are missing:$missing"
fi
packages=()
# "name => path" for a library, a path alone for the loader, linux-vdso for nothing on disk.
while read -r path; do
  # The loader keeps its own place, /lib64 on this architecture: its path is written into the program.
  case "$path" in
    /lib/* | /lib64/*) target="/usr$path" ;;
    /usr/lib/* | /usr/lib64/*) target="$path" ;;
    *) die "$path is outside the system's directories" ;;
  esac
  mkdir -p "$root$(dirname "$target")"
  cp --dereference "$path" "$root$target"
  chmod 644 "$root$target"
  packages+=("$(package_of "$(realpath "$path")")")
done < <(awk '$2 == "=>" { print $3; next } $1 ~ /^\// { print $1 }' <<<"$linked" | sort -u)
chmod 755 "$root"/usr/lib64/ld-* 2>/dev/null || chmod 755 "$root"/usr/lib/ld-*

mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
for package in "${packages[@]}"; do
  name="${package%%:*}"
  mkdir -p "$root/usr/share/doc/$name"
  cp --dereference "/usr/share/doc/$name/copyright" "$root/usr/share/doc/$name/copyright"
  # Where scanners of images without a package manager look.
  dpkg-query -s "$package" >"$root/var/lib/dpkg/status.d/$name"
done

# Libraries that are only headers become part of the program.
headers=()
for package in libboost-dev libcli11-dev nlohmann-json3-dev rapidjson-dev; do
  if [[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" == installed ]]; then
    headers+=("$package")
  fi
done

describe() { # describe RELATION PACKAGE...
  local relation="$1"
  shift
  (($# == 0)) || dpkg-query -W -f="$relation"'\t${Package}\t${Version}\t${Architecture}\t${source:Package}\n' "$@"
}
version="$("$binary" version)"
version="${version#shutdown-auditor }"
{
  describe DEPENDS_ON "${packages[@]}"
  describe STATIC_LINK "${headers[@]}"
} | sort -u >"$root/.packages"
(cd "$root" && find usr -type f \( -name '*.so*' -o -path 'usr/bin/*' \) -exec sha1sum {} + -exec sha256sum {} + |
  sort -k 2) >"$root/.files"
jq -n --rawfile packages "$root/.packages" --rawfile files "$root/.files" --arg version "${version%% *}" \
  --arg created "$(date -u -d "@${SOURCE_DATE_EPOCH:-0}" +%Y-%m-%dT%H:%M:%SZ)" \
  --arg id "$(cat "$root/.packages" "$root/.files" | sha256sum | cut -c1-32)" \
  --arg distribution "$(. /etc/os-release && echo "$ID-$VERSION_ID")" '
  def lines: split("\n") | map(select(. != ""));
  ($packages | lines | map(split("\t") | {relation: .[0], name: .[1], version: .[2], arch: .[3], source: .[4]})) as $debs
  | ($files | lines | map(capture("^(?<sum>[0-9a-f]+)  (?<name>.*)$")) | group_by(.name)) as $files
  | {
      spdxVersion: "SPDX-2.3", dataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT",
      name: "shutdown-auditor-\($version)",
      documentNamespace: "https://shutdownaudit.dev/sbom/shutdown-auditor-\($version)-\($id)",
      creationInfo: {created: $created, creators: ["Tool: shutdown-auditor-image"]},
      packages: ([{
        SPDXID: "SPDXRef-shutdown-auditor", name: "shutdown-auditor", versionInfo: $version, downloadLocation: "NOASSERTION",
        filesAnalyzed: false, licenseConcluded: "Apache-2.0", licenseDeclared: "Apache-2.0", copyrightText: "NOASSERTION"
      }] + ($debs | map({
        SPDXID: "SPDXRef-deb-\(.name | gsub("\\+"; "-plus"))", name: .name, versionInfo: .version,
        downloadLocation: "NOASSERTION", filesAnalyzed: false, licenseConcluded: "NOASSERTION",
        licenseDeclared: "NOASSERTION", copyrightText: "NOASSERTION",
        supplier: "Organization: Debian", sourceInfo: "built from the Debian source package \(.source)",
        externalRefs: [{referenceCategory: "PACKAGE-MANAGER", referenceType: "purl",
          referenceLocator: "pkg:deb/debian/\(.name | @uri)@\(.version | @uri)?arch=\(.arch)&distro=\($distribution)"}]
      }))),
      files: ($files | map({
        SPDXID: "SPDXRef-file-\(.[0].name | gsub("[^A-Za-z0-9.]"; "-"))", fileName: "./\(.[0].name)", fileTypes: ["BINARY"],
        licenseConcluded: "NOASSERTION", licenseInfoInFiles: ["NOASSERTION"], copyrightText: "NOASSERTION",
        checksums: (map({algorithm: (if (.sum | length) == 40 then "SHA1" else "SHA256" end), checksumValue: .sum})
          | sort_by(.algorithm))
      })),
      relationships: ([{spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES",
            relatedSpdxElement: "SPDXRef-shutdown-auditor"}]
        + ($debs | map({spdxElementId: "SPDXRef-shutdown-auditor", relationshipType: .relation,
            relatedSpdxElement: "SPDXRef-deb-\(.name | gsub("\\+"; "-plus"))"})))
    }' >"$root/usr/share/doc/shutdown-auditor/sbom.spdx.json"
rm "$root/.packages" "$root/.files"
find "$root" -type f ! -perm 755 -exec chmod 644 {} +
find "$root" -type d -exec chmod 755 {} +
