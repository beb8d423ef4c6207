#include "kube/status_error.h"

#include <gmock/gmock.h>

#include <chrono>

#include "base/time.h"

namespace shutdown_auditor::kube {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

base::WallTime now() { return *base::parse_rfc3339("2026-11-22T18:00:00Z"); }

http::Headers with(const std::string& name, const std::string& value) {
  http::Headers headers;
  headers.add(name, value);
  return headers;
}

std::string status(int code, const std::string& reason, const std::string& message, const std::string& details = "{}") {
  return R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":")" + message +
         R"(","reason":")" + reason + R"(","details":)" + details + R"(,"code":)" + std::to_string(code) + "}";
}

Error of(int code, const std::string& body) { return error_of_response("get x", code, {}, body, now()); }

TEST(StatusError, EveryReasonHasItsKind) {
  struct Row {
    int code;
    const char* reason;
    ErrorKind kind;
  };
  const Row rows[] = {
      {400, "BadRequest", ErrorKind::kInvalid},
      {401, "Unauthorized", ErrorKind::kUnauthorized},
      {403, "Forbidden", ErrorKind::kForbidden},
      {404, "NotFound", ErrorKind::kNotFound},
      {405, "MethodNotAllowed", ErrorKind::kInvalid},
      {408, "", ErrorKind::kTimeout},
      {409, "AlreadyExists", ErrorKind::kAlreadyExists},
      {409, "Conflict", ErrorKind::kConflict},
      {410, "Expired", ErrorKind::kExpired},
      {410, "Gone", ErrorKind::kExpired},
      {410, "", ErrorKind::kExpired},
      {400, "Expired", ErrorKind::kExpired},  // the body is right when the code is not
      {422, "Invalid", ErrorKind::kInvalid},
      {429, "TooManyRequests", ErrorKind::kTooManyRequests},
      {500, "InternalError", ErrorKind::kUnavailable},
      {503, "ServiceUnavailable", ErrorKind::kUnavailable},
      {504, "Timeout", ErrorKind::kUnavailable},
      {302, "", ErrorKind::kProtocol},
      {199, "", ErrorKind::kProtocol},
  };
  for (const Row& row : rows) {
    const Error error = of(row.code, status(row.code, row.reason, "words"));
    EXPECT_EQ(error.kind, row.kind) << row.code << " " << row.reason;
    EXPECT_EQ(error.code, row.code);
    EXPECT_EQ(error.reason, row.reason);
  }
}

TEST(StatusError, MessageCausesAndRetryAfterComeFromTheBody) {
  const Error error = of(422, status(422, "Invalid", "bad spec",
                                     R"({"causes":[{"reason":"FieldValueInvalid","message":"too long","field":"spec.x"}],
                                        "retryAfterSeconds":7})"));
  EXPECT_EQ(error.message, "get x: bad spec");
  ASSERT_EQ(error.causes.size(), 1U);
  EXPECT_EQ(error.causes[0].reason, "FieldValueInvalid");
  EXPECT_EQ(error.causes[0].message, "too long");
  EXPECT_EQ(error.causes[0].field, "spec.x");
  EXPECT_EQ(error.retry_after, 7s);
}

TEST(StatusError, AVersionTheServerHasNotSeenIsKnownByCauseOrWords) {
  EXPECT_EQ(of(504, status(504, "Timeout", "Timeout: Too large resource version: 9, current: 8",
                           R"({"causes":[{"reason":"ResourceVersionTooLarge","message":"Too large resource version"}],
                              "retryAfterSeconds":1})")).kind,
            ErrorKind::kVersionTooLarge);
  EXPECT_EQ(of(504, status(504, "Timeout", "Too large resource version: 9")).kind, ErrorKind::kVersionTooLarge);
}

TEST(StatusError, ANamespaceThatIsBeingDeletedIsMarked) {
  const Error error = of(403, status(403, "Forbidden", "is being terminated",
                                     R"({"causes":[{"reason":"NamespaceTerminating","message":"m","field":"f"}]})"));
  EXPECT_EQ(error.kind, ErrorKind::kForbidden);
  EXPECT_TRUE(error.namespace_terminating);
  EXPECT_FALSE(of(403, status(403, "Forbidden", "no")).namespace_terminating);
}

TEST(StatusError, OtherBodiesKeep512BytesOfTextOnOneLine) {
  EXPECT_EQ(of(502, "<html>\nbad gateway\x01</html>").message, "get x: HTTP 502: <html> bad gateway </html>");
  EXPECT_EQ(of(500, "").message, "get x: HTTP 500");
  EXPECT_EQ(of(500, R"({"kind":"Deployment"})").message, R"(get x: HTTP 500: {"kind":"Deployment"})");
  const std::string prefix = "get x: HTTP 500: ";
  EXPECT_EQ(of(500, std::string(100'000, 'x')).message.size(), prefix.size() + 512);
  EXPECT_EQ(of(500, "\xFF\xFE text").message, prefix + "?? text");
}

TEST(StatusError, TheHeaderBeatsTheBodyAndBothAreClamped) {
  const std::string body = status(429, "TooManyRequests", "slow", R"({"retryAfterSeconds":7})");
  EXPECT_EQ(error_of_response("x", 429, with("retry-after", "3"), body, now()).retry_after, 3s);
  EXPECT_EQ(error_of_response("x", 429, with("Retry-After", "soon"), body, now()).retry_after, 7s);
  EXPECT_EQ(of(429, status(429, "", "", R"({"retryAfterSeconds":9223372036854775807})")).retry_after, 300s);
}

TEST(StatusError, RetryAfterIsSecondsOrADate) {
  struct Row {
    const char* value;
    std::optional<base::Duration> delay;
  };
  const Row rows[] = {
      {"0", 0s},
      {"120", 120s},
      {" 5 ", 5s},
      {"301", 300s},
      {"99999999999999999999999", 300s},
      {"-1", std::nullopt},
      {"", std::nullopt},
      {"1.5", std::nullopt},
      {"Sun, 22 Nov 2026 18:00:30 GMT", 30s},
      {"Sun, 22 Nov 2026 17:00:00 GMT", 0s},
      {"Sun, 22 Nov 2037 18:00:00 GMT", 300s},
      {"Sun, 31 Feb 2026 18:00:00 GMT", std::nullopt},
      {"Sun, 22 Nov 2026 18:00:30 CET", std::nullopt},
      {"Sun, 22 Foo 2026 18:00:30 GMT", std::nullopt},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(parse_retry_after(row.value, now()), row.delay) << row.value;
  }
}

TEST(StatusError, TransportFailuresKeepTheirMeaning) {
  using Kind = http::TransportErrorKind;
  const std::pair<Kind, ErrorKind> rows[] = {
      {Kind::kCancelled, ErrorKind::kCancelled}, {Kind::kTimeout, ErrorKind::kTimeout},
      {Kind::kConnect, ErrorKind::kUnavailable}, {Kind::kTls, ErrorKind::kTls},
      {Kind::kReset, ErrorKind::kUnavailable},   {Kind::kProtocol, ErrorKind::kProtocol},
      {Kind::kTooLarge, ErrorKind::kProtocol}};
  for (const auto& [from, to] : rows) {
    const Error error = error_of_transport("list x", {from, "10.0.0.1:6443: words", false});
    EXPECT_EQ(error.kind, to);
    EXPECT_EQ(error.code, 0);
    EXPECT_EQ(error.message, "list x: 10.0.0.1:6443: words");
  }
}

TEST(StatusError, DescribeNamesVerbResourceAndObject) {
  EXPECT_EQ(describe("get", "/apis/apps/v1/namespaces/shop/deployments/web"), "get deployments.apps shop/web");
  EXPECT_EQ(describe("patch", "/apis/apps/v1/namespaces/shop/deployments/web/status"),
            "patch deployments.apps/status shop/web");
  EXPECT_EQ(describe("list", "/apis/apps/v1/deployments"), "list deployments.apps");
  EXPECT_EQ(describe("list", "/api/v1/namespaces/shop/services"), "list services in shop");
  EXPECT_EQ(describe("get", "/api/v1/namespaces/shop"), "get namespaces shop");
  EXPECT_EQ(describe("get", "/version"), "get /version");
  EXPECT_EQ(describe("get", ""), "get ");
}

TEST(StatusError, KindsHaveNames) {
  EXPECT_EQ(to_string(ErrorKind::kVersionTooLarge), "VersionTooLarge");
  EXPECT_EQ(to_string(ErrorKind::kCancelled), "Cancelled");
}

}  // namespace
}  // namespace shutdown_auditor::kube
