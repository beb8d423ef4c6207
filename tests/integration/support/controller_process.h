#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace shutdown_auditor::testing_support {

struct HttpAnswer {
  int status = 0;  // 0: no answer
  std::string body;
};

// `shutdown-auditor controller` as a process of its own: the binary that was built beside the tests, both servers on
// ports that the system chooses, JSON logs in a file. Failures to start are test failures. For one thread.
class ControllerProcess {
 public:
  // Starts it; returns before it is ready. `args` are added to those named above and win over them.
  static std::unique_ptr<ControllerProcess> start(const std::string& kubeconfig, std::vector<std::string> args = {});
  // Where it was built.
  static std::string binary();
  // The program with these arguments only.
  static std::unique_ptr<ControllerProcess> run(std::vector<std::string> args,
                                                const std::map<std::string, std::string>& environment = {});
  // SIGKILL when it still runs. With KEEP_LOGS set in the environment the log file stays and its place is printed.
  ~ControllerProcess();
  ControllerProcess(const ControllerProcess&) = delete;
  ControllerProcess& operator=(const ControllerProcess&) = delete;

  // Everything it wrote so far (stdout and stderr).
  std::string output() const;
  // Its log lines so far; what is not JSON is left out.
  std::vector<nlohmann::json> logs() const;
  // Lines with this message that contain all of `fields`.
  std::vector<nlohmann::json> logs(const std::string& message, const nlohmann::json& fields = {}) const;
  // Waits for such a line; a test failure with the end of the output after 30 s, or when the process ends before.
  bool wait_for_log(const std::string& message, const nlohmann::json& fields = {}) const;

  void signal(int number) const;
  bool running() const;
  pid_t pid() const { return pid_; }
  // Exit status, 128 + signal number when a signal ended it; -1 and a test failure after `seconds`.
  int wait_exit(int seconds = 30);

  // GET from the health server (paths /livez, /readyz, /health) or the metrics server (/metrics).
  HttpAnswer http_get(const std::string& path) const;
  // The value of one series as /metrics prints it, for example `workqueue_depth{name="workload"}`: the sum of all series
  // whose text begins with `series`; 0 when there is none.
  double metric(const std::string& series) const;

 private:
  ControllerProcess() = default;
  int bound_port(const std::string& what) const;

  pid_t pid_ = -1;
  std::string log_path_;
  mutable int status_ = -1;  // known once it has been waited for
};

}  // namespace shutdown_auditor::testing_support
