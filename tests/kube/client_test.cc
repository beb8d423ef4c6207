#include "kube/client.h"

#include <gmock/gmock.h>

#include <thread>

#include "kube/collecting_sink.h"
#include "kube/jumping_clock.h"
#include "kube/log_capture.h"
#include "kube/recording_observer.h"
#include "kube_support/fake_api.h"
#include "kube_support/fake_transport.h"
#include "support/fixed_random.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::kube {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;
using http::TransportErrorKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

FakeAnswer ok() { return FakeAnswer::json(200, "{}"); }
FakeAnswer answer(int code, const char* retry_after = nullptr) {
  FakeAnswer reply = FakeAnswer::json(code, R"({"kind":"Status","message":"words","reason":"R"})");
  if (retry_after) {
    reply.headers.emplace_back("Retry-After", retry_after);
  }
  return reply;
}

// Gives token-1 until it is invalidated, then token-2, …
class CountingCredentials final : public Credentials {
 public:
  base::Result<std::string> token(const base::Cancellation&) override { return "token-" + std::to_string(number_); }
  bool invalidate(base::SteadyTime) override {
    ++number_;
    return true;
  }

 private:
  int number_ = 1;
};

class ClientTest : public testing::Test {
 protected:
  void script(std::vector<FakeAnswer> answers) {
    transport_ = std::make_unique<FakeTransport>(*clock_, std::move(answers));
    client_ = std::make_unique<Client>(*transport_, *credentials_, options_, *clock_, random_, observer_);
  }
  Result<ApiResponse> call(const ApiRequest& request) { return client_->call(request, {}); }
  std::size_t requests() const { return transport_->requests().size(); }
  std::string header(std::size_t request, const char* name) const {
    const http::Request sent = transport_->requests().at(request);
    const std::string* value = sent.headers.find(name);
    return value ? *value : "";
  }

  JumpingClock jumping_;
  ManualClock manual_;
  base::Clock* clock_ = &jumping_;  // &manual_ where a test must look in between
  FixedRandom random_{0.5};
  RecordingObserver observer_;
  ClientOptions options_{.user_agent = "tester/1"};
  std::unique_ptr<Credentials> credentials_ = std::make_unique<StaticToken>("tok");
  std::unique_ptr<FakeTransport> transport_;
  std::unique_ptr<Client> client_;

  const ApiRequest get_{.path = "/api/v1/namespaces/shop", .idempotent = true};
  const ApiRequest post_{.method = http::Method::kPost,
                         .path = "/api/v1/namespaces",
                         .content_type = "application/json",
                         .body = "{}"};
};

TEST_F(ClientTest, RequestsCarryTheirHeadersAndEncodedQuery) {
  options_.headers.add("Impersonate-User", "jane");
  script({ok()});
  ApiRequest patch{.method = http::Method::kPatch,
                   .path = "/apis/apps/v1/namespaces/shop/deployments/web",
                   .query = {{"fieldManager", "a/b"}, {"force", "true"}},
                   .content_type = "application/apply-patch+yaml",
                   .body = "{\"a\":1}",
                   .idempotent = true};
  const auto response = client_->call(patch, {});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->code, 200);
  EXPECT_EQ(response->body, "{}");
  const http::Request sent = transport_->requests()[0];
  EXPECT_EQ(sent.target, "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=a%2Fb&force=true");
  EXPECT_EQ(sent.body, patch.body);
  EXPECT_EQ(header(0, "Accept"), "application/json");
  EXPECT_EQ(header(0, "Content-Type"), "application/apply-patch+yaml");
  EXPECT_EQ(header(0, "User-Agent"), "tester/1");
  EXPECT_EQ(header(0, "Authorization"), "Bearer tok");
  EXPECT_EQ(header(0, "Impersonate-User"), "jane");
  EXPECT_EQ(sent.headers.find("Accept-Encoding"), nullptr);
}

TEST_F(ClientTest, UserAgentNamesProgramPlatformAndComponent) {
  EXPECT_THAT(user_agent("shutdown-auditor", "0.1.0", "controller"),
              testing::MatchesRegex(R"(shutdown-auditor/0\.1\.0 \(linux/[a-z0-9]+\) controller)"));
}

TEST_F(ClientTest, AnExplicitAuthorizationHeaderBeatsTheCredentials) {
  options_.headers.add("Authorization", "Basic xyz");
  credentials_ = std::make_unique<CountingCredentials>();
  script({answer(401)});
  EXPECT_EQ(client_->call(get_, {}).error().kind, ErrorKind::kUnauthorized);
  EXPECT_EQ(header(0, "Authorization"), "Basic xyz");
  EXPECT_EQ(requests(), 1U);
}

TEST_F(ClientTest, NoTokenNoHeader) {
  credentials_ = std::make_unique<StaticToken>();
  script({ok()});
  ASSERT_TRUE(client_->call(get_, {}));
  EXPECT_EQ(transport_->requests()[0].headers.find("Authorization"), nullptr);
}

TEST_F(ClientTest, A401RenewsTheCredentialsOnce) {
  credentials_ = std::make_unique<CountingCredentials>();
  script({answer(401), ok()});
  EXPECT_TRUE(client_->call(get_, {}));
  EXPECT_EQ(header(1, "Authorization"), "Bearer token-2");
  script({answer(401)});
  EXPECT_EQ(client_->call(post_, {}).error().kind, ErrorKind::kUnauthorized);
  EXPECT_EQ(requests(), 2U);
  CollectingSink sink;
  script({answer(401)});
  EXPECT_EQ(client_->list(resources::kServices, {}, sink, {}).error().kind, ErrorKind::kUnauthorized);
  EXPECT_EQ(requests(), 2U);
}

TEST_F(ClientTest, WhatIsRetried) {
  const auto lost = FakeAnswer::fails(TransportErrorKind::kReset, "reset", true);
  const auto unsent = FakeAnswer::fails(TransportErrorKind::kReset, "reset", false);
  const auto refused = FakeAnswer::fails(TransportErrorKind::kConnect, "refused");
  struct Row {
    const char* name;
    FakeAnswer first;
    bool get_again;   // idempotent
    bool post_again;  // not idempotent
  };
  const Row rows[] = {
      {"429", answer(429), true, false},
      {"429 with Retry-After", answer(429, "1"), true, true},
      {"500", answer(500), false, false},
      {"500 with Retry-After", answer(500, "1"), true, false},
      {"502", answer(502), false, false},
      {"503", answer(503), true, false},
      {"504", answer(504), true, false},
      {"404", answer(404), false, false},
      {"409 with Retry-After", answer(409, "1"), false, false},
      {"422", answer(422), false, false},
      {"lost", lost, true, false},
      {"lost before it was sent", unsent, true, true},
      {"refused", refused, false, false},
      {"TLS", FakeAnswer::fails(TransportErrorKind::kTls, "bad certificate"), false, false},
      {"timeout", FakeAnswer::fails(TransportErrorKind::kTimeout, "silent", true), false, false},
      {"redirect", answer(302), false, false},
  };
  for (const Row& row : rows) {
    script({row.first, ok()});
    EXPECT_EQ(call(get_).has_value(), row.get_again) << row.name;
    EXPECT_EQ(requests(), row.get_again ? 2U : 1U) << row.name;
    script({row.first, ok()});
    EXPECT_EQ(call(post_).has_value(), row.post_again) << row.name;
    EXPECT_EQ(requests(), row.post_again ? 2U : 1U) << row.name;
  }
}

TEST_F(ClientTest, AttemptsAreBoundedAndCounted) {
  options_.qps = -1;
  script({answer(503, "0")});
  EXPECT_EQ(call(get_).error().code, 503);
  EXPECT_EQ(requests(), 10U);
  const auto seen = observer_.seen();
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "GET 503"), 10);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "retry GET 503"), 9);
}

TEST_F(ClientTest, RetryAfterIsWaitedFor) {
  script({answer(429, "7"), ok()});
  const base::SteadyTime began = clock_->now();
  EXPECT_TRUE(call(get_));
  EXPECT_EQ(clock_->now() - began, 7s);
  FakeAnswer dated = answer(503);
  dated.headers.emplace_back("Retry-After", "Thu, 01 Jan 1970 00:00:00 GMT");
  script({dated, ok()});
  EXPECT_TRUE(call(get_));
}

TEST_F(ClientTest, WithoutRetryAfterTheDelayGrowsWithFullJitter) {
  options_.qps = -1;
  const auto elapsed = [&](double uniform) {
    random_.set(uniform);
    script({answer(503), answer(503), answer(503), ok()});
    const base::SteadyTime began = clock_->now();
    EXPECT_TRUE(call(get_));
    return clock_->now() - began;
  };
  // 200, 400 and 800 ms less their random part.
  EXPECT_EQ(elapsed(0.0), 3ms);  // never less than 1 ms each
  EXPECT_EQ(elapsed(0.5), 700ms);
}

TEST_F(ClientTest, AWaitBeyondTheDeadlineIsNotBegun) {
  script({answer(429, "31"), ok()});
  const base::SteadyTime began = clock_->now();
  const auto late = client_->call(get_, {});  // 30 s in total
  EXPECT_EQ(late.error().kind, ErrorKind::kTooManyRequests);
  EXPECT_EQ(late.error().retry_after, 31s);
  EXPECT_EQ(clock_->now(), began);
  EXPECT_EQ(requests(), 1U);
}

TEST_F(ClientTest, AThrottledCallIsHandedBackToACallerWhoDoesNotWait) {
  script({answer(429, "7"), ok(), answer(503, "1"), ok()});
  ApiRequest impatient = get_;
  impatient.wait_when_throttled = false;
  const base::SteadyTime began = clock_->now();
  const auto throttled = client_->call(impatient, {});
  EXPECT_EQ(throttled.error().kind, ErrorKind::kTooManyRequests);
  EXPECT_EQ(throttled.error().retry_after, 7s);
  EXPECT_EQ(clock_->now(), began);
  EXPECT_TRUE(client_->call(impatient, {}));
  EXPECT_TRUE(client_->call(impatient, {})) << "anything else is tried again as ever";
}

TEST_F(ClientTest, ACallWithoutDeadlineEndsAfterThirtySeconds) {
  script({FakeAnswer{.stall = true}});
  const base::SteadyTime began = clock_->now();
  EXPECT_EQ(call(get_).error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(clock_->now() - began, 30s);
}

TEST_F(ClientTest, StopEndsARetryWait) {
  clock_ = &manual_;
  script({answer(429, "20")});
  std::stop_source stop;
  std::jthread caller([&] {
    EXPECT_EQ(client_->call(get_, {.stop = stop.get_token()}).error().kind, ErrorKind::kCancelled);
  });
  ASSERT_TRUE(manual_.await_waiters(1));
  stop.request_stop();
  caller.join();
  EXPECT_EQ(requests(), 1U);
}

TEST_F(ClientTest, TheRateLimitHoldsForCallsAndListsButNotForWatches) {
  options_.qps = 1;
  options_.burst = 1;
  script({ok()});
  const base::SteadyTime now = clock_->now();
  EXPECT_TRUE(client_->call(get_, {.deadline = now + 100ms}));
  EXPECT_EQ(client_->call(get_, {.deadline = now + 100ms}).error().kind, ErrorKind::kTimeout);
  CollectingSink sink;
  EXPECT_EQ(client_->list(resources::kServices, {}, sink, {.deadline = now + 100ms}).error().kind, ErrorKind::kTimeout);
  EXPECT_TRUE(client_->watch(resources::kServices, {}, {.deadline = now + 100ms}));
  EXPECT_EQ(observer_.turns(), 1);
}

TEST_F(ClientTest, LongWaitsForTheRateLimitAreLogged) {
  options_.qps = 0.5;
  options_.burst = 1;
  script({ok()});
  LogCapture::clear();
  EXPECT_TRUE(call(get_));
  EXPECT_TRUE(call(get_));
  EXPECT_EQ(LogCapture::count("request waited for the client-side rate limit"), 1);
}

TEST_F(ClientTest, WarningsAreLoggedOncePerText) {
  FakeAnswer warned = ok();
  warned.headers.emplace_back("Warning", R"(299 - "old \"thing\"", 299 - "second")");
  script({warned});
  LogCapture::clear();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(client_->call(get_, {}));
  }
  EXPECT_EQ(LogCapture::count("warning=old \"thing\""), 1);
  EXPECT_EQ(LogCapture::count("warning=second"), 1);
}

TEST_F(ClientTest, HostileWarningsAreHarmless) {
  FakeAnswer warned = ok();
  for (const char* value : {"", "\"", "299 - \"open", "299 - \"\\", "\"\"\"\""}) {
    warned.headers.emplace_back("Warning", value);
  }
  script({warned});
  EXPECT_TRUE(client_->call(get_, {}));
}

TEST_F(ClientTest, AnAnswerThatIsNotJsonIsAProtocolError) {
  FakeAnswer html = ok();
  html.headers = {{"Content-Type", "text/html"}};
  html.chunks = {"<html>login</html>"};
  CollectingSink sink;
  script({html});
  for (const Error& error : {client_->call(get_, {}).error(), client_->list(resources::kServices, {}, sink, {}).error(),
                             client_->watch(resources::kServices, {}, {}).error()}) {
    EXPECT_EQ(error.kind, ErrorKind::kProtocol);
    EXPECT_THAT(error.message, HasSubstr("the answer is \"text/html\", not application/json"));
  }
  html.headers = {{"content-type", "application/json; charset=utf-8"}};
  script({html});
  EXPECT_TRUE(client_->call(get_, {}));
}

TEST_F(ClientTest, RedirectsAreErrors) {
  FakeAnswer moved = answer(302);
  moved.headers.emplace_back("Location", "https://evil.example.com/");
  script({moved});
  const Error error = client_->call(get_, {}).error();
  EXPECT_EQ(error.kind, ErrorKind::kProtocol);
  EXPECT_THAT(error.message, HasSubstr("redirects are not followed"));
}

TEST_F(ClientTest, AFailingCredentialIsUnauthorizedAndNamesItsSource) {
  class Broken final : public Credentials {
    base::Result<std::string> token(const base::Cancellation&) override {
      return base::fail(base::ErrorKind::kIo, "exec plugin \"aws\" failed with exit status 1");
    }
    bool invalidate(base::SteadyTime) override { return false; }
  };
  credentials_ = std::make_unique<Broken>();
  script({ok()});
  const Error error = client_->call(get_, {}).error();
  EXPECT_EQ(error.kind, ErrorKind::kUnauthorized);
  EXPECT_THAT(error.message, HasSubstr("exec plugin \"aws\" failed"));
  EXPECT_EQ(requests(), 0U);
}

TEST_F(ClientTest, ListsStreamTheirItemsAndReturnTheirMeta) {
  script({{.chunks = {R"({"kind":"ServiceList","apiVersion":"v1","metadata":{"resourceVersion":"12",)",
                      R"("continue":"next"},"items":[{"metadata":{"na)", R"(me":"a"}},{"metadata":{"name":"b"}}]})"}}});
  CollectingSink sink;
  const auto meta = client_->list(resources::kServices,
                                  {.name_space = "shop", .label_selector = "env in (a,b)", .resource_version = "0"},
                                  sink, {});
  ASSERT_TRUE(meta) << meta.error().message;
  EXPECT_EQ(meta->resource_version, "12");
  EXPECT_EQ(meta->continue_token, "next");
  EXPECT_THAT(sink.names, ElementsAre("a", "b"));
  EXPECT_EQ(transport_->requests()[0].target,
            "/api/v1/namespaces/shop/services?labelSelector=env%20in%20%28a%2Cb%29&resourceVersion=0");
  EXPECT_GT(observer_.bytes(), 100U);
  EXPECT_THAT(observer_.seen(), ElementsAre("LIST 200"));
}

TEST_F(ClientTest, TheNextPageIsAskedForByItsTokenAlone) {
  script({{.chunks = {R"({"kind":"ServiceList","metadata":{},"items":[]})"}}});
  CollectingSink sink;
  ASSERT_TRUE(client_->list(resources::kServices,
                            {.field_selector = "metadata.name!=x", .resource_version = "", .continue_token = "t/1",
                             .limit = 500},
                            sink, {}));
  ASSERT_TRUE(client_->list(resources::kServices, {.resource_version = "", .limit = 500}, sink, {}));
  EXPECT_EQ(transport_->requests()[0].target,
            "/api/v1/services?fieldSelector=metadata.name%21%3Dx&limit=500&continue=t%2F1");
  EXPECT_EQ(transport_->requests()[1].target, "/api/v1/services?resourceVersion=&limit=500");
}

TEST_F(ClientTest, ListsThatFailHalfwayAreErrors) {
  const std::string begin = R"({"kind":"ServiceList","items":[{"metadata":{"name":"a"}},)";
  struct Row {
    const char* name;
    FakeAnswer reply;
    ErrorKind kind;
  };
  const Row rows[] = {
      {"reset", {.chunks = {begin}, .failure = http::TransportError{TransportErrorKind::kReset, "reset", true}},
       ErrorKind::kUnavailable},
      {"cut", {.chunks = {begin}}, ErrorKind::kProtocol},
      {"garbage", {.chunks = {begin + "}{"}}, ErrorKind::kProtocol},
      {"no list", {.chunks = {R"({"kind":"Status"})"}}, ErrorKind::kProtocol},
      {"410", answer(410), ErrorKind::kExpired},
      {"refused", FakeAnswer::fails(TransportErrorKind::kConnect, "refused"), ErrorKind::kUnavailable},
  };
  for (const Row& row : rows) {
    script({row.reply});
    CollectingSink sink;
    EXPECT_EQ(client_->list(resources::kServices, {}, sink, {}).error().kind, row.kind) << row.name;
    EXPECT_EQ(requests(), 1U) << row.name;
  }
  script({{.chunks = {begin + R"({"metadata":{"name":"b"}}]})"}}});
  CollectingSink sink;
  sink.refuse_item = 1;
  EXPECT_THAT(client_->list(resources::kServices, {}, sink, {}).error().message, HasSubstr("item refused"));
}

TEST_F(ClientTest, AListMayBeSilentForSixtySeconds) {
  clock_ = &manual_;
  script({{.chunks = {"{"}, .stall = true}});
  CollectingSink sink;
  std::optional<Error> error;
  const base::SteadyTime began = clock_->now();
  std::jthread caller([&] { error = client_->list(resources::kServices, {}, sink, {}).error(); });
  ASSERT_TRUE(manual_.await_waiters(1));
  manual_.advance(59s);
  ASSERT_TRUE(manual_.await_waiters(1));
  EXPECT_FALSE(error);
  manual_.advance(1s);
  caller.join();
  EXPECT_EQ(error->kind, ErrorKind::kTimeout);
  EXPECT_EQ(clock_->now() - began, 60s);
}

TEST_F(ClientTest, WatchesAskForBookmarksAndGiveLines) {
  script({{.chunks = {"{\"type\":\"ADDED\"}\n{\"ty", "pe\":\"BOOKMARK\"}\n\n"}}});
  auto stream = client_->watch(resources::kServices,
                               {.name_space = "shop", .label_selector = "a=b", .resource_version = "7",
                                .timeout_seconds = 270},
                               {});
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_EQ(transport_->requests()[0].target,
            "/api/v1/namespaces/shop/services?watch=true&allowWatchBookmarks=true&resourceVersion=7&"
            "timeoutSeconds=270&labelSelector=a%3Db");
  EXPECT_EQ(**(*stream)->next({}), R"({"type":"ADDED"})");
  EXPECT_EQ(**(*stream)->next({}), R"({"type":"BOOKMARK"})");
  EXPECT_FALSE((*stream)->next({})->has_value());
  EXPECT_FALSE((*stream)->next({})->has_value());
}

TEST_F(ClientTest, AWatchThatCannotStartIsATypedError) {
  const std::pair<FakeAnswer, ErrorKind> rows[] = {
      {answer(410), ErrorKind::kExpired},
      {answer(403), ErrorKind::kForbidden},
      {answer(429, "5"), ErrorKind::kTooManyRequests},
      {answer(500), ErrorKind::kUnavailable},
      {FakeAnswer::fails(TransportErrorKind::kConnect, "refused"), ErrorKind::kUnavailable}};
  for (const auto& [reply, kind] : rows) {
    script({reply});
    EXPECT_EQ(client_->watch(resources::kServices, {}, {}).error().kind, kind);
    EXPECT_EQ(requests(), 1U);
  }
}

TEST_F(ClientTest, SecretsNeverReachTheLogOrTheErrors) {
  LogCapture::clear();
  credentials_ = std::make_unique<StaticToken>("hunter2");
  std::string messages;
  for (const FakeAnswer& reply : {answer(401), answer(429, "40"), answer(500), answer(302),
                                  FakeAnswer::fails(TransportErrorKind::kConnect, "refused")}) {
    script({reply});
    messages += client_->call(get_, {}).error().message;
    CollectingSink sink;
    messages += client_->list(resources::kServices, {}, sink, {}).error().message;
    messages += client_->watch(resources::kServices, {}, {}).error().message;
  }
  EXPECT_THAT(messages, Not(HasSubstr("hunter2")));
  EXPECT_THAT(LogCapture::text(), Not(HasSubstr("hunter2")));
}

TEST(Discovery, ServedMeansListedInTheGroupVersion) {
  FakeApi api;
  EXPECT_TRUE(*serves(api, resources::kDeployments, {}));
  EXPECT_TRUE(*serves(api, resources::kServices, {}));
  api.set_served(resources::kRollouts, false);  // the only one of its group: 404
  EXPECT_FALSE(*serves(api, resources::kRollouts, {}));
  api.set_served(resources::kDaemonSets, false);  // others of the group remain
  EXPECT_FALSE(*serves(api, resources::kDaemonSets, {}));
  api.fail(1, [](const SeenCall& seen) { return seen.path == "/apis/apps/v1"; },
           {.kind = ErrorKind::kForbidden, .message = "no"});
  EXPECT_EQ(serves(api, resources::kDeployments, {}).error().kind, ErrorKind::kForbidden);
}

TEST_F(ClientTest, DiscoveryOfSomethingElseIsAProtocolError) {
  for (const char* body : {"{}", "[]", "x", R"({"resources":7})"}) {
    script({FakeAnswer::json(200, body)});
    EXPECT_EQ(serves(*client_, resources::kDeployments, {}).error().kind, ErrorKind::kProtocol) << body;
  }
}

}  // namespace
}  // namespace shutdown_auditor::kube
