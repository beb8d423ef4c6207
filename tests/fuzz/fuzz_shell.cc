#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "audit/command.h"
#include "audit/prestop.h"
#include "audit/shell_main.h"
#include "audit/shell_syntax.h"

// A hook as anyone may write it: the words of an exec command with zero bytes between them; a single one is the script of
// a shell.
namespace {

using namespace shutdown_auditor;

void require(bool condition) {
  if (!condition) std::abort();
}

void check(const audit::CommandReading& reading, std::size_t size) {
  require(reading.min_ms >= 0 && reading.min_ms <= reading.max_ms);
  if (reading.nominal_ms) require(*reading.nominal_ms >= reading.min_ms && *reading.nominal_ms <= reading.max_ms);
  require(reading.outcome == audit::CommandReading::Outcome::kTimed || !reading.reason.empty());
  require(reading.steps <= 150'000 + 2 * size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin <= size;) {
    const std::size_t end = std::min(text.find('\0', begin), size);
    words.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  if (words.size() == 1) words = {size % 2 == 0 ? "bash" : "sh", "-c", words[0]};
  objects::Container container;
  container.image = size % 3 == 0 ? "debian:12" : size % 3 == 1 ? "alpine:3" : "registry.local/app:1";
  container.env = {{"DELAY", "7", false}, {"LIST", "1 2 3", false}, {"AGAIN", "$(DELAY) $(LIST)", false},
                   {"SECRET", {}, true}};
  container.pre_stop.emplace();
  container.pre_stop->exec = objects::ExecAction{words};
  check(audit::read_command(words), size);
  check(audit::read_command(words, &container), size);

  const audit::PreStopReading hook = audit::read_pre_stop(container);
  require(hook.kind != audit::PreStopKind::kNone && !hook.reason.empty());
  require(hook.kind != audit::PreStopKind::kExact || (hook.max_ms && *hook.max_ms == hook.min_ms));

  const std::string& script = words.back();
  require(audit::parse_shell(script).steps <= 3 * script.size() + 16);
  for (const audit::ShellFlavor flavor : {audit::ShellFlavor::kUnknown, audit::ShellFlavor::kDash, audit::ShellFlavor::kBash,
                                          audit::ShellFlavor::kAsh}) {
    const audit::ShellMain main = audit::shell_main(script, flavor);
    require(main.reason.empty() == (main.fate == audit::ShellMain::Fate::kReplaced));
    require(!main.argv.empty() || main.fate == audit::ShellMain::Fate::kUnknown);
  }
  return 0;
}
