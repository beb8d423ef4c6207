#include "kube/one_line.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace shutdown_auditor::kube {
namespace {

const Endpoint kEndpoint{"https://10.0.0.1:6443", "/home/ann/.kube/config", "prod"};
constexpr char kPlace[] = "https://10.0.0.1:6443 (context \"prod\" of /home/ann/.kube/config): ";

TEST(OneLine, GoldenForEveryKindOfFailure) {
  struct Row {
    Error error;
    const char* line;
  };
  const Row rows[] = {
      {{.kind = ErrorKind::kForbidden,
        .message = "list deployments.apps: deployments.apps is forbidden: User \"ann\" cannot list resource",
        .code = 403},
       "list deployments.apps: deployments.apps is forbidden: User \"ann\" "
       "cannot list resource; grant it with RBAC"},
      {{.kind = ErrorKind::kUnauthorized, .message = "list x: Unauthorized", .code = 401},
       "credentials refused (401); renew the user's token or certificate"},
      {{.kind = ErrorKind::kTls, .message = "list x: 10.0.0.1:6443: certificate has expired"},
       "list x: 10.0.0.1:6443: certificate has expired; renew it, "
       "or correct this machine's clock"},
      {{.kind = ErrorKind::kTls, .message = "list x: 10.0.0.1:6443: certificate refused: IP address mismatch"},
       "list x: 10.0.0.1:6443: certificate refused: IP address mismatch; check certificate-authority or "
       "tls-server-name"},
      {{.kind = ErrorKind::kUnavailable, .message = "list x: 10.0.0.1:6443: connection refused"},
       "list x: 10.0.0.1:6443: connection refused; is the server running and "
       "reachable?"},
      {{.kind = ErrorKind::kUnavailable, .message = "list x: HTTP 503", .code = 503},
       "list x: HTTP 503; the server is not well; try again"},
      {{.kind = ErrorKind::kTimeout, .message = "list x: timed out"},
       "list x: timed out; is the server reachable?"},
      {{.kind = ErrorKind::kProtocol, .message = "list x: the answer is \"text/html\", not application/json"},
       "list x: the answer is \"text/html\", not application/json; is this a "
       "Kubernetes API server?"},
      {{.kind = ErrorKind::kConflict, .message = "update x: the object has been modified", .code = 409},
       "update x: the object has been modified"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(one_line(row.error, kEndpoint), std::string(kPlace) + row.line);
    EXPECT_LE(one_line(row.error, kEndpoint).size(), kOneLineBytes);
  }
}

TEST(OneLine, InAClusterTheAdviceNamesTheServiceAccount) {
  const Endpoint endpoint{"https://10.96.0.1:443", "in-cluster", ""};
  EXPECT_EQ(one_line({.kind = ErrorKind::kUnauthorized, .code = 401}, endpoint),
            "https://10.96.0.1:443: credentials refused (401); is the service account's token current?");
  EXPECT_EQ(one_line({.kind = ErrorKind::kTls, .message = "get x: self-signed certificate"}, endpoint),
            "https://10.96.0.1:443: get x: self-signed certificate; check ca.crt of the service account");
}

TEST(OneLine, LongTextsAreCutAndTheRemedyStays) {
  const std::string path = "/" + std::string(300, 'p') + "/config";
  const std::string line = one_line(path, std::string(300, 'w'), "do this");
  EXPECT_LE(line.size(), kOneLineBytes);
  EXPECT_TRUE(line.ends_with("; do this")) << line;
  EXPECT_NE(line.find("/config: www"), std::string::npos) << line;
}

TEST(OneLine, IsOneLineOfValidUtf8) {
  std::string umlauts;
  for (int i = 0; i < 200; ++i) {
    umlauts += "\xC3\xBC";
  }
  const std::string line = one_line(umlauts, "a\nb\r\n" + umlauts, umlauts);
  EXPECT_LE(line.size(), kOneLineBytes);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_TRUE(base::is_utf8(line)) << line;
}

}  // namespace
}  // namespace shutdown_auditor::kube
