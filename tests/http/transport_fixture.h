#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "http/cpprest_transport.h"
#include "support/fault_server.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::http {

// Options for a plain or TLS fault server.
TransportOptions plain_options(const testing_support::FaultServer& server);
TransportOptions tls_options(const testing_support::FaultServer& server, const std::string& ca_pem);

// Fails the test and returns null for options that are refused.
std::unique_ptr<Transport> make_transport(TransportOptions options);

Request make_request(Method method, std::string target, std::string body = {}, std::string content_type = {});

// The deadline every call of these tests has that should not end by one: longer than any of them takes.
base::Cancellation patient();
base::Cancellation within(std::chrono::milliseconds limit);

// The status of one GET of "/", or the failure as text: "200" or "Tls: 127.0.0.1:1: …".
std::string outcome_of(Transport& transport, const Request& request = make_request(Method::kGet, "/"),
                       const base::Cancellation& cancel = patient());
std::string text_of(const TransportError& error);

// The rest of the body, then "<end>" or "<Kind>".
std::string read_to_end(BodyReader& body, const base::Cancellation& cancel = patient());

}  // namespace shutdown_auditor::http
