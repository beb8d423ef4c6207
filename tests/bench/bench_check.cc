// `check -f` on one big file beside what the same bytes cost others, in the same run: libyaml's bare event parse (each its
// own process, taking turns), kube-score and kube-linter where they are given.
//   bench_check --bin build/release/bin/shutdown-auditor --dir build/bench [--kube-score PATH] [--kube-linter PATH]
//   bench_check --write FILE DEPLOYMENTS NAMESPACES     only the input
//   bench_check --parse FILE                            only the reference
// Status 1 when a limit is passed: see kMax… below. What is compared runs in turns, and the median of the ratios of all rounds
// counts: the speed of a shared machine changes from second to second, and the quickest round of a short program may be from
// another moment than that of a long one. The quickest rounds are printed too.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <yaml.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int kDeployments = 5000;
constexpr int kRounds = 15;
constexpr double kMaxOfParse = 2.0;       // wall time over that of the bare event parse
constexpr double kMinOverScore = 25.0;    // how many times faster than kube-score
constexpr double kMinOverLinter = 20.0;   // and than kube-linter
constexpr double kMaxOfMemory = 0.1;      // peak memory over theirs
constexpr double kMaxGrowth = 1.3;        // time and memory of one object at ten times as many, over those at kDeployments
constexpr int kScale = 10;

std::string sequence(int number) { return fmt::format("{:05}", number); }

// What a service looks like after `helm template`; every fourth one is wrong in a way of its own.
void write_deployment(std::ostream& out, int i, int namespaces) {
  const std::string name = "web-" + sequence(i);
  const int shape = i % 8;
  out << "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: " << name << "\n  namespace: shop-"
      << i % namespaces << "\n  labels:\n    app.kubernetes.io/name: " << name
      << "\n    app.kubernetes.io/managed-by: Helm\nspec:\n  replicas: 3\n  selector:\n    matchLabels:\n"
      << "      app.kubernetes.io/name: " << name
      << "\n  template:\n    metadata:\n      labels:\n        app.kubernetes.io/name: " << name
      << "\n    spec:\n      terminationGracePeriodSeconds: " << (shape == 3 ? 20 : 60)
      << "\n      containers:\n        - name: app\n          image: \"example.com/shop/web:1.4." << i % 10 << "\"\n";
  if (shape == 5) {
    out << "          command: [\"sh\", \"-c\", \"gunicorn --graceful-timeout 20 --bind 0.0.0.0:8080 shop.wsgi\"]\n";
  } else {
    out << "          command: [\"/srv/web\", \"--port\", \"8080\"]\n";
  }
  out << "          ports:\n            - name: http\n              containerPort: 8080\n          env:\n"
      << "            - name: PORT\n              value: \"8080\"\n            - name: PASSWORD\n              valueFrom:\n"
      << "                secretKeyRef:\n                  name: " << name << "\n                  key: password\n";
  if (shape != 7) {
    out << "          lifecycle:\n            preStop:\n              exec:\n                command: [\"sh\", \"-c\", \"sleep "
        << (shape == 3 ? 25 : 5) << "\"]\n";
  }
  out << "          readinessProbe:\n            httpGet:\n              path: /ready\n              port: http\n"
      << "            periodSeconds: 5\n          resources:\n            requests:\n              cpu: 100m\n"
      << "              memory: 128Mi\n";
}

// One for every second Deployment.
void write_budget(std::ostream& out, int i, int namespaces) {
  const std::string name = "web-" + sequence(i);
  out << "---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata:\n  name: " << name << "\n  namespace: shop-"
      << i % namespaces << "\nspec:\n  maxUnavailable: 1\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: "
      << name << "\n";
}

void write_input(const std::string& path, int deployments, int namespaces) {
  std::ofstream out(path, std::ios::binary);
  for (int i = 0; i < deployments; ++i) {
    write_deployment(out, i, namespaces);
    if (i % 2 == 0) write_budget(out, i, namespaces);
  }
  if (!out.flush()) throw std::runtime_error(path + ": cannot be written");
}

// The least that anyone does who reads YAML with libyaml.
int parse(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  yaml_parser_t parser;
  if (file == nullptr || yaml_parser_initialize(&parser) == 0) throw std::runtime_error(path + ": cannot be read");
  yaml_parser_set_input_file(&parser, file);
  std::size_t events = 0;
  for (bool more = true; more; ++events) {
    yaml_event_t event;
    if (yaml_parser_parse(&parser, &event) == 0) throw std::runtime_error(path + ": libyaml refuses it");
    more = event.type != YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
  }
  yaml_parser_delete(&parser);
  std::fclose(file);
  fmt::print("{} events\n", events);
  return 0;
}

struct Cost {
  double wall = 0;  // seconds
  double cpu = 0;   // seconds, user and system
  double mib = 0;   // peak resident memory
};

// Runs one program with its output thrown away. ru_maxrss also counts this process before the exec, so it must stay small.
Cost run(std::vector<std::string> words, int max_status) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const auto begin = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    const int sink = ::open("/dev/null", O_WRONLY);
    ::dup2(sink, STDOUT_FILENO);
    ::dup2(sink, STDERR_FILENO);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  rusage used{};
  if (::wait4(child, &status, 0, &used) != child) throw std::runtime_error("wait4 failed");
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (!WIFEXITED(status) || WEXITSTATUS(status) > max_status) {
    throw std::runtime_error(fmt::format("{} ended with status {:#x}", words[0], status));
  }
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
  return {wall, seconds(used.ru_utime) + seconds(used.ru_stime), static_cast<double>(used.ru_maxrss) / 1024};
}

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}
// Round by round, the first over the second.
double ratio(const std::vector<Cost>& costs, const std::vector<Cost>& reference, double Cost::*what) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < costs.size(); ++i) ratios.push_back(costs[i].*what / reference[i].*what);
  return median_of(std::move(ratios));
}

double rank(const std::vector<Cost>& costs, double Cost::*what, std::size_t number) {
  std::vector<double> values;
  for (const Cost& cost : costs) values.push_back(cost.*what);
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(number), values.end());
  return values[number];
}
Cost median(const std::vector<Cost>& costs) {
  const std::size_t middle = costs.size() / 2;
  return {rank(costs, &Cost::wall, middle), rank(costs, &Cost::cpu, middle), rank(costs, &Cost::mib, middle)};
}
// Of memory the most counts.
Cost quickest(const std::vector<Cost>& costs) {
  return {rank(costs, &Cost::wall, 0), rank(costs, &Cost::cpu, 0), rank(costs, &Cost::mib, costs.size() - 1)};
}

void print(std::string_view what, const Cost& cost) {
  fmt::print("{:<44} {:>8.3f} s  {:>8.3f} s CPU  {:>7.1f} MiB\n", what, cost.wall, cost.cpu, cost.mib);
}

class Bench {
 public:
  Bench(std::string self, std::string binary, std::string directory)
      : self_(std::move(self)), binary_(std::move(binary)), directory_(std::move(directory)) {}

  int run_all(const std::string& score, const std::string& linter) {
    const Cost ours = beside_libyaml();
    for (const std::string_view format : {"json", "sarif"}) {
      std::vector<Cost> costs;
      for (int i = 0; i < 3; ++i) costs.push_back(check(input(kDeployments, 10), format));
      print(fmt::format("check -o {}", format), quickest(costs));
    }
    if (!score.empty()) beside_other("kube-score", {score, "score", input(kDeployments, 10)}, kMinOverScore, ours);
    if (!linter.empty()) beside_other("kube-linter", {linter, "lint", input(kDeployments, 10)}, kMinOverLinter, ours);
    for (const int namespaces : {1, 100}) growth(namespaces);
    return passed_ ? 0 : 1;
  }

 private:
  std::string input(int deployments, int namespaces) {
    std::string path = fmt::format("{}/check-{}-{}.yaml", directory_, deployments, namespaces);
    struct stat existing{};
    if (::stat(path.c_str(), &existing) != 0) write_input(path, deployments, namespaces);
    return path;
  }

  Cost check(const std::string& path, std::string_view format) const {
    return run({binary_, "check", "-f", path, "-o", std::string(format)}, 1);
  }

  Cost beside_libyaml() {
    const std::string path = input(kDeployments, 10);
    std::vector<Cost> parsing, checking;
    for (int i = -1; i < kRounds; ++i) {  // the first round warms up
      const Cost parsed = run({self_, "--parse", path}, 0);
      const Cost checked = check(path, "table");
      if (i < 0) continue;
      parsing.push_back(parsed);
      checking.push_back(checked);
    }
    struct stat size{};
    ::stat(path.c_str(), &size);
    fmt::print("{} Deployments and {} PodDisruptionBudgets, {:.1f} MB\n", kDeployments, kDeployments / 2,
               static_cast<double>(size.st_size) / 1e6);
    print("libyaml, events only", median(parsing));
    print("libyaml, the quickest", quickest(parsing));
    print("check", median(checking));
    print("check, the quickest", quickest(checking));
    const double wall = ratio(checking, parsing, &Cost::wall);
    fmt::print("check / libyaml: {:.2f} by the clock, {:.2f} by CPU time; of the quickest {:.2f} and {:.2f}\n", wall,
               ratio(checking, parsing, &Cost::cpu), quickest(checking).wall / quickest(parsing).wall,
               quickest(checking).cpu / quickest(parsing).cpu);
    require(wall <= kMaxOfParse, fmt::format("more than {} times the bare parse", kMaxOfParse));
    return {median(checking).wall, median(checking).cpu, quickest(checking).mib};
  }

  void beside_other(std::string_view name, std::vector<std::string> command, double faster, const Cost& ours) {
    const Cost theirs = run(std::move(command), 1);
    print(name, theirs);
    const double speed = theirs.wall / ours.wall, memory = ours.mib / theirs.mib;
    fmt::print("check is {:.0f} times faster than {} and takes {:.3f} of its memory\n", speed, name, memory);
    require(speed >= faster, fmt::format("less than {} times faster than {}", faster, name));
    require(memory <= kMaxOfMemory, fmt::format("more than {} of the memory of {}", kMaxOfMemory, name));
  }

  // One object must not cost more in a big file than in a small one.
  void growth(int namespaces) {
    fmt::print("{} namespace(s)\n", namespaces);
    std::map<int, std::vector<Cost>> costs;  // by how many times as many
    for (int round = 0; round < 3; ++round) {
      for (const int factor : {1, 2, 4, kScale}) costs[factor].push_back(check(input(kDeployments * factor, namespaces), "table"));
    }
    for (const auto& [factor, each] : costs) {
      print(fmt::format("check, {} Deployments", kDeployments * factor), median(each));
      if (factor > 1) std::remove(input(kDeployments * factor, namespaces).c_str());
    }
    const double time = ratio(costs[kScale], costs[1], &Cost::cpu) / kScale;
    const double memory = ratio(costs[kScale], costs[1], &Cost::mib) / kScale;
    fmt::print("an object costs {:.2f} of the CPU time and {:.2f} of the memory of one in a file of {} Deployments\n", time,
               memory, kDeployments);
    require(time <= kMaxGrowth, "the time grows faster than the input");
    require(memory <= kMaxGrowth, "the memory grows faster than the input");
  }

  void require(bool holds, std::string_view otherwise) {
    if (holds) return;
    fmt::print(stderr, "bench_check: {}\n", otherwise);
    passed_ = false;
  }

  std::string self_, binary_, directory_;
  bool passed_ = true;
};

}  // namespace

int main(int argc, char** argv) try {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 2 && words[0] == "--parse") return parse(words[1]);
  if (words.size() == 4 && words[0] == "--write") {
    write_input(words[1], std::stoi(words[2]), std::stoi(words[3]));
    return 0;
  }
  std::string binary, directory = ".", score, linter;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    std::string* target = words[i] == "--bin" ? &binary : words[i] == "--dir" ? &directory
                        : words[i] == "--kube-score" ? &score : words[i] == "--kube-linter" ? &linter : nullptr;
    if (target == nullptr || i + 1 == words.size()) throw std::runtime_error("unknown option or missing value: " + words[i]);
    *target = words[i + 1];
  }
  if (binary.empty()) throw std::runtime_error("--bin is needed");
  return Bench("/proc/self/exe", binary, directory).run_all(score, linter);
} catch (const std::exception& error) {
  fmt::print(stderr, "bench_check: {}\n", error.what());
  return 2;
}
