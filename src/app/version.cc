#include "app/version.h"

namespace shutdown_auditor::app {

std::string_view version() { return SA_VERSION; }
std::string_view revision() { return SA_REVISION; }

}  // namespace shutdown_auditor::app
