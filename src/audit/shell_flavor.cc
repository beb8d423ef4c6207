#include <algorithm>
#include <array>

#include "audit/shell_main.h"
#include "audit/words.h"

namespace shutdown_auditor::audit {
namespace {

// Releases of Debian and Ubuntu, as their images and those built on them are tagged.
constexpr std::array<std::string_view, 14> kDebianWords{"debian", "ubuntu",  "slim", "bookworm", "bullseye",
                                                        "buster", "trixie",  "sid",  "stretch",  "noble",
                                                        "jammy",  "focal",   "bionic", "xenial"};
// Official images whose plain tags are built on Debian or Ubuntu, and what their tags say when one is not.
constexpr std::array<std::string_view, 22> kDebianImages{
    "python", "node",     "ruby", "php",    "perl",  "golang", "rust",     "maven", "gradle", "nginx",    "httpd",
    "redis",  "postgres", "mongo", "tomcat", "jetty", "pypy",   "rabbitmq", "julia", "gcc",    "memcached", "erlang"};
constexpr std::array<std::string_view, 8> kOtherBases{"oracle",      "oraclelinux", "amazoncorretto", "windowsservercore",
                                                      "nanoserver", "ubi",         "fedora",         "al"};

// An image without a registry of its own comes from Docker Hub; one without a user is an official image there.
std::string_view official_name(std::string_view repository) {
  for (const std::string_view prefix : {"docker.io/", "index.docker.io/", "library/"}) {
    if (repository.starts_with(prefix)) repository.remove_prefix(prefix.size());
  }
  return repository.find('/') == std::string_view::npos ? repository : std::string_view();
}

bool is_separator(char c) { return c == '-' || c == '_' || c == '.' || c == '/' || c == '+'; }

// `word` between the separators of a tag: "3.11-slim-bookworm" has slim; "alpine3.19" has alpine.
template <class Accept>
bool any_part(std::string_view text, Accept accept) {
  std::size_t begin = 0;
  while (begin <= text.size()) {
    std::size_t end = begin;
    while (end < text.size() && !is_separator(text[end])) ++end;
    std::string_view part = text.substr(begin, end - begin);
    while (!part.empty() && part.back() >= '0' && part.back() <= '9') part.remove_suffix(1);
    if (!part.empty() && accept(part)) return true;
    begin = end + 1;
  }
  return false;
}

ShellFlavor flavor_of_image(std::string_view image) {
  std::string_view repository = image.substr(0, image.find('@'));
  std::string_view tag;
  const std::size_t colon = repository.rfind(':');
  if (colon != std::string_view::npos && repository.find('/', colon) == std::string_view::npos) {
    tag = repository.substr(colon + 1);
    repository = repository.substr(0, colon);
  }
  const std::string_view name = base_name(repository);
  const auto ash = [](std::string_view part) { return part == "alpine" || part == "busybox"; };
  const auto debian = [](std::string_view part) { return is_one_of(part, kDebianWords); };
  const auto other = [](std::string_view part) { return is_one_of(part, kOtherBases); };
  if (any_part(tag, ash) || any_part(name, ash)) return ShellFlavor::kAsh;
  if (any_part(tag, debian) || name == "debian" || name == "ubuntu") return ShellFlavor::kDash;
  if (any_part(tag, other)) return ShellFlavor::kUnknown;
  return is_one_of(official_name(repository), kDebianImages) ? ShellFlavor::kDash : ShellFlavor::kUnknown;
}

}  // namespace

ShellFlavor shell_flavor(const objects::Container& container, std::string_view program) {
  const std::string_view name = base_name(program);
  if (name == "bash" || name == "rbash") return ShellFlavor::kBash;
  if (name == "dash") return ShellFlavor::kDash;
  if (name == "ash" || name == "busybox") return ShellFlavor::kAsh;
  return name == "sh" ? flavor_of_image(container.image) : ShellFlavor::kUnknown;
}

ShellFlavor LazyFlavor::look_up() const {
  static const objects::Container kNothing;
  return shell_flavor(container_ != nullptr ? *container_ : kNothing, program_);
}

bool LazyFlavor::is_bash() const {
  const std::string_view name = base_name(program_);
  return name == "bash" || name == "rbash";
}

}  // namespace shutdown_auditor::audit
