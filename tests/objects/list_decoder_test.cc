#include "objects/list_decoder.h"

#include <gmock/gmock.h>

#include <vector>

#include "objects/decode.h"

namespace shutdown_auditor::objects {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Names final : public ItemSink {
 public:
  explicit Names(DecodeOptions options = {}) : decoder_(std::move(options)) {}
  EventHandler& begin_item() override { return decoder_; }
  bool end_item() override {
    base::Result<PartialObject> item = decoder_.take();
    if (!item) {
      problem_ = item.error();
      return false;
    }
    names.push_back(item->meta.name);
    kinds.push_back(item->kind);
    return true;
  }
  base::Error problem() const override { return problem_; }

  std::vector<std::string> names;
  std::vector<std::string> kinds;

 private:
  Decoder<PartialObject> decoder_;
  base::Error problem_;
};

base::Result<ListMeta> decode(std::string_view json, Names& names) {
  ListDecoder decoder(names);
  if (base::Result<void> parsed = parse_json(json, decoder); !parsed) return base::unexpected(parsed.error());
  return decoder.take();
}

TEST(ListDecoderTest, HandsItemsOnOneByOne) {
  DecodeOptions options;
  options.kind = GroupKind{"apps", "Deployment"};
  Names names(options);
  const base::Result<ListMeta> list = decode(
      R"({"kind":"DeploymentList","apiVersion":"apps/v1","metadata":{"resourceVersion":"7","continue":"next",)"
      R"("remainingItemCount":12,"selfLink":{"x":[1]}},"extra":{"items":[1]},"items":[{"metadata":{"name":"a"}},)"
      R"({"kind":"Deployment","metadata":{"name":"b","x":[{},[[]]]},"status":{"metadata":{"name":"no"}}}]})",
      names);
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->kind, "DeploymentList");
  EXPECT_EQ(list->api_version, "apps/v1");
  EXPECT_EQ(list->resource_version, "7");
  EXPECT_EQ(list->continue_token, "next");
  EXPECT_EQ(list->remaining_item_count, 12);
  EXPECT_THAT(names.names, ElementsAre("a", "b"));
  EXPECT_THAT(names.kinds, ElementsAre("Deployment", "Deployment"));
}

TEST(ListDecoderTest, TakesMembersInAnyOrder) {
  Names names;
  const base::Result<ListMeta> list =
      decode(R"({"items":[{"metadata":{"name":"a"}}],"metadata":{"continue":null,"resourceVersion":"9"},"kind":"PodList"})", names);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->resource_version, "9");
  EXPECT_EQ(list->continue_token, "");
  EXPECT_FALSE(list->remaining_item_count.has_value());
  EXPECT_THAT(names.names, ElementsAre("a"));
}

TEST(ListDecoderTest, NullItemsAreAnEmptyList) {
  Names names;
  for (const char* json : {R"({"items":null})", R"({"items":[]})", R"({"metadata":null,"items":[]})"}) {
    EXPECT_TRUE(decode(json, names)) << json;
  }
  EXPECT_TRUE(names.names.empty());
}

TEST(ListDecoderTest, RefusesWhatIsNoList) {
  const struct {
    const char* json;
    const char* message;
  } rows[] = {
      {"{}", "expected a list, got an object without items"},
      {R"({"kind":"Status","code":500})", "expected a list, got \"Status\" without items"},
      {"[]", "expected one list object"},
      {"null", "expected a list object, got null"},
      {R"({"items":{}})", "items: expected a list, got an object"},
      {R"({"items":"x"})", "items: expected a list, got \"x\""},
      {R"({"items":[1]})", "items[0]: expected an object, got 1"},
      {R"({"items":[{},null]})", "items[1]: expected an object, got null"},
      {R"({"items":[[]]})", "items[0]: expected an object, got a list"},
      {R"({"items":[],"items":[]})", "items: given twice"},
      {R"({"items":[],"metadata":3})", "metadata: expected an object, got 3"},
      {R"({"items":[],"metadata":{"resourceVersion":3}})", "metadata.resourceVersion: expected a string, got 3"},
      {R"({"items":[],"metadata":{"remainingItemCount":"3"}})", "remainingItemCount: expected an integer"},
      {R"({"items":[],"kind":false})", "kind: expected a string, got false"},
      {R"({"items":[{"metadata":{"name":"a"}},{"metadata":{"name":5}}]})", "items[1]: metadata.name: expected a string, got 5"},
      {R"({"items":[{}])", "the text ends too early"},
  };
  for (const auto& row : rows) {
    Names names;
    const base::Result<ListMeta> list = decode(row.json, names);
    ASSERT_FALSE(list) << row.json;
    EXPECT_THAT(list.error().message, HasSubstr(row.message)) << row.json;
  }
}

TEST(ListDecoderTest, RefusesItemsOfAnotherKind) {
  DecodeOptions options;
  options.kind = GroupKind{"apps", "Deployment"};
  Names names(options);
  const base::Result<ListMeta> list =
      decode(R"({"items":[{"kind":"Table","apiVersion":"meta.k8s.io/v1"}]})", names);
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().message, "items[0]: expected Deployment.apps, got \"Table.meta.k8s.io\"");
}

TEST(ListDecoderTest, ATruncatedListIsIncomplete) {
  Names names;
  ListDecoder decoder(names);
  ASSERT_TRUE(decoder.start_object({}));
  EXPECT_FALSE(decoder.take());
}

}  // namespace
}  // namespace shutdown_auditor::objects
