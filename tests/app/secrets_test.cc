// Nobody who reads an audit learns what stands in env, in arguments or in headers: whoever may read ShutdownAudits, Events,
// logs or a comment on a pull request need not be allowed to read the workload.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "app/input.h"
#include "audit/audit.h"
#include "console.h"
#include "report/audit_json.h"
#include "report/event_text.h"

namespace shutdown_auditor::app {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kSecret = "hunter2";

// A Deployment with one container that has these lines more.
std::string workload(const std::string& container) {
  return "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  annotations: {example.com/token: " + kSecret +
         "}\nspec:\n  replicas: 2\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata:\n      labels: {app: web}\n"
         "      annotations: {example.com/token: " + kSecret + "}\n    spec:\n      containers:\n      - name: app\n"
         "        image: example/app:1\n        ports: [{containerPort: 80}]\n" + container + "\n";
}

std::string hook(const std::string& command, const std::string& env = "") {
  return "        lifecycle: {preStop: {exec: {command: " + command + "}}}\n        env: [" + env + "]";
}
std::string script(const std::string& text, const std::string& env = "") {
  return "        lifecycle:\n          preStop:\n            exec:\n              command: [sh, -c, '" + text +
         "']\n        env: [" + env + "]";
}
std::string env(const std::string& name, const std::string& value) { return "{name: " + name + ", value: '" + value + "'}"; }

struct Row {
  std::string what;
  std::string container;
  std::string check;  // that has something to say, so that the row is no empty one
};

std::vector<Row> rows() {
  const std::string call = "curl -H \"Authorization: Bearer hunter2\" http://localhost/stop";
  return {
      {"a variable as duration", script("sleep $DELAY", env("DELAY", "hunter2")), "prestop-broken"},
      {"a variable as duration, in quotes", script("sleep \"$DELAY\"", env("DELAY", "5 hunter2")), "prestop-broken"},
      {"a variable copied", script("X=$DELAY; sleep $X", env("DELAY", "hunter2")), "prestop-broken"},
      {"a variable as script", script("eval \"$RUN\"", env("RUN", "hunter2 now")), "prestop-unknown"},
      {"a variable as program", script("$RUN", env("RUN", "hunter2 now")), "prestop-unknown"},
      {"a variable as script of a shell", script("sh -c \"$RUN\"", env("RUN", "hunter2 now")), "prestop-unknown"},
      {"a variable with a syntax error", script("sh -c \"$RUN\"", env("RUN", "if hunter2 )")), "prestop-broken"},
      {"a variable as limit", script("timeout $T sleep 3", env("T", "hunter2")), "prestop-broken"},
      {"a variable as file", script(". $F", env("F", "/hunter2")), "prestop-unknown"},
      {"a default", script("sleep ${DELAY:-hunter2}"), "prestop-unknown"},
      {"a header", script(call), "prestop-unknown"},
      {"a header, after a sleep", script("sleep 5 && " + call), "prestop-unknown"},
      {"a header in a substitution", script("sleep $(" + call + ")"), "prestop-unknown"},
      {"a password in a variable of the command", script("PGPASSWORD=hunter2 psql -c quit"), "prestop-unknown"},
      {"a syntax error", script("if echo hunter2; sleep 3"), "prestop-broken"},
      {"a connection", script("echo x > /dev/tcp/hunter2/80; drain"), "prestop-unknown"},
      {"a header without a shell", hook("[curl, -H, hunter2, 'http://localhost']"), "prestop-unknown"},
      {"an option glued on", hook("[curl, --max-time=hunter2, 'http://localhost']"), "prestop-broken"},
      {"a user", hook("[curl, -u, 'me:hunter2', 'http://me:hunter2@localhost']"), "prestop-unknown"},
      {"a password", hook("[mysql, -phunter2]"), "prestop-unknown"},
      {"a line as one word", hook("['curl -u me:hunter2 http://localhost']"), "prestop-broken"},
      {"an assignment as program", hook("['PGPASSWORD=hunter2', psql]"), "prestop-unknown"},
      {"not expanded", hook("[stop, '--token=hunter2', '$(X)hunter2']"), "prestop-broken"},
      {"endless", hook("[sh, -c, 'echo hunter2; tail -f /dev/null']"), "prestop-exceeds-grace"},
      {"python", hook("[python3, -c, 'requests.post(\"http://x\", auth=\"hunter2\")']"), "prestop-unknown"},
      {"python's sleep", hook("[python3, -c, 'import time; time.sleep(int(\"hunter2\"))']"), "prestop-unknown"},
      {"python's loop", hook("[python3, -c, 'while ask(\"hunter2\"): pass']"), "prestop-unknown"},
      {"node", hook("[node, -e, 'fetch(\"http://x?t=hunter2\")']"), "prestop-unknown"},
      {"perl", hook("[perl, -e, 'system(\"hunter2\")']"), "prestop-unknown"},
      {"PowerShell", hook("[pwsh, -Command, 'Invoke-WebRequest -Headers hunter2']"), "prestop-unknown"},
      {"an address", "        lifecycle: {preStop: {httpGet: {path: '/quit?token=hunter2', port: 80, httpHeaders: [{name: A, "
                     "value: hunter2}]}}}", "prestop-unknown"},
      {"probes' headers", "        readinessProbe: &p {httpGet: {path: /, port: 80, httpHeaders: [{name: A, value: hunter2}]}}\n"
                          "        livenessProbe: *p", "probes-identical"},
      {"probes' commands", "        readinessProbe: {exec: {command: [sh, -c, 'echo hunter2']}}\n"
                           "        livenessProbe: {exec: {command: [echo, hunter2]}}", "probe-always-succeeds"},
      {"gunicorn's arguments in env", "        command: [gunicorn, 'app:app']\n        env: [" +
           env("GUNICORN_CMD_ARGS", "--graceful-timeout=hunter2 --config=hunter2") + "]", "drain-too-short"},
      {"gunicorn's flags", "        command: [gunicorn, --env, 'TOKEN=hunter2', --graceful-timeout, '0', 'app:app']",
       "pdb-missing"},
      {"a shell as process 1", "        command: [sh, -c, 'TOKEN=hunter2 server --password hunter2; echo hunter2']",
       "signal-not-delivered"},
      {"a wrapper", "        command: [tini, --, sh, -c, 'nginx -g hunter2; echo hunter2']", "signal-not-graceful"},
      {"arguments", "        args: ['--password', hunter2, '--token=hunter2']", "grace-unverified"},
  };
}

TEST(Secrets, StayOutOfEveryOutput) {
  const std::vector<std::vector<std::string>> outputs{{"-o", "table"},  {"-o", "wide"},   {"-o", "json"},
                                                      {"-o", "yaml"},   {"-o", "sarif"},  {"-o", "junit"},
                                                      {"-o", "github"}, {"-o", "markdown"}, {"--timeline"}};
  for (const Row& row : rows()) {
    for (const std::vector<std::string>& output : outputs) {
      Console console;
      std::vector<std::string> arguments{"check", "-f", "-"};
      arguments.insert(arguments.end(), output.begin(), output.end());
      EXPECT_LE(console.run(arguments, workload(row.container)), kExitFindings) << row.what << console.err.str();
      EXPECT_THAT(console.out.str(), Not(HasSubstr(kSecret))) << row.what;
      EXPECT_THAT(console.err.str(), Not(HasSubstr(kSecret))) << row.what;
      if (output.back() == "json") {
        EXPECT_THAT(console.out.str(), HasSubstr("\"check\": \"" + row.check + "\"")) << row.what << console.out.str();
      }
    }
  }
}

TEST(Secrets, StayOutOfWhatTheControllerWrites) {
  for (const Row& row : rows()) {
    std::istringstream in(workload(row.container));
    const Input input = read_input({"-"}, false, in);
    ASSERT_EQ(input.workloads.size(), 1U) << row.what;
    const objects::Workload deployment = WorkloadUnpacker().whole(input.workloads[0], "default");
    const audit::AuditResult result = audit::audit(deployment, {}, {}, {});
    const report::ShutdownAudit stored = report::make_shutdown_audit(result, deployment, "", report::Detail::kStored);
    EXPECT_THAT(report::apply_body(stored) + report::status_apply_body(stored), Not(HasSubstr(kSecret))) << row.what;
    const auto event = report::event_for(nullptr, stored, true, report::EventLevel::kWarn);
    EXPECT_THAT(event ? event->note : "", Not(HasSubstr(kSecret))) << row.what;
  }
}

TEST(Secrets, StayOutOfErrors) {
  const std::string env_of = "        env: [";
  const std::string kRows[] = {
      workload(env_of + "{name: A, value: [hunter2]}]"),
      workload(env_of + "{name: A, value: \"hunter2}]"),
      workload(env_of + "{name: A, value: hunter2, value: hunter2}]"),
      workload(env_of + "{name: A, value: \"hunter2\\q\"}]"),
      workload("        env:\n        - name: A\n         value: hunter2"),
      "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: hunter2, b: \"hunter2}\n",
      "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: hunter2\n",
  };
  for (const std::string& text : kRows) {
    Console console;
    EXPECT_EQ(console.run({"check", "-f", "-"}, text), kExitTrouble) << text;
    EXPECT_THAT(console.err.str() + console.out.str(), Not(HasSubstr(kSecret))) << text;
  }
}

}  // namespace
}  // namespace shutdown_auditor::app
