#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace shutdown_auditor::objects {

// How deep objects and arrays may nest in any document; beyond it every source and decoder refuses.
inline constexpr std::size_t kMaxDepth = 512;

// A place in a file, from 1; {0, 0} where positions are not known (the network).
struct Mark {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  friend bool operator==(const Mark&, const Mark&) = default;
};

// Receives a document as a stream of key/value events, from a JSON or a YAML parser. Events come
// well nested; string views live for the call only. Returning false asks the source to stop: it ends with the handler's
// own error (see `problem`). `text` is how the scalar was written: "yes", "0x10", "1.20".
class EventHandler {
 public:
  virtual ~EventHandler() = default;
  virtual bool start_object(Mark mark) = 0;
  virtual bool key(std::string_view name, Mark mark) = 0;
  // Asked after a key: false lets a source leave out the events of its value (more than half of what an API server sends is
  // metadata.managedFields). A source need not ask.
  virtual bool wants_value() const { return true; }
  virtual bool end_object() = 0;
  virtual bool start_array(Mark mark) = 0;
  virtual bool end_array() = 0;
  virtual bool null(Mark mark) = 0;
  virtual bool boolean(bool value, std::string_view text, Mark mark) = 0;
  virtual bool integer(std::int64_t value, std::string_view text, Mark mark) = 0;
  // A number with a fraction or exponent, or an integer that does not fit 64 bits.
  virtual bool number(double value, std::string_view text, Mark mark) = 0;
  virtual bool string(std::string_view value, Mark mark) = 0;
  // The reason after a false.
  virtual base::Error problem() const = 0;
};

}  // namespace shutdown_auditor::objects
