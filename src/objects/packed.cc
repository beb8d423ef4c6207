#include "objects/packed.h"

#include <algorithm>

namespace shutdown_auditor::objects {
namespace {

using PackedSize = std::uint64_t;  // of an object

constexpr unsigned kStepBits = 3;
constexpr std::uint64_t kLongNumber = 31;

constexpr unsigned char head_of(Step step, Plain what) {
  return static_cast<unsigned char>(static_cast<unsigned>(what) << kStepBits | static_cast<unsigned>(step));
}

// Small numbers of either sign become small numbers.
std::uint64_t zigzag(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  return value < 0 ? ~(bits << 1U) : bits << 1U;
}
std::int64_t unzigzag(std::uint64_t number) {
  const std::uint64_t half = number >> 1U;
  return static_cast<std::int64_t>((number & 1U) != 0 ? ~half : half);
}

}  // namespace

void PackWriter::begin() {
  last_ = {};
  if (out_ == nullptr) return;
  out_->assign(1, marks_ ? '\1' : '\0');
}

void PackWriter::varint(std::uint64_t number) {
  for (; number >= 0x80U; number >>= 7U) out_->push_back(static_cast<char>(number | 0x80U));
  out_->push_back(static_cast<char>(number));
}

void PackWriter::head(Step step, std::uint64_t number) {
  const std::uint64_t small = std::min(number, kLongNumber);
  out_->push_back(static_cast<char>(small << kStepBits | static_cast<std::uint64_t>(step)));
  if (small == kLongNumber) varint(number - kLongNumber);
}

void PackWriter::mark(Mark mark) {
  if (!marks_) return;
  varint(zigzag(std::int64_t{mark.line} - last_.line));
  varint(mark.column);
  last_ = mark;
}

void PackWriter::field(std::size_t index, Mark where) {
  if (out_ == nullptr) return;
  head(Step::kField, index);
  mark(where);
}

void PackWriter::key(std::string_view name, Mark where) {
  if (out_ == nullptr) return;
  head(Step::kKey, name.size());
  out_->append(name);
  mark(where);
}

void PackWriter::plain(Plain what, const Mark* place) {
  if (out_ == nullptr) return;
  head(Step::kPlain, static_cast<std::uint64_t>(what));
  if (place != nullptr) mark(*place);
}

void PackWriter::integer(std::int64_t value, const Mark* place) {
  if (out_ == nullptr) return;
  head(Step::kInteger, zigzag(value));
  if (place != nullptr) mark(*place);
}

void PackWriter::string(std::string_view value, const Mark* place) {
  if (out_ == nullptr) return;
  head(Step::kString, value.size());
  out_->append(value);
  if (place != nullptr) mark(*place);
}

std::size_t PackWriter::begin_sized() {
  if (out_ == nullptr) return 0;
  head(Step::kPlain, static_cast<std::uint64_t>(Plain::kSized));
  out_->append(sizeof(PackedSize), '\0');
  return out_->size();
}

void PackWriter::end_sized(std::size_t begun) {
  if (out_ == nullptr) return;
  const auto size = static_cast<PackedSize>(out_->size() - begun);
  out_->replace(begun - sizeof size, sizeof size, reinterpret_cast<const char*>(&size), sizeof size);
}

PackReader::PackReader(std::string_view bytes) : bytes_(bytes) {
  if (bytes_.empty()) return;
  marks_ = bytes_.front() != '\0';
  bytes_.remove_prefix(1);
}

std::uint64_t PackReader::varint() {
  std::uint64_t number = 0;
  for (unsigned shift = 0; !bytes_.empty() && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    number |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80U) break;
  }
  return number;
}

Step PackReader::step() {
  if (bytes_.empty()) {
    number_ = static_cast<std::uint64_t>(Plain::kEnd);
    return Step::kPlain;
  }
  const auto head = static_cast<unsigned char>(bytes_.front());
  bytes_.remove_prefix(1);
  number_ = head >> kStepBits;
  if (number_ == kLongNumber) number_ += varint();
  const auto step = static_cast<Step>(head & ((1U << kStepBits) - 1U));
  if (step == Step::kPlain && number_ == static_cast<std::uint64_t>(Plain::kSized)) {
    take_size();
    number_ = static_cast<std::uint64_t>(Plain::kObject);
  }
  return step;
}

std::int64_t PackReader::integer() const { return unzigzag(number_); }

std::string_view PackReader::text() {
  const std::string_view text = bytes_.substr(0, number_);
  bytes_.remove_prefix(text.size());
  return text;
}

std::size_t PackReader::take_size() {
  PackedSize size = 0;
  bytes_.copy(reinterpret_cast<char*>(&size), sizeof size);
  bytes_.remove_prefix(std::min(bytes_.size(), sizeof size));
  return size;
}

void PackReader::skip_sized() {
  if (bytes_.empty() || static_cast<unsigned char>(bytes_.front()) != head_of(Step::kPlain, Plain::kSized)) return;
  bytes_.remove_prefix(1);
  bytes_.remove_prefix(std::min(bytes_.size(), take_size()));
}

Mark PackReader::mark() {
  if (!marks_) return {};
  last_.line = static_cast<std::uint32_t>(last_.line + unzigzag(varint()));
  last_.column = static_cast<std::uint32_t>(varint());
  return last_;
}

}  // namespace shutdown_auditor::objects
