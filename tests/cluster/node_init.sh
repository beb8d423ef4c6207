#!/usr/bin/env bash
# Process 1 of a node, started by node.sh in namespaces of its own: what a machine does when it boots. Ends when one of
# containerd, kubelet and kube-proxy ends, and with it everything on the node.
#   node_init.sh DIR NUMBER COUNT SUBNET
set -euo pipefail

node="$1" number="$2" count="$3" subnet="$4"
name="node$number"
cd /
umask 022
hostname "$name"
exec 2>&1

# Files: the node's directory is /run/node; /run and /var are the node's own, so that every program can use its usual places
# and nothing of this machine's is seen or changed. Outside, /var is DIR/var.
mkdir -p "$node"/var/{cache,lib,log,spool,tmp}
ln -sfn /run "$node/var/run"
programs="$(realpath "$node/../bin")"
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir -p /mnt/cluster /mnt/node /mnt/programs /mnt/sys
mount --bind "$(dirname "$node")" /mnt/cluster
mount --bind "$node" /mnt/node
mount --bind "$programs" /mnt/programs
mount --no-mtab --move /mnt /run
mount --bind /run/node/var /var
mount --make-rshared /
# The kubelet would set these for the whole machine; it is content with seeing what it wants.
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  file="/run/sys/$(tr / - <<<"${setting%=*}")"
  echo "${setting#*=}" >"$file"
  mount --bind "$file" "/proc/sys/${setting%=*}"
done

# Network: eth0 appears when node.sh has connected it.
ip link set lo up
for ((tries = 0; tries < 1000; tries++)); do
  [[ ! -d /proc/sys/net/ipv4/conf/eth0 ]] || break
  sleep 0.02
done
ip addr add "$subnet.1$number/24" dev eth0
ip link set eth0 up
for ((other = 1; other <= count; other++)); do
  ((other == number)) || ip route add "10.244.$other.0/24" via "$subnet.1$other"
done
# Addresses of Services are no one's: a packet to one needs a way to leave by before it is rewritten.
ip route add 10.96.0.0/16 dev eth0
echo 1 >/proc/sys/net/ipv4/ip_forward
# Pods speak to the API server with the node's address; there is no way further than that.
nft -f - <<NFT
table ip node {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ip saddr 10.244.$number.0/24 ip daddr $subnet.0/24 masquerade
  }
}
NFT

start() { # start NAME COMMAND...
  local program="$1"
  shift
  "$@" >>"/run/cluster/$name-$program.log" 2>&1 </dev/null &
  pids+=($!)
  names[$!]="$program"
}
pids=()
declare -A names=()
start containerd containerd --config /run/node/etc/containerd.toml
until ctr version >/dev/null 2>&1; do
  kill -0 "${pids[0]}" || { echo "containerd did not start"; exit 1; }
  sleep 0.1
done
for image in /run/cluster/images/*.tar; do
  ctr -n k8s.io images import --snapshotter native "$image"
done
start kubelet /run/programs/kubelet --config /run/node/etc/kubelet.yaml --kubeconfig /run/node/etc/kubelet.kubeconfig \
  --hostname-override="$name" --node-ip="$subnet.1$number"
start kube-proxy /run/programs/kube-proxy --config /run/node/etc/kube-proxy.yaml
status=0
wait -n -p ended "${pids[@]}" || status=$?
echo "${names[$ended]} ended with status $status"
exit 1
