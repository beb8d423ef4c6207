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

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  const FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.value < 0) return os_failure(path, errno);
  struct stat info {};
  if (::fstat(file.value, &info) != 0) return os_failure(path, errno);
  if (S_ISDIR(info.st_mode)) return os_failure(path, EISDIR);
  const auto too_large = [&] {
    return fail(ErrorKind::kTooLarge, path + ": more than " + std::to_string(max_bytes) + " bytes");
  };
  if (S_ISREG(info.st_mode) && static_cast<std::size_t>(info.st_size) > max_bytes) return too_large();
  std::string content;
  if (S_ISREG(info.st_mode) && info.st_size > 0) {
    content.reserve(std::min(static_cast<std::size_t>(info.st_size), max_bytes) + 1);
  }
  char buffer[65536];
  for (;;) {
    const ssize_t count = ::read(file.value, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return os_failure(path, errno);
    if (count == 0) return content;
    content.append(buffer, static_cast<std::size_t>(count));
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
