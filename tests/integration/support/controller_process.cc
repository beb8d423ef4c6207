#include "integration/support/controller_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string_view>

#include "base/file.h"
#include "base/text.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::testing_support {
namespace {

constexpr std::size_t kOutputLimit = std::size_t{256} << 20U;
constexpr char kBinary[] = SA_BINARY_DIR "/bin/shutdown-auditor";

// Nothing of the user's own configuration reaches the program.
std::vector<std::string> clean_environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!text.starts_with("KUBECONFIG=") && !text.starts_with("KUBERNETES_") && !text.starts_with("SHUTDOWN_AUDITOR_")) {
      result.emplace_back(text);
    }
  }
  for (const auto& [name, value] : added) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

bool contains(const nlohmann::json& line, const nlohmann::json& fields) {
  for (const auto& [key, value] : fields.items()) {
    const auto found = line.find(key);
    if (found == line.end() || *found != value) return false;
  }
  return true;
}

HttpAnswer get(int port, const std::string& path) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{10, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  // NOLINTNEXTLINE: the socket API wants this cast
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
      std::array<char, 16384> buffer;
      for (ssize_t count = 0; (count = ::recv(socket, buffer.data(), buffer.size(), 0)) > 0;) {
        answer.append(buffer.data(), static_cast<std::size_t>(count));
      }
    }
  }
  ::close(socket);
  const std::size_t body = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.1 ") || body == std::string::npos) return {};
  const auto status = base::parse_int64(std::string_view(answer).substr(9, 3));
  return {status ? static_cast<int>(*status) : 0, answer.substr(body + 4)};
}

}  // namespace

std::string ControllerProcess::binary() { return kBinary; }

std::unique_ptr<ControllerProcess> ControllerProcess::start(const std::string& kubeconfig,
                                                            std::vector<std::string> args) {
  std::vector<std::string> all{"controller",
                               "--kubeconfig=" + kubeconfig,
                               "--log-format=json",
                               "--health-probe-bind-address=127.0.0.1:0",
                               "--metrics-bind-address=127.0.0.1:0"};
  // A flag given twice is an error: the test's own value replaces the usual one.
  for (const std::string& arg : args) {
    const std::string name = arg.substr(0, arg.find('=') + 1);
    std::erase_if(all, [&](const std::string& usual) { return name.size() > 1 && usual.starts_with(name); });
  }
  all.insert(all.end(), args.begin(), args.end());
  return run(std::move(all));
}

std::unique_ptr<ControllerProcess> ControllerProcess::run(std::vector<std::string> args,
                                                          const std::map<std::string, std::string>& environment) {
  std::unique_ptr<ControllerProcess> process(new ControllerProcess);
  process->log_path_ = (std::filesystem::temp_directory_path() / "controller-XXXXXX.log").string();
  const int log = ::mkostemps(process->log_path_.data(), 4, O_CLOEXEC | O_APPEND);
  std::vector<std::string> argv{kBinary};
  argv.insert(argv.end(), args.begin(), args.end());
  std::vector<std::string> variables = clean_environment(environment);
  std::vector<char*> argv_pointers = pointers(argv);
  std::vector<char*> environment_pointers = pointers(variables);
  process->pid_ = ::fork();
  if (process->pid_ == 0) {
    // It ends with the test program, however that ends.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::execve(kBinary, argv_pointers.data(), environment_pointers.data());
    ::_exit(127);
  }
  ::close(log);
  if (process->pid_ < 0) ADD_FAILURE() << "cannot run " << kBinary << ": " << std::strerror(errno);
  return process;
}

ControllerProcess::~ControllerProcess() {
  if (running()) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (std::getenv("KEEP_LOGS") != nullptr) {
    std::cerr << "log of process " << pid_ << " kept in " << log_path_ << "\n";
    return;
  }
  std::error_code ignored;
  std::filesystem::remove(log_path_, ignored);
}

std::string ControllerProcess::output() const {
  const auto text = base::read_file(log_path_, kOutputLimit);
  if (!text) {
    ADD_FAILURE() << text.error().message;
    return {};
  }
  return *text;
}

std::vector<nlohmann::json> ControllerProcess::logs() const {
  std::vector<nlohmann::json> lines;
  const std::string text = output();
  for (const std::string_view line : base::split(text, '\n')) {
    nlohmann::json parsed = nlohmann::json::parse(line, nullptr, false);
    if (parsed.is_object()) lines.push_back(std::move(parsed));
  }
  return lines;
}

std::vector<nlohmann::json> ControllerProcess::logs(const std::string& message, const nlohmann::json& fields) const {
  std::vector<nlohmann::json> lines = logs();
  std::erase_if(lines, [&](const nlohmann::json& line) {
    return line.value("msg", "") != message || !contains(line, fields);
  });
  return lines;
}

bool ControllerProcess::wait_for_log(const std::string& message, const nlohmann::json& fields) const {
  const bool seen = eventually([&] { return !logs(message, fields).empty() || !running(); });
  if (seen && !logs(message, fields).empty()) return true;
  const std::string all = output();
  ADD_FAILURE() << "no log line '" << message << "' with " << fields << (seen ? " before the process ended" : " in 30 s")
                << "; its output ends with:\n"
                << all.substr(all.size() > 4000 ? all.size() - 4000 : 0);
  return false;
}

void ControllerProcess::signal(int number) const {
  if (running()) ::kill(pid_, number);
}

bool ControllerProcess::running() const {
  if (pid_ < 0 || status_ >= 0) return false;
  int state = 0;
  if (::waitpid(pid_, &state, WNOHANG) != pid_) return true;
  status_ = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  return false;
}

int ControllerProcess::wait_exit(int seconds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (running()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      ADD_FAILURE() << "process " << pid_ << " still runs after " << seconds << " s";
      return -1;
    }
    eventually([&] { return !running() || std::chrono::steady_clock::now() >= deadline; });
  }
  return status_;
}

int ControllerProcess::bound_port(const std::string& what) const {
  if (!wait_for_log("serving", {{"what", what}})) return 0;
  const std::string address = logs("serving", {{"what", what}}).front().value("address", "");
  const auto port = base::parse_int64(std::string_view(address).substr(address.rfind(':') + 1));
  return port ? static_cast<int>(*port) : 0;
}

HttpAnswer ControllerProcess::http_get(const std::string& path) const {
  const int port = bound_port(path == "/metrics" ? "metrics" : "health");
  return port == 0 ? HttpAnswer{} : get(port, path);
}

double ControllerProcess::metric(const std::string& series) const {
  double sum = 0;
  const std::string body = http_get("/metrics").body;
  for (const std::string_view line : base::split(body, '\n')) {
    if (!line.starts_with(series)) continue;
    sum += std::strtod(std::string(line.substr(line.rfind(' ') + 1)).c_str(), nullptr);
  }
  return sum;
}

}  // namespace shutdown_auditor::testing_support
