#include "objects/kubeconfig.h"

namespace shutdown_auditor::objects {
using NamedCluster = KubeconfigNamed<KubeconfigCluster>;
using NamedUser = KubeconfigNamed<KubeconfigUser>;
using NamedContext = KubeconfigNamed<KubeconfigContext>;

// Declared before the tables use them.
template <> const Shape& shape_of<KubeconfigCluster>();
template <> const Shape& shape_of<KubeconfigExecEnv>();
template <> const Shape& shape_of<KubeconfigExec>();
template <> const Shape& shape_of<KubeconfigAuthProvider>();
template <> const Shape& shape_of<KubeconfigUser>();
template <> const Shape& shape_of<KubeconfigContext>();
template <> const Shape& shape_of<NamedCluster>();
template <> const Shape& shape_of<NamedUser>();
template <> const Shape& shape_of<NamedContext>();

namespace {

constexpr auto kCluster = table(
    field<&KubeconfigCluster::server>("server"), field<&KubeconfigCluster::tls_server_name>("tls-server-name"),
    field<&KubeconfigCluster::insecure_skip_tls_verify>("insecure-skip-tls-verify"),
    field<&KubeconfigCluster::certificate_authority>("certificate-authority"),
    field<&KubeconfigCluster::certificate_authority_data>("certificate-authority-data"),
    field<&KubeconfigCluster::proxy_url>("proxy-url"),
    field<&KubeconfigCluster::disable_compression>("disable-compression"));
constexpr auto kExecEnv = table(field<&KubeconfigExecEnv::name>("name"), field<&KubeconfigExecEnv::value>("value"));
constexpr auto kExec = table(
    field<&KubeconfigExec::command>("command"), field<&KubeconfigExec::args>("args"), field<&KubeconfigExec::env>("env"),
    field<&KubeconfigExec::api_version>("apiVersion"), field<&KubeconfigExec::install_hint>("installHint"),
    field<&KubeconfigExec::provide_cluster_info>("provideClusterInfo"),
    field<&KubeconfigExec::interactive_mode>("interactiveMode"));
constexpr auto kAuthProvider =
    table(field<&KubeconfigAuthProvider::name>("name"), field<&KubeconfigAuthProvider::config>("config"));
constexpr auto kUser = table(
    field<&KubeconfigUser::client_certificate>("client-certificate"),
    field<&KubeconfigUser::client_certificate_data>("client-certificate-data"),
    field<&KubeconfigUser::client_key>("client-key"), field<&KubeconfigUser::client_key_data>("client-key-data"),
    field<&KubeconfigUser::token>("token"), field<&KubeconfigUser::token_file>("tokenFile"),
    field<&KubeconfigUser::as>("as"), field<&KubeconfigUser::as_uid>("as-uid"),
    field<&KubeconfigUser::as_groups>("as-groups"), field<&KubeconfigUser::as_user_extra>("as-user-extra"),
    field<&KubeconfigUser::username>("username"), field<&KubeconfigUser::password>("password"),
    field<&KubeconfigUser::auth_provider>("auth-provider"), field<&KubeconfigUser::exec>("exec"));
constexpr auto kContext = table(field<&KubeconfigContext::cluster>("cluster"), field<&KubeconfigContext::user>("user"),
                                field<&KubeconfigContext::namespace_>("namespace"));

constexpr auto kNamedCluster = table(field<&NamedCluster::name>("name"), field<&NamedCluster::value>("cluster"));
constexpr auto kNamedUser = table(field<&NamedUser::name>("name"), field<&NamedUser::value>("user"));
constexpr auto kNamedContext = table(field<&NamedContext::name>("name"), field<&NamedContext::value>("context"));
constexpr auto kKubeconfig =
    table(field<&Kubeconfig::clusters>("clusters"), field<&Kubeconfig::users>("users"),
          field<&Kubeconfig::contexts>("contexts"), field<&Kubeconfig::current_context>("current-context"));

}  // namespace

template <> const Shape& shape_of<KubeconfigCluster>() { return object_shape<kCluster>(); }
template <> const Shape& shape_of<KubeconfigExecEnv>() { return object_shape<kExecEnv>(); }
template <> const Shape& shape_of<KubeconfigExec>() { return object_shape<kExec>(); }
template <> const Shape& shape_of<KubeconfigAuthProvider>() { return object_shape<kAuthProvider>(); }
template <> const Shape& shape_of<KubeconfigUser>() { return object_shape<kUser>(); }
template <> const Shape& shape_of<KubeconfigContext>() { return object_shape<kContext>(); }
template <> const Shape& shape_of<NamedCluster>() { return object_shape<kNamedCluster>(); }
template <> const Shape& shape_of<NamedUser>() { return object_shape<kNamedUser>(); }
template <> const Shape& shape_of<NamedContext>() { return object_shape<kNamedContext>(); }
template <> const Shape& shape_of<Kubeconfig>() { return object_shape<kKubeconfig>(); }

}  // namespace shutdown_auditor::objects
