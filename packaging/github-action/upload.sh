#!/usr/bin/env bash
# Step of action.yml: gives the SARIF file to code scanning.
set -euo pipefail

die() { echo "::error title=shutdown-auditor::$*"; exit 2; }

[[ -n "$INPUT_SARIF_FILE" ]] || die "upload-sarif needs the input sarif-file"
[[ -s "$INPUT_SARIF_FILE" ]] || die "there is no $INPUT_SARIF_FILE to upload"
gzip --stdout "$INPUT_SARIF_FILE" | base64 --wrap=0 >"$RUNNER_TEMP/shutdown-auditor.sarif.gz.base64"
gh api --method POST "repos/$GITHUB_REPOSITORY/code-scanning/sarifs" --silent \
  --raw-field "commit_sha=$GITHUB_SHA" --raw-field "ref=$GITHUB_REF" \
  --field "sarif=@$RUNNER_TEMP/shutdown-auditor.sarif.gz.base64" || die "code scanning did not take $INPUT_SARIF_FILE"
