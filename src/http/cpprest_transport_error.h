#pragma once

// Internal to cpprest_transport*.cc.

#include <exception>
#include <stdexcept>
#include <string>

#include "http/transport.h"

namespace shutdown_auditor::http {

// Thrown through the library when TLS material is refused, so that the text survives.
class TlsMaterialFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A failed exchange in our terms.
struct Failure {
  TransportError error;
  // The connection was dead when the request was written or before the first byte of the answer: what a pooled
  // connection looks like that the server has closed meanwhile.
  bool stale_connection = false;
};

// Sorts an exception of cpprestsdk 2.10.18. The library tells the phase in the text of the exception and the cause in
// a number that means different things in different phases; both are looked at here and nowhere else. An unknown text
// is a kProtocol error that may have been sent. `refusal` is the reason of the latest refused certificate.
Failure describe_failure(const std::exception_ptr& exception, const std::string& server, const std::string& refusal);

}  // namespace shutdown_auditor::http
