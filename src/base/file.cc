#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
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

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  const FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.value < 0) return os_failure(path, errno);
  struct stat info {};
  if (::fstat(file.value, &info) != 0) return os_failure(path, errno);
  if (S_ISDIR(info.st_mode)) return os_failure(path, EISDIR);
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
    if (content.size() > max_bytes) {
      return fail(ErrorKind::kTooLarge, path + ": more than " + std::to_string(max_bytes) + " bytes");
    }
  }
}

}  // namespace shutdown_auditor::base
