#include "kube/config.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/text.h"
#include "kube/log_capture.h"
#include "support/temp_dir.h"
#include "objects/decode.h"
#include "support/manual_clock.h"
#include "support/test_pki.h"

namespace shutdown_auditor::kube {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing_support::LogCapture;
using testing_support::ManualClock;
using testing_support::TempDir;
using testing_support::TestCa;

// A kubeconfig that works, to be changed by each test.
json kubeconfig() {
  static const std::string ca = base::base64_encode(TestCa().pem());
  return {{"apiVersion", "v1"},
          {"kind", "Config"},
          {"current-context", "prod"},
          {"contexts", {{{"name", "prod"}, {"context", {{"cluster", "c"}, {"user", "u"}, {"namespace", "shop"}}}}}},
          {"clusters",
           {{{"name", "c"}, {"cluster", {{"server", "https://10.0.0.1:6443"}, {"certificate-authority-data", ca}}}}}},
          {"users", {{{"name", "u"}, {"user", {{"token", "tok-inline"}}}}}}};
}

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    options_.load = [](const std::string& path) -> base::Result<objects::Kubeconfig> {
      auto text = base::read_file(path, 1U << 20U);
      if (!text) {
        return base::unexpected(text.error());
      }
      auto config = objects::decode_json<objects::Kubeconfig>(*text);
      return config ? config : base::unexpected(config.error().with_context(path));
    };
    options_.service_account_dir = dir_ / "sa";
  }

  json& cluster() { return config_["clusters"][0]["cluster"]; }
  json& user() { return config_["users"][0]["user"]; }
  json& context() { return config_["contexts"][0]["context"]; }

  base::Result<ClientConfig> resolve() {
    options_.kubeconfig = dir_.write("config", config_.dump());
    return resolve_config(options_, clock_);
  }
  // The error with the temporary folder's name replaced.
  std::string failure() {
    const auto config = resolve();
    if (config) {
      return "no failure";
    }
    EXPECT_LE(config.error().message.size(), kOneLineBytes) << config.error().message;
    return shown(config.error().message);
  }
  std::string shown(std::string text) {
    for (std::size_t at = text.find(dir_.path()); at != std::string::npos; at = text.find(dir_.path())) {
      text.replace(at, dir_.path().size(), "DIR");
    }
    return text;
  }
  void make_service_account() {
    dir_.write("sa/token", "pod-token\n");
    dir_.write("sa/ca.crt", TestCa().pem());
    dir_.write("sa/namespace", "operators\n");
  }

  TempDir dir_;
  ManualClock clock_;
  json config_ = kubeconfig();
  ConfigOptions options_;
};

TEST_F(ConfigTest, AWholeContextIsResolved) {
  const auto config = resolve();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->transport.scheme, "https");
  EXPECT_EQ(config->transport.host, "10.0.0.1");
  EXPECT_EQ(config->transport.port, 6443);
  EXPECT_THAT(config->tls_files.ca.text, HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_EQ(*config->credentials->token({}), "tok-inline");
  EXPECT_EQ(config->name_space, "shop");
  EXPECT_EQ(config->endpoint.server, "https://10.0.0.1:6443");
  EXPECT_EQ(config->endpoint.context, "prod");
  EXPECT_EQ(shown(config->endpoint.source), "DIR/config");
}

TEST_F(ConfigTest, FlagBeatsVariableBeatsPodBeatsHome) {
  const auto server_named = [&](const std::string& name) {
    cluster()["server"] = "https://" + name;
    return dir_.write(name + "/.kube/config", config_.dump());
  };
  const std::string flag = server_named("flag");
  const std::string variable = server_named("variable");
  server_named("home");
  make_service_account();
  options_.kubeconfig = flag;
  options_.environment = {"KUBECONFIG=" + variable, "KUBERNETES_SERVICE_HOST=pod", "KUBERNETES_SERVICE_PORT=443",
                          "HOME=" + dir_ / "home"};
  const auto host = [&] { return resolve_config(options_, clock_)->transport.host; };
  EXPECT_EQ(host(), "flag");
  options_.kubeconfig.clear();
  EXPECT_EQ(host(), "variable");
  options_.environment.erase(options_.environment.begin());
  EXPECT_EQ(host(), "pod");
  options_.environment.erase(options_.environment.begin());  // only the port is left: not in a cluster
  EXPECT_EQ(host(), "home");
  options_.environment.clear();
  EXPECT_EQ(resolve_config(options_, clock_).error().message,
            "kubeconfig: no cluster is configured; give --kubeconfig FILE, set KUBECONFIG, or run inside a cluster");
}

TEST_F(ConfigTest, InClusterReadsTheServiceAccount) {
  make_service_account();
  options_.environment = {"KUBERNETES_SERVICE_HOST=fd00::1", "KUBERNETES_SERVICE_PORT=443"};
  const auto config = resolve_config(options_, clock_);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->transport.host, "fd00::1");
  EXPECT_EQ(config->endpoint.server, "https://[fd00::1]:443");
  EXPECT_EQ(*config->credentials->token({}), "pod-token");
  EXPECT_EQ(shown(config->tls_files.ca.file), "DIR/sa/ca.crt");
  EXPECT_EQ(config->name_space, "operators");
  EXPECT_EQ(config->endpoint.context, "");
}

TEST_F(ConfigTest, InClusterHonoursNoProxyAndNeedsToken) {
  make_service_account();
  options_.environment = {"KUBERNETES_SERVICE_HOST=10.96.0.1", "KUBERNETES_SERVICE_PORT=443",
                          "HTTPS_PROXY=http://proxy:3128"};
  EXPECT_EQ(resolve_config(options_, clock_)->transport.proxy, "http://proxy:3128");
  options_.environment.push_back("NO_PROXY=10.96.0.0/12");
  EXPECT_EQ(resolve_config(options_, clock_)->transport.proxy, "");
  dir_.remove("sa/token");
  EXPECT_THAT(resolve_config(options_, clock_).error().message,
              AllOf(HasSubstr("in-cluster: token file"), HasSubstr("; is automountServiceAccountToken off?")));
  options_.environment[1] = "KUBERNETES_SERVICE_PORT=tcp";
  EXPECT_THAT(resolve_config(options_, clock_).error().message, HasSubstr("KUBERNETES_SERVICE_PORT is \"tcp\""));
}

TEST_F(ConfigTest, ListsAreMergedAndTheFirstFileWins) {
  json second = kubeconfig();
  second["current-context"] = "other";
  second["clusters"][0]["cluster"]["server"] = "https://ignored";
  second["users"].push_back({{"name", "extra"}, {"user", {{"tokenFile", "tokens/t"}}}});
  second["contexts"].push_back({{"name", "other"}, {"context", {{"cluster", "c"}, {"user", "extra"}}}});
  dir_.write("b/tokens/t", "from-file");
  const std::string a = dir_.write("a/config", config_.dump());
  const std::string b = dir_.write("b/config", second.dump());
  options_.environment = {"KUBECONFIG=" + a + ":" + dir_ / "missing" + "::" + b};
  LogCapture::clear();
  auto config = resolve_config(options_, clock_);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->endpoint.context, "prod");
  EXPECT_EQ(config->transport.host, "10.0.0.1");
  EXPECT_EQ(LogCapture::count("files of KUBECONFIG are missing"), 1);

  // From the second file, with a path relative to it.
  options_.context = "other";
  config = resolve_config(options_, clock_);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(*config->credentials->token({}), "from-file");
  EXPECT_EQ(config->transport.host, "10.0.0.1");
  EXPECT_EQ(config->name_space, "default");

  dir_.write("b/config", "{broken");
  EXPECT_THAT(resolve_config(options_, clock_).error().message, HasSubstr(dir_ / "b/config"));
  options_.environment = {"KUBECONFIG=" + dir_ / "missing"};
  EXPECT_EQ(shown(resolve_config(options_, clock_).error().message),
            "KUBECONFIG DIR/missing: none of its files exists; correct or unset it");
}

TEST_F(ConfigTest, RelativePathsBelongToTheirFile) {
  const TestCa ca;
  cluster().erase("certificate-authority-data");
  cluster()["certificate-authority"] = "pki/ca.crt";
  user() = {{"client-certificate", "../x.crt"}, {"client-key", "/abs/x.key"}};
  const auto config = resolve();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(shown(config->tls_files.ca.file), "DIR/pki/ca.crt");
  EXPECT_EQ(config->tls_files.certificate.file,
            dir_.path().substr(0, dir_.path().rfind('/')) + "/x.crt");
  EXPECT_EQ(config->tls_files.key.file, "/abs/x.key");
}

TEST_F(ConfigTest, OverridesOfContextClusterUserAndNamespace) {
  config_["clusters"].push_back(
      {{"name", "c2"}, {"cluster", {{"server", "http://127.0.0.1:8001"}}}});
  config_["users"].push_back({{"name", "u2"}, {"user", {{"token", "two"}}}});
  options_.cluster = "c2";
  options_.user = "u2";
  options_.name_space = "flagged";
  const auto config = resolve();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->transport.scheme, "http");
  EXPECT_EQ(config->transport.port, 8001);
  EXPECT_EQ(*config->credentials->token({}), "two");
  EXPECT_EQ(config->name_space, "flagged");
}

TEST_F(ConfigTest, MissingEntriesAreNamed) {
  config_["current-context"] = "stage";
  EXPECT_EQ(failure(), "DIR/config: current-context: there is no context \"stage\"; choose one of: prod");
  options_.context = "dev";
  EXPECT_EQ(failure(), "DIR/config: --context: there is no context \"dev\"; choose one of: prod");
  options_.context = "";
  config_.erase("current-context");
  EXPECT_EQ(failure(), "DIR/config: current-context: is not set; give --context, one of: prod");
  config_["current-context"] = "prod";
  context()["cluster"] = "gone";
  EXPECT_EQ(failure(), "DIR/config: context \"prod\": there is no cluster \"gone\"; it has: c");
  context()["cluster"] = "c";
  context()["user"] = "gone";
  EXPECT_EQ(failure(), "DIR/config: context \"prod\": there is no user \"gone\"; it has: u");
}

TEST_F(ConfigTest, AUserCanBeMissingFromTheContext) {
  context().erase("user");
  const auto config = resolve();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(*config->credentials->token({}), "");
}

TEST_F(ConfigTest, GoldenErrorsOfClusters) {
  const json good = cluster();
  struct Row {
    json patch;
    const char* line;
  };
  const Row rows[] = {
      {{{"server", nullptr}}, "DIR/config: cluster \"c\": server: is missing"},
      {{{"server", "10.0.0.1"}}, "DIR/config: cluster \"c\": server: \"10.0.0.1\" is no http:// or https:// URL"},
      {{{"certificate-authority-data", "%%%"}},
       "DIR/config: cluster \"c\": certificate-authority-data: "},
      {{{"certificate-authority-data", "ICAK"}}, "DIR/config: cluster \"c\": certificate-authority-data: is empty"},
      {{{"certificate-authority-data", nullptr}},
       "DIR/config: cluster \"c\": certificate-authority: is missing; only the cluster's own CA is trusted"},
      {{{"insecure-skip-tls-verify", true}},
       "DIR/config: cluster \"c\": insecure-skip-tls-verify and certificate-authority exclude each other"},
      {{{"proxy-url", "socks5://localhost:1080"}},
       "DIR/config: cluster \"c\": proxy-url: SOCKS proxies are not supported; use an http:// proxy"},
  };
  for (const Row& row : rows) {
    cluster() = good;
    cluster().merge_patch(row.patch);
    EXPECT_THAT(failure(), testing::StartsWith(row.line)) << row.patch;
  }
}

TEST_F(ConfigTest, GoldenErrorsOfUsers) {
  struct Row {
    json user;
    const char* line;
  };
  const json v1 = "client.authentication.k8s.io/v1";
  const Row rows[] = {
      {{{"auth-provider", {{"name", "gcp"}}}},
       "DIR/config: user \"u\": auth-provider \"gcp\" was removed from Kubernetes; use an exec plugin"},
      {{{"username", "ann"}, {"password", "hunter2"}},
       "DIR/config: user \"u\": username and password were removed from Kubernetes; use a token, a certificate or exec"},
      {{{"client-certificate", "x.crt"}}, "DIR/config: user \"u\": client-key: is missing"},
      {{{"client-key", "x.key"}}, "DIR/config: user \"u\": client-certificate: is missing"},
      {{{"client-key-data", "%"}, {"client-certificate", "x"}}, "DIR/config: user \"u\": client-key-data: "},
      {{{"tokenFile", "none"}}, "DIR/config: user \"u\": token file: "},
      {{{"token", "hunter2\nx"}}, "DIR/config: user \"u\": token: holds a line break"},
      {{{"as", "ann"}, {"as-groups", {"a", "b"}}},
       "DIR/config: user \"u\": as-groups: only one group can be impersonated"},
      {{{"as", "ann"}, {"as-user-extra", {{"scopes", {"a", "b"}}}}},
       "DIR/config: user \"u\": as-user-extra.scopes: only one value can be sent"},
      {{{"as-groups", {"a"}}}, "DIR/config: user \"u\": as-uid, as-groups and as-user-extra need as"},
      {{{"exec", {{"apiVersion", v1}}}}, "DIR/config: user \"u\": exec.command: is missing"},
      {{{"exec", {{"command", "x"}, {"apiVersion", "client.authentication.k8s.io/v1alpha1"}}}},
       "DIR/config: user \"u\": exec.apiVersion: \"client.authentication.k8s.io/v1alpha1\" is not "
       "client.authentication.k8s.io/v1 or v1beta1"},
      {{{"exec", {{"command", "x"}, {"apiVersion", v1}, {"interactiveMode", "Always"}}}},
       "DIR/config: user \"u\": exec.interactiveMode: Always needs a terminal; use a plugin that does not ask"},
      {{{"exec", {{"command", "x"}, {"apiVersion", v1}, {"interactiveMode", "Maybe"}}}},
       "DIR/config: user \"u\": exec.interactiveMode: \"Maybe\" is not Never, IfAvailable or Always"},
  };
  for (const Row& row : rows) {
    user() = row.user;
    EXPECT_THAT(failure(), AllOf(testing::StartsWith(row.line), Not(HasSubstr("hunter2")))) << row.user;
  }
}

TEST_F(ConfigTest, GoldenErrorsOfFiles) {
  options_.kubeconfig = dir_ / "none";
  EXPECT_EQ(shown(resolve_config(options_, clock_).error().message),
            "DIR/none: there is no such kubeconfig; check --kubeconfig");
  options_.load = [](const std::string& path) -> base::Result<objects::Kubeconfig> {
    return base::fail(base::ErrorKind::kInvalid, path + ":7:3: duplicate key \"clusters\"");
  };
  EXPECT_EQ(shown(resolve_config(options_, clock_).error().message),
            "DIR/none: 7:3: duplicate key \"clusters\"; correct the file");
}

TEST_F(ConfigTest, NamesUsedTwiceInOneFileAreRefused) {
  config_["users"].push_back(config_["users"][0]);
  EXPECT_EQ(failure(), "DIR/config: two users are named \"u\"; remove or rename one");
  config_["users"][1]["name"] = "";
  EXPECT_EQ(failure(), "DIR/config: a user has no name; name it");
}

TEST_F(ConfigTest, InlineDataBeatsFiles) {
  cluster()["certificate-authority"] = "/nonexistent";
  const auto config = resolve();
  ASSERT_TRUE(config) << config.error().message;
  testing_support::ManualClock clock;
  TlsFileSource source(config->tls_files, clock);
  EXPECT_TRUE(source.current());
}

TEST_F(ConfigTest, InlineTokenBeatsTokenFileBeatsExec) {
  const json exec = {{"command", "x"}, {"apiVersion", "client.authentication.k8s.io/v1"}};
  user() = {{"token", "inline"}, {"tokenFile", "t"}, {"exec", exec}};
  EXPECT_EQ(*resolve()->credentials->token({}), "inline");
  dir_.write("t", "file");
  user().erase("token");
  EXPECT_EQ(*resolve()->credentials->token({}), "file");
}

TEST_F(ConfigTest, InsecureAloneWarnsLoudly) {
  cluster().erase("certificate-authority-data");
  cluster()["insecure-skip-tls-verify"] = true;
  LogCapture::clear();
  const auto config = resolve();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->transport.insecure_skip_tls_verify);
  EXPECT_EQ(LogCapture::count("WARN kube: the server's certificate is NOT verified"), 1);
}

TEST_F(ConfigTest, ServerNameProxyAndPrefixReachTheTransport) {
  cluster()["tls-server-name"] = "kubernetes.default.svc";
  cluster()["proxy-url"] = "http://proxy:3128";
  cluster()["server"] = "https://rancher.example.com/k8s/clusters/c-1/";
  const auto config = resolve();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->transport.tls_server_name, "kubernetes.default.svc");
  EXPECT_EQ(config->transport.proxy, "http://proxy:3128");
  EXPECT_EQ(config->transport.path_prefix, "/k8s/clusters/c-1");
  EXPECT_EQ(config->transport.port, 443);
}

TEST_F(ConfigTest, ImpersonationBecomesHeaders) {
  user()["as"] = "jane";
  user()["as-uid"] = "42";
  user()["as-groups"] = {"dev"};
  user()["as-user-extra"] = {{"Example.com/Scope x", {"view"}}};
  const auto config = resolve();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(*config->headers.find("Impersonate-User"), "jane");
  EXPECT_EQ(*config->headers.find("Impersonate-Uid"), "42");
  EXPECT_EQ(*config->headers.find("Impersonate-Group"), "dev");
  EXPECT_EQ(*config->headers.find("Impersonate-Extra-example.com%2Fscope%20x"), "view");
}

TEST_F(ConfigTest, TheCommandLinesImpersonationReplacesTheFiles) {
  user()["as"] = "jane";
  user()["as-uid"] = "42";
  user()["as-groups"] = {"dev"};
  options_.as = "bob";
  auto config = resolve();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(*config->headers.find("Impersonate-User"), "bob");
  EXPECT_EQ(config->headers.find("Impersonate-Uid"), nullptr);
  EXPECT_EQ(config->headers.find("Impersonate-Group"), nullptr);
  options_.as_groups = {"ops"};
  config = resolve();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(*config->headers.find("Impersonate-Group"), "ops");
  options_.as.clear();
  EXPECT_EQ(failure(), "DIR/config: user \"u\": as-uid, as-groups and as-user-extra need as");
}

TEST_F(ConfigTest, AServiceAccountDoesNotImpersonate) {
  make_service_account();
  options_.environment = {"KUBERNETES_SERVICE_HOST=pod", "KUBERNETES_SERVICE_PORT=443"};
  options_.as = "bob";
  EXPECT_EQ(resolve_config(options_, clock_).error().message,
            "in-cluster: a service account cannot impersonate here; give --kubeconfig together with --as");
}

TEST_F(ConfigTest, AnExecPluginIsRunWithClusterInfo) {
  dir_.script("bin/plugin",
              "echo \"$KUBERNETES_EXEC_INFO\" > " + dir_ / "seen" +
                  "\necho '{\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"kind\":\"ExecCredential\","
                  "\"status\":{\"token\":\"t\"}}'\n");
  user() = {{"exec",
             {{"command", "./bin/plugin"},
              {"apiVersion", "client.authentication.k8s.io/v1beta1"},
              {"provideClusterInfo", true},
              {"interactiveMode", "IfAvailable"}}}};
  cluster()["tls-server-name"] = "k8s";
  options_.environment = {"PATH=/usr/bin:/bin"};
  const auto config = resolve();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(*config->credentials->token({}), "t");
  const json info = json::parse(*base::read_file(dir_ / "seen", 1U << 20U))["spec"]["cluster"];
  EXPECT_EQ(info["server"], "https://10.0.0.1:6443");
  EXPECT_EQ(info["tls-server-name"], "k8s");
  EXPECT_EQ(info["certificate-authority-data"], cluster()["certificate-authority-data"]);
}

TEST_F(ConfigTest, LongNamesStayWithinOneLine) {
  config_["current-context"] = std::string(400, 'x');
  const std::string line = failure();
  EXPECT_THAT(line, HasSubstr("choose one of: prod"));
}

}  // namespace
}  // namespace shutdown_auditor::kube
