#include "kube/exec_plugin.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"

namespace shutdown_auditor::kube {
namespace {

using base::ErrorKind;
using base::fail;
using nlohmann::json;

constexpr base::Logger kLog{"kube"};
constexpr std::size_t kMaxOutputBytes = 1U << 20U;
constexpr std::size_t kMaxStderrBytes = 4U << 10U;
constexpr int kPollMilliseconds = 20;

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { close(); }
  void close() {
    if (fd_ >= 0) {
      ::close(std::exchange(fd_, -1));
    }
  }
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd read;
  Fd write;
};

base::Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(ErrorKind::kIo, fmt::format("no pipe: {}", std::strerror(errno)));
  }
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) {
    all.push_back(text.data());
  }
  all.push_back(nullptr);
  return all;
}

// A plugin in a process group of its own, with default signals: our threads block some.
base::Result<pid_t> spawn(const ExecSpec& spec, std::vector<std::string> environment, int out, int err) {
  std::vector<std::string> arguments = {spec.command};
  arguments.insert(arguments.end(), spec.args.begin(), spec.args.end());
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t child = 0;
  const int result = ::posix_spawnp(&child, spec.command.c_str(), &actions, &attributes, pointers(arguments).data(),
                                    pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (result == 0) {
    return child;
  }
  if (result == ENOENT && !spec.install_hint.empty()) {
    kLog.warn("exec plugin is not installed", {{"command", spec.command}, {"hint", spec.install_hint}});
    return fail(ErrorKind::kNotFound, fmt::format("exec plugin {} not found: {}", base::quoted(spec.command),
                                                  base::truncate_utf8(spec.install_hint, 300)));
  }
  return fail(result == ENOENT ? ErrorKind::kNotFound : ErrorKind::kIo,
              fmt::format("exec plugin {}: {}", base::quoted(spec.command), std::strerror(result)));
}

// Appends what is there; false at the end.
bool drain(Fd& fd, std::string& into) {
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got > 0) {
      into.append(buffer.data(), static_cast<std::size_t>(got));
      if (into.size() > 2 * kMaxOutputBytes) {
        return true;
      }
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      return false;
    } else if (errno == EAGAIN) {
      return true;
    }
  }
}

struct Finished {
  int status = 0;
  std::string out;
  std::string err;
};

base::Result<Finished> collect(const ExecSpec& spec, pid_t child, Fd out, Fd err, base::Clock& clock,
                               base::SteadyTime deadline, const std::stop_token& stop) {
  const auto end = [child](ErrorKind kind, std::string why) {
    ::kill(-child, SIGKILL);
    int ignored = 0;
    ::waitpid(child, &ignored, 0);
    return fail(kind, std::move(why));
  };
  Finished result;
  bool exited = false;
  for (;;) {
    std::array<pollfd, 2> polled = {pollfd{out.get(), POLLIN, 0}, pollfd{err.get(), POLLIN, 0}};
    const int ready = ::poll(polled.data(), polled.size(), exited ? 0 : kPollMilliseconds);
    if (out.get() >= 0 && !drain(out, result.out)) {
      out.close();
    }
    if (err.get() >= 0 && !drain(err, result.err)) {
      err.close();
    }
    if (result.err.size() > kMaxStderrBytes) {
      result.err.erase(0, result.err.size() - kMaxStderrBytes);
    }
    if (exited && ready <= 0) {
      return result;  // something it left running may hold the pipes open: not our concern
    }
    if (result.out.size() > kMaxOutputBytes) {
      return end(ErrorKind::kTooLarge, fmt::format("exec plugin {} wrote more than 1 MiB", base::quoted(spec.command)));
    }
    if (!exited) {
      exited = ::waitpid(child, &result.status, WNOHANG) == child;
      if (!exited && stop.stop_requested()) {
        return end(ErrorKind::kCancelled, "stopped while the exec plugin ran");
      }
      if (!exited && clock.now() >= deadline) {
        return end(ErrorKind::kTimeout,
                   fmt::format("exec plugin {} did not end within {}", base::quoted(spec.command),
                               base::format_duration(spec.time_limit)));
      }
      if (!exited && out.get() < 0 && err.get() < 0) {
        ::poll(nullptr, 0, kPollMilliseconds);
      }
    } else if (out.get() < 0 && err.get() < 0) {
      return result;
    }
  }
}

std::string text_of(const json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

base::Result<ExecCredential> parse_exec_credential(std::string_view text, const std::string& api_version) {
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object()) {
    return fail(ErrorKind::kInvalid, "its output is no JSON object");
  }
  if (text_of(document, "kind") != "ExecCredential") {
    return fail(ErrorKind::kInvalid, "its output is not of kind ExecCredential");
  }
  if (text_of(document, "apiVersion") != api_version) {
    return fail(ErrorKind::kInvalid, fmt::format("its output has apiVersion {}, the kubeconfig asks for {}",
                                                 base::quoted(text_of(document, "apiVersion")), api_version));
  }
  const auto status = document.find("status");
  if (status == document.end() || !status->is_object()) {
    return fail(ErrorKind::kInvalid, "its output has no status");
  }
  ExecCredential credential;
  credential.token = text_of(*status, "token");
  http::ClientIdentity identity{text_of(*status, "clientCertificateData"), text_of(*status, "clientKeyData")};
  if (identity.certificate.empty() != identity.key.empty()) {
    return fail(ErrorKind::kInvalid, "its output has only one of clientCertificateData and clientKeyData");
  }
  if (!identity.certificate.empty()) {
    credential.identity = std::move(identity);
  }
  if (credential.token.empty() && !credential.identity) {
    return fail(ErrorKind::kInvalid, "its output has neither a token nor a certificate");
  }
  if (credential.token.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    return fail(ErrorKind::kInvalid, "its token holds a line break");
  }
  if (const std::string expires = text_of(*status, "expirationTimestamp"); !expires.empty()) {
    const auto time = base::parse_rfc3339(expires);
    if (!time) {
      return base::unexpected(time.error().with_context("expirationTimestamp"));
    }
    credential.expires = *time;
  }
  return credential;
}

base::Result<ExecCredential> run_exec_plugin(const ExecSpec& spec, const std::vector<std::string>& environment,
                                             base::Clock& clock, const std::stop_token& stop) {
  json info = {{"apiVersion", spec.api_version}, {"kind", "ExecCredential"}, {"spec", {{"interactive", false}}}};
  if (!spec.cluster_info.empty()) {
    info["spec"]["cluster"] = json::parse(spec.cluster_info, nullptr, false);
  }
  std::vector<std::pair<std::string, std::string>> added = spec.env;
  added.emplace_back("KUBERNETES_EXEC_INFO", info.dump());
  std::vector<std::string> variables = environment;
  for (const auto& [name, value] : added) {
    std::erase_if(variables, [&](const std::string& entry) { return entry.starts_with(name + "="); });
    variables.push_back(name + "=" + value);
  }

  auto out = make_pipe();
  auto err = make_pipe();
  if (!out || !err) {
    return base::unexpected(out ? err.error() : out.error());
  }
  const base::SteadyTime deadline = base::after(clock.now(), spec.time_limit);  // before anything of it can run
  const auto child = spawn(spec, std::move(variables), out->write.get(), err->write.get());
  if (!child) {
    return base::unexpected(child.error());
  }
  out->write.close();
  err->write.close();
  const auto finished = collect(spec, *child, std::move(out->read), std::move(err->read), clock, deadline, stop);
  if (!finished) {
    return base::unexpected(finished.error());
  }
  const std::string said(base::trim(finished->err));
  if (!said.empty()) {
    kLog.warn("exec plugin wrote to standard error", {{"command", spec.command}, {"stderr", said}});
  }
  if (!WIFEXITED(finished->status) || WEXITSTATUS(finished->status) != 0) {
    const std::string how = WIFEXITED(finished->status) ? fmt::format("exit status {}", WEXITSTATUS(finished->status))
                                                        : fmt::format("signal {}", WTERMSIG(finished->status));
    return fail(ErrorKind::kIo, fmt::format("exec plugin {} failed with {}{}{}", base::quoted(spec.command), how,
                                            spec.install_hint.empty() ? "" : ": ",
                                            base::truncate_utf8(spec.install_hint, 300)));
  }
  auto credential = spec.parse(finished->out, spec.api_version);
  if (!credential) {
    return base::unexpected(credential.error().with_context(fmt::format("exec plugin {}", base::quoted(spec.command))));
  }
  return credential;
}

}  // namespace shutdown_auditor::kube
