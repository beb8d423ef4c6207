#!/usr/bin/env bash
# Step of action.yml: downloads the release archive, checks it, and puts the program into the PATH of the job.
set -euo pipefail

die() { echo "::error title=shutdown-auditor::$*"; exit 2; }

[[ "${RUNNER_OS:-Linux}" == Linux ]] || die "there is no archive for $RUNNER_OS"
[[ "$INPUT_SHA256" =~ ^[0-9a-f]{64}$ ]] || die "input sha256 must be the archive's checksum, 64 hex digits"
folder="$RUNNER_TEMP/shutdown-auditor"
mkdir -p "$folder"
curl --fail --silent --show-error --location --retry 3 --output "$folder/archive.tar.gz" "$INPUT_ARCHIVE" ||
  die "the archive cannot be downloaded"
echo "$INPUT_SHA256  $folder/archive.tar.gz" | sha256sum --check --quiet || die "the archive has another checksum"
tar --extract --file "$folder/archive.tar.gz" --directory "$folder"
program="$(find "$folder" -type f -name shutdown-auditor -perm -u+x | head -n 1)"
[[ -n "$program" ]] || die "the archive does not hold shutdown-auditor"
dirname "$program" >>"$GITHUB_PATH"
