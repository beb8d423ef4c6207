#include "app/manual.h"

#include <CLI/CLI.hpp>

#include "app/command_text.h"
#include "app/version.h"
#include "audit/check.h"
#include "base/text.h"

namespace shutdown_auditor::app {
namespace {

constexpr std::size_t kWidth = 76;

// Text that roff prints as it stands.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\n') {
      out += ' ';
    } else {
      out += c;
    }
  }
  // roff fills lines itself; short ones are for whoever reads the source. A full stop in front would be a command.
  std::string lines;
  std::size_t column = 0;
  for (const std::string_view word : base::split(out, ' ')) {
    const bool breaks = column > 0 && column + word.size() >= kWidth;
    column = (breaks ? 0 : column) + word.size() + 1;
    lines += lines.empty() ? "" : breaks ? "\n" : " ";
    const bool first = lines.empty() || breaks;
    lines += first && (word.starts_with('.') || word.starts_with('\'')) ? "\\&" : "";
    lines += word;
  }
  return lines;
}

// Sentences on lines of their own, as roff wants them to space them well.
std::string sentences(std::string_view text) {
  std::string out;
  std::size_t begin = 0;
  for (std::size_t end = text.find(". "); end != std::string_view::npos; end = text.find(". ", begin)) {
    out += roff(text.substr(begin, end + 1 - begin)) + "\n";
    begin = end + 2;
  }
  return out + roff(text.substr(begin)) + "\n";
}

void add_option(std::string& out, const CLI::Option& option) {
  std::string head;
  for (const std::string& name : flag_names(option)) {
    head += (head.empty() ? "" : ", ") + std::string("\\fB") + roff(name) + "\\fR";
  }
  if (option.get_positional()) {
    head = "\\fI" + roff(argument_name(option)) + "\\fR";
  } else if (const std::string value = value_name(option); !value.empty()) {
    head += " \\fI" + roff(value) + "\\fR";
  }
  out += ".TP\n" + head + "\n" + sentences(option_help(option) + ".");
}

void add_command(std::string& out, const CLI::App& root, const CLI::App& command) {
  out += ".SS " + roff(root.get_name() + " " + command.get_name()) + "\n" + sentences(command.get_description() + ".");
  for (const CLI::Option* option : shown_options(command)) {
    if (option != command.get_help_ptr() && option != command.get_help_all_ptr()) {
      add_option(out, *option);
    }
  }
  if (const std::string& footer = command.get_footer(); !footer.empty()) {
    for (const std::string_view line : base::split(footer, '\n')) {
      out += ".PP\n" + sentences(line);
    }
  }
}

}  // namespace

std::string manual_page(const CLI::App& root, std::string_view date) {
  std::string out = ".TH SHUTDOWN\\-AUDITOR 1 " + std::string(date) + " \"shutdown\\-auditor " + std::string(version()) + "\"\n";
  out += ".SH NAME\nshutdown\\-auditor \\- " + roff(root.get_description()) + "\n.SH SYNOPSIS\n";
  bool first = true;
  for (const CLI::App* command : shown_commands(root)) {
    out += first ? "" : ".br\n";
    out += "\\fB" + roff(root.get_name() + " " + command->get_name()) + "\\fR [\\fIflags\\fR]";
    for (const CLI::Option* option : shown_options(*command)) {
      if (option->get_positional()) {
        out += " \\fI" + roff(argument_name(*option)) + "\\fR";
      }
    }
    out += '\n';
    first = false;
  }
  out += ".SH COMMANDS\n";
  for (const CLI::App* command : shown_commands(root)) {
    add_command(out, root, *command);
  }
  out += ".SH CHECKS\n" + sentences("`explain` has a page about each. The annotation that exempts a workload from one "
                                    "is shutdownaudit.dev/ignore-<check>, with the reason as its value.");
  for (const audit::Check check : audit::all_checks()) {
    out += ".TP\n\\fB" + roff(audit::id_of(check)) + "\\fR\n" + sentences(audit::title_of(check));
  }
  out += ".SH ENVIRONMENT\nEvery flag has a twin: \\fBSHUTDOWN_AUDITOR_\\fR and its long name in\n"
         "capitals with underscores, for instance\n\\fBSHUTDOWN_AUDITOR_FAIL_ON\\fR for \\fB\\-\\-fail\\-on\\fR.\nThe flag wins.\n"
         ".TP\n\\fBNO_COLOR\\fR\nNo colours when it is set and not empty.\n"
         ".TP\n\\fBKUBECONFIG\\fR\nWhere a cluster is looked for, when no flag says so.\n"
         ".SH EXIT STATUS\n.TP\n0\nNothing at or above \\fB\\-\\-fail\\-on\\fR.\n.TP\n1\nFindings.\n"
         ".TP\n2\nUsage, input that is unreadable, malformed or without any Kubernetes object,\n"
         "an audit that failed, or an internal error.\n"
         ".SH EXAMPLES\n.TP\nA folder, for a person\nshutdown\\-auditor check \\-R \\-f deploy/\n"
         ".TP\nA chart\nhelm template . | shutdown\\-auditor check \\-f \\-\n"
         ".TP\nOnly what is new since the tool was adopted\n"
         "shutdown\\-auditor check \\-f deploy/ \\-\\-write\\-baseline baseline.yaml\n.br\n"
         "shutdown\\-auditor check \\-f deploy/ \\-\\-baseline baseline.yaml\n";
  return out;
}

}  // namespace shutdown_auditor::app
