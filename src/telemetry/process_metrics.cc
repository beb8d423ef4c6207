#include "telemetry/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/file.h"
#include "base/text.h"

namespace shutdown_auditor::telemetry {
namespace {

constexpr std::size_t kMaxProcFileBytes = 1 << 20;

prometheus::MetricFamily family(const char* name, const char* help, prometheus::MetricType type, double value) {
  prometheus::ClientMetric metric;
  metric.gauge.value = value;
  metric.counter.value = value;
  return {name, help, type, {metric}};
}

// "btime 1700000000" in /proc/stat.
double read_boot_time() {
  const base::Result<std::string> stat = base::read_file("/proc/stat", kMaxProcFileBytes);
  if (!stat) {
    return 0;
  }
  for (const std::string_view line : base::split(*stat, '\n')) {
    if (line.starts_with("btime ")) {
      return static_cast<double>(base::parse_int64(line.substr(6)).value_or(0));
    }
  }
  return 0;
}

}  // namespace

base::Result<ProcessNumbers> parse_process_stat(std::string_view stat_line, double boot_time, double ticks_per_second,
                                                double page_bytes) {
  // The second field is the program's name in parentheses and may hold anything, so count from its end.
  const std::size_t name_end = stat_line.rfind(')');
  if (name_end == std::string_view::npos) {
    return base::fail(base::ErrorKind::kInvalid, "process stat line without a program name");
  }
  const std::vector<std::string_view> fields = base::split(base::trim(stat_line.substr(name_end + 1)), ' ');
  // Numbers of proc(5) less the two fields before and less one: utime 14, stime 15, num_threads 20, starttime 22,
  // vsize 23, rss 24.
  constexpr std::size_t kUser = 11, kSystem = 12, kThreads = 17, kStart = 19, kVirtual = 20, kResident = 21;
  if (fields.size() <= kResident) {
    return base::fail(base::ErrorKind::kInvalid, "process stat line with too few fields");
  }
  const auto number = [&fields](std::size_t index) {
    return static_cast<double>(base::parse_int64(fields[index]).value_or(0));
  };
  ProcessNumbers out;
  out.cpu_seconds = (number(kUser) + number(kSystem)) / ticks_per_second;
  out.start_time_seconds = boot_time + number(kStart) / ticks_per_second;
  out.virtual_bytes = number(kVirtual);
  out.resident_bytes = number(kResident) * page_bytes;
  out.threads = number(kThreads);
  return out;
}

std::vector<prometheus::MetricFamily> process_metrics() {
  using prometheus::MetricType;
  std::vector<prometheus::MetricFamily> out;
  static const double kBootTime = read_boot_time();
  if (const base::Result<std::string> line = base::read_file("/proc/self/stat", kMaxProcFileBytes)) {
    const auto numbers = parse_process_stat(*line, kBootTime, static_cast<double>(sysconf(_SC_CLK_TCK)),
                                            static_cast<double>(sysconf(_SC_PAGESIZE)));
    if (numbers) {
      out.push_back(family("process_cpu_seconds_total", "User and system CPU time spent.", MetricType::Counter,
                           numbers->cpu_seconds));
      out.push_back(family("process_start_time_seconds", "Start time of the process since the Unix epoch.",
                           MetricType::Gauge, numbers->start_time_seconds));
      out.push_back(family("process_virtual_memory_bytes", "Virtual memory size.", MetricType::Gauge,
                           numbers->virtual_bytes));
      out.push_back(family("process_resident_memory_bytes", "Resident memory size.", MetricType::Gauge,
                           numbers->resident_bytes));
      out.push_back(family("process_threads", "Threads of the process.", MetricType::Gauge, numbers->threads));
    }
  }
  std::error_code failed;
  double open_files = 0;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", failed), end; !failed && entry != end;
       entry.increment(failed)) {
    ++open_files;
  }
  if (!failed) {
    out.push_back(family("process_open_fds", "Open file descriptors.", MetricType::Gauge, open_files));
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    out.push_back(family("process_max_fds", "Most file descriptors the process may open.", MetricType::Gauge,
                         static_cast<double>(limit.rlim_cur)));
  }
  return out;
}

}  // namespace shutdown_auditor::telemetry
