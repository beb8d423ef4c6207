#pragma once

#include <cstdint>
#include <forward_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "objects/workload.h"

namespace shutdown_auditor::audit {

// The variables a container's program starts with, as far as the manifest tells. Borrows the container.
class Environment {
 public:
  explicit Environment(const objects::Container& container);

  enum class State : std::uint8_t { kAbsent, kLiteral, kHidden };  // hidden: from a ConfigMap, Secret or field
  struct Value {
    State state = State::kAbsent;
    std::string_view text;
  };
  Value get(std::string_view name) const;
  // A variable set on the command line (V=1 program); it wins. The first 256 of them are kept.
  void set(std::string_view name, std::string_view value);
  // envFrom: other names may be set.
  bool open() const { return open_; }

  struct Entry {
    std::string_view name;
    Value value;
  };
  const std::vector<Entry>& entries() const { return entries_; }  // sorted by name, names unique

 private:
  std::vector<Entry> entries_;
  std::forward_list<std::string> owned_;
  int assignments_ = 0;
  bool open_ = false;
};

// $(NAME) as Kubernetes expands it in command, args and values of env: $$ is a dollar, unknown names stay as written. At
// most `limit` bytes.
std::string expand_references(std::string_view text, const Environment& environment, std::size_t limit);

// A word of a shell script with $NAME, ${NAME}, ${NAME:-text} and ${NAME-text} expanded and its quotes removed; what is not
// in the manifest stays as written. Stops growing at `limit` bytes.
std::string expand_parameters(std::string_view word, const Environment& environment, std::size_t limit);

// The program a container ends up running, and whether the stop signal gets there.
struct Program {
  enum class Delivery : std::uint8_t {
    kDirect,   // the program itself gets it
    kLost,     // process 1 passes nothing on
    kCut,      // what started the program dies at once and takes it along
    kUnsure,   // hangs on something the manifest does not tell: `reason`
    kUnknown,  // nothing to say
  };
  std::vector<std::string> argv;  // its words; empty: not in the manifest
  Delivery delivery = Delivery::kDirect;
  std::string reason;             // in words, for kLost, kCut and kUnsure
  std::string remedy;
  bool process_one = true;
  bool opaque = false;            // a script of the image stands where the program was expected
  bool args_only = false;         // the words go to the image's own ENTRYPOINT
  std::vector<std::pair<std::string, std::string>> rewrites;  // signals dumb-init replaces; second empty: dropped
};

// Follows command and args through the wrappers of the knowledge base, shells with -c included; what they set goes into
// `environment`. Without a command the image's ENTRYPOINT comes first: only that of official images is known. Linear in
// the container's text; any input is fine.
Program read_program(const objects::Container& container, bool shared_process_namespace, Environment& environment);

// "15", "TERM" or "SIGTERM" -> "SIGTERM"; empty: not known.
std::string_view signal_name(std::string_view text);

}  // namespace shutdown_auditor::audit
