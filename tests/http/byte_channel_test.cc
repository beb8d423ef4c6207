#include "http/byte_channel.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>
#include <vector>

#include "support/manual_clock.h"

namespace shutdown_auditor::http {
namespace {

using testing_support::eventually;

base::Cancellation until_now() { return {{}, base::system_clock().now()}; }

// "text", "<end>" or "<kind>".
std::string read_some(ByteChannel& channel, std::size_t size, const base::Cancellation& cancel = {}) {
  std::string buffer(size, '\0');
  const auto got = channel.read(buffer, cancel);
  if (!got) {
    return "<" + std::string(to_string(got.error().kind)) + ">";
  }
  return *got == 0 ? "<end>" : buffer.substr(0, *got);
}

const std::function<void()> kNoResume = [] { FAIL() << "resumed without having been full"; };

TEST(ByteChannelTest, DeliversInOrderAcrossPieces) {
  ByteChannel channel(100);
  EXPECT_EQ(channel.put("abc", kNoResume), ByteChannel::Put::kTaken);
  EXPECT_EQ(channel.put("", kNoResume), ByteChannel::Put::kTaken);
  EXPECT_EQ(channel.put("def", kNoResume), ByteChannel::Put::kTaken);
  EXPECT_EQ(channel.buffered(), 6U);
  EXPECT_EQ(read_some(channel, 2), "ab");
  EXPECT_EQ(read_some(channel, 3), "cde");
  EXPECT_EQ(read_some(channel, 9), "f");
  channel.finish(std::nullopt);
  EXPECT_EQ(read_some(channel, 9), "<end>");
  EXPECT_EQ(read_some(channel, 9), "<end>");
}

TEST(ByteChannelTest, DeliversWhatCameBeforeAFailureFirst) {
  ByteChannel channel(100);
  channel.put("abc", kNoResume);
  channel.finish(TransportError{TransportErrorKind::kReset, "gone", true});
  channel.finish(std::nullopt);  // too late to count
  EXPECT_EQ(read_some(channel, 9), "abc");
  EXPECT_EQ(read_some(channel, 9), "<Reset>");
  EXPECT_EQ(read_some(channel, 9), "<Reset>");
  EXPECT_EQ(channel.put("more", kNoResume), ByteChannel::Put::kAborted);
}

TEST(ByteChannelTest, TellsAProducerToWaitAndCallsItOnceWhenHalfEmpty) {
  ByteChannel channel(8);
  int resumed = 0;
  const auto resume = [&resumed] { ++resumed; };
  EXPECT_EQ(channel.put("1234567", resume), ByteChannel::Put::kTaken);
  EXPECT_EQ(channel.put("89abcdef", resume), ByteChannel::Put::kFull);
  EXPECT_EQ(read_some(channel, 10), "123456789a");
  EXPECT_EQ(resumed, 0);
  EXPECT_EQ(read_some(channel, 1), "b");
  EXPECT_EQ(resumed, 1);
  EXPECT_EQ(read_some(channel, 9), "cdef");
  EXPECT_EQ(resumed, 1);
}

TEST(ByteChannelTest, AbortDropsBytesAndFreesTheProducer) {
  ByteChannel channel(2);
  int resumed = 0;
  EXPECT_EQ(channel.put("abc", [&resumed] { ++resumed; }), ByteChannel::Put::kFull);
  channel.abort();
  channel.abort();
  EXPECT_EQ(resumed, 1);
  EXPECT_EQ(channel.buffered(), 0U);
  EXPECT_EQ(channel.put("d", kNoResume), ByteChannel::Put::kAborted);
  EXPECT_EQ(read_some(channel, 9), "<Cancelled>");
}

TEST(ByteChannelTest, AReadThatTimesOutLeavesTheStreamUsable) {
  ByteChannel channel(100);
  EXPECT_EQ(read_some(channel, 9, until_now()), "<Timeout>");
  channel.put("late", kNoResume);
  EXPECT_EQ(read_some(channel, 9, until_now()), "late");
}

TEST(ByteChannelTest, AStopIsFinalAndFreesTheProducer) {
  ByteChannel channel(2);
  int resumed = 0;
  channel.put("abc", [&resumed] { ++resumed; });
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(read_some(channel, 9, {stop.get_token()}), "<Cancelled>");
  EXPECT_EQ(resumed, 1);
  EXPECT_EQ(read_some(channel, 9), "<Cancelled>");
}

TEST(ByteChannelTest, WakesABlockedReader) {
  const struct {
    const char* name;
    std::function<void(ByteChannel&, std::stop_source&)> wake;
    std::string seen;
  } cases[] = {
      {"data", [](ByteChannel& c, std::stop_source&) { c.put("x", kNoResume); }, "x"},
      {"end", [](ByteChannel& c, std::stop_source&) { c.finish(std::nullopt); }, "<end>"},
      {"abort", [](ByteChannel& c, std::stop_source&) { c.abort(); }, "<Cancelled>"},
      {"stop", [](ByteChannel&, std::stop_source& s) { s.request_stop(); }, "<Cancelled>"},
  };
  for (const auto& row : cases) {
    ByteChannel channel(10);
    std::stop_source stop;
    std::atomic<bool> started{false};
    std::string seen;
    {
      const std::jthread reader([&] {
        started = true;
        seen = read_some(channel, 5, {stop.get_token()});
      });
      ASSERT_TRUE(eventually([&] { return started.load(); }));
      row.wake(channel, stop);
    }
    EXPECT_EQ(seen, row.seen) << row.name;
  }
}

TEST(ByteChannelTest, AReaderOfPiecesIsNotWokenByCrumbs) {
  ByteChannel channel(100'000, 10);
  std::vector<std::size_t> sizes;
  {
    const std::jthread reader([&] {
      for (std::size_t total = 0; total < 10'000;) {
        sizes.push_back(read_some(channel, 50).size());
        total += sizes.back();
      }
    });
    for (int i = 0; i < 10'000 + 9; ++i) channel.put("x", kNoResume);
  }
  EXPECT_THAT(sizes, testing::Each(testing::Ge(10U)));
  while (channel.buffered() > 0) read_some(channel, 50, until_now());

  channel.put("late", kNoResume);
  EXPECT_EQ(read_some(channel, 50, until_now()), "late") << "what is there when the time is up";
  EXPECT_EQ(read_some(channel, 50, until_now()), "<Timeout>");
  channel.put("rest", kNoResume);
  channel.finish(std::nullopt);
  EXPECT_EQ(read_some(channel, 50), "rest");
  EXPECT_EQ(read_some(channel, 50), "<end>");
}

TEST(ByteChannelTest, AFullChannelWakesAReaderOfLargerPieces) {
  ByteChannel channel(8, 1000);
  int resumed = 0;
  EXPECT_EQ(channel.put("12345678", [&resumed] { ++resumed; }), ByteChannel::Put::kFull);
  EXPECT_EQ(read_some(channel, 50), "12345678");
  EXPECT_EQ(resumed, 1);
}

TEST(ByteChannelTest, AProducerThatWaitsMakesTheRestWorthReading) {
  ByteChannel channel(8, 7);
  int resumed = 0;
  EXPECT_EQ(channel.put("12345678", [&resumed] { ++resumed; }), ByteChannel::Put::kFull);
  EXPECT_EQ(read_some(channel, 2), "12");
  EXPECT_EQ(resumed, 0);
  EXPECT_EQ(read_some(channel, 50), "345678") << "neither waits for the other";
  EXPECT_EQ(resumed, 1);
}

TEST(ByteChannelTest, MovesAMegabyteBetweenThreadsWithinItsBound) {
  ByteChannel channel(1000);
  std::string sent;
  for (int i = 0; sent.size() < (1U << 20U); ++i) {
    sent += std::to_string(i) + ",";
  }
  std::string received;
  {
    const std::jthread producer([&] {
      for (std::size_t at = 0; at < sent.size(); at += 137) {
        std::atomic<bool> room{false};
        if (channel.put(std::string_view(sent).substr(at, 137), [&room] { room = true; room.notify_one(); }) ==
            ByteChannel::Put::kFull) {
          room.wait(false);
        }
      }
      channel.finish(std::nullopt);
    });
    char buffer[64];
    for (;;) {
      EXPECT_LT(channel.buffered(), 1000U + 137U);
      const auto got = channel.read(buffer, {});
      if (!got || *got == 0) {
        break;
      }
      received.append(buffer, *got);
    }
  }
  EXPECT_EQ(received, sent);
}

}  // namespace
}  // namespace shutdown_auditor::http
