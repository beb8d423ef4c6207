#include "app/cli.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "app/check_pages.h"
#include "app/version.h"
#include "audit/check.h"
#include "console.h"

namespace shutdown_auditor::app {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// A variable of the environment for one test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

constexpr const char* kConfigMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

TEST(Cli, UsageErrorsAreStatus2OnStderr) {
  const struct {
    std::vector<std::string> arguments;
    const char* part;
  } kCases[] = {
      {{}, "subcommand"},
      {{"frobnicate"}, "frobnicate"},
      {{"check", "-f"}, "filename"},
      {{"check", "--fil", "x"}, "--fil"},
      {{"check", "-f", "-", "--frob"}, "--frob"},
      {{"check", "-f", "-", "-o", "xml"}, "xml"},
      {{"check", "-f", "-", "--fail-on", "info"}, "info"},
      {{"check", "-f", "-", "--color", "red"}, "red"},
      {{"check", "-f", "-", "--kubernetes-version", "1.27"}, "1.27"},
      {{"check", "-f", "-", "--kubernetes-version", "1.38"}, "between 1.28 and 1.37"},
      {{"check", "-f", "-", "--kubernetes-version", "2.30"}, "2.30"},
      {{"check", "-f", "-", "--kubernetes-version", "1.x"}, "1.x"},
      {{"check", "-f", "-", "--kubernetes-version", "1.99999999999999999999"}, "not between"},
      {{"check", "-f", "-", "deployment/web"}, "\"deployment/web\" names a workload of a live cluster, and -f reads files"},
      {{"check", "-f", "-", "--context", "prod"}, "--context is for a live cluster, and -f reads files: give one of them"},
      {{"check", "-f", "-", "-A"}, "--all-namespaces is for a live cluster"},
      {{"check", "-f", "-", "-l", "a=b"}, "--selector is for a live cluster"},
      {{"check", "-R"}, "--recursive is for files: give them with -f"},
      {{"check", "--complete"}, "--complete is for files"},
      {{"check", "-A", "-n", "shop"}, "--all-namespaces and --namespace exclude each other"},
      {{"check", "-A", "deploy/web"}, "give -n NAMESPACE instead of --all-namespaces"},
      {{"check", "-l", "a=b", "deploy/web"}, "leave the names out"},
      {{"check", "--request-timeout", "soon"}, "\"soon\" is no time; write for example 30s"},
      {{"check", "--request-timeout", "-1"}, "--request-timeout"},
      {{"check", "web.yaml"}, "files are given with -f"},
      {{"check", "--kubeconfig", "/nowhere/config"}, "/nowhere/config: there is no such kubeconfig; check --kubeconfig"},
      {{"version", "-o", "yaml"}, "yaml"},
      {{"explain"}, "CHECK"},
      {{"explain", "no-such-check"}, "no-such-check"},
  };
  Console console;
  for (const auto& test : kCases) {
    EXPECT_EQ(console.run(test.arguments, kConfigMap), kExitTrouble) << test.part;
    EXPECT_THAT(console.err.str(), HasSubstr(test.part));
    EXPECT_THAT(console.out.str(), IsEmpty()) << test.part;
  }
}

TEST(Cli, GoodCommandLines) {
  const std::vector<std::vector<std::string>> kCases{
      {"check", "-f", "-"},
      {"check", "--filename", "-", "--recursive"},
      {"check", "-f", "-", "-f", "-", "-R", "-q"},
      {"check", "-f", "-", "--kubernetes-version", "1.28"},
      {"check", "-f", "-", "--kubernetes-version", "v1.37.2"},
      {"check", "-f", "-", "-n", "shop", "--color=always", "--fail-on=none", "-o", "wide", "--complete", "--skip-owned"},
      {"version"},
      {"--version"},
      {"--help"},
      {"check", "--help"},
      {"list-checks"},
  };
  Console console;
  for (const auto& arguments : kCases) {
    EXPECT_EQ(console.run(arguments, kConfigMap), kExitOk) << arguments.back() << console.err.str();
  }
}

TEST(Cli, Help) {
  Console console;
  EXPECT_EQ(console.run({"--help"}), kExitOk);
  for (const char* command : {"check", "version", "explain", "list-checks"}) {
    EXPECT_THAT(console.out.str(), HasSubstr(command));
  }
  EXPECT_EQ(console.run({"check", "--help"}), kExitOk);
  for (const char* part : {"--filename", "--fail-on", "fail|none|warn", "SHUTDOWN_AUDITOR_FAIL_ON", "--policy"}) {
    EXPECT_THAT(console.out.str(), HasSubstr(part));
  }
  EXPECT_EQ(run_command_line("/home/me/kubectl-shutdownaudit", {"check", "--help"}, console.io), kExitOk);
  EXPECT_THAT(console.out.str(), HasSubstr("kubectl shutdownaudit check"));
}

TEST(Cli, EnvironmentTwins) {
  Console console;
  const Variable output("SHUTDOWN_AUDITOR_OUTPUT", "json");
  EXPECT_EQ(console.run({"check", "-f", "-"}, kConfigMap), kExitOk);
  EXPECT_THAT(console.out.str(), HasSubstr("ShutdownAuditList"));
  EXPECT_EQ(console.run({"check", "-f", "-", "-o", "table"}, kConfigMap), kExitOk);
  EXPECT_THAT(console.out.str(), IsEmpty()) << "the flag wins";

  const Variable empty("SHUTDOWN_AUDITOR_FAIL_IF_EMPTY", "true");
  EXPECT_EQ(console.run({"check", "-f", "-"}, kConfigMap), kExitTrouble);
  const Variable bad("SHUTDOWN_AUDITOR_FAIL_ON", "sometimes");
  EXPECT_EQ(console.run({"check", "-f", "-"}, kConfigMap), kExitTrouble);
  EXPECT_THAT(console.err.str(), HasSubstr("sometimes"));
}

TEST(Cli, Version) {
  Console console;
  EXPECT_EQ(console.run({"version"}), kExitOk);
  EXPECT_THAT(console.out.str(), StartsWith("shutdown-auditor " + std::string(version()) + " ("));
  EXPECT_EQ(console.run({"version", "-o", "json"}), kExitOk);
  const nlohmann::json json = nlohmann::json::parse(console.out.str());
  EXPECT_EQ(json["version"], version());
  EXPECT_EQ(json["revision"], revision());
}

TEST(Cli, EveryCheckIsListedAndExplained) {
  Console console;
  EXPECT_EQ(console.run({"list-checks"}), kExitOk);
  const std::string list = console.out.str();
  ASSERT_FALSE(audit::all_checks().empty());
  for (const audit::Check check : audit::all_checks()) {
    const std::string id(audit::id_of(check));
    EXPECT_THAT("\n" + list, HasSubstr("\n" + id + "  "));
    EXPECT_EQ(console.run({"explain", id}), kExitOk) << id;
    EXPECT_THAT(console.out.str(), HasSubstr(id));
    EXPECT_FALSE(check_summary(check_page(id)).empty()) << id;
  }
}

TEST(CheckSummary, IsTheFirstSentenceAfterTheTitle) {
  EXPECT_EQ(check_summary("# a\n\nFirst. Second.\n"), "First.");
  EXPECT_EQ(check_summary("# a\n\n## b\nOnly one line\nmore\n"), "Only one line");
  EXPECT_EQ(check_summary(""), "");
  EXPECT_EQ(check_summary("# a"), "");
}

}  // namespace
}  // namespace shutdown_auditor::app
