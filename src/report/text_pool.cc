#include "report/text_pool.h"

#include <functional>
#include <limits>

namespace shutdown_auditor::report {
namespace {

constexpr TextPool::Id kNone = std::numeric_limits<TextPool::Id>::max();
constexpr std::size_t kFirstSlots = 64;

}  // namespace

std::size_t TextPool::slot_of(std::string_view text) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = std::hash<std::string_view>{}(text) & mask;
  while (slots_[slot] != kNone && texts_[slots_[slot]] != text) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

std::optional<TextPool::Id> TextPool::find(std::string_view text) const {
  const Id id = slots_.empty() ? kNone : slots_[slot_of(text)];
  return id == kNone ? std::nullopt : std::optional<Id>(id);
}

TextPool::Id TextPool::add(std::string_view text) {
  if (texts_.size() >= slots_.size() / 4 * 3) {
    grow();
  }
  Id& id = slots_[slot_of(text)];
  if (id == kNone) {
    id = static_cast<Id>(texts_.size());
    texts_.push_back(store_.keep(text));
  }
  return id;
}

void TextPool::grow() {
  const std::size_t slots = slots_.empty() ? kFirstSlots : slots_.size() * 2;
  slots_.assign(slots, kNone);
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    slots_[slot_of(texts_[i])] = static_cast<Id>(i);
  }
}

}  // namespace shutdown_auditor::report
