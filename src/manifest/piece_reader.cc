#include "manifest/piece_reader.h"

#include <algorithm>
#include <utility>

#include "manifest/yaml_source.h"

namespace shutdown_auditor::manifest {
namespace {

constexpr std::size_t kUndecided = 4;  // line breaks so near the end may still be followed by a separator

}  // namespace

void PieceReader::look(std::size_t bytes) {
  while (!ended_ && rest_.size() < bytes) {
    const std::size_t size = rest_.size();
    const std::size_t more = std::max(kPieceBytes, size / 2);  // a long document is not copied often
    rest_.resize(size + more);
    base::Result<std::size_t> got = source_(rest_.data() + size, more);
    rest_.resize(size + (got ? *got : 0));
    ended_ = !got || *got == 0;
    if (!got) failure_ = got.error();
  }
}

std::string PieceReader::take_all() {
  while (!ended_) look(rest_.size() + 1);
  return std::move(rest_);
}

Piece PieceReader::next() {
  std::size_t cut = std::string::npos;
  std::size_t from = kPieceBytes;
  look(from + 1);
  while ((cut = find_separator(rest_, from)) == std::string::npos && !ended_) {
    from = std::max(from, rest_.size() - std::min(rest_.size(), kUndecided));
    look(rest_.size() + 1);
  }
  Piece piece;
  piece.first_line = line_;
  piece.last = cut == std::string::npos;
  piece.text = std::exchange(rest_, {});
  if (failure_) {
    piece = {{}, line_, true};
  } else if (!piece.last) {
    rest_ = piece.text.substr(cut);
    piece.text.resize(cut);
    for (std::size_t at = 0; (at = piece.text.find('\n', at)) != std::string::npos; ++at) ++line_;
  }
  return piece;
}

}  // namespace shutdown_auditor::manifest
