#include "kube/credentials.h"

#include <chrono>

#include <fmt/format.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

namespace shutdown_auditor::kube {
namespace {

using base::ErrorKind;
using base::fail;

constexpr base::Logger kLog{"kube"};
constexpr base::Duration kTokenFileAge = std::chrono::seconds(50);  // 60 s, refreshed 10 s early
constexpr std::size_t kMaxTokenBytes = 64U << 10U;

base::Result<std::string> read_token(const std::string& path) {
  base::Result<std::string> text = base::read_file(path, kMaxTokenBytes);
  if (!text) {
    return base::unexpected(text.error().with_context("token file"));
  }
  std::string token(base::trim(*text));
  if (token.empty()) {
    return fail(ErrorKind::kInvalid, fmt::format("token file {}: is empty", path));
  }
  // A line break inside would end the header.
  if (token.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    return fail(ErrorKind::kInvalid, fmt::format("token file {}: holds more than one line", path));
  }
  return token;
}

}  // namespace

base::Result<std::string> TokenFile::token(const base::Cancellation&) {
  const base::SteadyTime now = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    if (read_at_ && now - *read_at_ < kTokenFileAge) {
      return token_;
    }
  }
  base::Result<std::string> fresh = read_token(path_);
  std::string to_log;
  std::string token;
  {
    const std::lock_guard lock(mutex_);
    if (read_at_ && *read_at_ > now) {
      return token_;  // another thread has read it since
    }
    if (fresh) {
      token_ = *std::move(fresh);
      last_failure_.clear();
    } else if (token_.empty()) {
      return base::unexpected(fresh.error());
    } else if (last_failure_ != fresh.error().message) {
      to_log = last_failure_ = fresh.error().message;
    }
    read_at_ = now;
    token = token_;
  }
  if (!to_log.empty()) {
    kLog.error("token file cannot be used; going on with the last good token", {{"err", to_log}});
  }
  return token;
}

bool TokenFile::invalidate(base::SteadyTime started) {
  const std::lock_guard lock(mutex_);
  if (read_at_ && *read_at_ <= started) {
    read_at_.reset();
  }
  return true;
}

bool ExecCredentials::usable() const {
  return current_ && (!current_->expires || clock_.wall_now() < *current_->expires);
}

base::Result<std::string> ExecCredentials::token(const base::Cancellation& cancel) {
  std::unique_lock lock(mutex_);
  if (usable()) {
    return current_->token;
  }
  if (!running_) {
    running_ = true;
    if (thread_.joinable()) {
      thread_.join();  // it has set running_ to false: nothing but its return is left
    }
    thread_ = std::jthread([this](const std::stop_token& stop) { fetch(stop); });
  }
  const std::uint64_t before = runs_;
  if (!clock_.wait_until(lock, changed_, cancel.stop, cancel.deadline, [&] { return runs_ != before; })) {
    return cancel.stop_requested() ? fail(ErrorKind::kCancelled, "stopped while waiting for the exec plugin")
                                   : fail(ErrorKind::kTimeout, "the exec plugin has not answered in time");
  }
  if (failure_) {
    return base::unexpected(*failure_);
  }
  return current_ ? base::Result<std::string>(current_->token)
                  : fail(ErrorKind::kTimeout, "the exec plugin's credentials were invalidated at once");
}

void ExecCredentials::fetch(const std::stop_token& stop) {
  const base::SteadyTime started = clock_.now();
  base::Result<ExecCredential> result = run_(stop);
  const std::lock_guard lock(mutex_);
  failure_.reset();
  if (result) {
    current_ = *std::move(result);
    obtained_ = started;
  } else {
    failure_ = result.error();
  }
  running_ = false;
  ++runs_;
  changed_.notify_all();
}

bool ExecCredentials::invalidate(base::SteadyTime started) {
  const std::lock_guard lock(mutex_);
  if (current_ && obtained_ <= started) {
    current_.reset();
  }
  return true;
}

std::optional<http::ClientIdentity> ExecCredentials::identity() {
  const std::lock_guard lock(mutex_);
  return current_ ? current_->identity : std::nullopt;
}

}  // namespace shutdown_auditor::kube
