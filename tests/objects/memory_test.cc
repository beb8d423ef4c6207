#include <gtest/gtest.h>
#include <malloc.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

#include "objects/decode.h"

// Counts the bytes that this program's thread holds through new, so that the size of a decoded object is a fact.
namespace {
thread_local std::size_t live_bytes = 0;
thread_local std::size_t peak_bytes = 0;
}  // namespace

void* operator new(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  live_bytes += malloc_usable_size(memory);
  if (live_bytes > peak_bytes) peak_bytes = live_bytes;
  return memory;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* memory) noexcept {
  live_bytes -= malloc_usable_size(memory);
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace shutdown_auditor::objects {
namespace {

// What an API server returns for a usual Deployment: managed fields and status are more than half of it.
std::string typical_deployment() {
  const std::string fields =
      R"({"f:metadata":{"f:annotations":{".":{},"f:kubectl.kubernetes.io/last-applied-configuration":{}},"f:labels":{".":{},)"
      R"("f:app":{},"f:version":{}}},"f:spec":{"f:progressDeadlineSeconds":{},"f:replicas":{},"f:strategy":{"f:type":{}},)"
      R"("f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"app\"}":{".":{},"f:env":{".":{},"k:{\"name\":\"A\"}":{}},)"
      R"("f:image":{},"f:livenessProbe":{".":{},"f:failureThreshold":{}},"f:name":{},"f:ports":{},"f:resources":{}}}}}}})";
  return R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"checkout","namespace":"shop",)"
         R"("uid":"2c6fb3f5-6a3f-4bd6-9a49-9f5d1a6f3b11","resourceVersion":"184467","generation":3,)"
         R"("creationTimestamp":"2026-03-01T10:00:00Z","labels":{"app.kubernetes.io/name":"checkout",)"
         R"("app.kubernetes.io/version":"1.4.2"},"annotations":{"deployment.kubernetes.io/revision":"3",)"
         R"("kubectl.kubernetes.io/last-applied-configuration":")" + std::string(1500, 'x') + R"("},"managedFields":[)"
         R"({"manager":"kubectl","operation":"Update","apiVersion":"apps/v1","fieldsType":"FieldsV1","fieldsV1":)" + fields +
         R"(},{"manager":"kube-controller-manager","operation":"Update","fieldsV1":)" + fields + R"(}]},)"
         R"("spec":{"replicas":3,"selector":{"matchLabels":{"app":"checkout"}},"strategy":{"type":"RollingUpdate",)"
         R"("rollingUpdate":{"maxUnavailable":"25%","maxSurge":"25%"}},"template":{"metadata":{"labels":{"app":"checkout"}},)"
         R"("spec":{"containers":[{"name":"app","image":"registry.example.com/shop/checkout:1.4.2","ports":[{"containerPort":8080}],)"
         R"("env":[{"name":"PORT","value":"8080"},{"name":"PASSWORD","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}],)"
         R"("lifecycle":{"preStop":{"exec":{"command":["sh","-c","sleep 5"]}}},"readinessProbe":{"httpGet":{"path":"/ready",)"
         R"("port":8080},"periodSeconds":10},"livenessProbe":{"httpGet":{"path":"/live","port":8080},"periodSeconds":10},)"
         R"("resources":{"limits":{"cpu":"500m","memory":"256Mi"}},"imagePullPolicy":"IfNotPresent"}],)"
         R"("terminationGracePeriodSeconds":60,"dnsPolicy":"ClusterFirst","securityContext":{}}}},)"
         R"("status":{"observedGeneration":3,"replicas":3,"readyReplicas":3,"conditions":[{"type":"Available",)"
         R"("status":"True","reason":"MinimumReplicasAvailable","message":")" + std::string(300, 'm') + R"("}]}})";
}

TEST(MemoryTest, ATypicalDeploymentTakesUnderThreeKilobytes) {
  const std::string json = typical_deployment();
  DecodeOptions options;
  options.keep_annotation = [](std::string_view key) { return key.starts_with("shutdownaudit.dev/"); };
  Decoder<Workload> decoder(options);
  ASSERT_TRUE(parse_json(json, decoder));
  ASSERT_TRUE(decoder.take());  // the decoder's own stack is grown now

  const std::size_t before = live_bytes;
  ASSERT_TRUE(parse_json(json, decoder));
  base::Result<Workload> object = decoder.take();
  ASSERT_TRUE(object);
  const std::size_t heap = live_bytes - before;
  std::printf("JSON %zu bytes; object %zu + heap %zu bytes\n", json.size(), sizeof(Workload), heap);
  EXPECT_LE(sizeof(Workload) + heap, 3072U);
}

TEST(MemoryTest, AHugeUnknownFieldCostsNothing) {
  std::string json = R"({"metadata":{"name":"a"},"status":[)";
  for (int i = 0; i < 100'000; ++i) json += R"({"k":[1,2,{"x":"y"}]},)";
  json += "0]}";
  Decoder<Workload> decoder;
  const std::size_t before = live_bytes;
  peak_bytes = before;
  ASSERT_TRUE(parse_json(json, decoder));
  EXPECT_LT(peak_bytes - before, 200'000U);  // the read buffer is 64 KiB
  ASSERT_TRUE(decoder.take());
}

}  // namespace
}  // namespace shutdown_auditor::objects
