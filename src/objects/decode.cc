#include "objects/decode.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/text.h"

namespace shutdown_auditor::objects {
namespace {

// apiVersion and kind say what the object is; they are kept beside the object, not in its table.
const Field kApiVersionField{"apiVersion", &shape_of<std::string>, nullptr};
const Field kKindField{"kind", &shape_of<std::string>, nullptr};

const Field* find_field(std::span<const Field> fields, std::string_view name) {
  for (const Field& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::string_view expectation(Shape::Kind kind) {
  switch (kind) {
    case Shape::Kind::kString: return "a string";
    case Shape::Kind::kBool: return "a boolean";
    case Shape::Kind::kInteger: return "an integer";
    case Shape::Kind::kIntOrString: return "an integer or a string";
    case Shape::Kind::kArray: return "a list";
    case Shape::Kind::kObject:
    case Shape::Kind::kMap:
    case Shape::Kind::kSkip: break;
  }
  return "an object";
}

// The value of an annotation that nobody wants: it must be a string all the same.
const Shape& unwanted_string() {
  static const Shape kUnwanted{.kind = Shape::Kind::kString, .assign = [](void*, std::string_view) {}};
  return kUnwanted;
}

std::string name_of(std::string_view group, std::string_view kind) {
  return group.empty() ? std::string(kind) : fmt::format("{}.{}", kind, group);
}

bool fits_32_bits(std::int64_t value) {
  return value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max();
}

// Beyond 2^53 a double no longer tells which integer was written.
constexpr double kExactIntegers = 9007199254740992.0;

}  // namespace

ObjectBuilder::ObjectBuilder(const Shape& root, void* target, DecodeOptions options, PackWriter pack)
    : options_(std::move(options)), root_(root), target_(target), pack_(pack) {
  constexpr std::size_t kUsualDepth = 16;
  frames_.reserve(kUsualDepth);
}

Packer::Packer(const Shape& shape, DecodeOptions options, bool marks)
    : ObjectBuilder(shape, nullptr, std::move(options), PackWriter(&packed_, marks)) {}

base::Result<std::string> Packer::take() {
  const base::Result<void> finished = finish();
  reset();
  if (!finished) return base::unexpected(finished.error());
  return std::string(packed_);  // a copy has no spare memory
}

void ObjectBuilder::reset() {
  depth_ = 0;
  skipping_ = 0;
  done_ = false;
  failed_ = false;
  problem_ = {};
  problem_mark_ = {};
  api_version_.clear();
  kind_.clear();
}

base::Result<void> ObjectBuilder::finish() {
  if (failed_) return base::unexpected(problem_);
  if (!done_) return base::fail(base::ErrorKind::kInvalid, "the object ends before it is complete");
  group_ = group_of(api_version_);
  if (!options_.kind) return {};
  const GroupKind& wanted = *options_.kind;
  if ((!kind_.empty() && kind_ != wanted.kind) || (!api_version_.empty() && group_ != wanted.group)) {
    return base::fail(base::ErrorKind::kInvalid,
                      fmt::format("expected {}, got {}", name_of(wanted.group, wanted.kind),
                                  base::quoted(name_of(group_, kind_))));
  }
  kind_ = wanted.kind;
  group_ = wanted.group;
  return {};
}

ObjectBuilder::Slot ObjectBuilder::next(Mark mark) {
  if (depth_ == 0) {
    if (options_.positions != nullptr) options_.positions->set_root(mark);
    return {&root_, target_};
  }
  Frame& frame = top();
  switch (frame.shape->kind) {
    case Shape::Kind::kArray:
      ++frame.index;
      if (options_.positions != nullptr) {
        frame.child = options_.positions->add(frame.node, {}, static_cast<int>(frame.index), mark);
      }
      return {&frame.shape->item(), target_ == nullptr ? nullptr : frame.shape->append(frame.target)};
    case Shape::Kind::kMap:
      if (frame.skip) return {&unwanted_string(), nullptr, false};
      return {&frame.shape->item(), target_ == nullptr ? nullptr : frame.shape->insert(frame.target, frame.key)};
    default: break;
  }
  if (frame.field == nullptr) return {};
  if (frame.field == &kApiVersionField) return {&shape_of<std::string>(), &api_version_, false};
  if (frame.field == &kKindField) return {&shape_of<std::string>(), &kind_, false};
  return {&frame.field->shape(), target_ == nullptr ? nullptr : frame.field->locate(frame.target)};
}

bool ObjectBuilder::is_passed_over(const Slot& slot, const Mark& mark) {
  if (slot.shape == nullptr) return true;
  if (slot.shape->kind != Shape::Kind::kSkip) return false;
  pack_.plain(Plain::kTouch, place(mark));
  return true;
}

bool ObjectBuilder::open(Shape::Kind kind, std::string_view got, Mark mark) {
  if (failed_) return false;
  if (depth_ + skipping_ >= kMaxDepth) return refuse(fmt::format("nested deeper than {}", kMaxDepth), mark);
  if (skipping_ > 0) {
    ++skipping_;
    return true;
  }
  if (done_) return refuse("more than one value", mark);
  if (depth_ == 0) pack_.begin();
  const Slot slot = next(mark);
  if (is_passed_over(slot, mark)) {
    ++skipping_;
    return true;
  }
  const bool fits = slot.shape->kind == kind || (kind == Shape::Kind::kObject && slot.shape->kind == Shape::Kind::kMap);
  if (!fits) return mismatch(*slot.shape, got, mark);
  std::size_t packed_at = 0;
  if (slot.shape->sized && !is_placed()) {
    packed_at = pack_.begin_sized();
  } else {
    pack_.plain(kind == Shape::Kind::kArray ? Plain::kArray : Plain::kObject, place(mark));
  }
  const int node = depth_ == 0 ? -1 : top().child;
  if (frames_.size() == depth_) frames_.emplace_back();
  Frame& frame = frames_[depth_++];
  frame.shape = slot.shape;
  frame.target = slot.target;
  frame.field = nullptr;
  frame.skip = false;
  frame.index = -1;
  frame.node = node;
  frame.child = -1;
  frame.packed_at = packed_at;
  return true;
}

bool ObjectBuilder::close() {
  if (failed_) return false;
  if (skipping_ > 0) {
    --skipping_;
    return true;
  }
  Frame& frame = top();
  if (frame.shape->close != nullptr && frame.target != nullptr) frame.shape->close(frame.target);
  pack_.plain(Plain::kEnd, nullptr);
  if (frame.packed_at != 0) pack_.end_sized(frame.packed_at);
  --depth_;
  done_ = depth_ == 0;
  return true;
}

bool ObjectBuilder::start_object(Mark mark) { return open(Shape::Kind::kObject, "an object", mark); }
bool ObjectBuilder::end_object() { return close(); }
bool ObjectBuilder::start_array(Mark mark) { return open(Shape::Kind::kArray, "a list", mark); }
bool ObjectBuilder::end_array() { return close(); }

bool ObjectBuilder::key(std::string_view name, Mark mark) {
  if (failed_) return false;
  if (skipping_ > 0) return true;
  Frame& frame = top();
  if (frame.shape->kind == Shape::Kind::kMap) {
    frame.skip = frame.shape->annotations && options_.keep_annotation != nullptr && !options_.keep_annotation(name);
    frame.key.assign(name);
    if (frame.skip) return true;
    pack_.key(name, mark);
  } else {
    frame.field = find_field(frame.shape->fields, name);
    if (frame.field != nullptr) {
      pack_.field(static_cast<std::size_t>(frame.field - frame.shape->fields.data()), mark);
    } else if (depth_ == 1) {
      if (name == kApiVersionField.name) frame.field = &kApiVersionField;
      if (name == kKindField.name) frame.field = &kKindField;
    }
    if (frame.field == nullptr) return true;
  }
  if (options_.positions != nullptr) frame.child = options_.positions->add(frame.node, name, -1, mark);
  return true;
}

bool ObjectBuilder::wants_value() const {
  return skipping_ == 0 && (top().shape->kind == Shape::Kind::kMap || top().field != nullptr);
}

bool ObjectBuilder::null(Mark mark) {
  if (failed_) return false;
  if (skipping_ > 0) return true;
  if (done_) return refuse("more than one value", mark);
  if (depth_ == 0) return mismatch(root_, "null", mark);
  // As encoding/json does: a null item is an item with nothing in it, so that the others keep their numbers.
  if (top().shape->kind == Shape::Kind::kArray) {
    next(mark);
    pack_.plain(Plain::kNull, &mark);
  }
  return true;
}

bool ObjectBuilder::boolean(bool value, std::string_view text, Mark mark) {
  if (failed_) return false;
  if (skipping_ > 0) return true;
  if (done_) return refuse("more than one value", mark);
  const Slot slot = next(mark);
  if (is_passed_over(slot, mark)) return true;
  if (slot.shape->kind == Shape::Kind::kBool) {
    if (slot.target != nullptr) *static_cast<bool*>(slot.target) = value;
    pack_.plain(value ? Plain::kTrue : Plain::kFalse, place(mark));
    return true;
  }
  if (slot.shape->kind == Shape::Kind::kString && options_.scalars_as_text) return store_text(slot, text, mark);
  return scalar_mismatch(*slot.shape, text, "a boolean", mark);
}

bool ObjectBuilder::store_integer(const Slot& slot, std::int64_t value, std::string_view text, Mark mark) {
  switch (slot.shape->kind) {
    case Shape::Kind::kInteger:
      if (slot.shape->int32 && !fits_32_bits(value)) return refuse_long(text, mark);
      if (slot.target != nullptr) *static_cast<std::int64_t*>(slot.target) = value;
      pack_.integer(value, place(mark));
      return true;
    case Shape::Kind::kIntOrString:
      if (!fits_32_bits(value)) return refuse_long(text, mark);
      if (slot.target != nullptr) *static_cast<IntOrString*>(slot.target) = {false, value, {}};
      pack_.integer(value, place(mark));
      return true;
    case Shape::Kind::kString:
      if (!options_.scalars_as_text) break;
      return store_text(slot, text, mark);
    default: break;
  }
  return scalar_mismatch(*slot.shape, text, "a number", mark);
}

bool ObjectBuilder::integer(std::int64_t value, std::string_view text, Mark mark) {
  if (failed_) return false;
  if (skipping_ > 0) return true;
  if (done_) return refuse("more than one value", mark);
  const Slot slot = next(mark);
  if (is_passed_over(slot, mark)) return true;
  return store_integer(slot, value, text, mark);
}

bool ObjectBuilder::number(double value, std::string_view text, Mark mark) {
  if (failed_) return false;
  if (skipping_ > 0) return true;
  if (done_) return refuse("more than one value", mark);
  const Slot slot = next(mark);
  if (is_passed_over(slot, mark)) return true;
  const bool exact = std::abs(value) <= kExactIntegers && std::trunc(value) == value;
  const bool wants_integer = slot.shape->kind == Shape::Kind::kInteger || slot.shape->kind == Shape::Kind::kIntOrString;
  if (wants_integer && !exact) {
    return scalar_mismatch(*slot.shape, text, "a number", mark);
  }
  return store_integer(slot, exact ? static_cast<std::int64_t>(value) : 0, text, mark);
}

bool ObjectBuilder::string(std::string_view value, Mark mark) {
  if (failed_) return false;
  if (skipping_ > 0) return true;
  if (done_) return refuse("more than one value", mark);
  const Slot slot = next(mark);
  if (is_passed_over(slot, mark)) return true;
  if (slot.shape->kind == Shape::Kind::kIntOrString) {
    if (slot.target != nullptr) *static_cast<IntOrString*>(slot.target) = {true, 0, std::string(value)};
    pack_.string(value, place(mark));
    return true;
  }
  if (slot.shape->kind != Shape::Kind::kString) {
    return mismatch(*slot.shape, options_.hide_values ? std::string("a string") : base::quoted(value), mark);
  }
  return store_text(slot, value, mark);
}

bool ObjectBuilder::store_text(const Slot& slot, std::string_view text, const Mark& mark) {
  if (slot.target != nullptr && slot.shape->assign != nullptr) {
    slot.shape->assign(slot.target, text);
  } else if (slot.target != nullptr) {
    static_cast<std::string*>(slot.target)->assign(text);
  }
  if (slot.packed) pack_.string(text, place(mark));
  return true;
}

bool ObjectBuilder::take_step(PackReader& in) {
  const Step step = in.step();
  const bool placed = is_placed();
  switch (step) {
    case Step::kField: {
      Frame& frame = top();
      if (in.number() >= frame.shape->fields.size()) return refuse("not the packed form of this type", {});
      frame.field = &frame.shape->fields[in.number()];
      const Mark mark = in.mark();
      if (options_.positions != nullptr) frame.child = options_.positions->add(frame.node, frame.field->name, -1, mark);
      if (options_.leave_out != nullptr && frame.field->shape == options_.leave_out) in.skip_sized();
      return true;
    }
    case Step::kKey: {
      const std::string_view name = in.text();
      return key(name, in.mark());
    }
    case Step::kString: {
      const std::string_view text = in.text();
      return string(text, placed ? in.mark() : Mark{});
    }
    case Step::kInteger: {
      const std::int64_t value = in.integer();
      return integer(value, {}, placed ? in.mark() : Mark{});
    }
    case Step::kPlain: break;
  }
  const auto what = static_cast<Plain>(in.number());
  if (what == Plain::kEnd) return close();
  const Mark mark = placed ? in.mark() : Mark{};
  switch (what) {
    case Plain::kFalse:
    case Plain::kTrue: return boolean(what == Plain::kTrue, {}, mark);
    case Plain::kNull: return null(mark);
    case Plain::kObject: return start_object(mark);
    case Plain::kArray: return start_array(mark);
    default: next(mark); return true;
  }
}

bool ObjectBuilder::replay(std::string_view packed) {
  // About what a packed workload needs.
  constexpr std::size_t kBytesOfField = 5;
  if (options_.positions != nullptr) options_.positions->expect(packed.size() / kBytesOfField, packed.size());
  PackReader in(packed);
  while (!in.at_end()) {
    if (!take_step(in)) return false;
  }
  return true;
}

bool ObjectBuilder::mismatch(const Shape& expected, std::string_view got, Mark mark) {
  return refuse(fmt::format("expected {}, got {}", expectation(expected.kind), got), mark);
}

bool ObjectBuilder::scalar_mismatch(const Shape& expected, std::string_view text, std::string_view what, Mark mark) {
  if (options_.hide_values) return mismatch(expected, what, mark);
  std::string got = base::truncate_utf8(text, 40);
  // The usual slips: `value: 8080`, `value: yes`.
  if (expected.kind == Shape::Kind::kString) got += fmt::format("; as a string it needs quotes: \"{}\"", got);
  return mismatch(expected, got, mark);
}

bool ObjectBuilder::refuse_long(std::string_view text, Mark mark) {
  return refuse(fmt::format("expected an integer of 32 bits, got {}",
                            options_.hide_values ? std::string("a number") : base::truncate_utf8(text, 40)),
                mark);
}

bool ObjectBuilder::refuse(std::string message, Mark mark) {
  const std::string where = path();
  failed_ = true;
  problem_ = {base::ErrorKind::kInvalid, where.empty() ? std::move(message) : where + ": " + message};
  problem_mark_ = mark;
  return false;
}

std::string ObjectBuilder::path() const {
  std::string text;
  for (std::size_t i = 0; i < depth_; ++i) {
    const Frame& frame = frames_[i];
    if (frame.shape->kind == Shape::Kind::kArray) {
      if (frame.index >= 0) text += fmt::format("[{}]", frame.index);
    } else if (frame.shape->kind == Shape::Kind::kMap) {
      text += fmt::format("[{}]", base::truncate_utf8(frame.key, 80));
    } else if (frame.field != nullptr) {
      if (!text.empty()) text += '.';
      text += frame.field->name;
    }
  }
  return text;
}

}  // namespace shutdown_auditor::objects
