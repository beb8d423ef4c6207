#include "app/input.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <thread>

#include "app/input_files.h"
#include "audit/audit.h"
#include "base/file.h"

namespace shutdown_auditor::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxInputBytes = std::size_t{256} << 20U;

void add_problem(Input& input, std::string file, std::string message) {
  input.problems.push_back({manifest::Problem::Severity::kError, std::move(file), {}, std::move(message)});
}

// The Pod as what is audited: its own metadata is that of the template.
void make_pod_a_workload(manifest::Object& object) {
  auto* pod = std::get_if<objects::Pod>(&object.value);
  if (pod == nullptr) {
    return;
  }
  objects::Workload workload;
  workload.kind = object.kind;
  workload.pod_template.meta.labels = pod->meta.labels;
  workload.pod_template.meta.annotations = pod->meta.annotations;
  workload.pod_template.spec = std::move(pod->spec);
  workload.meta = std::move(pod->meta);
  object.value = std::move(workload);
}

void load_text(Input& input, const std::string& text, const std::string& name) {
  manifest::LoadOptions options;
  options.keep_annotation = &audit::reads_annotation;
  options.threads = std::thread::hardware_concurrency();
  manifest::load(
      text, name, options,
      [&](manifest::Object object) {
        make_pod_a_workload(object);
        // Findings are about fields of these two kinds.
        if (!std::holds_alternative<objects::Workload>(object.value) &&
            !std::holds_alternative<objects::PodDisruptionBudget>(object.value)) {
          object.positions = {};
        }
        object.positions = objects::PositionMap(object.positions);  // the copy has no spare memory
        input.objects.push_back({name, std::move(object)});
      },
      [&](manifest::Problem problem) { input.problems.push_back(std::move(problem)); });
}

void load_file(Input& input, const std::string& path) {
  const base::Result<std::string> text = base::read_file(path, kMaxInputBytes);
  if (!text) {
    // The message begins with the path already.
    const std::string& message = text.error().message;
    add_problem(input, path, message.starts_with(path + ": ") ? message.substr(path.size() + 2) : message);
    return;
  }
  load_text(input, *text, path);
}

void load_stream(Input& input, std::istream& in) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (in.read(buffer.data(), buffer.size()) || in.gcount() > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMaxInputBytes) {
      add_problem(input, "stdin", "more than " + std::to_string(kMaxInputBytes) + " bytes");
      return;
    }
  }
  if (in.bad()) {
    add_problem(input, "stdin", "cannot be read");
  }
  load_text(input, text, "stdin");
}

}  // namespace

bool Input::failed() const {
  return std::any_of(problems.begin(), problems.end(), [](const manifest::Problem& problem) {
    return problem.severity == manifest::Problem::Severity::kError;
  });
}

Input read_input(const std::vector<std::string>& paths, bool recursive, std::istream& in) {
  Input input;
  std::set<std::string> seen;  // a file that is named twice, or by a directory too, is read once
  for (const std::string& path : paths) {
    if (path == "-") {
      if (seen.insert(path).second) {
        load_stream(input, in);
      }
      continue;
    }
    InputFiles found = find_input_files(path, recursive);
    for (manifest::Problem& problem : found.problems) {
      input.problems.push_back(std::move(problem));
    }
    for (const std::string& file : found.files) {
      std::error_code failed;
      const fs::path canonical = fs::canonical(file, failed);
      if (failed || seen.insert(canonical.string()).second) {
        load_file(input, file);
      }
    }
  }
  return input;
}

}  // namespace shutdown_auditor::app
