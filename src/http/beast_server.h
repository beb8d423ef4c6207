#pragma once

#include <memory>

#include "http/server.h"

namespace shutdown_auditor::http {

// A Server over Boost.Beast: one thread with its own event loop, so that health answers do not depend on anything else
// in the process. Every state of a connection has a time limit. Responses carry X-Content-Type-Options: nosniff. A
// request with a body is answered (413, or 405 for a method other than GET and HEAD) and its connection closed.
std::unique_ptr<Server> make_beast_server(ServerOptions options);

}  // namespace shutdown_auditor::http
