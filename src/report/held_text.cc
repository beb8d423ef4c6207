#include "report/held_text.h"

#include <cstddef>
#include <ostream>

namespace shutdown_auditor::report {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{32} << 10U;

}  // namespace

void HeldText::add(std::string_view text) {
  if (pieces_.empty() || pieces_.back().size() + text.size() > kPieceBytes) {
    pieces_.emplace_back();
  }
  pieces_.back().append(text);
}

void HeldText::write(std::ostream& out) {
  for (std::string& piece : pieces_) {
    out << piece;
    piece = std::string();
  }
  pieces_.clear();
}

}  // namespace shutdown_auditor::report
