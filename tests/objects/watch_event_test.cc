#include "objects/watch_event.h"

#include <gmock/gmock.h>

#include "objects/decode.h"
#include "objects/recording_handler.h"
#include "objects/status.h"

namespace shutdown_auditor::objects {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(WatchEventTypeTest, FindsTheTypeAndReadsNoFurther) {
  EXPECT_EQ(*watch_event_type(R"({"type":"ADDED","object":{"kind":"Pod"}})"), "ADDED");
  EXPECT_EQ(*watch_event_type(R"({"object":{"type":"no","a":[{"type":"no"}]},"type":"BOOKMARK"})"), "BOOKMARK");
  EXPECT_EQ(*watch_event_type(R"({"type":"MODIFIED","object":{"cut of)"), "MODIFIED");
}

TEST(WatchEventTypeTest, RefusesEverythingElse) {
  const struct {
    const char* line;
    const char* message;
  } rows[] = {
      {"", "invalid JSON"},          {"{}", "no type"},           {R"({"type":1})", "expected a string"},
      {R"({"type":{}})", "expected a string"}, {R"({"type":null})", "expected a string"},
      {R"([{"type":"ADDED"}])", "expected an object"}, {R"("ADDED")", "expected an object"},
      {R"({"object":)", "invalid JSON"}, {R"({"object":{"a":"\xff"}})", "invalid JSON"},
  };
  for (const auto& row : rows) {
    const base::Result<std::string> type = watch_event_type(row.line);
    ASSERT_FALSE(type) << row.line;
    EXPECT_THAT(type.error().message, HasSubstr(row.message)) << row.line;
  }
}

TEST(ForwardMemberTest, ForwardsOnlyThatMember) {
  RecordingHandler handler;
  ASSERT_TRUE(forward_member(R"({"type":"ADDED","object":{"object":[1,{"a":null}]},"x":{"object":2}})", "object", handler));
  EXPECT_THAT(handler.events(), ElementsAre("{", "key object", "[", "int 1", "{", "key a", "null", "}", "]", "}"));
  RecordingHandler plain;
  ASSERT_TRUE(forward_member(R"({"object":"text"})", "object", plain));
  EXPECT_THAT(plain.events(), ElementsAre("str text"));
}

TEST(ForwardMemberTest, RefusesBrokenAndMissing) {
  const struct {
    const char* line;
    const char* message;
  } rows[] = {
      {R"({"type":"ADDED"})", "no member \"object\""},
      {R"({"object":{}} trailing)", "invalid JSON"},
      {R"({"object":{})", "ends too early"},
      {R"({"object":{},"object":{}})", "given twice"},
      {"[]", "expected an object"},
  };
  for (const auto& row : rows) {
    RecordingHandler handler;
    const base::Result<void> result = forward_member(row.line, "object", handler);
    ASSERT_FALSE(result) << row.line;
    EXPECT_THAT(result.error().message, HasSubstr(row.message)) << row.line;
  }
}

TEST(ForwardMemberTest, DecodesAStatusFromAnErrorEvent) {
  Decoder<Status> decoder;
  ASSERT_TRUE(forward_member(
      R"({"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
      R"("message":"too old resource version","reason":"Expired","code":410}})",
      "object", decoder));
  const base::Result<Status> status = decoder.take();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->kind, "Status");
  EXPECT_EQ(status->reason, "Expired");
  EXPECT_EQ(status->code, 410);
}

TEST(ForwardMemberTest, PassesTheDecodersProblemOn) {
  Decoder<Workload> decoder;
  const base::Result<void> result =
      forward_member(R"({"object":{"spec":{"replicas":"three"}}})", "object", decoder);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "spec.replicas: expected an integer, got \"three\"");
}

}  // namespace
}  // namespace shutdown_auditor::objects
