#include "kube_support/fake_api_selectors.h"

#include "base/text.h"

namespace shutdown_auditor::testing_support {

base::Result<Selector> Selector::parse(std::string_view labels, std::string_view fields) {
  Selector selector;
  for (const bool field : {false, true}) {
    for (const std::string_view term : base::split(field ? fields : labels, ',')) {
      if (base::trim(term).empty()) {
        continue;
      }
      if (const auto added = selector.add(base::trim(term), field); !added) {
        return base::unexpected(added.error());
      }
    }
  }
  return selector;
}

base::Result<void> Selector::add(std::string_view text, bool field) {
  Term term{field, std::string(text), Term::Op::kExists, ""};
  const std::size_t equals = text.find('=');
  if (equals != std::string_view::npos) {
    const bool negated = equals > 0 && text[equals - 1] == '!';
    const std::size_t value = text.substr(equals).starts_with("==") ? equals + 2 : equals + 1;
    term.op = negated ? Term::Op::kNotEqual : Term::Op::kEqual;
    term.key = base::trim(text.substr(0, negated ? equals - 1 : equals));
    term.value = base::trim(text.substr(value));
  }
  const bool known_field = term.key == "metadata.name" || term.key == "metadata.namespace";
  if ((field && (!known_field || term.op == Term::Op::kExists)) || term.key.find_first_of(" ()") != std::string::npos) {
    return base::fail(base::ErrorKind::kInvalid, "selector not understood: " + std::string(text));
  }
  terms_.push_back(std::move(term));
  return {};
}

bool Selector::matches(const nlohmann::json& object) const {
  const nlohmann::json& meta = object.at("metadata");
  for (const Term& term : terms_) {
    const nlohmann::json labels = meta.value("labels", nlohmann::json::object());
    const nlohmann::json& holder = term.field ? meta : labels;
    const std::string key = term.field ? term.key.substr(std::string_view("metadata.").size()) : term.key;
    const bool present = holder.contains(key);
    const bool equal = present && holder.at(key) == term.value;
    switch (term.op) {
      case Term::Op::kEqual:
        if (!equal) return false;
        break;
      case Term::Op::kNotEqual:
        if (equal) return false;
        break;
      case Term::Op::kExists:
        if (!present) return false;
        break;
    }
  }
  return true;
}

}  // namespace shutdown_auditor::testing_support
