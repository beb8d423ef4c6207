#!/usr/bin/env bash
# Prints the manifest with which Krew installs a release as the kubectl plugin `shutdownaudit`.
#
#   packaging/krew/manifest.sh --url URL --homepage URL ARCHIVE...
#
#   ARCHIVE        shutdown-auditor-VERSION-linux-ARCH.tar.gz, one for each architecture
#   --url URL      folder in which the archives are published
#   --homepage URL page of the project
set -euo pipefail
export LC_ALL=C

die() { echo "manifest.sh: error: $*" >&2; exit 1; }

url='' homepage='' archives=()
while (($# > 0)); do
  case "$1" in
    --url | --homepage)
      (($# >= 2)) || die "$1 needs a value"
      [[ "$2" =~ ^https://[^[:space:]\"\']+$ ]] || die "$1: '$2' is not an https address"
      printf -v "${1#--}" '%s' "${2%/}"
      shift
      ;;
    -*) die "unknown flag '$1'" ;;
    *) archives+=("$1") ;;
  esac
  shift
done
[[ -n "$url" && -n "$homepage" ]] || die "--url and --homepage are needed"
((${#archives[@]} > 0)) || die "which archives?"

version=''
platforms=''
for archive in "${archives[@]}"; do
  name="${archive##*/}"
  [[ "$name" =~ ^shutdown-auditor-([0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?)-linux-(amd64|arm64)\.tar\.gz$ ]] ||
    die "$name: the name must be shutdown-auditor-VERSION-linux-ARCH.tar.gz"
  [[ -z "$version" || "$version" == "${BASH_REMATCH[1]}" ]] || die "$name: not the version $version of the others"
  version="${BASH_REMATCH[1]}" arch="${BASH_REMATCH[3]}"
  files="$(tar --list --gzip --file "$archive")" || die "$archive cannot be read"
  files="${files//.\//}"
  [[ $'\n'"$files"$'\n' == *$'\nshutdown-auditor\n'* ]] || die "$name: does not hold shutdown-auditor"
  [[ $'\n'"$files"$'\n' == *$'\nLICENSE\n'* ]] || die "$name: does not hold LICENSE"
  sum="$(sha256sum "$archive")"
  platforms+="
  - selector:
      matchLabels:
        os: linux
        arch: $arch
    uri: $url/$name
    sha256: ${sum%% *}
    files:
    - from: \"*\"
      to: .
    bin: shutdown-auditor"
done

cat <<END
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: shutdownaudit
spec:
  version: v$version
  homepage: $homepage
  shortDescription: Audit if pods get the time they need to stop
  description: |
    Adds up what every pod needs between the moment it is told to stop and
    its last useful action - preStop hook, longest request, cleanup, margin -
    and compares the sum with terminationGracePeriodSeconds. Also looks at
    PodDisruptionBudgets, probes and stop signals. Reads manifests, or a
    cluster; changes nothing.
  platforms:$platforms
END
