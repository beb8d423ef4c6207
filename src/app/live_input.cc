#include "app/live_input.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "app/live_collector.h"
#include "audit/policy_document.h"
#include "base/text.h"
#include "controller/cluster_view.h"
#include "kube/client.h"
#include "objects/decode.h"

namespace shutdown_auditor::app {
namespace {

constexpr std::size_t kReaders = 3;
constexpr int kAttempts = 3;
constexpr char kPolicyName[] = "default";

enum class Part { kWorkload, kBudget, kService, kAutoscaler, kJob, kNamespace };

// One list to read.
struct Source {
  Part part;
  const kube::Resource* resource;
  const char* without;  // what follows when it cannot be read
};

const std::vector<Source>& sources() {
  namespace known = kube::resources;
  // The longest first: they decide when all is read.
  static const std::vector<Source> all{
      {Part::kWorkload, &known::kDeployments, ""},
      {Part::kBudget, &known::kPodDisruptionBudgets, "the pdb-* checks cannot tell"},
      {Part::kService, &known::kServices, "which containers serve is assumed from their ports"},
      {Part::kWorkload, &known::kStatefulSets, ""},
      {Part::kWorkload, &known::kDaemonSets, ""},
      {Part::kJob, &known::kJobs, "their pods are not seen under any budget"},
      {Part::kJob, &known::kCronJobs, "their pods are not seen under any budget"},
      {Part::kAutoscaler, &known::kHorizontalPodAutoscalers, "spec.replicas is taken for the number of pods"},
      {Part::kNamespace, &known::kNamespaces, "namespace selectors match nothing"},
      {Part::kAutoscaler, &known::kScaledObjects, "spec.replicas is taken for the number of pods"},
      {Part::kWorkload, &known::kRollouts, ""},
  };
  return all;
}

std::string name_of(const kube::Resource& resource) {
  return resource.group.empty() ? resource.plural : resource.plural + "." + resource.group;
}

// The server answered, but with a refusal that concerns this list alone.
bool concerns_one_list(const kube::Error& error) {
  return error.code >= 400 && error.kind != kube::ErrorKind::kUnauthorized;
}

bool worth_another_try(const kube::Error& error) {
  return error.kind == kube::ErrorKind::kTooManyRequests || error.code == 503;
}

class Reading {
 public:
  Reading(kube::Api& api, base::Clock& clock, const LiveQuery& query, std::atomic<std::size_t>& objects_read)
      : api_(api), clock_(clock), query_(query), objects_read_(objects_read), parts_(sources().size()) {}

  kube::Result<LiveInput> run() {
    {
      std::vector<std::jthread> readers;
      for (std::size_t i = 0; i < kReaders; ++i) {
        readers.emplace_back([this] { work(); });
      }
    }
    if (fatal_) {
      return base::unexpected(*std::move(fatal_));
    }
    const auto is_workload = [this](std::size_t i) { return sources()[i].part == Part::kWorkload; };
    bool any_workload = false;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      any_workload = any_workload || (is_workload(i) && !parts_[i].error);
    }
    if (!any_workload) {
      return base::unexpected(*parts_.front().error);  // of the Deployments
    }
    return gather();
  }

 private:
  // What became of one source.
  struct Outcome {
    Input input;
    std::set<std::pair<std::string, std::string>> selected;  // namespace and name; with a selector only
    std::optional<kube::Error> error;
  };

  void work() {
    for (std::size_t i = 0; (i = next_++) <= sources().size();) {
      const kube::Result<void> done = i < sources().size() ? read(sources()[i], parts_[i]) : read_policy();
      if (done) {
        continue;
      }
      if (i < sources().size() && concerns_one_list(done.error())) {
        parts_[i].error = done.error();
        forgive_absence(*parts_[i].error, *sources()[i].resource);
      } else {
        give_up(done.error());
      }
    }
  }

  // Asked for a resource that does not exist, the server says "forbidden" to those who might not list it.
  void forgive_absence(kube::Error& error, const kube::Resource& resource) {
    const bool extension = controller::is_extension(name_of(resource)) || &resource == &controller::kShutdownPolicies;
    if (extension && error.kind == kube::ErrorKind::kForbidden) {
      const auto served = kube::serves(api_, resource, cancellation());
      if (served && !*served) {
        error.kind = kube::ErrorKind::kNotFound;
      }
    }
  }

  // The first reason counts: what else fails, fails because of it.
  void give_up(kube::Error reason) {
    const std::lock_guard lock(mutex_);
    if (!fatal_) {
      fatal_ = std::move(reason);
      stop_.request_stop();
    }
  }

  base::Cancellation cancellation() const {
    const base::Cancellation stop{stop_.get_token(), base::kNever};
    return query_.request_timeout > base::Duration::zero() ? stop.limited(clock_.now(), query_.request_timeout) : stop;
  }

  bool is_asked_for(const objects::GroupKind& kind) const {
    return query_.targets.empty() || std::any_of(query_.targets.begin(), query_.targets.end(),
                                                 [&](const LiveTarget& target) { return target.kind == kind; });
  }

  kube::Result<void> read(const Source& source, Outcome& out) {
    switch (source.part) {
      case Part::kWorkload: {
        auto done = read_list<objects::Workload>(*source.resource, out);
        const bool select = !query_.selector.empty() && is_asked_for({source.resource->group, source.resource->kind});
        return done && select ? select_names(*source.resource, out) : done;
      }
      case Part::kBudget:
        return read_list<objects::PodDisruptionBudget>(*source.resource, out);
      case Part::kService:
        return read_list<objects::Service>(*source.resource, out);
      case Part::kAutoscaler:
        return read_list<objects::Autoscaler>(*source.resource, out);
      case Part::kJob:
        return read_list<objects::JobTemplate>(*source.resource, out);
      case Part::kNamespace:
        return query_.name_space.empty() ? read_list<objects::Namespace>(*source.resource, out) : read_namespace(out);
    }
    return {};
  }

  // Reads every page; a list that was begun is begun again.
  kube::Result<void> list(const kube::Resource& resource, const std::string& selector, ObjectSink& sink) {
    for (int attempt = 1;; ++attempt) {
      sink.clear();
      const kube::Result<void> done = list_once(resource, selector, sink);
      if (done || attempt == kAttempts || !worth_another_try(done.error())) {
        return done;
      }
      const base::Duration wait = std::min<base::Duration>(
          done.error().retry_after.value_or(std::chrono::milliseconds(500)), std::chrono::seconds(5));
      if (!clock_.sleep_for(wait, stop_.get_token())) {
        return done;
      }
    }
  }

  kube::Result<void> list_once(const kube::Resource& resource, const std::string& selector, ObjectSink& sink) {
    kube::ListOptions options;
    options.name_space = resource.namespaced ? query_.name_space : "";
    options.label_selector = selector;
    do {
      const auto page = api_.list(resource, options, sink, cancellation());
      if (!page) {
        return base::unexpected(page.error());
      }
      // A Table or a web page in JSON would decode as empty objects.
      if (page->api_version != resource.api_version() || !page->kind.ends_with("List")) {
        return base::unexpected(kube::Error{.kind = kube::ErrorKind::kProtocol,
                                            .message = "list " + name_of(resource) + ": the answer is " +
                                                       base::quoted(page->api_version + " " + page->kind)});
      }
      options.continue_token = page->continue_token;
    } while (!options.continue_token.empty());
    return {};
  }

  template <class T>
  kube::Result<void> read_list(const kube::Resource& resource, Outcome& out) {
    Collector<T> collector(resource, audit::reads_annotation, objects_read_);
    auto done = list(resource, "", collector);
    if (done) {
      out.input = collector.take();
    }
    return done;
  }

  // Which workloads the selector selects is the server's to say.
  kube::Result<void> select_names(const kube::Resource& resource, Outcome& out) {
    NameCollector names;
    auto done = list(resource, query_.selector, names);
    if (!done && done.error().code == 400) {
      give_up(done.error());
      return {};
    }
    out.selected = names.take();
    return done;
  }

  kube::Result<void> read_namespace(Outcome& out) {
    const auto got = api_.call({.path = kube::path_of(kube::resources::kNamespaces, "", query_.name_space),
                                .idempotent = true},
                               cancellation());
    if (!got) {
      if (got.error().kind != kube::ErrorKind::kNotFound) {
        return base::unexpected(got.error());
      }
      kube::Error missing = got.error();
      missing.kind = kube::ErrorKind::kInvalid;
      missing.message = "there is no namespace " + base::quoted(query_.name_space);
      give_up(std::move(missing));
      return {};
    }
    auto decoded = objects::decode_json<objects::Namespace>(got->body);
    if (!decoded) {
      return base::unexpected(kube::Error{.message = "get namespace: " + decoded.error().message});
    }
    put(out.input, *std::move(decoded));
    return {};
  }

  kube::Result<void> read_policy() {
    if (!query_.read_policy) {
      return {};
    }
    const auto got = api_.call({.path = kube::path_of(controller::kShutdownPolicies, "", kPolicyName), .idempotent = true},
                               cancellation());
    if (!got) {
      if (!concerns_one_list(got.error())) {
        return base::unexpected(got.error());
      }
      policy_error_ = got.error();
      forgive_absence(*policy_error_, controller::kShutdownPolicies);
      return {};
    }
    const auto object = objects::decode_json<audit::PolicyObject>(got->body);
    auto policy = object ? audit::to_policy(*object) : base::Result<audit::Policy>(base::unexpected(object.error()));
    if (policy) {
      policy->name = kPolicyName;
    }
    policy_ = std::move(policy);
    return {};
  }

  LiveInput gather() {
    LiveInput out;
    out.input.live = true;
    Unread& unread = out.input.unread;
    unread = {true, true, true, true, true, true};
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const Source& source = sources()[i];
      Outcome& part = parts_[i];
      if (part.error) {
        remark_unread(out, source, *part.error);
        continue;
      }
      mark_read(unread, source.part);
      if (source.part == Part::kWorkload) {
        choose(source, part);
      }
      out.input.append(std::move(part.input));
    }
    if (forbidden_ && query_.name_space.empty()) {
      out.remarks.emplace_back("you may not list all of the cluster: -n NAMESPACE audits one namespace");
    }
    remark_missing(out);
    settle_policy(out);
    return out;
  }

  static void mark_read(Unread& unread, Part part) {
    switch (part) {
      case Part::kWorkload: unread.workloads = false; break;
      case Part::kBudget: unread.budgets = false; break;
      case Part::kService: unread.services = false; break;
      case Part::kAutoscaler: unread.autoscalers = false; break;
      case Part::kJob: unread.jobs = false; break;
      case Part::kNamespace: unread.namespaces = false; break;
    }
  }

  std::string where() const {
    return query_.name_space.empty() ? " in all namespaces" : " in namespace " + base::quoted(query_.name_space);
  }

  void remark_unread(LiveInput& out, const Source& source, const kube::Error& error) {
    const kube::Resource& resource = *source.resource;
    const bool absent = error.kind == kube::ErrorKind::kNotFound;
    const objects::GroupKind kind{resource.group, resource.kind};
    const bool named = !query_.targets.empty() && source.part == Part::kWorkload && is_asked_for(kind);
    if (absent && controller::is_extension(name_of(resource)) && !named) {
      return;  // many clusters do not have it
    }
    std::string why = error.message;
    if (error.kind == kube::ErrorKind::kForbidden) {
      forbidden_ = true;
      const bool one = source.part == Part::kNamespace && !query_.name_space.empty();
      why = (one ? "no permission to get " : "no permission to list ") + name_of(resource) +
            (resource.namespaced ? where() : "");
    } else if (absent) {
      why = "this server has no " + name_of(resource);
    }
    std::string follows = source.without;
    if (source.part == Part::kWorkload) {
      follows = is_asked_for(kind) ? resource.kind + "s are not audited"
                                   : resource.kind + "s are not seen under any budget";
    }
    out.remarks.push_back(why + ": " + follows);
    // No right is a fact about the user; another failure may be gone next time, and what is named must be audited.
    out.failed = out.failed || named || !(error.kind == kube::ErrorKind::kForbidden || absent);
  }

  // Only the workloads that were asked for are audited; the others stand around them.
  void choose(const Source& source, Outcome& part) {
    const objects::GroupKind kind{source.resource->group, source.resource->kind};
    if (query_.targets.empty() && query_.selector.empty()) {
      readable_.insert(kind);
      return;
    }
    WorkloadUnpacker unpacker;
    for (InputWorkload& item : part.input.workloads) {
      const objects::ObjectMeta meta = unpacker.outline(item, "").meta;
      item.audited = query_.targets.empty();
      for (std::size_t i = 0; i < query_.targets.size(); ++i) {
        const LiveTarget& target = query_.targets[i];
        if (target.kind == kind && (target.name.empty() || target.name == meta.name)) {
          item.audited = true;
          found_.insert(i);
        }
      }
      if (!query_.selector.empty() && !part.selected.contains({meta.namespace_, meta.name})) {
        item.audited = false;
      }
    }
    readable_.insert(kind);
  }

  void remark_missing(LiveInput& out) const {
    for (std::size_t i = 0; i < query_.targets.size(); ++i) {
      const LiveTarget& target = query_.targets[i];
      if (!target.name.empty() && readable_.contains(target.kind) && !found_.contains(i)) {
        out.remarks.push_back("there is no " + base::to_lower(target.kind.kind) + " " + base::quoted(target.name) + where());
        out.failed = true;
      }
    }
  }

  void settle_policy(LiveInput& out) {
    if (policy_ && *policy_) {
      out.policy = **std::move(policy_);
    } else if (policy_) {
      out.remarks.push_back("ShutdownPolicy " + base::quoted(kPolicyName) + ": " + policy_->error().message +
                            ": the built-in policy is used instead");
      out.failed = true;
    } else if (policy_error_ && policy_error_->kind != kube::ErrorKind::kNotFound) {
      const bool forbidden = policy_error_->kind == kube::ErrorKind::kForbidden;
      out.remarks.push_back(
          (forbidden ? "no permission to get shutdownpolicies.shutdownaudit.dev" : policy_error_->message) +
          std::string(": the built-in policy is used, which the controller may not do"));
      out.failed = out.failed || !forbidden;
    }
  }

  kube::Api& api_;
  base::Clock& clock_;
  const LiveQuery& query_;
  std::atomic<std::size_t>& objects_read_;
  std::stop_source stop_;
  std::atomic<std::size_t> next_{0};
  std::vector<Outcome> parts_;  // as sources(); each is one reader's until all have ended
  std::optional<base::Result<audit::Policy>> policy_;
  std::optional<kube::Error> policy_error_;
  std::mutex mutex_;  // guards the next, while readers run
  std::optional<kube::Error> fatal_;
  // While gathering.
  bool forbidden_ = false;
  std::set<std::size_t> found_;  // targets by name that exist
  std::set<objects::GroupKind> readable_;
};

}  // namespace

kube::Result<LiveInput> read_live_input(kube::Api& api, base::Clock& clock, const LiveQuery& query,
                                        std::atomic<std::size_t>& objects_read) {
  return Reading(api, clock, query, objects_read).run();
}

}  // namespace shutdown_auditor::app
