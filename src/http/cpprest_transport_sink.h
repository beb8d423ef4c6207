#pragma once

// Internal to cpprest_transport*.cc.

#include <cpprest/streams.h>

#include <memory>

#include "http/byte_channel.h"

namespace shutdown_auditor::http {

// A stream the library writes a response body to: every piece goes straight into `channel`. Shared because the library
// keeps its streams in shared pointers and the reader of the channel lives on another thread.
concurrency::streams::ostream make_channel_stream(std::shared_ptr<ByteChannel> channel);

}  // namespace shutdown_auditor::http
