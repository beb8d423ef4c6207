#pragma once

#include <atomic>
#include <cstddef>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include "app/input.h"
#include "kube/resource.h"
#include "objects/decode.h"
#include "objects/list_decoder.h"
#include "runtime/object_probe.h"

// Where the items of a cluster's lists go. Each for one thread.
namespace shutdown_auditor::app {

// Takes the items of one list; may be emptied to begin again.
class ObjectSink : public objects::ItemSink {
 public:
  virtual void clear() = 0;
};

// An object of a cluster into the input.
inline void put(Input& input, objects::PodDisruptionBudget budget) {
  input.budgets.push_back({std::move(budget), {}, {}, {}});
}
inline void put(Input& input, objects::Service service) { input.services.push_back(std::move(service)); }
inline void put(Input& input, objects::Autoscaler autoscaler) { input.autoscalers.push_back(std::move(autoscaler)); }
inline void put(Input& input, objects::JobTemplate job) { input.jobs.push_back(std::move(job)); }
inline void put(Input& input, objects::Namespace name_space) { input.namespaces.push_back(std::move(name_space)); }

// Keeps every item. One that cannot be decoded becomes a problem that names it; the others are kept.
template <class T>
class Collector final : public ObjectSink {
 public:
  // `objects_read` must outlive it.
  Collector(const kube::Resource& resource, bool (*keep_annotation)(std::string_view),
            std::atomic<std::size_t>& objects_read)
      : resource_(resource), decoder_(make_decoder(resource, keep_annotation)), objects_read_(objects_read) {
    clear();
  }

  Input take() { return std::move(input_); }

  void clear() override {
    input_ = {};
    input_.texts.emplace_back();
  }
  objects::EventHandler& begin_item() override {
    probe_.begin(&decoder_);
    return probe_;
  }
  bool end_item() override {
    base::Result<void> taken = probe_.check();
    auto object = decoder_.take();  // also makes the decoder ready for the next item
    if (taken && !object) {
      taken = base::unexpected(object.error());
    }
    if (!taken) {
      input_.problems.push_back({manifest::Problem::Severity::kError, resource_.plural + " " + probe_.key().to_string(), {},
                                 taken.error().message});
    } else if constexpr (kPacks) {
      const std::string* name_space = input_.texts.front().keep(probe_.key().name_space);
      input_.workloads.push_back({{}, {resource_.group, resource_.kind}, name_space, input_.packed.keep(*object)});
    } else {
      put(input_, *std::move(object));
    }
    ++objects_read_;
    return true;
  }
  base::Error problem() const override { return {}; }

 private:
  static constexpr bool kPacks = std::is_same_v<T, objects::Workload>;
  using Decoder = std::conditional_t<kPacks, objects::Packer, objects::Decoder<T>>;

  static Decoder make_decoder(const kube::Resource& resource, bool (*keep_annotation)(std::string_view)) {
    objects::DecodeOptions options;
    options.keep_annotation = keep_annotation;
    options.kind = objects::GroupKind{resource.group, resource.kind};  // items of a list do not say it
    if constexpr (kPacks) {
      return Decoder(objects::shape_of<T>(), std::move(options), false);
    } else {
      return Decoder(std::move(options));
    }
  }

  const kube::Resource& resource_;
  Decoder decoder_;
  runtime::ObjectProbe probe_;
  std::atomic<std::size_t>& objects_read_;
  Input input_;
};

// Keeps the namespace and name of every item.
class NameCollector final : public ObjectSink {
 public:
  std::set<std::pair<std::string, std::string>> take() { return std::move(names_); }

  void clear() override { names_.clear(); }
  objects::EventHandler& begin_item() override {
    probe_.begin(nullptr);
    return probe_;
  }
  bool end_item() override {
    names_.emplace(probe_.key().name_space, probe_.key().name);
    return true;
  }
  base::Error problem() const override { return {}; }

 private:
  runtime::ObjectProbe probe_;
  std::set<std::pair<std::string, std::string>> names_;
};

}  // namespace shutdown_auditor::app
