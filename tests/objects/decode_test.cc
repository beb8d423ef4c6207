#include "objects/decode.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <string>

// The engine: types, nulls, unknown fields, limits, messages, positions. The field tables: decode_types_test.cc.
namespace shutdown_auditor::objects {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(DecodeTest, TypeMismatchesNamePathExpectationAndValue) {
  const struct {
    const char* json;
    const char* message;
  } rows[] = {
      {R"({"spec":{"template":{"spec":{"terminationGracePeriodSeconds":"thirty"}}}})",
       "spec.template.spec.terminationGracePeriodSeconds: expected an integer, got \"thirty\""},
      {R"({"spec":{"replicas":3.5}})", "spec.replicas: expected an integer, got 3.5"},
      {R"({"spec":{"replicas":true}})", "spec.replicas: expected an integer, got true"},
      {R"({"spec":{"replicas":9223372036854775808}})", "spec.replicas: expected an integer, got 9223372036854775808"},
      {R"({"spec":{"replicas":-9223372036854775809}})", "spec.replicas: expected an integer, got -9223372036854775809"},
      {R"({"spec":{"replicas":1e300}})", "spec.replicas: expected an integer, got 1e300"},
      {R"({"spec":{"replicas":[3]}})", "spec.replicas: expected an integer, got a list"},
      {R"({"spec":{"replicas":{}}})", "spec.replicas: expected an integer, got an object"},
      {R"({"spec":[]})", "spec: expected an object, got a list"},
      {R"({"spec":"x"})", "spec: expected an object, got \"x\""},
      {R"({"metadata":{"name":7}})", "metadata.name: expected a string, got 7; as a string it needs quotes: \"7\""},
      {R"({"metadata":{"labels":{"a":"b","c":true}}})",
       "metadata.labels[c]: expected a string, got true; as a string it needs quotes: \"true\""},
      {R"({"metadata":{"labels":["a"]}})", "metadata.labels: expected an object, got a list"},
      {R"({"metadata":{"ownerReferences":[{},{"controller":"yes"}]}})",
       "metadata.ownerReferences[1].controller: expected a boolean, got \"yes\""},
      {R"({"spec":{"template":{"spec":{"containers":[{"name":"a"},{"command":["x",{}]}]}}}})",
       "spec.template.spec.containers[1].command[1]: expected a string, got an object"},
      {R"({"spec":{"template":{"spec":{"containers":{}}}}})",
       "spec.template.spec.containers: expected a list, got an object"},
      {R"({"spec":{"strategy":{"rollingUpdate":{"maxSurge":false}}}})",
       "spec.strategy.rollingUpdate.maxSurge: expected an integer or a string, got false"},
      {R"({"spec":{"strategy":{"rollingUpdate":{"maxSurge":0.5}}}})",
       "spec.strategy.rollingUpdate.maxSurge: expected an integer or a string, got 0.5"},
      {R"({"kind":3})", "kind: expected a string, got 3; as a string it needs quotes: \"3\""},
      {R"({"spec":{"replicas":2147483648}})", "spec.replicas: expected an integer of 32 bits, got 2147483648"},
      {R"({"spec":{"strategy":{"rollingUpdate":{"maxSurge":-2147483649}}}})",
       "spec.strategy.rollingUpdate.maxSurge: expected an integer of 32 bits, got -2147483649"},
      {R"([])", "expected an object, got a list"},
      {R"("x")", "expected an object, got \"x\""},
      {R"(null)", "expected an object, got null"},
      {R"(4)", "expected an object, got 4"},
  };
  for (const auto& row : rows) {
    const base::Result<Workload> object = decode_json<Workload>(row.json);
    ASSERT_FALSE(object) << row.json;
    EXPECT_EQ(object.error().kind, base::ErrorKind::kInvalid);
    EXPECT_EQ(object.error().message, row.message);
  }
}

TEST(DecodeTest, AcceptsTheWholeRangeOfIntegers) {
  const struct {
    const char* number;
    std::int64_t value;
  } rows[] = {{"0", 0},
              {"-5", -5},
              {"9223372036854775807", INT64_MAX},
              {"-9223372036854775808", INT64_MIN},
              {"30.0", 30},
              {"3e1", 30}};
  for (const auto& row : rows) {
    const auto object = decode_json<Workload>(
        fmt::format(R"({{"spec":{{"template":{{"spec":{{"terminationGracePeriodSeconds":{}}}}}}}}})", row.number));
    ASSERT_TRUE(object) << row.number;
    EXPECT_EQ(object->pod_template.spec.termination_grace_period_seconds, row.value) << row.number;
  }
}

TEST(DecodeTest, NullIsAbsent) {
  const auto object = decode_json<Workload>(
      R"({"metadata":null,"spec":{"replicas":null,"selector":null,"strategy":null,"template":{"metadata":{"labels":null},)"
      R"("spec":{"containers":null,"terminationGracePeriodSeconds":null,"volumes":null}}}})");
  ASSERT_TRUE(object);
  EXPECT_FALSE(object->replicas.has_value());
  EXPECT_FALSE(object->selector.has_value());
  EXPECT_TRUE(object->pod_template.spec.containers.empty());
  EXPECT_FALSE(object->pod_template.spec.termination_grace_period_seconds.has_value());
}

TEST(DecodeTest, AnEmptyObjectIsNotAbsent) {
  const auto object = decode_json<Workload>(
      R"({"spec":{"selector":{},"template":{"spec":{"containers":[{"lifecycle":{"preStop":{}},"readinessProbe":{}}]}}}})");
  ASSERT_TRUE(object);
  ASSERT_TRUE(object->selector.has_value());
  EXPECT_TRUE(object->selector->empty());
  EXPECT_TRUE(object->pod_template.spec.containers[0].pre_stop.has_value());
  EXPECT_TRUE(object->pod_template.spec.containers[0].readiness_probe.has_value());
}

TEST(DecodeTest, ANullItemKeepsTheOthersInPlace) {
  const auto object = decode_json<Workload>(
      R"({"spec":{"template":{"spec":{"containers":[null,{"name":"b","args":["x",null,"y"]}]}}}})");
  ASSERT_TRUE(object);
  ASSERT_EQ(object->pod_template.spec.containers.size(), 2U);
  EXPECT_EQ(object->pod_template.spec.containers[1].name, "b");
  EXPECT_THAT(object->pod_template.spec.containers[1].args, ElementsAre("x", "", "y"));
}

TEST(DecodeTest, ARepeatedFieldCountsOnceTheLastOneWins) {
  const auto object = decode_json<Workload>(
      R"({"metadata":{"labels":{"a":"1"}},"spec":{"template":{"spec":{"containers":[{"name":"a"},{"name":"b"}],)"
      R"("containers":[{"name":"c"}]}}},"metadata":{"labels":{"b":"2","c":"3","b":"4"}}})");
  ASSERT_TRUE(object);
  EXPECT_THAT(object->meta.labels, ElementsAre(Pair("b", "4"), Pair("c", "3")));
  EXPECT_EQ(object->pod_template.spec.containers.size(), 1U);
}

TEST(DecodeTest, UnknownFieldsAreSkippedWhateverTheyHold) {
  const auto object = decode_json<Workload>(
      R"({"metadata":{"managedFields":[{"fieldsV1":{"f:spec":{"f:replicas":{}}},"name":"no"}],"name":"yes"},)"
      R"("spec":{"replicas":2,"x":[[{"replicas":9}]]},"status":{"replicas":"not a number","metadata":{"name":"no"}}})");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->meta.name, "yes");
  EXPECT_EQ(object->replicas, 2);
}

TEST(DecodeTest, DepthIsLimitedInKnownAndUnknownFields) {
  const auto nested = [](std::size_t depth) {
    return R"({"status":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(decode_json<Workload>(nested(511)));
  EXPECT_FALSE(decode_json<Workload>(nested(512)));

  Decoder<Workload> decoder;
  ASSERT_TRUE(decoder.start_object({}));
  ASSERT_TRUE(decoder.key("x", {}));
  bool accepted = true;
  for (int i = 0; i < 600 && accepted; ++i) accepted = decoder.start_array({});
  EXPECT_FALSE(accepted);
  EXPECT_THAT(decoder.problem().message, HasSubstr("nested deeper than 512"));
}

TEST(DecodeTest, ScalarsKeepTheirTextInStringFieldsWhenAsked) {
  DecodeOptions options;
  options.scalars_as_text = true;
  Decoder<Workload> decoder(options);
  ASSERT_TRUE(decoder.start_object({}));
  ASSERT_TRUE(decoder.key("metadata", {}));
  ASSERT_TRUE(decoder.start_object({}));
  ASSERT_TRUE(decoder.key("labels", {}));
  ASSERT_TRUE(decoder.start_object({}));
  ASSERT_TRUE(decoder.key("a", {}));
  ASSERT_TRUE(decoder.boolean(true, "yes", {}));
  ASSERT_TRUE(decoder.key("b", {}));
  ASSERT_TRUE(decoder.number(1.2, "1.20", {}));
  ASSERT_TRUE(decoder.key("c", {}));
  ASSERT_TRUE(decoder.integer(16, "0x10", {}));
  ASSERT_TRUE(decoder.end_object());
  ASSERT_TRUE(decoder.end_object());
  ASSERT_TRUE(decoder.end_object());
  const auto object = decoder.take();
  ASSERT_TRUE(object);
  EXPECT_THAT(object->meta.labels, ElementsAre(Pair("a", "yes"), Pair("b", "1.20"), Pair("c", "0x10")));
}

TEST(DecodeTest, KeepsOnlyTheAnnotationsAskedFor) {
  DecodeOptions options;
  options.keep_annotation = [](std::string_view key) { return key.starts_with("example.com/"); };
  const auto object = decode_json<Workload>(
      R"({"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{…}","example.com/a":"1",)"
      R"("z":"3"},"labels":{"z":"kept"}},)"
      R"("spec":{"template":{"metadata":{"annotations":{"b":"2","example.com/c":"3"}}}}})",
      options);
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_THAT(object->meta.annotations, ElementsAre(Pair("example.com/a", "1")));
  EXPECT_THAT(object->pod_template.meta.annotations, ElementsAre(Pair("example.com/c", "3")));
  EXPECT_THAT(object->meta.labels, ElementsAre(Pair("z", "kept")));
  // What is not wanted is checked all the same, as the API server does.
  for (const char* value : {"5", "true", "{}", "[]"}) {
    const auto refused = decode_json<Workload>(fmt::format(R"({{"metadata":{{"annotations":{{"z":{}}}}}}})", value), options);
    ASSERT_FALSE(refused) << value;
    EXPECT_THAT(refused.error().message, testing::StartsWith("metadata.annotations[z]: expected a string, got ")) << value;
  }
}

TEST(DecodeTest, ChecksAndFillsInTheKind) {
  DecodeOptions options;
  options.kind = GroupKind{"apps", "Deployment"};
  const auto stamped = decode_json<Workload>("{}", options);
  ASSERT_TRUE(stamped);
  EXPECT_EQ(stamped->kind, (GroupKind{"apps", "Deployment"}));
  EXPECT_TRUE(decode_json<Workload>(R"({"apiVersion":"apps/v1","kind":"Deployment"})", options));
  EXPECT_FALSE(decode_json<Workload>(R"({"apiVersion":"apps/v1","kind":"StatefulSet"})", options));
  EXPECT_FALSE(decode_json<Workload>(R"({"apiVersion":"v1","kind":"Deployment"})", options));
  EXPECT_FALSE(decode_json<Workload>(R"({"kind":"Table"})", options));

  const auto free = decode_json<Workload>(R"({"kind":"DaemonSet","apiVersion":"apps/v1"})");
  ASSERT_TRUE(free);
  EXPECT_EQ(free->kind, (GroupKind{"apps", "DaemonSet"}));
}

TEST(DecodeTest, ADecoderIsReusableAfterTake) {
  Decoder<Namespace> decoder;
  ASSERT_FALSE(parse_json(R"({"metadata":{"name":1}})", decoder));
  EXPECT_THAT(decoder.take().error().message, testing::StartsWith("metadata.name: expected a string, got 1"));
  ASSERT_TRUE(parse_json(R"({"metadata":{"name":"a","labels":{"x":"y"}}})", decoder));
  EXPECT_EQ(decoder.take()->meta.name, "a");
  ASSERT_TRUE(parse_json(R"({"metadata":{}})", decoder));
  const auto last = decoder.take();
  ASSERT_TRUE(last);
  EXPECT_EQ(last->meta.name, "");
  EXPECT_TRUE(last->meta.labels.empty());
  EXPECT_EQ(decoder.take().error().message, "the object ends before it is complete");
}

TEST(DecodeTest, MoreThanOneValueIsRefused) {
  Decoder<Namespace> decoder;
  ASSERT_TRUE(parse_json("{}", decoder));
  EXPECT_FALSE(parse_json("{}", decoder));
  EXPECT_EQ(decoder.problem().message, "more than one value");
}

TEST(DecodeTest, HidesValuesWhenAsked) {
  DecodeOptions options;
  options.hide_values = true;
  const auto object = decode_json<Workload>(R"({"spec":{"replicas":"secret"}})", options);
  ASSERT_FALSE(object);
  EXPECT_EQ(object.error().message, "spec.replicas: expected an integer, got a string");
}

TEST(DecodeTest, RecordsPositionsOfKnownFields) {
  const std::string text =
      "{\n"
      "  \"metadata\": {\"annotations\": {\"example.com/a\": \"1\"}},\n"
      "  \"spec\": {\n"
      "    \"unknown\": {\"replicas\": 1},\n"
      "    \"template\": {\"spec\": {\n"
      "      \"terminationGracePeriodSeconds\": 5,\n"
      "      \"containers\": [\n"
      "        {\"name\": \"a\"},\n"
      "        {\"name\": \"b\",\n"
      "         \"lifecycle\": {\"preStop\": {\"exec\": {\"command\": [\"sleep\", \"5\"]}}}}]}}}}";
  PositionMap positions;
  DecodeOptions options;
  options.positions = &positions;
  Decoder<Workload> decoder(options);
  Mark stopped;
  ASSERT_TRUE(parse_json_with_marks(text, {1, 1}, decoder, stopped));
  ASSERT_TRUE(decoder.take());
  const struct {
    const char* path;
    Mark mark;
  } rows[] = {
      {"", {1, 1}},
      {"metadata.annotations[example.com/a]", {2, 32}},
      {"spec", {3, 3}},
      {"spec.unknown", {3, 3}},
      {"spec.replicas", {3, 3}},
      {"spec.template.spec.terminationGracePeriodSeconds", {6, 7}},
      {"spec.template.spec.containers[0].lifecycle", {8, 10}},
      {"spec.template.spec.containers[1].lifecycle.preStop", {10, 24}},
      {"spec.template.spec.containers[1].lifecycle.preStop.exec.command[1]", {10, 66}},
      {"spec.template.spec.initContainers[0]", {5, 18}},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(positions.find(row.path), row.mark)
        << row.path << " at " << positions.find(row.path).line << ":" << positions.find(row.path).column;
  }
}

}  // namespace
}  // namespace shutdown_auditor::objects
