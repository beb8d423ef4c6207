#include "app/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <functional>
#include <ostream>

#include "app/check_command.h"
#include "app/check_flags.h"
#include "app/command_text.h"
#include "app/completion.h"
#include "app/controller_command.h"
#include "app/controller_options.h"
#include "app/information_commands.h"
#include "app/live_flags.h"
#include "app/nearest.h"
#include "app/version.h"
#include "base/text.h"
#include "http/cpprest_transport.h"
#include "runtime/signal_waiter.h"

namespace shutdown_auditor::app {
namespace {

// The status of the command that ran, set by its callback.
using Status = int;

void add_check(CLI::App& root, Io& io, Status& status) {
  CLI::App& command = *root.add_subcommand("check", "Audit manifests (-f), or a live cluster, read only");
  auto options = std::make_shared<CheckOptions>();  // shared with the callback, which CLI11 copies
  add_check_flags(command, *options);
  add_live_flags(command, options->live);
  add_environment_twins(command);
  command.callback([options, &command, &io, &status] {
    if (const auto allowed = check_live_flags(command, options->live); !allowed) {
      throw CLI::ValidationError(allowed.error().message);
    }
    status = run_check(*options, io);
  });
}

void add_controller(CLI::App& root, Status& status) {
  CLI::App& command = *root.add_subcommand("controller", "Audit a cluster's workloads until asked to stop");
  auto options = std::make_shared<ControllerOptions>();  // shared with the callback, which CLI11 copies
  add_controller_flags(command, *options);
  command.callback([options, &status] {
    runtime::SignalWaiter::block_signals();  // before the first thread
    http::initialize_http_runtime();
    status = run_controller(*options, http::original_environment());
  });
}

// "kubectl shutdownaudit" when the program was found as a plugin.
std::string shown_name(const std::string& base_name) {
  constexpr std::string_view kPlugin = "kubectl-";
  if (!base_name.starts_with(kPlugin)) {
    return "shutdown-auditor";
  }
  std::string name = base_name.substr(kPlugin.size());
  std::replace(name.begin(), name.end(), '-', ' ');  // kubectl finds sub-commands of plugins that way
  std::replace(name.begin(), name.end(), '_', '-');
  return "kubectl " + name;
}

void add_commands(CLI::App& root, Io& io, Status& status) {
  root.require_subcommand(1);
  root.set_help_flag("-h,--help", "Print help");
  root.set_help_all_flag("--help-all", "Print help for all flags");
  root.set_version_flag("--version", [] { return "shutdown-auditor " + std::string(version()); }, "Print the version");
  root.formatter_fn([](const CLI::App* command, const std::string& name, CLI::AppFormatMode mode) {
    return help_text(*command, name, mode != CLI::AppFormatMode::Normal);
  });
  add_check(root, io, status);
  add_controller(root, status);
  add_information_commands(root, io, status);
  // Last, because commands inherit it.
  root.footer(
      "COMMAND --help tells more about each.\n"
      "Flags have twins in the environment: SHUTDOWN_AUDITOR_FAIL_ON for --fail-on.");
}

}  // namespace

void add_environment_twins(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    if (option->get_lnames().empty() || option == command.get_help_ptr() || option == command.get_help_all_ptr()) {
      continue;
    }
    std::string name = "SHUTDOWN_AUDITOR_" + option->get_lnames().front();
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    option->envname(name);
  }
}

int run_command_line(const std::string& program, std::vector<std::string> arguments, Io& io) {
  constexpr std::string_view kComplete = "__complete";
  Status status = kExitOk;
  CLI::App root("Audit whether workloads get the time they need to stop");
  std::string base_name = program.substr(program.rfind('/') + 1);
  // kubectl runs this name, without any command of ours, to complete a plugin's arguments.
  if (base_name.starts_with("kubectl_complete-")) {
    base_name = "kubectl-" + base_name.substr(std::string_view("kubectl_complete-").size());
    arguments.emplace(arguments.begin(), kComplete);
  }
  root.name(shown_name(base_name));
  try {
    add_commands(root, io, status);
    if (!arguments.empty() && arguments.front() == kComplete) {
      arguments.erase(arguments.begin());
      io.out << completion_text(complete(root, arguments));
      return kExitOk;
    }
    // CLI11 would only say that a command is missing.
    const auto is_named = [&](const CLI::App* command) { return command->get_name() == arguments.front(); };
    if (!arguments.empty() && !arguments.front().starts_with('-') && root.get_subcommands(is_named).empty()) {
      std::vector<std::string> names;
      for (const CLI::App* command : shown_commands(root)) {
        names.push_back(command->get_name());
      }
      io.err << "there is no command " << base::quoted(arguments.front()) << did_you_mean(arguments.front(), names) << " ("
             << root.get_name() << " --help tells more)\n";
      return kExitTrouble;
    }
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    root.parse(std::move(arguments));
  } catch (const CLI::Success& done) {
    return root.exit(done, io.out, io.err);
  } catch (const CLI::ParseError& error) {
    io.err << usage_error_text(root, error) << '\n';
    return kExitTrouble;
  } catch (const std::exception& error) {
    io.err << "internal error: " << error.what() << '\n';
    return kExitTrouble;
  }
  return status;
}

}  // namespace shutdown_auditor::app
