#include "app/input_files.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string_view>

namespace shutdown_auditor::app {
namespace {

namespace fs = std::filesystem;
using manifest::Problem;

bool is_manifest(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

// The lock that Emacs keeps beside a file in use: a link to nowhere by design.
bool is_editor_lock(const fs::path& path) { return path.filename().string().starts_with(".#"); }

bool is_there(const fs::path& path) {
  std::error_code ignored;  // what cannot be looked at is not there
  return fs::exists(path, ignored);
}

// As a user would write it: "" is here.
std::string shown(const fs::path& directory) { return directory.empty() ? "." : directory.string(); }

class Finder {
 public:
  explicit Finder(bool recursive) : recursive_(recursive) {}

  InputFiles find(const std::string& path) {
    std::error_code failed;  // what is not there is opened, and says itself what is wrong
    const fs::file_status status = fs::status(path, failed);
    if (fs::is_directory(status)) {
      list_all(path);
      if (found_.files.empty() && found_.problems.empty()) {
        error(path, recursive_ ? "no .yaml, .yml or .json file in this directory or below"
                               : "no .yaml, .yml or .json file in this directory (-R reads those below it too)");
      }
    } else if (fs::is_character_file(status) || fs::is_block_file(status)) {
      error(path, "a device, not a file");
    } else if (!belongs_to_another_tool(path)) {
      found_.files.push_back(path);
    }
    return std::move(found_);
  }

 private:
  void list_all(const fs::path& root) {
    std::vector<fs::path> pending{root};
    while (!pending.empty()) {
      const fs::path directory = std::move(pending.back());
      pending.pop_back();
      std::vector<fs::path> below;
      list(directory, below);
      pending.insert(pending.end(), below.rbegin(), below.rend());
    }
  }

  // Files of one directory; with -R its directories go to `below`. Both in name order.
  void list(const fs::path& directory, std::vector<fs::path>& below) {
    std::error_code failed;
    std::vector<fs::path> files;
    for (fs::directory_iterator entry(directory, failed), end; !failed && entry != end; entry.increment(failed)) {
      std::error_code ignored;
      const bool link = entry->is_symlink(ignored);
      if (entry->is_directory(ignored)) {
        if (recursive_ && !link) below.push_back(entry->path());
        continue;
      }
      if (!is_manifest(entry->path()) || is_editor_lock(entry->path())) continue;
      const fs::file_status status = entry->status(ignored);
      if (fs::is_regular_file(status) || (link && !fs::exists(status))) files.push_back(entry->path());
    }
    if (failed) error(directory, failed.message());
    std::sort(files.begin(), files.end());
    std::sort(below.begin(), below.end());
    for (const fs::path& file : files) {
      std::error_code why;
      if (!fs::exists(file, why)) {
        error(file, why ? why.message() : "a link to " + fs::read_symlink(file, why).string() + ", which does not exist");
      } else if (!belongs_to_another_tool(file)) {
        found_.files.push_back(file.string());
      }
    }
  }

  // Says so, once a chart or kustomization.
  bool belongs_to_another_tool(const fs::path& file) {
    const fs::path directory = file.parent_path();
    const std::string name = file.filename().string();
    if (name == "kustomization.yaml" || name == "kustomization.yml") {
      note(directory, "not built; skipped its kustomization: kustomize build " + shown(directory) +
                          " | shutdown-auditor check -f -");
      return true;
    }
    const fs::path chart = chart_of(file);
    if (chart.empty()) return false;
    // A chart of a chart is rendered with it.
    fs::path outer = chart;
    while (outer.parent_path().filename() == "charts" && is_there(outer.parent_path().parent_path() / "Chart.yaml")) {
      outer = outer.parent_path().parent_path();
    }
    note(outer, "a Helm chart that is not rendered; skipped its templates: helm template " + shown(outer) +
                    " | shutdown-auditor check -f -");
    return true;
  }

  // The chart whose templates, values or description the file is; empty for any other file.
  static fs::path chart_of(const fs::path& file) {
    const fs::path directory = file.parent_path();
    const std::string name = file.filename().string();
    const bool describes = name == "Chart.yaml" || name.starts_with("values");
    if (describes && is_there(directory / "Chart.yaml")) return directory.empty() ? fs::path(".") : directory;
    for (fs::path at = directory; !at.empty() && at != at.parent_path(); at = at.parent_path()) {
      const fs::path parent = at.parent_path();
      if (at.filename() == "templates" && is_there(parent / "Chart.yaml")) return parent.empty() ? fs::path(".") : parent;
    }
    return {};
  }

  void error(const fs::path& path, std::string message) {
    found_.problems.push_back({Problem::Severity::kError, shown(path), {}, std::move(message)});
  }
  void note(const fs::path& path, std::string message) {
    if (!noted_.insert(path.string()).second) return;
    found_.problems.push_back({Problem::Severity::kNote, shown(path), {}, std::move(message)});
  }

  bool recursive_;
  std::set<std::string> noted_;
  InputFiles found_;
};

}  // namespace

InputFiles find_input_files(const std::string& path, bool recursive) { return Finder(recursive).find(path); }

}  // namespace shutdown_auditor::app
