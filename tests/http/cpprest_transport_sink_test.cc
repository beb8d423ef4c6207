#include "http/cpprest_transport_sink.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>

#include "http/cpprest_transport.h"

namespace shutdown_auditor::http {
namespace {

// For a write that failed the library would block one of its threads until another one has closed the stream: with as many
// dropped responses as threads nothing would go on.
TEST(ChannelStreamTest, WhatNobodyReadsIsDroppedAndDoesNotFail) {
  initialize_http_runtime();
  const auto channel = std::make_shared<ByteChannel>(100);
  concurrency::streams::ostream stream = make_channel_stream(channel);
  const std::uint8_t bytes[] = {'a', 'b'};
  EXPECT_EQ(stream.streambuf().putn_nocopy(bytes, sizeof bytes).get(), sizeof bytes);
  EXPECT_EQ(channel->buffered(), sizeof bytes);
  channel->abort();
  const pplx::task<std::size_t> dropped = stream.streambuf().putn_nocopy(bytes, sizeof bytes);
  ASSERT_TRUE(dropped.is_done());
  EXPECT_EQ(dropped.get(), sizeof bytes);
  EXPECT_EQ(channel->buffered(), 0U);
  EXPECT_TRUE(stream.is_open());
}

}  // namespace
}  // namespace shutdown_auditor::http
