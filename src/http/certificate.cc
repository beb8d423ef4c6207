#include "http/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <limits>
#include <memory>

namespace shutdown_auditor::http {

std::optional<base::WallTime> certificate_end(const std::string& pem) {
  if (pem.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return std::nullopt;
  }
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                      &BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr, &X509_free);
  std::tm end{};
  const bool read = certificate && ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) == 1;
  ERR_clear_error();
  if (!read) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(end.tm_year + 1900),
                                         std::chrono::month(static_cast<unsigned>(end.tm_mon) + 1),
                                         std::chrono::day(static_cast<unsigned>(end.tm_mday))};
  // Year 9999 stands for "never" and is more than the clock can say.
  if (!date.ok() || end.tm_year + 1900 > 2200) {
    return base::WallTime::max();
  }
  return std::chrono::sys_days(date) + std::chrono::hours(end.tm_hour) + std::chrono::minutes(end.tm_min) +
         std::chrono::seconds(end.tm_sec);
}

}  // namespace shutdown_auditor::http
