#include <gtest/gtest.h>
#include <malloc.h>

#include <array>
#include <map>
#include <random>
#include <set>

#include <nlohmann/json.hpp>

#include "base/backoff.h"
#include "base/random.h"
#include "runtime/reflector_fixture.h"
#include "runtime/scripted_api.h"

namespace shutdown_auditor::runtime {
namespace {

using kube::ErrorKind;
using kube::resources::kDeployments;
using std::chrono::milliseconds;
using std::chrono::seconds;

class SeededRandom final : public base::Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  double uniform() override {
    const std::lock_guard lock(mutex_);
    return std::uniform_real_distribution<double>(0, 1)(engine_);
  }
  std::uint64_t bits() override {
    const std::lock_guard lock(mutex_);
    return engine_();
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

std::map<std::string, std::string> versions_on_server(const FakeApi& api) {
  std::map<std::string, std::string> versions;
  for (const std::string& text : api.all(kDeployments)) {
    const auto meta = nlohmann::json::parse(text).at("metadata");
    versions[meta.at("namespace").get<std::string>() + "/" + meta.at("name").get<std::string>()] =
        meta.at("resourceVersion").get<std::string>();
  }
  return versions;
}

std::map<std::string, std::string> versions_in(const Workloads& store) {
  std::map<std::string, std::string> versions;
  for (const auto& object : store.list()) {
    versions[object->meta.namespace_ + "/" + object->meta.name] = object->meta.resource_version;
  }
  return versions;
}

// A second copy of the store, kept by the handlers alone; complains when a change does not fit what came before.
class Shadow {
 public:
  WorkloadReflector::Handler handler() {
    return [this](const Change<objects::Workload>& change) {
      const std::lock_guard lock(mutex_);
      const bool known = versions_.contains(change.key.to_string());
      if (known != (change.kind != EventKind::kAdded)) ++misfits_;
      if (change.object) {
        versions_[change.key.to_string()] = change.object->meta.resource_version;
      } else {
        versions_.erase(change.key.to_string());
      }
    };
  }
  std::map<std::string, std::string> versions() const {
    const std::lock_guard lock(mutex_);
    return versions_;
  }
  int misfits() const {
    const std::lock_guard lock(mutex_);
    return misfits_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> versions_;
  int misfits_ = 0;
};

// Any history of writes and faults: once the server is well again, the store equals it, and so does what the handlers were
// told.
TEST(ReflectorModel, StoreEqualsTheServerAfterAnyHistoryOfWritesAndFaults) {
  constexpr std::array kKinds = {ErrorKind::kUnavailable, ErrorKind::kTimeout, ErrorKind::kExpired,
                                 ErrorKind::kVersionTooLarge, ErrorKind::kTooManyRequests, ErrorKind::kForbidden,
                                 ErrorKind::kNotFound, ErrorKind::kUnauthorized, ErrorKind::kProtocol, ErrorKind::kInvalid};
  constexpr std::array kLines = {
      R"({"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410}})",
      R"({"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"InternalError","code":500}})",
      R"({"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"TooManyRequests","code":429}})",
      R"({"type":"MODIFIED","object":{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"cut)",
      R"({"type":"UNHEARD","object":{}})",
      R"({"type":"MODIFIED","object":{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x"}}})",
  };
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom dice(seed);
    SeededRandom jitter(seed + 1000);
    ManualClock clock;
    FakeApi api(clock);
    Workloads store;
    Shadow shadow;
    WorkloadReflector::Config config;
    config.options.watcher.page_size = 7;
    config.handlers = {shadow.handler()};
    WorkloadReflector reflector({api, clock, jitter}, kDeployments, store, std::move(config));
    const auto roll = [&](int sides) { return static_cast<int>(dice.uniform() * sides); };
    const auto any_fault = [&] {
      kube::Error error = api_error(kKinds.at(static_cast<std::size_t>(roll(kKinds.size()))));
      api.fail(1 + roll(3), verb_is(roll(2) == 0 ? "list" : "watch"), error);
    };
    if (roll(2) == 0) any_fault();
    reflector.start();
    for (int step = 0; step < 200; ++step) {
      const std::string name = "d" + std::to_string(roll(20));
      switch (roll(14)) {
        case 0: api.end_watches(); break;
        case 1: api.break_watches(api_error(ErrorKind::kUnavailable)); break;
        case 2: api.expire_history(); break;
        case 3: any_fault(); break;
        case 4: api.send_bookmarks(); break;
        case 5: api.send_line(kDeployments, kLines.at(static_cast<std::size_t>(roll(kLines.size())))); break;
        case 6: api.remove(kDeployments, "shop", name); break;
        case 7: api.remove(kDeployments, "shop", name); break;
        case 8: clock.advance(milliseconds(roll(90'000))); break;
        default: api.put(kDeployments, deployment("shop", name, roll(1000))); break;
      }
      if (roll(3) == 0) clock.advance(milliseconds(roll(2000)));
      if (roll(4) == 0) {
        // Sometimes let it catch up, so that both quick and slow readers are tried.
        const std::string version = api.resource_version();
        for (int i = 0; i < 50 && store.resource_version() != version; ++i) {
          clock.advance(milliseconds(20));
          std::this_thread::yield();
        }
      }
    }
    api.clear_faults();
    const auto expected = versions_on_server(api);
    ASSERT_TRUE(eventually([&] {
      clock.advance(seconds(1));
      return versions_in(store) == expected && shadow.versions() == expected && api.open_watches() == 1;
    }));
    // And it is alive: one more change arrives.
    api.put(kDeployments, deployment("shop", "last", 1));
    ASSERT_TRUE(eventually([&] { return store.get("shop", "last") != nullptr; }));
    reflector.stop();
    EXPECT_EQ(shadow.misfits(), 0);
  }
}

// Fifty reflectors lose a server at the same moment and find it again: no 100 ms sees more than ten of them.
TEST(ReflectorBackoff, ManyReflectorsRecoverSpreadOut) {
  for (const seconds outage : {seconds(10), seconds(60), seconds(600)}) {
    ManualClock clock;
    SeededRandom random(7);
    const ReflectorOptions options;
    std::map<std::int64_t, int> requests;  // by 100 ms since the server came back
    for (int i = 0; i < 50; ++i) {
      ManualClock own;
      base::Backoff backoff(options.backoff, own, random);
      const base::SteadyTime down = own.now();
      while (own.now() - down < outage) own.advance(backoff.next());
      const auto late = own.now() - down - outage;
      EXPECT_LE(late, seconds(30));
      ++requests[std::chrono::duration_cast<milliseconds>(late).count() / 100];
    }
    for (const auto& [bucket, count] : requests) EXPECT_LE(count, 10) << bucket << " after " << outage.count();
  }
}

TEST(ReflectorBackoff, GrowsToThirtySecondsWithFullJitterAndForgetsAfterTwoMinutes) {
  const base::BackoffPolicy policy = ReflectorOptions().backoff;
  struct Row {
    std::uint32_t failures;
    double uniform;
    milliseconds delay;
  };
  const Row rows[] = {
      {0, 0.999999999, milliseconds(800)}, {1, 0.999999999, milliseconds(1600)}, {5, 0.999999999, milliseconds(25'600)},
      {6, 0.999999999, milliseconds(30'000)}, {4'000'000'000U, 0.999999999, milliseconds(30'000)},
      {0, 0.5, milliseconds(400)}, {6, 0.5, milliseconds(15'000)}, {6, 0.0, milliseconds(1)},
  };
  for (const Row& row : rows) {
    EXPECT_NEAR(static_cast<double>(base::backoff_delay(policy, row.failures, row.uniform).count()),
                static_cast<double>(base::Duration(row.delay).count()), 1e6)
        << row.failures << " " << row.uniform;
  }
  ManualClock clock;
  FixedRandom random(0.5);
  base::Backoff backoff(policy, clock, random);
  for (int i = 0; i < 10; ++i) backoff.next();
  clock.advance(std::chrono::minutes(2) - milliseconds(1));
  EXPECT_EQ(backoff.next(), seconds(15));
  clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(backoff.next(), milliseconds(400));
}

// A LIST of any length, made while it is read.
class ManyDeployments final : public objects::ByteSource {
 public:
  ManyDeployments(std::size_t count, std::string item) : count_(count), item_(std::move(item)) {
    rest_ = R"({"kind":"DeploymentList","apiVersion":"apps/v1","metadata":{"resourceVersion":"9"},"items":[)";
  }
  base::Result<std::size_t> read(std::span<char> buffer) override {
    if (rest_.empty() && next_ <= count_) make_more();
    const std::size_t size = std::min(rest_.size(), buffer.size());
    std::copy_n(rest_.begin(), size, buffer.begin());
    rest_.erase(0, size);
    return size;
  }

 private:
  void make_more() {
    if (next_ == count_) {
      rest_ = "]}";
    } else {
      rest_ = (next_ == 0 ? "" : ",") + fmt::format(R"({{"metadata":{{"name":"deployment-{}","namespace":"shop","resourceVersion":"{}",)", next_, next_ + 100) + item_;
    }
    ++next_;
  }
  const std::size_t count_;
  const std::string item_;
  std::size_t next_ = 0;
  std::string rest_;
};

// What the server sends for one Deployment: mostly managedFields and status, of which nothing is kept.
std::string typical_item() {
  std::string fields;
  for (int i = 0; i < 60; ++i) {
    fields += fmt::format(R"({}"f:field-number-{}":{{"f:nested":{{}},"f:other":{{}}}})", i == 0 ? "" : ",", i);
  }
  return R"("uid":"0b7a8c1e-8d9c-4b55-9a35-2f0d3c1e7a11","labels":{"app":"web","team":"shop"},"managedFields":[{"manager":"kubectl","operation":"Update","fieldsType":"FieldsV1","fieldsV1":{)" +
         fields +
         R"(}}]},"spec":{"replicas":3,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"terminationGracePeriodSeconds":60,"containers":[{"name":"web","image":"registry.example/web:1.2.3","ports":[{"name":"http","containerPort":8080}],"lifecycle":{"preStop":{"exec":{"command":["sh","-c","sleep 5"]}}},"readinessProbe":{"httpGet":{"path":"/ready","port":"http"},"periodSeconds":5}}]}}},"status":{"replicas":3,"readyReplicas":3,"conditions":[{"type":"Available","status":"True","message":"Deployment has minimum availability."}]}})";
}

// 20,000 Deployments of 4 kB: memory grows by what the store keeps, never by what is on the wire, and a relist that finds
// nothing new costs no second copy of the objects.
TEST(ReflectorMemory, LongListsAreReadOneItemAtATime) {
  const auto now_used = [] { return static_cast<std::size_t>(mallinfo2().uordblks); };
  const std::size_t before = now_used();
  // Sanitizers have their own allocator, of which mallinfo2 knows nothing: only the list is checked there.
  const bool measured = before > 0;
  const std::size_t count = measured ? 20'000 : 1'000;
  const std::string item = typical_item();
  ManualClock clock;
  FixedRandom random;
  std::atomic<std::size_t> highest{0};
  class Sampling final : public objects::ItemSink {
   public:
    Sampling(objects::ItemSink& to, std::function<void()> sample) : to_(to), sample_(std::move(sample)) {}
    objects::EventHandler& begin_item() override { return to_.begin_item(); }
    bool end_item() override {
      if (++items_ % 100 == 0) sample_();
      return to_.end_item();
    }
    base::Error problem() const override { return to_.problem(); }

   private:
    objects::ItemSink& to_;
    std::function<void()> sample_;
    int items_ = 0;
  };
  std::atomic<int> lists{0};
  ScriptedApi api(
      [&](const kube::ListOptions&, objects::ItemSink& sink, const base::Cancellation&) {
        ManyDeployments json(count, item);
        Sampling sampling(sink, [&] { highest = std::max(highest.load(), now_used()); });
        ++lists;
        return ScriptedApi::read_list(json, sampling);
      },
      [&](const kube::WatchOptions&, const base::Cancellation& cancel) {
        if (lists >= 2) clock.sleep_for(std::chrono::hours(1), cancel.stop);
        return kube::Result<std::unique_ptr<kube::WatchStream>>(
            base::unexpected(api_error(lists >= 2 ? ErrorKind::kCancelled : ErrorKind::kExpired)));
      });
  Workloads store;
  WorkloadReflector reflector({api, clock, random}, kDeployments, store, {});
  reflector.start();
  ASSERT_TRUE(eventually([&] { return reflector.has_synced(); }));
  const std::size_t retained = now_used() - before;
  const std::size_t first_peak = highest - before;
  ASSERT_TRUE(eventually([&] {
    clock.advance(seconds(1));
    return lists == 2 && reflector.status().relists == 1 && clock.waiters() == 1;
  }));
  reflector.stop();
  const std::size_t second_peak = highest - before;
  EXPECT_EQ(store.size(), count);
  RecordProperty("wire_bytes_per_object", static_cast<int>(item.size()));
  RecordProperty("retained_bytes_per_object", static_cast<int>(retained / count));
  RecordProperty("peak_bytes_per_object", static_cast<int>(first_peak / count));
  RecordProperty("relist_peak_bytes_per_object", static_cast<int>(second_peak / count));
  EXPECT_LE(measured ? retained / count : 0, 3072U);
  EXPECT_LE(measured ? first_peak : 0, retained + (std::size_t{4} << 20U));
  EXPECT_LE(measured ? second_peak : 0, retained + count * std::size_t{400});
}

}  // namespace
}  // namespace shutdown_auditor::runtime
