#include "app/input.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <thread>
#include <utility>
#include <variant>

#include "app/input_files.h"
#include "audit/audit.h"
#include "base/file.h"

namespace shutdown_auditor::app {
namespace {

namespace fs = std::filesystem;
using manifest::TextSource;

constexpr std::size_t kMaxInputBytes = std::size_t{256} << 20U;

void add_problem(Input& input, std::string file, std::string message) {
  input.problems.push_back({manifest::Problem::Severity::kError, std::move(file), {}, std::move(message)});
}

base::Unexpected<base::Error> too_large() {
  return base::fail(base::ErrorKind::kTooLarge, "more than " + std::to_string(kMaxInputBytes) + " bytes");
}

// The message without the path that it begins with.
std::string without_path(const base::Error& error, const std::string& path) {
  const std::string& message = error.message;
  return message.starts_with(path + ": ") ? message.substr(path.size() + 2) : message;
}

// Puts the objects of one file where they belong.
class Sorter {
 public:
  Sorter(Input& input, const std::string& file) : input_(input), file_(input.texts.front().keep(file)) {}

  void add(manifest::Object&& object) {
    const objects::ObjectMeta& meta = manifest::meta_of(object);
    if (!meta.namespace_.empty() && !input_.named.contains(meta.namespace_)) {
      input_.named.insert(meta.namespace_);
    }
    SharedTexts& texts = input_.texts.front();
    const Source source{file_, texts.keep(object.template_name), object.start};
    if (!object.packed.empty()) {
      input_.workloads.push_back({source, std::move(object.kind), texts.keep(meta.namespace_), input_.packed.keep(object.packed)});
    } else if (auto* budget = std::get_if<objects::PodDisruptionBudget>(&object.value)) {
      add_budget(std::move(*budget), object, source);
    } else {
      std::visit([this](auto&& value) { add_other(std::move(value)); }, std::move(object.value));
    }
  }

 private:
  void add_budget(objects::PodDisruptionBudget budget, const manifest::Object& object, const Source& source) {
    if (object.api_version == "policy/v1beta1") {
      ++input_.old_budgets;
      return;
    }
    const char* limit = budget.min_available ? "spec.minAvailable" : "spec.maxUnavailable";
    input_.budgets.push_back(
        {std::move(budget), source, object.positions.find("spec.selector"), object.positions.find(limit)});
  }

  void add_other(objects::Service service) { input_.services.push_back(std::move(service)); }
  void add_other(objects::Autoscaler autoscaler) { input_.autoscalers.push_back(std::move(autoscaler)); }
  void add_other(objects::JobTemplate job) { input_.jobs.push_back(std::move(job)); }
  void add_other(objects::Namespace name_space) { input_.namespaces.push_back(std::move(name_space)); }
  template <class T>
  void add_other(const T&) {
    ++input_.others;
  }

  Input& input_;
  const std::string* file_;
};

void load(Input& input, const TextSource& source, const std::string& name) {
  manifest::LoadOptions options;
  options.keep_annotation = &audit::reads_annotation;
  options.pack = true;
  options.threads = std::thread::hardware_concurrency();
  Sorter sorter(input, name);
  manifest::load(
      source, name, options, [&](manifest::Object&& object) { sorter.add(std::move(object)); },
      [&](manifest::Problem problem) { input.problems.push_back(std::move(problem)); });
}

void load_file(Input& input, const std::string& path) {
  base::Result<base::FileReader> file = base::FileReader::open(path);
  if (!file) {
    add_problem(input, path, without_path(file.error(), path));
    return;
  }
  if (file->size() > kMaxInputBytes) {
    add_problem(input, path, too_large().error.message);
    return;
  }
  std::size_t size = 0;
  const TextSource source = [&](char* buffer, std::size_t most) -> base::Result<std::size_t> {
    base::Result<std::size_t> count = file->read(buffer, most);
    if (!count) {
      return base::fail(count.error().kind, without_path(count.error(), path));
    }
    size += *count;
    return size > kMaxInputBytes ? base::Result<std::size_t>(too_large()) : count;
  };
  load(input, source, path);
}

void load_stream(Input& input, std::istream& in) {
  std::size_t size = 0;
  const TextSource source = [&](char* buffer, std::size_t most) -> base::Result<std::size_t> {
    in.read(buffer, static_cast<std::streamsize>(most));
    const auto count = static_cast<std::size_t>(in.gcount());
    size += count;
    if (size > kMaxInputBytes) {
      return too_large();
    }
    if (in.bad()) {
      return base::fail(base::ErrorKind::kIo, "cannot be read");
    }
    return count;
  };
  load(input, source, "stdin");
}

const objects::GroupKind kPod{"", "Pod"};

objects::Workload settled(objects::Workload workload, const std::string& fallback) {
  if (workload.meta.namespace_.empty()) {
    workload.meta.namespace_ = fallback;
  }
  return workload;
}

// Its own metadata is that of the template.
objects::Workload workload_of(objects::Pod pod, const std::string& fallback) {
  objects::Workload workload;
  workload.kind = kPod;
  workload.pod_template.meta.labels = pod.meta.labels;
  workload.pod_template.meta.annotations = pod.meta.annotations;
  workload.pod_template.spec = std::move(pod.spec);
  workload.meta = std::move(pod.meta);
  return settled(std::move(workload), fallback);
}

}  // namespace

const std::string* SharedTexts::keep(std::string_view text) {
  if (text.empty()) {
    return nullptr;
  }
  auto known = texts_.find(text);
  if (known == texts_.end()) {
    known = texts_.emplace(text).first;
  }
  return &*known;
}

void Input::append(Input&& more) {
  const auto move_all = [](auto& from, auto& to) {
    if (to.empty()) {
      to.swap(from);
      return;
    }
    std::move(from.begin(), from.end(), std::back_inserter(to));
    from.clear();
  };
  move_all(more.workloads, workloads);
  move_all(more.budgets, budgets);
  move_all(more.services, services);
  move_all(more.autoscalers, autoscalers);
  move_all(more.jobs, jobs);
  move_all(more.namespaces, namespaces);
  old_budgets += more.old_budgets;
  others += more.others;
  named.merge(more.named);
  move_all(more.texts, texts);
  packed.append(std::move(more.packed));
  move_all(more.problems, problems);
}

std::size_t Input::size() const {
  return workloads.size() + budgets.size() + services.size() + autoscalers.size() + jobs.size() + namespaces.size() +
         old_budgets + others;
}

bool Input::failed() const {
  return std::any_of(problems.begin(), problems.end(), [](const manifest::Problem& problem) {
    return problem.severity == manifest::Problem::Severity::kError;
  });
}

objects::Workload WorkloadUnpacker::whole(const InputWorkload& item, const std::string& fallback,
                                          objects::PositionMap* positions) {
  return item.kind == kPod ? workload_of(pods_.unpack(item.packed, item.kind, positions).value(), fallback)
                           : settled(workloads_.unpack(item.packed, item.kind, positions).value(), fallback);
}

objects::Workload WorkloadUnpacker::outline(const InputWorkload& item, const std::string& fallback) {
  constexpr auto kPodSpec = &objects::shape_of<objects::PodSpec>;
  return item.kind == kPod ? workload_of(pods_.unpack_without(kPodSpec, item.packed, item.kind).value(), fallback)
                           : settled(workloads_.unpack_without(kPodSpec, item.packed, item.kind).value(), fallback);
}

Input read_input(const std::vector<std::string>& paths, bool recursive, std::istream& in) {
  Input input;
  input.texts.emplace_back();
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
