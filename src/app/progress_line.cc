#include "app/progress_line.h"

namespace shutdown_auditor::app {

void ProgressLine::update(base::Duration passed, std::size_t objects) {
  if (!terminal_ || passed < std::chrono::seconds(1)) {
    return;
  }
  out_ << "\r\x1b[K" << "reading the cluster: " << objects << (objects == 1 ? " object" : " objects") << std::flush;
  shown_ = true;
}

void ProgressLine::clear() {
  if (shown_) {
    out_ << "\r\x1b[K" << std::flush;
    shown_ = false;
  }
}

}  // namespace shutdown_auditor::app
