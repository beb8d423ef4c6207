#include "app/information_commands.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/check_pages.h"
#include "app/completion.h"
#include "app/manual.h"
#include "app/nearest.h"
#include "app/page_text.h"
#include "app/version.h"
#include "audit/check.h"
#include "base/text.h"

namespace shutdown_auditor::app {
namespace {

using Json = nlohmann::ordered_json;

std::shared_ptr<std::string> add_output(CLI::App& command) {
  auto output = std::make_shared<std::string>();
  command.add_option("-o,--output", *output, "What to print")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("text|json")
      ->default_str("text");
  return output;
}

void add_version(CLI::App& root, Io& io) {
  CLI::App& command = *root.add_subcommand("version", "Print the version of this program");
  const auto output = add_output(command);
  command.callback([output, &io] {
    if (*output == "json") {
      const Json json = {{"version", version()}, {"revision", revision()}};
      io.out << json.dump(2) << '\n';
    } else {
      io.out << "shutdown-auditor " << version() << " (" << revision() << ")\n";
    }
  });
}

void add_explain(CLI::App& root, Io& io, int& status) {
  CLI::App& command = *root.add_subcommand("explain", "What a check is about and how to fix what it finds");
  auto id = std::make_shared<std::string>();
  command.add_option("CHECK", *id, "Id of the check, see list-checks")->type_name("CHECK");
  command.footer("Example: shutdown-auditor explain grace-budget");
  command.callback([id, &io, &status] {
    if (id->empty()) {
      throw CLI::RequiredError("CHECK");
    }
    // "prestop-broken/app", as the table prints it, is meant as well.
    const std::string name = id->substr(0, id->find('/'));
    const std::string_view page = check_page(name);
    if (page.empty()) {
      std::vector<std::string> ids;
      for (const CheckPage& each : check_pages()) {
        ids.emplace_back(each.id);
      }
      io.err << "there is no check " << base::quoted(*id) << did_you_mean(name, ids) << " (list-checks names them all)\n";
      status = kExitTrouble;
      return;
    }
    io.out << page_text(page, {io.columns, io.color});
  });
}

void print_checks(Io& io, bool json) {
  std::size_t width = 0;
  Json items = Json::array();
  for (const audit::Check check : audit::all_checks()) {
    const std::string_view id = audit::id_of(check);
    width = std::max(width, id.size());
    items.push_back({{"id", id}, {"summary", check_summary(check_page(id))}, {"reasons", audit::reasons_of(check)}});
  }
  if (json) {
    io.out << items.dump(2) << '\n';
    return;
  }
  for (const Json& item : items) {
    const auto id = item["id"].get<std::string>();
    io.out << id << std::string(width + 2 - id.size(), ' ') << item["summary"].get<std::string>() << '\n';
  }
}

void add_list_checks(CLI::App& root, Io& io) {
  CLI::App& command = *root.add_subcommand("list-checks", "The checks, one a line");
  const auto output = add_output(command);
  command.callback([output, &io] { print_checks(io, *output == "json"); });
}

void add_completion(CLI::App& root, Io& io, int& status) {
  CLI::App& command = *root.add_subcommand("completion", "Print the script that completes commands and flags in a shell");
  auto shell = std::make_shared<std::string>();
  command.add_option("SHELL", *shell, "bash, zsh, fish or powershell")->type_name("bash|fish|powershell|zsh");
  command.footer(
      "bash:        source <(shutdown-auditor completion bash)\n"
      "zsh:         source <(shutdown-auditor completion zsh)\n"
      "fish:        shutdown-auditor completion fish | source\n"
      "PowerShell:  shutdown-auditor completion powershell | Out-String | iex\n"
      "kubectl:     a link kubectl_complete-shutdownaudit to this program, in the PATH");
  command.callback([shell, &io, &status] {
    if (shell->empty()) {
      throw CLI::RequiredError("SHELL (bash, zsh, fish or powershell)");
    }
    const std::string_view script = completion_script(*shell);
    if (script.empty()) {
      io.err << "there is no completion for " << base::quoted(*shell)
             << did_you_mean(*shell, {"bash", "zsh", "fish", "powershell"})
             << " (bash, zsh, fish and powershell are known)\n";
      status = kExitTrouble;
      return;
    }
    io.out << script;
  });
}

void add_manual(CLI::App& root, Io& io) {
  CLI::App& command = *root.add_subcommand("manual", "Print the manual page");
  command.group("");  // for the build: `man shutdown-auditor` is for people
  command.callback([&root, &io] { io.out << manual_page(root, source_date()); });
}

}  // namespace

void add_information_commands(CLI::App& root, Io& io, int& status) {
  add_explain(root, io, status);
  add_list_checks(root, io);
  add_completion(root, io, status);
  add_version(root, io);
  add_manual(root, io);
}

}  // namespace shutdown_auditor::app
