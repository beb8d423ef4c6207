#include "runtime/leader_elector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/time.h"
#include "kube_support/fake_api.h"
#include "support/fixed_random.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::runtime {
namespace {

using namespace std::chrono_literals;
using kube::resources::kLeases;
using nlohmann::json;
using testing::HasSubstr;
using testing_support::eventually;
using testing_support::FakeApi;
using testing_support::FixedRandom;
using testing_support::ManualClock;

LeaderElectionOptions options(std::string identity) { return {"ops", "main", std::move(identity), 15s, 10s, 2s}; }

// One process: an elector with its own fence.
struct Candidate {
  Candidate(kube::Api& api, base::Clock& clock, base::Random& random, const std::string& identity)
      : fence(clock),
        elector(std::move(*LeaderElector::create(options(identity), api, fence, clock, random, [this](auto why) {
          reason = std::string(why);
          ++lost;
        }))) {}
  bool leads() const { return elector->status().state == LeaderState::kLeading; }

  Fence fence;
  std::string reason;
  std::atomic<int> lost{0};
  std::unique_ptr<LeaderElector> elector;
};

class LeaderElectorTest : public testing::Test {
 protected:
  json lease() const { return json::parse(api.get(kLeases, "ops", "main").value()); }
  std::string holder() const { return lease()["spec"]["holderIdentity"]; }
  void put_lease(const std::string& who, const std::string& renewed, std::int64_t duration = 15) {
    api.put(kLeases, json{{"metadata", {{"name", "main"}, {"namespace", "ops"}, {"labels", {{"team", "a"}}}}},
                          {"spec",
                           {{"holderIdentity", who},
                            {"leaseDurationSeconds", duration},
                            {"acquireTime", "2020-01-01T00:00:00.000000Z"},
                            {"renewTime", renewed},
                            {"leaseTransitions", 7}}}}
                         .dump());
  }
  // Starts it and returns when it leads and both of its threads wait for time to pass.
  bool lead(Candidate& candidate) {
    const int waiting = clock.waiters();
    candidate.elector->start();
    return candidate.elector->wait_leading({}) && clock.await_waiters(waiting + 2);
  }
  // Starts it as a standby and returns after its first try.
  bool begin(Candidate& candidate) {
    const std::size_t calls = api.calls().size();
    candidate.elector->start();
    return eventually([&] { return api.calls().size() > calls && clock.waiters() == 2; });
  }
  // With only one elector at work, in standby: moves time on by one of its waits and returns when it has tried again.
  bool next_try() {
    const std::size_t calls = api.calls().size();
    clock.advance(kStandbyWait);
    return eventually([&] { return api.calls().size() > calls && clock.waiters() == 2; });
  }
  // How long that takes until it leads; 60 s when it never does.
  base::Duration time_until_leading(const Candidate& candidate) {
    const base::SteadyTime began = clock.now();
    while (!candidate.leads() && clock.now() - began < 60s && next_try()) {
    }
    return clock.now() - began;
  }
  static constexpr base::Duration kStandbyWait = 1800ms;  // FixedRandom's 0.5 between 0.8 and 1.0 of 2 s
  // Moves time on in small steps until `condition` holds; false after `limit` of virtual time. The pause lets the
  // electors act between two steps.
  bool pass_until(base::Duration limit, const std::function<bool()>& condition) {
    for (base::Duration passed{}; passed <= limit; passed += 100ms) {
      if (settled(condition)) {
        return true;
      }
      clock.advance(100ms);
    }
    return settled(condition);
  }
  bool settled(const std::function<bool()>& condition) {
    for (int i = 0; i < 5; ++i) {
      if (condition()) {
        return true;
      }
      clock_tick();
    }
    return false;
  }
  static void clock_tick() {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, 1ms);
  }

  ManualClock clock;
  FixedRandom random;
  FakeApi api{clock};
};

TEST(LeaderElectionOptions, AreValidatedWithTheValuesNamed) {
  struct Case {
    const char* what;
    LeaderElectionOptions options;
    const char* error;  // null: valid
  };
  const auto with = [](base::Duration lease, base::Duration renew, base::Duration retry) {
    LeaderElectionOptions o = options("me");
    o.lease_duration = lease;
    o.renew_deadline = renew;
    o.retry_period = retry;
    return o;
  };
  LeaderElectionOptions anonymous = options("");
  const Case cases[] = {
      {"the defaults", with(15s, 10s, 2s), nullptr},
      {"lease equal to renew", with(10s, 10s, 2s), "lease duration (10s) must be longer than the renew deadline (10s)"},
      {"renew equal to 1.2 retries", with(15s, 12s, 10s), "longer than 1.2 times the retry period (10s)"},
      {"renew just above", with(15s, 12001ms, 10s), nullptr},
      {"no retry period", with(15s, 10s, 0s), "retry period (0s)"},
      {"half seconds", with(15500ms, 10s, 2s), "whole seconds"},
      {"too short", with(0s, 0s, 0s), "at least 1s"},
      {"no identity", anonymous, "identity"},
  };
  for (const Case& c : cases) {
    const auto valid = LeaderElector::validate(c.options);
    EXPECT_EQ(valid.has_value(), c.error == nullptr) << c.what;
    if (!valid && c.error != nullptr) {
      EXPECT_THAT(valid.error().message, HasSubstr(c.error)) << c.what;
    }
  }
}

TEST(LeaderElectionOptions, ARequestMayTakeHalfTheRenewDeadlineAtLeastASecond) {
  LeaderElectionOptions o = options("me");
  EXPECT_EQ(LeaderElector::request_timeout(o), 5s);
  o.renew_deadline = 1500ms;
  EXPECT_EQ(LeaderElector::request_timeout(o), 1s);
}

TEST_F(LeaderElectorTest, CreatesTheLeaseAndRenewsItWithOnePutEach) {
  Candidate a(api, clock, random, "a");
  EXPECT_EQ(a.elector->status().state, LeaderState::kStandby);
  EXPECT_FALSE(a.fence.valid());
  ASSERT_TRUE(lead(a));
  EXPECT_TRUE(a.fence.valid());
  const json first = lease();
  EXPECT_EQ(first["spec"]["holderIdentity"], "a");
  EXPECT_EQ(first["spec"]["leaseDurationSeconds"], 15);
  EXPECT_EQ(first["spec"]["leaseTransitions"], 0);
  EXPECT_EQ(first["spec"]["renewTime"], "2026-01-01T00:00:00.000000Z");
  api.forget_calls();
  for (std::size_t i = 1; i <= 3; ++i) {
    clock.advance(2s);
    ASSERT_TRUE(eventually([&] { return api.count("update") == i; }));
    ASSERT_TRUE(eventually([&] { return a.elector->status().since_renewal == 0s; }));
    ASSERT_TRUE(clock.await_waiters(2));
  }
  EXPECT_EQ(api.count("get"), 0U) << "the fast path reads nothing";
  EXPECT_EQ(lease()["spec"]["renewTime"], "2026-01-01T00:00:06.000000Z");
  EXPECT_EQ(lease()["spec"]["acquireTime"], first["spec"]["acquireTime"]);
  EXPECT_EQ(lease()["spec"]["leaseTransitions"], 0);
}

TEST_F(LeaderElectorTest, JudgesExpiryByWhatItSawChangeAndNeverByRemoteTime) {
  for (const char* renewed : {"1999-01-01T00:00:00.000000Z", "2099-01-01T00:00:00.000000Z", "nonsense"}) {
    put_lease("other", renewed);
    Candidate a(api, clock, random, "a");
    ASSERT_TRUE(begin(a));
    EXPECT_EQ(time_until_leading(a), 9 * kStandbyWait) << renewed << ": the first try after 15 s";
  }
}

TEST_F(LeaderElectorTest, AChangedLeaseStartsTheWaitAgain) {
  put_lease("other", "1");
  Candidate a(api, clock, random, "a");
  ASSERT_TRUE(begin(a));
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(next_try());
  }
  put_lease("other", "2");
  ASSERT_TRUE(next_try()) << "sees the change";
  EXPECT_EQ(time_until_leading(a), 9 * kStandbyWait);
}

TEST_F(LeaderElectorTest, TrustsTheHoldersOwnDuration) {
  put_lease("other", "1", 40);
  Candidate a(api, clock, random, "a");
  ASSERT_TRUE(begin(a));
  EXPECT_EQ(time_until_leading(a), 23 * kStandbyWait) << "the first try after 40 s";
}

TEST_F(LeaderElectorTest, OnlyATakeoverCountsATransitionAndKeepsWhatOthersWrote) {
  put_lease("other", "1");
  Candidate a(api, clock, random, "a");
  ASSERT_TRUE(begin(a));
  time_until_leading(a);
  const json taken = lease();
  EXPECT_EQ(taken["spec"]["leaseTransitions"], 8);
  EXPECT_NE(taken["spec"]["acquireTime"], "2020-01-01T00:00:00.000000Z");
  EXPECT_EQ(taken["metadata"]["labels"]["team"], "a");
  clock.advance(2s);
  ASSERT_TRUE(eventually([&] { return lease()["spec"]["renewTime"] != taken["spec"]["renewTime"]; }));
  EXPECT_EQ(lease()["spec"]["leaseTransitions"], 8);
  EXPECT_EQ(lease()["spec"]["acquireTime"], taken["spec"]["acquireTime"]);
}

TEST_F(LeaderElectorTest, AStandbyWaitsBetweenFourFifthsAndAllOfTheRetryPeriod) {
  put_lease("other", "1", 3600);
  for (const double uniform : {0.0, 0.999}) {
    random.set(uniform);
    api.forget_calls();
    Candidate a(api, clock, random, "a");
    a.elector->start();
    ASSERT_TRUE(eventually([&] { return api.count("get") == 1 && clock.waiters() == 2; }));
    clock.advance(uniform == 0.0 ? 1599ms : 1999ms);
    EXPECT_FALSE(settled([&] { return api.count("get") > 1; }));
    clock.advance(1ms);
    EXPECT_TRUE(eventually([&] { return api.count("get") == 2; }));
  }
}

TEST_F(LeaderElectorTest, AReleasedLeaseIsTakenWithinARetryPeriod) {
  Candidate a(api, clock, random, "a");
  Candidate b(api, clock, random, "b");
  ASSERT_TRUE(lead(a));
  b.elector->start();
  ASSERT_TRUE(eventually([&] { return b.elector->status().holder == "a" && clock.waiters() == 4; }));
  ASSERT_TRUE(a.elector->release({}));
  EXPECT_FALSE(a.fence.valid());
  EXPECT_EQ(a.elector->status().state, LeaderState::kStopped);
  EXPECT_EQ(holder(), "");
  EXPECT_EQ(lease()["spec"]["leaseDurationSeconds"], 1);
  ASSERT_TRUE(next_try());
  EXPECT_TRUE(b.leads()) << "at its next try";
  EXPECT_EQ(lease()["spec"]["leaseTransitions"], 1);
  EXPECT_EQ(a.lost, 0) << "leaving is not losing";
}

TEST_F(LeaderElectorTest, ALeaderThatDiesIsFollowedAfterItsLeaseExpired) {
  auto a = std::make_unique<Candidate>(api, clock, random, "a");
  Candidate b(api, clock, random, "b");
  ASSERT_TRUE(lead(*a));
  b.elector->start();
  ASSERT_TRUE(eventually([&] { return b.elector->status().holder == "a" && clock.waiters() == 4; }));
  a->elector->stop();  // without release, as after SIGKILL
  EXPECT_EQ(holder(), "a");
  EXPECT_EQ(time_until_leading(b), 9 * kStandbyWait);
}

TEST_F(LeaderElectorTest, TheWatchdogBreaksTheFenceWhenRequestsFailOrHang) {
  kube::Error down;
  down.kind = kube::ErrorKind::kUnavailable;
  down.message = "no route to host";
  for (const bool hang : {false, true}) {
    api.clear_faults();
    api.release();
    api.remove(kLeases, "ops", "main");
    Candidate a(api, clock, random, "a");
    ASSERT_TRUE(lead(a));
    if (hang) {
      api.hold([](const auto&) { return true; });
    } else {
      api.fail(-1, [](const auto&) { return true; }, down);
    }
    clock.advance(10s - 1ns);
    EXPECT_TRUE(a.fence.valid()) << hang;
    clock.advance(1ns);
    EXPECT_FALSE(a.fence.valid()) << "at the renew deadline, whatever the threads do";
    ASSERT_TRUE(eventually([&] { return a.lost == 1; })) << hang;
    EXPECT_TRUE(a.fence.broken().stop_requested());
    EXPECT_EQ(a.elector->status().state, LeaderState::kLost);
    EXPECT_THAT(a.reason, HasSubstr("10s"));
  }
}

// Passes one call in `stuck_verb` on only when told, whatever its cancellation says.
class StuckApi final : public kube::Api {
 public:
  explicit StuckApi(kube::Api& to) : to_(to) {}
  kube::Result<kube::ApiResponse> call(const kube::ApiRequest& request, const base::Cancellation&) override {
    ++waiting;
    eventually([&] { return open.load(); });
    --waiting;
    return to_.call(request, {});
  }
  kube::Result<objects::ListMeta> list(const kube::Resource& resource, const kube::ListOptions& list_options,
                                       objects::ItemSink& sink, const base::Cancellation& cancel) override {
    return to_.list(resource, list_options, sink, cancel);
  }
  kube::Result<std::unique_ptr<kube::WatchStream>> watch(const kube::Resource& resource,
                                                         const kube::WatchOptions& watch_options,
                                                         const base::Cancellation& cancel) override {
    return to_.watch(resource, watch_options, cancel);
  }
  std::atomic<bool> open{true};
  std::atomic<int> waiting{0};

 private:
  kube::Api& to_;
};

TEST_F(LeaderElectorTest, ARenewalThatEndsAfterSteppingDownIsNoLeadership) {
  StuckApi stuck(api);
  Candidate a(stuck, clock, random, "a");
  ASSERT_TRUE(lead(a));
  stuck.open = false;
  clock.advance(2s);
  ASSERT_TRUE(eventually([&] { return stuck.waiting == 1; }));
  clock.advance(8s);
  ASSERT_TRUE(eventually([&] { return a.lost == 1; })) << "though the request ignores its time-out";
  api.forget_calls();
  stuck.open = true;
  ASSERT_TRUE(eventually([&] { return api.count("update") == 1; }));
  a.elector->stop();
  EXPECT_EQ(a.elector->status().state, LeaderState::kLost);
  EXPECT_FALSE(a.fence.valid());
  EXPECT_EQ(a.lost, 1);
}

TEST_F(LeaderElectorTest, AnAcquisitionThatTookTooLongIsNoLeadershipYet) {
  StuckApi stuck(api);
  stuck.open = false;
  Candidate a(stuck, clock, random, "a");
  a.elector->start();
  ASSERT_TRUE(eventually([&] { return stuck.waiting == 1; }));
  stuck.open = true;  // the GET
  ASSERT_TRUE(a.elector->wait_leading({}));
  a.elector->stop();

  api.remove(kLeases, "ops", "main");
  put_lease("", "1");
  Candidate b(stuck, clock, random, "b");
  api.hold([](const auto& call) { return call.verb == "update"; });
  b.elector->start();
  ASSERT_TRUE(eventually([&] { return api.held() == 1; }));
  clock.advance(11s);
  api.release();
  ASSERT_TRUE(eventually([&] { return holder() == "b"; }));
  ASSERT_TRUE(eventually([&] { return b.elector->status().holder == "b"; }));
  EXPECT_FALSE(b.fence.valid()) << "granted for a time that is over";
  EXPECT_FALSE(b.leads());
  ASSERT_TRUE(pass_until(60s, [&] { return b.leads(); })) << "the next renewal counts";
}

TEST_F(LeaderElectorTest, AConflictWithItsOwnWriteIsSuccess) {
  Candidate a(api, clock, random, "a");
  ASSERT_TRUE(lead(a));
  kube::Error reset;
  reset.kind = kube::ErrorKind::kUnavailable;
  reset.message = "connection reset";
  // The write arrives, its answer does not; the next PUT conflicts and the GET shows our own renewTime.
  api.fail(1, [](const auto& call) { return call.verb == "update"; }, reset, true);
  api.forget_calls();
  clock.advance(2s);
  ASSERT_TRUE(eventually([&] { return api.count("update") == 1 && a.elector->status().last_error != ""; }));
  EXPECT_EQ(a.elector->status().since_renewal, 2s);
  ASSERT_TRUE(clock.await_waiters(2));
  clock.advance(2s);
  ASSERT_TRUE(eventually([&] { return api.count("get") == 1; }));
  ASSERT_TRUE(eventually([&] { return a.elector->status().since_renewal == 2s; })) << "counted from that write's start";
  EXPECT_EQ(api.count("update"), 2U) << "no further write was needed";
  EXPECT_EQ(a.elector->status().slow_paths, 2U) << "the first acquisition and this";
  ASSERT_TRUE(clock.await_waiters(2));
  clock.advance(2s);
  ASSERT_TRUE(eventually([&] { return a.elector->status().since_renewal == 0s; })) << "the fast path works again";
  EXPECT_EQ(a.lost, 0);
}

TEST_F(LeaderElectorTest, ARequestTimesOutAfterHalfTheRenewDeadline) {
  Candidate a(api, clock, random, "a");
  ASSERT_TRUE(lead(a));
  api.hold([](const auto& call) { return call.verb == "update"; });
  clock.advance(2s);
  ASSERT_TRUE(eventually([&] { return api.held() == 1; }));
  clock.advance(5s);
  ASSERT_TRUE(eventually([&] { return api.held() == 0; }));
  api.release();
  ASSERT_TRUE(clock.await_waiters(2));
  clock.advance(2s);
  ASSERT_TRUE(eventually([&] { return a.elector->status().since_renewal == 0s; })) << "in time for another try";
  EXPECT_EQ(a.lost, 0);
}

TEST_F(LeaderElectorTest, StepsDownAtOnceWhenAnotherHoldsTheLease) {
  Candidate a(api, clock, random, "a");
  ASSERT_TRUE(lead(a));
  put_lease("intruder", "1");
  clock.advance(2s);
  ASSERT_TRUE(eventually([&] { return a.lost == 1; }));
  EXPECT_THAT(a.reason, HasSubstr("intruder"));
  EXPECT_FALSE(a.fence.valid());
  EXPECT_TRUE(a.elector->release({})) << "and leaves the other's lease alone";
  EXPECT_EQ(holder(), "intruder");
}

TEST_F(LeaderElectorTest, ADeletedLeaseIsMadeAgain) {
  Candidate a(api, clock, random, "a");
  ASSERT_TRUE(lead(a));
  api.remove(kLeases, "ops", "main");
  clock.advance(2s);
  ASSERT_TRUE(eventually([&] { return api.get(kLeases, "ops", "main").has_value(); }));
  EXPECT_EQ(holder(), "a");
  EXPECT_EQ(a.lost, 0);
}

TEST_F(LeaderElectorTest, ReleaseRetriesOnConflictAndAfterLostConnections) {
  struct Case {
    const char* what;
    kube::ErrorKind kind;
    bool after_effect;
  };
  const Case cases[] = {{"conflict", kube::ErrorKind::kConflict, false},
                        {"no connection", kube::ErrorKind::kUnavailable, false},
                        {"lost answer", kube::ErrorKind::kUnavailable, true}};
  for (const Case& c : cases) {
    api.remove(kLeases, "ops", "main");
    Candidate a(api, clock, random, "a");
    ASSERT_TRUE(lead(a));
    kube::Error error;
    error.kind = c.kind;
    error.message = c.what;
    api.fail(1, [](const auto& call) { return call.verb == "update"; }, error, c.after_effect);
    std::atomic<bool> released{false};
    std::jthread releasing([&] { released = a.elector->release({}).has_value(); });
    EXPECT_TRUE(pass_until(60s, [&] { return released.load(); })) << c.what;
    EXPECT_EQ(holder(), "") << c.what;
  }
}

TEST_F(LeaderElectorTest, ReleaseGivesUpAtItsDeadlineAndOfAStandbyWritesNothing) {
  Candidate a(api, clock, random, "a");
  ASSERT_TRUE(lead(a));
  Candidate b(api, clock, random, "b");
  b.elector->start();
  ASSERT_TRUE(eventually([&] { return b.elector->status().holder == "a"; }));
  const std::string before = api.resource_version();
  EXPECT_TRUE(b.elector->release({}));
  EXPECT_EQ(api.resource_version(), before);

  kube::Error down;
  down.kind = kube::ErrorKind::kUnavailable;
  down.message = "no route to host";
  api.fail(-1, [](const auto&) { return true; }, down);
  std::optional<base::Result<void>> result;
  std::atomic<bool> ended{false};
  std::jthread releasing([&] {
    result = a.elector->release({{}, clock.now() + 3s});
    ended = true;
  });
  ASSERT_TRUE(pass_until(60s, [&] { return ended.load(); }));
  EXPECT_THAT(result->error().message, HasSubstr("no route to host"));
}

TEST_F(LeaderElectorTest, StatusAndLivenessFollowTheRenewals) {
  StuckApi stuck(api);
  Candidate a(stuck, clock, random, "a");
  EXPECT_EQ(to_string(a.elector->status().state), "Standby");
  EXPECT_TRUE(a.elector->healthy());
  clock.advance(100s);
  EXPECT_TRUE(a.elector->healthy()) << "a standby need not renew";

  // A watchdog that could not act, as in a process that was frozen: the fence is held for longer than it should be.
  ASSERT_TRUE(lead(a));
  ASSERT_TRUE(a.fence.hold_until(base::kNever));
  stuck.open = false;
  clock.advance(2s);
  ASSERT_TRUE(eventually([&] { return stuck.waiting == 1; }));
  clock.advance(33s);
  EXPECT_EQ(a.elector->status().since_renewal, 35s);
  EXPECT_TRUE(a.elector->healthy());
  clock.advance(1s);
  EXPECT_FALSE(a.elector->healthy()) << "the lease and 20 s";
  stuck.open = true;
}

// A network that loses, delays and doubts: each call may fail before or after its effect, or hang until its time-out and
// then still arrive.
class UnreliableApi final : public kube::Api {
 public:
  UnreliableApi(kube::Api& to, base::Clock& clock, std::uint32_t seed) : to_(to), clock_(clock), random_(seed) {}
  kube::Result<kube::ApiResponse> call(const kube::ApiRequest& request, const base::Cancellation& cancel) override {
    const unsigned fate = calm ? 100 : draw() % 100;
    kube::Error error;
    error.kind = kube::ErrorKind::kUnavailable;
    error.message = "connection reset";
    if (fate < 15) {
      return base::unexpected(error);
    }
    if (fate < 30) {
      (void)to_.call(request, {});
      return base::unexpected(error);
    }
    if (fate < 45) {
      const base::Duration pause = std::chrono::milliseconds(draw() % 12000);
      clock_.sleep_for(std::min(pause, cancel.deadline - clock_.now()), cancel.stop);
      if (draw() % 2 == 0) {
        (void)to_.call(request, {});
      }
      error.kind = kube::ErrorKind::kTimeout;
      return base::unexpected(error);
    }
    return to_.call(request, cancel);
  }
  kube::Result<objects::ListMeta> list(const kube::Resource&, const kube::ListOptions&, objects::ItemSink&,
                                       const base::Cancellation&) override {
    return objects::ListMeta{};
  }
  kube::Result<std::unique_ptr<kube::WatchStream>> watch(const kube::Resource&, const kube::WatchOptions&,
                                                         const base::Cancellation&) override {
    return base::unexpected(kube::Error{});
  }
  std::atomic<bool> calm{false};

 private:
  unsigned draw() {
    const std::lock_guard lock(mutex_);
    return static_cast<unsigned>(random_());
  }
  kube::Api& to_;
  base::Clock& clock_;
  std::mutex mutex_;
  std::mt19937 random_;
};

TEST_F(LeaderElectorTest, NeverHasTwoValidFencesWhateverTheNetworkDoes) {
  constexpr std::size_t kProcesses = 3;
  int reigns = 0;
  int losses = 0;
  for (std::uint32_t seed = 1; seed <= 8; ++seed) {
    std::mt19937 draw(seed);
    UnreliableApi network(api, clock, seed);
    std::vector<std::unique_ptr<Candidate>> processes(kProcesses);
    int started = 0;
    const auto start = [&](std::unique_ptr<Candidate>& process) {
      process.reset();
      process = std::make_unique<Candidate>(network, clock, random,
                                            std::to_string(seed) + "-" + std::to_string(++started));
      process->elector->start();
    };
    for (auto& process : processes) {
      start(process);
    }
    std::vector<bool> led(kProcesses, false);
    for (int step = 0; step < 250; ++step) {
      clock.advance(std::chrono::milliseconds(draw() % 800));
      clock_tick();
      int valid = 0;
      for (const auto& process : processes) {
        valid += process->fence.valid() ? 1 : 0;
      }
      ASSERT_LE(valid, 1) << "seed " << seed << " step " << step;
      for (std::size_t i = 0; i < kProcesses; ++i) {
        const bool leads = processes[i]->leads();
        reigns += leads && !led[i] ? 1 : 0;
        led[i] = leads;
        if (processes[i]->lost > 0) {
          ++losses;
          start(processes[i]);
        } else if (leads && draw() % 60 == 0) {
          (void)processes[i]->elector->release({{}, clock.now()});  // killed, mostly: no time to release
          start(processes[i]);
        }
      }
    }
    network.calm = true;
    ASSERT_TRUE(pass_until(600s, [&] {
      int leaders = 0;
      for (const auto& process : processes) {
        leaders += process->leads() && process->fence.valid() ? 1 : 0;
      }
      return leaders == 1;
    })) << "someone leads when the network is well, seed " << seed;
    processes.clear();
    api.remove(kLeases, "ops", "main");
  }
  EXPECT_GT(reigns, 8);
  EXPECT_GT(losses, 0);
}

}  // namespace
}  // namespace shutdown_auditor::runtime
