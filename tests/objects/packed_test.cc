#include "objects/packed.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "objects/decode.h"

namespace shutdown_auditor::objects {
namespace {

bool keep(std::string_view key) { return key.starts_with("kept/"); }

template <class T>
base::Result<std::string> pack(const std::string& json, const GroupKind& kind, bool marks) {
  DecodeOptions options;
  options.keep_annotation = &keep;
  options.kind = kind;
  Packer packer(shape_of<T>(), options, marks);
  Mark stopped;
  (void)parse_json_with_marks(json, {1, 1}, packer, stopped);
  return packer.take();
}

// Decodes `json`, packs it too, and compares what unpacking gives: the object and the places of some fields.
template <class T>
void expect_same_again(const std::string& json, const GroupKind& kind, const std::vector<std::string>& paths = {}) {
  PositionMap positions;
  DecodeOptions options;
  options.keep_annotation = &keep;
  options.kind = kind;
  options.positions = &positions;
  Decoder<T> decoder(options);
  Mark stopped;
  ASSERT_TRUE(parse_json_with_marks(json, {1, 1}, decoder, stopped)) << json;
  const base::Result<T> object = decoder.take();
  ASSERT_TRUE(object) << object.error().message << '\n' << json;

  const base::Result<std::string> packed = pack<T>(json, kind, true);
  ASSERT_TRUE(packed) << packed.error().message << '\n' << json;
  PositionMap again;
  const base::Result<T> unpacked = unpack<T>(*packed, kind, &again);
  ASSERT_TRUE(unpacked) << unpacked.error().message << '\n' << json;
  EXPECT_EQ(*unpacked, *object) << json;
  for (const std::string& path : paths) {
    EXPECT_EQ(again.find(path), positions.find(path)) << path << '\n' << json;
    EXPECT_NE(again.find(path), Mark{}) << path;
  }

  const base::Result<std::string> bare = pack<T>(json, kind, false);
  ASSERT_TRUE(bare);
  EXPECT_LE(bare->size(), packed->size());
  EXPECT_EQ(*unpack<T>(*bare, kind), *object) << json;
}

TEST(PackedTest, AWorkloadIsTheSameAgain) {
  const std::string long_text(70000, 'x');
  const std::vector<std::string> rows = {
      R"({})",
      R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":null,"spec":null,"status":{"replicas":3}})",
      R"({"metadata":{"name":"web","labels":{"b":"2","a":"1","a":"3"},"annotations":{"dropped":"x","kept/a":"1","kept/b":""},
          "generation":9223372036854775807,"deletionTimestamp":"2026-01-01T00:00:00Z","managedFields":[{"fieldsV1":{"f:a":{}}}],
          "ownerReferences":[{"apiVersion":"v1","kind":"K","name":"n","uid":"u","controller":true},null,{}]}})",
      R"({"spec":{"replicas":0,"selector":{"matchLabels":{"a":"b"},"matchExpressions":[{"key":"k","operator":"In","values":["x",""]}]},
          "strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":"25%","maxUnavailable":2147483647}},"minReadySeconds":-1}})",
      R"({"spec":{"template":{"metadata":{"labels":{"a":"b"}},"spec":{"terminationGracePeriodSeconds":30.0,
          "volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"c"}},{"name":"w","emptyDir":{}}],
          "containers":[{"name":"app","image":"web:1","command":["sh","-c","sleep 5; true"],"args":[],
            "env":[{"name":"A","value":"1"},{"name":"B","valueFrom":{"secretKeyRef":{"name":"s"}}},{"name":"C"}],
            "envFrom":[{"configMapRef":{"name":"m"}},null],
            "ports":[{"name":"http","containerPort":8080,"hostPort":80}],
            "lifecycle":{"postStart":{"exec":{"command":["true"]}},"preStop":{"sleep":{"seconds":5}},"stopSignal":"SIGQUIT"},
            "readinessProbe":{"httpGet":{"path":"/","port":"http"},"periodSeconds":5},
            "livenessProbe":{"grpc":{"port":9090},"failureThreshold":3}}, null, {}],
          "initContainers":[{"name":"proxy","restartPolicy":"Always"}]}}}})",
      "{\"metadata\":{\"name\":\"" + long_text + "\"}}",
  };
  for (const std::string& row : rows) expect_same_again<Workload>(row, {"apps", "Deployment"});
}

TEST(PackedTest, PlacesAreTheSameAgain) {
  const std::string text = R"({
  "metadata": {
    "name": "web",
    "annotations": {"kept/a": "1"}
  },
  "spec": {"template": {"spec": {
    "terminationGracePeriodSeconds": 5,
    "containers": [
      {"image": "web:1",
       "name": "app",
       "lifecycle": {"preStop": {"exec": {
         "command": ["sh",
            "-c", "sleep 9"]}}}
      },
      {
        "image": "b:1"}]}}}
})";
  expect_same_again<Workload>(text, {"apps", "StatefulSet"},
                              {"", "metadata", "metadata.name", "metadata.annotations[kept/a]",
                               "spec.template.spec.terminationGracePeriodSeconds", "spec.template.spec.containers",
                               "spec.template.spec.containers[0]", "spec.template.spec.containers[0].lifecycle.preStop",
                               "spec.template.spec.containers[0].lifecycle.preStop.exec.command[2]",
                               "spec.template.spec.containers[1]", "spec.template.spec.containers[1].readinessProbe",
                               "spec.replicas"});
}

// Whatever it is that is left out and wherever it ends.
TEST(PackedTest, PartsCanBeLeftOut) {
  const struct {
    const char* spec;  // of the pod
  } rows[] = {
      {"null"}, {"{}"}, {R"({"hostNetwork":true})"},
      {R"({"containers":[{"name":"a","env":[{"name":"A"},null,{"name":"B","value":"x"}],"command":["a",null,"b"]},null],)"
       R"("terminationGracePeriodSeconds":-1,"volumes":[{"emptyDir":{}}]})"},
  };
  for (const auto& row : rows) {
    const std::string text = std::string(R"({"metadata":{"name":"web"},"spec":{"template":{"spec":)") + row.spec +
                             R"(,"metadata":{"labels":{"a":"b"}}},"replicas":7}})";
    for (const bool marks : {true, false}) {
      const auto packed = pack<Workload>(text, {"apps", "Deployment"}, marks);
      ASSERT_TRUE(packed) << text;
      const auto outline = Unpacker<Workload>().unpack_without(&shape_of<PodSpec>, *packed, {"apps", "Deployment"});
      ASSERT_TRUE(outline) << text;
      EXPECT_EQ(outline->pod_template.spec, PodSpec()) << text;
      EXPECT_EQ(outline->pod_template.meta.labels, (StringMap{{"a", "b"}})) << text;
      EXPECT_EQ(outline->replicas, 7) << text;
    }
  }
}

// What a Decoder refuses a Packer refuses, in the same words, and both can be used again.
TEST(PackedTest, ErrorsAreTheSame) {
  const GroupKind kind{"apps", "Deployment"};
  DecodeOptions options;
  options.keep_annotation = &keep;
  options.kind = kind;
  Packer packer(shape_of<Workload>(), options, true);
  Decoder<Workload> decoder(options);
  const char* rows[] = {
      R"([])", R"({"spec":)", R"({"kind":"StatefulSet"})", R"({"spec":{"replicas":"three"}})", R"({"spec":{"replicas":4000000000}})",
      R"({"metadata":{"labels":{"a":true}}})", R"({"metadata":{"annotations":{"dropped":1}}})", R"({"metadata":{"annotations":{"kept/a":[]}}})",
      R"({"spec":{"template":{"spec":{"containers":[{"env":[{"value":1}]}]}}}})",
      R"({"spec":{"template":{"spec":{"containers":{}}}}})", R"({"spec":{"strategy":{"rollingUpdate":{"maxSurge":1.5}}}})",
  };
  for (const char* row : rows) {
    const bool parsed = parse_json(row, decoder).has_value();
    EXPECT_EQ(parse_json(row, packer).has_value(), parsed) << row;
    EXPECT_EQ(packer.problem().message, decoder.problem().message) << row;
    const auto object = decoder.take();
    const auto packed = packer.take();
    ASSERT_FALSE(object) << row;
    ASSERT_FALSE(packed) << row;
    EXPECT_EQ(packed.error().message, object.error().message) << row;
    ASSERT_TRUE(parse_json(R"({"metadata":{"name":"web"}})", packer)) << row;
    EXPECT_EQ(unpack<Workload>(packer.take().value(), kind)->meta.name, "web") << row;
    ASSERT_TRUE(parse_json(R"({})", decoder));
    ASSERT_TRUE(decoder.take());
  }
}

TEST(PackedTest, OtherKindsToo) {
  expect_same_again<PodDisruptionBudget>(R"({"metadata":{"name":"b"},"spec":{"minAvailable":"50%","selector":{}},
      "status":{"conditions":[{"type":"DisruptionAllowed","status":"False","message":"no"}]}})",
                                         {"policy", "PodDisruptionBudget"});
  expect_same_again<Autoscaler>(R"({"spec":{"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},
      "minReplicas":1,"maxReplicas":5}})",
                                {"autoscaling", "HorizontalPodAutoscaler"});
  expect_same_again<JobTemplate>(R"({"spec":{"jobTemplate":{"spec":{"template":{"metadata":{"labels":{"a":"b"}}}}}}})",
                                 {"batch", "CronJob"});
  expect_same_again<Pod>(R"({"metadata":{"name":"p"},"spec":{"hostNetwork":true,"os":{"name":"linux"}}})", {"", "Pod"});
}

TEST(PackedTest, StepsKeepTheirNumbers) {
  const std::int64_t numbers[] = {0, 1, -1, 14, 15, 16, -16, 31, 32, 127, 128, 300, 1'000'000'007,
                                  std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
  std::string bytes;
  PackWriter writer(&bytes, true);
  writer.begin();
  for (const std::int64_t number : numbers) {
    const Mark mark{static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 3U)};
    writer.integer(number, &mark);
  }
  PackReader reader(bytes);
  for (const std::int64_t number : numbers) {
    ASSERT_EQ(reader.step(), Step::kInteger);
    EXPECT_EQ(reader.integer(), number);
    EXPECT_EQ(reader.mark(), (Mark{static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 3U)}));
  }
  EXPECT_TRUE(reader.at_end());
}

// Not from outside, but a slip of ours must not end in a crash.
TEST(PackedTest, CutBytesAreAnError) {
  const std::string packed =
      *pack<Service>(R"({"metadata":{"name":"web"},"spec":{"ports":[{"port":80}],"type":"ClusterIP"}})", {"", "Service"}, true);
  ASSERT_TRUE(unpack<Service>(packed, {"", "Service"}));
  for (std::size_t size = 0; size < packed.size(); ++size) {
    EXPECT_FALSE(unpack<Service>(packed.substr(0, size), {"", "Service"})) << size;
  }
}

}  // namespace
}  // namespace shutdown_auditor::objects
