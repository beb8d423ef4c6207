#include "kube/tls_files.h"

#include <chrono>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "http/tls_client.h"

namespace shutdown_auditor::kube {
namespace {

constexpr base::Logger kLog{"kube"};
constexpr base::Duration kRecheck = std::chrono::seconds(60);
constexpr std::size_t kMaxPemBytes = 1U << 20U;

}  // namespace

base::Result<http::TlsMaterial> TlsFileSource::read() const {
  http::TlsMaterial material;
  std::string names;
  const auto load = [&names](const PemSource& source, std::string& into) -> base::Result<void> {
    names += (names.empty() ? "" : ", ") + (source.text.empty() ? source.file : source.field + "-data");
    if (!source.text.empty()) {
      into = source.text;
      return {};
    }
    base::Result<std::string> text = base::read_file(source.file, kMaxPemBytes);
    if (!text) {
      return base::unexpected(text.error().with_context(source.field));
    }
    into = *std::move(text);
    return {};
  };
  if (files_.ca.given()) {
    if (const auto loaded = load(files_.ca, material.ca_pem); !loaded) {
      return base::unexpected(loaded.error());
    }
  }
  if (files_.certificate.given()) {
    material.identity.emplace();
    if (const auto loaded = load(files_.certificate, material.identity->certificate); !loaded) {
      return base::unexpected(loaded.error());
    }
    if (const auto loaded = load(files_.key, material.identity->key); !loaded) {
      return base::unexpected(loaded.error());
    }
  }
  if (const auto checked = http::check_tls_material(material, files_.insecure); !checked) {
    return base::unexpected(names.empty() ? checked.error() : checked.error().with_context(names));
  }
  return material;
}

// mutex_ is held.
void TlsFileSource::adopt(base::Result<http::TlsMaterial> fresh, base::SteadyTime now, std::string& to_log,
                          bool& changed) {
  checked_ = now;
  if (!fresh) {
    ++failures_;
    if (good_ && last_failure_ != fresh.error().message) {
      to_log = last_failure_ = fresh.error().message;
    }
    return;
  }
  last_failure_.clear();
  const auto same_identity = [](const auto& a, const auto& b) {
    return a.has_value() == b.has_value() && (!a || (a->certificate == b->certificate && a->key == b->key));
  };
  if (!good_ || good_->ca_pem != fresh->ca_pem || !same_identity(good_->identity, fresh->identity)) {
    changed = good_.has_value();
    good_ = *std::move(fresh);
    ++version_;
  }
}

base::Result<void> TlsFileSource::refresh() {
  const base::SteadyTime now = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    if (good_ && now - checked_ < kRecheck) {
      return {};
    }
  }
  base::Result<http::TlsMaterial> fresh = read();  // no lock is held while files are read
  std::string to_log;
  bool changed = false;
  {
    const std::lock_guard lock(mutex_);
    if (!good_ && !fresh) {
      ++failures_;
      return base::unexpected(fresh.error());
    }
    if (!good_ || checked_ <= now) {  // else another thread has looked since
      adopt(std::move(fresh), now, to_log, changed);
    }
  }
  if (!to_log.empty()) {
    kLog.error("TLS files cannot be used; going on with the last good ones", {{"err", to_log}});
  }
  if (changed) {
    kLog.info("TLS files changed; new connections use them");
  }
  return {};
}

base::Result<http::TlsMaterial> TlsFileSource::current() {
  if (const auto refreshed = refresh(); !refreshed) {
    return base::unexpected(refreshed.error());
  }
  const std::lock_guard lock(mutex_);
  return *good_;
}

std::uint64_t TlsFileSource::version() {
  (void)refresh();
  const std::lock_guard lock(mutex_);
  return version_;
}

std::uint64_t TlsFileSource::failures() const {
  const std::lock_guard lock(mutex_);
  return failures_;
}

}  // namespace shutdown_auditor::kube
