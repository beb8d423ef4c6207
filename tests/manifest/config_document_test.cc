#include "manifest/config_document.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "objects/recording_handler.h"

namespace shutdown_auditor::manifest {
namespace {

using objects::RecordingHandler;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string error_of(const std::string& text) {
  RecordingHandler handler;
  const base::Result<void> result = read_config_document(text, "policy.yaml", handler);
  return result ? "" : result.error().message;
}

TEST(ConfigDocumentTest, PlaysOneDocumentWithMarks) {
  RecordingHandler handler(true);
  ASSERT_TRUE(read_config_document("a: yes\nb: [1, 'x', ~, 1.5]\nc: &d {e: \"2\"}\nf: *d\n", "p", handler));
  EXPECT_THAT(handler.events(),
              ElementsAre("{ @1:1", "key a @1:1", "bool true (yes) @1:4", "key b @2:1", "[ @2:4", "int 1 @2:5", "str x @2:8",
                          "null @2:13", "num 1.5 @2:16", "]", "key c @3:1", "{ @3:4", "key e @3:8", "str 2 @3:11", "}",
                          "key f @4:1", "{ @3:4", "key e @3:8", "str 2 @3:11", "}", "}"));
}

TEST(ConfigDocumentTest, AnEmptyDocumentPlaysNothing) {
  for (const char* text : {"", "\n", "# comment\n", "---\n", "null\n", "---\n...\n"}) {
    RecordingHandler handler;
    EXPECT_TRUE(read_config_document(text, "p", handler)) << text;
    EXPECT_THAT(handler.events(), IsEmpty()) << text;
  }
}

TEST(ConfigDocumentTest, RefusesWithAPlace) {
  const struct {
    std::string text;
    const char* message;
  } rows[] = {
      {"a: 1\nb: 2\na: 3\n", "policy.yaml:3:1: key \"a\" is already set at line 1"},
      {"x:\n  z: 1\n  z: 2\n", "policy.yaml:3:3: key \"z\" is already set at line 2"},
      {"a: 1\n---\nb: 2\n", "policy.yaml:3:1: more than one document"},
      {"a: 1\n---\nb: 2\nb: 3\n", "policy.yaml: more than one document"},
      {"a: [1\n", "policy.yaml:"},
      {"a: *nope\n", "policy.yaml:1:"},
      {"a: &x [*x]\n", "contains itself"},
      {"? [a]\n: b\n", "a key must be a plain value"},
      {"a: 'x\n", "policy.yaml:1:4: a quoted value without its closing quote"},
      {"b: 1\na: \"x\\\"", "policy.yaml:2:8: invalid YAML: illegal EOF in scalar"},
      {"é: 'x''", "policy.yaml:1:"},
      {"a: 1\nb: \xff\n", "policy.yaml:2:1: a line that is not UTF-8"},
      {std::string("a: b\0c\n", 7), "policy.yaml:1:1: a line with a control character"},
      {"\xFF\xFE", "not UTF-8"},
      {"'a', b\n", "policy.yaml:1:4: something follows the document"},
  };
  for (const auto& row : rows) EXPECT_THAT(error_of(row.text), HasSubstr(row.message)) << row.text;
}

TEST(ConfigDocumentTest, AcceptsClosedQuotes) {
  for (const char* text : {"a: 'x'", "a: 'it''s'", "a: \"\\\"\"", "é: 'ü'\n", "a: \"x\n  y\"\n# 'open\n", "'k': \"v\"", "a: ''"}) {
    EXPECT_EQ(error_of(text), "") << text;
  }
}

TEST(ConfigDocumentTest, PassesTheHandlersProblemWithItsPlace) {
  RecordingHandler handler;
  handler.stop_at("int 2");
  const base::Result<void> result = read_config_document("a: 1\nb: 2\n", "p", handler);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "p:2:4: stopped at int 2");
}

TEST(ConfigDocumentTest, IsBounded) {
  EXPECT_THAT(error_of(std::string(kMaxConfigBytes + 1, '#')), HasSubstr("more than 4194304 bytes"));
  EXPECT_THAT(error_of("a: " + std::string(100'000, '[')), HasSubstr("policy.yaml:"));
  std::string deep;
  for (int i = 0; i < 600; ++i) deep += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_THAT(error_of(deep), HasSubstr("policy.yaml:"));
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k == 0 ? "*a" : ", *a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_THAT(error_of(bomb), HasSubstr("expand to more than 100000 values"));
  EXPECT_EQ(error_of("a: '" + std::string(1 << 20, 'x') + "'\n"), "");
}

TEST(KubeconfigTest, ReadsYamlAndJson) {
  const auto yaml = parse_kubeconfig(
      "apiVersion: v1\nkind: Config\ncurrent-context: dev\nclusters:\n- name: c\n  cluster: {server: https://h:6443}\n"
      "users:\n- name: u\n  user:\n    token: 12345\n    as: on\n",
      "config");
  ASSERT_TRUE(yaml) << yaml.error().message;
  EXPECT_EQ(yaml->current_context, "dev");
  EXPECT_EQ(yaml->clusters.at(0).value.server, "https://h:6443");
  EXPECT_EQ(yaml->users.at(0).value.token, "12345");
  EXPECT_EQ(yaml->users.at(0).value.as, "on");
  const auto json = parse_kubeconfig(R"({"kind":"Config","clusters":[{"name":"c","cluster":{"server":"s"}}],"users":null})", "config");
  ASSERT_TRUE(json) << json.error().message;
  EXPECT_EQ(json->clusters.at(0).value.server, "s");
}

TEST(KubeconfigTest, AnEmptyFileIsAnEmptyConfiguration) {
  const auto config = parse_kubeconfig("", "config");
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->clusters.empty());
}

TEST(KubeconfigTest, ErrorsNamePlaceAndFieldButNoValue) {
  const struct {
    const char* text;
    const char* message;
  } rows[] = {
      {"users:\n- name: u\n  user: s3cret\n", "k:3:9: users[0].user: expected an object, got a string"},
      {"users:\n- name: u\n  user:\n    token: [s3cret]\n", "k:4:12: users[0].user.token: expected a string, got a list"},
      {"clusters:\n- cluster: {insecure-skip-tls-verify: s3cret}\n",
       "k:2:39: clusters[0].cluster.insecure-skip-tls-verify: expected a boolean, got a string"},
      {"users:\n- user:\n    token: s3cret\n    token: s3cret\n", "k:4:5: key \"token\" is already set at line 3"},
      {"kind: Pod\n", "k: kind: expected Config, got \"Pod\""},
      {"- s3cret\n", "k:1:1: expected an object, got a list"},
      {"s3cret\n", "k:1:1: expected an object, got a string"},
      {"users: [s3cret\n", "k:2:1: invalid YAML: end of sequence flow not found"},
  };
  for (const auto& row : rows) {
    const auto config = parse_kubeconfig(row.text, "k");
    ASSERT_FALSE(config) << row.text;
    EXPECT_EQ(config.error().message, row.message);
    EXPECT_THAT(config.error().message, Not(HasSubstr("s3cret")));
  }
}

TEST(KubeconfigTest, ReadsAFile) {
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "shutdown-auditor-kubeconfig-test";
  std::ofstream(path) << "current-context: here\n";
  const auto config = read_kubeconfig(path.string());
  ASSERT_TRUE(config);
  EXPECT_EQ(config->current_context, "here");
  std::filesystem::remove(path);
  const auto missing = read_kubeconfig(path.string());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, base::ErrorKind::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr(path.string()));
}

}  // namespace
}  // namespace shutdown_auditor::manifest
