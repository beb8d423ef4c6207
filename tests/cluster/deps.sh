#!/usr/bin/env bash
# Installs the Debian packages that the build and the tests need, and checks
# the Go version. Calls apt only when something is missing.
#
#   deps.sh               install what is missing
#   deps.sh --with-node   also what a cluster with nodes needs
#   deps.sh --check       only say what is missing; status 1 when something is
set -euo pipefail

PROGRAM=deps.sh
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/cluster/lib.sh
source "$here/lib.sh"

packages=(
  # build
  cmake ninja-build pkg-config ccache g++ make
  # libraries
  libcpprest-dev libyaml-cpp-dev libyaml-dev libutf8proc-dev nlohmann-json3-dev rapidjson-dev libspdlog-dev libfmt-dev
  libboost-dev libssl-dev prometheus-cpp-dev libcli11-dev
  # tests and the starter of real servers
  libgtest-dev libgmock-dev libxml2-dev openssl ca-certificates curl jq util-linux procps
  # completions and the manual page are tried with these
  zsh fish mandoc
  # pre-commit and check-jsonschema are installed into a virtual environment
  python3-venv git
)

# A package, and a command whose presence is enough: Docker brings a containerd of its own.
readonly NODE_PACKAGES=(containerd:containerd runc:runc containernetworking-plugins:/usr/lib/cni/bridge iproute2:ip
  nftables:nft umoci:umoci skopeo:skopeo binutils:strip)

check=false
for argument in "$@"; do
  case "$argument" in
    --check) check=true ;;
    --with-node)
      for package in "${NODE_PACKAGES[@]}"; do
        command -v "${package#*:}" >/dev/null 2>&1 || packages+=("${package%%:*}")
      done
      ;;
    *) die "unknown argument '$argument'; usage: deps.sh [--with-node] [--check]" ;;
  esac
done
readonly packages

command -v dpkg-query >/dev/null 2>&1 ||
  die "this is not a Debian system (no dpkg-query); install the equivalents of: ${packages[*]}"

is_installed() {
  [[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)" == installed ]]
}

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    if ! is_installed "$package"; then
      printf '%s\n' "$package"
    fi
  done
}

mapfile -t missing < <(missing_packages)
if ((${#missing[@]} == 0)); then
  say "all ${#packages[@]} Debian packages are installed"
elif $check; then
  die "missing Debian packages: ${missing[*]}"
else
  as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null 2>&1 ||
      die "not root and no sudo; as root run: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing with apt: ${missing[*]}"
  apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update >&2 || die "apt-get update failed"
  # Nothing of what a machine already has may be removed, such as another containerd.
  "${apt[@]}" install -y --no-remove --no-install-recommends "${missing[@]}" >&2 ||
    die "apt-get install failed; missing: ${missing[*]}"
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]} == 0)) || die "still missing after apt-get install: ${missing[*]}"
  say "installed"
fi

check_go
