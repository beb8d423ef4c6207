#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace shutdown_auditor::base {
namespace {

using testing::HasSubstr;

TEST(File, ReadsAllUpToTheLimit) {
  const std::string path = testing::TempDir() + "/file_test.txt";
  std::ofstream(path) << std::string(100000, 'x');
  EXPECT_EQ(read_file(path, 100000)->size(), 100000U);
  const auto over = read_file(path, 99999);
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().kind, ErrorKind::kTooLarge);
  EXPECT_THAT(over.error().message, HasSubstr(path));
}

TEST(File, FailuresNameThePath) {
  const auto missing = read_file("/nonexistent/file", 10);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(missing.error().message, "/nonexistent/file: No such file or directory");
  const auto folder = read_file(testing::TempDir(), 10);
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().kind, ErrorKind::kIo);
  EXPECT_THAT(folder.error().message, HasSubstr("Is a directory"));
}

}  // namespace
}  // namespace shutdown_auditor::base
