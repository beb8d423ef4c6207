#include "report/json_schema.h"

#include <gmock/gmock.h>

namespace shutdown_auditor::report {
namespace {

using nlohmann::json;

// The checker itself: each keyword accepts and refuses.
TEST(JsonSchema, Keywords) {
  struct Row {
    const char* schema;
    const char* good;
    const char* bad;
  };
  const Row rows[] = {
      {R"({"type": "string"})", R"("a")", "1"},
      {R"({"type": ["array", "null"]})", "null", "{}"},
      {R"({"enum": ["a", "b"]})", R"("b")", R"("c")"},
      {R"({"required": ["a"]})", R"({"a": 1})", "{}"},
      {R"({"properties": {"a": {"type": "integer"}}, "additionalProperties": false})", R"({"a": 1})", R"({"b": 1})"},
      {R"({"properties": {"a": {"type": "integer"}}})", R"({"b": ""})", R"({"a": ""})"},
      {R"({"additionalProperties": {"type": "string"}})", R"({"a": ""})", R"({"a": 1})"},
      {R"({"items": {"minimum": 1}, "minItems": 1})", "[1]", "[0]"},
      {R"({"minItems": 1})", "[0]", "[]"},
      {R"({"uniqueItems": true})", "[1, 2]", "[1, 1]"},
      {R"({"maximum": 3})", "3", "4"},
      {R"({"pattern": "^a+$"})", R"("aa")", R"("ab")"},
      {R"({"format": "uri"})", R"("https://a/b")", R"("a/b")"},
      {R"({"format": "uri-reference"})", R"("a/b%20c")", R"("a b")"},
      {R"({"format": "date-time"})", R"("2026-11-22T18:17:03Z")", R"("today")"},
      {R"({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]})", R"({"a": 1, "b": 2})", "{}"},
      {R"({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]})", R"({"a": 1})", R"({"a": 1, "b": 2})"},
      {R"({"definitions": {"n": {"type": "null"}}, "items": {"$ref": "#/definitions/n"}})", "[null]", "[1]"},
  };
  for (const Row& row : rows) {
    EXPECT_THAT(schema_violations(json::parse(row.schema), json::parse(row.good)), ::testing::IsEmpty()) << row.schema;
    EXPECT_THAT(schema_violations(json::parse(row.schema), json::parse(row.bad)), ::testing::SizeIs(1)) << row.schema;
  }
  EXPECT_THAT(schema_violations(json::parse(R"({"contains": {}})"), json::parse("[]")), ::testing::SizeIs(1));
}

}  // namespace
}  // namespace shutdown_auditor::report
