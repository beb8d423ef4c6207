#include "http/byte_channel.h"

#include <algorithm>
#include <utility>

namespace shutdown_auditor::http {

ByteChannel::Put ByteChannel::put(std::string_view bytes, std::function<void()> resume) {
  bool full = false;
  bool wakes = false;
  {
    const std::lock_guard lock(mutex_);
    if (aborted_ || end_) {
      return Put::kAborted;
    }
    if (!bytes.empty()) {
      pieces_.emplace_back(bytes);
      size_ += bytes.size();
    }
    full = size_ >= capacity_;
    if (full) {
      resume_ = std::move(resume);
    }
    wakes = is_worth_reading();
  }
  if (wakes) {
    changed_.notify_all();
  }
  return full ? Put::kFull : Put::kTaken;
}

void ByteChannel::finish(std::optional<TransportError> failure) {
  {
    const std::lock_guard lock(mutex_);
    if (end_) {
      return;
    }
    end_ = End{std::move(failure)};
  }
  changed_.notify_all();
}

TransportResult<std::size_t> ByteChannel::read(std::span<char> buffer, const base::Cancellation& cancel) {
  std::function<void()> resume;
  std::size_t copied = 0;
  {
    std::unique_lock lock(mutex_);
    const bool ready = base::system_clock().wait_until(lock, changed_, cancel.stop, cancel.deadline,
                                                       [this] { return is_worth_reading() || end_ || aborted_; });
    if (cancel.stop_requested()) {
      end_ = End{TransportError{TransportErrorKind::kCancelled, "reading the response was stopped", true}};
      pieces_.clear();
      size_ = front_read_ = 0;
    }
    if (size_ == 0 && end_) {
      resume = std::exchange(resume_, nullptr);
      lock.unlock();
      if (resume) {
        resume();
      }
      lock.lock();
      return end_->failure ? TransportResult<std::size_t>(base::unexpected(*end_->failure))
                           : TransportResult<std::size_t>(0);
    }
    if (aborted_) {
      return base::unexpected(TransportError{TransportErrorKind::kCancelled, "the response was dropped", true});
    }
    if (!ready && size_ == 0) {
      return base::unexpected(TransportError{TransportErrorKind::kTimeout, "no data within the limit", true});
    }
    while (copied < buffer.size() && size_ > 0) {
      const std::string_view piece = std::string_view(pieces_.front()).substr(front_read_);
      const std::size_t part = std::min(piece.size(), buffer.size() - copied);
      std::copy_n(piece.begin(), part, buffer.begin() + static_cast<std::ptrdiff_t>(copied));
      copied += part;
      front_read_ += part;
      size_ -= part;
      if (part == piece.size()) {
        pieces_.pop_front();
        front_read_ = 0;
      }
    }
    // Half empty before going on, so that a slow reader does not wake the library for every few bytes.
    if (size_ <= capacity_ / 2) {
      resume = std::exchange(resume_, nullptr);
    }
  }
  if (resume) {
    resume();
  }
  return copied;
}

void ByteChannel::abort() {
  std::function<void()> resume;
  {
    const std::lock_guard lock(mutex_);
    aborted_ = true;
    pieces_.clear();
    size_ = front_read_ = 0;
    resume = std::exchange(resume_, nullptr);
  }
  changed_.notify_all();
  if (resume) {
    resume();
  }
}

std::size_t ByteChannel::buffered() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

}  // namespace shutdown_auditor::http
