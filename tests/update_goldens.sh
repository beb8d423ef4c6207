#!/usr/bin/env bash
# Writes the golden files of the outputs again after a wanted change: tests/report/data and tests/app/data. Read the
# difference before you commit it.
#
#   tests/update_goldens.sh [BUILD_FOLDER]      default: build/dev; its tests are built first
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build="${1:-build/dev}"
cmake --build "$build" --target report_formats_test app_test
export UPDATE_GOLDEN=1
for test in report_formats_test app_test; do
  # The tests compare what they have just written: only other checks can fail.
  "$build/bin/$test" --gtest_brief=1 || echo "update_goldens.sh: $test has failures that no golden file explains" >&2
done
git --no-pager diff --stat -- tests/report/data tests/app/data
