#include "base/byte_store.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

namespace shutdown_auditor::base {

std::string_view ByteStore::keep(std::string_view bytes) {
  constexpr std::size_t kBlockBytes = std::size_t{64} << 10U;
  if (blocks_.empty() || blocks_.back().size - blocks_.back().used < bytes.size()) {
    const std::size_t size = std::max(kBlockBytes, bytes.size());
    blocks_.push_back({std::unique_ptr<char[]>(new char[size]), size, 0});
  }
  Block& block = blocks_.back();
  char* const copy = block.bytes.get() + block.used;
  bytes.copy(copy, bytes.size());
  block.used += bytes.size();
  return {copy, bytes.size()};
}

void ByteStore::append(ByteStore&& more) {
  std::move(more.blocks_.begin(), more.blocks_.end(), std::back_inserter(blocks_));
  more.blocks_.clear();
}

void ByteStore::drop_before(std::string_view kept) {
  const auto holds = [&](const Block& block) {
    return !std::less<>()(kept.data(), block.bytes.get()) && std::less<>()(kept.data(), block.bytes.get() + block.size);
  };
  while (!blocks_.empty() && !holds(blocks_.front())) {
    blocks_.pop_front();
  }
}

}  // namespace shutdown_auditor::base
