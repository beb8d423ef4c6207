#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "objects/box.h"
#include "objects/meta.h"

// Field tables: how the JSON fields of a type map to the members of a struct. A type is described by one table and one
// function; Decoder<T> (decode.h) does the rest:
//
//   template <> const Shape& shape_of<ServicePort>();   // in the header, or before the first table that uses it
//   constexpr auto kPort = table(field<&ServicePort::name>("name"), field<&ServicePort::port>("port"));
//   template <> const Shape& shape_of<ServicePort>() { return object_shape<kPort>(); }
//
// Whoever uses Decoder<T> must see the declaration of shape_of<T>().
namespace shutdown_auditor::objects {

struct Field;

// What a value must look like and how it is stored. Static data; function pointers get the address of the target.
struct Shape {
  enum class Kind : std::uint8_t { kSkip, kString, kBool, kInteger, kIntOrString, kObject, kArray, kMap };
  Kind kind = Kind::kSkip;
  bool annotations = false;                                 // kMap: DecodeOptions::keep_annotation applies
  bool int32 = false;                                       // kInteger: the API has 32 bits for it
  bool sized = false;                                       // kObject, as a field: can be left out when it is unpacked
  std::span<const Field> fields = {};                       // kObject
  const Shape& (*item)() = nullptr;                         // kArray, kMap: the shape of each value
  void* (*append)(void* target) = nullptr;                  // kArray: a new item
  void* (*insert)(void* target, std::string_view key) = nullptr;    // kMap: a new value
  void (*close)(void* target) = nullptr;                    // kArray, kMap: at its end
  void (*assign)(void* target, std::string_view text) = nullptr;    // kString: instead of a plain std::string
};

// One known field. `locate` gives the address its value goes to, made fresh; it is not called for null.
struct Field {
  std::string_view name;
  const Shape& (*shape)() = nullptr;
  void* (*locate)(void* parent) = nullptr;
};

// A field that belongs into a table of `Owner`.
template <class Owner>
struct FieldOf {
  Field field;
};

template <class T, std::size_t N>
struct Table {
  using Owner = T;
  std::array<Field, N> fields;
};

template <class T, class... Rest>
constexpr Table<T, 1 + sizeof...(Rest)> table(FieldOf<T> first, Rest... rest) {
  static_assert((std::is_same_v<Rest, FieldOf<T>> && ...), "all fields of a table belong to one type");
  return {{first.field, rest.field...}};
}

// The shape of a value of type T. Defined below for std::string, bool, int64_t, IntOrString, vector<U>,
// vector<pair<string, U>> (a JSON object with free keys, so also StringMap); other types specialise it.
template <class T>
const Shape& shape_of();

template <const auto& kTable, bool kSized = false>
const Shape& object_shape() {
  static const Shape kShape{.kind = Shape::Kind::kObject, .sized = kSized, .fields = kTable.fields};
  return kShape;
}

namespace detail {

template <auto kMember>
struct MemberOf;
template <class T, class M, M T::*kMember>
struct MemberOf<kMember> {
  using Owner = T;
  using Type = M;
};

// What a field of member type M decodes into: the M itself, or what its optional or Box holds.
template <class M>
struct Target {
  using Type = M;
  static void* fresh(M& member) {
    if constexpr (requires { member.clear(); }) member.clear();
    return &member;
  }
};
template <class M>
struct Target<std::optional<M>> {
  using Type = M;
  static void* fresh(std::optional<M>& member) { return &member.emplace(); }
};
template <class M>
struct Target<Box<M>> {
  using Type = M;
  static void* fresh(Box<M>& member) { return &member.emplace(); }
};

template <class T>
T& at(void* address) {
  return *static_cast<T*>(address);
}

template <class T>
struct IsPairVector : std::false_type {};
template <class U>
struct IsPairVector<std::vector<std::pair<std::string, U>>> : std::true_type {
  using Value = U;
};
template <class T>
struct IsVector : std::false_type {};
template <class U>
struct IsVector<std::vector<U>> : std::true_type {
  using Value = U;
};

// Sorted by key, the last of equal keys wins, no spare capacity (these objects stay in memory).
void close_string_map(void* map);

template <class T>
Shape make_shape() {
  using Kind = Shape::Kind;
  if constexpr (std::is_same_v<T, std::string>) {
    return {.kind = Kind::kString};
  } else if constexpr (std::is_same_v<T, bool>) {
    return {.kind = Kind::kBool};
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return {.kind = Kind::kInteger};
  } else if constexpr (std::is_same_v<T, IntOrString>) {
    return {.kind = Kind::kIntOrString};
  } else if constexpr (IsPairVector<T>::value) {
    using U = typename IsPairVector<T>::Value;
    Shape shape{.kind = Kind::kMap, .item = &shape_of<U>, .insert = [](void* map, std::string_view key) -> void* {
                  return &at<T>(map).emplace_back(std::string(key), U()).second;
                }};
    if constexpr (std::is_same_v<T, StringMap>) shape.close = &close_string_map;
    return shape;
  } else {
    static_assert(IsVector<T>::value, "give this type a table and specialise shape_of<T>()");
    using U = typename IsVector<T>::Value;
    return {.kind = Kind::kArray,
            .item = &shape_of<U>,
            .append = [](void* list) -> void* { return &at<T>(list).emplace_back(); },
            .close = [](void* list) { at<T>(list).shrink_to_fit(); }};
  }
}

inline const Shape& skip_shape() {
  static const Shape kShape{};
  return kShape;
}

}  // namespace detail

template <class T>
const Shape& shape_of() {
  static const Shape kShape = detail::make_shape<T>();
  return kShape;
}

// The field `name` goes to the member; a second member pointer reaches into the first: field<&Probe::handler,
// &Handler::exec>("exec"). Optionals (std::optional, Box) are made when the field is there and not null.
template <auto kMember>
constexpr auto field(std::string_view name) {
  using Member = detail::MemberOf<kMember>;
  using Target = detail::Target<typename Member::Type>;
  return FieldOf<typename Member::Owner>{{name, &shape_of<typename Target::Type>, [](void* parent) -> void* {
                                            return Target::fresh(detail::at<typename Member::Owner>(parent).*kMember);
                                          }}};
}
template <auto kOuter, auto kInner>
constexpr auto field(std::string_view name) {
  using Outer = detail::MemberOf<kOuter>;
  using Inner = detail::MemberOf<kInner>;
  using Target = detail::Target<typename Inner::Type>;
  return FieldOf<typename Outer::Owner>{{name, &shape_of<typename Target::Type>, [](void* parent) -> void* {
                                           return Target::fresh(
                                               (detail::at<typename Outer::Owner>(parent).*kOuter).*kInner);
                                         }}};
}

// An integer that is an int32 to the API; a number beyond that is refused as the server would.
template <auto kMember>
constexpr auto int32(std::string_view name) {
  auto made = field<kMember>(name);
  made.field.shape = []() -> const Shape& {
    static const Shape kInt32{.kind = Shape::Kind::kInteger, .int32 = true};
    return kInt32;
  };
  return made;
}

// A nested JSON object whose fields belong to the same struct: group<kSpec>("spec").
template <const auto& kTable>
constexpr auto group(std::string_view name) {
  using T = typename std::remove_cvref_t<decltype(kTable)>::Owner;
  return FieldOf<T>{{name, &object_shape<kTable>, [](void* parent) { return parent; }}};
}

// A JSON list whose objects all feed the same struct: "any of the volumes is …".
template <const auto& kTable>
constexpr auto each(std::string_view name) {
  using T = typename std::remove_cvref_t<decltype(kTable)>::Owner;
  constexpr auto kShape = []() -> const Shape& {
    static const Shape kList{.kind = Shape::Kind::kArray,
                             .item = &object_shape<kTable>,
                             .append = [](void* parent) { return parent; }};
    return kList;
  };
  return FieldOf<T>{{name, kShape, [](void* parent) { return parent; }}};
}

// The bool member becomes true when the field is there and not null, whatever it holds.
template <auto kMember>
constexpr auto present(std::string_view name) {
  using T = typename detail::MemberOf<kMember>::Owner;
  return FieldOf<T>{{name, &detail::skip_shape, [](void* parent) -> void* {
                       detail::at<T>(parent).*kMember = true;
                       return parent;
                     }}};
}

// The bool member becomes true when the field is a list with at least one item.
template <auto kMember>
constexpr auto non_empty(std::string_view name) {
  using T = typename detail::MemberOf<kMember>::Owner;
  constexpr auto kShape = []() -> const Shape& {
    static const Shape kList{.kind = Shape::Kind::kArray, .item = &detail::skip_shape, .append = [](void* parent) {
                               detail::at<T>(parent).*kMember = true;
                               return parent;
                             }};
    return kList;
  };
  return FieldOf<T>{{name, kShape, [](void* parent) { return parent; }}};
}

// A string field that a function stores: `void set(T&, std::string_view)`.
template <class T, void (*kSet)(T&, std::string_view)>
constexpr auto text(std::string_view name) {
  constexpr auto kShape = []() -> const Shape& {
    static const Shape kString{.kind = Shape::Kind::kString, .assign = [](void* target, std::string_view value) {
                                 kSet(detail::at<T>(target), value);
                               }};
    return kString;
  };
  return FieldOf<T>{{name, kShape, [](void* parent) { return parent; }}};
}

// metadata.annotations: a StringMap of which only what DecodeOptions::keep_annotation wants is kept.
template <auto kMember>
constexpr auto annotations(std::string_view name) {
  using T = typename detail::MemberOf<kMember>::Owner;
  constexpr auto kShape = []() -> const Shape& {
    static const Shape kMap = [] {
      Shape shape = detail::make_shape<StringMap>();
      shape.annotations = true;
      return shape;
    }();
    return kMap;
  };
  return FieldOf<T>{{name, kShape, [](void* parent) -> void* {
                       StringMap& map = detail::at<T>(parent).*kMember;
                       map.clear();
                       return &map;
                     }}};
}

}  // namespace shutdown_auditor::objects
