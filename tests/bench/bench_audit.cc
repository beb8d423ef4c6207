// What an audit costs beside parsing the same Deployment from the API server's JSON, in the same run, one thread.
//   bench_audit [--rounds 20] [--max-ratio 0.2] [--typical-only]
// The reference is nlohmann::json::parse, so that a quicker decoder of our own does not make an audit look dear; what ours takes
// is printed beside it. All take turns, round by round, so that they see the same machine, and the median of the rounds' ratios
// counts. Status 1 when the audit of the typical Deployment costs more than --max-ratio of the reference.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <stdexcept>
#include <vector>

#include "audit/audit.h"
#include "objects/decode.h"
#include "objects/json_source.h"

namespace {

using namespace shutdown_auditor;
using nlohmann::json;

constexpr int kPerRound = 500;

json probe(const char* path) {
  return {{"httpGet", {{"path", path}, {"port", 8080}, {"scheme", "HTTP"}}}, {"periodSeconds", 10}, {"timeoutSeconds", 1},
          {"successThreshold", 1}, {"failureThreshold", 3}};
}

json container(const std::string& name, const json& command) {
  return {{"name", name},
          {"image", "example.com/shop/" + name + ":1.4.2"},
          {"command", command},
          {"ports", {{{"name", "http"}, {"containerPort", 8080}, {"protocol", "TCP"}}}},
          {"env", {{{"name", "PORT"}, {"value", "8080"}},
                   {{"name", "PASSWORD"}, {"valueFrom", {{"secretKeyRef", {{"name", "s"}, {"key", "k"}}}}}}}},
          {"lifecycle", {{"preStop", {{"exec", {{"command", {"sh", "-c", "sleep 5"}}}}}}}},
          {"readinessProbe", probe("/ready")},
          {"livenessProbe", probe("/live")},
          {"resources", {{"limits", {{"cpu", "500m"}, {"memory", "256Mi"}}}}},
          {"terminationMessagePath", "/dev/termination-log"},
          {"imagePullPolicy", "IfNotPresent"}};
}

// As an API server returns it: managed fields and status are about half of it.
std::string deployment(const std::vector<json>& containers) {
  const json fields = {{"f:metadata", {{"f:labels", {{".", json::object()}, {"f:app", json::object()}}}}},
                       {"f:spec", {{"f:replicas", json::object()},
                                   {"f:template", {{"f:spec", {{"f:containers", {{"k:{\"name\":\"app\"}",
                                       {{"f:image", json::object()}, {"f:livenessProbe", {{"f:failureThreshold", json::object()}}},
                                        {"f:name", json::object()}, {"f:ports", json::object()}}}}}}}}}}}};
  const json object = {
      {"apiVersion", "apps/v1"},
      {"kind", "Deployment"},
      {"metadata", {{"name", "web"}, {"namespace", "shop"}, {"uid", "2c6fb3f5-6a3f-4bd6-9a49-9f5d1a6f3b11"},
                    {"resourceVersion", "184467"}, {"generation", 3}, {"creationTimestamp", "2026-03-01T10:00:00Z"},
                    {"labels", {{"app.kubernetes.io/name", "web"}, {"app.kubernetes.io/version", "1.4.2"}}},
                    {"annotations", {{"deployment.kubernetes.io/revision", "3"}}},
                    {"managedFields", {{{"manager", "kubectl"}, {"operation", "Apply"}, {"fieldsV1", fields}},
                                       {{"manager", "kube-controller-manager"}, {"operation", "Update"}, {"fieldsV1", fields}}}}}},
      {"spec", {{"replicas", 3}, {"selector", {{"matchLabels", {{"app", "web"}}}}},
                {"strategy", {{"type", "RollingUpdate"}, {"rollingUpdate", {{"maxUnavailable", "25%"}, {"maxSurge", "25%"}}}}},
                {"template", {{"metadata", {{"labels", {{"app", "web"}}}}},
                              {"spec", {{"containers", containers}, {"terminationGracePeriodSeconds", 60},
                                        {"dnsPolicy", "ClusterFirst"}, {"restartPolicy", "Always"}}}}}}},
      {"status", {{"observedGeneration", 3}, {"replicas", 3}, {"readyReplicas", 3},
                  {"conditions", {{{"type", "Available"}, {"status", "True"}, {"reason", "MinimumReplicasAvailable"},
                                   {"message", "Deployment has minimum availability."}},
                                  {{"type", "Progressing"}, {"status", "True"}, {"reason", "NewReplicaSetAvailable"},
                                   {"message", "ReplicaSet \"web-5d5f\" has successfully progressed."}}}}}}};
  return object.dump();
}

struct Around {
  objects::Service service;
  objects::PodDisruptionBudget budget;
  std::vector<const objects::Service*> services{&service};
  std::vector<const objects::PodDisruptionBudget*> budgets{&budget};
  std::vector<const objects::Autoscaler*> autoscalers;
  std::vector<const objects::Workload*> workloads;
  std::vector<const objects::JobTemplate*> jobs;
  audit::Surroundings surroundings;

  Around() {
    service.meta.name = budget.meta.name = "web";
    service.meta.namespace_ = budget.meta.namespace_ = "shop";
    service.selector = {{"app", "web"}};
    service.ports.push_back({"http", 80, objects::IntOrString{true, 0, "http"}, {}});
    budget.selector = objects::LabelSelector{{{"app", "web"}}, {}};
    budget.max_unavailable = objects::IntOrString{false, 1, {}};
    surroundings.services = &services;
    surroundings.budgets = &budgets;
    surroundings.autoscalers = &autoscalers;
    surroundings.workloads = &workloads;
    surroundings.jobs = &jobs;
  }
};

template <class Work>
double nanoseconds_each(const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kPerRound; ++i) work();
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count() / kPerRound;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// The audit over the reference.
double compare(const std::string& what, const std::string& text, int rounds) {
  const Around around;
  const audit::Policy policy;
  objects::DecodeOptions options;
  options.keep_annotation = &audit::reads_annotation;
  objects::Decoder<objects::Workload> decoder(options);
  const auto decode = [&] {
    if (!objects::parse_json(text, decoder)) throw std::runtime_error("the Deployment does not parse");
    base::Result<objects::Workload> workload = decoder.take();
    if (!workload) throw std::runtime_error(workload.error().message);
    return std::move(*workload);
  };
  objects::Workload workload = decode();
  workload.kind = {"apps", "Deployment"};
  std::vector<double> referring, decoding, auditing, ratios;
  std::size_t findings = 0;
  for (int i = -1; i < rounds; ++i) {  // the first round warms up
    const double by_reference = nanoseconds_each([&] { findings += json::parse(text).size(); });
    const double audited =
        nanoseconds_each([&] { findings += audit::audit(workload, around.surroundings, policy, {}).findings.size(); });
    const double decoded = nanoseconds_each([&] { findings += decode().meta.name.size(); });
    if (i < 0) continue;
    referring.push_back(by_reference);
    decoding.push_back(decoded);
    auditing.push_back(audited);
    ratios.push_back(audited / by_reference);
  }
  if (findings == 0) throw std::runtime_error("nothing was done");
  fmt::print("{:<24} {:>5} bytes of JSON  parsed {:>6.0f} ns  decoded {:>6.0f} ns  audit {:>6.0f} ns  ratio {:.3f}\n", what,
             text.size(), median(referring), median(decoding), median(auditing), median(ratios));
  return median(ratios);
}

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app("What an audit costs beside decoding");
  int rounds = 20;
  double most = 0.2;
  bool typical_only = false;
  app.add_option("--rounds", rounds, "Rounds of 500 of each")->check(CLI::Range(1, 100000));
  app.add_option("--max-ratio", most, "Status 1 when the typical Deployment's ratio is higher");
  app.add_flag("--typical-only", typical_only, "Leave the other shapes out, for a profiler");
  CLI11_PARSE(app, argc, argv);
  const json plain = {"/srv/checkout", "--port", "8080"};
  const json gunicorn = {"sh", "-c", "exec gunicorn --graceful-timeout 20 --bind 0.0.0.0:8080 shop.wsgi"};
  const double typical = compare("typical Deployment", deployment({container("app", plain)}), rounds);
  if (!typical_only) {
    compare("gunicorn behind sh -c", deployment({container("app", gunicorn)}), rounds);
    compare("three containers", deployment({container("app", plain), container("b", gunicorn), container("c", plain)}), rounds);
  }
  if (typical <= most) return 0;
  fmt::print(stderr, "the audit costs {:.3f} of parsing the JSON, more than {}\n", typical, most);
  return 1;
} catch (const std::exception& error) {
  fmt::print(stderr, "bench_audit: {}\n", error.what());
  return 2;
}
