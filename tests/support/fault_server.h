#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/test_pki.h"

namespace shutdown_auditor::testing_support {

// A door a script waits at until the test opens it (for good). Safe from any thread; outlives the server that uses it.
class Gate {
 public:
  void open();
  // False when `stop` came first.
  bool wait(const std::stop_token& stop);

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool open_ = false;
};

// A request as it came over the wire.
struct SeenRequest {
  int connection = 0;  // 1 for the first accepted
  int number = 0;      // 1 for the first on that connection
  std::string method;
  std::string target;  // path and query, undecoded
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string server_name;     // SNI, empty without
  std::string client_subject;  // common name of the client certificate, empty without

  // The first value of that name (any case), or "".
  std::string header(std::string_view name) const;
  // `target` before and after the '?'.
  std::string path() const;
  std::string query() const;
};

// One thing the server does on a connection.
struct Step {
  enum class Kind { kSend, kDrip, kWait, kStall, kReset, kClose, kAbandon, kStartTls };
  Kind kind = Kind::kSend;
  std::string bytes;
  std::size_t piece = 0;
  std::chrono::milliseconds pause{0};
  Gate* gate = nullptr;
};
// What to do for one request, in order. After the last step the connection serves its next request.
using Script = std::vector<Step>;
using HeaderList = std::vector<std::pair<std::string, std::string>>;

Step send_bytes(std::string bytes);  // raw, in one write where the socket takes it
Step drip(std::string bytes, std::size_t piece, std::chrono::milliseconds pause);
Step wait_for(Gate& gate);
Step stall();             // silence until the client goes away or the server is destroyed
Step reset_connection();  // RST
Step close_connection();  // orderly: TLS close_notify, then FIN
Step abandon();           // FIN without close_notify
Step start_tls();         // goes on with TLS, as behind CONNECT; needs Options::start_plain

// A complete response with Content-Length. `headers` are added to Content-Type: application/json (replaced when among
// them).
Script respond(int status, std::string_view body, const HeaderList& headers = {});
// A 200 response sent in chunks, one write each, ended properly.
Script respond_chunked(const std::vector<std::string>& chunks, const HeaderList& headers = {}, int status = 200);
// The pieces of such a response for scripts of their own.
std::string chunked_head(int status = 200, const HeaderList& headers = {});
std::string chunk(std::string_view data);
std::string last_chunk();
// `text` in pieces of `size` bytes.
std::vector<std::string> pieces_of(std::string_view text, std::size_t size);
Script operator+(Script left, const Script& right);
Script operator+(Script left, Step right);

// An HTTP/1.1 server on a loopback port the system chooses, that does what a script says: correct responses and every
// kind of wrong one. Each connection has a thread. The destructor ends all of them, whatever they wait for.
class FaultServer {
 public:
  using Handler = std::function<Script(const SeenRequest&)>;
  // Run for connection 1, 2, … straight after accept, before TLS; empty: go on as a normal server.
  using AcceptHandler = std::function<Script(int connection)>;

  struct Options {
    std::optional<CertifiedKey> tls;  // none: plain HTTP
    std::string client_ca;            // PEM: clients must present a certificate of it; empty: none asked for
    bool tls12_only = false;
    bool start_plain = false;         // TLS only after a start_tls step
    std::string address = "127.0.0.1";  // or "::1"
  };

  explicit FaultServer(Handler handler);
  FaultServer(Handler handler, Options options);
  ~FaultServer();
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;

  int port() const;
  // Replaces the handler for the requests that come from now on. Called on connection threads, several at once.
  void on(Handler handler);
  void on_accept(AcceptHandler handler);
  // The certificate of the connections accepted from now on.
  void use_certificate(const CertifiedKey& tls, const std::string& client_ca);

  // Requests received whole, in order of arrival.
  std::vector<SeenRequest> requests() const;
  std::size_t request_count() const;
  // Those of one method, for instance "POST".
  std::size_t count(std::string_view method) const;
  int connections_accepted() const;
  int connections_open() const;
  // Bytes of scripts the socket has taken so far.
  std::size_t bytes_sent() const;

  // Blocks until `count` requests have come; false after 30 s.
  bool await_requests(std::size_t count) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace shutdown_auditor::testing_support
