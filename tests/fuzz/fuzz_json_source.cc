#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "objects/json_source.h"

// Two parsers read the same bytes: what nlohmann takes, our events must build again, and what it refuses must be refused.
namespace {

using namespace shutdown_auditor;
using nlohmann::json;

// Makes a value of events; of equal keys the last one stays, as with nlohmann.
class Builder final : public objects::EventHandler {
 public:
  const json& value() const { return value_; }
  std::size_t events() const { return events_; }

  bool start_object(objects::Mark) override { return open(json::object()); }
  bool key(std::string_view name, objects::Mark) override {
    open_.back().name = name;
    ++events_;
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(objects::Mark) override { return open(json::array()); }
  bool end_array() override { return close(); }
  bool null(objects::Mark) override { return add(nullptr); }
  bool boolean(bool value, std::string_view, objects::Mark) override { return add(value); }
  bool integer(std::int64_t value, std::string_view, objects::Mark) override { return add(value); }
  bool number(double value, std::string_view, objects::Mark) override { return add(value); }
  bool string(std::string_view value, objects::Mark) override { return add(value); }
  base::Error problem() const override { return {}; }

 private:
  struct Open {
    json value;
    std::string name;
  };
  bool open(json value) {
    open_.push_back({std::move(value), {}});
    ++events_;
    return true;
  }
  bool close() {
    json value = std::move(open_.back().value);
    open_.pop_back();
    return add(std::move(value));
  }
  bool add(json value) {
    ++events_;
    if (open_.empty()) {
      value_ = std::move(value);
    } else if (Open& parent = open_.back(); parent.value.is_array()) {
      parent.value.push_back(std::move(value));
    } else {
      parent.value[parent.name] = std::move(value);
    }
    return true;
  }

  json value_;
  std::vector<Open> open_;
  std::size_t events_ = 0;
};

// Hands out a few bytes at a time.
class Crumbs final : public objects::ByteSource {
 public:
  explicit Crumbs(std::string_view text) : rest_(text) {}
  base::Result<std::size_t> read(std::span<char> buffer) override {
    const std::size_t count = rest_.copy(buffer.data(), std::min<std::size_t>(buffer.size(), 3));
    rest_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view rest_;
};

void expect(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Builder builder;
  const base::Result<void> read = objects::parse_json(text, builder);
  expect(read || !read.error().message.empty());

  Builder again;
  Crumbs crumbs(text);
  const base::Result<void> in_crumbs = objects::parse_json(crumbs, again);
  expect(in_crumbs.has_value() == read.has_value() && again.events() == builder.events() && again.value() == builder.value());
  if (!read) expect(in_crumbs.error().message == read.error().message);

  Builder marked;
  objects::Mark stopped;
  const base::Result<std::size_t> used = objects::parse_json_with_marks(text, {1, 1}, marked, stopped);
  if (read) expect(used && text.find_first_not_of(" \t\r\n", *used) == std::string_view::npos && marked.value() == builder.value());

  // A byte order mark, which nlohmann skips; a NUL, which it takes for the end.
  if (text.starts_with("\xef\xbb\xbf") || text.find('\0') != std::string_view::npos) {
    expect(!read);
  } else if (!read && (read.error().message.find("nested deeper than") != std::string::npos ||
                       read.error().message.find("number overflow") != std::string::npos)) {
    return 0;  // limits nlohmann does not have: of depth, and of an exponent whatever it belongs to ("0e400")
  } else {
    const json theirs = json::parse(text, nullptr, false);
    expect(theirs.is_discarded() != read.has_value());
    if (read) expect(theirs == builder.value());
  }
  return 0;
}
