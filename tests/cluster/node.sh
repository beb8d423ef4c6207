# The nodes of a test cluster: containerd, kubelet and kube-proxy; source it, do not run it. Needs root.
# shellcheck shell=bash disable=SC2154  # dir, here and the names of env come from cluster.sh
#
# A node is a process (node_init.sh) that is process 1 of namespaces of its own: processes, mounts, network, host name.
# Everything a node starts lives in there, so killing that one process ends its containers and takes its mounts, addresses
# and packet filter rules along. Outside of it remain a bridge, on which the nodes and the API server meet, and cgroups.

# Meant for tests of networks (RFC 2544): no real network has it.
readonly NODE_NETWORK=198.18

readonly NODE_NAMESPACES=(--mount --net --uts --ipc --pid --fork --kill-child=KILL --mount-proc)

# node_requirements: the end when this machine cannot run containers.
node_requirements() {
  local command why="this machine cannot run containers"
  ((EUID == 0)) || die "$why: root is needed"
  for command in containerd ctr runc ip nft unshare nsenter umoci skopeo gcc; do
    command -v "$command" >/dev/null || die "$why: no $command; run tests/cluster/deps.sh --with-node"
  done
  [[ -x /usr/lib/cni/bridge ]] || die "$why: no /usr/lib/cni/bridge; run tests/cluster/deps.sh --with-node"
  unshare "${NODE_NAMESPACES[@]}" true 2>/dev/null || die "$why: it does not let root make namespaces"
  [[ -n "$(cgroup_roots)" && -w "$(cgroup_roots | head -n 1)" ]] || die "$why: /sys/fs/cgroup is not writable"
}

# --- cgroups -----------------------------------------------------------------

# cgroup_roots: a line for each hierarchy: one with version 2, several with version 1, one more with both.
cgroup_roots() { awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/mounts; }

# cgroup_create PATH: in every hierarchy, ready to have children.
cgroup_create() {
  local root part path controller
  while read -r root; do
    path="$root"
    for part in ${1//\// }; do
      if [[ -f "$path/cgroup.subtree_control" ]]; then
        for controller in $(<"$path/cgroup.controllers"); do
          echo "+$controller" >"$path/cgroup.subtree_control" || true
        done 2>/dev/null
      fi
      mkdir -p "$path/$part" || die "cannot make the cgroup $path/$part"
      if [[ -f "$path/$part/cpuset.cpus" && -z "$(<"$path/$part/cpuset.cpus")" && -s "$path/cpuset.cpus" ]]; then
        cat "$path/cpuset.cpus" >"$path/$part/cpuset.cpus"
        cat "$path/cpuset.mems" >"$path/$part/cpuset.mems"
      fi
      path="$path/$part"
    done
  done < <(cgroup_roots)
}

# cgroup_remove NAME: as soon as the last process in it is gone.
cgroup_remove() {
  local root left deadline=$((SECONDS + STOP_SECONDS))
  while read -r root; do
    while [[ -d "$root/$1" ]]; do
      find "$root/$1" -depth -type d -exec rmdir {} + 2>/dev/null || true
      [[ -d "$root/$1" ]] || break
      if ((SECONDS >= deadline)); then
        left="$(find "$root/$1" -name cgroup.procs -exec cat {} + | paste -sd' ')"
        say "cannot remove the cgroup $root/$1, processes: ${left:-none}"
        break
      fi
      sleep 0.1
    done
  done < <(cgroup_roots)
}

# --- network -----------------------------------------------------------------

# network_create: a bridge with an address for the API server. Sets NODE_BRIDGE, NODE_SUBNET, APISERVER_ADDRESS and
# NODE_APISERVER_ARGS.
network_create() {
  local third tries output
  for ((tries = 0; tries < 50; tries++)); do
    third=$((RANDOM % 256))
    NODE_SUBNET="$NODE_NETWORK.$third" NODE_BRIDGE="sa$third-$$"
    [[ -z "$(ip -4 route show table all | grep -F "$NODE_SUBNET." || true)" ]] || continue
    # Before it is there, so that whoever cleans up knows of it.
    printf 'NODE_BRIDGE=%s\n' "$NODE_BRIDGE" >"$dir/network"
    output="$(ip link add "$NODE_BRIDGE" type bridge 2>&1)" || die "cannot make a network bridge: $output"
    ip addr add "$NODE_SUBNET.1/24" dev "$NODE_BRIDGE"
    ip link set "$NODE_BRIDGE" up
    APISERVER_ADDRESS="$NODE_SUBNET.1"
    # The API server asks kubelets for logs.
    # shellcheck disable=SC2034  # used by cluster.sh
    NODE_APISERVER_ARGS=(--kubelet-client-certificate="$dir/pki/admin.crt" --kubelet-client-key="$dir/pki/admin.key"
      --kubelet-certificate-authority="$dir/pki/ca.crt" --kubelet-preferred-address-types=InternalIP)
    return 0
  done
  die "no free network in $NODE_NETWORK.0.0/16"
}

# --- configuration -----------------------------------------------------------

# node_configure NUMBER: everything node_init.sh needs, in DIR/nodeN. A node sees that directory as /run/node.
node_configure() {
  local number="$1" name="node$1" address="$NODE_SUBNET.1$1" server="https://$APISERVER_ADDRESS:$APISERVER_PORT"
  local etc="$dir/$name/etc"
  mkdir -p "$etc/cni"
  # Containers of any user must be able to pass; the files with keys are for root only.
  chmod 711 "$dir/$name"
  pki_server "$dir/pki" "$name-server" "$name" "DNS:$name, IP:$address"
  pki_client "$dir/pki" "$name" "system:node:$name" system:nodes
  pki_client "$dir/pki" "$name-proxy" system:kube-proxy
  cp "$dir/pki/ca.crt" "$dir/pki/$name-server.crt" "$dir/pki/$name-server.key" "$etc/"
  pki_kubeconfig "$dir/pki" "$name" "$server" >"$etc/kubelet.kubeconfig"
  pki_kubeconfig "$dir/pki" "$name-proxy" "$server" >"$etc/kube-proxy.kubeconfig"
  # restrict_oom_score_adj: without CAP_SYS_RESOURCE no process can be protected from the OOM killer.
  cat >"$etc/containerd.toml" <<'TOML'
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.local/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/run/node/etc/cni"
TOML
  cat >"$etc/cni/10-bridge.conflist" <<JSON
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false,
   "ipam": {"type": "host-local", "subnet": "10.244.$number.0/24", "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "loopback"}]}
JSON
  cat >"$etc/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: /run/node/etc/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: /run/node/etc/$name-server.crt
tlsPrivateKeyFile: /run/node/etc/$name-server.key
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /$NODE_BRIDGE/$name
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
evictionHard: {memory.available: 0%, nodefs.available: 0%, nodefs.inodesFree: 0%, imagefs.available: 0%}
imageGCHighThresholdPercent: 100
resolvConf: ""
makeIPTablesUtilChains: false
syncFrequency: 10s
YAML
  cat >"$etc/kube-proxy.yaml" <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clusterCIDR: 10.244.0.0/16
hostnameOverride: $name
clientConnection: {kubeconfig: /run/node/etc/kube-proxy.kubeconfig}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
YAML
}

# --- life --------------------------------------------------------------------

# node_names: those of this cluster.
node_names() { (cd "$dir" && compgen -G 'node[0-9].log' | sed 's/\.log$//') || true; }

# node_start NUMBER COUNT: returns while the node is coming up.
node_start() {
  local number="$1" name="node$1" pid link="${NODE_BRIDGE}n$1" tries
  node_configure "$number"
  cgroup_create "$NODE_BRIDGE/$name"
  : >"$dir/$name.log"
  spawn "$name" unshare "${NODE_NAMESPACES[@]}" --propagation private \
    "$here/node_init.sh" "$dir/$name" "$number" "$2" "$NODE_SUBNET"
  pid="$(pid_of "$name")" || give_up "$name" "$name did not start"
  for ((tries = 0; tries < 250; tries++)); do
    [[ "$(readlink "/proc/$pid/ns/net")" == "$(readlink /proc/self/ns/net)" ]] || break
    sleep 0.02
  done
  ip link add "$link" type veth peer name eth0 netns "$pid" || die "cannot connect $name to the bridge"
  ip link set "$link" master "$NODE_BRIDGE" up
}

# nodes_start COUNT IMAGE...: they and the scheduler are ready when it returns, and IMAGEs can be used.
nodes_start() {
  local count="$1" number image
  shift
  spawn kube-scheduler "$dir/bin/kube-scheduler" --kubeconfig="$dir/pki/scheduler.kubeconfig" --secure-port=0 \
    --leader-elect=false --kube-api-qps=500 --kube-api-burst=1000
  mkdir "$dir/images"
  "$here/pack.sh" "$here/pause.c" registry.local/pause:1 "$dir/images/pause.tar"
  for image in "$@"; do
    ln "$image" "$dir/images/" 2>/dev/null || cp "$image" "$dir/images/"
  done
  for ((number = 1; number <= count; number++)); do
    node_start "$number" "$count"
  done
  for ((number = 1; number <= count; number++)); do
    await "node$number" ready node_is_ready "node$number" || node_give_up "node$number"
  done
}

# node_give_up NAME: the end, with what its programs said last.
node_give_up() {
  local program
  for program in containerd kubelet kube-proxy; do
    if [[ -s "$dir/$1-$program.log" ]]; then
      say "last lines of $1-$program.log:"
      tail -n 8 "$dir/$1-$program.log" | cut -c 1-400 >&2
    fi
  done
  give_up "$1" "$1 did not start"
}

# In a shell of its own: a signal that comes while bash waits for a pipeline of a condition can make it forget that it is one,
# and end with the pipeline's status.
node_is_ready() (
  admin_get "/api/v1/nodes/$1" | jq -e '.status.conditions[] | select(.type == "Ready").status == "True"'
)

# node_exec NAME COMMAND...: inside of the node.
node_exec() {
  local name="$1" pid inside
  shift
  pid="$(pid_of "$name")" || die "$name does not run"
  inside="$(cut -d " " -f 1 "/proc/$pid/task/$pid/children")"
  nsenter --target "$inside" --mount --net --uts --ipc --pid -- "$@"
}

# nodes_stop: ends every node and all that runs on it, and removes what is outside of them.
nodes_stop() {
  local name
  for name in $(node_names); do
    stop "$name" KILL
  done
  [[ -f "$dir/network" ]] || return 0
  # shellcheck disable=SC1091  # written by network_create
  source "$dir/network"
  cgroup_remove "$NODE_BRIDGE"
  # The kernel takes its time to give up the network of a node that is gone, and with it the other end of its cable.
  for name in $(ip -o link show | grep -oE "$NODE_BRIDGE(n[0-9])?\b" | sort -ru); do
    ip link delete "$name" 2>/dev/null || true
  done
  rm -f "$dir/network"
}
