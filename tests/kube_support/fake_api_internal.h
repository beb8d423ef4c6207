#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "kube_support/fake_api.h"
#include "kube_support/fake_api_selectors.h"

// What the sources of FakeApi share.
namespace shutdown_auditor::testing_support {

// What a unary path names.
struct FakeApi::Target {
  std::string collection;
  std::string name_space;
  std::string name;
  std::string subresource;

  Key key() const { return {collection, name_space, name}; }
};

base::Unexpected<kube::Error> refuse(kube::ErrorKind kind, int code, std::string reason, std::string message);
base::Unexpected<kube::Error> not_found(std::string_view what);
base::Unexpected<kube::Error> bad_request(std::string message);
// "apps/v1/deployments"
std::string collection_of(const kube::Resource& resource);
// A string member, "" without.
std::string text_of(const nlohmann::json& object, const char* member);

// One open watch; all members are guarded by FakeApi::mutex_.
class FakeApi::Stream final : public kube::WatchStream {
 public:
  Stream(FakeApi& api, std::string collection, std::string name_space, Selector selector, base::SteadyTime end)
      : api_(api), collection_(std::move(collection)), name_space_(std::move(name_space)),
        selector_(std::move(selector)), end_(end) {}
  ~Stream() override;
  kube::Result<std::optional<std::string>> next(const base::Cancellation& cancel) override;

  bool covers(const Key& key) const {
    return key.collection == collection_ && (name_space_.empty() || key.name_space == name_space_);
  }

  FakeApi& api_;
  std::string collection_;
  std::string name_space_;
  Selector selector_;
  base::SteadyTime end_;
  std::deque<std::string> lines_;
  std::optional<kube::Error> failure_;
  bool closed_ = false;
};

}  // namespace shutdown_auditor::testing_support
