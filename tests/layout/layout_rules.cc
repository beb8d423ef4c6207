#include "layout_rules.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string_view>

#include "base/text.h"

namespace shutdown_auditor::layout {
namespace {

namespace fs = std::filesystem;
using Modules = std::set<std::string, std::less<>>;

// Which modules a module may include and link.
const std::map<std::string, Modules, std::less<>>& allowed() {
  static const std::map<std::string, Modules, std::less<>> kAllowed{
      {"base", {}},
      {"objects", {"base"}},
      {"manifest", {"base", "objects"}},
      {"http", {"base"}},
      {"kube", {"base", "objects", "http"}},
      {"runtime", {"base", "objects", "http", "kube"}},
      {"audit", {"base", "objects"}},
      {"report", {"base", "objects", "audit"}},
      {"telemetry", {"base"}},
      {"controller", {"base", "objects", "http", "kube", "runtime", "audit", "report", "telemetry"}},
      {"app",
       {"base", "objects", "manifest", "http", "kube", "runtime", "audit", "report", "telemetry", "controller"}},
  };
  return kAllowed;
}

// Headers that one module alone must not include: it would do I/O, wait or start threads.
bool is_forbidden_system_header(std::string_view module, std::string_view header) {
  if (module != "audit") {
    return false;
  }
  static constexpr std::string_view kForbidden[] = {"fstream", "iostream", "thread",    "mutex",  "future", "filesystem",
                                                    "cstdio",  "chrono_io", "unistd.h", "poll.h", "condition_variable"};
  return header.starts_with("boost/") || header.starts_with("sys/") ||
         std::find(std::begin(kForbidden), std::end(kForbidden), header) != std::end(kForbidden);
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The words after DEPS in `sa_add_module(…)`; comments do not count.
Modules linked_modules(const std::string& cmake_text) {
  std::string code;
  for (const std::string_view line : base::split(cmake_text, '\n')) {
    code.append(line.substr(0, line.find('#'))) += ' ';
  }
  constexpr std::string_view kCall = "sa_add_module(";
  const std::size_t call = code.find(kCall);
  if (call == std::string::npos) {
    return {};
  }
  const std::size_t start = call + kCall.size();
  Modules out;
  bool in_deps = false;
  for (const std::string_view word : base::split(std::string_view(code).substr(start, code.find(')', start) - start), ' ')) {
    if (!word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; })) {
      in_deps = word == "DEPS";
    } else if (in_deps && allowed().contains(word)) {
      out.emplace(word);
    }
  }
  return out;
}

class Scan {
 public:
  explicit Scan(const fs::path& root) : root_(root) {}

  std::vector<std::string> run() {
    const fs::path src = root_ / "src";
    for (const auto& entry : fs::directory_iterator(src)) {
      const std::string module = entry.path().filename().string();
      if (!entry.is_directory()) {
        report(entry.path(), "belongs into a module's folder");
      } else if (!allowed().contains(module)) {
        report(entry.path(), "is not a module of the design");
      } else if (fs::exists(entry.path() / "CMakeLists.txt")) {
        links_[module] = linked_modules(read(entry.path() / "CMakeLists.txt"));
        for (const std::string& dependency : links_[module]) {
          if (!allowed().at(module).contains(dependency)) {
            report(entry.path() / "CMakeLists.txt", "links " + dependency + " against the direction");
          }
        }
      }
    }
    for (const auto& [module, linked] : links_) {
      for (const auto& entry : fs::recursive_directory_iterator(src / module)) {
        const std::string extension = entry.path().extension().string();
        if (entry.is_regular_file() && (extension == ".h" || extension == ".cc")) {
          scan_file(module, entry.path());
        }
      }
    }
    std::sort(violations_.begin(), violations_.end());
    return violations_;
  }

 private:
  void report(const fs::path& path, const std::string& what) {
    violations_.push_back(fs::relative(path, root_).string() + ": " + what);
  }

  bool reaches(const std::string& from, const std::string& to) const {
    const auto links = links_.find(from);
    return links != links_.end() &&
           std::any_of(links->second.begin(), links->second.end(),
                       [&](const std::string& next) { return next == to || (next != from && reaches(next, to)); });
  }

  void scan_file(const std::string& module, const fs::path& path) {
    const std::string text = read(path);
    if (path.parent_path().filename() != module) {
      report(path, "modules are flat");
    }
    if ((module == "kube" || module == "runtime") &&
        (base::to_lower(text).find("shutdownaudit") != std::string::npos ||
         base::to_lower(text).find("shutdown audit") != std::string::npos)) {
      report(path, "speaks of shutdown audits");
    }
    for (const std::string_view line : base::split(text, '\n')) {
      const std::string_view trimmed = base::trim(line);
      if (!trimmed.starts_with("#include")) {
        continue;
      }
      const std::string_view target = base::trim(trimmed.substr(8));
      const std::size_t end = target.find_last_of(">\"");
      if (target.size() < 3 || end == 0 || end == std::string_view::npos) {
        report(path, "has an include that is no file: " + std::string(trimmed));
        continue;
      }
      const std::string_view header = target.substr(1, end - 1);
      if (target.front() == '"') {
        scan_include(module, path, header);
      } else {
        scan_system_include(module, path, header);
      }
    }
  }

  void scan_include(const std::string& module, const fs::path& path, std::string_view header) {
    const std::string other(header.substr(0, header.find('/')));
    if (!allowed().contains(other) || header.find('/') == std::string_view::npos) {
      report(path, "includes \"" + std::string(header) + "\", which is not \"module/name.h\"");
    } else if (other != module && !allowed().at(module).contains(other)) {
      report(path, "includes " + other + " against the direction");
    } else if (other != module && !reaches(module, other)) {
      report(path, "includes " + other + ", which the module does not link");
    }
  }

  void scan_system_include(const std::string& module, const fs::path& path, std::string_view header) {
    const bool is_cpprest = header.starts_with("cpprest/") || header.starts_with("pplx/");
    if (is_cpprest && !(module == "http" && path.filename().string().starts_with("cpprest_transport"))) {
      report(path, "includes <" + std::string(header) + ">: only http/cpprest_transport may");
    }
    if (is_forbidden_system_header(module, header)) {
      report(path, "includes <" + std::string(header) + ">: the audit is pure");
    }
  }

  const fs::path root_;
  std::map<std::string, Modules> links_;
  std::vector<std::string> violations_;
};

}  // namespace

std::vector<std::string> source_violations(const fs::path& root) { return Scan(root).run(); }

std::vector<std::string> outside_references(const fs::path& root) {
  // In two pieces, so that this file does not find itself.
  const std::string outside = std::string("../") + "shared";
  constexpr std::uintmax_t kMaxBytes = 16U << 20U;
  std::vector<std::string> found;
  for (fs::recursive_directory_iterator entry(root), end; entry != end; ++entry) {
    const std::string name = entry->path().filename().string();
    if (entry->is_directory() && (name == ".git" || name.starts_with("build"))) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file() && !entry->is_symlink() && entry->file_size() <= kMaxBytes &&
               read(entry->path()).find(outside) != std::string::npos) {
      found.push_back(fs::relative(entry->path(), root).string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace shutdown_auditor::layout
