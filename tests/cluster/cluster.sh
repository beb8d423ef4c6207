#!/usr/bin/env bash
# Starts and stops a real Kubernetes control plane on the loopback address, or
# one with nodes on a bridge of its own: free ports, every file in one directory.
set -euo pipefail

PROGRAM=cluster.sh
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/cluster/lib.sh
source "$here/lib.sh"
# shellcheck source=tests/cluster/pki.sh
source "$here/pki.sh"
# shellcheck source=tests/cluster/node.sh
source "$here/node.sh"

# A user's own cluster is never touched: nothing here reads his configuration.
unset KUBECONFIG
# Private keys, and etcd's data: for this user only.
umask 077

usage() {
  cat <<'TEXT'
usage: cluster.sh COMMAND DIR [options]

  up DIR                start a control plane in DIR (new or empty); ready when it returns
      --with-controller-manager   run kube-controller-manager too
      --nodes=N                   and kube-scheduler, and N nodes (1 to 9): containerd, kubelet,
                                  kube-proxy, a pod network; needs root and deps.sh --with-node
      --image=FILE                load this OCI archive on every node (repeatable)
      --apiserver-arg=ARG         one more flag for kube-apiserver (repeatable)
      --parent=PID                stop everything when process PID is gone
      --no-build                  fail when the servers are not built yet (tools.sh builds them)
  down DIR              stop it and remove DIR (KEEP_LOGS=1 leaves the logs)
  stop-apiserver DIR    SIGTERM to kube-apiserver; etcd stays
  start-apiserver DIR   start it again: same port, same data
  restart-apiserver DIR both
  kill DIR [COMPONENT]  SIGKILL to etcd, kube-apiserver (the default), kube-controller-manager,
                        kube-scheduler
  node-exec DIR NODE COMMAND...
                        run a command inside of a node: ctr -n k8s.io containers ls, ip addr, ...
  compact DIR           compact etcd's history at its current revision
  kubeconfig-for DIR NAME [--group=G]...
                        write DIR/kubeconfig-NAME for another client certificate; prints its path
  status DIR            what runs; status 1 when something does not

DIR holds kubeconfig, env (the ports, as shell variables), audit.log, bin/ (the
commands, kubectl too), COMPONENT.log and COMPONENT.pid; of a node nodeN.log and
nodeN-PROGRAM.log, and its file system in nodeN/.
TEXT
}

readonly READY_SECONDS=60
readonly STOP_SECONDS=20
readonly COMPONENTS=(kube-scheduler kube-controller-manager kube-apiserver etcd)
readonly CURL=(curl -q --silent --show-error --noproxy '*' --max-time 10)

# --- processes ---------------------------------------------------------------

# pid_of COMPONENT: the recorded pid when that process still runs and is ours:
# its command line names the component and this directory. A zombie has none.
pid_of() {
  local component="$1" pid line
  [[ -s "$dir/$component.pid" ]] || return 1
  pid="$(<"$dir/$component.pid")"
  [[ "$pid" =~ ^[1-9][0-9]*$ ]] || return 1
  line="$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" || true)"
  [[ "$line" == *"$component"* && "$line " == *"$dir"[/\ ]* ]] || return 1
  printf '%s\n' "$pid"
}

# spawn COMPONENT COMMAND...: in a session of its own, so that neither the end
# of this script nor a Ctrl-C in the terminal reaches it. Descriptor 9 is the lock.
spawn() {
  local component="$1"
  shift
  setsid "$@" >>"$dir/$component.log" 2>&1 </dev/null 9>&- &
  local pid=$! tries
  printf '%s\n' "$pid" >"$dir/$component.pid"
  disown
  # Until it has become the command, its command line is still that of this script.
  for ((tries = 0; tries < 250; tries++)); do
    if pid_of "$component" >/dev/null || [[ ! -d "/proc/$pid" ]]; then
      return 0
    fi
    sleep 0.02
  done
}

# stop COMPONENT SIGNAL: returns when the process is gone.
stop() {
  local component="$1" signal="$2" pid deadline=$((SECONDS + STOP_SECONDS))
  pid="$(pid_of "$component")" || {
    rm -f "$dir/$component.pid"
    return 0
  }
  kill "-$signal" "$pid" 2>/dev/null || true
  while pid_of "$component" >/dev/null; do
    if ((SECONDS >= deadline)); then
      say "$component (pid $pid) still runs $STOP_SECONDS s after SIG$signal: SIGKILL"
      kill -KILL "$pid" 2>/dev/null || true
      deadline=$((SECONDS + STOP_SECONDS))
    fi
    sleep 0.05
  done
  rm -f "$dir/$component.pid"
}

# await COMPONENT WHAT COMMAND...: until COMMAND succeeds. Returns 1 when the
# component has ended, or after READY_SECONDS.
await() {
  local component="$1" what="$2" deadline=$((SECONDS + READY_SECONDS))
  shift 2
  until "$@" >/dev/null 2>&1; do
    if ! pid_of "$component" >/dev/null; then
      say "$component ended before it was $what"
      return 1
    fi
    if ((SECONDS >= deadline)); then
      say "$component is not $what after $READY_SECONDS s"
      return 1
    fi
    sleep 0.1
  done
}

# give_up COMPONENT MESSAGE
give_up() {
  if [[ -s "$dir/$1.log" ]]; then
    say "last lines of $1.log:"
    tail -n 20 "$dir/$1.log" | cut -c 1-400 >&2
  fi
  die "$2"
}

# --- ports -------------------------------------------------------------------

# choose_ports N: sets $ports to N different ports that nothing uses now. They
# lie below the range the kernel gives to outgoing connections, so they are
# still free when the API server is restarted.
choose_ports() {
  local count="$1" last=32767 first=20000 port used
  if [[ -r /proc/sys/net/ipv4/ip_local_port_range ]]; then
    read -r last _ </proc/sys/net/ipv4/ip_local_port_range
    last=$((last - 1))
  fi
  if ((last < 12000)); then last=32767; fi
  if ((first > last - 5000)); then first=$((last - 5000)); fi
  used=" $(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '{ sub(/.*:/, "", $2); print $2 }' | tr '\n' ' ') "
  ports=()
  while ((${#ports[@]} < count)); do
    port=$((first + (RANDOM * 32768 + RANDOM) % (last - first + 1)))
    if [[ "$used" != *" $(printf '%04X' "$port") "* && " ${ports[*]:-} " != *" $port "* ]]; then
      ports+=("$port")
    fi
  done
}

port_was_taken() { grep -q 'address already in use' "$dir/$1.log"; }

# --- components --------------------------------------------------------------

admin_get() {
  "${CURL[@]}" --fail --cacert "$dir/pki/ca.crt" --cert "$dir/pki/admin.crt" --key "$dir/pki/admin.key" \
    "https://$APISERVER_ADDRESS:$APISERVER_PORT$1"
}

etcd_post() { "${CURL[@]}" --fail --data "$2" "http://127.0.0.1:$ETCD_PORT$1"; }

start_etcd() {
  spawn etcd "$dir/bin/etcd" --data-dir "$dir/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls "http://127.0.0.1:$ETCD_PORT" --advertise-client-urls "http://127.0.0.1:$ETCD_PORT" \
    --listen-peer-urls "http://127.0.0.1:$ETCD_PEER_PORT"
  await etcd ready etcd_post /v3/maintenance/status '{}'
}

# Without the watch grace period a stop waits for the end of every open watch,
# minutes. With it, watches end at once and cleanly; for the other kind of end
# there is "kill".
start_apiserver() {
  local -a extra=()
  mapfile -d '' -t extra <"$dir/apiserver-args"
  spawn kube-apiserver "$dir/bin/kube-apiserver" \
    --etcd-servers="http://127.0.0.1:$ETCD_PORT" \
    --bind-address="$APISERVER_ADDRESS" --advertise-address="$APISERVER_ADDRESS" --secure-port="$APISERVER_PORT" \
    --service-cluster-ip-range=10.96.0.0/16 \
    --tls-cert-file="$dir/pki/apiserver.crt" --tls-private-key-file="$dir/pki/apiserver.key" \
    --client-ca-file="$dir/pki/ca.crt" \
    --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file="$dir/pki/sa.pub" --service-account-signing-key-file="$dir/pki/sa.key" \
    --authorization-mode=Node,RBAC --allow-privileged=true --shutdown-watch-termination-grace-period=5s \
    --audit-policy-file="$dir/audit-policy.yaml" --audit-log-path="$dir/audit.log" --audit-log-maxsize=4096 \
    "${extra[@]}"
  await kube-apiserver ready admin_get /readyz
}

start_controller_manager() {
  spawn kube-controller-manager "$dir/bin/kube-controller-manager" \
    --kubeconfig="$dir/pki/controller-manager.kubeconfig" --secure-port=0 --leader-elect=false \
    --service-account-private-key-file="$dir/pki/sa.key" --root-ca-file="$dir/pki/ca.crt" \
    --use-service-account-credentials '--controllers=*,-node-ipam-controller' \
    --kube-api-qps=500 --kube-api-burst=1000
  # Until this account exists no Pod can be created in the namespace.
  await kube-controller-manager ready admin_get /api/v1/namespaces/default/serviceaccounts/default
}

# --- commands ----------------------------------------------------------------

stop_everything() {
  local component
  nodes_stop
  for component in "${COMPONENTS[@]}"; do
    stop "$component" KILL
  done
  # The watcher itself may be the one that runs this.
  if [[ "$(pid_of watch || true)" != "$$" ]]; then
    stop watch KILL
  fi
}

remove_directory() {
  if [[ -n "${KEEP_LOGS:-}" ]]; then
    find "$dir" -mindepth 1 -maxdepth 1 ! -name '*.log' -exec rm -rf {} +
    say "logs kept in $dir"
  else
    rm -rf "$dir"
  fi
}

# take_lock: one command at a time for each DIR.
take_lock() {
  exec 9>>"$dir/lock"
  flock -w $((READY_SECONDS * 3)) 9 || die "another command still holds $dir/lock"
  [[ -f "$dir/cluster" ]] || die "$dir was removed meanwhile"
}

# Nothing stays, whatever comes or fails meanwhile.
abandon() {
  local status=$?
  trap - EXIT
  trap '' INT TERM HUP
  set +e
  stop_everything
  remove_directory
  exit "$status"
}

command_up() {
  local started=$SECONDS parent='' controller_manager=false nodes=0
  local -a extra=() ports=() images=() tools=(--quiet)
  while (($# > 0)); do
    case "$1" in
      --with-controller-manager) controller_manager=true ;;
      --nodes=[1-9]) nodes="${1#*=}" controller_manager=true ;;
      --image=?*) images+=("${1#*=}") ;;
      --no-build) tools=(--check) ;;
      --apiserver-arg=?*) extra+=("${1#*=}") ;;
      --parent=?*) parent="${1#*=}" ;;
      --parent)
        (($# >= 2)) || die "up: --parent needs a value"
        parent="$2"
        shift
        ;;
      *) die "up: unknown option '$1'" ;;
    esac
    shift
  done
  if [[ -n "$parent" ]]; then
    [[ "$parent" =~ ^[1-9][0-9]*$ && -d "/proc/$parent" ]] || die "up: --parent=$parent is not a running process"
  fi
  if ((nodes > 0)); then
    node_requirements
    tools+=(--with-node)
  fi
  "$here/tools.sh" "${tools[@]}"

  mkdir -p "$dir" || die "cannot create $dir"
  [[ -z "$(ls -A "$dir")" ]] || die "$dir is not empty"
  : >"$dir/cluster"
  take_lock
  trap abandon EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP

  if [[ -n "$parent" ]]; then
    spawn watch "$here/cluster.sh" watch "$dir" "$parent" "$(start_time_of "$parent")"
  fi
  ln -s "$("$here/tools.sh" --path)" "$dir/bin"
  APISERVER_ADDRESS=127.0.0.1
  ((nodes == 0)) || network_create
  pki_create "$dir/pki" "$APISERVER_ADDRESS"
  cat >"$dir/audit-policy.yaml" <<'YAML'
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
YAML
  : >"$dir/audit.log"
  if ((nodes > 0)); then
    extra+=("${NODE_APISERVER_ARGS[@]}")
  else
    extra+=(--endpoint-reconciler-type=none)
  fi
  printf '%s\0' "${extra[@]}" >"$dir/apiserver-args"

  # Between choosing a port and binding it another process may take it.
  local attempt ready=false
  for attempt in 1 2 3 4 5; do
    choose_ports 3
    ETCD_PORT="${ports[0]}" ETCD_PEER_PORT="${ports[1]}" APISERVER_PORT="${ports[2]}"
    if ! start_etcd; then
      port_was_taken etcd || give_up etcd "etcd did not start"
    elif ! start_apiserver; then
      port_was_taken kube-apiserver || give_up kube-apiserver "kube-apiserver did not start"
    else
      ready=true
      break
    fi
    say "a chosen port was taken by another process, attempt $attempt of 5"
    stop kube-apiserver KILL
    stop etcd KILL
    rm -rf "$dir/etcd" "$dir/etcd.log" "$dir/kube-apiserver.log"
  done
  [[ "$ready" == true ]] || die "found no free ports"

  local server="https://$APISERVER_ADDRESS:$APISERVER_PORT"
  pki_kubeconfig "$dir/pki" admin "$server" >"$dir/kubeconfig"
  pki_kubeconfig "$dir/pki" controller-manager "$server" >"$dir/pki/controller-manager.kubeconfig"
  pki_kubeconfig "$dir/pki" scheduler "$server" >"$dir/pki/scheduler.kubeconfig"
  {
    printf 'KUBECONFIG=%q\n' "$dir/kubeconfig"
    printf 'BIN_DIR=%q\n' "$dir/bin"
    printf 'APISERVER_ADDRESS=%s\nAPISERVER_PORT=%s\n' "$APISERVER_ADDRESS" "$APISERVER_PORT"
    printf 'ETCD_PORT=%s\nETCD_PEER_PORT=%s\n' "$ETCD_PORT" "$ETCD_PEER_PORT"
  } >"$dir/env"
  if [[ "$controller_manager" == true ]]; then
    start_controller_manager || give_up kube-controller-manager "kube-controller-manager did not start"
  fi
  if ((nodes > 0)); then
    nodes_start "$nodes" "${images[@]}"
  fi
  trap - EXIT
  say "ready in $((SECONDS - started)) s: $server, KUBECONFIG=$dir/kubeconfig"
}

command_down() {
  stop_everything
  remove_directory
}

command_start_apiserver() {
  if pid_of kube-apiserver >/dev/null; then
    die "kube-apiserver already runs"
  fi
  # A server that was killed may hold its port for a moment after it is gone from the process list.
  local attempt
  for attempt in 1 2 3 4 5; do
    start_apiserver && return 0
    port_was_taken kube-apiserver || break
    say "the port is not free yet, attempt $attempt of 5"
    stop kube-apiserver KILL
    rm -f "$dir/kube-apiserver.log"
    sleep 0.5
  done
  give_up kube-apiserver "kube-apiserver did not start"
}

command_kill() {
  local component="${1:-kube-apiserver}"
  [[ " ${COMPONENTS[*]} " == *" $component "* ]] || die "kill: unknown component '$component'; one of ${COMPONENTS[*]}"
  pid_of "$component" >/dev/null || die "$component does not run"
  stop "$component" KILL
}

command_compact() {
  local revision
  revision="$(etcd_post /v3/maintenance/status '{}' | sed -n 's/.*"revision":"\([0-9]*\)".*/\1/p')"
  [[ "$revision" =~ ^[0-9]+$ ]] || die "etcd did not report its revision"
  etcd_post /v3/kv/compaction "{\"revision\":\"$revision\",\"physical\":true}" >/dev/null ||
    die "etcd refused to compact at revision $revision"
  printf '%s\n' "$revision"
}

command_kubeconfig_for() {
  local name="${1:-}" allowed='^[A-Za-z0-9:._@-]+$' hint='may hold only letters, digits and : . _ @ -' file
  local -a groups=()
  [[ "$name" =~ $allowed ]] || die "kubeconfig-for: user name '$name' $hint"
  shift
  while (($# > 0)); do
    case "$1" in
      --group=?*) groups+=("${1#*=}") ;;
      --group)
        (($# >= 2)) || die "kubeconfig-for: --group needs a value"
        groups+=("$2")
        shift
        ;;
      *) die "kubeconfig-for: unknown option '$1'" ;;
    esac
    [[ "${groups[-1]}" =~ $allowed ]] || die "kubeconfig-for: group '${groups[-1]}' $hint"
    shift
  done
  # A prefix keeps the files of a user called "ca" or "admin" apart from the cluster's own.
  file="user-$name"
  pki_client "$dir/pki" "$file" "$name" "${groups[@]}"
  pki_kubeconfig "$dir/pki" "$file" "https://$APISERVER_ADDRESS:$APISERVER_PORT" >"$dir/kubeconfig-$name"
  printf '%s\n' "$dir/kubeconfig-$name"
}

command_status() {
  local component pid all_run=true
  for component in etcd kube-apiserver kube-controller-manager kube-scheduler $(node_names); do
    if pid="$(pid_of "$component")"; then
      printf '%-24s pid %s, %s MB\n' "$component" "$pid" \
        "$(awk '/^VmRSS:/ { print int($2 / 1024) }' "/proc/$pid/status" 2>/dev/null || true)"
    elif [[ "$component" != kube-controller-manager && "$component" != kube-scheduler || -e "$dir/$component.log" ]]; then
      printf '%-24s not running\n' "$component"
      all_run=false
    fi
  done
  if admin_get /readyz >/dev/null 2>&1; then
    printf '%-24s ready\n' "https://$APISERVER_ADDRESS:$APISERVER_PORT"
  else
    printf '%-24s not ready\n' "https://$APISERVER_ADDRESS:$APISERVER_PORT"
    all_run=false
  fi
  [[ "$all_run" == true ]]
}

# start_time_of PID: tells a process from a later one with the same number.
# The command name in the second field may hold spaces and parentheses.
start_time_of() {
  local line
  { line="$(<"/proc/$1/stat")"; } 2>/dev/null || return 1
  line="${line##*) }"
  # shellcheck disable=SC2086  # to be split into fields
  set -- $line
  [[ "$1" != Z ]] || return 1
  printf '%s\n' "${20}"
}

# command_watch PID START_TIME: stops the cluster when its owner is gone.
command_watch() {
  while [[ -f "$dir/cluster" ]]; do
    if [[ "$(start_time_of "$1")" != "$2" ]]; then
      say "process $1, which this cluster belongs to, has ended"
      take_lock
      command_down
      return 0
    fi
    sleep 1
  done
}

main() {
  local command="${1:-}"
  case "$command" in
    -h | --help)
      usage
      return 0
      ;;
    up | down | status | compact | kubeconfig-for | node-exec | watch) ;;
    stop-apiserver | start-apiserver | restart-apiserver | kill) ;;
    *)
      usage >&2
      die "unknown command '$command'"
      ;;
  esac
  (($# >= 2)) || die "$command: DIR is missing"
  dir="$(realpath -m -- "$2")"
  shift 2
  if [[ "$command" == up ]]; then
    command_up "$@"
    return
  fi
  if [[ ! -f "$dir/cluster" ]]; then
    [[ "$command" != down || -d "$dir" ]] || return 0
    die "$dir does not hold a cluster that '$PROGRAM up' made"
  fi
  case "$command" in
    watch | status | node-exec) ;;
    *) take_lock ;;
  esac
  if [[ -f "$dir/env" ]]; then
    # shellcheck disable=SC1091  # written by up
    source "$dir/env"
    unset KUBECONFIG
  elif [[ "$command" != down && "$command" != watch ]]; then
    die "$dir: this cluster is not up"
  fi
  case "$command" in
    down) command_down ;;
    stop-apiserver) stop kube-apiserver TERM ;;
    start-apiserver) command_start_apiserver ;;
    restart-apiserver) stop kube-apiserver TERM && command_start_apiserver ;;
    kill) command_kill "$@" ;;
    compact) command_compact ;;
    kubeconfig-for) command_kubeconfig_for "$@" ;;
    status) command_status ;;
    node-exec) node_exec "$@" ;;
    watch) command_watch "$@" ;;
  esac
}

main "$@"
