#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/log.h"
#include "kube_support/fake_api.h"
#include "objects/workload.h"
#include "runtime/reflector.h"
#include "runtime/store.h"
#include "support/fixed_random.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::runtime {

using testing_support::eventually;
using testing_support::FakeApi;
using testing_support::FixedRandom;
using testing_support::ManualClock;
using testing_support::SeenCall;
using Workloads = Store<objects::Workload>;
using WorkloadReflector = Reflector<objects::Workload>;

inline std::string deployment(const std::string& name_space, const std::string& name, int replicas = 1) {
  return fmt::format(
      R"({{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"namespace":"{}","name":"{}"}},"spec":{{"replicas":{}}}}})",
      name_space, name, replicas);
}

inline kube::Error api_error(kube::ErrorKind kind, int code = 0, std::string message = "told to fail") {
  kube::Error error;
  error.kind = kind;
  error.code = code;
  error.message = std::move(message);
  return error;
}

inline FakeApi::Predicate verb_is(std::string verb) {
  return [verb = std::move(verb)](const SeenCall& call) { return call.verb == verb; };
}

// The value of a query parameter, or "-" when it was not sent.
inline std::string query_of(const SeenCall& call, std::string_view name) {
  for (const auto& [key, value] : call.query) {
    if (key == name) return value;
  }
  return "-";
}

// Collects changes as lines: "added shop/web 1 initial", "updated shop/web 1->2", "deleted shop/web 2 unknown relist".
class Changes {
 public:
  WorkloadReflector::Handler handler() {
    return [this](const Change<objects::Workload>& change) {
      const auto replicas = [](const auto& object) { return std::to_string(object->replicas.value_or(-1)); };
      std::string line;
      if (change.kind == EventKind::kAdded) line = "added " + change.key.to_string() + " " + replicas(change.object);
      if (change.kind == EventKind::kUpdated) {
        line = "updated " + change.key.to_string() + " " + replicas(change.old_object) + "->" + replicas(change.object);
      }
      if (change.kind == EventKind::kDeleted) {
        line = "deleted " + change.key.to_string() + " " + replicas(change.old_object);
      }
      if (change.final_state_unknown) line += " unknown";
      if (change.initial_list) line += " initial";
      if (change.relist) line += " relist";
      const std::lock_guard lock(mutex_);
      lines_.push_back(line);
    };
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  bool has(const std::string& line) const {
    const auto all = lines();
    return std::find(all.begin(), all.end(), line) != all.end();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

// Everything logged while it lives. Create it before threads run.
class LogCapture {
 public:
  LogCapture() {
    base::set_log_sink(
        [this](base::LogLevel, std::string_view, std::string_view message, const base::LogField* fields, std::size_t n) {
          std::string line(message);
          for (std::size_t i = 0; i < n; ++i) line += fmt::format(" {}={}", fields[i].key, fields[i].value);
          const std::lock_guard lock(mutex_);
          lines_.push_back(line);
        },
        base::LogLevel::kInfo);
  }
  ~LogCapture() { base::set_log_sink({}, base::LogLevel::kError); }

  int count(std::string_view part) const {
    const std::lock_guard lock(mutex_);
    int found = 0;
    for (const std::string& line : lines_) found += line.find(part) != std::string::npos ? 1 : 0;
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

// Counts by "relist expired", "watch idle", "state Synced", "undecodable".
class CountingObserver final : public ReflectorObserver {
 public:
  void relisted(std::string_view, std::string_view reason) override { add("relist " + std::string(reason)); }
  void watch_restarted(std::string_view, std::string_view reason) override { add("watch " + std::string(reason)); }
  void undecodable(std::string_view) override { add("undecodable"); }
  void state_changed(std::string_view, SourceState state) override { add("state " + std::string(to_string(state))); }
  int count(const std::string& what) const {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(what);
    return found == counts_.end() ? 0 : found->second;
  }

 private:
  void add(const std::string& what) {
    const std::lock_guard lock(mutex_);
    ++counts_[what];
  }
  mutable std::mutex mutex_;
  std::map<std::string, int> counts_;
};

// One reflector of Deployments on a FakeApi, on a virtual clock.
class ReflectorTest : public testing::Test {
 protected:
  ~ReflectorTest() override {
    if (reflector_) reflector_->stop();
  }

  void start(ReflectorOptions options = {}) { start_on(api_, std::move(options)); }
  void start_on(kube::Api& api, ReflectorOptions options = {}) {
    WorkloadReflector::Config config;
    config.options = std::move(options);
    config.handlers = {changes_.handler()};
    reflector_ = std::make_unique<WorkloadReflector>(ReflectorLoop::Context{api, clock_, random_, &observer_},
                                                     kube::resources::kDeployments, store_, std::move(config));
    reflector_->start();
  }
  // Started, synced and watching.
  void start_and_sync(ReflectorOptions options = {}) {
    start(std::move(options));
    ASSERT_TRUE(eventually([&] { return reflector_->has_synced() && api_.open_watches() == 1; }));
  }

  // Lets virtual time pass, step by step, until `condition` holds; false after 30 real seconds.
  bool advance_until(const std::function<bool()>& condition, base::Duration step = std::chrono::milliseconds(100)) {
    return eventually([&] {
      if (condition()) return true;
      clock_.advance(step);
      return false;
    });
  }

  // The reflector has sent `lists` lists and now pauses for exactly `pause` before the next one.
  void expect_pause(std::size_t lists, base::Duration pause) {
    ASSERT_TRUE(eventually([&] { return api_.count("list") == lists && clock_.waiters() == 1; }));
    clock_.advance(pause - std::chrono::milliseconds(1));
    EXPECT_EQ(api_.count("list"), lists);
    clock_.advance(std::chrono::milliseconds(1));
    ASSERT_TRUE(eventually([&] { return api_.count("list") == lists + 1; }));
  }

  std::string put(const std::string& name, int replicas = 1, const std::string& name_space = "shop") {
    return api_.put(kube::resources::kDeployments, deployment(name_space, name, replicas));
  }
  void remove(const std::string& name, const std::string& name_space = "shop") {
    api_.remove(kube::resources::kDeployments, name_space, name);
  }
  void send(const std::string& line) { api_.send_line(kube::resources::kDeployments, line); }

  std::int64_t replicas(const std::string& name, const std::string& name_space = "shop") const {
    const auto object = store_.get(name_space, name);
    return object ? object->replicas.value_or(-1) : -2;
  }
  bool holds(const std::string& name, int expected = 1) const { return replicas(name) == expected; }
  SeenCall last_call(const std::string& verb) const {
    SeenCall last;
    for (const SeenCall& call : api_.calls()) {
      if (call.verb == verb) last = call;
    }
    return last;
  }

  ManualClock clock_;
  FixedRandom random_{0.5};
  FakeApi api_{clock_};
  Workloads store_;
  Changes changes_;
  CountingObserver observer_;
  std::unique_ptr<WorkloadReflector> reflector_;
};

}  // namespace shutdown_auditor::runtime
