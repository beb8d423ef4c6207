#include "http/message.h"

#include <gtest/gtest.h>

#include "http/transport.h"

namespace shutdown_auditor::http {
namespace {

TEST(HeadersTest, FindsTheFirstValueWhateverTheCase) {
  Headers headers;
  headers.add("Content-Type", "application/json");
  headers.add("content-type", "text/plain");
  ASSERT_NE(headers.find("CONTENT-TYPE"), nullptr);
  EXPECT_EQ(*headers.find("CONTENT-TYPE"), "application/json");
  EXPECT_EQ(headers.find("Content-Typ"), nullptr);
  EXPECT_EQ(headers.find("Content-Type2"), nullptr);
  EXPECT_EQ(headers.all().size(), 2U);
}

TEST(MethodTest, HasItsWireName) {
  const std::pair<Method, std::string_view> cases[] = {{Method::kGet, "GET"},
                                                       {Method::kPost, "POST"},
                                                       {Method::kPut, "PUT"},
                                                       {Method::kPatch, "PATCH"},
                                                       {Method::kDelete, "DELETE"}};
  for (const auto& [method, name] : cases) {
    EXPECT_EQ(to_string(method), name);
  }
}

TEST(TransportErrorKindTest, HasAName) {
  EXPECT_EQ(to_string(TransportErrorKind::kTooLarge), "TooLarge");
  EXPECT_EQ(to_string(TransportErrorKind::kCancelled), "Cancelled");
  EXPECT_EQ(to_string(TransportErrorKind::kConnect), "Connect");
}

}  // namespace
}  // namespace shutdown_auditor::http
