#pragma once

#include <cstddef>
#include <deque>
#include <istream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_store.h"
#include "manifest/loader.h"

namespace shutdown_auditor::app {

// Texts that many objects share, each held once; their addresses last as long as this, also when it is moved.
class SharedTexts {
 public:
  // The one address of this text; null for an empty one.
  const std::string* keep(std::string_view text);

 private:
  std::set<std::string, std::less<>> texts_;
};

// Where an object of the input stood.
struct Source {
  const std::string* file = nullptr;           // null: from a cluster
  const std::string* template_name = nullptr;  // of the Helm chart; null: none
  objects::Mark start;
};

// A workload or a Pod, packed: thousands of them are held and each is looked at twice.
struct InputWorkload {
  Source source;
  objects::GroupKind kind;
  const std::string* name_space = nullptr;  // null: it names none
  std::string_view packed;                  // see WorkloadUnpacker; in the Input's store
  bool audited = true;                      // false: it is there for what it says about others
};

struct InputBudget {
  objects::PodDisruptionBudget object;
  Source source;
  objects::Mark selector;  // where its spec.selector is, and minAvailable or maxUnavailable
  objects::Mark limit;
};

// Lists of a cluster that could not be read: nothing is known of what they hold.
struct Unread {
  bool workloads = false, budgets = false, services = false, autoscalers = false, jobs = false, namespaces = false;
};

// Everything in the order in which it was read.
struct Input {
  std::deque<InputWorkload> workloads;
  std::deque<InputBudget> budgets;
  std::deque<objects::Service> services;
  std::deque<objects::Autoscaler> autoscalers;
  std::deque<objects::JobTemplate> jobs;
  std::deque<objects::Namespace> namespaces;
  std::size_t old_budgets = 0;           // policy/v1beta1, which no server has any more
  std::size_t others = 0;                // objects of kinds that are not read any further
  std::set<std::string> named;           // the namespaces that any object names
  std::vector<SharedTexts> texts;        // what the sources and workloads point to
  base::ByteStore packed;
  std::vector<manifest::Problem> problems;  // in the order they were met; also files that cannot be read
  bool live = false;                        // of a cluster: it is all there, but for what is unread
  Unread unread;

  void append(Input&& more);  // but for `live` and `unread`
  std::size_t size() const;  // all objects
  bool failed() const;       // one of the problems is an error
};

// Unpacks workloads, one after the other. For one thread.
class WorkloadUnpacker {
 public:
  // The workload as it was read, in the namespace `fallback` if it names none. A Pod comes as a Workload of kind Pod: it is
  // what is audited.
  objects::Workload whole(const InputWorkload& item, const std::string& fallback, objects::PositionMap* positions = nullptr);
  // The same without its PodSpec, in less time.
  objects::Workload outline(const InputWorkload& item, const std::string& fallback);

 private:
  objects::Unpacker<objects::Workload> workloads_;
  objects::Unpacker<objects::Pod> pods_;
};

// Reads every path: a file, a directory (see input_files.h) or "-" for `in`, which messages call "stdin". At most 256 MiB
// each. What is named twice is read once.
Input read_input(const std::vector<std::string>& paths, bool recursive, std::istream& in);

}  // namespace shutdown_auditor::app
