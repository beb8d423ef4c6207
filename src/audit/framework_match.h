#pragma once

#include <string_view>

#include "audit/argv.h"
#include "audit/framework_table.h"
#include "objects/workload.h"

namespace shutdown_auditor::audit {

// An image reference in its parts: registry/repository:tag@digest. Borrowed.
struct ImageName {
  std::string_view registry;    // empty: none written
  std::string_view repository;  // without the "library/" of official images
  std::string_view tag;
  bool docker_hub = false;      // Docker Hub, or the library/ of a mirror: names without a slash are the official images
};
ImageName parse_image(std::string_view reference);

// True when text matches a pattern of * and ?; takes at most the product of both lengths.
bool glob_match(std::string_view pattern, std::string_view text);

// Does one of the maker's images have this name? A pattern without a slash is an official image and holds on Docker Hub
// only, so that other registries' images of the same name inherit nothing; one with ':' looks at the tag too.
bool is_image(Names patterns, const ImageName& image);

struct FrameworkMatch {
  const Framework* framework = nullptr;
  MatchedBy by = MatchedBy::kNone;
  bool hint = false;  // the image's name merely suggests it
};

// The framework of the program, best evidence first: executable, module, container name, variables, image. An image
// decides only when the program cannot be seen, or is a bare interpreter of that framework.
FrameworkMatch match_framework(const Program& program, const Environment& environment, const objects::Container& container);

}  // namespace shutdown_auditor::audit
