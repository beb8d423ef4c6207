#include "report/event_text.h"

#include <gmock/gmock.h>

#include "sample.h"

namespace shutdown_auditor::report {
namespace {

using audit::Check;
using audit::CheckResult;
using audit::Verdict;
using testing::HasSubstr;
using testing::StartsWith;

ShutdownAudit audit_of(Verdict verdict, std::vector<audit::Finding> findings = {}) {
  return make_shutdown_audit(sample_result(verdict, std::move(findings)), sample_workload(), "", Detail::kStored);
}

const audit::Finding kFailFinding = sample_finding(Check::kGraceZero, CheckResult::kFail);
const audit::Finding kWarnFinding = sample_finding(Check::kPdbMissing, CheckResult::kWarn);
const audit::Finding kOtherWarn = sample_finding(Check::kReadinessProbeMissing, CheckResult::kWarn, "app");
const audit::Finding kInfoFinding = sample_finding(Check::kGraceUnverified, CheckResult::kInfo);

TEST(EventText, WhenAndWhich) {
  const ShutdownAudit pass = audit_of(Verdict::kPass);
  const ShutdownAudit unverified = audit_of(Verdict::kUnverified, {kInfoFinding});
  const ShutdownAudit warn = audit_of(Verdict::kWarn, {kWarnFinding});
  const ShutdownAudit two_warns = audit_of(Verdict::kWarn, {kWarnFinding, kOtherWarn});
  const ShutdownAudit fail = audit_of(Verdict::kFail, {kFailFinding});
  const ShutdownAudit fail_and_warn = audit_of(Verdict::kFail, {kFailFinding, kWarnFinding});
  const ShutdownAudit skip = audit_of(Verdict::kSkip);
  const ShutdownAudit error = audit_of(Verdict::kError);
  const struct {
    const char* what;
    const ShutdownAudit* before;
    const ShutdownAudit* now;
    bool created;
    EventLevel level;
    const char* reason;  // "": no Event
  } kCases[] = {
      {"unchanged fail", &fail, &fail, false, EventLevel::kWarn, ""},
      {"unchanged warn", &warn, &warn, false, EventLevel::kWarn, ""},
      {"pass to fail", &pass, &fail, false, EventLevel::kWarn, "ShutdownAuditFailed"},
      {"pass to warn", &pass, &warn, false, EventLevel::kWarn, "ShutdownAuditWarned"},
      {"pass to warn, only fails wanted", &pass, &warn, false, EventLevel::kFail, ""},
      {"another warning", &warn, &two_warns, false, EventLevel::kWarn, "ShutdownAuditWarned"},
      {"one warning fewer", &two_warns, &warn, false, EventLevel::kWarn, "ShutdownAuditWarned"},
      {"another failing check", &fail, &fail_and_warn, false, EventLevel::kWarn, "ShutdownAuditFailed"},
      {"fail to warn", &fail, &warn, false, EventLevel::kWarn, "ShutdownAuditWarned"},
      {"fail to pass", &fail, &pass, false, EventLevel::kWarn, "ShutdownAuditPassed"},
      {"fail to pass, only fails wanted", &fail, &pass, false, EventLevel::kFail, "ShutdownAuditPassed"},
      {"warn to pass", &warn, &pass, false, EventLevel::kWarn, "ShutdownAuditPassed"},
      {"warn to pass, only fails wanted", &warn, &pass, false, EventLevel::kFail, ""},
      {"unverified to pass", &unverified, &pass, false, EventLevel::kWarn, ""},
      {"skip to pass", &skip, &pass, false, EventLevel::kWarn, ""},
      {"pass to unverified", &pass, &unverified, false, EventLevel::kWarn, ""},
      {"fail to unverified", &fail, &unverified, false, EventLevel::kWarn, ""},
      {"fail to skip", &fail, &skip, false, EventLevel::kWarn, ""},
      {"fail to error", &fail, &error, false, EventLevel::kWarn, ""},
      {"new and failing", nullptr, &fail, true, EventLevel::kWarn, "ShutdownAuditFailed"},
      {"new and warned", nullptr, &warn, true, EventLevel::kWarn, "ShutdownAuditWarned"},
      {"new and passing", nullptr, &pass, true, EventLevel::kWarn, ""},
      {"new and unverified", nullptr, &unverified, true, EventLevel::kWarn, ""},
      {"there before the first sync", nullptr, &fail, false, EventLevel::kWarn, ""},
      {"switched off", &pass, &fail, true, EventLevel::kNone, ""},
  };
  for (const auto& test : kCases) {
    std::optional<StoredAudit> before;
    if (test.before != nullptr) {
      before = stored(*test.before);
    }
    const std::optional<EventDraft> event =
        event_for(before ? &*before : nullptr, *test.now, test.created, test.level);
    EXPECT_EQ(event ? event->reason : "", test.reason) << test.what;
    if (event) {
      EXPECT_EQ(event->type, event->reason == "ShutdownAuditPassed" ? "Normal" : "Warning") << test.what;
      EXPECT_FALSE(event->note.empty()) << test.what;
    }
  }
}

TEST(EventText, TheNoteCarriesTheWorstFindingAndTheRest) {
  const auto note = [](std::vector<audit::Finding> findings) {
    return event_for(nullptr, audit_of(Verdict::kFail, std::move(findings)), true, EventLevel::kWarn)->note;
  };
  EXPECT_EQ(note({kFailFinding}), "Needs 75 s, has 60 s.");
  EXPECT_EQ(note({kFailFinding, kWarnFinding}),
            "Needs 75 s, has 60 s. 1 more finding: kubectl describe shutdownaudit deployment-web");
  EXPECT_THAT(note({kFailFinding, kWarnFinding, kOtherWarn}), HasSubstr(" 2 more findings: "));
}

TEST(EventText, TheNoteIsAtMostOneKilobyte) {
  objects::Workload workload = sample_workload();
  workload.meta.name = std::string(253, 'w');
  audit::Finding finding = kFailFinding;
  finding.message = std::string(5000, 'x');
  const ShutdownAudit audit = make_shutdown_audit(sample_result(Verdict::kFail, {finding, kWarnFinding}), workload, "",
                                                  Detail::kStored);
  const std::string note = event_for(nullptr, audit, true, EventLevel::kWarn)->note;
  EXPECT_LE(note.size(), 1024U);
  EXPECT_THAT(note, StartsWith("xxx"));
  EXPECT_THAT(note, HasSubstr("1 more finding"));
}

TEST(EventText, Levels) {
  EXPECT_EQ(parse_event_level("Warn"), EventLevel::kWarn);
  EXPECT_EQ(parse_event_level("Fail"), EventLevel::kFail);
  EXPECT_EQ(parse_event_level("None"), EventLevel::kNone);
  EXPECT_EQ(parse_event_level("warn"), std::nullopt);
}

}  // namespace
}  // namespace shutdown_auditor::report
