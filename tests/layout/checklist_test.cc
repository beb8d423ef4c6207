// Compares docs/runtime-checklist.md with the tests that exist, and checks on made-up pages that the check would notice.
#include <gmock/gmock.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace shutdown_auditor::layout {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using Names = std::set<std::string, std::less<>>;

constexpr std::int64_t kRows = 158;
constexpr int kMaxNotApplicable = 15;

// Suite.Name of each test that a source file defines.
Names tests_in(std::string_view text) {
  Names names;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::string_view rest = text.substr(start);
    for (const std::string_view macro : {"TEST(", "TEST_F(", "TEST_P("}) {
      if (rest.starts_with(macro)) {
        const auto arguments = base::split(rest.substr(macro.size(), rest.find(')') - macro.size()), ',');
        if (arguments.size() == 2) {
          names.insert(std::string(base::trim(arguments[0])) + "." + std::string(base::trim(arguments[1])));
        }
      }
    }
    const std::size_t end = text.find('\n', start);
    start = end == std::string_view::npos ? text.size() : end + 1;
  }
  return names;
}

// What is wrong with the names in the last column of a row; none is a violation as well.
void check_proof(std::string_view proof, const Names& tests, const std::string& row, std::vector<std::string>& found) {
  for (std::string_view name : base::split(proof, ',')) {
    name = base::trim(name);
    if (name.size() < 3 || name.front() != '`' || name.back() != '`') {
      found.push_back(row + "names no test: " + base::quoted(name));
    } else if (!tests.contains(name.substr(1, name.size() - 2))) {
      found.push_back(row + "no such test: " + std::string(name));
    }
  }
}

// Everything that is wrong with a checklist page, one line each, in the order of the page; missing numbers last.
std::vector<std::string> checklist_violations(std::string_view page, const Names& tests) {
  constexpr std::string_view kNotApplicable = "does not apply:";
  std::vector<std::string> found;
  std::set<std::int64_t> numbers;
  int not_applicable = 0;
  for (const std::string_view line : base::split(page, '\n')) {
    if (!line.starts_with("|") || line.starts_with("| # |") || line.starts_with("| --- |")) {
      continue;
    }
    const auto cells = base::split(base::trim(line), '|');  // the first and the last are outside of the bars
    const auto number = base::parse_int64(base::trim(cells[1]));
    if (cells.size() != 5 || !number || *number < 1 || *number > kRows) {
      found.push_back("not a row: " + base::quoted(line));
      continue;
    }
    const std::string row = std::to_string(*number) + ": ";
    if (!numbers.insert(*number).second) {
      found.push_back(row + "used twice");
    }
    if (base::trim(cells[2]).empty()) {
      found.push_back(row + "no behaviour");
    }
    const std::string_view proof = base::trim(cells[3]);
    if (!proof.starts_with(kNotApplicable)) {
      check_proof(proof, tests, row, found);
    } else if (++not_applicable; base::trim(proof.substr(kNotApplicable.size())).empty()) {
      found.push_back(row + "no reason");
    }
  }
  for (std::int64_t number = 1; number <= kRows; ++number) {
    if (!numbers.contains(number)) {
      found.push_back(std::to_string(number) + ": missing");
    }
  }
  if (not_applicable > kMaxNotApplicable) {
    found.push_back(std::to_string(not_applicable) + " rows do not apply, at most 15 may");
  }
  return found;
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(Checklist, EveryBehaviourIsProvedByTestsThatExist) {
  const fs::path root = SA_SOURCE_DIR;
  Names tests;
  for (const auto& entry : fs::recursive_directory_iterator(root / "tests")) {
    if (entry.is_regular_file() && entry.path().extension() == ".cc") {
      tests.merge(tests_in(read(entry.path())));
    }
  }
  EXPECT_THAT(checklist_violations(read(root / "docs/runtime-checklist.md"), tests), IsEmpty());
}

std::string row_of(std::int64_t number, std::string_view rest) {
  return "| " + std::to_string(number) + " | " + std::string(rest) + " |\n";
}

// A page without faults, but for what `changed` says instead of row 7.
std::string page(const std::string& changed) {
  std::string text = "# Title\n\n| # | behaviour | proved by |\n| --- | --- | --- |\n";
  for (std::int64_t number = 1; number <= kRows; ++number) {
    text += number == 7 ? changed : row_of(number, "works | `Suite.Works`, `Suite.Lasts`");
  }
  return text;
}

TEST(ChecklistRules, EachFaultOfAPageIsFound) {
  const Names tests{"Suite.Works", "Suite.Lasts"};
  EXPECT_THAT(checklist_violations(page(row_of(7, "works | `Suite.Works`")), tests), IsEmpty());
  EXPECT_THAT(checklist_violations(page(row_of(7, "works | does not apply: not built")), tests), IsEmpty());
  const struct {
    std::string instead_of_7;
    std::vector<std::string> expected;
  } kCases[] = {
      {"", {"7: missing"}},
      {row_of(8, "works | `Suite.Works`"), {"8: used twice", "7: missing"}},
      {row_of(7, "works | `Suite.Breaks`"), {"7: no such test: `Suite.Breaks`"}},
      {row_of(7, "works | `Suite.Works`, `Suite.Work`"), {"7: no such test: `Suite.Work`"}},
      {row_of(7, "works | Suite.Works"), {"7: names no test: \"Suite.Works\""}},
      {row_of(7, "works | "), {"7: names no test: \"\""}},
      {row_of(7, " | `Suite.Works`"), {"7: no behaviour"}},
      {row_of(7, "works | does not apply: "), {"7: no reason"}},
      {row_of(7, "works | `Suite.Works` | more"), {"not a row: \"| 7 | works | `Suite.Works` | more |\"", "7: missing"}},
      {row_of(159, "works | `Suite.Works`"), {"not a row: \"| 159 | works | `Suite.Works` |\"", "7: missing"}},
      {"| seven | works | `Suite.Works` |\n", {"not a row: \"| seven | works | `Suite.Works` |\"", "7: missing"}},
      {"|", {"not a row: \"|| 8 | works | `Suite.Works`, `Suite.Lasts` |\"", "7: missing", "8: missing"}},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(checklist_violations(page(test.instead_of_7), tests), test.expected) << test.instead_of_7;
  }
}

TEST(ChecklistRules, FifteenRowsMayNotApplySixteenMayNot) {
  for (const std::int64_t count : {15, 16}) {
    std::string text;
    for (std::int64_t number = 1; number <= kRows; ++number) {
      text += row_of(number, number <= count ? "works | does not apply: not built" : "works | `Suite.Works`");
    }
    const auto found = checklist_violations(text, {"Suite.Works"});
    EXPECT_EQ(found, count == 15 ? std::vector<std::string>{}
                                 : std::vector<std::string>{"16 rows do not apply, at most 15 may"});
  }
}

TEST(ChecklistRules, TestsAreFoundInSources) {
  EXPECT_THAT(tests_in("TEST(A, One) {\n}\n\nTEST_F(B, Two) {}\nTEST_P(C,\n       Three) {"),
              ElementsAre("A.One", "B.Two", "C.Three"));
  EXPECT_THAT(tests_in("// TEST(A, Comment)\n  EXPECT_TRUE(x);\nTESTING(A, B)\nTEST(Half"), IsEmpty());
}

}  // namespace
}  // namespace shutdown_auditor::layout
