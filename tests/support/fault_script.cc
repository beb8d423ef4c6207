// The building blocks of fault server scripts, and what handlers see.
#include <fmt/format.h>
#include <strings.h>

#include <algorithm>

#include "support/fault_server.h"

namespace shutdown_auditor::testing_support {
namespace {

Step step_of(Step::Kind kind) {
  Step step;
  step.kind = kind;
  return step;
}

std::string head(int status, const HeaderList& headers, const std::string& framing) {
  std::string text = fmt::format("HTTP/1.1 {} Status\r\n", status);
  const bool typed = std::any_of(headers.begin(), headers.end(), [](const auto& field) {
    return ::strcasecmp(field.first.c_str(), "Content-Type") == 0;
  });
  if (!typed) {
    text += "Content-Type: application/json\r\n";
  }
  for (const auto& [name, value] : headers) {
    text += fmt::format("{}: {}\r\n", name, value);
  }
  return text + framing + "\r\n\r\n";
}

}  // namespace

void Gate::open() {
  {
    const std::lock_guard lock(mutex_);
    open_ = true;
  }
  changed_.notify_all();
}

bool Gate::wait(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  return changed_.wait(lock, stop, [this] { return open_; });
}

std::string SeenRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key.size() == name.size() && ::strncasecmp(key.data(), name.data(), name.size()) == 0) {
      return value;
    }
  }
  return {};
}

std::string SeenRequest::path() const { return target.substr(0, target.find('?')); }

std::string SeenRequest::query() const {
  const std::size_t mark = target.find('?');
  return mark == std::string::npos ? std::string() : target.substr(mark + 1);
}

Step send_bytes(std::string bytes) {
  Step step;
  step.bytes = std::move(bytes);
  return step;
}

Step drip(std::string bytes, std::size_t piece, std::chrono::milliseconds pause) {
  Step step = step_of(Step::Kind::kDrip);
  step.bytes = std::move(bytes);
  step.piece = std::max<std::size_t>(piece, 1);
  step.pause = pause;
  return step;
}

Step wait_for(Gate& gate) {
  Step step = step_of(Step::Kind::kWait);
  step.gate = &gate;
  return step;
}

Step stall() { return step_of(Step::Kind::kStall); }
Step reset_connection() { return step_of(Step::Kind::kReset); }
Step close_connection() { return step_of(Step::Kind::kClose); }
Step abandon() { return step_of(Step::Kind::kAbandon); }
Step start_tls() { return step_of(Step::Kind::kStartTls); }

Script respond(int status, std::string_view body, const HeaderList& headers) {
  return {send_bytes(head(status, headers, fmt::format("Content-Length: {}", body.size())) + std::string(body))};
}

Script respond_chunked(const std::vector<std::string>& chunks, const HeaderList& headers, int status) {
  Script script{send_bytes(chunked_head(status, headers))};
  for (const std::string& data : chunks) {
    script.push_back(send_bytes(chunk(data)));
  }
  script.push_back(send_bytes(last_chunk()));
  return script;
}

std::string chunked_head(int status, const HeaderList& headers) {
  return head(status, headers, "Transfer-Encoding: chunked");
}

std::string chunk(std::string_view data) { return fmt::format("{:x}\r\n{}\r\n", data.size(), data); }

std::string last_chunk() { return "0\r\n\r\n"; }

std::vector<std::string> pieces_of(std::string_view text, std::size_t size) {
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < text.size(); at += size) {
    pieces.emplace_back(text.substr(at, size));
  }
  return pieces;
}

Script operator+(Script left, const Script& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Script operator+(Script left, Step right) {
  left.push_back(std::move(right));
  return left;
}

}  // namespace shutdown_auditor::testing_support
