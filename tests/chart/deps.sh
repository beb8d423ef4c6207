#!/usr/bin/env bash
# Installs the Debian packages that the chart's tests need beside those of tests/cluster/deps.sh: yq (jq for YAML), umoci
# and skopeo for the image, patchelf for the release.
set -euo pipefail

PROGRAM=chart-deps
# shellcheck source=tests/cluster/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cluster/lib.sh"

missing=()
for package in binutils jq patchelf yq umoci skopeo; do
  if [[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" != installed ]]; then
    missing+=("$package")
  fi
done
((${#missing[@]} > 0)) || exit 0
say "installing with apt: ${missing[*]}"
as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null 2>&1 || die "not root and no sudo; as root run: apt-get install ${missing[*]}"
  as_root=(sudo)
fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
"${apt[@]}" update >&2 || die "apt-get update failed"
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2 || die "apt-get install failed"
