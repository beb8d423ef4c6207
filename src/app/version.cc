#include "app/version.h"

namespace shutdown_auditor::app {

std::string_view version() { return SA_VERSION; }
std::string_view revision() { return SA_REVISION; }
std::string_view source_date() { return SA_DATE; }

}  // namespace shutdown_auditor::app
