#include "runtime/manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "kube_support/fake_api.h"
#include "support/fixed_random.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::runtime {
namespace {

using namespace std::chrono_literals;
using kube::resources::kLeases;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing_support::eventually;
using testing_support::FakeApi;
using testing_support::FixedRandom;
using testing_support::ManualClock;

// What happened, in order.
class Journal {
 public:
  void add(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

class FakeSource final : public Source {
 public:
  FakeSource(std::string name, base::Clock& clock, Journal& journal)
      : name_(std::move(name)), clock_(clock), journal_(journal) {}
  std::string_view name() const override { return name_; }
  void start() override { journal_.add("start " + name_); }
  void request_stop() override {}
  void stop() override { journal_.add("stop " + name_); }
  SourceState state() const override {
    const std::lock_guard lock(mutex_);
    return state_;
  }
  bool has_synced() const override { return state() == SourceState::kSynced; }
  std::string last_error() const override { return error; }
  bool wait_synced(const base::Cancellation& cancel) override { return wait_settled(cancel) && has_synced(); }
  bool wait_settled(const base::Cancellation& cancel) override {
    std::unique_lock lock(mutex_);
    return clock_.wait_until(lock, changed_, cancel.stop, cancel.deadline,
                             [this] { return state_ != SourceState::kSyncing; });
  }
  void set(SourceState state) {
    const std::lock_guard lock(mutex_);
    state_ = state;
    changed_.notify_all();
  }
  std::string error;

 private:
  const std::string name_;
  base::Clock& clock_;
  Journal& journal_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  SourceState state_ = SourceState::kSyncing;
};

// Reconciles by one write through the fence, or hangs when told to.
class Writer final : public Reconciler {
 public:
  Writer(kube::Api& api, Journal& journal) : api_(api), journal_(journal) {}
  base::Result<Action, ReconcileError> reconcile(const Request& request, ReconcileContext& context) override {
    journal_.add("reconcile " + request.key);
    ++running;
    eventually([&] { return !hang; });
    --running;
    kube::ApiRequest write;
    write.method = http::Method::kPost;
    write.path = kube::path_of(kube::resources::kServices, "shop");
    write.content_type = "application/json";
    write.body = R"({"metadata":{"name":")" + request.key + R"("}})";
    if (const auto sent = api_.call(write, context.cancel); !sent) {
      return base::unexpected(ReconcileError{sent.error().message, false});
    }
    return Action::await_change();
  }
  std::atomic<bool> hang{false};
  std::atomic<int> running{0};

 private:
  kube::Api& api_;
  Journal& journal_;
};

// A whole process on a shared server.
struct Process {
  Process(FakeApi& server, ManualClock& clock_, FixedRandom& random, const std::string& identity, bool elect)
      : clock(clock_), fence(clock), api(server, fence), coordinator(clock, 25s), writer(api, journal), queue(clock),
        loop({"main", 1}, queue, writer, clock, random),
        recorder({"example.dev/controller", identity}, api, clock, random),
        source("services", clock, journal) {
    if (elect) {
      elector = std::move(*LeaderElector::create({"ops", "main", identity, 15s, 10s, 2s}, server, fence, clock, random,
                                                 [this](auto) { ++lost; }));
    }
    manager = std::make_unique<Manager>(ManagerOptions{}, clock, fence, elector.get(), coordinator);
    manager->add_source(source);
    manager->add_loop(loop);
    manager->add_recorder(recorder);
    manager->on_leading([this] { journal.add("leading"); });
  }
  ~Process() {
    stop.request_stop();
    writer.hang = false;
    thread = {};
  }
  void run() {
    thread = std::jthread([this] {
      const base::Result<void> result = manager->run(stop.get_token());
      if (!result) {
        failure = result.error().message;
      }
      ended = true;
    });
  }
  // What main does after a signal.
  ShutdownReport shut_down() {
    stop.request_stop();
    return coordinator.run();
  }

  ManualClock& clock;
  Journal journal;
  std::stop_source stop;
  Fence fence;
  FencedApi api;
  ShutdownCoordinator coordinator;
  Writer writer;
  WorkQueue queue;
  ControllerLoop loop;
  EventRecorder recorder;
  FakeSource source;
  std::unique_ptr<LeaderElector> elector;
  std::unique_ptr<Manager> manager;
  std::atomic<int> lost{0};
  std::atomic<bool> ended{false};
  std::string failure;
  std::jthread thread;
};

class ManagerTest : public testing::Test {
 protected:
  std::unique_ptr<Process> process(const std::string& identity, bool elect = true) {
    return std::make_unique<Process>(server, clock, random, identity, elect);
  }
  bool reaches(Process& p, ManagerPhase phase) {
    return eventually([&] { return p.manager->phase() == phase; });
  }
  std::string holder() const {
    return json::parse(server.get(kLeases, "ops", "main").value())["spec"]["holderIdentity"];
  }
  static std::vector<std::string> phases(const ShutdownReport& report) {
    std::vector<std::string> lines;
    for (const PhaseReport& phase : report.phases) {
      lines.push_back(phase.name + " " + std::string(to_string(phase.outcome)));
    }
    return lines;
  }

  ManualClock clock;
  FixedRandom random;
  FakeApi server{clock};
};

TEST_F(ManagerTest, StartsInOrderAndStopsInOrder) {
  auto p = process("a");
  p->queue.add("first", Priority::kLow, 0);
  EXPECT_FALSE(p->manager->ready());
  p->run();
  ASSERT_TRUE(reaches(*p, ManagerPhase::kSyncing));
  EXPECT_FALSE(p->manager->ready());
  EXPECT_FALSE(p->loop.started()) << "not before every source has settled";
  EXPECT_EQ(server.calls().size(), 0U) << "nor does it compete for the lease";
  p->source.set(SourceState::kSynced);
  ASSERT_TRUE(reaches(*p, ManagerPhase::kLeading));
  EXPECT_TRUE(p->manager->ready());
  ASSERT_TRUE(eventually([&] { return server.get(kube::resources::kServices, "shop", "first").has_value(); }));
  p->recorder.record({"v1", "Service", "shop", "first", "u"}, {EventType::kNormal, "R", "A", "last words"});
  const ShutdownReport report = p->shut_down();
  EXPECT_THAT(phases(report), ElementsAre("readiness done", "sources done", "workers done", "events done", "lease done"));
  EXPECT_FALSE(p->manager->ready());
  EXPECT_THAT(p->journal.lines(), ElementsAre("start services", "leading", "reconcile first", "stop services"));
  EXPECT_EQ(server.all(kube::resources::kEvents).size(), 1U) << "flushed while the lease was still ours";
  EXPECT_EQ(holder(), "");
  EXPECT_TRUE(eventually([&] { return p->ended.load(); }));
  EXPECT_EQ(p->failure, "");
}

TEST_F(ManagerTest, AnUnavailableSourceDoesNotHoldUpTheOthers) {
  for (const SourceState state : {SourceState::kForbidden, SourceState::kAbsent}) {
    auto p = process("a", false);
    p->source.set(state);
    p->run();
    EXPECT_TRUE(reaches(*p, ManagerPhase::kLeading)) << to_string(state);
    p->shut_down();
  }
}

TEST_F(ManagerTest, ASyncThatTakesTwoMinutesFailsNamingTheSources) {
  auto p = process("a");
  Journal journal;
  FakeSource stuck("widgets.example.dev", clock, journal);
  stuck.error = "connection refused";
  FakeSource slow("jobs", clock, journal);
  p->manager->add_source(stuck);
  p->manager->add_source(slow);
  p->source.set(SourceState::kSynced);
  p->run();
  ASSERT_TRUE(clock.await_waiters(1));
  clock.advance(2min);
  ASSERT_TRUE(eventually([&] { return p->ended.load(); }));
  EXPECT_EQ(p->failure, "no complete list within 2m0s of: widgets.example.dev (connection refused), jobs");
  EXPECT_FALSE(p->loop.started());
  EXPECT_THAT(phases(p->shut_down()), testing::Contains("lease done"));
  EXPECT_FALSE(server.get(kLeases, "ops", "main")) << "it never competed";
}

TEST_F(ManagerTest, AStopDuringTheSyncIsNoFailure) {
  auto p = process("a");
  p->run();
  ASSERT_TRUE(clock.await_waiters(1));
  p->shut_down();
  ASSERT_TRUE(eventually([&] { return p->ended.load(); }));
  EXPECT_EQ(p->failure, "");
  EXPECT_FALSE(p->loop.started());
}

TEST_F(ManagerTest, AStandbyIsReadyAndItsShutdownNeverStartsElectedWork) {
  auto a = process("a");
  a->source.set(SourceState::kSynced);
  a->run();
  ASSERT_TRUE(reaches(*a, ManagerPhase::kLeading));
  auto b = process("b");
  b->queue.add("never", Priority::kHigh, 0);
  b->source.set(SourceState::kSynced);
  b->run();
  ASSERT_TRUE(eventually([&] { return b->elector->status().holder == "a"; }));
  EXPECT_EQ(b->manager->phase(), ManagerPhase::kStandby);
  EXPECT_TRUE(b->manager->ready()) << "its caches are warm";
  EXPECT_FALSE(b->loop.started());
  const std::string version = server.resource_version();
  const ShutdownReport report = b->shut_down();
  EXPECT_THAT(phases(report), ElementsAre("readiness done", "sources done", "workers done", "events done", "lease done"));
  EXPECT_FALSE(b->loop.started());
  EXPECT_THAT(b->journal.lines(), Not(testing::Contains("reconcile never")));
  EXPECT_EQ(server.resource_version(), version) << "the other's lease is untouched";
  EXPECT_EQ(a->manager->phase(), ManagerPhase::kLeading);
  a->shut_down();
}

TEST_F(ManagerTest, ASuccessorTakesOverAfterAnOrderlyShutdown) {
  auto a = process("a");
  a->source.set(SourceState::kSynced);
  a->run();
  ASSERT_TRUE(reaches(*a, ManagerPhase::kLeading));
  auto b = process("b");
  b->source.set(SourceState::kSynced);
  b->queue.add("work", Priority::kLow, 0);
  b->run();
  ASSERT_TRUE(eventually([&] { return b->elector->status().holder == "a"; }));
  a->shut_down();
  ASSERT_TRUE(eventually([&] {
    clock.advance(100ms);
    return b->manager->phase() == ManagerPhase::kLeading;
  }));
  EXPECT_TRUE(eventually([&] { return server.get(kube::resources::kServices, "shop", "work").has_value(); }));
  b->shut_down();
}

TEST_F(ManagerTest, TheLeaseIsNotReleasedWhileAWorkerRunsAndThatWorkerCannotWrite) {
  auto p = process("a");
  p->source.set(SourceState::kSynced);
  p->run();
  ASSERT_TRUE(reaches(*p, ManagerPhase::kLeading));
  p->writer.hang = true;
  p->queue.add("stuck", Priority::kHigh, 0);
  ASSERT_TRUE(eventually([&] { return p->writer.running == 1; }));
  std::optional<ShutdownReport> report;
  std::atomic<bool> over{false};
  std::jthread stopping([&] {
    report = p->shut_down();
    over = true;
  });
  const base::SteadyTime began = clock.now();
  ASSERT_TRUE(eventually([&] {
    clock.advance(over ? 0ms : 50ms);
    return over.load();
  }));
  EXPECT_GE(clock.now() - began, 12s) << "half of the budget for keys in work";
  EXPECT_THAT(phases(*report),
              ElementsAre("readiness done", "sources done", "workers failed", "events done", "lease failed"));
  EXPECT_EQ(report->phases[2].error, "still in work: stuck in main");
  EXPECT_THAT(report->phases[4].error, HasSubstr("left to expire"));
  EXPECT_EQ(holder(), "a");
  EXPECT_FALSE(p->fence.valid());
  p->writer.hang = false;
  ASSERT_TRUE(eventually([&] { return p->queue.processing().empty(); }));
  EXPECT_FALSE(server.get(kube::resources::kServices, "shop", "stuck")) << "refused by the fence";
}

TEST_F(ManagerTest, AfterTheLeaseIsLostNothingIsWrittenEvenByWorkersThatHang) {
  auto p = process("a");
  p->source.set(SourceState::kSynced);
  p->run();
  ASSERT_TRUE(reaches(*p, ManagerPhase::kLeading));
  p->writer.hang = true;
  p->queue.add("stuck", Priority::kHigh, 0);
  ASSERT_TRUE(eventually([&] { return p->writer.running == 1; }));
  server.hold([](const auto& call) { return call.path.find("leases") != std::string::npos; });
  clock.advance(10s);
  ASSERT_TRUE(eventually([&] { return p->lost == 1; }));
  p->writer.hang = false;
  ASSERT_TRUE(eventually([&] { return p->queue.processing().empty(); }));
  EXPECT_EQ(server.count("create", "services"), 0U);
  server.release();
}

TEST_F(ManagerTest, WithoutElectionTheSamePathRunsWithAFenceHeldForEver) {
  auto p = process("a", false);
  p->source.set(SourceState::kSynced);
  p->queue.add("work", Priority::kLow, 0);
  p->run();
  ASSERT_TRUE(reaches(*p, ManagerPhase::kLeading));
  ASSERT_TRUE(eventually([&] { return server.get(kube::resources::kServices, "shop", "work").has_value(); }));
  clock.advance(24h);
  EXPECT_TRUE(p->fence.valid());
  EXPECT_THAT(p->journal.lines(), ElementsAre("start services", "leading", "reconcile work"));
  EXPECT_THAT(phases(p->shut_down()), ElementsAre("readiness done", "sources done", "workers done", "events done"));
  EXPECT_EQ(server.count("create", "leases"), 0U);
}

}  // namespace
}  // namespace shutdown_auditor::runtime
