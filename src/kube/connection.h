#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "kube/client.h"
#include "kube/config.h"

namespace shutdown_auditor::kube {

using TransportFactory = std::function<base::Result<std::unique_ptr<http::Transport>>(http::TransportOptions)>;

// A client and all it stands on: credentials, TLS files, transport. Safe from any thread; the watch streams it gave out
// must be destroyed before it. Keeps references to clock, random and observer.
class Connection {
 public:
  // Reads and checks the TLS files and makes the transport; no connection is opened yet. The error is one line of at
  // most 300 bytes.
  static base::Result<std::unique_ptr<Connection>> open(ClientConfig config, ClientOptions options, base::Clock& clock,
                                                        base::Random& random, ClientObserver& observer);
  // The same over another transport.
  static base::Result<std::unique_ptr<Connection>> open(ClientConfig config, ClientOptions options, base::Clock& clock,
                                                        base::Random& random, ClientObserver& observer,
                                                        const TransportFactory& factory);

  Api& api() { return *client_; }
  const std::string& name_space() const { return name_space_; }
  const Endpoint& endpoint() const { return endpoint_; }
  // Times that rotated TLS files could not be used.
  std::uint64_t tls_file_failures() const { return tls_files_->failures(); }

 private:
  Connection() = default;

  std::string name_space_;
  Endpoint endpoint_;
  std::unique_ptr<Credentials> credentials_;
  std::unique_ptr<TlsFileSource> tls_files_;
  std::unique_ptr<http::Transport> transport_;  // uses the two above
  std::unique_ptr<Client> client_;              // uses all three
};

}  // namespace shutdown_auditor::kube
