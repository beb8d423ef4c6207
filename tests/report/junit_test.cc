#include "report/junit.h"

#include "base/text.h"
#include "formats_sample.h"
#include "well_formed_xml.h"

namespace shutdown_auditor::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(JUnit, Golden) {
  const std::string text = junit_xml(format_audits(), {});
  expect_golden(text, "junit.golden.xml");
  EXPECT_EQ(xml_fault(text), "");
}

TEST(JUnit, WarnFailsWhenAsked) {
  JUnitOptions options;
  options.warn_fails = true;
  const std::string text = junit_xml(format_audits(), options);
  EXPECT_THAT(text, HasSubstr("<testsuites name=\"shutdown-auditor\" "
                              "tests=\"10\" failures=\"2\" errors=\"1\" skipped=\"2\""));
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
  EXPECT_EQ(junit_xml({}, {}),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites name=\"shutdown-auditor\" tests=\"0\" failures=\"0\" errors=\"0\" skipped=\"0\" time=\"0\">\n"
            "</testsuites>\n");
}

TEST(JUnit, HostileNamesStayText) {
  const std::string text = junit_xml(hostile_audits(), {});
  EXPECT_EQ(xml_fault(text), "");
  EXPECT_TRUE(base::is_utf8(text));
  EXPECT_THAT(text, HasSubstr("]]&gt;--&gt;&lt;b a=&quot;1&quot; c=&apos;2&apos;&gt;&amp;amp;|"));
  EXPECT_THAT(text, Not(HasSubstr("\xEF\xBF\xBF")));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(JUnit, TheWellFormednessCheckRefuses) {
  const char* const faults[] = {"",          "<a>",         "<a></b>", "<a x=1/>", "<a x=\"<\"/>", "<a>&</a>",
                                "<a>&x;</a>", "<a/><b/>", "<a x=\"1\" x=\"2\"/>", "<a>\x01</a>", "<a>]]></a>",
                                "text", "<a b/>"};
  for (const char* const fault : faults) EXPECT_NE(xml_fault(fault), "") << fault;
  EXPECT_EQ(xml_fault("<?xml version=\"1.0\"?>\n<a x=\"1\">t&amp;<b/></a>\n"), "");
}

}  // namespace
}  // namespace shutdown_auditor::report
