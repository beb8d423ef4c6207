#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "objects/decode.h"

namespace shutdown_auditor::manifest {

// What is wrong with a file, or worth saying about it.
struct Problem {
  enum class Severity { kError, kNote };
  Severity severity = Severity::kError;
  std::string file;
  objects::Mark mark;  // {0, 0}: the file as a whole
  std::string message;  // names the Helm template where it is known
};
// "file:line:column: message"
std::string to_string(const Problem& problem);

// A kind that is not read any further.
struct Other {
  objects::ObjectMeta meta;
};

using Value = std::variant<Other, objects::Workload, objects::PodDisruptionBudget, objects::Service, objects::Autoscaler,
                           objects::JobTemplate, objects::Namespace, objects::Pod>;

// One Kubernetes object of a file.
struct Object {
  objects::GroupKind kind;
  std::string api_version;  // as written
  objects::Mark start;      // its first key
  std::string template_name;  // of the Helm chart it was rendered from, when a comment says so
  objects::PositionMap positions;
  // With LoadOptions::pack, of workloads and Pods: for objects::unpack(), with the positions. Their `value` is then an Other
  // that has name and namespace only.
  std::string packed;
  Value value;
};
const objects::ObjectMeta& meta_of(const Object& object);

struct LoadOptions {
  bool (*keep_annotation)(std::string_view key) = nullptr;  // null keeps all
  bool positions = true;
  bool pack = false;
  unsigned threads = 1;  // how many may read a long text of many documents
};

// Where a text comes from: puts up to `size` bytes, at least one, into `buffer` and says how many; 0 at the end.
using TextSource = std::function<base::Result<std::size_t>(char* buffer, std::size_t size)>;
using ObjectCallback = std::function<void(Object&&)>;  // what is not moved from it is freed where it was made
using ProblemCallback = std::function<void(Problem)>;

// Reads the objects of one YAML or JSON file (see yaml_source.h), in order, the items of lists one by one, and says what
// could not be read; everything else is used. Documents without apiVersion or kind are errors. One note a file when
// documents look like templates that were not rendered; those are skipped. `file` is only a name for messages.
// The text is read bit by bit and never held whole, unless it is one document. A source that fails ends it with its message.
// The callbacks are called on this thread, in the order of the text, whatever the number of threads.
void load(const TextSource& source, const std::string& file, const LoadOptions& options, const ObjectCallback& object,
          const ProblemCallback& problem);
void load(std::string_view content, const std::string& file, const LoadOptions& options, const ObjectCallback& object,
          const ProblemCallback& problem);

}  // namespace shutdown_auditor::manifest
