# Archives that come out the same from the same files; sourced by build.sh and packaging/release.sh.
# shellcheck shell=bash

# set_source_date PROJECT: SOURCE_DATE_EPOCH for what is run from here, by default the date of the last commit.
set_source_date() {
  if [[ -z "${SOURCE_DATE_EPOCH:-}" ]]; then
    SOURCE_DATE_EPOCH="$(git -C "$1" log -1 --format=%ct 2>/dev/null || echo 0)"
  fi
  export SOURCE_DATE_EPOCH
}

# deterministic_tar DIRECTORY [ARGUMENTS of tar...]: to standard output
deterministic_tar() {
  local directory="$1"
  shift
  tar --create --directory "$directory" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
    --mode='go=rX,u+w' --format=ustar "$@"
}

architecture() { # the name of this machine's architecture among containers
  case "$(uname -m)" in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) uname -m ;;
  esac
}
