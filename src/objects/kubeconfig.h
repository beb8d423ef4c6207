#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "objects/decode.h"

// A kubeconfig file as written: client-go tools/clientcmd/api/v1, types.go. Nothing is resolved, checked or read here.
namespace shutdown_auditor::objects {

struct KubeconfigCluster {
  std::string server;
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
  std::string certificate_authority;       // a path, relative to the file
  std::string certificate_authority_data;  // base64 of PEM
  std::string proxy_url;
  bool disable_compression = false;
};

struct KubeconfigExecEnv {
  std::string name;
  std::string value;
};

// A credential plugin, client.authentication.k8s.io.
struct KubeconfigExec {
  std::string command;
  std::vector<std::string> args;
  std::vector<KubeconfigExecEnv> env;
  std::string api_version;
  std::string install_hint;
  bool provide_cluster_info = false;
  std::string interactive_mode;  // Never, IfAvailable, Always; empty: IfAvailable
};

struct KubeconfigAuthProvider {
  std::string name;
  StringMap config;
};

// Holds secrets: never printed.
struct KubeconfigUser {
  std::string client_certificate;       // a path
  std::string client_certificate_data;  // base64 of PEM
  std::string client_key;
  std::string client_key_data;
  std::string token;
  std::string token_file;
  std::string as;
  std::string as_uid;
  std::vector<std::string> as_groups;
  std::vector<std::pair<std::string, std::vector<std::string>>> as_user_extra;
  std::string username;
  std::string password;
  std::optional<KubeconfigAuthProvider> auth_provider;
  std::optional<KubeconfigExec> exec;
};

struct KubeconfigContext {
  std::string cluster;
  std::string user;
  std::string namespace_;
};

template <class T>
struct KubeconfigNamed {
  std::string name;
  T value;
};

struct Kubeconfig {
  std::string api_version;
  std::string kind;
  std::vector<KubeconfigNamed<KubeconfigCluster>> clusters;
  std::vector<KubeconfigNamed<KubeconfigUser>> users;
  std::vector<KubeconfigNamed<KubeconfigContext>> contexts;
  std::string current_context;
};

template <>
const Shape& shape_of<Kubeconfig>();

}  // namespace shutdown_auditor::objects
