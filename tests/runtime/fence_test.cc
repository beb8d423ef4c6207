#include "runtime/fence.h"

#include <gtest/gtest.h>

#include <thread>

#include "kube_support/fake_api.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::runtime {
namespace {

using namespace std::chrono_literals;
using testing_support::eventually;
using testing_support::FakeApi;
using testing_support::ManualClock;

kube::ApiRequest request(http::Method method, std::string name) {
  kube::ApiRequest to;
  to.method = method;
  to.path = kube::path_of(kube::resources::kServices, "shop", method == http::Method::kPost ? "" : name);
  to.body = R"({"metadata":{"name":")" + name + R"("}})";
  to.content_type = method == http::Method::kPatch ? "application/merge-patch+json" : "application/json";
  return to;
}

TEST(Fence, IsValidOnlyWhileItIsHeld) {
  ManualClock clock;
  Fence fence(clock);
  EXPECT_FALSE(fence.valid()) << "closed at first";
  EXPECT_FALSE(fence.hold_until(clock.now())) << "a hold must end in the future";
  EXPECT_TRUE(fence.hold_until(clock.now() + 10s));
  EXPECT_TRUE(fence.valid());
  clock.advance(9s);
  EXPECT_TRUE(fence.hold_until(clock.now() + 10s)) << "prolonged";
  EXPECT_TRUE(fence.hold_until(clock.now() + 5s)) << "never shortened";
  clock.advance(10s - 1ns);
  EXPECT_TRUE(fence.valid());
  EXPECT_FALSE(fence.break_if_expired());
  clock.advance(1ns);
  EXPECT_FALSE(fence.valid()) << "time alone ends it";
  EXPECT_FALSE(fence.broken().stop_requested());
  EXPECT_FALSE(fence.hold_until(clock.now() + 10s)) << "and nothing opens it again";
  EXPECT_TRUE(fence.break_if_expired());
  EXPECT_FALSE(fence.break_if_expired()) << "reported once";
  EXPECT_TRUE(fence.broken().stop_requested());
}

TEST(Fence, HeldForEverWithoutLeaderElection) {
  ManualClock clock;
  Fence fence(clock);
  EXPECT_TRUE(fence.hold_until(base::kNever));
  clock.advance(24h * 3650);
  EXPECT_TRUE(fence.valid());
  EXPECT_FALSE(fence.break_if_expired());
}

TEST(FencedApi, RefusesEveryWriteWithoutSendingItWhenTheFenceIsNotValid) {
  ManualClock clock;
  FakeApi server(clock);
  Fence fence(clock);
  FencedApi api(server, fence);
  for (const http::Method method :
       {http::Method::kPost, http::Method::kPut, http::Method::kPatch, http::Method::kDelete}) {
    const auto result = api.call(request(method, "web"), {});
    ASSERT_FALSE(result) << http::to_string(method);
    EXPECT_EQ(result.error().kind, kube::ErrorKind::kCancelled);
  }
  EXPECT_TRUE(server.calls().empty());
  EXPECT_FALSE(api.call(request(http::Method::kGet, "web"), {}));
  EXPECT_EQ(server.count("get"), 1U) << "reads pass";

  ASSERT_TRUE(fence.hold_until(clock.now() + 10s));
  EXPECT_TRUE(api.call(request(http::Method::kPost, "web"), {}));
  clock.advance(10s);
  EXPECT_FALSE(api.call(request(http::Method::kDelete, "web"), {}));
  EXPECT_EQ(server.count("delete"), 0U);
}

TEST(FencedApi, CancelsAWriteUnderWayWhenTheFenceBreaks) {
  ManualClock clock;
  FakeApi server(clock);
  Fence fence(clock);
  FencedApi api(server, fence);
  ASSERT_TRUE(fence.hold_until(clock.now() + 10s));
  server.hold([](const auto&) { return true; });
  std::optional<kube::ErrorKind> ended;
  std::jthread writer([&] { ended = api.call(request(http::Method::kPost, "web"), {}).error().kind; });
  ASSERT_TRUE(eventually([&] { return server.held() == 1; }));
  fence.break_now();
  writer.join();
  EXPECT_EQ(ended, kube::ErrorKind::kCancelled);
  EXPECT_TRUE(server.all(kube::resources::kServices).empty());
}

}  // namespace
}  // namespace shutdown_auditor::runtime
