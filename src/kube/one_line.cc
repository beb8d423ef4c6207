#include "kube/one_line.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace shutdown_auditor::kube {
namespace {

std::string without_control(std::string_view text) {
  std::string line(text);
  std::replace_if(line.begin(), line.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  return line;
}

// The end of `text` after "…", at most `max_bytes`.
std::string keep_end(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) {
    return std::string(text);
  }
  std::string_view end = text.substr(text.size() - (max_bytes > 3 ? max_bytes - 3 : 0));
  while (!end.empty() && (static_cast<unsigned char>(end.front()) & 0xC0U) == 0x80U) {
    end.remove_prefix(1);
  }
  return fmt::format("…{}", end);
}

struct Advice {
  std::string what;
  std::string remedy;
};

Advice advice_for(const Error& error, const Endpoint& endpoint) {
  const bool in_cluster = endpoint.context.empty();
  switch (error.kind) {
    case ErrorKind::kForbidden:
      return {error.message, "grant it with RBAC"};
    case ErrorKind::kUnauthorized:
      return {"credentials refused (401)", in_cluster ? "is the service account's token current?"
                                                      : "renew the user's token or certificate"};
    case ErrorKind::kTls:
      if (error.message.find("expired") != std::string::npos) {
        return {error.message, "renew it, or correct this machine's clock"};
      }
      return {error.message, in_cluster ? "check ca.crt of the service account"
                                        : "check certificate-authority or tls-server-name"};
    case ErrorKind::kUnavailable:
      if (error.code == 0) {
        return {error.message, "is the server running and reachable?"};
      }
      return {error.message, "the server is not well; try again"};
    case ErrorKind::kTimeout:
      return {error.message, "is the server reachable?"};
    case ErrorKind::kTooManyRequests:
      return {error.message, "try again later"};
    case ErrorKind::kProtocol:
      return {error.message, "is this a Kubernetes API server?"};
    case ErrorKind::kNotFound:
      return {error.message, "is it installed?"};
    default:
      return {error.message, ""};
  }
}

}  // namespace

std::string one_line(std::string_view place, std::string_view what, std::string_view remedy) {
  const std::string where = without_control(place);
  const std::string words = without_control(what);
  const std::string tail = remedy.empty() ? std::string() : "; " + without_control(remedy);
  const std::size_t room = kOneLineBytes - std::min(kOneLineBytes, tail.size() + 2);
  // Each may have half; what one does not need goes to the other.
  const std::size_t where_room = std::max(room / 2, room - std::min(room, words.size()));
  const std::string shown_where = keep_end(where, where_room);
  const std::string shown_words = base::truncate_utf8(words, room - std::min(room, shown_where.size()));
  return base::truncate_utf8(fmt::format("{}: {}{}", shown_where, shown_words, tail), kOneLineBytes);
}

std::string one_line(const Error& error, const Endpoint& endpoint) {
  const Advice advice = advice_for(error, endpoint);
  const std::string place = endpoint.context.empty()
                                ? endpoint.server
                                : fmt::format("{} (context {} of {})", keep_end(endpoint.server, 60),
                                              base::quoted(endpoint.context, 32), keep_end(endpoint.source, 40));
  return one_line(place, advice.what, advice.remedy);
}

}  // namespace shutdown_auditor::kube
