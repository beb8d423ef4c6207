#include "kube/client.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "kube/status_error.h"
#include "kube/stream.h"
#include "objects/json_source.h"

namespace shutdown_auditor::kube {
namespace {

constexpr base::Logger kLog{"kube"};
constexpr base::Duration kLoggedWait = std::chrono::seconds(1);
constexpr std::size_t kMaxWarnings = 256;
constexpr std::size_t kMaxErrorBody = 64U << 10U;
// The API server sends a list item by item; half of what the reader's buffer holds is worth waking it.
constexpr std::size_t kListPieceBytes = 32U << 10U;

std::string target_of(const std::string& path, const Query& query) {
  std::string target = path;
  char separator = '?';
  for (const auto& [name, value] : query) {
    target += fmt::format("{}{}={}", separator, percent_encode(name), percent_encode(value));
    separator = '&';
  }
  return target;
}

std::string_view verb_of(http::Method method) {
  switch (method) {
    case http::Method::kGet: return "get";
    case http::Method::kPost: return "create";
    case http::Method::kPut: return "update";
    case http::Method::kPatch: return "patch";
    case http::Method::kDelete: return "delete";
  }
  return "call";
}

bool is_json(const http::Headers& headers) {
  const std::string* type = headers.find("Content-Type");
  return type && base::to_lower(base::trim(base::split(*type, ';')[0])) == "application/json";
}

Error not_json(std::string_view what, const http::Headers& headers) {
  const std::string* type = headers.find("Content-Type");
  return Error{.kind = ErrorKind::kProtocol,
               .message = fmt::format("{}: the answer is {}, not application/json", what,
                                      type ? base::quoted(*type) : "of no content type"),
               .code = 200};
}

Error stopped(std::string_view what) {
  return Error{.kind = ErrorKind::kCancelled, .message = fmt::format("{}: stopped", what)};
}

// Failures before the request left: `cancel` or the credentials.
Error credential_error(std::string_view what, const base::Error& failure) {
  const ErrorKind kind = failure.kind == base::ErrorKind::kCancelled ? ErrorKind::kCancelled
                         : failure.kind == base::ErrorKind::kTimeout ? ErrorKind::kTimeout
                                                                     : ErrorKind::kUnauthorized;
  return Error{.kind = kind, .message = fmt::format("{}: {}", what, failure.message)};
}

// What the server said in an unsuccessful streamed answer.
std::string read_error_body(http::BodyReader& body, const base::Cancellation& cancel) {
  std::string text(kMaxErrorBody, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto got = body.read(std::span(text).subspan(size), cancel);
    if (!got || *got == 0) {
      break;
    }
    size += *got;
  }
  text.resize(size);
  return text;
}

}  // namespace

std::string user_agent(std::string_view name, std::string_view version, std::string_view component) {
#if defined(__x86_64__)
  constexpr std::string_view kArchitecture = "amd64";
#elif defined(__aarch64__)
  constexpr std::string_view kArchitecture = "arm64";
#else
  constexpr std::string_view kArchitecture = "other";
#endif
  return fmt::format("{}/{} (linux/{}) {}", name, version, kArchitecture, component);
}

Client::Client(http::Transport& transport, Credentials& credentials, ClientOptions options, base::Clock& clock,
               base::Random& random, ClientObserver& observer)
    : transport_(transport), credentials_(credentials), options_(std::move(options)), clock_(clock), random_(random),
      observer_(observer), limiter_(options_.qps, options_.burst, clock) {}

bool Client::explicit_authorization() const { return options_.headers.find("Authorization") != nullptr; }

Result<http::Headers> Client::headers(const ApiRequest& request, const base::Cancellation& cancel) {
  http::Headers headers = options_.headers;
  headers.add("Accept", "application/json");
  if (!options_.user_agent.empty()) {
    headers.add("User-Agent", options_.user_agent);
  }
  if (!request.content_type.empty()) {
    headers.add("Content-Type", request.content_type);
  }
  if (!explicit_authorization()) {
    const auto token = credentials_.token(cancel);
    if (!token) {
      return base::unexpected(credential_error("credentials", token.error()));
    }
    if (!token->empty()) {
      headers.add("Authorization", "Bearer " + *token);
    }
  }
  return headers;
}

Result<void> Client::take_turn(std::string_view what, const base::Cancellation& cancel) {
  auto waited = limiter_.acquire(cancel);
  if (!waited) {
    waited.error().message = fmt::format("{}: {}", what, waited.error().message);
    return base::unexpected(waited.error());
  }
  observer_.rate_limited(*waited);
  if (*waited > kLoggedWait) {
    kLog.info("request waited for the client-side rate limit",
              {{"request", what}, {"seconds", std::chrono::duration<double>(*waited).count()}});
  }
  return {};
}

void Client::log_warnings(const http::Headers& headers) {
  for (const auto& [name, value] : headers.all()) {
    if (base::to_lower(name) != "warning") {
      continue;
    }
    // `299 - "text"`, several joined by commas (RFC 7234 §5.5): the quoted parts are the texts.
    for (std::size_t open = value.find('"'); open != std::string::npos;) {
      std::string text;
      std::size_t i = open + 1;
      for (; i < value.size() && value[i] != '"'; ++i) {
        i += value[i] == '\\' && i + 1 < value.size() ? 1 : 0;
        text += value[i];
      }
      open = i < value.size() ? value.find('"', i + 1) : std::string::npos;
      bool fresh = false;
      {
        const std::lock_guard lock(warnings_mutex_);
        fresh = warnings_.size() < kMaxWarnings && warnings_.insert(text).second;
      }
      if (fresh) {
        kLog.warn("warning from the API server", {{"warning", base::truncate_utf8(text, 256)}});
      }
    }
  }
}

struct Client::Attempt {
  Result<ApiResponse> result;
  int code = 0;
  bool lost = false;  // the connection broke in use
  bool sent = false;  // bytes of the request may have reached the server
};

Client::Attempt Client::attempt(const std::string& what, const ApiRequest& request, const http::Request& wire,
                                const base::Cancellation& cancel) {
  const std::string_view method = http::to_string(request.method);
  const base::SteadyTime began = clock_.now();
  auto response = transport_.send(wire, cancel);
  observer_.attempt(method, response ? response->status : 0, clock_.now() - began);
  if (!response) {
    const http::TransportError& failure = response.error();
    return {base::unexpected(error_of_transport(what, failure)), 0,
            failure.kind == http::TransportErrorKind::kReset, failure.sent};
  }
  log_warnings(response->headers);
  observer_.response_size(method, response->body.size());
  const int code = response->status;
  if (code < 200 || code > 299) {
    return {base::unexpected(error_of_response(what, code, response->headers, response->body, clock_.wall_now())),
            code};
  }
  if (!response->body.empty() && !is_json(response->headers)) {
    return {base::unexpected(not_json(what, response->headers)), code};
  }
  return {ApiResponse{code, std::move(response->body)}, code};
}

Result<ApiResponse> Client::call(const ApiRequest& request, const base::Cancellation& caller) {
  const std::string what = describe(verb_of(request.method), request.path);
  base::Cancellation cancel = caller;
  if (cancel.deadline == base::kNever) {
    cancel = cancel.limited(clock_.now(), options_.call_limit);
  }
  bool renewed = false;
  base::Backoff backoff(options_.backoff, clock_, random_);
  for (int number = 1;; ++number) {
    if (const auto turn = take_turn(what, cancel); !turn) {
      return base::unexpected(turn.error());
    }
    auto sent_headers = headers(request, cancel);
    if (!sent_headers) {
      return base::unexpected(sent_headers.error());
    }
    const http::Request wire{request.method, target_of(request.path, request.query), *std::move(sent_headers),
                             request.body};
    const base::SteadyTime started = clock_.now();
    Attempt done = attempt(what, request, wire, cancel);
    if (done.result) {
      return std::move(done.result);
    }
    const Error& error = done.result.error();
    const bool hand_back = error.code == 429 && !request.wait_when_throttled;
    if (number >= options_.max_attempts || cancel.stop_requested() || hand_back) {
      return std::move(done.result);
    }
    base::Duration wait{};
    if (error.kind == ErrorKind::kUnauthorized) {
      if (renewed || explicit_authorization() || !credentials_.invalidate(started)) {
        return std::move(done.result);
      }
      renewed = true;
    } else {
      const bool server_said_when = error.retry_after.has_value();
      const bool retryable_code =
          error.code == 429 || error.code == 503 || error.code == 504 || (error.code >= 500 && server_said_when);
      const bool retry = request.idempotent
                             ? retryable_code || done.lost
                             : (error.code == 429 && server_said_when) || (done.lost && !done.sent);
      if (!retry) {
        return std::move(done.result);
      }
      wait = server_said_when ? *error.retry_after : backoff.next();
      if (base::after(clock_.now(), wait) >= cancel.deadline) {
        return std::move(done.result);
      }
    }
    observer_.retry(http::to_string(request.method), done.code);
    if (!clock_.sleep_for(wait, cancel.stop)) {
      return base::unexpected(stopped(what));
    }
  }
}

Result<http::StreamResponse> Client::open(std::string_view verb, const std::string& what, const std::string& path,
                                          const Query& query, std::size_t wake_bytes, const base::Cancellation& cancel) {
  for (bool renewed = false;; renewed = true) {
    auto sent_headers = headers({}, cancel);
    if (!sent_headers) {
      return base::unexpected(sent_headers.error());
    }
    const base::SteadyTime started = clock_.now();
    auto response = transport_.open({http::Method::kGet, target_of(path, query), *std::move(sent_headers), "", wake_bytes},
                                    cancel);
    observer_.attempt(verb, response ? response->status : 0, clock_.now() - started);
    if (!response) {
      return base::unexpected(error_of_transport(what, response.error()));
    }
    log_warnings(response->headers);
    if (response->status == 200) {
      return is_json(response->headers) ? Result<http::StreamResponse>(*std::move(response))
                                        : base::unexpected(not_json(what, response->headers));
    }
    const std::string body = read_error_body(*response->body, cancel.limited(clock_.now(), options_.list_idle_limit));
    if (response->status != 401 || renewed || explicit_authorization() || !credentials_.invalidate(started)) {
      return base::unexpected(
          error_of_response(what, response->status, response->headers, body, clock_.wall_now()));
    }
    observer_.retry(verb, 401);
  }
}

Result<objects::ListMeta> Client::list(const Resource& resource, const ListOptions& options, objects::ItemSink& sink,
                                       const base::Cancellation& cancel) {
  const std::string path = path_of(resource, options.name_space);
  const std::string what = describe("list", path);
  Query query;
  const auto add = [&query](const char* name, const std::string& value) {
    if (!value.empty()) {
      query.emplace_back(name, value);
    }
  };
  add("labelSelector", options.label_selector);
  add("fieldSelector", options.field_selector);
  // The continue token holds its version: sending both is refused.
  if (options.resource_version && options.continue_token.empty()) {
    query.emplace_back("resourceVersion", *options.resource_version);
  }
  add("limit", options.limit > 0 ? std::to_string(options.limit) : "");
  add("continue", options.continue_token);

  if (const auto turn = take_turn(what, cancel); !turn) {
    return base::unexpected(turn.error());
  }
  auto response = open("LIST", what, path, query, kListPieceBytes, cancel.limited(clock_.now(), options_.list_idle_limit));
  if (!response) {
    return base::unexpected(response.error());
  }
  StreamedBody body(*response->body, what, cancel, options_.list_idle_limit, clock_);
  objects::ListDecoder decoder(sink);
  const auto parsed = objects::parse_json(body, decoder);
  observer_.response_size("LIST", body.bytes());
  if (body.failure()) {
    return base::unexpected(*body.failure());
  }
  const auto meta = parsed ? decoder.take() : base::Result<objects::ListMeta>(base::unexpected(parsed.error()));
  if (!meta) {
    return base::unexpected(Error{
        .kind = ErrorKind::kProtocol, .message = fmt::format("{}: {}", what, meta.error().message), .code = 200});
  }
  return *meta;
}

Result<std::unique_ptr<WatchStream>> Client::watch(const Resource& resource, const WatchOptions& options,
                                                   const base::Cancellation& cancel) {
  const std::string path = path_of(resource, options.name_space);
  const std::string what = describe("watch", path);
  Query query = {{"watch", "true"},
                 {"allowWatchBookmarks", "true"},
                 {"resourceVersion", options.resource_version},
                 {"timeoutSeconds", std::to_string(options.timeout_seconds)}};
  if (!options.label_selector.empty()) {
    query.emplace_back("labelSelector", options.label_selector);
  }
  if (!options.field_selector.empty()) {
    query.emplace_back("fieldSelector", options.field_selector);
  }
  auto response = open("WATCH", what, path, query, 1, cancel);
  if (!response) {
    return base::unexpected(response.error());
  }
  return std::unique_ptr<WatchStream>(
      std::make_unique<LineStream>(std::move(response->body), what, options_.max_watch_line_bytes));
}

Result<bool> serves(Api& api, const Resource& resource, const base::Cancellation& cancel) {
  const std::string path = (resource.group.empty() ? "/api/" : "/apis/" + percent_encode(resource.group) + "/") +
                           percent_encode(resource.version);
  const auto response = api.call({.path = path, .idempotent = true}, cancel);
  if (!response) {
    return response.error().kind == ErrorKind::kNotFound ? Result<bool>(false) : base::unexpected(response.error());
  }
  const auto document = nlohmann::json::parse(response->body, nullptr, false);
  const auto resources = document.is_object() ? document.find("resources") : document.end();
  if (!document.is_object() || resources == document.end() || !resources->is_array()) {
    return base::unexpected(Error{.kind = ErrorKind::kProtocol,
                                  .message = fmt::format("get {}: the answer is no APIResourceList", path),
                                  .code = response->code});
  }
  return std::any_of(resources->begin(), resources->end(), [&](const nlohmann::json& entry) {
    return entry.is_object() && entry.contains("name") && entry.at("name") == resource.plural;
  });
}

}  // namespace shutdown_auditor::kube
