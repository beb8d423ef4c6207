#include "audit/annotations.h"

#include <random>

#include "audit/builder.h"

namespace shutdown_auditor::audit {
namespace {

using testing::Scene;

TEST(AnnotationsTest, ReadsSeconds) {
  struct Row {
    std::string_view text;
    std::optional<std::int64_t> ms;
  };
  for (const Row& row : std::initializer_list<Row>{{"0", 0},          {"30", 30'000},      {"2.5", 2500},
                                                   {"0.001", 1},      {"1.25", 1250},      {"86400", 86'400'000},
                                                   {"86400.000", 86'400'000}, {"007", 7000}, {"86400.001", {}},
                                                   {"86401", {}},     {"1.2345", {}},      {"", {}},
                                                   {".5", {}},        {"5.", {}},          {"-1", {}},
                                                   {"+1", {}},        {"30s", {}},         {" 30", {}},
                                                   {"30 ", {}},       {"1e3", {}},         {"0x10", {}},
                                                   {"1,5", {}},       {"1.2.3", {}},       {"99999999999999999999999", {}},
                                                   {"NaN", {}},       {"١", {}}}) {
    EXPECT_EQ(parse_declared_seconds(row.text), row.ms) << row.text;
  }
}

Annotations read(std::initializer_list<std::pair<std::string, std::string>> inner,
                 std::initializer_list<std::pair<std::string, std::string>> outer = {}) {
  Scene scene;
  objects::Container sidecar = testing::container("proxy");
  sidecar.restart_policy = "Always";
  scene.workload.pod_template.spec.init_containers.push_back(sidecar);
  scene.workload.pod_template.meta.annotations = testing::map_of(inner);
  scene.workload.meta.annotations = testing::map_of(outer);
  return read_annotations(scene.workload);
}

TEST(AnnotationsTest, ReadsPodAndContainers) {
  const Annotations read_ones = read({{"shutdownaudit.dev/pre-stop-seconds", "7"},
                                      {"shutdownaudit.dev/max-request-seconds", "30"},
                                      {"shutdownaudit.dev/cleanup-seconds", "2.5"},
                                      {"shutdownaudit.dev/buffer-seconds", "1"},
                                      {"app.shutdownaudit.dev/cleanup-seconds", "9"},
                                      {"proxy.shutdownaudit.dev/max-request-seconds", "3"},
                                      {"example.com/cleanup-seconds", "x"},
                                      {"notshutdownaudit.dev/cleanup-seconds", "x"}});
  EXPECT_TRUE(read_ones.problems.empty());
  EXPECT_EQ(read_ones.pod.pre_stop_ms, 7000);
  EXPECT_EQ(read_ones.pod.max_request_ms, 30'000);
  EXPECT_EQ(read_ones.pod.cleanup_ms, 2500);
  EXPECT_EQ(read_ones.buffer_ms, 1000);
  EXPECT_EQ(read_ones.of("app").cleanup_ms, 9000);
  EXPECT_EQ(read_ones.of("app").max_request_ms, std::nullopt);
  EXPECT_EQ(read_ones.of("proxy").max_request_ms, 3000);
  EXPECT_EQ(read_ones.of("other").cleanup_ms, std::nullopt);
}

TEST(AnnotationsTest, TemplateWinsKeyByKey) {
  const Annotations both = read({{"shutdownaudit.dev/cleanup-seconds", "1"}, {"shutdownaudit.dev/buffer-seconds", "bad"}},
                                {{"shutdownaudit.dev/cleanup-seconds", "2"},
                                 {"shutdownaudit.dev/buffer-seconds", "2"},
                                 {"shutdownaudit.dev/max-request-seconds", "3"}});
  EXPECT_EQ(both.pod.cleanup_ms, 1000);
  EXPECT_EQ(both.pod.max_request_ms, 3000);
  EXPECT_EQ(both.buffer_ms, std::nullopt) << "a malformed value of the template is not replaced silently";
  ASSERT_EQ(both.problems.size(), 1u);
  EXPECT_EQ(both.problems[0].field_path, "spec.template.metadata.annotations[\"shutdownaudit.dev/buffer-seconds\"]");
}

TEST(AnnotationsTest, NamesEveryMistake) {
  struct Row {
    std::string key, value;
    std::string_view reason, in_message;
  };
  for (const Row& row : std::vector<Row>{
           {"shutdownaudit.dev/cleanup-seconds", "20s", "ValueInvalid", "\"20s\""},
           {"shutdownaudit.dev/cleanup-seconds", "", "ValueInvalid", "\"\""},
           {"shutdownaudit.dev/cleanup-second", "20", "KeyUnknown", "cleanup-second"},
           {"shutdownaudit.dev/", "20", "KeyUnknown", "shutdownaudit.dev/"},
           {"shutdownaudit.dev/Ignore", "x", "KeyUnknown", "Ignore"},
           {"shutdownaudit.dev/ignore-nothing", "x", "KeyUnknown", "ignore-nothing"},
           {"shutdownaudit.dev/ignore", "  ", "ExemptionWithoutReason", "ignore"},
           {"shutdownaudit.dev/ignore-pdb-missing", "", "ExemptionWithoutReason", "ignore-pdb-missing"},
           {"app.shutdownaudit.dev/buffer-seconds", "5", "KeyUnknown", "for a container"},
           {"web.shutdownaudit.dev/cleanup-seconds", "5", "ContainerUnknown", "web.shutdownaudit.dev"},
           {"a.b.shutdownaudit.dev/cleanup-seconds", "5", "ContainerUnknown", "a.b"},
           {".shutdownaudit.dev/cleanup-seconds", "5", "ContainerUnknown", "container"}}) {
    const Annotations result = read({}, {{row.key, row.value}});
    ASSERT_EQ(result.problems.size(), 1u) << row.key;
    EXPECT_EQ(result.problems[0].reason, row.reason) << row.key;
    EXPECT_NE(result.problems[0].message.find(row.in_message), std::string::npos) << result.problems[0].message;
    EXPECT_EQ(result.problems[0].field_path, "metadata.annotations[\"" + row.key + "\"]");
    EXPECT_TRUE(result.exemptions.empty());
  }
}

TEST(AnnotationsTest, ReadsExemptions) {
  const Annotations result = read({{"shutdownaudit.dev/ignore", " batch job "},
                                   {"shutdownaudit.dev/ignore-pdb-missing", "one zone"},
                                   {"app.shutdownaudit.dev/ignore-prestop-missing", "no traffic"}});
  EXPECT_TRUE(result.problems.empty());
  ASSERT_EQ(result.exemptions.size(), 3u);
  EXPECT_EQ(result.exemptions[0].container, "app");
  EXPECT_EQ(result.exemptions[0].check, Check::kPreStopMissing);
  EXPECT_EQ(result.exemptions[1].check, std::nullopt);
  EXPECT_EQ(result.exemptions[1].reason, "batch job");
  EXPECT_EQ(result.exemptions[2].check, Check::kPdbMissing);
}

TEST(AnnotationsTest, KnowsWhichAreRead) {
  for (const std::string_view key : {"shutdownaudit.dev/ignore", "app.shutdownaudit.dev/x", "shutdownaudit.dev/", "helm.sh/hook"}) {
    EXPECT_TRUE(reads_annotation(key)) << key;
  }
  for (const std::string_view key : {"shutdownaudit.dev", "xshutdownaudit.dev/ignore", "example.com/x", "", "helm.sh/hook-weight"}) {
    EXPECT_FALSE(reads_annotation(key)) << key;
  }
}

TEST(AnnotationsTest, SurvivesGarbage) {
  std::mt19937 random(7);
  Scene scene = testing::perfect();
  for (int round = 0; round < 2000; ++round) {
    std::string key = round % 3 == 0 ? "app.shutdownaudit.dev/" : "shutdownaudit.dev/";
    if (round % 5 == 0) key += "ignore-";
    std::string value;
    for (std::size_t i = random() % 40; i > 0; --i) key += static_cast<char>(random() % 256);
    for (std::size_t i = random() % 40; i > 0; --i) value += static_cast<char>(random() % 256);
    scene.workload.meta.annotations.emplace_back(key, value);
  }
  objects::normalize(scene.workload.meta.annotations);
  const AuditResult result = scene.run();
  EXPECT_EQ(result.verdict, Verdict::kWarn);
  EXPECT_EQ(result.findings.size(), 16u) << "enough to see what is wrong, and no more";
  EXPECT_NE(result.findings.back().message.find("more"), std::string::npos);
}

}  // namespace
}  // namespace shutdown_auditor::audit
