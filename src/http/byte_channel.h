#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/cancellation.h"
#include "http/transport.h"

namespace shutdown_auditor::http {

// The bytes of one response on their way from a thread of the HTTP library, which must never block, to the thread that
// reads the body. Holds at most the capacity and one more piece: a producer over the capacity is told to wait and is
// called back. Safe for one producer and one reader at a time, and abort() from anywhere.
class ByteChannel {
 public:
  enum class Put {
    kTaken,    // go on
    kFull,     // taken, but nothing more before `resume`
    kAborted,  // dropped: nobody will read
  };

  // A reader that waits is woken by `wake_bytes` of them, or by a producer that waits; also by the end, an
  // abort, its stop, and by its deadline, when it gets what is there.
  explicit ByteChannel(std::size_t capacity, std::size_t wake_bytes = 1) : capacity_(capacity), wake_bytes_(wake_bytes) {}
  ByteChannel(const ByteChannel&) = delete;
  ByteChannel& operator=(const ByteChannel&) = delete;

  // Producer. Copies all of `bytes`. After kFull, and only then, `resume` is called exactly once, from the reader's or
  // the aborting thread, without a lock held.
  Put put(std::string_view bytes, std::function<void()> resume);
  // Producer. Nothing more comes: the end, or why. The first call counts.
  void finish(std::optional<TransportError> failure);

  // Reader. As BodyReader::read; bytes that came before the end or a failure are read first. Stopping it is final.
  TransportResult<std::size_t> read(std::span<char> buffer, const base::Cancellation& cancel);
  // Reader. Drops everything and frees a waiting producer.
  void abort();

  // Bytes held now.
  std::size_t buffered() const;

 private:
  struct End {
    std::optional<TransportError> failure;
  };

  // A producer that waits gives no more, however little there is.
  bool is_worth_reading() const { return size_ > 0 && (size_ >= wake_bytes_ || resume_); }

  const std::size_t capacity_;
  const std::size_t wake_bytes_;
  mutable std::mutex mutex_;  // guards everything below
  std::condition_variable_any changed_;
  std::deque<std::string> pieces_;
  std::size_t front_read_ = 0;  // of the first piece
  std::size_t size_ = 0;
  std::function<void()> resume_;
  std::optional<End> end_;
  bool aborted_ = false;
};

}  // namespace shutdown_auditor::http
