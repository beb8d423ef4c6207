#include "support/test_pki.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <stdexcept>

namespace shutdown_auditor::testing_support {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using CertPtr = std::unique_ptr<X509, Deleter<X509_free>>;
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free>>;

void require(bool ok, const char* what) {
  if (!ok) {
    throw std::runtime_error(std::string("test PKI: ") + what);
  }
}

KeyPtr make_key(KeyKind kind) {
  KeyPtr key(kind == KeyKind::kEc ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")
                                  : EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
  require(key != nullptr, "key generation");
  return key;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string to_pem(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_X509(bio.get(), certificate) == 1, "certificate to PEM");
  return text_of(bio.get());
}

std::string to_pem(EVP_PKEY* key, KeyFormat format) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  const int done = format == KeyFormat::kPkcs8
                       ? PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr)
                       : PEM_write_bio_PrivateKey_traditional(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  require(done == 1, "key to PEM");
  return text_of(bio.get());
}

void add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  require(extension != nullptr, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Everything but the extensions and the signature.
CertPtr blank_certificate(const std::string& common_name, EVP_PKEY* key, std::chrono::hours from,
                          std::chrono::hours until) {
  static std::atomic<long> serial{1000};
  CertPtr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), std::chrono::seconds(from).count());
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), std::chrono::seconds(until).count());
  X509_set_pubkey(certificate.get(), key);
  const std::vector<unsigned char> name(common_name.begin(), common_name.end());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8, name.data(),
                             static_cast<int>(name.size()), -1, 0);
  return certificate;
}

}  // namespace

struct TestCa::State {
  KeyPtr key = make_key(KeyKind::kEc);
  CertPtr certificate;
  std::string pem;
};

TestCa::TestCa(const std::string& name) : state_(std::make_unique<State>()) {
  state_->certificate = blank_certificate(name, state_->key.get(), std::chrono::hours(-24), std::chrono::hours(240));
  X509* const certificate = state_->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
  require(X509_sign(certificate, state_->key.get(), EVP_sha256()) > 0, "sign CA");
  state_->pem = to_pem(certificate);
}

TestCa::TestCa(const CertifiedKey& existing) : state_(std::make_unique<State>()) {
  const auto bio_of = [](const std::string& text) {
    return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  };
  state_->certificate.reset(PEM_read_bio_X509(bio_of(existing.certificate).get(), nullptr, nullptr, nullptr));
  state_->key.reset(PEM_read_bio_PrivateKey(bio_of(existing.key).get(), nullptr, nullptr, nullptr));
  require(state_->certificate && state_->key, "read CA");
  state_->pem = existing.certificate;
}

TestCa::~TestCa() = default;

const std::string& TestCa::pem() const { return state_->pem; }

CertifiedKey TestCa::issue(const CertificateSpec& spec) const {
  const KeyPtr key = make_key(spec.key_kind);
  const CertPtr certificate = blank_certificate(spec.common_name, key.get(), spec.not_before, spec.not_after);
  X509* const issuer = state_->certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer));
  add_extension(certificate.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate.get(), issuer, NID_key_usage, "critical,digitalSignature");
  add_extension(certificate.get(), issuer, NID_ext_key_usage, spec.client ? "clientAuth" : "serverAuth");
  std::string names;
  for (const std::string& name : spec.dns_names) {
    names += (names.empty() ? "DNS:" : ",DNS:") + name;
  }
  for (const std::string& address : spec.addresses) {
    names += (names.empty() ? "IP:" : ",IP:") + address;
  }
  if (!names.empty()) {
    add_extension(certificate.get(), issuer, NID_subject_alt_name, names);
  }
  require(X509_sign(certificate.get(), state_->key.get(), EVP_sha256()) > 0, "sign certificate");
  return {to_pem(certificate.get()), to_pem(key.get(), spec.key_format)};
}

}  // namespace shutdown_auditor::testing_support
