#include <thread>

#include "kube/wire_fixture.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::kube {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;
using testing::ElementsAre;
using testing::HasSubstr;

using WatchFault = WireTest;

TEST_F(WatchFault, EventsSurviveASplitAtEveryByte) {
  const std::string text = event("ADDED", "a") + "\n" + event("MODIFIED", "\xC3\xBC") + event("DELETED", "c");
  std::size_t at = 0;
  serve([&](const SeenRequest&) { return watch_of({text.substr(0, at), text.substr(at)}); });
  for (at = 1; at < text.size(); ++at) {
    EXPECT_THAT(drain(*watch()), ElementsAre("a", "\xC3\xBC", "c", "end")) << at;
  }
  server_->on([&](const SeenRequest&) { return watch_of(pieces_of(text, 1)); });
  EXPECT_THAT(drain(*watch()), ElementsAre("a", "\xC3\xBC", "c", "end"));
  server_->on([&](const SeenRequest&) { return watch_of({text}); });
  EXPECT_THAT(drain(*watch()), ElementsAre("a", "\xC3\xBC", "c", "end"));
}

TEST_F(WatchFault, ALastLineWithoutItsEndIsNotAnEvent) {
  const std::string cut = event("ADDED", "b").substr(0, 20);
  serve([&](const SeenRequest&) { return watch_of({event("ADDED", "a"), cut}); });
  EXPECT_THAT(drain(*watch()), ElementsAre("a", "Protocol"));
  // Not even when only the newline is missing.
  std::string whole = event("ADDED", "b");
  whole.pop_back();
  server_->on([&](const SeenRequest&) { return watch_of({event("ADDED", "a"), whole}); });
  EXPECT_THAT(drain(*watch()), ElementsAre("a", "Protocol"));
}

TEST_F(WatchFault, BrokenStreamsGiveTheCompleteEventsAndAnError) {
  const std::string begin = chunked_head() + chunk(event("ADDED", "a"));
  const std::pair<const char*, Script> rows[] = {
      {"FIN between chunks", {send_bytes(begin), close_connection()}},
      {"FIN inside a chunk", {send_bytes(begin + "40\r\n{\"type\":"), close_connection()}},
      {"garbage for a chunk", {send_bytes(begin + "zz\r\n"), close_connection()}},
  };
  for (const auto& [name, script] : rows) {
    const Script& scripted = script;
    serve([&](const SeenRequest&) { return scripted; });
    const auto stream = watch();
    const auto seen = drain(*stream);
    ASSERT_EQ(seen.size(), 2U) << name;
    EXPECT_EQ(seen[0], "a") << name;
    EXPECT_THAT(seen[1], testing::AnyOf("Unavailable", "Protocol")) << name;
    EXPECT_FALSE(stream->next({})) << name;  // it stays ended
  }
}

TEST_F(WatchFault, AResetAfterAnEventIsUnavailable) {
  Gate read;
  serve([&](const SeenRequest&) {
    return Script{send_bytes(chunked_head() + chunk(event("ADDED", "a"))), wait_for(read), reset_connection()};
  });
  const auto stream = watch();
  EXPECT_TRUE(stream->next({})->has_value());
  read.open();
  EXPECT_THAT(drain(*stream), ElementsAre("Unavailable"));
}

TEST_F(WatchFault, SilenceIsATimeoutAndTheStreamStaysUsable) {
  Gate more;
  serve([&](const SeenRequest&) {
    return Script{send_bytes(chunked_head() + chunk(event("ADDED", "a"))), wait_for(more),
                  send_bytes(chunk(event("ADDED", "b")) + last_chunk())};
  });
  const auto stream = watch();
  EXPECT_TRUE(stream->next({})->has_value());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(stream->next({.deadline = base::system_clock().now() + 20ms}).error().kind, ErrorKind::kTimeout);
  }
  more.open();
  EXPECT_THAT(drain(*stream), ElementsAre("b", "end"));
}

TEST_F(WatchFault, ADripOfBytesIsPutTogether) {
  serve([&](const SeenRequest&) {
    return Script{send_bytes(chunked_head()), drip(chunk(event("ADDED", "a")) + last_chunk(), 7, 1ms)};
  });
  EXPECT_THAT(drain(*watch()), ElementsAre("a", "end"));
}

TEST_F(WatchFault, ALineOverSixteenMegabytesEndsTheStream) {
  serve([&](const SeenRequest&) {
    return watch_of({event("ADDED", "a"), std::string((std::size_t{16} << 20U) + 1, 'x') + "\n", event("ADDED", "b")});
  });
  const auto stream = watch();
  EXPECT_THAT(drain(*stream), ElementsAre("a", "Protocol"));
  EXPECT_EQ(stream->next({}).error().kind, ErrorKind::kProtocol);
}

TEST_F(WatchFault, ALineOfFifteenMegabytesIsFine) {
  const std::string big(std::size_t{15} << 20U, 'x');
  serve([&](const SeenRequest&) { return watch_of({event("ADDED", big)}); });
  EXPECT_THAT(drain(*watch()), ElementsAre(big, "end"));
}

TEST_F(WatchFault, ExpiredComesAsAnEventOrAsAStatus) {
  const std::string gone = R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}})";
  serve([&](const SeenRequest&) { return watch_of({gone + "\n"}); });
  EXPECT_EQ(**watch()->next({}), gone);
  server_->on([](const SeenRequest&) { return respond(410, R"({"kind":"Status","code":410,"reason":"Expired"})"); });
  const auto refused = connection_->api().watch(resources::kServices, {.resource_version = "1"}, {});
  EXPECT_EQ(refused.error().kind, ErrorKind::kExpired);
}

TEST_F(WatchFault, BookmarksPassThrough) {
  serve([](const SeenRequest&) { return watch_of({event("BOOKMARK", "")}); });
  EXPECT_THAT(**watch()->next({}), HasSubstr("BOOKMARK"));
}

TEST_F(WatchFault, AnotherContentTypeIsRefused) {
  serve([](const SeenRequest&) {
    return respond_chunked({event("ADDED", "a")}, {{"Content-Type", "application/vnd.kubernetes.protobuf"}});
  });
  const auto refused = connection_->api().watch(resources::kServices, {.resource_version = "1"}, {});
  EXPECT_EQ(refused.error().kind, ErrorKind::kProtocol);
}

TEST_F(WatchFault, HeadersThatNeverComeEndAtTheDeadline) {
  serve([](const SeenRequest&) { return Script{stall()}; });
  const auto refused = connection_->api().watch(resources::kServices, {.resource_version = "1"},
                                                {.deadline = base::system_clock().now() + 50ms});
  EXPECT_EQ(refused.error().kind, ErrorKind::kTimeout);
}

TEST_F(WatchFault, StopEndsABlockedWatch) {
  serve([](const SeenRequest&) { return Script{send_bytes(chunked_head()), stall()}; });
  const auto stream = watch();
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(stream->next({.stop = stop.get_token()}).error().kind, ErrorKind::kCancelled);
}

TEST_F(WatchFault, ARotatedTokenDoesNotBreakARunningWatch) {
  Gate rotated;
  server_ = std::make_unique<FaultServer>([&](const SeenRequest& seen) {
    return seen.path() == "/api/v1/services"
               ? Script{send_bytes(chunked_head() + chunk(event("ADDED", "a"))), wait_for(rotated),
                        send_bytes(chunk(event("ADDED", "b")) + last_chunk())}
               : respond(200, "{}");
  });
  connect(kubeconfig({{"tokenFile", dir_.write("token", "one")}},
                     {{"server", "http://127.0.0.1:" + std::to_string(server_->port())}}));
  const auto stream = watch();
  EXPECT_TRUE(stream->next({})->has_value());
  dir_.write("token", "two");
  clock_.advance(60s);
  EXPECT_TRUE(get());
  rotated.open();
  EXPECT_THAT(drain(*stream), ElementsAre("b", "end"));
  EXPECT_EQ(server_->requests()[0].header("Authorization"), "Bearer one");
  EXPECT_EQ(server_->requests()[1].header("Authorization"), "Bearer two");
}

}  // namespace
}  // namespace shutdown_auditor::kube
