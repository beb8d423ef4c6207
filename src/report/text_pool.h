#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "base/byte_store.h"

namespace shutdown_auditor::report {

// Texts, each held once and known by a number: what is said thousands of times takes little memory. A text takes its bytes
// and about 30 more. They live as long as the pool. Not thread-safe.
class TextPool {
 public:
  using Id = std::uint32_t;  // counts from 0

  // The number of `text`, which is copied when it is new.
  Id add(std::string_view text);
  // The number of a text that was added.
  std::optional<Id> find(std::string_view text) const;
  std::string_view operator[](Id id) const { return texts_[id]; }
  std::size_t size() const { return texts_.size(); }

 private:
  // Where `text` is, or would be put, in slots_.
  std::size_t slot_of(std::string_view text) const;
  void grow();

  std::deque<std::string_view> texts_;  // into store_
  std::vector<Id> slots_;               // open addressing, linear; a power of two, at most three quarters full
  base::ByteStore store_;
};

}  // namespace shutdown_auditor::report
