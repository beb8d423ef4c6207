#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "support/temp_dir.h"

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

TEST(File, WrittenWholeOrNotAtAll) {
  const testing_support::TempDir dir;
  const std::string& folder = dir.path();
  const std::string path = folder + "/a";
  ASSERT_TRUE(write_file(path, "first"));
  EXPECT_EQ(*read_file(path, 100), "first");
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::filesystem::create_symlink("a", folder + "/link");
  const std::string large(300000, 'x');
  ASSERT_TRUE(write_file(folder + "/link", large));
  EXPECT_EQ(*read_file(path, 300000), large) << "through the link";
  EXPECT_TRUE(std::filesystem::is_symlink(folder + "/link"));
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const auto entries = std::filesystem::directory_iterator(folder);
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 2) << "nothing is left behind";
}

TEST(File, NotWrittenOverWhatIsNoFile) {
  const testing_support::TempDir dir;
  const std::string& folder = dir.path();
  ASSERT_EQ(::mkfifo((folder + "/pipe").c_str(), 0600), 0);
  const struct {
    std::string path;
    const char* message;
  } kCases[] = {{folder, "not a regular file"},
                {folder + "/pipe", "not a regular file"},
                {"/dev/null", "not a regular file"},
                {folder + "/none/a", "No such file or directory"},
                {"", "No such file or directory"}};
  for (const auto& test : kCases) {
    const Result<void> written = write_file(test.path, "x");
    ASSERT_FALSE(written) << test.path;
    EXPECT_EQ(written.error().message, test.path + ": " + test.message);
  }
}

}  // namespace
}  // namespace shutdown_auditor::base
