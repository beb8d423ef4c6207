#!/usr/bin/env bash
# Step of action.yml: annotations on the changed lines, a summary of the job, SARIF when asked for. Exit status of `check`.
set -euo pipefail

command -v shutdown-auditor >/dev/null || {
  echo "::error title=shutdown-auditor::shutdown-auditor is not in the PATH; give the input archive to have it installed"
  exit 2
}
arguments=(check --recursive)
while IFS= read -r file; do
  [[ -z "$file" ]] || arguments+=("--filename=$file")
done <<<"$INPUT_FILES"
arguments+=("--fail-on=$INPUT_FAIL_ON")
[[ -z "$INPUT_POLICY" ]] || arguments+=("--policy=$INPUT_POLICY")
[[ -z "$INPUT_BASELINE" ]] || arguments+=("--baseline=$INPUT_BASELINE")
[[ -z "$INPUT_KUBERNETES_VERSION" ]] || arguments+=("--kubernetes-version=$INPUT_KUBERNETES_VERSION")

status=0
shutdown-auditor "${arguments[@]}" --output=github || status=$?
echo "status=$status" >>"$GITHUB_OUTPUT"
if ((status < 2)); then
  shutdown-auditor "${arguments[@]}" --quiet --output=markdown >>"$GITHUB_STEP_SUMMARY" || true
  if [[ -n "$INPUT_SARIF_FILE" ]]; then
    shutdown-auditor "${arguments[@]}" --quiet --output=sarif >"$INPUT_SARIF_FILE" || true
  fi
fi
exit "$status"
