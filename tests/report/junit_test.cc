#include "report/junit.h"

#include "base/text.h"
#include "formats_sample.h"
#include "printed.h"
#include "report/xml_schema.h"

namespace shutdown_auditor::report {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string junit_xml(const std::vector<ShutdownAudit>& audits, const JUnitOptions& options) {
  return printed(audits, [&](std::ostream& out) { return junit_printer(out, options); });
}

// By the schema of Jenkins' xunit plugin. It has no place for a test's file and line, which GitLab and the reporters of
// GitHub show, and which Jenkins' own junit step passes over.
std::vector<std::string> violations(std::string_view text) {
  return xml_violations(text, (test_data() / "junit-10.xsd").string(), {"file", "line"});
}

TEST(JUnit, Golden) {
  const std::string text = junit_xml(format_audits(), {});
  expect_golden(text, "junit.golden.xml");
  EXPECT_THAT(violations(text), IsEmpty());
}

TEST(JUnit, WarnFailsWhenAsked) {
  JUnitOptions options;
  options.warn_fails = true;
  const std::string text = junit_xml(format_audits(), options);
  EXPECT_THAT(text, HasSubstr("<testsuites name=\"shutdown-auditor\" "
                              "tests=\"10\" failures=\"2\" errors=\"1\""));
  EXPECT_THAT(text, HasSubstr("<failure message=\"app serves traffic and has no readiness probe.\" "
                              "type=\"ReadinessProbeMissing\">"));
}

TEST(JUnit, SeveralFindingsOfOneCheckAreOneTest) {
  ReportedFinding first = format_finding("annotation-invalid", "Info", "KeyUnknown");
  first.message = "first";
  ReportedFinding second = format_finding("annotation-invalid", "Fail", "ValueInvalid");
  second.message = "second";
  const std::string text = junit_xml({format_audit("shop", "web", "Fail", {first, second})}, {});
  EXPECT_THAT(text, HasSubstr(" tests=\"2\" failures=\"1\""));
  EXPECT_THAT(text, HasSubstr("<failure message=\"second\" type=\"ValueInvalid\">Info: first"));
  EXPECT_THAT(text, HasSubstr("\nFail: second"));
}

TEST(JUnit, Empty) {
  EXPECT_THAT(violations(junit_xml({}, {})), IsEmpty());
  EXPECT_EQ(junit_xml({}, {}),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites name=\"shutdown-auditor\" tests=\"0\" failures=\"0\" errors=\"0\" time=\"0\">\n"
            "</testsuites>\n");
}

TEST(JUnit, HostileNamesStayText) {
  const std::string text = junit_xml(hostile_audits(), {});
  EXPECT_THAT(violations(text), IsEmpty());
  EXPECT_TRUE(base::is_utf8(text));
  EXPECT_THAT(text, HasSubstr("]]&gt;--&gt;&lt;b a=&quot;1&quot; c=&apos;2&apos;&gt;&amp;amp;|"));
  EXPECT_THAT(text, Not(HasSubstr("\xEF\xBF\xBF")));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

// That the schema is really applied.
TEST(JUnit, SchemaRefusesMutants) {
  const char* const faults[] = {"", "<testsuites>", "<testsuites></testsuite>", "<report/>", "<testsuites>text</testsuites>",
                                "<testsuites><testsuite name='a'/></testsuites>", "<testsuites when='now'/>",
                                "<testsuites><testcase name='a'/></testsuites>", "<testsuites>\x01</testsuites>"};
  for (const char* const fault : faults) EXPECT_THAT(violations(fault), Not(IsEmpty())) << fault;
  std::string text = junit_xml(format_audits(), {});
  text.replace(text.find("<skipped"), 8, "<ignored");
  EXPECT_THAT(violations(text), Not(IsEmpty()));
}

}  // namespace
}  // namespace shutdown_auditor::report
