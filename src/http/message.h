#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shutdown_auditor::http {

enum class Method { kGet, kPost, kPut, kPatch, kDelete };
// "GET", …
std::string_view to_string(Method method);

// Header fields in the order sent. Names compare without case (RFC 9110 §5.1).
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  // The first value of that name, or nullptr; the pointer lives until the next add.
  const std::string* find(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// A request to the one server a Transport was made for.
struct Request {
  Method method = Method::kGet;
  std::string target = "/";  // path and query, already percent-encoded, beginning with '/'
  Headers headers;           // never Host: the transport owns it
  std::string body;          // sent with the Content-Type among `headers`
  // Of a streamed response, how many bytes wake a reader that waits: 1 where every line counts at once, more where only the
  // whole does. The end, a failure and the reader's deadline wake it as well.
  std::size_t wake_bytes = 1;
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
};

}  // namespace shutdown_auditor::http
