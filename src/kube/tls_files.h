#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "http/transport.h"

namespace shutdown_auditor::kube {

// A PEM text given inline or as a file; inline text wins. Both empty: not given.
struct PemSource {
  std::string text;
  std::string file;
  std::string field;  // for messages: "certificate-authority", …
  bool given() const { return !text.empty() || !file.empty(); }
};

struct TlsFiles {
  PemSource ca = {};
  PemSource certificate = {};
  PemSource key = {};
  bool insecure = false;  // no CA needed
};

// The TLS material of a connection, following rotated files: files are read again when the last read is 60 s old and
// swapped in only when they check out; otherwise the last good material stays and a failure is counted and logged once.
// (client-go transport/ca_rotation.go and cert_rotation.go.) Safe from any thread; file reads happen under its lock, so
// callers must be able to wait for a disk. Keeps a reference to `clock`.
class TlsFileSource {
 public:
  TlsFileSource(TlsFiles files, base::Clock& clock) : files_(std::move(files)), clock_(clock) {}

  // kInvalid or the file's error, naming file and field, as long as nothing good was ever read.
  base::Result<http::TlsMaterial> current();
  // Grows with every change of the material; checks the files like current().
  std::uint64_t version();
  std::uint64_t failures() const;

 private:
  base::Result<http::TlsMaterial> read() const;
  base::Result<void> refresh();
  void adopt(base::Result<http::TlsMaterial> fresh, base::SteadyTime now, std::string& to_log, bool& changed);

  const TlsFiles files_;
  base::Clock& clock_;
  mutable std::mutex mutex_;
  std::optional<http::TlsMaterial> good_;
  base::SteadyTime checked_{};
  std::uint64_t version_ = 0;
  std::uint64_t failures_ = 0;
  std::string last_failure_;
};

}  // namespace shutdown_auditor::kube
