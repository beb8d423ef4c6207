#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <system_error>

namespace shutdown_auditor::base {
namespace {

struct FileDescriptor {
  int value;
  ~FileDescriptor() {
    if (value >= 0) ::close(value);
  }
};

Unexpected<Error> os_failure(const std::string& path, int code) {
  const auto kind = code == ENOENT || code == ENOTDIR ? ErrorKind::kNotFound : ErrorKind::kIo;
  return fail(kind, path + ": " + std::generic_category().message(code));
}

constexpr int kNamesToTry = 100;  // left behind by processes that were killed

// All of `text`, and onto the disk; false with errno set.
bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return ::fsync(file) == 0;
}

}  // namespace

Result<FileReader> FileReader::open(const std::string& path) {
  FileReader reader(path, ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (reader.file_ < 0) return os_failure(path, errno);
  struct stat info {};
  if (::fstat(reader.file_, &info) != 0) return os_failure(path, errno);
  if (S_ISDIR(info.st_mode)) return os_failure(path, EISDIR);
  if (S_ISREG(info.st_mode)) reader.size_ = static_cast<std::size_t>(info.st_size);
  return reader;
}

FileReader::FileReader(FileReader&& other) noexcept
    : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)), size_(other.size_) {}

FileReader::~FileReader() {
  if (file_ >= 0) ::close(file_);
}

Result<std::size_t> FileReader::read(char* buffer, std::size_t size) {
  for (;;) {
    const ssize_t count = ::read(file_, buffer, size);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return os_failure(path_, errno);
  }
}

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  Result<FileReader> reader = FileReader::open(path);
  if (!reader) return unexpected(reader.error());
  const auto too_large = [&] {
    return fail(ErrorKind::kTooLarge, path + ": more than " + std::to_string(max_bytes) + " bytes");
  };
  if (reader->size() > max_bytes) return too_large();
  std::string content;
  content.reserve(reader->size() > 0 ? reader->size() + 1 : 0);
  char buffer[65536];
  for (;;) {
    const Result<std::size_t> count = reader->read(buffer, sizeof buffer);
    if (!count) return unexpected(count.error());
    if (*count == 0) return content;
    content.append(buffer, *count);
    if (content.size() > max_bytes) return too_large();
  }
}

Result<void> write_file(const std::string& path, std::string_view text) {
  if (path.empty()) return os_failure(path, ENOENT);
  // Through links, so that what they lead to is replaced and not the link.
  const std::unique_ptr<char, decltype(&std::free)> resolved{::realpath(path.c_str(), nullptr), &std::free};
  const std::string target = resolved ? resolved.get() : path;
  struct stat info {};
  const bool exists = ::stat(target.c_str(), &info) == 0;
  if (exists && !S_ISREG(info.st_mode)) return fail(ErrorKind::kInvalid, path + ": not a regular file");

  std::string beside;
  FileDescriptor file{-1};
  for (int i = 0; file.value < 0 && i < kNamesToTry; ++i) {
    beside = target + ".new-" + std::to_string(::getpid()) + "-" + std::to_string(i);
    file.value = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file.value < 0 && errno != EEXIST) return os_failure(path, errno);
  }
  if (file.value < 0) return os_failure(path, EEXIST);
  if ((exists && ::fchmod(file.value, info.st_mode & 07777U) != 0) || !write_all(file.value, text) ||
      ::rename(beside.c_str(), target.c_str()) != 0) {
    const int code = errno;
    ::unlink(beside.c_str());
    return os_failure(path, code);
  }
  return {};
}

}  // namespace shutdown_auditor::base
