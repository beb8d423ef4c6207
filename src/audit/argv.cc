#include "audit/argv.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::size_t kMaxValueBytes = 65536;
constexpr int kMaxAssignments = 256;  // each moves the entries behind it

struct Signal {
  std::string_view number;
  std::string_view name;
};
constexpr std::array kSignals{Signal{"1", "SIGHUP"},   Signal{"2", "SIGINT"},   Signal{"3", "SIGQUIT"},
                              Signal{"9", "SIGKILL"},  Signal{"10", "SIGUSR1"}, Signal{"12", "SIGUSR2"},
                              Signal{"15", "SIGTERM"}, Signal{"17", "SIGCHLD"}, Signal{"28", "SIGWINCH"},
                              Signal{"30", "SIGPWR"}};

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// A parameter at the front of `rest`, which starts with '$': its value, or as written when that is not known. Takes it off.
std::string take_parameter(std::string_view& rest, const Environment& environment) {
  std::size_t end = 1;
  std::string_view name;
  std::optional<std::string_view> fallback;
  if (rest.size() > 1 && rest[1] == '{') {
    const std::size_t close = rest.substr(0, 512).find('}');
    if (close != std::string_view::npos) {
      name = rest.substr(2, close - 2);
      end = close + 1;
      if (const std::size_t dash = name.find('-'); dash != std::string_view::npos) {
        fallback = name.substr(dash + 1);
        name = name.substr(0, dash > 0 && name[dash - 1] == ':' ? dash - 1 : dash);
      }
    }
  } else {
    while (end < rest.size() && is_name_char(rest[end])) ++end;
    name = rest.substr(1, end - 1);
  }
  std::string made(rest.substr(0, end));
  rest.remove_prefix(end);
  if (name.empty()) return made;
  const Environment::Value value = environment.get(name);
  if (value.state == Environment::State::kLiteral) return std::string(value.text);
  if (fallback && value.state == Environment::State::kAbsent && !environment.open()) return std::string(*fallback);
  return made;
}

bool by_name(const Environment::Entry& entry, std::string_view name) { return entry.name < name; }

}  // namespace

Environment::Environment(const objects::Container& container) : open_(container.env_from) {
  entries_.reserve(container.env.size());
  for (const objects::EnvVar& each : container.env) {
    const bool hidden = each.from_source || !each.value;
    entries_.push_back({each.name, {hidden && each.from_source ? State::kHidden : State::kLiteral,
                                    each.value ? std::string_view(*each.value) : std::string_view()}});
  }
  const auto before = [](const Entry& a, const Entry& b) { return a.name < b.name; };
  if (!std::is_sorted(entries_.begin(), entries_.end(), before)) std::stable_sort(entries_.begin(), entries_.end(), before);
  // Of a repeated name the last one counts.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (i + 1 < entries_.size() && entries_[i].name == entries_[i + 1].name) continue;
    entries_[kept++] = entries_[i];
  }
  entries_.resize(kept);
  // References in values: one level, which is how they are written; the sum of what is made here is bounded.
  std::size_t room = kMaxValueBytes;
  for (Entry& entry : entries_) {
    if (entry.value.text.find("$(") == std::string_view::npos || room == 0) continue;
    owned_.push_front(expand_references(entry.value.text, *this, room));
    room -= std::min(room, owned_.front().size());
    entry.value.text = owned_.front();
  }
}

Environment::Value Environment::get(std::string_view name) const {
  const auto place = std::lower_bound(entries_.begin(), entries_.end(), name, by_name);
  return place != entries_.end() && place->name == name ? place->value : Value{};
}

void Environment::set(std::string_view name, std::string_view value) {
  if (++assignments_ > kMaxAssignments) return;
  const std::string& kept_value = owned_.emplace_front(value);
  const auto place = std::lower_bound(entries_.begin(), entries_.end(), name, by_name);
  if (place != entries_.end() && place->name == name) {
    place->value = {State::kLiteral, kept_value};
    return;
  }
  const std::string& kept_name = owned_.emplace_front(name);
  entries_.insert(place, {kept_name, {State::kLiteral, kept_value}});
}

std::string expand_references(std::string_view text, const Environment& environment, std::size_t limit) {
  std::string made;
  std::size_t at = 0;
  while (at < text.size() && made.size() < limit) {
    const std::size_t dollar = std::min(text.find('$', at), text.size());
    made.append(text.substr(at, dollar - at));
    if (dollar == text.size()) break;
    at = dollar + 1;
    const char next = at < text.size() ? text[at] : '\0';
    if (next == '$') {
      made += '$';
      ++at;
      continue;
    }
    // A name of more than 256 bytes is none, which keeps the search for its end short.
    const std::size_t close = next == '(' ? text.substr(at, 258).find(')') : std::string_view::npos;
    if (close == std::string_view::npos) {
      made += '$';
      continue;
    }
    const Environment::Value value = environment.get(text.substr(at + 1, close - 1));
    if (value.state == Environment::State::kLiteral) {
      made.append(value.text.substr(0, limit));
    } else {
      made.append(text.substr(dollar, close + 2));
    }
    at += close + 1;
  }
  if (made.size() > limit) made.resize(limit);
  return made;
}

std::string expand_parameters(std::string_view word, const Environment& environment, std::size_t limit) {
  std::string made;
  bool double_quoted = false;
  while (!word.empty() && made.size() < limit) {
    const char c = word.front();
    if (c == '$') {
      made += take_parameter(word, environment);
      continue;
    }
    word.remove_prefix(1);
    if (c == '"') {
      double_quoted = !double_quoted;
    } else if (c == '\'' && !double_quoted) {
      const std::size_t close = std::min(word.find('\''), word.size());
      made.append(word.substr(0, close));
      word.remove_prefix(std::min(close + 1, word.size()));
    } else if (c == '\\' && !word.empty()) {
      made += word.front();
      word.remove_prefix(1);
    } else {
      made += c;
    }
  }
  return made;
}

std::string_view signal_name(std::string_view text) {
  for (const Signal& each : kSignals) {
    if (text == each.number || text == each.name || text == each.name.substr(3)) return each.name;
  }
  return {};
}

}  // namespace shutdown_auditor::audit
