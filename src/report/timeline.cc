#include "report/timeline.h"

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "audit/seconds.h"
#include "report/character.h"
#include "report/chart.h"
#include "report/finding_text.h"
#include "report/one_line.h"

namespace shutdown_auditor::report {
namespace {

constexpr std::size_t kMinWidth = 40;
constexpr std::int64_t kKubeletFloorSeconds = 2;  // minimumGracePeriodInSeconds, kuberuntime_manager.go

std::int64_t known(const std::optional<std::int64_t>& seconds) { return std::max<std::int64_t>(0, seconds.value_or(0)); }

// How the stop of one container is drawn.
struct Stop {
  std::int64_t hook = 0;   // as long as it normally takes; the provable minimum when `hook_open`
  bool hook_open = false;  // nobody knows when it ends
  std::int64_t needs = 0;
  std::string cut_short;   // why it runs on until SIGKILL, as a label; empty: it stops by itself
  bool not_known = false;  // nothing is known about what comes after the stop signal
  audit::StopParts parts;
};

std::string in_ascii(std::string_view text) {
  std::string out;
  for (; !text.empty(); text.remove_prefix(first_character(text).bytes.size())) {
    out += first_character(text).bytes.size() == 1 ? text[0] : '?';
  }
  return out;
}

// When the stop signal comes and when SIGKILL, for a hook that long.
struct Clock {
  std::int64_t grace_end = 0;

  std::int64_t signal(std::int64_t hook) const { return std::min(hook, grace_end); }
  std::int64_t kill(std::int64_t hook) const {
    return std::max(grace_end, audit::saturating_add(signal(hook), kKubeletFloorSeconds));
  }
};

std::string signal_name(const ReportedContainer& container) {
  return container.stop_signal.empty() ? "SIGTERM" : one_line(container.stop_signal);
}

Stop stop_of(const ReportedContainer& container) {
  Stop stop;
  if (container.pre_stop) {
    const ReportedPreStop& hook = *container.pre_stop;
    stop.hook_open = (hook.kind == "Unknown" || hook.kind == "Unbounded") && !hook.nominal_seconds && !hook.max_seconds;
    stop.hook = known(hook.nominal_seconds ? hook.nominal_seconds : hook.max_seconds ? hook.max_seconds : hook.min_seconds);
  }
  stop.needs = std::max(known(container.needs_seconds), stop.hook);
  stop.parts = container.parts;
  if (stop.hook_open && stop.parts.hook_waits && stop.parts.drain_seconds) {
    stop.hook_open = false;
    stop.hook = stop.needs - std::clamp<std::int64_t>(stop.parts.cleanup_seconds, 0, stop.needs);
  }
  const bool nothing_after = stop.needs == stop.hook;
  if (container.signal_handling == "Ignored" && nothing_after) {
    stop.cut_short = "ignores " + signal_name(container);
  } else if (container.signal_handling == "NotDelivered" && nothing_after) {
    stop.cut_short = "gets no " + signal_name(container);
  } else {
    stop.not_known = nothing_after && !stop.parts.drain_seconds && container.signal_handling != "Fast";
  }
  return stop;
}

void add_segment(ChartLane& lane, std::int64_t from, std::int64_t to, std::string label) {
  if (to > from) {
    lane.segments.push_back({from, to, std::move(label), false});
  }
}

// Hook, delay, requests and cleanup as far as `end`. The parts are rounded up one by one and the sum once: so the cleanup is
// measured from the end and what remains is the requests. A hook that starts the drain has them run beside it.
void add_parts(ChartLane& lane, const Stop& stop, std::int64_t end, std::string_view drain_label) {
  const audit::StopParts& parts = stop.parts;
  add_segment(lane, 0, stop.hook, parts.hook_waits ? "preStop, requests" : "preStop");
  const std::int64_t cleanup_from = std::max(stop.hook, end - std::clamp<std::int64_t>(parts.cleanup_seconds, 0, end));
  const std::int64_t drain_begins = parts.hook_drains ? 0 : stop.hook;
  const std::int64_t delay_to =
      std::clamp(audit::saturating_add(drain_begins, std::max<std::int64_t>(0, parts.delay_seconds)), stop.hook, cleanup_from);
  add_segment(lane, stop.hook, delay_to, "delay");
  add_segment(lane, delay_to, cleanup_from, (parts.drain_assumed ? "~" : "") + std::string(drain_label));
  add_segment(lane, cleanup_from, end, parts.cleanup_assumed ? "~cleanup" : "cleanup");
}

void add_open_hook(ChartLane& lane, const Stop& stop, const Clock& clock) {
  lane.segments.push_back({0, std::max(stop.hook, clock.grace_end), "preStop", true});
}

class Timeline {
 public:
  Timeline(const ShutdownAudit& audit, const ReportedBudget& budget, const TimelineOptions& options)
      : audit_(audit), budget_(budget), options_(options) {
    const std::int64_t grace = std::max<std::int64_t>(1, known(budget.grace_period_seconds));
    clock_.grace_end = budget.ceiling_seconds ? std::min(grace, std::max<std::int64_t>(1, *budget.ceiling_seconds)) : grace;
  }

  std::string text() {
    add_pod();
    if (audit_.status.containers.size() > 1) {
      chart_.lanes.front().name = "pod";
      add_containers();
    }
    return head() + "\n" + draw_chart(chart_, {options_.width, options_.unicode}) + notes();
  }

 private:
  // Lines of text as wide as the chart; the first begins with `bullet`.
  std::string paragraph(std::string_view bullet, const std::string& text) const {
    std::string out;
    for (const std::string& line : wrapped(text, std::max(options_.width, kMinWidth) - bullet.size())) {
      out += (out.empty() ? std::string(bullet) : std::string(bullet.size(), ' ')) + line + "\n";
    }
    return options_.unicode ? out : in_ascii(out);
  }

  std::string head() const {
    const std::int64_t required = known(budget_.required_seconds);
    std::string out = workload_text(audit_) + ": has " + std::to_string(clock_.grace_end) + " s, needs " +
                      one_line(budget_.required_text) + " s";
    if (required > clock_.grace_end) {
      const std::string_view text = budget_.required_text;
      out += text.starts_with('~') ? ", ~" : text.starts_with('>') ? ", >=" : ", ";
      out += std::to_string(required - clock_.grace_end) + " s short";
    }
    return paragraph("", out);
  }

  // The sum of the audit: the deciding container, then the native sidecars, then the buffer.
  void add_pod() {
    ChartLane lane;
    Stop deciding;
    deciding.hook = known(budget_.pre_stop_seconds);
    std::string signal = "SIGTERM";
    for (const ReportedContainer& container : audit_.status.containers) {
      if (container.name == budget_.container) {
        deciding = stop_of(container);
        signal = signal_name(container);
      }
    }
    if (deciding.hook_open) {
      add_open_hook(lane, deciding, clock_);
    } else {
      const std::int64_t end = known(budget_.required_seconds);
      const std::int64_t buffer_from = end - std::min(end, known(budget_.buffer_seconds));
      const std::int64_t own = std::max(deciding.hook, buffer_from - std::min(buffer_from, known(budget_.sidecar_seconds)));
      add_parts(lane, deciding, own, "requests");
      add_segment(lane, own, buffer_from, "sidecars");
      add_segment(lane, std::max(own, buffer_from), end, "buffer");
    }
    chart_.lanes.push_back(std::move(lane));
    add_marks(deciding, signal);
  }

  void add_marks(const Stop& deciding, const std::string& signal) {
    chart_.marks.push_back({0, "Killing"});
    if (!deciding.hook_open) {
      chart_.marks.push_back({clock_.signal(deciding.hook), signal});
    }
    std::int64_t kill = clock_.kill(deciding.hook);
    for (const ReportedContainer& container : audit_.status.containers) {
      kill = std::max(kill, clock_.kill(stop_of(container).hook));
    }
    const bool by_ceiling = known(budget_.grace_period_seconds) > clock_.grace_end;
    const ChartMark grace_mark{clock_.grace_end, by_ceiling ? "the platform's limit" : "grace period ends"};
    const ChartMark kill_mark{kill, "SIGKILL"};
    const bool together = kill == clock_.grace_end;
    chart_.marks.push_back(together ? kill_mark : grace_mark);
    chart_.marks.push_back(together ? grace_mark : kill_mark);
    chart_.lanes.front().struck_after = kill;
  }

  void add_containers() {
    std::int64_t stopped = 0;  // when all that have been drawn are gone
    bool open = false;         // and nobody knows when that is
    std::vector<const ReportedContainer*> last;
    for (const ReportedContainer& container : audit_.status.containers) {
      if (container.parts.stops_last) {
        last.push_back(&container);
        continue;
      }
      const Stop stop = stop_of(container);
      ChartLane lane{container.name, {}, clock_.kill(stop.hook)};
      if (stop.hook_open) {
        add_open_hook(lane, stop, clock_);
        open = true;
      } else if (!stop.cut_short.empty()) {
        add_segment(lane, 0, stop.hook, "preStop");
        const std::int64_t until = std::max(stop.hook, clock_.kill(stop.hook));
        add_segment(lane, stop.hook, until, stop.cut_short);
        stopped = std::max(stopped, until);
      } else if (stop.not_known) {
        add_segment(lane, 0, stop.hook, "preStop");
        lane.segments.push_back({stop.hook, std::max(stop.hook, clock_.grace_end), "not known", true});
      } else {
        add_parts(lane, stop, stop.needs, container.role == "Sidecar" ? "stops" : "requests");
      }
      stopped = std::max(stopped, stop.needs);
      chart_.lanes.push_back(std::move(lane));
    }
    // They are declared in the order in which they start, and stop the other way round.
    for (auto container = last.rbegin(); container != last.rend(); ++container) {
      add_native(**container, stopped, open);
    }
  }

  // Hooks of all containers start together; the stop signal waits until everything before is gone.
  void add_native(const ReportedContainer& container, std::int64_t& stopped, bool& open) {
    const Stop stop = stop_of(container);
    ChartLane lane{container.name, {}, clock_.kill(std::max(stopped, stop.hook))};
    if (stop.hook_open) {
      add_open_hook(lane, stop, clock_);
      open = true;
    } else {
      add_segment(lane, 0, stop.hook, "preStop");
      if (open) {
        lane.segments.push_back({stop.hook, std::max({stop.hook, stopped, clock_.grace_end}), "waits", true});
      } else {
        const std::int64_t signal = std::max(stopped, stop.hook);
        add_segment(lane, stop.hook, signal, "waits");
        stopped = audit::saturating_add(signal, stop.needs - stop.hook);
        add_segment(lane, signal, stopped, "stops");
        if (stop.not_known && signal < clock_.grace_end) {
          lane.segments.push_back({signal, clock_.grace_end, "not known", true});
        }
      }
    }
    chart_.lanes.push_back(std::move(lane));
  }

  std::string notes() const {
    std::string out;
    if (known(budget_.grace_period_seconds) == 0) {
      out += paragraph("- ", "a grace period of 0 makes every deletion a forced one: the Pod is gone from the API at once, its "
                             "containers get 1 s");
    }
    for (const ReportedContainer& container : audit_.status.containers) {
      for (const std::string& note : notes_about(container)) {
        out += paragraph("- ", one_line(container.name) + ": " + note);
      }
    }
    if (chart_.lanes.front().segments.empty()) {
      out += paragraph("- ", "no time is known or assumed for any container");
    }
    const bool assumed = std::any_of(chart_.lanes.begin(), chart_.lanes.end(), [](const ChartLane& lane) {
      return std::any_of(lane.segments.begin(), lane.segments.end(),
                         [](const ChartSegment& segment) { return segment.label.starts_with('~'); });
    });
    if (assumed) {
      out += paragraph("~ ", "assumed: neither the manifest nor the policy tells");
    }
    return out.empty() ? "" : "\n" + out;
  }

  std::vector<std::string> notes_about(const ReportedContainer& container) const {
    std::vector<std::string> notes;
    const Stop stop = stop_of(container);
    if (stop.hook_open) {
      const bool endless = container.pre_stop->kind == "Unbounded";
      std::string note = endless ? "nothing ends the preStop hook"
                                 : "the manifest does not tell how long the preStop hook takes";
      note += stop.hook > 0 ? " (at least " + std::to_string(stop.hook) + " s)" : "";
      note += "; " + signal_name(container) + " comes after it, at " + std::to_string(clock_.grace_end) + " s at the latest";
      if (stop.needs > stop.hook) {
        note += ", and then " + std::to_string(stop.needs - stop.hook) + " s are needed";
      }
      notes.push_back(std::move(note));
    } else if (container.pre_stop && known(container.pre_stop->max_seconds) > stop.hook) {
      notes.push_back("the preStop hook may take up to " + std::to_string(*container.pre_stop->max_seconds) + " s");
    } else if (container.pre_stop && container.pre_stop->kind == "Range" && !container.pre_stop->max_seconds) {
      notes.push_back("the preStop hook has no known maximum");
    }
    if (!stop.cut_short.empty()) {
      notes.push_back(stop.cut_short + " and runs until SIGKILL; a longer grace period does not help");
    } else if (container.signal_handling == "Fast") {
      notes.push_back("drops what is under way on " + signal_name(container));
    } else if (stop.not_known) {
      notes.push_back("how long it takes to stop is not known and counted as 0 s");
    }
    return notes;
  }

  const ShutdownAudit& audit_;
  const ReportedBudget& budget_;
  const TimelineOptions& options_;
  Clock clock_;
  Chart chart_;
};

class TimelinePrinter final : public Printer {
 public:
  TimelinePrinter(std::ostream& out, const TimelineOptions& options) : out_(out), options_(options) {}

  void add(const ShutdownAudit& audit) override {
    out_ << (std::exchange(any_, true) ? "\n" : "");
    if (audit.status.budget && audit.status.budget->required_seconds) {
      out_ << Timeline(audit, *audit.status.budget, options_).text();
    } else {
      out_ << workload_text(audit) << ": nothing to draw, the workload could not be audited\n";
    }
  }

  void finish() override {}

 private:
  std::ostream& out_;
  const TimelineOptions options_;
  bool any_ = false;
};

}  // namespace

std::unique_ptr<Printer> timeline_printer(std::ostream& out, const TimelineOptions& options) {
  return std::make_unique<TimelinePrinter>(out, options);
}

}  // namespace shutdown_auditor::report
