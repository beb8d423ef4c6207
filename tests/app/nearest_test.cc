#include "app/nearest.h"

#include <gtest/gtest.h>

namespace shutdown_auditor::app {
namespace {

TEST(DidYouMean, SlipsOnly) {
  const std::vector<std::string> kWords{"--filename", "--fail-on", "--fail-if-empty", "-o", "grace-budget", "grace-zero", "bash"};
  const struct {
    const char* word;
    const char* meant;  // empty: nothing near
  } kCases[] = {
      {"--filname", "--filename"}, {"--flie-name", "--filename"}, {"--file", "--filename"}, {"--fil", "--filename"},
      {"--failon", "--fail-on"},   {"--fail_on", "--fail-on"},    {"grace-bugdet", "grace-budget"},
      {"gracebudget", "grace-budget"}, {"grace-zro", "grace-zero"}, {"basch", "bash"}, {"GRACE-ZERO", ""},
      {"--", ""},                  {"-x", ""},                    {"--xyzzy", ""},  {"", ""}, {"deployment/web", ""},
  };
  for (const auto& test : kCases) {
    const std::string meant = test.meant;
    EXPECT_EQ(did_you_mean(test.word, kWords), meant.empty() ? "" : "; did you mean " + meant + "?") << test.word;
  }
}

TEST(DidYouMean, LongWordsCostNothing) {
  EXPECT_EQ(did_you_mean(std::string(1 << 20, 'a'), {std::string(1 << 20, 'a')}), "");
}

}  // namespace
}  // namespace shutdown_auditor::app
