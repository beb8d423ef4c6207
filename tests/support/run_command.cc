#include "support/run_command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

namespace shutdown_auditor::testing_support {
namespace {

using Clock = std::chrono::steady_clock;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  void close() {
    if (fd_ >= 0) {
      ::close(std::exchange(fd_, -1));
    }
  }
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

base::Unexpected<base::Error> system_failure(const std::string& what, int error) {
  return base::fail(base::ErrorKind::kIo, what + ": " + std::strerror(error));
}

// The text as a file in memory: unlike a pipe it can neither fill up nor raise SIGPIPE.
base::Result<Descriptor> stdin_file(std::string_view text) {
  Descriptor file(::memfd_create("stdin", MFD_CLOEXEC));
  if (file.get() < 0) {
    return system_failure("memfd_create", errno);
  }
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0) {
      return system_failure("write to memfd", errno);
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::vector<std::string> merged_environment(const Command& command) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!command.environment.contains(std::string(text.substr(0, text.find('='))))) {
      result.emplace_back(text);
    }
  }
  for (const auto& [name, value] : command.environment) {
    if (value) {
      result.push_back(name + "=" + *value);
    }
  }
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) {
    result.push_back(text.data());
  }
  result.push_back(nullptr);
  return result;
}

base::Result<pid_t> spawn(const Command& command, int in, int out, int err) {
  std::vector<std::string> argv = command.argv;
  std::vector<std::string> environment = merged_environment(command);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  // A test may block or ignore signals; the program starts with the usual state, in its own group.
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, argv.at(0).c_str(), &actions, &attributes, pointers(argv).data(),
                                   pointers(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return system_failure("cannot run " + command.argv.at(0), error);
  }
  return pid;
}

// Reads both pipes until the program and its children have closed them; false at the deadline.
bool collect(std::array<Descriptor, 2>& pipes, std::array<std::string, 2>& texts, Clock::time_point deadline) {
  std::array<char, 16384> buffer;
  while (pipes[0].get() >= 0 || pipes[1].get() >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      return false;
    }
    std::array<pollfd, 2> polled{pollfd{pipes[0].get(), POLLIN, 0}, pollfd{pipes[1].get(), POLLIN, 0}};
    if (::poll(polled.data(), polled.size(), static_cast<int>(left)) < 0 && errno != EINTR) {
      return false;
    }
    for (std::size_t i = 0; i < pipes.size(); ++i) {
      if (polled[i].revents == 0) {
        continue;
      }
      const ssize_t count = ::read(polled[i].fd, buffer.data(), buffer.size());
      if (count > 0) {
        texts[i].append(buffer.data(), static_cast<std::size_t>(count));
      } else if (count == 0 || errno != EINTR) {
        pipes[i].close();
      }
    }
  }
  return true;
}

std::string_view last_part(std::string_view text) {
  constexpr std::size_t kLimit = 4000;
  return text.size() > kLimit ? text.substr(text.size() - kLimit) : text;
}

}  // namespace

base::Result<CommandOutput> run_command(const Command& command) {
  if (command.argv.empty()) {
    return base::fail(base::ErrorKind::kInvalid, "run_command: argv is empty");
  }
  auto in = stdin_file(command.stdin_text);
  if (!in) {
    return base::unexpected(in.error());
  }
  std::array<Descriptor, 2> read_ends;
  std::array<Descriptor, 2> write_ends;
  for (std::size_t i = 0; i < read_ends.size(); ++i) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      return system_failure("pipe2", errno);
    }
    read_ends[i] = Descriptor(ends[0]);
    write_ends[i] = Descriptor(ends[1]);
  }
  const auto pid = spawn(command, in->get(), write_ends[0].get(), write_ends[1].get());
  if (!pid) {
    return base::unexpected(pid.error());
  }
  write_ends[0].close();
  write_ends[1].close();

  std::array<std::string, 2> texts;
  const bool finished = collect(read_ends, texts, Clock::now() + command.time_limit);
  if (!finished) {
    ::kill(-*pid, SIGKILL);
  }
  int state = 0;
  while (::waitpid(*pid, &state, 0) < 0) {
    if (errno != EINTR) {
      return system_failure("waitpid", errno);
    }
  }
  if (!finished) {
    return base::fail(base::ErrorKind::kTimeout, command.argv[0] + " did not end within " +
                                                     std::to_string(command.time_limit.count()) + " s; stderr: " +
                                                     std::string(last_part(texts[1])));
  }
  CommandOutput output;
  output.status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  output.stdout_text = std::move(texts[0]);
  output.stderr_text = std::move(texts[1]);
  return output;
}

}  // namespace shutdown_auditor::testing_support
