#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "manifest/config_document.h"
#include "manifest/loader.h"

namespace {

using shutdown_auditor::manifest::Problem;

// What says nothing, or nothing of where it is, unless it is about the file as a whole.
bool is_vague(const Problem& problem) {
  const bool of_file = problem.message.starts_with("a binary file") || problem.message.starts_with("begins as UTF-16");
  return problem.message.empty() || (problem.mark.line == 0 && !of_file);
}

}  // namespace

// A manifest file and a kubeconfig, as anyone may hand them in. Packed or not, a file has the same objects and problems.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace shutdown_auditor;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::size_t object_count = 0, problem_count = 0;
  manifest::load(
      text, "f", {},
      [&](const manifest::Object& object) {
        ++object_count;
        object.positions.find("spec.template.spec.containers[0].name");
      },
      [&](const Problem& problem) {
        ++problem_count;
        if (is_vague(problem)) std::abort();
      });
  manifest::LoadOptions packs;
  packs.pack = true;
  manifest::load(
      text, "f", packs,
      [&](const manifest::Object& object) {
        --object_count;
        if (object.packed.empty()) return;
        const bool pod = object.kind.kind == "Pod";
        if (pod && !objects::unpack<objects::Pod>(object.packed, object.kind)) std::abort();
        if (!pod && !objects::unpack<objects::Workload>(object.packed, object.kind)) std::abort();
      },
      [&](const Problem&) { --problem_count; });
  if (object_count != 0 || problem_count != 0) std::abort();
  const auto config = manifest::parse_kubeconfig(text, "f");
  if (!config && config.error().message.empty()) std::abort();
  return 0;
}
