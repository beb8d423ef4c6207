#!/usr/bin/env bash
# Runs the fuzz targets with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer, as many at once as there are
# processors, each for FUZZ_SECONDS or FUZZ_RUNS, whichever comes first. Prints runs and covered edges of each; a finding is status 1 and
# stays in build/fuzz/findings. New inputs stay in build/fuzz/corpus; the seeds in tests/fuzz/corpus are not touched.
#   tests/fuzz/run.sh [TARGET…]      for example shell application; default: all
#   FUZZ_SECONDS=600 FUZZ_RUNS=-1 JOBS=…
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${FUZZ_SECONDS:-600}
runs=${FUZZ_RUNS:--1}
jobs=${JOBS:-$(nproc)}
build=${FUZZ_BUILD_DIR:-build/fuzz}
packages=(clang-19 libclang-rt-19-dev)

missing=()
for package in "${packages[@]}"; do
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true) == installed ]] || missing+=("$package")
done
if ((${#missing[@]})); then
  echo "== installing with apt: ${missing[*]}" >&2
  as_root=()
  ((EUID == 0)) || as_root=(sudo)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}" >&2
fi

targets=("$@")
if ((${#targets[@]} == 0)); then
  for source in tests/fuzz/fuzz_*.cc; do
    name=$(basename "$source" .cc)
    targets+=("${name#fuzz_}")
  done
fi

echo "== building ${targets[*]}" >&2
cmake --preset fuzz -B "$build" >/dev/null
cmake --build "$build" --parallel "$jobs" --target "${targets[@]/#/fuzz_}" >&2

run_one() { # run_one TARGET: status 1 with a finding
  local name=$1 log=$build/$1.log
  mkdir -p "$build/corpus/$name" "$build/findings/$name"
  if "$build/bin/fuzz_$name" "$build/corpus/$name" "tests/fuzz/corpus/$name" -max_total_time="$seconds" -runs="$runs" \
    -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/findings/$name/" >"$log" 2>&1; then
    awk -v name="$name" '/stat::number_of_executed_units/ { runs = $2 } / cov: / { for (i = 1; i < NF; ++i) if ($i == "cov:") edges = $(i + 1) }
      END { printf "%-14s %12d runs  %6d edges  no finding\n", name, runs, edges }' "$log"
  else
    printf '%-14s FINDING, see %s\n' "$name" "$log"
    tail -n 25 "$log" >&2
    return 1
  fi
}

failed=0
running=0
for name in "${targets[@]}"; do
  if ((running >= jobs)); then
    wait -n || failed=1
    running=$((running - 1))
  fi
  run_one "$name" &
  running=$((running + 1))
done
while ((running > 0)); do
  wait -n || failed=1
  running=$((running - 1))
done
exit "$failed"
