# The image for people who have Docker; image/build.sh makes the same one from Debian tools alone. Both fill the file system
# with image/rootfs.sh, and tests/chart/image_test.sh compares the rest.
#   docker build --build-arg REVISION=$(git rev-parse --short=12 HEAD) -t shutdown-auditor .
FROM debian:bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
      binutils ca-certificates cmake g++ jq libboost-dev libcli11-dev libcpprest-dev libfmt-dev libspdlog-dev libssl-dev libutf8proc-dev \
      libyaml-cpp-dev libyaml-dev make ninja-build nlohmann-json3-dev pkg-config prometheus-cpp-dev rapidjson-dev \
    && rm -rf /var/lib/apt/lists/*
COPY . /src
ARG REVISION=unknown
ARG SOURCE_DATE_EPOCH=0
WORKDIR /src
RUN cmake --preset release -DSA_REVISION="$REVISION" \
    && cmake --build --preset release --target shutdown-auditor \
    && image/rootfs.sh build/release/bin/shutdown-auditor /rootfs

FROM scratch
COPY --from=build /rootfs/ /
LABEL org.opencontainers.image.title="shutdown-auditor" \
      org.opencontainers.image.description="Audits whether the workloads of a Kubernetes cluster can stop cleanly" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 65532:65532
EXPOSE 8080 8081
WORKDIR /
ENTRYPOINT ["/usr/bin/shutdown-auditor"]
