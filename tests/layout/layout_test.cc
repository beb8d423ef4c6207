// Checks the structure of the source tree, and on made-up trees that the check would notice.
#include <gmock/gmock.h>

#include <filesystem>

#include "layout_rules.h"
#include "support/temp_dir.h"

namespace shutdown_auditor::layout {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Layout, IncludesAndLinksFollowTheDesign) { EXPECT_THAT(source_violations(SA_SOURCE_DIR), IsEmpty()); }

TEST(Layout, TheRepositoryStandsAlone) { EXPECT_THAT(outside_references(SA_SOURCE_DIR), IsEmpty()); }

// A small project that keeps the rules.
class Tree {
 public:
  Tree() {
    file("src/base/CMakeLists.txt", "sa_add_module(base SOURCES a.cc LIBS fmt::fmt)");
    file("src/objects/CMakeLists.txt", "sa_add_module(objects\n  SOURCES a.cc\n  DEPS base)");
    file("src/audit/CMakeLists.txt", "sa_add_module(audit SOURCES a.cc DEPS objects PRIVATE_LIBS fmt::fmt)");
    file("src/http/CMakeLists.txt", "sa_add_module(http SOURCES a.cc DEPS base)");
    file("src/kube/CMakeLists.txt", "sa_add_module(kube SOURCES a.cc DEPS http objects)");
  }

  void file(const std::string& path, const std::string& text) const { dir_.write(path, text); }
  fs::path root() const { return dir_.path(); }

 private:
  testing_support::TempDir dir_;
};

TEST(LayoutRules, AGoodTreeHasNoViolations) {
  const Tree tree;
  tree.file("src/base/text.h", "#pragma once\n#include <string>\n");
  tree.file("src/audit/a.cc", "#include \"audit/a.h\"\n#include \"objects/b.h\"\n#include \"base/text.h\"\n");
  tree.file("src/http/cpprest_transport.cc", "#include <cpprest/http_client.h>\n");
  tree.file("src/kube/a.cc", "namespace shutdown_auditor::kube {}\n#include \"http/x.h\"  // why\n");
  EXPECT_THAT(source_violations(tree.root()), IsEmpty());
}

TEST(LayoutRules, EachViolationIsFound) {
  const struct {
    const char* path;
    const char* text;
    const char* expected;
  } kCases[] = {
      {"src/base/a.cc", "#include \"objects/meta.h\"", "src/base/a.cc: includes objects against the direction"},
      {"src/objects/a.h", "#include \"audit/audit.h\"", "src/objects/a.h: includes audit against the direction"},
      {"src/audit/a.cc", "  #include \"http/x.h\"", "src/audit/a.cc: includes http against the direction"},
      {"src/kube/a.cc", "#include \"base/text.h\"\n#include \"runtime/x.h\"",
       "src/kube/a.cc: includes runtime against the direction"},
      {"src/report/CMakeLists.txt", "sa_add_module(report SOURCES a.cc DEPS audit kube)",
       "src/report/CMakeLists.txt: links kube against the direction"},
      {"src/audit/a.cc", "#include <fstream>", "src/audit/a.cc: includes <fstream>: the audit is pure"},
      {"src/audit/a.cc", "#include <thread>", "src/audit/a.cc: includes <thread>: the audit is pure"},
      {"src/audit/a.h", "#include <boost/asio.hpp>", "src/audit/a.h: includes <boost/asio.hpp>: the audit is pure"},
      {"src/kube/a.cc", "#include <cpprest/json.h>",
       "src/kube/a.cc: includes <cpprest/json.h>: only http/cpprest_transport may"},
      {"src/http/beast_server.cc", "#include <pplx/pplxtasks.h>",
       "src/http/beast_server.cc: includes <pplx/pplxtasks.h>: only http/cpprest_transport may"},
      {"src/kube/a.cc", "// for a ShutdownAudit", "src/kube/a.cc: speaks of shutdown audits"},
      {"src/base/a.cc", "#include \"text.h\"", "src/base/a.cc: includes \"text.h\", which is not \"module/name.h\""},
      {"src/base/a.cc", "#include MACRO", "src/base/a.cc: has an include that is no file: #include MACRO"},
      {"src/base/deep/a.cc", "", "src/base/deep/a.cc: modules are flat"},
      {"src/main.cc", "", "src/main.cc: belongs into a module's folder"},
      {"src/misc/a.cc", "", "src/misc: is not a module of the design"},
  };
  for (const auto& test : kCases) {
    const Tree tree;
    tree.file(test.path, test.text);
    EXPECT_THAT(source_violations(tree.root()), ElementsAre(test.expected));
  }
}

TEST(LayoutRules, AnIncludedModuleMustBeLinked) {
  const Tree tree;
  tree.file("src/kube/CMakeLists.txt", "sa_add_module(kube SOURCES a.cc DEPS http)  # DEPS objects");
  tree.file("src/kube/a.cc", "#include \"objects/meta.h\"\n#include \"base/text.h\"");
  EXPECT_THAT(source_violations(tree.root()), ElementsAre("src/kube/a.cc: includes objects, which the module does not link"));
}

TEST(LayoutRules, OutsideReferencesAreFound) {
  const Tree tree;
  const std::string outside = std::string("see ../") + "shared/spec";
  tree.file("docs/a.md", outside);
  tree.file("build/a.md", outside);
  tree.file(".git/a", outside);
  tree.file("README.md", "see docs");
  EXPECT_THAT(outside_references(tree.root()), ElementsAre("docs/a.md"));
}

}  // namespace
}  // namespace shutdown_auditor::layout
