#include "report/timeline.h"

#include <gmock/gmock.h>

#include <limits>

#include "base/text.h"
#include "formats_sample.h"
#include "printed.h"
#include "report/one_line.h"

namespace shutdown_auditor::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ReportedContainer container(std::string name, std::string hook_kind, std::int64_t hook, std::int64_t cleanup,
                            std::int64_t needs) {
  ReportedContainer out;
  out.name = std::move(name);
  out.role = "Serving";
  out.pre_stop = ReportedPreStop{std::move(hook_kind), hook, hook, hook};
  out.cleanup_seconds = cleanup;
  out.signal_handling = "Graceful";
  out.stop_signal = "SIGTERM";
  out.needs_seconds = needs;
  out.parts.drain_seconds = std::max<std::int64_t>(0, needs / 2 - hook / 2 - cleanup / 2);
  out.parts.cleanup_seconds = cleanup;
  return out;
}

// A native sidecar of Kubernetes 1.29 and later.
ReportedContainer native(ReportedContainer container) {
  container.role = "Sidecar";
  container.parts.stops_last = true;
  return container;
}

// The reference workload of the README: 5 s hook, 30 s requests, 20 s cleanup, 5 s buffer.
ShutdownAudit reference(std::int64_t grace) {
  ShutdownAudit audit = format_audit("shop", "web", "Pass", {});
  ReportedBudget& budget = *audit.status.budget;
  budget.grace_period_seconds = grace;
  budget.pre_stop_seconds = 5;
  budget.max_request_seconds = 30;
  budget.drain_seconds = 30;
  budget.cleanup_seconds = 20;
  budget.buffer_seconds = 5;
  budget.required_seconds = 60;
  budget.required_text = "60";
  budget.container = "app";
  audit.status.containers = {container("app", "Exact", 5, 20, 55)};
  return audit;
}

std::string drawn(const ShutdownAudit& audit, bool unicode = false, std::size_t width = 80) {
  return printed({audit}, [&](std::ostream& out) { return timeline_printer(out, {width, unicode}); });
}

void make_hook(ShutdownAudit& audit, std::string kind, std::int64_t min) {
  audit.status.containers[0].pre_stop = ReportedPreStop{std::move(kind), min, {}, {}};
  audit.status.containers[0].needs_seconds = min + 50;
  audit.status.budget->pre_stop_seconds.reset();
  audit.status.budget->required_seconds = min + 55;
  audit.status.budget->required_text = ">=" + std::to_string(min + 55);
}

ShutdownAudit with_sidecars(bool ordered = true) {
  ShutdownAudit audit = reference(60);
  // Declared in this order: the log shipper starts first and stops last.
  audit.status.containers.push_back(native(container("log", "None", 0, 0, 3)));
  audit.status.containers.push_back(native(container("proxy", "Exact", 10, 0, 15)));
  audit.status.containers[1].parts.stops_last = audit.status.containers[2].parts.stops_last = ordered;
  audit.status.budget->sidecar_seconds = 8;
  audit.status.budget->required_seconds = 68;
  audit.status.budget->required_text = "68";
  return audit;
}

TEST(Timeline, Goldens) {
  ShutdownAudit unknown = reference(60);
  make_hook(unknown, "Unknown", 0);
  ShutdownAudit unbounded = reference(60);
  make_hook(unbounded, "Unbounded", 4);
  ShutdownAudit delivered = reference(30);
  delivered.status.containers[0].signal_handling = "NotDelivered";
  delivered.status.containers[0].needs_seconds = 5;
  delivered.status.budget->required_seconds = 10;
  delivered.status.budget->required_text = "10";
  delivered.status.budget->cleanup_seconds = 0;
  delivered.status.containers.push_back(container("helper", "None", 0, 0, 0));
  ShutdownAudit long_hook = reference(30);
  long_hook.status.containers[0] = container("app", "Exact", 45, 20, 95);
  long_hook.status.budget->pre_stop_seconds = 45;
  long_hook.status.budget->required_seconds = 100;
  long_hook.status.budget->required_text = "100";
  ShutdownAudit ceiling = reference(60);
  ceiling.status.budget->ceiling_seconds = 25;
  ShutdownAudit range = reference(60);
  range.status.containers[0].pre_stop = ReportedPreStop{"Range", 1, 5, 25};

  // Two containers with delays of their own: only the first decides, the second is drawn as well.
  ShutdownAudit delays = reference(60);
  delays.status.containers[0].parts.delay_seconds = 10;
  delays.status.containers[0].parts.drain_seconds = 20;
  delays.status.containers.push_back(container("admin", "None", 0, 5, 25));
  delays.status.containers[1].parts.delay_seconds = 15;
  // nginx -s quit; wait: the hook starts the drain.
  ShutdownAudit by_hook = reference(60);
  by_hook.status.containers[0] = container("app", "Exact", 8, 0, 38);
  by_hook.status.containers[0].parts.hook_drains = true;
  by_hook.status.containers[0].parts.delay_seconds = 3;
  by_hook.status.containers[0].parts.drain_seconds = 35;
  by_hook.status.budget->required_seconds = 43;
  by_hook.status.budget->required_text = "43";
  // A hook that stays until the drain is done, which the application limits.
  ShutdownAudit waits = by_hook;
  waits.status.containers[0].pre_stop = ReportedPreStop{"Unbounded", 0, {}, {}};
  waits.status.containers[0].parts.hook_waits = true;
  ShutdownAudit assumed = reference(30);
  assumed.status.containers[0].parts.drain_assumed = assumed.status.containers[0].parts.cleanup_assumed = true;
  assumed.status.budget->required_text = "~60";
  assumed.status.containers.push_back(container("helper", "None", 0, 0, 0));
  assumed.status.containers[1].parts.drain_seconds.reset();
  ShutdownAudit hours = reference(4 * 3600);
  hours.status.containers[0] = container("app", "Exact", 5, 60, 3 * 3600 + 65);
  hours.status.budget->required_seconds = 3 * 3600 + 70;
  hours.status.budget->required_text = "10870";
  ShutdownAudit wide_name = with_sidecars();
  wide_name.target.name = wide_name.status.containers[1].name = "日本語";

  expect_golden(drawn(reference(60)), "timeline_fits.golden.txt");
  expect_golden(drawn(reference(30)), "timeline_short.golden.txt");
  expect_golden(drawn(reference(0)), "timeline_grace_zero.golden.txt");
  expect_golden(drawn(with_sidecars()), "timeline_native_sidecars.golden.txt");
  expect_golden(drawn(with_sidecars(false)), "timeline_plain_sidecars.golden.txt");
  expect_golden(drawn(unknown), "timeline_hook_unknown.golden.txt");
  expect_golden(drawn(unbounded), "timeline_hook_unbounded.golden.txt");
  expect_golden(drawn(range), "timeline_hook_range.golden.txt");
  expect_golden(drawn(long_hook), "timeline_hook_over_grace.golden.txt");
  expect_golden(drawn(by_hook), "timeline_hook_drains.golden.txt");
  expect_golden(drawn(waits), "timeline_hook_waits.golden.txt");
  expect_golden(drawn(delivered), "timeline_signal_not_delivered.golden.txt");
  expect_golden(drawn(ceiling), "timeline_ceiling.golden.txt");
  expect_golden(drawn(delays), "timeline_delays.golden.txt");
  expect_golden(drawn(assumed), "timeline_assumed.golden.txt");
  expect_golden(drawn(hours), "timeline_hours.golden.txt");
  expect_golden(drawn(with_sidecars(), true, 60), "timeline_unicode_60.golden.txt");
  expect_golden(drawn(reference(60), true, 120), "timeline_unicode_120.golden.txt");
  expect_golden(drawn(delays, true, 40), "timeline_unicode_40.golden.txt");
  expect_golden(drawn(wide_name, true), "timeline_wide_name.golden.txt");
  expect_golden(drawn(wide_name), "timeline_wide_name_ascii.golden.txt");
}

TEST(Timeline, FitsAnyWidth) {
  ShutdownAudit hidden = with_sidecars();
  make_hook(hidden, "Unknown", 7);
  for (std::size_t width = 40; width <= 200; width += 3) {
    for (const ShutdownAudit& audit : {reference(60), reference(20), with_sidecars(), hidden}) {
      for (const bool unicode : {false, true}) {
        const std::string text = drawn(audit, unicode, width);
        for (const std::string_view line : base::split(text, '\n')) EXPECT_LE(columns(line), width) << text;
      }
    }
  }
}

TEST(Timeline, AuditThatFailedHasNothingToDraw) {
  ShutdownAudit audit = format_audit("shop", "web", "Error", {});
  audit.status.budget.reset();
  EXPECT_EQ(drawn(audit), "shop/deployment/web: nothing to draw, the workload could not be audited\n");
}

// When SIGKILL comes: at the end of the grace period, not before 2 s after the stop signal.
TEST(Timeline, KillTime) {
  struct Row {
    std::int64_t grace;
    std::int64_t hook;
    const char* last_tick;
  };
  const Row rows[] = {{30, 5, "30s"},  {30, 28, "30s"}, {30, 29, "31s"}, {30, 30, "32s"},
                      {30, 45, "45s"}, {1, 0, "3s"},    {0, 0, "3s"}};
  for (const Row& row : rows) {
    ShutdownAudit audit = reference(row.grace);
    audit.status.containers = {container("app", "Exact", row.hook, 0, row.hook)};
    ReportedBudget& budget = *audit.status.budget;
    budget.pre_stop_seconds = row.hook;
    budget.cleanup_seconds = budget.buffer_seconds = 0;
    budget.required_seconds = std::max(row.hook, row.grace <= 1 ? std::int64_t{3} : std::int64_t{0});
    const std::string text = drawn(audit);
    const std::string_view ticks = base::split(text, '\n').at(2);
    EXPECT_TRUE(ticks.ends_with(row.last_tick)) << row.grace << " " << row.hook << "\n" << text;
  }
}

TEST(Timeline, AnyNumbersAreDrawn) {
  const std::int64_t numbers[] = {-5, 0, 1, 59, 86'400, std::numeric_limits<std::int64_t>::max()};
  for (const std::int64_t grace : numbers) {
    for (const std::int64_t hook : numbers) {
      for (const std::int64_t needs : numbers) {
        ShutdownAudit audit = with_sidecars();
        audit.status.budget->grace_period_seconds = grace;
        audit.status.budget->required_seconds = needs;
        audit.status.budget->pre_stop_seconds = hook;
        audit.status.budget->sidecar_seconds = needs;
        for (ReportedContainer& each : audit.status.containers) {
          each.pre_stop = ReportedPreStop{"Exact", hook, hook, hook};
          each.needs_seconds = needs;
          each.cleanup_seconds = each.parts.cleanup_seconds = each.parts.delay_seconds = hook;
        }
        const std::string text = drawn(audit);
        EXPECT_THAT(text, HasSubstr("Killing"));
        for (const std::string_view line : base::split(text, '\n')) EXPECT_LE(columns(line), 80U);
      }
    }
  }
}

TEST(Timeline, HostileNames) {
  ShutdownAudit audit = with_sidecars();
  for (ReportedContainer& each : audit.status.containers) each.name = hostile_text();
  audit.status.containers[0].signal_handling = "Ignored";
  audit.status.containers[0].stop_signal = hostile_text();
  audit.target.name = hostile_text();
  const std::string text = drawn(audit, true);
  EXPECT_TRUE(base::is_utf8(text));
  EXPECT_TRUE(std::none_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < 0x20 && c != '\n'; }));
}

}  // namespace
}  // namespace shutdown_auditor::report
