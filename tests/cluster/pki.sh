# The certificates of a test cluster; source it, do not run it.
# shellcheck shell=bash

# Everything is P-256: such keys are generated in milliseconds.
readonly PKI_DAYS=30

pki_config() {
  cat <<'CNF'
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign, digitalSignature
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
CNF
}

# pki_openssl ARGS...: shows openssl's own words only when it fails.
pki_openssl() {
  local output
  output="$(openssl "$@" 2>&1)" || die "openssl $1 failed: $output"
}

# pki_issue DIR FILE EXTENSIONS SUBJECT [CA ARGS...]: DIR/FILE.crt and DIR/FILE.key.
pki_issue() {
  local dir="$1" file="$2" extensions="$3" subject="$4"
  shift 4
  pki_openssl req -x509 -config "$dir/openssl.cnf" -extensions "$extensions" -sha256 \
    -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$PKI_DAYS" \
    -set_serial "0x01$(openssl rand -hex 15)" -subj "$subject" \
    -keyout "$dir/$file.key" -out "$dir/$file.crt" "$@"
}

# pki_server DIR FILE NAME ALTERNATIVES: a server's certificate.
pki_server() {
  pki_issue "$1" "$2" server "/CN=$3" -CA "$1/ca.crt" -CAkey "$1/ca.key" -addext "subjectAltName = $4"
}

# pki_create DIR ADDRESS: the CA, the certificate of the API server at ADDRESS, the clients
# that every cluster has, and the key pair that signs service account tokens.
pki_create() {
  local dir="$1"
  mkdir "$dir"
  pki_config >"$dir/openssl.cnf"
  pki_issue "$dir" ca ca /CN=test-cluster-ca
  pki_server "$dir" apiserver kube-apiserver \
    "IP:127.0.0.1, IP:$2, IP:10.96.0.1, DNS:localhost, DNS:kubernetes.default.svc"
  pki_client "$dir" admin admin system:masters
  pki_client "$dir" controller-manager system:kube-controller-manager
  pki_client "$dir" scheduler system:kube-scheduler
  pki_openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$dir/sa.key"
  pki_openssl pkey -in "$dir/sa.key" -pubout -out "$dir/sa.pub"
}

# pki_client DIR FILE USER [GROUP...]: the subject's CN is the user name and
# each O a group, as the API server reads client certificates.
pki_client() {
  local dir="$1" file="$2" user="$3" subject='' group
  shift 3
  for group in "$@"; do
    subject+="/O=$group"
  done
  pki_issue "$dir" "$file" client "$subject/CN=$user" -CA "$dir/ca.crt" -CAkey "$dir/ca.key"
}

# pki_kubeconfig DIR FILE SERVER: prints a kubeconfig with everything inline,
# so that it can be copied anywhere.
pki_kubeconfig() {
  local dir="$1" file="$2" server="$3"
  cat <<YAML
apiVersion: v1
kind: Config
clusters:
- name: test-cluster
  cluster:
    server: $server
    certificate-authority-data: $(base64 -w 0 "$dir/ca.crt")
users:
- name: $file
  user:
    client-certificate-data: $(base64 -w 0 "$dir/$file.crt")
    client-key-data: $(base64 -w 0 "$dir/$file.key")
contexts:
- name: test-cluster
  context:
    cluster: test-cluster
    user: $file
current-context: test-cluster
YAML
}
