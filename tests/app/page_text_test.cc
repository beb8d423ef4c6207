#include "app/page_text.h"

#include <gmock/gmock.h>

#include "app/check_pages.h"
#include "base/text.h"
#include "report/one_line.h"

namespace shutdown_auditor::app {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(PageText, MarkdownForATerminal) {
  EXPECT_EQ(page_text("# grace-zero\n\nFail: the **grace** *period* `is*` 0 * 1.\nAlways.\n\n## How\n\n    keep   this\n\n"
                      "- one [two](two.md)\n  three\n- [four](https://four.example/)\n\n| a | b |\n| --- | --- |\n| `x|y` | z |\n\n\n",
                      {60, false}),
            "GRACE-ZERO\n\nFail: the grace period is* 0 * 1. Always.\n\nHOW\n\n    keep   this\n\n- one two three\n"
            "- four <https://four.example/>\n\n- x|y: z\n");
}

TEST(PageText, WrapsAndIndents) {
  EXPECT_EQ(page_text("- aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeeeeee\n", {40, false}),
            "- aaaaaaaaaa bbbbbbbbbb cccccccccc\n  dddddddddd eeeeeeeeee\n");
  EXPECT_EQ(page_text("## A b\n", {80, true}), "\x1b[1mA b\x1b[0m\n");
  EXPECT_EQ(page_text("", {80, false}), "");
}

TEST(PageText, EveryPageFitsTheTerminal) {
  for (const CheckPage& page : check_pages()) {
    const std::string text = page_text(page.text, {80, false});
    EXPECT_THAT(text, Not(HasSubstr("](")));
    EXPECT_THAT(text, Not(HasSubstr("| ---")));
    EXPECT_THAT(text, Not(HasSubstr("\n\n\n")));
    for (const std::string_view line : base::split(text, '\n')) {
      const bool address = line.find("https://") != std::string_view::npos;
      const bool verbatim = line.starts_with("    ");
      EXPECT_TRUE(report::columns(line) <= 80 || address || verbatim) << page.id << ": " << line;
    }
  }
}

}  // namespace
}  // namespace shutdown_auditor::app
