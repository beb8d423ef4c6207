#include "kube/connection.h"

#include <functional>
#include <utility>

#include "http/cpprest_transport.h"
#include "kube/rotating_transport.h"

namespace shutdown_auditor::kube {

base::Result<std::unique_ptr<Connection>> Connection::open(ClientConfig config, ClientOptions options,
                                                           base::Clock& clock, base::Random& random,
                                                           ClientObserver& observer) {
  return open(std::move(config), std::move(options), clock, random, observer, http::make_cpprest_transport);
}

base::Result<std::unique_ptr<Connection>> Connection::open(ClientConfig config, ClientOptions options,
                                                           base::Clock& clock, base::Random& random,
                                                           ClientObserver& observer, const TransportFactory& factory) {
  std::unique_ptr<Connection> connection(new Connection);
  connection->name_space_ = std::move(config.name_space);
  connection->endpoint_ = std::move(config.endpoint);
  connection->credentials_ = std::move(config.credentials);
  connection->tls_files_ = std::make_unique<TlsFileSource>(std::move(config.tls_files), clock);
  Credentials* credentials = connection->credentials_.get();
  TlsFileSource* files = connection->tls_files_.get();
  const auto refuse = [&](const base::Error& error) {
    return base::fail(error.kind, one_line(connection->endpoint_.source, error.message, "correct it"));
  };

  http::TransportOptions transport = std::move(config.transport);
  RotatingTransport::Version version = [] { return std::uint64_t{1}; };
  if (transport.scheme == "https") {
    if (const auto checked = files->current(); !checked) {
      return refuse(checked.error());
    }
    transport.tls = [files, credentials]() -> base::Result<http::TlsMaterial> {
      auto material = files->current();
      if (material) {
        if (auto identity = credentials->identity()) {
          material->identity = std::move(identity);
        }
      }
      return material;
    };
    version = [files, credentials] {
      const auto identity = credentials->identity();
      const std::size_t own = identity ? std::hash<std::string>()(identity->certificate) : 0;
      return files->version() + std::uint64_t{own};
    };
  }
  // Made once here for its errors; again whenever the material changes.
  if (const auto tried = factory(transport); !tried) {
    return refuse(tried.error());
  }
  connection->transport_ = std::make_unique<RotatingTransport>(
      [factory, transport = std::move(transport)] { return factory(transport); }, std::move(version));
  for (const auto& [name, value] : config.headers.all()) {
    options.headers.add(name, value);
  }
  connection->client_ = std::make_unique<Client>(*connection->transport_, *credentials, std::move(options), clock,
                                                 random, observer);
  return connection;
}

}  // namespace shutdown_auditor::kube
