#include "runtime/object_probe.h"

namespace shutdown_auditor::runtime {

void ObjectProbe::begin(objects::EventHandler* decoder) {
  *this = ObjectProbe();
  decoder_ = decoder;
}

base::Result<void> ObjectProbe::check() const {
  if (refused_) return base::unexpected(problem_);
  if (key_.name.empty()) return base::fail(base::ErrorKind::kInvalid, "metadata.name: missing");
  return {};
}

bool ObjectProbe::pass(bool accepted) {
  if (!accepted) {
    problem_ = decoder_->problem();
    refused_ = true;
    decoder_ = nullptr;
  }
  return true;
}

bool ObjectProbe::start_object(objects::Mark mark) {
  in_metadata_ = depth_ == 1 ? metadata_next_ : in_metadata_;
  wanted_ = nullptr;
  ++depth_;
  return decoder_ == nullptr || pass(decoder_->start_object(mark));
}

bool ObjectProbe::key(std::string_view name, objects::Mark mark) {
  wanted_ = nullptr;
  if (depth_ == 1) {
    metadata_next_ = name == "metadata";
  } else if (depth_ == 2 && in_metadata_) {
    if (name == "name") wanted_ = &key_.name;
    if (name == "namespace") wanted_ = &key_.name_space;
    if (name == "resourceVersion") wanted_ = &resource_version_;
  }
  return decoder_ == nullptr || pass(decoder_->key(name, mark));
}

bool ObjectProbe::wants_value() const {
  return wanted_ != nullptr || (depth_ == 1 && metadata_next_) || (decoder_ != nullptr && decoder_->wants_value());
}

bool ObjectProbe::end_object() {
  --depth_;
  if (depth_ == 1) in_metadata_ = false;
  return decoder_ == nullptr || pass(decoder_->end_object());
}

bool ObjectProbe::start_array(objects::Mark mark) {
  wanted_ = nullptr;
  ++depth_;
  return decoder_ == nullptr || pass(decoder_->start_array(mark));
}

bool ObjectProbe::end_array() {
  --depth_;
  return decoder_ == nullptr || pass(decoder_->end_array());
}

bool ObjectProbe::null(objects::Mark mark) { return decoder_ == nullptr || pass(decoder_->null(mark)); }

bool ObjectProbe::boolean(bool value, std::string_view text, objects::Mark mark) {
  return decoder_ == nullptr || pass(decoder_->boolean(value, text, mark));
}

bool ObjectProbe::integer(std::int64_t value, std::string_view text, objects::Mark mark) {
  return decoder_ == nullptr || pass(decoder_->integer(value, text, mark));
}

bool ObjectProbe::number(double value, std::string_view text, objects::Mark mark) {
  return decoder_ == nullptr || pass(decoder_->number(value, text, mark));
}

bool ObjectProbe::string(std::string_view value, objects::Mark mark) {
  if (wanted_ != nullptr) {
    *wanted_ = value;
    wanted_ = nullptr;
  }
  return decoder_ == nullptr || pass(decoder_->string(value, mark));
}

}  // namespace shutdown_auditor::runtime
