#include "audit/shell_main.h"

#include <array>

#include <gmock/gmock.h>

#include "audit/shell_syntax.h"

namespace shutdown_auditor::audit {
namespace {

using Fate = ShellMain::Fate;
using enum ShellMain::Fate;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::array<ShellFlavor, 3> kFlavors{ShellFlavor::kDash, ShellFlavor::kBash, ShellFlavor::kAsh};

// Measured with dash 0.5.12, bash 5.2.15 and busybox 1.35: is the program's process id the shell's?
TEST(ShellMainTest, FatesAreThoseMeasured) {
  struct Row {
    std::string_view script;
    Fate dash, bash, ash;
  };
  for (const Row& row : std::vector<Row>{
           {"app --port 80", kStays, kReplaced, kReplaced},
           {"exec app --port 80", kReplaced, kReplaced, kReplaced},
           {"true; app --port 80", kStays, kReplaced, kReplaced},
           {"true && app --port 80", kStays, kReplaced, kReplaced},
           {"false || app --port 80", kStays, kReplaced, kReplaced},
           {"cd / && app --port 80", kStays, kReplaced, kReplaced},
           {"V=1 app --port 80", kStays, kReplaced, kReplaced},
           {"set -e; app --port 80", kStays, kReplaced, kReplaced},
           {"app --port 80 2>&1", kStays, kStays, kReplaced},
           {"if true; then app --port 80; fi", kStays, kStays, kReplaced},
           {"{ app --port 80; }", kStays, kStays, kReplaced},
           {"(app --port 80)", kStays, kStays, kReplaced},
           {"app --port 80; true", kStays, kStays, kStays},
           {"app --port 80 | cat", kStays, kStays, kStays},
           {"for i in 1; do app --port 80; done", kStays, kStays, kStays},
           {"trap '' USR1; app --port 80", kStays, kReplaced, kReplaced},
           {"trap 'echo' USR1; app --port 80", kStays, kStays, kStays},
           {"trap 'echo' TERM; app --port 80", kTraps, kTraps, kTraps},
           {"trap 'x' INT; app --port 80", kStays, kStays, kStays},
           {"app --port 80\n", kStays, kReplaced, kStays},
           {"app --port 80\n\n", kStays, kStays, kStays},
           {"app --port 80\n# c", kStays, kStays, kStays},
           {"app --port 80\n\n# c\n", kStays, kStays, kStays},
           {"app --port 80 # c", kStays, kReplaced, kReplaced},
           {"app --port 80;", kStays, kReplaced, kReplaced},
           {"app --port 80 ;\n", kStays, kReplaced, kStays},
           {"app --port 80  ", kStays, kReplaced, kReplaced},
           {"true\napp --port 80", kStays, kReplaced, kReplaced},
           {"true\napp --port 80\n", kStays, kReplaced, kStays},
           {"true; true && app --port 80", kStays, kStays, kReplaced},
           {"true && true; app --port 80", kStays, kReplaced, kReplaced},
           {"true && true && app --port 80", kStays, kReplaced, kReplaced},
           {"true; true; app --port 80", kStays, kReplaced, kReplaced},
           {"! app --port 80", kStays, kStays, kStays},
           {"time app --port 80", kStays, kStays, kStays},
           {"f() { app --port 80; }; f", kStays, kStays, kStays},
           {"f() { exec app --port 80; }; f", kReplaced, kReplaced, kReplaced},
           {"app --port 80 &\nwait", kStays, kStays, kStays},
           {"app --port 80 & wait", kStays, kStays, kStays},
           {"true || true; app --port 80", kStays, kReplaced, kReplaced},
           {"true && { app --port 80; }", kStays, kStays, kReplaced},
           {"command app --port 80", kStays, kReplaced, kReplaced},
           {"exec app --port 80; true", kReplaced, kReplaced, kReplaced},
           {"exec app --port 80 2>&1", kReplaced, kReplaced, kReplaced},
           {"(exec app --port 80)", kStays, kStays, kReplaced},
           {"{ exec app --port 80; }", kReplaced, kReplaced, kReplaced},
           {"if true; then exec app --port 80; fi", kReplaced, kReplaced, kReplaced},
           {"case x in x) app --port 80;; esac", kStays, kStays, kReplaced},
           {"true & app --port 80", kStays, kStays, kReplaced},
           {"app --port 80 > /dev/stdout", kStays, kStays, kReplaced},
           {"X=1; app --port 80", kStays, kReplaced, kReplaced},
           {"export X=1; app --port 80", kStays, kReplaced, kReplaced},
           {"trap 'true' EXIT; app --port 80", kStays, kDies, kStays},
           {"set -m; app --port 80", kStays, kReplaced, kReplaced},
           {"eval app --port 80", kStays, kStays, kStays},
           {"eval exec app --port 80", kReplaced, kReplaced, kReplaced},
           {"app --port 80 || exit 1", kStays, kStays, kStays},
           {"app --port 80 && true", kStays, kStays, kStays},
           {". /dev/null; app --port 80", kStays, kReplaced, kReplaced},
           {"cat <<E >/dev/null\nx\nE\napp --port 80", kStays, kReplaced, kReplaced},
           {"{ true; app --port 80; }", kStays, kStays, kReplaced},
           {"exec 2>&1; app --port 80", kStays, kReplaced, kReplaced},
           {"true\n\n\napp --port 80", kStays, kReplaced, kReplaced},
           {"[ -n \"\" ] || app --port 80", kStays, kReplaced, kReplaced},
           {"  app --port 80", kStays, kReplaced, kReplaced},
           {"\napp --port 80", kStays, kReplaced, kReplaced},
           {"\n\napp --port 80\n", kStays, kReplaced, kStays},
           {"true;app --port 80", kStays, kReplaced, kReplaced},
           {"true;\napp --port 80", kStays, kReplaced, kReplaced},
           {"cd /\ntrue && app --port 80\n", kStays, kReplaced, kStays},
           {"while true; do app --port 80; break; done", kStays, kStays, kStays},
           {"set -e\napp --port 80", kStays, kReplaced, kReplaced},
           {"true\n# c\napp --port 80", kStays, kReplaced, kReplaced},
           {"umask 022; app --port 80", kStays, kReplaced, kReplaced},
           {"set -x; app --port 80", kStays, kReplaced, kReplaced},
           {"(exec app --port 80); true", kStays, kStays, kStays},
           {"exec app --port 80 | cat", kStays, kStays, kStays},
           {"true; app --port 80 # c\n", kStays, kReplaced, kStays},
           {"if false; then true; else app --port 80; fi", kStays, kStays, kReplaced},
           {"until app --port 80; do sleep 1; done", kStays, kStays, kStays},
           {"app --port 80; sleep 1", kStays, kStays, kStays},
           {"sleep 0 && app --port 80", kStays, kReplaced, kReplaced},
           {"trap - TERM; app --port 80", kStays, kReplaced, kReplaced},
           {"trap '' TERM; app --port 80", kStays, kReplaced, kReplaced},
           {"app --port 80 &\nx=1\nwait $!", kStays, kStays, kStays},
           {"exec env X=1 app --port 80", kReplaced, kReplaced, kReplaced},
           {"cd / || exit 1; app --port 80", kStays, kReplaced, kReplaced},
           {"true\\\n && app --port 80", kStays, kReplaced, kReplaced},
           {"app --port 80 2>/dev/null || true", kStays, kStays, kStays},
           {"{ true && app --port 80; } 2>&1", kStays, kStays, kStays},
           {"test -d / && { app --port 80; }", kStays, kStays, kReplaced},
           {"for i in 1; do exec app --port 80; done", kReplaced, kReplaced, kReplaced},
           {"true; exec app --port 80\n", kReplaced, kReplaced, kReplaced},
           {"true; (app --port 80)\n", kStays, kStays, kStays},
           {"true | app --port 80", kStays, kStays, kStays},
           {"app --port 80 <<E\nx\nE", kStays, kStays, kStays},
           {"app --port 80 <<E\nx\nE\n", kStays, kStays, kStays},
           {"set -- a b; app --port 80", kStays, kReplaced, kReplaced},
           {"! exec app --port 80", kReplaced, kReplaced, kReplaced},
           {"true && exec app --port 80 || exit 1", kReplaced, kReplaced, kReplaced},
           {"app --port 80 && exit", kStays, kStays, kStays},
       }) {
    const std::array<Fate, 3> expected{row.dash, row.bash, row.ash};
    for (std::size_t i = 0; i < kFlavors.size(); ++i) {
      const ShellMain main = shell_main(row.script, kFlavors[i]);
      EXPECT_EQ(main.fate, expected[i]) << row.script << " in shell " << i << ": " << main.reason;
      EXPECT_EQ(main.reason.empty(), main.fate == kReplaced) << row.script;
    }
    // What all three do alike is true of an unknown one, and nothing else.
    const Fate unknown = shell_main(row.script, ShellFlavor::kUnknown).fate;
    EXPECT_EQ(unknown, row.dash == row.bash && row.dash == row.ash ? row.dash : kUnknown) << row.script;
  }
}

TEST(ShellMainTest, FindsTheProgram) {
  struct Row {
    std::string script;
    std::vector<std::string> argv;
    Fate fate;  // of dash
    std::string reason;
  };
  for (const Row& row : std::vector<Row>{
           {"gunicorn -b :80 'wsgi:app'", {"gunicorn", "-b", ":80", "wsgi:app"}, kStays, "dash waits"},
           {"python manage.py migrate && exec gunicorn wsgi", {"gunicorn", "wsgi"}, kReplaced, ""},
           {"exec \"$@\"", {"\"$@\""}, kReplaced, ""},
           {"exec -c -- java $OPTS -jar app.jar", {"java", "$OPTS", "-jar", "app.jar"}, kReplaced, ""},
           {"nginx & exec php-fpm", {"php-fpm"}, kReplaced, ""},
           {"app & wait", {"app"}, kStays, "background"},
           {"app & sleep infinity", {"sleep", "infinity"}, kStays, "dash waits"},
           {"app & while true; do sleep 5; done", {"app"}, kStays, "background"},
           {"while true; do sleep 5; done", {"sleep", "5"}, kStays, "loop"},
           {"app 2>&1 | tee /log", {"app"}, kStays, "pipe"},
           {"cat conf | app", {"app"}, kStays, "pipe"},
           {"[ -f /env ] && . /env; app", {"app"}, kStays, "dash waits"},
           {"app; echo done", {"app"}, kStays, "goes on"},
           {"main() { setup; exec app \"$@\"; }\nmain \"$@\"", {"app", "\"$@\""}, kReplaced, ""},
           {"f() { g; }; g() { f; }; f", {}, Fate::kUnknown, "no program"},
           {"if [ -n \"$D\" ]; then exec dlv app; else exec app; fi", {"dlv", "app"}, kReplaced, ""},
           {"if [ -n \"$D\" ]; then dlv app; else exec app; fi", {"dlv", "app"}, Fate::kUnknown, "condition"},
           {"case $1 in web) exec app;; *) exec \"$@\";; esac", {"app"}, kReplaced, ""},
           {"while ! app; do sleep 1; done", {"app"}, kStays, "loop"},
           {"$CMD --flag", {"$CMD", "--flag"}, kStays, "dash waits"},
           {"eval \"$CMD\"", {"\"$CMD\""}, Fate::kUnknown, "eval"},
           {"trap 'kill -TERM $pid' TERM INT; app & pid=$!; wait $pid", {"app"}, kTraps, "trap"},
           {"cat <<EOF > /conf\nexec other\nEOF\nexec app", {"app"}, kReplaced, ""},
           {"echo hello", {}, Fate::kUnknown, "no program"},
           {"", {}, Fate::kUnknown, "no program"},
           {"app 'x", {}, Fate::kUnknown, "single quote"},
           {"a=(1 2); app", {}, Fate::kUnknown, "array"}}) {
    const ShellMain main = shell_main(row.script, ShellFlavor::kDash);
    EXPECT_EQ(main.argv, row.argv) << row.script;
    EXPECT_EQ(main.fate, row.fate) << row.script << " " << main.reason;
    EXPECT_THAT(main.reason, HasSubstr(row.reason)) << row.script;
  }
}

TEST(ShellMainTest, KeepsAssignments) {
  const ShellMain main = shell_main("A=1 B=\"x y\" C=$D app", ShellFlavor::kBash);
  EXPECT_THAT(main.argv, ElementsAre("app"));
  using Pair = std::pair<std::string, std::string>;
  EXPECT_THAT(main.assignments, ElementsAre(Pair{"A", "1"}, Pair{"B", "x y"}, Pair{"C", "$D"}));
}

TEST(ShellMainTest, ImageAndNameTellTheShell) {
  struct Row {
    std::string image;
    std::string_view program;
    ShellFlavor flavor;
  };
  for (const Row& row : std::vector<Row>{{"x", "/bin/bash", ShellFlavor::kBash},
                                         {"nginx:1.27", "dash", ShellFlavor::kDash},
                                         {"debian:12", "/bin/ash", ShellFlavor::kAsh},
                                         {"x", "busybox", ShellFlavor::kAsh},
                                         {"python:3.11-alpine", "/bin/sh", ShellFlavor::kAsh},
                                         {"python:3.11-alpine3.19", "sh", ShellFlavor::kAsh},
                                         {"registry.local/team/app:2-alpine", "sh", ShellFlavor::kAsh},
                                         {"busybox:1.36", "sh", ShellFlavor::kAsh},
                                         {"registry.local:5000/alpine", "sh", ShellFlavor::kAsh},
                                         {"python:3.11", "sh", ShellFlavor::kDash},
                                         {"docker.io/library/node:20", "sh", ShellFlavor::kDash},
                                         {"registry.local/python:3.11", "sh", ShellFlavor::kUnknown},
                                         {"registry.local/app:1-slim", "sh", ShellFlavor::kDash},
                                         {"registry.local/app:1-bookworm", "sh", ShellFlavor::kDash},
                                         {"ubuntu:24.04", "sh", ShellFlavor::kDash},
                                         {"php:8-fpm@sha256:00", "sh", ShellFlavor::kDash},
                                         {"maven:3-amazoncorretto-21", "sh", ShellFlavor::kUnknown},
                                         {"registry.local/sid/app:1", "sh", ShellFlavor::kUnknown},
                                         {"registry.local/app:1", "sh", ShellFlavor::kUnknown},
                                         {"", "sh", ShellFlavor::kUnknown},
                                         {"alpine", "zsh", ShellFlavor::kUnknown}}) {
    objects::Container container;
    container.image = row.image;
    EXPECT_EQ(shell_flavor(container, row.program), row.flavor) << row.image << " " << row.program;
  }
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  result.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

// Twice the script, twice the characters looked at; and memory has a bound.
TEST(ShellMainTest, HostileScriptsAreReadInLinearTime) {
  for (const std::string_view part :
       {"a;", "a && ", "a | ", "(", "{ ", "if a; then ", "$(", "\"$(", "`", "x=(", "case x in y) ", "f() { ", "f() { f; }; ",
        "! ", "<<E ", "cat <<E\n", "$((", "((", "[[ a ", "for i in ", "\\\n", "#\n", "'", "a\n", "while a; do ", "time ",
        "a & ", "$'", "${x:-", "trap a TERM;", "eval ", "exec ", "> f ", "2>&1 "}) {
    const std::string small = repeated(part, 100'000 / part.size());
    const std::string large = repeated(part, 1'000'000 / part.size());
    const ShellScript one = parse_shell(small);
    const ShellScript ten = parse_shell(large);
    EXPECT_LE(ten.steps, 3 * large.size()) << part;
    EXPECT_LE(one.steps, 3 * small.size()) << part;
    EXPECT_LE(ten.nodes.size() + ten.words.size() + ten.redirections.size(), 70'000u) << part;
    for (const ShellFlavor flavor : kFlavors) shell_main(large, flavor);
  }
}

}  // namespace
}  // namespace shutdown_auditor::audit
