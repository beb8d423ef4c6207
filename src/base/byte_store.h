#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string_view>

namespace shutdown_auditor::base {

// Bytes of many small things, in large blocks that never move: less to allocate, and for one thread to free.
class ByteStore {
 public:
  // A copy that lasts as long as this, also when it is moved or appended to another one.
  std::string_view keep(std::string_view bytes);
  void append(ByteStore&& more);
  // Frees the blocks before the one that holds `kept`, which was kept here.
  void drop_before(std::string_view kept);

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
    std::size_t used = 0;
  };
  std::deque<Block> blocks_;
};

}  // namespace shutdown_auditor::base
