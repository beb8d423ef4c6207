#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace shutdown_auditor::base {

// What kind of failure a plain Error is, for the callers that must choose (exit code, retry, verdict).
enum class ErrorKind {
  kInvalid,    // input that does not parse or breaks a rule; never worth a retry
  kNotFound,   // a file, entry or object that is not there
  kIo,         // the operating system refused or failed
  kTooLarge,   // over a limit of ours
  kTimeout,    // a deadline passed
  kCancelled,  // a stop was requested
  kInternal,   // a bug of ours or of a library
};

// "Invalid", "NotFound", … for logs.
std::string_view to_string(ErrorKind kind);

// A failure without further structure. `message` is one line for a person: what, where, which value.
struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;

  // "context: message", same kind.
  [[nodiscard]] Error with_context(std::string_view context) const;
};

// Wraps an error so that it converts to any Result<T, E>; see `fail` below.
template <class E>
struct Unexpected {
  E error;
};

template <class E>
Unexpected<E> unexpected(E error) {
  return Unexpected<E>{std::move(error)};
}

// A failed Result<T>: `return fail(ErrorKind::kInvalid, "…");`
inline Unexpected<Error> fail(ErrorKind kind, std::string message) {
  return {Error{kind, std::move(message)}};
}

// A value or the reason why there is none: the interface of std::expected, which g++ 12 offers in C++23 only.
// Reading the value of a failed Result throws std::bad_variant_access (a bug of the caller). Copy- and movable when
// T and E are; not synchronised.
template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = E;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  template <class G>
  Result(Unexpected<G> failure) : state_(std::in_place_index<1>, std::move(failure.error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T value_or(T fallback) const& { return has_value() ? value() : std::move(fallback); }

  E& error() { return std::get<1>(state_); }
  const E& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, E> state_;
};

// Success or the reason of the failure.
template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  using value_type = void;
  using error_type = E;

  Result() = default;
  template <class G>
  Result(Unexpected<G> failure) : state_(std::in_place_index<1>, std::move(failure.error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  E& error() { return std::get<1>(state_); }
  const E& error() const { return std::get<1>(state_); }

 private:
  std::variant<std::monostate, E> state_;
};

}  // namespace shutdown_auditor::base
