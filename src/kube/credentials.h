#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/cancellation.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/transport.h"
#include "kube/exec_plugin.h"

namespace shutdown_auditor::kube {

// How requests prove who sends them. Safe from any thread.
class Credentials {
 public:
  virtual ~Credentials() = default;
  // The bearer token for a request that starts now, empty for none. May read a file or wait for a program. kCancelled and
  // kTimeout by `cancel`; other failures name the file or the program, never a secret.
  virtual base::Result<std::string> token(const base::Cancellation& cancel) = 0;
  // The server answered 401 to a request that started at `started`: what was obtained before then is not used again. True
  // when another try may carry something else.
  virtual bool invalidate(base::SteadyTime started) = 0;
  // A client certificate that came with the credentials; its absence leaves the one of the configuration.
  virtual std::optional<http::ClientIdentity> identity() { return std::nullopt; }
};

// The same token for ever; empty for none (client certificates, kubectl proxy).
class StaticToken final : public Credentials {
 public:
  explicit StaticToken(std::string token = {}) : token_(std::move(token)) {}
  base::Result<std::string> token(const base::Cancellation&) override { return token_; }
  bool invalidate(base::SteadyTime) override { return false; }

 private:
  const std::string token_;
};

// A token in a file that others rotate (service account tokens): read again 50 s after the last read and after a 401,
// white space trimmed. When it cannot be read or is empty, the last good token stays in use and the failure is logged
// once (client-go transport/token_source.go). Keeps a reference to `clock`.
class TokenFile final : public Credentials {
 public:
  TokenFile(std::string path, base::Clock& clock) : path_(std::move(path)), clock_(clock) {}
  base::Result<std::string> token(const base::Cancellation& cancel) override;
  bool invalidate(base::SteadyTime started) override;

 private:
  const std::string path_;
  base::Clock& clock_;
  std::mutex mutex_;
  std::string token_;
  std::optional<base::SteadyTime> read_at_;
  std::string last_failure_;
};

// Credentials of an exec plugin: kept until they expire or a 401 came, fetched by one run at a time on a thread of their
// own that callers wait for (client-go plugin/pkg/client/auth/exec). Keeps a reference to `clock`. The destructor ends
// a running plugin.
class ExecCredentials final : public Credentials {
 public:
  using Run = std::function<base::Result<ExecCredential>(const std::stop_token&)>;
  ExecCredentials(Run run, base::Clock& clock) : run_(std::move(run)), clock_(clock) {}
  base::Result<std::string> token(const base::Cancellation& cancel) override;
  bool invalidate(base::SteadyTime started) override;
  std::optional<http::ClientIdentity> identity() override;

 private:
  void fetch(const std::stop_token& stop);
  bool usable() const;  // mutex_ is held

  const Run run_;
  base::Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<ExecCredential> current_;
  base::SteadyTime obtained_{};
  std::optional<base::Error> failure_;  // of the last run
  std::uint64_t runs_ = 0;              // finished
  bool running_ = false;
  std::jthread thread_;  // last: joined before the members above go
};

}  // namespace shutdown_auditor::kube
