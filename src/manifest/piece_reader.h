#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "manifest/loader.h"

namespace shutdown_auditor::manifest {

// Some whole documents of a text.
struct Piece {
  std::string text;
  std::uint32_t first_line = 1;
  bool last = false;
};

// Cuts what a source gives into pieces that can be read one by one, or by several threads, with the same result as the
// whole (see find_separator). Holds little more than a piece, unless one document is longer. For one thread.
class PieceReader {
 public:
  // So long a piece is at least, but for the last one.
  static constexpr std::size_t kPieceBytes = std::size_t{64} << 10U;

  explicit PieceReader(const TextSource& source) : source_(source) {}

  // Reads until rest() has `bytes`, unless there are fewer.
  void look(std::size_t bytes);
  // What is read and not yet taken.
  const std::string& rest() const { return rest_; }
  // All that is left.
  std::string take_all();
  // The next piece; after the last one empty. When the source fails, what was not yet taken is dropped.
  Piece next();
  // Why the source failed.
  const std::optional<base::Error>& failure() const { return failure_; }

 private:
  const TextSource& source_;
  std::string rest_;
  std::uint32_t line_ = 1;
  bool ended_ = false;
  std::optional<base::Error> failure_;
};

}  // namespace shutdown_auditor::manifest
