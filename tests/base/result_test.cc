#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace shutdown_auditor::base {
namespace {

Result<std::unique_ptr<int>> make(bool good) {
  if (!good) return fail(ErrorKind::kNotFound, "no such thing");
  return std::make_unique<int>(7);
}

TEST(Result, HoldsAValueOrAnError) {
  auto good = make(true);
  ASSERT_TRUE(good);
  EXPECT_EQ(**good, 7);
  const std::unique_ptr<int> moved = *std::move(good);
  EXPECT_EQ(*moved, 7);
  const auto bad = make(false);
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(Result<int>(fail(ErrorKind::kIo, "x")).value_or(3), 3);
}

TEST(Result, ReadingTheValueOfAFailureThrows) {
  Result<int> bad = fail(ErrorKind::kInvalid, "x");
  EXPECT_THROW(static_cast<void>(bad.value()), std::bad_variant_access);
}

TEST(Result, VoidAndForeignErrorTypes) {
  const Result<void> done;
  EXPECT_TRUE(done);
  const Result<void, int> failed = unexpected(5);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error(), 5);
}

TEST(Result, ContextIsPutInFront) {
  const Error error{ErrorKind::kIo, "disk full"};
  EXPECT_EQ(error.with_context("a.yaml").message, "a.yaml: disk full");
  EXPECT_EQ(error.with_context("a.yaml").kind, ErrorKind::kIo);
  EXPECT_EQ(to_string(ErrorKind::kTooLarge), "TooLarge");
}

}  // namespace
}  // namespace shutdown_auditor::base
