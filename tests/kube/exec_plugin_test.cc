#include "kube/exec_plugin.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/time.h"
#include "kube/log_capture.h"
#include "support/temp_dir.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::kube {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;
using testing_support::eventually;
using testing_support::LogCapture;
using testing_support::ManualClock;
using testing_support::TempDir;

const std::string kV1 = "client.authentication.k8s.io/v1";
const std::string kV1Beta1 = "client.authentication.k8s.io/v1beta1";

json credential(const json& status, const std::string& api_version = kV1) {
  return {{"apiVersion", api_version}, {"kind", "ExecCredential"}, {"status", status}};
}

TEST(ExecCredentialParser, TokenCertificateAndExpiry) {
  const auto parsed = parse_exec_credential(credential({{"token", "t"},
                                                        {"clientCertificateData", "C"},
                                                        {"clientKeyData", "K"},
                                                        {"expirationTimestamp", "2026-11-22T18:17:03Z"}})
                                                .dump(),
                                            kV1);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->token, "t");
  EXPECT_EQ(parsed->identity->certificate, "C");
  EXPECT_EQ(parsed->identity->key, "K");
  EXPECT_EQ(base::format_rfc3339(*parsed->expires), "2026-11-22T18:17:03Z");
  EXPECT_TRUE(parse_exec_credential(credential({{"token", "t"}}, kV1Beta1).dump(), kV1Beta1));
}

TEST(ExecCredentialParser, RefusesEverythingElseWithoutQuotingSecrets) {
  json other_kind = credential({{"token", "hunter2"}});
  other_kind["kind"] = "Secret";
  const std::pair<std::string, const char*> rows[] = {
      {"", "no JSON object"},
      {"hunter2", "no JSON object"},
      {"[]", "no JSON object"},
      {other_kind.dump(), "not of kind ExecCredential"},
      {credential({{"token", "hunter2"}}, kV1Beta1).dump(), "has apiVersion"},
      {json({{"apiVersion", kV1}, {"kind", "ExecCredential"}}).dump(), "no status"},
      {credential(json::object()).dump(), "neither a token nor a certificate"},
      {credential({{"token", 7}}).dump(), "neither a token nor a certificate"},
      {credential({{"token", "t"}, {"clientKeyData", "hunter2"}}).dump(), "only one of"},
      {credential({{"token", "hunter2\r\nX: y"}}).dump(), "line break"},
      {credential({{"token", "hunter2"}, {"expirationTimestamp", "tomorrow"}}).dump(), "expirationTimestamp"},
  };
  for (const auto& [output, words] : rows) {
    const auto parsed = parse_exec_credential(output, kV1);
    ASSERT_FALSE(parsed) << output;
    EXPECT_THAT(parsed.error().message, HasSubstr(words));
    EXPECT_THAT(parsed.error().message, testing::Not(HasSubstr("hunter2")));
  }
}

class ExecPluginTest : public testing::Test {
 protected:
  base::Result<ExecCredential> run(ExecSpec spec, const std::stop_token& stop = {}) {
    if (spec.api_version.empty()) {
      spec.api_version = kV1;
    }
    return run_exec_plugin(spec, {"PATH=/usr/bin:/bin", "INHERITED=yes", "CHANGED=old"}, clock_, stop);
  }
  std::string ok_script(const std::string& before = "") {
    return dir_.script("plugin", before + "echo '" + credential({{"token", "from-plugin"}}).dump() + "'\n");
  }

  ManualClock clock_;
  TempDir dir_;
};

TEST_F(ExecPluginTest, GivesWhatThePluginPrints) { EXPECT_EQ(run({.command = ok_script()})->token, "from-plugin"); }

TEST_F(ExecPluginTest, GetsArgumentsEnvironmentAndExecInfoAndNoInput) {
  const std::string seen = dir_ / "seen";
  const std::string command = ok_script("{ echo \"$1|$2|$INHERITED|$CHANGED|$ADDED\"; echo \"$KUBERNETES_EXEC_INFO\"; cat; "
                                        "} > " + seen + "\n");
  ASSERT_TRUE(run({.command = command,
                   .args = {"get token", "$(id)"},
                   .env = {{"CHANGED", "new"}, {"ADDED", "a b"}},
                   .cluster_info = R"({"server":"https://x"})"}));
  const std::string text = *base::read_file(seen, 10'000);
  const std::size_t line = text.find('\n');
  EXPECT_EQ(text.substr(0, line), "get token|$(id)|yes|new|a b");
  EXPECT_EQ(json::parse(text.substr(line)),
            json({{"apiVersion", kV1},
                  {"kind", "ExecCredential"},
                  {"spec", {{"interactive", false}, {"cluster", {{"server", "https://x"}}}}}}));
}

TEST_F(ExecPluginTest, StandardErrorGoesToTheLogBoundedAndStandardOutputNever) {
  LogCapture::clear();
  ASSERT_TRUE(run({.command = ok_script("echo 'please renew soon' >&2\n")}));
  EXPECT_THAT(LogCapture::text(), HasSubstr("please renew soon"));
  EXPECT_THAT(LogCapture::text(), testing::Not(HasSubstr("from-plugin")));
  LogCapture::clear();
  ASSERT_TRUE(run({.command = ok_script("head -c 300000 /dev/zero | tr '\\0' e >&2\n")}));
  EXPECT_LT(LogCapture::text().size(), 6000U);
}

TEST_F(ExecPluginTest, FailuresNameCommandStatusAndHint) {
  const std::string failing = dir_.script("failing", "echo secret-output; exit 3\n");
  const auto failed = run({.command = failing, .install_hint = "run 'login' first"});
  EXPECT_THAT(failed.error().message, HasSubstr("failed with exit status 3: run 'login' first"));
  EXPECT_THAT(failed.error().message, testing::Not(HasSubstr("secret-output")));
  EXPECT_THAT(run({.command = dir_.script("killed", "kill -9 $$\n")}).error().message, HasSubstr("signal 9"));
  const auto garbage = run({.command = dir_.script("garbage", "echo 'token: abc'\n")});
  EXPECT_THAT(garbage.error().message, HasSubstr("garbage\": its output is no JSON object"));
}

TEST_F(ExecPluginTest, AMissingCommandShowsTheInstallHint) {
  const auto missing = run({.command = "no-such-plugin-here", .install_hint = "install it from example.com"});
  EXPECT_EQ(missing.error().kind, base::ErrorKind::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("\"no-such-plugin-here\" not found: install it from example.com"));
  EXPECT_FALSE(run({.command = dir_.write("not-executable", "x")}));
}

TEST_F(ExecPluginTest, TooMuchOutputIsRefused) {
  const auto result = run({.command = dir_.script("flood", "head -c 5000000 /dev/zero; sleep 300\n")});
  EXPECT_EQ(result.error().kind, base::ErrorKind::kTooLarge);
}

TEST_F(ExecPluginTest, ASlowPluginIsKilledWithItsChildrenAtTheLimit) {
  const std::string pid_file = dir_ / "pid";
  const std::string slow = dir_.script("slow", "sleep 300 & echo $! > " + pid_file + "; wait\n");
  std::optional<base::Result<ExecCredential>> result;
  std::jthread caller([&] { result = run({.command = slow}); });
  ASSERT_TRUE(eventually([&] { return base::read_file(pid_file, 100).value_or("").size() > 1; }));
  clock_.advance(60s);
  caller.join();
  EXPECT_EQ(result->error().kind, base::ErrorKind::kTimeout);
  EXPECT_THAT(result->error().message, HasSubstr("did not end within 1m0s"));
  const std::string child = "/proc/" + std::to_string(std::stoi(*base::read_file(pid_file, 100))) + "/status";
  EXPECT_TRUE(eventually([&] {  // gone, or a zombie its new parent has not yet reaped
    const auto text = base::read_file(child, 10'000);
    return !text || text->find("State:\tZ") != std::string::npos;
  }));
}

TEST_F(ExecPluginTest, StopEndsIt) {
  std::stop_source stop;
  std::optional<base::Result<ExecCredential>> result;
  const std::string started = dir_ / "started";
  const std::string slow = dir_.script("slow", "touch " + started + "; sleep 300\n");
  std::jthread caller([&] { result = run({.command = slow}, stop.get_token()); });
  ASSERT_TRUE(eventually([&] { return base::read_file(started, 10).has_value(); }));
  stop.request_stop();
  caller.join();
  EXPECT_EQ(result->error().kind, base::ErrorKind::kCancelled);
}

TEST_F(ExecPluginTest, SomethingItLeavesRunningDoesNotHoldUsUp) {
  EXPECT_TRUE(run({.command = ok_script("sleep 5 &\n")}));
}

TEST_F(ExecPluginTest, TheOutputParserCanBeReplaced) {
  ExecSpec spec{.command = ok_script()};
  spec.parse = [](std::string_view, const std::string& api_version) -> base::Result<ExecCredential> {
    return ExecCredential{.token = "parsed for " + api_version};
  };
  EXPECT_EQ(run(spec)->token, "parsed for " + kV1);
}

}  // namespace
}  // namespace shutdown_auditor::kube
