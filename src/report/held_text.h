#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace shutdown_auditor::report {

// Text that has to wait until something before it is written. It is held in pieces: as one string it would be copied, and
// take twice its memory, whenever it grows. Not thread-safe.
class HeldText {
 public:
  void add(std::string_view text);
  bool empty() const { return pieces_.empty(); }
  // Writes all of it and forgets it.
  void write(std::ostream& out);

 private:
  std::vector<std::string> pieces_;
};

}  // namespace shutdown_auditor::report
