#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "objects/pod.h"

namespace shutdown_auditor::audit {

// Which shell `sh` is: the image decides. kUnknown: not told by the manifest.
enum class ShellFlavor : std::uint8_t { kUnknown, kDash, kBash, kAsh };

// The shell behind `program` ("bash", "/bin/sh", "busybox"). By its own name where that says so; for "sh" by the image:
// a tag or name with alpine or busybox means busybox ash; one that names a Debian or Ubuntu release or a slim variant,
// and the Debian based official images, mean dash; anything else tells nothing.
ShellFlavor shell_flavor(const objects::Container& container, std::string_view program);

// The same, looked up when it is first asked for: most scripts are read alike by all shells. Borrows both.
class LazyFlavor {
 public:
  LazyFlavor() = default;  // kUnknown
  LazyFlavor(const objects::Container* container, std::string_view program) : container_(container), program_(program) {}

  operator ShellFlavor() const {
    if (!known_) known_ = program_.empty() ? ShellFlavor::kUnknown : look_up();
    return *known_;
  }
  // No image is called bash: the name of the program alone tells.
  bool is_bash() const;

 private:
  ShellFlavor look_up() const;

  const objects::Container* container_ = nullptr;
  std::string_view program_;
  mutable std::optional<ShellFlavor> known_;
};

// The program that the script of `sh -c` ends up running, and what becomes of the shell that started it.
struct ShellMain {
  enum class Fate : std::uint8_t {
    kReplaced,  // the program takes the shell's place and gets its signals
    kStays,     // the shell waits for the program and passes no signal on
    kDies,      // the shell has handlers of its own: it ends at once on SIGTERM, and the program with it
    kTraps,     // a trap for the stop signal is set: what happens then is the script's business
    kUnknown,   // hangs on the flavour, which is not known, or on what is not in the manifest
  };
  // Words of the last simple command that runs as long as the container, after quote removal, `exec` taken off; words
  // that hold an expansion are as written. Empty: none, or the script cannot be read.
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> assignments;  // V=1 app
  Fate fate = Fate::kUnknown;
  std::string reason;  // in words: "the script goes on after the program", "a pipe", …; empty when replaced by `exec`
};

// Measured for Debian's dash 0.5.11-0.5.12, bash 5.2 and busybox ash 1.35: which last commands replace their shell
// without `exec`. Of kUnknown only what all three do alike is said, the rest is Fate::kUnknown. kTraps speaks of a trap
// for SIGTERM. Linear in the script; any input is fine.
ShellMain shell_main(std::string_view script, ShellFlavor flavor);

}  // namespace shutdown_auditor::audit
