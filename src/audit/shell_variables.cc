#include "audit/shell_variables.h"

#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::size_t kMaxNames = 128;
constexpr std::size_t kMaxBytes = 1024;
constexpr std::size_t kMaxEntries = 1000;

using Entries = std::map<std::string_view, std::optional<std::string>>;

// $(NAME) with the entries before this one; unknown names stay as written, $$ is a dollar.
std::optional<std::string> expanded(std::string_view text, const Entries& before) {
  std::string result;
  for (std::size_t i = 0; i < text.size() && result.size() <= kMaxBytes; ++i) {
    if (text[i] != '$' || i + 1 >= text.size()) {
      result += text[i];
      continue;
    }
    const std::size_t end = text[i + 1] == '(' ? text.find(')', i) : std::string_view::npos;
    if (text[i + 1] == '$') {
      result += '$';
      ++i;
    } else if (end != std::string_view::npos) {
      const auto found = before.find(text.substr(i + 2, end - i - 2));
      if (found == before.end()) {
        result += text.substr(i, end + 1 - i);
      } else if (found->second) {
        result += *found->second;
      } else {
        return std::nullopt;
      }
      i = end;
    } else {
      result += text[i];
    }
  }
  return result.size() <= kMaxBytes ? std::optional(result) : std::nullopt;
}

}  // namespace

std::optional<std::string> ShellVariables::from_container(std::string_view name) const {
  if (container_ == nullptr || container_->env.size() > kMaxEntries) return std::nullopt;
  bool present = false;
  bool refers = false;
  for (const objects::EnvVar& each : container_->env) {
    present = present || each.name == name;
    refers = refers || (each.name == name && each.value && each.value->find('$') != std::string::npos);
  }
  if (!present) return std::nullopt;
  Entries seen;
  std::optional<std::string> value;
  for (const objects::EnvVar& each : container_->env) {
    if (!refers && each.name != name) continue;
    std::optional<std::string> now = each.from_source || !each.value ? std::nullopt : expanded(*each.value, seen);
    if (!each.from_source && !each.value) now = "";
    if (each.name == name) value = now;
    seen[each.name] = std::move(now);
  }
  // What refers to a name from envFrom would be resolved there.
  if (refers && container_->env_from && value && value->find("$(") != std::string::npos) return std::nullopt;
  return value;
}

std::optional<std::string> ShellVariables::get(std::string_view name) const {
  if (const auto found = assigned_.find(name); found != assigned_.end()) return found->second;
  if (forgotten_) return std::nullopt;
  std::optional<std::string> value = from_container(name);
  env_used_ = env_used_ || value.has_value();
  return value;
}

std::optional<std::int64_t> ShellVariables::number(std::string_view name) const {
  const std::optional<std::string> text = get(name);
  if (!text) return std::nullopt;
  const auto value = base::parse_int64(*text);
  return value ? std::optional(*value) : std::nullopt;
}

std::string ShellVariables::why_not(std::string_view name) const {
  const std::string shown = "the variable " + base::quoted(name, 40);
  if (assigned_.contains(name) || forgotten_) return shown + " gets a value that the manifest does not tell";
  if (container_ != nullptr) {
    for (const objects::EnvVar& each : container_->env) {
      if (each.name != name || !each.from_source) continue;
      return shown + " comes from a ConfigMap, Secret or field, which is not read";
    }
    if (container_->env_from) return shown + " is not in the container's env; it may come from envFrom, which is not read";
  }
  return shown + " is not in the container's env, and not in the manifest";
}

void ShellVariables::set(std::string_view name, std::optional<std::string> value) {
  if (value && value->size() > kMaxBytes) value.reset();
  if (const auto found = assigned_.find(name); found != assigned_.end()) {
    found->second = std::move(value);
  } else if (assigned_.size() >= kMaxNames || name.size() > kMaxBytes) {
    forget_all();
  } else {
    assigned_.emplace(name, std::move(value));
  }
}

void ShellVariables::merge(const State& other) {
  forgotten_ = forgotten_ || other.forgotten;
  for (auto& [name, value] : assigned_) {
    const auto found = other.assigned.find(name);
    const std::optional<std::string> theirs = found == other.assigned.end() ? from_container(name) : found->second;
    if (value != theirs) value.reset();
  }
  for (const auto& [name, value] : other.assigned) {
    if (!assigned_.contains(name)) set(name, value == from_container(name) ? value : std::nullopt);
  }
}

}  // namespace shutdown_auditor::audit
