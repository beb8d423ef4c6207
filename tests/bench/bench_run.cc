// Runs a command with its output thrown away and prints "WALL_SECONDS CPU_SECONDS PEAK_MIB STATUS": what a shell cannot
// measure of a process that is gone.
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <iostream>

namespace {

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: bench_run COMMAND [ARGUMENT…]\n";
    return 2;
  }
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  const auto began = std::chrono::steady_clock::now();
  pid_t pid = 0;
  if (const int error = ::posix_spawnp(&pid, argv[1], &actions, nullptr, argv + 1, environ); error != 0) {
    std::cerr << argv[1] << ": " << std::strerror(error) << "\n";
    return 2;
  }
  int status = 0;
  rusage usage{};
  if (::wait4(pid, &status, 0, &usage) != pid) {
    std::cerr << argv[1] << ": " << std::strerror(errno) << "\n";
    return 2;
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
  std::cout << fmt::format("{:.3f} {:.3f} {:.1f} {}\n", wall.count(), seconds(usage.ru_utime) + seconds(usage.ru_stime),
                           static_cast<double>(usage.ru_maxrss) / 1024, WIFEXITED(status) ? WEXITSTATUS(status) : 128);
  return 0;
}
