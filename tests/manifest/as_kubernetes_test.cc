#include <gmock/gmock.h>

#include "manifest/kubernetes_rows.h"
#include "manifest/loaded.h"
#include "manifest/yaml_source.h"

// The loader against what kubectl and a real API server make of the same bytes; the integration test of the same name
// asks them again.
namespace shutdown_auditor::manifest {
namespace {

using nlohmann::json;

// The events of one document as the JSON that kubectl would send.
class JsonMaker final : public objects::EventHandler {
 public:
  const json& made() const { return root_; }
  bool start_object(objects::Mark) override { return open(json::object()); }
  bool key(std::string_view name, objects::Mark) override {
    key_ = name;
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(objects::Mark) override { return open(json::array()); }
  bool end_array() override { return close(); }
  bool null(objects::Mark) override { return put(nullptr) != nullptr; }
  bool boolean(bool value, std::string_view, objects::Mark) override { return put(value) != nullptr; }
  bool integer(std::int64_t value, std::string_view, objects::Mark) override { return put(value) != nullptr; }
  bool number(double value, std::string_view, objects::Mark) override { return put(value) != nullptr; }
  bool string(std::string_view value, objects::Mark) override { return put(std::string(value)) != nullptr; }
  base::Error problem() const override { return {}; }

 private:
  json* put(json value) {
    if (open_.empty()) return &(root_ = std::move(value));
    json& parent = *open_.back();
    if (parent.is_object()) return &(parent[key_] = std::move(value));
    return &parent.emplace_back(std::move(value));
  }
  bool open(json value) {
    open_.push_back(put(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  json root_;
  std::vector<json*> open_;
  std::string key_;
};

TEST(AsKubernetesTest, AcceptsAndRefusesWhatTheServerDoes) {
  const std::vector<KubernetesRow> rows = kubernetes_rows();
  EXPECT_GT(rows.size(), 150U);
  for (const KubernetesRow& row : rows) {
    const Loaded loaded = load_text(row.text);
    const bool accepted = !loaded.objects.empty() && loaded.problems.empty();
    const bool expected = row.here.empty() ? row.accepted : !row.accepted;
    EXPECT_EQ(accepted, expected) << row.what << ": " << testing::PrintToString(loaded.problems);
    for (const std::string& problem : loaded.problems) EXPECT_THAT(problem, testing::StartsWith("f.yaml:")) << row.what;
  }
}

TEST(AsKubernetesTest, ReadsTheValuesTheServerStores) {
  std::size_t compared = 0;
  for (const KubernetesRow& row : kubernetes_rows()) {
    const Loaded loaded = load_text(row.text);
    if (row.path.empty() || !row.here.empty() || loaded.objects.empty()) continue;
    ++compared;
    if (row.path == "/metadata/name") {
      EXPECT_EQ(meta_of(loaded.objects[0]).name, row.value) << row.what;
      continue;
    }
    DocumentReader reader(row.text);
    const std::optional<DocumentResult> document = reader.next();
    ASSERT_TRUE(document && *document) << row.what;
    JsonMaker maker;
    objects::Mark stopped;
    ASSERT_TRUE((*document)->replay(0, maker, stopped));
    EXPECT_EQ(maker.made().value(json::json_pointer(row.path), json("nothing")), row.value) << row.what;
  }
  EXPECT_GT(compared, 75U);
}

TEST(AsKubernetesTest, TheMessageSaysWhatToWrite) {
  const Loaded loaded = load_text(
      "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations: {team: yes}\nspec:\n  containers:\n"
      "  - name: a\n    env: [{name: A, value: 8080}]\n",
      {.keep_annotation = [](std::string_view) { return false; }});
  EXPECT_THAT(loaded.problems, testing::ElementsAre("f.yaml:5:23: Pod \"p\": metadata.annotations[team]: expected a string, "
                                                    "got yes; as a string it needs quotes: \"yes\""));
}

TEST(AsKubernetesTest, Utf16) {
  EXPECT_THAT(load_text(std::string_view("\xFF\xFE" "a", 3)).problems,
              testing::ElementsAre("f.yaml: begins as UTF-16 but is not; save it as UTF-8"));
  EXPECT_THAT(load_text(std::string_view("\xFF\xFE\x3D\xD8", 4)).problems, testing::SizeIs(1)) << "half a surrogate pair";
  EXPECT_THAT(load_text(std::string_view("\xFF\xFE\x00\xDE\x3D\xD8", 6)).problems, testing::SizeIs(1)) << "the wrong way round";
  std::string wide = "\xFE\xFF";
  for (const char16_t c : std::u16string(u"apiVersion: v1\nkind: Pod\nmetadata: {name: x, labels: {a: \"é€😀\"}}\n")) {
    wide += static_cast<char>(c >> 8U);
    wide += static_cast<char>(c & 0xFFU);
  }
  const Loaded loaded = load_text(wide);
  ASSERT_EQ(loaded.objects.size(), 1U) << testing::PrintToString(loaded.problems);
  EXPECT_THAT(meta_of(loaded.objects[0]).labels, testing::ElementsAre(testing::Pair("a", "é€😀")));
}

}  // namespace
}  // namespace shutdown_auditor::manifest
