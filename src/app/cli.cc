#include "app/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <functional>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/check_command.h"
#include "app/check_flags.h"
#include "app/check_pages.h"
#include "app/controller_command.h"
#include "app/controller_options.h"
#include "app/live_flags.h"
#include "app/version.h"
#include "audit/check.h"
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

void add_version(CLI::App& root, Io& io) {
  CLI::App& command = *root.add_subcommand("version", "Print the version of this program");
  auto output = std::make_shared<std::string>();
  command.add_option("-o,--output", *output, "json for a program to read")->check(CLI::IsMember({"json"}));
  command.callback([output, &io] {
    if (*output == "json") {
      const nlohmann::ordered_json json = {{"version", version()}, {"revision", revision()}};
      io.out << json.dump(2) << '\n';
    } else {
      io.out << "shutdown-auditor " << version() << " (" << revision() << ")\n";
    }
  });
}

void add_explain(CLI::App& root, Io& io, Status& status) {
  CLI::App& command = *root.add_subcommand("explain", "What a check is about and how to fix what it finds");
  auto id = std::make_shared<std::string>();
  command.add_option("CHECK", *id, "Id of the check, see list-checks")->required();
  command.callback([id, &io, &status] {
    const std::string_view page = check_page(*id);
    if (page.empty()) {
      io.err << "there is no check " << base::quoted(*id) << "; `list-checks` names them all\n";
      status = kExitTrouble;
      return;
    }
    io.out << page;
  });
}

void add_list_checks(CLI::App& root, Io& io) {
  CLI::App& command = *root.add_subcommand("list-checks", "The checks, one a line");
  command.callback([&io] {
    std::size_t width = 0;
    for (const audit::Check check : audit::all_checks()) {
      width = std::max(width, audit::id_of(check).size());
    }
    for (const audit::Check check : audit::all_checks()) {
      const std::string_view id = audit::id_of(check);
      io.out << id << std::string(width + 2 - id.size(), ' ') << check_summary(check_page(id)) << '\n';
    }
  });
}

}  // namespace

void add_environment_twins(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    if (option->get_lnames().empty() || option == command.get_help_ptr()) {
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
  Status status = kExitOk;
  CLI::App root("Audits whether workloads are given the time they need to shut down gracefully.");
  const std::string base_name = program.substr(program.rfind('/') + 1);
  root.name(base_name.starts_with("kubectl-") ? "kubectl " + base_name.substr(8) : "shutdown-auditor");
  root.require_subcommand(1);
  root.set_version_flag("--version", [] { return "shutdown-auditor " + std::string(version()); });
  try {
    add_check(root, io, status);
    add_controller(root, status);
    add_version(root, io);
    add_explain(root, io, status);
    add_list_checks(root, io);
    // CLI11 would only say that a command is missing.
    const auto is_named = [&](const CLI::App* command) { return command->get_name() == arguments.front(); };
    if (!arguments.empty() && !arguments.front().starts_with('-') && root.get_subcommands(is_named).empty()) {
      io.err << "there is no command " << base::quoted(arguments.front()) << "; --help lists them\n";
      return kExitTrouble;
    }
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    root.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return root.exit(error, io.out, io.err) == 0 ? kExitOk : kExitTrouble;
  } catch (const std::exception& error) {
    io.err << "internal error: " << error.what() << '\n';
    return kExitTrouble;
  }
  return status;
}

}  // namespace shutdown_auditor::app
