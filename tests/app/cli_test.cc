#include "app/cli.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "app/check_pages.h"
#include "app/version.h"
#include "audit/check.h"
#include "base/text.h"
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
      {{}, "a command is missing (shutdown-auditor --help tells more)"},
      {{"frobnicate"}, "frobnicate"},
      {{"chekc"}, "there is no command \"chekc\"; did you mean check? (shutdown-auditor --help tells more)"},
      {{"frobnicate\n\x1b[2J"}, "there is no command"},
      {{"check", "-f"}, "--filename needs a value: PATH (shutdown-auditor check --help tells more)"},
      {{"check", "--filenam", "x"},
       "there is no flag --filenam; did you mean --filename? (shutdown-auditor check --help tells more)"},
      {{"check", "-f", "-", "--fail_on=warn"}, "there is no flag --fail_on; did you mean --fail-on?"},
      {{"check", "-f", "-", "--frob"}, "there is no flag --frob (shutdown-auditor check --help tells more)"},
      {{"check", "-f", "-", "--\x1b[2Jx\n"}, "there is no flag"},
      {{"controller", "--kubconfig", "x"}, "there is no flag --kubconfig; did you mean --kubeconfig?"},
      {{"controller", "--kube-api-burst", "x"}, "--kube-api-burst"},
      {{"check", "-f", "-", "-o", "json", "-o", "yaml"}, "--output may be given once"},
      {{"check", "-f", "-", "--timeline", "-o", "json"}, "--output excludes --timeline"},
      {{"check", "-f", "-", "-o", "jsno"}, "--output: \"jsno\" is not one of github, json, junit, markdown, sarif, table, "
                                          "wide, yaml; did you mean json?"},
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
      {{"explain"}, "CHECK is required (shutdown-auditor explain --help tells more)"},
      {{"explain", "no-such-check"}, "no-such-check"},
      {{"explain", "grace-bugdet"}, "there is no check \"grace-bugdet\"; did you mean grace-budget? (list-checks names them all)"},
      {{"explain", "grace-budget", "x"}, "unexpected argument \"x\""},
      {{"completion"}, "SHELL"},
      {{"list-checks", "-o", "xml"}, "xml"},
  };
  Console console;
  for (const auto& test : kCases) {
    EXPECT_EQ(console.run(test.arguments, kConfigMap), kExitTrouble) << test.part;
    EXPECT_THAT(console.err.str(), HasSubstr(test.part));
    EXPECT_THAT(console.out.str(), IsEmpty()) << test.part;
    EXPECT_EQ(console.err.str().find('\n'), console.err.str().size() - 1) << "one line: " << console.err.str();
    EXPECT_THAT(console.err.str(), Not(HasSubstr("\x1b")));
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
      {"list-checks", "-o", "text"},
      {"--help-all"},
      {"completion", "bash"},
      {"explain", "grace-budget"},
  };
  Console console;
  for (const auto& arguments : kCases) {
    EXPECT_EQ(console.run(arguments, kConfigMap), kExitOk) << arguments.back() << console.err.str();
  }
}

TEST(Cli, HelpFitsAScreen) {
  constexpr std::ptrdiff_t kLines = 24;
  constexpr std::size_t kColumns = 80;
  Console console;
  for (const std::string command : {"", "check", "controller", "explain", "list-checks", "completion", "version"}) {
    EXPECT_EQ(console.run(command.empty() ? std::vector<std::string>{"--help"} : std::vector{command, std::string("-h")}), kExitOk);
    const std::string help = console.out.str();
    EXPECT_LE(std::count(help.begin(), help.end(), '\n'), kLines)
        << "flags that few people need belong into the group kMoreFlags:\n" << help;
    for (const std::string_view line : base::split(help, '\n')) {
      EXPECT_LE(line.size(), kColumns) << line;
    }
    EXPECT_THAT(help, HasSubstr("\nUsage: shutdown-auditor" + (command.empty() ? "" : " " + command)));
  }
}

TEST(Cli, HelpNamesEverything) {
  Console console;
  EXPECT_EQ(console.run({"--help"}), kExitOk);
  for (const char* command : {"check", "controller", "version", "explain", "list-checks", "completion"}) {
    EXPECT_THAT(console.out.str(), HasSubstr("\n  " + std::string(command) + " "));
  }
  EXPECT_THAT(console.out.str(), Not(HasSubstr("manual")));
  EXPECT_THAT(console.out.str(), HasSubstr("SHUTDOWN_AUDITOR_FAIL_ON"));
  EXPECT_EQ(console.run({"check", "--help"}), kExitOk);
  for (const char* part : {"-f, --filename PATH", "--fail-on fail|none|warn", "--policy", "--color",
                           "Exit status: 0 "}) {
    EXPECT_THAT(console.out.str(), HasSubstr(part));
  }
  EXPECT_EQ(console.run({"check", "--help-all"}), kExitOk);
  EXPECT_THAT(console.out.str(), HasSubstr("--color always|auto|never"));
  EXPECT_EQ(run_command_line("/home/me/kubectl-shutdownaudit", {"check", "--help"}, console.io), kExitOk);
  EXPECT_THAT(console.out.str(), HasSubstr("Usage: kubectl shutdownaudit check"));
  EXPECT_THAT(console.out.str(), HasSubstr("helm template . | kubectl shutdownaudit check -f -"));
}

TEST(Cli, ManualNamesEveryCommandFlagAndCheck) {
  Console console;
  EXPECT_EQ(console.run({"manual"}), kExitOk);
  const std::string manual = console.out.str();
  EXPECT_THAT(manual, StartsWith(".TH SHUTDOWN\\-AUDITOR 1 " + std::string(source_date())));
  for (const char* part : {".SS shutdown\\-auditor list\\-checks", "\\fB\\-f\\fR, \\fB\\-\\-filename\\fR \\fIPATH\\fR",
                           "\\-\\-color", "\\-\\-leader\\-elect\\-retry\\-period", "grace\\-budget", "EXIT STATUS"}) {
    EXPECT_THAT(manual, HasSubstr(part));
  }
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
    EXPECT_THAT(console.out.str(), HasSubstr("\nHOW TO FIX\n"));
    EXPECT_EQ(console.run({"explain", id + "/app"}), kExitOk) << "as the table prints it";
    EXPECT_FALSE(check_summary(check_page(id)).empty()) << id;
  }
}

TEST(Cli, ChecksForPrograms) {
  Console console;
  EXPECT_EQ(console.run({"list-checks", "-o", "json"}), kExitOk);
  const nlohmann::json checks = nlohmann::json::parse(console.out.str());
  ASSERT_EQ(checks.size(), audit::all_checks().size());
  EXPECT_EQ(checks[0]["id"], "grace-budget");
  EXPECT_EQ(checks[0]["reasons"], nlohmann::json::array({"GracePeriodTooShort"}));
  EXPECT_THAT(checks[0]["summary"].get<std::string>(), StartsWith("Fail or Warn: "));
}

TEST(CheckSummary, IsTheFirstSentenceAfterTheTitle) {
  EXPECT_EQ(check_summary("# a\n\nFirst. Second.\n"), "First.");
  EXPECT_EQ(check_summary("# a\n\n## b\nOnly one line\nmore\n"), "Only one line");
  EXPECT_EQ(check_summary(""), "");
  EXPECT_EQ(check_summary("# a"), "");
}

}  // namespace
}  // namespace shutdown_auditor::app
