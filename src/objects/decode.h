#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "objects/events.h"
#include "objects/json_source.h"
#include "objects/lease.h"
#include "objects/packed.h"
#include "objects/position.h"
#include "objects/schema.h"
#include "objects/workload.h"

namespace shutdown_auditor::objects {

struct DecodeOptions {
  // Which annotations to keep; all others are skipped without a copy. Null keeps all.
  bool (*keep_annotation)(std::string_view key) = nullptr;
  // Records where every field the type knows stood in its file (see position.h). Null: no positions.
  PositionMap* positions = nullptr;
  // Objects of this shape, a sized one, are passed over when an object is unpacked; not with positions. Null: none.
  const Shape& (*leave_out)() = nullptr;
  // `yes`, `1.20` or `8080` in a string field keep their text: for the command's own files. To the API a bool or number in
  // a string field is an error, in YAML too (kubectl turns it into JSON without looking at the type of the field).
  bool scalars_as_text = false;
  // Messages say what kind of value was found but never the value: for documents that hold credentials.
  bool hide_values = false;
  // The group and kind the object must have; an object that says another one is kInvalid, one that says none (the items
  // of a list) gets this one. Absent: any.
  std::optional<GroupKind> kind;
};

// The engine behind Decoder: walks a field table with an explicit stack. Unknown fields are skipped in constant memory.
// Not movable. For one thread.
class ObjectBuilder : public EventHandler {
 public:
  ObjectBuilder(const ObjectBuilder&) = delete;
  ObjectBuilder& operator=(const ObjectBuilder&) = delete;

  bool start_object(Mark mark) final;
  bool key(std::string_view name, Mark mark) final;
  bool wants_value() const final;
  bool end_object() final;
  bool start_array(Mark mark) final;
  bool end_array() final;
  bool null(Mark mark) final;
  bool boolean(bool value, std::string_view text, Mark mark) final;
  bool integer(std::int64_t value, std::string_view text, Mark mark) final;
  bool number(double value, std::string_view text, Mark mark) final;
  bool string(std::string_view value, Mark mark) final;
  base::Error problem() const final { return problem_; }
  // Takes the steps of a packed object of the same type instead of events. False as for them.
  bool replay(std::string_view packed);
  // Where the value stood that ended the decoding; {0, 0} when unknown or when there is no problem.
  Mark problem_mark() const { return problem_mark_; }
  // A whole object has been read.
  bool complete() const { return done_ && !failed_; }
  // Other options from the next object on; only between objects.
  void use(DecodeOptions options) { options_ = std::move(options); }

 protected:
  // `target` null: nothing is stored, only checked and packed.
  ObjectBuilder(const Shape& root, void* target, DecodeOptions options, PackWriter pack = {});
  ~ObjectBuilder() override = default;

  // Success when a whole object was read and it is of the kind the options ask for; fills in the kind they give.
  base::Result<void> finish();
  void reset();

  DecodeOptions options_;
  std::string api_version_;
  std::string kind_;
  std::string group_;  // set by finish()

 private:
  struct Frame {
    const Shape* shape = nullptr;
    void* target = nullptr;
    const Field* field = nullptr;  // of the key read last, when known
    std::string key;               // kMap
    bool skip = false;             // kMap: this key's value is not wanted
    std::int64_t index = -1;       // kArray
    int node = -1;                 // in the position map: of this object
    int child = -1;                // of the current field or item
    std::size_t packed_at = 0;     // of a sized object
  };
  struct Slot {
    const Shape* shape = nullptr;  // null or kSkip: not wanted
    void* target = nullptr;        // null: not stored
    bool packed = true;            // what an object is is not packed, nor are annotations that nobody wants
  };
  Frame& top() { return frames_[depth_ - 1]; }
  const Frame& top() const { return frames_[depth_ - 1]; }
  Slot next(Mark mark);
  // What the packed form has beside a value: only where the place is not its key's.
  const Mark* place(const Mark& mark) const { return is_placed() ? &mark : nullptr; }
  bool is_placed() const { return depth_ == 0 || top().shape->kind == Shape::Kind::kArray; }
  // True for a value that is not wanted.
  bool is_passed_over(const Slot& slot, const Mark& mark);
  bool take_step(PackReader& in);
  bool open(Shape::Kind kind, std::string_view got, Mark mark);
  bool close();
  bool store_integer(const Slot& slot, std::int64_t value, std::string_view text, Mark mark);
  bool store_text(const Slot& slot, std::string_view text, const Mark& mark);
  bool mismatch(const Shape& expected, std::string_view got, Mark mark);
  bool scalar_mismatch(const Shape& expected, std::string_view text, std::string_view what, Mark mark);
  bool refuse_long(std::string_view text, Mark mark);
  bool refuse(std::string message, Mark mark);
  std::string path() const;

  const Shape& root_;
  void* target_;
  std::vector<Frame> frames_;  // the first depth_ are in use; the others keep their memory
  std::size_t depth_ = 0;
  std::size_t skipping_ = 0;  // open objects and arrays inside an unknown field
  bool done_ = false;
  bool failed_ = false;
  PackWriter pack_;
  base::Error problem_;
  Mark problem_mark_;
};

// Checks the events of one object as a Decoder<T> does where `shape` is shape_of<T>(), but gives the bytes for unpack<T>()
// instead of a T. For one thread; reusable after take().
class Packer final : public ObjectBuilder {
 public:
  // With `marks` the places of fields are packed too; `positions` of the options are not used.
  Packer(const Shape& shape, DecodeOptions options, bool marks);

  // The bytes, or why there are none. Starts afresh either way.
  base::Result<std::string> take();

 private:
  std::string packed_;
};

// A last word once all fields are in; specialised where fields depend on each other.
template <class T>
void complete(T&) {}
template <>
void complete(Autoscaler& autoscaler);
template <>
void complete(Workload& workload);

// Builds one T from the events of one JSON/YAML object. Unknown fields are skipped; null is an absent field; a field of
// the wrong type is kInvalid: `spec.replicas: expected an integer, got "three"`. Members `kind` (GroupKind, or string
// with `api_version`) are filled from apiVersion and kind. For one thread; reusable after take(). T needs a field table
// (schema.h); the types of this module have one, declared below, in status.h and in kubeconfig.h.
template <class T>
class Decoder final : public ObjectBuilder {
 public:
  explicit Decoder(DecodeOptions options = {}) : ObjectBuilder(shape_of<T>(), &object_, std::move(options)) {}

  // The object, or why there is none (also when events are still missing). Starts afresh either way.
  base::Result<T> take() {
    base::Result<void> finished = finish();
    base::Result<T> result = finished ? base::Result<T>(std::move(object_)) : base::unexpected(finished.error());
    if (result) stamp(*result);
    object_ = T();
    reset();
    return result;
  }

 private:
  void stamp(T& object) {
    if constexpr (requires { requires std::is_same_v<decltype(object.kind), GroupKind>; }) {
      object.kind = GroupKind{group_, kind_};
    } else if constexpr (requires { requires std::is_same_v<decltype(object.api_version), std::string>; }) {
      object.api_version = api_version_;
      object.kind = kind_;
    }
    objects::complete(object);
  }

  T object_;
};

// One whole JSON text into T.
template <class T>
base::Result<T> decode_json(std::string_view json, const DecodeOptions& options = {}) {
  Decoder<T> decoder(options);
  if (base::Result<void> parsed = parse_json(json, decoder); !parsed) return base::unexpected(parsed.error());
  return decoder.take();
}

// Makes of what a Packer packed what a Decoder<T> would have made. For one thread; keeps memory from object to object.
template <class T>
class Unpacker {
 public:
  // With the positions of its fields (but for apiVersion and kind) when marks were packed. `kind` is given to it as to an item
  // of a list.
  base::Result<T> unpack(std::string_view packed, const GroupKind& kind, PositionMap* positions = nullptr) {
    DecodeOptions options;
    options.positions = positions;
    options.kind = kind;
    return unpack(packed, std::move(options));
  }
  // Its parts of one type, &shape_of<PodSpec> for example, stay as if they were not written, which takes less time. The type
  // must be sized.
  base::Result<T> unpack_without(const Shape& (*leave_out)(), std::string_view packed, const GroupKind& kind) {
    DecodeOptions options;
    options.leave_out = leave_out;
    options.kind = kind;
    return unpack(packed, std::move(options));
  }

 private:
  base::Result<T> unpack(std::string_view packed, DecodeOptions options) {
    decoder_.use(std::move(options));
    decoder_.replay(packed);
    return decoder_.take();
  }

  Decoder<T> decoder_;
};

// One object.
template <class T>
base::Result<T> unpack(std::string_view packed, const GroupKind& kind, PositionMap* positions = nullptr) {
  return Unpacker<T>().unpack(packed, kind, positions);
}

// Any object by its metadata alone: bookmarks, existence checks, kinds that are not read.
struct PartialObject {
  std::string api_version;
  std::string kind;
  ObjectMeta meta;
};

template <>
const Shape& shape_of<ObjectMeta>();
template <>
const Shape& shape_of<LabelSelector>();
template <>
const Shape& shape_of<PodSpec>();
template <>
const Shape& shape_of<PodTemplate>();
template <>
const Shape& shape_of<Condition>();
template <>
const Shape& shape_of<PartialObject>();
template <>
const Shape& shape_of<Workload>();
template <>
const Shape& shape_of<PodDisruptionBudget>();
template <>
const Shape& shape_of<Service>();
template <>
const Shape& shape_of<Autoscaler>();
template <>
const Shape& shape_of<JobTemplate>();
template <>
const Shape& shape_of<Namespace>();
template <>
const Shape& shape_of<Pod>();
template <>
const Shape& shape_of<Lease>();

}  // namespace shutdown_auditor::objects
