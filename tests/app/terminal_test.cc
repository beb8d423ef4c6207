#include "app/terminal.h"

#include <gtest/gtest.h>

#include <map>

namespace shutdown_auditor::app {
namespace {

using Environment = std::map<std::string, std::string, std::less<>>;

TerminalLook look(const Environment& environment, bool terminal = true, std::size_t columns = 0) {
  return terminal_look(terminal, columns, [&](std::string_view name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  });
}

TEST(Terminal, Color) {
  const struct {
    Environment environment;
    bool terminal;
    bool color;
  } kRows[] = {
      {{}, true, true},
      {{}, false, false},
      {{{"TERM", "xterm"}}, true, true},
      {{{"TERM", "dumb"}}, true, false},
      {{{"NO_COLOR", "1"}}, true, false},
      {{{"NO_COLOR", ""}}, true, true},
      {{{"FORCE_COLOR", "1"}}, false, true},
      {{{"FORCE_COLOR", ""}}, false, false},
      {{{"FORCE_COLOR", "0"}}, true, false},
      {{{"FORCE_COLOR", "False"}}, true, false},
      {{{"FORCE_COLOR", "1"}, {"TERM", "dumb"}}, false, true},
      {{{"NO_COLOR", "x"}, {"FORCE_COLOR", "1"}}, true, false},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(look(row.environment, row.terminal).color, row.color) << (&row - kRows);
  }
}

TEST(Terminal, Columns) {
  const struct {
    std::size_t columns;
    std::string variable;
    std::size_t expected;
  } kRows[] = {{0, "", 80},    {0, "132", 132}, {57, "132", 57}, {0, "0", 80},
               {0, "-4", 80},  {0, "wide", 80}, {0, "10000", 80}, {0, "99999999999999999999", 80}};
  for (const auto& row : kRows) {
    EXPECT_EQ(look({{"COLUMNS", row.variable}}, true, row.columns).columns, row.expected) << row.variable;
  }
}

TEST(Terminal, Unicode) {
  const struct {
    Environment environment;
    bool unicode;
  } kRows[] = {
      {{}, false},
      {{{"LANG", "de_DE.UTF-8"}}, true},
      {{{"LANG", "C.utf8"}}, true},
      {{{"LANG", "C"}}, false},
      {{{"LANG", "de_DE.UTF-8"}, {"LC_ALL", "C"}}, false},
      {{{"LANG", "C"}, {"LC_CTYPE", "en_US.UTF-8"}}, true},
      {{{"LANG", "C"}, {"LC_ALL", ""}, {"LC_CTYPE", "en_US.UTF-8"}}, true},
      {{{"LANG", "de_DE.UTF-8"}, {"TERM", "dumb"}}, false},
      {{{"LANG", "de_DE.UTF-8"}, {"TERM", "vt100"}}, false},
      {{{"LANG", "de_DE.UTF-8"}, {"TERM", "vte-direct"}}, true},
      {{{"LANG", "de_DE.UTF-8"}, {"TERM", "xterm-256color"}}, true},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(look(row.environment).unicode, row.unicode) << (&row - kRows);
  }
}

}  // namespace
}  // namespace shutdown_auditor::app
