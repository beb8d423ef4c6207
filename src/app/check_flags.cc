#include "app/check_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <map>

#include "app/command_text.h"
#include "app/nearest.h"
#include "base/text.h"

namespace shutdown_auditor::app {
namespace {

constexpr int kOldestMinor = 28;
constexpr int kNewestMinor = 37;

// "1.34", "v1.34" or "1.34.2" to 34; 0 for anything else.
int parse_kubernetes_version(std::string_view text) {
  if (text.starts_with('v')) {
    text.remove_prefix(1);
  }
  const std::vector<std::string_view> parts = base::split(text, '.');
  if (parts.size() < 2 || parts.size() > 3 || parts[0] != "1") {
    return 0;
  }
  for (const std::string_view part : parts) {
    if (part.empty() || part.find_first_not_of("0123456789") != std::string_view::npos) {
      return 0;
    }
  }
  const std::int64_t minor = base::parse_int64(parts[1]).value_or(0);
  return minor >= kOldestMinor && minor <= kNewestMinor ? static_cast<int>(minor) : 0;
}

// For CLI11: what is wrong with a word that is not in the list; empty: nothing.
std::function<std::string(const std::string&)> one_of(std::vector<std::string> list) {
  return [list = std::move(list)](const std::string& word) {
    const bool known = std::find(list.begin(), list.end(), word) != list.end();
    return known ? std::string()
                 : base::quoted(word) + " is not one of " + base::join(list, ", ") + did_you_mean(word, list);
  };
}

// An option that takes one of a few words.
template <class T>
CLI::Option* add_choice(CLI::App& command, const std::string& names, T& target, const std::map<std::string, T>& words,
                        const std::string& help) {
  std::vector<std::string> list;
  for (const auto& [word, value] : words) {
    list.push_back(word);
  }
  return command
      .add_option_function<std::string>(names, [&target, words](const std::string& word) { target = words.at(word); }, help)
      ->check(one_of(list))
      ->type_name(base::join(list, "|"));
}

}  // namespace

void add_check_flags(CLI::App& command, CheckOptions& options) {
  command
      .add_option("-f,--filename", options.files, "File, folder, - for stdin; without it: a cluster")
      ->allow_extra_args(false)
      ->type_name("PATH");
  command.add_flag("-R,--recursive", options.recursive, "Also read the folders below");
  add_choice<OutputFormat>(command, "-o,--output", options.output,
                           {{"table", OutputFormat::kTable},
                            {"wide", OutputFormat::kWide},
                            {"json", OutputFormat::kJson},
                            {"yaml", OutputFormat::kYaml},
                            {"sarif", OutputFormat::kSarif},
                            {"junit", OutputFormat::kJUnit},
                            {"github", OutputFormat::kGitHub},
                            {"markdown", OutputFormat::kMarkdown}},
                           "What to print");
  command.add_option("--policy", options.policy_file, "ShutdownPolicy from a file, not the cluster")->type_name("FILE");
  command.add_option("--baseline", options.baseline_file, "Known findings: only others are shown and count")
      ->type_name("FILE");
  command.add_option("--write-baseline", options.write_baseline_file, "Write the findings to such a file")
      ->type_name("FILE")
      ->group(kMoreFlags);
  add_choice<FailOn>(command, "--fail-on", options.fail_on,
                     {{"fail", FailOn::kFail}, {"warn", FailOn::kWarn}, {"none", FailOn::kNone}},
                     "Least result that counts (default fail)");
  command.add_flag("--complete", options.complete,
                   "The input is complete: a PodDisruptionBudget that is not in it is missing")
      ->group(kMoreFlags);
  command.add_flag("--fail-if-empty", options.fail_if_empty, "Exit status 2 when there is no workload to audit")
      ->group(kMoreFlags);
  command.add_flag("--skip-owned", options.skip_owned, "Leave out workloads that another controller made")
      ->group(kMoreFlags);
  command.add_option("-n,--namespace", options.name_space, "The cluster's; or of objects that name none")->type_name("NAME");
  command.add_flag("--timeline", options.timeline, "Draw a pod's stop, second by second")->excludes("--output");
  command.add_flag("--fix{all}", options.fix, "Print fixes as YAML; =patches or =objects only")
      ->check(one_of({"all", "patches", "objects"}))
      ->excludes("--output")
      ->excludes("--timeline");
  command.add_flag("-q,--quiet", options.quiet, "Only findings and errors: no counts, no notes")->group(kMoreFlags);
  add_choice<ColorMode>(command, "--color", options.color,
                        {{"auto", ColorMode::kAuto}, {"always", ColorMode::kAlways}, {"never", ColorMode::kNever}},
                        "Colours in tables (default auto: on a terminal, unless NO_COLOR is set)")
      ->group(kMoreFlags);
  command
      .add_option_function<std::string>(
          "--kubernetes-version",
          [&options](const std::string& text) {
            options.kubernetes_minor = parse_kubernetes_version(text);
            if (options.kubernetes_minor == 0) {
              throw CLI::ValidationError("--kubernetes-version", base::quoted(text) + " is not between 1." +
                                                                     std::to_string(kOldestMinor) + " and 1." +
                                                                     std::to_string(kNewestMinor));
            }
          },
          "The cluster's version: features differ")
      ->type_name("1.N")
      ->group(kMoreFlags);
  command.footer(
      "Exit status: 0 nothing at or above --fail-on; 1 findings; 2 trouble.\n"
      "Example: helm template . | shutdown-auditor check -f -");
}

}  // namespace shutdown_auditor::app
