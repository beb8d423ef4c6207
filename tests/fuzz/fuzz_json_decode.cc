#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "objects/decode.h"
#include "objects/list_decoder.h"
#include "objects/status.h"
#include "objects/watch_event.h"

// JSON as an API server might send it: an object, a list, a watch line.
namespace {

using namespace shutdown_auditor;

class Workloads final : public objects::ItemSink {
 public:
  objects::EventHandler& begin_item() override { return decoder_; }
  bool end_item() override {
    base::Result<objects::Workload> item = decoder_.take();
    if (!item) problem_ = item.error();
    return item.has_value();
  }
  base::Error problem() const override { return problem_; }

 private:
  objects::Decoder<objects::Workload> decoder_;
  base::Error problem_;
};

// A failure must say why.
template <class T>
void check(const base::Result<T>& result) {
  if (!result && result.error().message.empty()) std::abort();
}

// What is decoded can be packed as well, and is then the same again.
void check_packed(std::string_view text) {
  objects::DecodeOptions options;
  options.kind = objects::GroupKind{"apps", "Deployment"};
  const base::Result<objects::Workload> workload = objects::decode_json<objects::Workload>(text, options);
  objects::Packer packer(objects::shape_of<objects::Workload>(), options, true);
  const bool parsed = objects::parse_json(text, packer).has_value();
  const base::Result<std::string> packed = packer.take();
  if ((parsed && packed) != workload.has_value()) std::abort();
  if (!workload) return;
  const base::Result<objects::Workload> again = objects::unpack<objects::Workload>(*packed, *options.kind);
  if (!again || *again != *workload) std::abort();
  if (!objects::Unpacker<objects::Workload>().unpack_without(&objects::shape_of<objects::PodSpec>, *packed, *options.kind)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  objects::PositionMap positions;
  objects::DecodeOptions options;
  options.positions = &positions;
  check(objects::decode_json<objects::Workload>(text, options));
  check_packed(text);
  check(objects::decode_json<objects::PodDisruptionBudget>(text));
  check(objects::decode_json<objects::Status>(text));
  Workloads sink;
  objects::ListDecoder list(sink);
  check(objects::parse_json(text, list));
  check(objects::watch_event_type(text));
  objects::Decoder<objects::Workload> decoder;
  check(objects::forward_member(text, "object", decoder));
  return 0;
}
