#include "manifest/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/in_order.h"
#include "base/text.h"
#include "manifest/piece_reader.h"
#include "manifest/utf16.h"
#include "manifest/yaml_source.h"

namespace shutdown_auditor::manifest {
namespace {

using objects::GroupKind;
using objects::Mark;

// One object's value on a tape, and how to decode it.
struct Source {
  const Tape& tape;
  std::size_t value;
  const objects::DecodeOptions& options;
};

template <class T>
base::Result<Value> decode(const Source& source, Mark& stopped) {
  objects::Decoder<T> decoder(source.options);
  if (!source.tape.replay(source.value, decoder, stopped)) return base::unexpected(decoder.problem());
  base::Result<T> object = decoder.take();
  if (!object) return base::unexpected(object.error());
  return Value(std::move(*object));
}

base::Result<Value> decode_other(const Source& source, Mark& stopped) {
  objects::Decoder<objects::PartialObject> decoder(source.options);
  if (!source.tape.replay(source.value, decoder, stopped)) return base::unexpected(decoder.problem());
  base::Result<objects::PartialObject> object = decoder.take();
  if (!object) return base::unexpected(object.error());
  return Value(Other{std::move(object->meta)});
}

struct KnownKind {
  std::string_view group;
  std::string_view kind;
  base::Result<Value> (*decode)(const Source& source, Mark& stopped);
  const objects::Shape& (*pods)() = nullptr;  // of what has pods: its shape
};

constexpr std::array kKnownKinds{
    KnownKind{"apps", "Deployment", &decode<objects::Workload>, &objects::shape_of<objects::Workload>},
    KnownKind{"apps", "StatefulSet", &decode<objects::Workload>, &objects::shape_of<objects::Workload>},
    KnownKind{"apps", "DaemonSet", &decode<objects::Workload>, &objects::shape_of<objects::Workload>},
    KnownKind{"apps", "ReplicaSet", &decode<objects::Workload>, &objects::shape_of<objects::Workload>},
    KnownKind{"argoproj.io", "Rollout", &decode<objects::Workload>, &objects::shape_of<objects::Workload>},
    KnownKind{"policy", "PodDisruptionBudget", &decode<objects::PodDisruptionBudget>},
    KnownKind{"", "Service", &decode<objects::Service>},
    KnownKind{"autoscaling", "HorizontalPodAutoscaler", &decode<objects::Autoscaler>},
    KnownKind{"keda.sh", "ScaledObject", &decode<objects::Autoscaler>},
    KnownKind{"batch", "Job", &decode<objects::JobTemplate>},
    KnownKind{"batch", "CronJob", &decode<objects::JobTemplate>},
    KnownKind{"", "Namespace", &decode<objects::Namespace>},
    KnownKind{"", "Pod", &decode<objects::Pod>, &objects::shape_of<objects::Pod>},
};

// Not a text with a slip in it: archives, images and programs have many control characters from the start.
bool is_binary(std::string_view content) {
  const std::string_view start = content.substr(0, 512);
  const auto controls = std::count_if(start.begin(), start.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\x1b';
  });
  return controls >= 4 && !is_utf16(content);
}

class Loader {
 public:
  Loader(const std::string& file, const LoadOptions& options, const ObjectCallback& object,
         const ProblemCallback& problem)
      : file_(file),
        options_(options),
        object_(object),
        problem_(problem),
        workloads_(objects::shape_of<objects::Workload>(), {}, options.positions),
        pods_(objects::shape_of<objects::Pod>(), {}, options.positions) {}

  void load(std::string_view content, std::uint32_t first_line) {
    DocumentReader reader(content, first_line);
    while (std::optional<DocumentResult> document = reader.next()) {
      template_name_ = base::truncate_utf8(reader.source(), 256);
      if (*document) {
        load_document(**document);
      } else if (document->error().template_) {
        note_template(document->error().mark);
      } else {
        report(document->error().mark, document->error().message);
      }
    }
  }

 private:
  // An object of a document, or an item of a list with what the list says about its items.
  struct Item {
    std::size_t value;
    std::string api_version;
    std::string kind;
  };

  void load_document(const Tape& tape) {
    std::vector<Item> pending{{0, {}, {}}};
    while (!pending.empty()) {
      Item item = std::move(pending.back());
      pending.pop_back();
      if (!identify(tape, item)) continue;
      const std::size_t items = list_items(tape, item);
      if (items == Tape::kNone && item.kind == "List") {
        report(tape.mark(item.value), "List: items is missing");
        continue;
      }
      if (items == Tape::kNone) {
        load_object(tape, item);
        continue;
      }
      if (tape.is_null(items)) continue;
      const bool typed = item.kind != "List";
      const std::string item_kind = typed ? item.kind.substr(0, item.kind.size() - 4) : std::string();
      const std::vector<std::size_t> values = tape.items(items);
      for (auto value = values.rbegin(); value != values.rend(); ++value) {
        pending.push_back({*value, typed ? item.api_version : std::string(), item_kind});
      }
    }
  }

  // Reads apiVersion and kind; a list's items may leave them out.
  bool identify(const Tape& tape, Item& item) {
    const Mark mark = tape.mark(item.value);
    if (!tape.is_object(item.value)) {
      report(mark, "expected a Kubernetes object with apiVersion and kind");
      return false;
    }
    for (const auto& [name, target] : {std::pair("apiVersion", &item.api_version), std::pair("kind", &item.kind)}) {
      const std::size_t value = tape.member(item.value, name);
      if (value == Tape::kNone || tape.is_null(value)) continue;
      const std::optional<std::string_view> text = tape.string(value);
      if (!text) {
        report(tape.mark(value), fmt::format("{}: expected a string", name));
        return false;
      }
      target->assign(*text);
    }
    if (!item.kind.empty() && !item.api_version.empty()) return true;
    report(mark, fmt::format("not a Kubernetes object: {} is missing", item.kind.empty() ? "kind" : "apiVersion"));
    return false;
  }

  static std::size_t list_items(const Tape& tape, const Item& item) {
    if (!item.kind.ends_with("List")) return Tape::kNone;
    const std::size_t items = tape.member(item.value, "items");
    if (items == Tape::kNone) return Tape::kNone;
    const bool list = tape.is_array(items) || (tape.is_null(items) && item.kind == "List");
    return list ? items : Tape::kNone;
  }

  void load_object(const Tape& tape, const Item& item) {
    Object object;
    object.kind = {std::string(objects::group_of(item.api_version)), item.kind};
    object.api_version = item.api_version;
    object.start = tape.mark(item.value);
    object.template_name = template_name_;
    const KnownKind* known = nullptr;
    for (const KnownKind& each : kKnownKinds) {
      if (each.kind == object.kind.kind && each.group == object.kind.group) known = &each;
    }
    objects::DecodeOptions decode_options;
    decode_options.keep_annotation = options_.keep_annotation;
    decode_options.kind = object.kind;
    Mark stopped = object.start;
    base::Result<void> done;
    if (options_.pack && known != nullptr && known->pods != nullptr) {
      done = pack({tape, item.value, decode_options}, known->pods(), object, stopped);
    } else {
      decode_options.positions = options_.positions ? &object.positions : nullptr;
      const auto decoder = known == nullptr ? &decode_other : known->decode;
      base::Result<Value> value = decoder({tape, item.value, decode_options}, stopped);
      if (value) {
        object.value = std::move(*value);
      } else {
        done = base::unexpected(value.error());
      }
    }
    if (!done) {
      report(stopped, name_of(tape, item) + ": " + done.error().message);
      return;
    }
    object_(std::move(object));
  }

  base::Result<void> pack(const Source& source, const objects::Shape& shape, Object& object, Mark& stopped) {
    objects::Packer& packer = &shape == &objects::shape_of<objects::Pod>() ? pods_ : workloads_;
    packer.use(source.options);
    source.tape.replay(source.value, packer, stopped);
    base::Result<std::string> packed = packer.take();  // the packer's problem, if it had one
    if (!packed) return base::unexpected(packed.error());
    object.packed = std::move(*packed);
    Other outline;
    const std::size_t metadata = source.tape.member(source.value, "metadata");
    if (metadata != Tape::kNone && source.tape.is_object(metadata)) {
      outline.meta.name = text_of(source.tape, metadata, "name");
      outline.meta.namespace_ = text_of(source.tape, metadata, "namespace");
    }
    object.value = std::move(outline);
    return {};
  }

  static std::string text_of(const Tape& tape, std::size_t object, std::string_view name) {
    const std::size_t value = tape.member(object, name);
    return value == Tape::kNone ? std::string() : std::string(tape.string(value).value_or(""));
  }

  // `Deployment "web"`, or the kind alone when there is no name.
  static std::string name_of(const Tape& tape, const Item& item) {
    const std::size_t metadata = tape.member(item.value, "metadata");
    if (metadata == Tape::kNone || !tape.is_object(metadata)) return item.kind;
    const std::size_t name = tape.member(metadata, "name");
    if (name == Tape::kNone) return item.kind;
    const std::optional<std::string_view> text = tape.string(name);
    return text ? item.kind + " " + base::quoted(*text) : item.kind;
  }

  void report(Mark mark, std::string message) {
    if (!template_name_.empty()) message += " (from " + template_name_ + ")";
    problem_({Problem::Severity::kError, file_, mark, std::move(message)});
  }

  void note_template(Mark mark) {
    if (std::exchange(template_noted_, true)) return;
    problem_({Problem::Severity::kNote, file_, mark,
              "looks like a template that is not rendered; skipped: render it first, for example with `helm template`"});
  }

  const std::string& file_;
  const LoadOptions& options_;
  const ObjectCallback& object_;
  const ProblemCallback& problem_;
  std::string template_name_;  // of the document at hand
  bool template_noted_ = false;
  objects::Packer workloads_;
  objects::Packer pods_;
};

using Loaded = std::variant<Object, Problem>;

// Not moved when it grows: an Object is large.
using LoadedPiece = std::deque<Loaded>;

LoadedPiece load_piece(const Piece& piece, const std::string& file, const LoadOptions& options) {
  LoadedPiece loaded;
  const ObjectCallback keep_object = [&](Object&& object) { loaded.emplace_back(std::move(object)); };
  const ProblemCallback keep_problem = [&](Problem problem) { loaded.emplace_back(std::move(problem)); };
  Loader(file, options, keep_object, keep_problem).load(piece.text, piece.first_line);
  return loaded;
}

void load_pieces(PieceReader& pieces, const std::string& file, const LoadOptions& options, const ObjectCallback& object,
                 const ProblemCallback& problem) {
  Piece piece = pieces.next();
  if (piece.last) {
    Loader(file, options, object, problem).load(piece.text, piece.first_line);
    return;
  }
  bool noted = false;
  base::InOrder<LoadedPiece> readers(options.threads > 1 ? options.threads : 0, [&](LoadedPiece& loaded) {
    for (Loaded& each : loaded) {
      if (auto* found = std::get_if<Object>(&each)) {
        object(std::move(*found));
        continue;
      }
      Problem& said = std::get<Problem>(each);
      const bool note = said.severity == Problem::Severity::kNote;  // one a file
      if (note && std::exchange(noted, true)) continue;
      problem(std::move(said));
    }
  });
  for (bool last = false; !last; piece = last ? Piece() : pieces.next()) {
    last = piece.last;
    readers.add([text = std::make_shared<Piece>(std::move(piece)), &file, &options] {
      return load_piece(*text, file, options);
    });
  }
  readers.finish();
}

}  // namespace

std::string to_string(const Problem& problem) {
  if (problem.mark.line == 0) return fmt::format("{}: {}", problem.file, problem.message);
  return fmt::format("{}:{}:{}: {}", problem.file, problem.mark.line, problem.mark.column, problem.message);
}

const objects::ObjectMeta& meta_of(const Object& object) {
  return std::visit([](const auto& value) -> const objects::ObjectMeta& { return value.meta; }, object.value);
}

void load(const TextSource& source, const std::string& file, const LoadOptions& options, const ObjectCallback& object,
          const ProblemCallback& problem) {
  const auto say = [&](std::string message) { problem({Problem::Severity::kError, file, {}, std::move(message)}); };
  PieceReader pieces(source);
  pieces.look(PieceReader::kPieceBytes);
  if (is_binary(pieces.rest())) {
    say("a binary file, neither YAML nor JSON");
    return;
  }
  if (!is_utf16(pieces.rest())) {
    load_pieces(pieces, file, options, object, problem);
  } else if (const std::optional<std::string> text = utf8_of_utf16(pieces.take_all())) {
    load(*text, file, options, object, problem);
  } else {
    say("begins as UTF-16 but is not; save it as UTF-8");
  }
  if (pieces.failure()) say(pieces.failure()->message);
}

void load(std::string_view content, const std::string& file, const LoadOptions& options, const ObjectCallback& object,
          const ProblemCallback& problem) {
  const TextSource source = [&content](char* buffer, std::size_t size) -> base::Result<std::size_t> {
    const std::size_t count = content.copy(buffer, size);
    content.remove_prefix(count);
    return count;
  };
  load(source, file, options, object, problem);
}

}  // namespace shutdown_auditor::manifest
