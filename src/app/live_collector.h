#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

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

// An object of a cluster as an object of the input: without file and positions.
template <class T>
InputObject make_input_object(const kube::Resource& resource, T object) {
  InputObject item;
  item.object.kind = {resource.group, resource.kind};
  item.object.api_version = resource.api_version();
  item.object.value = std::move(object);
  return item;
}

// Keeps every item. One that cannot be decoded becomes a problem that names it; the others are kept.
template <class T>
class Collector final : public ObjectSink {
 public:
  // `objects_read` must outlive it.
  Collector(const kube::Resource& resource, bool (*keep_annotation)(std::string_view),
            std::atomic<std::size_t>& objects_read)
      : resource_(resource), decoder_(options(resource, keep_annotation)), objects_read_(objects_read) {}

  std::deque<InputObject> take_objects() { return std::move(objects_); }
  std::vector<manifest::Problem> take_problems() { return std::move(problems_); }

  void clear() override {
    objects_.clear();
    problems_.clear();
  }
  objects::EventHandler& begin_item() override {
    probe_.begin(&decoder_);
    return probe_;
  }
  bool end_item() override {
    base::Result<void> taken = probe_.check();
    base::Result<T> object = decoder_.take();  // also makes the decoder ready for the next item
    if (taken && !object) {
      taken = base::unexpected(object.error());
    }
    if (taken) {
      objects_.push_back(make_input_object(resource_, *std::move(object)));
    } else {
      problems_.push_back({manifest::Problem::Severity::kError, resource_.plural + " " + probe_.key().to_string(), {},
                           taken.error().message});
    }
    ++objects_read_;
    return true;
  }
  base::Error problem() const override { return {}; }

 private:
  static objects::DecodeOptions options(const kube::Resource& resource, bool (*keep_annotation)(std::string_view)) {
    objects::DecodeOptions options;
    options.keep_annotation = keep_annotation;
    options.kind = objects::GroupKind{resource.group, resource.kind};  // items of a list do not say it
    return options;
  }

  const kube::Resource& resource_;
  objects::Decoder<T> decoder_;
  runtime::ObjectProbe probe_;
  std::atomic<std::size_t>& objects_read_;
  std::deque<InputObject> objects_;
  std::vector<manifest::Problem> problems_;
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
