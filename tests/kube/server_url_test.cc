#include "kube/server_url.h"

#include <gmock/gmock.h>

#include <map>

namespace shutdown_auditor::kube {
namespace {

using testing::HasSubstr;

EnvironmentLookup environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

TEST(ServerUrl, AllForms) {
  struct Row {
    const char* text;
    const char* origin;
    const char* host;
    const char* prefix;
  };
  const Row rows[] = {
      {"https://10.0.0.1:6443", "https://10.0.0.1:6443", "10.0.0.1", ""},
      {"https://API.example.com", "https://api.example.com:443", "api.example.com", ""},
      {"http://localhost:8080/", "http://localhost:8080", "localhost", ""},
      {"http://localhost", "http://localhost:80", "localhost", ""},
      {"https://[fd00::1]:6443", "https://[fd00::1]:6443", "fd00::1", ""},
      {"https://[::1]", "https://[::1]:443", "::1", ""},
      {"https://rancher.example.com/k8s/clusters/c-1", "https://rancher.example.com:443", "rancher.example.com",
       "/k8s/clusters/c-1"},
      {"https://rancher.example.com/k8s/clusters/c-1//", "https://rancher.example.com:443", "rancher.example.com",
       "/k8s/clusters/c-1"},
  };
  for (const Row& row : rows) {
    const auto url = parse_server_url(row.text);
    ASSERT_TRUE(url) << row.text;
    EXPECT_EQ(url->origin(), row.origin);
    EXPECT_EQ(url->host, row.host);
    EXPECT_EQ(url->prefix, row.prefix);
  }
}

TEST(ServerUrl, BadOnesSayWhatIsWrong) {
  const std::pair<const char*, const char*> rows[] = {
      {"", "is no http:// or https:// URL"},
      {"10.0.0.1:6443", "is no http:// or https:// URL"},
      {"ftp://x", "is no http:// or https:// URL"},
      {"https://", "has no host"},
      {"https://:6443", "has no host"},
      {"https://x:0", "has a bad port"},
      {"https://x:99999", "has a bad port"},
      {"https://x:port", "has a bad port"},
      {"https://[::1", "has a bad port"},
      {"https://[zz::1]:1", "has a bad IPv6 address"},
      {"https://x?y=1", "has a query or fragment"},
      {"https://x/y#z", "has a query or fragment"},
      {"https://x y", "holds a character that no URL has"},
      {"https://x/a\r\nHost: evil", "holds a character that no URL has"},
  };
  for (const auto& [text, words] : rows) {
    const auto url = parse_server_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_THAT(url.error().message, HasSubstr(words)) << text;
  }
}

TEST(ServerUrl, APasswordInAUrlIsRefusedAndNotRepeated) {
  const auto url = parse_server_url("https://ann:hunter2@x:6443");
  EXPECT_THAT(url.error().message, HasSubstr("holds a user"));
  EXPECT_THAT(url.error().message, testing::Not(HasSubstr("hunter2")));
}

TEST(Proxy, KubeconfigThenEnvironment) {
  const ServerUrl server{"https", "api.example.com", 6443, ""};
  const ServerUrl plain{"http", "api.example.com", 80, ""};
  const auto none = environment({});
  EXPECT_EQ(*proxy_for(server, "", none), "");
  EXPECT_EQ(*proxy_for(server, "http://proxy:3128", none), "http://proxy:3128");
  const auto both = environment({{"HTTPS_PROXY", "http://secure:1"}, {"HTTP_PROXY", "http://open:2"}});
  EXPECT_EQ(*proxy_for(server, "", both), "http://secure:1");
  EXPECT_EQ(*proxy_for(plain, "", both), "http://open:2");
  EXPECT_EQ(*proxy_for(server, "http://proxy:3128", both), "http://proxy:3128");
  EXPECT_EQ(*proxy_for(server, "", environment({{"https_proxy", "lower:8080"}})), "http://lower:8080");
}

TEST(Proxy, NoProxyAndLoopbackServersAreReachedDirectly) {
  const ServerUrl service{"https", "10.96.0.1", 443, ""};
  EXPECT_EQ(*proxy_for(service, "", environment({{"HTTPS_PROXY", "http://p:1"}, {"NO_PROXY", "10.96.0.0/12"}})), "");
  EXPECT_EQ(*proxy_for(service, "", environment({{"HTTPS_PROXY", "http://p:1"}, {"no_proxy", "10.96.0.1"}})), "");
  for (const char* host : {"127.0.0.1", "localhost", "::1", "127.9.9.9"}) {
    EXPECT_EQ(*proxy_for({"https", host, 6443, ""}, "", environment({{"HTTPS_PROXY", "http://p:1"}})), "") << host;
  }
}

TEST(Proxy, SocksHttpsAndPasswordsAreRefused) {
  const ServerUrl server{"https", "api.example.com", 6443, ""};
  const std::pair<const char*, const char*> rows[] = {
      {"socks5://p:1080", "proxy-url: SOCKS proxies are not supported"},
      {"SOCKS5h://p:1080", "proxy-url: SOCKS proxies are not supported"},
      {"https://p:443", "proxy-url: https proxies are not supported"},
      {"http://ann:secret@p:1", "proxy-url: \"p:1\" holds a user"},
      {"p:1", "proxy-url: \"p:1\" is no http:// or https:// URL"}};
  for (const auto& [url, words] : rows) {
    const auto proxy = proxy_for(server, url, environment({}));
    ASSERT_FALSE(proxy) << url;
    EXPECT_THAT(proxy.error().message, HasSubstr(words));
  }
  EXPECT_THAT(proxy_for(server, "", environment({{"HTTPS_PROXY", "socks5://p:1"}})).error().message,
              HasSubstr("HTTPS_PROXY: SOCKS"));
}

TEST(Proxy, NoProxyEntries) {
  struct Row {
    const char* list;
    const char* host;
    bool covered;
  };
  const Row rows[] = {
      {"", "x", false},
      {"*", "anything", true},
      {"a, *", "anything", true},
      {"example.com", "example.com", true},
      {"example.com", "api.example.com", true},
      {"example.com", "badexample.com", false},
      {".example.com", "api.example.com", true},
      {".example.com", "example.com", false},
      {"*.example.com", "api.example.com", true},
      {"*.example.com", "example.com", false},
      {"Example.COM", "api.example.com", true},
      {"api.example.com:6443", "api.example.com", true},
      {"api.example.com:443", "api.example.com", false},
      {"10.0.0.0/8", "10.1.2.3", true},
      {"10.0.0.0/8", "11.1.2.3", false},
      {"10.0.0.0/9", "10.128.0.1", false},
      {"10.0.0.0/0", "99.0.0.1", true},
      {"10.0.0.0/99", "10.0.0.1", false},
      {"10.0.0.0/x", "10.0.0.1", false},
      {"fd00::/8", "fd12::1", true},
      {"fd00::/8", "10.0.0.1", false},
      {"10.0.0.1", "10.0.0.1", true},
      {"10.0.0.1", "10.0.0.10", false},
      {"[fd00::1]:6443", "fd00::1", true},
      {"fd00:0::1", "fd00::1", true},
      {",, ,", "x", false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(no_proxy_covers(row.list, row.host, 6443), row.covered) << row.list << " " << row.host;
  }
}

}  // namespace
}  // namespace shutdown_auditor::kube
