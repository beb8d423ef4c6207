#include "audit/argv.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "audit/application_cases.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

using testing::Application;
using testing::in_words;
using testing::Words;
using D = Program::Delivery;

struct Row {
  Application app;
  std::string program;  // its words, joined
  D delivery;
  bool process_one;
};

Program program_of(const Application& app) {
  const objects::Container container = testing::container_of(app);
  Environment environment(container);
  return read_program(container, app.shared_process_namespace, environment);
}

TEST(Argv, FollowsWrappersToTheProgram) {
  const std::vector<Row> rows{
      {{{"app", "-x"}}, "app -x", D::kDirect, true},
      {{{"app"}, {}, {}, "a", {}, "app", true}, "app", D::kDirect, false},
      {{{"/usr/bin/tini", "--", "app", "-x"}}, "app -x", D::kDirect, false},
      {{{"tini", "-s", "-g", "-p", "SIGTERM", "-e", "143", "app"}}, "app", D::kDirect, false},
      {{{"catatonit", "--", "app"}}, "app", D::kDirect, false},
      {{{"docker-init", "--", "app"}}, "app", D::kDirect, false},
      {{{"dumb-init", "--single-child", "--rewrite", "15:3", "app"}}, "app", D::kDirect, false},
      {{{"dumb-init", "-c", "-r", "15:3", "--", "app"}}, "app", D::kDirect, false},
      {{{"env", "A=b", "-u", "C", "D=e", "app"}}, "app", D::kDirect, true},
      {{{"env", "-S", "app x"}}, "", D::kUnknown, true},
      {{{"nice", "-n", "5", "ionice", "-c2", "-n", "0", "app"}}, "app", D::kDirect, true},
      {{{"stdbuf", "-oL", "chpst", "-u", "web", "app"}}, "app", D::kDirect, true},
      {{{"gosu", "web:web", "app", "x"}}, "app x", D::kDirect, true},
      {{{"su-exec", "web", "app"}}, "app", D::kDirect, true},
      {{{"setpriv", "--reuid=1", "--regid", "1", "--clear-groups", "app"}}, "app", D::kDirect, true},
      {{{"timeout", "-k", "5", "1000", "app"}}, "app", D::kDirect, false},
      {{{"nohup", "app"}}, "app", D::kDirect, true},
      {{{"exec", "app"}}, "app", D::kDirect, true},
      {{{"bundle", "exec", "puma", "-w", "2"}}, "puma -w 2", D::kDirect, true},
      {{{"bundle", "install"}}, "bundle install", D::kDirect, true},
      {{{"poetry", "run", "gunicorn"}}, "gunicorn", D::kDirect, true},
      {{{"pipenv", "run", "gunicorn"}}, "gunicorn", D::kDirect, true},
      {{{"uv", "run", "--python", "3.12", "gunicorn"}}, "gunicorn", D::kUnknown, false},
      {{{"ddtrace-run", "gunicorn"}}, "gunicorn", D::kDirect, true},
      {{{"opentelemetry-instrument", "--service_name", "x", "gunicorn"}}, "gunicorn", D::kDirect, true},
      {{{"newrelic-admin", "run-program", "gunicorn"}}, "gunicorn", D::kDirect, true},
      {{{"tini", "--"}}, "", D::kDirect, false},
      {{{"tini", "--", "gosu", "web", "env", "A=b", "gunicorn", "a:b"}}, "gunicorn a:b", D::kDirect, false},
      // Shells.
      {{{"/bin/bash", "-c", "app x"}}, "app x", D::kDirect, true},
      {{{"/bin/bash", "-lc", "app"}}, "app", D::kDirect, true},
      {{{"bash", "-euo", "pipefail", "-c", "exec app 'a b'"}}, "app a b", D::kDirect, true},
      {{{"bash", "--login", "-c", "app"}}, "app", D::kDirect, true},
      {{{"sh", "-c", "exec app"}}, "app", D::kDirect, true},
      {{{"sh", "-c", "--", "exec app"}}, "app", D::kDirect, true},
      {{{"sh", "-c", "exec \"$@\"", "sh", "app", "a b"}}, "app a b", D::kDirect, true},
      {{{"sh", "-c", "V=1 exec app"}}, "app", D::kDirect, true},
      {{{"sh", "-c", "app"}}, "app", D::kUnsure, false},
      {{{"sh", "-c", "app"}, {}, {}, "python:3.11"}, "app", D::kLost, false},
      {{{"sh", "-c", "app"}, {}, {}, "python:3.11-alpine"}, "app", D::kDirect, true},
      {{{"/bin/busybox", "sh", "-c", "true && app"}}, "app", D::kDirect, true},
      {{{"bash", "-c", "app; echo done"}}, "app", D::kLost, false},
      {{{"sh", "-c", "app | tee log"}}, "app", D::kLost, false},
      {{{"bash", "-c", "app > log 2>&1"}}, "app", D::kLost, false},
      {{{"tini", "-g", "--", "sh", "-c", "app; echo done"}}, "app", D::kCut, false},
      {{{"dumb-init", "sh", "-c", "app; echo done"}}, "app", D::kCut, false},
      {{{"bash", "-c", "trap 'echo bye' EXIT; app; echo"}}, "app", D::kCut, false},
      {{{"sh", "-c", "app; echo"}, {}, {}, "a", {}, "app", true}, "app", D::kCut, false},
      {{{"sh", "/run.sh"}}, "sh /run.sh", D::kUnknown, true},
      {{{"/start.sh", "gunicorn"}}, "/start.sh gunicorn", D::kUnknown, true},
      {{{"sh", "-c", "exec bash -c 'exec app'"}}, "app", D::kDirect, true},
      {{{"sh", "-c", "exec app --port $PORT $FLAGS ${X:-d}"}, {}, {{"PORT", "80"}, {"FLAGS", "-a -b"}}},
       "app --port 80 -a -b d",
       D::kDirect, true},
      {{{"sh", "-c", "exec app $MISSING"}}, "app $MISSING", D::kDirect, true},
      // Entrypoints.
      {{{"docker-entrypoint.sh", "nginx"}, {}, {}, "nginx:1.27"}, "nginx", D::kDirect, true},
      {{{"/docker-entrypoint.sh", "gunicorn"}}, "gunicorn", D::kUnknown, true},
      {{{}, {"gunicorn"}, {}, "python:3.11"}, "gunicorn", D::kDirect, true},
      {{{}, {"gunicorn"}}, "gunicorn", D::kUnknown, true},
      {{{}, {"--flag"}}, "--flag", D::kUnknown, true},
      {{{"app"}, {"-a"}}, "app -a", D::kDirect, true},
      // $(NAME) is expanded in command and args.
      {{{"app", "$(A)$(B)", "$$(A)", "$(NO)", "$(H)", "a$b", "$"}, {}, {{"A", "1"}, {"B", "2"}}, "i", {}, "app", false,
       {"H"}},
       "app 12 $(A) $(NO) $(H) a$b $", D::kDirect, true},
      {{{"app", "$(C)"}, {}, {{"A", "1"}, {"C", "x$(A)"}}}, "app x1", D::kDirect, true},
      {{{""}}, "", D::kDirect, true},
  };
  for (const Row& row : rows) {
    const Program program = program_of(row.app);
    EXPECT_EQ(base::join(program.argv, " "), row.program) << in_words(row.app);
    EXPECT_EQ(static_cast<int>(program.delivery), static_cast<int>(row.delivery))
        << in_words(row.app) << " " << program.reason;
    EXPECT_EQ(program.process_one, row.process_one) << in_words(row.app);
    const bool says = row.delivery == D::kLost || row.delivery == D::kCut || row.delivery == D::kUnsure;
    EXPECT_EQ(!program.reason.empty(), says) << in_words(row.app);
    EXPECT_EQ(program.remedy.empty(), program.reason.empty()) << in_words(row.app);
  }
}

TEST(Argv, ReadsRewrites) {
  const std::vector<std::pair<std::string, std::string>> expected{{"SIGTERM", "SIGQUIT"}};
  for (const Words& command : std::vector<Words>{{"dumb-init", "-r", "15:3", "app"},
                                                 {"dumb-init", "-r15:3", "app"},
                                                 {"dumb-init", "--rewrite=TERM:SIGQUIT", "app"},
                                                 {"dumb-init", "--rewrite", "15:QUIT", "app"}}) {
    EXPECT_EQ(program_of({command}).rewrites, expected) << base::join(command, " ");
  }
}

TEST(Argv, VariablesOfTheCommandLineCount) {
  const objects::Container container = testing::container_of({{"env", "A=1", "sh", "-c", "B=2 exec app"}, {}, {{"A", "0"}}});
  Environment environment(container);
  read_program(container, false, environment);
  EXPECT_EQ(environment.get("A").text, "1");
  EXPECT_EQ(environment.get("B").text, "2");
  EXPECT_EQ(environment.get("C").state, Environment::State::kAbsent);
}

TEST(Argv, TheLastOfARepeatedVariableCounts) {
  const objects::Container container = testing::container_of({{}, {}, {{"A", "1"}, {"B", "x"}, {"A", "2"}}});
  EXPECT_EQ(Environment(container).get("A").text, "2");
  EXPECT_EQ(Environment(container).entries().size(), 2u);
}

// What a hostile manifest can make it write is bounded by what it holds.
TEST(Argv, GrowsLinearly) {
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "$(A)";
  Application app{{"app"}, {}, {{"A", std::string(100000, 'x')}}};
  for (int i = 0; i < 50; ++i) app.args.push_back(many);
  std::size_t bytes = 0;
  for (const std::string& word : program_of(app).argv) bytes += word.size();
  EXPECT_LT(bytes, 4u << 20);
  std::string repeated = "exec app";
  for (int i = 0; i < 3000; ++i) repeated += " \"$@\"";
  Application spliced{{"bash", "-c", repeated, "bash"}};
  spliced.args.assign(3000, "");
  EXPECT_LT(program_of(spliced).argv.size(), 80000u);
  Application assigned{{"env"}};
  for (int i = 0; i < 1000; ++i) assigned.command.push_back("A" + std::to_string(i) + "=1");
  const objects::Container container = testing::container_of(assigned);
  Environment environment(container);
  read_program(container, false, environment);
  EXPECT_EQ(environment.entries().size(), 256u);
  Application nested{{"sh", "-c", "exec app"}};
  for (int i = 0; i < 200; ++i) nested.command.insert(nested.command.begin(), "env");
  EXPECT_FALSE(program_of(nested).argv.empty());
}

}  // namespace
}  // namespace shutdown_auditor::audit
