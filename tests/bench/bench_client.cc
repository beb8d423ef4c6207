// Loads a cluster, and measures how long a change takes to come back as a status: once with the controller, once with
// the least that could do it, a watch and a PATCH. Numbers go to stdout as one line of JSON.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "http/cpprest_transport.h"
#include "kube/connection.h"
#include "manifest/config_document.h"

namespace shutdown_auditor {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

const kube::Resource kAudits{"shutdownaudit.dev", "v1alpha1", "shutdownaudits", "ShutdownAudit", true};
const kube::Resource kNamespaceResource{"", "v1", "namespaces", "Namespace", false};
constexpr char kLatencyNamespace[] = "bench-latency";

[[noreturn]] void die(const std::string& message) {
  std::cerr << "bench_client: " << message << "\n";
  std::_Exit(1);
}

std::unique_ptr<kube::Connection> connect(const std::string& kubeconfig) {
  static kube::ClientObserver observer;
  kube::ConfigOptions options;
  options.kubeconfig = kubeconfig;
  options.load = manifest::read_kubeconfig;
  auto config = kube::resolve_config(options, base::system_clock());
  if (!config) die(config.error().message);
  kube::ClientOptions client;
  client.qps = -1;
  client.user_agent = "bench-client";
  auto connection = kube::Connection::open(std::move(*config), std::move(client), base::system_clock(),
                                           base::system_random(), observer);
  if (!connection) die(connection.error().message);
  return std::move(*connection);
}

json send(kube::Api& api, http::Method method, const std::string& path, const json& body) {
  kube::ApiRequest request;
  request.method = method;
  request.path = path;
  request.content_type = method == http::Method::kPatch ? "application/merge-patch+json" : "application/json";
  request.body = body.dump();
  const auto response = api.call(request, {});
  if (response) return json::parse(response->body);
  if (response.error().kind == kube::ErrorKind::kAlreadyExists) return {};
  die(response.error().message);
}

void create(kube::Api& api, const kube::Resource& resource, const std::string& ns, const json& object) {
  send(api, http::Method::kPost, kube::path_of(resource, ns), object);
}

// Like the Deployments of a real cluster in size: two containers, probes, environment, resources.
json deployment(const std::string& name, int number) {
  json environment = json::array();
  for (int i = 0; i < 12; ++i) {
    environment.push_back({{"name", fmt::format("SETTING_{}", i)}, {"value", fmt::format("value-{}-{}", number, i)}});
  }
  const json probe = {{"httpGet", {{"path", "/ready"}, {"port", "http"}}}, {"periodSeconds", 5}};
  json app = {{"name", "app"},
              {"image", fmt::format("registry.example/app-{}:1.2.3", number % 100)},
              {"ports", {{{"name", "http"}, {"containerPort", 8080}}}},
              {"env", environment},
              {"readinessProbe", probe},
              {"livenessProbe", {{"httpGet", {{"path", "/live"}, {"port", "http"}}}, {"periodSeconds", 10}}},
              {"resources", {{"requests", {{"cpu", "100m"}, {"memory", "128Mi"}}}, {"limits", {{"memory", "256Mi"}}}}}};
  if (number % 3 != 0) app["lifecycle"]["preStop"]["exec"]["command"] = {"sh", "-c", "sleep 5"};
  const json helper = {{"name", "helper"}, {"image", "registry.example/helper:1"}, {"env", environment}};
  return {{"apiVersion", "apps/v1"},
          {"kind", "Deployment"},
          {"metadata",
           {{"name", name},
            {"labels", {{"app", name}, {"team", fmt::format("team-{}", number % 17)}}},
            {"annotations",
             {{"shutdownaudit.dev/max-request-seconds", "30"}, {"shutdownaudit.dev/cleanup-seconds", "20"}}}}},
          {"spec",
           {{"replicas", number % 4 + 1},
            {"selector", {{"matchLabels", {{"app", name}}}}},
            {"template",
             {{"metadata", {{"labels", {{"app", name}}}}},
              {"spec",
               {{"terminationGracePeriodSeconds", number % 5 == 0 ? 30 : 60}, {"containers", {app, helper}}}}}}}}};
}

json budget(const std::string& name) {
  return {{"apiVersion", "policy/v1"},
          {"kind", "PodDisruptionBudget"},
          {"metadata", {{"name", name}}},
          {"spec", {{"minAvailable", 1}, {"selector", {{"matchLabels", {{"app", name}}}}}}}};
}

struct LoadOptions {
  int deployments = 10000;
  int budgets = 5000;
  int namespaces = 20;
  int threads = 8;
};

void load(kube::Api& api, const LoadOptions& options) {
  for (int i = 0; i < options.namespaces; ++i) {
    create(api, kNamespaceResource, "",
           {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", fmt::format("bench-{}", i)}}}});
  }
  const auto started = Clock::now();
  std::atomic<int> next{0};
  {
    std::vector<std::jthread> workers;
    for (int t = 0; t < options.threads; ++t) {
      workers.emplace_back([&] {
        for (int i = 0; (i = next++) < options.deployments + options.budgets;) {
          // Budgets are for the first Deployments of each namespace.
          const bool is_budget = i >= options.deployments;
          const int number = is_budget ? i - options.deployments : i;
          const std::string name = fmt::format("workload-{}", number);
          const std::string ns = fmt::format("bench-{}", number % options.namespaces);
          if (is_budget) {
            create(api, kube::resources::kPodDisruptionBudgets, ns, budget(name));
          } else {
            create(api, kube::resources::kDeployments, ns, deployment(name, number));
          }
        }
      });
    }
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
  std::cout << json{{"seconds", seconds}, {"creates_per_second", (options.deployments + options.budgets) / seconds}}
            << std::endl;
}

// Follows one resource type in the namespace and hands on every object; ends with the process.
template <class Handler>
std::jthread follow(kube::Api& api, const kube::Resource& resource, Handler handler) {
  struct Ignore final : objects::ItemSink {
    struct Nothing final : objects::EventHandler {
      bool start_object(objects::Mark) override { return true; }
      bool key(std::string_view, objects::Mark) override { return true; }
      bool end_object() override { return true; }
      bool start_array(objects::Mark) override { return true; }
      bool end_array() override { return true; }
      bool null(objects::Mark) override { return true; }
      bool boolean(bool, std::string_view, objects::Mark) override { return true; }
      bool integer(std::int64_t, std::string_view, objects::Mark) override { return true; }
      bool number(double, std::string_view, objects::Mark) override { return true; }
      bool string(std::string_view, objects::Mark) override { return true; }
      base::Error problem() const override { return {}; }
    } nothing;
    objects::EventHandler& begin_item() override { return nothing; }
    bool end_item() override { return true; }
    base::Error problem() const override { return {}; }
  } sink;
  kube::ListOptions list;
  list.name_space = kLatencyNamespace;
  const auto listed = api.list(resource, list, sink, {});
  if (!listed) die(listed.error().message);
  kube::WatchOptions watch;
  watch.name_space = kLatencyNamespace;
  watch.resource_version = listed->resource_version;
  watch.timeout_seconds = 3600;
  auto stream = api.watch(resource, watch, {});
  if (!stream) die(stream.error().message);
  // Shared because std::function and jthread's callable must be copyable here.
  std::shared_ptr<kube::WatchStream> shared = std::move(*stream);
  return std::jthread([shared, handler](const std::stop_token& stop) mutable {
    while (!stop.stop_requested()) {
      const auto line = shared->next({stop});
      if (!line || !*line) return;
      const json event = json::parse(**line, nullptr, false);
      if (event.is_object() && event.value("type", "") != "BOOKMARK") handler(event["object"]);
    }
  });
}

// Changes a Deployment `count` times, each time waiting until the audit's status says it has seen that generation.
void latency(const std::string& kubeconfig, bool bare, int count) {
  const auto changer = connect(kubeconfig);
  const auto watcher = connect(kubeconfig);
  const auto responder = connect(kubeconfig);
  const std::string name = fmt::format("{}-{}", bare ? "bare" : "followed", ::getpid());
  const std::string audit = "deployment-" + name;
  create(changer->api(), kNamespaceResource, "",
         {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", kLatencyNamespace}}}});
  if (bare) {
    create(changer->api(), kAudits, kLatencyNamespace,
           {{"apiVersion", kAudits.api_version()},
            {"kind", kAudits.kind},
            {"metadata", {{"name", audit}}},
            {"spec", {{"targetRef", {{"group", "apps"}, {"kind", "Nothing"}, {"name", name}}}}}});
  }

  std::mutex mutex;
  std::condition_variable_any changed;
  std::int64_t seen = 0;
  const auto observer = follow(watcher->api(), kAudits, [&](const json& object) {
    if (object["metadata"]["name"] != audit || !object.contains("status")) return;
    const std::lock_guard lock(mutex);
    seen = std::max(seen, object["status"].value("observedTargetGeneration", std::int64_t{0}));
    changed.notify_all();
  });
  std::jthread answering;
  if (bare) {
    answering = follow(responder->api(), kube::resources::kDeployments, [&](const json& object) {
      if (object["metadata"]["name"] != name) return;
      send(responder->api(), http::Method::kPatch, kube::path_of(kAudits, kLatencyNamespace, audit, "status"),
           {{"status", {{"verdict", "Pass"}, {"observedTargetGeneration", object["metadata"]["generation"]}}}});
    });
  }
  const auto await = [&](std::int64_t generation) {
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, std::chrono::seconds(30), [&] { return seen >= generation; })) {
      die(fmt::format("no status for generation {} within 30 s", generation));
    }
  };

  create(changer->api(), kube::resources::kDeployments, kLatencyNamespace, deployment(name, 1));
  await(1);
  std::vector<double> milliseconds;
  const std::string path = kube::path_of(kube::resources::kDeployments, kLatencyNamespace, name);
  for (int i = 0; i < count; ++i) {
    const json patch = {{"spec", {{"template", {{"spec", {{"terminationGracePeriodSeconds", i % 2 == 0 ? 54 : 60}}}}}}}};
    const auto begin = Clock::now();
    const json answer = send(changer->api(), http::Method::kPatch, path, patch);
    await(answer["metadata"]["generation"].get<std::int64_t>());
    milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  const auto percentile = [&](double share) {
    return milliseconds[static_cast<std::size_t>(share * static_cast<double>(milliseconds.size() - 1))];
  };
  std::cout << json{{"count", count},
                    {"p50_ms", percentile(0.5)},
                    {"p90_ms", percentile(0.9)},
                    {"p99_ms", percentile(0.99)},
                    {"max_ms", percentile(1.0)}}
            << std::endl;
  std::_Exit(0);  // the watches have no end of their own
}

}  // namespace
}  // namespace shutdown_auditor

int main(int argc, char** argv) {
  using namespace shutdown_auditor;
  http::initialize_http_runtime();
  CLI::App app{"Loads a cluster and measures latencies"};
  std::string kubeconfig;
  app.add_option("--kubeconfig", kubeconfig)->required();
  app.require_subcommand(1);
  LoadOptions options;
  CLI::App* loading = app.add_subcommand("load", "create Deployments and PodDisruptionBudgets");
  loading->add_option("--deployments", options.deployments);
  loading->add_option("--budgets", options.budgets);
  loading->add_option("--threads", options.threads)->check(CLI::Range(1, 64));
  bool bare = false;
  int count = 100;
  CLI::App* measuring = app.add_subcommand("latency", "from a change of a Deployment to the status that has seen it");
  measuring->add_flag("--bare", bare, "answered by a watch and a PATCH instead of the controller");
  measuring->add_option("--count", count)->check(CLI::Range(1, 100000));
  CLI11_PARSE(app, argc, argv);
  if (loading->parsed()) {
    load(connect(kubeconfig)->api(), options);
  } else {
    latency(kubeconfig, bare, count);
  }
  return 0;
}
