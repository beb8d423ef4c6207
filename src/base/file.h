#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace shutdown_auditor::base {

// A regular file or pipe, read from front to back. For one thread.
class FileReader {
 public:
  // Failures name the path: kNotFound, kIo (permission, a directory).
  static Result<FileReader> open(const std::string& path);
  FileReader(FileReader&& other) noexcept;
  FileReader& operator=(FileReader&&) = delete;
  ~FileReader();

  // Of a regular file; 0 for a pipe.
  std::size_t size() const { return size_; }
  // Up to `size` bytes, at least one but at the end. Failures name the path: kIo.
  Result<std::size_t> read(char* buffer, std::size_t size);

 private:
  FileReader(std::string path, int file) : path_(std::move(path)), file_(file) {}

  std::string path_;
  int file_;
  std::size_t size_ = 0;
};

// The whole of a regular file or pipe. Failures name the path: kNotFound, kIo (permission, a directory, a read error),
// kTooLarge when it holds more than `max_bytes`.
Result<std::string> read_file(const std::string& path, std::size_t max_bytes);

// Replaces the file at `path`, or makes it, so that at every moment either the old or the whole new text is there: written
// beside it, flushed to the disk, renamed. A link is followed, an existing file's mode is kept. Failures name the path: kIo,
// kNotFound (its directory), kInvalid when something other than a regular file is there.
Result<void> write_file(const std::string& path, std::string_view text);

}  // namespace shutdown_auditor::base
