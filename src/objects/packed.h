#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "objects/events.h"

// What a decoder kept of one object, as bytes: a tenth of the decoded object's size, for who holds many and looks at one at
// a time. Written by Packer, read by unpack<T>(), both of decode.h. Fields are their numbers in the tables of schema.h, so the
// bytes mean something in this process only and are trusted.
namespace shutdown_auditor::objects {

// One step: what comes next, and how the numbers are written. A head byte has the step in its low three bits and a number
// in the others; 31 stands for 31 and what the varint after it adds.
enum class Step : std::uint8_t { kField, kKey, kString, kInteger, kPlain };
// The number of a kPlain step. kTouch: there is a value that is not kept. kSized: an object, before it the length of what it
// takes up to and with its kEnd.
enum class Plain : std::uint8_t { kFalse, kTrue, kNull, kTouch, kObject, kArray, kEnd, kSized };

// Appends steps to a string it borrows. For one thread.
class PackWriter {
 public:
  PackWriter() = default;
  // `out` null: writes nothing. With `marks` the places of fields, keys, array items and the object itself are kept.
  PackWriter(std::string* out, bool marks) : out_(out), marks_(marks) {}

  void begin();  // makes `out` empty
  void field(std::size_t index, Mark mark);
  void key(std::string_view name, Mark mark);
  // A value; `place` only for items and the object itself.
  void plain(Plain what, const Mark* place);
  void integer(std::int64_t value, const Mark* place);
  void string(std::string_view value, const Mark* place);
  // Around the steps of an object that can be passed over; what the first returns is the second's.
  std::size_t begin_sized();
  void end_sized(std::size_t begun);

 private:
  void head(Step step, std::uint64_t number);
  void varint(std::uint64_t number);
  void mark(Mark mark);

  std::string* out_ = nullptr;
  bool marks_ = false;
  Mark last_;
};

// Takes steps off a packed object. At the end step() says kPlain kEnd for ever. For one thread; borrows the bytes.
class PackReader {
 public:
  explicit PackReader(std::string_view bytes);

  bool at_end() const { return bytes_.empty(); }
  Step step();                       // the next one; number() is then its number
  std::uint64_t number() const { return number_; }
  std::int64_t integer() const;      // of kInteger
  std::string_view text();           // of kKey and kString; to be called once, before mark()
  Mark mark();                       // {0, 0} when marks were not kept
  // Passes over the value of the field that was just read, when it is a sized object. Places after it are not to be read.
  void skip_sized();

 private:
  std::uint64_t varint();
  std::size_t take_size();

  std::string_view bytes_;
  bool marks_ = false;
  std::uint64_t number_ = 0;
  Mark last_;
};

}  // namespace shutdown_auditor::objects
