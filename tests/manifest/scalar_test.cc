#include "manifest/scalar.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace shutdown_auditor::manifest {
namespace {

TEST(ResolvePlainTest, Nulls) {
  for (const char* text : {"", "~", "null", "Null", "NULL"}) {
    EXPECT_TRUE(std::holds_alternative<NullScalar>(resolve_plain(text))) << text;
  }
}

TEST(ResolvePlainTest, Booleans) {
  for (const char* text : {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"}) {
    EXPECT_EQ(std::get<bool>(resolve_plain(text)), true) << text;
  }
  for (const char* text : {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}) {
    EXPECT_EQ(std::get<bool>(resolve_plain(text)), false) << text;
  }
}

TEST(ResolvePlainTest, Integers) {
  const struct {
    const char* text;
    std::int64_t value;
  } rows[] = {
      {"0", 0},          {"-0", 0},        {"+5", 5},
      {"-12", -12},      {"010", 8},       {"0o17", 15},
      {"0x1F", 31},      {"-0xff", -255},  {"0b101", 5},
      {"-0b11", -3},     {"1_000", 1000},  {"9223372036854775807", std::numeric_limits<std::int64_t>::max()},
      {"00", 0},         {"0O7", 7},       {"-9223372036854775808", std::numeric_limits<std::int64_t>::min()},
      {"0x7fffffffffffffff", std::numeric_limits<std::int64_t>::max()},
  };
  for (const auto& row : rows) {
    const Scalar scalar = resolve_plain(row.text);
    ASSERT_TRUE(std::holds_alternative<std::int64_t>(scalar)) << row.text;
    EXPECT_EQ(std::get<std::int64_t>(scalar), row.value) << row.text;
  }
}

TEST(ResolvePlainTest, Floats) {
  const struct {
    const char* text;
    double value;
  } rows[] = {
      {"1.5", 1.5},
      {"-.5", -0.5},
      {".5", 0.5},
      {"1.", 1.0},
      {"1e3", 1000.0},
      {"+1.5E-1", 0.15},
      {"08", 8.0},
      {"1_0.5", 10.5},
      {"9223372036854775808", 9223372036854775808.0},
      {"18446744073709551615", 18446744073709551615.0},
      {".inf", std::numeric_limits<double>::infinity()},
      {"+.Inf", std::numeric_limits<double>::infinity()},
      {"-.INF", -std::numeric_limits<double>::infinity()},
  };
  for (const auto& row : rows) {
    const Scalar scalar = resolve_plain(row.text);
    ASSERT_TRUE(std::holds_alternative<double>(scalar)) << row.text;
    EXPECT_DOUBLE_EQ(std::get<double>(scalar), row.value) << row.text;
  }
  EXPECT_TRUE(std::isnan(std::get<double>(resolve_plain(".NaN"))));
  EXPECT_TRUE(std::holds_alternative<double>(resolve_plain("99999999999999999999999999")));
}

TEST(ResolvePlainTest, Strings) {
  for (const char* text :
       {"hello", "yEs", "tRUE", "nULL", "1.2.3", "2026-01-02", "2026-01-02T03:04:05Z", "1:30", "0x", "0xzz", "0o9", "-", "+", ".",
        "..", "1e", "e1", "1.5.", "--5", "+-5", "0x-5", "5s", "25%", "-foo", "1e999", "<<", "nan", "inf", "=", "0b2", "٣"}) {
    EXPECT_TRUE(std::holds_alternative<StringScalar>(resolve_plain(text))) << text;
  }
}

TEST(ResolveTaggedTest, TagsDecide) {
  EXPECT_TRUE(std::holds_alternative<StringScalar>(*resolve_tagged("5", "", false)));
  EXPECT_EQ(std::get<std::int64_t>(*resolve_tagged("5", "", true)), 5);
  EXPECT_TRUE(std::holds_alternative<StringScalar>(*resolve_tagged("5", "tag:yaml.org,2002:str", true)));
  EXPECT_TRUE(std::holds_alternative<StringScalar>(*resolve_tagged("5", "!", true)));
  EXPECT_TRUE(std::holds_alternative<StringScalar>(*resolve_tagged("5", "!custom", true)));
  EXPECT_EQ(std::get<std::int64_t>(*resolve_tagged("5", "tag:yaml.org,2002:int", false)), 5);
  EXPECT_EQ(std::get<double>(*resolve_tagged("5", "tag:yaml.org,2002:float", false)), 5.0);
  EXPECT_EQ(std::get<bool>(*resolve_tagged("yes", "tag:yaml.org,2002:bool", false)), true);
  EXPECT_TRUE(std::holds_alternative<NullScalar>(*resolve_tagged("", "tag:yaml.org,2002:null", false)));
  EXPECT_FALSE(resolve_tagged("x", "tag:yaml.org,2002:int", true));
  EXPECT_FALSE(resolve_tagged("5", "tag:yaml.org,2002:bool", true));
  EXPECT_FALSE(resolve_tagged("1.5", "tag:yaml.org,2002:int", true));
  EXPECT_FALSE(resolve_tagged("x", "tag:yaml.org,2002:null", true));
}

}  // namespace
}  // namespace shutdown_auditor::manifest
