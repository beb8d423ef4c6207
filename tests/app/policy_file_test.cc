#include "app/policy_file.h"

#include <gmock/gmock.h>

#include "console.h"

namespace shutdown_auditor::app {
namespace {

using testing::HasSubstr;

TEST(PolicyFile, Read) {
  const TempDir dir;
  const std::string path = dir.write("p.yaml", R"(apiVersion: shutdownaudit.dev/v1alpha1
kind: ShutdownPolicy
metadata:
  name: strict
spec:
  defaults:
    maxRequestSeconds: 30
    cleanupSeconds: 20
    bufferSeconds: 5
  excludeNamespaces: [batch]
)");
  const base::Result<audit::Policy> policy = read_policy_file(path);
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->name, "strict");
  EXPECT_EQ(policy->max_request_seconds, 30);
  EXPECT_EQ(policy->cleanup_seconds, 20);
  EXPECT_THAT(policy->exclude_namespaces, testing::ElementsAre("batch"));
}

TEST(PolicyFile, ErrorsNameFileAndField) {
  constexpr const char* kHead = "apiVersion: shutdownaudit.dev/v1alpha1\nkind: ShutdownPolicy\nmetadata: {name: x}\nspec:\n";
  const struct {
    std::string text;
    const char* part;
  } kCases[] = {
      {"", ""},
      {"apiVersion: v1\nkind: ConfigMap\n", "ShutdownPolicy"},
      {std::string(kHead) + "  defaults: {maxRequestSeconds: thirty}\n", "maxRequestSeconds"},
      {std::string(kHead) + "  defaults: {maxRequestSeconds: -1}\n", "maxRequestSeconds"},
      {std::string(kHead) + "  default: {maxRequestSeconds: 1}\n", "default"},
      {std::string(kHead) + "  checks: [{id: no-such-check}]\n", "no-such-check"},
      {std::string(kHead) + "  exemptions: [{name: a}]\n", "reason"},
      {std::string(kHead) + "  defaults: {}\n  defaults: {}\n", "defaults"},
      {std::string(kHead) + "---\n" + kHead, "document"},
      {"a: [", ""},
  };
  const TempDir dir;
  for (const auto& test : kCases) {
    const std::string path = dir.write("p.yaml", test.text);
    const base::Result<audit::Policy> policy = read_policy_file(path);
    ASSERT_FALSE(policy) << test.text;
    EXPECT_THAT(policy.error().message, HasSubstr(path)) << test.text;
    EXPECT_THAT(policy.error().message, HasSubstr(test.part)) << test.text;
  }
  EXPECT_EQ(read_policy_file(dir.path() + "/none").error().kind, base::ErrorKind::kNotFound);
}

}  // namespace
}  // namespace shutdown_auditor::app
