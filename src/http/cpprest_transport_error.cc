#include "http/cpprest_transport_error.h"

#include <cpprest/http_msg.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <system_error>

namespace shutdown_auditor::http {
namespace {

enum class Phase { kResolve, kConnect, kProxy, kHandshake, kWrite, kHead, kBody, kSyntax, kUnknown };

struct KnownText {
  std::string_view begins;
  Phase phase;
};

// Longer texts before their own prefixes.
constexpr KnownText kTexts[] = {
    {"Error resolving proxy address", Phase::kProxy},
    {"Failed to connect to any resolved proxy endpoint", Phase::kProxy},
    {"Failed to send connect request to proxy", Phase::kProxy},
    {"Invalid HTTP status line during proxy connection", Phase::kProxy},
    {"Expected a 200 response from proxy", Phase::kProxy},
    {"Failed to read HTTP status line from proxy", Phase::kProxy},
    {"Error resolving address", Phase::kResolve},
    {"Failed to resolve address", Phase::kResolve},
    {"Failed to connect to any resolved endpoint", Phase::kConnect},
    {"Request canceled by user", Phase::kConnect},
    {"Error in SSL handshake", Phase::kHandshake},
    {"Failed to write request", Phase::kWrite},
    {"Failed to read HTTP status line", Phase::kHead},
    {"Invalid HTTP status line", Phase::kSyntax},
    {"Invalid chunked response header", Phase::kSyntax},
    {"Failed to read chunked response part", Phase::kBody},
    {"Retrieving message chunk header", Phase::kBody},
    {"Failed to read response body", Phase::kBody},
};

Phase phase_of(std::string_view text) {
  for (const KnownText& known : kTexts) {
    if (text.starts_with(known.begins)) {
      return known.phase;
    }
  }
  return Phase::kUnknown;
}

std::string_view words_of(Phase phase) {
  switch (phase) {
    case Phase::kResolve:
      return "resolve";
    case Phase::kConnect:
      return "connect";
    case Phase::kProxy:
      return "proxy";
    case Phase::kHandshake:
      return "TLS handshake";
    case Phase::kWrite:
      return "send request";
    case Phase::kHead:
      return "read response head";
    case Phase::kBody:
      return "read response body";
    case Phase::kSyntax:
    case Phase::kUnknown:
      break;
  }
  return "HTTP";
}

// Packed OpenSSL errors carry a library number above any errno.
bool is_openssl(int code) { return code > 0 && ERR_GET_LIB(static_cast<unsigned long>(code)) != 0; }

// An alert of the peer during or just after the handshake: with TLS 1.3 the refusal of a client certificate arrives
// when the first response is read.
bool is_alert(int code) {
  return is_openssl(code) && ERR_GET_LIB(static_cast<unsigned long>(code)) == ERR_LIB_SSL &&
         ERR_GET_REASON(static_cast<unsigned long>(code)) >= SSL_AD_REASON_OFFSET;
}

std::string cause_of(Phase phase, int code, const std::string& refusal) {
  if (is_openssl(code)) {
    if (ERR_GET_REASON(static_cast<unsigned long>(code)) == SSL_R_CERTIFICATE_VERIFY_FAILED && !refusal.empty()) {
      return "certificate refused: " + refusal;
    }
    const char* reason = ERR_reason_error_string(static_cast<unsigned long>(code));
    return reason == nullptr ? fmt::format("OpenSSL error {:#x}", code) : reason;
  }
  if (phase == Phase::kResolve) {
    return "the name cannot be resolved";
  }
  // The library turns ECONNREFUSED and EPIPE into EHOSTUNREACH.
  if (code == EHOSTUNREACH) {
    return phase == Phase::kConnect ? "connection refused or host unreachable" : "connection closed by the server";
  }
  if (code == 1 || code == 2 || code == ECONNABORTED) {  // Boost's "end of file" and "stream truncated"
    return "connection closed by the server";
  }
  return code == 0 ? std::string("not valid HTTP") : std::generic_category().message(code);
}

TransportErrorKind kind_of(Phase phase, int code) {
  if (code == ETIMEDOUT) {
    return TransportErrorKind::kTimeout;
  }
  if (code == ECANCELED) {
    return TransportErrorKind::kCancelled;
  }
  switch (phase) {
    case Phase::kResolve:
    case Phase::kConnect:
    case Phase::kProxy:
      return TransportErrorKind::kConnect;
    case Phase::kHandshake:
      return is_openssl(code) ? TransportErrorKind::kTls : TransportErrorKind::kConnect;
    case Phase::kWrite:
    case Phase::kHead:
    case Phase::kBody:
      return is_alert(code) ? TransportErrorKind::kTls : TransportErrorKind::kReset;
    case Phase::kSyntax:
    case Phase::kUnknown:
      break;
  }
  return TransportErrorKind::kProtocol;
}

Failure of_http_exception(const web::http::http_exception& failure, const std::string& server,
                          const std::string& refusal) {
  const std::string text = failure.what();
  const int code = failure.error_code().value();
  const Phase phase = phase_of(text);
  Failure result;
  result.error.kind = kind_of(phase, code);
  const bool before_request = phase == Phase::kResolve || phase == Phase::kConnect || phase == Phase::kProxy ||
                              phase == Phase::kHandshake || result.error.kind == TransportErrorKind::kTls;
  result.error.sent = !before_request;
  if (phase == Phase::kProxy || phase == Phase::kUnknown || phase == Phase::kSyntax) {
    result.error.message = fmt::format("{}: {}", server, text);
  } else {
    result.error.message = fmt::format("{}: {}: {}", server, words_of(phase), cause_of(phase, code, refusal));
  }
  const bool dead = code == ECONNRESET || code == EPIPE || code == ECONNABORTED || code == EHOSTUNREACH;
  result.stale_connection = dead && (phase == Phase::kWrite || phase == Phase::kHead);
  return result;
}

}  // namespace

Failure describe_failure(const std::exception_ptr& exception, const std::string& server, const std::string& refusal) {
  try {
    std::rethrow_exception(exception);
  } catch (const web::http::http_exception& failure) {
    return of_http_exception(failure, server, refusal);
  } catch (const TlsMaterialFailure& failure) {
    return {{TransportErrorKind::kTls, fmt::format("{}: {}", server, failure.what()), false}, false};
  } catch (const std::exception& failure) {
    return {{TransportErrorKind::kProtocol, fmt::format("{}: {}", server, failure.what()), true}, false};
  } catch (...) {
    return {{TransportErrorKind::kProtocol, server + ": unknown failure of the HTTP library", true}, false};
  }
}

}  // namespace shutdown_auditor::http
