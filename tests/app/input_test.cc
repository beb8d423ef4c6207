#include "app/input.h"

#include <gmock/gmock.h>

#include "console.h"

namespace shutdown_auditor::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kConfigMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

std::vector<std::string> files_of(const Input& input, const std::string& root) {
  std::vector<std::string> out;
  for (const InputObject& item : input.objects) {
    out.push_back(item.file.starts_with(root) ? item.file.substr(root.size() + 1) : item.file);
  }
  return out;
}

TEST(ReadInput, DirectoriesInNameOrder) {
  const TempDir dir;
  for (const char* name : {"b.yaml", "a.yml", "c.json", "notes.txt", "Makefile", "deep/d.yaml", "deep/er/e.yaml"}) {
    dir.write(name, std::string(name) == "c.json" ? R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}})"
                                                 : kConfigMap);
  }
  std::istringstream none;
  EXPECT_THAT(files_of(read_input({dir.path()}, false, none), dir.path()), ElementsAre("a.yml", "b.yaml", "c.json"));
  EXPECT_THAT(files_of(read_input({dir.path()}, true, none), dir.path()),
              ElementsAre("a.yml", "b.yaml", "c.json", "deep/d.yaml", "deep/er/e.yaml"));
}

TEST(ReadInput, LinksToDirectoriesAreNotFollowed) {
  const TempDir dir;
  dir.write("a.yaml", kConfigMap);
  std::filesystem::create_directory_symlink(dir.path(), dir.path() + "/loop");
  std::filesystem::create_symlink("somebody@host.1:2", dir.path() + "/.#a.yaml");
  std::istringstream none;
  const Input input = read_input({dir.path()}, true, none);
  EXPECT_THAT(files_of(input, dir.path()), ElementsAre("a.yaml"));
  EXPECT_FALSE(input.failed());

  std::filesystem::create_symlink("/nowhere", dir.path() + "/dangling.yaml");
  const Input dangling = read_input({dir.path()}, true, none);
  EXPECT_THAT(files_of(dangling, dir.path()), ElementsAre("a.yaml"));
  ASSERT_EQ(dangling.problems.size(), 1U);
  EXPECT_EQ(to_string(dangling.problems[0]), dir.path() + "/dangling.yaml: a link to /nowhere, which does not exist");
}

TEST(ReadInput, WhatIsNamedTwiceIsReadOnce) {
  const TempDir dir;
  const std::string file = dir.write("a.yaml", kConfigMap);
  std::istringstream in(kConfigMap);
  const Input input = read_input({file, dir.path(), dir.path() + "/../" + dir.path().substr(dir.path().rfind('/') + 1), "-", "-"},
                                 false, in);
  EXPECT_EQ(input.objects.size(), 2U);
}

TEST(ReadInput, StandardInput) {
  std::istringstream in(kConfigMap);
  const Input input = read_input({"-"}, false, in);
  ASSERT_EQ(input.objects.size(), 1U);
  EXPECT_EQ(input.objects[0].file, "stdin");
  EXPECT_EQ(input.objects[0].object.start.line, 1U);
}

TEST(ReadInput, WhatCannotBeReadIsSaidAndTheRestIsUsed) {
  const TempDir dir;
  const std::string good = dir.write("good.yaml", kConfigMap);
  const std::string missing = dir.path() + "/missing.yaml";
  std::istringstream none;
  const Input input = read_input({missing, good}, false, none);
  EXPECT_EQ(input.objects.size(), 1U);
  ASSERT_EQ(input.problems.size(), 1U);
  EXPECT_TRUE(input.failed());
  EXPECT_EQ(to_string(input.problems[0]), missing + ": No such file or directory");
}

TEST(ReadInput, OnlyAnnotationsThatAreReadAreKept) {
  std::istringstream in(
      "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\n  annotations:\n    big: text\n"
      "    shutdownaudit.dev/cleanup-seconds: \"5\"\n    helm.sh/hook: test\n");
  const Input input = read_input({"-"}, false, in);
  ASSERT_EQ(input.objects.size(), 1U);
  EXPECT_EQ(manifest::meta_of(input.objects[0].object).annotations.size(), 2U);
}

}  // namespace
}  // namespace shutdown_auditor::app
