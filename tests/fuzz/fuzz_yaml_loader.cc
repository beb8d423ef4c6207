#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "manifest/config_document.h"
#include "manifest/loader.h"

// A manifest file and a kubeconfig, as anyone may hand them in.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace shutdown_auditor;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  manifest::load(
      text, "f", {}, [](const manifest::Object& object) { object.positions.find("spec.template.spec.containers[0].name"); },
      [](const manifest::Problem& problem) {
        if (problem.message.empty() || problem.mark.line == 0) std::abort();
      });
  const auto config = manifest::parse_kubeconfig(text, "f");
  if (!config && config.error().message.empty()) std::abort();
  return 0;
}
