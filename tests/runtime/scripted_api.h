#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "kube/api.h"
#include "objects/json_source.h"
#include "objects/list_decoder.h"

namespace shutdown_auditor::runtime {

// An API whose LIST and WATCH are functions of the test. Everything else is an error.
class ScriptedApi final : public kube::Api {
 public:
  using ListFunction = std::function<kube::Result<objects::ListMeta>(const kube::ListOptions&, objects::ItemSink&,
                                                                     const base::Cancellation&)>;
  using WatchFunction = std::function<kube::Result<std::unique_ptr<kube::WatchStream>>(const kube::WatchOptions&,
                                                                                       const base::Cancellation&)>;

  ScriptedApi(ListFunction list, WatchFunction watch) : list_(std::move(list)), watch_(std::move(watch)) {}

  kube::Result<kube::ApiResponse> call(const kube::ApiRequest&, const base::Cancellation&) override {
    return base::unexpected(kube::Error{});
  }
  kube::Result<objects::ListMeta> list(const kube::Resource&, const kube::ListOptions& options,
                                       objects::ItemSink& sink, const base::Cancellation& cancel) override {
    return list_(options, sink, cancel);
  }
  kube::Result<std::unique_ptr<kube::WatchStream>> watch(const kube::Resource&, const kube::WatchOptions& options,
                                                         const base::Cancellation& cancel) override {
    return watch_(options, cancel);
  }

  // A LIST response read from JSON, as the real client does.
  static kube::Result<objects::ListMeta> read_list(objects::ByteSource& json, objects::ItemSink& sink) {
    objects::ListDecoder decoder(sink);
    kube::Error error;
    if (const auto parsed = objects::parse_json(json, decoder); !parsed) {
      error.message = parsed.error().message;
      return base::unexpected(error);
    }
    auto meta = decoder.take();
    if (meta) return std::move(*meta);
    error.message = meta.error().message;
    return base::unexpected(error);
  }
  static kube::Result<objects::ListMeta> read_list(std::string_view json, objects::ItemSink& sink) {
    objects::StringSource source(json);
    return read_list(source, sink);
  }

 private:
  ListFunction list_;
  WatchFunction watch_;
};

// A watch that says its lines, then what `end` says.
class ScriptedStream final : public kube::WatchStream {
 public:
  using End = std::function<kube::Result<std::optional<std::string>>(const base::Cancellation&)>;
  ScriptedStream(std::deque<std::string> lines, End end) : lines_(std::move(lines)), end_(std::move(end)) {}

  kube::Result<std::optional<std::string>> next(const base::Cancellation& cancel) override {
    if (lines_.empty()) return end_(cancel);
    std::optional<std::string> line(std::move(lines_.front()));
    lines_.pop_front();
    return line;
  }

 private:
  std::deque<std::string> lines_;
  End end_;
};

}  // namespace shutdown_auditor::runtime
