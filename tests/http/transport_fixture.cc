#include "http/transport_fixture.h"

#include <gtest/gtest.h>

namespace shutdown_auditor::http {

TransportOptions plain_options(const testing_support::FaultServer& server) {
  TransportOptions options;
  options.scheme = "http";
  options.host = "127.0.0.1";
  options.port = server.port();
  return options;
}

TransportOptions tls_options(const testing_support::FaultServer& server, const std::string& ca_pem) {
  TransportOptions options = plain_options(server);
  options.scheme = "https";
  options.tls = [ca_pem]() -> base::Result<TlsMaterial> { return TlsMaterial{ca_pem, {}}; };
  return options;
}

std::unique_ptr<Transport> make_transport(TransportOptions options) {
  auto made = make_cpprest_transport(std::move(options));
  if (!made) {
    ADD_FAILURE() << made.error().message;
    return nullptr;
  }
  return *std::move(made);
}

Request make_request(Method method, std::string target, std::string body, std::string content_type) {
  Request request;
  request.method = method;
  request.target = std::move(target);
  request.body = std::move(body);
  if (!content_type.empty()) {
    request.headers.add("Content-Type", std::move(content_type));
  }
  return request;
}

base::Cancellation patient() { return within(std::chrono::seconds(30)); }

base::Cancellation within(std::chrono::milliseconds limit) { return {{}, base::system_clock().now() + limit}; }

std::string text_of(const TransportError& error) { return std::string(to_string(error.kind)) + ": " + error.message; }

std::string outcome_of(Transport& transport, const Request& request, const base::Cancellation& cancel) {
  const auto response = transport.send(request, cancel);
  return response ? std::to_string(response->status) : text_of(response.error());
}

std::string read_to_end(BodyReader& body, const base::Cancellation& cancel) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const auto got = body.read(buffer, cancel);
    if (!got) {
      return text + "<" + std::string(to_string(got.error().kind)) + ">";
    }
    if (*got == 0) {
      return text + "<end>";
    }
    text.append(buffer, *got);
  }
}

}  // namespace shutdown_auditor::http
