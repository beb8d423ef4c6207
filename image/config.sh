# What the image says about itself; sourced by build.sh, compared with the Dockerfile by tests/chart/image_test.sh.
# shellcheck shell=bash disable=SC2034

readonly IMAGE_USER=65532:65532
readonly IMAGE_ENTRYPOINT=/usr/bin/shutdown-auditor
readonly IMAGE_PORTS=(8080 8081)
# Version, revision and date come beside these.
readonly IMAGE_LABELS=(
  "org.opencontainers.image.title=shutdown-auditor"
  "org.opencontainers.image.description=Audits whether the workloads of a Kubernetes cluster can stop cleanly"
  "org.opencontainers.image.licenses=Apache-2.0"
)
