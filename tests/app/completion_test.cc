#include "app/completion.h"

#include <gmock/gmock.h>

#include "audit/check.h"
#include "console.h"

namespace shutdown_auditor::app {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsSupersetOf;
using Words = std::vector<std::string>;

struct Answer {
  Words words;  // without descriptions
  std::string directive;
};

Answer complete(Words words, const std::string& program = "shutdown-auditor") {
  Console console;
  if (program == "shutdown-auditor") {
    words.insert(words.begin(), "__complete");
  }
  EXPECT_EQ(run_command_line(program, words, console.io), kExitOk) << console.err.str();
  Answer answer;
  std::istringstream lines(console.out.str());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(':')) {
      answer.directive = line;
    } else {
      EXPECT_EQ(answer.directive, "") << "the directive is the last line";
      answer.words.push_back(line.substr(0, line.find('\t')));
    }
  }
  return answer;
}

TEST(Completion, Commands) {
  EXPECT_THAT(complete({""}).words, testing::UnorderedElementsAre("check", "controller", "explain", "list-checks", "completion", "version"));
  EXPECT_THAT(complete({"con"}).words, ElementsAre("controller"));
  EXPECT_THAT(complete({}).words, Contains("check"));
  EXPECT_THAT(complete({"--"}).words, IsSupersetOf({"--help", "--version"}));
}

TEST(Completion, FlagsAndValues) {
  const struct {
    Words words;
    Words expected;
    const char* directive;
  } kCases[] = {
      {{"check", "--fai"}, {"--fail-on", "--fail-if-empty"}, ":4"},
      {{"check", "-o", ""}, {"github", "json", "junit", "markdown", "sarif", "table", "wide", "yaml"}, ":4"},
      {{"check", "--output", "j"}, {"json", "junit"}, ":4"},
      {{"check", "--output=j"}, {"--output=json", "--output=junit"}, ":4"},
      {{"check", "-Ro", "w"}, {"wide"}, ":4"},
      {{"check", "-f", ""}, {}, ":0"},
      {{"check", "--filename=dep"}, {}, ":0"},
      {{"check", "--policy", ""}, {}, ":0"},
      {{"check", "-n", ""}, {}, ":4"},
      {{"check", "-f", "x", "--color", "a"}, {"always", "auto"}, ":4"},
      {{"check", "-fx", "--color", "n"}, {"never"}, ":4"},
      {{"check", "-o", "json", "--base"}, {"--baseline"}, ":4"},
      {{"check", "-q", "--recur"}, {"--recursive"}, ":4"},
      {{"check", "--nonsense", "--recur"}, {"--recursive"}, ":4"},
      {{"check", "--nonsense=x", "-o", "y"}, {"yaml"}, ":4"},
      {{"check", "--quiet=j"}, {}, ":4"},
      {{"check", "--", "--out"}, {}, ":4"},
      {{"controller", "--kinds", "Deployment,S"}, {"Deployment,StatefulSet"}, ":4"},
      {{"controller", "--kinds=Deployment,D"}, {"--kinds=Deployment,Deployment", "--kinds=Deployment,DaemonSet"}, ":4"},
      {{"controller", "--kubeconfig", ""}, {}, ":0"},
      {{"controller", "--no-leader"}, {"--no-leader-elect"}, ":4"},
      {{"explain", "grace-b"}, {"grace-budget"}, ":4"},
      {{"explain", "grace-budget", ""}, {}, ":4"},
      {{"completion", ""}, {"bash", "fish", "powershell", "zsh"}, ":4"},
      {{"version", "-o", ""}, {"text", "json"}, ":4"},
      {{"frobnicate", ""}, {"check", "controller", "explain", "list-checks", "completion", "version"}, ":4"},
  };
  for (const auto& test : kCases) {
    const Answer answer = complete(test.words);
    EXPECT_THAT(answer.words, testing::UnorderedElementsAreArray(test.expected)) << test.words.back();
    EXPECT_EQ(answer.directive, test.directive) << test.words.back();
  }
}

TEST(Completion, EveryCheck) {
  const Words words = complete({"explain", ""}).words;
  for (const audit::Check check : audit::all_checks()) {
    EXPECT_THAT(words, Contains(std::string(audit::id_of(check))));
  }
}

TEST(Completion, DescriptionsAreOneLine) {
  Console console;
  EXPECT_EQ(console.run({"__complete", "check", "--fail-o"}), kExitOk);
  EXPECT_THAT(console.out.str(), testing::MatchesRegex("--fail-on\t[^\t\n]+\n:4\n"));
}

TEST(Completion, AsKubectlAsks) {
  EXPECT_THAT(complete({"check", "-o", "sa"}, "/usr/bin/kubectl_complete-shutdownaudit").words, ElementsAre("sarif"));
  EXPECT_THAT(complete({"ver"}, "kubectl_complete-shutdownaudit").words, ElementsAre("version"));
}

TEST(Completion, Scripts) {
  Console console;
  for (const char* shell : {"bash", "zsh", "fish", "powershell"}) {
    EXPECT_EQ(console.run({"completion", shell}), kExitOk);
    EXPECT_THAT(console.out.str(), testing::HasSubstr("__complete")) << shell;
    EXPECT_THAT(console.out.str(), testing::HasSubstr("kubectl-shutdownaudit")) << shell;
  }
  EXPECT_EQ(console.run({"completion", "bsh"}), kExitTrouble);
  EXPECT_EQ(console.err.str(), "there is no completion for \"bsh\"; did you mean bash? (bash, zsh, fish and powershell are known)\n");
}

}  // namespace
}  // namespace shutdown_auditor::app
